"""Maps: exact neighbours, the same map twice, quality that knows good from bad, progress."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from mmrec_core.domain import InputError
from mmrec_core.projection.graph import neighbour_graph
from mmrec_core.projection.nearby import (
    agreement,
    common_space,
    disagreement,
    nearest_items,
    nearest_to,
    neighbour_lists,
)
from mmrec_core.projection.plane import UmapConfig, pca_plane, umap_plane, unit_length
from mmrec_core.projection.quality import map_quality
from mmrec_core.projection.service import (
    find_map,
    find_neighbour_lists,
    make_map,
    make_neighbour_lists,
    make_preview,
    make_regions,
)
from mmrec_core.projection.vectors import Vectors

PROJECT = Path(__file__).resolve().parents[2]


def vectors(matrix, observed=None):
    matrix = np.asarray(matrix, dtype=np.float32)
    ids = np.array([f"i{n}" for n in range(len(matrix))], dtype=object)
    return Vectors(ids, matrix, np.ones(len(matrix), bool) if observed is None else observed)


@pytest.fixture(scope="module")
def blobs():
    """Three clouds of 60 items in ten dimensions."""
    rng = np.random.default_rng(1)
    centres = 6 * rng.normal(size=(3, 10))
    return (np.repeat(centres, 60, axis=0) + rng.normal(size=(180, 10))).astype(np.float32)


def test_the_graph_holds_the_nearest_by_cosine(blobs):
    indices, similarities = neighbour_graph(blobs, 8, seed=0)
    near = NearestNeighbors(n_neighbors=9, metric="cosine", algorithm="brute").fit(blobs)
    distances, theirs = near.kneighbors(blobs)
    np.testing.assert_allclose(similarities, 1 - distances[:, 1:], atol=2e-6)
    assert (indices == theirs[:, 1:]).mean() > 0.99  # but for ties within rounding
    assert not (indices == np.arange(len(blobs))[:, None]).any()


INTERPRETED = """
import sys
import numpy as np
import pynndescent.kernels, pynndescent.pynndescent_
from mmrec_core.projection import graph

# These two exist in compiled code only.
for module in list(sys.modules.values()):
    if getattr(module, "__name__", "").startswith("pynndescent"):
        for name, given, kept in (("int32_bits_as_float32", np.int32, np.float32),
                                  ("float32_bits_as_int32", np.float32, np.int32)):
            if hasattr(module, name):
                setattr(module, name, lambda v, given=given, kept=kept: given(v).view(kept))
np.seterr(all="ignore")  # integers of its random numbers wrap round, as they do when compiled
graph.EXACT = 100
found, similarities = graph.neighbour_graph(np.load(sys.argv[1]), 8, seed=0)
np.savez(sys.argv[2], found=found, similarities=similarities)
"""
"""Compiling the descent takes a minute, which 180 rows do not repay: here it is interpreted."""


def test_beyond_its_size_the_graph_is_found_by_descent(blobs, tmp_path):
    exact, _ = neighbour_graph(blobs, 8, seed=0)
    rows, out = tmp_path / "rows.npy", tmp_path / "graph.npz"
    np.save(rows, blobs)
    given = dict(os.environ, NUMBA_DISABLE_JIT="1", PYTHONPATH=str(PROJECT))
    subprocess.run([sys.executable, "-c", INTERPRETED, str(rows), str(out)], check=True, env=given)
    found, similarities = np.load(out).values()
    assert found.shape == exact.shape and (np.diff(similarities, axis=1) <= 1e-6).all()
    assert not (found == np.arange(len(blobs))[:, None]).any()
    same = np.mean([len(set(a) & set(b)) / 8 for a, b in zip(exact, found)])
    assert same > 0.9


def test_pca_is_that_of_rows_of_length_one(blobs):
    plane, share = pca_plane(blobs)
    own = PCA(2, svd_solver="full").fit(unit_length(blobs))
    np.testing.assert_allclose(share, own.explained_variance_ratio_, rtol=1e-4)
    np.testing.assert_allclose(np.abs(plane), np.abs(own.transform(unit_length(blobs))), atol=1e-4)


def test_a_seed_gives_the_same_map_twice_and_another_seed_another(blobs):
    made = neighbour_graph(blobs, 20, seed=0)
    told = []
    first = umap_plane(blobs, made, UmapConfig(), lambda done, total: told.append((done, total)))
    again = umap_plane(blobs, made, UmapConfig(), lambda done, total: None)
    other = umap_plane(blobs, made, UmapConfig(seed=1), lambda done, total: None)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert told[0][0] == 0 and told[-1] == (500, 500)


def test_what_hears_of_epochs_can_end_the_work(blobs):
    class Cancelled(BaseException):
        pass

    def stop(done, total):
        raise Cancelled

    with pytest.raises(Cancelled):
        umap_plane(blobs, neighbour_graph(blobs, 15, 0), UmapConfig(), stop)


def test_quality_knows_a_true_map_from_a_random_one():
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, 300)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    true = map_quality(circle, circle, other=-2 * circle)
    assert true.trustworthiness == pytest.approx(1, abs=1e-9)
    assert true.continuity == pytest.approx(1, abs=1e-9)
    assert true.kept == pytest.approx(1, abs=0.01) and true.stability == pytest.approx(1)
    lost = map_quality(circle, rng.normal(size=circle.shape).astype(np.float32))
    assert lost.trustworthiness == pytest.approx(0.5, abs=0.05)
    assert lost.kept == pytest.approx(lost.chance, abs=0.02) and lost.stability is None


def test_trustworthiness_and_continuity_are_told_apart():
    """Two far clouds mapped on one spot: false neighbours. One cloud torn: lost neighbours."""
    rng = np.random.default_rng(3)
    space = rng.normal(size=(200, 3)) * 0.05 + np.repeat([[1, 0, 0], [0, 1, 0]], 100, axis=0)
    folded = rng.normal(size=(100, 2))
    merged = map_quality(space.astype(np.float32), np.concatenate([folded, folded + 1e-3]))
    assert merged.trustworthiness < merged.continuity


def test_too_few_items_have_no_quality_and_no_map(mmrec_data):
    assert map_quality(np.eye(3, dtype=np.float32), np.eye(3)[:, :2]) is None
    with pytest.raises(InputError, match="Only 2 different vectors"):
        make_map(vectors([[1, 0], [1, 0], [0, 1], [0, 0]]))


def test_equal_vectors_share_a_point_and_lost_ones_have_none(mmrec_data, blobs):
    matrix = np.concatenate([blobs[:60], blobs[:5], np.zeros((2, 10), np.float32)])
    observed = np.ones(67, bool)
    observed[66] = False
    own = vectors(matrix, observed)
    assert find_map(own, UmapConfig()) is None
    steps = []
    made = make_map(own, UmapConfig(), lambda done, total, what: steps.append((done, what)))
    np.testing.assert_array_equal(made.points[60:65], made.points[:5])
    assert np.isnan(made.points[65:]).all() and np.isfinite(made.points[:65]).all()
    assert made.duplicates == 5 and made.artefact.facts["on_map"] == 65 and made.exact
    assert made.quality.stability is not None and made.quality.n_items == 60
    shares = [done for done, _ in steps]
    assert shares == sorted(shares) and shares[-1] == 1000
    assert {what.split(":")[0] for _, what in steps} >= {"neighbours", "UMAP", "quality"}
    found = find_map(own, UmapConfig())
    assert found.artefact.key == made.artefact.key and found.config == UmapConfig()
    assert find_map(own, UmapConfig(seed=1)) is None


def test_one_graph_serves_every_setting(mmrec_data, blobs, monkeypatch):
    own = vectors(blobs)
    make_map(own)

    def never(*given):
        raise AssertionError("the graph was made again")

    monkeypatch.setattr("mmrec_core.projection.service.neighbour_graph", never)
    other = make_map(own, UmapConfig(n_neighbors=5, min_dist=0.5))
    assert np.isfinite(other.points).all()
    np.testing.assert_array_equal(
        np.sort(make_neighbour_lists(own), axis=1), np.sort(neighbour_lists(own), axis=1)
    )


def test_neighbour_lists_are_kept_and_hold_duplicates(mmrec_data, blobs):
    own = vectors(np.concatenate([blobs[:40], blobs[:3]]))
    assert find_neighbour_lists(own) is None
    lists = make_neighbour_lists(own)
    assert lists[0, 0] == 40 and lists[40, 0] == 0
    np.testing.assert_array_equal(find_neighbour_lists(own), lists)


def test_the_preview_leaves_out_what_is_not_in_the_space(blobs):
    observed = np.ones(len(blobs), bool)
    observed[:4] = False
    points, share = make_preview(vectors(blobs, observed))
    assert np.isnan(points[:4]).all() and np.isfinite(points[4:]).all()
    assert 0 < share.sum() <= 1


def test_regions_of_a_map_are_kept(mmrec_data, blobs):
    made = make_map(vectors(blobs))
    texts = ["red mug"] * 60 + ["blue lamp"] * 60 + ["green clock"] * 60
    first = make_regions(made, texts)
    again = make_regions(made, texts)
    np.testing.assert_array_equal(first.of_item, again.of_item)
    said = {frozenset(words.split(" · ")) for words in first.table["words"]}
    assert said == {frozenset(text.split()) for text in set(texts)}
    other = make_regions(made, ["x"] * 180)
    assert set(other.table["words"]) == {""}


def test_vectors_refuse_what_is_no_space():
    with pytest.raises(InputError, match="NaN or infinity"):
        vectors([[np.nan, 1.0]])
    with pytest.raises(ValueError, match="item ids"):
        Vectors(np.array(["a"], dtype=object), np.ones((2, 2)), np.ones(2, bool))


def test_the_key_of_a_space_knows_values_ids_and_mask():
    own = vectors(np.eye(3))
    other = Vectors(own.item_ids[::-1].copy(), own.matrix, own.observed)
    masked = vectors(np.eye(3), np.array([True, True, False]))
    assert len({own.fingerprint, other.fingerprint, masked.fingerprint}) == 3
    hidden = np.eye(3)
    hidden[2] = 9.0
    assert vectors(hidden, masked.observed).fingerprint == masked.fingerprint


def test_the_nearest_items_leave_the_item_and_the_lost_out():
    own = vectors([[1, 0], [0.9, 0.1], [0, 1], [0, 0], [-1, 0]])
    rows, cosines = nearest_items(own, 0, k=10)
    assert rows.tolist() == [1, 2, 4]
    np.testing.assert_allclose(cosines, [0.9 / np.hypot(0.9, 0.1), 0, -1], atol=1e-6)
    assert len(nearest_items(own, 3)[0]) == 0
    assert nearest_to(own, np.array([0.0, 2.0]), k=1)[0].tolist() == [2]


@given(st.integers(0, 10_000))
def test_disagreement_is_counted_item_by_item(seed):
    rng = np.random.default_rng(seed)
    lists = [np.stack([rng.permutation(12)[:4] for _ in range(9)]).astype(np.int32) for _ in "ab"]
    lists[0][2] = -1
    lists[1][5, 3:] = -1
    table = disagreement(*lists).set_index("row")["overlap"]
    assert 2 not in table.index and table.is_monotonic_increasing
    for row, value in table.items():
        a, b = (set(own[row][own[row] >= 0]) for own in lists)
        assert value == pytest.approx(len(a & b) / min(len(a), len(b)))


def test_agreement_of_shuffled_items_is_chance_and_of_related_ones_is_told(blobs):
    """Also where the two spaces hold different items, and where few items are near each other."""
    rng = np.random.default_rng(8)
    first = vectors(blobs, rng.random(len(blobs)) < 0.6)
    for other, told in ((blobs + 0.2 * rng.normal(size=blobs.shape), True),
                        (blobs[rng.permutation(len(blobs))], False)):  # fmt: skip
        second = vectors(other, rng.random(len(blobs)) < 0.7)
        one, two = common_space(first, second), common_space(second, first)
        found = agreement(disagreement(neighbour_lists(one), neighbour_lists(two)))
        both = int((first.directed & second.directed).sum())
        assert found.n == both and found.chance == pytest.approx(10 / (both - 1))
        assert found.told is told
    few = vectors(rng.normal(size=(8, 3)))
    same = agreement(disagreement(neighbour_lists(few), neighbour_lists(few)))
    assert same.k == 7 and same.mean == same.chance == 1 and not same.told
    three = neighbour_lists(vectors(np.eye(3)))
    assert agreement(disagreement(three, three)) is None


def test_a_space_of_no_item_or_of_one_direction_is_no_accident(mmrec_data):
    nobody = vectors(np.zeros((6, 3)))
    assert (make_neighbour_lists(nobody) == -1).all()
    assert np.isnan(make_preview(nobody)[0]).all()
    with pytest.raises(InputError, match="0 different vectors"):
        make_map(nobody)
    with pytest.raises(InputError, match="point one way"):
        make_map(vectors(np.arange(1.0, 31.0)[:, None]))
