"""Regions of a map: found by density, named by the words that tell them from the rest."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mmrec_core.domain import Dataset, sha256_json, sha256_strings

CLUSTERED = 20_000
"""Items that clustering compares, drawn with a seed; the others join the nearest of them."""

WORDS = 3
NONE = -1
"""Region of an item that lies in none."""

_TOKEN = r"(?u)\b[^\W\d_][\w'-]+\b"
_MOST_WORDS = 50_000
_PAIR = 0.9


@dataclass(frozen=True, eq=False)
class Regions:
    """Where items crowd on a map.

    Attributes:
        of_item: [n] int32 region of each point, NONE where it lies in none or is not on the map.
        table: One row a region: region, words (one string), x, y (of its median), n.
        clustered: Points that were compared; the others joined the nearest of them.
    """

    of_item: np.ndarray
    table: pd.DataFrame
    clustered: int


def find_regions(
    plane: np.ndarray, texts: Sequence[str], smallest: int | None = None, seed: int = 0
) -> Regions:
    """Clusters of a map by HDBSCAN (Campello, Moulavi, Sander 2013), each with its words.

    Args:
        plane: [n, 2]; rows of NaN are not on the map.
        texts: The words of each item.
        smallest: Items that make a region; None: a sixtieth of the map, ten at least.
        seed: Of the sample, where there are more than CLUSTERED points.
    """
    from scipy.spatial import cKDTree

    shown = np.flatnonzero(np.isfinite(plane).all(axis=1))
    of_item = np.full(len(plane), NONE, dtype=np.int32)
    drawn = shown
    if len(shown) > CLUSTERED:
        drawn = np.sort(np.random.default_rng(seed).choice(shown, CLUSTERED, replace=False))
    smallest = smallest or max(10, len(drawn) // 60)
    if len(drawn) >= 2 * smallest:
        found = _clusters(plane[drawn].astype(np.float64), smallest)
        of_item[drawn] = found
        rest = np.setdiff1d(shown, drawn, assume_unique=True)
        if len(rest):
            of_item[rest] = found[cKDTree(plane[drawn]).query(plane[rest])[1]]
    of_item[of_item < 0] = NONE
    return Regions(of_item, _described(plane, of_item, texts), len(drawn))


def _clusters(points: np.ndarray, smallest: int) -> np.ndarray:
    """Cluster of each point, negative for none.

    Clusters that last longest over all densities are taken; where that says no more than that
    the map is one or two clouds, the densest parts of those.
    """
    from sklearn.cluster import HDBSCAN

    found = np.full(len(points), NONE)
    for method in ("eom", "leaf"):
        found = HDBSCAN(
            min_cluster_size=smallest,
            min_samples=min(10, smallest),
            cluster_selection_method=method,
            copy=True,
        ).fit_predict(points)
        if found.max() >= 2:
            break
    return found


def _described(plane: np.ndarray, of_item: np.ndarray, texts: Sequence[str]) -> pd.DataFrame:
    members = pd.DataFrame({"region": of_item, "x": plane[:, 0], "y": plane[:, 1]})
    members = members[members["region"] != NONE]
    table = members.groupby("region").agg(x=("x", "median"), y=("y", "median"), n=("x", "size"))
    named = telling_words(texts, of_item)
    table["words"] = [" · ".join(named.get(int(region), ())) for region in table.index]
    return table.reset_index()[["region", "words", "x", "y", "n"]]


def telling_words(
    texts: Sequence[str], groups: np.ndarray, most: int = WORDS
) -> dict[int, tuple[str, ...]]:
    """The words that tell each group of items from the others, by class-based TF-IDF.

    A word counts once an item. With f the share of a group's items that have the word t, W =
    tf(t, c) log(1 + A / tf(t)): tf(t, c) the items of group c with t, divided by the group's
    words, A the mean number of words of a group, tf(t) the items with t (Grootendorst 2022,
    BERTopic, section 3.3).

    Args:
        texts: One an item.
        groups: [n] group of each item; negative ones are left out.
        most: Words of a group.

    Returns:
        Group -> words, the most telling first; fewer, or none, where items have no words.
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer

    members = np.flatnonzero(groups >= 0)
    found: dict[int, tuple[str, ...]] = {}
    if not len(members):
        return found
    counter = CountVectorizer(
        binary=True,
        ngram_range=(1, 2),
        min_df=min(3, len(members)),
        max_features=_MOST_WORDS,
        token_pattern=_TOKEN,
        stop_words=list(ENGLISH_STOP_WORDS),
        dtype=np.float32,
    )
    try:
        counts = counter.fit_transform([texts[row] for row in members.tolist()])
    except ValueError:  # not one word occurs often enough
        return found
    kinds, place = np.unique(groups[members], return_inverse=True)
    from scipy import sparse

    gather = sparse.csr_matrix(
        (np.ones(len(members), np.float32), (place, np.arange(len(members)))),
        shape=(len(kinds), len(members)),
    )
    of_class = (gather @ counts).toarray()
    words_of_class = np.maximum(of_class.sum(axis=1, keepdims=True), 1.0)
    score = of_class / words_of_class * np.log1p(words_of_class.mean() / of_class.sum(axis=0))
    # A word that two items of a hundred have names nothing, however rare it is elsewhere.
    sizes = np.bincount(place)[:, None]
    score[of_class < np.maximum(2, 0.05 * sizes)] = 0.0
    vocabulary = counter.get_feature_names_out()
    # Two words say more than one only where the single ones are ambiguous.
    score[:, [" " in word for word in vocabulary]] *= _PAIR
    for kind, row in zip(kinds, score, strict=True):
        best = np.argsort(-row, kind="stable")[: 10 * most]
        found[int(kind)] = _different([str(vocabulary[i]) for i in best if row[i] > 0], most)
    return found


def _different(words: Sequence[str], most: int) -> tuple[str, ...]:
    """The first words, without one that repeats another or a part of it."""
    chosen: list[str] = []
    for word in words:
        if not any(_alike(a, b) for other in chosen for a in _stems(word) for b in _stems(other)):
            chosen.append(word)
        if len(chosen) == most:
            break
    return tuple(chosen)


def _stems(words: str) -> list[str]:
    """Single words, and two put together; singular and plural count as one."""
    return [re.sub(r"(e?s|'s)$", "", part) for part in (*words.split(), words.replace(" ", ""))]


def _alike(one: str, other: str) -> bool:
    """Whether a word is the other, or begins or ends it as ``pot`` does ``teapot``."""
    short, long = sorted((one, other), key=len)
    return short == long or (len(short) >= 3 and (long.startswith(short) or long.endswith(short)))


def words_of(dataset: Dataset) -> list[str]:
    """What regions are named by: text, category and attributes of each item."""
    items, info = dataset.items, dataset.info
    category = items["category"]
    if info.category_separator:
        category = category.str.replace(info.category_separator, " ", regex=False)
    parts = [items["title"].where(items["text"] == "", items["text"]), category]
    parts += [items[name].astype(str) for name in info.attributes if name in items.columns]
    joined = parts[0].astype(str)
    for part in parts[1:]:
        joined = joined + " . " + part.astype(str)
    return list(joined)


def words_fingerprint(texts: Sequence[str]) -> str:
    """sha256 of what regions are named by."""
    return sha256_json(["region words", sha256_strings(texts)])
