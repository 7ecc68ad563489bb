"""Content-addressed artefacts: key(spec) -> folder, written whole or not at all.

An artefact lies in ``<layer>/<kind>/<k2>/<key>/``. ``meta.json`` is written last and is the
completeness marker; a folder is written aside and moved into place. Matrices are .npy opened
with mmap, tables are Parquet, weights are safetensors. Nothing is pickled.
"""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.domain import InputError, sha256_json
from mmrec_core.settings import settings

STORE_VERSION = 1


class DamagedArtefact(Exception):
    """A file of an artefact is gone or no longer what was written."""


@dataclass(frozen=True)
class Artefact:
    """One finished folder of the store.

    Attributes:
        kind: What it is, such as ``embeddings`` or ``run``.
        key: sha256 of what it was made from.
        path: Its folder.
        shipped: True when it lies in the committed, read-only layer.
    """

    kind: str
    key: str
    path: Path
    shipped: bool = False

    @cached_property
    def meta(self) -> dict[str, Any]:
        """``{kind, key, spec, created, seconds, files, facts}``."""
        meta: dict[str, Any] = json.loads((self.path / "meta.json").read_text("utf-8"))
        return meta

    @property
    def spec(self) -> dict[str, Any]:
        """What it was made from."""
        spec: dict[str, Any] = self.meta["spec"]
        return spec

    @property
    def facts(self) -> dict[str, Any]:
        """What the writer noted about it."""
        facts: dict[str, Any] = self.meta["facts"]
        return facts

    def array(self, name: str) -> np.ndarray:
        """Matrix ``name``.npy, mapped, not read."""
        array: np.ndarray = np.load(self.path / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        return array

    def table(self, name: str) -> pd.DataFrame:
        """Table ``name``.parquet."""
        return pd.read_parquet(self.path / f"{name}.parquet")

    def json(self, name: str) -> Any:
        """Document ``name``.json."""
        return json.loads((self.path / f"{name}.json").read_text("utf-8"))

    def verify(self) -> None:
        """Compares every file with the checksum taken when it was written.

        Raises:
            DamagedArtefact: A file is gone or differs.
        """
        for name, digest in self.meta["files"].items():
            file = self.path / name
            if not file.is_file() or _sha256_file(file) != digest:
                raise DamagedArtefact(f"{self.kind} {self.key[:12]}: {name} is gone or damaged")


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
        return sha256_json({"kind": kind, "store": STORE_VERSION, "spec": spec})

    def find(self, kind: str, key: str) -> Artefact | None:
        """The finished artefact under ``key``, or None."""
        for layer in (self.root, *self.layers):
            path = layer / kind / key[:2] / key
            if (path / "meta.json").is_file():
                return Artefact(kind, key, path, shipped=layer != self.root)
        return None

    def get(self, kind: str, spec: dict[str, Any]) -> Artefact | None:
        """The finished artefact made from ``spec``, or None."""
        return self.find(kind, self.key(kind, spec))

    def put(self, kind: str, spec: dict[str, Any], write: Writer) -> Artefact:
        """Has ``write`` fill a new folder and moves it into place; finished ones are kept.

        Two writers of one key are harmless: the first to finish wins.
        """
        key = self.key(kind, spec)
        found = self.find(kind, key)
        if found is not None:
            return found
        if settings().read_only:
            raise InputError("This store is on show (MMREC_READ_ONLY=1): nothing is computed.")
        target = self.root / kind / key[:2] / key
        aside = self.root / "tmp"
        aside.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{kind}-{key[:8]}-", dir=aside))
        started = time.time()
        try:
            facts = write(folder) or {}
            meta = {
                "kind": kind,
                "key": key,
                "spec": spec,
                "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "seconds": round(time.time() - started, 3),
                "files": {
                    str(file.relative_to(folder)): _sha256_file(file)
                    for file in sorted(folder.rglob("*"))
                    if file.is_file()
                },
                "facts": facts,
            }
            folder.chmod(0o755)
            write_json(folder / "meta.json", meta)
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists() and not (target / "meta.json").is_file():
                shutil.rmtree(target, ignore_errors=True)
            try:
                os.replace(folder, target)
            except OSError:
                if not (target / "meta.json").is_file():
                    raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return Artefact(kind, key, target)

    def list(self, kind: str) -> Iterator[Artefact]:
        """All finished artefacts of ``kind``, the writable layer first, each key once."""
        seen: set[str] = set()
        for layer in (self.root, *self.layers):
            for meta in sorted((layer / kind).glob("*/*/meta.json")):
                key = meta.parent.name
                if key not in seen:
                    seen.add(key)
                    yield Artefact(kind, key, meta.parent, shipped=layer != self.root)

    def delete(self, kind: str, key: str) -> bool:
        """Removes an artefact of the writable layer; False when there is none."""
        path = self.root / kind / key[:2] / key
        if not path.is_dir():
            return False
        (path / "meta.json").unlink(missing_ok=True)
        shutil.rmtree(path, ignore_errors=True)
        return True

    def prune(self, older_than_seconds: float = 86_400) -> int:
        """Removes what interrupted writers left aside; returns how many folders."""
        removed = 0
        for folder in (self.root / "tmp").glob("*"):
            if time.time() - folder.stat().st_mtime > older_than_seconds:
                shutil.rmtree(folder, ignore_errors=True)
                removed += 1
        return removed


@lru_cache(maxsize=1)
def store() -> Store:
    """The store of this installation: ``data/store`` over the shipped ``data/demo/store``."""
    return Store(settings().store, [settings().demo_store])


def write_json(path: Path, value: Any) -> None:
    """Writes a JSON document whole or not at all; readers never see half of it."""
    aside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with aside.open("w", encoding="utf-8") as file:
        json.dump(value, file, indent=1, ensure_ascii=False, allow_nan=False)
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)


def write_array(path: Path, array: np.ndarray) -> None:
    """Writes a numeric matrix as .npy."""
    np.save(path, np.ascontiguousarray(array), allow_pickle=False)


def _sha256_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
