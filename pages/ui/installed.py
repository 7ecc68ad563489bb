"""What is installed, the report of an installation, and what can be done to an upload."""

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from mmrec_core import jobs
from mmrec_core.datasets.catalogue import (
    DatasetCard,
    delete_dataset,
    list_datasets,
    rename_dataset,
)
from mmrec_core.domain import InputError
from pages.ui.dataset import GO_TO
from pages.ui.export import csv_bytes
from pages.ui.upload_columns import ROLES
from pages.ui.words import escape, in_words, number

_REFUSED = "undo-refused"

COUNTS = {
    "n_rejected": "rows rejected",
    "n_duplicate_interactions": "earlier interactions of a repeated user-item pair left out",
    "n_items_without_interactions": "items without interactions, kept",
    "n_unknown_items": "items that only interactions name, kept without title",
    "n_missing_images": "items without a picture",
    "n_missing_texts": "items without text",
    "n_broken_images": "broken pictures",
    "n_absent_images": "pictures that are named but not in the upload",
}


def show_report(report: dict[str, Any], findings: Path | None = None) -> None:
    """What an upload holds and what is wrong with it, in words.

    Args:
        report: Of an installation, in JSON types.
        findings: CSV with every finding; None: what the report keeps.
    """
    filled = number(100 * (1 - report["sparsity"]))
    st.markdown(
        f"**{report['n_users']:,} users, {report['n_items']:,} items, "
        f"{report['n_interactions']:,} interactions**: {filled} % of all user-item pairs. "
        + "; ".join(
            f"{escape(f)}: {counted(n, 'row')} read" for f, n in report["rows_read"].items()
        )
        + "."
    )
    lines = [f"- {what}: {report[key]:,}" for key, what in COUNTS.items() if report[key]]
    lines += [f"- features {escape(n)}, taken for {m}" for n, m in report["features"].items()]
    lines += [f"- {escape(note)}" for note in report["notes"]]
    st.markdown("\n".join(lines) or "Nothing is missing and nothing is wrong.")
    wrong = pd.DataFrame(
        [*report["rejected"], *report["broken_images"]], columns=["file", "line", "reason"]
    )
    if len(wrong):
        total = report["n_rejected"] + report["n_broken_images"]
        shown = "What is wrong" if total == len(wrong) else f"The first {len(wrong)} of {total:,}"
        with st.expander(f"{shown}: file, line, reason", expanded=True):
            lines_shown = wrong["line"].map(lambda line: "" if pd.isna(line) else f"{line:.0f}")
            st.dataframe(wrong.assign(line=lines_shown), hide_index=True, alt="What is wrong")
            whole = findings is not None and findings.is_file()
            st.download_button(
                "All of it as CSV" if whole else "As CSV",
                lambda: findings.read_bytes() if whole and findings else csv_bytes(wrong),
                file_name="findings.csv",
                mime="text/csv",
                on_click="ignore",
            )
    st.caption(escape(_roles_in_words(report)))


def _roles_in_words(report: dict[str, Any]) -> str:
    names = ROLES | {"text": "Text", "split": "Part"}
    parts = []
    for guessed, what in ((True, "Columns guessed from their names"), (False, "Columns as said")):
        pairs = [
            f"{names.get(role, role)} = {', '.join(columns)}"
            for role, columns in report["columns"].items()
            if role != "key" and (role in report["guessed"]) is guessed
        ]
        if pairs:
            parts.append(f"{what}: {'; '.join(pairs)}.")
    return " ".join(parts)


def installed() -> None:
    """Uploads with what can be done to them."""
    st.subheader("Installed", anchor=False)
    cards = [card for card in list_datasets() if not card.builtin]
    if not cards:
        st.caption("Only the demo so far. It stays; what you add can be renamed and deleted here.")
    for card in cards:
        with st.container(border=True):
            words, buttons = st.columns([3, 2], vertical_alignment="center")
            named = "" if card.title == card.name else f" ({card.name})"
            words.markdown(
                f"**{escape(card.title)}**{named}  \n{card.n_users:,} users, "
                f"{card.n_items:,} items, {card.n_interactions:,} interactions"
            )
            with buttons.container(horizontal=True, horizontal_alignment="right"):
                st.button("Open", key=f"show-{card.name}", on_click=open_dataset, args=(card.name,))
                if st.button("Rename", key=f"rename-{card.name}"):
                    _rename(card)
                if st.button("Delete", key=f"delete-{card.name}"):
                    _delete(card)


@st.dialog("Rename")
def _rename(card: DatasetCard) -> None:
    new = st.text_input("New name", card.name, max_chars=60).strip()
    st.caption(
        "Small letters, digits and hyphens. Finished studies keep the name they were made under."
    )
    if st.button("Rename", type="primary", key="rename-sure"):
        with in_words():
            jobs.check_unused(card.name)
            rename_dataset(card.name, new)
            if st.session_state.get("dataset") == card.name:
                st.session_state[GO_TO] = new
            st.rerun()


@st.dialog("Delete this dataset?")
def _delete(card: DatasetCard) -> None:
    st.markdown(
        f"**{escape(card.title)}** with its {card.n_items:,} items and their pictures. Finished "
        "studies stay. This cannot be undone; install it again from your own files."
    )
    with st.container(horizontal=True):
        if st.button("Delete", type="primary", key="delete-sure"):
            with in_words():
                jobs.check_unused(card.name)
                delete_dataset(card.name)
                st.rerun()
        if st.button("Keep it"):
            st.rerun()


def open_dataset(name: str) -> None:
    """Shows the items of a dataset at the next run."""
    next_upload()
    st.session_state.update(dataset=name, tab="Items", page=1)


def undo(name: str) -> None:
    """Removes what was just installed, unless it is in use, which ``undo_refused`` shows."""
    try:
        jobs.check_unused(name)
        delete_dataset(name)
    except InputError as error:
        st.session_state[_REFUSED] = str(error)
        return
    if st.session_state.get("dataset") == name:
        st.session_state.pop("dataset")
    next_upload()


def undo_refused() -> None:
    """Why the last undo was refused, once."""
    if said := st.session_state.pop(_REFUSED, None):
        st.error(escape(said))


def next_upload() -> None:
    """Makes room for another upload."""
    st.session_state.pop("upload", None)
    st.session_state["uploads_done"] = st.session_state.get("uploads_done", 0) + 1


def counted(n: int, what: str) -> str:
    """``1 row``, ``2 rows``."""
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"
