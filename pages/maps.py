"""Maps: what do the embeddings see? Two spaces side by side, with one selection."""

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.projection.selection import Column
from mmrec_core.spaces import Space, usual_spaces
from pages.ui import map_colours, map_nearby, map_search, map_selection, map_spaces, map_views
from pages.ui.dataset import pick_dataset
from pages.ui.gallery import item_opened
from pages.ui.map_scene import PLACES, Scene
from pages.ui.point_map import events, point_map
from pages.ui.words import in_words

SELECTION, DISAGREE, NEAR = "Selection", "Disagreement", "Neighbours"
REGIONS, MEANING = "Regions", "Search by meaning"


def main() -> None:
    st.title("What do the embeddings see?", anchor=False)
    dataset = load_dataset(pick_dataset())
    known = map_spaces.known_spaces(dataset)
    usual = usual_spaces(known.values())
    if usual is None:
        map_views.nothing_yet(dataset)
        return
    top = st.container()
    spaces = []
    for column, place, default in zip(st.columns(2, gap="medium"), PLACES, usual, strict=True):
        with column:
            spaces.append(map_spaces.choose_space(dataset, known, place, default))
    how, tip, colour, find = st.columns([1.3, 0.5, 1, 1], gap="small", vertical_alignment="bottom")
    with how:
        config = map_spaces.choose_plane()
    sides = {space: map_spaces.side_of(dataset, space, config) for space in dict.fromkeys(spaces)}
    map_spaces.map_jobs(dataset.name)
    map_spaces.offer(dataset, sides, config)
    shown = tuple(side for space in spaces if (side := sides[space]) is not None)
    if not shown:
        return
    if len(shown) == 2:
        with top, in_words():
            st.markdown(map_nearby.sentence(*shown))
    regions = tuple(map_spaces.regions_of(dataset, side) for side in shown)
    with colour:
        colours = map_colours.choose_colours(dataset, dict(zip(PLACES, regions, strict=False)))
    with find:
        found = map_search.found_items(dataset)
    scene = Scene(dataset, shown, regions, colours)
    with tip:
        said = map_views.choose_tooltip(scene)
    _maps(scene, known, found, said)
    with in_words():
        item_opened(dataset)


def _maps(
    scene: Scene, known: Mapping[str, Space], found: np.ndarray, said: Sequence[Column]
) -> None:
    dataset, sides = scene.dataset, scene.sides
    selection = map_selection.take_up(scene, events(scene.key))
    marked = [*map_search.marked_by_meaning(dataset, sides).tolist(), *found.tolist()]
    done = point_map(
        scene.views,
        scene.colours,
        key=scene.key,
        details=map_views.details(scene, said),
        selected=None if selection is None else selection.rows,
        marked=list(dict.fromkeys(marked)),
    )
    map_nearby.clicked(dataset, done.clicked)
    for column, side in zip(st.columns(2, gap="medium"), sides, strict=False):
        column.caption(map_spaces.caption(side))
    map_views.menu(scene, selection)
    parts = {
        SELECTION: lambda: map_selection.show(scene, selection),
        DISAGREE: lambda: map_nearby.most_different(scene),
        NEAR: lambda: map_nearby.neighbours(scene, known),
        REGIONS: lambda: map_views.regions(scene),
        MEANING: lambda: map_search.by_meaning(dataset, sides),
    }
    part = st.segmented_control(
        "Show", list(parts), default=SELECTION, required=True, key="map-part",
        label_visibility="collapsed", bind="query-params", persist_state="session",
    )  # fmt: skip
    with in_words():
        parts[str(part)]()


main()
