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
from mmrec_core.datasets.importers.tables import Chunk, Table, cell, checked_columns, frame_of
from mmrec_core.datasets.schema import Ledger, printable
from mmrec_core.domain import InputError
from mmrec_core.settings import settings

_END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"
_END_OF_FILE = b"ARROW1"
_PICTURES = 8
_EXACT = 2**53
"""Below it floats are whole numbers exactly."""
_PLAIN = 10**6
"""Up to it floats are written without an exponent."""
_OFFSETS = 2**16
"""Rows whose values are counted at once."""
_LONGEST_ROW = 2**28
"""Bytes; a cell that may be longer is not even looked at."""
_DAMAGED = (pa.ArrowException, OSError, KeyError, ValueError)
"""What pyarrow raises on a file that is not what its name says."""


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
    except _DAMAGED as error:
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
                for batch in map(_sound, found)
                for step in (_fitting(_weight(batch), batch.num_rows, size),)
                for start in range(0, batch.num_rows, step)
            )
            yield from _chunks(pieces, kept, table, ledger)
            if not _ended(mapped):
                ledger.reject(
                    table.name,
                    None,
                    "its end mark is missing, so it is cut off and rows may be missing",
                )
    except _DAMAGED as error:
        raise _unreadable(table, "Arrow", error) from error


def schema_of(table: Table) -> pa.Schema:
    """Names and types of the columns of a Parquet or Arrow file.

    Raises:
        InputError: It is no such file.
    """
    try:
        if table.kind == "arrow":
            with pa.memory_map(str(table.path)) as mapped:
                schema = open_arrow(mapped)[0]
        else:
            schema = pq.read_schema(table.path)
        # Names that are no text fail only when they are looked at.
        checked_columns(list(schema.names), table.name)
    except _DAMAGED as error:
        raise _unreadable(table, table.kind.capitalize(), error) from error
    return schema


def is_picture(kind: pa.DataType) -> bool:
    """Whether a column holds pictures as datasets keeps them: a structure with their bytes."""
    if not pa.types.is_struct(kind) or kind.get_field_index("bytes") < 0:
        return False
    inner = kind.field("bytes").type
    return bool(pa.types.is_binary(inner) or pa.types.is_large_binary(inner))


def pictures_in(table: Table, column: str) -> Iterator[tuple[int, bytes | None]]:
    """Row, from 0, and bytes of each picture in a column for which ``is_picture`` is true.

    Raises:
        InputError: The file cannot be read.
    """
    row = 0
    try:
        if table.kind == "arrow":
            with pa.memory_map(str(table.path)) as mapped:
                for batch in map(_sound, open_arrow(mapped)[1]):
                    for raw in pc.struct_field(batch.column(column), "bytes"):
                        yield row, raw.as_py()
                        row += 1
            return
        source = pq.ParquetFile(table.path)
        for batch in source.iter_batches(batch_size=_PICTURES, columns=[f"{column}.bytes"]):
            for raw in pc.struct_field(batch.column(0), "bytes"):
                yield row, raw.as_py()
                row += 1
    except _DAMAGED as error:
        raise _unreadable(table, table.kind.capitalize(), error) from error


def is_vector(kind: pa.DataType) -> bool:
    """Whether a column holds lists of numbers with decimals, as embeddings are kept."""
    if not _is_list(kind):
        return False
    return bool(pa.types.is_floating(kind.value_type)) or is_vector(kind.value_type)


def open_arrow(mapped: pa.NativeFile) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Schema and batches of an open Arrow file; ``datasets`` writes streams, others files."""
    try:
        stream = pa.ipc.open_stream(mapped)
        return stream.schema, iter(stream)
    except pa.ArrowInvalid:
        mapped.seek(0)
        file = pa.ipc.open_file(mapped)
        return file.schema, (file.get_batch(at) for at in range(file.num_record_batches))


def _sound(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Offsets in the file are taken as they are: unless checked, a wrong one ends the program."""
    batch.validate(full=True)
    return batch


def _ended(mapped: pa.NativeFile) -> bool:
    """Whether the file ends as a whole stream or file does; a cut between batches shows here."""
    size = mapped.size()
    mapped.seek(max(0, size - len(_END_OF_STREAM)))
    last: bytes = mapped.read()
    return last == _END_OF_STREAM or last.endswith(_END_OF_FILE)


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
    held = [source.schema.column(at) for at in range(len(source.schema))]
    # A path has the names of lists and fields behind that of the column, which may have points.
    within = tuple(f"{name}." for name in names)
    texts = {
        at: leaf.path
        for at, leaf in enumerate(held)
        if leaf.physical_type == "BYTE_ARRAY" and f"{leaf.path}.".startswith(within)
    }
    probe = pq.ParquetFile(table.path, read_dictionary=list(texts.values())) if texts else None
    for at in range(source.num_row_groups):
        group = source.metadata.row_group(at)
        if not group.num_rows:
            continue
        written = 0
        if probe is not None:
            for place, leaf in texts.items():
                written += _row_bytes(probe, at, leaf, group.column(place).num_values, table)
        longest = max(longest, group.total_byte_size // group.num_rows, written)
    return _fitting(longest, 1, size)


def _row_bytes(probe: pq.ParquetFile, group: int, leaf: str, values: int, table: Table) -> int:
    """Most bytes that a row of a row group may have in a column of texts, or of lists of them."""
    first = next(probe.iter_batches(1, row_groups=[group], columns=[leaf]), None)
    if first is None:
        return 0
    texts = _leaf(first.column(0))
    longest = _longest(texts.dictionary) if pa.types.is_dictionary(texts.type) else 0
    rows = probe.metadata.row_group(group).num_rows
    if longest * values <= AT_ONCE:
        return longest * -(-values // rows)
    most = max(
        int(_values_in(batch.column(0)).max(initial=0))
        for batch in probe.iter_batches(_OFFSETS, row_groups=[group], columns=[leaf])
    )
    if longest * most > _LONGEST_ROW:
        raise InputError(
            f"{table.name}: a cell of {printable(leaf.partition('.')[0])!r} may be "
            f"{longest * most / 2**20:,.0f} MiB long; leave the column out."
        )
    return longest * most


def _leaf(column: pa.Array) -> pa.Array:
    """What lists and structures of one field hold in the end."""
    while True:
        if _is_list(column.type):
            column = column.flatten()
        elif pa.types.is_struct(column.type):
            column = column.field(0)
        else:
            return column


def _values_in(column: pa.Array) -> np.ndarray:
    """[rows] how many values each row holds in the end."""
    if pa.types.is_struct(column.type):
        return _values_in(column.field(0))
    if not _is_list(column.type):
        return np.ones(len(column), dtype=np.int64)
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy().astype(np.int64)
    ends = np.cumsum(lengths)
    before = np.concatenate([[0], np.cumsum(_values_in(column.flatten()))])
    return np.asarray(before[ends] - before[ends - lengths])


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
    binary = [field.name for field in schema if holds_bytes(field.type)]
    if binary and not table.only:
        ledger.note(f"{table.name}: column {binary[0]!r} holds bytes, not text, and is left out.")
    maps = [field.name for field in schema if pa.types.is_map(field.type)]
    if maps and not table.only:
        ledger.note(f"{table.name}: column {maps[0]!r} holds maps and is left out.")
    left = {*binary, *maps}
    if table.only and not table.renamed and table.reshape is None and table.derive is None:
        # What is not wanted is not even decoded.
        left |= {raw for raw, name in zip(schema.names, names, strict=True)
                 if name not in table.only}  # fmt: skip
    return [(raw, name) for raw, name in zip(schema.names, names, strict=True) if raw not in left]


def holds_bytes(kind: pa.DataType) -> bool:
    """Whether a column holds bytes, such as pictures, or structures or lists of them."""
    if pa.types.is_struct(kind):
        return any(holds_bytes(kind.field(at).type) for at in range(kind.num_fields))
    if _is_list(kind):
        return holds_bytes(kind.value_type)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _is_list(kind: pa.DataType) -> bool:
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(of(kind) for of in lists)


def _chunks(
    batches: Iterable[pa.RecordBatch], kept: list[tuple[str, str]], table: Table, ledger: Ledger
) -> Iterator[Chunk]:
    start = 0
    for batch in batches:
        frame = _frame(batch, kept, table)
        ordinals = np.arange(start, start + batch.num_rows)
        start += batch.num_rows
        ledger.rows_read[table.name] = start
        short = _short(frame, ordinals, table, ledger)
        yield Chunk(frame[short], ordinals[short] + 1, ordinals[short])
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
        return _numbers(column)
    if _is_list(kind) or pa.types.is_struct(kind):
        return [cell(_plain(value)) for value in column.to_pylist()]
    texts: list[str] = pc.fill_null(column.cast(pa.string()), "").to_pylist()
    return texts


def _numbers(column: pa.Array) -> list[str]:
    """Floats as text. Whole ones as such: pandas keeps ids with gaps as floats, 7 as 7.0."""
    column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    texts: list[str] = pc.fill_null(column.cast(pa.string()), "").to_pylist()
    # Those with an exponent, 1e+10, are the large ones; the others have no fraction already.
    values = pc.fill_null(column, 0).to_numpy(zero_copy_only=False).astype(np.float64)
    large = (np.abs(values) >= _PLAIN) & (np.abs(values) < _EXACT) & (np.trunc(values) == values)
    for at in np.flatnonzero(large):
        texts[at] = str(int(values[at]))
    return texts


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value if value is None or isinstance(value, str | bool) else str(value)
