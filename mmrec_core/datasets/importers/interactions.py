"""Interactions of an upload: streamed, checked, and reduced to one row a user-item pair."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from mmrec_core.datasets.columns import Columns, Roles, interaction_roles
from mmrec_core.datasets.importers.tables import Chunk, Table, read_table
from mmrec_core.datasets.schema import Ledger, printable
from mmrec_core.domain import InputError

PARTS = ("train", "valid", "test")

PART_NAMES = {
    **dict.fromkeys(("train", "training", "0", "0.0"), "train"),
    **dict.fromkeys(("valid", "validation", "val", "dev", "1", "1.0"), "valid"),
    **dict.fromkeys(("test", "testing", "2", "2.0"), "test"),
}
"""What a split column may say."""


class Codes:
    """Numbers texts in the order of their first appearance."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def encode(self, texts: pd.Series) -> np.ndarray:
        """[rows] int64 code of each text."""
        codes, uniques = pd.factorize(texts)
        known = self._known
        numbers = np.array([known.setdefault(text, len(known)) for text in uniques], dtype=np.int64)
        return numbers[codes] if len(numbers) else np.empty(0, dtype=np.int64)

    def texts(self) -> pd.Series:
        """All texts, at the position of their code."""
        return pd.Series(list(self._known), dtype="str")


@dataclass
class _Columns:
    users: list[np.ndarray] = field(default_factory=list)
    items: list[np.ndarray] = field(default_factory=list)
    ratings: list[np.ndarray] = field(default_factory=list)
    times: list[np.ndarray] = field(default_factory=list)
    parts: list[np.ndarray] = field(default_factory=list)


NO_TIME = np.iinfo(np.int64).min


def read_interactions(
    tables: Sequence[Table],
    declared: Columns,
    ledger: Ledger,
    told: Callable[[int], None],
) -> tuple[pd.DataFrame, Roles, int]:
    """Reads the interactions of one or several files.

    Of several rows of one user and item the last is kept: the latest where there are timestamps,
    the last in the file otherwise. With a fixed split a training row goes before any other, since
    an item already seen is never recommended.

    Args:
        tables: The files; a part of a fixed split each, or none of them.
        declared: Columns as declared.
        ledger: Takes unsound rows.
        told: Called with the number of rows read so far.

    Returns:
        The table, the roles of its columns, and how many repeated rows were removed.
    """
    users, items, columns = Codes(), Codes(), _Columns()
    roles = Roles()
    read = 0
    for table in tables:
        for chunk in read_table(table, ledger):
            # Records of JSON lines may bring new columns along the way.
            roles = interaction_roles(list(chunk.frame.columns), declared, table.name)
            _check(chunk, table, roles, ledger, users, items, columns)
            told(read + ledger.rows_read[table.name])
        read += ledger.rows_read[table.name]
    if not sum(len(codes) for codes in columns.users):
        raise InputError(f"{tables[0].name} holds no interaction that can be used.")
    frame, removed = _unique(columns, len(items.texts()))
    frame["user_id"] = users.texts().take(frame["user_id"].to_numpy()).array
    frame["item_id"] = items.texts().take(frame["item_id"].to_numpy()).array
    if roles.split is None and all(table.part is None for table in tables):
        frame = frame.drop(columns="split")
    else:
        _check_parts(frame, roles, tables)
    return frame, roles, removed


def _check_parts(frame: pd.DataFrame, roles: Roles, tables: Sequence[Table]) -> None:
    parts = set(frame["split"].unique())
    lacking = [part for part in ("train", "test") if part not in parts]
    if lacking:
        where = f"{tables[0].name}: column {roles.split!r} says" if roles.split else "The files say"
        raise InputError(
            f"{where} of no interaction that it is for {lacking[0]}, and a fixed split needs train "
            "and test; complete it, or map split to nothing to have the interactions divided here."
        )


def _check(
    chunk: Chunk,
    table: Table,
    roles: Roles,
    ledger: Ledger,
    users: Codes,
    items: Codes,
    columns: _Columns,
) -> None:
    frame, lines, file = chunk.frame, chunk.lines, table.name
    n = len(frame)
    bad = np.zeros(n, dtype=bool)

    def reject(where: np.ndarray, what: str, values: pd.Series) -> None:
        new = where & ~bad
        ledger.reject_rows(file, lines, new, what, values)
        bad[new] = True

    ids = {}
    for role in ("user_id", "item_id"):
        column = getattr(roles, role)
        ids[role] = _filled(frame, column).str.strip()
        empty = (ids[role] == "").to_numpy(dtype=bool)
        reject(empty, f"the cell of column {printable(column)!r} is empty", ids[role])

    ratings = np.full(n, np.nan)
    if roles.rating is not None:
        cells = _filled(frame, roles.rating).str.strip()
        ratings = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64)
        largest = np.finfo(np.float32).max
        unusable = (cells != "").to_numpy(dtype=bool) & ~(np.abs(ratings) <= largest)
        reject(unusable, "the rating {} is not a number", cells)

    times = np.full(n, NO_TIME, dtype=np.int64)
    if roles.timestamp is not None:
        cells = _filled(frame, roles.timestamp).str.strip()
        times, unusable = _seconds(cells)
        reject(unusable, "the timestamp {} is neither a number nor an ISO date", cells)

    parts = np.zeros(n, dtype=np.int8)
    if table.part is not None:
        parts[:] = PARTS.index(table.part)
    elif roles.split is not None:
        cells = _filled(frame, roles.split).str.strip()
        number = cells.str.lower().map({k: PARTS.index(v) for k, v in PART_NAMES.items()})
        unusable = number.isna().to_numpy(dtype=bool)
        reject(
            unusable,
            f"column {printable(roles.split)!r} says {{}}, not train, valid or test (if it is no "
            "split, map split to nothing)",
            cells,
        )
        parts = number.fillna(0).to_numpy().astype(np.int8)

    good = ~bad
    columns.users.append(users.encode(ids["user_id"][good]).astype(np.int32))
    columns.items.append(items.encode(ids["item_id"][good]).astype(np.int32))
    columns.ratings.append(ratings[good].astype(np.float32))
    columns.times.append(times[good])
    columns.parts.append(parts[good])


def _filled(frame: pd.DataFrame, column: str) -> pd.Series:
    if column not in frame.columns:
        return pd.Series("", index=frame.index, dtype="str")
    return frame[column]


def _seconds(cells: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Timestamps as int64 and which cells hold none that can be read.

    Numbers are kept as they are (their unit is the file's); dates become seconds since 1970.
    """
    filled = (cells != "").to_numpy(dtype=bool)
    numbers = pd.to_numeric(cells, errors="coerce")
    times = np.full(len(cells), NO_TIME, dtype=np.int64)
    # Not those beyond 63 bits, which would come out as times long past.
    if pd.api.types.is_signed_integer_dtype(numbers.dtype):
        return numbers.to_numpy(dtype=np.int64), np.zeros(len(cells), dtype=bool)
    values = numbers.to_numpy(dtype=np.float64)
    usable = np.isfinite(values) & (np.abs(values) < 2**62)
    times[usable] = values[usable].astype(np.int64)
    text = filled & np.isnan(values)
    if text.any():
        dates = pd.to_datetime(cells[text], errors="coerce", utc=True, format="ISO8601")
        known = dates.notna().to_numpy(dtype=bool)
        rows = np.flatnonzero(text)[known]
        times[rows] = dates[known].dt.as_unit("s").astype("int64").to_numpy()
        usable[rows] = True
    return times, filled & ~usable


def _unique(columns: _Columns, n_items: int) -> tuple[pd.DataFrame, int]:
    """One row a user-item pair, in the order of the files; user and item still as codes."""
    users, items = np.concatenate(columns.users), np.concatenate(columns.items)
    times, parts = np.concatenate(columns.times), np.concatenate(columns.parts)
    ratings = np.concatenate(columns.ratings)
    pair = users.astype(np.int64) * n_items + items
    order = np.lexsort((np.arange(len(pair)), times, -parts, pair))
    ordered = pair[order]
    last = np.append(ordered[1:] != ordered[:-1], True)
    kept = np.sort(order[last])
    frame = pd.DataFrame(
        {
            "user_id": users[kept],
            "item_id": items[kept],
            "rating": ratings[kept],
            "timestamp": pd.array(times[kept], dtype="Int64"),
            "split": pd.Series(PARTS, dtype="str").take(parts[kept]).array,
        }
    )
    frame.loc[times[kept] == NO_TIME, "timestamp"] = pd.NA
    return frame, len(pair) - len(kept)
