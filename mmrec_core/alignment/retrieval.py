"""Does an item's vector of one modality find the same item's vector of the other?"""

from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from mmrec_core.alignment.spaces import BLOCK, as_pair, check_shared, unit
from mmrec_core.domain import InputError

CUTOFFS = (1, 5, 10)
ALPHAS = (1e-1, 1e0, 1e1, 1e2, 1e3, 1e4)
"""Ridge penalties to choose from, for standardised columns."""
_TIE = 1e-6  # cosines in float32 that differ by less are equal
_FEWEST = 20


class Scores(TypedDict):
    """How well queries find their own item: R@1, R@5, R@10, mean reciprocal and median rank."""

    r_at_1: float
    r_at_5: float
    r_at_10: float
    mrr: float
    median_rank: float


class Retrieval(TypedDict):
    """Both directions beside the expectation of a random order.

    Attributes:
        n: Queries, and candidates.
        x_to_y: Queries from X among all rows of Y.
        y_to_x: The reverse.
        chance: Of a random order, the same for both.
    """

    n: int
    x_to_y: Scores
    y_to_x: Scores
    chance: Scores


class RidgeRetrieval(Retrieval):
    """Retrieval in unlike spaces, on items that the map between them has not seen.

    Attributes:
        n_fitted: Items that the maps were fitted on.
        alpha_x_to_y: Chosen penalty of the map from X to Y.
        alpha_y_to_x: Of the reverse map.
    """

    n_fitted: int
    alpha_x_to_y: float
    alpha_y_to_x: float


def retrieval_ranks(X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """Rank of each item's own row of Y when its row of X asks, by cosine.

    rank_i = 1 + #{j != i: s_ij >= s_ii}: ties count against the item. Blocks of rows only.

    Args:
        X: [n, d], the queries.
        Y: [n, d], the candidates, in the same space.

    Returns:
        [n] int64 from 1 to n.

    Raises:
        InputError: They cannot be compared.
    """
    x, y = _unit_pair(X, Y)
    ranks = np.empty(len(x), dtype=np.int64)
    for start in range(0, len(x), BLOCK):
        scores = x[start : start + BLOCK] @ y.T
        rows = np.arange(len(scores))
        own = scores[rows, start + rows][:, None]
        # The item itself is among those counted: it is the 1 of the rank.
        ranks[start : start + BLOCK] = (scores >= own - _TIE).sum(axis=1)
    return ranks


def retrieved(
    X: np.ndarray, Y: np.ndarray, queries: np.ndarray, k: int = 10
) -> tuple[np.ndarray, np.ndarray]:
    """What some rows of X find first in Y.

    Args:
        X: [n, d].
        Y: [n, d], in the same space.
        queries: [q] rows of X.
        k: Rows wanted; fewer where there are fewer.

    Returns:
        (rows of Y [q, k], best first, their cosines [q, k] float32).

    Raises:
        InputError: They cannot be compared.
    """
    x, y = _unit_pair(X, Y)
    k, queries = min(k, len(y)), np.asarray(queries)
    rows = np.empty((len(queries), k), dtype=np.int64)
    cosines = np.empty((len(queries), k), dtype=np.float32)
    for start in range(0, len(queries), BLOCK):
        part = slice(start, start + BLOCK)
        scores = x[queries[part]] @ y.T
        near = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        found = np.take_along_axis(scores, near, axis=1)
        order = np.argsort(-found, axis=1, kind="stable")
        rows[part] = np.take_along_axis(near, order, axis=1)
        cosines[part] = np.take_along_axis(found, order, axis=1)
    return rows, cosines


def retrieval(X: np.ndarray, Y: np.ndarray) -> Retrieval:
    """Retrieval across modalities in one space, both directions, over all items.

    Args:
        X: [n, d].
        Y: [n, d], the same items in the same space.

    Returns:
        See ``Retrieval``. R@k falls as the catalogue grows: compare with ``chance``.

    Raises:
        InputError: They cannot be compared.
    """
    return _both(retrieval_ranks(X, Y), retrieval_ranks(Y, X))


def ridge_retrieval(X: np.ndarray, Y: np.ndarray, seed: int = 0) -> RidgeRetrieval:
    """Retrieval between spaces of different models, through a linear map.

    A ridge regression is fitted on a random half of the items, its penalty by leave-one-out
    within that half; mapped rows of the other half then search among that half's own rows, both
    centred on the first half's mean. Each direction has its own map.

    Args:
        X: [n, d1].
        Y: [n, d2], the same items.
        seed: Of the halves.

    Returns:
        See ``RidgeRetrieval``; n is the number of items in the second half.

    Raises:
        InputError: They cannot be compared, or there are fewer than 20 items.
    """
    own = ridge_map(X, Y, seed)
    return RidgeRetrieval(
        **_both(retrieval_ranks(own.forth, own.y), retrieval_ranks(own.back, own.x)),
        n_fitted=len(own.fitted),
        alpha_x_to_y=own.alpha_forth,
        alpha_y_to_x=own.alpha_back,
    )


@dataclass(frozen=True, eq=False)
class RidgeMap:
    """Two linear maps between the spaces of different models, and items they have not seen.

    Attributes:
        fitted: Rows that the maps were fitted on.
        held: Rows of the other half, in the order of the matrices below.
        x: [n_held, d1] held rows of X, centred on the mean of the fitted ones.
        y: [n_held, d2] held rows of Y, centred so.
        forth: [n_held, d2] held rows of X in the space of Y.
        back: [n_held, d1] held rows of Y in the space of X.
        alpha_forth: Chosen penalty of the map from X to Y.
        alpha_back: Of the reverse map.
    """

    fitted: np.ndarray
    held: np.ndarray
    x: np.ndarray
    y: np.ndarray
    forth: np.ndarray
    back: np.ndarray
    alpha_forth: float
    alpha_back: float


def ridge_map(
    X: np.ndarray, Y: np.ndarray, seed: int = 0, held_out: np.ndarray | None = None
) -> RidgeMap:
    """The maps that ``ridge_retrieval`` measures; its arguments and errors.

    Args:
        X: [n, d1].
        Y: [n, d2], the same items.
        seed: Of the halves.
        held_out: [n] bool; True for items that the maps are not fitted on. None: a random half.
    """
    x, y = as_pair(X, Y)
    if len(x) < _FEWEST:
        raise InputError(f"A map between spaces needs {_FEWEST} items or more; there are {len(x)}.")
    if held_out is None:
        dealt = np.random.default_rng([seed, len(x)]).permutation(len(x))
        fitted, held = np.sort(dealt[: len(x) // 2]), np.sort(dealt[len(x) // 2 :])
    else:
        fitted, held = np.flatnonzero(~held_out), np.flatnonzero(held_out)
        if min(len(fitted), len(held)) < _FEWEST // 2:
            raise InputError(
                f"A map between spaces needs {_FEWEST // 2} items to be fitted on and as many held "
                f"out; there are {len(fitted)} and {len(held)}."
            )
    forth, alpha_forth = _mapped(x, y, fitted, held)
    back, alpha_back = _mapped(y, x, fitted, held)
    return RidgeMap(
        fitted,
        held,
        x[held] - x[fitted].mean(axis=0),
        y[held] - y[fitted].mean(axis=0),
        forth,
        back,
        alpha_forth,
        alpha_back,
    )


def _mapped(
    x: np.ndarray, y: np.ndarray, fitted: np.ndarray, held: np.ndarray
) -> tuple[np.ndarray, float]:
    """Held rows of x mapped to centred y, and the penalty chosen.

    One decomposition serves all penalties, as in scikit-learn's RidgeCV, which gives the same but
    decomposes the taller matrix.
    """
    mean, scale = x[fitted].mean(axis=0), x[fitted].std(axis=0)
    scale[scale == 0] = 1.0
    known, wanted = (x[fitted] - mean) / scale, y[fitted] - y[fitted].mean(axis=0)
    values, vectors = np.linalg.eigh(known.T @ known)
    known = known @ vectors
    product = known.T @ wanted
    errors, leverage = [], known**2
    for alpha in ALPHAS:
        shrunk = 1.0 / (values.clip(min=0.0) + alpha)
        # Error of each row had it been left out; 1 / n is the mean's own leverage.
        kept = 1.0 - leverage @ shrunk - 1.0 / len(fitted)
        left_out = (wanted - known @ (shrunk[:, None] * product)) / kept[:, None]
        errors.append(np.einsum("ij,ij->", left_out, left_out))
    alpha = ALPHAS[int(np.argmin(errors))]
    weights = vectors @ (product / (values.clip(min=0.0) + alpha)[:, None])
    return (x[held] - mean) / scale @ weights, alpha


def _unit_pair(X: np.ndarray, Y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y = as_pair(X, Y)
    check_shared(x, y)
    return unit(x).astype(np.float32), unit(y).astype(np.float32)


def _both(forth: np.ndarray, back: np.ndarray) -> Retrieval:
    n = len(forth)
    return Retrieval(
        n=n, x_to_y=_scores(forth), y_to_x=_scores(back), chance=_scores(np.arange(1, n + 1))
    )


def _scores(ranks: np.ndarray) -> Scores:
    first, five, ten = (float((ranks <= k).mean()) for k in CUTOFFS)
    return Scores(
        r_at_1=first,
        r_at_5=five,
        r_at_10=ten,
        mrr=float((1.0 / ranks).mean()),
        median_rank=float(np.median(ranks)),
    )
