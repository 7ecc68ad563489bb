"""Item ranks: where one item ranks over users, as a model was trained and under each control."""

from math import log10
from typing import TYPE_CHECKING, Any

import pandas as pd

from mmrec_core.figures.item_ranks_rows import Plan, lay_out
from mmrec_core.figures.palette import DARK_INK, MODALITY_MARKERS, Marker
from mmrec_core.figures.paper import (
    BODY,
    INK,
    PAD,
    QUIET,
    SMALL,
    Width,
    finished,
    fit,
    inches,
    log_axis,
    mark,
    page_width,
    sheet,
    text_width,
)
from mmrec_core.figures.paper import GRID as PAPER_GRID
from mmrec_core.figures.screen import RULE, SMALL_TYPE, marker, screen
from mmrec_core.figures.words import escaped, log_ticks, shorten

if TYPE_CHECKING:
    import plotly.graph_objects as go

TOP = 20
_PITCH = 28
"""Pixels of a row on screen."""
_TITLE = 62
"""Characters of a title that a page 700 pixels wide has room for."""
_AS_TRAINED = Marker("diamond", "D")


def item_ranks_description(ranks: pd.DataFrame, item: str, recommender: str) -> str:
    """What the figure of the same arguments shows, in one sentence, with every number."""
    return lay_out(ranks, item, recommender).description


def item_ranks(ranks: pd.DataFrame, item: str, recommender: str) -> "go.Figure":
    """A row a setting: median, the middle half and four fifths of the users; interactive.

    Args:
        ranks: One row a setting: setting (as it is shown), modality (which is replaced; ``none``:
            as trained), n_users, first_decile, first_quartile, median, last_quartile,
            last_decile, in_top_20 (share of the users who have it among their first 20).
        item: Title of the item.
        recommender: How it is shown.

    Raises:
        InputError: A column is missing, a setting is there twice, a number makes no sense, or
            there is no row.
    """
    import plotly.graph_objects as go

    plan = lay_out(ranks, item, recommender)
    labels = [shorten(row.setting, 34) for row in plan.rows]
    figure = screen(
        plan.short_title(_TITLE),
        plan.stands_on,
        plan.description,
        height=round(_PITCH * plan.height),
        left=round(24 + 7 * max(map(len, labels))),
        right=84,
    )
    figure.layout.meta = {**figure.layout.meta, "title": plan.title}
    for row, place in zip(plan.rows, plan.places, strict=True):
        first, lower, middle, upper, last = row.spread
        hover = "<br>".join(map(escaped, row.hover))
        for ends, width in (((first, last), 2), ((lower, upper), 9)):
            figure.add_trace(
                go.Scatter(
                    x=list(ends),
                    y=[place, place],
                    mode="lines",
                    line={"color": row.colour, "width": width},
                    hoverinfo="text",
                    hovertext=[hover, hover],
                )
            )
        look = marker(_shape(row.modality), row.colour, 11)
        figure.add_trace(
            go.Scatter(
                x=[middle],
                y=[place],
                mode="markers",
                marker={**look, "line": {"width": 1.5, "color": "white"}},
                name=escaped(row.setting),
                hoverinfo="text",
                hovertext=[hover],
            )
        )
    beside = {
        "xref": "paper", "x": 1, "xanchor": "left", "xshift": 8, "showarrow": False,
        "font": {"size": SMALL_TYPE},
    }  # fmt: skip
    figure.update_layout(
        shapes=[
            {"type": "line", "x0": TOP, "x1": TOP, "yref": "paper", "y0": 0, "y1": 1,
             "layer": "below", "line": {"color": RULE, "width": 1.2, "dash": "dot"}}
        ],
        annotations=[
            *(
                {**beside, "y": place, "text": escaped(row.top_words)}
                for row, place in zip(plan.rows, plan.places, strict=True)
            ),
            {**beside, "yref": "paper", "y": 1, "yanchor": "bottom", "text": plan.top_label},
        ],
    )  # fmt: skip
    low, high = plan.span
    figure.update_xaxes(
        title_text=escaped(plan.x_label),
        type="log",
        range=[log10(low), log10(high)],
        tickvals=log_ticks(low, high, 8),
        tickformat=",~g",
    )
    figure.update_yaxes(
        range=[plan.height, 0],
        tickvals=plan.places,
        ticktext=list(map(escaped, labels)),
        showgrid=False,
    )
    return figure


def _shape(modality: str) -> Marker:
    return MODALITY_MARKERS.get(modality, _AS_TRAINED)


def item_ranks_publication(
    ranks: pd.DataFrame, item: str, recommender: str, width: Width = "one"
) -> Any:
    """The ranks for print: a matplotlib Figure.

    Args:
        ranks: As for ``item_ranks``, as are all but the last argument.
        item: See there.
        recommender: See there.
        width: ``one`` (3.35 in) or ``two`` columns (7.0 in).

    Raises:
        InputError: As for ``item_ranks``, or there is no such width.
    """
    plan = lay_out(ranks, item, recommender)
    labels = [fit(row.setting, 0.36 * page_width(width), BODY) for row in plan.rows]
    beside = [plan.top_label, *(row.top_words for row in plan.rows)]
    made = sheet(
        width,
        plan.title,
        plan.stands_on,
        plan.description,
        body=inches(12) * (plan.height + 0.6),
        left=max(text_width(label, BODY) for label in labels) + 0.06 + PAD,
        right=max(text_width(text, SMALL) for text in beside) + 0.06 + PAD,
        x_label=plan.x_label,
    )
    axes = made.axes
    axes.set_xscale("log")
    axes.set_xlim(*plan.span)
    axes.set_ylim(plan.height, -0.6)
    log_axis(axes.xaxis, made.axes_width)
    axes.grid(axis="x", color=PAPER_GRID, lw=0.4)
    axes.spines["left"].set_visible(False)
    axes.set_yticks(plan.places)
    axes.set_yticklabels(labels)
    axes.tick_params(axis="y", length=0)
    axes.axvline(TOP, color=QUIET, lw=0.7, ls=(0, (1, 1.6)), zorder=1)
    step = 1 + 0.05 / made.axes_width
    _beside(axes, plan, step)
    for row, place in zip(plan.rows, plan.places, strict=True):
        first, lower, middle, upper, last = row.spread
        axes.plot([first, last], [place, place], color=row.colour, lw=0.9, zorder=2)
        axes.plot(
            [lower, upper], [place, place], color=row.colour, lw=4, solid_capstyle="butt", zorder=3
        )
        look = mark(_shape(row.modality), "white", 3.6)
        axes.plot(middle, place, ls="none", zorder=4, **{**look, "markeredgecolor": DARK_INK})
    return finished(made)


def _beside(axes: Any, plan: Plan, right: float) -> None:
    """Shares of the users right of the axes."""
    from matplotlib.transforms import blended_transform_factory

    place = blended_transform_factory(axes.transAxes, axes.transData)
    given = {
        "transform": place,
        "fontsize": SMALL,
        "color": INK,
        "va": "center_baseline",
        "ha": "left",
    }
    axes.text(right, -0.2, plan.top_label, **given)
    for row, at in zip(plan.rows, plan.places, strict=True):
        axes.text(right, at, row.top_words, **given)
