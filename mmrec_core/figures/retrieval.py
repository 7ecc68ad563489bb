"""Cross-modal retrieval: how often an item's text finds its picture, and its picture its text."""

from collections.abc import Mapping
from math import log10
from typing import TYPE_CHECKING, Any

import pandas as pd

from mmrec_core.figures.paper import (
    BODY,
    INK,
    LINE,
    QUIET,
    SMALL,
    TICKS,
    Sheet,
    Width,
    finished,
    fit,
    inches,
    log_axis,
    mark,
    number_axis,
    panels,
    sheet,
)
from mmrec_core.figures.paper import GRID as PAPER_GRID
from mmrec_core.figures.retrieval_points import Plan, Point, lay_out
from mmrec_core.figures.screen import AXIS, RULE, legend_rows, marker, screen
from mmrec_core.figures.words import escaped, log_ticks, shorten

if TYPE_CHECKING:
    import plotly.graph_objects as go


def retrieval_bars_description(
    table: pd.DataFrame,
    titles: Mapping[str, str] | None = None,
    *,
    chance: str = "chance",
    space: str = "",
) -> str:
    """What the plot of the same arguments shows, in one sentence, with the number of items."""
    return lay_out(table, titles, chance, space).description


def retrieval_bars(
    table: pd.DataFrame,
    titles: Mapping[str, str] | None = None,
    *,
    chance: str = "chance",
    space: str = "",
) -> "go.Figure":
    """Recall of every method at every k, a panel for each direction; interactive.

    Chance is a dash across its group. Where it is below 1 %, the axis goes by powers of ten.

    Args:
        table: One row a method, direction and k: method, direction (such as ``image to text``),
            k, recall (0 to 1; NaN where there is none), n (items), and, where they are known,
            low, high (95 % interval).
        titles: Method -> how it is shown.
        chance: Which method is chance.
        space: What was searched, for the title.

    Raises:
        InputError: A column is missing, a row is there twice, a recall makes no sense, there are
            too many methods, or there is nothing to draw.
    """
    import plotly.graph_objects as go

    plan = lay_out(table, titles, chance, space)
    names = [shorten(name, 30) for name in plan.looks]
    labels = [*names, *(["chance"] if plan.chance else [])]
    figure = screen(
        plan.title, plan.stands_on, plan.description, height=320, legend_rows=legend_rows(labels)
    )
    number_of = len(plan.directions)
    # Room for the names of the panels.
    figure.update_layout(margin={"t": 96}, height=figure.layout.height + 22)
    for place, direction in enumerate(plan.directions, 1):
        last = "" if place == 1 else str(place)
        width = (1 - 0.06 * (number_of - 1)) / number_of
        start = (place - 1) * (width + 0.06)
        axis = figure.layout.xaxis.to_plotly_json() | {
            "domain": [start, start + width], "anchor": f"y{last}", "showgrid": False,
            "range": [-0.5, len(plan.ks) - 0.5], "tickvals": list(range(len(plan.ks))),
            "ticktext": [str(k) for k in plan.ks], "title": AXIS["title"] | {"text": "k"},
        }  # fmt: skip
        low, high = plan.ends
        scale: dict[str, Any] = {"range": [low, high], "tickformat": "~g"}
        if plan.floor:
            scale = {"type": "log", "range": [log10(low), log10(high)],
                     "tickvals": log_ticks(low, high, 7)}  # fmt: skip
            scale["ticktext"] = [f"{each:,.6g}" for each in scale["tickvals"]]
        figure.update_layout(
            {
                f"xaxis{last}": axis,
                f"yaxis{last}": figure.layout.yaxis.to_plotly_json()
                | {"anchor": f"x{last}", "showticklabels": place == 1} | scale,
            }
        )  # fmt: skip
        figure.add_annotation(
            text=f"<b>{escaped(shorten(direction, 40))}</b>", xref="paper", x=start,
            xanchor="left", yref="paper", y=1, yanchor="bottom", showarrow=False,
        )  # fmt: skip
        common = {"xaxis": f"x{last}", "yaxis": f"y{last}", "hoverinfo": "text"}
        dashes = [point for point in plan.chance if point.direction == direction]
        if dashes:
            figure.add_trace(
                go.Scatter(
                    x=[x for p in dashes for x in (p.x - 0.4, p.x, p.x + 0.4, None)],
                    y=[y for p in dashes for y in (*[plan.height(p.recall)] * 3, None)],
                    hovertext=[t for p in dashes for t in (*["<br>".join(map(escaped, p.hover))]
                                                           * 3, "")],
                    mode="lines", line={"color": RULE, "width": 2, "dash": "dot"}, name="chance",
                    legendgroup="chance", showlegend=place == 1, **common,
                )
            )  # fmt: skip
        for name, label in zip(plan.looks, names, strict=True):
            colour, shape = plan.looks[name]
            own = [p for p in plan.points if p.direction == direction and p.method == name]
            figure.add_trace(
                go.Scatter(
                    x=[p.x for p in own], y=[plan.height(p.recall) for p in own], mode="markers",
                    marker=marker(shape, colour, 11), name=escaped(label), legendgroup=name,
                    showlegend=place == 1, error_y=_whiskers(plan, own, colour),
                    hovertext=["<br>".join(map(escaped, p.hover)) for p in own], **common,
                )
            )  # fmt: skip
    figure.update_layout(yaxis={"title": {"text": escaped(plan.y_label)}})
    return figure


def _whiskers(plan: Plan, own: list[Point], colour: str) -> dict[str, Any]:
    ends = [plan.reach(point) for point in own]
    return {
        "type": "data", "symmetric": False, "arrayminus": [low for low, _ in ends],
        "array": [high for _, high in ends], "color": colour, "thickness": 1.4, "width": 3,
        "visible": plan.intervals,
    }  # fmt: skip


def retrieval_bars_publication(
    table: pd.DataFrame,
    titles: Mapping[str, str] | None = None,
    width: Width = "one",
    *,
    chance: str = "chance",
    space: str = "",
) -> Any:
    """The retrieval for print: a matplotlib Figure.

    Args:
        table: As for ``retrieval_bars``, as are all but ``width``.
        titles: See there.
        width: ``one`` (3.35 in) or ``two`` columns (7.0 in).
        chance: See there.
        space: See there.

    Raises:
        InputError: As for ``retrieval_bars``, or there is no such width.
    """
    from matplotlib.lines import Line2D

    plan = lay_out(table, titles, chance, space)
    most = 1.3 if width == "one" else 2.0
    handles = [
        Line2D([], [], ls="none", label=fit(name, most, SMALL), **mark(shape, colour, 4.2))
        for name, (colour, shape) in plan.looks.items()
    ]
    if plan.chance:
        handles.append(Line2D([], [], color=QUIET, lw=1, ls=(0, (1, 1.2)), label="chance"))
    above = inches(BODY * LINE) + 0.05
    rows = -(-len(plan.directions) // 2)
    below = TICKS + 0.1
    made = sheet(
        width,
        plan.title,
        plan.stands_on,
        plan.description,
        body=rows * (above + (1.4 if width == "one" else 1.9)) + (rows - 1) * below,
        left=0.55,
        x_label=plan.x_label,
        y_label=plan.y_label,
        handles=handles,
    )
    cut = panels(
        made, len(plan.directions), min(2, len(plan.directions)), above=above, below=below,
        between=0.14,
    )  # fmt: skip
    for place, (panel, direction) in enumerate(zip(cut, plan.directions, strict=True)):
        _panel(panel, plan, direction, place % 2 == 0)
    return finished(made)


def _panel(panel: Sheet, plan: Plan, direction: str, first: bool) -> None:
    """Points and dashes of one direction."""
    axes = panel.axes
    for p in plan.chance:
        if p.direction == direction:
            axes.plot([p.x - 0.4, p.x + 0.4], [plan.height(p.recall)] * 2, color=QUIET, lw=1,
                      ls=(0, (1, 1.2)), zorder=2)  # fmt: skip
    for p in plan.points:
        if p.direction == direction:
            colour, shape = plan.looks[p.method]
            below, over = plan.reach(p)
            axes.errorbar(
                p.x, plan.height(p.recall), yerr=[[below], [over]], color=colour, elinewidth=0.8,
                capsize=1.4 if over else 0, capthick=0.7, zorder=3, **mark(shape, colour, 4.2),
            )  # fmt: skip
    if plan.floor:
        axes.set_yscale("log")
    axes.set_xlim(-0.5, len(plan.ks) - 0.5)
    axes.set_ylim(*plan.ends)
    axes.set_xticks(range(len(plan.ks)))
    axes.set_xticklabels([str(k) for k in plan.ks])
    if plan.floor:
        log_axis(axes.yaxis, panel.axes_height, 0.2)
    else:
        number_axis(axes.yaxis, panel.axes_height, 0.2)
    if not first:
        axes.tick_params(axis="y", labelleft=False)
    axes.grid(axis="y", color=PAPER_GRID, lw=0.4)
    axes.text(
        0, 1 + 0.04 / panel.axes_height, fit(direction, panel.axes_width, BODY, "bold"),
        transform=axes.transAxes, fontsize=BODY, fontweight="bold", va="bottom", ha="left",
        color=INK,
    )  # fmt: skip
