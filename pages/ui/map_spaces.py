"""Which two spaces are mapped and how; their vectors, maps, and the jobs that make them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from mmrec_core import jobs
from mmrec_core.domain import Dataset, InputError
from mmrec_core.extractors.controls import CONTROLS
from mmrec_core.projection.plane import MOST_NEIGHBOURS, UmapConfig
from mmrec_core.projection.quality import Quality
from mmrec_core.projection.regions import Regions, words_of
from mmrec_core.projection.service import (
    ItemMap,
    find_map,
    find_neighbour_lists,
    make_neighbour_lists,
    make_preview,
    make_regions,
)
from mmrec_core.projection.vectors import Vectors
from mmrec_core.settings import settings
from mmrec_core.spaces import CONTROLS as SPACE_CONTROLS
from mmrec_core.spaces import (
    Space,
    find_space,
    find_vectors,
    held_out_of,
    is_ready,
    list_spaces,
)
from mmrec_core.store import store
from pages.ui.address import choose
from pages.ui.job import job_panel, time_in_words, unfinished_jobs
from pages.ui.words import escape, number, percent

AT_ONCE = 6000
"""Items up to which neighbours of every item are found while a page waits."""

UMAP, PCA = "UMAP", "PCA"
_SECONDS = {"start": 15.0, "item": 0.0035}
_AS_IT_IS = "as it is"


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two maps.

    Attributes:
        space: What is mapped.
        vectors: Of its items.
        points: [n_items, 2]; NaN: not on the map.
        plane: How the points were made, as it stands in addresses.
        made: The finished UMAP; None: PCA.
        share: Of the variance, along the two axes of a PCA.
        held_out: [n_items] bool, items that nothing in the space was fitted on, none of them where
            that is not known any more; None: it was not fitted on this catalogue.
    """

    space: Space
    vectors: Vectors
    points: np.ndarray
    plane: str
    made: ItemMap | None
    share: np.ndarray
    held_out: np.ndarray | None = None

    @property
    def name(self) -> str:
        """Space and plane: coordinates mean something under this name only."""
        return f"{self.space.name}~{self.plane}"


def known_spaces(dataset: Dataset) -> dict[str, Space]:
    """Spaces of a dataset by name; looked up anew when something was computed."""
    stamp = store().stamp("embeddings", "run", "study")
    return _known(dataset.name, dataset.fingerprint, stamp, dataset)


def with_controls(dataset: Dataset, known: Mapping[str, Space]) -> dict[str, Space]:
    """Spaces, and each extractor's under every control that can be looked at."""
    names = [name for name, space in known.items() if space.kind == "extractor"]
    under = [f"{name}|{control}" for name in names for control in SPACE_CONTROLS]
    return {**known, **{name: find_space(dataset, name) for name in under}}


@st.cache_data(max_entries=16, show_spinner=False)
def _known(name: str, fingerprint: str, stamp: int, _dataset: Dataset) -> dict[str, Space]:
    return {space.name: space for space in list_spaces(_dataset)}


def choose_space(dataset: Dataset, known: Mapping[str, Space], key: str, default: str) -> Space:
    """A select box over spaces, and one over the controls that can stand in for it."""
    named = st.query_params.get(key, "")
    extra = [named] if named and named not in known and _is_space(dataset, named) else []
    first, second = st.columns([3, 1.3])
    with first:
        name = choose(
            "Left map" if key == "left" else "Right map",
            [*known, *extra],
            key,
            default,
            lambda n: known[n].title if n in known else find_space(dataset, n).title,
            hide_default=False,
        )
    with second:
        controlled = not name.startswith("run:") and "|" not in name
        under = choose(
            "Under",
            [_AS_IT_IS, *SPACE_CONTROLS] if controlled else [_AS_IT_IS],
            f"{key}-under",
            _AS_IT_IS,
            lambda c: c if c == _AS_IT_IS else CONTROLS.get(c).title,
        )
    if under == _AS_IT_IS and name in known:
        return known[name]
    return find_space(dataset, name if under == _AS_IT_IS else f"{name}|{under}")


def _is_space(dataset: Dataset, name: str) -> bool:
    try:
        find_space(dataset, name)
    except InputError:
        return False
    return True


def choose_plane() -> UmapConfig | None:
    """UMAP with its settings, or PCA (None)."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        method = st.segmented_control(
            "Projection", [UMAP, PCA], default=UMAP, required=True, key="projection",
            bind="query-params", persist_state="session",
        )  # fmt: skip
        if method == PCA:
            return None
        with st.popover("Settings", icon=":material/tune:", type="tertiary"):
            fields = UmapConfig.model_fields
            kept: dict[str, Any] = {"bind": "query-params", "persist_state": "session"}
            n = st.slider(
                "Neighbours", 2, MOST_NEIGHBOURS, 15, key="neighbours",
                help=fields["n_neighbors"].description, **kept,
            )  # fmt: skip
            close = st.slider(
                "Smallest distance", 0.0, 0.99, 0.1, 0.01, key="min-dist",
                help=fields["min_dist"].description, **kept,
            )  # fmt: skip
            start = st.selectbox(
                "Start", ["pca", "spectral"], key="start", help=fields["init"].description, **kept
            )
            seed = st.number_input("Seed", 0, 999_999, 0, key="map-seed", **kept)
    return UmapConfig(n_neighbors=n, min_dist=close, init=start, seed=seed)


@st.cache_resource(max_entries=8, show_spinner="Reading vectors")
def _vectors(fingerprint: str, name: str, _dataset: Dataset) -> Vectors:
    found = find_vectors(_dataset, name)
    if found is None:
        # An exception is not remembered; None would be.
        raise LookupError(name)
    return found


def vectors_of(dataset: Dataset, space: Space) -> Vectors | None:
    """The vectors of a space; None where they have to be made first."""
    try:
        return _vectors(dataset.fingerprint, space.name, dataset)
    except LookupError:
        return None


@st.cache_resource(max_entries=32, show_spinner=False)
def _held_out(fingerprint: str, name: str, vectors: str, _dataset: Dataset) -> np.ndarray | None:
    if not is_ready(_dataset, name):
        raise LookupError(name)
    return held_out_of(_dataset, name)


def held_out_in(dataset: Dataset, space: Space, vectors: Vectors) -> np.ndarray | None:
    """Which items a space was not fitted on; see ``Side``."""
    try:
        return _held_out(dataset.fingerprint, space.name, vectors.fingerprint, dataset)
    except LookupError:
        return np.zeros(dataset.n_items, dtype=bool)


@st.cache_resource(max_entries=8, show_spinner="Projecting with PCA")
def _preview(fingerprint: str, name: str, _vectors: Vectors) -> tuple[np.ndarray, np.ndarray]:
    return make_preview(_vectors)


@st.cache_resource(max_entries=12, show_spinner=False)
def _regions(map_key: str, fingerprint: str, _map: ItemMap, _dataset: Dataset) -> Regions:
    return make_regions(_map, words_of(_dataset))


@st.cache_resource(max_entries=8, show_spinner="Finding neighbours")
def _lists(vectors: str, _vectors: Vectors) -> np.ndarray:
    return make_neighbour_lists(_vectors)


def side_of(dataset: Dataset, space: Space, config: UmapConfig | None) -> Side | None:
    """What is mapped: the UMAP where it is finished, else a PCA; None: no vectors yet."""
    vectors = vectors_of(dataset, space)
    if vectors is None:
        return None
    held_out = held_out_in(dataset, space, vectors)
    made = find_map(vectors, config) if config is not None else None
    if made is not None and config is not None:
        plane = f"umap-{config.n_neighbors}-{config.min_dist:g}-{config.init}-{config.seed}"
        return Side(space, vectors, made.points, plane, made, np.zeros(2), held_out)
    points, share = _preview(dataset.fingerprint, space.name, vectors)
    return Side(space, vectors, points, "pca", None, share, held_out)


def regions_of(dataset: Dataset, side: Side) -> Regions | None:
    """Regions of a finished map; a preview has none, nor a store on show that lacks them."""
    if side.made is None:
        return None
    try:
        return _regions(side.made.artefact.key, dataset.fingerprint, side.made, dataset)
    except InputError:
        if settings().read_only:
            return None
        raise


def lists_of(vectors: Vectors) -> np.ndarray | None:
    """The nearest items of every item, found now where they are few; None: with the map."""
    found = find_neighbour_lists(vectors)
    if found is not None:
        return found
    few = vectors.directed.sum() <= AT_ONCE and not settings().read_only
    return _lists(vectors.fingerprint, vectors) if few else None


# Making maps


def map_jobs(dataset: str) -> None:
    """Panels of maps under way or stopped."""
    for state in unfinished_jobs("map", dataset):
        job_panel(state.key)


def offer(dataset: Dataset, sides: Mapping[Space, Side | None], config: UmapConfig | None) -> None:
    """Says which maps are not made yet, and a button that makes them."""
    missing = [
        space
        for space, side in sides.items()
        if side is None or (config is not None and side.made is None)
    ]
    under_way = {
        jobs.spec(state.key).get("space") for state in unfinished_jobs("map", dataset.name)
    }
    wanted = [space for space in missing if space.name not in under_way]
    if not wanted:
        return
    names = " and ".join(f"**{escape(space.title)}**" for space in wanted)
    seconds = _SECONDS["start"] + _SECONDS["item"] * dataset.n_items
    shown = "Shown meanwhile: PCA, at once." if all(sides[s] is not None for s in wanted) else ""
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        if settings().read_only:
            st.markdown(f"The map of {names} is not made, and nothing is computed here. {shown}")
            return
        st.markdown(
            f"The {'maps' if len(wanted) > 1 else 'map'} of {names} "
            f"{'are' if len(wanted) > 1 else 'is'} not made yet. {shown}"
        )
        made = st.button(
            f"Make {'them' if len(wanted) > 1 else 'it'} ({time_in_words(seconds * len(wanted))})",
            type="primary",
            key="make-maps",
        )
    if made:
        chosen = (config or UmapConfig()).model_dump(mode="json")
        for space in wanted:
            jobs.start(
                "map",
                {"dataset": dataset.name, "space": space.name, "config": chosen},
                f"Map of {space.title}",
            )
        st.rerun()


def caption(side: Side) -> str:
    """How a map was made and how far it can be trusted, in one line of markdown."""
    n, on_map = len(side.points), int(np.isfinite(side.points[:, 0]).sum())
    parts: list[str] = []
    if side.made is None:
        parts.append(
            "**PCA** of rows of length 1: the two axes hold "
            f"{percent(float(side.share.sum()), False)} of the variance"
        )
    else:
        config = side.made.config
        parts.append(
            f"**UMAP**, cosine, {config.n_neighbors} neighbours, smallest distance "
            f"{config.min_dist:g}, from {config.init}, seed {config.seed}"
        )
        if side.made.quality is not None:
            parts.append(quality_words(side.made.quality))
        if not side.made.exact:
            parts.append("neighbours found by nearest-neighbour descent, not exact")
        if side.made.duplicates:
            parts.append(f"{side.made.duplicates:,} items share a point with an equal vector")
    if on_map < n:
        parts.append(f"{n - on_map:,} of {n:,} items are not in this space")
    if side.held_out is not None:
        parts.append(
            "**fitted on this catalogue**: shown with the pairs that it was fitted on, "
            f"{int(side.held_out.sum()):,} items were held out"
            if side.held_out.any()
            else "**fitted on this catalogue**, and on which pairs is not known here any more"
        )
    return " · ".join(parts)


def quality_words(quality: Quality) -> str:
    """Quality figures in one line."""
    text = (
        f"trustworthiness **{number(quality.trustworthiness)}**, continuity "
        f"**{number(quality.continuity)}**, **{percent(quality.kept, False)}** of the {quality.k} "
        f"nearest kept (by chance {percent(quality.chance, False)})"
    )
    if quality.stability is not None:
        text += f", stability over seeds **{number(quality.stability)}**"
    if quality.n < quality.n_items:
        text += f"; measured on {quality.n:,} of {quality.n_items:,}"
    return text
