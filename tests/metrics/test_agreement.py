"""Agreement of lists, against definitions written with sets and against scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mmrec_core.metrics.agreement import AGREEMENT, AGREEMENT_TITLES, jaccard, kendall, overlap, rbo
from mmrec_core.metrics.ranking import PAD

K = 6


def padded(lists: list[list[int]]) -> np.ndarray:
    return np.array([own + [PAD] * (K - len(own)) for own in lists], dtype=np.int32)


one_list = st.lists(st.integers(0, 9), max_size=K, unique=True)
pairs = st.lists(st.tuples(one_list, one_list), min_size=1, max_size=5)


def by_hand_rbo(s: list[int], t: list[int], p: float) -> float:
    """Sum of (1 - p) p^(d-1) A_d to great depth, with the agreement that eq. 32 assumes."""
    if len(s) > len(t):
        s, t = t, s
    if not t:
        return float("nan")
    x = [len(set(s[:d]) & set(t[:d])) for d in range(1, len(t) + 1)]
    x_s = x[len(s) - 1] if s else 0
    share = x_s / len(s) if s else 0.0
    total = 0.0
    for d in range(1, 3000):
        if d <= len(s):
            agreed = x[d - 1] / d
        elif d <= len(t):
            agreed = (x[d - 1] + share * (d - len(s))) / d
        else:
            agreed = (x[-1] - x_s) / len(t) + share
        total += (1 - p) * p ** (d - 1) * agreed
    return total


@given(pairs, st.sampled_from([0.5, 0.9, 0.98]))
def test_rbo_is_the_infinite_sum(lists, p):
    got = rbo(padded([a for a, _ in lists]), padded([b for _, b in lists]), p)
    np.testing.assert_allclose(got, [by_hand_rbo(a, b, p) for a, b in lists], atol=1e-9)


@given(pairs)
def test_sets(lists):
    first, second = padded([a for a, _ in lists]), padded([b for _, b in lists])
    nan = float("nan")
    expected = [len({*a} & {*b}) / max(len(a), len(b)) if a or b else nan for a, b in lists]
    np.testing.assert_allclose(overlap(first, second), expected)
    expected = [len({*a} & {*b}) / len({*a} | {*b}) if a or b else nan for a, b in lists]
    np.testing.assert_allclose(jaccard(first, second), expected)


@given(pairs)
def test_kendall_is_scipys_over_the_union(lists):
    got = kendall(padded([a for a, _ in lists]), padded([b for _, b in lists]))
    for value, (a, b) in zip(got, lists, strict=True):
        union = list(dict.fromkeys([*a, *b]))
        ranks = [[own.index(i) if i in own else K for i in union] for own in (a, b)]
        expected = stats.kendalltau(*ranks).statistic if len(union) > 1 else np.nan
        np.testing.assert_allclose(value, expected, atol=1e-12)


@given(pairs)
def test_every_measure_is_symmetric_and_knows_equal_and_disjoint_lists(lists):
    first, second = padded([a for a, _ in lists]), padded([b for _, b in lists])
    for name, measure in AGREEMENT.items():
        assert name in AGREEMENT_TITLES
        np.testing.assert_allclose(measure(first, second), measure(second, first))
        for value, (a, _) in zip(measure(first, first), lists, strict=True):
            if len(a) > 1:
                assert value == pytest.approx(1)
        apart = measure(first, np.where(second == PAD, PAD, second + 10))
        for value, (a, b) in zip(apart, lists, strict=True):
            if a and b and name != "kendall":
                assert value == 0


def test_order_counts_where_it_should():
    same, swapped = np.array([[0, 1, 2]]), np.array([[0, 2, 1]])
    assert overlap(same, swapped)[0] == 1 and jaccard(same, swapped)[0] == 1
    # A_d = 1, 1/2, 1, then 1: 1 - (1 - p) p / 2.
    assert rbo(same, swapped, 0.9)[0] == pytest.approx(1 - 0.1 * 0.9 / 2)
    assert kendall(same, swapped)[0] == pytest.approx(1 / 3)


def test_wrong_shapes_and_p_are_refused():
    with pytest.raises(ValueError, match="same shape"):
        overlap(np.zeros((2, 3), int), np.zeros((2, 4), int))
    with pytest.raises(ValueError, match="between 0 and 1"):
        rbo(np.zeros((1, 1), int), np.zeros((1, 1), int), 1.0)
