"""Items in ranked lists side by side, or as tiles, each drawn as one element.

The browser's half is components/item_lists. A Streamlit element for every picture, title and
line took most of the time of a click; here a click sends one message however long the lists are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import streamlit as st

from mmrec_core.datasets.catalogue import thumbnail_path
from mmrec_core.domain import Dataset
from mmrec_core.figures.words import shorten
from pages.ui.component import COMPONENTS, mounted
from pages.ui.gallery import TILE, name_of, open_item
from pages.ui.point_map import picture_uri

HOME = COMPONENTS / "item_lists"
NAME = "mmrec_lens.item_lists"
SCRIPT = "item_lists.js"

Move = Literal["up", "down", "same", "new"]


@dataclass(frozen=True)
class Place:
    """Where else an item stands.

    Attributes:
        at: Number of the list.
        text: Such as ``no. 3 in FREEDOM``; a click goes there.
    """

    at: int
    text: str


@dataclass(frozen=True)
class Row:
    """One line of a list.

    Attributes:
        item: Id.
        title: Shortened.
        name: In full, for whoever cannot see the picture.
        hit: Whether the person took it in the test part.
        move: Against the list of reference; None in that one.
        moved: The move as it is shown: ``▲ 3``.
        places: Lists that have the item too.
        said: What a model says of it.
    """

    item: str
    title: str
    name: str
    hit: bool = False
    move: Move | None = None
    moved: str = ""
    places: Sequence[Place] = ()
    said: str = ""


@dataclass(frozen=True)
class Column:
    """One list.

    Attributes:
        at: Its number, from 0.
        title: Over it.
        summary: Below the title.
        rows: Best first.
        reason: Why there is none; empty where there is.
    """

    at: int
    title: str
    summary: str = ""
    rows: Sequence[Row] = ()
    reason: str = ""


def lists(
    dataset: Dataset,
    columns: Sequence[Column],
    *,
    key: str,
    whose: str,
    on_open: Callable[[str, int], None],
    opened: tuple[str, int] | None = None,
) -> None:
    """Lists side by side; hovering an item marks it in all of them.

    Args:
        dataset: Whose items.
        columns: The lists.
        key: Of the instance.
        whose: The person; when it changes the browser forgets what had the focus.
        on_open: Called with item and list when somebody opens one, before the next run.
        opened: Item and list that are marked as open.
    """
    items = dict.fromkeys(row.item for own in columns for row in own.rows)
    data = {
        "form": "lists",
        "whose": whose,
        "opened": list(opened) if opened else None,
        "pictures": pictures_of(dataset, list(items), 96),
        "lists": [asdict(own) for own in columns],
    }

    def chosen() -> None:
        named = _event(key, "open")
        item, at = named.get("item"), named.get("at")
        if isinstance(item, str) and isinstance(at, int):
            on_open(item, at)

    mounted(NAME, HOME, SCRIPT)(key=key, data=data, on_open_change=chosen)


def tiles(
    dataset: Dataset,
    rows: Sequence[int] | np.ndarray,
    notes: Sequence[str] = (),
    *,
    key: str,
    width: int = TILE,
) -> bool:
    """A grid of pictures; a click opens the item, which the page has to draw over itself.

    Args:
        dataset: Whose items.
        rows: Of the items.
        notes: A line under each title, not markdown; empty: none.
        key: Of the instance.
        width: Of a tile, in pixels.

    Returns:
        Whether one was opened just now.
    """
    shown = dataset.items.iloc[list(map(int, rows))][["item_id", "title", "image"]]
    cells = shown.to_dict("records")
    data = {
        "form": "tiles",
        "width": width,
        "pictures": pictures_of(dataset, [str(own["item_id"]) for own in cells], 320),
        "tiles": [
            {
                "item": str(own["item_id"]),
                "title": shorten(name_of(own), 48),
                "name": name_of(own),
                "note": notes[at] if len(notes) else "",
            }
            for at, own in enumerate(cells)
        ],
    }

    def chosen() -> None:
        item = _event(key, "open").get("item")
        if isinstance(item, str):
            open_item(item)

    result = mounted(NAME, HOME, SCRIPT)(key=key, data=data, on_open_change=chosen)
    return bool(result.get("open"))


def _event(key: str, name: str) -> Mapping[str, Any]:
    """What the browser sent; empty where that makes no sense."""
    state = st.session_state.get(key)
    value = state.get(name) if isinstance(state, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def pictures_of(dataset: Dataset, items: Sequence[str], size: int) -> dict[str, str]:
    """Item id -> thumbnail as a data URI, each once; without those that have none.

    Within the message, since forty requests for forty pictures would wait for the same server.
    """
    rows = rows_of(dataset)
    images = dataset.items["image"].to_numpy(dtype=object)
    found = {}
    for item in items:
        path = thumbnail_path(dataset, str(images[rows[item]]), size)
        uri = None if path is None else picture_uri(path)
        if uri:
            found[item] = uri
    return found


def rows_of(dataset: Dataset) -> Mapping[str, int]:
    """Item id -> row."""
    return _rows(dataset.fingerprint, dataset)


@st.cache_resource(max_entries=8, show_spinner=False)
def _rows(fingerprint: str, _dataset: Dataset) -> dict[str, int]:
    return {str(item): row for row, item in enumerate(_dataset.item_ids)}
