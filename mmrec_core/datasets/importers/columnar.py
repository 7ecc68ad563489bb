"""Parquet and Arrow files: typed columns, made text as the other tables are."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mmrec_core.datasets.importers.lines import AT_ONCE
from mmrec_core.datasets.importers.tables import Chunk, Table, cell, checked_columns
from mmrec_core.datasets.schema import Ledger, printable
from mmrec_core.domain import InputError
from mmrec_core.settings import settings


def read_parquet(table: Table, ledger: Ledger, size: int) -> Iterator[Chunk]:
    """Reads a Parquet file in chunks of at most ``size`` rows.

    Raises:
        InputError: It is no Parquet file, or too long.
    """
    try:
        source = pq.ParquetFile(table.path)
        most = settings().limits.rows
        if source.metadata.num_rows > most:
            raise InputError(
                f"{table.name} has {source.metadata.num_rows:,} rows; at most {most:,} are read."
            )
        kept = _kept(source.schema_arrow, table, ledger)
        size = _rows_at_once(source, table, [raw for raw, _ in kept], size)
        batches = source.iter_batches(batch_size=size, columns=[raw for raw, _ in kept])
        yield from _chunks(batches, kept, table, ledger)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(table, "Parquet", error) from error


def read_arrow(table: Table, ledger: Ledger, size: int) -> Iterator[Chunk]:
    """Reads an Arrow file, stream or file format, in chunks of at most ``size`` rows.

    Raises:
        InputError: It is no Arrow file.
    """
    try:
        with pa.memory_map(str(table.path)) as mapped:
            schema, found = open_arrow(mapped)
            kept = _kept(schema, table, ledger)
            pieces = (
                batch.slice(start, step).select([raw for raw, _ in kept])
                for batch in found
                for step in (_fitting(_weight(batch), batch.num_rows, size),)
                for start in range(0, batch.num_rows, step)
            )
            yield from _chunks(pieces, kept, table, ledger)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(table, "Arrow", error) from error


def open_arrow(mapped: pa.NativeFile) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Schema and batches of an open Arrow file; ``datasets`` writes streams, others files."""
    try:
        stream = pa.ipc.open_stream(mapped)
        return stream.schema, iter(stream)
    except pa.ArrowInvalid:
        mapped.seek(0)
        file = pa.ipc.open_file(mapped)
        return file.schema, (file.get_batch(at) for at in range(file.num_record_batches))


def _unreadable(table: Table, kind: str, error: Exception) -> InputError:
    if isinstance(error, UnicodeDecodeError):
        return InputError(f"{table.name} holds text that is not UTF-8; write it anew as {kind}.")
    said = printable((str(error).splitlines() or ["no reason is given"])[0], 120)
    said = re.sub(r"\w+(Exception|Error): ?", "", said)
    return InputError(f"{table.name} cannot be read as {kind} ({said}).")


def _fitting(size: int, rows: int, most: int) -> int:
    """So many of ``rows`` rows, at most ``most``, that their share of ``size`` bytes is small."""
    return max(1, min(most, AT_ONCE * rows // max(1, size)))


def _rows_at_once(source: pq.ParquetFile, table: Table, names: list[str], size: int) -> int:
    """At most ``size``; fewer where rows are long, even if the file is small.

    A text that is stored once may be meant by every row: only the dictionaries of the file tell.
    """
    longest = 0
    groups = [source.metadata.row_group(at) for at in range(source.num_row_groups)]
    texts = [f.name for f in source.schema_arrow if _holds_texts(f.type) and f.name in names]
    probe = pq.ParquetFile(table.path, read_dictionary=texts) if texts else None
    for at, group in enumerate(groups):
        if group.num_rows:
            longest = max(longest, group.total_byte_size // group.num_rows)
        if probe is not None and group.num_rows:
            first = next(probe.iter_batches(1, row_groups=[at], columns=texts), None)
            longest = max(longest, 0 if first is None else _weight(first))
    return _fitting(longest, 1, size)


def _holds_texts(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _weight(batch: pa.RecordBatch) -> int:
    """Bytes of a batch with every text written out."""
    size = 0
    for column in batch.columns:
        if pa.types.is_dictionary(column.type):
            size += len(column) * _longest(column.dictionary)
        else:
            size += column.nbytes
    return size


def _longest(column: pa.Array) -> int:
    """Bytes of the longest text; 0 where it holds none."""
    if not _holds_texts(column.type):
        return 0
    return pc.max(pc.binary_length(column)).as_py() or 0


def _kept(schema: pa.Schema, table: Table, ledger: Ledger) -> list[tuple[str, str]]:
    """Columns as the file calls them and as they are called here, those of bytes left out."""
    names = checked_columns(list(schema.names), table.name)
    binary = [field.name for field in schema if _holds_bytes(field.type)]
    if binary:
        ledger.note(f"{table.name}: column {binary[0]!r} holds bytes, not text, and is left out.")
    return [(raw, name) for raw, name in zip(schema.names, names, strict=True) if raw not in binary]


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return any(_holds_bytes(kind.field(at).type) for at in range(kind.num_fields))
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _chunks(
    batches: Iterable[pa.RecordBatch], kept: list[tuple[str, str]], table: Table, ledger: Ledger
) -> Iterator[Chunk]:
    start = 0
    for batch in batches:
        frame = pd.DataFrame(
            {name: pd.array(_texts(batch.column(raw)), dtype="str") for raw, name in kept}
        )
        ordinals = np.arange(start, start + batch.num_rows)
        start += batch.num_rows
        ledger.rows_read[table.name] = start
        short = _short(frame, ordinals, table, ledger)
        yield Chunk(frame[short], ordinals[short] + 1, ordinals[short])
    if start == 0:
        ledger.rows_read[table.name] = 0
        empty = pd.DataFrame({name: pd.array([], dtype="str") for _, name in kept})
        yield Chunk(empty, np.arange(0), np.arange(0))


def _short(frame: pd.DataFrame, ordinals: np.ndarray, table: Table, ledger: Ledger) -> np.ndarray:
    """[rows] whether no cell is too long; the other rows are rejected."""
    most = settings().limits.cell_characters
    long = np.zeros(len(frame), dtype=bool)
    for name in frame.columns:
        lengths = frame[name].str.len()
        if lengths.max() > most:
            long |= (lengths > most).to_numpy(dtype=bool)
    for at in np.flatnonzero(long):
        reason = f"a cell is longer than {most:,} characters"
        ledger.reject(table.name, int(ordinals[at]) + 1, reason)
    return ~long


def _texts(column: pa.ChunkedArray | pa.Array) -> list[str]:
    """A column as text; null and NaN are the empty text."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_floating(kind):
        # A column of whole numbers with gaps is stored as floats by pandas: 7.0 is written 7.
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, kind), column)
    nested = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_struct(kind)
    if nested:
        return [cell(_plain(value)) for value in column.to_pylist()]
    texts: list[str] = pc.fill_null(column.cast(pa.string()), "").to_pylist()
    return texts


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value if value is None or isinstance(value, str | bool) else str(value)
