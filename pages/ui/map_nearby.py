"""Neighbours of a clicked item in several spaces, and where the two spaces disagree most."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st

from mmrec_core.domain import Dataset
from mmrec_core.projection.nearby import (
    K,
    agreement,
    common_space,
    disagreement,
    nearest_items,
)
from mmrec_core.projection.vectors import Vectors
from mmrec_core.spaces import Space
from pages.ui.address import choose_several
from pages.ui.gallery import name_of, tile, tile_style, tiles
from pages.ui.map_scene import Scene
from pages.ui.map_spaces import AT_ONCE, Side, held_out_in, lists_of, vectors_of
from pages.ui.words import escape, number, percent

MOST_SPACES = 4
MOST_ROWS = 2000
_ITEM = "near"
_NOT_MEASURED = (
    " One was **fitted on this catalogue**, so how far they agree can be said of held-out items "
    "alone; these are too few, too many to compare at once, or not known here any more\\."
)


def clicked(dataset: Dataset, row: int | None) -> None:
    """Remembers in the address which item was clicked on a map."""
    if row is not None:
        st.query_params[_ITEM] = str(dataset.item_ids[row])


def item_row(dataset: Dataset) -> int | None:
    """The item whose neighbours are shown, if any."""
    named = st.query_params.get(_ITEM)
    if named is None:
        return None
    rows = np.flatnonzero((dataset.items["item_id"] == named).to_numpy(dtype=bool))
    return int(rows[0]) if len(rows) else None


def neighbours(scene: Scene, known: Mapping[str, Space]) -> None:
    """The neighbours of one item in up to four spaces, as pictures, common ones marked."""
    row = item_row(scene.dataset)
    if row is None:
        st.info("Click an item on a map: its nearest neighbours in up to four spaces stand here.")
        return
    shown = [side.space.name for side in scene.sides]
    names = dict(known) | {side.space.name: side.space for side in scene.sides}
    usual = list(dict.fromkeys(shown))
    wanted = choose_several(
        "Spaces", list(names), "near-in", usual, lambda n: names[n].title, MOST_SPACES
    )
    item = scene.dataset.items.iloc[row]
    tile_style()
    first, *others = st.columns([1.2, *[2] * max(1, len(wanted))], gap="medium")
    with first:
        st.markdown("**The item**")
        tile(scene.dataset, item[["item_id", "title", "image"]].to_dict(), "near-item")
    found = {name: _nearest(scene, names[name], row) for name in wanted}
    lists = {name: set(own[0].tolist()) for name, own in found.items() if own is not None}
    for column, name in zip(others, wanted, strict=False):
        with column:
            st.markdown(f"**{escape(names[name].title)}**")
            own = found[name]
            if own is None:
                st.caption("Its vectors are not here yet: make its map first.")
                continue
            rows, cosines = own
            if not len(rows):
                st.caption("The item is not in this space.")
                continue
            notes = [
                f"{number(float(c))}{_also(r, name, lists)}"
                for r, c in zip(rows.tolist(), cosines, strict=True)
            ]
            tiles(scene.dataset, rows, notes, key=f"near-{wanted.index(name)}")
    fitted = [names[name].title for name in wanted if _is_fitted(scene, names[name])]
    st.caption(
        f"The {K} nearest by cosine, with it; ● also near in another space of these."
        + (
            f" Fitted on this catalogue's own pairs: {escape(', '.join(fitted))}; neighbours that "
            "agree there were in part taught to."
            if fitted
            else ""
        )
    )


def _also(row: int, name: str, lists: Mapping[str, set[int]]) -> str:
    return " ●" if any(row in own for other, own in lists.items() if other != name) else ""


def _is_fitted(scene: Scene, space: Space) -> bool:
    vectors = vectors_of(scene.dataset, space)
    return vectors is not None and held_out_in(scene.dataset, space, vectors) is not None


def _nearest(scene: Scene, space: Space, row: int) -> tuple[np.ndarray, np.ndarray] | None:
    vectors = vectors_of(scene.dataset, space)
    return None if vectors is None else nearest_items(vectors, row)


# Disagreement


@st.cache_data(max_entries=8, show_spinner=False)
def _overlaps(first: str, second: str, _first: np.ndarray, _second: np.ndarray) -> pd.DataFrame:
    return disagreement(_first, _second)


def _held_out(one: Side, other: Side) -> np.ndarray | None:
    """[n_items] bool, items that neither space was fitted on; None: neither was fitted here."""
    masks = [side.held_out for side in (one, other) if side.held_out is not None]
    return np.logical_and.reduce(masks) if masks else None


def _compared(one: Side, other: Side) -> tuple[Vectors, Vectors]:
    """Both spaces with the items that may be compared: in both, and nothing was fitted on them."""
    kept = _held_out(one, other)
    return (
        common_space(one.vectors, other.vectors, kept),
        common_space(other.vectors, one.vectors, kept),
    )


def _pair_of_lists(one: Side, other: Side) -> tuple[np.ndarray, np.ndarray] | None:
    """Neighbours among the items that may be compared; None where they are not known yet."""
    first, second = (lists_of(vectors) for vectors in _compared(one, other))
    return None if first is None or second is None else (first, second)


def overlaps(one: Side, other: Side) -> pd.DataFrame | None:
    """Items by how little their neighbours overlap; None where neighbours are not known yet."""
    lists = _pair_of_lists(one, other)
    if lists is None:
        return None
    first, second = _compared(one, other)
    return _overlaps(first.fingerprint, second.fingerprint, *lists)


def sentence(one: Side, other: Side) -> str:
    """How far two spaces agree about neighbours, from the numbers."""
    names = f"**{escape(one.space.title)}** and **{escape(other.space.title)}**"
    if one.space.name == other.space.name:
        return f"Both maps show {escape(one.space.title)}\\."
    if one.vectors.fingerprint == other.vectors.fingerprint:
        return f"{names} hold the very same vectors\\."
    table = overlaps(one, other)
    found = None if table is None else agreement(table)
    fitted = _held_out(one, other) is not None
    if found is None:
        return f"Two maps of the same items: {names}\\." + (_NOT_MEASURED if fitted else "")
    times = found.mean / found.chance
    if not found.told:
        verdict = "no more than shuffled items would show"
    elif found.chance > 0.5:
        verdict = "so few items are near each other in any two spaces"
    elif found.mean < 0.1:
        verdict = f"{times:,.1f} times chance, yet for the most part they see different things"
    elif found.mean < 0.5:
        verdict = f"{times:,.1f} times chance: they share a part of what they see"
    else:
        verdict = "they see much the same"
    return (
        f"Of an item's {found.k} nearest neighbours, {percent(found.mean, False)} are the same in "
        f"{names} \\(by chance {percent(found.chance, False)}, {found.n:,} "
        f"{'held-out items' if fitted else 'items in both'}\\): "
        f"{verdict}\\."
    )


def most_different(scene: Scene) -> None:
    """Items that the two spaces disagree about most, with both neighbour lists as pictures."""
    if len(scene.sides) < 2 or len({side.space.name for side in scene.sides}) < 2:
        st.info("Choose two different spaces above; here stand the items they disagree about most.")
        return
    one, other = scene.sides
    table, lists = overlaps(one, other), _pair_of_lists(one, other)
    if table is None or lists is None:
        st.info(
            "The neighbours of every item are found with the maps: make both maps first. Where the "
            f"two spaces hold different items, or one was fitted on this catalogue, up to "
            f"{AT_ONCE:,} common or held-out ones can be compared."
        )
        return
    fitted = _held_out(one, other) is not None
    if not len(table):
        st.info(f"No {'held-out ' if fitted else ''}item lies in both spaces.")
        return
    n, items = len(table), scene.dataset.items.iloc[table["row"]]
    table, items = table.head(MOST_ROWS), items.head(MOST_ROWS)
    shown = pd.DataFrame(
        {
            "Item": items["title"].where(items["title"] != "", items["item_id"]).to_numpy(),
            "Category": items["category"].to_numpy(),
            "Overlap": table["overlap"],
        }
    )
    cut = f"; the first {MOST_ROWS:,} are listed" if n > MOST_ROWS else ""
    st.caption(
        f"{n:,} {'held-out ' if fitted else ''}items by the share of their {K} nearest "
        f"neighbours that both spaces hold, the least first{cut}. Tick a row to see both lists."
        + (" A space that was fitted here is compared on items held out alone." if fitted else "")
    )
    picked = st.dataframe(
        shown, hide_index=True, height=240, on_select="rerun", selection_mode="single-row",
        key=f"disagree-{one.name}-{other.name}",
        column_config={"Overlap": st.column_config.NumberColumn(format="percent")},
        alt="Items by how little their neighbours in the two spaces overlap",
    )  # fmt: skip
    rows = picked["selection"]["rows"]
    at = rows[0] if rows and rows[0] < len(table) else 0
    row = int(table["row"].iloc[at])
    first, second = lists
    tile_style()
    item = scene.dataset.items.iloc[row]
    left, *columns = st.columns([1.2, 2, 2], gap="medium")
    with left:
        st.markdown(f"**{escape(name_of(item))}**")
        tile(scene.dataset, item[["item_id", "title", "image"]].to_dict(), "disagree-item")
    for column, side, own, their in zip(
        columns, (one, other), (first[row], second[row]), (second[row], first[row]), strict=True
    ):
        with column:
            st.markdown(f"**Near in {escape(side.space.title)}**")
            near = own[own >= 0]
            notes = ["● in both" if r in set(their.tolist()) else "" for r in near.tolist()]
            tiles(scene.dataset, near, notes, key=f"disagree-{columns.index(column)}")
