"""What leaves the house: figures, one zip, one page, methods in words, references."""

import html
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import small_shop

from mmrec_core import settings, store
from mmrec_core.domain import InputError
from mmrec_core.exports.bundle import bundle
from mmrec_core.exports.drawings import MAKERS, drawings, without_ids
from mmrec_core.exports.methods import (
    bibtex,
    citations,
    entries,
    methods_paragraph,
    unreferenced,
)
from mmrec_core.exports.report import report
from mmrec_core.studies.imported import import_lists
from mmrec_core.studies.list_export import lists_table
from mmrec_core.studies.perceptual import find_perception, measure_perception
from mmrec_core.studies.results import StudyResult, list_studies
from mmrec_core.studies.runner import run_study
from mmrec_core.studies.shapley import shapley_table
from mmrec_core.studies.stored import inputs_of, runs_of
from mmrec_core.studies.study import make_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StudyResult]:
    """The finished study of the small shop, in a data folder of its own."""
    folder = tmp_path_factory.mktemp("exports")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMREC_DATA", str(folder / "data"))
        settings.settings.cache_clear()
        store.store.cache_clear()
        small_shop.install_shop(folder / "small")
        small_shop.finished_study()
        yield list_studies(small_shop.NAME)[0]
    settings.settings.cache_clear()
    store.store.cache_clear()


def imported(study: StudyResult, name: str = "vbpr") -> StudyResult:
    """The study's lists, handed in as somebody else's."""
    inputs = inputs_of(study)
    table = lists_table(runs_of(study, inputs), inputs.split)
    table["rank"] -= 1
    table["arm"] = table["arm"].str.replace("vbpr", name)
    table["converged"] = table["converged"].astype("boolean")
    values = {"dataset": small_shop.NAME, "split": study.study["split"]}
    return StudyResult(import_lists(table, values, ["theirs <b>.csv"]))


def test_every_figure_is_drawn_or_said_why_not(study: StudyResult) -> None:
    made, left_out = drawings(study)
    drawn = {name for d in made for name in MAKERS if d.name.startswith(name)}
    assert drawn | set(left_out) == set(MAKERS)
    assert "missing-20" in left_out["missing-modality"]
    for drawing in made:
        assert len(drawing.table)
        figure = drawing.interactive()
        assert figure.layout.meta["description"]
    assert made[0].file("svg", "one").startswith(b"<?xml")
    with pytest.raises(InputError, match="no figure 'pie'"):
        drawings(study, ("pie",))


def test_one_zip_holds_everything_and_is_the_same_twice(study: StudyResult) -> None:
    content = bundle(study, ("svg",))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        document = json.loads(archive.read("study.json"))
        comparisons = pd.read_csv(io.BytesIO(archive.read("tables/comparisons.csv")))
        readme = archive.read("README.txt").decode()
        assert archive.read("methods.txt").decode().strip() == methods_paragraph(study)
    assert document["command"] == study.command
    pd.testing.assert_frame_equal(
        comparisons[["effect", "p"]], study.comparisons[["effect", "p"]].reset_index(drop=True)
    )
    for wanted in ("environment.json", "references.bib", "report.html", "tables/per_user.csv"):
        assert wanted in names
    for drawing in drawings(study)[0]:
        assert f"numbers/{drawing.name}.csv" in names
        for width in ("one", "two"):
            assert f"figures/{drawing.name}-{width}-column.svg" in names
    assert "Not drawn: missing-modality" in readme
    assert bundle(study, ("svg",)) == content


def test_the_report_stands_alone_and_takes_data_as_text(study: StudyResult) -> None:
    page = report(study)
    # plotly.js names addresses in its own code; what is loaded is what counts.
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", page)
    assert "default-src 'none'" in page
    for verdict in study.verdicts:
        assert verdict["verdict"] in page
    assert html.escape(methods_paragraph(study)[:60]) in page
    theirs = report(imported(study, "<script>alert(1)</script>"))
    assert "<script>alert(1)" not in theirs.partition("<body>")[2]
    assert "made elsewhere and imported" in theirs


def test_methods_say_what_was_done(study: StudyResult) -> None:
    text = methods_paragraph(study)
    document = study.document
    for part in (
        f"{document['n_users']:,} users", f"{study.study['seeds']} seeds", "VBPR", "Recall@20",
        "shuffled over items (shuffle)", "retrained", "Satterthwaite", study.key[:12],
        study.command,
    ):  # fmt: skip
        assert part in text
    theirs = methods_paragraph(imported(study))
    assert "were made elsewhere" in theirs and "untuned" not in theirs


def test_references_of_what_was_used(study: StudyResult) -> None:
    assert not unreferenced()
    keys = citations(study)
    assert {"study", "holm", "vbpr", "bpr-mf"} <= set(keys) and "freedom" not in keys
    text = bibtex(study)
    assert text.count("@") == len(keys)
    for key, entry in entries().items():
        assert entry.count("{") == entry.count("}"), key
        assert "title" in entry and "year" in entry and "author" in entry, key


def test_perception_is_measured_once(study: StudyResult) -> None:
    assert find_perception(study, 2) is None
    artefact = measure_perception(study, 2)
    table = find_perception(study, 2)
    assert table is not None and measure_perception(study, 2).key == artefact.key
    assert list(table["modality"]) == ["image", "text", "all"]
    real = study.arms.set_index("arm").loc["vbpr · real", "recall@20"]
    assert table["real"].to_list() == pytest.approx([real] * 3)
    assert (table["effect"] == table["real"] - table["permuted"]).all() or table[
        "effect"
    ].to_list() == pytest.approx((table["real"] - table["permuted"]).to_list())
    assert table["relative"].to_list() == pytest.approx((table["effect"] / table["real"]).to_list())
    assert ((table["relative_low"] < table["relative"]) & (
        table["relative"] < table["relative_high"]
    )).all()  # fmt: skip
    with pytest.raises(InputError, match="without their model"):
        measure_perception(imported(study))


def test_embeddings_become_a_player(study: StudyResult) -> None:
    assert without_ids(study) is None
    values = dict(study.study)
    bare = {**values["configs"]["vbpr"], "use_ids": False}
    values["configs"] = {**values["configs"], "vbpr": bare}
    other = StudyResult(run_study(make_study(values), workers=1))
    found = without_ids(study)
    assert found is not None and found.key == other.key
    table = shapley_table(study, found)
    part = table.set_index("part")["value"]
    assert {"id", "image", "text"} <= set(part.index)
    players = part[["id", "image", "text"]].sum()
    assert players == pytest.approx(part["all"] - part["empty"], abs=1e-15)
    alone = other.arms.set_index("arm").loc["vbpr · all · removed", "recall@20"]
    assert part["empty"] == pytest.approx(alone)
    # A model that has its ids in both studies has no such player.
    kept = dict(other.document["study"]["configs"])
    other.document["study"]["configs"] = {**kept, "vbpr": {**kept["vbpr"], "use_ids": True}}
    assert "id" not in set(shapley_table(study, other)["part"])
    other.document["study"]["configs"] = kept
    # Without ids as the study itself, there is no further player.
    assert without_ids(other) is None


def test_figures_of_an_imported_study(study: StudyResult) -> None:
    made, left_out = drawings(imported(study, "Mine"))
    assert {"effects", "shapley", "power"} <= {drawing.name for drawing in made}
    assert "made elsewhere" in left_out["cost"] and "epochs" in left_out["learning"]


def test_commands(study: StudyResult, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from mmrec_core.__main__ import main

    key = study.key[:10]

    def said(*arguments: str) -> str:
        assert main([*arguments]) == 0
        return capsys.readouterr().out

    assert "interaction" in said("show", key, "shapley")
    assert "%" in said("show", key, "power", "--out", str(tmp_path / "power.csv"))
    assert len(pd.read_csv(tmp_path / "power.csv")) > 10
    assert "wrote" in said("report", key, "--out", str(tmp_path / "r.html"))
    out = said("export", key, "--out", str(tmp_path / "e"), "--figures", "effects", "shapley",
               "--format", "svg")  # fmt: skip
    assert "shapley.svg" in out and (tmp_path / "e" / "methods.txt").read_text("utf-8")
    assert "train.csv" in said("split", small_shop.NAME, "--out", str(tmp_path / "split"))
    lists = tmp_path / "lists.csv"
    said("lists", key, "--out", str(lists))
    split = study.study["split"]
    out = said("import-lists", small_shop.NAME, str(lists), "--k-core", str(split["k_core"]))
    assert "From lists made elsewhere" in out
    assert "vbpr" in said("perceptual", key, "--permutations", "2")
    assert main(["show", key, "missing-modality"]) == 2
    assert "missing-20" in capsys.readouterr().err
