"""Over all users: lists under a control, whose lists change most, who gets an item and where."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from mmrec_core.domain import Dataset, InputError
from mmrec_core.explanations.counterfactual import modalities_at_inference
from mmrec_core.explanations.subject import LISTED, Subject
from mmrec_core.extractors import controls
from mmrec_core.metrics.agreement import overlap
from mmrec_core.studies.inputs import item_groups
from mmrec_core.studies.runs import SCORE_BLOCK, ranked

CONTROLS = ("shuffle", "gaussian-matched", "removed")
"""Controls that a trained model can be scored under at once."""


def controlled(
    subject: Subject, dataset: Dataset, modality: str, control: str, seed: int = 0
) -> Subject:
    """The same learned parameters with a modality replaced by a control in every item.

    Args:
        subject: As it was trained.
        dataset: Whose items and categories a control may group by.
        modality: Which is replaced; ``all``: each of them.
        control: One of CONTROLS.
        seed: Of the control's chance.

    Raises:
        InputError: The score reads no such features.
    """
    there = modalities_at_inference(subject)
    if modality != controls.ALL and modality not in there:
        raise InputError(
            f"{subject.model.title} reads no {modality} features when it scores, so a control of "
            "them changes nothing."
        )
    model = subject.model
    features = controls.apply(
        model.features, modality, control, seed, item_groups(dataset, model.split)
    )
    return replace(subject, model=model.with_features(features))


def lists_of_all(subject: Subject, k: int = LISTED) -> np.ndarray:
    """Lists of every user, int32 [n_users, k], PAD where one ends."""
    return ranked(subject.model, subject.split, subject.mask, k)


def most_changed(
    split_users: np.ndarray, first: np.ndarray, second: np.ndarray, n: int = 100
) -> pd.DataFrame:
    """Users whose lists differ most between two models or a model and its control.

    Args:
        split_users: Ids, [n_users].
        first: Lists, [n_users, k].
        second: As ``first``.
        n: At most so many.

    Returns:
        user (id), row, overlap (share of the list in both); the least first.
    """
    shared = overlap(first, second)
    order = np.argsort(shared, kind="stable")[:n]
    order = order[np.isfinite(shared[order])]
    return pd.DataFrame({"user": split_users[order], "row": order, "overlap": shared[order]})


def receivers(lists: np.ndarray, item: int) -> np.ndarray:
    """Users whose list holds an item, by its rank, and then by their number."""
    users, places = np.nonzero(lists == item)
    return np.asarray(users[np.lexsort((users, places))])


def item_ranks(subject: Subject, item: int) -> np.ndarray:
    """Rank of an item for every user who has not seen it, [n_users] float64, NaN for the others."""
    found = []
    scorer, split = subject.model.scorer(), subject.split
    for users in _blocks(split.n_users):
        scores = scorer(users)
        seen = subject.seen[users]
        allowed = np.ones(scores.shape, dtype=bool)
        if split.candidates is not None:
            allowed[:] = split.candidates
        allowed[seen.nonzero()] = False
        own = scores[:, [item]]
        ahead = (scores > own) | ((scores == own) & (subject.tie_rank < subject.tie_rank[item]))
        rank = 1.0 + (ahead & allowed).sum(axis=1)
        rank[~allowed[:, item]] = np.nan
        found.append(rank)
    return np.concatenate(found)


def rank_table(ranks: dict[str, np.ndarray]) -> pd.DataFrame:
    """How the ranks of an item lie over users, one row a setting.

    Returns:
        setting, n_users, first_decile, first_quartile, median, last_quartile, last_decile,
        in_top_20 (share of the users); no row where nobody could be shown the item.
    """
    rows = []
    for setting, own in ranks.items():
        known = own[np.isfinite(own)]
        if not len(known):
            continue
        spread = np.percentile(known, [10, 25, 50, 75, 90])
        rows.append((setting, len(known), *spread, float((known <= LISTED).mean())))
    columns = [
        "setting", "n_users", "first_decile", "first_quartile", "median", "last_quartile",
        "last_decile", "in_top_20",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _blocks(n: int) -> Iterator[np.ndarray]:
    for start in range(0, n, SCORE_BLOCK):
        yield np.arange(start, min(start + SCORE_BLOCK, n))
