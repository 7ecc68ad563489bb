"""How much two recommendation lists of the same user agree.

Everything is computed for all users at once from top-k lists, with PAD where a list ends early.
"""

from collections.abc import Callable, Mapping

import numpy as np

from mmrec_core.metrics.ranking import PAD

PERSISTENCE = 0.9
"""Default p of RBO: a reader goes on to the next rank with this probability."""


def _places(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rank (from 0) of each entry of one list in the other, k where it is not in it.

    Args:
        first: [n, k] item numbers, each at most once in a row.
        second: As ``first``.

    Returns:
        (ranks of the first's items in the second, the reverse), [n, k] int64; PAD entries get k.
    """
    if first.shape != second.shape or first.ndim != 2:
        raise ValueError(
            f"lists must be [n, k] of the same shape, not {first.shape} and {second.shape}"
        )
    n, k = first.shape
    # Each (row, item) as one number; both lists are looked up in the other's sorted numbers.
    width = int(max(first.max(initial=0), second.max(initial=0))) + 2
    rows = np.arange(n)[:, None] * width

    def numbered(lists: np.ndarray) -> np.ndarray:
        return np.where(lists == PAD, width - 1, lists) + rows

    def ranks(of: np.ndarray, among: np.ndarray) -> np.ndarray:
        flat = among.ravel()
        order = np.argsort(flat, kind="stable")
        at = np.minimum(np.searchsorted(flat[order], of.ravel()), len(flat) - 1)
        found = flat[order][at] == of.ravel()
        place = np.where(found, order[at] % k, k).reshape(of.shape)
        return np.asarray(place)

    one, other = numbered(first), numbered(second)
    return (
        np.where(first == PAD, k, ranks(one, other)),
        np.where(second == PAD, k, ranks(other, one)),
    )


def _shared(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    k = first.shape[1]
    return np.asarray((_places(first, second)[0] < k).sum(axis=1))


def _lengths(lists: np.ndarray) -> np.ndarray:
    return np.asarray((lists != PAD).sum(axis=1))


def overlap(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Overlap@k: items that both lists hold, divided by the longer list's length.

    Args:
        first: [n_users, k] item numbers, best first, PAD where the list has ended.
        second: As ``first``.

    Returns:
        [n_users] float64 from 0 to 1; NaN where both lists are empty.
    """
    longest = np.maximum(_lengths(first), _lengths(second))
    return _divided(_shared(first, second), longest)


def jaccard(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Jaccard@k: items in both lists divided by items in either; arguments as ``overlap``."""
    both = _shared(first, second)
    return _divided(both, _lengths(first) + _lengths(second) - both)


def rbo(first: np.ndarray, second: np.ndarray, p: float = PERSISTENCE) -> np.ndarray:
    """Rank-biased overlap, extrapolated: RBO_ext of Webber, Moffat, Zobel, TOIS 2010, eq. 32.

    With X_d the number of items that the first d ranks of both lists share, s and l the lengths of
    the shorter and the longer list:
    RBO_ext = (1 - p) / p · (Σ_{d=1..l} X_d / d · p^d + Σ_{d=s+1..l} X_s (d - s) / (s d) · p^d)
    + ((X_l - X_s) / l + X_s / s) · p^l.
    It is 1 for equal and 0 for disjoint lists; the truncated form, the first sum alone, ends at
    1 - p^k even for equal ones.

    Args:
        first: As for ``overlap``.
        second: As ``first``.
        p: Weight of depth, between 0 and 1: the higher, the deeper the comparison.

    Returns:
        [n_users] float64 from 0 to 1; NaN where both lists are empty.
    """
    if not 0 < p < 1:
        raise ValueError(f"p is {p}; it lies between 0 and 1")
    n, k = first.shape
    one = _places(first, second)[0]
    ranks = np.arange(k)
    # An item counts to X_d from the deeper of its two ranks on.
    found = one < k
    counts = np.zeros((n, k), dtype=np.int64)
    np.add.at(counts, (np.nonzero(found)[0], np.maximum(one, ranks)[found]), 1)
    agreed = counts.cumsum(axis=1)
    lengths = np.stack([_lengths(first), _lengths(second)])
    shorter, longer = lengths.min(axis=0), lengths.max(axis=0)

    def agreed_at(length: np.ndarray) -> np.ndarray:
        at = np.take_along_axis(agreed, np.maximum(length - 1, 0)[:, None], axis=1)[:, 0]
        return np.where(length > 0, at, 0)

    x_s, x_l = agreed_at(shorter), agreed_at(longer)
    share_s = np.nan_to_num(_divided(x_s, shorter))
    depth = ranks + 1
    beyond = (depth > shorter[:, None]) * share_s[:, None] * (depth - shorter[:, None])
    inside = depth <= longer[:, None]
    summed = ((agreed + beyond) / depth * p**depth * inside).sum(axis=1)
    tail = (np.nan_to_num(_divided(x_l - x_s, longer)) + share_s) * p ** longer.astype(np.float64)
    return np.where(longer > 0, (1 - p) / p * summed + tail, np.nan)


def kendall(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Kendall's tau-b over the union of two lists, an absent item tied with others at rank k + 1.

    Every item of either list has a rank in both: its own, or k + 1 (k: length of the lists) where
    the list does not hold it. tau_b = (concordant - discordant) / sqrt((n0 - t1)(n0 - t2)), n0
    all pairs, t1 and t2 the pairs tied in either list (Kendall, Biometrika 1945).

    Args:
        first: As for ``overlap``.
        second: As ``first``.

    Returns:
        [n_users] float64 from -1 to 1; NaN where it is not defined.
    """
    n, k = first.shape
    one, other = _places(first, second)
    own = np.broadcast_to(np.arange(k), (n, k))
    extra = (other == k) & (second != PAD)
    # Union: the first list, then what only the second holds.
    a = np.concatenate([np.where(first == PAD, -1, own), np.where(extra, k, -1)], axis=1)
    b = np.concatenate([np.where(first == PAD, -1, one), np.where(extra, own, -1)], axis=1)
    result = np.full(n, np.nan)
    block = max(1, 4_000_000 // (4 * k * k))
    for start in range(0, n, block):
        part = slice(start, start + block)
        result[part] = _tau_b(a[part], b[part])
    return result


def _tau_b(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """tau-b of each row's pairs (a, b); -1 marks an empty place. O(m^2) a row, m <= 2k."""
    there = a >= 0
    left, right = np.triu_indices(a.shape[1], 1)
    both = there[:, left] & there[:, right]
    signs_a = np.sign(a[:, left] - a[:, right]) * both
    signs_b = np.sign(b[:, left] - b[:, right]) * both
    difference = (signs_a * signs_b).sum(axis=1)
    free_a, free_b = np.abs(signs_a).sum(axis=1), np.abs(signs_b).sum(axis=1)
    return _divided(difference, np.sqrt(free_a.astype(np.float64) * free_b))


def _divided(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    below = np.asarray(below, dtype=np.float64)
    return np.divide(above, below, out=np.full(len(below), np.nan), where=below > 0)


AGREEMENT: Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "overlap": overlap,
    "jaccard": jaccard,
    "rbo": rbo,
    "kendall": kendall,
}
"""Measure -> function of two [n_users, k] lists."""

AGREEMENT_TITLES: Mapping[str, str] = {
    "overlap": "Overlap",
    "jaccard": "Jaccard",
    "rbo": "RBO (extrapolated, p = 0.9)",
    "kendall": "Kendall's τ-b (absent items at k + 1)",
}
