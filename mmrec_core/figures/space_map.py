"""Maps: items of a space on a plane, with the names of its regions; one, or two side by side."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mmrec_core.domain import InputError
from mmrec_core.figures.labels import Box
from mmrec_core.figures.map_points import (
    NO_VALUE,
    PLAIN,
    Category,
    Layer,
    MapData,
    Plan,
    lay_out,
)
from mmrec_core.figures.map_print import (
    BETWEEN,
    draw_bar,
    draw_head,
    draw_names,
    draw_points,
    handles,
    head_lines,
    label_boxes,
    map_size,
)
from mmrec_core.figures.palette import CONTROL, DARK_INK, SEQUENTIAL
from mmrec_core.figures.paper import BODY, LINE, PAD, SMALL, Width, finished, inches, panel, sheet
from mmrec_core.figures.screen import AXIS, RULE, SMALL_TYPE, legend_rows, screen
from mmrec_core.figures.words import count, escaped, log_ticks, shorten, subject, three

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_ON_SCREEN = 20_000
_SCREEN_WIDTH, _SCREEN_HEIGHT = 640, 520
"""Pixels of the plot that names of regions are placed for."""
_LABEL_PIXELS, _LABEL_LENGTH = 6.8, 34


def space_map_description(
    maps: MapData | Sequence[MapData],
    colour_label: str = "",
    title: str = "",
    width: Width | None = None,
) -> str:
    """What the map shows in one sentence, with the names of regions that had no room.

    Args:
        maps: As for ``space_map``, as are the next two.
        colour_label: See there.
        title: See there.
        width: Of the print form; None for the screen.

    Raises:
        InputError: As for ``space_map_publication``.
    """
    plan = lay_out(_maps(maps), title, colour_label)
    return plan.description(
        _hidden(_on_screen(plan) if width is None else label_boxes(plan, width))
    )


def space_map(
    maps: MapData | Sequence[MapData], colour_label: str = "", title: str = ""
) -> "go.Figure":
    """Items of one space, or of two side by side, by what colours them; interactive.

    The twelve largest categories (over both maps) have a colour and a shape, the others are grey;
    numbers have a scale of colours. All points are drawn.

    Args:
        maps: One map or two, each a ``MapData``.
        colour_label: What the colours mean, with the unit of numbers.
        title: Of the figure; without one that of the first map.

    Raises:
        InputError: A column is missing, there is nothing to draw, two maps are coloured by
            different kinds of values, or there are more points than a browser draws at once.
    """
    import plotly.graph_objects as go

    plan = lay_out(_maps(maps), title, colour_label)
    if plan.n > MOST_ON_SCREEN:
        raise InputError(
            f"A browser draws up to {MOST_ON_SCREEN:,} points of this figure at once; there are "
            f"{plan.n:,}. Use the print form (PDF, SVG or PNG), which draws all of them, or "
            "choose fewer items."
        )
    boxes = _on_screen(plan)
    names = [shorten(each.label, 30) for each in plan.categories]
    figure = screen(
        plan.title,
        plan.layers[0].subtitle if plan.one else count([plan.n], "item", "items"),
        plan.description(_hidden(boxes)),
        height=_SCREEN_HEIGHT,
        left=8,
        right=90 if plan.ends else 16,
        legend_rows=legend_rows(names, 800) + bool(names and plan.colour_label),
    )
    height = _SCREEN_HEIGHT - (0 if plan.one else 34)
    figure.update_layout(legend={"title": {"text": escaped(plan.colour_label), "side": "top"}})
    bare = {**AXIS, "showgrid": False, "showticklabels": False, "ticks": "", "showline": True,
            "mirror": True, "linewidth": 1, "linecolor": RULE, "automargin": False}  # fmt: skip
    for place, layer in enumerate(plan.layers, 1):
        last = "" if place == 1 else str(place)
        left, right, bottom, top = layer.window(_screen_width(plan), height)
        note = plan.unit_note if place == 1 else ""
        domain = [0, 1] if plan.one else [(0, 0.49), (0.51, 1)][place - 1]
        figure.update_layout(
            {
                f"xaxis{last}": {**bare, "range": [left, right], "domain": domain,
                                 "anchor": f"y{last}", "title": {"text": note}},
                f"yaxis{last}": {**bare, "range": [bottom, top], "scaleanchor": f"x{last}",
                                 "anchor": f"x{last}",
                                 "domain": [0, height / _SCREEN_HEIGHT]},
            }
        )  # fmt: skip
        _points_on_screen(figure, plan, layer, last)
        if not plan.one:
            figure.add_annotation(
                text=f"<b>{escaped(shorten(layer.title, 44))}</b><br>"
                f"{escaped(shorten(layer.subtitle, 64))}",
                xref="paper", x=domain[0], xanchor="left", yref="paper", y=1, yanchor="top",
                align="left", showarrow=False, font={"size": SMALL_TYPE}, yshift=6,
            )  # fmt: skip
        for text, box in zip(layer.texts, boxes[place - 1], strict=True):
            if box is not None:
                figure.add_annotation(
                    text=escaped(shorten(text, _LABEL_LENGTH)), showarrow=False,
                    xref=f"x{last}", yref=f"y{last}",
                    x=left + (box[0] + box[2]) / 2 / _screen_width(plan) * (right - left),
                    y=bottom + (box[1] + box[3]) / 2 / height * (top - bottom),
                    font={"size": SMALL_TYPE, "color": DARK_INK}, borderpad=1,
                    bgcolor="rgba(255,255,255,0.82)",
                )  # fmt: skip
    for each, name in zip(plan.categories, names, strict=True):
        figure.add_trace(
            go.Scatter(x=[None], y=[None], mode="markers", name=escaped(name),
                       legendgroup=str(each.code), marker=_look(each, 10))
        )  # fmt: skip
    return figure


def _maps(maps: MapData | Sequence[MapData]) -> list[MapData]:
    return [maps] if isinstance(maps, MapData) else list(maps)


def _hidden(boxes: Sequence[Sequence[Box | None]]) -> list[int]:
    return [sum(box is None for box in each) for each in boxes]


def _screen_width(plan: Plan) -> float:
    return _SCREEN_WIDTH if plan.one else 0.49 * 1.3 * _SCREEN_WIDTH


def _on_screen(plan: Plan) -> list[list[Box | None]]:
    """Places of the regions' names in pixels, on a page of usual width."""
    height = _SCREEN_HEIGHT - (0 if plan.one else 34)
    return [
        layer.placed(
            _screen_width(plan),
            height,
            [(_LABEL_PIXELS * min(len(text), _LABEL_LENGTH) + 6, 18) for text in layer.texts],
        )
        for layer in plan.layers
    ]


def _look(each: Category, size: float) -> dict[str, Any]:
    symbol = each.marker.plotly
    # A grey edge keeps dark colours visible on a dark page.
    line = {"width": 1} if symbol.endswith("open") else {"width": 0.6, "color": RULE}
    return {"color": each.colour, "size": size, "symbol": symbol, "line": line}


def _points_on_screen(figure: "go.Figure", plan: Plan, layer: Layer, last: str) -> None:
    """A trace for each category, or for the numbers and for those without one."""
    import plotly.graph_objects as go

    size = float(np.clip(60 / np.sqrt(max(plan.n, 1)) + 2.4, 3, 10))
    common = {"mode": "markers", "xaxis": f"x{last}", "yaxis": f"y{last}", "showlegend": False}
    x, y = layer.places.T
    if plan.categories:
        for each in sorted(plan.categories, key=lambda each: each.code):
            own = layer.codes == each.code
            figure.add_trace(
                go.Scattergl(
                    x=x[own], y=y[own], marker=_look(each, size), opacity=0.8, hoverinfo="text",
                    hovertext=escaped(each.name), legendgroup=str(each.code), **common,
                )
            )  # fmt: skip
        return
    valued = layer.codes != NO_VALUE
    if not valued.all():
        figure.add_trace(
            go.Scattergl(x=x[~valued], y=y[~valued], opacity=0.6, hoverinfo="text",
                         hovertext="no value", marker={"color": CONTROL, "size": size}, **common)
        )  # fmt: skip
    marker: dict[str, Any] = {"size": size, "color": PLAIN}
    if plan.ends:
        step = len(SEQUENTIAL) - 1
        ends = [float(plan.powers(np.array(end))) for end in plan.ends]
        ticks: dict[str, Any] = {}
        if plan.logarithmic:
            numbers = log_ticks(*plan.ends, 7)
            ticks = {"tickvals": np.log10(numbers), "ticktext": [f"{x:,.9g}" for x in numbers]}
        marker |= {
            "color": plan.powers(layer.values[valued]),
            "cmin": ends[0],
            "cmax": ends[1],
            "colorscale": [[place / step, colour] for place, colour in enumerate(SEQUENTIAL)],
            "showscale": last == "",
            "colorbar": {
                "title": {"text": escaped(shorten(plan.bar_label, 50)), "side": "right"},
                "thickness": 12,
                "x": 1,
                **ticks,
            },
        }
    texts = [three(value) for value in layer.values[valued]] if plan.ends else None
    figure.add_trace(
        go.Scattergl(x=x[valued], y=y[valued], marker=marker, opacity=0.8, hovertext=texts,
                     hoverinfo="text" if texts else "skip", **common)
    )  # fmt: skip


def space_map_publication(
    maps: MapData | Sequence[MapData],
    colour_label: str = "",
    title: str = "",
    width: Width = "one",
) -> Any:
    """The map for print: a matplotlib Figure; points are dots of 1/300 in, all text stays text.

    Two maps stand beside each other two columns wide, and one over the other in one column.

    Args:
        maps: As for ``space_map``, as are all but the last argument; as many points as there are.
        colour_label: See there.
        title: See there.
        width: ``one`` (3.35 in) or ``two`` columns (7.0 in).

    Raises:
        InputError: As for ``space_map``, or there is no such width.
    """
    plan = lay_out(_maps(maps), title, colour_label)
    boxes = label_boxes(plan, width)
    across, height = map_size(plan, width)
    heads = [head_lines(layer, across) if not plan.one else ([], []) for layer in plan.layers]
    above = max(inches(LINE * (BODY * len(a) + SMALL * len(b))) + 0.04 for a, b in heads)
    above = 0.0 if plan.one else above
    stacked = not plan.one and width == "one"
    down = (above + height + 0.08) * (len(plan.layers) if stacked else 1)
    hidden = sum(_hidden(boxes))
    note = f"{hidden} of {sum(map(len, boxes))} region labels had no room" if hidden else ""
    bar = 0.27 if plan.ends else 0.0
    made = sheet(
        width,
        plan.title,
        subject((plan.layers[0].subtitle if plan.one else "", plan.colours, plan.unit_note, note)),
        plan.description(_hidden(boxes)),
        body=down + bar - (0.14 if not plan.ends else 0),
        left=PAD,
        right=PAD,
        handles=handles(plan, 1.25 if width == "one" else 1.9),
    )
    made.axes.remove()
    for place, layer in enumerate(plan.layers):
        left = 0.0 if stacked else place * (across + BETWEEN)
        top = above + (place * (above + height + 0.08) if stacked else 0)
        axes = panel(made, left, top, across, height)
        draw_head(axes, heads[place], height)
        draw_points(axes, plan, layer, (across, height))
        draw_names(axes, layer, boxes[place], (across, height))
    if plan.ends:
        draw_bar(made, plan, down + 0.03)
    return finished(made)
