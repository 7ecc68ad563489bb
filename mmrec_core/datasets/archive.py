"""Reading folders and zip archives that somebody else made.

Nothing of a file name in an archive is trusted: an archive with one unsafe member is refused
whole, before anything is written.
"""

import errno
import json
import os
import re
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mmrec_core.domain import InputError, Progress, no_progress
from mmrec_core.settings import settings

RATIO_FLOOR = 2**20
"""Below this unpacked size no ratio is harmful."""

LIST_SUFFIX = ".names"
"""Ends the name of a list of uploaded files; see ``listed``."""

_BLOCK = 2**20
_NO_NAME = r"[\x00-\x1f\x7f\ud800-\udfff]"
_JUNK = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")
_OWN_FOLDERS = ("images", "features")
_DOCUMENTS = ("", ".md", ".rst", ".txt", ".pdf", ".html")
"""Suffixes of what may lie beside the folder of the data: README.md, LICENSE, .gitattributes."""
_PLAIN = ("dataset.toml", "interactions.")
"""How a file begins that only the root of the plain layout has."""


@dataclass(frozen=True)
class Files:
    """The regular files of an upload, by their name inside it.

    Attributes:
        paths: Name with forward slashes, relative to the root of the upload -> file on disk.
        links: Symbolic links that were found and not followed.
        label: What the upload is called, for sentences.
    """

    paths: Mapping[str, Path]
    label: str
    links: tuple[str, ...] = ()

    def top(self) -> list[str]:
        """Names of the files that lie in no folder."""
        return sorted(name for name in self.paths if "/" not in name)


def is_junk(name: str) -> bool:
    """Whether a file or folder is what operating systems leave; ``._x`` is macOS's."""
    return name in _JUNK or name.startswith("._")


def rooted(paths: Mapping[str, Path]) -> dict[str, Path]:
    """The files by their names below the root of the data.

    Where all files lie in one folder that folder is the root; so it is where only documents lie
    beside it, such as a README, and a catalogue in the plain layout lies in it.
    """
    found = dict(paths)
    while found:
        tops = {name for name in found if "/" not in name}
        folders = {name.partition("/")[0] for name in found if "/" in name}
        if len(folders) != 1 or folders & set(_OWN_FOLDERS):
            break
        below = {name.partition("/")[2] for name in found if "/" in name}
        documents = all(PurePosixPath(name).suffix.lower() in _DOCUMENTS for name in tops)
        if tops and not (documents and any(name.startswith(_PLAIN) for name in below)):
            break
        if tops & below:
            break
        found = {name.partition("/")[2] if "/" in name else name: p for name, p in found.items()}
    return found


def scan(root: Path, label: str) -> Files:
    """Lists the files under ``root``, which is narrowed as ``rooted`` says; follows no links."""
    paths: dict[str, Path] = {}
    links: list[str] = []
    for where, folders, names in os.walk(root, followlinks=False):
        folder = Path(where)
        folders[:] = sorted(name for name in folders if not is_junk(name))
        links += [
            (folder / name).relative_to(root).as_posix()
            for name in (*folders, *names)
            if (folder / name).is_symlink()
        ]
        for name in sorted(names):
            path = folder / name
            if not is_junk(name) and not path.is_symlink() and path.is_file():
                within = path.relative_to(root).as_posix()
                if re.search(_NO_NAME, within):
                    raise InputError(
                        f"{label}: file {_shown(within)} is refused: {unsafe(within)}."
                    )
                paths[within] = path
    return Files(rooted(paths), label, tuple(sorted(links)))


@contextmanager
def opened(path: Path, progress: Progress = no_progress) -> Iterator[Files]:
    """The files of a folder (read in place), a zip archive, a list of files, or a single table.

    An archive is unpacked into a temporary folder that is removed on leaving, whatever happens.

    Raises:
        InputError: There is nothing there, or the archive is unsafe or damaged.
    """
    if path.is_dir():
        yield scan(path, path.name or str(path))
    elif not path.is_file():
        raise InputError(f"There is no file or folder {str(path)!r}.")
    elif zipfile.is_zipfile(path):
        aside = settings().store / "tmp"
        aside.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="unpacked-", dir=aside))
        try:
            extract(path, folder, progress)
            yield scan(folder, path.name)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    elif path.suffix.lower() == ".zip":
        raise InputError(f"{path.name} is not a zip archive, or its end is cut off; pack it again.")
    elif path.suffix.lower() == LIST_SUFFIX:
        yield listed(path)
    else:
        yield Files({path.name: path}, path.name)


def listed(path: Path) -> Files:
    """Files that lie beside each other under names made here, with their own names in a list.

    Args:
        path: JSON document: ``label``, and ``files``, own name -> name of a file beside the list.

    Raises:
        InputError: A name is unsafe.
    """
    held = json.loads(path.read_text("utf-8"))
    for name in held["files"]:
        reason = unsafe(name)
        if reason:
            raise InputError(f"{held['label']}: file {_shown(name)} is refused: {reason}.")
    paths = {
        name: path.parent / Path(own).name
        for name, own in held["files"].items()
        if not any(map(is_junk, name.split("/")))
    }
    return Files(rooted(paths), held["label"])


def extract(archive: Path, folder: Path, progress: Progress = no_progress) -> None:
    """Unpacks ``archive`` into the empty ``folder`` after checking every member.

    Raises:
        InputError: A member is unsafe or damaged, or the whole is too large.
    """
    try:
        with zipfile.ZipFile(archive) as packed:
            members = [member for member in packed.infolist() if not _junk(member)]
            _check_whole(archive, packed.infolist(), folder)
            targets = _checked_names(archive.name, members)
            for done, (member, name) in enumerate(zip(members, targets, strict=True)):
                progress(done, len(members), "unpacking")
                if not member.is_dir():
                    _write(packed, member, folder / name, archive.name)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{archive.name} holds a name that is no text in UTF-8; pack it again."
        ) from error
    except (zipfile.BadZipFile, EOFError, ValueError, struct.error) as error:
        raise InputError(f"{archive.name} is damaged ({error}); pack it again.") from error
    except OSError as error:
        # A damaged directory sends the reader to places that do not exist.
        if error.errno != errno.EINVAL:
            raise
        raise InputError(f"{archive.name} is damaged ({error}); pack it again.") from error
    except NotImplementedError as error:
        raise InputError(
            f"{archive.name} is packed in a way that cannot be read ({error}); pack it as an "
            "ordinary zip (deflate)."
        ) from error


def _junk(member: zipfile.ZipInfo) -> bool:
    parts = member.filename.split("/")
    return parts[0] == "__MACOSX" or is_junk(parts[-1])


def _check_whole(archive: Path, members: list[zipfile.ZipInfo], folder: Path) -> None:
    limits = settings().limits
    if len(members) > limits.archive_members:
        raise InputError(
            f"{archive.name} holds {len(members):,} files; at most {limits.archive_members:,} "
            "are read."
        )
    total = sum(member.file_size for member in members)
    if total > limits.archive_bytes:
        raise InputError(
            f"{archive.name} unpacks to {total / 2**30:.1f} GiB; at most "
            f"{limits.archive_bytes / 2**30:.1f} GiB are read (give the unpacked folder instead)."
        )
    packed_size = max(1, archive.stat().st_size)
    if total > RATIO_FLOOR and total / packed_size > limits.archive_ratio:
        raise InputError(
            f"{archive.name} unpacks to {total / packed_size:,.0f} times its size, as archives "
            f"made to fill a disk do; at most {limits.archive_ratio:g} times is read (give the "
            "unpacked folder instead)."
        )
    free = shutil.disk_usage(folder).free
    if total > free:
        raise InputError(
            f"{archive.name} unpacks to {total / 2**20:,.0f} MiB and the disk has "
            f"{free / 2**20:,.0f} MiB left; free some space."
        )


def _checked_names(archive: str, members: list[zipfile.ZipInfo]) -> list[str]:
    """Names of all members, each safe to be joined to a folder."""
    seen: dict[str, bool] = {}
    names: list[str] = []
    for member in members:
        name = member.filename
        reason = unsafe(member.orig_filename) or unsafe(name) or _unsafe_kind(member)
        if not reason and name.rstrip("/") in seen and not member.is_dir():
            reason = "it is in the archive twice"
        if reason:
            raise InputError(f"{archive}: member {_shown(name)} is refused: {reason}.")
        seen[name.rstrip("/")] = member.is_dir()
        names.append(name.rstrip("/"))
    for name in names:
        for parent in PurePosixPath(name).parents:
            if seen.get(str(parent)) is False:
                raise InputError(
                    f"{archive}: member {_shown(name)} is refused: {_shown(str(parent))} is a "
                    "file as well."
                )
    return names


def unsafe(name: str) -> str:
    """Why ``name`` must not be joined to a folder; empty when it may."""
    if not name or name.startswith("/"):
        return "it is an absolute path or empty"
    if "\\" in name:
        return "its name holds a backslash"
    if re.match(r"[A-Za-z]:", name):
        return "its name starts with a drive letter"
    odd = re.search(_NO_NAME, name)
    if odd:
        return (
            "its name holds control characters"
            if odd[0] <= "\x7f"
            else ("its name is no text in UTF-8")
        )
    parts = name.removesuffix("/").split("/")
    if ".." in parts:
        return 'its name holds ".." and would leave the folder'
    if "." in parts or "" in parts:
        return 'its name holds an empty part or "."'
    if len(name.encode("utf-8", "surrogatepass")) > 1000 or any(
        len(part.encode("utf-8", "surrogatepass")) > 255 for part in parts
    ):
        return "its name is too long"
    return ""


def _shown(name: str) -> str:
    """A name in quotation marks, escaped and cut."""
    return repr(name if len(name) <= 80 else f"{name[:77]}...")


def _unsafe_kind(member: zipfile.ZipInfo) -> str:
    mode = member.external_attr >> 16
    if member.flag_bits & 1:
        return "it is encrypted"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # Of the other ways the standard library unpacks a whole block at once, however large.
        return "it is not packed as an ordinary zip (deflate); pack it so"
    if stat.S_ISLNK(mode):
        return "it is a link"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "it is neither a file nor a folder"
    return ""


def _write(packed: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, archive: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    try:
        with packed.open(member) as source, target.open("xb") as file:
            while block := source.read(_BLOCK):
                written += len(block)
                if written > member.file_size:
                    raise InputError(
                        f"{archive}: member {_shown(member.filename)} is larger than it says."
                    )
                file.write(block)
    except FileExistsError:
        raise InputError(
            f"{archive}: member {_shown(member.filename)} is in the archive twice (up to case)."
        ) from None
    except zlib.error as error:
        raise InputError(
            f"{archive}: member {_shown(member.filename)} is damaged ({error}); pack it again."
        ) from error
