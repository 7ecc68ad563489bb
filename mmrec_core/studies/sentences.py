"""Verdicts in words. Every number is relative to the reference arm's mean, in per cent."""

from typing import TYPE_CHECKING

from mmrec_core.metrics import metric_label
from mmrec_core.recommenders import RECOMMENDERS
from mmrec_core.studies import verdict as rules

if TYPE_CHECKING:
    from mmrec_core.studies.verdict import Judged, Verdict

_THINGS = {
    "image": "pictures",
    "text": "words",
    "joint": "joint embeddings",
    "all": "content",
    "input-picture": "pictures given to the vision-language model",
    "input-title": "titles given to the vision-language model",
}
_ITS = {
    "image": "the picture",
    "text": "the words",
    "joint": "the joint embeddings",
    "all": "the content",
    "input-picture": "the picture through the joint embeddings",
    "input-title": "the title through the joint embeddings",
}

_LEADS = {
    rules.USED_PAYS: "{R} uses {it}, and it pays",
    rules.USED_NOTHING_GAINED: "{R} uses {it} and gains nothing by it",
    rules.USED_AT_LOSS: "{R} uses {it} and loses by it",
    rules.USED_GAIN_UNDECIDED: "{R} uses {it}; whether it gains by it is undecided",
    rules.GAIN_WITHOUT_CONTENT: "{R} gains by having a branch for {it}, not by {it}",
    rules.GAIN_SOURCE_UNDECIDED: "{R} does not use {it} and still gains; from what is undecided",
    rules.NO_EFFECT: "{R} neither uses {it} nor gains by it",
    rules.HARM: "{R} is harmed by having a branch for {it}, whatever it holds",
    rules.UNUSED_GAIN_UNDECIDED: "{R} does not use {it}; whether it gains is undecided",
    rules.WORSE_THAN_SHUFFLED: "{R} does worse with real than with shuffled {things}; look for an "
    "error in the data",
    rules.UNDECIDED: "Whether {R} uses {it} is undecided",
    rules.VOID: "No verdict on {R} and {it}, because {void}",
}


def verdict_sentence(verdict: "Verdict") -> str:
    """The verdict with its numbers, what would decide it, and what to keep in mind."""
    things = _THINGS.get(verdict.modality, verdict.modality)
    lead = _LEADS[verdict.outcome].format(
        R=_title(verdict.recommender),
        it=_ITS.get(verdict.modality, verdict.modality),
        things=things,
        void=verdict.void_reason,
    )
    sentences = [f"{lead}{_numbers(verdict, things)}."]
    sentences += [_need(verdict), _missingness(verdict, things)]
    if verdict.tuned is None:
        sentences.append("From lists made elsewhere.")
    elif not verdict.tuned:
        sentences.append("Untuned defaults.")
    return " ".join(sentence for sentence in sentences if sentence)


def _title(recommender: str) -> str:
    """Name on screen; a recommender trained elsewhere keeps the name it came with."""
    return RECOMMENDERS.get(recommender).title if recommender in RECOMMENDERS else recommender


def _numbers(verdict: "Verdict", things: str) -> str:
    """``: Recall@20 with the real pictures is ...``; empty where nothing was compared."""
    metric, delta = metric_label(verdict.metric), verdict.delta
    shuffled, without = f"with shuffled {things}", f"without {things}"
    against = []
    if verdict.used:
        against.append(_against(verdict.used, f"with {things} shuffled among the items", delta))
    if verdict.gained:
        against.append(_against(verdict.gained, without, delta))
    parts = []
    if against:
        parts.append(f"{metric} with the real {things} is {', and '.join(against)}")
    if verdict.without_content and (
        verdict.outcome
        in (rules.GAIN_WITHOUT_CONTENT, rules.GAIN_SOURCE_UNDECIDED, rules.HARM, rules.VOID)
        or not against
    ):
        number = _against(verdict.without_content, without, delta)
        parts.append(f"{metric} {shuffled} is {number}")
    return f": {'; '.join(parts)}" if parts else ""


def _percent(value: float) -> str:
    """A share in per cent: one decimal below ten, none above, and no minus before a zero."""
    number = 100 * value
    text = f"{number:.0f}" if abs(number) >= 9.95 else f"{number:.1f}"
    return "0.0" if text == "-0.0" else text


def _against(judged: "Judged", reference: str, delta: float) -> str:
    """``12 % [8.1, 15] higher than without pictures`` and its kin."""
    effect = judged.effect
    if effect.relative is None:
        return f"not to be compared with that {reference}, which is zero"
    if judged.state == "equal":
        low, high = (_percent(effect.as_relative(v) or 0.0) for v in (effect.low90, effect.high90))
        return (
            f"within ± {100 * delta:g} % of that {reference} ({_percent(effect.relative)} %, 90 % "
            f"interval [{low}, {high}])"
        )
    # Said as a size and a direction, so the interval of a loss is turned round.
    sign = 1 if effect.relative >= 0 else -1
    ends = sorted(sign * (effect.as_relative(v) or 0.0) for v in (effect.low, effect.high))
    text = (
        f"{_percent(abs(effect.relative))} % [{_percent(ends[0])}, {_percent(ends[1])}] "
        f"{'higher' if sign > 0 else 'lower'} than {reference}"
    )
    return f"{text} (undecided)" if judged.state == "undecided" else text


def _need(verdict: "Verdict") -> str:
    """What would decide the comparison that kept the verdict open."""
    open_one = {
        rules.UNDECIDED: verdict.used,
        rules.USED_GAIN_UNDECIDED: verdict.gained,
        rules.UNUSED_GAIN_UNDECIDED: verdict.gained,
        rules.GAIN_SOURCE_UNDECIDED: verdict.without_content,
    }.get(verdict.outcome)
    if open_one is None or open_one.needed is None:
        return ""
    need = open_one.needed
    ways = []
    if need.seeds:
        ways.append(f"about {need.seeds} seeds instead of {open_one.effect.seeds}")
    if need.users:
        step = 10 ** max(0, len(str(need.users)) - 2)  # two digits: more would pretend to know
        users = -(-need.users // step) * step
        ways.append(f"about {users:,} users instead of {open_one.effect.n_users:,}")
    if not ways:
        return "A decision is not within reach of more seeds or more users."
    return f"If the effect stays as it is, {' or '.join(ways)} would decide it."


def _missingness(verdict: "Verdict", things: str) -> str:
    """Whether knowing which items have the modality may alone explain a gain without content."""
    shuffle, mean = verdict.without_content, verdict.missingness
    if shuffle is None or mean is None or shuffle.state != "above" or mean.state is None:
        return ""
    if mean.state == "above":
        number = _against(mean, f"with the average {things} in every item that has them", 0.0)
        return (
            f"Which items have {things} does not alone explain the gain without content: with "
            f"shuffled {things} it is {number}."
        )
    if mean.state == "undecided":
        return (
            f"Whether the gain without content comes from which items have {things} is undecided."
        )
    return (
        f"Which items have {things} may alone explain the gain without content: shuffled {things} "
        f"do no better than the average {things} in every item that has them."
    )
