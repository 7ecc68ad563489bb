"""project and align: the same as the pages do, typed."""

import json

import pandas as pd
import pytest
import small_shop

from mmrec_core.__main__ import main

IMAGE, WORDS = "precomputed(file=image)", "precomputed(file=text)"


@pytest.fixture
def shop(mmrec_data, tmp_path):
    small_shop.install_shop(tmp_path / "small")
    return mmrec_data


def test_project_maps_a_space_and_writes_points_and_a_figure(shop, tmp_path, capsys):
    out, figure = tmp_path / "points.parquet", tmp_path / "map.svg"
    words = ["project", small_shop.NAME, "--space", WORDS, "--neighbors", "5", "--json"]
    assert main([*words, "--out", str(out), "--figure", str(figure)]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["config"]["n_neighbors"] == 5 and value["on_map"] == 30
    assert 0 < value["quality"]["trustworthiness"] <= 1
    points = pd.read_parquet(out)
    assert list(points) == ["item_id", "x", "y", "region"] and points["x"].notna().all()
    assert "Precomputed features" in figure.read_text("utf-8")
    assert main(words[:-1]) == 0
    assert "30 of 30 items" in capsys.readouterr().out


def test_align_compares_what_is_here_and_writes_every_table_and_figure(shop, tmp_path, capsys):
    for name in ("image", "text"):
        assert main(["embed", small_shop.NAME, "--extractor", "precomputed",
                     "--option", f"file={name}"]) == 0  # fmt: skip
    capsys.readouterr()
    out = tmp_path / "out"
    words = ["align", small_shop.NAME, "--permutations", "19", "--measures", "debiased_cka", "rsa"]
    assert main([*words, "--json", "--out", str(out)]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["spaces"] == {IMAGE: "image", WORDS: "text"}
    assert {row["measure"] for row in value["matrix"]} == {"debiased_cka", "rsa"}
    written = {path.name for path in out.iterdir()}
    assert written >= {
        "matrix.csv", "behaviour.csv", "geometry.csv", "retrieval.csv", "duplicates.csv",
        "alignment-debiased_cka.pdf", "alignment-rsa.pdf", "retrieval-0-1.pdf",
        "content-and-behaviour.pdf",
    }  # fmt: skip
    assert main(words) == 0
    assert "behaviour" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["project", "small", "--space", "nothing"], "no extractor 'nothing'"),
        (["project", "small", "--space", WORDS, "--neighbors", "1"], "UMAP: n_neighbors"),
        (["align", "small"], "two spaces to compare"),
        (["align", "small", "--spaces", IMAGE, WORDS, "--measures", "kendall"], "no measure"),
        (["align", "small", "--spaces", IMAGE], "name two"),
        (
            ["align", "small", "--spaces", IMAGE, WORDS, "--permutations", "5"],
            "align: permutations",
        ),
    ],
)
def test_a_wrong_input_is_one_sentence(shop, capsys, words, sentence):
    assert main(words) == 2
    said = capsys.readouterr().err
    assert sentence in said and "Traceback" not in said


@pytest.mark.parametrize("what", ["measures", "spaces"])
def test_lists_speak_json(shop, capsys, what):
    assert main(["list", what, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)
