"""Alignment: do picture and words say the same? Spaces against each other and against users."""

import streamlit as st

from mmrec_core.datasets.catalogue import load_dataset
from pages.ui import aligned, aligned_behaviour, aligned_crossing, aligned_shape, map_views
from pages.ui.dataset import pick_dataset
from pages.ui.gallery import item_opened
from pages.ui.map_spaces import known_spaces, with_controls
from pages.ui.words import in_words

MATRIX, CROSSING, GAP = "Matrix", "Retrieval", "Modality gap"
BEHAVIOUR, SHAPE, TWINS = "Content and behaviour", "Geometry", "Near-duplicates"


def main() -> None:
    st.title("Do picture and words say the same?", anchor=False)
    dataset = load_dataset(pick_dataset())
    known = known_spaces(dataset)
    if not known:
        map_views.nothing_yet(dataset)
        return
    known = with_controls(dataset, known)
    top = st.container()
    names, config = aligned.choose(dataset, known)
    aligned.alignment_jobs(dataset.name)
    found = aligned.find(dataset, known, names, config)
    if found is None:
        aligned.offer(dataset, names, config)
        return
    with top:
        st.markdown(aligned.sentence(dataset, found, known))
    parts = {
        MATRIX: lambda: aligned.matrix(dataset, found, known),
        CROSSING: lambda: aligned_crossing.retrieval(dataset, found, known),
        GAP: lambda: aligned_crossing.gap(dataset, found, known),
        BEHAVIOUR: lambda: aligned_behaviour.behaviour(dataset, found, known),
        SHAPE: lambda: aligned_shape.geometry(found, known),
        TWINS: lambda: aligned_shape.near_duplicates(dataset, found, known),
    }
    part = st.segmented_control(
        "Show", list(parts), default=MATRIX, required=True, key="aligned-part",
        label_visibility="collapsed", bind="query-params", persist_state="session",
    )  # fmt: skip
    with in_words():
        parts[str(part)]()
    with in_words():
        item_opened(dataset)


main()
