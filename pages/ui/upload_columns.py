"""How an upload is read: its format, and which column plays which role."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from mmrec_core.datasets.importers import IMPORTERS
from pages.ui.incoming import Upload
from pages.ui.words import escape

ROLES = {
    "user_id": "User id",
    "item_id": "Item id",
    "rating": "Rating",
    "timestamp": "Time",
    "split": "Part: train, valid or test",
    "title": "Title",
    "text": "Text, in this order",
    "category": "Category",
    "category_separator": "Sign between categories",
    "image": "Picture file",
    "attributes": "Attributes",
}
"""Role -> what it is called on screen."""

SEVERAL = ("text", "attributes")
"""Roles that more than one column may play."""

_NONE = "–"
_FILES = {"interactions_file": "Table of interactions", "items_file": "Table of items"}
_HELP = {
    "attributes": "Columns with a few values each, such as colour; descriptions are compared "
    "with them.",
    "split": "Only where the data are divided already.",
    "category_separator": "Where one cell names several; emptied: each cell names one.",
}


def format_choice(upload: Upload, found: str) -> None:
    """The format as recognised, to be changed; the upload is then read again.

    Args:
        upload: Whose format.
        found: Format that it was read as.
    """
    names = IMPORTERS.names()
    chosen = st.selectbox(
        "Format",
        names,
        index=names.index(found),
        format_func=lambda name: IMPORTERS.get(name).title,
        key=f"format-{upload.stem}",
        help="Recognised by the names of the files and their first lines.",
        width=360,
    )
    kind = IMPORTERS.get(chosen)
    st.caption(f"{escape(kind.files)}\\.")
    if chosen != found:
        upload.format, upload.check = chosen, ""
        st.rerun()


def beginnings(heads: Mapping[str, Mapping[str, Any]]) -> None:
    """The first rows of every table, as they were read."""
    if not heads:
        return
    with st.expander("The first rows, as they were read"):
        for file, head in heads.items():
            st.caption(escape(file))
            # Columns by position: two of a hostile file may look alike to the browser.
            rows = [dict(zip(head["columns"], row, strict=False)) for row in head["rows"]]
            st.dataframe(rows, hide_index=True, alt=f"The first rows of {escape(file)}")


def columns_form(
    upload: Upload,
    heads: Mapping[str, Mapping[str, Any]],
    report: Mapping[str, Any] | None,
    read_as: str,
) -> None:
    """Which column plays which role; what is left as it was is guessed again.

    Args:
        upload: Whose columns.
        heads: File -> its columns and first rows.
        report: Of the check; None where it failed.
        read_as: Format that it was read as.
    """
    held = list(dict.fromkeys(column for head in heads.values() for column in head["columns"]))
    found: dict[str, Any] = {
        role: list(columns) if role in SEVERAL else columns[0]
        for role, columns in ((report or {}).get("columns") or {}).items()
    }
    found |= upload.mapping
    with st.expander("Columns: what plays which role", expanded=report is None):
        st.caption("Guessed from the names; what you choose here goes before it.")
        with st.form(f"columns-{upload.stem}", border=False):
            files = _files(upload, heads) if read_as == "tables" else {}
            said = files | _roles(upload, held, found)
            if st.form_submit_button("Read again with these columns", type="primary"):
                upload.mapping = {
                    role: value
                    for role, value in said.items()
                    if value != _as_found(role, found) or role in upload.mapping
                }
                upload.check = ""
                st.rerun()


def _as_found(role: str, found: Mapping[str, Any]) -> Any:
    return found.get(role, [] if role in SEVERAL else "")


def _files(upload: Upload, heads: Mapping[str, Any]) -> dict[str, str]:
    if len(heads) < 2:
        return {}
    said = {}
    with st.container(horizontal=True):
        for key, label in _FILES.items():
            options = ["", *heads]
            now = upload.mapping.get(key, "")
            said[key] = st.selectbox(
                label,
                options,
                index=options.index(now) if now in options else 0,
                format_func=lambda name: name or "as the columns say",
                key=f"{upload.stem}-{key}",
                width=300,
            )
    return said


def _roles(upload: Upload, held: Sequence[str], found: Mapping[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    with st.container(horizontal=True):
        for role, label in ROLES.items():
            about: dict[str, Any] = {
                "label": label, "key": f"{upload.stem}-{role}", "help": _HELP.get(role),
            }  # fmt: skip
            now = _as_found(role, found)
            if role in SEVERAL:
                names = [now] if isinstance(now, str) else list(now)
                options = list(dict.fromkeys([*held, *names]))
                said[role] = st.multiselect(options=options, default=names, width=460, **about)
            elif role == "category_separator" or not held:
                said[role] = st.text_input(value=now, width=220, **about).strip()
            else:
                options = list(dict.fromkeys(["", *held, *([now] if now else [])]))
                said[role] = st.selectbox(
                    options=options,
                    index=options.index(now),
                    format_func=lambda name: name or _NONE,
                    width=220,
                    **about,
                )
    return said
