"""Alignment matrix: how alike every two embedding spaces are, against chance."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pandas as pd

from mmrec_core.figures.alignment_cells import Cell, Plan, lay_out
from mmrec_core.figures.palette import CONTROL, OUTLINE, SEQUENTIAL, SPACE_MARKERS, ink_on, shade
from mmrec_core.figures.paper import (
    BODY,
    INK,
    LINE,
    PAD,
    QUIET,
    SMALL,
    Width,
    finished,
    fit,
    inches,
    mark,
    number_axis,
    page_width,
    panel,
    sheet,
    text_width,
    wrap,
)
from mmrec_core.figures.screen import BAND, SMALL_TYPE, screen
from mmrec_core.figures.spaces import (
    SYMBOL,
    key_in_print,
    key_in_words,
    names_beside,
    names_width,
)
from mmrec_core.figures.words import escaped, subject

if TYPE_CHECKING:
    import plotly.graph_objects as go

_THREE_LINES, _ONE_LINE = 7, 16
"""Most spaces whose cells hold all numbers on a screen, and the calibrated one alone."""
_INSIDE = (
    "in the cells: calibrated value, raw value, null band",
    "in the cells: calibrated value",
)
_HEAVY = 7.0
"""Type size of a calibrated value in print."""
_CORNER = 0.26
"""Side of a corner mark, as a share of the smaller side of a cell."""


def alignment_matrix_description(
    table: pd.DataFrame,
    measure: str,
    titles: Mapping[str, str] | None = None,
    *,
    label: str = "",
    distance: bool = False,
    modalities: Mapping[str, str] | None = None,
) -> str:
    """What the matrix of the same arguments shows, in one sentence, with spaces and items."""
    return lay_out(table, measure, titles, label, distance, modalities).description


def alignment_matrix(
    table: pd.DataFrame,
    measure: str,
    titles: Mapping[str, str] | None = None,
    *,
    label: str = "",
    distance: bool = False,
    modalities: Mapping[str, str] | None = None,
) -> "go.Figure":
    """A symmetric heat map of spaces by spaces, coloured by the calibrated value; interactive.

    Args:
        table: Every unordered pair of spaces once, for each measure: space_a, space_b, measure,
            n (items in both), raw, null_low, null_high (of items paired by chance), p,
            calibrated (0 to 1; NaN where there is none).
        measure: Which rows are drawn.
        titles: Key of a space -> how it is shown.
        label: Name of the measure on screen; without one its key.
        distance: Whether a lower raw value means more alike.
        modalities: Key of a space -> ``image``, ``text``, ``joint`` or ``none`` (learnt from
            behaviour alone; also where a space is not named).

    Raises:
        InputError: A column is missing, a pair is there twice or is one space with itself, a
            value or a modality makes no sense, or there is nothing to draw.
    """
    import plotly.graph_objects as go

    plan = lay_out(table, measure, titles, label, distance, modalities)
    n = len(plan.shown)
    pitch = 52 if n <= _THREE_LINES else 32
    inside = "" if n > _ONE_LINE else _INSIDE[n > _THREE_LINES]
    figure = screen(
        plan.title,
        plan.stands_on(""),
        plan.description,
        height=n * pitch,
        right=90,
    )
    # Room for the turned names: plotly would take it from the cells.
    names = [each.on_screen(22) for each in plan.shown]
    longest = min(22, max(len(each.name) for each in plan.shown)) + 2
    below = 56 + round(longest * (4.4 if n <= _THREE_LINES else 7.2))
    figure.update_layout(margin={"b": below}, height=figure.layout.height - 56 + below)
    values: list[list[float | None]] = [[None] * n for _ in range(n)]
    texts = [[""] * n for _ in range(n)]
    for cell in plan.cells:
        for y, x in _both(cell.row, cell.column):
            values[y][x] = cell.calibrated
            texts[y][x] = "<br>".join(map(escaped, plan.hover(cell)))
    last = len(SEQUENTIAL) - 1
    figure.add_trace(
        go.Heatmap(
            z=values,
            x=list(range(n)),
            y=list(range(n)),
            zmin=0,
            zmax=1,
            colorscale=[[place / last, colour] for place, colour in enumerate(SEQUENTIAL)],
            xgap=1,
            ygap=1,
            hoverongaps=False,
            hoverinfo="text",
            hovertext=texts,
            colorbar={
                "title": {"text": "calibrated", "side": "right", "font": {"size": SMALL_TYPE}},
                "x": 1,
                "xanchor": "left",
                "thickness": 12,
                "tickvals": [0, 0.2, 0.4, 0.6, 0.8, 1],
                "tickfont": {"size": SMALL_TYPE},
            },
        )
    )
    common: dict[str, Any] = {"xref": "x", "yref": "y", "showarrow": False}
    notes = [{"text": "×", "x": x, "y": y, **common} for pair in plan.gone for y, x in _both(*pair)]
    shapes = [
        {"type": "rect", "xref": "x", "yref": "y", "x0": i - 0.49, "x1": i + 0.49, "y0": i - 0.48,
         "y1": i + 0.48, "fillcolor": BAND, "line": {"width": 0}}
        for i in range(n)
    ]  # fmt: skip
    for cell in plan.cells:
        ink = ink_on(cell.colour)
        for y, x in _both(cell.row, cell.column):
            if inside:
                notes.append(
                    {"text": _inside(cell, plan, n), "x": x, "y": y, **common,
                     "font": {"size": SMALL_TYPE, "color": ink}}
                )  # fmt: skip
            if cell.by_chance:
                side, right, top = 1.2 * _CORNER, x + 0.49, y - 0.48
                left, low = right - 0.6 * side, top + side
                shapes.append(
                    {"type": "path", "xref": "x", "yref": "y", "fillcolor": ink,
                     "line": {"width": 0},
                     "path": f"M {left},{top} L {right},{top} L {right},{low} Z"}
                )  # fmt: skip
    figure.update_layout(annotations=notes, shapes=shapes)
    bare = {"showgrid": False, "showline": False, "fixedrange": True, "tickmode": "array"}
    places = list(range(n))
    figure.update_xaxes(
        # Few cells would be banners.
        range=[-0.5, max(n, 5) - 0.5], tickvals=places, ticktext=names, **bare,
        tickangle=-35 if n <= _THREE_LINES else -90,
        title_text=escaped(subject((inside, key_in_words(plan.shown)))),
    )  # fmt: skip
    figure.update_yaxes(range=[n - 0.5, -0.5], tickvals=places, ticktext=names, **bare)
    return figure


def _both(row: int, column: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """A pair's two cells, as (y, x)."""
    return (row, column), (column, row)


def _inside(cell: Cell, plan: Plan, n: int) -> str:
    """Text of a cell on screen."""
    first, *more = cell.lines(plan.decimals, n > _THREE_LINES)
    if n > _THREE_LINES:
        return f'<span style="font-size:10px">{first}</span>'
    return f"<b>{first}</b>" + "".join(
        f'<br><span style="font-size:10px">{each}</span>' for each in more
    )


def alignment_matrix_publication(
    table: pd.DataFrame,
    measure: str,
    titles: Mapping[str, str] | None = None,
    width: Width = "one",
    *,
    label: str = "",
    distance: bool = False,
    modalities: Mapping[str, str] | None = None,
) -> Any:
    """The alignment matrix for print: a matplotlib Figure; small cells hold fewer numbers.

    Args:
        table: As for ``alignment_matrix``, as are all but ``width``.
        measure: See there.
        titles: See there.
        width: ``one`` (3.35 in) or ``two`` columns (7.0 in).
        label: See there.
        distance: See there.
        modalities: See there.

    Raises:
        InputError: As for ``alignment_matrix``, or there is no such width.
    """
    plan = lay_out(table, measure, titles, label, distance, modalities)
    n, usable = len(plan.shown), page_width(width) - 2 * PAD
    texts, names, cell_width = _numbers(plan, usable, width)
    held = max(map(len, texts), default=0)
    cell_height = max(inches(9), inches(LINE * (_HEAVY + SMALL * (held - 1))) + 0.03 if held else 0)
    if held < 3:
        cell_height = max(cell_height, 0.7 * min(cell_width, 0.4))
    under, turned = _names_under(plan, cell_width)
    tall = (
        max(text_width(each, SMALL) for each in under)
        if turned
        else inches(SMALL * LINE) * max(each.count("\n") + 1 for each in under)
    )
    below = SYMBOL + 0.06 + tall
    bar_label = wrap(plan.bar_label, usable, BODY)
    label_height, bar_height = inches(BODY * LINE * len(bar_label)) + 0.03, 0.09
    map_height = n * cell_height
    made = sheet(
        width,
        plan.title,
        plan.stands_on(_INSIDE[held < 3] if held else ""),
        plan.description,
        body=map_height + below + 0.08 + label_height + bar_height,
        left=PAD,
        right=PAD,
        handles=key_in_print(plan.shown),
    )
    made.axes.remove()
    axes = panel(made, names, 0, n * cell_width, map_height)
    axes.set_xlim(-0.5, n - 0.5)
    axes.set_ylim(n - 0.5, -0.5)
    axes.set_axis_off()
    axes.set_xticks([])
    axes.set_yticks([])
    _draw(axes, plan, texts, (cell_width, cell_height))
    names_beside(axes, plan.shown, range(n), names, n * cell_width)
    across = axes.get_xaxis_transform()
    for place, (each, text) in enumerate(zip(plan.shown, under, strict=True)):
        axes.plot(
            place, -(0.02 + SYMBOL / 2) / map_height, transform=across, clip_on=False, ls="none",
            **mark(SPACE_MARKERS[each.modality], each.colour, 3.4),
        )  # fmt: skip
        axes.text(
            place, -(0.04 + SYMBOL) / map_height, text, transform=across, fontsize=SMALL,
            rotation=90 if turned else 0, va="top", ha="center", color=INK, linespacing=LINE,
            clip_on=False,
        )  # fmt: skip
    _bar(made, bar_label, map_height + below + 0.08, label_height, bar_height)
    return finished(made)


def _numbers(plan: Plan, usable: float, width: Width) -> tuple[list[list[str]], float, float]:
    """Lines in each cell, inches of the names at the left, and inches of a cell.

    All numbers where they fit, then with shorter names, then without the 0 before the point;
    then the calibrated values alone, then none.
    """
    n = len(plan.shown)
    wide, narrow = ((1.1, 0.7) if width == "one" else (1.7, 1.0)) if n > 2 else (1.3, 0.9)
    ways: list[tuple[float, int, bool, int]] = [
        (most, plan.decimals, bare, 3) for bare in (False, True) for most in (wide, narrow)
    ]
    ways += [(narrow, 2, True, 3), *((most, 2, bare, 1) for bare in (False, True)
                                     for most in (wide, narrow))]  # fmt: skip
    for most, decimals, bare, held in ways:
        names = names_width(plan.shown, most)
        cell = min(0.62, (usable - names) / n)
        texts = [each.lines(decimals, bare)[:held] for each in plan.cells]
        looks = {(text, place == 0) for lines in texts for place, text in enumerate(lines)}
        needed = max(
            text_width(text, _HEAVY, "bold") if first else text_width(text, SMALL)
            for text, first in looks
        )
        if needed + 0.05 <= cell:
            return texts, names, cell
    names = names_width(plan.shown, narrow)
    return [[] for _ in plan.cells], names, min(0.62, (usable - names) / n)


def _names_under(plan: Plan, cell: float) -> tuple[list[str], bool]:
    """Names under the columns, and whether they are turned: level where all fit on few lines."""
    level = [wrap(each.name, cell - 0.04, SMALL) for each in plan.shown]
    if all(len(lines) <= 3 and not any("…" in each for each in lines) for lines in level):
        return ["\n".join(lines) for lines in level], False
    return [fit(each.name, 1.1, SMALL) for each in plan.shown], True


def _draw(axes: Any, plan: Plan, texts: Sequence[Sequence[str]], size: tuple[float, float]) -> None:
    """Cells with their numbers and corner marks, the grey diagonal, crosses without a value."""
    from matplotlib.patches import Polygon, Rectangle

    def square(y: int, x: int, **look: Any) -> None:
        axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, **look))

    for i in range(len(plan.shown)):
        square(i, i, facecolor=CONTROL, alpha=0.35, edgecolor="white", linewidth=0.4)
    width, height = size
    side = _CORNER * min(width, height)
    line = inches(LINE * SMALL) / height
    for cell, lines in zip(plan.cells, texts, strict=True):
        colour = cell.colour
        ink = ink_on(colour)
        for y, x in _both(cell.row, cell.column):
            square(y, x, facecolor=colour, edgecolor="white", linewidth=0.4)
            first = y - line * (len(lines) - 1) / 2
            for place, text in enumerate(lines):
                axes.text(
                    x, first + place * line, text, fontsize=_HEAVY if place == 0 else SMALL,
                    fontweight="bold" if place == 0 else "normal", va="center_baseline",
                    ha="center", color=ink,
                )  # fmt: skip
            if cell.by_chance:
                right, top = x + 0.47, y - 0.46
                corner = [
                    (right - side / width, top), (right, top), (right, top + side / height)
                ]  # fmt: skip
                axes.add_patch(Polygon(corner, facecolor=ink, linewidth=0))
    for pair in plan.gone:
        for y, x in _both(*pair):
            square(y, x, facecolor="none", edgecolor=OUTLINE, linewidth=0.3)
            axes.plot(x, y, ls="none", marker="x", ms=3, mew=0.6, color=QUIET)


def _bar(made: Any, label: Sequence[str], top: float, label_height: float, height: float) -> None:
    """The colours with their numbers, under what they measure."""
    long = min(2.2, made.axes_width - 0.3)
    axes = panel(made, 0.14, top + label_height, long, height)
    for left, right in pairwise(i / 100 for i in range(101)):
        axes.axvspan(left, right, color=shade(SEQUENTIAL, (left + right) / 2), lw=0)
    axes.set_xlim(0, 1)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    number_axis(axes.xaxis, long)
    axes.text(
        -0.14 / long, 1 + label_height / height, "\n".join(label), transform=axes.transAxes,
        fontsize=BODY, va="top", ha="left", color=INK, linespacing=LINE,
    )  # fmt: skip
