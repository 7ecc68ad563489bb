"""A page with nothing but a point map; tests and benchmarks/point_map.py open it.

Its address chooses: n, kind (categories, many, numbers), views, details (0: none have pictures).
"""

import io
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pages.ui.point_map import NONE, Colours, Detail, View, chosen, events, point_map


@st.cache_resource
def made(n: int, kind: str) -> tuple[list[View], Colours]:
    rng = np.random.default_rng(0)
    groups = 230 if kind == "many" else 12
    codes = (np.arange(n) % groups).astype(np.uint16)
    centres = rng.normal(0, 3, (groups, 2))
    views = []
    for name in ("What the pictures say", "What the words say"):
        points = (centres[codes] + rng.normal(0, 0.5, (n, 2))).astype(np.float32)
        labels = [(f"region {g}", *centres[g], float(groups - g)) for g in range(groups)]
        views.append(View(name, points, labels))
        centres = rng.normal(0, 3, (groups, 2))
    views[1].points[n // 2 : n // 2 + n // 100] = np.nan
    if kind == "numbers":
        numbers = rng.lognormal(2, 1, n).astype(np.float32)
        numbers[:10] = np.nan
        return views, Colours(numbers, (), "popularity", log=True)
    codes[:5] = NONE
    return views, Colours(codes, [f"kind {g}" for g in range(groups)], "category")


@st.cache_data
def picture(row: int) -> bytes:
    from PIL import Image

    colour = tuple(int(v) for v in np.random.default_rng(row).integers(40, 220, 3))
    image = Image.new("RGB", (64, 48 + row % 32), colour)
    image.paste((250, 250, 250), (16, 14, 48, 34))
    stream = io.BytesIO()
    image.save(stream, "WEBP")
    return stream.getvalue()


def details(rows: Sequence[int]) -> list[Detail]:
    st.session_state["asked"] = st.session_state.get("asked", 0) + 1
    return [
        Detail(
            f"Item <b>{row}</b>",
            [("category", f"kind {row % 12}"), ("users", f"{row * 7 % 1000}")],
            picture(row) if row % 5 else None,
        )
        for row in rows
    ]


def main() -> None:
    st.set_page_config("Point map", layout="wide")
    asked = st.query_params
    n = int(asked.get("n", "200000"))
    views, colours = made(n, asked.get("kind", "categories"))
    views = views[: int(asked.get("views", "2"))]
    runs = st.session_state["runs"] = st.session_state.get("runs", 0) + 1
    drawn = events("map")
    selected = None if drawn.lasso is None else chosen(drawn.lasso, views, colours)
    if st.checkbox("Select the first thousand") and drawn.lasso is None:
        selected = np.arange(n) < 1000
    marked = range(0, n, n // 5) if st.checkbox("Mark five") else ()
    done = point_map(views, colours, key="map", selected=selected, marked=marked, details=details)
    count = "none" if selected is None else str(int(selected.sum()))
    st.text(f"selected {count}")
    if done.clicked is not None:
        st.session_state["clicked"] = done.clicked
    st.text(f"clicked {st.session_state.get('clicked', 'none')}")
    st.text(f"runs {runs}")


main()
