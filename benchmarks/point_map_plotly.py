"""The peer of benchmarks/point_map.py: the same points in plotly's WebGL scatter, with a lasso."""

import sys
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

GROUPS = 12


@st.cache_resource
def made(n: int, drag: str) -> go.Figure:
    rng = np.random.default_rng(0)
    codes = np.arange(n) % GROUPS
    centres = rng.normal(0, 3, (GROUPS, 2))
    points = (centres[codes] + rng.normal(0, 0.5, (n, 2))).astype(np.float32)
    marker = {"size": 3, "color": codes}
    scatter = go.Scattergl(x=points[:, 0], y=points[:, 1], mode="markers", marker=marker)
    return go.Figure(scatter, layout={"height": 560, "dragmode": drag})


def main() -> None:
    st.set_page_config("Plotly", layout="wide")
    asked = st.query_params
    figure = made(int(asked.get("n", "10000")), asked.get("drag", "pan"))
    drawn = st.plotly_chart(figure, on_select="rerun", key="map")
    st.text(f"selected {len(drawn['selection']['point_indices']) or 'none'}")


main()
