"""Do items that look or read alike go to the same users? Content against behaviour.

Behaviour is c_ij = |U_i ∩ U_j| / sqrt(|U_i| |U_j|) of the train split, U_i the users of item i.
Recommenders that smooth over a graph of alike items (LATTICE, FREEDOM) can gain from content
only as far as this holds. Popular items share users with everything, so pairs are compared with
pairs of equal popularity; and items are permuted for the null, since pairs are not independent.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from mmrec_core.alignment.calibration import PERMUTATIONS, against_null, orders
from mmrec_core.alignment.neighbourhood import (
    chance_overlap,
    cosine_blocks,
    memberships,
    shared_membership,
)
from mmrec_core.alignment.pairwise import inner, rank_matrix
from mmrec_core.alignment.spaces import BLOCK, as_space, sample_rows
from mmrec_core.domain import InputError, Progress, no_progress
from mmrec_core.neighbours import unit_rows

K = 10
SAMPLE = 5_000
BINS = 20
PAIRS = 50_000
RESAMPLES = 1_000
_FEWEST_USERS = 2
_TRIES = 30  # draws for a pair without common users before it is given up


@dataclass(frozen=True, eq=False)
class Homophily:
    """Content against behaviour.

    Attributes:
        table: One row a measure (overlap, lift, auc, mantel): ``measure``, ``value``, ``chance``
            (what unrelated content gives), ``null_low``, ``null_high`` and ``p`` of the
            permutation of items, ``low`` and ``high`` (a bootstrap interval over items, lift
            alone), ``pairs`` compared.
        n_items: Items of the catalogue.
        n_eligible: Items with content and at least two train users.
        n_used: Of these, in the sample.
        low_degree: Items with content left out for having fewer than two users.
        without_content: Items left out for having no vector.
        k: Neighbours of an item.
        bins: Popularity bins that pairs were matched in.
        unmatched: Positive pairs of the AUC left out because no pair without common users has
            the same popularity.
    """

    table: pd.DataFrame
    n_items: int
    n_eligible: int
    n_used: int
    low_degree: int
    without_content: int
    k: int
    bins: int
    unmatched: int

    @property
    def sampled(self) -> bool:
        """Whether a sample stands for the eligible items."""
        return self.n_used < self.n_eligible


def homophily(
    train: sparse.csr_matrix,
    content: np.ndarray,
    observed: np.ndarray | None = None,
    k: int = K,
    centre: bool = True,
    sample: int = SAMPLE,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
    progress: Progress = no_progress,
) -> Homophily:
    """Compares an item's content neighbours with the users it shares.

    - overlap: Σ min(content membership, behaviour membership) / Σ behaviour membership over the
      k nearest by cosine and by c; an item that shares users with fewer than k others has only
      those behaviour neighbours. Ties at the k-th place are shared, see ``neighbourhood``.
    - lift: mean c of content neighbours (i, j), divided by the mean c of (i, j') over all j' of
      j's popularity bin.
    - auc: chance that a pair with common users has the higher cosine than one without. Each pair
      (i, j) with c > 0 has a partner (i, j') with c = 0, j' drawn from j's popularity bin.
    - mantel: Spearman's correlation of cosine and c over all pairs.

    Popularity bins: up to 20 quantiles of the number of train users; equal numbers share a bin.

    Args:
        train: Binary CSR [n_users, n_items].
        content: [n_items, d].
        observed: [n_items] bool, True where the item has content; None: all have.
        k: Neighbours.
        centre: Subtract the mean of the observed vectors first, as the recommenders' graphs do.
        sample: Items at most.
        permutations: Of items, for every null.
        seed: Of sample, permutations, pairs and bootstrap.
        progress: Called before each of the four.

    Returns:
        See ``Homophily``.

    Raises:
        InputError: The two do not have the same items, fewer than k + 2 items are eligible, or
            no two of them share a user.
    """
    n_items = train.shape[1]
    observed = np.ones(len(content), dtype=bool) if observed is None else np.asarray(observed)
    if not len(content) == len(observed) == n_items:
        raise InputError(
            f"Content of {len(content)} items and train interactions of {n_items} do not fit."
        )
    binary = sparse.csc_matrix(train, dtype=np.float32)
    binary.data[:] = 1.0
    degree = np.diff(binary.indptr)
    eligible = np.flatnonzero(observed & (degree >= _FEWEST_USERS))
    if len(eligible) < k + 2:
        raise InputError(
            f"{len(eligible)} items have content and at least {_FEWEST_USERS} train users; "
            f"{k + 2} are needed for {k} neighbours."
        )
    as_space(content[eligible])
    items = eligible[sample_rows(len(eligible), sample, seed)]
    behaviour = _behaviour(binary[:, items], degree[items])
    if not behaviour.any():
        raise InputError("No two of these items share a train user: there is no behaviour to see.")
    rows = unit_rows(content, observed, centre)[items]
    pairs = _Pairs(behaviour, rows, degree[items], k, seed)
    dealt = orders(len(items), permutations, seed)

    steps = (
        ("overlap", pairs.overlap, chance_overlap(len(items), k), 1.0, pairs.near.weights.nnz),
        ("lift", pairs.lift, 1.0, np.inf, pairs.near.weights.nnz),
        ("auc", pairs.auc, 0.5, 1.0, len(pairs.left)),
        ("mantel", pairs.mantel, 0.0, 1.0, len(items) * (len(items) - 1) // 2),
    )
    table = []
    for done, (name, value, chance, bound, count) in enumerate(steps):
        progress(done, len(steps), name)
        null = np.array([value(order) for order in dealt])
        found = against_null(value(None), null, len(items), bound)
        low, high = pairs.lift_interval(seed) if name == "lift" else (np.nan, np.nan)
        table.append(
            {
                "measure": name,
                "value": found["observed"],
                "chance": chance,
                "null_low": found["null_band"][0],
                "null_high": found["null_band"][1],
                "p": found["p"],
                "low": low,
                "high": high,
                "pairs": count,
            }
        )
    progress(len(steps), len(steps), "done")
    return Homophily(
        pd.DataFrame(table),
        n_items,
        len(eligible),
        len(items),
        int((observed & (degree < _FEWEST_USERS)).sum()),
        int((~observed).sum()),
        k,
        pairs.bins,
        pairs.unmatched,
    )


def popularity_bins(degree: np.ndarray, most: int = BINS) -> np.ndarray:
    """Number of each item's popularity bin: quantiles of the degree, equal degrees together.

    Args:
        degree: [n] train users of each item.
        most: Bins at most.

    Returns:
        [n] int64 from 0, without gaps.
    """
    edges = np.unique(np.quantile(degree, np.linspace(0, 1, most + 1)[1:-1]))
    return np.asarray(np.unique(np.searchsorted(edges, degree), return_inverse=True)[1])


def _behaviour(users: sparse.csc_matrix, degree: np.ndarray) -> np.ndarray:
    """The c of all pairs, float32 [n, n], 0 on the diagonal."""
    scaled = users @ sparse.diags(1.0 / np.sqrt(degree.astype(np.float32)), dtype=np.float32)
    result = np.asarray((scaled.T @ scaled).toarray(), dtype=np.float32)
    np.fill_diagonal(result, 0.0)
    return result


class _Pairs:
    """Both similarities of all pairs, and the four measures under an order of the content."""

    def __init__(
        self, behaviour: np.ndarray, rows: np.ndarray, degree: np.ndarray, k: int, seed: int
    ) -> None:
        n = len(rows)
        self.behaviour = behaviour
        self.near = memberships(cosine_blocks(rows), n, k)
        self.together = memberships(_positive_blocks(behaviour), n, k)
        cosine = np.round(rows @ rows.T, 6)
        self.cosine = cosine
        self.bin = popularity_bins(degree)
        self.bins = int(self.bin.max()) + 1
        self.expected = self._matched()
        self.left, self.right, self.other, self.unmatched = self._matched_pairs(seed)
        self.ranks = rank_matrix(cosine), rank_matrix(behaviour)

    def _matched(self) -> np.ndarray:
        """Mean c of item i with the items of each bin but itself, [n, bins]."""
        member = np.eye(self.bins, dtype=np.float32)[self.bin]
        others = member.sum(axis=0) - member
        return np.asarray((self.behaviour @ member) / np.maximum(others, 1.0))

    def _matched_pairs(self, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
        """Pairs (i, j) with c > 0 and partners j' of j's bin with c_ij' = 0."""
        rng = np.random.default_rng([seed, 1])
        n = len(self.behaviour)
        places = np.flatnonzero(self.behaviour > 0)
        if len(places) > PAIRS:
            places = rng.choice(places, PAIRS, replace=False)
        left, right = np.divmod(places, n)
        by_bin = np.argsort(self.bin, kind="stable")
        size = np.bincount(self.bin)
        start = np.cumsum(size) - size
        other = np.full(len(left), -1)
        for _ in range(_TRIES):
            open_ = np.flatnonzero(other < 0)
            bins = self.bin[right[open_]]
            drawn = by_bin[start[bins] + rng.integers(0, size[bins])]
            fits = (self.behaviour[left[open_], drawn] == 0) & (drawn != left[open_])
            other[open_[fits]] = drawn[fits]
        kept = other >= 0
        return left[kept], right[kept], other[kept], int((~kept).sum())

    def overlap(self, order: np.ndarray | None) -> float:
        return shared_membership(self.together, self.near, order) / self.together.total

    def lift(self, order: np.ndarray | None) -> float:
        i, j, weight = self.near.pairs(order)
        expected = weight @ self.expected[i, self.bin[j]]
        return float(weight @ self.behaviour[i, j] / expected) if expected > 0 else float("nan")

    def lift_interval(self, seed: int, level: float = 0.95) -> tuple[float, float]:
        """Percentile interval of the lift over resampled items whose neighbours are looked at."""
        n = len(self.behaviour)
        i, j, weight = self.near.pairs()
        above = np.bincount(i, weight * self.behaviour[i, j], n)
        below = np.bincount(i, weight * self.expected[i, self.bin[j]], n)
        drawn = np.random.default_rng([seed, 2]).multinomial(n, np.full(n, 1 / n), RESAMPLES)
        under = drawn @ below
        lifts = np.divide(drawn @ above, under, out=np.full(RESAMPLES, np.nan), where=under > 0)
        low, high = np.nanquantile(lifts, [(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)

    def auc(self, order: np.ndarray | None) -> float:
        """Area under the ROC curve (Mann-Whitney), ties counting half."""
        from scipy.stats import rankdata

        count = len(self.left)
        if not count:
            return float("nan")
        i, j, other = self.left, self.right, self.other
        if order is not None:
            i, j, other = order[i], order[j], order[other]
        ranks = rankdata(np.concatenate([self.cosine[i, j], self.cosine[i, other]]))
        return float((ranks[:count].sum() - count * (count + 1) / 2) / count**2)

    def mantel(self, order: np.ndarray | None) -> float:
        content, behaviour = self.ranks
        return inner(behaviour, content, order)


def _positive_blocks(behaviour: np.ndarray) -> Iterator[np.ndarray]:
    """Blocks of rows in which pairs without a common user are never neighbours."""
    for start in range(0, len(behaviour), BLOCK):
        block = behaviour[start : start + BLOCK]
        yield np.where(block > 0, block, -np.inf).astype(np.float32)
