"""Pictures that lie inside a table: brought out as files, to be checked as every other picture."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from mmrec_core.datasets.importers.base import Tables
from mmrec_core.datasets.importers.columnar import pictures_in
from mmrec_core.datasets.pictures import MOST_BYTES
from mmrec_core.datasets.schema import Ledger
from mmrec_core.domain import InputError
from mmrec_core.settings import settings

_SUFFIXES = {b"\xff\xd8": ".jpg", b"\x89P": ".png", b"RI": ".webp", b"GI": ".gif"}
"""How the file of a picture is called, by its first bytes; what it is, is decided elsewhere."""


@contextmanager
def brought_out(tables: Tables, ledger: Ledger) -> Iterator[tuple[Tables, dict[str, Path]]]:
    """Pictures inside the item table as files, as long as the context is open.

    Only those of items without another picture are written, one after the other, so that memory
    holds a few at a time.

    Yields:
        ``tables`` whose image cells name them, and name -> file.

    Raises:
        InputError: They take more room than an archive may.
    """
    if tables.embedded is None:
        yield tables, {}
        return
    aside = settings().store / "tmp"
    aside.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="pictures-", dir=aside))
    try:
        image = tables.items["image"].to_numpy(dtype=object, copy=True)
        paths: dict[str, Path] = {}
        for item, name, path in _written(tables, image == "", folder, ledger):
            image[item] = name
            paths[name] = path
        items = tables.items.assign(image=image).astype({"image": "str"})
        yield replace(tables, items=items), paths
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _written(
    tables: Tables, wanted: np.ndarray, folder: Path, ledger: Ledger
) -> Iterator[tuple[int, str, Path]]:
    """Item, name and file of each picture that is wanted."""
    assert tables.embedded is not None
    owner = np.full(tables.n_item_rows, -1)
    there = np.flatnonzero((tables.item_rows >= 0) & wanted)
    owner[tables.item_rows[there]] = there
    most, total, start = settings().limits.archive_bytes, 0, 0
    for table in tables.embedded.tables:
        for row, raw in pictures_in(table, tables.embedded.column):
            item = int(owner[start + row]) if start + row < len(owner) else -1
            if item < 0 or not raw:
                continue
            name = f"{table.name}, row {row + 1}"
            if len(raw) > MOST_BYTES:
                ledger.broken_image(name, f"the picture is larger than {MOST_BYTES // 2**20} MiB")
                continue
            total += len(raw)
            if total > most:
                raise InputError(
                    f"The pictures inside {table.name} take more than {most / 2**30:.1f} GiB; give "
                    "them as files beside the table."
                )
            path = folder / f"{item}{_SUFFIXES.get(raw[:2], '.bin')}"
            path.write_bytes(raw)
            yield item, name, path
        start += ledger.rows_read[table.name]
