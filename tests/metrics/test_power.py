"""What would decide a comparison: against fresh data of the size that the answer names."""

import numpy as np
import pytest
from metrics.test_significance import crossed

from mmrec_core.metrics.power import decision_power, needed, needed_for_power
from mmrec_core.metrics.significance import paired_effect, standard_error


class TestNeeded:
    def test_the_half_width_follows_the_answer(self):
        rng = np.random.default_rng(7)
        d = crossed(rng, (), 300, 10, 0.3, 0.0, 0.1)
        e = paired_effect(d - d.mean(), 0.3, 0.05)
        assert not e.tost_equal
        need = needed(e, 0.05)
        users = need.users
        # A fresh study of that size has about the half-width that is asked for.
        widths = [
            paired_effect(crossed(rng, (), users, 10, 0.3, 0.0, 0.1), 0.3).half_width
            for _ in range(20)
        ]
        assert users > 300
        assert 0.8 * 0.05 < np.median(widths) < 1.1 * 0.05

    def test_more_seeds_help_against_noise_of_seeds_only(self):
        rng = np.random.default_rng(8)
        d = crossed(rng, (), 2000, 5, 0.0, 0.02, 0.05, 0.0)
        e = paired_effect(d - d.mean(), 0.1, 0.05)
        need = needed(e, 0.05)
        assert need.users is None and 5 < need.seeds < 200

    def test_a_stricter_level_needs_more(self):
        d = crossed(np.random.default_rng(9), (), 1000, 8, 0.1, 0.06, 0.2)
        e = paired_effect(d - d.mean() + 0.03, 0.1)
        assert needed(e, 0.05, 0.001).seeds > needed(e, 0.05, 0.05).seeds > 8

    def test_out_of_reach(self):
        d = crossed(np.random.default_rng(10), (), 50, 5, 1, 1, 1)
        need = needed(paired_effect(d - d.mean() + 0.0499, 1.0), 0.05)
        assert (need.seeds, need.users) == (None, None)
        assert needed(paired_effect(d, 0.0), 0.05).seeds is None
        assert needed(paired_effect(d[:, 0], 1.0), 0.05).seeds is None


class TestPower:
    @pytest.mark.parametrize("mean", [0.0, 0.012, 0.02, -0.03])
    def test_is_the_share_of_fresh_studies_that_decide(self, mean):
        rng = np.random.default_rng(11)
        n, s, base, delta, level = 200, 6, 0.2, 0.1, 0.05 / 3
        spread = (0.1, 0.008, 0.1)

        def studies(count):
            return [
                paired_effect(own, base, delta)
                for own in crossed(rng, (count,), n, s, *spread, mean)
            ]

        fresh = studies(1500)
        decided = [
            (e.p < level and abs(e.relative) >= delta) or e.equal_within(delta) for e in fresh
        ]
        # An effect with exactly the true components and the true mean.
        large = paired_effect(crossed(rng, (), 4000, 400, *spread), base, delta)
        truth = type(large)(**{**vars(large), "effect": mean, "relative": mean / base})
        power = float(decision_power(truth, delta, np.array([n]), np.array([s]), level)[0])
        assert power == pytest.approx(np.mean(decided), abs=0.08)

    def test_at_its_own_size_the_error_is_the_one_observed(self):
        d = crossed(np.random.default_rng(12), (), 300, 7, 0.2, 0.02, 0.1)
        e = paired_effect(d, 0.3)
        se, df = standard_error(e.ms_users, e.ms_seeds, e.ms_both, e.n_users, e.seeds)
        assert (float(se), float(df)) == (pytest.approx(e.se), pytest.approx(e.df))

    def test_rises_to_what_needed_says(self):
        d = crossed(np.random.default_rng(13), (), 400, 5, 0.1, 0.01, 0.2)
        e = paired_effect(d - d.mean() + 0.03, 0.2)
        need = needed_for_power(e, 0.05, 0.01)
        assert need.seeds and need.seeds > 5
        before, at = (
            decision_power(e, 0.05, np.array([400]), np.array([s]), 0.01)[0]
            for s in (need.seeds - 1, need.seeds)
        )
        assert before < 0.8 <= at
        # Half of the chance is where the estimate itself would just decide.
        assert needed(e, 0.05, 0.01).seeds <= need.seeds

    def test_an_effect_on_the_margin_is_a_toss_of_a_coin(self):
        d = crossed(np.random.default_rng(14), (), 400, 5, 0.1, 0.001, 0.01)
        e = paired_effect(d - d.mean() + 0.01, 0.2)
        many = decision_power(e, 0.05, np.array([40_000]), np.array([200]), 0.05)[0]
        assert many == pytest.approx(0.5, abs=0.1)
        assert needed_for_power(e, 0.05, 0.05).seeds is None

    def test_without_a_base_or_a_second_seed_there_is_none(self):
        d = crossed(np.random.default_rng(15), (), 40, 3, 0.1, 0.01, 0.1)
        for e in (paired_effect(d, 0.0), paired_effect(d[:, 0], 1.0)):
            assert needed_for_power(e, 0.05).users is None
            with pytest.raises(ValueError, match="two seeds"):
                decision_power(e, 0.05, np.array([40]), np.array([3]))
