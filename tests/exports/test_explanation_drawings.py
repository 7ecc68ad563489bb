"""Figures of explanations with their files."""

import numpy as np
import pandas as pd
import pytest

from mmrec_core.domain import InputError
from mmrec_core.explanations.additive import ScoreSplit
from mmrec_core.explanations.audience import rank_table
from mmrec_core.exports.explanations import (
    drawing_of_faithfulness,
    drawing_of_ranks,
    drawing_of_split,
    method_titles,
)


@pytest.fixture
def split() -> ScoreSplit:
    table = pd.DataFrame(
        {"part": ["collaborative", "image"], "value": [1.0, 0.5], "average": [0.4, 0.6]}
    )
    table["against_average"] = table["value"] - table["average"]
    return ScoreSplit(1.5, 1.0, table)


@pytest.fixture
def measured() -> tuple[pd.DataFrame, pd.DataFrame]:
    methods = pd.DataFrame({"method": ["history-split", "integrated-gradients"], "n": [50, 40]})
    curves = pd.DataFrame(
        [
            (method, kind, "own", share, share, share - 0.1, share + 0.1)
            for method in methods["method"]
            for kind in ("deletion", "insertion")
            for share in (0.0, 0.5, 1.0)
        ],
        columns=["method", "kind", "order", "share", "score", "low", "high"],
    )
    return methods, curves


def test_a_split_is_drawn_both_ways(split) -> None:
    score = drawing_of_split(split, "Mug", "u1", "VBPR", ranked=99)
    average = drawing_of_split(split, "Mug", "u1", "VBPR", "average", 99)
    assert (score.name, average.name) == ("score-split", "score-split-average")
    assert "score +1.50" in score.interactive().layout.meta["description"]
    assert "score − average +0.500" in average.interactive().layout.meta["description"]
    for width in ("one", "two"):
        assert score.file("pdf", width).startswith(b"%PDF")
    # The numbers name what they are of, for whoever opens the CSV later.
    assert score.table[["user", "item", "recommender"]].iloc[0].tolist() == ["u1", "Mug", "VBPR"]
    np.testing.assert_allclose(score.table["value"], [1.0, 0.5])


def test_faithfulness_of_all_methods_and_of_one(measured) -> None:
    every = drawing_of_faithfulness(*measured, "VBPR")
    assert "40–50 recommendations" in every.interactive().layout.title.subtitle.text
    one = drawing_of_faithfulness(*measured, "VBPR", "integrated-gradients")
    assert one.title == "Faithfulness of explanations: Integrated gradients"
    assert one.name == "explanation-faithfulness-integrated-gradients"
    assert set(one.table["method"]) == {"integrated-gradients"}
    assert "40 recommendations" in one.interactive().layout.title.subtitle.text
    assert one.file("png").startswith(b"\x89PNG")
    assert method_titles()["history-split"] == "Split by history"
    with pytest.raises(
        InputError, match="no curves of 'split'. Measured: history-split, integrated-gradients"
    ):
        drawing_of_faithfulness(*measured, "VBPR", "split")


def test_ranks_of_an_item_name_what_they_are_of() -> None:
    ranks = rank_table(
        {"as trained": np.array([1.0, 40.0, np.nan]), "words removed": np.array([9.0, 70.0, 2.0])}
    )
    drawing = drawing_of_ranks(
        ranks, {"as trained": "none", "words removed": "text"}, "Mug", "EASE"
    )
    assert drawing.table[["modality", "item", "recommender"]].to_numpy().tolist() == [
        ["none", "Mug", "EASE"],
        ["text", "Mug", "EASE"],
    ]
    assert "2–3 users" in drawing.interactive().layout.title.subtitle.text
    assert drawing.file("svg").startswith(b"<?xml")
