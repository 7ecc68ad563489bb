"""Tables of an upload, read in pieces, whichever way they are written.

Every cell is text as written ("007" stays "007"); an absent cell is the empty text. Each row
keeps its line, so that whatever is wrong later can be told by file and line.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.datasets.schema import HEAD_ROWS, Ledger, printable
from mmrec_core.domain import InputError
from mmrec_core.settings import settings

LIST_SEPARATOR = "|"
"""Joins the entries of a list in one cell."""

FORMATS = (".csv", ".tsv", ".parquet", ".jsonl")
"""How the tables of the plain layout may be written; the text ones also with .gz behind."""

CHUNK_ROWS = 100_000

_KINDS = {
    ".csv": "delimited",
    ".tsv": "delimited",
    ".txt": "delimited",
    ".dat": "delimited",
    ".data": "delimited",
    ".item": "delimited",
    ".inter": "delimited",
    ".user": "delimited",
    ".json": "records",
    ".jsonl": "records",
    ".ndjson": "records",
    ".parquet": "parquet",
    ".arrow": "arrow",
}
"""Suffix -> how a table is read unless an importer says otherwise."""


def suffix_of(name: str) -> str:
    """The suffix of a file name in small letters, as if it were not packed: ``.jsonl``."""
    path = PurePosixPath(name.lower())
    return path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix


def is_table(name: str) -> bool:
    """Whether a file is a table, judged by its name."""
    return suffix_of(name) in _KINDS


@dataclass(frozen=True)
class Table:
    """A table of an upload, and how it is written.

    Attributes:
        name: Of the file in the upload; with ``.gz`` at the end it is unpacked while it is read.
        path: On disk.
        part: Part of a fixed split (train, valid or test) that all its rows are; None: none.
        columns: Names of the columns of a file that does not name them; empty: its first line.
        delimiter: Between two cells; empty: found out. Of more than one character: cells are
            never quoted.
        encoding: Of the text.
        quoted: Whether a cell may stand in quotation marks.
        parse: Makes an object of one line; raises ValueError. Of tables of records.
        reshape: Makes the wanted columns of an object, the same ones of every object, the empty
            one included. Of tables of records and of Parquet.
        only: Columns to keep; empty: all.
        renamed: Column as the file calls it -> as it is called here.
        nothing: What a cell says where nothing is there, such as ``nan``.
        made: Column, as it is called here -> makes its cells what they mean, [rows] at once.
        derive: Makes the wanted columns of several, of some rows at once, in their order.
    """

    name: str
    path: Path
    part: str | None = None
    columns: tuple[str, ...] = ()
    delimiter: str = ""
    encoding: str = "utf-8"
    quoted: bool = True
    parse: Callable[[str], Any] | None = None
    reshape: Callable[[dict[str, Any]], Mapping[str, Any]] | None = None
    only: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    nothing: tuple[str, ...] = ()
    made: Mapping[str, Callable[[pd.Series], pd.Series]] = field(default_factory=dict)
    derive: Callable[[pd.DataFrame], pd.DataFrame] | None = None

    @property
    def kind(self) -> str:
        """delimited, records, parquet or arrow."""
        return _KINDS.get(suffix_of(self.name), "parquet")


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some consecutive rows of a table.

    Attributes:
        frame: Cells as text, one column each.
        lines: [rows] line on which each row starts, from 1; the row number in binary files.
        ordinals: [rows] position among all rows of the file, rejected ones included, from 0.
    """

    frame: pd.DataFrame
    lines: np.ndarray
    ordinals: np.ndarray


def read_table(table: Table, ledger: Ledger, rows: int = CHUNK_ROWS) -> Iterator[Chunk]:
    """Reads a table of an upload in chunks of at most ``rows`` rows; at least one is yielded.

    Args:
        table: The file and how it is written.
        ledger: Takes the rows that cannot be read, the number of rows, and the first of them.
        rows: Most rows at a time.

    Raises:
        InputError: The file cannot be read at all, or has no or doubled column names.
    """
    from mmrec_core.datasets.importers import columnar, delimited, records

    readers: dict[str, Callable[[Table, Ledger, int], Iterator[Chunk]]] = {
        "delimited": delimited.read,
        "records": records.read,
        "parquet": columnar.read_parquet,
        "arrow": columnar.read_arrow,
    }
    most = settings().limits.rows
    for chunk in readers[table.kind](table, ledger, rows):
        if ledger.rows_read.get(table.name, 0) > most:
            raise InputError(f"{table.name} has more than {most:,} rows; split it.")
        if table.renamed or table.nothing or table.made or table.derive:
            chunk = Chunk(_meant(chunk.frame, table), chunk.lines, chunk.ordinals)
        ledger.saw(table.name, chunk.frame.head(HEAD_ROWS))
        if table.only:
            kept = [name for name in table.only if name in chunk.frame.columns]
            chunk = Chunk(chunk.frame[kept], chunk.lines, chunk.ordinals)
        yield chunk


def _meant(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    frame = frame.rename(columns=dict(table.renamed))
    if table.nothing:
        frame = frame.mask(frame.isin(list(table.nothing)), "")
    made = {name: make(frame[name]) for name, make in table.made.items() if name in frame.columns}
    frame = frame.assign(**made).astype("str")
    return frame if table.derive is None else table.derive(frame)


def checked_columns(names: list[str], file: str) -> list[str]:
    """Names of columns, those without one numbered.

    Raises:
        InputError: There are too many, or two alike.
    """
    names = [name.strip() or f"column_{position}" for position, name in enumerate(names, start=1)]
    most = settings().limits.columns
    if len(names) > most:
        raise InputError(f"{file}, line 1: {len(names):,} columns; at most {most} are read.")
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        name = printable(doubled[0])
        raise InputError(f"{file}, line 1: two columns are called {name!r}; rename one.")
    return names


def frame_of(columns: list[str], rows: list[Any]) -> pd.DataFrame:
    """Rows of text as a frame."""
    cells = zip(*rows, strict=True) if rows else ([] for _ in columns)
    return pd.DataFrame(
        {
            name: pd.array(list(column), dtype="str")
            for name, column in zip(columns, cells, strict=True)
        }
    )


def cell(value: Any) -> str:
    """A JSON value as text; numbers arrive as they were written."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list) and not any(isinstance(part, list | dict) for part in value):
        return LIST_SEPARATOR.join(cell(part) for part in value)
    return json.dumps(value, ensure_ascii=False, default=str)
