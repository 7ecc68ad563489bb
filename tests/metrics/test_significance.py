"""Intervals over users and seeds: formulas, degenerate cases, and simulated error rates."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mmrec_core.domain import InputError
from mmrec_core.metrics.significance import (
    compare,
    crossed_mean,
    holm,
    paired_effect,
    this_trained_pair,
)


def crossed(rng, shape, n, s, users, seeds, both, mean=0.0):
    """Simulated differences [*shape, n, s] with the given standard deviations."""
    return (
        mean
        + users * rng.normal(size=(*shape, n, 1))
        + seeds * rng.normal(size=(*shape, 1, s))
        + both * rng.normal(size=(*shape, n, s))
    )


def test_mean_squares_are_those_of_the_two_way_layout():
    d = np.array([[1.0, 2.0], [3.0, 6.0], [2.0, 1.0]])
    c = crossed_mean(d)
    # By hand: user means 1.5, 4.5, 1.5; seed means 2, 3; grand mean 2.5.
    assert c.mean == 2.5
    assert c.ms_users == pytest.approx(2 * (1 + 4 + 1) / 2)
    assert c.ms_seeds == pytest.approx(3 * (0.25 + 0.25) / 1)
    total = ((d - 2.5) ** 2).sum()
    assert c.ms_both == pytest.approx((total - 12 - 1.5) / 2)
    # 6 + 1.5 - 1.75 = 5.75 is below MS_U = 6, so users alone count.
    assert c.se == pytest.approx(np.sqrt(6 / 6))
    assert c.df == 2


def test_satterthwaite_on_the_mean_squares_used():
    d = crossed(np.random.default_rng(0), (), 40, 6, 1.0, 1.0, 0.3)
    c = crossed_mean(d)
    u, s, b = float(c.ms_users), float(c.ms_seeds), float(c.ms_both)
    assert u + s - b > max(u, s)
    assert c.se == pytest.approx(np.sqrt((u + s - b) / 240))
    assert c.df == pytest.approx((u + s - b) ** 2 / (u**2 / 39 + s**2 / 5 + b**2 / 195))


GRID = [
    (60, 5, 1.0, 0.0, 1.0),
    (60, 5, 0.0, 0.2, 1.0),
    (60, 5, 0.3, 0.3, 0.3),
    (60, 10, 1.0, 0.05, 1.0),
    (60, 10, 1.0, 1.0, 0.0),
    (200, 10, 0.0, 0.0, 1.0),
]


@pytest.mark.parametrize(("n", "s", "users", "seeds", "both"), GRID)
@pytest.mark.parametrize("mean", [0.0, 0.4])
def test_false_alarms_and_coverage(n, s, users, seeds, both, mean):
    rng = np.random.default_rng([n, s, int(10 * mean)])
    c = crossed_mean(crossed(rng, (400,), n, s, users, seeds, both, mean))
    missed = np.abs(c.mean - mean) > stats.t.ppf(0.975, c.df) * c.se
    assert 0.005 <= missed.mean() <= 0.08


def test_one_trained_pair_alarms_where_the_crossed_interval_does_not():
    rng = np.random.default_rng(5)
    d = crossed(rng, (300,), 300, 5, 0.5, 0.3, 0.5)
    pair = stats.ttest_1samp(d[:, :, 0], 0.0, axis=1).pvalue
    assert (pair < 0.05).mean() > 0.5
    c = crossed_mean(d)
    assert (2 * stats.t.sf(np.abs(c.mean / c.se), c.df) < 0.05).mean() < 0.08


def test_skewed_differences_reject_wilcoxon_not_t():
    rng = np.random.default_rng(0)
    d = rng.exponential(size=5000) - 1.0
    d -= d.mean()
    pair = this_trained_pair(d)
    assert pair.p_wilcoxon < 1e-6
    assert pair.p_t == pytest.approx(1.0)
    assert pair.low < 0 < pair.high
    assert pair == this_trained_pair(d)
    half = 1.96 * d.std() / np.sqrt(5000)
    assert pair.high == pytest.approx(half, rel=0.1)


def test_trained_pair_without_spread():
    assert this_trained_pair(np.zeros(9)).p_wilcoxon == 1.0
    same = this_trained_pair(np.array([np.nan, *[0.5] * 9]))
    assert (same.low, same.high, same.p_t, same.n_users) == (0.5, 0.5, 0.0, 9)
    with pytest.raises(InputError, match="two are needed"):
        this_trained_pair(np.array([1.0, np.nan]))


class TestEffect:
    def test_fields_fit_together(self):
        d = crossed(np.random.default_rng(1), (), 500, 8, 0.1, 0.01, 0.1, 0.02)
        e = paired_effect(d, 0.2, 0.05)
        assert e.effect == pytest.approx(d.mean())
        assert e.relative == pytest.approx(d.mean() / 0.2)
        assert (e.high - e.low) / 2 == pytest.approx(stats.t.ppf(0.975, e.df) * e.se)
        assert (e.high90 - e.low90) / 2 == pytest.approx(stats.t.ppf(0.95, e.df) * e.se)
        assert e.p == pytest.approx(2 * stats.t.sf(e.effect / e.se, e.df))
        assert (e.p < 0.05) == (e.low > 0)
        assert e.half_width == pytest.approx(stats.t.ppf(0.95, e.df) * e.se / 0.2)
        assert not e.users_only and (e.n_users, e.seeds) == (500, 8)

    def test_smallest_delta_is_the_border_of_equality(self):
        d = crossed(np.random.default_rng(2), (), 400, 6, 0.1, 0.01, 0.1, 0.005)
        border = paired_effect(d, 0.3).smallest_delta
        assert paired_effect(d, 0.3, border * 1.001).tost_equal
        assert not paired_effect(d, 0.3, border * 0.999).tost_equal
        assert paired_effect(d, 0.3).equal_within(border * 1.001)

    def test_swapping_the_arms_turns_the_sign(self):
        d = crossed(np.random.default_rng(3), (), 50, 5, 1, 1, 1, 0.5)
        a, b = paired_effect(d, 2.0), paired_effect(-d, 2.0)
        assert (a.low, a.high, a.p) == pytest.approx((-b.high, -b.low, b.p))

    def test_no_difference_at_all_is_equal(self):
        e = paired_effect(np.zeros((20, 5)), 0.1)
        assert (e.effect, e.se, e.p, e.tost_equal, e.smallest_delta) == (0, 0, 1, True, 0)
        assert (e.low, e.high) == (0, 0)

    def test_the_same_difference_everywhere_is_certain(self):
        e = paired_effect(np.full((20, 5), 0.5), 1.0)
        assert e.p < 1e-12 and e.low == pytest.approx(0.5) and not e.tost_equal

    def test_one_seed_is_flagged_and_equals_the_paired_t_test(self):
        d = np.random.default_rng(4).normal(0.1, 1, 60)
        e = paired_effect(d, 1.0)
        assert e.users_only and e.seeds == 1
        assert e.p == pytest.approx(stats.ttest_1samp(d, 0).pvalue)

    def test_a_base_of_zero_has_no_relative_effect(self):
        e = paired_effect(np.zeros((9, 5)), 0.0)
        assert e.relative is None and e.smallest_delta is None and e.half_width is None
        assert not e.tost_equal and not e.equal_within(0.9)

    def test_users_without_a_value_leave_both_arms(self):
        rng = np.random.default_rng(5)
        arm, base = rng.random((30, 5)), rng.random((30, 5))
        arm[3], base[7], base[9, 2] = np.nan, np.nan, np.nan
        kept = np.delete(np.arange(30), [3, 7, 9])
        e = compare(arm, base)
        assert e == compare(arm[kept], base[kept])
        assert e.n_users == 27 and e.base_mean == pytest.approx(base[kept].mean())

    def test_too_few_users(self):
        with pytest.raises(InputError, match="at least two"):
            paired_effect(np.array([[1.0, 1.0], [np.nan, 1.0]]), 1.0)
        with pytest.raises(InputError, match="at least two"):
            compare(np.full((4, 3), np.nan), np.zeros((4, 3)))

    def test_arms_must_have_the_same_seeds(self):
        with pytest.raises(ValueError, match="differ"):
            compare(np.zeros((4, 3)), np.zeros((4, 2)))

    def test_is_plain_data(self):
        e = paired_effect(np.random.default_rng(6).normal(size=(9, 5)), 0.1)
        plain = dataclasses.asdict(e)
        assert all(type(v) in (float, int, bool) for v in plain.values())
        assert type(e)(**plain) == e


def brute_holm(p, m):
    ranked = sorted(p)
    return [
        max(min(1.0, (m - j) * ranked[j]) for j in range(ranked.index(value) + 1)) for value in p
    ]


class TestHolm:
    @given(st.lists(st.sampled_from([0, 1e-9, 0.01, 0.011, 0.02, 0.3, 0.6, 1]), max_size=9))
    def test_equals_the_definition(self, p):
        p = [float(v) for v in p]
        # Equal p values share the smallest rank of the definition's maximum.
        np.testing.assert_allclose(holm(np.array(p)), brute_holm(p, len(p)))

    def test_textbook_case(self):
        np.testing.assert_allclose(
            holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02]
        )

    def test_declared_but_missing_comparisons_count_as_one(self):
        p = np.array([0.01, 0.2, 0.004])
        np.testing.assert_allclose(holm(p, 5), holm(np.array([*p, 1, 1]))[:3])
        with pytest.raises(ValueError, match="family of 2"):
            holm(p, 2)

    def test_nan_is_refused(self):
        with pytest.raises(ValueError, match="p values"):
            holm(np.array([0.1, np.nan]))
