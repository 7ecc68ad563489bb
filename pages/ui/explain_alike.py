"""What an item resembles: content neighbours, every space, and attributes of the history."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import streamlit as st

from mmrec_core.domain import Dataset
from mmrec_core.explanations.additive import split_by_neighbour
from mmrec_core.explanations.concepts import shared_attributes
from mmrec_core.explanations.methods import METHODS
from mmrec_core.figures.palette import modality_label
from mmrec_core.projection.nearby import nearest_items
from mmrec_core.spaces import Space
from pages.ui import explain_trust, item_lists
from pages.ui.explain_open import Opened
from pages.ui.map_spaces import known_spaces, vectors_of
from pages.ui.words import escape, number, percent

SHOWN = 8


def look_alikes(own: Opened) -> None:
    """Neighbours through which content acts, and the nearest in every space."""
    reason = METHODS.get("neighbour-split").reason(own.subject)
    if reason:
        st.caption(escape(reason))
    else:
        table = split_by_neighbour(own.subject, own.user, own.item)
        for modality, found in table.groupby("modality"):
            top = found.head(SHOWN)
            title = modality_label(str(modality)).capitalize()
            st.markdown(
                f"**{escape(title)}**: {len(found)} content neighbours add "
                f"**{number(float(found['value'].sum()), True)}** to the score\\."
            )
            rows = own.explained.rows[top["neighbour"].to_numpy(dtype=int)]
            notes = [number(float(v), True) for v in top["value"]]
            item_lists.tiles(own.dataset, rows, notes, key=f"neighbour-{modality}")
    history = own.explained.rows[own.subject.history(own.user)]
    nearest_in_every_space(own.dataset, own.row, _spaces(own), history)


def nearest_in_every_space(
    dataset: Dataset, row: int, spaces: Iterable[Space], history: np.ndarray
) -> None:
    """An item's nearest in every space whose vectors are here, as pictures.

    Args:
        dataset: Whose item.
        row: Of the item.
        spaces: Which are looked at.
        history: Rows that are marked as a user's own.
    """
    st.markdown("**Nearest in every space**, by cosine:")
    marked = set(history.tolist())
    for at, space in enumerate(spaces):
        vectors = vectors_of(dataset, space)
        if vectors is None:
            continue
        near, cosines = nearest_items(vectors, row, SHOWN)
        st.markdown(escape(space.title))
        if not len(near):
            st.caption("The item is not in this space.")
            continue
        notes = [
            f"{number(float(c))}{' · in the history' if int(r) in marked else ''}"
            for r, c in zip(near, cosines, strict=True)
        ]
        item_lists.tiles(dataset, near, notes, key=f"near-{at}")


def _spaces(own: Opened) -> list[Space]:
    """Extractors' spaces, and the item vectors of the run itself."""
    known = known_spaces(own.dataset)
    mine = f"run:{own.explained.run.name}"
    return [space for name, space in known.items() if space.kind == "extractor" or name == mine]


def attributes(own: Opened) -> None:
    """What the item shares with the history, and what it does not."""
    columns = own.explained.attributes
    history = own.explained.rows[own.subject.history(own.user)]
    table = shared_attributes(columns, own.row, history)
    st.caption(
        "Evidence, not cause: what the item has in common with the history, without a look at the "
        "model. Surprise: -log₁₀ of the chance that as many of the history have it by accident, "
        "items drawn alike, however popular. Named where that is below 5 %, corrected for the "
        "number of attributes."
    )
    if table.empty:
        st.info(
            "No column of this catalogue holds categories, or the item or the history has none. "
            "Descriptions add attributes: see the page Descriptions."
        )
        return
    told = table[table["told"]]
    if len(told):
        first = told.iloc[0]
        st.markdown(
            f"**{escape(first['attribute'])}: {escape(first['value'])}** is shared by "
            f"{int(first['in_history'])} of {int(first['of_history'])} items of the history; "
            f"of the catalogue {percent(float(first['catalogue_share']), False)} have it\\."
        )
    else:
        st.markdown("Nothing is shared beyond what any history would share by chance\\.")
    rows = pd.DataFrame(
        {
            "Attribute": table["attribute"],
            "Value": table["value"],
            "History": [
                f"{a} of {b}" for a, b in zip(table["in_history"], table["of_history"], strict=True)
            ],
            "Catalogue": [percent(float(s), False) for s in table["catalogue_share"]],
            "IDF overlap": table["overlap"],
            "Surprise": table["surprise"],
        }
    )
    surprise = st.column_config.NumberColumn(format="%.1f")
    overlap = st.column_config.NumberColumn(format="%.2f")
    st.dataframe(
        rows,
        hide_index=True,
        alt="Attributes of the item and of the history",
        column_config={"IDF overlap": overlap, "Surprise": surprise},
    )
    explain_trust.line(own.explained, "shared-attributes")
