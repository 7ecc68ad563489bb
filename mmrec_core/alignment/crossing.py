"""Retrieval across modalities, prepared for galleries: every query's rank and what it found."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mmrec_core.alignment.retrieval import CUTOFFS, retrieval_ranks, retrieved, ridge_map

SHARED, RIDGE, CHANCE = "shared space", "ridge map", "chance"
FOUND = 5
"""First finds kept of every query."""

TABLE = (
    "space_a",
    "space_b",
    "method",
    "query",
    "target",
    "k",
    "recall",
    "mrr",
    "median_rank",
    "n",
)


@dataclass(frozen=True, eq=False)
class Crossing:
    """How the items of two spaces find each other.

    Attributes:
        method: SHARED or RIDGE.
        rows: [n] items that were measured, rows of the catalogue; none of them was fitted on.
        ranks: {direction: [n]} rank of each item's own counterpart; ``forth`` and ``back``.
        found: {direction: [n, FOUND]} rows of the catalogue that each query found first.
        n_fitted: Items that the maps, or the shared space, were fitted on.
    """

    method: str
    rows: np.ndarray
    ranks: dict[str, np.ndarray]
    found: dict[str, np.ndarray]
    n_fitted: int


def cross_by_ridge(
    first: np.ndarray,
    second: np.ndarray,
    rows: np.ndarray,
    seed: int,
    held_out: np.ndarray | None = None,
) -> Crossing:
    """Through linear maps fitted on one half of the items and measured on the other.

    Args:
        first: [n_items, d1].
        second: [n_items, d2].
        rows: Items that both spaces hold.
        seed: Of the halves.
        held_out: [n_items] bool; items to measure on, in place of a random half.
    """
    own = ridge_map(first[rows], second[rows], seed, None if held_out is None else held_out[rows])
    held = rows[own.held]
    pairs = {"forth": (own.forth, own.y), "back": (own.back, own.x)}
    return _crossed(RIDGE, held, pairs, len(own.fitted))


def cross_in_shared(
    first: np.ndarray, second: np.ndarray, rows: np.ndarray, n_fitted: int
) -> Crossing:
    """In one space, on items that it was not fitted on.

    Args:
        first: [n_items, d].
        second: [n_items, d].
        rows: Held-out items that both sides hold.
        n_fitted: Pairs it was fitted on.
    """
    a, b = first[rows], second[rows]
    return _crossed(SHARED, rows, {"forth": (a, b), "back": (b, a)}, n_fitted)


def _crossed(
    method: str,
    rows: np.ndarray,
    pairs: dict[str, tuple[np.ndarray, np.ndarray]],
    n_fitted: int,
) -> Crossing:
    every = np.arange(len(rows))
    return Crossing(
        method,
        rows,
        {way: retrieval_ranks(a, b) for way, (a, b) in pairs.items()},
        {way: rows[retrieved(a, b, every, FOUND)[0]] for way, (a, b) in pairs.items()},
        n_fitted,
    )


def recalls(crossings: Sequence[Crossing], names: Sequence[str]) -> list[dict[str, object]]:
    """Rows of TABLE for one pair of spaces, chance included.

    Args:
        crossings: Of the two spaces, all on the same items.
        names: Of the first and the second space.
    """
    found: list[dict[str, object]] = []
    n = len(crossings[0].rows)
    for way, (query, target) in (("forth", names), ("back", tuple(reversed(names)))):
        measured = [(own.method, own.ranks[way], own.n_fitted) for own in crossings]
        for method, ranks, fitted in (*measured, (CHANCE, np.arange(1, n + 1), 0)):
            found += [
                {
                    "space_a": names[0],
                    "space_b": names[1],
                    "method": method,
                    "query": query,
                    "target": target,
                    "k": k,
                    "recall": float((ranks <= k).mean()),
                    "mrr": float((1.0 / ranks).mean()),
                    "median_rank": float(np.median(ranks)),
                    "n": n,
                    "n_fitted": fitted,
                }
                for k in CUTOFFS
            ]
    return found


def hits_table(crossing: Crossing) -> pd.DataFrame:
    """One row a query and direction: row, way, rank, found_1 ... (rows of the catalogue)."""
    parts = []
    for way, ranks in crossing.ranks.items():
        found = crossing.found[way]
        columns = {f"found_{i + 1}": found[:, i] for i in range(found.shape[1])}
        parts.append(pd.DataFrame({"row": crossing.rows, "way": way, "rank": ranks, **columns}))
    return pd.concat(parts, ignore_index=True)
