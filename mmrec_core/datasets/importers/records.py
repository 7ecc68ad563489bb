"""JSON lines and their kin: one object a line, columns as keys appear."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from mmrec_core.datasets.importers.lines import AT_ONCE, Lines
from mmrec_core.datasets.importers.tables import Chunk, Table, cell, checked_columns, frame_of
from mmrec_core.datasets.schema import Ledger, clean
from mmrec_core.domain import InputError
from mmrec_core.settings import settings


def json_line(line: str) -> Any:
    """A line of JSON; numbers stay as they are written, NaN and infinity are nothing.

    Raises:
        ValueError: It is not JSON.
    """
    return json.loads(line, parse_float=str, parse_int=str, parse_constant=lambda name: "")


def read(table: Table, ledger: Ledger, size: int) -> Iterator[Chunk]:
    """Reads a table in chunks of at most ``size`` rows.

    Raises:
        InputError: It holds no object.
    """
    file = table.name
    parse = table.parse or json_line
    lines = Lines(table)
    longest, most = settings().limits.cell_characters, settings().limits.columns
    # Records need not have the same keys: columns grow as keys appear.
    place: dict[str, int] = {}
    rows: list[list[str]] = []
    starts: list[int] = []
    ordinals: list[int] = []
    ordinal = 0
    yielded = False
    begun = 0

    def chunk() -> Chunk:
        names = checked_columns(list(place), file)
        padded = [row + [""] * (len(names) - len(row)) for row in rows]
        return Chunk(
            frame_of(names, padded), np.array(starts, dtype=int), np.array(ordinals, dtype=int)
        )

    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        ordinal += 1
        if number in lines.bad:
            ledger.reject(file, number, lines.bad[number])
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
        if "\\ud" in line.lower():
            # Half of a surrogate pair, written as an escape, is no character.
            record = json.loads(clean(json.dumps(record, ensure_ascii=False)))
        if not isinstance(record, dict):
            ledger.reject(file, number, "each line must be a JSON object, {...}")
            continue
        if table.reshape is not None:
            record = table.reshape(record)
        row = [""] * len(place)
        too_long = False
        for key, value in record.items():
            text = value if isinstance(value, str) else cell(value)
            too_long = too_long or len(text) > longest
            at = place.setdefault(key, len(place))
            if at == len(row):
                row.append(text)
            else:
                row[at] = text
        if len(place) > most:
            checked_columns(list(place), file)
        if too_long:
            ledger.reject(file, number, f"a cell is longer than {longest:,} characters")
            continue
        rows.append(row)
        starts.append(number)
        ordinals.append(ordinal - 1)
        if len(rows) == size or lines.read - begun > AT_ONCE:
            ledger.rows_read[file] = ordinal
            yield chunk()
            yielded, rows, starts, ordinals = True, [], [], []
            begun = lines.read
    ledger.rows_read[file] = ordinal
    if not place:
        raise InputError(f"{file} holds no JSON object; each line must be one, {{...}}.")
    if rows or not yielded:
        yield chunk()
