"""Which items lists are made of: spread over the catalogue, popularity, novelty.

Item degrees are numbers of training interactions. PAD entries of lists are no items.
"""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from mmrec_core.metrics.ranking import CUTOFFS, PAD, relevance_of

HEAD_SHARE = 0.8
"""Share of the training interactions that the head items hold."""


def item_counts(lists: np.ndarray, n_items: int) -> np.ndarray:
    """How often each item is recommended, [n_items] int64."""
    return np.bincount(lists[lists != PAD], minlength=n_items)


def coverage(counts: np.ndarray) -> tuple[int, float]:
    """Number and share of the items that are recommended at least once."""
    found = int(np.count_nonzero(counts))
    return found, found / len(counts)


def gini(counts: np.ndarray) -> float:
    """Gini index of the counts c_(1) <= ... <= c_(I).

    G = sum_i (2i - I - 1) c_(i) / ((I - 1) sum_i c_i): 0 where all items are recommended equally
    often, 1 where only one item is. (Some libraries divide by I, some print 1 - G.) NaN where
    nothing is recommended or there is one item only.
    """
    n = len(counts)
    total = counts.sum()
    if n < 2 or total == 0:
        return float("nan")
    weights = 2 * np.arange(1, n + 1) - n - 1
    return float((weights * np.sort(counts)).sum() / ((n - 1) * total))


def entropy(counts: np.ndarray) -> float:
    """Shannon entropy of the share of each item among all recommendations, in bits."""
    total = counts.sum()
    if total == 0:
        return float("nan")
    share = counts[counts > 0] / total
    return float(abs((share * np.log2(share)).sum()))


def tail_items(degrees: np.ndarray, head_share: float = HEAD_SHARE) -> np.ndarray:
    """True for items outside the head, [n_items] bool.

    The head is the fewest items that together hold at least ``head_share`` of the interactions;
    among equally popular items at its border those that come first in the catalogue are in it.
    """
    order = np.argsort(-degrees, kind="stable")
    held = np.cumsum(degrees[order])
    head = int(np.searchsorted(held, head_share * degrees.sum())) + 1 if degrees.sum() else 0
    tail = np.ones(len(degrees), dtype=bool)
    tail[order[:head]] = False
    return tail


def _mean_over_list(values: np.ndarray, lists: np.ndarray) -> np.ndarray:
    """Mean of the listed items' values, [n_users]; NaN for an empty list."""
    there = lists != PAD
    count = there.sum(axis=1)
    total = np.where(there, values[lists], 0.0).sum(axis=1)
    return np.asarray(total / np.where(count > 0, count, np.nan))


def arp(lists: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """Average recommendation popularity: mean degree of the listed items, [n_users]."""
    return _mean_over_list(degrees.astype(float), lists)


def aplt(lists: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """Average share of long-tail items in the list (see `tail_items`), [n_users]."""
    return _mean_over_list(tail_items(degrees).astype(float), lists)


def _discounted_novelty(
    novelty: np.ndarray, lists: np.ndarray, relevant: sparse.csr_matrix | None
) -> np.ndarray:
    """sum_r d_r rel_r novelty(i_r) / sum_r d_r over the ranks that hold an item."""
    there = lists != PAD
    weight = there / np.log2(np.arange(2, lists.shape[1] + 2))
    norm = weight.sum(axis=1)
    norm = np.where(norm > 0, norm, np.nan)
    if relevant is not None:
        weight = weight * relevance_of(lists, relevant)[0]
        norm = np.where(np.diff(relevant.indptr) > 0, norm, np.nan)
    return np.asarray((weight * novelty[lists]).sum(axis=1) / norm)


def epc(
    lists: np.ndarray,
    degrees: np.ndarray,
    n_train_users: int,
    relevant: sparse.csr_matrix | None = None,
) -> np.ndarray:
    """Expected popularity complement (Vargas, Castells 2011), [n_users].

    EPC = sum_{r<=k} d_r rel_r (1 - |U_i| / |U|) / sum_{r<=k} d_r, with i the item at rank r,
    d_r = 1 / log2(r + 1), |U_i| the item's degree and |U| the number of training users.
    rel_r is 1 for relevant items and 0 for others; without ``relevant`` it is 1 throughout.
    Users without relevant items get NaN.
    """
    return _discounted_novelty(1.0 - degrees / n_train_users, lists, relevant)


def efd(
    lists: np.ndarray,
    degrees: np.ndarray,
    relevant: sparse.csr_matrix | None = None,
) -> np.ndarray:
    """Expected free discovery (Vargas, Castells 2011), [n_users], in bits.

    As `epc` with the novelty -log2(|U_i| / sum_j |U_j|). An item that was never seen in training
    counts as seen once: its novelty would be infinite.
    """
    share = np.maximum(degrees, 1) / max(int(degrees.sum()), 1)
    return _discounted_novelty(-np.log2(share), lists, relevant)


def catalogue_qualities(
    lists: np.ndarray, n_items: int, ks: Sequence[int] = CUTOFFS
) -> dict[str, float]:
    """Qualities of all lists together: coverage, coverage_share, gini, entropy at each k."""
    values: dict[str, float] = {}
    for k in ks:
        counts = item_counts(_cut(lists, k), n_items)
        found, share = coverage(counts)
        values[f"coverage@{k}"] = float(found)
        values[f"coverage_share@{k}"] = share
        values[f"gini@{k}"] = gini(counts)
        values[f"entropy@{k}"] = entropy(counts)
    return values


def list_qualities(
    lists: np.ndarray,
    degrees: np.ndarray,
    n_train_users: int,
    relevant: sparse.csr_matrix | None = None,
    ks: Sequence[int] = CUTOFFS,
) -> dict[str, np.ndarray]:
    """Qualities of each user's list: arp, aplt, epc, efd at each k.

    Args:
        lists: [n_users, K] item indices, best first.
        degrees: [n_items] training interactions of each item.
        n_train_users: Number of users with training interactions.
        relevant: CSR [n_users, n_items] for epc and efd; None: relevance is left out of them.
        ks: Cut-offs, none above K.

    Returns:
        ``name@k`` -> [n_users] float64; NaN for empty lists and, where ``relevant`` is given, for
        epc and efd of users without relevant items.
    """
    values: dict[str, np.ndarray] = {}
    for k in ks:
        cut = _cut(lists, k)
        values[f"arp@{k}"] = arp(cut, degrees)
        values[f"aplt@{k}"] = aplt(cut, degrees)
        values[f"epc@{k}"] = epc(cut, degrees, n_train_users, relevant)
        values[f"efd@{k}"] = efd(cut, degrees, relevant)
    return values


def _cut(lists: np.ndarray, k: int) -> np.ndarray:
    """The first k entries of each list."""
    if not 1 <= k <= lists.shape[1]:
        raise ValueError(f"cut-off {k} does not fit lists of length {lists.shape[1]}")
    return lists[:, :k]
