"""Ways to explain, each with what it is, what it needs, and why a model may not have it."""

from collections.abc import Callable
from dataclasses import dataclass

from mmrec_core.explanations.additive import splits_by_history, splits_by_neighbour
from mmrec_core.explanations.counterfactual import modalities_at_inference
from mmrec_core.explanations.gradients import gradient_reason
from mmrec_core.explanations.subject import Subject
from mmrec_core.registry import Registry


@dataclass(frozen=True)
class Explanation:
    """One way to explain a recommendation.

    Attributes:
        name: In code, commands and addresses.
        title: On screen.
        question: What it answers, a sentence.
        exact: True where its numbers are the model's own, not an estimate.
        reference: Source.
        reason: Subject -> why it has none, a sentence; empty where it has.
    """

    name: str
    title: str
    question: str
    exact: bool
    reference: str
    reason: Callable[[Subject], str]

    def is_compatible(self, subject: Subject) -> bool:
        """Whether a recommender can be explained so."""
        return not self.reason(subject)


METHODS: Registry[Explanation] = Registry("explanation")


def _split(subject: Subject) -> str:
    model = subject.model
    if model.splits_score_exactly:
        return ""
    if not model.features_at_inference:
        return (
            f"{model.title} has no modality term: content shapes its embeddings in training, and "
            "the score reads no features."
        )
    return (
        f"{model.title} multiplies content with everything else, so no part of its score belongs "
        "to one modality. What it loses without one is below."
    )


def _by_history(subject: Subject) -> str:
    if splits_by_history(subject):
        return ""
    if subject.model.reads_history:
        return f"{subject.model.title}'s score is no sum over the history."
    return _no_history(subject)


def _by_neighbour(subject: Subject) -> str:
    if splits_by_neighbour(subject):
        return "" if subject.model.features else "This run was trained without content."
    return f"{subject.model.title} has no item graph whose neighbours add up to a score."


def _no_history(subject: Subject) -> str:
    model = subject.model
    if model.reads_history:
        return ""
    if (not model.seeded and not model.uses) or model.name == "random":
        return f"{model.title} does not read the user's history."
    return (
        f"{model.title} learned one embedding for each user and does not read the history when it "
        "scores; only training again could forget an item."
    )


def _counterfactual(subject: Subject) -> str:
    model = subject.model
    if not model.uses:
        return f"{model.title} reads no content."
    if not model.features_at_inference:
        return (
            f"{model.title} reads no features when it scores, so another picture changes nothing."
        )
    if not model.features:
        return "This run was trained without content."
    if not modalities_at_inference(subject):
        return "This run reads one-hot ids in place of features; there is nothing to exchange."
    return ""


def _always(subject: Subject) -> str:
    return ""


for _made in (
    Explanation(
        "score-split",
        "Score split",
        "Which part of the model the score comes from.",
        True,
        "spec of each model; docs/explanations.md",
        _split,
    ),
    Explanation(
        "history-split",
        "Split by history",
        "Which items of the user's history carry the score.",
        True,
        "one step of propagation, or R S, written as a sum",
        _by_history,
    ),
    Explanation(
        "neighbour-split",
        "Split by content neighbour",
        "Through which look-alikes the picture and the words act.",
        True,
        "item graph of FREEDOM and LATTICE, written as a sum",
        _by_neighbour,
    ),
    Explanation(
        "history-left-out",
        "One left out",
        "What the score would be had the user not taken an item.",
        True,
        "exact propagation without the edge",
        _no_history,
    ),
    Explanation(
        "counterfactual",
        "Another picture, other words",
        "What the rank would be with another item's picture or words.",
        True,
        "scored anew with the features edited",
        _counterfactual,
    ),
    Explanation(
        "modality-left-out",
        "A modality less",
        "What the score loses when the item has no picture, or no words.",
        True,
        "scored anew with the features removed",
        _counterfactual,
    ),
    Explanation(
        "integrated-gradients",
        "Integrated gradients",
        "How much each modality's vector adds, where the score has no exact split.",
        False,
        "Sundararajan, Taly, Yan, ICML 2017",
        gradient_reason,
    ),
    Explanation(
        "shared-attributes",
        "Shared attributes",
        "What the item shares with the history: evidence, not cause.",
        False,
        "IDF-weighted overlap; it does not look at the model",
        _always,
    ),
):
    METHODS.register(_made.name, _made)
