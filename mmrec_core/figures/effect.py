"""Effect plot: what each recommender gains from each modality, with intervals and verdicts."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from mmrec_core.figures.effect_rows import KINDS, SPREAD, Layout, Row, hover, lay_out
from mmrec_core.figures.palette import (
    MODALITY_COLOURS,
    OUTLINE,
    WHOLE_MODEL,
    kind_label,
    kind_marker,
    modality_colour,
    modality_label,
    tone_style,
)
from mmrec_core.figures.paper import (
    BODY,
    INK,
    LINE,
    PAD,
    QUIET,
    SMALL,
    Width,
    finished,
    inches,
    mark,
    row_heads,
    rows_down,
    sheet,
    text_width,
    wrap,
)
from mmrec_core.figures.screen import BAND, CLEAR, RULE, SMALL_TYPE, legend_rows, marker, screen
from mmrec_core.figures.words import escaped, shorten

if TYPE_CHECKING:
    import plotly.graph_objects as go

_NAME_LENGTH = 26
_CHIP = 16
"""Pixels of a verdict's chip on screen."""


def effect_description(
    comparisons: pd.DataFrame,
    verdicts: pd.DataFrame | None,
    metric: str,
    delta: float,
    kinds: Sequence[str] = KINDS,
    titles: Mapping[str, str] | None = None,
) -> str:
    """What the effect plot of the same arguments shows, in one sentence, with users and seeds."""
    return lay_out(comparisons, verdicts, metric, delta, kinds, titles).description


def effect_plot(
    comparisons: pd.DataFrame,
    verdicts: pd.DataFrame | None,
    metric: str,
    delta: float,
    kinds: Sequence[str] = KINDS,
    titles: Mapping[str, str] | None = None,
) -> "go.Figure":
    """Relative effects with 95 % intervals, a row each recommender and modality; interactive.

    Args:
        comparisons: One row a comparison and metric: recommender, modality, kind, metric,
            relative, relative_low, relative_high (shares of the base's mean), p_adjusted, state,
            n_users, seeds. NaN or None where there is no value.
        verdicts: recommender, modality, verdict (its words), symbol, tone; None for none.
        metric: Which metric, such as ``recall@20``.
        delta: Relative margin of equality; drawn as a band around 0.
        kinds: Which comparisons, from top to bottom in each row.
        titles: Name of a recommender -> how it is shown.

    Raises:
        InputError: A column is missing, or there is nothing to draw.
    """
    import plotly.graph_objects as go

    plan = lay_out(comparisons, verdicts, metric, delta, kinds, titles)
    row_height = max(34, 16 * len(plan.kinds))
    words = max((len(row.verdict) for row in plan.rows), default=0)
    names = [shorten(name, _NAME_LENGTH) for name, _ in plan.headers]
    figure = screen(
        plan.title,
        plan.stands_on,
        plan.description,
        height=round(row_height * plan.height),
        left=max(96, 8 * max(map(len, names)) + 16),
        right=(_CHIP + 20 + 7 * words) if plan.has_verdicts else 16,
        legend_rows=legend_rows([kind_label(kind) for kind in plan.kinds]),
    )
    for kind in plan.kinds:
        _legend_entry(figure, kind)
        for modality in MODALITY_COLOURS:
            _series(figure, plan, kind, modality)
    for row in plan.rows:
        if any(not point.drawable for point in row.points):
            figure.add_trace(_without_effect(row))
    judged = [row for row in plan.rows if row.verdict]
    edges = [place - plan.headers[0][1] for _, place in plan.headers[1:]]
    band = {"xref": "x", "x0": -100 * delta, "x1": 100 * delta}
    zero = {"xref": "x", "x0": 0, "x1": 0}
    whole = {"yref": "y domain", "y0": 0, "y1": 1, "layer": "below"}
    # All at once: plotly copies every shape that is there whenever one is added.
    figure.update_layout(
        shapes=[
            {"type": "rect", **band, **whole, "fillcolor": BAND, "line": {"width": 0}},
            {"type": "line", **zero, **whole, "line": {"color": RULE, "width": 1.2}},
            *(
                {
                    "type": "line",
                    "xref": "x domain",
                    "x0": 0,
                    "x1": 1,
                    "yref": "y",
                    "y0": edge,
                    "y1": edge,
                    "line": {"color": BAND, "width": 1},
                }
                for edge in edges
            ),
            *(_chip(row) for row in judged),
        ],
        annotations=[words for row in judged for words in _words(row)],
    )
    figure.update_xaxes(title_text=escaped(plan.x_label), tickformat="~g", ticksuffix=" %")
    figure.update_yaxes(
        range=[plan.height, 0],
        fixedrange=True,
        showgrid=False,
        tickvals=[place for _, place in plan.headers] + [row.place for row in plan.rows],
        ticktext=[f"<b>{escaped(name)}</b>" for name in names]
        + [escaped(modality_label(row.modality)) for row in plan.rows],
    )
    # Unseen, at 0: the axis holds 0, and is there even if no comparison has a relative effect.
    figure.add_trace(
        go.Scatter(x=[0], y=[0], mode="markers", opacity=0, hoverinfo="skip", showlegend=False)
    )
    return figure


def _legend_entry(figure: "go.Figure", kind: str) -> None:
    """Shape and label of a kind, in no modality's colour."""
    import plotly.graph_objects as go

    figure.add_trace(
        go.Scatter(
            x=[None],
            y=[None],
            mode="markers",
            marker=marker(kind_marker(kind), OUTLINE, 10),
            name=escaped(kind_label(kind)),
            legendgroup=escaped(kind),
        )
    )


def _series(figure: "go.Figure", plan: Layout, kind: str, modality: str) -> None:
    """All points of one kind and modality: one trace, since whiskers have one colour."""
    import plotly.graph_objects as go

    cells = [
        (row, point)
        for row in plan.rows
        for point in row.points
        if row.modality == modality and point.kind == kind and point.drawable
    ]
    if not cells:
        return
    colour = modality_colour(modality)
    points = [point for _, point in cells]
    figure.add_trace(
        go.Scatter(
            x=[100 * point.relative for point in points],
            y=[point.place for point in points],
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [100 * (point.high - point.relative) for point in points],
                "arrayminus": [100 * (point.relative - point.low) for point in points],
                "color": colour,
                "thickness": 1.6,
                "width": 3,
            },
            mode="markers",
            marker=marker(kind_marker(kind), colour, 9),
            hoverinfo="text",
            hovertext=["<br>".join(map(escaped, hover(row, point))) for row, point in cells],
            name=escaped(kind_label(kind)),
            legendgroup=escaped(kind),
            showlegend=False,
        )
    )


def _without_effect(row: Row) -> Any:
    """Says in place of a point why there is none."""
    import plotly.graph_objects as go

    gone = [point for point in row.points if not point.drawable]
    return go.Scatter(
        x=[0] * len(gone),
        y=[point.place for point in gone],
        mode="text",
        text=["base is 0"] * len(gone),
        textposition="middle right",
        textfont={"size": 10},
        hoverinfo="text",
        hovertext=["<br>".join(map(escaped, hover(row, point))) for point in gone],
        showlegend=False,
    )


def _chip(row: Row) -> dict[str, Any]:
    """The ground of a verdict's symbol, right of the row, of the same size at any zoom."""
    style = tone_style(row.tone)
    dash = "2px,2px" if style.dashed else "solid"
    half = _CHIP / 2
    across = {"xref": "paper", "xsizemode": "pixel", "xanchor": 1, "x0": 8, "x1": 8 + _CHIP}
    along = {"yref": "y", "ysizemode": "pixel", "yanchor": row.place, "y0": -half, "y1": half}
    return {
        "type": "rect",
        **across,
        **along,
        "fillcolor": style.fill or CLEAR,
        "line": {"color": style.fill or OUTLINE, "width": 1, "dash": dash},
    }


def _words(row: Row) -> list[dict[str, Any]]:
    """Symbol and verdict of a row."""
    place = {"xref": "paper", "x": 1, "yref": "y", "y": row.place, "showarrow": False}
    ink = tone_style(row.tone).ink
    symbol = {"text": escaped(row.symbol), "xanchor": "center", "xshift": 8 + _CHIP / 2}
    word = {"text": escaped(row.verdict), "xanchor": "left", "xshift": 12 + _CHIP}
    return [
        {**place, **symbol, "font": {"size": 11, "color": ink}},
        {**place, **word, "font": {"size": SMALL_TYPE}},
    ]


def effect_plot_publication(
    comparisons: pd.DataFrame,
    verdicts: pd.DataFrame | None,
    metric: str,
    delta: float,
    kinds: Sequence[str] = KINDS,
    titles: Mapping[str, str] | None = None,
    width: Width = "one",
) -> Any:
    """The effect plot for print: a matplotlib Figure one or two columns wide.

    Args:
        comparisons: As for ``effect_plot``, as are all but the last argument.
        verdicts: See there.
        metric: See there.
        delta: See there.
        kinds: See there.
        titles: See there.
        width: ``one`` (3.35 in) or ``two`` columns (7.0 in).

    Raises:
        InputError: A column is missing, there is nothing to draw, or there is no such width.
    """
    plan = lay_out(comparisons, verdicts, metric, delta, kinds, titles)
    wrapped = [wrap(row.verdict, 1.0 if width == "one" else 2.0, SMALL) for row in plan.rows]
    chip = inches(8)
    widest = max(text_width(line, SMALL) for lines in wrapped for line in lines)
    right = 0.07 + chip + 0.05 + widest + PAD if plan.has_verdicts else 0.12
    left = PAD + 0.08 + max(text_width(modality_label(r.modality), BODY) for r in plan.rows) + 0.05
    lines = max(len(each) for each in wrapped)
    # 5 points from marker to marker, and room for the lines of the verdict.
    row_height = inches(max(5 * len(plan.kinds) / SPREAD, SMALL * LINE * lines + 4, 13))
    made = sheet(
        width,
        plan.title,
        plan.stands_on,
        plan.description,
        body=row_height * plan.height,
        left=left,
        right=right,
        x_label=plan.x_label,
        handles=_handles(plan.kinds),
        both_ends=True,
    )
    axes = made.axes
    axes.axvspan(-100 * delta, 100 * delta, color="#E4E6E9", lw=0, zorder=0)
    axes.axvline(0, color=QUIET, lw=0.7, zorder=1)
    for kind in plan.kinds:
        for modality in MODALITY_COLOURS:
            _draw(axes, plan.rows, kind, modality)
    for row in plan.rows:
        _print_gone(axes, row)
    axes.margins(x=0.06)
    axes.autoscale_view(scaley=False)
    labels = [modality_label(row.modality) for row in plan.rows]
    rows_down(made, plan.height, [row.place for row in plan.rows], labels)
    edges = [place - plan.headers[0][1] for _, place in plan.headers[1:]]
    row_heads(made, plan.headers, edges, made.left + made.axes_width - PAD)
    for row, words in zip(plan.rows, wrapped, strict=True):
        if row.verdict:
            _print_chip(made, row, words, chip, row_height)
    return finished(made)


def _handles(kinds: Sequence[str]) -> list[Any]:
    """Legend entries of the kinds."""
    from matplotlib.lines import Line2D

    return [
        Line2D(
            [],
            [],
            lw=0.8,
            color=WHOLE_MODEL,
            label=kind_label(kind),
            **mark(kind_marker(kind), WHOLE_MODEL),
        )
        for kind in kinds
    ]


def _draw(axes: Any, rows: Sequence[Row], kind: str, modality: str) -> None:
    """Points and whiskers of one kind and modality, at once: artists are what costs time."""
    points = [
        point
        for row in rows
        for point in row.points
        if row.modality == modality and point.kind == kind and point.drawable
    ]
    if not points:
        return
    colour = modality_colour(modality)
    axes.errorbar(
        [100 * point.relative for point in points],
        [point.place for point in points],
        xerr=[
            [100 * (point.relative - point.low) for point in points],
            [100 * (point.high - point.relative) for point in points],
        ],
        color=colour,
        linestyle="none",
        elinewidth=0.9,
        capsize=1.4,
        capthick=0.7,
        zorder=3,
        **mark(kind_marker(kind), colour),
    )


def _print_gone(axes: Any, row: Row) -> None:
    """Says in place of points why there are none."""
    gone = [point.place for point in row.points if not point.drawable]
    if gone:
        note = f" base is 0 ({len(gone)} of {len(row.points)})"
        axes.text(0, sum(gone) / len(gone), note, fontsize=SMALL - 1, va="center", color=QUIET)


def _print_chip(made: Any, row: Row, words: list[str], chip: float, row_height: float) -> None:
    """Symbol on its colour, and the verdict in words, right of the row."""
    from matplotlib.patches import Rectangle
    from matplotlib.transforms import blended_transform_factory

    axes, style = made.axes, tone_style(row.tone)
    place = blended_transform_factory(axes.transAxes, axes.transData)

    def at(distance: float) -> float:
        return 1 + distance / made.axes_width

    high = chip / row_height
    axes.add_patch(
        Rectangle(
            (at(0.07), row.place - high / 2), chip / made.axes_width, high, transform=place,
            clip_on=False, facecolor=style.fill or "none", edgecolor=style.fill or QUIET,
            linewidth=0.6, linestyle=(0, (2, 1.5)) if style.dashed else "-",
        )
    )  # fmt: skip
    axes.text(
        at(0.07 + chip / 2), row.place, row.symbol, transform=place, fontsize=SMALL,
        ha="center", va="center_baseline", color=style.ink or INK, clip_on=False,
    )  # fmt: skip
    axes.text(
        at(0.07 + chip + 0.05), row.place, "\n".join(words), transform=place, fontsize=SMALL,
        ha="left", va="center", color=INK, linespacing=1.15, clip_on=False,
    )  # fmt: skip
