"""Exact additive splits of one score: by part, by history item, by content neighbour."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mmrec_core.explanations.subject import Subject

TOLERANCE = 1e-5
"""Parts sum to the score within this, times max(1, |score|)."""


@dataclass(frozen=True, eq=False)
class ScoreSplit:
    """One score and the parts that it is the sum of.

    Attributes:
        score: Of the item for the user.
        average: Mean score of the items ranked for the user.
        table: part, value (sums to ``score``), average (mean of the part over the items ranked
            for the user), against_average (sums to score - average): why this item and not others.
    """

    score: float
    average: float
    table: pd.DataFrame


def split_score(subject: Subject, user: int, item: int) -> ScoreSplit:
    """The score of an item as a sum of what each part of the model adds.

    Parts are ``collaborative``, each modality, ``popularity`` (an item bias), of MMGCN also pairs
    ``image x text``; ``whole`` where nothing of the score belongs to one modality.
    """
    parts = subject.parts(user)
    ranked = subject.ranked_items(user)
    table = pd.DataFrame(
        {
            "part": list(parts),
            "value": [values[item] for values in parts.values()],
            "average": [values[ranked].mean() for values in parts.values()],
        }
    )
    table["against_average"] = table["value"] - table["average"]
    return ScoreSplit(float(table["value"].sum()), float(table["average"].sum()), table)


def splits_by_history(subject: Subject) -> bool:
    """Whether the score is a sum over the user's history."""
    return hasattr(subject.model, "history_parts") or hasattr(subject.model, "user_terms")


def split_by_history(subject: Subject, user: int, item: int) -> pd.DataFrame:
    """What each item of the history adds to a score; exact, all other nodes held fixed.

    Returns:
        history (item number; -1 for what is not the history's: the user's own embedding, the
        item's bias), value; the values sum to the score. The largest come first.
    """
    model = subject.model
    if hasattr(model, "history_parts"):
        history, values = model.history_parts(user, item)
        own = 0.0
    else:
        history, terms, rest = model.user_terms(user)  # type: ignore[attr-defined]
        # All parts of such a model share the user's row.
        column = np.sum([v[item] for u, v in subject.factors.values() if u is not None], axis=0)
        values, own = terms @ column, float(rest @ column)
        own += sum(float(v[item]) for u, v in subject.factors.values() if u is None)
    table = pd.DataFrame({"history": history, "value": np.asarray(values, dtype=np.float64)})
    table = table.sort_values("value", ascending=False, kind="stable")
    if own:
        table = pd.concat([table, pd.DataFrame({"history": [-1], "value": [own]})])
    return table.reset_index(drop=True)


def splits_by_neighbour(subject: Subject) -> bool:
    """Whether modalities act through neighbours in an item graph, each with a share of its own."""
    return hasattr(subject.model, "item_terms")


def split_by_neighbour(subject: Subject, user: int, item: int) -> pd.DataFrame:
    """What each content neighbour of an item adds to its score, by modality; exact.

    Returns:
        modality, neighbour (item number), value; the values of a modality sum to its part.
    """
    terms = subject.model.item_terms(item)  # type: ignore[attr-defined]
    frames = []
    for modality, (neighbours, rows) in terms.items():
        users, _ = subject.factors[modality]
        assert users is not None
        values = np.asarray(rows, dtype=np.float64) @ users[user]
        frames.append(
            pd.DataFrame({"modality": modality, "neighbour": neighbours, "value": values})
        )
    if not frames:
        return pd.DataFrame({"modality": [], "neighbour": [], "value": []})
    table = pd.concat(frames)
    return table.sort_values("value", ascending=False, kind="stable").reset_index(drop=True)
