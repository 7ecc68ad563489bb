"""Who interacted with what, divided into train, validation and test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from scipy import sparse

from mmrec_core.datasets.parts import (
    cold_parts,
    leave_one_out_parts,
    random_parts,
    temporal_parts,
)
from mmrec_core.domain import Dataset, InputError, Split, read_only

PARTS = ("train", "valid", "test")


STRATEGIES: Mapping[str, str] = {
    "random": "A share of each user's interactions is held out at random.",
    "leave-one-out": "Each user's last interaction is test, the one before validation.",
    "temporal": "The last share of all interactions is test, the share before validation; users "
    "without earlier interactions are left out.",
    "cold-items": "A share of the items is never seen in training, and only these are ranked: "
    "where content should pay most.",
    "fixed": "As the dataset's own files say.",
}
"""Every way to divide, with a line of help."""


class SplitConfig(BaseModel):
    """How a dataset is divided.

    Attributes:
        strategy: One of STRATEGIES.
        seed: Of every random draw.
        k_core: Users and items with fewer interactions are removed until none is left; 0 or 1
            keeps all that occur. Fixed splits are taken as they are.
        valid: Share for validation, rounded up: of each user's interactions (random) or of all
            (temporal). The other strategies do not read it.
        test: As ``valid``, for test.
        cold: Share of the items that are never seen in training (cold-items only; it is left out
            of the JSON of other strategies). Half of them are for test, half for validation.
        relevant_from: A validation or test rating from here on is relevant; ``all``: every one
            is; None: as the dataset says.
        train_from: Training interactions rated lower, or not rated, are left out; None: all train
            interactions are positives.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    strategy: Literal["random", "leave-one-out", "temporal", "cold-items", "fixed"] = "random"
    seed: int = Field(0, ge=0)
    k_core: int = Field(5, ge=0)
    valid: float = Field(0.1, ge=0, lt=1, allow_inf_nan=False)
    test: float = Field(0.1, gt=0, lt=1, allow_inf_nan=False)
    cold: float = Field(0.1, gt=0, lt=1, allow_inf_nan=False)
    relevant_from: float | Literal["all"] | None = None
    train_from: float | None = None

    @model_validator(mode="after")
    def _something_to_train_on(self) -> "SplitConfig":
        if self.valid + self.test >= 1:
            raise ValueError("valid and test leave nothing to train on")
        return self

    @model_serializer(mode="wrap")
    def _without_what_is_not_read(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Keys of stored studies are made from this JSON: those without cold items keep theirs.
        values: dict[str, Any] = plain(self)
        if self.strategy != "cold-items":
            values.pop("cold", None)
        return values


def why_not(dataset: Dataset, strategy: str) -> str:
    """Why a dataset cannot be divided in this way, as a clause; empty where it can."""
    if strategy == "fixed" and "split" not in dataset.interactions.columns:
        return (
            "it has no fixed split: install it with train, valid and test files or a split column"
        )
    if strategy in ("temporal", "leave-one-out"):
        n, absent = len(dataset.interactions), int(dataset.interactions["timestamp"].isna().sum())
        if absent == n and strategy == "temporal":
            return "its interactions have no timestamps"
        if 0 < absent < n:
            return f"{absent:,} of its {n:,} interactions have no timestamp"
    return ""


def make_split(dataset: Dataset, config: SplitConfig) -> Split:
    """Divides the interactions of ``dataset``.

    Users are in the order of their ids (by code point), items in that of ``dataset.items``; both
    only as far as they have interactions after the k-core. The order of the rows of
    ``dataset.interactions`` does not matter. Temporal and cold-items splits leave out users
    without a train interaction, and say how many. In a cold-items split the candidates of
    validation and test are the cold items, all of them at both.

    Raises:
        InputError: The dataset cannot be divided so, or nothing is left to train or test on.
    """
    reason = why_not(dataset, config.strategy)
    if reason:
        raise InputError(
            f"Dataset {dataset.name!r} cannot be split by strategy {config.strategy}: {reason}; "
            "choose strategy random."
        )
    coded = _coded(dataset)
    table = coded.table
    if config.strategy == "fixed":
        part = table["split"].map({name: i for i, name in enumerate(PARTS)}).to_numpy()
        said = "the dataset's own split"
    else:
        kept = k_core(table["user"].to_numpy(), table["item"].to_numpy(), config.k_core)
        if not kept.any():
            raise InputError(_nothing_left(dataset, table, config.k_core))
        table = table[kept]
        part, how = _divided(table, config)
        said = f"{_kept_in_words(config.k_core)}, then {how}"
    relevant_from = _relevant_from(dataset, table["rating"], config)
    in_train = part == 0
    if config.train_from is not None:
        in_train = in_train & (table["rating"] >= config.train_from).to_numpy(dtype=bool)
        said += f"; training ratings from {config.train_from:g}"
    if config.strategy in ("temporal", "cold-items"):
        user = table["user"].to_numpy()
        trained = np.isin(user, user[in_train])
        left_out = len(np.unique(user[~trained]))
        if left_out:
            users_ = "user" if left_out == 1 else "users"
            said += f"; {left_out:,} {users_} without a training interaction left out"
        table, part, in_train = table[trained], part[trained], in_train[trained]
    said += (
        "; every held-out interaction is relevant"
        if relevant_from is None
        else f"; relevant from rating {relevant_from:g}"
    )
    if not in_train.any():
        raise InputError(f"The split of {dataset.name!r} has no training interaction.")
    if not (part == 2).any():
        raise InputError(
            f"The split of {dataset.name!r} has no test interaction"
            + (
                ": no user has three or more; use a k-core of 3 or more."
                if config.strategy in ("random", "leave-one-out")
                else f" ({said}); choose another strategy."
            )
        )
    users, user = np.unique(table["user"].to_numpy(), return_inverse=True)
    items, item = np.unique(table["item"].to_numpy(), return_inverse=True)
    rating = _ratings(table["rating"], relevant_from)
    shape = (len(users), len(items))

    def matrix(rows: np.ndarray, data: np.ndarray) -> sparse.csr_matrix:
        made = sparse.csr_matrix((data[rows], (user[rows], item[rows])), shape=shape)
        made.sort_indices()
        return made

    candidates = None
    if config.strategy == "cold-items":
        candidates = read_only(np.bincount(item[part > 0], minlength=len(items)) > 0)
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
        candidates=candidates,
    )


def _divided(table: pd.DataFrame, config: SplitConfig) -> tuple[np.ndarray, str]:
    """Part of each interaction, and how it was found, in words."""
    user = table["user"].to_numpy()
    if config.strategy == "leave-one-out":
        time = None if table["timestamp"].isna().all() else _times(table)
        order = (
            f"a random interaction of each user is test, another one validation (there are no "
            f"timestamps; seed {config.seed})"
            if time is None
            else "each user's last interaction is test, the one before validation (those of one "
            f"time in a random order, seed {config.seed})"
        )
        words = f"{order}; users with fewer than three train only"
        return leave_one_out_parts(user, time, config.seed), words
    if config.strategy == "temporal":
        words = (
            f"by time over all users: the last {config.test:.0%} test, the {config.valid:.0%} "
            "before validation (interactions of one time kept together)"
        )
        return temporal_parts(_times(table), config.valid, config.test), words
    if config.strategy == "cold-items":
        part = cold_parts(table["item"].to_numpy(), config.cold, config.seed)
        test, valid = (table["item"].to_numpy()[part == which] for which in (2, 1))
        words = (
            f"{config.cold:.0%} of the items cold, never seen in training "
            f"({len(np.unique(test)):,} for test, {len(np.unique(valid)):,} for validation, "
            f"seed {config.seed}); only cold items are ranked"
        )
        return part, words
    words = (
        f"per user {1 - config.valid - config.test:.0%} train, "
        f"{config.valid:.0%} validation, {config.test:.0%} test at random (seed {config.seed})"
    )
    return random_parts(user, config), words


def _times(table: pd.DataFrame) -> np.ndarray:
    return table["timestamp"].to_numpy(dtype=np.int64)


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
    return core_sizes(table["user"].to_numpy(), table["item"].to_numpy(), ks)


def core_sizes(user: np.ndarray, item: np.ndarray, ks: Sequence[int]) -> pd.DataFrame:
    """What every k-core of interactions keeps.

    Args:
        user: [n] user codes from 0.
        item: [n] item codes from 0.
        ks: Smallest degrees.

    Returns:
        ``k``, ``n_users``, ``n_items``, ``n_interactions`` and ``density`` (0 to 1), k ascending.
    """
    rows = []
    for k in sorted(set(ks)):
        # Cores are nested: each is found inside the one before.
        kept = k_core(user, item, k)
        user, item = user[kept], item[kept]
        n_users, n_items = (int(np.count_nonzero(np.bincount(codes))) for codes in (user, item))
        density = len(user) / (n_users * n_items) if len(user) else 0.0
        rows.append((k, n_users, n_items, len(user), density))
    return pd.DataFrame(rows, columns=["k", "n_users", "n_items", "n_interactions", "density"])


@dataclass(frozen=True, eq=False)
class _Coded:
    """Interactions with numbers for users and items, sorted by them, one row a pair."""

    table: pd.DataFrame
    user_ids: np.ndarray


def _coded(dataset: Dataset) -> _Coded:
    interactions = dataset.interactions
    by_appearance, seen = dataset.coded_users
    # Strings are sorted once each, not once a row.
    order = np.argsort(seen)
    place = np.empty(len(seen), dtype=np.int64)
    place[order] = np.arange(len(seen))
    user, item = place[by_appearance], dataset.coded_items.astype(np.int64)
    pair = user * dataset.n_items + item
    sorting = np.argsort(pair, kind="stable")
    last = np.append(pair[sorting][1:] != pair[sorting][:-1], True)
    kept = sorting[last]
    table = pd.DataFrame(
        {
            "user": user[kept],
            "item": item[kept],
            "rating": interactions["rating"].to_numpy(dtype=np.float32)[kept],
            "timestamp": interactions["timestamp"].array[kept],
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
