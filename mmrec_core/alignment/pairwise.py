"""Matrices of all pairs of a space's items, and how two of them agree under a permutation."""

import numpy as np

from mmrec_core.alignment.spaces import centred, isometric, unit
from mmrec_core.domain import InputError

DIGITS = 10
"""Of distances relative to the largest: what rounding alone tells apart must not be ranked."""
_PART = 64  # rows gathered at a time; small enough for the cache


def squared_distances(space: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances [n, n] float64, exactly 0 on the diagonal."""
    rows = isometric(centred(space))
    result = rows @ rows.T
    own = result.diagonal().copy()
    result *= -2.0
    result += own[:, None]
    result += own
    np.maximum(result, 0.0, out=result)
    np.fill_diagonal(result, 0.0)
    return np.asarray(result)


def distances(space: np.ndarray, distance: str) -> np.ndarray:
    """Distances [n, n] float64 in the order that ranks need.

    Args:
        space: [n, d].
        distance: ``correlation`` (1 - Pearson of two rows), ``cosine``, or ``euclidean``, which is
            left squared.

    Raises:
        InputError: No such distance.
    """
    if distance == "euclidean":
        return squared_distances(space)
    if distance not in ("correlation", "cosine"):
        raise InputError(
            f"There is no distance {distance!r}. Known: correlation, cosine, euclidean."
        )
    rows = unit(space - space.mean(axis=1, keepdims=True) if distance == "correlation" else space)
    result = rows @ rows.T
    np.subtract(1.0, result, out=result)
    return np.asarray(result)


def rank_matrix(values: np.ndarray) -> np.ndarray:
    """Ranks of the pairs i < j as a symmetric matrix, centred and of Frobenius norm 1.

    The inner product of two such matrices is Spearman's correlation of the two upper triangles.

    Args:
        values: [n, n], symmetric; the diagonal is not looked at.

    Returns:
        float32 [n, n], zero on the diagonal; ties share their mean rank.

    Raises:
        InputError: All pairs have the same value.
    """
    from scipy.stats import rankdata

    n = len(values)
    above = np.triu(np.ones((n, n), dtype=bool), 1)
    upper = values[above]
    largest = float(np.abs(upper).max(initial=0.0))
    if largest > 0:
        upper = np.round(upper / largest, DIGITS)
    ranks = rankdata(upper)
    ranks -= ranks.mean()
    norm = np.sqrt(2.0) * np.linalg.norm(ranks)
    if norm == 0:
        raise InputError("All pairs of items are equally far apart: there is nothing to rank.")
    result = np.zeros((n, n), dtype=np.float32)
    result[above] = ranks / norm
    result += result.T
    return result


def inner(a: np.ndarray, b: np.ndarray, order: np.ndarray | None = None) -> float:
    """Sum over i, j of a_ij b_ij, or of a_ij b_(order i, order j).

    Args:
        a: Symmetric, float32 [n, n].
        b: As ``a``.
        order: [n] permutation; None: rows as they are.
    """
    n = len(a)
    total = 0.0
    for start in range(0, n, _PART):
        stop = min(start + _PART, n)
        # Symmetric: the columns left of the block have been counted with the rows above.
        mine = a[start:stop, start:]
        if order is None:
            other = b[start:stop, start:]
        else:
            other = np.take(b[order[start:stop]], order[start:], axis=1)
        width = stop - start
        # Within a row in float32, across rows in float64.
        square = np.einsum("ij,ij->i", mine[:, :width], other[:, :width])
        rest = np.einsum("ij,ij->i", mine[:, width:], other[:, width:])
        total += float(square.sum(dtype=np.float64) + 2 * rest.sum(dtype=np.float64))
    return total
