"""Adding a dataset: receive, read, report, thresholds, install, and the first study."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import streamlit as st

from mmrec_core import jobs
from mmrec_core.datasets.catalogue import list_datasets, report_of
from mmrec_core.datasets.install import slug
from mmrec_core.datasets.template import template_zip
from mmrec_core.domain import InputError
from mmrec_core.settings import settings
from pages.ui.incoming import Upload, note_job, receive, remove
from pages.ui.installed import (
    counted,
    installed,
    next_upload,
    open_dataset,
    show_report,
    undo,
    undo_refused,
)
from pages.ui.job import job_panel
from pages.ui.start import first_study, show_jobs, study_jobs
from pages.ui.studies import newest_judged
from pages.ui.upload_columns import beginnings, columns_form, format_choice
from pages.ui.upload_thresholds import thresholds
from pages.ui.words import escape, in_words

FILES, FOLDER = "Files or a zip", "A folder"
ENDINGS = (
    "zip", "gz", "csv", "tsv", "jsonl", "json", "ndjson", "parquet", "arrow", "inter", "item",
    "user", "dat", "data", "txt", "toml", "npy", "npz", "safetensors", "jpg", "jpeg", "png",
    "webp", "gif",
)  # fmt: skip
LAYOUT = """
The plain layout, as a **zip** or a folder:

- `interactions.csv` (required): `user_id`, `item_id`, and if there are any `rating`, `timestamp`
- `items.csv`: `item_id`, and any of `title`, `description`, `category`, `image`, further columns
- `images/`: pictures, called as `items.csv` says, or by the item's id (`42.jpg`)
- `features/NAME.npy`: vectors that you made yourself, one row an item, in the order of `items.csv`
- `dataset.toml`: name, licence, source, and which columns are what, where names do not say it

Tables may be csv, tsv, jsonl or parquet, packed (`.gz`) or not. Two tables of any name will do as
well: their columns say which is which, or you do.
"""
OTHERS = """
Read as they are published: Amazon Reviews 2023, 2018 and 2014, MovieLens, MMRec, Elliot with Ducho,
RecBole, and datasets that Hugging Face's library saved. What each needs is in
`docs/bring-your-catalogue.md`.
"""


def add_dataset() -> None:
    """The whole of adding a dataset, from the file to the first study."""
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
    files = _uploader()
    if not files:
        if upload is not None:
            _forget(upload)
        _what_to_give()
    else:
        with in_words():
            _one_upload(_current(files, upload))
    installed()


def _uploader() -> list[Any]:
    done = st.session_state.get("uploads_done", 0)
    how = st.segmented_control(
        "What do you have?", (FILES, FOLDER), default=FILES, required=True, key=f"how-{done}"
    )
    about: dict[str, Any] = {
        "type": list(ENDINGS),
        "help": "Nothing is installed before you have seen the report. Whoever uses this server "
        "sees what is installed on it.",
    }
    if how == FOLDER:
        return (
            st.file_uploader(
                "A folder with everything in it",
                accept_multiple_files="directory",
                key=f"uploader-folder-{done}",
                **about,
            )
            or []
        )
    return (
        st.file_uploader(
            "A zip, or tables", accept_multiple_files=True, key=f"uploader-{done}", **about
        )
        or []
    )


def _what_to_give() -> None:
    with st.expander("What the files should look like", expanded=True):
        st.markdown(LAYOUT)
        st.download_button(
            "A template to fill",
            template_zip,
            file_name="my-catalogue.zip",
            mime="application/zip",
            on_click="ignore",
            icon=":material/download:",
        )
        st.markdown(OTHERS)
    limits = settings().limits
    st.caption(
        f"At most {limits.upload_bytes / 2**30:.3g} GiB an upload; larger ones are installed from "
        "a terminal: `python -m mmrec_core install PATH`. This server is shared: everybody who can "
        "open this page sees what is installed, and can delete it."
    )


def _current(files: Sequence[Any], upload: Upload | None) -> Upload:
    """The upload of these files; written once, and again where it was swept away."""
    ids = tuple(str(file.file_id) for file in files)
    if upload is not None and upload.files == ids and upload.path.exists():
        return upload
    if upload is not None:
        _forget(upload)
    st.session_state["upload"] = receive(files)
    return st.session_state["upload"]


def _forget(upload: Upload) -> None:
    """Removes an upload, and ends and removes the job that reads it."""
    _forget_check(upload)
    remove(upload.stem)
    st.session_state.pop("upload", None)


def _forget_check(upload: Upload) -> None:
    state = jobs.state(upload.check) if upload.check else None
    if state is not None:
        if state.active:
            jobs.cancel(state.key)
        else:
            jobs.forget(state.key)


def _one_upload(upload: Upload) -> None:
    if not upload.check:
        spec = {
            **upload.said(), "findings": str(upload.findings), "codes": str(upload.codes),
        }  # fmt: skip
        upload.check = jobs.start("inspect", spec, f"Reading {upload.label}").key
    state = jobs.state(upload.check)
    if state is None:
        upload.check = ""
        st.rerun()
    if state.status != "done":
        job_panel(state.key)
        st.caption("Nothing is installed yet. Remove the file above to give another.")
        return
    found: dict[str, Any] = dict(state.result or {})
    heads = found["heads"]
    if "error" in found:
        st.error(f"Nothing was installed. {escape(_their_words(found['error'], upload))}")
        format_choice(upload, found["format"])
        if heads:
            beginnings(heads)
            columns_form(upload, heads, None, found["format"])
        return
    report = found["report"]
    format_choice(upload, found["format"])
    show_report(report, upload.findings)
    beginnings(heads)
    columns_form(upload, heads, report, found["format"])
    _thresholds_and_install(upload, report)


@st.fragment
def _thresholds_and_install(upload: Upload, report: dict[str, Any]) -> None:
    """A fragment: a slider that moves counts anew, and draws nothing else."""
    with in_words():
        _install_form(upload, report, thresholds(upload, report))


def _their_words(sentence: str, upload: Upload) -> str:
    """Why an upload is refused, with the name that people know and what to do on this page."""
    said = sentence.replace(upload.path.name, upload.label)
    said = re.sub(r"name it with --map \w+=COLUMN", "name it below", said)
    said = said.replace("are user_id and item_id", "are user and item, below")
    return re.sub(r" \((inter|it)\w+_file\)", "", said)


def _install_form(upload: Upload, report: dict[str, Any], narrowing: dict[str, Any]) -> None:
    out = report["n_rejected"], report["n_broken_images"]
    with st.container(border=True):
        name = st.text_input(
            "Name",
            _suggested(upload),
            key=f"name-{upload.stem}",
            help="Small letters, digits and hyphens; commands know the dataset by it.",
            max_chars=60,
            width=360,
        )
        lenient = not any(out) or st.checkbox(
            f"Install what is sound: leave out {counted(out[0], 'row')} and "
            f"{counted(out[1], 'picture')}",
            key=f"lenient-{upload.stem}",
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
                **upload.said(),
                "name": short,
                "lenient": any(out),
                "narrowing": narrowing,
                # What was seen is what is installed, should recognition ever change.
                "format": report["format"],
            }
            upload.job = jobs.start("install", spec, f"Install {short}").key
            note_job(upload)
            st.rerun()


def _suggested(upload: Upload) -> str:
    several = upload.path.suffix != ".zip" and len(upload.files) > 1
    if several and upload.label.endswith(" files"):
        return "my-dataset"
    try:
        return slug(PurePosixPath(upload.label).name.partition(".")[0])
    except InputError:
        return "my-dataset"


def _installing(upload: Upload) -> bool:
    """Shows the installation; False where it is over without success."""
    job_panel(upload.job)
    state = jobs.state(upload.job)
    if state is None or state.status != "done":
        return state is not None and state.active
    name = str((state.result or {})["dataset"])
    if all(card.name != name for card in list_datasets()):
        # Undone, or deleted on another page.
        next_upload()
        st.rerun()
    _forget_check(upload)
    remove(upload.stem)
    with st.container(horizontal=True):
        st.button("Open it", type="primary", on_click=open_dataset, args=(name,))
        st.button("Add another", on_click=next_upload)
        st.button(
            "Undo",
            on_click=undo,
            args=(name,),
            icon=":material/undo:",
            help="Removes the dataset again; the files have to be given again.",
        )
    undo_refused()
    show_jobs(name)
    if newest_judged(name) is not None:
        st.page_link(
            "pages/overview.py",
            label="See what the first study says",
            icon=":material/arrow_forward:",
            query_params={"dataset": name},
        )
    elif not study_jobs(name):
        first_study(name, "start-first", "here, and on the Overview and Study pages")
    with st.expander("The report"):
        show_report(report_of(name))
    return True
