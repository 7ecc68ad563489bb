"""Content-addressed artefacts: key(spec) -> folder, written whole or not at all.

An artefact lies in ``<layer>/<kind>/<k2>/<key>/``. ``meta.json`` is written last and is the
completeness marker; a folder is written aside and moved into place. Matrices are .npy opened
with mmap, tables are Parquet, weights are safetensors. Nothing is pickled.
"""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from mmrec_core.domain import InputError
from mmrec_core.settings import settings
from mmrec_core.store.artefact import (
    SOURCES,
    STORE_VERSION,
    Artefact,
    DamagedArtefact,
    add_damage,
    artefact_key,
    is_sound,
    is_suspect,
    made_again,
    put_aside,
    remove_unless_sound,
    sealed,
    take_damage,
    trust,
)
from mmrec_core.store.disk import (
    DiskFull,
    disk_room,
    is_disk_full,
    sha256_file,
    write_array,
    write_json,
)

__all__ = [
    "SOURCES",
    "Artefact",
    "DamagedArtefact",
    "DiskFull",
    "Store",
    "Writer",
    "disk_room",
    "is_disk_full",
    "sealed",
    "store",
    "write_array",
    "write_json",
]

VERSION = "version.json"
"""Says in a writable layer which version of the store it is."""

Writer = Callable[[Path], dict[str, Any] | None]
"""Fills a folder and may return facts for meta.json."""


class Store:
    """Layers of artefacts: one writable folder over read-only ones.

    Args:
        root: The writable layer.
        layers: Read-only layers, looked up after ``root``.
    """

    def __init__(self, root: Path, layers: Sequence[Path] = ()) -> None:
        self.root = root
        self.layers = tuple(layers)

    @staticmethod
    def key(kind: str, spec: dict[str, Any]) -> str:
        """sha256 of the canonical JSON of kind, store version and spec."""
        return artefact_key(kind, spec)

    def find(self, kind: str, key: str) -> Artefact | None:
        """The finished artefact under ``key``, or None; files are checked when they are read."""
        for layer in (self.root, *self.layers):
            path = layer / kind / key[:2] / key
            artefact = Artefact(kind, key, path, layer != self.root, self.root)
            if not (path / "meta.json").is_file():
                continue
            if not is_sound(artefact, "meta.json"):
                put_aside(artefact, "meta.json")
            elif not is_suspect(artefact):
                return artefact
        return None

    def get(self, kind: str, spec: dict[str, Any]) -> Artefact | None:
        """The finished artefact made from ``spec``, or None."""
        return self.find(kind, self.key(kind, spec))

    def sound(self, kind: str, key: str) -> Artefact | None:
        """As ``find``, with every file checked: what is damaged is put aside and not returned."""
        while (artefact := self.find(kind, key)) is not None:
            damaged = next((n for n in artefact.meta["files"] if not is_sound(artefact, n)), None)
            if damaged is None:
                return artefact
            put_aside(artefact, damaged)
            if kind in SOURCES:
                break
        return None

    def put(self, kind: str, spec: dict[str, Any], write: Writer) -> Artefact:
        """Has ``write`` fill a new folder and moves it into place; sound ones are kept.

        Two writers of one key are harmless: the first to finish wins.

        Raises:
            DiskFull: There is no room; nothing half-written is left.
            InputError: Nothing may be computed here.
        """
        key = self.key(kind, spec)
        found = self.sound(kind, key)
        if found is not None:
            return found
        if settings().read_only:
            raise InputError("This store is on show (MMREC_READ_ONLY=1): nothing is computed.")
        with disk_room(kind if kind.endswith("s") else f"a {kind}", self.root):
            self._write(kind, key, spec, write)
            note_version(self.root)
        artefact = Artefact(kind, key, self._path(kind, key), home=self.root)
        made_again(artefact)
        return artefact

    def _write(self, kind: str, key: str, spec: dict[str, Any], write: Writer) -> None:
        target, aside = self._path(kind, key), self.root / "tmp"
        aside.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{kind}-{key[:8]}-", dir=aside))
        started = time.perf_counter()
        try:
            facts = write(folder) or {}
            files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
            meta = {
                "kind": kind,
                "key": key,
                "spec": spec,
                "created": datetime.now(UTC).isoformat(timespec="microseconds"),
                "seconds": round(time.perf_counter() - started, 3),
                "files": {str(file.relative_to(folder)): sha256_file(file) for file in files},
                "bytes": {str(file.relative_to(folder)): file.stat().st_size for file in files},
                "facts": facts,
            }
            folder.chmod(0o755)
            write_json(folder / "meta.json", sealed(meta))
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                remove_unless_sound(Artefact(kind, key, target))
            try:
                os.replace(folder, target)
                trust(Artefact(kind, key, target))
            except OSError:
                if not (target / "meta.json").is_file():
                    raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _path(self, kind: str, key: str) -> Path:
        return self.root / kind / key[:2] / key

    def list(self, kind: str) -> Iterator[Artefact]:
        """All finished artefacts of ``kind``, the writable layer first, each key once.

        What is known to be damaged is left out; a file is checked when it is read.
        """
        seen: set[str] = set()
        for layer in (self.root, *self.layers):
            for meta in sorted((layer / kind).glob("*/*/meta.json")):
                key = meta.parent.name
                artefact = Artefact(kind, key, meta.parent, layer != self.root, self.root)
                if key in seen or not is_sound(artefact, "meta.json") or is_suspect(artefact):
                    continue
                seen.add(key)
                yield artefact

    def stamp(self, *kinds: str) -> int:
        """A number that changes when an artefact of these kinds comes or goes; cheap."""
        folders = [layer / kind for layer in (self.root, *self.layers) for kind in kinds]
        times = [0]
        for folder in folders:
            with suppress(OSError):
                times.append(folder.stat().st_mtime_ns)
                times += [entry.stat().st_mtime_ns for entry in os.scandir(folder)]
        return hash(tuple(sorted(times)))

    def delete(self, kind: str, key: str) -> bool:
        """Removes an artefact of the writable layer; False when there is none."""
        path = self._path(kind, key)
        if not path.is_dir():
            return False
        (path / "meta.json").unlink(missing_ok=True)
        shutil.rmtree(path, ignore_errors=True)
        return True

    @contextmanager
    def alone(
        self, kind: str, keys: Sequence[str], waiting: Callable[[], None] | None = None
    ) -> Iterator[None]:
        """Keeps other processes from making the same; look again whether it is made by now.

        Args:
            kind: What is made.
            keys: Of all that is made at once.
            waiting: Called once where another process is at it.
        """
        held: list[FileLock] = []
        with disk_room("a lock", self.root):
            (self.root / "locks").mkdir(parents=True, exist_ok=True)
        try:
            # In one order everywhere, so that no two wait for each other.
            for key in sorted(set(keys)):
                lock = FileLock(self.root / "locks" / f"{kind}-{key}.lock")
                try:
                    lock.acquire(blocking=False)
                except Timeout:
                    if waiting is not None:
                        waiting()
                        waiting = None
                    lock.acquire()
                held.append(lock)
            yield
        finally:
            for lock in held:
                # Whoever waits for a file that is gone notices, and locks a new one.
                with suppress(OSError):
                    Path(lock.lock_file).unlink()
                lock.release()

    def take_damage(self) -> dict[str, str]:
        """What was found damaged or made again by this process since the last call, in words."""
        return take_damage(self.root)

    def add_damage(self, damage: dict[str, str]) -> None:
        """Takes over what another process has told."""
        add_damage(self.root, damage)

    def prune(self, older_than_seconds: float = 86_400) -> int:
        """Removes what interrupted writers left aside; returns how many folders."""
        removed = 0
        for left in (*(self.root / "tmp").glob("*"), *(self.root / "locks").glob("*.lock")):
            try:
                if time.time() - left.stat().st_mtime <= older_than_seconds:
                    continue
                if left.is_dir():
                    shutil.rmtree(left, ignore_errors=True)
                    removed += 1
                else:
                    with FileLock(left, timeout=0):
                        left.unlink()
            except (FileNotFoundError, Timeout):
                continue  # Its owner was faster, or is still at it.
        return removed


def check_version(root: Path) -> None:
    """Raises where a writable layer is of another version.

    Raises:
        InputError: It is; nothing in it is touched.
    """
    try:
        version = json.loads((root / VERSION).read_text("utf-8"))["store"]
    except FileNotFoundError:
        # Empty, or of the first version, which noted none: the second will have to tell them apart.
        return
    except (ValueError, KeyError, TypeError):
        version = None
    if version == STORE_VERSION:
        return
    if isinstance(version, int):
        age = "a newer" if version > STORE_VERSION else "an older"
        said = f"was written by {age} version of MMRec Lens (store {version}"
    else:
        said = f"does not say which version of MMRec Lens wrote it (its {VERSION} is damaged"
    raise InputError(
        f"The store in {root} {said}; this one reads store {STORE_VERSION}). Nothing in it was "
        "touched. Start that version, or choose another folder with MMREC_DATA and install the "
        "datasets again there."
    )


def note_version(root: Path) -> None:
    """Notes in a writable layer which version writes it."""
    if not (root / VERSION).is_file():
        root.mkdir(parents=True, exist_ok=True)
        write_json(root / VERSION, {"store": STORE_VERSION})


@lru_cache(maxsize=1)
def store() -> Store:
    """The store of this installation: ``data/store`` over the shipped ``data/demo/store``.

    Raises:
        InputError: Another version of this program wrote it in a way that this one cannot read.
    """
    check_version(settings().store)
    return Store(settings().store, [settings().demo_store])
