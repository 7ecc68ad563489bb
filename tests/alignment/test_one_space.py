"""Geometry of one space, and duplicates."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import pdist, squareform

from mmrec_core import alignment
from mmrec_core.alignment import GEOMETRY, duplicates, geometry
from mmrec_core.alignment.geometry import euclidean_neighbours
from mmrec_core.alignment.spaces import sample_rows
from mmrec_core.domain import InputError

seeds = st.integers(0, 2**31)


def gauss(seed: int, n: int, d: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("two_nn", 8.87272),
        ("participation_ratio", 9.15079),
        ("anisotropy", -0.00518),
        ("uniformity", -3.27155),
    ],
)
def test_golden(golden, name, value):
    assert getattr(alignment, name)(golden[0]) == pytest.approx(value, abs=1e-5)


@pytest.mark.parametrize("dimensions", [2, 5])
def test_two_nn_finds_the_dimension_of_a_plane_in_many_columns(dimensions):
    x = np.random.default_rng(dimensions).uniform(size=(2000, dimensions))
    assert alignment.two_nn(x @ gauss(1, dimensions, 40)) == pytest.approx(dimensions, rel=0.08)


def test_two_nn_counts_equal_rows_once_and_survives_a_large_mean():
    x = gauss(0, 300, 6)
    expected = alignment.two_nn(x)
    assert alignment.two_nn(np.concatenate([x, x[:80], x[:9]])) == pytest.approx(expected)
    assert alignment.two_nn(x + 1e6) == pytest.approx(expected, rel=1e-6)


@settings(max_examples=10)
@given(seeds, st.sampled_from([(40, 6), (12, 30)]))
def test_spectra(seed, shape):
    x = gauss(seed, *shape) * np.arange(1, shape[1] + 1)
    values = np.linalg.svd(x - x.mean(0), compute_uv=False)
    squares = values**2
    assert alignment.participation_ratio(x) == pytest.approx(
        squares.sum() ** 2 / (squares**2).sum()
    )
    # A Gram matrix gives a singular value of 0 as the root of its rounding.
    assert alignment.effective_rank(x) == pytest.approx(np.exp(stats.entropy(values)), rel=1e-5)


def test_one_direction_has_rank_one():
    line = gauss(0, 50, 1) @ gauss(1, 1, 7)
    assert alignment.participation_ratio(line) == pytest.approx(1)
    assert alignment.effective_rank(line) == pytest.approx(1, abs=1e-4)


@settings(max_examples=10)
@given(seeds, st.sampled_from(["cosine", "euclidean"]), st.integers(1, 8))
def test_hub_counts(seed, distance, k):
    x = gauss(seed, 60, 5)
    far = squareform(pdist(x, distance))
    np.fill_diagonal(far, np.inf)
    near = np.argsort(far, axis=1)[:, :k]
    counts = np.bincount(near.ravel(), minlength=60)
    np.testing.assert_array_equal(alignment.hub_counts(x, k, distance), counts)
    assert alignment.hubness(x, k, distance) == pytest.approx(stats.skew(counts), abs=1e-9)
    assert alignment.anti_hubs(x, k, distance) == (counts == 0).mean()


def test_wide_noise_has_hubs_by_euclidean_distance_and_few_by_cosine():
    x = gauss(0, 2000, 100)
    assert 4.5 < alignment.hubness(x, 10, "euclidean") < 9.5
    assert 0.1 < alignment.hubness(x) < 0.5


def test_euclidean_neighbours_keep_small_distances():
    x = gauss(0, 200, 8) + 1e4
    x[1] = x[0] + 1e-5
    where, far = euclidean_neighbours(x, 2)
    assert where[0, 0] == 1 and far[0, 0] == pytest.approx(1e-5 * np.sqrt(8), rel=1e-3)


@settings(max_examples=10)
@given(seeds)
def test_means_over_pairs(seed):
    x = gauss(seed, 30, 4) + 1.0
    assert alignment.anisotropy(x) == pytest.approx((1 - pdist(x, "cosine")).mean())
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    expected = np.log(np.exp(-2 * pdist(unit, "sqeuclidean")).mean())
    assert alignment.uniformity(x) == pytest.approx(expected)


def test_centring_takes_anisotropy_away():
    found = geometry(gauss(0, 500, 20) + 3.0)
    assert found["anisotropy"] > 0.85 and abs(found["anisotropy_centred"]) < 0.01


def test_geometry_is_the_single_functions(golden):
    x = golden[0]
    found = geometry(x)
    for name in ("two_nn", "participation_ratio", "effective_rank", "anisotropy", "uniformity"):
        assert found[name] == getattr(alignment, name)(x)
    assert found["hubness_euclidean"] == alignment.hubness(x, distance="euclidean")
    assert found["anti_hubs_cosine"] == alignment.anti_hubs(x)
    assert set(GEOMETRY.names()) < set(found)
    for name, facts in GEOMETRY.items():
        low, high = facts.value_range
        assert facts.name == name and low <= found[name] <= high


def test_geometry_samples_what_is_quadratic_and_says_so():
    x = gauss(0, 400, 6)
    whole, part, again = geometry(x), geometry(x, 100), geometry(x, 100)
    assert part == again and (part["n"], part["n_used"], part["sampled"]) == (400, 100, True)
    assert not whole["sampled"]
    rows = sample_rows(400, 100, 0)
    for name, facts in GEOMETRY.items():
        if facts.quadratic:
            assert part[name] == geometry(x[rows])[name], name
        else:
            assert part[name] == whole[name], name


def test_what_a_space_cannot_tell_is_nan():
    found = geometry(np.repeat(np.eye(4), 3, axis=0))
    assert np.isnan(found["two_nn"]) and found["n_distinct"] == 4
    assert np.isfinite(found["uniformity"])
    assert np.isnan(geometry(gauss(0, 8, 3))["hubness_cosine"])
    with pytest.raises(InputError, match="different vectors"):
        alignment.two_nn(np.repeat(np.eye(4), 3, axis=0))
    with pytest.raises(InputError, match="no slope"):
        alignment.two_nn(np.eye(20))
    with pytest.raises(InputError, match="no distance"):
        alignment.hubness(gauss(0, 30, 3), distance="manhattan")
    with pytest.raises(InputError, match="k is 30"):
        alignment.hubness(gauss(0, 30, 3), 30)


@pytest.mark.parametrize(
    "function",
    ["two_nn", "participation_ratio", "effective_rank", "anisotropy", "uniformity", "hubness"],
)
def test_no_space_no_number(function):
    with pytest.raises(InputError, match="same vector"):
        getattr(alignment, function)(np.ones((20, 3)))
    with pytest.raises(InputError, match="NaN"):
        getattr(alignment, function)(np.full((20, 3), np.nan))


class TestDuplicates:
    def planted(self) -> np.ndarray:
        x = gauss(3, 3000, 16)
        x[1500] = x[10]
        x[2999] = x[10]
        x[20] = 2.0 * x[21]
        x[2000] = x[21] + 0.01 * x[2000]
        x[5] = 0.0
        x[6] = 0.0
        return x

    def test_finds_what_is_planted_across_blocks(self):
        found = duplicates(self.planted(), 0.99)
        pairs = found.pairs
        listed = {(int(a), int(b)): exact for a, b, exact in zip(pairs.a, pairs.b, pairs.exact)}
        assert listed == {
            (10, 1500): True,
            (10, 2999): True,
            (1500, 2999): True,
            (20, 21): False,
            (20, 2000): False,
            (21, 2000): False,
        }
        assert (found.n_pairs, found.n_groups, found.n_exact) == (6, 2, 5)
        assert pairs.cosine.is_monotonic_decreasing and pairs.cosine.max() <= 1.0
        groups = {frozenset(np.flatnonzero(found.groups == g).tolist()) for g in (0, 1)}
        assert groups == {frozenset({10, 1500, 2999}), frozenset({20, 21, 2000})}
        assert (pairs.group == found.groups[pairs.b]).all()

    def test_the_list_is_capped_and_the_count_is_not(self):
        found = duplicates(self.planted(), 0.99, limit=2)
        assert len(found.pairs) == 2 and found.n_pairs == 6 and found.n_groups == 2

    @settings(max_examples=10)
    @given(seeds, st.floats(0.3, 1.0))
    def test_is_the_definition(self, seed, threshold):
        x = np.random.default_rng(seed).integers(-1, 2, size=(40, 3)).astype(float)
        x[0] = [1, 0, 0]
        x[1] = [0, 1, 0]
        norm = np.linalg.norm(x, axis=1)
        cosine = x @ x.T / np.maximum(np.outer(norm, norm), 1e-12)
        expected = {(a, b) for a in range(40) for b in range(a) if cosine[a, b] >= threshold - 1e-6}
        found = duplicates(x, threshold)
        assert {(b, a) for a, b in zip(found.pairs.a, found.pairs.b)} == expected
        joined = {a for pair in expected for a in pair}
        assert set(np.flatnonzero(found.groups >= 0)) == joined

    def test_none(self):
        found = duplicates(gauss(0, 50, 30), 0.99)
        assert found.pairs.empty and found.n_pairs == found.n_groups == found.n_exact == 0
        with pytest.raises(InputError, match="threshold"):
            duplicates(gauss(0, 50, 30), 0.0)
