"""CSV, TSV and their kin: one row a line, cells between delimiters."""

import csv
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from mmrec_core.datasets.importers.lines import AT_ONCE, Lines, first_line
from mmrec_core.datasets.importers.tables import (
    Chunk,
    Table,
    checked_columns,
    frame_of,
    suffix_of,
)
from mmrec_core.datasets.schema import Ledger
from mmrec_core.domain import InputError
from mmrec_core.settings import settings

_TABBED = (".tsv", ".inter", ".item", ".user", ".data")


def delimiter_of(table: Table) -> str:
    """What the importer says; a comma or a tab by the suffix; or what the header uses instead."""
    if table.delimiter:
        return table.delimiter
    usual = "\t" if suffix_of(table.name) in _TABBED else ","
    header = first_line(table)
    if usual in header:
        return usual
    others = [sign for sign in (";", "\t", ",", "|") if sign in header]
    return max(others, key=header.count) if others else usual


def header_of(table: Table) -> list[str]:
    """Cells of the first line, whatever they are; none where it cannot be read."""
    line = first_line(replace(table, columns=())).rstrip("\r\n")
    sign = delimiter_of(table)
    if len(sign) > 1:
        return line.split(sign)
    try:
        return next(csv.reader([line], delimiter=sign), [])
    except csv.Error:
        return []


class _Rows:
    """Rows of a file whose delimiter is longer than one character."""

    def __init__(self, lines: Lines, delimiter: str) -> None:
        self.lines = iter(lines)
        self.delimiter = delimiter
        self.line_num = 0

    def __iter__(self) -> "_Rows":
        return self

    def __next__(self) -> list[str]:
        line = next(self.lines).rstrip("\r\n")
        self.line_num += 1
        return line.split(self.delimiter) if line else []


def read(table: Table, ledger: Ledger, size: int) -> Iterator[Chunk]:
    """Reads a table in chunks of at most ``size`` rows; the header is the first line.

    Raises:
        InputError: It is empty, or its columns cannot be read.
    """
    file = table.name
    longest = settings().limits.cell_characters
    csv.field_size_limit(longest)
    lines = Lines(table)
    sign = delimiter_of(table)
    reader = (
        _Rows(lines, sign)
        if len(sign) > 1
        else csv.reader(
            lines,
            delimiter=sign,
            strict=True,
            quoting=csv.QUOTE_MINIMAL if table.quoted else csv.QUOTE_NONE,
        )
    )
    columns = list(table.columns) or _header(reader, lines, file)
    ordinal = 0
    rows: list[list[str]] = []
    starts: list[int] = []
    ordinals: list[int] = []
    yielded = False
    begun = lines.read
    while True:
        start = reader.line_num + 1
        lines.row_start = lines.read
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            ledger.reject(file, start, _in_words(str(error), longest))
            ordinal += 1
            lines.bad.clear()
            continue
        if not row:
            continue
        ordinal += 1
        reason = ""
        if len(row) != len(columns):
            where = "are expected" if table.columns else "are in the header"
            reason = f"{len(row)} cells, and {len(columns)} columns {where}"
        elif len(sign) > 1 and max(map(len, row)) > longest:
            reason = f"a cell is longer than {longest:,} characters"
        if lines.bad:
            reason = next(iter(lines.bad.values()))
            lines.bad.clear()
        if reason:
            ledger.reject(file, start, reason)
            continue
        rows.append(row)
        starts.append(start)
        ordinals.append(ordinal - 1)
        if len(rows) == size or lines.read - begun > AT_ONCE:
            ledger.rows_read[file] = ordinal
            yield Chunk(frame_of(columns, rows), np.array(starts), np.array(ordinals))
            yielded, rows, starts, ordinals = True, [], [], []
            begun = lines.read
    ledger.rows_read[file] = ordinal
    if rows or not yielded:
        yield Chunk(
            frame_of(columns, rows), np.array(starts, dtype=int), np.array(ordinals, dtype=int)
        )


def _header(reader: Iterator[list[str]], lines: Lines, file: str) -> list[str]:
    try:
        header = next(reader)
    except StopIteration:
        raise InputError(f"{file} is empty; its first line must name the columns.") from None
    except csv.Error as error:
        if "new-line" in str(error):
            raise InputError(
                f"{file} has the line ends of old Macs (a carriage return alone); save it with "
                "those of Unix or Windows."
            ) from error
        raise InputError(f"{file}, line 1: the column names cannot be read ({error}).") from error
    if 1 in lines.bad:
        raise InputError(f"{file}, line 1: {lines.bad[1]}.")
    return checked_columns(header, file)


def _in_words(error: str, longest: int) -> str:
    if "field limit" in error:
        return f"a cell is longer than {longest:,} characters, or a quotation mark is never closed"
    if "new-line" in error:
        return "a carriage return stands alone in the row"
    if "unexpected end" in error:
        return "a quotation mark is opened in this row and never closed"
    if "expected after" in error:
        return 'text follows a closing quotation mark (write "" for a quotation mark in a cell)'
    return f"the row cannot be read ({error})"
