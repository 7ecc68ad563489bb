"""Who interacted with what, divided into train, validation and test."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator
from scipy import sparse

from mmrec_core.domain import Dataset, InputError, Split

PARTS = ("train", "valid", "test")


class SplitConfig(BaseModel):
    """How a dataset is divided.

    Attributes:
        strategy: ``random``: a share of each user's interactions; ``fixed``: as the files say.
        seed: Of the random division.
        k_core: Users and items with fewer interactions are removed until none is left; 0 or 1
            keeps all that occur. Fixed splits are taken as they are.
        valid: Share of each user's interactions for validation, rounded up.
        test: Share of each user's interactions for test, rounded up.
        relevant_from: A validation or test rating from here on is relevant; ``all``: every one
            is; None: as the dataset says.
        train_from: Training interactions rated lower, or not rated, are left out; None: all train
            interactions are positives.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    strategy: Literal["random", "fixed"] = "random"
    seed: int = Field(0, ge=0)
    k_core: int = Field(5, ge=0)
    valid: float = Field(0.1, ge=0, lt=1, allow_inf_nan=False)
    test: float = Field(0.1, gt=0, lt=1, allow_inf_nan=False)
    relevant_from: float | Literal["all"] | None = None
    train_from: float | None = None

    @model_validator(mode="after")
    def _something_to_train_on(self) -> "SplitConfig":
        if self.valid + self.test >= 1:
            raise ValueError("valid and test leave nothing to train on")
        return self


def make_split(dataset: Dataset, config: SplitConfig) -> Split:
    """Divides the interactions of ``dataset``.

    Users are in the order of their ids (by code point), items in that of ``dataset.items``; both
    only as far as they have interactions after the k-core. The order of the rows of
    ``dataset.interactions`` does not matter.

    Raises:
        InputError: Nothing is left to train or test on.
    """
    coded = _coded(dataset)
    table = coded.table
    if config.strategy == "fixed":
        if "split" not in dataset.interactions.columns:
            raise InputError(
                f"Dataset {dataset.name!r} has no fixed split: choose strategy random, or install "
                "it with train, valid and test files or a split column."
            )
        part = table["split"].map({name: i for i, name in enumerate(PARTS)}).to_numpy()
        said = "the dataset's own split"
    else:
        kept = k_core(table["user"].to_numpy(), table["item"].to_numpy(), config.k_core)
        if not kept.any():
            raise InputError(_nothing_left(dataset, table, config.k_core))
        table = table[kept]
        part = random_parts(table["user"].to_numpy(), config)
        said = (
            f"{_kept_in_words(config.k_core)}, then per user "
            f"{1 - config.valid - config.test:.0%} train, "
            f"{config.valid:.0%} validation, {config.test:.0%} test at random (seed {config.seed})"
        )
    users, user = np.unique(table["user"].to_numpy(), return_inverse=True)
    items, item = np.unique(table["item"].to_numpy(), return_inverse=True)
    relevant_from = _relevant_from(dataset, table["rating"], config)
    rating = _ratings(table["rating"], relevant_from)
    in_train = part == 0
    if config.train_from is not None:
        in_train = in_train & (table["rating"] >= config.train_from).to_numpy(dtype=bool)
        said += f"; training ratings from {config.train_from:g}"
    said += (
        "; every held-out interaction is relevant"
        if relevant_from is None
        else f"; relevant from rating {relevant_from:g}"
    )
    if not in_train.any():
        raise InputError(f"The split of {dataset.name!r} has no training interaction.")
    if not (part == 2).any():
        raise InputError(
            f"The split of {dataset.name!r} has no test interaction: no user has three or more; "
            "use a k-core of 3 or more."
        )
    shape = (len(users), len(items))

    def matrix(rows: np.ndarray, data: np.ndarray) -> sparse.csr_matrix:
        made = sparse.csr_matrix((data[rows], (user[rows], item[rows])), shape=shape)
        made.sort_indices()
        return made

    return Split(
        train=matrix(in_train, np.ones(len(part), dtype=np.float32)),
        valid=matrix(part == 1, rating),
        test=matrix(part == 2, rating),
        user_ids=coded.user_ids[users],
        item_ids=dataset.item_ids[items],
        relevant_from=relevant_from,
        strategy=config.strategy,
        seed=config.seed,
        description=said,
    )


def _kept_in_words(k: int) -> str:
    return f"{k}-core" if k > 1 else "all interactions"


def k_core(user: np.ndarray, item: np.ndarray, k: int) -> np.ndarray:
    """The largest set of interactions in which every user and item has at least ``k``.

    Users and items below ``k`` are removed until none is left (Seidman 1983, "Network structure
    and minimum degree"); the result does not depend on the order of removal.

    Args:
        user: [n] user codes from 0.
        item: [n] item codes from 0.
        k: Smallest degree; up to 1 keeps everything.

    Returns:
        [n] bool, True where an interaction is kept.
    """
    kept = np.arange(len(user))
    while k > 1 and len(kept):
        users, items = user[kept], item[kept]
        enough = (np.bincount(users)[users] >= k) & (np.bincount(items)[items] >= k)
        if enough.all():
            break
        kept = kept[enough]
    mask = np.zeros(len(user), dtype=bool)
    mask[kept] = True
    return mask


def k_core_preview(dataset: Dataset, ks: Sequence[int] = (0, 2, 3, 5, 10, 20)) -> pd.DataFrame:
    """What every k-core would keep.

    Returns:
        ``k``, ``n_users``, ``n_items``, ``n_interactions`` and ``density`` (0 to 1), k ascending.
    """
    table = _coded(dataset).table
    user, item = table["user"].to_numpy(), table["item"].to_numpy()
    rows = []
    for k in sorted(set(ks)):
        # Cores are nested: each is found inside the one before.
        kept = k_core(user, item, k)
        user, item = user[kept], item[kept]
        n_users, n_items = len(np.unique(user)), len(np.unique(item))
        density = len(user) / (n_users * n_items) if len(user) else 0.0
        rows.append((k, n_users, n_items, len(user), density))
    return pd.DataFrame(rows, columns=["k", "n_users", "n_items", "n_interactions", "density"])


def random_parts(user: np.ndarray, config: SplitConfig) -> np.ndarray:
    """[n] 0 train, 1 validation or 2 test for each interaction, drawn within each user.

    With n interactions of a user, ``ceil(test n)`` go to test and ``ceil(valid n)`` to validation,
    as long as one is left to train on; with fewer than three all are for training.
    """
    degree = np.bincount(user)
    n_test = _share(degree, config.test)
    n_valid = _share(degree, config.valid)
    wanted = 1 if config.valid > 0 else 0
    n_test = np.minimum(n_test, np.maximum(degree - 1 - wanted, 0))
    n_valid = np.minimum(n_valid, np.maximum(degree - 1 - n_test, 0))
    few = degree < 3
    n_test[few] = 0
    n_valid[few] = 0
    key = np.random.default_rng([config.seed, len(user)]).random(len(user))
    order = np.lexsort((key, user))
    start = np.cumsum(degree) - degree
    rank = np.empty(len(user), dtype=np.int64)
    rank[order] = np.arange(len(user)) - start[user[order]]
    part = np.zeros(len(user), dtype=np.int8)
    part[rank < (n_test + n_valid)[user]] = 1
    part[rank < n_test[user]] = 2
    return part


def _share(degree: np.ndarray, share: float) -> np.ndarray:
    # 0.1 * 30 is 3.0000000000000004 or so: without rounding the ceiling would be one too many.
    return np.ceil(np.round(degree * share, 9)).astype(np.int64)


@dataclass(frozen=True, eq=False)
class _Coded:
    """Interactions with numbers for users and items, sorted by them, one row a pair."""

    table: pd.DataFrame
    user_ids: np.ndarray


def _coded(dataset: Dataset) -> _Coded:
    interactions = dataset.interactions
    by_appearance, users = pd.factorize(interactions["user_id"])
    # Strings are sorted and looked up once each, not once a row.
    seen = np.asarray(users, dtype=object)
    order = np.argsort(seen)
    place = np.empty(len(seen), dtype=np.int64)
    place[order] = np.arange(len(seen))
    item, named = pd.factorize(interactions["item_id"])
    row = pd.Index(dataset.item_ids).get_indexer(pd.Index(np.asarray(named, dtype=object)))
    user, item = place[by_appearance], row[item].astype(np.int64)
    pair = user * dataset.n_items + item
    sorting = np.argsort(pair, kind="stable")
    last = np.append(pair[sorting][1:] != pair[sorting][:-1], True)
    kept = sorting[last]
    table = pd.DataFrame(
        {
            "user": user[kept],
            "item": item[kept],
            "rating": interactions["rating"].to_numpy(dtype=np.float32)[kept],
        }
    )
    if "split" in interactions.columns:
        table["split"] = interactions["split"].to_numpy()[kept]
    return _Coded(table, seen[order])


def _relevant_from(dataset: Dataset, ratings: pd.Series, config: SplitConfig) -> float | None:
    if config.relevant_from == "all" or not ratings.notna().any():
        return None
    if config.relevant_from is not None:
        return float(config.relevant_from)
    return dataset.info.relevant_from


def _ratings(ratings: pd.Series, relevant_from: float | None) -> np.ndarray:
    """Ratings as matrix entries; an interaction without rating is relevant only if all are."""
    absent = 1.0 if relevant_from is None else 0.0
    return ratings.fillna(absent).to_numpy(dtype=np.float32)


def _nothing_left(dataset: Dataset, table: pd.DataFrame, k: int) -> str:
    user, item = table["user"].to_numpy(), table["item"].to_numpy()
    largest = 1
    while largest < k:
        kept = k_core(user, item, largest + 1)
        if not kept.any():
            break
        user, item = user[kept], item[kept]
        largest += 1
    return (
        f"The {k}-core of {dataset.name!r} is empty (before: {table['user'].nunique():,} users, "
        f"{table['item'].nunique():,} items, {len(table):,} interactions); choose a k-core of "
        f"{largest} or less."
    )
