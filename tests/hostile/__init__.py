"""Hostile and broken uploads: what a case is, and what must be true whatever comes of it."""

import hashlib
import json
import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mmrec_core.datasets import catalogue
from mmrec_core.datasets.archive import LIST_SUFFIX
from mmrec_core.datasets.install import inspect, install
from mmrec_core.datasets.schema import Report
from mmrec_core.domain import InputError
from mmrec_core.store import VERSION, store

Content = dict[str, str | bytes]
"""Name in the upload -> content."""

LIMITS = (
    "rows=20000,columns=200,cell_characters=20000,archive_bytes=40000000,archive_members=500,"
    "matrix_bytes=4000000,image_pixels=4000000"
)
"""Small limits, so that bombs may be small."""

REFUSED = "refused"
REJECTS = "rejects"
INSTALLS = "installs"
SURVIVES = "survives"


@dataclass(frozen=True)
class Case:
    """One broken upload.

    Attributes:
        name: Unique.
        build: Writes the upload below a folder and returns its path.
        outcome: REFUSED (leniently too), REJECTS (refused, but leniently so many rows, pictures and
            features are left out), INSTALLS (nothing is left out), or SURVIVES (whatever is right).
        says: Fragment of the sentence; of a note where it installs.
        count: How many are left out.
        format: That the upload is read as; None: recognised.
        options: Further arguments of ``inspect`` and ``install``.
        facts: Attribute of the report -> its value where it installs.
    """

    name: str
    build: Callable[[Path], Path]
    outcome: str = SURVIVES
    says: str = ""
    count: int | None = None
    format: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


# How an upload is handed in


def put(folder: Path, files: Content, name: str = "up") -> Path:
    """A folder with these files."""
    root = folder / name
    root.mkdir()
    for own, content in files.items():
        path = root / own
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def in_folder(files: Content) -> Callable[[Path], Path]:
    """Builds a folder."""
    return lambda folder: put(folder, files)


def in_list(files: Content, own: str | None = None) -> Callable[[Path], Path]:
    """Builds a list of files with names made here, as the app writes it."""

    def build(folder: Path) -> Path:
        named = {f"{at:05}.bin": content for at, content in enumerate(files.values())}
        root = put(folder, named)
        path = root / f"upload{LIST_SUFFIX}"
        held = {"label": "my files", "files": dict(zip(files, named, strict=True))}
        path.write_text(json.dumps(held), "utf-8")
        return path

    return build


def single(name: str, content: str | bytes) -> Callable[[Path], Path]:
    """Builds one file."""
    return lambda folder: put(folder, {name: content}) / name


# What must be true

_INNARDS = re.compile(
    r"Traceback|Errno|\b[A-Z]\w*(Error|Exception)\b|<class|<object|object at 0x|np\.\w+\("
    r"|NoneType|=None|\(None|None[,)]|dtype\(|codec can't|/tmp/|unpacked-|dataset-\w{8}\b"
    r"|\bpandas\b|\bpyarrow\b"
)
"""What shows how the program works inside, or where its files lie."""

LONGEST_SENTENCE = 1_200


def complaint(text: str, names: set[str], hidden: Path) -> str:
    """Why a text is no sentence for a person; empty where it is one.

    Args:
        text: The sentence.
        names: Names of the upload and its files, with which a sentence may start.
        hidden: A folder whose path a person has never seen.
    """
    if not text.strip():
        return "it is empty"
    if len(text) > LONGEST_SENTENCE:
        return f"it has {len(text)} characters"
    if not (text[0].isupper() or text[0] in "'\"" or any(text.startswith(n) for n in names if n)):
        return "it starts in the middle"
    if not text.endswith("."):
        return "it does not end"
    if re.search(r"[\x00-\x1f\x7f]", text):
        return "it holds control characters"
    if str(hidden) in text:
        return "it tells a path of the program"
    found = _INNARDS.search(text)
    if found:
        return f"it shows {found[0]!r}"
    text.encode("utf-8")
    return ""


def listing(root: Path, leave: Path) -> dict[str, str]:
    """Everything below ``root`` but ``leave``, with checksums of (the beginning of) files."""
    found = {}
    for where, folders, names in os.walk(root):
        folders[:] = [name for name in folders if Path(where, name) != leave]
        for name in (*folders, *names):
            path = Path(where, name)
            mode = path.lstat().st_mode
            told = stat.filemode(mode)
            if stat.S_ISREG(mode):
                with path.open("rb") as file:
                    told += hashlib.sha256(file.read(2**22)).hexdigest()
                told += str(path.stat().st_size)
            found[str(path)] = told
    return found


def left_over(data: Path) -> list[str]:
    """What a refused or deleted upload has left in the data folder; locks are no data."""
    found = [
        str(path.relative_to(data))
        for path in data.rglob("*")
        if (not path.is_dir() or path.is_symlink()) and path.name not in (".lock", VERSION)
    ]
    aside = data / "store" / "tmp"
    found += [str(path) for path in aside.iterdir()] if aside.is_dir() else []
    return found + [artefact.key for artefact in store().list("dataset")]


def names_of(path: Path) -> set[str]:
    """Names with which a sentence about this upload may start."""
    names = {path.name}
    if path.is_dir():
        names |= {part for found in path.rglob("*") for part in found.relative_to(path).parts}
        names |= {found.relative_to(path).as_posix() for found in path.rglob("*")}
    with suppress(Exception), zipfile.ZipFile(path) as archive:
        names |= {name.rpartition("/")[2] for name in archive.namelist()}
        names |= {name.partition("/")[0] for name in archive.namelist()}
    with suppress(ValueError, OSError):
        if path.suffix == LIST_SUFFIX:
            held = json.loads(path.read_text("utf-8"))
            names |= {held["label"], *held["files"]}
            names |= {name.rpartition("/")[2] for name in held["files"]}
    return names


@dataclass
class Outcome:
    """What came of one way of reading an upload: a report, or a sentence."""

    report: Report | None = None
    sentence: str = ""


class Oracle:
    """Reads uploads in every way and checks what must be true of every one.

    Args:
        folder: Holds the upload, and ``data``.
        names: With which sentences may start, besides those of the upload.
    """

    def __init__(self, folder: Path, names: set[str] | None = None) -> None:
        self.folder, self.data = folder, folder / "data"
        self.names = {"dataset.toml", *(names or ())}
        for name in ("canary.txt", "uploads.canary", "data.canary"):
            (folder / name).write_text(name)

    def read(self, path: Path, **options: Any) -> Iterator[tuple[str, Outcome]]:
        """Ways of reading, strict and lenient, and what came of each."""
        before = listing(self.folder, self.data)
        shared = {key: value for key, value in options.items() if key in ("mapping", "importer")}
        seen = self._outcome(path, lambda: inspect(path, **shared)[0])
        yield "inspect", seen
        strict = self._outcome(path, lambda: self._installed(path, False, options))
        yield "install", strict
        if strict.report is None:
            lenient = self._outcome(path, lambda: self._installed(path, True, options))
            yield "lenient", lenient
            # What a person is shown before is what happens.
            told = (seen.sentence, lenient.sentence)
            assert told[0] == told[1] or "name" in options, told
        else:
            assert seen.report == strict.report, "the report before differs from that after"
        assert listing(self.folder, self.data) == before, "a file outside was touched"

    def _outcome(self, path: Path, read: Callable[[], Report]) -> Outcome:
        try:
            report = read()
        except InputError as error:
            text = str(error)
            wrong = complaint(text, self.names | names_of(path), self.folder)
            assert not wrong, f"{wrong}: {text!r}"
            outcome = Outcome(sentence=text)
        else:
            outcome = Outcome(report)
            _check_report(report)
        left = left_over(self.data)
        assert not left, left
        return outcome

    def _installed(self, path: Path, lenient: bool, options: dict[str, Any]) -> Report:
        chosen = {"name": "here", **options}
        result = install(path, lenient=lenient, **chosen)
        outside = listing(self.data, self.data / "store" / "dataset")
        written = [name for name in outside if name.endswith(".json")]
        own = {str(self.data / "uploads" / f"{result.name}.json")}
        assert set(written) - {str(self.data / "store" / VERSION)} == own, written
        dataset = catalogue.load_dataset(result.name)
        assert len(dataset.items) == result.report.n_items
        assert len(dataset.interactions) == result.report.n_interactions > 0
        for image in dataset.items["image"]:
            if image:
                found = dataset.image_path(image)
                assert found is not None and found.is_relative_to(dataset.folder)
        for name in result.report.features:
            assert np.isfinite(catalogue.read_features(dataset, name)[0]).all()
        store().find("dataset", result.key).verify()  # type: ignore[union-attr]
        catalogue.delete_dataset(result.name)
        return result.report


def _check_report(report: Report) -> None:
    """A report goes into JSON, a terminal and a page."""
    json.dumps(report.as_json(), allow_nan=False, ensure_ascii=False).encode("utf-8")
    for line in report.sentences():
        line.encode("utf-8")
        assert not re.search(r"Traceback|Errno|<class|object at 0x|/tmp/|unpacked-", line), line
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", line), repr(line)
        assert len(line) < 40_000


def judge(case: Case, oracle: Oracle, path: Path) -> None:
    """Reads the upload of a case and compares with what is expected."""
    options = {**case.options, "importer": case.format}
    for way, outcome in oracle.read(path, **options):
        said = outcome.sentence
        if case.outcome == REFUSED:
            assert outcome.report is None, f"{way}: installed, {outcome.report}"
            assert case.says in said, f"{way}: {said}"
        elif case.outcome == REJECTS and way == "install":
            assert outcome.report is None, "installed strictly"
            assert case.says in said, said
            assert "(--lenient)" in said, said
        elif case.outcome in (REJECTS, INSTALLS):
            assert outcome.report is not None, f"{way}: {said}"
            report = outcome.report
            left_out = report.n_rejected + report.n_broken_images
            assert left_out == (case.count if case.outcome == REJECTS else 0), report.sentences()
            assert (left_out == 0) == report.sound
            if case.says and way != "install":
                text = "\n".join(report.sentences())
                assert case.says in text, text
            for name, value in case.facts.items():
                assert getattr(report, name) == value, (name, getattr(report, name))
