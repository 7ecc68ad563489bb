"""What if: another picture, other words, a modality less; scored anew, nothing is trained again."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mmrec_core.domain import InputError
from mmrec_core.explanations.subject import LISTED, Subject


@dataclass(frozen=True, eq=False)
class Change:
    """One user's score, rank and list before and after an edit.

    Attributes:
        before: Score of the item.
        after: The same after the edit.
        rank_before: Place among the items ranked for the user, from 1.
        rank_after: After the edit.
        list_before: [k] item numbers.
        list_after: [k]
    """

    before: float
    after: float
    rank_before: int
    rank_after: int
    list_before: np.ndarray
    list_after: np.ndarray


def compared(
    subject: Subject,
    edited: Subject,
    user: int,
    item: int,
    k: int = LISTED,
    forgotten: np.ndarray | None = None,
) -> Change:
    """What an edit does to an item of a user's list.

    Args:
        subject: Before.
        edited: After.
        user: Row number.
        item: Item number.
        k: Length of the lists.
        forgotten: Items of the history that the edit took away; they do not come back as rivals,
            here as in ``leave_one_out``.
    """
    one, other = subject.scores(user), edited.scores(user)
    if forgotten is not None:
        other[np.setdiff1d(forgotten, [item])] = -np.inf
    return Change(
        before=float(one[item]),
        after=float(other[item]),
        rank_before=subject.rank(user, item, one),
        rank_after=edited.rank(user, item, other),
        list_before=subject.list_of(user, k, one),
        list_after=edited.list_of(user, k, other),
    )


def modalities_at_inference(subject: Subject) -> tuple[str, ...]:
    """Modalities whose features can be edited: the score reads them, and they are vectors."""
    if not subject.model.features_at_inference:
        return ()
    features = subject.model.features
    return tuple(m for m in sorted(features) if not features[m].one_hot)


def given_from(subject: Subject, item: int, modality: str, donor: int) -> Subject:
    """The subject in which an item has another item's picture or words, or lacks them as it does.

    Raises:
        InputError: The score reads no features of the modality.
    """
    own = _features(subject, modality)
    vector = None if own.missing[donor] else own.matrix[donor]
    return subject.edited(own.with_row(item, vector))


def given_vector(subject: Subject, item: int, modality: str, vector: np.ndarray) -> Subject:
    """The subject in which an item has a vector of its own, such as of an uploaded picture.

    Raises:
        InputError: The score reads no features of the modality, or the width is another.
    """
    own = _features(subject, modality)
    vector = np.asarray(vector, dtype=np.float32).ravel()
    if vector.shape != (own.matrix.shape[1],) or not np.isfinite(vector).all():
        raise InputError(
            f"A vector of {modality} has {own.matrix.shape[1]} finite numbers here, this one has "
            f"{len(vector)}."
        )
    return subject.edited(own.with_row(item, vector))


def taken_from(subject: Subject, item: int, modality: str) -> Subject:
    """The subject in which an item lacks a modality.

    Raises:
        InputError: The score reads no features of the modality.
    """
    return subject.edited(_features(subject, modality).with_row(item, None))


def left_out(subject: Subject, user: int, item: int) -> pd.DataFrame:
    """Leave-one-modality-out: what a score and a rank lose without each modality.

    Returns:
        modality, scope (``item``: this item lacks it; ``all``: every item does), score_change,
        rank (after). A score falls where the modality carried it.
    """
    rows = []
    before = float(subject.scores(user)[item])
    for modality in modalities_at_inference(subject):
        for scope, edited in (
            ("item", taken_from(subject, item, modality)),
            ("all", subject.without(modality)),
        ):
            scores = edited.scores(user)
            rows.append(
                {
                    "modality": modality,
                    "scope": scope,
                    "score_change": float(scores[item]) - before,
                    "rank": edited.rank(user, item, scores),
                }
            )
    return pd.DataFrame(rows, columns=["modality", "scope", "score_change", "rank"])


def _features(subject: Subject, modality: str):  # type: ignore[no-untyped-def]
    if modality not in modalities_at_inference(subject):
        raise InputError(
            f"{subject.model.title} reads no {modality} features when it scores, so there is "
            "nothing to change."
        )
    return subject.model.features[modality]
