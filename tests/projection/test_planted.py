"""Known truth: each space of the demo holds together what its modality shows, and nothing else."""

import numpy as np
import pytest

from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.datasets.demo import load_truth
from mmrec_core.extractors.service import embed
from mmrec_core.projection.nearby import neighbour_lists
from mmrec_core.projection.vectors import Vectors


@pytest.fixture(scope="module")
def lifts():
    """Extractor -> attribute -> how many times chance the ten nearest items share its value."""
    dataset = load_dataset("demo-both")
    truth = load_truth("both")
    found = {}
    for extractor in ("efficientnet-lite0", "minilm"):
        own, _ = embed(dataset, extractor)
        lists = neighbour_lists(Vectors(own.item_ids, own.matrix, own.observed))
        found[extractor] = {}
        for name in (*truth.visible, *truth.readable):
            values = truth.attributes[name].to_numpy()
            _, counts = np.unique(values, return_counts=True)
            chance = (counts * (counts - 1)).sum() / (len(values) * (len(values) - 1))
            found[extractor][name] = (values[lists] == values[:, None]).mean() / chance
    return found


def test_pictures_hold_colours_together_and_words_do_not(lifts):
    assert lifts["efficientnet-lite0"]["colour"] > 1.5
    assert lifts["minilm"]["colour"] == pytest.approx(1, abs=0.1)


def test_words_hold_brands_together_and_pictures_do_not(lifts):
    assert lifts["minilm"]["brand"] > 2
    assert lifts["efficientnet-lite0"]["brand"] == pytest.approx(1, abs=0.1)


def test_no_attribute_is_seen_in_the_modality_that_lacks_it(lifts):
    truth = load_truth("both")
    for name in truth.readable:
        assert lifts["efficientnet-lite0"][name] == pytest.approx(1, abs=0.15), name
    for name in truth.visible:
        assert lifts["minilm"][name] == pytest.approx(1, abs=0.15), name
