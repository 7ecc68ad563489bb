"""Two modalities in one space: gap, probe, retrieval, and retrieval through a map."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmrec_core.alignment import (
    gap_positions,
    gap_probe,
    modality_gap,
    retrieval,
    retrieval_ranks,
    retrieved,
    ridge_retrieval,
)
from mmrec_core.alignment.retrieval import ALPHAS, _mapped
from mmrec_core.domain import InputError

seeds = st.integers(0, 2**31)


def two(seed: int, n: int = 50, d: int = 6, apart: float = 0.0, noise: float = 0.7):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    y = x + noise * rng.normal(size=(n, d))
    y[:, 0] += apart
    return x, y


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_gap_is_the_distance_of_the_means_along_its_own_direction():
    x, y = two(0, apart=4.0)
    gap = modality_gap(x, y)
    assert gap == pytest.approx(np.linalg.norm(unit(x).mean(0) - unit(y).mean(0)))
    one, other = gap_positions(x, y)
    assert one.mean() == pytest.approx(gap / 2) and other.mean() == pytest.approx(-gap / 2)
    assert modality_gap(x, x) == 0
    with pytest.raises(InputError, match="no gap"):
        gap_positions(x, x)


def test_the_probe_sees_a_gap_and_nothing_else():
    assert gap_probe(*two(1, 200, apart=6.0)) > 0.95
    assert gap_probe(*two(1, 200)) == pytest.approx(0.5, abs=0.08)
    assert gap_probe(*two(1, 200), sample=60) == gap_probe(*two(1, 200), sample=60)
    # Both halves of an item in one fold: an exact copy is told apart by chance alone, not worse.
    x = two(2, 200)[0]
    assert gap_probe(x, x) == pytest.approx(0.5, abs=0.02)
    with pytest.raises(InputError, match="at least 10"):
        gap_probe(x[:9], x[:9])


@settings(max_examples=15)
@given(seeds)
def test_ranks_are_the_definition(seed):
    x, y = two(seed)
    y[7] = 3.0 * y[3]
    scores = unit(x) @ unit(y).T
    expected = [
        1 + sum(scores[i, j] >= scores[i, i] - 1e-6 for j in range(50) if j != i) for i in range(50)
    ]
    np.testing.assert_array_equal(retrieval_ranks(x, y), expected)


def test_ties_are_pessimistic():
    rng = np.random.default_rng(0)
    y = np.repeat(rng.normal(size=(300, 5)), 5, axis=0)
    assert set(retrieval_ranks(y, y)) == {5}
    y = np.ones((20, 3))
    y[0] = 2.0
    assert (retrieval_ranks(y, y) == 20).all()


def test_retrieval_counts_both_ways():
    x, y = two(3, 80)
    found = retrieval(x, y)
    for key, ranks in (("x_to_y", retrieval_ranks(x, y)), ("y_to_x", retrieval_ranks(y, x))):
        scores = found[key]
        assert scores["r_at_1"] == (ranks == 1).mean() and scores["r_at_10"] == (ranks < 11).mean()
        assert scores["mrr"] == pytest.approx((1 / ranks).mean())
        assert scores["median_rank"] == np.median(ranks)
    assert found["n"] == 80 and found["chance"]["r_at_5"] == 5 / 80
    assert found["chance"]["mrr"] == pytest.approx(sum(1 / r for r in range(1, 81)) / 80)
    assert found["x_to_y"]["mrr"] > 3 * found["chance"]["mrr"]
    assert retrieval(x, x)["x_to_y"]["r_at_1"] == 1


def test_chance_is_what_unrelated_spaces_give():
    rng = np.random.default_rng(1)
    found = [retrieval(*rng.normal(size=(2, 60, 20))) for _ in range(40)]
    for key in ("r_at_10", "mrr", "median_rank"):
        mean = np.mean([one["x_to_y"][key] for one in found])
        assert mean == pytest.approx(found[0]["chance"][key], rel=0.1)


def test_retrieved_rows_are_the_most_similar():
    x, y = two(4)
    rows, cosine = retrieved(x, y, np.array([3, 9]), 5)
    scores = unit(x)[[3, 9]] @ unit(y).T
    np.testing.assert_array_equal(rows, np.argsort(-scores, axis=1)[:, :5])
    np.testing.assert_allclose(cosine, -np.sort(-scores, axis=1)[:, :5], atol=1e-6)
    assert retrieved(x, y, np.array([0]), 99)[0].shape == (1, 50)


def test_a_map_finds_what_unlike_spaces_share():
    rng = np.random.default_rng(5)
    common = rng.normal(size=(400, 8))
    x = common @ rng.normal(size=(8, 30)) + 0.1 * rng.normal(size=(400, 30)) + 5.0
    y = common @ rng.normal(size=(8, 20)) + 0.1 * rng.normal(size=(400, 20)) - 3.0
    found = ridge_retrieval(x, y)
    assert found["n"] == found["n_fitted"] == 200
    assert found["x_to_y"]["r_at_1"] > 0.9 and found["y_to_x"]["r_at_1"] > 0.9
    assert ridge_retrieval(x, y) == found
    # Rows that do not belong together: the map learns nothing that helps unseen items.
    dealt = ridge_retrieval(x, y[rng.permutation(400)])
    for key in ("x_to_y", "y_to_x"):
        assert dealt[key]["r_at_10"] < 4 * dealt["chance"]["r_at_10"]


@pytest.mark.parametrize("shape", [(120, 8, 5), (60, 90, 4)])
def test_the_map_is_scikit_learns(shape):
    from sklearn.linear_model import RidgeCV
    from sklearn.preprocessing import StandardScaler

    n, d, targets = shape
    rng = np.random.default_rng(7)
    x = rng.normal(size=(n, d)) * np.arange(1, d + 1) + 3.0
    y = x[:, :targets] + 3 * rng.normal(size=(n, targets))
    fitted, held = np.arange(n // 2), np.arange(n // 2, n)
    scale = StandardScaler().fit(x[fitted])
    expected = RidgeCV(ALPHAS).fit(scale.transform(x[fitted]), y[fitted])
    found, alpha = _mapped(x, y, fitted, held)
    assert alpha == expected.alpha_ and ALPHAS[0] < alpha < ALPHAS[-1]
    mean = y[fitted].mean(axis=0)
    np.testing.assert_allclose(found + mean, expected.predict(scale.transform(x[held])), atol=1e-8)


def test_errors():
    x, y = two(6)
    with pytest.raises(InputError, match="one space"):
        retrieval(x, y[:, :3])
    with pytest.raises(InputError, match="20 items or more"):
        ridge_retrieval(x[:19], y[:19])
    with pytest.raises(InputError, match="NaN"):
        retrieval(x, np.full_like(y, np.nan))
