"""Items of an upload: read in pieces, checked, and brought to the standard columns."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import numpy as np
import pandas as pd

from mmrec_core.datasets.columns import Declared, Roles, item_roles
from mmrec_core.datasets.importers.base import Layout
from mmrec_core.datasets.importers.tables import CHUNK_ROWS, read_table
from mmrec_core.datasets.schema import Ledger, printable
from mmrec_core.domain import InputError

RESERVED = ("item_id", "title", "text", "category", "image", "image_sha256")


@dataclass(frozen=True, eq=False)
class ItemTable:
    """Items as far as the table tells.

    Attributes:
        items: Standard columns, then those of the file.
        rows: [n_items] row of each in the file, from 0, rejected ones counted; -1: in none.
        n_rows: Rows of the file.
        roles: Roles of all columns.
    """

    items: pd.DataFrame
    rows: np.ndarray
    n_rows: int
    roles: Roles


def read_items(
    layout: Layout,
    declared: Declared,
    roles: Roles,
    interactions: pd.DataFrame,
    ledger: Ledger,
    told: Callable[[int], None],
) -> ItemTable:
    """Reads the item table; an item that occurs again is rejected with the line of the first.

    Args:
        layout: Of the upload.
        declared: Columns as declared.
        roles: Of the interactions.
        interactions: As read.
        ledger: Takes unsound rows.
        told: Called with the number of rows read so far.

    Raises:
        InputError: The item id is not found among the columns.
    """
    if layout.items is None:
        ledger.note("There is no items file: items are known by their ids alone.")
        ids = interactions["item_id"].drop_duplicates().reset_index(drop=True)
        blank = pd.Series("", index=ids.index, dtype="str")
        items = pd.DataFrame(
            {"item_id": ids, "title": blank, "text": blank, "category": blank, "image": blank}
        )
        return ItemTable(items, np.full(len(ids), -1), 0, roles)
    name = layout.items.name
    wanted = pd.Index(interactions["item_id"].unique()) if layout.known_only else None
    tables = (layout.items, *layout.more_items)
    frames, lines, ordinals, origins = [], [], [], []
    read = left = 0
    for at, table in enumerate(tables):
        for chunk in read_table(table, ledger):
            kept = np.ones(len(chunk.frame), dtype=bool)
            if wanted is not None:
                # What nobody interacted with is not kept in memory.
                columns = list(chunk.frame.columns)
                key = item_roles(roles, columns, declared.columns, table.name).key
                kept = chunk.frame[key].str.strip().isin(wanted).to_numpy(dtype=bool)
            left += int((~kept).sum())
            frames.append(chunk.frame[kept])
            lines.append(chunk.lines[kept])
            ordinals.append(chunk.ordinals[kept] + read)
            origins.append(np.full(int(kept.sum()), at))
            told(read + ledger.rows_read[table.name])
        read += ledger.rows_read[table.name]
    frame = pd.concat(frames, ignore_index=True).fillna("")
    del frames
    roles = item_roles(roles, list(frame.columns), declared.columns, name)
    if left:
        ledger.note(f"{name}: {left:,} rows of items without an interaction here are left out.")
    where = _Places(tuple(table.name for table in tables), np.concatenate(origins),
                    np.concatenate(lines))  # fmt: skip
    frame, ids, rows = _unique(frame, where, np.concatenate(ordinals), roles, ledger,
                               layout.repeats)  # fmt: skip
    return ItemTable(_composed(frame, ids, roles, declared), rows, read, roles)


@dataclass(frozen=True, eq=False)
class _Places:
    """Where each row of the items was read: [rows] place in ``names``, and line."""

    names: tuple[str, ...]
    origins: np.ndarray
    lines: np.ndarray


def _unique(
    frame: pd.DataFrame,
    places: _Places,
    ordinals: np.ndarray,
    roles: Roles,
    ledger: Ledger,
    repeats: bool,
) -> tuple[pd.DataFrame, pd.Series, np.ndarray]:
    assert roles.key is not None
    ids = frame[roles.key].str.strip()
    empty = (ids == "").to_numpy(dtype=bool)
    what = f"the cell of column {printable(roles.key)!r} is empty"
    lines = places.lines
    for at, name in enumerate(places.names):
        ledger.reject_rows(name, lines, empty & (places.origins == at), what, ids)
    again = ids.duplicated(keep="first").to_numpy(dtype=bool) & ~empty
    if again.any() and repeats:
        ledger.note(
            f"{places.names[0]}: {int(again.sum()):,} rows describe an item again, as this file is "
            "known to; the first row of each item is kept."
        )
    elif again.any():
        first = pd.Series(np.flatnonzero(~again), index=ids[~again].array)
        where = first[ids[again]].to_numpy()
        for row, before in zip(np.flatnonzero(again), where, strict=True):
            elsewhere = places.origins[before] != places.origins[row]
            of = f" of {places.names[places.origins[before]]}" if elsewhere else ""
            reason = f"item {printable(ids.iloc[row])!r} is already on line {lines[before]}{of}"
            ledger.reject(places.names[places.origins[row]], int(lines[row]), reason)
    kept = ~empty & ~again
    if kept.all():
        return frame, ids, ordinals
    return frame[kept].reset_index(drop=True), ids[kept].reset_index(drop=True), ordinals[kept]


def _composed(
    frame: pd.DataFrame, ids: pd.Series, roles: Roles, declared: Declared
) -> pd.DataFrame:
    """The standard columns, followed by every column of the file."""
    blank = pd.Series("", index=frame.index, dtype="str")

    def column(name: str | None) -> pd.Series:
        return frame[name].str.strip() if name is not None else blank

    # In pieces: what is between the cells and the text is as large as all texts each time.
    pieces = [
        _texts(frame.iloc[at : at + CHUNK_ROWS], roles, declared)
        for at in range(0, len(frame), CHUNK_ROWS)
    ]
    text = pd.concat(pieces) if pieces else blank
    items = pd.DataFrame(
        {
            "item_id": ids,
            "title": column(roles.title),
            "text": text,
            "category": column(roles.category),
            "image": column(roles.image),
        }
    )
    standard = {"item_id": roles.key, "title": roles.title, "category": roles.category,
                "image": roles.image}  # fmt: skip
    for name in frame.columns:
        if name not in RESERVED:
            items[name] = frame[name]
        elif standard.get(name) != name:
            # The file's own column of that name plays no such role: kept beside ours.
            items[_free(f"file_{name}", [*frame.columns, *items.columns])] = frame[name]
    return items


def _free(name: str, taken: list[str]) -> str:
    """A name that no column has."""
    counted = (f"{name}_{n}" for n in count(2))
    return name if name not in taken else next(new for new in counted if new not in taken)


def _texts(frame: pd.DataFrame, roles: Roles, declared: Declared) -> pd.Series:
    """The text of each item: its cells that are not empty, one a line."""
    text = pd.Series("", index=frame.index, dtype="str")
    said = np.zeros(len(frame), dtype=bool)
    for name in roles.text:
        cell = frame[name].str.strip()
        gap = ((text != "") & (cell != "")).map({True: "\n", False: ""}).astype("str")
        text = text + gap + cell
        if name != roles.title:
            said |= (cell != "").to_numpy(dtype=bool)
    if declared.columns.title_is_text or set(roles.text) <= {roles.title}:
        return text
    return text.where(said, "")


def with_unknown(
    items: pd.DataFrame, rows: np.ndarray, interactions: pd.DataFrame, layout: Layout
) -> tuple[pd.DataFrame, np.ndarray]:
    """``items`` and behind them those that only interactions name; their row is -1.

    Raises:
        InputError: No item of the interactions is in the item table.
    """
    named = interactions["item_id"].drop_duplicates()
    unknown = named[~named.isin(items["item_id"])]
    if unknown.empty:
        return items, rows
    if layout.items is not None and len(unknown) == len(named):
        raise InputError(
            f"No item of the interactions is in {layout.items.name} (such as "
            f"{printable(unknown.iloc[0])!r}; its own ids look like {_example(items)}); ids must "
            "be written alike in both files."
        )
    # As whole columns: filling the gaps of a joined frame would copy every text.
    added = pd.DataFrame(
        {
            name: unknown.array if name == "item_id" else pd.array([""] * len(unknown), dtype="str")
            for name in items.columns
        }
    )
    return pd.concat([items, added], ignore_index=True), np.concatenate(
        [rows, np.full(len(added), -1)]
    )


def _example(items: pd.DataFrame) -> str:
    return repr(printable(items["item_id"].iloc[0])) if len(items) else "nothing: it has no rows"
