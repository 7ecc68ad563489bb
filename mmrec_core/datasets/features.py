"""Precomputed features of an upload: checked, and put in the order of the items."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mmrec_core.datasets.arrays import ID_COLUMN, read_array, read_vector
from mmrec_core.datasets.importers.base import FeatureSource, Tables
from mmrec_core.datasets.schema import Ledger
from mmrec_core.domain import InputError
from mmrec_core.settings import settings

_BLOCK = 2**22
"""Numbers that are looked at at once."""


@dataclass(frozen=True, eq=False)
class FeatureMatrix:
    """Precomputed features of all items.

    Attributes:
        name: Name of the features.
        modality: image, text or joint.
        matrix: [n_items, d] float32; rows of missing items hold zeros.
        missing: [n_items] bool.
    """

    name: str
    modality: str
    matrix: np.ndarray
    missing: np.ndarray


def read_features(source: FeatureSource, tables: Tables, ledger: Ledger) -> FeatureMatrix | None:
    """Reads one matrix of the upload; None where a lenient reading leaves it out.

    An item without row is missing, and so is one whose row is all zeros: that is how published
    feature files write "no picture".

    Raises:
        InputError: It is unsound and the reading is not lenient.
    """
    try:
        matrix, named = _stacked(source) if source.vectors else read_array(source.path)
        rows = _rows(source, matrix, named, tables)
    except InputError as error:
        ledger.reject(source.file, None, str(error))
        return None
    out = np.zeros((len(tables.items), matrix.shape[1]), dtype=np.float32)
    missing = rows < 0
    unusable = 0
    zero = 0
    step = max(1, _BLOCK // matrix.shape[1])
    for start in range(0, len(rows), step):
        here = np.flatnonzero(rows[start : start + step] >= 0) + start
        with np.errstate(over="ignore"):
            block = np.asarray(matrix[rows[here]]).astype(np.float32)
        finite = np.isfinite(block).all(axis=1)
        for at in here[~finite]:
            unusable += 1
            ledger.reject(
                source.file,
                int(rows[at]) + 1,
                f"the row (item {tables.items['item_id'].iloc[at]!r}) holds NaN or infinity",
            )
        empty = finite & ~block.any(axis=1)
        zero += int(empty.sum())
        good = finite & ~empty
        out[here[good]] = block[good]
        missing[here[~good]] = True
    if zero:
        ledger.note(f"{source.file}: {zero:,} rows are all zeros and count as missing.")
    if missing.all():
        ledger.reject(source.file, None, "no item has features")
        return None
    return FeatureMatrix(source.name, source.modality, out, missing)


def _stacked(source: FeatureSource) -> tuple[np.ndarray, pd.Index]:
    """One vector a file, stacked; and the item of each."""
    assert source.vectors is not None
    rows: list[np.ndarray] = []
    for item, path in source.vectors.items():
        vector = read_vector(path)
        if rows and len(vector) != len(rows[0]):
            raise InputError(
                f"the vector of item {item!r} has {len(vector):,} numbers, that of the first "
                f"{len(rows[0]):,}"
            )
        rows.append(vector)
    return np.stack(rows), pd.Index(list(source.vectors), dtype=object)


def _rows(
    source: FeatureSource, matrix: np.ndarray, named: pd.Index | None, tables: Tables
) -> np.ndarray:
    """[n_items] row of each item in ``matrix``; -1 where it has none."""
    if source.rows is not None:
        ids = pd.Index(tables.items["item_id"])
        rows = ids.map(source.rows).fillna(-1).to_numpy().astype(np.int64)
        if rows.max() >= len(matrix):
            raise InputError(
                f"{len(matrix):,} rows, but item {ids[int(rows.argmax())]!r} is said to be on row "
                f"{int(rows.max()) + 1:,}"
            )
        if (rows < 0).all():
            raise InputError("none of its rows is said to be that of an item")
        return rows
    if named is not None:
        return _placed(named, f"the column {ID_COLUMN}", "row", tables)
    if source.ids is None:
        if tables.n_item_rows == 0:
            raise InputError(
                f"without items file {source.name}.ids.txt must name the item of each row"
            )
        if len(matrix) != tables.n_item_rows:
            raise InputError(
                f"{len(matrix):,} rows, but the items file has {tables.n_item_rows:,} (add "
                f"{source.name}.ids.txt, one item id a line, if the order is another)"
            )
        return tables.item_rows
    if source.ids.stat().st_size > settings().limits.cell_characters * 2**14:
        raise InputError(f"{source.name}.ids.txt is too large to be a list of ids")
    try:
        lines = source.ids.read_bytes().decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise InputError(f"{source.name}.ids.txt is not UTF-8") from None
    ids = pd.Index([line.strip() for line in lines])
    if len(ids) != len(matrix):
        raise InputError(f"{len(matrix):,} rows, but {source.name}.ids.txt has {len(ids):,} lines")
    return _placed(ids, f"{source.name}.ids.txt", "line", tables)


def _placed(ids: pd.Index, called: str, unit: str, tables: Tables) -> np.ndarray:
    """[n_items] place of each item in ``ids``; -1 where it has none."""
    again = ids.duplicated()
    if again.any():
        at = int(np.flatnonzero(again)[0])
        raise InputError(
            f"{called}, {unit} {at + 1}: {ids[at]!r} is already on {unit} "
            f"{int(np.flatnonzero(ids == ids[at])[0]) + 1}"
        )
    rows: np.ndarray = ids.get_indexer(pd.Index(tables.items["item_id"]))
    if (rows < 0).all():
        raise InputError(f"no id of {called} is the id of an item")
    return rows
