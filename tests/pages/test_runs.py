"""The Runs page: jobs, studies, runs, and the machine."""

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import small_shop
from streamlit.testing.v1 import AppTest

from mmrec_core import jobs
from mmrec_core.settings import settings
from mmrec_core.store import Artefact, Store, store, write_json
from mmrec_core.studies.results import StudyResult, list_studies
from mmrec_core.studies.runner import run_study
from mmrec_core.studies.study import make_study
from pages.ui import records
from pages.ui.words import escape

PROJECT = Path(__file__).resolve().parents[2]


def page(**query: str) -> AppTest:
    test = AppTest.from_file(str(PROJECT / "pages" / "runs.py"), default_timeout=60)
    for name, value in query.items():
        test.query_params[name] = value
    return test.run()


@pytest.fixture
def only_here(mmrec_data: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store without the layer that is shipped."""
    made = store()
    monkeypatch.setattr(made, "layers", ())
    return made


def job(status: str, **more: Any) -> jobs.JobState:
    key = f"{status}{len(more)}".ljust(12, "0")
    state = jobs.JobState(
        key, "study", f"Job that is {status}", status, created=time.time(),
        started=time.time() - 90, updated=time.time(), **more,
    )  # fmt: skip
    folder = settings().jobs / key
    folder.mkdir(parents=True)
    write_json(folder / "state.json", asdict(state))
    write_json(folder / "job.json", {"kind": "study", "spec": {}, "title": state.title})
    (folder / "log.txt").write_text(f"log of {status}\n")
    return state


def run(store: Store, recommender: str, control: str | None, seed: int, recall: float) -> Artefact:
    features = {} if control is None else {"image": {"control": control}}
    spec = {"recommender": recommender, "seed": seed, "features": features}

    def write(folder: Path) -> dict[str, Any]:
        return {
            "arm": f"{recommender} · {control or 'none'}",
            "dataset": "demo-both",
            "means": {"recall@20": recall, "ndcg@20": recall / 2},
            "qualities": {"coverage@20": 0.5},
            "seconds": 1.5,
            "best_epoch": 7,
            "converged": control != "shuffle",
            "environment": {"python": "3"},
        }

    return store.put("run", spec, write)


def test_an_empty_store_says_what_to_do(only_here: Store) -> None:
    assert "Nothing has been computed here yet" in page().markdown[0].value
    for tab, words in {
        "Jobs": "Studies start on the Study page",
        "Studies": "Plan one on the Study page",
        "Runs": "one for each arm and seed",
        "Embeddings": "A study makes those",
    }.items():
        test = page(tab=tab)
        assert not test.exception and not test.error
        assert words in test.info[0].value


def test_jobs_show_where_they_stand_and_can_be_forgotten(only_here: Store) -> None:
    done, failed = job("done", result={}), job("failed", what="The disk is [full](x).")
    test = page()
    assert not test.exception
    said = " ".join(m.value for m in test.markdown) + " ".join(e.value for e in test.error)
    assert "Job that is done" in said and "✓ done" in said
    assert "The disk is \\[full\\]\\(x\\)\\." in said
    assert "log of failed" in " ".join(code.value for code in test.code)
    test.button(key=f"forget-{done.key}").click().run()
    assert [state.key for state in jobs.jobs()] == [failed.key]


def test_read_only_offers_nothing_that_changes(
    mmrec_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job("done")
    job("failed")
    monkeypatch.setenv("MMREC_READ_ONLY", "1")
    settings.cache_clear()
    test = page()
    assert not test.exception
    assert [b.key for b in test.button] == []


def test_a_study_says_its_verdicts_and_its_command(
    studied: Path, open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store(), "layers", ())
    study = list_studies()[0]
    app = open_page("runs", tab="Studies", of="small")
    assert not app.error
    assert app.dataframe[0].value["key"].tolist() == [study.key[:12]]
    assert study.command in [code.value for code in app.code]
    said = "\n".join(text.value for text in app.markdown)
    for verdict in study.verdicts:
        assert escape(verdict["sentence"]) in said
    app.button(key=f"delete-{study.key}").click().run()
    assert app.button(key="delete-sure").label == "Delete"
    assert len(list_studies()) == 1  # not before one is sure


def test_runs_are_listed_and_filtered(only_here: Store) -> None:
    made = [
        run(only_here, "vbpr", "real", 0, 0.2),
        run(only_here, "vbpr", "shuffle", 1, 0.1),
        run(only_here, "bpr-mf", None, 2, 0.15),
    ]
    test = page(tab="Runs")
    assert not test.exception and not test.error
    table = test.dataframe[0].value
    assert set(table["key"]) == {artefact.key[:12] for artefact in made}
    row = table.set_index("seed").loc[1]
    assert (row["recall@20"], row["ndcg@20"], row["best epoch"]) == (0.1, 0.05, 7)
    assert not row["converged"] and not row["shipped"]
    assert any("1 stopped before" in text.value for text in test.markdown)
    test.multiselect(key="run_control").set_value(["real", "none"]).run()
    assert sorted(test.dataframe[0].value["seed"]) == [0, 2]
    assert page(tab="Runs", run_recommender="bpr-mf").dataframe[0].value["seed"].tolist() == [2]


def test_the_newest_run_comes_first(only_here: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [run(only_here, "vbpr", "real", seed, 0.1) for seed in range(3)]
    times = dict(zip((a.key for a in found), ("2024-01-02", "2024-01-03", "2024-01-01")))
    monkeypatch.setattr(records, "created", lambda artefact: times[artefact.key])
    records.run_table.clear()
    table = records.run_table(tuple(a.key for a in found), found)
    assert table["seed"].tolist() == [1, 0, 2]


def test_sizes_add_up(only_here: Store, mmrec_data: Path) -> None:
    artefact = run(only_here, "vbpr", "real", 0, 0.2)
    (artefact.path / "extra.npy").write_bytes(np.zeros(1000).tobytes())
    table = records.sizes()
    own = table[table["where"] == "here"].set_index("what")
    files = [path for path in artefact.path.rglob("*") if path.is_file()]
    assert own.loc["Runs", "files"] == len(files)
    assert own.loc["Runs", "bytes"] == sum(path.stat().st_size for path in files)
    assert isinstance(table, pd.DataFrame)


def test_the_machine_is_described(only_here: Store) -> None:
    test = page(tab="Machine")
    assert not test.exception
    values = test.dataframe[0].value.set_index("what")["value"]
    assert values["Data folder"] == str(settings().data)
    test.button[0].click().run()
    assert len(test.dataframe) == 2


def test_two_studies_are_compared_arm_by_arm(studied: Path, open_page, text_of) -> None:  # type: ignore[no-untyped-def]
    text = text_of(open_page("runs", tab="Compare"))
    assert "no dataset with two finished studies" in text
    other = {**small_shop.STUDY, "references": ["most-pop"], "seeds": 3}
    other["configs"] = {"vbpr": {**small_shop.STUDY["configs"]["vbpr"], "reg": 0.5}}
    second = run_study(make_study(other), workers=1)
    first = next(s for s in list_studies(small_shop.NAME) if s.key != second.key)
    address = {"compare-of": small_shop.NAME, "first": first.key[:12], "second": second.key[:12]}
    app = open_page("runs", tab="Compare", **address)
    text = text_of(app).replace("\\", "")
    assert not app.error and "VBPR reg" in text and "default → 0.5" in text
    shown = next(t.value for t in app.table if "State" in t.value)
    assert len(shown) == len(StudyResult(second).arms)
    assert "40 × 3" in set(shown["Users × seeds"])
