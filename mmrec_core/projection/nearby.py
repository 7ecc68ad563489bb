"""An item's neighbours in a space, and the items that two spaces disagree about most."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mmrec_core.domain import Progress, no_progress
from mmrec_core.neighbours import nearest_neighbours
from mmrec_core.projection.plane import unit_length
from mmrec_core.projection.vectors import Vectors

K = 10


def nearest_items(vectors: Vectors, row: int, k: int = K) -> tuple[np.ndarray, np.ndarray]:
    """The k items nearest to one by cosine, and their cosines; empty where it has no direction.

    Args:
        vectors: The space.
        row: Of the item.
        k: At most so many.
    """
    if not vectors.directed[row]:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    return nearest_to(vectors, vectors.matrix[row], k, without=row)


def nearest_to(
    vectors: Vectors, vector: np.ndarray, k: int = K, without: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The k items nearest to a vector by cosine, and their cosines.

    Args:
        vectors: The space.
        vector: [d]
        k: At most so many.
        without: Row of an item that is left out.
    """
    length = np.linalg.norm(vectors.matrix, axis=1) * np.linalg.norm(vector)
    product = vectors.matrix @ vector
    cosine = np.divide(product, length, out=np.full(len(product), -np.inf), where=length > 0)
    cosine[~vectors.directed] = -np.inf
    if without is not None:
        cosine[without] = -np.inf
    there = int(np.isfinite(cosine).sum())
    best = np.argsort(-cosine, kind="stable")[: min(k, there)]
    return best, cosine[best]


def neighbour_lists(vectors: Vectors, k: int = K, progress: Progress = no_progress) -> np.ndarray:
    """The k nearest items of every item by cosine, int32 [n_items, k], -1 where there is none."""
    rows = np.zeros(vectors.matrix.shape, dtype=np.float32)
    rows[vectors.directed] = unit_length(vectors.matrix[vectors.directed])
    return nearest_neighbours(rows, vectors.directed, k, centre=False, progress=progress)


def common_space(vectors: Vectors, other: Vectors, kept: np.ndarray | None = None) -> Vectors:
    """A space without the items that another lacks, so that neighbours can be compared.

    Args:
        vectors: The space.
        other: The other space, of the same items.
        kept: [n_items] bool; items that may be looked at, such as held-out ones; None: all.
    """
    both = vectors.directed & other.directed
    if kept is not None:
        both = both & kept
    if bool((both == vectors.directed).all()):
        return vectors
    return Vectors(vectors.item_ids, vectors.matrix, both)


@dataclass(frozen=True)
class Agreement:
    """How much of their neighbourhoods two spaces share, beside what shuffled items share.

    Attributes:
        mean: Share of the k nearest that both spaces hold, mean over items.
        chance: The same where items are paired at random, k / (n - 1).
        spread: Standard error of ``mean`` under chance (items taken as independent).
        k: Neighbours that count.
        n: Items in both spaces.
    """

    mean: float
    chance: float
    spread: float
    k: int
    n: int

    @property
    def told(self) -> bool:
        """Whether the two agree more than three standard errors above chance."""
        return self.mean > self.chance + 3 * self.spread


def agreement(table: pd.DataFrame, k: int = K) -> Agreement | None:
    """Sums ``disagreement`` of two spaces of the same items up; None where fewer than four."""
    n = len(table)
    if n < 4:
        return None
    k = min(k, n - 1)
    share = k / (n - 1)
    # Hypergeometric: k drawn of n - 1, of which k are marked.
    variance = k * share * (1 - share) * (n - 1 - k) / max(1, n - 2) / k**2
    spread = float(np.sqrt(max(variance, 0.0) / n))
    return Agreement(float(table["overlap"].mean()), share, spread, k, n)


def disagreement(first: np.ndarray, second: np.ndarray) -> pd.DataFrame:
    """Items by how little their neighbours in two spaces overlap, the least first.

    Args:
        first: Of ``neighbour_lists`` in one space.
        second: In the other, with as many columns.

    Returns:
        row, overlap (share of the k neighbours that both lists hold); items that lack neighbours
        in either space are left out.
    """
    both = np.flatnonzero((first[:, 0] >= 0) & (second[:, 0] >= 0))
    hits = np.zeros(len(both), dtype=np.int64)
    for start in range(0, len(both), 65_536):
        part = both[start : start + 65_536]
        a, b = first[part], second[part]
        same = (a[:, :, None] == b[:, None, :]) & (a >= 0)[:, :, None]
        hits[start : start + len(part)] = same.any(axis=2).sum(axis=1)
    there = np.minimum((first[both] >= 0).sum(axis=1), (second[both] >= 0).sum(axis=1))
    table = pd.DataFrame({"row": both, "overlap": hits / np.maximum(there, 1)})
    return table.sort_values("overlap", kind="stable").reset_index(drop=True)
