"""The metadata's own category, as a matrix: what attributes from pictures must beat."""

import numpy as np
import pandas as pd

from mmrec_core.domain import Dataset, InputError, Progress, sha256_json, sha256_strings
from mmrec_core.extractors.base import EXTRACTORS
from mmrec_core.extractors.matrices import MatrixExtractor

MOST = 5000
"""Categories, one column each."""


class Category(MatrixExtractor):
    """One column a category of the metadata, 1 where an item belongs to it.

    An item of several categories has several ones; items without a category are missing. The
    control of attributes that a model decoded: a shop has its categories for nothing.
    """

    name = "category"
    title = "Category of the metadata"
    modality = "joint"
    reference = "the dataset's own metadata"
    version = 1

    def inputs_fingerprint(self, dataset: Dataset) -> str:
        """sha256 of item ids and categories."""
        categories = sha256_strings(dataset.items["category"].fillna("").astype(str))
        separator = dataset.info.category_separator
        return sha256_json([sha256_strings(dataset.item_ids), categories, separator])

    def matrix(
        self, dataset: Dataset, device: str | None, progress: Progress
    ) -> tuple[np.ndarray, np.ndarray]:
        """One-hot categories, in the order of their names."""
        cells = dataset.items["category"].fillna("").astype(str)
        separator = dataset.info.category_separator
        each = cells.str.split(separator, regex=False) if separator else cells.map(lambda c: [c])
        exploded = each.explode().str.strip()
        exploded = exploded[exploded != ""]
        if exploded.empty:
            raise InputError(f"The items of {dataset.name!r} have no category.")
        if exploded.nunique() > MOST:
            raise InputError(
                f"The items of {dataset.name!r} have {exploded.nunique():,} categories; a matrix "
                f"holds at most {MOST:,}."
            )
        table = pd.crosstab(exploded.index, exploded).reindex(dataset.items.index, fill_value=0)
        matrix = (table.to_numpy() > 0).astype(np.float32)
        return matrix, (matrix == 0).all(axis=1)


EXTRACTORS.register(Category.name, Category)
