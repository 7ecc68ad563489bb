"""Finding items on a map: by id and words, or by meaning where a space allows."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from mmrec_core import jobs
from mmrec_core.domain import Dataset
from mmrec_core.projection.nearby import nearest_to
from mmrec_core.settings import settings
from mmrec_core.spaces.query import MOST_CHARACTERS, searched_by
from mmrec_core.store import store
from pages.ui.gallery import find_items, tiles
from pages.ui.job import job_panel
from pages.ui.map_spaces import Side
from pages.ui.new_picture import handed_over, upload_picture
from pages.ui.words import escape, number

MOST_MARKED = 500
NEAREST = 12
_KINDS = {"text": "words", "image": "a picture"}
_ASKED = "map-query"


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


def by_meaning(dataset: Dataset, sides: Sequence[Side]) -> None:
    """What is nearest to typed words or to a picture, in a space on screen that can read them."""
    ways = {
        f"{side.space.title}, by {_KINDS[kind]}": (side, kind)
        for side in sides
        for kind in searched_by(dataset, side.space.name)
    }
    if not ways:
        st.info(
            "Neither space can place something new: choose the space of an image or a text "
            "extractor, or a shared space, which is searched by both."
        )
        return
    if settings().read_only:
        st.info("This store is on show: nothing is computed here, so nothing new can be placed.")
        return
    label = st.selectbox("Search in", list(ways), key="meaning-in")
    side, kind = ways[str(label)]
    spec = {"dataset": dataset.name, "space": side.space.name}
    if kind == "text":
        with st.form("meaning", border=False, clear_on_submit=False):
            text = st.text_input(
                "Words", max_chars=MOST_CHARACTERS, placeholder="such as: a striped mug for tea"
            )
            asked = st.form_submit_button("Search", type="primary")
        if asked and text.strip():
            _ask(dataset, {**spec, "text": text.strip()}, text.strip())
    else:
        given = upload_picture("meaning-picture")
        if given is not None and st.button("Search", type="primary"):
            _ask(dataset, {**spec, "picture": handed_over(given)}, "the picture")
    _answer(dataset, side)


def _ask(dataset: Dataset, spec: dict[str, str], words: str) -> None:
    state = jobs.find("query", spec)
    if state is None or state.status != "done":
        state = jobs.start("query", spec, "Search by meaning")
    st.session_state[_ASKED] = (dataset.fingerprint, state.key, spec["space"], words)


def _asked(dataset: Dataset) -> tuple[str, str, str]:
    """Job, space and words of the last search in this dataset; empty where there was none."""
    fingerprint, *asked = st.session_state.get(_ASKED, ("", "", "", ""))
    key, space, words = asked if fingerprint == dataset.fingerprint else ("", "", "")
    return key, space, words


def _answer(dataset: Dataset, side: Side) -> None:
    key, space, words = _asked(dataset)
    if not key or space != side.space.name:
        return
    state = jobs.state(key)
    if state is None or state.status != "done":
        job_panel(key)
        return
    rows, cosines = _nearest(dataset, [side])
    st.markdown(f"Nearest to **{escape(words)}** in {escape(side.space.title)}, by cosine:")
    tiles(dataset, rows, [number(float(c)) for c in cosines], key="meaning")


def marked_by_meaning(dataset: Dataset, sides: Sequence[Side]) -> np.ndarray:
    """Rows nearest to what was last searched by meaning, to be marked on the maps."""
    return _nearest(dataset, sides)[0]


def _nearest(dataset: Dataset, sides: Sequence[Side]) -> tuple[np.ndarray, np.ndarray]:
    """Rows and cosines of the last answer, where its space is on screen."""
    key, space, _ = _asked(dataset)
    side = next((s for s in sides if s.space.name == space), None)
    state = jobs.state(key) if key and side is not None else None
    if side is not None and state is not None and state.status == "done":
        found = store().find("query", str((state.result or {})["query"]))
        if found is not None:
            return nearest_to(side.vectors, np.asarray(found.array("vector")), NEAREST)
    return np.zeros(0, dtype=np.int64), np.zeros(0)
