"""Missing-modality curves: how a metric falls as more and more items lack a modality."""

from collections.abc import Mapping
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mmrec_core.figures.blocks import TALLEST
from mmrec_core.figures.palette import (
    MODALITY_DASHES,
    MODALITY_MARKERS,
    modality_colour,
    modality_label,
)
from mmrec_core.figures.paper import (
    BODY,
    INK,
    LINE,
    Width,
    finished,
    fit,
    inches,
    mark,
    number_axis,
    page_width,
    panel,
    pattern,
    sheet,
)
from mmrec_core.figures.paper import GRID as PAPER_GRID
from mmrec_core.figures.removal_rows import Curve, Panel, lay_out
from mmrec_core.figures.screen import AXIS, SMALL_TYPE, faded, legend_rows, marker, screen
from mmrec_core.figures.words import count, escaped, interval, percent, shorten, subject, three

if TYPE_CHECKING:
    import plotly.graph_objects as go

TICKS = {0: "real", 50: "", 100: "removed"}
"""Places on the x axis in per cent, and what arm stands there."""


def removal_curve_description(
    curve: pd.DataFrame, metric: str, titles: Mapping[str, str] | None = None
) -> str:
    """What the curves of the same arguments show, in one sentence, with users and seeds."""
    return lay_out(curve, metric, titles).description


def removal_curve(
    curve: pd.DataFrame, metric: str, titles: Mapping[str, str] | None = None
) -> "go.Figure":
    """A panel for each recommender, a line with a 95 % band for each modality; interactive.

    Args:
        curve: One row a recommender, modality, share and metric: recommender, modality
            (``image``, ``text``, ``joint``, ``all``), share of the items that lack it (0: the arm
            with real content, 1: the arm without the modality), value, low, high (95 % interval,
            in units of the metric; NaN where there is none), n_users, seeds, metric.
        metric: Which metric, such as ``recall@20``.
        titles: Name of a recommender -> how it is shown.

    Raises:
        InputError: A column is missing, a modality or share cannot be, a point is there twice, or
            there is nothing to draw.
    """
    import plotly.graph_objects as go

    plan = lay_out(curve, metric, titles)
    n = len(plan.groups)
    columns = min(n, 3)
    rows = ceil(n / columns)
    gap, high = 44, 300 if columns == 1 else 170
    height = rows * high + (rows - 1) * gap + 34
    figure = screen(
        plan.title,
        plan.stands_on,
        plan.description,
        height=height,
        left=72,
        legend_rows=legend_rows([modality_label(each) for each in plan.modalities]),
    )
    space = 0.07
    own = (1 - space * (columns - 1)) / columns
    for place, group in enumerate(plan.groups):
        row, column = divmod(place, columns)
        suffix = str(place + 1) if place else ""
        left = column * (own + space)
        top = 1 - (20 + row * (high + gap)) / height
        lowest = place + columns >= n
        axes = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
        figure.update_layout(
            {
                f"xaxis{suffix}": {
                    **AXIS,
                    "domain": [left, min(1.0, left + own)],
                    "anchor": axes["yaxis"],
                    "range": [-4, 104],
                    "tickvals": list(TICKS),
                    "tickangle": 0,
                    "showticklabels": lowest,
                    "ticks": "outside" if lowest else "",
                },
                f"yaxis{suffix}": {
                    **AXIS,
                    "domain": [max(0.0, top - high / height), top],
                    "anchor": axes["xaxis"],
                    "range": plan.span,
                    "tickformat": "~g",
                    "nticks": 6,
                    "showticklabels": not column,
                },
            }
        )
        _note(figure, f"<b>{escaped(shorten(group.name, 25))}</b>", left, top, 9)
        if lowest:  # inwards: the next panel is near
            foot = max(0.0, top - high / height)
            _note(figure, TICKS[0], left, foot, -37)
            _note(figure, TICKS[100], min(1.0, left + own), foot, -37, "right")
        for each in group.curves:
            _series(figure, group, each, axes)
    for modality in plan.modalities:
        figure.add_trace(
            go.Scatter(
                x=[None],
                y=[None],
                mode="lines+markers",
                name=escaped(modality_label(modality)),
                legendgroup=modality,
                **_look(modality),
            )
        )
    common = {"xref": "paper", "yref": "paper", "showarrow": False}
    figure.add_annotation(
        text=escaped(plan.x_label), x=0.5, y=0, yshift=-47, yanchor="top", **common
    )
    figure.add_annotation(
        text=escaped(plan.y_label), x=0, xshift=-64, y=0.5, textangle=-90, xanchor="center",
        **common,
    )  # fmt: skip
    figure.update_layout(
        margin={"b": figure.layout.margin.b + 30}, height=figure.layout.height + 30
    )
    figure.update_layout(legend={"y": -76 / height})
    return figure


def _note(
    figure: "go.Figure", text: str, x: float, y: float, shift: int, side: str = "left"
) -> None:
    """A recommender's name over its panel, or an arm under an end of its axis."""
    figure.add_annotation(
        text=text, x=x, y=y, yshift=shift, xref="paper", yref="paper", xanchor=side,
        yanchor="middle", showarrow=False, font={"size": SMALL_TYPE},
    )  # fmt: skip


def _look(modality: str) -> dict[str, Any]:
    colour = modality_colour(modality)
    return {
        "line": {"color": colour, "width": 2, "dash": MODALITY_DASHES[modality][0]},
        "marker": marker(MODALITY_MARKERS[modality], colour, 7),
    }


def _series(figure: "go.Figure", group: Panel, curve: Curve, axes: dict[str, str]) -> None:
    """Line and band of one modality."""
    import plotly.graph_objects as go

    common = {**axes, "legendgroup": curve.modality, "showlegend": False}
    for run in curve.runs:
        shares = 100 * run[:, 0]
        figure.add_trace(
            go.Scatter(
                x=np.concatenate([shares, shares[::-1]]),
                y=np.concatenate([run[:, 3], run[::-1, 2]]),
                mode="lines",
                line={"width": 0},
                fill="toself",
                fillcolor=faded(modality_colour(curve.modality), 0.2),
                hoverinfo="skip",
                **common,
            )
        )
    hover = [
        "<br>".join(
            map(
                escaped,
                (
                    f"{group.name}, {modality_label(curve.modality)}",
                    f"{percent(share, False)} of the items without it",
                    f"{three(value)}, 95 % interval {interval(low, high)}",
                    subject((count([users], "user", "users"), count([seeds], "seed", "seeds"))),
                ),
            )
        )
        for (share, value, low, high), users, seeds in zip(
            curve.values.tolist(), curve.n_users, curve.seeds, strict=True
        )
    ]
    figure.add_trace(
        go.Scatter(
            x=100 * curve.values[:, 0],
            y=curve.values[:, 1],
            mode="lines+markers",
            hoverinfo="text",
            hovertext=hover,
            **_look(curve.modality),
            **common,
        )
    )


def removal_curve_publication(
    curve: pd.DataFrame,
    metric: str,
    titles: Mapping[str, str] | None = None,
    width: Width = "one",
) -> Any:
    """The missing-modality curves for print: a matplotlib Figure, panels in as many rows as needed.

    Args:
        curve: As for ``removal_curve``, as are all but the last argument.
        metric: See there.
        titles: See there.
        width: ``one`` (3.35 in) or ``two`` columns (7.0 in).

    Raises:
        InputError: As for ``removal_curve``, or there is no such width.
    """
    from matplotlib.lines import Line2D

    plan = lay_out(curve, metric, titles)
    left, right, gap = 0.62, 0.09, 0.14
    n, across = len(plan.groups), page_width(width) - left - right
    fewest, most = (2, 3) if width == "one" else (4, 6)
    head = inches(BODY * LINE) + 0.12
    for columns in range(min(n, fewest), most + 1):
        own = (across - gap * (columns - 1)) / columns
        high = min(1.9, max(0.72, 0.72 * own))
        rows = ceil(n / columns)
        if rows * (head + high) <= TALLEST:
            break
    words = inches(BODY * LINE) + 0.01
    made = sheet(
        width,
        plan.title,
        plan.stands_on,
        plan.description,
        body=rows * (head + high) + words,
        left=left,
        right=right,
        x_label=plan.x_label,
        y_label=plan.y_label,
        handles=[
            Line2D(
                [], [], lw=1.2, color=modality_colour(each), ls=pattern(MODALITY_DASHES[each]),
                label=modality_label(each),
                **mark(MODALITY_MARKERS[each], modality_colour(each), 3.2),
            )
            for each in plan.modalities
        ],
    )  # fmt: skip
    made.axes.remove()
    for place, group in enumerate(plan.groups):
        row, column = divmod(place, columns)
        axes = panel(made, column * (own + gap), row * (head + high) + head, own, high)
        _draw(axes, group)
        axes.set_ylim(*plan.span)
        number_axis(axes.yaxis, high, 0.19)
        # Under the last panel of each column, which need not be in the last row.
        _print_axes(axes, group.name, own, high, ends=place + columns >= n)
        axes.tick_params(axis="y", labelleft=not column)
    return finished(made)


def _draw(axes: Any, group: Panel) -> None:
    """Lines and bands of one recommender."""
    for curve in group.curves:
        colour = modality_colour(curve.modality)
        for run in curve.runs:
            axes.fill_between(
                100 * run[:, 0], run[:, 2], run[:, 3], color=colour, alpha=0.2, lw=0, zorder=1
            )
        axes.plot(
            100 * curve.values[:, 0], curve.values[:, 1], color=colour, lw=1.1, zorder=3,
            ls=pattern(MODALITY_DASHES[curve.modality]), clip_on=False,
            **mark(MODALITY_MARKERS[curve.modality], colour, 3.0),
        )  # fmt: skip


def _print_axes(axes: Any, name: str, own: float, high: float, ends: bool) -> None:
    """The recommender's name over the panel; ticks, and the arms at both ends, under it."""
    axes.set_xlim(-4, 104)
    axes.set_xticks(list(TICKS))
    axes.set_xticklabels(list(map(str, TICKS)))
    axes.grid(color=PAPER_GRID, lw=0.4)
    axes.text(
        0, 1 + 0.035 / high, fit(name, own, BODY, "bold"), transform=axes.transAxes, fontsize=BODY,
        fontweight="bold", va="bottom", ha="left", color=INK,
    )  # fmt: skip
    axes.tick_params(axis="x", labelbottom=ends)
    if not ends:
        return
    under = -(inches(4.5 + BODY * LINE)) / high
    # Inwards: the next panel is near.
    for at, side in ((0, "left"), (1, "right")):
        axes.text(
            at, under, TICKS[100 * at], transform=axes.transAxes, fontsize=BODY, va="top", ha=side,
            color=INK,
        )  # fmt: skip
