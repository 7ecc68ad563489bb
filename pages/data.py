"""Data: what do I have? Items, shape, the demo's truth, and adding more."""

import numpy as np
import pandas as pd
import streamlit as st

from mmrec_core.datasets.catalogue import is_demo, list_datasets, load_dataset, report_of
from mmrec_core.datasets.statistics import long_tail, overview
from mmrec_core.domain import Dataset, InputError
from pages.ui import gallery, incoming, installed, shape, truth, upload
from pages.ui.dataset import pick_dataset
from pages.ui.words import escape, in_words

ITEMS, SHAPE, TRUTH, ADD = "Items", "Shape", "Truth", "Add a dataset"


def main() -> None:
    st.title("What do I have?", anchor=False)
    incoming.sweep()
    if not list_datasets():
        st.markdown("Nothing is installed yet, and the demo is not there.")
        upload.add_dataset()
        return
    name = pick_dataset()
    try:
        dataset = load_dataset(name)
    except InputError as error:
        # Here it can be deleted and installed again.
        st.error(escape(error))
        upload.add_dataset()
        return
    _start_over_on_change(dataset.name)
    st.markdown(sentence(dataset.fingerprint, dataset.info.title, dataset))
    # The same tabs for every dataset: otherwise the address and the open tab fall apart.
    names = [ITEMS, SHAPE, TRUTH, ADD]
    for name, tab in zip(names, st.tabs(names, key="tab", bind="query-params"), strict=True):
        if tab.open:
            with tab, in_words():
                _draw(name, dataset)
    with in_words():
        gallery.item_opened(dataset)


def _draw(name: str, dataset: Dataset) -> None:
    if name == ITEMS:
        gallery.browser(dataset)
    elif name == SHAPE:
        shape.show(dataset)
        if not is_demo(dataset.name):
            with st.expander("The report of its installation"):
                installed.show_report(report_of(dataset.name))
    elif name == TRUTH and not dataset.info.truth:
        st.info(
            "Nobody knows why these users chose what they chose. In the demo shop tastes are "
            "planted: choose one of its worlds to see them, and whether studies find them."
        )
    elif name == TRUTH:
        truth.show(dataset)
    else:
        upload.add_dataset()


def _start_over_on_change(name: str) -> None:
    """Another dataset has other categories, pages and items."""
    if st.session_state.setdefault("data_page_of", name) != name:
        st.session_state["data_page_of"] = name
        st.session_state.update(q="", category=[], page=1)
        gallery.close_item()


@st.cache_data(max_entries=16, show_spinner=False)
def sentence(fingerprint: str, title: str, _dataset: Dataset) -> str:
    """The answer to the page's question, from the numbers; the title is no part of these."""
    facts = overview(_dataset).iloc[0]
    tail = long_tail(_dataset)
    half = float(tail["share_items"][tail["share_interactions"] >= 0.5].iloc[0])
    return (
        f"**{escape(title)}**: {_dataset.n_users:,} users and {_dataset.n_items:,} "
        f"items with {len(_dataset.interactions):,} interactions ({1 - facts['sparsity']:.2%} of "
        f"all pairs, {facts['median_per_user']:g} for the user in the middle). "
        f"{_have(_dataset.items)}, and half of all interactions go to {half:.0%} of the items."
    )


def _have(items: pd.DataFrame) -> str:
    shares = {
        "a picture": float(np.mean(items["image"] != "")),
        "a text": float(np.mean(items["text"] != "")),
    }
    if all(share == 1 for share in shares.values()):
        return "Every item has a picture and a text"
    words = [
        f"{'all' if share == 1 else 'none' if share == 0 else f'{share:.0%}'} have {what}"
        for what, share in shares.items()
    ]
    return f"Of the items, {' and '.join(words)}"


main()
