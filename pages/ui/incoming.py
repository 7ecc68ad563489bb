"""Files that a person hands in: where they lie until they are installed, under names made here."""

import errno
import json
import re
import secrets
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from mmrec_core import jobs
from mmrec_core.datasets.archive import LIST_SUFFIX, unsafe
from mmrec_core.domain import InputError
from mmrec_core.settings import settings
from mmrec_core.store import write_json

KEPT_SECONDS = 86_400
"""How long the files of an installation that did not end well can be taken up again."""

UNUSED_SECONDS = 3_600
"""How long files lie that nobody installs; a page still open writes them again from memory."""


_STEM = re.compile(r"[0-9a-f]{16}")
"""What names of uploads look like; whatever else lies beside them is left alone."""


@dataclass
class Upload:
    """What a person has handed in.

    Attributes:
        files: Ids of the files in the browser.
        path: Where they lie until they are installed: a zip, or a list of files.
        label: What they are called in sentences.
        mapping: Role -> column or columns, where a person has said it.
        format: That a person has chosen; empty: recognised.
        check: Key of the job that reads it.
        job: Key of the installation.
    """

    files: tuple[str, ...]
    path: Path
    label: str
    mapping: dict[str, Any] = field(default_factory=dict)
    format: str = ""
    check: str = ""
    job: str = ""

    @property
    def stem(self) -> str:
        """Of the names of everything that belongs to it; made here."""
        return self.path.relative_to(incoming()).parts[0].partition(".")[0]

    @property
    def findings(self) -> Path:
        """Every finding of the check, as CSV."""
        return incoming() / f"{self.stem}.findings.csv"

    @property
    def codes(self) -> Path:
        """The interactions as numbers, to try thresholds on."""
        return incoming() / f"{self.stem}.codes.npz"

    def said(self) -> dict[str, Any]:
        """How it is to be read, as a job takes it."""
        return {
            "path": str(self.path),
            "mapping": dict(self.mapping) or None,
            "format": self.format or None,
        }


def incoming() -> Path:
    """Where uploads lie until they are installed."""
    return settings().data / "incoming"


def receive(files: Sequence[Any]) -> Upload:
    """Writes uploaded files under names made here; their own names are kept in a list.

    Args:
        files: Of the uploader: ``name``, ``file_id``, ``size``, and readable.

    Raises:
        InputError: They are too many or too large, a name cannot be used, or the disk is full.
    """
    limits = settings().limits
    if len(files) > limits.upload_files:
        raise InputError(
            f"These are {len(files):,} files; at most {limits.upload_files:,} are taken one by "
            "one. Zip them and give the zip."
        )
    size = sum(int(file.size) for file in files)
    if size > limits.upload_bytes:
        raise InputError(
            f"These files have {size / 2**30:.1f} GiB; at most {limits.upload_bytes / 2**30:.1f} "
            "GiB are taken here. Install them from a terminal instead: python -m mmrec_core "
            "install PATH."
        )
    stem = secrets.token_hex(8)
    ids = tuple(str(file.file_id) for file in files)
    names = [_name(file.name, len(files) == 1) for file in files]
    zips = [name for name in names if name.lower().endswith(".zip")]
    if zips and len(files) > 1:
        raise InputError(f"{zips[0]} comes with other files; give the zip alone.")
    doubled = next((name for name, n in Counter(names).items() if n > 1), "")
    if doubled:
        raise InputError(f"Two of the files are called {doubled}; remove one.")
    single = zips[0] if zips else ""
    folder = incoming() if single else incoming() / stem
    own = [f"{stem}.zip"] if single else [f"{at:05}{_suffix(n)}" for at, n in enumerate(names)]
    label = _label(names)
    path = folder / (own[0] if single else f"upload{LIST_SUFFIX}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, target in zip(files, own, strict=True):
            file.seek(0)
            _copy(file, folder / target)
        if not single:
            held = {"label": label, "files": dict(zip(names, own, strict=True))}
            path.write_text(json.dumps(held), "utf-8")
    except OSError as error:
        remove(stem)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise InputError("The disk is full; free some space and upload again.") from error
        raise
    return Upload(ids, path, label)


def _label(names: Sequence[str]) -> str:
    """What an upload is called: its only file, its folder, or how many files there are."""
    if len(names) == 1:
        return names[0]
    roots = {name.partition("/")[0] if "/" in name else "" for name in names}
    root = roots.pop()
    return root if root and not roots else f"{len(names):,} files"


def _name(given: str, alone: bool) -> str:
    """The name of a file inside its upload; a single file lies in no folder.

    Raises:
        InputError: It would leave the folder.
    """
    name = re.split(r"[\\/]", given)[-1] if alone else given.removeprefix("./")
    reason = unsafe(name)
    if reason:
        raise InputError(f"File {name!r} is refused: {reason}.")
    return name


def _suffix(name: str) -> str:
    """What says how a file is written, of plain letters only."""
    kept = "".join(PurePosixPath(name.lower()).suffixes[-2:])
    return kept if re.fullmatch(r"(\.[a-z0-9]{1,11}){1,2}", kept) else ""


def _copy(file: BinaryIO, target: Path) -> None:
    with target.open("xb") as out:
        shutil.copyfileobj(file, out, 2**20)


def remove(stem: str) -> None:
    """Removes an upload and all that belongs to it."""
    for found in _belonging(stem):
        if found.is_dir():
            shutil.rmtree(found, ignore_errors=True)
        else:
            found.unlink(missing_ok=True)


def _belonging(stem: str) -> list[Path]:
    """The files and folders of an upload."""
    return [*incoming().glob(stem), *incoming().glob(f"{stem}.*")]


def note_job(upload: Upload) -> None:
    """Notes that an installation needs the files, for as long as it is not done."""
    write_json(incoming() / f"{upload.stem}.job", upload.job)


def sweep() -> None:
    """Removes uploads that are installed, given up, or older than a day."""
    folder = incoming()
    if not folder.is_dir():
        return
    stems = {path.name.partition(".")[0] for path in folder.iterdir()}
    for stem in filter(_STEM.fullmatch, stems):
        try:
            state = jobs.state(str(json.loads((folder / f"{stem}.job").read_text("utf-8"))))
            over = state is None or state.status == "done"
            if state is not None and state.active:
                continue
        except (FileNotFoundError, ValueError, InputError):
            # None, or it cannot be read: it is kept as long as any that nobody installs.
            over = False
        ages = []
        for path in _belonging(stem):
            with suppress(FileNotFoundError):  # another page was faster
                ages.append(time.time() - path.stat().st_mtime)
        kept = KEPT_SECONDS if (folder / f"{stem}.job").exists() else UNUSED_SECONDS
        if over or min(ages, default=0) > kept:
            remove(stem)
