"""Published figures stand beside a study only where its data are theirs."""

import pytest

from mmrec_core.studies.anchors import PUBLISHED, published


def test_a_set_is_known_by_all_three_counts() -> None:
    baby = published(19_445, 7_050, 160_792, "random")
    assert baby is not None and baby.figures["FREEDOM"]["recall@20"] == 0.0992
    assert published(19_445, 7_050, 160_793, "random") is None
    assert published(1_500, 1_200, 16_518, "random") is None


@pytest.mark.parametrize("split", ["temporal", "cold-items", "leave-one-out"])
def test_another_protocol_is_not_compared(split: str) -> None:
    assert published(19_445, 7_050, 160_792, split) is None


def test_figures_are_complete() -> None:
    for known in PUBLISHED:
        assert len(known.figures) == 8
        for values in known.figures.values():
            assert (
                values["recall@10"] < values["recall@20"] and values["ndcg@10"] < values["ndcg@20"]
            )
