"""Matrices in the formats that people keep features in; nothing in a file is ever executed."""

import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from mmrec_core.datasets.schema import printable
from mmrec_core.domain import InputError
from mmrec_core.settings import settings

SUFFIXES = (".npy", ".npz", ".safetensors", ".parquet")
WIDEST = 100_000
"""Numbers an item: what no extractor reaches, and what a header claims to fill the memory."""

_LONGEST_HEADER = 2**16

ID_COLUMN = "item_id"
"""Column of a Parquet file that names the item of each row."""


def read_array(path: Path) -> tuple[np.ndarray, pd.Index | None]:
    """A matrix of features, and the item of each row where the file itself names it.

    Args:
        path: ``.npy``; ``.npz`` or ``.safetensors`` with one matrix; ``.parquet`` with a column a
            feature, or one column of lists, and optionally ``item_id``.

    Raises:
        InputError: It cannot be read, holds objects, or is no matrix of real numbers.
    """
    named = None
    suffix = path.suffix.lower()
    if suffix == ".npz":
        matrix = _npz(path)
    elif suffix == ".safetensors":
        matrix = _safetensors(path)
    elif suffix == ".parquet":
        matrix, named = _parquet(path)
    else:
        matrix = _npy(path)
    if not isinstance(matrix, np.ndarray) or matrix.ndim != 2 or matrix.shape[1] < 1:
        shape = getattr(matrix, "shape", "?")
        raise InputError(f"the array has shape {shape}; one row an item is needed, (items, width)")
    if matrix.dtype.kind not in "fiu":
        raise InputError(
            f"the array holds {printable(str(matrix.dtype))}; save it as float32 numbers"
        )
    _narrow(matrix.shape[1])
    return matrix, named


def read_vector(path: Path) -> np.ndarray:
    """[d] float32, the features of one item.

    Args:
        path: ``.npy`` of shape [d], or [1, d] as many extractors write it.

    Raises:
        InputError: It cannot be read, holds objects, or is no vector of real numbers.
    """
    matrix = _npy(path)
    vector = np.squeeze(np.asarray(matrix)) if isinstance(matrix, np.ndarray) else matrix
    if not isinstance(vector, np.ndarray) or vector.dtype.kind not in "fiu":
        raise InputError("it holds no numbers; save it as float32")
    if vector.ndim != 1:
        raise InputError(f"it has shape {matrix.shape}; one vector an item is needed, (d,)")
    _narrow(len(vector))
    with np.errstate(over="ignore"):
        return vector.astype(np.float32)


def _narrow(width: int) -> None:
    if width > WIDEST:
        raise InputError(f"the array has {width:,} numbers an item; at most {WIDEST:,} are read")


def _npy(path: Path) -> np.ndarray:
    with path.open("rb") as file:
        start = file.read(12)
    # From version 2 on a header may claim to have 4 GiB, which NumPy would set aside for it.
    late = start[:6] == b"\x93NUMPY" and start[6:7] > b"\x01"
    if late and int.from_bytes(start[8:], "little") > _LONGEST_HEADER:
        raise InputError("this is not a readable .npy matrix (its header is too long)")
    try:
        matrix: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:
        # A header is parsed as it comes: what numpy raises on a damaged one is not one type.
        raise _refused(error, ".npy matrix") from None
    return matrix


def _npz(path: Path) -> np.ndarray:
    try:
        with zipfile.ZipFile(path) as archive:
            # Known before anything is unpacked: a small archive may claim to hold terabytes.
            members = archive.infolist()
            _fits(sum(member.file_size for member in members))
            if any(
                m.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for m in members
            ):
                # NumPy writes no others; some are unpacked as a whole, whatever they claim.
                raise InputError("it is not packed as NumPy packs (np.savez_compressed)")
        with np.load(path, allow_pickle=False) as held:
            matrix: np.ndarray = held[_only(held.files)]
    except InputError:
        raise
    except Exception as error:
        raise _refused(error, ".npz archive") from None
    return matrix


def _safetensors(path: Path) -> np.ndarray:
    from safetensors import safe_open

    _fits(path.stat().st_size)
    try:
        with safe_open(path, framework="np") as held:
            matrix: np.ndarray = held.get_tensor(_only(list(held.keys())))
    except InputError:
        raise
    except Exception as error:
        # NumPy has no bfloat16.
        hint = "; save it as float32" if "bfloat16" in str(error).lower() else ""
        said = f"{_told(error)}{hint}"
        raise InputError(f"this is not a readable .safetensors file ({said})") from None
    return matrix


def _parquet(path: Path) -> tuple[np.ndarray, pd.Index | None]:
    from pyarrow import parquet

    try:
        held = parquet.read_metadata(path)
        groups = [held.row_group(k) for k in range(held.num_row_groups)]
        # Values, not bytes: a column of equal values is nothing in the file.
        values = sum(g.column(c).num_values for g in groups for c in range(g.num_columns))
        _fits(8 * values)
        # Before they are read: one long text may stand in every row and take no room in the file.
        _no_words(path)
        table = pd.read_parquet(path)
    except InputError:
        raise
    except Exception as error:
        raise _refused(error, ".parquet table") from None
    if table.index.name == ID_COLUMN:
        table = table.reset_index()
    elif not isinstance(table.index, pd.RangeIndex):
        raise InputError(
            f"it has an index {table.index.name!r}; call it {ID_COLUMN} if it names the items, or "
            "save it without (reset_index)"
        )
    named = None
    if ID_COLUMN in table:
        try:
            named = pd.Index(table.pop(ID_COLUMN).astype(str).str.strip(), dtype=object)
        except ValueError:
            raise InputError(f"its column {ID_COLUMN} holds text that is not UTF-8") from None
    numbers = [pd.api.types.is_numeric_dtype(table[c]) for c in table.columns]
    if len(numbers) == 1 and not numbers[0] and len(table):
        try:
            return np.stack([np.asarray(row) for row in table.iloc[:, 0]]), named
        except (TypeError, ValueError):
            raise InputError("its only column holds no lists of equally many numbers") from None
    words = [str(c) for c, own in zip(table.columns, numbers, strict=True) if not own]
    if words:
        raise InputError(f"the column {printable(words[0])!r} holds no numbers; leave it out")
    return table.to_numpy(dtype=np.float64), named


def _no_words(path: Path) -> None:
    """Refuses texts where numbers belong, and ids too long to be held in memory."""
    from pyarrow import compute, parquet, types

    schema = parquet.read_schema(path)
    index = (schema.pandas_metadata or {}).get("index_columns", [])
    for field in schema:
        kind = field.type
        while types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
            kind = kind.value_type
        listed, kind = kind != field.type, kind.value_type if types.is_dictionary(kind) else kind
        if str(kind) not in ("string", "large_string", "binary", "large_binary"):
            continue
        if listed or field.name not in (ID_COLUMN, *index):
            raise InputError(f"the column {printable(field.name)!r} holds no numbers; leave it out")
        held = parquet.ParquetFile(path, read_dictionary=[field.name])
        for at in range(held.num_row_groups):
            first = next(held.iter_batches(1, row_groups=[at], columns=[field.name]), None)
            known = () if first is None else first.column(0).dictionary
            if len(known):
                longest = compute.max(compute.binary_length(known)).as_py() or 0
                _fits(longest * held.metadata.num_rows)


def _fits(size: int) -> None:
    most = settings().limits.matrix_bytes
    if size > most:
        raise InputError(
            f"it would take {size / 2**30:.1f} GiB of memory, and {most / 2**30:.1f} GiB are "
            "allowed; save it as .npy, which is read piece by piece"
        )


def _only(names: list[str]) -> str:
    if len(names) != 1:
        shown = ", ".join(sorted(names)[:5]) or "none"
        raise InputError(f"it holds {len(names)} arrays ({shown}); keep the one that is wanted")
    return names[0]


def _refused(error: Exception, what: str) -> InputError:
    said = str(error)
    if "pickle" in said.lower() or "Python objects" in said:
        return InputError("the array holds Python objects; save it as float32 numbers (NumPy .npy)")
    return InputError(f"this is not a readable {what} ({_told(error)})")


def _told(error: Exception) -> str:
    """What an error says, without what it shows of the program."""
    if isinstance(error, MemoryError):
        return "it claims to be larger than the memory"
    said = re.sub(r"\w+(Exception|Error): ?|<.*", "", str(error))
    return printable(said, 80) or "no reason is given"
