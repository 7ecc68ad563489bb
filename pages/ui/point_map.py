"""Many points in one or two linked views: pan, zoom, lasso, legend that filters, pictures.

The browser's half is components/point_map. Raw bytes go there once, as instances of their own;
what a person outlines comes back as a polygon, and ``chosen`` finds the items inside.
"""

import base64
import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from pages.ui.component import COMPONENTS, mounted

NONE = 65535
"""Code of an item without a category."""

HOME = COMPONENTS / "point_map"
NAME = "mmrec_lens.point_map"
MOST_DETAILS = 200
MOST_CORNERS = 5000

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF8", "gif"),
    (b"RIFF", "webp"),
)


@dataclass(frozen=True)
class Colours:
    """What the points of all views are coloured by.

    Attributes:
        values: [n] category codes (``NONE``: none) or numbers of float32 (not finite: none).
        names: Of the categories, in the order of the legend; empty for numbers.
        title: Over the legend.
        log: Numbers from 0 on are coloured on a logarithmic scale.
    """

    values: np.ndarray
    names: Sequence[str]
    title: str
    log: bool = False


@dataclass(frozen=True)
class View:
    """A space as a map.

    Attributes:
        title: Over the map.
        points: [n, 2] float32; not finite where an item is not in this space.
        labels: Names of regions as (text, x, y, weight); the heavier win where two collide.
    """

    title: str
    points: np.ndarray
    labels: Sequence[tuple[str, float, float, float]] = ()


@dataclass(frozen=True)
class Detail:
    """What is shown of one item: in a tooltip, and instead of its dot when there is room.

    Attributes:
        title: Of the item.
        columns: A few (name, value) pairs.
        picture: A small one: bytes or file of a PNG, JPEG, WebP or GIF, or a data URI.
    """

    title: str
    columns: Sequence[tuple[str, str]] = ()
    picture: bytes | Path | str | None = None


@dataclass(frozen=True)
class Lasso:
    """An outline that a person has drawn.

    Attributes:
        view: Which of the views it was drawn in.
        polygon: [m, 2] float64 corners in the coordinates of that view.
        hidden: Category codes that the legend hid at that time; hidden items are not chosen.
        range: Lowest and highest number that the legend showed; None: all.
    """

    view: int
    polygon: np.ndarray = field(repr=False)
    hidden: tuple[int, ...] = ()
    range: tuple[float, float] | None = None


@dataclass(frozen=True)
class Events:
    """What a person did in a map.

    Attributes:
        lasso: The outline that holds; None: none was drawn, or it was cleared.
        stamp: Grows each time a person selects or clears in the browser; 0: never did.
        clicked: Row of the item clicked just now.
    """

    lasso: Lasso | None = None
    stamp: int = 0
    clicked: int | None = None


Details = Callable[[Sequence[int]], Sequence[Detail]]


def inside(points: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """[n] whether each point lies in a polygon; where it crosses itself, by even and odd.

    The arithmetic is that of components/point_map/src/polygon.js, operation for operation, so
    that the browser and the server count the same points. NaN lies nowhere.

    Args:
        points: [n, 2].
        polygon: [m, 2] corners, the last joined to the first.
    """
    corners = np.asarray(polygon, dtype=np.float64).reshape(-1, 2)
    result = np.zeros(len(points), dtype=bool)
    if len(corners) < 3:
        return result
    (left, bottom), (right, top) = corners.min(axis=0), corners.max(axis=0)
    px, py = points[:, 0], points[:, 1]
    rows = np.flatnonzero((px >= left) & (px <= right) & (py >= bottom) & (py <= top))
    # In order of y each edge concerns one run of points, and only that is looked at.
    rows = rows[np.argsort(py[rows], kind="stable")]
    x, y = px[rows].astype(np.float64), py[rows].astype(np.float64)
    odd = np.zeros(len(rows), dtype=bool)
    for (x1, y1), (x2, y2) in zip(np.roll(corners, 1, axis=0), corners, strict=True):
        low, high = min(y1, y2), max(y1, y2)
        # (y1 > y) != (y2 > y) is low <= y < high.
        run = slice(np.searchsorted(y, low, "left"), np.searchsorted(y, high, "left"))
        if run.start < run.stop:
            odd[run] ^= x[run] < (x2 - x1) * (y[run] - y1) / (y2 - y1) + x1
    result[rows] = odd
    return result


def shown(colours: Colours, lasso: Lasso) -> np.ndarray:
    """[n] whether the legend showed each item when the outline was drawn."""
    if lasso.range is not None:
        # As the browser holds them: numbers of float32, ends of float64.
        numbers = colours.values.astype(np.float32).astype(np.float64)
        return (numbers >= lasso.range[0]) & (numbers <= lasso.range[1])
    return ~np.isin(colours.values, lasso.hidden)


def chosen(lasso: Lasso, views: Sequence[View], colours: Colours) -> np.ndarray:
    """[n] whether each item lies in an outline and was not hidden."""
    if not 0 <= lasso.view < len(views):
        return np.zeros(len(colours.values), dtype=bool)
    points = np.asarray(views[lasso.view].points, dtype=np.float32)
    return inside(points, lasso.polygon) & shown(colours, lasso)


def events(key: str) -> Events:
    """What a person did in the map of this key, before it is drawn in this run."""
    return _events(st.session_state.get(f"{key}-wire"))


def point_map(
    views: Sequence[View],
    colours: Colours,
    *,
    key: str,
    details: Details,
    selected: np.ndarray | None = None,
    marked: Sequence[int] = (),
    height: int = 560,
) -> Events:
    """Draws one or two views of the same items.

    A lasso and a click run the whole page again; tooltips and pictures run a fragment only.

    Args:
        views: One or two, with the same items in the same order.
        colours: Of the points in all views.
        key: Names the map and its items: another dataset needs another key.
        details: Finds what is shown of a few items, by their rows; up to 40 at a time.
        selected: [n] whether each item is selected; None: none is. What a person outlines is
            shown at once, and until the next ``selected`` that differs from the last.
        marked: Rows drawn with rings, such as the hits of a search.
        height: Of a view, in pixels.
    """
    if not 1 <= len(views) <= 2:
        raise ValueError("one or two views")
    n = len(colours.values)
    if any(view.points.shape != (n, 2) for view in views):
        raise ValueError(f"each view needs {n} points, as many as there are colours")
    done = events(key)
    packed = {f"points-{i}": pack_points(key, i, view.points) for i, view in enumerate(views)}
    packed["colours"] = pack_colours(key, colours)
    packed["selection"] = pack_selection(key, selected)
    wire = {
        "role": "wire",
        "map": key,
        "items": n,
        "views": [{"title": view.title, "labels": _labels(view.labels)} for view in views],
        "colours": {
            "names": [str(name) for name in colours.names],
            "title": colours.title,
            "log": colours.log,
        },
        "marked": [int(row) for row in marked if 0 <= row < n],
        "seen": done.stamp,
        "versions": {part: version_of(data) for part, data in packed.items()},
    }
    component = _component()
    with st.container(gap=None):
        for part, data in packed.items():
            component(key=f"{key}-{part}", data=data)
        result = component(
            key=f"{key}-wire",
            data=wire,
            on_selection_change=lambda: None,
            on_clicked_change=lambda: None,
        )
        _view(key, n, details, height)
    now = _events(result)
    return now if now.clicked is None or now.clicked < n else Events(now.lasso, now.stamp)


def _labels(labels: Sequence[tuple[str, float, float, float]]) -> list[list[Any]]:
    """Labels as JSON, which knows no NaN."""
    return [[str(t), *map(float, at)] for t, *at in labels if all(map(math.isfinite, at))]


@st.fragment
def _view(key: str, n: int, details: Details, height: int) -> None:
    view, asked = f"{key}-view", f"{key}-asked"

    def ask() -> None:
        st.session_state[asked] = st.session_state[view].get("ask")

    answers = _answers(st.session_state.get(asked), n, details)
    data = {"role": "view", "map": key, "height": height, "answers": answers}
    _component()(key=view, data=data, on_ask_change=ask)


def _answers(asked: Any, n: int, details: Details) -> dict[str, Any] | None:
    if not isinstance(asked, Mapping) or not isinstance(asked.get("rows"), list):
        return None
    rows = [row for row in asked["rows"] if isinstance(row, int) and 0 <= row < n]
    rows = rows[:MOST_DETAILS]
    items = [
        {
            "row": row,
            "title": str(detail.title),
            "columns": [[str(name), str(value)] for name, value in detail.columns],
            "picture": picture_uri(detail.picture),
        }
        for row, detail in zip(rows, details(rows) if rows else (), strict=True)
    ]
    return {"id": asked.get("id"), "items": items}


def picture_uri(picture: bytes | Path | str | None) -> str | None:
    """A picture as a data URI; None where there is none, or none that a browser shows."""
    if isinstance(picture, Path):
        picture = picture.read_bytes() if picture.is_file() else None
    if isinstance(picture, bytes):
        kinds = (kind for start, kind in _SIGNATURES if picture.startswith(start))
        kind = next(kinds, None)
        return kind and f"data:image/{kind};base64,{base64.b64encode(picture).decode('ascii')}"
    return picture


# Bytes


def pack(header: Mapping[str, Any], payload: bytes) -> bytes:
    """Length of the header, header as JSON, payload, each in multiples of four bytes."""
    version = hashlib.blake2b(json.dumps(header).encode("utf-8"), digest_size=8)
    version.update(payload)
    text = json.dumps({**header, "version": version.hexdigest()}).encode("utf-8")
    text += b" " * (-len(text) % 4)
    return b"".join(
        (len(text).to_bytes(4, "little"), text, payload, b"\0" * (-len(payload) % 4)),
    )


def version_of(packed: bytes) -> str:
    """The version that ``pack`` wrote: a digest of header and payload."""
    length = int.from_bytes(packed[:4], "little")
    return str(json.loads(packed[4 : 4 + length])["version"])


def pack_points(key: str, view: int, points: np.ndarray) -> bytes:
    """Coordinates of a view."""
    header = {"map": key, "part": f"points-{view}", "n": len(points)}
    values = np.array(points, dtype="<f4")
    values[~np.isfinite(values).all(axis=1)] = np.nan
    return pack(header, values.tobytes())


def pack_colours(key: str, colours: Colours) -> bytes:
    """Codes where there are names, or else numbers."""
    form, kind = ("categories", "<u2") if len(colours.names) else ("numbers", "<f4")
    values = np.asarray(colours.values)
    if form == "numbers":
        values = np.where(np.isfinite(values), values, np.nan)
    elif ((values >= len(colours.names)) & (values != NONE)).any():
        raise ValueError("a category code without a name")
    header = {"map": key, "part": "colours", "n": len(values), "form": form}
    return pack(header, values.astype(kind).tobytes())


def pack_selection(key: str, selected: np.ndarray | None) -> bytes:
    """Rows where they are few, or else a bit for each item."""
    header: dict[str, Any] = {"map": key, "part": "selection"}
    if selected is None:
        return pack({**header, "form": "none"}, b"")
    rows = np.flatnonzero(selected)
    if 32 * len(rows) < len(selected):
        payload = rows.astype("<u4").tobytes()
        return pack({**header, "form": "rows", "count": len(rows)}, payload)
    bits = np.packbits(np.asarray(selected, dtype=bool), bitorder="little").tobytes()
    return pack({**header, "form": "bits"}, bits)


# What comes back


def _events(state: Any) -> Events:
    """Events from the state of the wire; what does not make sense is as if it were not there."""
    if not isinstance(state, Mapping):
        return Events()
    clicked = state.get("clicked")
    selection = state.get("selection")
    if not isinstance(selection, Mapping) or not isinstance(selection.get("stamp"), int):
        selection = {"stamp": 0, "lasso": None}
    return Events(
        lasso=_lasso(selection.get("lasso")),
        stamp=selection["stamp"],
        clicked=clicked if isinstance(clicked, int) and clicked >= 0 else None,
    )


def _lasso(drawn: Any) -> Lasso | None:
    if not isinstance(drawn, Mapping):
        return None
    try:
        polygon = np.asarray(drawn["polygon"], dtype=np.float64)
        hidden = tuple(int(code) for code in drawn["hidden"])
        ends = drawn["range"]
        span = None if ends is None else (float(ends[0]), float(ends[1]))
        view = int(drawn["view"])
    except (KeyError, TypeError, ValueError, IndexError):
        return None
    if polygon.ndim != 2 or polygon.shape[1] != 2 or not 3 <= len(polygon) <= MOST_CORNERS:
        return None
    if not np.isfinite(polygon).all() or (span and not all(map(math.isfinite, span))):
        return None
    polygon.setflags(write=False)
    return Lasso(view, polygon, hidden, span)


# The component


@cache
def bundle() -> Path:
    """The built JavaScript; its name changes with its sources."""
    return next(iter(sorted((HOME / "assets").glob("index-*.js"))))


def _component() -> Any:
    return mounted(NAME, HOME, bundle().name)
