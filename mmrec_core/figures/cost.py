"""Cost: how good each recommender and setting is, against the time and memory that it takes."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pandas as pd

from mmrec_core.figures.cost_points import Plan, Point, lay_out
from mmrec_core.figures.labels import Box, leader, place_labels
from mmrec_core.figures.palette import DARK_INK, SERIES_MARKERS
from mmrec_core.figures.paper import GRID as PAPER_GRID
from mmrec_core.figures.paper import (
    INK,
    LINE,
    QUIET,
    SMALL,
    WIDTHS,
    Width,
    finished,
    inches,
    number_axis,
    sheet,
    text_width,
    tick,
)
from mmrec_core.figures.screen import RULE, legend_rows, screen
from mmrec_core.figures.words import escaped, shorten

if TYPE_CHECKING:
    import plotly.graph_objects as go

_FRONT = "Pareto front: no other point is both cheaper and better"
_FRONT_ON_SCREEN = "Pareto front"  # plotly makes all entries of a legend as wide as the widest
_LEFT, _RIGHT = 0.62, 0.12
_HALF = 0.04
"""Inches from a marker's centre to its edge."""
_GAP = 0.075


def cost_plot_description(
    cost: pd.DataFrame, metric: str, axis: str, titles: Mapping[str, str] | None = None
) -> str:
    """What the plot of the same arguments shows, in one sentence, with users and seeds."""
    return lay_out(cost, metric, axis, titles).description


def cost_plot(
    cost: pd.DataFrame, metric: str, axis: str, titles: Mapping[str, str] | None = None
) -> "go.Figure":
    """Metric with its 95 % interval against a cost, and the Pareto front; interactive.

    The axis of costs is logarithmic; costs of 0 stand apart at its left.

    Args:
        cost: One row a recommender and setting: setting (a name, such as
            ``efficientnet-lite0+minilm``), recommender, value, low, high (the metric with its
            95 % interval), extract_seconds, train_seconds (of one training), memory_mib, width
            (numbers an item), n_users, seeds, reference (True: reads no content, so that nothing
            is extracted). NaN where there is no value.
        metric: Which metric the values are, such as ``recall@20``.
        axis: ``seconds`` (extraction and one training), ``train_seconds``, ``extract_seconds``,
            ``memory_mib`` or ``width``.
        titles: Name of a recommender -> how it is shown.

    Raises:
        InputError: A column is missing, a value makes no sense, or there is nothing to draw.
    """
    import plotly.graph_objects as go

    plan = lay_out(cost, metric, axis, titles)
    names = _recommenders(plan)
    keys = [shorten(name, 40) for name in names]
    figure = screen(
        plan.title,
        plan.stands_on,
        plan.description,
        height=360,
        legend_rows=legend_rows([*keys, _FRONT_ON_SCREEN], 800),
    )
    x, y = plan.steps
    figure.add_trace(
        go.Scatter(
            x=x, y=y, mode="lines", name=_FRONT_ON_SCREEN, line={"color": RULE, "width": 1.4},
            hoverinfo="skip",
        )
    )  # fmt: skip
    for name, key in zip(names, keys, strict=True):
        own = [point for point in plan.points if point.recommender == name]
        shape = own[0].marker
        figure.add_trace(
            go.Scatter(
                x=[point.x for point in own],
                y=[point.value for point in own],
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [point.whiskers[1] for point in own],
                    "arrayminus": [point.whiskers[0] for point in own],
                    "color": own[0].colour,
                    "thickness": 1.4,
                    "width": 3,
                },
                mode="markers",
                marker={
                    "color": [point.colour for point in own],
                    "size": 10,
                    "symbol": shape.plotly + "-open" * shape.hollow,
                    "line": {"width": 1.8 if shape.hollow else 0},
                },
                name=escaped(key),
                hoverinfo="text",
                hovertext=["<br>".join(map(escaped, point.hover)) for point in own],
            )
        )
    if plan.edge is not None:
        figure.add_vline(x=plan.edge, line={"color": RULE, "width": 1, "dash": "dot"})
    places, costs = plan.ticks(9)
    figure.update_xaxes(
        title_text=escaped(plan.x_label),
        range=list(plan.ends),
        tickvals=places,
        ticktext=[_cost(each) for each in costs],
    )
    figure.update_yaxes(title_text=escaped(plan.y_label), tickformat="~g")
    return figure


def _recommenders(plan: Plan) -> list[str]:
    return list(dict.fromkeys(point.recommender for point in plan.points))


def _cost(value: float) -> str:
    """A tick: round numbers, thousands apart."""
    return tick(value) if value >= 10 or value == round(value) else f"{value:g}"


def cost_plot_publication(
    cost: pd.DataFrame,
    metric: str,
    axis: str,
    titles: Mapping[str, str] | None = None,
    width: Width = "one",
) -> Any:
    """The costs for print: a matplotlib Figure with a name beside each point.

    Where the names have no room, the points are numbered and named under the plot.

    Args:
        cost: As for ``cost_plot``, as are all but the last argument.
        metric: See there.
        axis: See there.
        titles: See there.
        width: ``one`` (3.35 in) or ``two`` columns (7.0 in).

    Raises:
        InputError: As for ``cost_plot``, or there is no such width.
    """
    from matplotlib.lines import Line2D

    plan = lay_out(cost, metric, axis, titles)
    body, across = (2.1 if width == "one" else 2.7), WIDTHS.get(width, 7.0) - _LEFT - _RIGHT
    low, high = _span(plan)
    numbered, words, boxes, body = _labels(plan, across, body)
    made = sheet(
        width,
        plan.title,
        plan.stands_on,
        plan.description,
        body=body,
        left=_LEFT,
        right=_RIGHT,
        x_label=plan.x_label,
        y_label=plan.y_label,
        handles=[
            *_handles(plan, words if numbered else None),
            Line2D([], [], color=QUIET, lw=0.7, label=_FRONT),
        ],
    )
    axes = made.axes
    axes.set_xlim(*plan.ends)
    axes.set_ylim(low, high)
    axes.plot(*plan.steps, color=QUIET, lw=0.7, zorder=2)
    if plan.edge is not None:
        axes.axvline(plan.edge, color=QUIET, lw=0.6, ls=(0, (1, 2)), zorder=1)
    for point in plan.points:
        axes.errorbar(
            point.x,
            point.value,
            yerr=[[each] for each in point.whiskers],
            color=point.colour,
            elinewidth=0.8,
            capsize=1.4,
            capthick=0.7,
            zorder=3,
            **_shape(point),
        )
    for point, text, box in zip(plan.points, words, boxes, strict=True):
        _write(axes, plan, point, text, box, (across, body))
    places, costs = plan.ticks(across / 0.45)
    axes.set_xticks(places)
    axes.set_xticklabels([_cost(each) for each in costs])
    number_axis(axes.yaxis, body, 0.3)
    axes.grid(color=PAPER_GRID, lw=0.4)
    return finished(made)


def _span(plan: Plan) -> tuple[float, float]:
    """Ends of the y axis, with room over the uppermost interval for a name."""
    lows = [point.value - point.whiskers[0] for point in plan.points]
    highs = [point.value + point.whiskers[1] for point in plan.points]
    room = 0.1 * (max(highs) - min(lows)) or 0.1 * abs(highs[0]) or 0.1
    return min(lows) - room, max(highs) + room


def _labels(plan: Plan, across: float, body: float) -> tuple[bool, list[str], list[Box], float]:
    """Whether numbers stand for names; text and place of each label; the axes' height.

    Places are in inches from the axes' lower left corner.
    """
    choices = [[point.name for point in plan.points]]
    if len(_recommenders(plan)) <= len(SERIES_MARKERS):
        choices.append([point.short for point in plan.points])
    for rings in (2, 7):
        for words in choices:
            if boxes := _place(plan, words, across, body, rings, True):
                return False, words, boxes, body
    words = [str(place) for place in range(1, len(plan.points) + 1)]
    for strict in (True, False):
        if boxes := _place(plan, words, across, body, 8, strict):
            return True, words, boxes, body
    rings = 8
    while not (boxes := _place(plan, words, across, body, rings, False, leads_free=True)):
        # The same points with more room between them, and names further away: this ends.
        body, rings = body + 0.7, rings + 8
    return True, words, boxes, body


def _place(
    plan: Plan,
    words: Sequence[str],
    across: float,
    body: float,
    rings: int,
    strict: bool,
    leads_free: bool = False,
) -> list[Box] | None:
    """Places of labels; ``strict`` ones keep off whiskers and the front's line as well."""
    points = [_inches(plan, point.x, point.value, across, body) for point in plan.points]
    sizes = [(text_width(text, SMALL) + 0.02, inches(SMALL * LINE)) for text in words]
    taken: list[Box] = []
    if strict:
        for point, (x, _) in zip(plan.points, points, strict=True):
            ends = [
                _inches(plan, point.x, point.value + each, across, body)[1]
                for each in (-point.whiskers[0], point.whiskers[1])
            ]
            taken.append((x - 0.02, min(ends), x + 0.02, max(ends)))
        corners = [_inches(plan, x, y, across, body) for x, y in zip(*plan.steps, strict=True)]
        for (x0, y0), (x1, y1) in pairwise(corners):
            taken.append((x0 - 0.005, min(y0, y1) - 0.005, x1 + 0.005, max(y0, y1) + 0.005))
        if plan.edge is not None:
            x = _inches(plan, plan.edge, plan.points[0].value, across, body)[0]
            taken.append((x - 0.01, 0, x + 0.01, body))
    return place_labels(
        points, sizes, (0.02, 0.02, across, body), _GAP, _HALF, taken, rings, leads_free
    )


def _inches(plan: Plan, x: float, y: float, across: float, body: float) -> tuple[float, float]:
    """A place on the plot in inches from the axes' lower left corner."""
    (left, right), (low, high) = plan.ends, _span(plan)
    return (x - left) / (right - left) * across, (y - low) / (high - low) * body


def _write(
    axes: Any, plan: Plan, point: Point, text: str, box: Box, size: tuple[float, float]
) -> None:
    """A label in its box, and a thin line to its point where it stands away from it."""
    across, body = size
    x, y = _inches(plan, point.x, point.value, across, body)
    lead = leader(box, x, y, _GAP)
    if lead:
        axes.plot(
            [lead[0] / across, lead[2] / across], [lead[1] / body, lead[3] / body],
            transform=axes.transAxes, color=QUIET, lw=0.35, zorder=2.5,
        )  # fmt: skip
    axes.text(
        (box[0] + 0.01) / across, (box[1] + box[3]) / 2 / body, text, transform=axes.transAxes,
        fontsize=SMALL, ha="left", va="center_baseline", color=INK, zorder=4,
    )  # fmt: skip


def _handles(plan: Plan, numbers: Sequence[str] | None) -> list[Any]:
    """Legend entries: every point by its number, or recommenders by shape."""
    from matplotlib.lines import Line2D

    if numbers:
        return [
            Line2D([], [], color="none", label=f"{text}  {point.name}", **_shape(point))
            for text, point in zip(numbers, plan.points, strict=True)
        ]
    first = {point.recommender: point for point in reversed(plan.points)}
    return [
        Line2D([], [], color="none", label=name, **_shape(first[name]))
        for name in _recommenders(plan)
    ]


def _shape(point: Point) -> dict[str, Any]:
    """A recommender's marker in matplotlib's words."""
    hollow = point.marker.hollow
    return {
        "marker": point.marker.matplotlib,
        "markersize": 4.2,
        "markerfacecolor": "white" if hollow else point.colour,
        "markeredgecolor": point.colour if hollow else DARK_INK,
        "markeredgewidth": 0.9 if hollow else 0.35,
    }
