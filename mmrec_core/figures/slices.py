"""Where an effect lies: one comparison in every slice of the users or of the items."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from mmrec_core.figures.blocks import on_paper, on_screen, screen_headers
from mmrec_core.figures.palette import (
    MODALITY_DASHES,
    OUTLINE,
    Marker,
    modality_colour,
    modality_label,
)
from mmrec_core.figures.paper import QUIET, SMALL, Width, finished, fit, inches, mark, pattern
from mmrec_core.figures.screen import legend_rows, marker, screen
from mmrec_core.figures.slice_rows import SlicePlan, SlicePoint, lay_out
from mmrec_core.figures.words import escaped, shorten

if TYPE_CHECKING:
    import plotly.graph_objects as go

_FILLED, _HOLLOW = "filled: adjusted p < 0.05", "hollow: not"


def slice_plot_description(
    slices: pd.DataFrame,
    slicing: str,
    kind: str,
    metric: str,
    titles: Mapping[str, str] | None = None,
) -> str:
    """What the plot of the same arguments shows, in one sentence, with users and items."""
    return lay_out(slices, slicing, kind, metric, titles).description


def slice_plot(
    slices: pd.DataFrame,
    slicing: str,
    kind: str,
    metric: str,
    titles: Mapping[str, str] | None = None,
) -> "go.Figure":
    """Relative effects with 95 % intervals in every slice of one slicing; interactive.

    Colour (and dash) is the modality, shape the recommender; a filled marker says that the
    adjusted p is below 0.05.

    Args:
        slices: One row a slice, comparison and metric: slicing, slice, recommender, modality,
            kind, metric, relative, relative_low, relative_high (shares of the base's mean; NaN
            or None where that mean is 0), p_adjusted, n_users, n_items, seeds.
        slicing: One of SLICINGS.
        kind: Which comparison, ``used`` or ``gained``.
        metric: Which metric, such as ``recall@20``.
        titles: Name of a recommender -> how it is shown.

    Raises:
        InputError: A column is missing, slicing, kind or metric is unknown, a comparison is
            there twice, or there is nothing to draw.
    """
    import plotly.graph_objects as go

    plan = lay_out(slices, slicing, kind, metric, titles)
    blocks = [each.block for each in plan.slices]
    placed, height = on_screen(blocks, 16 if len(plan.points) < 60 else 12)
    names = [shorten(name, 30) for name, _ in plan.recommenders]
    words = [*names, *map(modality_label, plan.modalities), _FILLED, _HOLLOW]
    figure = screen(
        plan.title,
        plan.stands_on,
        plan.description,
        height=height,
        left=16,
        legend_rows=legend_rows(words),
    )
    heights = [y for each in placed for y in each.rows]
    cells = list(zip(plan.points, heights, strict=True))
    for name, shape in plan.recommenders:
        for modality in plan.modalities:
            own = [(p, y) for p, y in cells if p.recommender == name and p.modality == modality]
            if own:
                _series(figure, own)
        _entry(figure, shorten(name, 30), marker(shape, OUTLINE, 10), group=name)
    for modality in plan.modalities:
        line = {"color": modality_colour(modality), "dash": MODALITY_DASHES[modality][0]}
        _entry(figure, modality_label(modality), line=line)
    for label, hollow in ((_FILLED, False), (_HOLLOW, True)):
        _entry(figure, label, marker(Marker("circle", "o", hollow), OUTLINE, 10))
    screen_headers(figure, blocks, placed, height, 16)
    figure.update_xaxes(
        title_text=escaped(plan.x_label), tickformat="~g", ticksuffix=" %", range=plan.span
    )
    if not plan.points:  # axes without a trace are not drawn
        figure.add_trace(go.Scatter(x=[0], y=[0], opacity=0, hoverinfo="skip", showlegend=False))
    return figure


def _series(figure: "go.Figure", own: list[tuple[SlicePoint, float]]) -> None:
    """Points of one recommender and modality; plotly's own whiskers have no dashes."""
    import plotly.graph_objects as go

    first = own[0][0]
    colour, group = modality_colour(first.modality), escaped(first.recommender)
    common = {"legendgroup": group, "showlegend": False}
    figure.add_trace(
        go.Scatter(
            x=[x for p, _ in own for x in (100 * p.low, 100 * p.high, None)],
            y=[each for _, y in own for each in (y, y, None)],
            mode="lines",
            line={"color": colour, "width": 1.6, "dash": MODALITY_DASHES[first.modality][0]},
            hoverinfo="skip",
            **common,
        )
    )
    looks = [marker(p.drawn_as, colour, 9) for p, _ in own]
    figure.add_trace(
        go.Scatter(
            x=[100 * p.relative for p, _ in own],
            y=[y for _, y in own],
            mode="markers",
            marker={
                "color": colour,
                "size": 9,
                "symbol": [look["symbol"] for look in looks],
                "line": {"width": [look["line"]["width"] for look in looks]},
            },
            hoverinfo="text",
            hovertext=["<br>".join(map(escaped, p.hover)) for p, _ in own],
            **common,
        )
    )


def _entry(
    figure: "go.Figure",
    label: str,
    shape: dict[str, Any] | None = None,
    line: dict[str, Any] | None = None,
    group: str = "",
) -> None:
    """A legend entry of its own; one with a group switches that recommender off and on."""
    import plotly.graph_objects as go

    figure.add_trace(
        go.Scatter(
            x=[None],
            y=[None],
            mode="markers" if shape else "lines",
            marker=shape,
            line=line,
            name=escaped(label),
            legendgroup=escaped(group or f"legend: {label}"),
        )
    )


def slice_plot_publication(
    slices: pd.DataFrame,
    slicing: str,
    kind: str,
    metric: str,
    titles: Mapping[str, str] | None = None,
    width: Width = "one",
) -> Any:
    """The slices for print: a matplotlib Figure; many stand in several columns.

    Args:
        slices: As for ``slice_plot``, as are all but the last argument.
        slicing: See there.
        kind: See there.
        metric: See there.
        titles: See there.
        width: ``one`` (3.35 in) or ``two`` columns (7.0 in).

    Raises:
        InputError: As for ``slice_plot``, or there is no such width.
    """
    plan = lay_out(slices, slicing, kind, metric, titles)
    most = max(len(each.points) for each in plan.slices)
    made, placed = on_paper(
        width,
        plan.title,
        plan.stands_on,
        plan.description,
        [each.block for each in plan.slices],
        pitch=inches(7 if most <= 6 else 5 if most <= 12 else 4.5),
        labels=0.12,
        span=plan.span,
        x_label=plan.x_label,
        handles=_handles(plan, 1.1 if width == "one" else 1.8),
    )
    for each, place in zip(plan.slices, placed, strict=True):
        for point, y in zip(each.points, place.rows, strict=True):
            colour = modality_colour(point.modality)
            place.axes.plot(
                [100 * point.low, 100 * point.high], [y, y], color=colour, lw=0.9, zorder=3,
                ls=pattern(MODALITY_DASHES[point.modality]), solid_capstyle="butt",
            )  # fmt: skip
            place.axes.plot(
                100 * point.relative, y, ls="none", zorder=4, **mark(point.drawn_as, colour, 3.6)
            )
    return finished(made)


def _handles(plan: SlicePlan, most: float) -> list[Any]:
    """Legend entries: shapes of recommenders (names of at most so many inches), lines, fillings."""
    from matplotlib.lines import Line2D

    shapes = [
        *((fit(name, most, SMALL), shape) for name, shape in plan.recommenders),
        (_FILLED, Marker("circle", "o")),
        (_HOLLOW, Marker("circle", "o", hollow=True)),
    ]
    handles = [Line2D([], [], ls="none", label=n, **mark(shape, QUIET)) for n, shape in shapes]
    lines = [
        Line2D(
            [], [], lw=1.2, color=modality_colour(modality), label=modality_label(modality),
            ls=pattern(MODALITY_DASHES[modality]),
        )
        for modality in plan.modalities
    ]  # fmt: skip
    return handles[:-2] + lines + handles[-2:]
