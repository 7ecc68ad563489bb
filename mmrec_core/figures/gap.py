"""Modality gap: where pictures and texts lie in the space that they share."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mmrec_core.domain import InputError
from mmrec_core.figures.palette import MODALITY_DASHES, modality_colour, modality_label
from mmrec_core.figures.paper import GRID as PAPER_GRID
from mmrec_core.figures.paper import (
    INK,
    LINE,
    SMALL,
    Width,
    finished,
    number_axis,
    pattern,
    sheet,
    text_width,
)
from mmrec_core.figures.screen import faded, legend_rows, screen
from mmrec_core.figures.words import check_columns, count, escaped, known_as, subject, three

if TYPE_CHECKING:
    import plotly.graph_objects as go

_MOST_BINS = 60
_CEILING = 1.22
"""Height of the axes, in that of the highest bar: the bracket stands in what is over."""


@dataclass(frozen=True)
class _Side:
    """Items of one modality: shares of them in every bin, in per cent."""

    modality: str
    name: str
    n: int
    mean: float
    shares: np.ndarray

    @property
    def label(self) -> str:
        return f"{self.name} ({count([self.n], 'item', 'items')})"

    @property
    def colour(self) -> str:
        return modality_colour(self.modality)


@dataclass(frozen=True)
class _Plan:
    """Both sides on common bins."""

    sides: tuple[_Side, _Side]
    edges: np.ndarray
    gap: float
    accuracy: float
    space: str
    unknown: int

    x_label = "Position on the line between the two means"
    y_label = "Share of the modality's items (%)"

    @property
    def title(self) -> str:
        return f"Modality gap of {self.space}" if self.space else "Modality gap"

    @property
    def gap_label(self) -> str:
        return f"gap {three(self.gap)}"

    @property
    def highest(self) -> float:
        return max(float(side.shares.max()) for side in self.sides)

    @property
    def _probe(self) -> str:
        total = sum(side.n for side in self.sides)
        chance = max(side.n for side in self.sides) / total
        if not isfinite(self.accuracy):
            return "no probe"
        return (
            f"linear probe tells them apart in {three(100 * self.accuracy)} % of cases "
            f"(largest side: {three(100 * chance)} %)"
        )

    @property
    def stands_on(self) -> str:
        sizes = [side.n for side in self.sides]
        equal = sizes[0] == sizes[1]
        items = count(sizes[:1], "item", "items") + " each" if equal else ""
        gone = f"{self.unknown:,} without a position, not drawn" if self.unknown else ""
        return subject((items, self._probe, gone))

    @property
    def description(self) -> str:
        means = ", ".join(f"{side.label} around {three(side.mean)}" for side in self.sides)
        gone = f"; {self.unknown:,} items without a position" if self.unknown else ""
        return (
            f"{self.title}: the means of {self.sides[0].name} and {self.sides[1].name} are "
            f"{three(self.gap)} apart; positions on the line between them: {means}; "
            f"{self._probe}{gone}."
        )


def _lay_out(
    positions: pd.DataFrame,
    gap: float,
    accuracy: float | None,
    titles: Mapping[str, str] | None,
    space: str,
) -> _Plan:
    check_columns(positions, ("modality", "position"), "positions")
    if not (isfinite(gap) and gap >= 0):
        raise InputError(f"The gap is {gap}; it must be a number from 0 up.")
    share = float("nan") if accuracy is None else float(accuracy)
    if share < 0 or share > 1:
        raise InputError(f"The probe's accuracy is {accuracy}; it must lie between 0 and 1.")
    values = positions["position"].to_numpy(dtype=float, na_value=np.nan)
    known = np.isfinite(values)
    names = positions["modality"].astype(str).to_numpy()
    modalities = sorted(set(names[known]), key=[*MODALITY_DASHES, *names].index)
    if len(modalities) != 2:
        there = ", ".join(modalities) or "none"
        raise InputError(
            "A modality gap lies between two modalities that have positions; "
            f"the table has {len(modalities)}: {there}."
        )
    low, high = float(values[known].min()), float(values[known].max())
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    bins = int(min(_MOST_BINS, max(8, np.sqrt(known.sum()))))
    edges = np.linspace(low, high, bins + 1)
    sides = []
    for modality in modalities:
        own = values[known & (names == modality)]
        shares = 100 * np.histogram(own, edges)[0] / len(own)
        label = modality_label(modality) if not titles else known_as(modality, titles)
        sides.append(_Side(modality, label, len(own), float(own.mean()), shares))
    first, second = sides
    unknown = int((~known).sum())
    return _Plan((first, second), edges, float(gap), share, known_as(space, None), unknown)


def modality_gap_description(
    positions: pd.DataFrame,
    gap: float,
    accuracy: float | None,
    titles: Mapping[str, str] | None = None,
    *,
    space: str = "",
) -> str:
    """What the plot of the same arguments shows, in one sentence, with the number of items."""
    return _lay_out(positions, gap, accuracy, titles, space).description


def modality_gap(
    positions: pd.DataFrame,
    gap: float,
    accuracy: float | None,
    titles: Mapping[str, str] | None = None,
    *,
    space: str = "",
) -> "go.Figure":
    """Histograms of the positions of two modalities between their means; interactive.

    Args:
        positions: One row an item and modality: modality (two of ``image``, ``text``,
            ``joint``), position (on the line between the two means; NaN where there is none).
        gap: Distance of the two means.
        accuracy: Share of vectors whose modality a linear probe tells; None where there is none.
        titles: Modality -> how it is shown.
        space: Name on screen of the shared space.

    Raises:
        InputError: A column is missing, there are not two modalities with positions, or a number
            makes no sense.
    """
    import plotly.graph_objects as go

    plan = _lay_out(positions, gap, accuracy, titles, space)
    figure = screen(
        plan.title,
        plan.stands_on,
        plan.description,
        height=300,
        legend_rows=legend_rows([side.label for side in plan.sides]),
    )
    centres = (plan.edges[1:] + plan.edges[:-1]) / 2
    for side in plan.sides:
        figure.add_trace(
            go.Scatter(
                x=[plan.edges[0], *centres, plan.edges[-1]],
                y=[0, *side.shares, 0],
                mode="lines",
                name=escaped(side.label),
                fill="tozeroy",
                fillcolor=faded(side.colour, 0.35),
                line={
                    "color": side.colour,
                    "width": 2,
                    "shape": "hvh",
                    "dash": MODALITY_DASHES[side.modality][0],
                },
                hoverinfo="text",
                hovertext=[
                    "",
                    *(
                        f"{escaped(side.name)}<br>{three(low)} to {three(high)}<br>"
                        f"{three(share)} % of its items"
                        for low, high, share in zip(
                            plan.edges[:-1], plan.edges[1:], side.shares, strict=True
                        )
                    ),
                    "",
                ],
            )
        )
    left, right = sorted(side.mean for side in plan.sides)
    height = 1.08 * plan.highest
    line = {"color": "rgb(127,127,127)", "width": 1.5}
    foot = 0.03 * plan.highest
    figure.update_layout(
        shapes=[
            {"type": "line", "x0": x0, "x1": x1, "y0": y0, "y1": y1, "line": line}
            for x0, x1, y0, y1 in (
                (left, right, height, height),
                (left, left, height - foot, height + foot),
                (right, right, height - foot, height + foot),
            )
        ]
        + [
            {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": height, "layer": "below",
             "line": {**line, "width": 1, "dash": "dot"}}
            for x in (left, right)
        ],
        annotations=[
            {"text": escaped(plan.gap_label), "x": (left + right) / 2, "y": height,
             "yanchor": "bottom", "showarrow": False}
        ],
    )  # fmt: skip
    figure.update_xaxes(title_text=plan.x_label, tickformat="~g")
    figure.update_yaxes(title_text=plan.y_label, range=[0, _CEILING * plan.highest])
    return figure


def modality_gap_publication(
    positions: pd.DataFrame,
    gap: float,
    accuracy: float | None,
    titles: Mapping[str, str] | None = None,
    width: Width = "one",
    *,
    space: str = "",
) -> Any:
    """The modality gap for print: a matplotlib Figure.

    Args:
        positions: As for ``modality_gap``, as are all but ``width``.
        gap: See there.
        accuracy: See there.
        titles: See there.
        width: ``one`` (3.35 in) or ``two`` columns (7.0 in).
        space: See there.

    Raises:
        InputError: As for ``modality_gap``, or there is no such width.
    """
    from matplotlib.colors import to_rgba
    from matplotlib.patches import Patch

    plan = _lay_out(positions, gap, accuracy, titles, space)
    looks = [
        {
            "facecolor": to_rgba(side.colour, 0.35),
            "edgecolor": side.colour,
            "linewidth": 0.9,
            "linestyle": pattern(MODALITY_DASHES[side.modality]),
        }
        for side in plan.sides
    ]
    made = sheet(
        width,
        plan.title,
        plan.stands_on,
        plan.description,
        body=1.6 if width == "one" else 2.2,
        left=0.5,
        x_label=plan.x_label,
        y_label=plan.y_label,
        handles=[
            Patch(**look, label=side.label) for side, look in zip(plan.sides, looks, strict=True)
        ],
    )
    axes = made.axes
    for side, look in zip(plan.sides, looks, strict=True):
        axes.stairs(side.shares, plan.edges, fill=True, baseline=0, **look)
    top = plan.highest
    axes.set_ylim(0, _CEILING * top)
    pad = 0.03 * float(plan.edges[-1] - plan.edges[0])
    axes.set_xlim(plan.edges[0] - pad, plan.edges[-1] + pad)
    number_axis(axes.xaxis, made.axes_width)
    number_axis(axes.yaxis, made.axes_height, 0.3)
    axes.grid(axis="y", color=PAPER_GRID, lw=0.4)
    left, right = sorted(side.mean for side in plan.sides)
    height, foot = 1.05 * top, 0.02 * top
    for x in (left, right):
        axes.plot([x, x], [0, height], color=INK, lw=0.5, ls=(0, (1, 1.6)), zorder=3)
        axes.plot([x, x], [height - foot, height + foot], color=INK, lw=0.8, zorder=4)
    axes.plot([left, right], [height, height], color=INK, lw=0.8, zorder=4)
    # Over the bracket, and not over the edge of the axes.
    span = float(axes.get_xlim()[1] - axes.get_xlim()[0])
    half = text_width(plan.gap_label, SMALL) / 2 / made.axes_width * span
    low, high = axes.get_xlim()
    centre = min(max((left + right) / 2, low + half), high - half)
    axes.text(
        centre, height + 0.03 / made.axes_height * _CEILING * top, plan.gap_label, fontsize=SMALL,
        va="bottom", ha="center", color=INK, linespacing=LINE,
    )  # fmt: skip
    return finished(made)
