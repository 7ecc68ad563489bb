"""Overview: says what was found, what was planted, and what one click would compute."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import small_shop
from streamlit.testing.v1 import AppTest

from mmrec_core import jobs
from mmrec_core.datasets.catalogue import delete_dataset
from mmrec_core.datasets.install import install
from mmrec_core.studies.plan import default_values, plan_study
from mmrec_core.studies.results import list_studies
from mmrec_core.studies.study import make_study
from mmrec_core.studies.verdict import RULES
from pages.ui import studies
from pages.ui.catalogue import planted
from pages.ui.start import is_finished
from pages.ui.verdict import _BADGES, chip_text

Open = Callable[..., AppTest]
Text = Callable[[AppTest], str]


def test_without_a_study_the_plan_is_shown_and_nothing_is_computed(
    empty: Path, open_page: Open, text_of: Text
) -> None:
    app = open_page("overview")
    text = text_of(app)
    assert "Does content matter here?" in text
    assert "No study of this dataset is finished yet" in text
    assert "runs**" in text and "minute" in text
    assert [b.label for b in app.button] == ["Start the default study"]
    assert jobs.jobs() == []
    assert not (empty / "store").exists() or not list((empty / "store").glob("run/*"))


def test_one_click_starts_the_default_study_as_a_job(
    empty: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    monkeypatch.setattr(jobs, "start", lambda *given: started.append(given))
    app = open_page("overview", dataset="demo-words")
    app.button(key="start-default").click().run()
    assert started == [("study", {"dataset": "demo-words"}, "Default study of demo-words")]


def test_the_newest_study_is_said_in_words_and_numbers(
    studied: Path, open_page: Open, text_of: Text
) -> None:
    app = open_page("overview", dataset=small_shop.NAME)
    result = list_studies(small_shop.NAME)[0]
    text = text_of(app)
    whole = next(v for v in result.verdicts if v["modality"] == "all")
    assert "VBPR" in studies.headline(result) and studies.headline(result) in text
    table = app.table[0].value
    assert list(table["Content"]) == ["image", "text", "whole model"]
    assert studies.escape(whole["verdict"]) in table["Verdict"].iloc[2]
    used = result.comparisons.query("metric == 'recall@20' and kind == 'used'")
    percent = 100 * used.set_index("modality")["relative"]["all"]
    assert f"{abs(percent):.3g}" in table["Used"].iloc[2]
    assert "planted" not in " ".join(table["Content"]), "nobody knows the truth about an upload"
    assert small_shop.TITLE not in text, "a title from data must not act as markdown"
    assert studies.escape(small_shop.TITLE) in text


def test_the_truth_stands_beside_verdicts_on_the_demo_worlds(studied: Path) -> None:
    result = list_studies(small_shop.NAME)[0]
    told = {name: planted(f"demo-{name}") for name in ("picture", "words", "both", "neither")}
    shown = {
        name: ["not planted" in cell for cell in studies.verdict_table(result, truth)["Content"]]
        for name, truth in told.items()
    }
    assert shown == {  # whether image, text and the whole model are said to be not planted
        "picture": [False, True, False],
        "words": [True, False, False],
        "both": [False, False, False],
        "neither": [True, True, True],
    }
    assert "planted" in studies.verdict_table(result, told["both"])["Content"][0]
    assert planted(small_shop.NAME) is None


def test_numbers_of_a_column_have_their_points_in_one_line() -> None:
    cells = studies.columns_of_numbers(["+41.8 %", "+114 %", "−7.69 %", "–"], ["", "", "", ""])
    # A word joiner has no width; figure and point spaces are as wide as a digit and a point.
    places = [(c.lstrip("\u2060") + ".").replace("\u2008", ".").index(".") for c in cells[:3]]
    assert len(set(places)) == 1
    assert len({len(cell) for cell in cells[:3]}) == 1
    assert "–" in cells[3]


def test_every_outcome_has_a_chip_with_word_and_symbol() -> None:
    for rule in RULES:
        text = chip_text(rule.outcome.name, rule.outcome.symbol, rule.outcome.tone)
        assert studies.escape(rule.outcome.name) in text
        assert studies.escape(rule.outcome.symbol) in text
    assert set(_BADGES) == {r.outcome.tone for r in RULES} | {"void"}
    assert len(studies.rule_table()) == len(RULES)


def test_text_from_data_is_shown_as_written() -> None:
    hostile = "# A | *b* [c](http://d.e) `f` $g$ :red[h] <i>\n![j](k)"
    escaped = studies.escape(hostile)
    assert "\n" not in escaped
    for sign in "#|*[]()`$:<>!":
        assert all(escaped[i - 1] == "\\" for i, c in enumerate(escaped) if c == sign), sign
    assert "http://" not in escaped.replace("\\", ""), "a bare address would become a link"


def test_errors_are_sentences(
    empty: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(dataset: str | None = None) -> list[object]:
        raise ZeroDivisionError("no such luck")

    monkeypatch.setattr(studies, "list_studies", broken)
    app = open_page("overview")
    assert app.error[0].value.startswith("This part of the page could not be shown.")
    assert [c.value for c in app.code] == ["ZeroDivisionError: no such luck"]


def test_opening_pages_loads_no_heavy_library() -> None:
    """First paint waits for no torch; matplotlib is for exports alone."""
    code = (
        "import sys; import pages.ui.results, pages.ui.builder, pages.ui.catalogue, pages.ui.job\n"
        "heavy = {'torch', 'sklearn', 'transformers', 'sentence_transformers', 'umap',"
        " 'matplotlib.figure'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_csv_of_an_export_runs_no_formulas() -> None:
    from pages.ui.export import csv_bytes

    text = csv_bytes(pd.DataFrame({"=a": ["=1+1", "b"], "n": [-1.5, 2.0]})).decode()
    assert text == "'=a,n\n'=1+1,-1.5\nb,2.0\n"


def test_studies_of_an_earlier_dataset_of_the_name_are_not_of_this_one(
    studied: Path, tmp_path: Path, open_page: Open, text_of: Text
) -> None:
    (before,) = list_studies(small_shop.NAME)
    up = small_shop.upload(tmp_path / "up")
    more = np.load(up / "features" / "image.npy") + 1
    np.save(up / "features" / "other.npy", more)
    # More features: another content, and the study rests on the same split.
    install(up, name=small_shop.NAME, replace_existing=True)
    assert [study.key for study in list_studies(small_shop.NAME)] == [before.key]

    delete_dataset(small_shop.NAME)
    assert [study.key for study in list_studies(small_shop.NAME)] == [before.key]
    lines = (up / "interactions.csv").read_text().splitlines()
    (up / "interactions.csv").write_text("\n".join(lines[:-7]) + "\n")
    install(up, name=small_shop.NAME)
    assert list_studies(small_shop.NAME) == []
    assert [study.key for study in list_studies()] == [before.key]
    assert not is_finished(plan_study(make_study(default_values(small_shop.NAME))))
    app = open_page("overview", dataset=small_shop.NAME)
    assert "No study of this dataset is finished yet" in text_of(app)
    app = open_page("study", dataset=small_shop.NAME)
    assert "No study of this dataset is finished yet" in text_of(app)
