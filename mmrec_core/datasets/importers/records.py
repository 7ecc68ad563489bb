"""JSON lines and their kin: one object a line, columns as keys appear."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from mmrec_core.datasets.importers.lines import AT_ONCE, Lines
from mmrec_core.datasets.importers.tables import Chunk, Table, cell, checked_columns, frame_of
from mmrec_core.datasets.schema import Ledger, clean
from mmrec_core.domain import InputError
from mmrec_core.settings import settings

_HALVES = re.compile(r"\\u[dD]|\\U")
"""Escapes that may be half of a surrogate pair."""

# ``json.loads`` with hooks would make a decoder for every line.
_decode = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=lambda name: "").decode


def json_line(line: str) -> Any:
    """A line of JSON; numbers stay as they are written, NaN and infinity are nothing.

    Raises:
        ValueError: It is not JSON.
    """
    return _decode(line)


def read(table: Table, ledger: Ledger, size: int) -> Iterator[Chunk]:
    """Reads a table in chunks of at most ``size`` rows.

    Raises:
        InputError: It holds no object.
    """
    file = table.name
    parse, reshape = table.parse or json_line, table.reshape
    lines = Lines(table)
    bad = lines.bad
    longest, most = settings().limits.cell_characters, settings().limits.columns
    # Records need not have the same keys: columns grow as keys appear.
    place: dict[str, int] = {}
    names: list[str] = []
    rows: list[list[str]] = []
    starts: list[int] = []
    ordinals: list[int] = []
    ordinal = 0
    yielded = False
    begun = 0

    def chunk() -> Chunk:
        columns = checked_columns(names, file)
        padded = [row + [""] * (len(columns) - len(row)) for row in rows]
        return Chunk(
            frame_of(columns, padded), np.array(starts, dtype=int), np.array(ordinals, dtype=int)
        )

    for number, line in enumerate(lines, start=1):
        if not line or line.isspace():
            continue
        ordinal += 1
        if bad and number in bad:
            ledger.reject(file, number, bad.pop(number))
            continue
        try:
            record = parse(line)
        except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
            if number == 1 and line.lstrip().startswith("["):
                raise InputError(
                    f"{file} is one JSON array; write one object a line (JSON lines)."
                ) from None
            ledger.reject(file, number, f"this is not JSON ({str(error)[:80]})")
            continue
        if not isinstance(record, dict):
            ledger.reject(file, number, "each line must be a JSON object, {...}")
            continue
        try:
            if reshape is not None:
                record = reshape(record)
            if _HALVES.search(line):
                record = _without_halves(record)
            row = [value if type(value) is str else cell(value) for value in record.values()]
        except RecursionError:
            ledger.reject(file, number, "its values are nested too deeply")
            continue
        if row and max(map(len, row)) > longest:
            _known(record, place, names)
            ledger.reject(file, number, f"a cell is longer than {longest:,} characters")
            continue
        if list(record) != names:
            row = _placed(record, row, place, names)
            if len(names) > most:
                checked_columns(names, file)
        rows.append(row)
        starts.append(number)
        ordinals.append(ordinal - 1)
        if len(rows) == size or lines.read - begun > AT_ONCE:
            ledger.rows_read[file] = ordinal
            yield chunk()
            yielded, rows, starts, ordinals = True, [], [], []
            begun = lines.read
    ledger.rows_read[file] = ordinal
    if not names:
        raise InputError(f"{file} holds no JSON object; each line must be one, {{...}}.")
    if rows or not yielded:
        yield chunk()


def _without_halves(record: Mapping[str, Any]) -> dict[str, str]:
    """Half of a surrogate pair, written as an escape, is no character."""
    return {clean(str(key)): clean(cell(value)) for key, value in record.items()}


def _known(record: Mapping[str, Any], place: dict[str, int], names: list[str]) -> None:
    for key in record:
        if key not in place:
            place[key] = len(names)
            names.append(key)


def _placed(
    record: Mapping[str, Any], texts: list[str], place: dict[str, int], names: list[str]
) -> list[str]:
    """``texts`` in the order of the columns; new keys are columns from here on."""
    _known(record, place, names)
    row = [""] * len(names)
    for key, text in zip(record, texts, strict=True):
        row[place[key]] = text
    return row
