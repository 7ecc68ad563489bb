"""Writing to the disk: whole or not at all, and in words when there is no room."""

import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident
from typing import Any

import numpy as np

from mmrec_core.domain import InputError


class DiskFull(InputError):
    """Something could not be written because there is no room left."""


def write_json(path: Path, value: Any) -> None:
    """Writes a JSON document whole or not at all; readers never see half of it."""
    aside = path.with_name(f"{path.name}.{os.getpid()}-{get_ident()}.tmp")
    try:
        with aside.open("w", encoding="utf-8") as file:
            json.dump(value, file, indent=1, ensure_ascii=False, allow_nan=False)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def write_array(path: Path, array: np.ndarray) -> None:
    """Writes a numeric matrix as .npy."""
    np.save(path, np.ascontiguousarray(array), allow_pickle=False)


def sha256_file(path: Path) -> str:
    """sha256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_NO_ROOM = re.compile(
    r"no space left|not enough free space|disk quota exceeded|\d+ requested and \d+ written", re.I
)


def is_disk_full(error: BaseException) -> bool:
    """Whether an error says that there is no room; NumPy and safetensors say it in words only."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    return bool(_NO_ROOM.search(str(error)))


@contextmanager
def disk_room(what: str, where: Path) -> Iterator[None]:
    """Turns the many errors of a full disk into one sentence.

    Args:
        what: Is being written, such as ``a run``.
        where: Folder it is written to.

    Raises:
        DiskFull: There was no room.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        if not is_disk_full(error):
            raise
        raise DiskFull(
            f"The disk is full: {what} could not be written to {where}, where {_free(where)} are "
            "free. Nothing half-written is left and all that was finished is kept; free some space "
            "and start again, and it goes on from there."
        ) from error


def _free(where: Path) -> str:
    there = next(path for path in (where, *where.parents) if path.exists())
    size = float(shutil.disk_usage(there).free)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
