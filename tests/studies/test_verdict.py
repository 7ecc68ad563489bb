"""Every cell of the verdict table, the families, void verdicts, the JSON and the sentences."""

import dataclasses
import itertools
import json

import numpy as np
import pytest

from mmrec_core.domain import InputError, canonical_json
from mmrec_core.metrics.significance import Effect, holm, paired_effect
from mmrec_core.studies import verdict as v
from mmrec_core.studies.verdict import RULES, STATES, Comparison, decide, rule_for, state_of

TABLE = {
    # (used, gained, gained without content) -> verdict; None stands for every state.
    ("above", "above", None): "content used, and it pays",
    ("above", "equal", None): "content used, nothing gained",
    ("above", "below", None): "content used, at a loss",
    ("above", "undecided", None): "content used, gain undecided",
    ("equal", "above", "above"): "gain without content",
    ("equal", "above", "equal"): "gain, source undecided",
    ("equal", "above", "below"): "gain, source undecided",
    ("equal", "above", "undecided"): "gain, source undecided",
    ("equal", "equal", None): "no effect",
    ("equal", "below", None): "harm, whatever the content",
    ("equal", "undecided", None): "content not used, gain undecided",
    ("below", None, None): "real content worse than shuffled",
    ("undecided", None, None): "undecided",
}

RELATIVE = {"above": 0.3, "below": -0.3, "equal": 0.01, "undecided": 0.04}


def effect(relative: float, *, se: float = 0.01, seeds: int = 10, base: float = 0.1) -> Effect:
    """An effect of that size over 400 users; ``se`` is relative to the base."""
    rng = np.random.default_rng(0)
    d = rng.normal(size=(400, seeds))
    d -= d.mean(axis=1, keepdims=True) if seeds > 1 else 0
    d -= d.mean()
    by_user = rng.normal(size=(400, 1))
    by_user -= by_user.mean()
    by_user /= by_user.std(ddof=1)
    spread = se * base * np.sqrt(400)
    return paired_effect(base * relative + spread * by_user + 1e-4 * d, base)


def comparisons(used=None, gained=None, without=None, missing=None, **facts):
    """Comparisons of one recommender and modality, by state."""
    kinds = {
        "used": used, "gained": gained, "without_content": without, "missingness": missing
    }  # fmt: skip
    return [
        Comparison("VBPR", "image", kind, effect(RELATIVE[state]), **facts)
        for kind, state in kinds.items()
        if state
    ]


@pytest.mark.parametrize("state", STATES)
def test_effects_of_these_tests_have_the_states_they_stand_for(state):
    e = effect(RELATIVE[state])
    assert state_of(e, e.p, 0.05) == state


@pytest.mark.parametrize(
    ("used", "gained", "without"), list(itertools.product(STATES, STATES, (*STATES, None)))
)
def test_every_cell_of_the_table(used, gained, without):
    wanted = [
        name
        for (u, g, w), name in TABLE.items()
        if u == used and g in (None, gained) and w in (None, without or "undecided")
    ]
    assert len(wanted) == 1
    matching = [rule for rule in RULES if rule.matches(used, gained, without)]
    assert [rule.outcome.name for rule in matching] == wanted  # one line, whatever the order
    (verdict,) = decide(comparisons(used, gained, without))
    assert verdict.outcome.name == wanted[0]
    assert verdict.rule == matching[0]
    assert verdict.used.state == used and verdict.gained.state == gained
    assert verdict.sentence.startswith(("VBPR", "Whether VBPR"))
    assert "None" not in verdict.sentence and "{" not in verdict.sentence


def test_a_comparison_that_was_not_made_counts_as_undecided():
    assert rule_for(None, "above", "above").outcome == v.UNDECIDED
    assert rule_for("above", None, None).outcome == v.USED_GAIN_UNDECIDED
    (verdict,) = decide(comparisons("above"))
    assert verdict.outcome == v.USED_GAIN_UNDECIDED
    assert verdict.to_json()["gained"] is None
    assert "without pictures" not in verdict.sentence


def test_outcomes_differ_in_word_and_symbol():
    outcomes = [rule.outcome for rule in RULES] + [v.VOID]
    assert len({o.name for o in outcomes}) == len({o.symbol for o in outcomes}) == len(outcomes)
    assert {o.tone for o in outcomes} == {
        "pays", "used", "without_content", "no_effect", "harm", "undecided", "void"
    }  # fmt: skip


class TestState:
    def test_significant_but_small_is_not_above(self):
        small = effect(0.03, se=0.004)
        assert small.p < 1e-6
        assert state_of(small, small.p, 0.05) == "equal"
        assert state_of(small, small.p, 0.01) == "above"

    def test_large_but_uncertain_is_undecided(self):
        assert state_of(effect(0.3, se=0.3), 0.4, 0.05) == "undecided"

    def test_the_adjusted_p_decides(self):
        assert state_of(effect(0.3), 0.049, 0.05) == "above"
        assert state_of(effect(0.3), 0.05, 0.05) == "undecided"
        assert state_of(effect(-0.3), 0.05, 0.05, alpha=0.1) == "below"

    def test_a_base_of_zero_is_undecided(self):
        e = paired_effect(np.random.default_rng(0).normal(9, 1, (50, 5)), 0.0)
        assert e.p < 1e-9
        assert state_of(e, e.p, 0.05) == "undecided"
        (verdict,) = decide([Comparison("Random", "all", "used", e)])
        assert verdict.outcome == v.UNDECIDED
        assert verdict.to_json()["used"]["relative"] is None
        assert "which is zero" in verdict.sentence

    def test_no_difference_at_all_is_equal(self):
        e = paired_effect(np.zeros((50, 5)), 0.1)
        assert state_of(e, 1.0, 0.05) == "equal"


class TestFamilies:
    def borderline(self, n):
        """n recommenders whose used-comparison has p = .02 or so, and certain gains."""
        e = effect(0.1, se=0.1 / 2.33)
        assert 0.015 < e.p < 0.025
        return [
            c
            for i in range(n)
            for c in (
                Comparison(f"M{i}", "text", "used", e),
                Comparison(f"M{i}", "text", "gained", effect(0.3)),
            )
        ]

    def test_holm_within_the_family_only(self):
        alone, *_ = decide(self.borderline(1))
        crowded = decide(self.borderline(4))
        assert alone.used.state == "above"
        assert {verdict.used.state for verdict in crowded} == {"undecided"}
        assert {verdict.gained.state for verdict in crowded} == {"above"}
        assert crowded[0].family == {"F1": 4, "F2": 4, "F3": 0, "F4": 0}
        p = [verdict.used.effect.p for verdict in crowded]
        np.testing.assert_allclose([x.used.p_adjusted for x in crowded], holm(np.array(p)))

    def test_declared_comparisons_count_before_they_are_there(self):
        (verdict,) = decide(self.borderline(1), family_sizes={"F1": 4})
        assert verdict.used.state == "undecided" and verdict.family["F1"] == 4
        assert verdict.gained.state == "above" and verdict.family["F2"] == 1

    def test_missingness_is_in_no_deciding_family(self):
        (verdict,) = decide(comparisons("above", "above", "equal", "undecided"))
        assert verdict.family == {"F1": 1, "F2": 1, "F3": 1, "F4": 1}
        assert verdict.without_content.p_adjusted == verdict.without_content.effect.p

    def test_order_changes_nothing(self):
        given = self.borderline(3) + comparisons("equal", "above", "above")
        forwards = {x.recommender: x.to_json() for x in decide(given)}
        backwards = {x.recommender: x.to_json() for x in decide(given[::-1])}
        assert forwards == backwards


class TestVoid:
    @pytest.mark.parametrize(
        ("problem", "words"),
        [
            ("foreign_features", "cached from another arm"),
            ("not_converged", "did not converge"),
            ("different_budgets", "different budgets"),
        ],
    )
    def test_problems_void_the_verdict(self, problem, words):
        given = comparisons("above", "above", "above")
        given[1] = dataclasses.replace(given[1], problems=(problem,))
        (verdict,) = decide(given)
        record = verdict.to_json()
        assert record["verdict"] == "void" and words in record["void"]
        assert words in verdict.sentence and "30 %" in verdict.sentence
        assert record["used"]["state"] is None and record["used"]["relative"] is not None
        assert verdict.rule is None

    def test_few_seeds(self):
        void, valid = decide(
            [
                Comparison("A", "text", "used", effect(0.3, seeds=4)),
                Comparison("B", "text", "used", effect(0.3, seeds=5)),
            ]
        )
        assert void.outcome == v.VOID and "fewer than 5 seeds" in void.void_reason
        assert valid.outcome == v.USED_GAIN_UNDECIDED and valid.void_reason == ""
        assert void.family["F1"] == 2  # it stays in its family

    def test_reasons_add_up_in_a_fixed_order(self):
        e = effect(0.3, seeds=1)
        (verdict,) = decide([Comparison("A", "all", "used", e, ("not_converged",))])
        assert verdict.void == ("few_seeds", "not_converged")

    def test_a_problem_of_the_missingness_comparison_voids_itself_only(self):
        given = comparisons("equal", "above", "above", "equal")
        given[3] = dataclasses.replace(given[3], problems=("not_converged",))
        (verdict,) = decide(given)
        assert verdict.outcome == v.GAIN_WITHOUT_CONTENT
        assert verdict.missingness.state is None


class TestJson:
    FIELDS = (
        "recommender modality verdict metric stage used gained without_content n_users seeds "
        "delta family tuned"
    )

    def test_fields(self):
        (verdict,) = decide(comparisons("above", "above", "equal", "equal"), 0.04, tuned=True)
        record = verdict.to_json()
        assert list(record) == self.FIELDS.split()
        assert list(record["used"]) == [
            "effect",
            "relative",
            "low",
            "high",
            "p",
            "p_adjusted",
            "state",
        ]
        assert json.loads(canonical_json(record)) == record
        assert (record["n_users"], record["seeds"], record["delta"]) == (400, 10, 0.04)
        assert record["metric"] == "recall@20" and record["stage"] == "train" and record["tuned"]

    def test_void_has_one_field_more(self):
        (verdict,) = decide(comparisons("above", problems=("not_converged",)))
        assert list(verdict.to_json()) == [*self.FIELDS.split(), "void"]


class TestSentence:
    def say(self, *states, **facts):
        (verdict,) = decide(comparisons(*states), **facts)
        return verdict.sentence

    def test_used_and_pays(self):
        assert self.say("above", "above", tuned=True) == (
            "VBPR uses the picture, and it pays: Recall@20 with the real pictures is 30 % [28, 32] "
            "higher than with pictures shuffled among the items, and 30 % [28, 32] higher than "
            "without pictures."
        )

    def test_a_loss_has_its_interval_turned_round(self):
        assert "30 % [28, 32] lower than without pictures" in self.say("above", "below")

    def test_equal_shows_the_interval_that_decided(self):
        assert (
            "is within ± 5 % of that with pictures shuffled among the items (1.0 %, 90 % interval "
            "[-0.6, 2.6])" in self.say("equal", "equal")
        )

    def test_gain_without_content_gives_all_three_numbers(self):
        text = self.say("equal", "above", "above")
        assert "Recall@20 with shuffled pictures is 30 % [28, 32] higher than without" in text

    def test_untuned_is_said(self):
        assert self.say("equal", "equal").endswith("Untuned defaults.")
        assert "ntuned" not in self.say("equal", "equal", tuned=True)

    def test_undecided_says_what_would_decide_it(self):
        (verdict,) = decide(comparisons("undecided", "above"))
        need = verdict.used.needed
        assert need.seeds is None and need.users > 400
        assert "users instead of 400 would decide it" in verdict.sentence
        out_of_reach = decide([Comparison("A", "text", "used", effect(0.0499))])[0]
        assert "not within reach" in out_of_reach.sentence

    def test_missingness_may_explain_a_gain_without_content(self):
        assert "may alone explain" in self.say("equal", "above", "above", "equal")
        assert "does not alone explain" in self.say("equal", "above", "above", "above")
        assert "comes from which items have pictures is undecided" in self.say(
            "equal", "above", "above", "undecided"
        )
        assert "which items have" not in self.say("equal", "above", "equal", "equal").lower()

    @pytest.mark.parametrize(
        ("modality", "words"),
        [("text", "the real words"), ("joint", "the real joint"), ("all", "the real content")],
    )
    def test_each_modality_has_words(self, modality, words):
        (verdict,) = decide([Comparison("A", modality, "used", effect(0.3))])
        assert words in verdict.sentence


class TestRefused:
    def test_twice_the_same(self):
        with pytest.raises(InputError, match="twice"):
            decide(comparisons("above") * 2)

    @pytest.mark.parametrize("facts", [{"delta": 0.0}, {"delta": 1.5}, {"alpha": 0.0}])
    def test_senseless_margins(self, facts):
        with pytest.raises(InputError, match="between 0 and 1"):
            decide(comparisons("above"), **facts)

    def test_unknown_names(self):
        with pytest.raises(InputError, match="Known: used"):
            decide([Comparison("A", "text", "useful", effect(0.3))])
        with pytest.raises(InputError, match="Known: few_seeds"):
            decide(comparisons("above", problems=("bad_luck",)))
        with pytest.raises(InputError, match="no metric"):
            decide(comparisons("above"), metric="accuracy@20")

    def test_nothing_to_judge(self):
        assert decide([]) == []
