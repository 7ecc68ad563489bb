"""The frozen types that flow through the house, and nothing else."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

MODALITIES = ("image", "text", "joint")
"""What an embeddings matrix can be made from; ``joint`` is one matrix made from several inputs."""

HASHED_AT_ONCE = 4096
"""Strings."""

Progress = Callable[[int, int, str], None]
"""Called with (done, total, what is being done)."""


def no_progress(done: int, total: int, what: str) -> None:
    """Ignores progress."""


class InputError(Exception):
    """What a person gave cannot be used; the message says what, where and what to do."""


def canonical_json(value: Any) -> str:
    """The one JSON text of a value: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def sha256_json(value: Any) -> str:
    """sha256 of the canonical JSON of ``value``."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def sha256_arrays(*arrays: np.ndarray) -> str:
    """sha256 over dtype, shape and bytes of numeric arrays."""
    digest = hashlib.sha256()
    for array in arrays:
        array = np.ascontiguousarray(array)
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def sha256_strings(strings: Iterable[str]) -> str:
    """sha256 over strings, each preceded by its length in bytes."""
    digest = hashlib.sha256()
    # One cell of an Arrow column after the other takes far longer than all of them at once.
    rest = iter(strings.tolist() if isinstance(strings, pd.Series | np.ndarray) else strings)
    while batch := list(islice(rest, HASHED_AT_ONCE)):
        told = "".join([f"{len(text)}:{text}" for text in batch])
        if told.isascii():
            digest.update(told.encode())
            continue
        for text in batch:
            raw = text.encode("utf-8", "surrogatepass")
            digest.update(f"{len(raw)}:".encode())
            digest.update(raw)
    return digest.hexdigest()


def read_only(array: np.ndarray) -> np.ndarray:
    """Returns a view of ``array`` that cannot be written to."""
    view = array.view()
    view.flags.writeable = False
    return view


@dataclass(frozen=True)
class DatasetInfo:
    """What ``dataset.toml`` says, completed by what was guessed.

    Attributes:
        title: Name for people.
        licence: Licence of the data in words.
        source: Where the data come from.
        text: Columns that make the text of an item, in order.
        category: Column that holds the category, if any.
        category_separator: Separates several categories in one cell, if any.
        attributes: Column -> description slot.
        relevant_from: A validation or test rating from here on is relevant; None: all are.
        k_core: Default k-core of studies.
        split: Default split: ``random`` or ``fixed``.
        truth: True for generated data whose tastes are known (the demo shop).
    """

    title: str
    licence: str = ""
    source: str = ""
    text: tuple[str, ...] = ()
    category: str | None = None
    category_separator: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    relevant_from: float | None = 4.0
    k_core: int = 5
    split: str = "random"
    truth: bool = False


@dataclass(frozen=True, eq=False)
class Dataset:
    """Items and interactions as installed.

    Attributes:
        name: Under which it is installed.
        items: One row an item, in a fixed order. Always has ``item_id`` (str, unique), ``title``
            (str), ``text`` (str; empty when missing), ``category`` (str; empty when unknown),
            ``image`` (str, relative to ``folder``; empty when missing), ``image_sha256`` (str);
            besides, every further column of the file.
        interactions: ``user_id`` (str), ``item_id`` (str), ``rating`` (float32; NaN when absent),
            ``timestamp`` (Int64-like; may be missing), and ``split`` (train|valid|test) for fixed
            splits.
        folder: Where pictures, thumbnails and ``features/*.npy`` lie.
        info: What dataset.toml says.
        fingerprint: sha256 of the content; the name is not part of it.
    """

    name: str
    items: pd.DataFrame
    interactions: pd.DataFrame
    folder: Path
    info: DatasetInfo
    fingerprint: str

    @property
    def n_items(self) -> int:
        """Number of items, those without interactions included."""
        return len(self.items)

    @cached_property
    def n_users(self) -> int:
        """Number of users with at least one interaction."""
        return len(self.coded_users[1])

    @cached_property
    def coded_users(self) -> tuple[np.ndarray, np.ndarray]:
        """Users as numbers, in the order of their first interaction.

        Strings are compared once here: counting and dividing go on with numbers.

        Returns:
            [interactions] int32 codes from 0, and [n_users] of object str.
        """
        codes, users = pd.factorize(self.interactions["user_id"])
        return read_only(codes.astype(np.int32)), read_only(np.asarray(users, dtype=object))

    @cached_property
    def coded_items(self) -> np.ndarray:
        """[interactions] int32 row of each interaction's item in ``items``; -1 where none is."""
        codes, named = pd.factorize(self.interactions["item_id"])
        rows = pd.Index(self.item_ids).get_indexer(pd.Index(np.asarray(named, dtype=object)))
        return read_only(rows.astype(np.int32)[codes])

    @cached_property
    def item_ids(self) -> np.ndarray:
        """Item ids in the order of ``items``, [n_items] of object str."""
        return self.items["item_id"].to_numpy(dtype=object)

    def image_path(self, relative: str) -> Path | None:
        """Full path of an item's picture, or None where it has none."""
        return self.folder / relative if relative else None


@dataclass(frozen=True, eq=False)
class Split:
    """Who interacted with what, divided into train, validation and test.

    Attributes:
        train: Binary CSR [n_users, n_items].
        valid: CSR of the same shape; data is the rating (1 where there are no ratings).
        test: As ``valid``.
        user_ids: [n_users] of object str, in row order.
        item_ids: [n_items] of object str, in column order.
        relevant_from: A validation or test entry is relevant when its rating is at least this;
            None: every entry is.
        strategy: How it was made.
        seed: Of the strategy.
        description: In words, for screen and paper.
        candidates: [n_items] bool; True for items that validation and test rank. None: all are.
            Either way what a user has seen is left out.
    """

    train: sparse.csr_matrix
    valid: sparse.csr_matrix
    test: sparse.csr_matrix
    user_ids: np.ndarray
    item_ids: np.ndarray
    relevant_from: float | None
    strategy: str
    seed: int
    description: str
    candidates: np.ndarray | None = None

    @property
    def n_users(self) -> int:
        """Number of users."""
        return int(self.train.shape[0])

    @property
    def n_items(self) -> int:
        """Number of items."""
        return int(self.train.shape[1])

    @cached_property
    def train_degree(self) -> np.ndarray:
        """Train interactions of each item, [n_items] int64."""
        return np.bincount(self.train.indices, minlength=self.n_items)

    @cached_property
    def cold(self) -> np.ndarray:
        """[n_items] bool; True for items that are kept out of training on purpose.

        Only the strategy ``cold-items`` does that. In other splits an item may lack train
        interactions by accident; it is then treated like any other.
        """
        if self.strategy != "cold-items":
            return np.zeros(self.n_items, dtype=bool)
        return np.asarray(self.train_degree == 0)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of ids, the three matrices, the relevance threshold and what is ranked."""
        arrays = [
            part
            for matrix in (self.train, self.valid, self.test)
            for part in (matrix.indptr, matrix.indices, matrix.data)
        ]
        return sha256_json(
            [
                sha256_strings(self.user_ids),
                sha256_strings(self.item_ids),
                sha256_arrays(*arrays),
                self.relevant_from,
                # Named only where they apply, so that other splits keep their keys.
                *(["cold-items"] if self.strategy == "cold-items" else []),
                *([sha256_arrays(self.candidates)] if self.candidates is not None else []),
            ]
        )

    def relevant(self, part: str) -> sparse.csr_matrix:
        """Relevant entries of ``valid`` or ``test``; data is the rating."""
        matrix: sparse.csr_matrix = getattr(self, part)
        if self.relevant_from is None:
            return matrix
        coo = matrix.tocoo()
        kept = coo.data >= self.relevant_from
        return sparse.csr_matrix(
            (coo.data[kept], (coo.row[kept], coo.col[kept])), shape=matrix.shape
        )


@dataclass(frozen=True, eq=False)
class Embeddings:
    """One vector an item.

    Attributes:
        modality: One of MODALITIES.
        extractor: What made them, with its options, in one short label.
        item_ids: [n_items] of object str.
        matrix: [n_items, d] float32; rows of missing items hold zeros and mean nothing. For
            one-hot item ids (the identity control) the matrix is not materialised: [n_items, 0].
        missing: [n_items] bool; True where the item lacks this modality.
        one_hot: True for the identity control.
        failures: Item id -> why its input could not be read (those items are missing).
        base: What these were edited from, if they were (``with_row``). What is taken from the
            whole catalogue, such as its mean, is taken from there: a trained model has it so.
    """

    modality: str
    extractor: str
    item_ids: np.ndarray
    matrix: np.ndarray
    missing: np.ndarray
    one_hot: bool = False
    failures: Mapping[str, str] = field(default_factory=dict)
    base: "Embeddings | None" = None

    def __post_init__(self) -> None:
        n = len(self.item_ids)
        if self.modality not in MODALITIES:
            raise ValueError(f"modality is {self.modality!r}, not one of {MODALITIES}")
        if self.matrix.shape[:1] != (n,) or self.missing.shape != (n,):
            raise ValueError(
                f"{n} item ids, but matrix {self.matrix.shape} and mask {self.missing.shape}"
            )
        matrix = np.array(self.matrix, dtype=np.float32, order="C")
        matrix[self.missing] = 0.0
        if not np.isfinite(matrix).all():
            raise ValueError(f"{self.extractor}: an observed row holds NaN or infinity")
        object.__setattr__(self, "matrix", read_only(matrix))
        object.__setattr__(self, "missing", read_only(self.missing.astype(bool)))

    @property
    def observed(self) -> np.ndarray:
        """[n_items] bool; True where the item has this modality."""
        return ~self.missing

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.item_ids) if self.one_hot else int(self.matrix.shape[1])

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of modality, ids, mask and values; the label is not part of it."""
        return sha256_json(
            [
                self.modality,
                self.one_hot,
                sha256_strings(self.item_ids),
                sha256_arrays(self.matrix, self.missing),
            ]
        )

    def pinned(self) -> "Embeddings":
        """The same as an edit of nothing, so that it is read like those beside it."""
        return self if self.base is not None or self.one_hot else replace(self, base=self)

    def emptied(self) -> "Embeddings":
        """The same with every item lacking the modality."""
        base = self if self.base is None else self.base
        label, everywhere = f"{self.extractor}, emptied", np.ones(len(self.item_ids), dtype=bool)
        nothing = np.zeros_like(self.matrix)
        return Embeddings(self.modality, label, self.item_ids, nothing, everywhere, base=base)

    def edits(self) -> np.ndarray:
        """Rows in which these differ from what they were edited from, [edited]."""
        assert self.base is not None
        other = (self.matrix != self.base.matrix).any(axis=1)
        return np.flatnonzero(other | (self.missing != self.base.missing))

    def with_row(self, row: int, vector: np.ndarray | None) -> "Embeddings":
        """The same but for one item: another vector [d], or None for an item that lacks it.

        Raises:
            ValueError: One-hot ids are no vectors, or the width is another.
        """
        if self.one_hot:
            raise ValueError("one-hot ids have no vectors to edit")
        matrix, missing = self.matrix.copy(), self.missing.copy()
        missing[row] = vector is None
        matrix[row] = 0.0 if vector is None else vector
        base = self if self.base is None else self.base
        label = f"{self.extractor}, edited"
        return Embeddings(self.modality, label, self.item_ids, matrix, missing, base=base)

    def aligned(self, item_ids: np.ndarray) -> "Embeddings":
        """The same vectors for ``item_ids``, in that order; unknown items are missing."""
        row = pd.Index(self.item_ids).get_indexer(pd.Index(item_ids))
        known = row >= 0
        matrix = np.zeros((len(item_ids), self.matrix.shape[1]), dtype=np.float32)
        matrix[known] = self.matrix[row[known]]
        missing = np.ones(len(item_ids), dtype=bool)
        missing[known] = self.missing[row[known]]
        return Embeddings(self.modality, self.extractor, item_ids, matrix, missing, self.one_hot)


Features = Mapping[str, Embeddings]
"""Modality -> embeddings, aligned with the items of a split; a removed modality is absent."""


@dataclass(frozen=True)
class MetricFacts:
    """What a metric is, so that arrows, axes and tables are automatic.

    Attributes:
        name: Name in code and files, such as ``recall``.
        label: Name on screen, such as ``Recall``.
        higher_is_better: Direction; None where neither is better.
        value_range: Smallest and largest value.
        per_user: True when it is a value for each user, False for one of all lists together.
        reference: Source of the definition.
    """

    name: str
    label: str
    higher_is_better: bool | None
    value_range: tuple[float, float]
    per_user: bool
    reference: str
