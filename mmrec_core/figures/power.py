"""Power: the chance that a comparison is decided with more seeds or with more users."""

from collections.abc import Mapping
from math import isfinite, log10
from typing import TYPE_CHECKING, Any

import pandas as pd

from mmrec_core.figures.palette import COLLABORATIVE
from mmrec_core.figures.paper import (
    BODY,
    INK,
    LINE,
    PAD,
    QUIET,
    SMALL,
    TICKS,
    WIDTHS,
    Sheet,
    Width,
    finished,
    fit,
    inches,
    log_axis,
    number_axis,
    panels,
    pattern,
    sheet,
    text_width,
)
from mmrec_core.figures.paper import GRID as PAPER_GRID
from mmrec_core.figures.power_lines import ENOUGH, Line, Plan, lay_out
from mmrec_core.figures.screen import RULE, faded, legend_rows, screen
from mmrec_core.figures.words import escaped, log_ticks, shorten

if TYPE_CHECKING:
    import plotly.graph_objects as go

_FILLS = {"image": "full", "text": "none", "joint": "left", "all": "bottom"}
"""Modality -> how much of a marker is filled in print: grey tells few colours apart."""


def power_curve_description(power: pd.DataFrame, titles: Mapping[str, str] | None = None) -> str:
    """What the plot of the same arguments shows, in one sentence, with seeds and users."""
    return lay_out(power, titles).description


def power_curve(power: pd.DataFrame, titles: Mapping[str, str] | None = None) -> "go.Figure":
    """Chance of a decision by number of seeds and of users, a line each comparison; interactive.

    Colour by modality, dash by comparison, marker (the study as it is) by recommender. Of more
    than eight comparisons, those nearest to a decision are named and the others are grey.

    Args:
        power: One row a comparison and size: recommender, modality, kind, axis (``seeds`` or
            ``users``), n (how many), power (0 to 1: chance of a decision if the effect is as it
            was measured; NaN where unknown), now (True on the one row of each axis that is the
            study's own size), test (``difference`` or ``equality``: what is to be shown), needed
            (n at which power reaches 0.8; NaN: out of reach), metric, delta (relative margin of
            equality).
        titles: Name of a recommender -> how it is shown.

    Raises:
        InputError: A column is missing, a value makes no sense, or there is nothing to draw.
    """
    import plotly.graph_objects as go

    plan = lay_out(power, titles)
    labels = [shorten(line.recommender, 24) + line.tail for line in plan.named]
    every = [*labels, *([plan.others] if plan.others else [])]
    figure = screen(
        plan.title,
        plan.stands_on,
        plan.description,
        height=320,
        legend_rows=legend_rows(every, 800),
    )
    if len(plan.axes) > 1:
        figure.update_layout(xaxis2=figure.layout.xaxis, yaxis2=figure.layout.yaxis)
        figure.update_layout(
            xaxis={"domain": [0, 0.46]},
            xaxis2={"domain": [0.54, 1], "anchor": "y2"},
            yaxis2={"anchor": "x2", "matches": "y"},
        )
    # Grey lines first: the named ones lie on them.
    for line in sorted(plan.lines, key=lambda line: line.named):
        group = f"line {plan.lines.index(line)}" if line.named else "others"
        for place, axis in enumerate(plan.axes, 1):
            _draw_on_screen(figure, line, axis, place, group)
    for line, label in zip(plan.named, labels, strict=True):
        figure.add_trace(
            go.Scatter(
                x=[None], y=[None], mode="lines+markers", name=escaped(label), line=_stroke(line),
                marker=_dot(line), legendgroup=f"line {plan.lines.index(line)}",
            )
        )  # fmt: skip
    if plan.others:
        figure.add_trace(
            go.Scatter(
                x=[None], y=[None], mode="lines", name=escaped(plan.others), legendgroup="others",
                line={"color": faded(COLLABORATIVE, 0.6), "width": 1.2},
            )
        )  # fmt: skip
    enough = {"type": "line", "x0": 0, "x1": 1, "y0": 100 * ENOUGH, "y1": 100 * ENOUGH}
    figure.update_layout(
        shapes=[
            {**enough, "xref": f"{x} domain", "yref": y, "line": {"color": RULE, "width": 1.2}}
            for x, y in (("x", "y"), ("x2", "y2"))[: len(plan.axes)]
        ]
    )
    figure.update_yaxes(range=[-3, 103], tickvals=list(range(0, 101, 20)))
    figure.update_layout(yaxis={"title": {"text": escaped(plan.y_label)}})
    for place, axis in enumerate(plan.axes, 1):
        sizes = [size for line in plan.lines for size in _sizes(line, axis)]
        ticks: dict[str, Any] = {"tickformat": ",~g"}
        if axis == "users":
            low, high = 0.9 * min(sizes), 1.1 * max(sizes)
            ticks |= {
                "type": "log",
                "range": [log10(low), log10(high)],
                "tickvals": log_ticks(low, high, 6),
            }
        title = {"text": escaped(plan.x_label(axis))}
        figure.update_layout({f"xaxis{place}": {"title": title, **ticks}})
    return figure


def _sizes(line: Line, axis: str) -> list[float]:
    return line.curves[axis].sizes.tolist() if axis in line.curves else []


def _stroke(line: Line) -> dict[str, Any]:
    return {"color": line.colour, "width": 2.4, "dash": line.dash[0]}


def _dot(line: Line) -> dict[str, Any]:
    symbol = line.marker.plotly + "-open" * (_FILLS.get(line.modality) == "none")
    return {"color": line.colour, "size": 11, "symbol": symbol, "line": {"width": 1.6}}


def _draw_on_screen(figure: "go.Figure", line: Line, axis: str, place: int, group: str) -> None:
    """A line and, on it, the study as it is."""
    import plotly.graph_objects as go

    if axis not in line.curves:
        return
    curve = line.curves[axis]
    grey = faded(COLLABORATIVE, 0.6)
    quiet = {"color": grey, "width": 1.2}, {"color": grey, "size": 6, "symbol": "circle"}
    stroke, dot = (_stroke(line), _dot(line)) if line.named else quiet
    here = [(curve.now, curve.chance)] if isfinite(curve.chance) else []
    for mode, points, style in (
        ("lines", list(zip(curve.sizes.tolist(), curve.chances.tolist(), strict=True)), stroke),
        ("markers", here, dot),
    ):
        figure.add_trace(
            go.Scatter(
                x=[size for size, _ in points],
                y=[100 * chance for _, chance in points],
                mode=mode,
                xaxis=f"x{place}",
                yaxis=f"y{place}",
                hoverinfo="text",
                hovertext=[
                    "<br>".join(map(escaped, line.hover(axis, round(size), chance)))
                    for size, chance in points
                ],
                legendgroup=group,
                showlegend=False,
                **({"line": style} if mode == "lines" else {"marker": style}),
            )
        )


def power_curve_publication(
    power: pd.DataFrame, titles: Mapping[str, str] | None = None, width: Width = "one"
) -> Any:
    """The chances for print: a matplotlib Figure; one column wide, its panels are stacked.

    Args:
        power: As for ``power_curve``.
        titles: See there.
        width: ``one`` (3.35 in) or ``two`` columns (7.0 in).

    Raises:
        InputError: As for ``power_curve``, or there is no such width.
    """
    from matplotlib.lines import Line2D

    plan = lay_out(power, titles)
    room = WIDTHS.get(width, 0) - 2 * PAD - 0.42
    handles = [
        Line2D([], [], label=_label(line, room), **_drawn(line) | _marked(line))
        for line in plan.named
    ]
    if plan.others:
        handles.append(Line2D([], [], label=plan.others, color=COLLABORATIVE, lw=0.6))
    columns = min(len(plan.axes), 2) if width == "two" else 1
    rows = -(-len(plan.axes) // columns)
    label = inches(BODY * LINE) + 0.03
    below = TICKS + label + 0.1
    made = sheet(
        width,
        plan.title,
        plan.stands_on,
        plan.description,
        body=rows * (1.5 if width == "one" else 2.1) + (rows - 1) * below + label,
        left=0.5,
        y_label=plan.y_label,
        handles=handles,
    )
    cut = panels(made, len(plan.axes), columns, above=0.0, below=below, between=0.38, under=label)
    for panel, axis in zip(cut, plan.axes, strict=True):
        _panel(panel, plan, axis)
    return finished(made)


def _panel(panel: Sheet, plan: Plan, axis: str) -> None:
    """Lines and axes of one panel."""
    axes = panel.axes
    axes.axhline(100 * ENOUGH, color=QUIET, lw=0.6, zorder=1)
    for line in plan.lines:
        if axis not in line.curves:
            continue
        curve, above = line.curves[axis], 3 if line.named else 2
        axes.plot(curve.sizes, 100 * curve.chances, **_drawn(line), zorder=above)
        if isfinite(curve.chance):
            axes.plot(curve.now, 100 * curve.chance, **_marked(line), ls="none", zorder=above + 2)
    axes.set_ylim(-3, 103)
    axes.set_yticks(range(0, 101, 20))
    if axis == "users":
        axes.set_xscale("log")
    axes.margins(x=0.04)
    axes.autoscale_view(scaley=False)
    if axis == "users":
        log_axis(axes.xaxis, panel.axes_width)
    else:
        number_axis(axes.xaxis, panel.axes_width, whole=True)
    axes.grid(color=PAPER_GRID, lw=0.4)
    axes.text(
        0.5, -TICKS / panel.axes_height, fit(plan.x_label(axis), panel.axes_width, BODY),
        transform=axes.transAxes, fontsize=BODY, va="top", ha="center", color=INK,
    )  # fmt: skip


def _label(line: Line, room: float) -> str:
    """Legend entry: where it is too long, the recommender's name gives way."""
    own = max(room - text_width(line.tail, SMALL), 0.4)
    return fit(line.recommender, own, SMALL) + line.tail


def _drawn(line: Line) -> dict[str, Any]:
    if not line.named:
        return {"color": COLLABORATIVE, "lw": 0.5, "alpha": 0.7}
    return {"color": line.colour, "lw": 1.2, "ls": pattern(line.dash)}


def _marked(line: Line) -> dict[str, Any]:
    if not line.named:
        return {"color": COLLABORATIVE, "marker": "o", "markersize": 1.8}
    return {
        "color": line.colour,
        "marker": line.marker.matplotlib,
        "markersize": 6.2 if line.marker.matplotlib == "*" else 4.6,
        "fillstyle": _FILLS.get(line.modality, "full"),
        "markerfacecoloralt": "white",
        "markeredgecolor": INK,
        "markeredgewidth": 0.5,
    }
