"""Faithfulness of explanations: deletion and insertion curves beside those of other orders."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mmrec_core.figures.faithfulness_curves import (
    DRAWN_ORDER,
    HEADS,
    KINDS,
    LOOKS,
    X_LABELS,
    Y_LABEL,
    Curve,
    Panel,
    lay_out,
)
from mmrec_core.figures.paper import (
    BODY,
    INK,
    LINE,
    PAD,
    QUIET,
    SMALL,
    TICKS,
    Sheet,
    Width,
    finished,
    fit,
    inches,
    mark,
    number_axis,
    number_width,
    page_width,
    panels,
    pattern,
    sheet,
    text_width,
    wrap,
)
from mmrec_core.figures.paper import GRID as PAPER_GRID
from mmrec_core.figures.screen import (
    AXIS,
    RULE,
    SMALL_TYPE,
    TYPE,
    faded,
    legend_rows,
    marker,
    screen,
)
from mmrec_core.figures.words import escaped, shorten

if TYPE_CHECKING:
    import plotly.graph_objects as go

_SHARES = (0, 25, 50, 75, 100)
_ENDS = (-3, 103)
_BAND = 0.2
"""Opacity of the bands."""
_WIDE = 5.0
"""Inches from which on a figure has room for higher panels."""
_STEPS = 8
"""Most numbers at the ticks of a panel's y axis."""
_NOT_MEASURED = "not measured"


def explanation_faithfulness_description(
    curves: pd.DataFrame,
    titles: Mapping[str, str] | None = None,
    n: Mapping[str, int] | int | None = None,
    recommender: str = "",
) -> str:
    """What the figure of the same arguments shows, in one sentence, with the numbers halfway."""
    return lay_out(curves, titles, n, recommender).description


def explanation_faithfulness(
    curves: pd.DataFrame,
    titles: Mapping[str, str] | None = None,
    n: Mapping[str, int] | int | None = None,
    recommender: str = "",
) -> "go.Figure":
    """Two panels for each method, a line with a 95 % band for each order; interactive.

    Args:
        curves: One row a point: method, kind (``deletion``, ``insertion``), order (``own``,
            ``random``, ``randomised``), share of the elements (0 to 1), score (mean change since
            the first share, in standard deviations of the user's scores), low, high (95 %
            interval; NaN where there is none).
        titles: Method -> how it is shown.
        n: Recommendations that were explained, in all or by method.
        recommender: How it is shown; empty where that is clear.

    Raises:
        InputError: A column is missing, a kind, order or share cannot be, a point is there twice,
            or there is nothing to draw.
    """
    plan = lay_out(curves, titles, n, recommender)
    several = len(plan.rows) > 1
    head, high, gap = (46 if several else 26), (190 if several else 280), 34
    height = len(plan.rows) * (head + high) + (len(plan.rows) - 1) * gap
    figure = screen(
        plan.title,
        plan.stands_on,
        plan.description,
        height=height,
        left=76,
        legend_rows=legend_rows([LOOKS[order].label for order in plan.orders]),
    )
    own, place = 0.45, 0
    for row, of_method in enumerate(plan.rows):
        top = 1 - (row * (head + high + gap) + head) / height
        foot = max(0.0, top - high / height)
        if several:
            name = f"<b>{escaped(shorten(of_method[0].method, 60))}</b>"
            _note(figure, name, 0, top, 32)
        for column, panel in enumerate(of_method):
            suffix = str(place + 1) if place else ""
            left = column * (1 - own)
            axes = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
            figure.update_layout(
                {
                    f"xaxis{suffix}": {
                        **AXIS,
                        "domain": [left, left + own],
                        "anchor": axes["yaxis"],
                        "range": list(_ENDS),
                        "tickvals": list(_SHARES),
                        "tickangle": 0,
                        "title": {
                            **AXIS["title"],
                            "text": X_LABELS[panel.kind] if row + 1 == len(plan.rows) else "",
                        },
                    },
                    f"yaxis{suffix}": {
                        **AXIS,
                        "domain": [foot, top],
                        "anchor": axes["xaxis"],
                        "range": panel.span,
                        "tickformat": "~g",
                        "nticks": 6,
                        "zeroline": True,
                        "zerolinecolor": RULE,
                        "zerolinewidth": 1,
                    },
                }
            )
            _note(figure, HEADS[panel.kind], left, top, 12)
            _screen_panel(figure, panel, axes)
            place += 1
    _legend(figure, plan.orders)
    figure.add_annotation(
        text=Y_LABEL, x=0, xref="paper", xshift=-66, y=0.5, yref="paper", textangle=-90,
        xanchor="center", showarrow=False, font={"size": TYPE},
    )  # fmt: skip
    return figure


def _note(figure: "go.Figure", text: str, x: float, y: float, shift: int) -> None:
    """A method's name over its row, or a kind over its panel."""
    figure.add_annotation(
        text=text, x=x, y=y, yshift=shift, xref="paper", yref="paper", xanchor="left",
        yanchor="middle", showarrow=False, font={"size": SMALL_TYPE},
    )  # fmt: skip


def _look(order: str) -> dict[str, Any]:
    look = LOOKS[order]
    return {
        "line": {"color": look.colour, "width": look.width, "dash": look.dash[0]},
        "marker": marker(look.marker, look.colour, 7),
    }


def _legend(figure: "go.Figure", orders: list[str]) -> None:
    import plotly.graph_objects as go

    for order in orders:
        figure.add_trace(
            go.Scatter(
                x=[None],
                y=[None],
                mode="lines+markers",
                name=escaped(LOOKS[order].label),
                legendgroup=order,
                **_look(order),
            )
        )


def _screen_panel(figure: "go.Figure", panel: Panel, axes: dict[str, str]) -> None:
    """Bands, then lines."""
    import plotly.graph_objects as go

    curves = _from_below(panel)
    for curve in curves:
        shares, _, low, high = curve.band.T
        figure.add_trace(
            go.Scatter(
                x=100 * np.concatenate([shares, shares[::-1]]),
                y=np.concatenate([high, low[::-1]]),
                mode="lines",
                line={"width": 0},
                fill="toself",
                fillcolor=faded(curve.look.colour, _BAND),
                hoverinfo="skip",
                legendgroup=curve.order,
                showlegend=False,
                **axes,
            )
        )
    for curve in curves:
        figure.add_trace(
            go.Scatter(
                x=100 * curve.values[:, 0],
                y=curve.values[:, 1],
                mode="lines+markers",
                hoverinfo="text",
                hovertext=[
                    "<br>".join(map(escaped, text.split("\n"))) for text in panel.hover(curve)
                ],
                legendgroup=curve.order,
                showlegend=False,
                **_look(curve.order),
                **axes,
            )
        )
    if not curves:
        figure.add_trace(
            go.Scatter(
                x=[50],
                y=[sum(panel.span) / 2],
                mode="text",
                text=[_NOT_MEASURED],
                textfont={"size": SMALL_TYPE},
                hoverinfo="skip",
                showlegend=False,
                **axes,
            )
        )


def _from_below(panel: Panel) -> list[Curve]:
    """The curves in the order they are drawn in."""
    return sorted(panel.curves, key=lambda curve: DRAWN_ORDER.index(curve.order))


def explanation_faithfulness_publication(
    curves: pd.DataFrame,
    titles: Mapping[str, str] | None = None,
    n: Mapping[str, int] | int | None = None,
    recommender: str = "",
    width: Width = "one",
) -> Any:
    """The curves for print: a matplotlib Figure.

    Args:
        curves: As for ``explanation_faithfulness``, as are all but the last argument.
        titles: See there.
        n: See there.
        recommender: See there.
        width: ``one`` (3.35 in) or ``two`` columns (7.0 in).

    Raises:
        InputError: As for ``explanation_faithfulness``, or there is no such width.
    """
    from matplotlib.lines import Line2D

    plan = lay_out(curves, titles, n, recommender)
    several = len(plan.rows) > 1
    # Numbers at the ticks of each column, however long they are.
    left, between = (
        max(number_width(*row[column].span, _STEPS) for row in plan.rows) + 0.12
        for column in range(len(KINDS))
    )
    right = 0.1
    words = inches(BODY * LINE)
    above = 0.05 + words * (2 if several else 1)
    high = 1.7 if page_width(width) > _WIDE else 1.0 if several else 1.3
    # One panel may be too low for the label of the axis on one line.
    y_lines = wrap(Y_LABEL, len(plan.rows) * high, BODY)
    left += PAD + words * len(y_lines)
    made = sheet(
        width,
        plan.title,
        plan.stands_on,
        plan.description,
        body=len(plan.rows) * (above + high) + (len(plan.rows) - 1) * TICKS + words,
        left=left,
        right=right,
        handles=[
            Line2D(
                [], [], lw=1.2, color=LOOKS[order].colour, ls=pattern(LOOKS[order].dash),
                label=LOOKS[order].label, **mark(LOOKS[order].marker, LOOKS[order].colour, 3.2),
            )
            for order in plan.orders
        ],
    )  # fmt: skip
    cut = panels(
        made, len(plan.panels), len(KINDS), above=above, below=TICKS, between=between, under=words
    )
    _y_label(made.figure, cut, "\n".join(y_lines))
    for place, (panel, part) in enumerate(zip(plan.panels, cut, strict=True)):
        axes = part.axes
        _print_panel(axes, panel)
        axes.set_ylim(*panel.span)
        number_axis(axes.yaxis, part.axes_height, 0.19)
        # A name wider than its panel ends with it, so that none leaves the page.
        start = min(0.0, 1 - text_width(HEADS[panel.kind], SMALL) / part.axes_width)
        axes.text(
            start, 1 + 0.03 / part.axes_height, HEADS[panel.kind], transform=axes.transAxes,
            fontsize=SMALL, va="bottom", ha="left", color=INK,
        )  # fmt: skip
        if several and not place % len(KINDS):
            axes.text(
                0, 1 + (0.04 + words) / part.axes_height,
                fit(panel.method, page_width(width) - left - PAD, BODY, "bold"),
                transform=axes.transAxes, fontsize=BODY, fontweight="bold", va="bottom",
                ha="left", color=INK,
            )  # fmt: skip
        if place >= len(plan.panels) - len(KINDS):
            axes.text(
                0.5, -(TICKS + 0.01) / part.axes_height, X_LABELS[panel.kind],
                transform=axes.transAxes, fontsize=BODY, va="top", ha="center", color=INK,
            )  # fmt: skip
    return finished(made)


def _y_label(figure: Any, cut: list[Sheet], text: str) -> None:
    """The label of all y axes, in the middle of their height."""
    top = cut[0].axes.get_position().y1
    foot = cut[-1].axes.get_position().y0
    figure.text(
        PAD / figure.get_figwidth(), (top + foot) / 2, text, fontsize=BODY, rotation=90,
        va="center", ha="left", multialignment="center", linespacing=LINE, color=INK,
    )  # fmt: skip


def _print_panel(axes: Any, panel: Panel) -> None:
    axes.set_xlim(*_ENDS)
    axes.set_xticks(list(_SHARES))
    axes.set_xticklabels(list(map(str, _SHARES)))
    axes.grid(color=PAPER_GRID, lw=0.4)
    axes.axhline(0, color=QUIET, lw=0.5, zorder=1)
    for layer, curve in enumerate(_from_below(panel)):
        look = curve.look
        shares, _, low, high = curve.band.T
        axes.fill_between(100 * shares, low, high, color=look.colour, alpha=_BAND, lw=0, zorder=1)
        axes.plot(
            100 * curve.values[:, 0], curve.values[:, 1], color=look.colour, lw=1.2,
            ls=pattern(look.dash), zorder=3 + layer, clip_on=False,
            **mark(look.marker, look.colour, 2.8),
        )  # fmt: skip
    if not panel.curves:
        axes.text(
            50, sum(panel.span) / 2, _NOT_MEASURED, fontsize=SMALL, va="center", ha="center",
            color=QUIET,
        )  # fmt: skip
