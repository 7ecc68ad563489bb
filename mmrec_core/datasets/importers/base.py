"""What every importer gives back, and where importers are registered."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from mmrec_core.datasets.archive import Files
from mmrec_core.datasets.columns import Roles
from mmrec_core.datasets.schema import Ledger
from mmrec_core.domain import DatasetInfo, Progress
from mmrec_core.registry import Registry


@dataclass(frozen=True)
class FeatureSource:
    """A precomputed matrix of the upload.

    Attributes:
        name: Name of the features.
        file: The .npy in the upload, for sentences.
        path: The .npy on disk.
        ids: Text file with one item id a row; None: rows follow the item table.
        modality: image, text or joint.
    """

    name: str
    file: str
    path: Path
    ids: Path | None
    modality: str


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
        n_absent_images: Pictures that the item table names and the upload lacks.
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
    n_absent_images: int


class Importer(Protocol):
    """Reads one format; its docstring is the text on screen."""

    def recognises(self, files: Files) -> bool:
        """Whether these files are of the format, judged by their names."""

    def read(
        self,
        files: Files,
        mapping: Mapping[str, Any] | None,
        ledger: Ledger,
        progress: Progress,
    ) -> Tables:
        """Reads tables and finds pictures and features; unsound rows go to ``ledger``."""


IMPORTERS: Registry[Importer] = Registry("importer")
"""Every known format; the first that recognises an upload reads it."""
