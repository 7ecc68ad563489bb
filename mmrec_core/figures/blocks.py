"""Rows in named blocks, one under another; in print side by side where a page has no room."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from mmrec_core.figures.paper import (
    BODY,
    INK,
    LINE,
    PAD,
    QUIET,
    SMALL,
    Sheet,
    Width,
    inches,
    number_axis,
    page_width,
    panel,
    sheet,
    text_width,
    wrap,
)
from mmrec_core.figures.paper import GRID as PAPER_GRID
from mmrec_core.figures.screen import BAND, RULE, TYPE
from mmrec_core.figures.words import escaped, shorten

if TYPE_CHECKING:
    import plotly.graph_objects as go

TALLEST = 8.4
"""Inches of rows that a page holds beside title, legend and caption."""
MOST_COLUMNS = {"one": 2, "two": 3}
_GAP, _RIGHT = 0.16, 0.09
"""Inches between two columns, and kept free at the right of each for its last tick."""
_HEADER, _NAME_LENGTH = 30, 60
"""On screen: pixels of a header, and characters of a name."""


@dataclass(frozen=True)
class Block:
    """A number of rows under a name and a note, such as what they stand on."""

    name: str
    note: str
    rows: int


@dataclass(frozen=True)
class Placed:
    """Where a block's rows are: matplotlib axes (None on screen), and heights from the top."""

    axes: Any
    header: float
    rows: tuple[float, ...]


def stack(
    blocks: Sequence[Block], pitch: float, headers: Sequence[float], axes: Any = None
) -> tuple[list[Placed], float]:
    """Blocks under one another, and their height.

    Args:
        blocks: From top to bottom.
        pitch: From row to row.
        headers: Height of each block's header, in the same unit.
        axes: Which axes they are drawn in.
    """
    placed, top = [], 0.0
    for block, header in zip(blocks, headers, strict=True):
        rows = tuple(top + header + (row + 0.5) * pitch for row in range(block.rows))
        placed.append(Placed(axes, top, rows))
        top += header + block.rows * pitch
    return placed, top


def balanced(heights: Sequence[float], columns: int) -> list[slice]:
    """Consecutive heights in at most so many columns, the highest as low as can be."""
    sums = [0.0, *accumulate(heights)]
    limits = sorted({high - low for i, low in enumerate(sums) for high in sums[i + 1 :]})
    for limit in limits:
        starts = [0]
        for end in range(1, len(sums)):
            if sums[end] - sums[starts[-1]] > limit + 1e-9:
                starts.append(end - 1)
        fits = all(height <= limit + 1e-9 for height in heights)
        if fits and len(starts) <= columns:
            break
    return [slice(a, b) for a, b in zip(starts, [*starts[1:], len(heights)], strict=True)]


def on_screen(blocks: Sequence[Block], pitch: float) -> tuple[list[Placed], int]:
    """Places in pixels from the top of a plot, and its height."""
    placed, height = stack(blocks, pitch, [_HEADER] * len(blocks))
    return placed, round(height) + 8


def screen_headers(
    figure: "go.Figure", blocks: Sequence[Block], placed: Sequence[Placed], height: int, left: int
) -> None:
    """Names and notes over their rows, a line between blocks, and a line at 0."""
    across = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y", "layer": "below"}
    zero = {"type": "line", "xref": "x", "x0": 0, "x1": 0, "yref": "y", "layer": "below"}
    bottoms = [each.header for each in placed[1:]] + [height]
    figure.update_layout(
        shapes=[
            *(
                {**across, "y0": each.header, "y1": each.header, "line": {"color": BAND}}
                for each in placed[1:]
            ),
            *(
                {
                    **zero,
                    "y0": each.header + _HEADER,
                    "y1": bottom,
                    "line": {"color": RULE, "width": 1.2},
                }
                for each, bottom in zip(placed, bottoms, strict=True)
            ),
        ],
        annotations=[
            {
                "text": f"<b>{escaped(shorten(block.name, _NAME_LENGTH))}</b>  "
                f"{escaped(block.note)}",
                "xref": "paper",
                "x": 0,
                "xanchor": "left",
                "xshift": -left + 4,
                "yref": "y",
                "y": each.header + _HEADER / 2 + 2,
                "showarrow": False,
                "align": "left",
                "font": {"size": TYPE},
            }
            for block, each in zip(blocks, placed, strict=True)
        ],
    )
    figure.update_yaxes(
        range=[height, 0], fixedrange=True, showgrid=False, showticklabels=False, showline=False
    )


def on_paper(
    width: Width,
    title: str,
    subtitle: str,
    description: str,
    blocks: Sequence[Block],
    *,
    pitch: float,
    labels: float,
    span: Sequence[float],
    x_label: str,
    handles: Sequence[Any] = (),
) -> tuple[Sheet, list[Placed]]:
    """A sheet with the blocks under their headers, in as few columns as the page allows.

    All columns have the same x axis. Heights in the axes are inches from their top.

    Args:
        width: ``one`` (3.35 in) or ``two`` columns (7.0 in).
        title: As for ``sheet``, as are the next two.
        subtitle: See there.
        description: See there.
        blocks: From top to bottom, then from left to right.
        pitch: Inches from row to row.
        labels: Inches left of the axes, for labels of rows.
        span: Ends of the x axis.
        x_label: Its label, with the unit.
        handles: Legend entries.

    Raises:
        InputError: No such width.
    """
    usable = page_width(width) - 2 * PAD
    for columns in range(1, MOST_COLUMNS[width] + 1):
        own = (usable - _GAP * (columns - 1)) / columns
        heads = _headers(blocks, own)
        heights = [_height(*head) for head in heads]
        tall = [h + block.rows * pitch for h, block in zip(heights, blocks, strict=True)]
        parts = balanced(tall, columns)
        body = max(sum(tall[part]) for part in parts) + 0.04
        if body <= TALLEST:
            break
    left = PAD + (labels if len(parts) == 1 else 0)
    right = PAD + (_RIGHT if len(parts) == 1 else 0)
    made = sheet(
        width, title, subtitle, description, body=body, left=left, right=right, x_label=x_label,
        handles=handles,
    )  # fmt: skip
    made.axes.remove()
    placed: list[Placed] = []
    for number, part in enumerate(parts):
        begin = PAD + number * (own + _GAP)
        axes_width = own - labels - _RIGHT
        axes = panel(made, begin + labels - made.left, 0, axes_width, body)
        axes.set_ylim(body, 0)
        axes.set_xlim(*span)
        number_axis(axes.xaxis, axes_width)
        axes.spines["left"].set_visible(False)
        axes.set_yticks([])
        inside, _ = stack(blocks[part], pitch, heights[part], axes)
        # Beside rows only: lines would cross the words over them.
        reach = [(min(p.rows) - pitch / 2, max(p.rows) + pitch / 2) for p in inside if p.rows]
        for low, high in reach:
            inner = [x for x in axes.get_xticks() if span[0] <= x <= span[1]]
            axes.vlines(inner, low, high, color=PAPER_GRID, lw=0.4, zorder=0.5)
            axes.vlines(0, low, high, color=QUIET, lw=0.7, zorder=1)
        for place, (names, notes) in zip(inside, heads[part], strict=True):
            _print_header(made, place, begin, own, names, notes)
        placed += inside
    return made, placed


def _headers(blocks: Sequence[Block], width: float) -> list[tuple[list[str], list[str]]]:
    """Lines of the names and of the notes; no lines of notes where they fit beside the names."""
    beside = all(
        text_width(block.name, BODY, "bold") + 0.08 + text_width(block.note, SMALL) <= width
        for block in blocks
    )
    return [
        ([block.name, block.note], [])
        if beside
        else (wrap(block.name, width, BODY, "bold"), wrap(block.note, width, SMALL))
        for block in blocks
    ]


def _height(names: list[str], notes: list[str]) -> float:
    lines = inches(LINE * (BODY * len(names) + SMALL * len(notes)))
    return 0.07 + (lines if notes else inches(LINE * BODY))


def _print_header(
    made: Sheet, place: Placed, begin: float, width: float, names: list[str], notes: list[str]
) -> None:
    """Name and note over the rows, from the column's left edge, and a line between blocks."""
    from matplotlib.transforms import blended_transform_factory

    across = made.figure.get_figwidth()
    where = blended_transform_factory(made.figure.transFigure, place.axes.transData)
    if place.header:
        place.axes.plot(
            [begin / across, (begin + width - _RIGHT) / across], [place.header] * 2,
            transform=where, color=PAPER_GRID, lw=0.5, clip_on=False, zorder=0.5,
        )  # fmt: skip
    top = place.header + 0.035
    name, note = ("\n".join(names), "\n".join(notes)) if notes else names
    common = {"transform": where, "va": "top", "ha": "left"}
    place.axes.text(
        begin / across, top, name, fontsize=BODY, fontweight="bold", color=INK, linespacing=LINE,
        clip_on=False, **common,
    )  # fmt: skip
    if notes:
        x, y = begin, top + inches(LINE * BODY * len(names))
    else:
        x, y = begin + text_width(name, BODY, "bold") + 0.08, top + inches(BODY - SMALL) * 0.75
    place.axes.text(
        x / across, y, note, fontsize=SMALL, color=QUIET, linespacing=LINE, clip_on=False, **common
    )
