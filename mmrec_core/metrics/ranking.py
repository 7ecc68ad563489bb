"""Full ranking of all items, and the quality of the top of it.

Everything is computed from the top-k lists alone: no score matrix is kept.
"""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from mmrec_core.domain import InputError

CUTOFFS = (5, 10, 20, 50)
"""Every cut-off that is kept of every run."""

PAD = -1
"""Fills a list of a user who has fewer than k items left to rank."""

_BLOCK = 1 << 21  # entries ranked at once: 16 MiB of keys
_EXCLUDED = np.iinfo(np.int64).min  # below the key of every score, -inf included


def random_tie_rank(n_items: int, seed: int) -> np.ndarray:
    """Seeded random order of items in which ties are broken, [n_items] int32."""
    return np.random.default_rng([seed, n_items]).permutation(n_items).astype(np.int32)


def top_k(
    scores: np.ndarray,
    exclude: sparse.csr_matrix | None,
    k: int,
    tie_rank: np.ndarray,
) -> np.ndarray:
    """The k best items of each user among all that are not excluded.

    Score and tie rank are packed into one int64 whose order is the wanted order, so the result
    is exact, whatever the number of ties: descending score, then ascending tie rank. Zero and
    minus zero are equal; an item scored -inf is ranked last, not left out.

    Args:
        scores: [n_users, n_items], taken as float32.
        exclude: CSR [n_users, n_items]; every stored entry is left out. None: nothing is.
        k: Length of the lists.
        tie_rank: [n_items] int32, a permutation; among equal scores the smaller comes first.

    Returns:
        [n_users, k] int32 item indices, best first, PAD where no item is left.

    Raises:
        InputError: A score is NaN.
    """
    scores = np.asarray(scores, dtype=np.float32)
    if scores.ndim != 2:
        raise ValueError(f"scores must be [n_users, n_items], not of shape {scores.shape}")
    n_users, n_items = scores.shape
    if k < 1:
        raise ValueError(f"k is {k}; a list holds at least one item")
    if exclude is not None and exclude.shape != scores.shape:
        raise ValueError(f"scores are {scores.shape}, the exclusions {exclude.shape}")
    tie_rank = np.asarray(tie_rank)
    item_at = np.full(n_items, PAD, dtype=np.int32)
    if tie_rank.shape == (n_items,) and n_items and 0 <= tie_rank.min() <= tie_rank.max() < n_items:
        item_at[tie_rank] = np.arange(n_items, dtype=np.int32)
    if (item_at == PAD).any():
        raise ValueError(f"tie_rank is not a permutation of {n_items} items")
    low = (n_items - 1 - tie_rank).astype(np.int64)
    exclude = None if exclude is None else sparse.csr_matrix(exclude)

    lists = np.full((n_users, k), PAD, dtype=np.int32)
    kept = min(k, n_items)
    block = max(1, _BLOCK // max(1, n_items))
    for start in range(0, n_users, block):
        rows = slice(start, min(start + block, n_users))
        keys = _sortable(scores[rows])
        keys <<= 32
        keys |= low
        if exclude is not None:
            bounds = exclude.indptr[rows.start : rows.stop + 1]
            row = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
            keys[row, exclude.indices[bounds[0] : bounds[-1]]] = _EXCLUDED
        if kept < n_items:
            keys.partition(n_items - kept, axis=1)
        best = np.sort(keys[:, n_items - kept :], axis=1)[:, ::-1]
        items = item_at[n_items - 1 - (best & 0xFFFFFFFF).clip(max=n_items - 1)]
        lists[rows, :kept] = np.where(best == _EXCLUDED, PAD, items)
    return lists


def _sortable(scores: np.ndarray) -> np.ndarray:
    """int64 in the order of float32 scores (IEEE 754 bits, negative numbers turned round)."""
    if np.isnan(scores).any():
        raise InputError(
            "The model's scores hold NaN, so items cannot be ranked; its training diverged: "
            "lower the learning rate."
        )
    bits = (scores + np.float32(0.0)).view(np.int32)  # -0 + 0 is +0
    return (bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF))).astype(np.int64)


def graded_gain(ratings: np.ndarray) -> np.ndarray:
    """Gain of relevant entries: 3 from a rating of 5 on, else 1 (also where no ratings are).

    With relevance from a rating of 4 on, whole stars give 2^(rating - 3) - 1.
    """
    return np.where(np.asarray(ratings) >= 5, 3.0, 1.0)


def evaluate_lists(
    lists: np.ndarray,
    relevant: sparse.csr_matrix,
    ks: Sequence[int] = CUTOFFS,
) -> dict[str, np.ndarray]:
    """Quality of each user's list at each cut-off.

    With rel_r = 1 where the item at rank r is relevant, R the number of the user's relevant
    items, and d_r = 1 / log2(r + 1):

    - recall: sum_{r<=k} rel_r / R
    - ndcg: sum_{r<=k} rel_r d_r / sum_{r<=min(k,R)} d_r
    - ndcg_graded: the same with the gains of `graded_gain`, over the best possible k gains
    - hr: 1 where any rel_r = 1, r <= k
    - mrr: 1 / rank of the first relevant item, 0 where it lies below k
    - map: sum_{r<=k} rel_r precision@r / R (trec_eval's denominator: R, not min(k, R))

    Args:
        lists: [n_users, K] item indices, best first; PAD counts as not relevant.
        relevant: CSR [n_users, n_items]; every stored entry is relevant, its data is the rating.
        ks: Cut-offs, none above K.

    Returns:
        ``name@k`` -> [n_users] float64; NaN for users without relevant items.
    """
    lists = np.asarray(lists)
    hits, gains = relevance_of(lists, relevant)
    n_users, width = lists.shape
    if not ks or min(ks) < 1 or max(ks) > width:
        raise ValueError(f"cut-offs {tuple(ks)} do not fit lists of length {width}")
    n_relevant = np.diff(relevant.indptr).astype(float)
    denominator = np.where(n_relevant > 0, n_relevant, np.nan)

    discount = 1.0 / np.log2(np.arange(2, width + 2))
    found = np.cumsum(hits, axis=1)
    precision = np.cumsum(hits * found / np.arange(1, width + 1), axis=1)
    dcg = np.cumsum(hits * discount, axis=1)
    dcg_graded = np.cumsum(gains * discount, axis=1)
    ideal = np.concatenate([[0.0], np.cumsum(discount)])
    first = np.where(hits.any(axis=1), hits.argmax(axis=1) + 1, width + 1)

    # Rank of each relevant entry in its user's ideal list.
    user = np.repeat(np.arange(n_users), np.diff(relevant.indptr))
    possible = graded_gain(relevant.data)
    order = np.lexsort((-possible, user))
    possible = possible[order]
    rank = np.arange(len(user)) - relevant.indptr[user]

    values: dict[str, np.ndarray] = {}
    for k in ks:
        seen = rank < k
        weights = possible[seen] * discount[rank[seen]]
        ideal_graded = np.bincount(user[seen], weights=weights, minlength=n_users)
        ideal_binary = ideal[np.minimum(n_relevant, k).astype(int)]
        skipped = np.isnan(denominator)
        values[f"recall@{k}"] = found[:, k - 1] / denominator
        values[f"ndcg@{k}"] = dcg[:, k - 1] / np.where(skipped, np.nan, ideal_binary)
        values[f"ndcg_graded@{k}"] = dcg_graded[:, k - 1] / np.where(skipped, np.nan, ideal_graded)
        values[f"hr@{k}"] = np.where(skipped, np.nan, first <= k)
        values[f"mrr@{k}"] = np.where(skipped, np.nan, (first <= k) / first)
        values[f"map@{k}"] = precision[:, k - 1] / denominator
    return values


def relevance_of(lists: np.ndarray, relevant: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """Relevance [n_users, K] bool and graded gain [n_users, K] float64 of listed items."""
    n_users, n_items = relevant.shape
    if lists.ndim != 2 or len(lists) != n_users:
        raise ValueError(f"lists are {lists.shape}, the relevant items {relevant.shape}")
    if not np.issubdtype(lists.dtype, np.integer):
        raise ValueError(f"lists hold {lists.dtype}, not item indices")
    if lists.size and not PAD <= lists.min() <= lists.max() < n_items:
        raise ValueError(f"lists name items outside 0..{n_items - 1}")
    in_order = np.sort(lists, axis=1)
    if ((in_order[:, 1:] == in_order[:, :-1]) & (in_order[:, 1:] != PAD)).any():
        raise ValueError("a list holds an item twice")

    user = np.repeat(np.arange(n_users), np.diff(relevant.indptr))
    keys = user * np.int64(n_items) + relevant.indices
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    if (keys[1:] == keys[:-1]).any():
        raise ValueError("a user's relevant items hold an item twice")
    if not len(keys):
        return np.zeros(lists.shape, dtype=bool), np.zeros(lists.shape)
    wanted = np.arange(n_users)[:, None] * np.int64(n_items) + lists
    at = np.searchsorted(keys, wanted.ravel()).clip(max=len(keys) - 1).reshape(lists.shape)
    hits = (keys[at] == wanted) & (lists != PAD)
    return hits, np.where(hits, graded_gain(relevant.data)[order][at], 0.0)
