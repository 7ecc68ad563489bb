"""What the demo ships of maps and alignment is what the code of today makes."""

import numpy as np
import pytest

from mmrec_core.alignment import debiased_cka
from mmrec_core.alignment.service import AlignConfig, align
from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.projection.nearby import neighbour_lists
from mmrec_core.projection.plane import UmapConfig
from mmrec_core.projection.quality import map_quality
from mmrec_core.projection.regions import find_regions, words_of
from mmrec_core.projection.service import find_map, find_neighbour_lists, make_regions
from mmrec_core.spaces import as_aligned, find_vectors, list_spaces
from mmrec_core.studies.inputs import usual_split

SPACES = ("efficientnet-lite0", "minilm", "small-lvlm")


@pytest.mark.parametrize("name", SPACES)
def test_maps_are_shipped_and_are_as_good_as_they_say(mmrec_data, name):
    dataset = load_dataset("demo-both")
    vectors = find_vectors(dataset, name)
    made = find_map(vectors, UmapConfig())
    assert made is not None and made.artefact.shipped
    again = map_quality(vectors.matrix, made.points)
    for measure in ("trustworthiness", "continuity", "kept"):
        assert getattr(made.quality, measure) == pytest.approx(getattr(again, measure), abs=2e-3)
    lists = find_neighbour_lists(vectors)
    assert (np.sort(lists) == np.sort(neighbour_lists(vectors))).mean() > 0.995
    shipped, found = make_regions(made, words_of(dataset)), find_regions(
        made.points, words_of(dataset)
    )  # fmt: skip
    np.testing.assert_array_equal(shipped.of_item, found.of_item)
    assert shipped.table["words"].tolist() == found.table["words"].tolist()


def test_the_alignment_of_what_is_shipped_is_shipped(mmrec_data):
    dataset = load_dataset("demo-both")
    names = [space.name for space in list_spaces(dataset) if space.kind == "extractor"]
    assert set(names) == set(SPACES)
    spaces = {name: as_aligned(dataset, name, find_vectors(dataset, name)) for name in names}
    made = align(spaces, usual_split(dataset), AlignConfig())
    assert made.artefact.shipped
    row = made.matrix.iloc[0]
    a, b = (spaces[row[s]].vectors.matrix for s in ("space_a", "space_b"))
    assert row["raw"] == pytest.approx(debiased_cka(a, b), abs=1e-6)
