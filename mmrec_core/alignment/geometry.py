"""The shape of one space: how many dimensions it uses, how evenly, and whether it has hubs."""

from collections.abc import Callable
from typing import TypedDict

import numpy as np

from mmrec_core.alignment.spaces import BLOCK, as_space, centred, row_numbers, sample_rows, unit
from mmrec_core.domain import InputError
from mmrec_core.neighbours import nearest_neighbours

HUB_K = 10
SAMPLE = 5_000
_KEPT = 0.9  # of TwoNN: the largest ratios bend away from the line
_FEWEST = 10


class Geometry(TypedDict):
    """All numbers about one space; names as in GEOMETRY.

    Attributes:
        n: Items.
        n_used: Items that quadratic numbers were computed on.
        sampled: Whether that is fewer.
        n_distinct: Different vectors among all items.
        width: Columns.
    """

    n: int
    n_used: int
    sampled: bool
    n_distinct: int
    width: int
    two_nn: float
    participation_ratio: float
    effective_rank: float
    hubness_cosine: float
    anti_hubs_cosine: float
    hubness_euclidean: float
    anti_hubs_euclidean: float
    anisotropy: float
    anisotropy_centred: float
    uniformity: float


def euclidean_neighbours(space: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest other rows by Euclidean distance.

    Args:
        space: [n, d] float64.
        k: Neighbours, at most n - 1.

    Returns:
        (rows [n, k], distances [n, k]), nearest first; equal distances in any order.
    """
    rows = centred(space)
    n = len(rows)
    own = np.einsum("ij,ij->i", rows, rows)
    where, far = np.empty((n, k), dtype=np.int64), np.empty((n, k))
    for start in range(0, n, BLOCK):
        mine = rows[start : start + BLOCK]
        squares = own[None, :] - 2.0 * (mine @ rows.T)
        squares[np.arange(len(mine)), start + np.arange(len(mine))] = np.inf
        near = np.argpartition(squares, k - 1, axis=1)[:, :k]
        # Exactly, one neighbour at a time: products lose the digits of small distances.
        exact = np.stack(
            [np.linalg.norm(mine - rows[near[:, place]], axis=1) for place in range(k)], axis=1
        )
        order = np.argsort(exact, axis=1, kind="stable")
        where[start : start + BLOCK] = np.take_along_axis(near, order, axis=1)
        far[start : start + BLOCK] = np.take_along_axis(exact, order, axis=1)
    return where, far


def two_nn(X: np.ndarray) -> float:
    """TwoNN intrinsic dimension.

    With μ the ratio of the distances to the second and the first neighbour, F_i = i / n over the
    sorted ratios: the slope through the origin of -log(1 - F) on log μ, least squares over the
    first 90 %. Equal rows count once.

    Args:
        X: [n, d], at least 10 different rows.

    Returns:
        Above 0. Noise that fills all columns is underestimated from about 10 dimensions on.

    Raises:
        InputError: X is no space, or has too few different rows.
    """
    space = as_space(X)
    space = space[np.sort(row_numbers(space)[0])]
    n = len(space)
    if n < _FEWEST:
        raise InputError(f"TwoNN needs {_FEWEST} different vectors or more; there are {n}.")
    _, far = euclidean_neighbours(space, 2)
    ratio = np.sort(far[:, 1] / far[:, 0])[: int(_KEPT * n)]
    x = np.log(ratio)
    y = -np.log1p(-np.arange(1, len(ratio) + 1) / n)
    if not (x @ x) > 0:
        raise InputError(
            "Every item is as far from its second neighbour as from its first: TwoNN has no slope."
        )
    return float((x @ y) / (x @ x))


def participation_ratio(X: np.ndarray) -> float:
    """(Σλ)^2 / Σλ^2 of the eigenvalues of the covariance.

    Args:
        X: [n, d].

    Returns:
        1 (all variance on one line) to min(n - 1, d).

    Raises:
        InputError: X is no space.
    """
    rows = centred(as_space(X))
    rows /= np.linalg.norm(rows)
    # The smaller of the two Gram matrices; the norm of either is that of the eigenvalues.
    gram = rows.T @ rows if rows.shape[1] <= len(rows) else rows @ rows.T
    return float(1.0 / np.einsum("ij,ij->", gram, gram))


def effective_rank(X: np.ndarray) -> float:
    """Exponential of the entropy of the centred matrix's singular values, scaled to sum 1.

    Args:
        X: [n, d].

    Returns:
        1 to min(n - 1, d).

    Raises:
        InputError: X is no space.
    """
    rows = centred(as_space(X))
    gram = rows.T @ rows if rows.shape[1] <= len(rows) else rows @ rows.T
    values = np.sqrt(np.linalg.eigvalsh(gram).clip(min=0.0))
    share = values / values.sum()
    share = share[share > 0]
    return float(np.exp(-(share * np.log(share)).sum()))


def hub_counts(X: np.ndarray, k: int = HUB_K, distance: str = "cosine") -> np.ndarray:
    """N_k: how often each item is among the k nearest of another.

    Args:
        X: [n, d].
        k: Neighbours, below n.
        distance: ``cosine`` or ``euclidean``.

    Returns:
        [n] int64; the mean is k.

    Raises:
        InputError: X is no space, k does not fit, or there is no such distance.
    """
    space = as_space(X)
    n = len(space)
    if not 1 <= k < n:
        raise InputError(f"{n} items have up to {n - 1} neighbours each; k is {k}.")
    if distance == "cosine":
        near = nearest_neighbours(space, np.ones(n, dtype=bool), k, centre=False)
    elif distance == "euclidean":
        near = euclidean_neighbours(space, k)[0]
    else:
        raise InputError(f"There is no distance {distance!r}. Known: cosine, euclidean.")
    return np.bincount(near[near >= 0], minlength=n)


def hubness(X: np.ndarray, k: int = HUB_K, distance: str = "cosine") -> float:
    """Skewness of N_k (see ``hub_counts``): above 0 a few items are near to very many.

    Args:
        X: [n, d].
        k: Neighbours, below n.
        distance: ``cosine`` or ``euclidean``; the two differ much, so say which.

    Returns:
        Any number; 0 where every item is a neighbour equally often.

    Raises:
        InputError: As ``hub_counts``.
    """
    return _skewness(hub_counts(X, k, distance))


def anti_hubs(X: np.ndarray, k: int = HUB_K, distance: str = "cosine") -> float:
    """Share of items with N_k = 0; arguments as ``hubness``."""
    return float((hub_counts(X, k, distance) == 0).mean())


def anisotropy(X: np.ndarray) -> float:
    """Mean cosine over all pairs of different items, exactly, from the sum of the unit rows.

    Args:
        X: [n, d].

    Returns:
        -1 / (n - 1) to 1.

    Raises:
        InputError: X is no space.
    """
    return _mean_cosine(as_space(X))


def uniformity(X: np.ndarray) -> float:
    """Logarithm of the mean over all pairs of different items of exp(-2 ||x^_i - x^_j||^2).

    Args:
        X: [n, d]; O(n^2 d), in blocks.

    Returns:
        -8 (all pairs opposite, for two items) to 0 (all directions equal).

    Raises:
        InputError: X is no space.
    """
    rows = unit(as_space(X))
    own = np.einsum("ij,ij->i", rows, rows)
    total = 0.0
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        squares = own[start : start + BLOCK, None] + own - 2.0 * (block @ rows.T)
        total += float(np.exp(-2.0 * squares.clip(min=0.0)).sum())
    n = len(rows)
    # Each item with itself is exp(0) = 1.
    return float(np.log((total - n) / (n * (n - 1))))


def geometry(X: np.ndarray, sample: int = SAMPLE, seed: int = 0) -> Geometry:
    """All numbers about one space.

    Args:
        X: [n, d].
        sample: Items at most for the quadratic numbers.
        seed: Of the sample.

    Returns:
        See ``Geometry``; a number that does not exist for this space (too few items, no direction
        left) is NaN.

    Raises:
        InputError: X is no space.
    """
    space = as_space(X)
    rows = sample_rows(len(space), sample, seed)
    part = space[rows]
    cosine, euclidean = (_hubs(part, distance) for distance in ("cosine", "euclidean"))
    return Geometry(
        n=len(space),
        n_used=len(rows),
        sampled=len(rows) < len(space),
        n_distinct=len(row_numbers(space)[0]),
        width=space.shape[1],
        two_nn=_or_nan(two_nn, part),
        participation_ratio=participation_ratio(space),
        effective_rank=effective_rank(space),
        hubness_cosine=cosine[0],
        anti_hubs_cosine=cosine[1],
        hubness_euclidean=euclidean[0],
        anti_hubs_euclidean=euclidean[1],
        anisotropy=_mean_cosine(space),
        anisotropy_centred=_mean_cosine(centred(space)),
        uniformity=_or_nan(uniformity, part),
    )


def _mean_cosine(space: np.ndarray) -> float:
    rows = unit(space)
    total = rows.sum(axis=0)
    n = len(rows)
    return float((total @ total - np.einsum("ij,ij->", rows, rows)) / (n * (n - 1)))


def _skewness(counts: np.ndarray) -> float:
    away = counts - counts.mean()
    spread = float(np.sqrt((away**2).mean()))
    return float((away**3).mean() / spread**3) if spread > 0 else 0.0


def _hubs(space: np.ndarray, distance: str) -> tuple[float, float]:
    """Skewness of N_k and share of anti-hubs; NaN where there are not k neighbours."""
    try:
        counts = hub_counts(space, HUB_K, distance)
    except InputError:
        return float("nan"), float("nan")
    return _skewness(counts), float((counts == 0).mean())


def _or_nan(function: Callable[[np.ndarray], float], space: np.ndarray) -> float:
    try:
        return function(space)
    except InputError:
        return float("nan")
