"""Finding items on a map by id and words."""

import numpy as np
import streamlit as st

from mmrec_core.domain import Dataset
from pages.ui.gallery import find_items

MOST_MARKED = 500


def found_items(dataset: Dataset) -> np.ndarray:
    """Rows of the items that a person searches for; empty where nothing is typed."""
    words = st.text_input(
        "Find", key="find", bind="query-params", persist_state="session",
        placeholder="Words in id, title, text or category", icon=":material/search:",
    )  # fmt: skip
    if not words:
        return np.zeros(0, dtype=np.int64)
    rows = find_items(dataset.fingerprint, dataset, words)
    many = f" The first {MOST_MARKED:,} are marked." if len(rows) > MOST_MARKED else ""
    items = "item matches" if len(rows) == 1 else "items match"
    st.caption(f"{len(rows):,} {items}; rings mark them on the maps.{many}")
    return rows[:MOST_MARKED]
