"""Gain: what recommenders gain from a space, against what its neighbours say of behaviour."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mmrec_core.domain import InputError
from mmrec_core.figures.labels import Box, around, leader, place_on_map
from mmrec_core.figures.palette import (
    FILLED_MARKERS,
    OUTLINE,
    SPACE_FILLS,
    SPACE_MARKERS,
    Marker,
    modality_colour,
    modality_label,
    space_marker,
)
from mmrec_core.figures.paper import GRID as PAPER_GRID
from mmrec_core.figures.paper import (
    INK,
    LINE,
    QUIET,
    SMALL,
    Width,
    finished,
    fit,
    inches,
    number_axis,
    page_width,
    sheet,
    text_width,
)
from mmrec_core.figures.screen import RULE, legend_rows, marker, screen
from mmrec_core.figures.words import (
    check_columns,
    check_once,
    clean,
    count,
    escaped,
    first_few,
    interval,
    known_as,
    number,
    percent,
    room_around,
    shorten,
    subject,
    three,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go

_COLUMNS = ("space", "modality", "recommender", "lift", "gain", "gain_low", "gain_high")
_LEFT, _RIGHT = 0.55, 0.12
_GAP, _HALF = 0.075, 0.045
_FILLS = {"image": "", "text": "-open", "joint": "-open-dot", "none": "-dot"}
"""Modality -> how much of a marker is filled on screen."""


@dataclass(frozen=True)
class _Point:
    """A space in a recommender; gains are shares, NaN where unknown."""

    space: str
    modality: str
    recommender: str
    lift: float
    gain: float
    low: float
    high: float
    n_users: int

    @property
    def reach(self) -> tuple[float, float]:
        """How far the interval goes below and above, in per cent; 0 where it is unknown."""
        known = isfinite(self.low) and isfinite(self.high)
        return (100 * (self.gain - self.low), 100 * (self.high - self.gain)) if known else (0, 0)

    @property
    def words(self) -> str:
        known = isfinite(self.low) and isfinite(self.high)
        ends = f", 95 % interval {interval(self.low, self.high, True)}" if known else ""
        return percent(self.gain) + ends

    @property
    def hover(self) -> list[str]:
        return [
            f"{self.space} ({modality_label(self.modality)})",
            self.recommender,
            f"lift {three(self.lift)}",
            f"gain {self.words}",
            *([count([self.n_users], "user", "users")] if self.n_users else []),
        ]


@dataclass(frozen=True)
class _Plan:
    """Points, and the shape of every recommender."""

    points: tuple[_Point, ...]
    shapes: Mapping[str, Marker]
    metric: str
    gone: int

    STEP = 0.022
    """Between two recommenders at one lift, as a share of the axis, so that intervals are seen."""

    title = "What recommenders gain from a space, by the lift of its neighbours"
    x_label = "Lift of shared users among content neighbours (×)"

    @property
    def y_label(self) -> str:
        return f"Gain{f' of {self.metric}' if self.metric else ''}, real − removed (%)"

    @property
    def modalities(self) -> list[str]:
        there = {point.modality for point in self.points}
        return [modality for modality in SPACE_MARKERS if modality in there]

    @property
    def stands_on(self) -> str:
        bounds = any(any(point.reach) for point in self.points)
        unknown = sum(not any(point.reach) for point in self.points)
        return subject(
            (
                count([len({p.space for p in self.points})], "space", "spaces"),
                count([len(self.shapes)], "recommender", "recommenders"),
                count((p.n_users for p in self.points if p.n_users), "user", "users"),
                "95 % intervals" if bounds else "",
                "recommenders set apart at each lift" if len(self.shapes) > 1 else "",
                f"{unknown} without an interval" if unknown else "",
                f"{self.gone} without a lift or a gain, not drawn" if self.gone else "",
            )
        )

    @property
    def description(self) -> str:
        best = sorted(self.points, key=lambda point: -point.gain)
        said = [f"{p.recommender} with {p.space} (lift {three(p.lift)}) {p.words}" for p in best]
        return (
            f"{self.title}, {self.stands_on.replace(' · ', ', ')}; {self.y_label}: "
            f"{first_few(said)}."
        )

    @property
    def _apart(self) -> float:
        # Of many spaces, less: the lift must still be read.
        room = min(0.14, 0.8 / len({point.space for point in self.points}))
        return min(self.STEP, room / len(self.shapes))

    def x(self, point: _Point) -> float:
        """Where a point is drawn: at its lift, recommenders set apart."""
        (left, right), _ = self.spans
        places = list(self.shapes)
        middle = (len(places) - 1) / 2
        aside = places.index(point.recommender) - middle
        return point.lift + aside * self._apart * (right - left)

    @property
    def spans(self) -> tuple[list[float], list[float]]:
        """Ends of both axes; 0 is on that of the gain."""
        left, right = room_around([point.lift for point in self.points]) or [0.0, 1.0]
        aside = self._apart * len(self.shapes) / 2 * (right - left)
        x = [left - aside, right + aside]
        y = [100 * p.gain + r for p in self.points for r in (-p.reach[0], p.reach[1])]
        return x, room_around([*y, 0.0]) or [-1.0, 1.0]


def _lay_out(table: pd.DataFrame, titles: Mapping[str, str] | None, metric: str) -> _Plan:
    check_columns(table, _COLUMNS, "gains")
    check_once(table, ("space", "recommender"), "gain")
    points, gone = [], 0
    for row in table.to_dict("records"):
        lift, gain, low, high = (
            number(row[name]) for name in ("lift", "gain", "gain_low", "gain_high")
        )
        space_marker(clean(row["modality"]))
        if not (isfinite(lift) and isfinite(gain)):
            gone += 1
            continue
        n_users = number(row.get("n_users"))
        points.append(
            _Point(
                known_as(str(row["space"]), titles), clean(row["modality"]),
                known_as(str(row["recommender"]), titles), lift, gain, low, high,
                int(n_users) if n_users > 0 else 0,
            )
        )  # fmt: skip
    if not points:
        raise InputError("No space has both a lift and a gain, so there is nothing to draw.")
    names = list(dict.fromkeys(point.recommender for point in points))
    shapes = {name: FILLED_MARKERS[i % len(FILLED_MARKERS)] for i, name in enumerate(names)}
    return _Plan(tuple(points), shapes, clean(metric), gone)


def gain_plot_description(
    table: pd.DataFrame, titles: Mapping[str, str] | None = None, *, metric: str = ""
) -> str:
    """What the plot of the same arguments shows, in one sentence, with spaces and recommenders."""
    return _lay_out(table, titles, metric).description


def gain_plot(
    table: pd.DataFrame, titles: Mapping[str, str] | None = None, *, metric: str = ""
) -> "go.Figure":
    """Gain of recommenders against the lift of a space's neighbours; interactive.

    Shape is the recommender, colour (and filling) the modality of the space.

    Args:
        table: One row a space and recommender: space, modality (``image``, ``text``, ``joint``,
            ``none``), recommender, lift, gain, gain_low, gain_high (real − removed with its
            95 % interval, as shares of the mean of the arm without content; NaN where there is
            none), and, where it is known, n_users.
        titles: Key of a space or recommender -> how it is shown.
        metric: Name on screen of what was gained.

    Raises:
        InputError: A column is missing, a row is there twice, a modality is unknown, or there is
            nothing to draw.
    """
    import plotly.graph_objects as go

    plan = _lay_out(table, titles, metric)
    names = [shorten(name, 30) for name in plan.shapes]
    figure = screen(
        plan.title,
        plan.stands_on,
        plan.description,
        height=340,
        legend_rows=legend_rows([*names, *map(modality_label, plan.modalities)], 800),
    )
    for name in plan.shapes:
        for modality in plan.modalities:
            own = [p for p in plan.points if p.recommender == name and p.modality == modality]
            if own:
                colour = modality_colour(modality)
                look = marker(plan.shapes[name], colour, 11)
                look["symbol"] += _FILLS[modality]
                look["line"] = {"width": 1.8 if "open" in _FILLS[modality] else 0.5}
                figure.add_trace(
                    go.Scatter(
                        x=[plan.x(p) for p in own], y=[100 * p.gain for p in own], mode="markers",
                        marker=look, legendgroup=name, showlegend=False, hoverinfo="text",
                        hovertext=["<br>".join(map(escaped, p.hover)) for p in own],
                        error_y={"type": "data", "symmetric": False, "color": colour,
                                 "array": [p.reach[1] for p in own], "thickness": 1.3,
                                 "arrayminus": [p.reach[0] for p in own], "width": 3},
                    )
                )  # fmt: skip
    keys = [(label, marker(plan.shapes[name], OUTLINE, 10), name)
            for name, label in zip(plan.shapes, names, strict=True)]  # fmt: skip
    for each in plan.modalities:
        look = marker(SPACE_MARKERS["image"], modality_colour(each), 10)
        look["symbol"] += _FILLS[each]
        look["line"] = {"width": 1.8 if "open" in _FILLS[each] else 0}
        keys.append((modality_label(each), look, f"modality {each}"))
    for label, look, group in keys:
        figure.add_trace(
            go.Scatter(x=[None], y=[None], mode="markers", name=escaped(label), marker=look,
                       legendgroup=group)
        )  # fmt: skip
    x, y = plan.spans
    figure.add_hline(y=0, line={"color": RULE, "width": 1.4}, layer="below")
    figure.update_xaxes(title_text=plan.x_label, range=x, tickformat="~g")
    figure.update_yaxes(
        title_text=escaped(plan.y_label), range=y, tickformat="~g", ticksuffix=" %"
    )  # fmt: skip
    return figure


def gain_plot_publication(
    table: pd.DataFrame,
    titles: Mapping[str, str] | None = None,
    width: Width = "one",
    *,
    metric: str = "",
) -> Any:
    """The gains for print: a matplotlib Figure; spaces are named where there is room.

    Args:
        table: As for ``gain_plot``, as are all but ``width``.
        titles: See there.
        width: ``one`` (3.35 in) or ``two`` columns (7.0 in).
        metric: See there.

    Raises:
        InputError: As for ``gain_plot``, or there is no such width.
    """
    from matplotlib.lines import Line2D

    plan = _lay_out(table, titles, metric)
    body = 2.0 if width == "one" else 2.6
    across = page_width(width) - _LEFT - _RIGHT
    most = 1.2 if width == "one" else 1.8
    handles = [
        Line2D([], [], ls="none", label=fit(name, most, SMALL), **_drawn(shape, OUTLINE, "full"))
        for name, shape in plan.shapes.items()
    ] + [
        Line2D([], [], ls="none", label=modality_label(each),
               **_drawn(SPACE_MARKERS["image"], modality_colour(each), SPACE_FILLS[each]))
        for each in plan.modalities
    ]  # fmt: skip
    made = sheet(
        width,
        plan.title,
        plan.stands_on,
        plan.description,
        body=body,
        left=_LEFT,
        right=_RIGHT,
        x_label=plan.x_label,
        y_label=plan.y_label,
        handles=handles,
    )
    axes = made.axes
    axes.axhline(0, color=QUIET, lw=0.8, zorder=1)
    for point in plan.points:
        colour = modality_colour(point.modality)
        below, above = point.reach
        axes.errorbar(
            plan.x(point), 100 * point.gain, yerr=[[below], [above]], color=colour, elinewidth=0.8,
            capsize=1.4 if above or below else 0, capthick=0.7, zorder=3,
            **_drawn(plan.shapes[point.recommender], colour, SPACE_FILLS[point.modality]),
        )  # fmt: skip
    x, y = plan.spans
    axes.set_xlim(*x)
    axes.set_ylim(*y)
    number_axis(axes.xaxis, across)
    number_axis(axes.yaxis, body, 0.3)
    axes.grid(color=PAPER_GRID, lw=0.4)
    for text, (left, bottom), box in _names(plan, across, body):
        lead = leader(box, left, bottom, _GAP)
        if lead:
            axes.plot(
                [lead[0] / across, lead[2] / across], [lead[1] / body, lead[3] / body],
                transform=axes.transAxes, color=QUIET, lw=0.35, zorder=2.5,
            )  # fmt: skip
        axes.text(
            (box[0] + 0.01) / across, (box[1] + box[3]) / 2 / body, text, fontsize=SMALL,
            transform=axes.transAxes, ha="left", va="center_baseline", color=INK, zorder=4,
        )  # fmt: skip
    return finished(made)


def _names(plan: _Plan, across: float, body: float) -> list[tuple[str, tuple[float, float], Box]]:
    """Name, point and box (in inches) of every space whose name has room at its highest point."""
    (left, right), (low, high) = plan.spans

    def spot(x: float, y: float) -> tuple[float, float]:
        return (x - left) / (right - left) * across, (y - low) / (high - low) * body

    highest: dict[str, _Point] = {}
    for point in sorted(plan.points, key=lambda point: point.gain):
        highest[point.space] = point
    spots = [spot(plan.x(point), 100 * point.gain) for point in highest.values()]
    texts = [fit(name, 1.0, SMALL) for name in highest]
    sizes = [(text_width(text, SMALL) + 0.02, inches(SMALL * LINE)) for text in texts]
    taken = [around(*spot(plan.x(p), 100 * p.gain), _HALF) for p in plan.points]
    for p in plan.points:
        below, above = (spot(plan.x(p), 100 * p.gain + r) for r in (-p.reach[0], p.reach[1]))
        taken.append((below[0] - 0.02, below[1], above[0] + 0.02, above[1]))
    zero = spot(left, 0)[1]
    taken.append((0, zero - 0.01, across, zero + 0.01))
    weights = np.array([point.gain for point in highest.values()])
    boxes = place_on_map(spots, sizes, (0.02, 0.02, across, body), weights.tolist(), taken, _GAP)
    every = zip(texts, spots, boxes, strict=True)
    return [(text, place, box) for text, place, box in every if box is not None]


def _drawn(shape: Marker, colour: str, filling: str) -> dict[str, Any]:
    """A marker in matplotlib's words."""
    return {
        "marker": shape.matplotlib,
        "markersize": 6.2 if shape.matplotlib == "*" else 4.6,
        "markerfacecolor": colour,
        "markerfacecoloralt": "white",
        "fillstyle": filling,
        "markeredgecolor": colour if filling == "none" else INK,
        "markeredgewidth": 0.9 if filling == "none" else 0.4,
    }
