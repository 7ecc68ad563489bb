"""From effects to a sentence, by fixed rules that are shown beside it.

For a recommender and a modality, all other modalities real, three comparisons are made:

- *used*: real features against the same features shuffled among items,
- *gained*: real features against the model without that modality,
- *gained without content*: shuffled features against the model without that modality.

Each is above, below, equal or undecided; the three states together pick the verdict in `RULES`.
Holm families are fixed: F1 holds all used-comparisons of a study, F2 all gained-comparisons, F3
all without-content comparisons, and F4 the comparisons of shuffled features with their mean, which
no verdict depends on. A comparison of a void verdict stays in its family.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from mmrec_core.domain import InputError
from mmrec_core.metrics import metric_label
from mmrec_core.metrics.power import Needed, needed
from mmrec_core.metrics.significance import DELTA, Effect, holm

Kind = Literal["used", "gained", "without_content", "missingness"]
State = Literal["above", "below", "equal", "undecided"]

STATES: tuple[State, ...] = ("above", "below", "equal", "undecided")
FAMILIES: Mapping[Kind, str] = {
    "used": "F1",
    "gained": "F2",
    "without_content": "F3",
    "missingness": "F4",
}
MINIMUM_SEEDS = 5
"""With fewer trainings of each arm, effects are shown and no verdict is given."""

VOID_REASONS: Mapping[str, str] = {
    "few_seeds": f"fewer than {MINIMUM_SEEDS} seeds were trained",
    "foreign_features": "features were cached from another arm",
    "not_converged": "training did not converge",
    "different_budgets": "the arms were tuned with different budgets",
}
"""Why a verdict is void -> in words."""


@dataclass(frozen=True)
class Outcome:
    """What a verdict looks like; colours belong to the screens.

    Attributes:
        name: The verdict in words.
        symbol: One character.
        tone: One of pays, used, without_content, no_effect, harm, undecided, void.
    """

    name: str
    symbol: str
    tone: str


USED_PAYS = Outcome("content used, and it pays", "●", "pays")
USED_NOTHING_GAINED = Outcome("content used, nothing gained", "◐", "used")
USED_AT_LOSS = Outcome("content used, at a loss", "▼", "harm")
USED_GAIN_UNDECIDED = Outcome("content used, gain undecided", "◔", "undecided")
GAIN_WITHOUT_CONTENT = Outcome("gain without content", "▲", "without_content")
GAIN_SOURCE_UNDECIDED = Outcome("gain, source undecided", "△", "undecided")
NO_EFFECT = Outcome("no effect", "○", "no_effect")
HARM = Outcome("harm, whatever the content", "▽", "harm")
UNUSED_GAIN_UNDECIDED = Outcome("content not used, gain undecided", "◌", "undecided")
WORSE_THAN_SHUFFLED = Outcome("real content worse than shuffled", "✕", "harm")
UNDECIDED = Outcome("undecided", "?", "undecided")
VOID = Outcome("void", "∅", "void")

ANY = "any"


@dataclass(frozen=True)
class Rule:
    """One line of the verdict table; ``any``, ``not above`` or a state in each column."""

    used: str
    gained: str
    without_content: str
    outcome: Outcome

    def matches(
        self, used: State | None, gained: State | None, without_content: State | None
    ) -> bool:
        """True when each column allows its state; a comparison that was not made is None."""
        columns = (self.used, used), (self.gained, gained), (self.without_content, without_content)
        return all(
            wanted == ANY
            or wanted == (state or "undecided")
            or (wanted == "not above" and state != "above")
            for wanted, state in columns
        )


RULES: tuple[Rule, ...] = (
    Rule("above", "above", ANY, USED_PAYS),
    Rule("above", "equal", ANY, USED_NOTHING_GAINED),
    Rule("above", "below", ANY, USED_AT_LOSS),
    Rule("above", "undecided", ANY, USED_GAIN_UNDECIDED),
    Rule("equal", "above", "above", GAIN_WITHOUT_CONTENT),
    Rule("equal", "above", "not above", GAIN_SOURCE_UNDECIDED),
    Rule("equal", "equal", ANY, NO_EFFECT),
    Rule("equal", "below", ANY, HARM),
    Rule("equal", "undecided", ANY, UNUSED_GAIN_UNDECIDED),
    Rule("below", ANY, ANY, WORSE_THAN_SHUFFLED),
    Rule("undecided", ANY, ANY, UNDECIDED),
)
"""The verdict table. Each combination of states matches one line only; a comparison that was not
made counts as undecided."""


def rule_for(used: State | None, gained: State | None, without_content: State | None) -> Rule:
    """The line of the table for three states; None for a comparison that was not made."""
    return next(rule for rule in RULES if rule.matches(used, gained, without_content))


@dataclass(frozen=True)
class Comparison:
    """One effect to be judged.

    Attributes:
        recommender: Name of the recommender.
        modality: ``image``, ``text``, ``joint``, or ``all`` for the whole model.
        kind: Which two arms were compared: used (real - shuffled), gained (real - removed),
            without_content (shuffled - removed), missingness (shuffled - mean of the observed
            rows; only where rows are missing).
        effect: Their difference.
        problems: Names from VOID_REASONS; any makes the verdict void.
    """

    recommender: str
    modality: str
    kind: Kind
    effect: Effect
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judged:
    """A comparison and what is to be said of it.

    Attributes:
        effect: The difference of the two arms.
        p_adjusted: Holm-adjusted p in its family.
        state: above, below, equal or undecided; None when the verdict is void.
        needed: For an undecided state, what would decide it.
    """

    effect: Effect
    p_adjusted: float
    state: State | None
    needed: Needed | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values; ``effect``, ``low`` and ``high`` (95 %) in units of the metric."""
        e = self.effect
        return {
            "effect": e.effect,
            "relative": e.relative,
            "low": e.low,
            "high": e.high,
            "p": e.p,
            "p_adjusted": self.p_adjusted,
            "state": self.state,
        }


def state_of(effect: Effect, p_adjusted: float, delta: float, alpha: float = 0.05) -> State:
    """State of one comparison.

    above or below: adjusted p < ``alpha`` and a relative effect of at least ``delta``; equal: the
    90 % interval lies inside ± ``delta`` of the base's mean; otherwise undecided, as always where
    the base's mean is 0.
    """
    if effect.relative is None:
        return "undecided"
    if p_adjusted < alpha and abs(effect.relative) >= delta:
        return "above" if effect.relative > 0 else "below"
    return "equal" if effect.equal_within(delta) else "undecided"


@dataclass(frozen=True)
class Verdict:
    """What a study says about one recommender and one modality.

    Attributes:
        recommender: Name of the recommender.
        modality: ``image``, ``text``, ``joint`` or ``all``.
        outcome: The verdict with its symbol and tone.
        used: Real against shuffled; None where it was not compared, as for the next two.
        gained: Real against removed.
        without_content: Shuffled against removed.
        missingness: Shuffled against the mean, beside the verdict; not part of its JSON.
        metric: Primary metric, such as ``recall@20``.
        stage: ``train`` or ``inference``.
        n_users: Users in the comparisons (the fewest).
        seeds: Trainings of each arm (the fewest).
        delta: Relative margin of equality.
        family: Holm family -> number of its comparisons.
        tuned: False until every arm was searched for hyper-parameters; None: not known, since the
            lists were made elsewhere.
        void: Names from VOID_REASONS; empty for a valid verdict.
    """

    recommender: str
    modality: str
    outcome: Outcome
    used: Judged | None
    gained: Judged | None
    without_content: Judged | None
    missingness: Judged | None
    metric: str
    stage: str
    n_users: int
    seeds: int
    delta: float
    family: Mapping[str, int] = field(default_factory=dict)
    tuned: bool | None = False
    void: tuple[str, ...] = ()

    @property
    def rule(self) -> Rule | None:
        """The line of the table that applied; None for a void verdict."""
        if self.void:
            return None
        return rule_for(
            self.used.state if self.used else None,
            self.gained.state if self.gained else None,
            self.without_content.state if self.without_content else None,
        )

    @property
    def sentence(self) -> str:
        """The verdict in words, with its numbers."""
        from mmrec_core.studies.sentences import verdict_sentence

        return verdict_sentence(self)

    def to_json(self) -> dict[str, Any]:
        """Plain values; ``void`` (the reason in words) is there for void verdicts only."""
        record: dict[str, Any] = {
            "recommender": self.recommender,
            "modality": self.modality,
            "verdict": self.outcome.name,
            "metric": self.metric,
            "stage": self.stage,
            "used": self.used and self.used.to_json(),
            "gained": self.gained and self.gained.to_json(),
            "without_content": self.without_content and self.without_content.to_json(),
            "n_users": self.n_users,
            "seeds": self.seeds,
            "delta": self.delta,
            "family": dict(self.family),
            "tuned": self.tuned,
        }
        if self.void:
            record["void"] = self.void_reason
        return record

    @property
    def void_reason(self) -> str:
        """Why the verdict is void, in words; empty where it is valid."""
        return "; ".join(VOID_REASONS[name] for name in self.void)


def decide(
    comparisons: Iterable[Comparison],
    delta: float = DELTA,
    alpha: float = 0.05,
    *,
    metric: str = "recall@20",
    stage: str = "train",
    tuned: bool | None = False,
    family_sizes: Mapping[str, int] | None = None,
) -> list[Verdict]:
    """One verdict for each recommender and modality, in order of appearance.

    Args:
        comparisons: All comparisons of the study at its primary metric and stage. Give all of
            them: a verdict must not depend on what a screen shows.
        delta: Relative margin of equality.
        alpha: Holm-adjusted p below which an effect is above or below.
        metric: The study's primary metric.
        stage: The study's stage.
        tuned: Whether the arms were searched for hyper-parameters; None: not known.
        family_sizes: Family -> number of comparisons the study declares, for a study that is
            still running; comparisons not there yet count as p = 1. None: all are there.

    Raises:
        InputError: Two effects for one comparison, an unknown kind or problem, or a margin or
            level that makes no sense.
    """
    given = list(comparisons)
    _check(given, delta, alpha)
    sizes: dict[str, int] = {}
    adjusted: dict[tuple[str, str, str], float] = {}
    for kind, family in FAMILIES.items():
        members = [c for c in given if c.kind == kind]
        sizes[family] = max(len(members), (family_sizes or {}).get(family, 0))
        p_values = holm(np.array([c.effect.p for c in members]), sizes[family])
        for c, p in zip(members, p_values, strict=True):
            adjusted[c.recommender, c.modality, kind] = float(p)

    groups: dict[tuple[str, str], dict[Kind, Comparison]] = {}
    for c in given:
        groups.setdefault((c.recommender, c.modality), {})[c.kind] = c

    verdicts = []
    for (recommender, modality), group in groups.items():
        # The missingness comparison decides nothing, so its problems void nothing else.
        deciding = [c for kind, c in group.items() if kind != "missingness"] or [*group.values()]
        void = _problems(deciding)
        judged: dict[Kind, Judged] = {}
        for kind, c in group.items():
            p = adjusted[recommender, modality, kind]
            if void or _problems([c]):
                judged[kind] = Judged(c.effect, p, None)
                continue
            state = state_of(c.effect, p, delta, alpha)
            # Bonferroni's level: at most what Holm will ask for.
            level = alpha / max(1, sizes[FAMILIES[c.kind]])
            need = needed(c.effect, delta, level) if state == "undecided" else None
            judged[kind] = Judged(c.effect, p, state, need)
        states = {kind: j.state for kind, j in judged.items()}
        rule = rule_for(states.get("used"), states.get("gained"), states.get("without_content"))
        verdicts.append(
            Verdict(
                recommender=recommender,
                modality=modality,
                outcome=VOID if void else rule.outcome,
                used=judged.get("used"),
                gained=judged.get("gained"),
                without_content=judged.get("without_content"),
                missingness=judged.get("missingness"),
                metric=metric,
                stage=stage,
                n_users=min(c.effect.n_users for c in deciding),
                seeds=min(c.effect.seeds for c in deciding),
                delta=delta,
                family=sizes,
                tuned=tuned,
                void=void,
            )
        )
    metric_label(metric)  # an unknown metric is refused here, not on screen
    return verdicts


def _problems(comparisons: Iterable[Comparison]) -> tuple[str, ...]:
    """What makes comparisons void, in the order of VOID_REASONS."""
    found: set[str] = set()
    for c in comparisons:
        found.update(c.problems)
        if c.effect.seeds < MINIMUM_SEEDS:
            found.add("few_seeds")
    return tuple(name for name in VOID_REASONS if name in found)


def _check(comparisons: list[Comparison], delta: float, alpha: float) -> None:
    """Refuses what cannot be judged."""
    if not (0 < delta < 1 and 0 < alpha < 1):
        raise InputError(
            f"The margin delta is {delta} and the level alpha {alpha}; both must lie between 0 "
            "and 1, such as 0.05."
        )
    seen: set[tuple[str, str, str]] = set()
    for c in comparisons:
        if c.kind not in FAMILIES:
            raise InputError(f"There is no comparison {c.kind!r}. Known: {', '.join(FAMILIES)}.")
        unknown = [name for name in c.problems if name not in VOID_REASONS]
        if unknown:
            raise InputError(
                f"There is no problem {unknown[0]!r}. Known: {', '.join(VOID_REASONS)}."
            )
        key = (c.recommender, c.modality, c.kind)
        if key in seen:
            raise InputError(
                f"The comparison {c.kind!r} of {c.recommender} and {c.modality} is there twice; "
                "give it once."
            )
        seen.add(key)
