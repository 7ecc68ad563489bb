"""Tables about a dataset: how sparse it is, how long its tail, and what its items lack."""

import numpy as np
import pandas as pd

from mmrec_core.domain import Dataset

MODALITY_COLUMNS = {"image": "image", "text": "text"}
"""Modality -> the column of the items that is empty where it is missing."""


def item_degrees(dataset: Dataset) -> np.ndarray:
    """[n_items] int64 number of interactions of each item."""
    rows = dataset.coded_items
    return np.bincount(rows[rows >= 0], minlength=dataset.n_items).astype(np.int64)


def user_degrees(dataset: Dataset) -> np.ndarray:
    """[n_users] int64 number of interactions of each user, largest first."""
    counts = np.bincount(dataset.coded_users[0], minlength=dataset.n_users).astype(np.int64)
    return np.sort(counts)[::-1]


def overview(dataset: Dataset) -> pd.DataFrame:
    """One row: counts, ``sparsity`` (0 to 1) and mean and median degrees of users and items."""
    users, items = user_degrees(dataset), item_degrees(dataset)
    n = len(dataset.interactions)
    return pd.DataFrame(
        [
            {
                "n_users": dataset.n_users,
                "n_items": dataset.n_items,
                "n_interactions": n,
                "sparsity": 1.0 - n / (dataset.n_users * dataset.n_items),
                "mean_per_user": float(users.mean()),
                "median_per_user": float(np.median(users)),
                "mean_per_item": float(items.mean()),
                "median_per_item": float(np.median(items)),
                "gini_items": gini(items),
            }
        ]
    )


def gini(counts: np.ndarray) -> float:
    """Gini coefficient of non-negative counts: 0 when all are equal, towards 1 when one has all.

    G = sum_i (2 i - n - 1) x_i / (n sum x), x in ascending order.
    """
    ordered = np.sort(counts.astype(np.float64))
    n, total = len(ordered), ordered.sum()
    if total == 0:
        return 0.0
    return float((2 * np.arange(1, n + 1) - n - 1) @ ordered / (n * total))


def long_tail(dataset: Dataset) -> pd.DataFrame:
    """Items from the most to the least popular.

    Returns:
        ``rank`` from 1, ``interactions``, ``share_items`` and ``share_interactions`` (both
        cumulated, 0 to 1).
    """
    degrees = np.sort(item_degrees(dataset))[::-1]
    rank = np.arange(1, len(degrees) + 1)
    return pd.DataFrame(
        {
            "rank": rank,
            "interactions": degrees,
            "share_items": rank / len(degrees),
            "share_interactions": degrees.cumsum() / max(1, degrees.sum()),
        }
    )


def degree_histogram(dataset: Dataset) -> pd.DataFrame:
    """How many users and items have how many interactions, in bins of doubling width.

    Returns:
        ``of`` (user or item), ``low`` and ``high`` (both inside the bin) and ``count``.
    """
    frames = []
    for of, degrees in (("user", user_degrees(dataset)), ("item", item_degrees(dataset))):
        top = max(1, int(degrees.max(initial=0)))
        low = np.concatenate([[0], 2 ** np.arange(int(np.log2(top)) + 1)])
        high = np.append(low[1:] - 1, 2 * low[-1] - 1)
        count = np.histogram(degrees, bins=np.append(low, high[-1] + 1))[0]
        frames.append(pd.DataFrame({"of": of, "low": low, "high": high, "count": count}))
    return pd.concat(frames, ignore_index=True)


def rating_counts(dataset: Dataset) -> pd.DataFrame:
    """``rating`` and ``count``, lowest first; empty where there are no ratings."""
    counts = dataset.interactions["rating"].dropna().value_counts().sort_index()
    return pd.DataFrame({"rating": counts.index.to_numpy(), "count": counts.to_numpy()})


def missing_modalities(dataset: Dataset) -> pd.DataFrame:
    """How many items lack what, and whether having it goes with popularity.

    Having a picture can tell popularity, and a recommender may use that in place of the picture.

    Returns:
        ``modality`` (image, text, both missing as ``image and text``), ``n_missing``,
        ``share_missing`` and ``spearman`` between having it and the item's degree (NaN where all
        or none have it).
    """
    degrees = item_degrees(dataset)
    has = {
        modality: (dataset.items[column] != "").to_numpy(dtype=bool)
        for modality, column in MODALITY_COLUMNS.items()
    }
    has["image and text"] = has["image"] | has["text"]
    return pd.DataFrame(
        [
            {
                "modality": modality,
                "n_missing": int((~having).sum()),
                "share_missing": float((~having).mean()),
                "spearman": spearman(having, degrees),
            }
            for modality, having in has.items()
        ]
    )


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Rank correlation with mean ranks for ties; NaN where one side is constant."""
    ranks = [pd.Series(values).astype(float).rank().to_numpy() for values in (a, b)]
    if any(np.ptp(rank) == 0 for rank in ranks):
        return float("nan")
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def duplicate_images(dataset: Dataset) -> pd.DataFrame:
    """Pictures that several items share, byte for byte; placeholders show up first.

    Returns:
        ``image_sha256``, ``image``, ``n_items`` and ``example`` (title, or id, of the first item).
    """
    items = dataset.items
    items = items[items["image_sha256"] != ""]
    shared = items[items.duplicated("image_sha256", keep=False)]
    named = shared.assign(example=shared["title"].where(shared["title"] != "", shared["item_id"]))
    grouped = named.groupby("image_sha256", sort=False).agg(
        image=("image", "first"), n_items=("item_id", "size"), example=("example", "first")
    )
    return grouped.sort_values("n_items", ascending=False, kind="stable").reset_index()
