"""The dataset that a person has chosen: in the sidebar, in the address, on every page."""

import streamlit as st

from mmrec_core.datasets.catalogue import DatasetCard, list_datasets
from mmrec_core.domain import InputError
from pages.ui.address import choose
from pages.ui.front import through_app
from pages.ui.words import escape

DEFAULT = "demo-both"

GO_TO = "go_to"
"""In the session: a dataset that the next page, or the next run of this one, turns to."""


def cards() -> dict[str, DatasetCard]:
    """Installed datasets by name, the demo first."""
    return {card.name: card for card in list_datasets()}


def pick_dataset(key: str = "dataset") -> str:
    """Select box in the sidebar over what is installed; the choice is in the address.

    Raises:
        InputError: Nothing is installed.
    """
    through_app()
    known = cards()
    if not known:
        raise InputError("No dataset is installed; install one on the Data page.")
    names = list(known)
    if GO_TO in st.session_state:
        st.session_state[key] = st.session_state.pop(GO_TO)
    with st.sidebar:
        name = choose("Dataset", names, key, DEFAULT if DEFAULT in known else names[0])
    card = known[name]
    st.sidebar.caption(
        f"{escape(card.title)}  \n{card.n_users:,} users · {card.n_items:,} items · "
        f"{card.n_interactions:,} interactions"
    )
    return name
