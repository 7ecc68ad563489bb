"""Items whose vectors are equal or nearly so."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from mmrec_core.alignment.spaces import BLOCK, as_space, row_numbers, unit
from mmrec_core.domain import InputError

THRESHOLD = 0.99
PAIRS = 1_000
_ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class Duplicates:
    """Equal and nearly equal items of one space.

    Attributes:
        pairs: The nearest pairs, nearest first: ``a`` and ``b`` (rows, a < b), ``cosine``,
            ``exact`` (the vectors are equal value by value), ``group``.
        n_pairs: All pairs at the threshold or above, listed or not.
        n_exact: Items of which another has the very same vector.
        groups: [n_items] number of the item's group, from 0; -1: no other item is near. Two items
            are in one group when a chain of pairs joins them, listed or not.
        threshold: Smallest cosine of a pair.
    """

    pairs: pd.DataFrame
    n_pairs: int
    n_exact: int
    groups: np.ndarray
    threshold: float

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return int(self.groups.max(initial=-1)) + 1


def duplicates(X: np.ndarray, threshold: float = THRESHOLD, limit: int = PAIRS) -> Duplicates:
    """Finds pairs of items with a cosine at or above a threshold, in blocks of rows.

    Rows of zeros have no direction and are in no pair.

    Args:
        X: [n, d].
        threshold: Smallest cosine, above 0 and at most 1.
        limit: Pairs listed at most; all are counted and grouped.

    Returns:
        See ``Duplicates``.

    Raises:
        InputError: X is no space, or the threshold does not fit.
    """
    space = as_space(X)
    if not 0 < threshold <= 1:
        raise InputError(f"The threshold is {threshold}; a cosine above 0 and at most 1 is needed.")
    n = len(space)
    _, number = row_numbers(space)
    rows = unit(space).astype(np.float32)
    labels = np.arange(n)
    count = 0
    kept = np.empty((0, 2), dtype=np.int64), np.empty(0, dtype=np.float32)
    for start in range(0, n, BLOCK):
        # Only the columns after the row: each pair once.
        cosine = rows[start : start + BLOCK] @ rows[start:].T
        a, b = np.nonzero(np.triu(cosine >= threshold - _ROUNDING, 1))
        if not len(a):
            continue
        count += len(a)
        found, pairs = cosine[a, b], np.stack([a + start, b + start], axis=1)
        labels = _joined(labels, pairs)
        pairs, found = np.concatenate([kept[0], pairs]), np.concatenate([kept[1], found])
        best = np.lexsort((pairs[:, 1], pairs[:, 0], -found))[:limit]
        kept = pairs[best], found[best]
    sizes = np.bincount(labels, minlength=n)
    groups = np.full(n, -1)
    together = sizes[labels] > 1
    groups[together] = np.unique(labels[together], return_inverse=True)[1]
    pairs, found = kept
    table = pd.DataFrame(
        {
            "a": pairs[:, 0],
            "b": pairs[:, 1],
            "cosine": np.minimum(found, 1.0),
            "exact": number[pairs[:, 0]] == number[pairs[:, 1]],
            "group": groups[pairs[:, 0]],
        }
    )
    equal = np.bincount(number)[number] > 1
    return Duplicates(table, count, int(equal.sum()), groups, threshold)


def _joined(labels: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Labels of the components after the pairs are added to those that the labels stand for."""
    n = len(labels)
    row = np.concatenate([np.arange(n), pairs[:, 0]])
    column = np.concatenate([labels, pairs[:, 1]])
    graph = sparse.csr_matrix((np.ones(len(row), dtype=bool), (row, column)), shape=(n, n))
    component = connected_components(graph, directed=False)[1]
    # A label is a row: the first of its component.
    first = np.full(n, n)
    np.minimum.at(first, component, np.arange(n))
    return np.asarray(first[component])
