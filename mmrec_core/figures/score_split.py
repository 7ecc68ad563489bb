"""Score split: one recommendation's score as the sum of what each part of the model adds."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from mmrec_core.figures.palette import MODALITY_HATCHES, OUTLINE
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
    number_width,
    page_width,
    rows_down,
    sheet,
    text_width,
)
from mmrec_core.figures.paper import GRID as PAPER_GRID
from mmrec_core.figures.score_split_rows import Bar, Mode, lay_out
from mmrec_core.figures.screen import CLEAR, GRID, RULE, SMALL_TYPE, screen
from mmrec_core.figures.words import escaped, shorten

if TYPE_CHECKING:
    import plotly.graph_objects as go

_PITCH, _BAR = 30, 0.62
"""Pixels of a row on screen, and the share of it that a bar takes."""
_TITLE = 54
"""Characters of a title that a page 620 pixels wide has room for."""
_NARROW = 460
"""Pixels of the plot on the narrowest page; wider ones leave more room beside the numbers."""
_THIN = 0.5
"""Points of the lines that join bars in print."""


def score_split_description(
    split: pd.DataFrame,
    item: str,
    user: str,
    recommender: str,
    mode: Mode = "score",
    ranked: int | None = None,
) -> str:
    """What the figure of the same arguments shows, in one sentence, with every number."""
    return lay_out(split, item, user, recommender, mode, ranked).description


def score_split(
    split: pd.DataFrame,
    item: str,
    user: str,
    recommender: str,
    mode: Mode = "score",
    ranked: int | None = None,
) -> "go.Figure":
    """A waterfall: each part's bar begins where the last ended, the total below; interactive.

    Args:
        split: One row a part: part (``collaborative``, ``image``, ``text``, ``joint``,
            ``popularity``, ``chance``, ``whole``, or a pair of the user's side and the item's such
            as ``image x text``), value (sums to the score), against_average (sums to the score
            minus the mean score of the items ranked for the user).
        item: Title of the recommended item.
        user: Id of the user.
        recommender: How it is shown.
        mode: ``score``: bars are ``value``; ``average``: bars are ``against_average``.
        ranked: How many items are ranked for the user; None where that is not known.

    Raises:
        InputError: A column is missing, a part is there twice or has no value, there is no part,
            or no such mode.
    """
    import plotly.graph_objects as go

    plan = lay_out(split, item, user, recommender, mode, ranked)
    labels = [shorten(label, 30) for label in plan.labels]
    height = round(_PITCH * plan.height)
    figure = screen(
        plan.short_title(_TITLE),
        plan.stands_on,
        plan.description,
        height=height,
        left=round(24 + 7 * max(map(len, labels))),
    )
    figure.layout.meta = {**figure.layout.meta, "title": plan.title}
    for bar, place in zip(plan.bars, plan.places, strict=True):
        figure.add_trace(
            go.Bar(
                x=[bar.value],
                y=[place],
                base=[bar.start],
                width=_BAR,
                orientation="h",
                marker=_screen_look(bar),
                name=escaped(bar.label),
                hoverinfo="text",
                hovertext=["<br>".join(map(escaped, plan.hover(bar)))],
            )
        )
    numbers = [plan.number_at(bar) for bar in plan.bars]
    figure.add_trace(
        go.Scatter(
            x=[at for _, at in numbers],
            y=plan.places,
            mode="text",
            # A space that plotly keeps, between the bar and its number.
            text=[f"\u00a0{bar.number}\u00a0" for bar in plan.bars],
            textposition=[f"middle {'right' if side > 0 else 'left'}" for side, _ in numbers],
            textfont={"size": SMALL_TYPE},
            cliponaxis=False,
            hoverinfo="skip",
        )
    )
    joins = [
        {"x0": bar.end, "x1": bar.end, "y0": place + _BAR / 2, "y1": below - _BAR / 2}
        for bar, place, below in zip(plan.parts, plan.places, plan.places[1:], strict=False)
    ]
    thin = {"type": "line", "layer": "below"}
    figure.update_layout(
        barmode="overlay",
        shapes=[
            {**thin, "x0": 0, "x1": 0, "y0": 0, "y1": plan.height,
             "line": {"color": RULE, "width": 1.5}},
            {**thin, "xref": "paper", "x0": 0, "x1": 1, "y0": plan.rule, "y1": plan.rule,
             "line": {"color": GRID, "width": 1}},
            *({**thin, **ends, "line": {"color": RULE, "width": 1}} for ends in joins),
        ],
    )  # fmt: skip
    room = (14 + 7 * max(len(bar.number) for bar in plan.bars)) / _NARROW
    figure.update_xaxes(
        title_text=escaped(plan.x_label), tickformat="~g", range=list(plan.span(room, room))
    )
    figure.update_yaxes(
        range=[plan.height, 0],
        tickvals=plan.places,
        ticktext=[
            f"<b>{escaped(label)}</b>" if place == plan.places[-1] else escaped(label)
            for label, place in zip(labels, plan.places, strict=True)
        ],
        showgrid=False,
    )
    return figure


def _screen_look(bar: Bar) -> dict[str, Any]:
    """One colour; stripes of two for what both make together; an outline for what has none."""
    if not bar.colours:
        return {"color": CLEAR, "line": {"width": 1.8, "color": OUTLINE}}
    look: dict[str, Any] = {
        "color": bar.colours[0],
        "line": {"width": 0.6, "color": OUTLINE},
    }
    if len(bar.colours) == 2:
        ground, stripes = bar.colours
        look["pattern"] = {
            "shape": "/", "bgcolor": ground, "fgcolor": stripes, "size": 10, "solidity": 0.5,
        }  # fmt: skip
    return look


def score_split_publication(
    split: pd.DataFrame,
    item: str,
    user: str,
    recommender: str,
    mode: Mode = "score",
    ranked: int | None = None,
    width: Width = "one",
) -> Any:
    """The score split for print: a matplotlib Figure.

    Args:
        split: As for ``score_split``, as are all but the last argument.
        item: See there.
        user: See there.
        recommender: See there.
        mode: See there.
        ranked: See there.
        width: ``one`` (3.35 in) or ``two`` columns (7.0 in).

    Raises:
        InputError: As for ``score_split``, or there is no such width.
    """
    plan = lay_out(split, item, user, recommender, mode, ranked)
    across, right = page_width(width), 0.1
    labels = [fit(label, 0.4 * across, BODY) for label in plan.labels]
    left = max(text_width(label, BODY, "bold") for label in labels) + 0.06 + PAD
    pitch = inches(11)
    made = sheet(
        width,
        plan.title,
        plan.stands_on,
        plan.description,
        body=pitch * plan.height,
        left=left,
        right=right,
        x_label=plan.x_label,
    )
    axes = made.axes
    beside = 0.03
    numbers = max(text_width(bar.number, SMALL) for bar in plan.bars) + 2 * beside
    low, high = plan.span(*[numbers / made.axes_width] * 2)
    axes.set_xlim(low, high)
    step = beside * (high - low) / made.axes_width
    axes.axvline(0, color=QUIET, lw=0.7, zorder=1)
    axes.axhline(plan.rule, color=PAPER_GRID, lw=0.8, zorder=0)
    for bar, place in zip(plan.bars, plan.places, strict=True):
        axes.barh(place, bar.value, height=_BAR, left=bar.start, zorder=2, **_print_look(bar))
        side, at = plan.number_at(bar)
        axes.text(
            at + side * step, place, bar.number, fontsize=SMALL, color=INK, zorder=4,
            va="center_baseline", ha="left" if side > 0 else "right",
        )  # fmt: skip
    for bar, place, below in zip(plan.parts, plan.places, plan.places[1:], strict=False):
        axes.plot(
            [bar.end, bar.end], [place + _BAR / 2, below - _BAR / 2], color=QUIET, lw=_THIN,
            zorder=1,
        )  # fmt: skip
    rows_down(made, plan.height, plan.places, labels, max(0.42, number_width(low, high) + 0.12))
    axes.get_yticklabels()[-1].set_fontweight("bold")
    return finished(made)


def _print_look(bar: Bar) -> dict[str, Any]:
    if not bar.colours:
        return {"facecolor": "white", "edgecolor": INK, "linewidth": 0.7}
    if len(bar.colours) == 2:
        ground, stripes = bar.colours
        # Broad, so that both colours cover about the same area.
        return {
            "facecolor": ground, "edgecolor": stripes, "hatch": "////", "hatch_linewidth": 1.7,
            "linewidth": 0,
        }  # fmt: skip
    hatch = MODALITY_HATCHES.get("none" if bar.part == "collaborative" else bar.part)
    return {
        "facecolor": bar.colours[0], "edgecolor": "white", "hatch": hatch,
        "hatch_linewidth": 0.5, "linewidth": 0,
    }  # fmt: skip
