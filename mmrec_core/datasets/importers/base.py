"""What every importer knows of its format, what reading gives, and where importers are registered.

An importer does not read: it says which files are the tables of an upload, how they are written,
and which of their columns play which role. Reading, checking and joining is the same for all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import pandas as pd

from mmrec_core.datasets.archive import Files
from mmrec_core.datasets.columns import Declared, Roles
from mmrec_core.datasets.importers.tables import Table
from mmrec_core.datasets.schema import Ledger
from mmrec_core.domain import DatasetInfo
from mmrec_core.registry import Registry


@dataclass(frozen=True)
class FeatureSource:
    """A precomputed matrix of the upload.

    Attributes:
        name: Name of the features.
        file: The .npy in the upload, or the folder of many, for sentences.
        path: The .npy on disk.
        ids: Text file with one item id a row; None: rows follow the item table.
        modality: image, text or joint.
        vectors: Item id -> a .npy of its own; then ``path`` is not read. Empty: one matrix.
        numbered: The id of an item is the number of its row, from 0; overrides ``ids``.
        filled: Items whose row was filled with something else, such as an average: they are
            missing.
    """

    name: str
    file: str
    path: Path
    ids: Path | None
    modality: str
    vectors: Mapping[str, Path] | None = None
    numbered: bool = False
    filled: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Embedded:
    """Pictures that lie inside the item table.

    Attributes:
        tables: The item table, in the order in which it is read.
        column: That holds them: bytes, or a structure with a field ``bytes``.
    """

    tables: tuple[Table, ...]
    column: str


@dataclass(frozen=True)
class Layout:
    """Which files of an upload are what.

    Attributes:
        interactions: Tables of interactions, in the order in which they are read.
        items: Table of items; None where only interactions name them.
        more_items: Tables of the same columns that continue it.
        declared: What the format and the files say of names, columns and thresholds.
        features: Precomputed matrices that are the format's own; those under features/ are found
            whatever the format.
        vectors: features/ holds one vector a file, as the format has it, and no matrices.
        pictures: Folders whose pictures are called by item ids, besides those that items name;
            None: any folder.
        picture_ids: Item id -> what its picture is called instead, such as an id elsewhere.
        known_only: Items without any interaction are left out: the table describes a whole
            market, of which the interactions are a part.
        repeats: The item table is known to describe items again, as it was published: the first
            row of each counts, the others are counted and left out, and nothing is refused.
        embedded: Pictures inside the item table.
    """

    interactions: tuple[Table, ...]
    items: Table | None = None
    more_items: tuple[Table, ...] = ()
    declared: Declared = field(default_factory=Declared)
    features: tuple[FeatureSource, ...] = ()
    vectors: bool = False
    pictures: tuple[str, ...] | None = ("images",)
    picture_ids: Mapping[str, str] | None = None
    known_only: bool = False
    repeats: bool = False
    embedded: Embedded | None = None


@dataclass(frozen=True, eq=False)
class Tables:
    """An upload after reading, before pictures and features are looked at.

    Attributes:
        name: Name that the upload gives itself; may be empty.
        items: ``item_id``, ``title``, ``text``, ``category``, ``image`` (name of the picture in
            the upload; empty when missing) and every further column; all text.
        interactions: ``user_id``, ``item_id``, ``rating`` (float32), ``timestamp`` (Int64) and,
            with a fixed split, ``split``; one row a user-item pair.
        info: What is known about the dataset.
        roles: Which columns play which role.
        features: Precomputed matrices.
        item_rows: [n_items] row of each item in the item table as uploaded, from 0, counting
            rejected rows; -1 for items that only interactions name.
        n_item_rows: Rows of the item table as uploaded.
        n_duplicates: Interactions removed because their user-item pair occurs again.
        n_unknown_items: Items at the end of ``items`` that only interactions name.
        absent_images: [n_items] bool, whether the item table names a picture that the upload lacks.
        embedded: Pictures inside the item table.
    """

    name: str
    items: pd.DataFrame
    interactions: pd.DataFrame
    info: DatasetInfo
    roles: Roles
    features: tuple[FeatureSource, ...]
    item_rows: np.ndarray
    n_item_rows: int
    n_duplicates: int
    n_unknown_items: int
    absent_images: np.ndarray
    embedded: Embedded | None = None


IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif")


class Importer(Protocol):
    """Knows one format.

    Attributes:
        title: Name of the format for people.
        files: Which files it needs, in one line.
        reference: Where the format is described.
    """

    title: ClassVar[str]
    files: ClassVar[str]
    reference: ClassVar[str]

    def recognises(self, files: Files) -> bool:
        """Whether these files are of the format, judged by names and first lines."""

    def layout(self, files: Files, mapping: Mapping[str, Any] | None, ledger: Ledger) -> Layout:
        """Which files are what; remarks go to ``ledger``.

        Raises:
            InputError: A file that the format needs is not there.
        """


IMPORTERS: Registry[Importer] = Registry("format")
"""Every known format; the first that recognises an upload reads it."""
