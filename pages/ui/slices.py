"""Where an effect lies: used and gained in parts of the users and of the items."""

from typing import Any

import pandas as pd
import streamlit as st

from mmrec_core.figures import slice_plot, slice_plot_publication
from mmrec_core.figures.palette import kind_label, modality_label
from mmrec_core.metrics import metric_label
from mmrec_core.studies.results import StudyResult
from pages.ui.export import export_menu
from pages.ui.figure import figure_with_menu
from pages.ui.studies import titles
from pages.ui.words import columns_of_numbers, escape, number, percent

SLICINGS = {
    "activity": "User activity",
    "popularity": "Item popularity",
    "category": "Category",
    "cold": "Cold items",
    "image": "Missing picture",
    "text": "Missing text",
    "joint": "Missing content",
}

_HOW = (
    "The arms of the study, compared as in its verdicts, but over a part of the users or items. "
    "**User activity** divides users in thirds by their training interactions. The other slicings "
    "divide items: Recall then counts the relevant test items of the slice alone, found in the "
    "same lists over all items. *Popularity*: the fewest items that hold 80 % of the training "
    "interactions, and the tail. *Category*: the first category of an item, the eight with the "
    "most test interactions.\n\n"
    "p is adjusted by Holm over everything in one slicing. **Exploratory**: with many slices some "
    "differ by chance, and no slice makes a verdict. Slices with fewer than 20 users who have a "
    "relevant item in them are left out."
)


def slices(result: StudyResult, kept: dict[str, Any]) -> None:
    """A table of slices for one slicing and comparison.

    Args:
        result: The study.
        kept: Arguments that keep a widget's value in the address.
    """
    table = result.slices
    known = [name for name in SLICINGS if name in set(table["slicing"])]
    if not known:
        st.info("This study compares nothing that could be divided.")
        return
    first, second = st.columns([2, 3])
    slicing = first.selectbox(
        "Divided by", known, format_func=SLICINGS.__getitem__, key="slicing", **kept
    )
    kinds = list(dict.fromkeys(table["kind"]))
    kind = second.segmented_control(
        "Comparison",
        kinds,
        default=kinds[0],
        required=True,
        format_func=lambda k: kind_label(k).partition(":")[0],
        key="slice-kind",
        **kept,
    )
    chosen = table[(table["slicing"] == slicing) & (table["kind"] == kind)]
    named, metric_ = titles(), result.study["metric"]
    figure_with_menu(
        "slices",
        result,
        slice_plot(table, slicing, kind, metric_, named),
        lambda: chosen,
        lambda width: slice_plot_publication(table, slicing, kind, metric_, named, width=width),
        _HOW,
    )
    st.table(cells(chosen), border="horizontal", hide_index=True)
    metric = ", ".join(escape(metric_label(m)) for m in dict.fromkeys(chosen["metric"]))
    st.caption(
        f"Change of {metric} in % of the arm subtracted, 95 % interval below. Bold where the "
        "Holm-adjusted p is below 0\\.05. Exploratory: no slice makes a verdict\\."
    )
    with st.container(horizontal=True):
        export_menu(f"all-slices-{result.key[:8]}", lambda: table)


def cells(table: pd.DataFrame) -> pd.DataFrame:
    """One row a slice, one column a recommender and modality, as markdown cells."""
    named = titles()
    labels = list(dict.fromkeys(table["slice"]))
    shown: dict[str, list[str]] = {"Slice": [escape(label) for label in labels]}
    for (name, modality), own in table.groupby(["recommender", "modality"], sort=False):
        rows = own.set_index("slice").reindex(labels)
        texts = [percent(None if pd.isna(x) else x) for x in rows["relative"]]
        intervals = [
            "" if pd.isna(low) else f"[{number(100 * low)}, {number(100 * high)}]"
            for low, high in zip(rows["relative_low"], rows["relative_high"], strict=True)
        ]
        column = columns_of_numbers(texts, intervals)
        shown[f"{escape(named.get(str(name), name))}, {modality_label(str(modality))}"] = [
            _bold(cell) if p < 0.05 else cell
            for cell, p in zip(column, rows["p_adjusted"], strict=True)
        ]
    users = table.groupby("slice", sort=False)["n_users"].max().reindex(labels)
    items = table.groupby("slice", sort=False)["n_items"].max().reindex(labels)
    shown["Slice"] = [
        f"{label}  \n:small[:gray[{users_:,} users, {items_:,} items]]"
        for label, users_, items_ in zip(shown["Slice"], users, items, strict=True)
    ]
    return pd.DataFrame(shown)


def _bold(cell: str) -> str:
    value, gap, rest = cell.partition("  \n")
    return f"**{value}**{gap}{rest}"
