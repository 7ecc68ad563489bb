"""What else is known of described items: columns beside the picture, and the truth of slots."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from mmrec_core.descriptions.measure import truth_of
from mmrec_core.descriptions.service import Descriptions, values_of
from mmrec_core.descriptions.support import right
from mmrec_core.domain import Dataset
from pages.ui.words import escape

KEPT: dict[str, Any] = {"bind": "query-params", "persist_state": "session"}
NONE = "–"
_NO_TRUTH = ("item_id", "image", "image_sha256")


def columns_of(dataset: Dataset) -> list[str]:
    """Columns of the items that may say something of them."""
    return [str(name) for name in dataset.items.columns if name not in _NO_TRUTH]


def choose_columns(dataset: Dataset) -> list[str]:
    """Which columns stand under a picture."""
    own = columns_of(dataset)
    usual = ["category"] if (dataset.items["category"].fillna("") != "").any() else []
    return st.multiselect(
        "Beside the picture",
        own,
        default=usual,
        key=f"{dataset.name}.beside",
        help="Columns of the items that are shown with each of them. The title always is.",
        **KEPT,
    )


def choose_truth(dataset: Dataset, made: Descriptions) -> dict[str, str]:
    """Slot -> column of the items that holds its true value, as somebody chose."""
    own = columns_of(dataset)
    known = "Of the demo the truth is known; a column that is chosen here takes its place. "
    st.caption(
        f"{known if dataset.info.truth else ''}A column of the items may hold what a slot asks "
        "for: values are compared with it in lower case and as lemmas."
    )
    chosen: dict[str, str] = {}
    with st.container(horizontal=True):
        for slot in made.slots:
            column = st.selectbox(
                f"Truth of {escape(slot)}",
                [NONE, *own],
                key=f"{dataset.name}.truth.{slot}",
                width=170,
                **KEPT,
            )
            if column != NONE:
                chosen[slot] = column
    return chosen


def choose_truth_aside(dataset: Dataset, made: Descriptions) -> dict[str, str]:
    """The same in a box of its own."""
    with st.expander("The truth of a slot", icon=":material/fact_check:"):
        return choose_truth(dataset, made)


def truth(
    dataset: Dataset, made: Descriptions, columns: Mapping[str, str]
) -> dict[str, list[str | None]]:
    """Slot -> true value of each item, of the slots that were asked for."""
    return _truth(dataset.fingerprint, made.slots, tuple(sorted(columns.items())), dataset)


@st.cache_resource(max_entries=16, show_spinner=False)
def _truth(
    fingerprint: str,
    slots: Sequence[str],
    columns: tuple[tuple[str, str], ...],
    _dataset: Dataset,
) -> dict[str, list[str | None]]:
    known = truth_of(_dataset, dict(columns))
    return {slot: known[slot] for slot in slots if slot in known}


def agreement(dataset: Dataset, made: Descriptions, columns: Mapping[str, str]) -> pd.DataFrame:
    """One row an item, a column a slot whose truth is known: True, False, or None."""
    chosen = tuple(sorted(columns.items()))
    return _agreement(dataset.fingerprint, made.artefact.key, chosen, dataset, made)


@st.cache_resource(max_entries=16, show_spinner="Comparing what was said with what is known")
def _agreement(
    fingerprint: str,
    key: str,
    columns: tuple[tuple[str, str], ...],
    _dataset: Dataset,
    _made: Descriptions,
) -> pd.DataFrame:
    values = values_of(_dataset, _made)
    return right(values, _truth(fingerprint, _made.slots, columns, _dataset))


def metadata(item: pd.Series, columns: Sequence[str], separator: str | None) -> str:
    """What chosen columns say of an item, as small markdown; empty where they say nothing."""
    said = []
    for name in columns:
        cell = item[name]
        text = "" if pd.isna(cell) else str(cell).replace(separator or "\0", ", ")
        if text.strip():
            said.append(f":gray[{escape(name)}] {escape(text[:160])}")
    return f":small[{' · '.join(said)}]" if said else ""
