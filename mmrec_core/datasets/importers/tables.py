"""Tables of an upload, read in pieces: CSV, TSV, JSON lines and Parquet.

Every cell is text as written ("007" stays "007"); an absent cell is the empty text. Each row
keeps its line, so that whatever is wrong later can be told by file and line.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mmrec_core.datasets.schema import Ledger, clean
from mmrec_core.domain import InputError
from mmrec_core.settings import settings

FORMATS = (".csv", ".tsv", ".parquet", ".jsonl")

LIST_SEPARATOR = "|"
"""Joins the entries of a list in one cell."""

_LONGEST_LINE = 64 * 2**20
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some consecutive rows of a table.

    Attributes:
        frame: Cells as text, one column each.
        lines: [rows] line on which each row starts, from 1; the row number in Parquet files.
        ordinals: [rows] position among all rows of the file, rejected ones included, from 0.
    """

    frame: pd.DataFrame
    lines: np.ndarray
    ordinals: np.ndarray


def read_table(path: Path, name: str, ledger: Ledger, rows: int = 100_000) -> Iterator[Chunk]:
    """Reads a table of an upload in chunks of at most ``rows`` rows; at least one is yielded.

    Args:
        path: The file.
        name: Its name in the upload, for sentences.
        ledger: Takes the rows that cannot be read, and the number of rows.
        rows: Most rows at a time.

    Raises:
        InputError: The file cannot be read at all, or has no or doubled column names.
    """
    readers = {".csv": _read_csv, ".tsv": _read_csv, ".jsonl": _read_jsonl}
    read = readers.get(path.suffix.lower(), _read_parquet)
    most = settings().limits.rows
    for chunk in read(path, name, ledger, rows):
        if ledger.rows_read.get(name, 0) > most:
            raise InputError(f"{name} has more than {most:,} rows; split it.")
        yield chunk


def _checked_columns(names: list[str], file: str) -> list[str]:
    names = [name.strip() or f"column_{position}" for position, name in enumerate(names, start=1)]
    most = settings().limits.columns
    if len(names) > most:
        raise InputError(f"{file}, line 1: {len(names):,} columns; at most {most} are read.")
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise InputError(f"{file}, line 1: two columns are called {doubled[0]!r}; rename one.")
    return names


def _frame(columns: list[str], rows: list[Any]) -> pd.DataFrame:
    cells = zip(*rows, strict=True) if rows else ([] for _ in columns)
    return pd.DataFrame(
        {
            name: pd.array(list(column), dtype="str")
            for name, column in zip(columns, cells, strict=True)
        }
    )


class _Lines:
    """Lines of a UTF-8 file as text; notes the lines that are not UTF-8 and reads on."""

    def __init__(self, path: Path, file: str) -> None:
        self.path = path
        self.file = file
        self.bad: dict[int, str] = {}

    def __iter__(self) -> Iterator[str]:
        with self.path.open("rb") as source:
            number = 0
            while raw := source.readline(_LONGEST_LINE):
                number += 1
                if number == 1:
                    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
                        raise InputError(f"{self.file} is UTF-16; save it as UTF-8.")
                    raw = raw.removeprefix(_BOM)
                if len(raw) == _LONGEST_LINE:
                    raise InputError(
                        f"{self.file}, line {number}: the line is longer than "
                        f"{_LONGEST_LINE // 2**20} MiB; this is not a table."
                    )
                try:
                    yield raw.decode("utf-8")
                except UnicodeDecodeError as error:
                    self.bad[number] = (
                        f"byte 0x{raw[error.start]:02x} is not UTF-8; save the file as UTF-8"
                    )
                    yield raw.decode("utf-8", "replace")


def _delimiter(path: Path, file: str) -> str:
    """A comma or a tab by the file's suffix, or what the header uses instead."""
    usual = "\t" if path.suffix.lower() == ".tsv" else ","
    header = next(iter(_Lines(path, file)), "")
    if usual in header:
        return usual
    others = [sign for sign in (";", "\t", ",", "|") if sign in header]
    return max(others, key=header.count) if others else usual


def _read_csv(path: Path, file: str, ledger: Ledger, size: int) -> Iterator[Chunk]:
    longest = settings().limits.cell_characters
    csv.field_size_limit(longest)
    lines = _Lines(path, file)
    reader = csv.reader(lines, delimiter=_delimiter(path, file), strict=True)
    try:
        header = next(reader)
    except StopIteration:
        raise InputError(f"{file} is empty; its first line must name the columns.") from None
    except csv.Error as error:
        raise InputError(f"{file}, line 1: the column names cannot be read ({error}).") from error
    if 1 in lines.bad:
        raise InputError(f"{file}, line 1: {lines.bad[1]}.")
    columns = _checked_columns(header, file)
    ordinal = 0
    rows: list[list[str]] = []
    starts: list[int] = []
    ordinals: list[int] = []
    yielded = False
    while True:
        start = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            ledger.reject(file, start, _in_words(str(error), longest))
            ordinal += 1
            continue
        if not row:
            continue
        ordinal += 1
        broken = (
            [lines.bad[n] for n in range(start, reader.line_num + 1) if n in lines.bad]
            if (lines.bad)
            else []
        )
        if broken:
            ledger.reject(file, start, broken[0])
        elif len(row) != len(columns):
            ledger.reject(
                file, start, f"{len(row)} cells where the header has {len(columns)} columns"
            )
        else:
            rows.append(row)
            starts.append(start)
            ordinals.append(ordinal - 1)
        if len(rows) == size:
            ledger.rows_read[file] = ordinal
            yield Chunk(_frame(columns, rows), np.array(starts), np.array(ordinals))
            yielded, rows, starts, ordinals = True, [], [], []
    ledger.rows_read[file] = ordinal
    if rows or not yielded:
        yield Chunk(
            _frame(columns, rows), np.array(starts, dtype=int), np.array(ordinals, dtype=int)
        )


def _in_words(error: str, longest: int) -> str:
    if "field limit" in error:
        return f"a cell is longer than {longest:,} characters, or a quotation mark is never closed"
    if "unexpected end" in error:
        return "a quotation mark is opened in this row and never closed"
    if "expected after" in error:
        return 'text follows a closing quotation mark (write "" for a quotation mark in a cell)'
    return f"the row cannot be read ({error})"


def _cell(value: Any) -> str:
    """A JSON value as text; numbers arrive as they were written."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and not any(isinstance(part, list | dict) for part in value):
        return LIST_SEPARATOR.join(_cell(part) for part in value)
    return json.dumps(value, ensure_ascii=False)


def _read_jsonl(path: Path, file: str, ledger: Ledger, size: int) -> Iterator[Chunk]:
    lines = _Lines(path, file)
    longest = settings().limits.cell_characters
    columns: list[str] | None = None
    rows: list[list[str]] = []
    starts: list[int] = []
    ordinals: list[int] = []
    ordinal = 0
    yielded = False

    def chunk(names: list[str]) -> Chunk:
        width = len(names)
        padded = [row + [""] * (width - len(row)) for row in rows]
        return Chunk(
            _frame(names, padded), np.array(starts, dtype=int), np.array(ordinals, dtype=int)
        )

    place: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        ordinal += 1
        if number in lines.bad:
            ledger.reject(file, number, lines.bad[number])
            continue
        try:
            record = json.loads(
                line, parse_float=str, parse_int=str, parse_constant=lambda name: ""
            )
        except (ValueError, RecursionError) as error:
            ledger.reject(file, number, f"this is not JSON ({str(error)[:80]})")
            continue
        if "\\ud" in line.lower():
            # Half of a surrogate pair, written as an escape, is no character.
            record = json.loads(clean(json.dumps(record, ensure_ascii=False)))
        if not isinstance(record, dict):
            ledger.reject(file, number, "each line must be a JSON object, {...}")
            continue
        row = [""] * len(place)
        too_long = False
        for key, value in record.items():
            cell = _cell(value)
            too_long = too_long or len(cell) > longest
            # Records need not have the same keys: columns grow as keys appear.
            at = place.setdefault(key, len(place))
            if at == len(row):
                row.append(cell)
            else:
                row[at] = cell
        if len(place) > settings().limits.columns:
            _checked_columns(list(place), file)
        if too_long:
            ledger.reject(file, number, f"a cell is longer than {longest:,} characters")
            continue
        rows.append(row)
        starts.append(number)
        ordinals.append(ordinal - 1)
        if len(rows) == size:
            columns = _checked_columns(list(place), file)
            ledger.rows_read[file] = ordinal
            yield chunk(columns)
            yielded, rows, starts, ordinals = True, [], [], []
    ledger.rows_read[file] = ordinal
    if not place:
        raise InputError(f"{file} holds no JSON object; each line must be one, {{...}}.")
    if rows or not yielded:
        yield chunk(_checked_columns(list(place), file))


def _text_column(column: pa.ChunkedArray | pa.Array) -> list[str]:
    """A Parquet column as text; null and NaN are the empty text."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_floating(kind):
        # A column of whole numbers with gaps is stored as floats by pandas: 7.0 is written 7.
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, kind), column)
    nested = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_struct(kind)
    if nested:
        return [_cell(_plain(value)) for value in column.to_pylist()]
    texts: list[str] = pc.fill_null(column.cast(pa.string()), "").to_pylist()
    return texts


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value if value is None or isinstance(value, str | bool) else str(value)


def _read_parquet(path: Path, file: str, ledger: Ledger, size: int) -> Iterator[Chunk]:
    try:
        source = pq.ParquetFile(path)
        names = _checked_columns(list(source.schema_arrow.names), file)
        if source.metadata.num_rows > settings().limits.rows:
            raise InputError(
                f"{file} has {source.metadata.num_rows:,} rows; at most "
                f"{settings().limits.rows:,} are read."
            )
        binary = [
            field.name
            for field in source.schema_arrow
            if pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type)
        ]
        if binary:
            ledger.note(f"{file}: column {binary[0]!r} holds bytes, not text, and is left out.")
        kept = [
            (raw, name)
            for raw, name in zip(source.schema_arrow.names, names, strict=True)
            if raw not in binary
        ]
        start = 0
        for batch in source.iter_batches(batch_size=size, columns=[raw for raw, _ in kept]):
            frame = pd.DataFrame(
                {name: pd.array(_text_column(batch.column(raw)), dtype="str") for raw, name in kept}
            )
            ordinals = np.arange(start, start + batch.num_rows)
            start += batch.num_rows
            ledger.rows_read[file] = start
            yield Chunk(frame, ordinals + 1, ordinals)
        if start == 0:
            ledger.rows_read[file] = 0
            empty = pd.DataFrame({name: pd.array([], dtype="str") for _, name in kept})
            yield Chunk(empty, np.arange(0), np.arange(0))
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{file} cannot be read as Parquet ({str(error).splitlines()[0][:120]})."
        ) from error
