"""Publication figures: sizes of a paper's columns, and a layout that measures every text.

Only matplotlib's object interface is used: pyplot keeps global state, and pages draw in threads.
Text from data is never read as mathematics.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import floor, log10
from typing import Any, Literal

from mmrec_core.domain import InputError
from mmrec_core.figures.palette import DARK_INK, Marker
from mmrec_core.figures.words import log_ticks

Width = Literal["one", "two"]
WIDTHS: dict[str, float] = {"one": 3.35, "two": 7.0}
"""Inches: one column of a two-column paper, or both."""

DPI = 300
SMALL, BODY, HEAD = 6.0, 6.5, 7.5
"""Type sizes in points: notes and legends, labels, titles."""
LINE = 1.3
INK, QUIET, GRID = "#111111", "#444444", "#DDDDDD"
PAD = 0.05
"""Inches left free at each edge of a figure."""
TICKS = BODY * LINE / 72 + 0.06
"""Inches under a set of axes for the numbers at its ticks."""
_PAGE = 11.0
"""Inches of axes, about a sheet of paper, from which on the numbers stand at the top as well."""


def page_width(width: Width) -> float:
    """Inches of a figure one or two columns wide.

    Raises:
        InputError: No such width.
    """
    if width not in WIDTHS:
        raise InputError(f"There is no width {width!r}; use one or two columns ('one', 'two').")
    return WIDTHS[width]


def inches(points: float) -> float:
    """Points as inches."""
    return points / 72


@lru_cache(maxsize=8192)
def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Width of one line of text in inches."""
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.font_manager import FontProperties

    font = FontProperties(family=["DejaVu Sans"], size=size, weight=weight)
    renderer = RendererAgg(1, 1, DPI)
    return float(renderer.get_text_width_height_descent(text, font, False)[0]) / DPI


def wrap(text: str, width: float, size: float, weight: str = "normal") -> list[str]:
    """Lines of at most ``width`` inches, broken between words; a longer word is cut with …."""
    lines: list[str] = []
    for word in re.split(" (?!%)", text):  # a number keeps its %
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(joined, size, weight) <= width:
            lines[-1] = joined
        else:
            lines.append(fit(word, width, size, weight))
    # A separator opens no line.
    return [line.removeprefix("· ").removesuffix(" ·") for line in lines]


def fit(text: str, width: float, size: float, weight: str = "normal") -> str:
    """The text, cut with an ellipsis to ``width`` inches."""
    if text_width(text, size, weight) <= width:
        return text
    fits, too_long = 0, len(text)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if text_width(text[:middle] + "…", size, weight) <= width:
            fits = middle
        else:
            too_long = middle
    return text[:fits].rstrip() + "…"


@dataclass(frozen=True)
class Sheet:
    """A figure with one set of axes whose place is known.

    Attributes:
        figure: matplotlib Figure; its label is the description for readers who cannot see it.
        axes: The axes.
        axes_width, axes_height: Their size in inches.
        left: Where they begin, in inches from the figure's left edge.
    """

    figure: Any
    axes: Any
    axes_width: float
    axes_height: float
    left: float


def sheet(
    width: Width,
    title: str,
    subtitle: str,
    description: str,
    *,
    body: float,
    left: float,
    right: float = 0.12,
    x_label: str = "",
    y_label: str = "",
    handles: Sequence[Any] = (),
    both_ends: bool = False,
) -> Sheet:
    """A new figure with title, line under it, axes of a given height, x label and legend.

    Args:
        width: ``one`` (3.35 in) or ``two`` columns (7.0 in).
        title: What the figure is about.
        subtitle: What it stands on: users, seeds, interval.
        description: One sentence for readers who cannot see the figure.
        body: Height of the axes in inches; the figure is as high as it must be.
        left: Space left of the axes in inches, tick labels and y label included.
        right: Space right of the axes.
        x_label: Label of the x axis, with its unit.
        y_label: Label of the y axis, at the figure's left edge.
        handles: Legend entries, laid under the axes in as many columns as fit.
        both_ends: Whether axes higher than a page have their x numbers at the top as well.

    Raises:
        InputError: No such width.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    across = page_width(width)
    figure = Figure(figsize=(across, 1.0), dpi=DPI)
    FigureCanvasAgg(figure)
    figure.set_label(description)
    usable = across - 2 * PAD
    heads = wrap(title, usable, HEAD, "bold")
    subs = wrap(subtitle, usable, SMALL) if subtitle else []
    axis_lines = wrap(x_label, usable, BODY) if x_label else []

    legend, legend_height = _legend(figure, handles, usable)
    head_height = inches(LINE * (HEAD * len(heads) + SMALL * len(subs))) + 0.06
    both_ends = both_ends and body > _PAGE
    head_height += TICKS if both_ends else 0
    ticks = TICKS
    axis_height = inches(BODY * LINE * len(axis_lines)) + (0.03 if axis_lines else 0)
    total = PAD + head_height + body + ticks + axis_height + legend_height + PAD
    figure.set_size_inches(across, total)

    def from_top(distance: float) -> float:
        return 1 - distance / total

    figure.text(
        PAD / across, from_top(PAD), "\n".join(heads), fontsize=HEAD, fontweight="bold",
        va="top", ha="left", color=INK, linespacing=LINE,
    )  # fmt: skip
    figure.text(
        PAD / across, from_top(PAD + inches(HEAD * LINE * len(heads)) + 0.02), "\n".join(subs),
        fontsize=SMALL, va="top", ha="left", color=QUIET, linespacing=LINE,
    )  # fmt: skip
    bottom = PAD + legend_height + axis_height + ticks
    axes_width = across - left - right
    axes = figure.add_axes((left / across, bottom / total, axes_width / across, body / total))
    if axis_lines:
        # Centred under the axes, moved inwards where it would leave the figure.
        half = max(text_width(line, BODY) for line in axis_lines) / 2
        centre = min(max(left + axes_width / 2, PAD + half), across - PAD - half)
        figure.text(
            centre / across, (bottom - ticks) / total, "\n".join(axis_lines), fontsize=BODY,
            va="top", ha="center", color=INK, linespacing=LINE,
        )  # fmt: skip
    if y_label:
        figure.text(
            PAD / across, (bottom + body / 2) / total, fit(y_label, body + 0.2, BODY),
            fontsize=BODY, rotation=90, va="center", ha="left", color=INK,
        )  # fmt: skip
    if legend is not None:
        legend.set_bbox_to_anchor((PAD / across, PAD / total), transform=figure.transFigure)
    style(axes)
    if both_ends:
        axes.spines["top"].set_visible(True)
        axes.tick_params(axis="x", top=True, labeltop=True)
    return Sheet(figure, axes, axes_width, body, left)


def _legend(figure: Any, handles: Sequence[Any], usable: float) -> tuple[Any, float]:
    """A legend in the most columns that fit, and its height in inches."""
    if not handles:
        return None, 0.0
    renderer = figure.canvas.get_renderer()
    labels = [fit(handle.get_label(), usable - 0.4, SMALL) for handle in handles]
    for columns in range(min(len(labels), 6), 0, -1):
        legend = figure.legend(
            handles, labels, loc="lower left", ncols=columns, frameon=False, fontsize=SMALL,
            borderaxespad=0, borderpad=0, labelspacing=0.45, handlelength=2.2, handletextpad=0.5,
            columnspacing=0.9, labelcolor=INK,
        )  # fmt: skip
        for text in legend.get_texts():
            text.set_parse_math(False)
        box = legend.get_window_extent(renderer)
        if box.width / DPI <= usable or columns == 1:
            break
        legend.remove()
    return legend, box.height / DPI + 0.07


def style(axes: Any) -> None:
    """Thin lines, small type, no frame above and to the right."""
    axes.tick_params(labelsize=BODY, width=0.5, length=2.5, pad=2, color=QUIET, labelcolor=INK)
    axes.tick_params(which="minor", width=0.4, length=1.5, color=QUIET)
    for side, spine in axes.spines.items():
        spine.set_linewidth(0.5)
        spine.set_color(QUIET)
        spine.set_visible(side in ("left", "bottom"))
    axes.set_axisbelow(True)


def panels(
    made: Sheet,
    number: int,
    columns: int,
    *,
    above: float,
    below: float,
    between: float,
    under: float = 0.0,
) -> list[Sheet]:
    """Several axes in the place of a sheet's axes, row by row.

    Args:
        made: The sheet; its own axes are removed.
        number: How many panels.
        columns: How many stand side by side.
        above: Inches over each panel, for its name.
        below: Inches under each panel that has another one below it.
        between: Inches between two neighbours.
        under: Inches under the last row, besides those for the numbers at its ticks.
    """
    figure, rows = made.figure, -(-number // columns)
    across, total = figure.get_size_inches()
    top = made.axes.get_position().y1 * total
    made.axes.remove()
    width = (made.axes_width - between * (columns - 1)) / columns
    height = (made.axes_height - above * rows - below * (rows - 1) - under) / rows
    cut = []
    for index in range(number):
        row, column = divmod(index, columns)
        left = made.left + column * (width + between)
        bottom = top - row * (above + height + below) - above - height
        axes = figure.add_axes((left / across, bottom / total, width / across, height / total))
        style(axes)
        cut.append(Sheet(figure, axes, width, height, left))
    return cut


def rows_down(
    made: Sheet,
    height: float,
    places: Sequence[float],
    labels: Sequence[str],
    label_width: float = 0.42,
) -> None:
    """Axes of rows: labels at the left, numbers below.

    Args:
        made: The sheet, its points already drawn.
        height: Of the plot, in rows, counted downwards.
        places: Of the rows.
        labels: A row each.
        label_width: Inches of a number on the x axis.
    """
    axes = made.axes
    axes.set_ylim(height, 0)
    number_axis(axes.xaxis, made.axes_width, label_width)
    axes.grid(axis="x", color=GRID, lw=0.4)
    axes.spines["left"].set_visible(False)
    axes.set_yticks(places)
    axes.set_yticklabels(labels)
    axes.tick_params(axis="y", length=0)


def row_heads(
    made: Sheet, heads: Sequence[tuple[str, float]], edges: Sequence[float], across: float
) -> None:
    """Names over groups of rows, from the figure's left edge, and lines between the groups.

    Args:
        made: The sheet.
        heads: Name and place of each.
        edges: Places of the lines.
        across: Inches that a name may take.
    """
    from matplotlib.transforms import blended_transform_factory

    place = blended_transform_factory(made.figure.transFigure, made.axes.transData)
    for edge in edges:
        made.axes.axhline(edge, color=GRID, lw=0.5, zorder=0)
    for name, y in heads:
        made.axes.text(
            PAD / made.figure.get_figwidth(), y, fit(name, across, BODY, "bold"), transform=place,
            fontsize=BODY, fontweight="bold", va="center", ha="left", color=INK, clip_on=False,
        )  # fmt: skip


def pattern(dash: tuple[str, tuple[float, ...]]) -> Any:
    """A pattern of ``palette.DASHES`` in matplotlib's words."""
    return (0, dash[1]) if dash[1] else "-"


def number_axis(axis: Any, length: float, label_width: float = 0.42, whole: bool = False) -> None:
    """Round ticks, as many as have room on ``length`` inches, with a true minus.

    ``whole`` leaves out what lies between whole numbers, for what is counted.
    """
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    locator = MaxNLocator(
        nbins=max(2, int(length / label_width)), steps=[1, 2, 5, 10], integer=whole
    )

    def words(value: float, _: int) -> str:
        return tick(value, max(map(_decimals, axis.get_majorticklocs())))

    axis.set_major_locator(locator)
    axis.set_major_formatter(FuncFormatter(words))


def tick(value: float, decimals: int = 0) -> str:
    """A tick's number: thousands apart, a true minus, 0 without decimals."""
    text = f"{abs(value):,.{decimals}f}"
    if not text.strip("0.,"):
        return "0"
    return f"−{text}" if value < 0 else text


def number_width(low: float, high: float, steps: int = 5) -> float:
    """Inches of the longest number on an axis from ``low`` to ``high`` with so many steps."""
    decimals = max(0, -floor(log10((high - low) / steps)))
    longest = max((tick(value, min(decimals, 9)) for value in (low, high)), key=len)
    return text_width(longest, BODY)


def _decimals(value: float) -> int:
    """How many decimals a round number needs."""
    return len(f"{value:.9f}".rstrip("0").partition(".")[2])


def log_axis(axis: Any, length: float, label_length: float = 0.5) -> None:
    """Round numbers written out, as many as have room on ``length`` inches; limits are set."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator

    low, high = axis.get_view_interval()
    axis.set_major_locator(FixedLocator(log_ticks(low, high, length / label_length)))
    axis.set_minor_locator(LogLocator(10, subs=tuple(range(2, 10)), numticks=30))
    axis.set_major_formatter(FuncFormatter(lambda value, _: tick(value, _decimals(value))))
    axis.set_minor_formatter(FuncFormatter(lambda value, _: ""))


def panel(made: Sheet, left: float, top: float, width: float, height: float) -> Any:
    """Further axes at a place in inches from the upper left corner of the sheet's own."""
    across, total = made.figure.get_size_inches()
    upper = made.axes.get_position().y1
    axes = made.figure.add_axes(
        ((made.left + left) / across, upper - (top + height) / total, width / across,
         height / total)
    )  # fmt: skip
    style(axes)
    return axes


def mark(shape: Marker, colour: str, size: float = 3.8) -> dict[str, Any]:
    """A marker in matplotlib's words; the dark edge keeps pale colours visible."""
    return {
        "marker": shape.matplotlib,
        "markersize": 1.37 * size if shape.matplotlib == "*" else size,
        "markerfacecolor": "white" if shape.hollow else colour,
        "markeredgecolor": colour if shape.hollow else DARK_INK,
        "markeredgewidth": 0.9 if shape.hollow else 0.35,
    }


def finished(made: Sheet) -> Any:
    """The figure, with all its text taken as it is written (``$`` opens no mathematics)."""
    from matplotlib.text import Text

    for text in made.figure.findobj(Text):
        text.set_parse_math(False)
        text.set_fontfamily(["DejaVu Sans"])
    return made.figure
