"""Mutual k nearest neighbours: do items have the same items around them?

Spaces of attributes or categories hold many equal vectors. A list that broke such ties by a fixed
order of items would break them alike in two spaces, and unrelated spaces would share neighbours.
So a tie at the k-th place is not broken: the places left are divided among all tied items.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from mmrec_core.alignment.measures import Measure
from mmrec_core.alignment.spaces import BLOCK, unit
from mmrec_core.domain import InputError

K = 10
DIGITS = 6
"""Cosines are rounded to this many digits: equal vectors must tie on any machine."""


def cosine_blocks(rows: np.ndarray) -> Iterator[np.ndarray]:
    """Blocks of rows of the cosines of unit rows, float32, rounded, -inf for the item itself."""
    rows = rows.astype(np.float32)
    for start in range(0, len(rows), BLOCK):
        block = np.round(rows[start : start + BLOCK] @ rows.T, DIGITS)
        block[np.arange(len(block)), start + np.arange(len(block))] = -np.inf
        yield block


@dataclass(frozen=True, eq=False)
class Memberships:
    """How much each item is among the k most similar of each other one.

    Attributes:
        weights: CSR [n, n], columns ascending: 1 for items above the k-th similarity; items that
            tie at the k-th place share what is left of k. Rows add up to k, or to the number of
            possible neighbours if that is smaller.
        k: Neighbours.
    """

    weights: sparse.csr_matrix
    k: int

    @cached_property
    def total(self) -> float:
        """Sum of all memberships."""
        return float(self.weights.data.sum())

    def pairs(self, order: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows, columns and weights; with ``order`` those of the items taken in that order."""
        start, length = self.weights.indptr, np.diff(self.weights.indptr)
        column, weight = self.weights.indices, self.weights.data
        if order is not None:
            length = length[order]
            shift = start[order] - (np.cumsum(length) - length)
            taken = np.arange(len(column)) + np.repeat(shift, length)
            place = np.empty_like(order)
            place[order] = np.arange(len(order))
            column, weight = place[column[taken]], weight[taken]
        return np.repeat(np.arange(len(length)), length), column, weight

    @cached_property
    def keys(self) -> np.ndarray:
        """Each pair as one number, ascending."""
        row, column, _ = self.pairs()
        return np.asarray(row * np.int64(self.weights.shape[0]) + column)


def memberships(blocks: Iterable[np.ndarray], n: int, k: int) -> Memberships:
    """Neighbourhoods of n items.

    Args:
        blocks: Consecutive rows of an [n, n] matrix of similarities; -inf is never a neighbour.
        n: Items.
        k: Neighbours.

    Raises:
        InputError: k is not between 1 and n - 1.
    """
    if not 1 <= k < n:
        raise InputError(f"{n} items have up to {n - 1} neighbours each; k is {k}.")
    parts = []
    for block in blocks:
        floor = -np.partition(-block, k - 1, axis=1)[:, k - 1 : k]
        above = block > floor
        level = (block == floor) & (block > -np.inf)
        tied = np.maximum(level.sum(axis=1), 1)
        share = np.minimum((k - above.sum(axis=1)) / tied, 1.0)
        row, column = np.nonzero(above | level)
        weight = np.where(above[row, column], 1.0, share[row])
        parts.append(sparse.csr_matrix((weight, (row, column)), shape=(len(block), n)))
    return Memberships(sparse.vstack(parts, format="csr"), k)


def shared_membership(x: Memberships, y: Memberships, order: np.ndarray | None = None) -> float:
    """Sum of the smaller membership over all pairs, with y's items taken in ``order``."""
    row, column, weight = y.pairs(order)
    wanted = row * np.int64(y.weights.shape[0]) + column
    at = np.searchsorted(x.keys, wanted).clip(max=len(x.keys) - 1)
    found = x.keys[at] == wanted
    return float(np.minimum(x.weights.data[at], weight)[found].sum())


def _value(x: Memberships, y: Memberships, order: np.ndarray | None = None) -> float:
    return shared_membership(x, y, order) / (x.weights.shape[0] * x.k)


def mutual_knn(X: np.ndarray, Y: np.ndarray, k: int = K) -> float:
    """Mean share of an item's k nearest (cosine, without itself) that both spaces agree on.

    mean_i |N_X(i) ∩ N_Y(i)| / k. Where several items tie at the k-th place, each is in the
    neighbourhood to the same fraction, and an intersection counts the smaller fraction.

    Args:
        X: [n, d1].
        Y: [n, d2], the same items.
        k: Neighbours of each item, below n.

    Returns:
        0 to 1. Unrelated spaces without ties reach ``chance_overlap(n, k)``.

    Raises:
        InputError: They cannot be compared, or k does not fit.
    """
    return _measure(k)(X, Y)


def chance_overlap(n: int, k: int = K) -> float:
    """Expected mutual kNN of unrelated spaces without ties: k / (n - 1)."""
    return k / (n - 1)


def _measure(k: int) -> Measure:
    def prepare(space: np.ndarray) -> Memberships:
        return memberships(cosine_blocks(unit(space)), len(space), k)

    return Measure(
        "mutual_knn",
        f"Mutual {k} nearest neighbours",
        f"m_{k}NN",
        "similarity",
        (0.0, 1.0),
        "Huh, Cheung, Wang, Isola, The Platonic Representation Hypothesis, ICML 2024",
        f"Share of an item's {k} nearest items (cosine) that both spaces agree on.",
        prepare,
        _value,
        mutual_knn,
        quadratic=True,
    )


MUTUAL_KNN = _measure(K)
