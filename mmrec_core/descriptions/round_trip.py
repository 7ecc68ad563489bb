"""Does a description find its own item? From words back to the picture they came from.

Words and pictures lie in different spaces, so a ridge regression from pictures to words is fitted
on other items (five folds): a description is a query, the words that each item's picture predicts
are the candidates. With a description that tells the item apart, its own picture comes first.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mmrec_core.domain import InputError
from mmrec_core.extractors.permutation import derangement

FOLDS = 5
PENALTY = 0.1
"""Of the ridge for each item that it is fitted on; on standardised pictures and centred words."""
TIE = 1e-6
"""Cosines that differ by less are equal."""
BLOCK = 2048
FEWEST = 20


@dataclass(frozen=True)
class Retrieved:
    """How far up items come for their own queries.

    Attributes:
        first: Share of queries whose own item is first (R@1).
        ten: Share whose own item is among the first ten (R@10).
        mrr: Mean reciprocal rank of the own item.
        n: Queries with at least one other candidate.
        chance: MRR of a random order.
    """

    first: float
    ten: float
    mrr: float
    n: int
    chance: float


def retrieve(
    queries: np.ndarray,
    candidates: np.ndarray,
    groups: np.ndarray | None = None,
    places: np.ndarray | None = None,
) -> Retrieved:
    """Ranks candidates by cosine similarity.

    Args:
        queries: [q, d].
        candidates: [n, d].
        groups: [n] group of each candidate; those of the query's own group compete. Negative: of
            no group, such queries are left out. None: all compete.
        places: [q] which candidate is each query's own; None: candidate i is query i's.
    """
    unit_q, unit_c = (
        x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
        for x in (queries.astype(np.float64), candidates.astype(np.float64))
    )
    own_place = np.arange(len(queries)) if places is None else places
    n = len(queries)
    better, equal, sizes = (np.empty(n, dtype=np.int64) for _ in range(3))
    for start in range(0, n, BLOCK):
        block = slice(start, min(start + BLOCK, n))
        rows, mine = np.arange(block.stop - start), own_place[block]
        scores = unit_q[block] @ unit_c.T
        own = scores[rows, mine][:, None]
        asked = np.ones_like(scores, dtype=bool)
        if groups is not None:
            asked = (groups[mine, None] == groups[None, :]) & (groups[mine, None] >= 0)
        asked[rows, mine] = False
        # Rounding must not put an equal candidate before or behind by chance.
        better[block] = ((scores > own + TIE) & asked).sum(1)
        equal[block] = ((np.abs(scores - own) <= TIE) & asked).sum(1)
        sizes[block] = 1 + asked.sum(1)
    kept = sizes > 1
    if not kept.any():
        return Retrieved(np.nan, np.nan, np.nan, 0, np.nan)
    better, equal, sizes = better[kept], equal[kept], sizes[kept]
    harmonic = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, int(sizes.max()) + 1))])
    # Equal candidates come in any order: everything is its mean over the orders.
    tied = 1 + equal

    def among(k: int) -> float:
        return float((np.clip(k - better, 0, tied) / tied).mean())

    return Retrieved(
        among(1),
        among(10),
        float(((harmonic[better + tied] - harmonic[better]) / tied).mean()),
        int(kept.sum()),
        float((harmonic[sizes] / sizes).mean()),
    )


def predicted_words(pictures: np.ndarray, words: np.ndarray, seed: int = 0) -> np.ndarray:
    """The words' vectors that each picture predicts, from a ridge that has not seen the item.

    Args:
        pictures: [n, p].
        words: [n, d], centred.
        seed: Of the folds.
    """
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import KFold
    from sklearn.preprocessing import StandardScaler

    found = np.zeros_like(words)
    for fitted, held in KFold(FOLDS, shuffle=True, random_state=seed).split(pictures):
        scale = StandardScaler().fit(pictures[fitted])
        ridge = Ridge(PENALTY * len(fitted)).fit(scale.transform(pictures[fitted]), words[fitted])
        found[held] = ridge.predict(scale.transform(pictures[held]))
    return found


def round_trip(
    pictures: np.ndarray,
    said: Mapping[str, np.ndarray],
    groups: np.ndarray | None,
    probes: Mapping[str, tuple[str, np.ndarray, np.ndarray]] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Round trips of descriptions and of what they must beat.

    Args:
        pictures: [n, p] vectors of the items' pictures.
        said: Name -> [n, d] vectors of words; the first are the descriptions, whose shuffled
            control is added.
        groups: [n] category of each item, negative where unknown, for hard negatives; None: there
            are none.
        probes: Name -> (name in ``said`` whose map is used, [q, d] queries, [q] whose they are),
            such as descriptions of noise pictures.
        seed: Of folds and control.

    Returns:
        One row a query kind: what, recall@1, recall@10, mrr, chance (MRR), n; with groups also
        recall@1, mrr and chance within the category.

    Raises:
        InputError: Too few items.
    """
    n = len(pictures)
    if n < FEWEST:
        raise InputError(f"A round trip needs {FEWEST} items with a picture and words; {n} have.")
    first = next(iter(said))
    rng = np.random.default_rng([seed, 7])
    dealt = said[first][derangement(np.zeros(n, dtype=np.int64), rng)]
    rows, maps = [], {}
    for name, words in {**said, "shuffled descriptions": dealt}.items():
        mean = words.mean(axis=0)
        maps[name] = (mean, predicted_words(pictures, words - mean, seed))
        rows.append(_row(name, words - mean, maps[name][1], groups))
    for name, (of, queries, places) in (probes or {}).items():
        mean, candidates = maps[of]
        rows.append(_row(name, queries - mean, candidates, groups, places))
    return pd.DataFrame(rows)


def _row(
    name: str,
    queries: np.ndarray,
    candidates: np.ndarray,
    groups: np.ndarray | None,
    places: np.ndarray | None = None,
) -> dict[str, object]:
    every = retrieve(queries, candidates, None, places)
    row: dict[str, object] = {
        "what": name,
        "recall@1": every.first,
        "recall@10": every.ten,
        "mrr": every.mrr,
        "chance": every.chance,
        "n": every.n,
    }
    if groups is not None:
        hard = retrieve(queries, candidates, groups, places)
        row |= {"hard recall@1": hard.first, "hard mrr": hard.mrr, "hard chance": hard.chance}
    return row
