"""Agreement map: how alike the lists of every two arms are."""

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pandas as pd

from mmrec_core.figures.agreement_rows import AgreementPlan, lay_out
from mmrec_core.figures.palette import OUTLINE, ink_on
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
    number_axis,
    page_width,
    panel,
    sheet,
    text_width,
    wrap,
)
from mmrec_core.figures.screen import SMALL_TYPE, screen
from mmrec_core.figures.words import escaped, shorten, subject

if TYPE_CHECKING:
    import plotly.graph_objects as go

_NAME_LENGTH = 44
_WITH_VALUES = 8
"""Most arms whose cells have room for a value on a narrow screen; hover has it always."""


def agreement_map_description(
    agreement: pd.DataFrame, measure: str, titles: Mapping[str, str] | None = None
) -> str:
    """What the map of the same arguments shows, in one sentence, with users and seeds."""
    return lay_out(agreement, measure, titles).description


def agreement_map(
    agreement: pd.DataFrame, measure: str, titles: Mapping[str, str] | None = None
) -> "go.Figure":
    """A heat map of arms by arms, below the diagonal, on which their names stand; interactive.

    Args:
        agreement: Every unordered pair of arms once, for each measure: arm_a, arm_b (such as
            ``vbpr · image · shuffle``), measure, value (mean over users and seeds; NaN where
            there is none), low, high (95 % interval), k (length of the lists), n_users, seeds.
        measure: ``overlap``, ``jaccard``, ``rbo`` (from 0 to 1) or ``kendall`` (from -1 to 1).
        titles: Name of a recommender -> how it is shown.

    Raises:
        InputError: A column is missing, the measure is unknown, a pair is there twice or is one
            arm with itself, the lists differ in length, or there is nothing to draw.
    """
    import plotly.graph_objects as go

    plan = lay_out(agreement, measure, titles)
    n = len(plan.arms)
    pitch = 30 if n <= 12 else 20
    names = [shorten(name, _NAME_LENGTH) for name in plan.names]
    # Names run to the right of the diagonal: the last ones out of the map.
    right = min(330, 8 + max(round(7.0 * len(name)) for name in names[-(n // 3 + 1) :]))
    figure = screen(
        plan.title,
        plan.stands_on,
        plan.description,
        height=n * pitch,
        left=16,
        right=right,
    )
    rows: list[list[float | None]] = [[None] * n for _ in range(n)]
    texts = [[""] * n for _ in range(n)]
    for cell in plan.cells:
        rows[cell.row][cell.column] = cell.value
        texts[cell.row][cell.column] = "<br>".join(map(escaped, plan.hover(cell)))
    low, high = plan.ends
    last = len(plan.scale) - 1
    figure.add_trace(
        go.Heatmap(
            z=rows,
            x=list(range(n)),
            y=list(range(n)),
            zmin=low,
            zmax=high,
            colorscale=[[place / last, colour] for place, colour in enumerate(plan.scale)],
            xgap=1,
            ygap=1,
            hoverongaps=False,
            hoverinfo="text",
            hovertext=texts,
            colorbar={
                "orientation": "h",
                "x": 0,
                "xanchor": "left",
                "y": 0,
                "yanchor": "top",
                "ypad": 12,
                "len": 300,
                "lenmode": "pixels",
                "thickness": 12,
                "tickfont": {"size": SMALL_TYPE},
            },
        )
    )
    common: dict[str, Any] = {"xref": "x", "yref": "y", "showarrow": False}
    notes = [
        {"text": f"{escaped(name)}", "x": place - 0.5, "y": place, "xanchor": "left",
         "font": {"size": SMALL_TYPE}, **common}
        for place, name in enumerate(names)
    ]  # fmt: skip
    if n <= _WITH_VALUES:
        notes += [
            {"text": cell.text, "x": cell.column, "y": cell.row,
             "font": {"size": SMALL_TYPE, "color": ink_on(plan.colour(cell.value))}, **common}
            for cell in plan.cells
        ]  # fmt: skip
    notes += [{"text": "×", "x": x, "y": y, **common} for y, x in plan.gone]
    notes.append(
        {"text": escaped(plan.bar_label), "xref": "paper", "x": 0, "xanchor": "left",
         "yref": "paper", "y": 0, "yanchor": "top", "yshift": -48, "showarrow": False,
         "font": {"size": SMALL_TYPE}}
    )  # fmt: skip
    figure.update_layout(annotations=notes, margin={"b": 80}, height=figure.layout.height + 24)
    bare = {"showgrid": False, "showticklabels": False, "showline": False, "fixedrange": True}
    # A single cell would be a banner.
    figure.update_xaxes(range=[-0.5, max(n, 8) - 0.5], **bare)
    figure.update_yaxes(range=[n - 0.5, -0.5], **bare)
    return figure


def agreement_map_publication(
    agreement: pd.DataFrame,
    measure: str,
    titles: Mapping[str, str] | None = None,
    width: Width = "one",
) -> Any:
    """The agreement map for print: a matplotlib Figure; values are left out where cells are small.

    Args:
        agreement: As for ``agreement_map``, as are all but the last argument.
        measure: See there.
        titles: See there.
        width: ``one`` (3.35 in) or ``two`` columns (7.0 in).

    Raises:
        InputError: As for ``agreement_map``, or there is no such width.
    """
    plan = lay_out(agreement, measure, titles)
    n, usable = len(plan.arms), page_width(width) - 2 * PAD
    widest = max(text_width(cell.text, SMALL) for cell in plan.cells) + 0.03
    cell_width = _cell_width(plan, usable, 1.45 if width == "one" else 2.4)
    if cell_width < widest:
        # Shorter names, where they make room for values.
        wider = _cell_width(plan, usable, 1.0 if width == "one" else 1.6)
        cell_width = wider if wider >= widest else cell_width
    values = cell_width >= widest
    signs = plan.diverging and not values and any(cell.value < 0 for cell in plan.cells)
    cell_height = max(inches(8.5), min(0.8 * cell_width, 0.24))
    map_height = n * cell_height
    label = wrap(plan.bar_label, usable, BODY)
    label_height = inches(BODY * LINE * len(label)) + 0.03
    bar_height = 0.09
    made = sheet(
        width,
        plan.title,
        subject((plan.stands_on, "−: below 0" if signs else "")),
        plan.description,
        body=map_height + 0.1 + label_height + bar_height,
        left=PAD,
        right=PAD,
    )
    made.axes.remove()
    axes = panel(made, 0, 0, n * cell_width, map_height)
    axes.set_xlim(-0.5, n - 0.5)
    axes.set_ylim(n - 0.5, -0.5)
    axes.set_axis_off()
    axes.set_xticks([])
    axes.set_yticks([])
    _draw(axes, plan, values)
    for place, arm in enumerate(plan.arms):
        room = usable - place * cell_width - 0.03
        axes.text(
            place - 0.5 + 0.03 / cell_width, place, _name(arm, room, cell_height),
            fontsize=SMALL, va="center", ha="left", color=INK, linespacing=1.1, clip_on=False,
        )  # fmt: skip
    _print_bar(made, plan, label, (map_height + 0.1, label_height, bar_height))
    return finished(made)


def _cell_width(plan: AgreementPlan, usable: float, most: float) -> float:
    """Inches of a cell, so that names have room from the diagonal to the edge of the page.

    Args:
        plan: Whose names are to be written.
        usable: Inches of the page.
        most: Inches of a name; longer ones are cut.
    """
    names = [min(text_width(name, SMALL), most) + 0.04 for name in plan.names]
    return min(0.42, *((usable - w) / place for place, w in enumerate(names) if place))


def _name(arm: tuple[str, str], width: float, height: float) -> str:
    """An arm in a room of so many inches, on two lines where both help.

    The recommender is cut first, for the rest tells its arms apart.
    """
    name, rest = arm
    lines = wrap(subject(arm), width, SMALL)
    if len(lines) <= (2 if height >= inches(2 * SMALL * LINE) else 1):
        return "\n".join(lines)
    tail = f" · {rest}" if rest else ""
    left = width - text_width(tail, SMALL)
    return fit(name, left, SMALL) + tail if left >= 0.3 else fit(name + tail, width, SMALL)


def _draw(axes: Any, plan: AgreementPlan, values: bool) -> None:
    """Cells with or without their values; crosses where there is none."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    def squares(places: list[tuple[int, int]], side: float = 1.0) -> list[Any]:
        return [Rectangle((x - side / 2, y - side / 2), side, side) for y, x in places]

    colours = [plan.colour(cell.value) for cell in plan.cells]
    axes.add_collection(
        PatchCollection(
            squares([(cell.row, cell.column) for cell in plan.cells]),
            facecolors=colours, edgecolors="white", linewidths=0.4,
        )
    )  # fmt: skip
    for cell, colour in zip(plan.cells, colours, strict=True):
        ink = ink_on(colour)
        if values:
            axes.text(
                cell.column, cell.row, cell.text, fontsize=SMALL, va="center_baseline",
                ha="center", color=ink,
            )  # fmt: skip
        elif plan.diverging and cell.value < 0:
            # In grey both ends of the colours are dark.
            axes.plot(cell.column, cell.row, marker="_", ms=3.4, mew=0.8, color=ink)
    if plan.gone:
        axes.add_collection(
            PatchCollection(
                squares(list(plan.gone), 0.9), facecolors="none", edgecolors=OUTLINE, linewidths=0.3
            )
        )
        axes.plot(
            [x for _, x in plan.gone], [y for y, _ in plan.gone], ls="none", marker="x", ms=3,
            mew=0.6, color=QUIET,
        )  # fmt: skip


def _print_bar(made: Any, plan: AgreementPlan, label: list[str], places: tuple[float, ...]) -> None:
    """The colours with their numbers, under what they measure."""
    top, label_height, height = places
    long = min(2.2, made.axes_width - 0.3)
    axes = panel(made, 0.14, top + label_height, long, height)
    low, high = plan.ends
    edges = [low + (high - low) * i / 100 for i in range(101)]
    for left, right in pairwise(edges):
        axes.axvspan(left, right, color=plan.colour((left + right) / 2), lw=0)
    axes.set_xlim(low, high)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    number_axis(axes.xaxis, long)
    axes.text(
        -0.14 / long, 1 + label_height / height, "\n".join(label), transform=axes.transAxes,
        fontsize=BODY, va="top", ha="left", color=INK, linespacing=LINE,
    )  # fmt: skip
