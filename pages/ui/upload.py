"""Adding a dataset: receive, check, report, install."""

import errno
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import streamlit as st

from mmrec_core import jobs
from mmrec_core.datasets.catalogue import list_datasets, report_of
from mmrec_core.datasets.install import inspect, slug
from mmrec_core.domain import InputError
from mmrec_core.settings import settings
from pages.ui.installed import (
    ROLES,
    counted,
    installed,
    next_upload,
    open_dataset,
    show_report,
)
from pages.ui.job import job_panel
from pages.ui.words import escape, in_words

TABLES = (".csv", ".tsv", ".jsonl", ".parquet")
PARTS = {
    name: name
    for name in (
        "dataset.toml",
        *(f"{s}{e}" for s in ("interactions", "items", "train", "valid", "test") for e in TABLES),
    )
}
"""Files that may come without a zip, and what they are called on disk."""

KEPT_SECONDS = 86_400
"""How long the files of an installation that did not end well can be taken up again."""

UNUSED_SECONDS = 3_600
"""How long files lie that nobody installs; a page still open writes them again from memory."""

LAYOUT = """
One **zip** with these files, at the top or in one folder:

- `interactions.csv` (required): `user_id`, `item_id`, and if there are any `rating`, `timestamp`
- `items.csv`: `item_id`, and any of `title`, `description`, `category`, `image`, further columns
- `images/`: pictures, called as `items.csv` says, or by the item's id (`42.jpg`)
- `features/NAME.npy`: vectors that you made yourself, one row an item, in the order of `items.csv`
- `dataset.toml`: name, licence, source, and which columns are what, where names do not say it

Tables may be csv, tsv, jsonl or parquet. Without pictures the tables alone will do, two or more
at once.
"""


@dataclass
class Upload:
    """What a person has handed in.

    Attributes:
        files: Ids of the files in the browser.
        path: Where they lie until they are installed.
        label: What they are called in sentences.
        mapping: Role -> column, where a person has said it.
        report: What was found, in JSON types; None before the check.
        error: Why they cannot be used.
        job: Key of the installation.
    """

    files: tuple[str, ...]
    path: Path
    label: str
    mapping: dict[str, str] = field(default_factory=dict)
    report: dict[str, Any] | None = None
    error: str = ""
    job: str = ""

    @property
    def findings(self) -> Path:
        """Every finding of the check, as CSV."""
        return self.path.with_name(f"{self.path.name.partition('.')[0]}.findings.csv")


def incoming() -> Path:
    """Where uploads lie until they are installed."""
    return settings().data / "incoming"


def receive(files: Sequence[Any]) -> Upload:
    """Writes uploaded files under names made here.

    Args:
        files: Of the uploader: ``name``, ``file_id``, and readable.

    Raises:
        InputError: A file is of no known kind, or the disk is full.
    """
    stem = secrets.token_hex(8)
    ids = tuple(str(file.file_id) for file in files)
    if len(files) == 1:
        suffix = PurePosixPath(files[0].name.lower()).suffix
        known = next((s for s in (".zip", *TABLES) if s == suffix), None)
        if known is None:
            raise InputError(
                f"{files[0].name} is neither a zip nor a csv, tsv, jsonl or parquet table."
            )
        upload = Upload(ids, incoming() / f"{stem}{known}", files[0].name)
        targets = [upload.path]
    else:
        upload = Upload(ids, incoming() / stem, f"{len(files)} files")
        targets = [upload.path / _part(file.name) for file in files]
        if len(set(targets)) < len(targets):
            raise InputError("Two of the files have the same name; remove one.")
    try:
        for file, target in zip(files, targets, strict=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            file.seek(0)
            _copy(file, target)
    except OSError as error:
        remove(upload.path)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise InputError("The disk is full; free some space and upload again.") from error
        raise
    return upload


def _part(name: str) -> str:
    known = PARTS.get(name.lower())
    if known is None:
        raise InputError(
            f"{name} is none of the tables of a dataset (interactions, items, train, valid, test, "
            "as csv, tsv, jsonl or parquet; dataset.toml); give a zip where there is more."
        )
    return known


def _copy(file: BinaryIO, target: Path) -> None:
    with target.open("xb") as out:
        shutil.copyfileobj(file, out, 2**20)


def remove(path: Path) -> None:
    """Removes an upload and what lies beside it under the same generated name."""
    stem = path.name.partition(".")[0]
    for found in incoming().glob(f"{stem}*"):
        if found.is_dir():
            shutil.rmtree(found, ignore_errors=True)
        else:
            found.unlink(missing_ok=True)


def sweep() -> None:
    """Removes uploads that are installed, given up, or older than a day."""
    folder = incoming()
    if not folder.is_dir():
        return
    for stem in {path.name.partition(".")[0] for path in folder.iterdir()}:
        try:
            key = (folder / f"{stem}.job").read_text("ascii")
            state = jobs.state(key)
            over = state is None or state.status == "done"
            if state is not None and state.active:
                continue
        except FileNotFoundError:
            over = False
        ages = [time.time() - path.stat().st_mtime for path in folder.glob(f"{stem}*")]
        kept = KEPT_SECONDS if (folder / f"{stem}.job").exists() else UNUSED_SECONDS
        if over or min(ages, default=0) > kept:
            remove(folder / stem)


def add_dataset() -> None:
    """The whole of adding a dataset, from the file to the report."""
    if settings().read_only:
        st.info("This installation is on show: datasets cannot be added, renamed or deleted.")
        return
    st.subheader("Add a dataset", anchor=False)
    upload: Upload | None = st.session_state.get("upload")
    for state in jobs.jobs():
        if state.kind == "install" and state.active and (upload is None or upload.job != state.key):
            job_panel(state.key)
    if upload is not None and upload.job and _installing(upload):
        installed()
        return
    files = st.file_uploader(
        "A zip, or tables",
        type=["zip", "toml", *(suffix[1:] for suffix in TABLES)],
        accept_multiple_files=True,
        key=f"uploader-{st.session_state.get('uploads_done', 0)}",
        help="Pictures come in the zip. Nothing is installed before you have seen the report.",
    )
    if not files:
        if upload is not None:
            _forget(upload)
        with st.expander("What the files should look like", expanded=True):
            st.markdown(LAYOUT)
    else:
        with in_words():
            _one_upload(_current(files, upload))
    installed()


def _current(files: Sequence[Any], upload: Upload | None) -> Upload:
    """The upload of these files; written once, and again where it was swept away."""
    ids = tuple(str(file.file_id) for file in files)
    if upload is not None and upload.files == ids and upload.path.exists():
        return upload
    if upload is not None:
        remove(upload.path)
    st.session_state["upload"] = receive(files)
    return st.session_state["upload"]


def _forget(upload: Upload) -> None:
    remove(upload.path)
    st.session_state.pop("upload", None)


def _one_upload(upload: Upload) -> None:
    if upload.report is None and not upload.error:
        _check(upload)
    if upload.error:
        st.error(f"Nothing was installed. {escape(upload.error)}")
        if "column" in upload.error or upload.mapping:
            _columns(upload)
        return
    report = upload.report
    assert report is not None
    show_report(report, upload.findings)
    _columns(upload)
    _install_form(upload, report)


def _check(upload: Upload) -> None:
    """Reads the upload; any click meanwhile ends the reading, and it starts anew."""
    with st.container(border=True):
        bar = st.progress(0.0, f"Reading {escape(upload.label)} …")
        st.caption("Nothing is installed yet. Remove the file above to stop.")
        last = 0.0

        def progress(done: int, total: int, what: str) -> None:
            nonlocal last
            if time.monotonic() - last > 0.2:
                last = time.monotonic()
                share = f"{done:,} of {total:,}" if total else f"{done:,}" if done else ""
                bar.progress(min(1.0, done / total) if total else 0.0, f"{escape(what)} {share}")

        with _their_words(upload):
            found, _ = inspect(upload.path, upload.mapping or None, progress, upload.findings)
            upload.report = asdict(found)
    st.rerun()


@contextmanager
def _their_words(upload: Upload) -> Iterator[None]:
    """Keeps the sentence that says why an upload is refused, with the name that people know."""
    try:
        yield
    except InputError as error:
        said = str(error).replace(upload.path.name, upload.label)
        upload.error = re.sub(r"name it with --map \w+=COLUMN", "name it below", said)


def _columns(upload: Upload) -> None:
    """Which column plays which role; what is left as it was is guessed again."""
    found = {role: ", ".join(names) for role, names in (upload.report or {}).get(
        "columns", {}
    ).items()}  # fmt: skip
    found |= upload.mapping
    with st.expander("Columns: what plays which role", expanded=bool(upload.error)):
        st.caption(
            "Names of columns in your files. An emptied field says that no column plays the role."
        )
        with st.form(f"columns-{upload.path.name}", border=False):
            said = {}
            with st.container(horizontal=True):
                for role, label in ROLES.items():
                    said[role] = st.text_input(
                        label, found.get(role, ""), key=f"{upload.path.name}-{role}", width=220
                    )
            if st.form_submit_button("Read again with these columns"):
                upload.mapping = {
                    role: text.strip()
                    for role, text in said.items()
                    if text.strip() != found.get(role, "") or role in upload.mapping
                }
                upload.report, upload.error = None, ""
                st.rerun()


def _install_form(upload: Upload, report: dict[str, Any]) -> None:
    out = report["n_rejected"], report["n_broken_images"]
    with st.container(border=True):
        name = st.text_input(
            "Name",
            _suggested(upload),
            key=f"name-{upload.path.name}",
            help="Small letters, digits and hyphens; commands know the dataset by it.",
            max_chars=60,
            width=360,
        )
        lenient = not any(out) or st.checkbox(
            f"Install what is sound: leave out {counted(out[0], 'row')} and "
            f"{counted(out[1], 'picture')}",
            key=f"lenient-{upload.path.name}",
            help="Without it the upload has to be mended first.",
        )
        if st.button("Install", type="primary", disabled=not lenient, icon=":material/add:"):
            short = slug(name)
            if any(card.name == short for card in list_datasets()):
                raise InputError(
                    f"There is already a dataset {short!r}; choose another name, or delete that "
                    "one first."
                )
            spec = {
                "path": str(upload.path),
                "name": short,
                "mapping": dict(upload.mapping) or None,
                "lenient": any(out),
            }
            started = jobs.start("install", spec, f"Install {short}")
            upload.job = started.key
            (incoming() / f"{upload.path.name.partition('.')[0]}.job").write_text(
                started.key, "ascii"
            )
            st.rerun()


def _suggested(upload: Upload) -> str:
    try:
        return slug(PurePosixPath(upload.label).stem) if upload.path.suffix else "my-dataset"
    except InputError:
        return "my-dataset"


def _installing(upload: Upload) -> bool:
    """Shows the installation; False where it is over without success."""
    job_panel(upload.job)
    state = jobs.state(upload.job)
    if state is not None and state.status == "done":
        name = str((state.result or {})["dataset"])
        remove(upload.path)
        with st.container(horizontal=True):
            st.button("Open it", type="primary", on_click=open_dataset, args=(name,))
            st.button("Add another", on_click=next_upload)
        show_report(report_of(name))
        return True
    return state is not None and state.active
