"""Precomputed features of an upload: checked, and put in the order of the items."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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
        matrix, named = (
            _stacked(source, tables, ledger) if source.vectors else read_array(source.path)
        )
        rows = _rows(source, matrix, named, tables, ledger)
        if source.filled:
            filled = tables.items["item_id"].isin(source.filled).to_numpy(dtype=bool)
            rows = np.where(filled, -1, rows)
    except InputError as error:
        ledger.reject(source.file, None, str(error))
        return None
    size, most = 4 * len(tables.items) * matrix.shape[1], settings().limits.features_bytes
    if size > most:
        ledger.reject(
            source.file,
            None,
            f"{len(tables.items):,} items by {matrix.shape[1]:,} numbers are {size / 2**30:.1f} "
            f"GiB, and {most / 2**30:.1f} GiB are allowed (features_bytes); save fewer numbers",
        )
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
            item = repr(tables.items["item_id"].iloc[at])
            if source.vectors:
                ledger.reject(source.file, None, f"the vector of item {item} holds NaN or infinity")
                continue
            reason = f"the row (item {item}) holds NaN or infinity"
            ledger.reject(source.file, int(rows[at]) + 1, reason)
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


def _stacked(source: FeatureSource, tables: Tables, ledger: Ledger) -> tuple[np.ndarray, pd.Index]:
    """One vector a file, stacked, as far as they are vectors of items; and the item of each."""
    assert source.vectors is not None
    wanted = [item for item in tables.items["item_id"] if item in source.vectors]
    if not wanted:
        raise InputError(f"no file is called by the id of an item (such as {_one(source.vectors)})")
    unused = len(source.vectors) - len(wanted)
    if unused:
        ledger.note(f"{source.file}: {unused:,} vectors are of no item and are not used.")
    rows: dict[str, np.ndarray] = {}
    width = 0
    for item in wanted:
        try:
            vector = read_vector(source.vectors[item])
        except InputError as error:
            ledger.reject(source.file, None, f"the vector of item {item!r} cannot be used: {error}")
            continue
        width = width or len(vector)
        if len(vector) != width:
            ledger.reject(
                source.file,
                None,
                f"the vector of item {item!r} has {len(vector):,} numbers, and {width:,} those "
                "before it",
            )
        else:
            rows[item] = vector
    if not rows:
        raise InputError("no vector can be used")
    return np.stack(list(rows.values())), pd.Index(list(rows), dtype=object)


def _one(vectors: Mapping[str, Path]) -> str:
    return repr(next(iter(vectors)))


def _rows(
    source: FeatureSource,
    matrix: np.ndarray,
    named: pd.Index | None,
    tables: Tables,
    ledger: Ledger,
) -> np.ndarray:
    """[n_items] row of each item in ``matrix``; -1 where it has none."""
    if source.numbered:
        ids = pd.Index(tables.items["item_id"])
        rows = _numbers(ids)
        if rows.max() >= len(matrix):
            raise InputError(
                f"{len(matrix):,} rows, but item {ids[int(rows.argmax())]!r} is said to be on row "
                f"{int(rows.max()) + 1:,}"
            )
        if (rows < 0).all():
            raise InputError("none of its rows is said to be that of an item")
        unused = len(matrix) - len(np.unique(rows[rows >= 0]))
        if unused:
            ledger.note(f"{source.file}: {unused:,} rows are of no item and are not used.")
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


def _numbers(ids: pd.Index) -> np.ndarray:
    """[n_items] each id as the whole number that it is, from 0; -1 where it is none."""
    plain = np.asarray(ids.str.fullmatch(r"0|[1-9][0-9]{0,17}"), dtype=bool)
    numbers = np.full(len(ids), -1, dtype=np.int64)
    numbers[plain] = ids[plain].to_numpy(dtype=object).astype(np.int64)
    return numbers


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
