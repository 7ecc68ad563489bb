"""A finished folder of the store, and whether its files are still what was written.

Disks lie and people edit files, so a file is compared with the checksum taken when it was written
at its first use in each process. What differs is put aside: it counts as never computed, and
whoever computes it again says so (``take_damage``). Sources, which nobody can compute again, are
left as they are and refused.
"""

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock

from mmrec_core.domain import InputError, sha256_json
from mmrec_core.settings import settings
from mmrec_core.store.disk import sha256_file

STORE_VERSION = 1

SOURCES = ("dataset",)
"""Kinds that were installed, not computed: they cannot be made again from what is here."""


class DamagedArtefact(InputError):
    """A file of an artefact is gone or no longer what was written.

    Attributes:
        kind: Of the artefact.
        key: Of the artefact.
    """

    def __init__(self, sentence: str, kind: str, key: str) -> None:
        super().__init__(sentence)
        self.kind, self.key = kind, key

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.kind, self.key)


@dataclass(frozen=True)
class Artefact:
    """One finished folder of the store.

    Reading a file of it raises DamagedArtefact where the file is not what was written.

    Attributes:
        kind: What it is, such as ``embeddings`` or ``run``.
        key: sha256 of what it was made from.
        path: Its folder.
        shipped: True when it lies in the committed, read-only layer.
        home: The writable layer of the store that found it; None: the layer it lies in.
    """

    kind: str
    key: str
    path: Path
    shipped: bool = False
    home: Path | None = None

    @cached_property
    def meta(self) -> dict[str, Any]:
        """``{kind, key, spec, created, seconds, files, bytes, facts, sha256}``."""
        try:
            meta: dict[str, Any] = json.loads((self.path / "meta.json").read_text("utf-8"))
        except (OSError, ValueError):
            raise put_aside(self, "meta.json") from None
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
        file = self.file(f"{name}.npy")
        array: np.ndarray = np.load(file, mmap_mode="r", allow_pickle=False)
        return array

    def table(self, name: str) -> pd.DataFrame:
        """Table ``name``.parquet."""
        return pd.read_parquet(self.file(f"{name}.parquet"))

    def json(self, name: str) -> Any:
        """Document ``name``.json."""
        return json.loads(self.file(f"{name}.json").read_text("utf-8"))

    def file(self, name: str) -> Path:
        """Where its file ``name`` lies, compared with its checksum at the first use here.

        Raises:
            DamagedArtefact: It is gone or differs; unless it is a source it has been put aside.
            FileNotFoundError: No such file was ever written.
        """
        if name not in self.meta["files"]:
            raise FileNotFoundError(self.path / name)
        if not is_sound(self, name):
            raise put_aside(self, name)
        return self.path / name

    def verify(self) -> None:
        """Compares every file with the checksum taken when it was written; changes nothing.

        Raises:
            DamagedArtefact: A file is gone or differs.
        """
        if not is_sound(self, "meta.json", anew=True):
            raise _damaged(self, "meta.json")
        for name in self.meta["files"]:
            if not is_sound(self, name, anew=True):
                raise _damaged(self, name)


def artefact_key(kind: str, spec: dict[str, Any]) -> str:
    """sha256 of the canonical JSON of kind, store version and spec."""
    return sha256_json({"kind": kind, "store": STORE_VERSION, "spec": spec})


def sealed(meta: dict[str, Any]) -> dict[str, Any]:
    """meta.json with a checksum of itself."""
    plain = json.loads(json.dumps({k: v for k, v in meta.items() if k != "sha256"}))
    return {**meta, "sha256": sha256_json(plain)}


_Signature = tuple[int, int, int]
_GONE: _Signature = (-1, -1, -1)

_CHECKED: dict[Path, tuple[_Signature, bool]] = {}
"""File -> its size, time and inode when this process checked it, and whether it was sound."""

_SUSPECTS: dict[Path, set[str]] = {}
"""Folder of an artefact -> files that this process has found damaged."""

_DAMAGE: dict[Path, dict[str, str]] = {}
"""Writable layer -> artefact -> what was damaged, in words."""


def is_sound(artefact: Artefact, name: str, anew: bool = False) -> bool:
    """Whether a file is what was written; read once in a process, or ``anew``."""
    file = artefact.path / name
    try:
        signature = _signature(file)
        known = _CHECKED.get(file)
        if known is None or known[0] != signature or anew:
            check = _meta_is_sound if name == "meta.json" else _file_is_sound
            known = _CHECKED[file] = (signature, check(artefact, name))
    except FileNotFoundError:
        known = _CHECKED[file] = (_GONE, False)
    return known[1]


def trust(artefact: Artefact) -> None:
    """Takes the files of an artefact that this process has just written as sound."""
    for name in ("meta.json", *artefact.meta["files"]):
        _CHECKED[artefact.path / name] = (_signature(artefact.path / name), True)


def is_suspect(artefact: Artefact) -> bool:
    """Whether a file that this process has found damaged is still so."""
    names = _SUSPECTS.get(artefact.path, ())
    return any(not is_sound(artefact, name) for name in names)


def _signature(file: Path) -> _Signature:
    stat = file.stat()
    return stat.st_size, stat.st_mtime_ns, stat.st_ino


def _meta_is_sound(artefact: Artefact, name: str) -> bool:
    try:
        meta = json.loads((artefact.path / name).read_text("utf-8"))
        if "sha256" in meta:
            same = sealed(meta)["sha256"] == meta["sha256"]
        else:
            # Written before there were seals: what it was made from must at least give its key.
            same = artefact_key(meta["kind"], meta["spec"]) == artefact.key
        return bool(
            same
            and (meta["kind"], meta["key"]) == (artefact.kind, artefact.key)
            and isinstance(meta["files"], dict)
            and isinstance(meta["facts"], dict)
        )
    except (ValueError, KeyError, TypeError):
        return False


def _file_is_sound(artefact: Artefact, name: str) -> bool:
    file, size = artefact.path / name, artefact.meta.get("bytes", {}).get(name)
    if size is not None and file.stat().st_size != size:
        return False
    digest: str = artefact.meta["files"][name]
    return sha256_file(file) == digest


def put_aside(artefact: Artefact, name: str) -> DamagedArtefact:
    """Sees to it that a damaged artefact is made again.

    One of the writable layer is removed; a shipped one is overlooked by this process.

    Returns:
        The error that says so.
    """
    error = _damaged(artefact, name)
    if artefact.kind in SOURCES or not artefact.path.is_dir():
        return error
    home = artefact.home or artefact.path.parents[2]
    add_damage(home, {f"{artefact.kind}-{artefact.key}": f"{name} of {_in_words(artefact)}"})
    _SUSPECTS.setdefault(artefact.path, set()).add(name)
    if not settings().read_only:
        note = _note(home, artefact)
        try:
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_text(name, "utf-8")
        except OSError:
            pass  # Whoever makes it again cannot say why, no more.
        if not artefact.shipped:
            remove_unless_sound(artefact)
    return error


def remove_unless_sound(artefact: Artefact) -> None:
    """Removes a folder of the writable layer, unless another process has just made it anew."""
    aside = artefact.path.parents[2] / "tmp"
    aside.mkdir(parents=True, exist_ok=True)
    with FileLock(aside.parent / ".damage.lock"):
        try:
            Artefact(artefact.kind, artefact.key, artefact.path).verify()
        except DamagedArtefact:
            folder = Path(tempfile.mkdtemp(prefix="damaged-", dir=aside))
            try:
                os.replace(artefact.path, folder / "files")
            except FileNotFoundError:
                pass  # Another process was faster.
            finally:
                shutil.rmtree(folder, ignore_errors=True)


def made_again(artefact: Artefact) -> None:
    """Notes that an artefact was made; where a damaged one was put aside, that is told."""
    home = artefact.home or artefact.path.parents[2]
    note = _note(home, artefact)
    try:
        name = note.read_text("utf-8")
        note.unlink()
    except FileNotFoundError:
        return
    add_damage(home, {f"{artefact.kind}-{artefact.key}": f"{name} of {_in_words(artefact)}"})


def add_damage(home: Path, damage: dict[str, str]) -> None:
    """Notes what was found damaged or made again, as told by ``take_damage``."""
    _DAMAGE.setdefault(home, {}).update(damage)


def take_damage(home: Path) -> dict[str, str]:
    """What was found damaged or made again under a writable layer since the last call."""
    return _DAMAGE.pop(home, {})


def _damaged(artefact: Artefact, name: str) -> DamagedArtefact:
    what = f"Stored {artefact.kind} {artefact.key[:12]}: {name} is gone or no longer what was "
    if artefact.kind in SOURCES:
        what += (
            "installed, and it cannot be computed again; install the dataset again from where you "
            "have it."
        )
    else:
        what += (
            "written, so it is not used any more; start the study again and it is made anew, while "
            "all that is sound is kept."
        )
    return DamagedArtefact(what, artefact.kind, artefact.key)


def _in_words(artefact: Artefact) -> str:
    """What a person calls an artefact, as far as its meta.json can be read."""
    if is_sound(artefact, "meta.json"):
        facts, spec = artefact.facts, artefact.spec
        if artefact.kind == "run" and "arm" in facts:
            return f"run {facts['arm']}, seed {spec.get('seed')}"
        if artefact.kind == "embeddings" and "modality" in facts:
            return f"the {facts['modality']} embeddings by {facts.get('extractor')}"
    return f"{artefact.kind} {artefact.key[:12]}"


def _note(home: Path, artefact: Artefact) -> Path:
    """Holds what was damaged until an artefact is made again, in whichever process."""
    return home / "damaged" / f"{artefact.kind}-{artefact.key}"
