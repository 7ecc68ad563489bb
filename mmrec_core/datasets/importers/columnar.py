"""Parquet and Arrow files: typed columns, made text as the other tables are."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mmrec_core.datasets.importers.tables import Chunk, Table, cell, checked_columns, frame_of
from mmrec_core.datasets.schema import Ledger
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
        batches = source.iter_batches(batch_size=size, columns=[raw for raw, _ in kept])
        yield from _chunks(batches, kept, table, ledger)
    except (pa.ArrowException, OSError) as error:
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
                batch.slice(start, size).select([raw for raw, _ in kept])
                for batch in found
                for start in range(0, batch.num_rows, size)
            )
            yield from _chunks(pieces, kept, table, ledger)
    except (pa.ArrowException, OSError) as error:
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
    said = (str(error).splitlines() or [type(error).__name__])[0][:120]
    return InputError(f"{table.name} cannot be read as {kind} ({said}).")


def _kept(schema: pa.Schema, table: Table, ledger: Ledger) -> list[tuple[str, str]]:
    """Columns as the file calls them and as they are called here, those of bytes left out."""
    names = checked_columns(list(schema.names), table.name)
    binary = [field.name for field in schema if _holds_bytes(field.type)]
    if binary:
        ledger.note(f"{table.name}: column {binary[0]!r} holds bytes, not text, and is left out.")
    # What is left out anyway is not read from the disk either.
    unread = set(names) - set(table.only) if table.only and table.reshape is None else set()
    return [
        (raw, name)
        for raw, name in zip(schema.names, names, strict=True)
        if raw not in binary and name not in unread
    ]


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return any(_holds_bytes(kind.field(at).type) for at in range(kind.num_fields))
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _chunks(
    batches: Iterable[pa.RecordBatch], kept: list[tuple[str, str]], table: Table, ledger: Ledger
) -> Iterator[Chunk]:
    start = 0
    for batch in batches:
        frame = _frame(batch, kept, table)
        ordinals = np.arange(start, start + batch.num_rows)
        start += batch.num_rows
        ledger.rows_read[table.name] = start
        yield Chunk(frame, ordinals + 1, ordinals)
    if start == 0:
        ledger.rows_read[table.name] = 0
        names = [name for _, name in kept] if table.reshape is None else list(table.reshape({}))
        yield Chunk(frame_of(names, []), np.arange(0), np.arange(0))


def _frame(batch: pa.RecordBatch, kept: list[tuple[str, str]], table: Table) -> pd.DataFrame:
    if table.reshape is not None:
        made = [table.reshape(record) for record in batch.to_pylist()]
        rows = [[cell(value) for value in record.values()] for record in made]
        return frame_of(list(table.reshape({})), rows)
    return pd.DataFrame(
        {name: pd.array(_texts(batch.column(raw)), dtype="str") for raw, name in kept}
    )


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
