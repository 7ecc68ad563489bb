"""What all interactive figures share: a transparent ground, type sizes, colours for both themes."""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mmrec_core.figures.palette import Marker
from mmrec_core.figures.words import clean, escaped

if TYPE_CHECKING:
    import plotly.graph_objects as go

TYPE, SMALL_TYPE = 13, 12
GRID = "rgba(127,127,127,0.22)"
RULE = "rgba(127,127,127,0.8)"
BAND = "rgba(127,127,127,0.16)"
CLEAR = "rgba(0,0,0,0)"
AXIS: dict[str, Any] = {
    "showgrid": True,  # Streamlit's theme would hide the vertical lines
    "gridcolor": GRID,
    "zeroline": False,
    "tickfont": {"size": SMALL_TYPE},
    "title": {"font": {"size": TYPE}, "standoff": 8},
    "linecolor": RULE,
    "automargin": True,
}
"""How every axis looks."""
_TRACES = ("bar", "heatmap", "scatter", "scattergl")
_OTHER_PLOTS = ("geo", "map", "mapbox", "polar", "scene", "smith", "ternary")


def legend_rows(labels: Sequence[str], width: int = 620) -> int:
    """Lines that a legend of these labels takes under a plot ``width`` pixels wide."""
    rows, used = 0, width
    for label in labels:
        own = 52 + round(6.6 * len(label))
        if used + own > width:
            rows, used = rows + 1, 0
        used += own
    return rows


def faded(colour: str, opacity: float) -> str:
    """A ``#RRGGBB`` colour made translucent."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


def marker(shape: Marker, colour: str, size: float) -> dict[str, Any]:
    """A marker in plotly's words."""
    symbol = f"{shape.plotly}-open" if shape.hollow else shape.plotly
    return {
        "symbol": symbol,
        "size": size,
        "color": colour,
        "line": {"width": 1.8 if shape.hollow else 0},
    }


def screen(
    title: str,
    subtitle: str,
    description: str,
    *,
    height: int,
    left: int = 64,
    right: int = 16,
    legend_rows: int = 0,
) -> "go.Figure":
    """An empty figure that takes its text colour and font from the page's theme.

    Title and description are also kept in ``layout.meta`` (keys ``title``, ``description``), for
    pages and exports.

    Args:
        title: What the figure is about.
        subtitle: What it stands on.
        description: One sentence for readers who cannot see the figure.
        height: Of the plot alone, in pixels; title and legend come on top.
        left: Margin for tick labels.
        right: Margin on the right.
        legend_rows: Lines kept free for the legend under the plot.
    """
    import plotly.graph_objects as go

    top, bottom = 74, 56 + 24 * legend_rows
    # At once: each update would check the template and the axes anew, in all 50 ms a figure.
    return go.Figure(
        layout={
            "template": _template(),
            "title": {
                "text": escaped(title),
                "subtitle": {"text": escaped(subtitle), "font": {"size": SMALL_TYPE}},
                "font": {"size": 16},
                "x": 0,
                "xanchor": "left",
                "xref": "container",
                "y": 1,
                "yanchor": "top",
                "yref": "container",
                "pad": {"t": 10, "l": 4},
            },
            "meta": {"title": clean(title), "description": clean(description)},
            "height": height + top + bottom,
            "margin": {"l": left, "r": right, "t": top, "b": bottom},
            "font": {"size": TYPE},
            "paper_bgcolor": CLEAR,
            "plot_bgcolor": CLEAR,
            "hoverlabel": {"font": {"size": SMALL_TYPE}, "align": "left"},
            "showlegend": bool(legend_rows),
            "legend": {
                "orientation": "h",
                "x": 0,
                "xanchor": "left",
                "maxheight": 2 * 24 * max(1, legend_rows),
                # Tied to the plot: where a narrow page needs more lines, the plot gives way.
                "y": -54 / height,
                "yanchor": "top",
                "font": {"size": SMALL_TYPE},
                "bgcolor": CLEAR,
            },
            "xaxis": AXIS,
            "yaxis": AXIS,
        }
    )


@lru_cache(maxsize=1)
def _template() -> "go.layout.Template":
    """Of plotly's white template what two-dimensional figures read."""
    import plotly.graph_objects as go
    import plotly.io as pio

    white = pio.templates["plotly_white"].to_plotly_json()
    return go.layout.Template(
        data={kind: white["data"][kind] for kind in _TRACES if kind in white["data"]},
        layout={name: own for name, own in white["layout"].items() if name not in _OTHER_PLOTS},
    )
