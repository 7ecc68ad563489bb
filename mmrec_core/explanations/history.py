"""What the history does: each item left out, the smallest set that drops an item, forgetting."""

import numpy as np
import pandas as pd

from mmrec_core.domain import Progress, no_progress
from mmrec_core.explanations.subject import LISTED, Subject


def forgotten(subject: Subject, user: int, items: np.ndarray) -> Subject:
    """The subject in which a user never took ``items``; those not in the history change nothing.

    Raises:
        InputError: The model does not read histories when it scores.
    """
    return subject.with_history(user, np.setdiff1d(subject.history(user), items))


def leave_one_out(
    subject: Subject,
    user: int,
    item: int,
    history: np.ndarray | None = None,
    progress: Progress = no_progress,
) -> pd.DataFrame:
    """Score and rank of an item when the user had not taken each of the history, one at a time.

    Exact: the graph is made without that edge and propagated again; what was learned stays.

    Args:
        subject: Whose score.
        user: Row number.
        item: Item number.
        history: Of these items alone; None: of all.
        progress: Told after each.

    Returns:
        history (item number), score_change (negative where the item carried the score), rank. The
        largest falls come first.

    Raises:
        InputError: The model does not read histories when it scores.
    """
    history = subject.history(user) if history is None else history
    history = history[history != item]  # an item does not explain itself
    before, rows = float(subject.scores(user)[item]), []
    for done, one in enumerate(history, start=1):
        other = forgotten(subject, user, np.array([one]))
        scores = other.scores(user)
        # The forgotten item itself is no rival: it was never in this list.
        scores[one] = -np.inf
        rows.append((int(one), float(scores[item]) - before, other.rank(user, item, scores)))
        progress(done, len(history), "items of the history left out")
    table = pd.DataFrame(rows, columns=["history", "score_change", "rank"])
    return table.sort_values("score_change", kind="stable").reset_index(drop=True)


def smallest_set(
    subject: Subject,
    user: int,
    item: int,
    k: int = LISTED,
    order: np.ndarray | None = None,
    progress: Progress = no_progress,
) -> tuple[np.ndarray, int] | None:
    """The fewest items of the history without which an item leaves the list, greedily.

    Items are taken away one by one, the largest carrier first, until the rank is beyond ``k``;
    then each is given back that is not needed. Greedy: a smaller set may exist.

    Args:
        subject: Whose list.
        user: Row number.
        item: Item number.
        k: Length of the list.
        order: Items of the history, the largest carrier first; None: of ``leave_one_out``.
        progress: Told after each.

    Returns:
        Item numbers and the rank without them; None where the item stays on the list without any
        history.
    """
    if order is None:
        order = leave_one_out(subject, user, item, progress=progress)["history"].to_numpy()

    def rank_without(items: np.ndarray) -> int:
        other = forgotten(subject, user, items)
        scores = other.scores(user)
        scores[items] = -np.inf
        return other.rank(user, item, scores)

    # Halving finds how many of the order must go: about log2 of them are tried.
    low, high = 1, len(order)
    if not high or rank_without(order) <= k:
        return None
    while low < high:
        middle = (low + high) // 2
        if rank_without(order[:middle]) > k:
            high = middle
        else:
            low = middle + 1
    chosen = order[:low]
    for one in chosen[:-1]:
        rest = chosen[chosen != one]
        if rank_without(rest) > k:
            chosen = rest
    return chosen, rank_without(chosen)
