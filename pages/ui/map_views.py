"""Around the maps: tooltips, regions as a table, figures to export, and where nothing is yet."""

import shlex
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from mmrec_core import jobs
from mmrec_core.datasets.catalogue import thumbnail_path
from mmrec_core.domain import Dataset
from mmrec_core.exports.spaces import MOST_ON_SCREEN, MapData, map_drawing
from mmrec_core.extractors.service import default_extractor
from mmrec_core.projection.regions import Regions
from mmrec_core.projection.selection import INTERACTIONS, Column
from mmrec_core.settings import settings
from pages.ui import map_selection, map_spaces
from pages.ui.address import choose_several
from pages.ui.export import export_menu
from pages.ui.gallery import name_of
from pages.ui.job import job_panel, unfinished_jobs
from pages.ui.map_colours import columns
from pages.ui.map_scene import Scene
from pages.ui.point_map import NONE, Detail
from pages.ui.words import NOT_THERE, escape, how, number, percent

_HOW = (
    "**UMAP** (McInnes, Healy, Melville 2018) with cosine on one graph of nearest neighbours, "
    "exact up to 60,000 items, which every setting reuses. Items with equal vectors are mapped "
    "once, so that a seed gives the same map twice. Axes have no unit, and distances between far "
    "regions mean little. **Trustworthiness** and **continuity** (Venna, Kaski 2001): whether "
    "neighbours on the map are neighbours in the space, and the other way round. **Kept**: of the "
    "15 nearest in the space those among the 15 nearest on the map. **Stability**: 1 less the "
    "Procrustes disparity of the maps of two seeds. **Regions**: HDBSCAN (Campello, Moulavi, "
    "Sander 2013) on the map, named by class-based TF-IDF (Grootendorst 2022) over text, category "
    "and attributes."
)


def choose_tooltip(scene: Scene) -> list[Column]:
    """Which columns a tooltip says."""
    own = columns(scene.dataset.fingerprint, scene.dataset)
    usual = [name for name in ("category", INTERACTIONS) if name in own]
    with st.popover("Tooltip", icon=":material/chat_bubble:", type="tertiary"):
        names = choose_several("Columns in the tooltip", list(own), "tooltip", usual)
    return [own[name] for name in names]


def details(scene: Scene, said: Sequence[Column]) -> Callable[[Sequence[int]], list[Detail]]:
    """What a tooltip says of items: the columns given, and what colours them."""
    dataset, colours = scene.dataset, scene.colours

    def colour(row: int) -> str:
        if not len(colours.names):
            return number(float(colours.values[row]))
        code = int(colours.values[row])
        return NOT_THERE if code == NONE else str(colours.names[code])

    def cell(column: Column, row: int) -> str:
        if column.numbers is not None:
            value = float(column.numbers[row])
            return f"{value:,.6g}" if np.isfinite(value) else NOT_THERE
        assert column.values is not None
        return NOT_THERE if column.values[row] < 0 else column.names[column.values[row]]

    def find(rows: Sequence[int]) -> list[Detail]:
        found = []
        for row in rows:
            item = dataset.items.iloc[row]
            path = thumbnail_path(dataset, item["image"], 96)
            cells = [(column.name, cell(column, row)) for column in said]
            if colours.title not in dict(cells):
                cells.append((colours.title, colour(row)))
            found.append(Detail(name_of(item), cells, path))
        return found

    return find


def regions(scene: Scene) -> None:
    """Regions of both maps with their words; a ticked row is selected on the maps."""
    for column, view in zip(st.columns(2, gap="medium"), range(len(scene.sides)), strict=False):
        with column:
            side, found = scene.sides[view], scene.regions[view]
            st.markdown(f"**{escape(side.space.title)}**")
            if found is None and side.made is None:
                st.caption("Regions are found on the finished UMAP map.")
            elif found is None:
                st.caption("Its regions are not here, and on this store nothing is computed.")
            elif found.table.empty:
                st.caption("HDBSCAN finds no region: the items are spread evenly, or too few.")
            else:
                _region_table(scene, view, found)


def _region_table(scene: Scene, view: int, found: Regions) -> None:
    on_map = int(np.isfinite(scene.sides[view].points[:, 0]).sum())
    inside = float((found.of_item >= 0).sum() / max(1, on_map))
    table = pd.DataFrame(
        {
            "Region": np.arange(1, len(found.table) + 1),
            "Most telling words": found.table["words"].replace("", "–"),
            "Items": found.table["n"],
        }
    )
    key = f"regions-{view}-{scene.sides[view].name}"

    def picked() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        if rows and rows[0] < len(found.table):
            region = int(found.table["region"].iloc[rows[0]])
            map_selection.select_region(scene, view, region)

    st.dataframe(
        table, hide_index=True, height=320, key=key, on_select=picked,
        selection_mode="single-row", alt=f"Regions of {scene.sides[view].space.title}",
    )  # fmt: skip
    st.caption(
        f"{percent(inside, False)} of the items lie in a region. Tick a row to select its items on "
        "both maps."
        + (
            f" Clusters were found on {found.clustered:,} items; the others joined the nearest."
            if found.clustered < on_map
            else ""
        )
    )


def menu(scene: Scene, selection: map_selection.Selection | None) -> None:
    """How the maps were made, and their files."""
    commands = [_command(scene.dataset.name, side) for side in scene.sides]
    name, title = f"map-{scene.dataset.name}", f"Maps of {scene.dataset.info.title}"
    drawing = map_drawing(_drawn(scene), scene.colours.title, title, name)
    with st.container(horizontal=True):
        how("How", _HOW, "\n".join(dict.fromkeys(commands)))
        export_menu(
            name,
            lambda: map_selection.coordinates(scene, selection),
            drawing.publication,
            drawing.interactive if len(drawing.table) <= MOST_ON_SCREEN else None,
        )


def _command(dataset: str, side: map_spaces.Side) -> str:
    """The command that makes a map again."""
    parts = ["python", "-m", "mmrec_core", "project", dataset, "--space", side.space.name]
    if side.made is not None:
        own = side.made.config
        parts += ["--neighbors", str(own.n_neighbors), "--min-dist", f"{own.min_dist:g}"]
        parts += ["--init", own.init, "--seed", str(own.seed)]
    return shlex.join(parts)


def _drawn(scene: Scene) -> list[MapData]:
    """The maps as figures take them."""
    colours = scene.colours
    values: Any = colours.values.astype(float)
    if len(colours.names):
        names = np.array([*map(str, colours.names), None], dtype=object)
        values = names[np.where(colours.values == NONE, len(names) - 1, colours.values)]
    made = []
    for view, side in zip(scene.views, scene.sides, strict=True):
        shown = np.isfinite(side.points[:, 0])
        points = pd.DataFrame(
            {"x": side.points[shown, 0], "y": side.points[shown, 1], "colour": values[shown]}
        )
        labels = pd.DataFrame(view.labels, columns=["text", "x", "y", "weight"])
        details = map_spaces.caption(side).replace("**", "")
        made.append(MapData(points, labels, side.space.title, details))
    return made


def nothing_yet(dataset: Dataset) -> None:
    """No space of this dataset is here: offers to make the embeddings."""
    st.markdown(
        "Nothing has been embedded of this catalogue yet. An **extractor** turns each picture or "
        "text into a vector; a map shows which items it puts close together."
    )
    for state in unfinished_jobs("embed", dataset.name):
        job_panel(state.key)
    if settings().read_only:
        st.info("This store is on show: nothing is computed here.")
        return
    for modality, words in (("image", "pictures"), ("text", "texts")):
        name, config = default_extractor(modality, dataset)
        if st.button(f"Embed the {words} with {name}", key=f"embed-{modality}"):
            jobs.start(
                "embed",
                {
                    "dataset": dataset.name,
                    "extractor": name,
                    "config": config.model_dump(mode="json"),
                },
                f"Embeddings of the {words} of {dataset.info.title}",
            )
            st.rerun()
