"""Where an effect lies: the same comparisons over parts of the users or of the items.

Exploratory: a slice never makes a verdict. Each slicing is one Holm family of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mmrec_core.metrics.beyond_accuracy import tail_items
from mmrec_core.metrics.ranking import relevance_of
from mmrec_core.metrics.significance import compare, holm
from mmrec_core.store import Artefact
from mmrec_core.studies.evidence import Pair, Runs, metric_of, pairs_of, side_by_side
from mmrec_core.studies.inputs import Inputs
from mmrec_core.studies.study import Arm, Study

KINDS = ("used", "gained")
LARGEST_CATEGORIES = 8
FEWEST_USERS = 20
"""A slice with fewer users that have a relevant item in it says nothing and is left out."""

COLUMNS = [
    "slicing", "slice", "recommender", "modality", "kind", "metric", "effect", "relative",
    "relative_low", "relative_high", "base_mean", "p", "p_adjusted", "n_users", "n_items", "seeds",
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Slicing:
    """A division of users or of items into groups.

    Attributes:
        name: ``activity``, ``popularity``, ``category``, ``cold``, ``image`` or ``text``.
        labels: Of the groups.
        users: [n_users] group of each user, -1 for none; None where items are divided.
        items: [n_items] group of each item, -1 for none; None where users are divided.
    """

    name: str
    labels: tuple[str, ...]
    users: np.ndarray | None = None
    items: np.ndarray | None = None


def slicings_of(inputs: Inputs) -> list[Slicing]:
    """Every division that this dataset and split allow.

    - activity: users in thirds by their number of train interactions (equal numbers together)
    - popularity: the fewest items that hold 80 % of the train interactions, and the tail
    - cold: items with and without train interactions, where some have none
    - category: the first category of each item, the largest eight by test interactions
    - image, text: items with and without it, where some lack it
    """
    split = inputs.split
    degree_u = np.diff(split.train.indptr)
    degree_i = split.train_degree
    found: list[Slicing] = []
    edges = np.unique(np.quantile(degree_u, [1 / 3, 2 / 3], method="inverted_cdf"))
    users = np.searchsorted(edges, degree_u, side="left")
    if len(np.unique(users)) > 1:
        bounds = [*edges.astype(int), int(degree_u.max())]
        lows = [int(degree_u.min()), *(edge + 1 for edge in bounds[:-1])]
        labels = tuple(
            f"{a} to {b} interactions" if a < b else f"{a} interactions"
            for a, b in zip(lows, bounds, strict=True)
        )
        found.append(Slicing("activity", labels, users=users))
    tail = tail_items(degree_i.astype(np.float64))
    found.append(Slicing("popularity", ("head (80 % of interactions)", "tail"), items=tail * 1))
    cold = degree_i == 0
    if cold.any() and not cold.all():
        labels = ("with train interactions", "without (cold)")
        found.append(Slicing("cold", labels, items=cold * 1))
    category = _categories(inputs)
    if category is not None:
        found.append(category)
    for modality, embeddings in inputs.features.items():
        if embeddings.missing.any() and embeddings.observed.any():
            labels = (f"with {modality}", f"without {modality}")
            found.append(Slicing(modality, labels, items=embeddings.missing * 1))
    return found


def _categories(inputs: Inputs) -> Slicing | None:
    split, items = inputs.split, inputs.dataset.items
    separator = inputs.dataset.info.category_separator
    named = items.set_index("item_id")["category"].reindex(split.item_ids).fillna("")
    first = named.str.split(separator, regex=False).str[0].str.strip() if separator else named
    of_test = first.to_numpy()[split.relevant("test").indices]
    counted = pd.Series(of_test[of_test != ""]).value_counts()
    if len(counted) < 2:
        return None
    labels = tuple(sorted(counted.index[:LARGEST_CATEGORIES]))
    return Slicing("category", labels, items=pd.Index(labels).get_indexer(pd.Index(first)))


def slice_table(study: Study, inputs: Inputs, runs: Runs) -> pd.DataFrame:
    """Used and gained of every recommender and modality in every slice.

    Users are divided as they are, at the study's metric. Where items are divided, a user's Recall
    counts the relevant test items of the slice alone, at the study's k, out of the same lists over
    all items.

    Returns:
        COLUMNS, one row a slice and comparison; adjusted p within each slicing.
    """
    pairs = [pair for pair in pairs_of(study, list(runs)) if pair.kind in KINDS]
    k = int(study.metric.partition("@")[2])
    arms = {arm for pair in pairs for arm in (pair.arm, pair.base)}
    whole = {arm: metric_of(runs[arm], study.metric, study.seeds) for arm in arms}
    hits = {arm: [_hits(run, inputs, k) for run in runs[arm]] for arm in arms}
    relevant = inputs.split.relevant("test")
    frames = []
    for slicing in slicings_of(inputs):
        rows = []
        for number, label in enumerate(slicing.labels):
            if slicing.users is not None:
                chosen = slicing.users == number
                values = {arm: own[chosen] for arm, own in whole.items()}
                n_items, metric = inputs.split.n_items, study.metric
            else:
                assert slicing.items is not None
                inside = slicing.items == number
                total = np.asarray(relevant[:, inside].getnnz(axis=1), dtype=np.float64)
                total[total == 0] = np.nan
                values = {
                    arm: side_by_side(
                        [(hit & inside[at]).sum(axis=1) / total for hit, at in own], study.seeds
                    )
                    for arm, own in hits.items()
                }
                n_items, metric = int(inside.sum()), f"recall@{k}"
            rows += [
                (slicing.name, label, *row, n_items)
                for row in _compared(pairs, values, metric, study.delta)
            ]
        frames.append(_adjusted(rows))
    frames = [frame for frame in frames if len(frame)]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=COLUMNS)


def _hits(run: Artefact, inputs: Inputs, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Which of a run's listed items are relevant, and which items they are, [n_users, k] each."""
    lists = np.asarray(run.array("lists"))[:, :k]
    hits, _ = relevance_of(lists, inputs.split.relevant("test"))
    return hits, np.maximum(lists, 0)


def _compared(
    pairs: Sequence[Pair], values: Mapping[Arm, np.ndarray], metric: str, delta: float
) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for pair in pairs:
        arm, base = values[pair.arm], values[pair.base]
        if np.count_nonzero(~np.isnan(arm + base).any(axis=1)) < FEWEST_USERS:
            continue
        e = compare(arm, base, delta)
        rows.append(
            (
                pair.recommender, pair.modality, pair.kind, metric, e.effect, e.relative,
                e.as_relative(e.low), e.as_relative(e.high), e.base_mean, e.p, e.n_users, e.seeds,
            )
        )  # fmt: skip
    return rows


def _adjusted(rows: Sequence[tuple[object, ...]]) -> pd.DataFrame:
    """Rows of one slicing as a table, with p adjusted over all of them."""
    names = [c for c in COLUMNS if c not in ("p_adjusted", "n_items")] + ["n_items"]
    table = pd.DataFrame(list(rows), columns=names)
    table["p_adjusted"] = holm(table["p"].to_numpy(dtype=np.float64)) if len(table) else []
    return table[COLUMNS].astype(
        dict.fromkeys(("relative", "relative_low", "relative_high", "p_adjusted"), float)
    )
