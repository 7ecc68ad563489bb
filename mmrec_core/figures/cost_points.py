"""What a cost plot shows, before it is drawn: points, the Pareto front, the axis and the words."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, log10
from typing import Any

import pandas as pd

from mmrec_core.domain import InputError
from mmrec_core.figures.palette import ACCENT, COLLABORATIVE, SERIES_MARKERS, Marker
from mmrec_core.figures.words import (
    NOT_THERE,
    check_columns,
    clean,
    count,
    interval,
    known_as,
    log_ticks,
    number,
    subject,
    three,
)
from mmrec_core.metrics import metric_label

AXES: Mapping[str, tuple[str, str, str]] = {
    "seconds": ("time to extract and train", "Extraction and one training", "s"),
    "train_seconds": ("time to train", "One training", "s"),
    "extract_seconds": ("time to extract", "Extraction", "s"),
    "memory_mib": ("memory", "Memory", "MiB"),
    "width": ("width of the item vectors", "Width of the item vectors", "numbers an item"),
}
"""Axis -> what the metric is set against, the axis' own label, and its unit."""

_COLUMNS = (
    "setting", "recommender", "value", "low", "high", "extract_seconds", "train_seconds",
    "memory_mib", "width", "n_users", "seeds", "reference",
)  # fmt: skip
_COSTS = ("extract_seconds", "train_seconds", "memory_mib", "width")
_NAMED = 6
"""Points of the front that a description still names one by one."""


@dataclass(frozen=True)
class Point:
    """One recommender and setting.

    Attributes:
        value, low, high: Metric and its interval, NaN where unknown.
        cost: On the chosen axis.
        costs: All that is known of what it costs.
        x: Place on the axis, in powers of ten.
        front: Whether no other point is both cheaper and better.
    """

    recommender: str
    setting: str
    reference: bool
    value: float
    low: float
    high: float
    cost: float
    costs: Mapping[str, float]
    n_users: int
    seeds: int
    marker: Marker
    x: float = 0.0
    front: bool = False

    @property
    def drawable(self) -> bool:
        """Whether there are a value and a cost."""
        return isfinite(self.value) and isfinite(self.cost)

    @property
    def whiskers(self) -> tuple[float, float]:
        """How far the interval goes below and above the value; 0 where it is unknown."""
        known = isfinite(self.low) and isfinite(self.high)
        return (self.value - self.low, self.high - self.value) if known else (0.0, 0.0)

    @property
    def colour(self) -> str:
        """Grey without content."""
        return COLLABORATIVE if self.reference else ACCENT

    @property
    def name(self) -> str:
        """Recommender and setting; models without content have none."""
        return self.recommender if self.reference else f"{self.recommender} · {self.setting}"

    @property
    def short(self) -> str:
        """Without the recommender, which the marker's shape says."""
        return self.recommender if self.reference else self.setting

    @property
    def hover(self) -> list[str]:
        """All numbers, a line each (plain text, still to be escaped)."""
        ends = f"95 % interval {interval(self.low, self.high)}"
        kept = {name: three(cost) for name, cost in self.costs.items()}
        return [
            subject((self.recommender, "no content" if self.reference else self.setting)),
            subject((three(self.value), ends)),
            f"extraction {kept['extract_seconds']} s · one training {kept['train_seconds']} s",
            f"memory {kept['memory_mib']} MiB · width {kept['width']}",
            subject((count([self.n_users], "user", "users"), count([self.seeds], "seed", "seeds"))),
            *(["on the Pareto front"] if self.front else []),
        ]


@dataclass(frozen=True)
class Plan:
    """All points, and the axis of costs in powers of ten.

    Attributes:
        points: Those that can be drawn, cheapest first.
        gone: Names of those without a value or a cost.
        metric: Name of the metric on screen.
        axis: Which cost.
        zero: Place of costs of 0; None where there are none.
        ends: Of the axis.
        positive: Its part for costs above 0; None where there are none.
    """

    points: tuple[Point, ...]
    gone: tuple[str, ...]
    metric: str
    axis: str
    zero: float | None
    ends: tuple[float, float]
    positive: tuple[float, float] | None

    @property
    def title(self) -> str:
        """What the plot is about."""
        return f"{self.metric} against {AXES[self.axis][0]}"

    @property
    def stands_on(self) -> str:
        """Users, seeds, intervals, and what is not drawn."""
        gone = f"{count([len(self.gone)], 'point', 'points')} without a value or a cost, not drawn"
        return subject(
            (
                *self._sizes,
                "grey: no content" if any(point.reference for point in self.points) else "",
                gone if self.gone else "",
            )
        )

    @property
    def _sizes(self) -> tuple[str, str, str]:
        return (
            count((point.n_users for point in self.points), "user", "users"),
            count((point.seeds for point in self.points), "seed", "seeds"),
            "95 % intervals",
        )

    @property
    def x_label(self) -> str:
        """What is paid, with its unit."""
        unit = AXES[self.axis][2]
        return f"{AXES[self.axis][1]} ({unit}{', logarithmic' if self.positive else ''})"

    @property
    def y_label(self) -> str:
        """What is bought."""
        return f"{self.metric}, mean over users and seeds"

    @property
    def front(self) -> list[Point]:
        """Points that no other one beats, cheapest first."""
        return [point for point in self.points if point.front]

    @property
    def steps(self) -> tuple[list[float], list[float]]:
        """Corners of the front's line."""
        x: list[float] = []
        y: list[float] = []
        for point in self.front:
            x += [point.x] * (1 + bool(x))
            y += [*y[-1:], point.value]
        return x, y

    @property
    def edge(self) -> float | None:
        """Place of the line between costs of 0 and the others."""
        if self.zero is None or self.positive is None:
            return None
        return (self.zero + self.positive[0]) / 2

    def ticks(self, labels: float) -> tuple[list[float], list[float]]:
        """Places and costs of as many ticks as have room for ``labels`` labels over the axis."""
        costs: list[float] = []
        if self.positive:
            low, high = self.positive
            share = (high - low) / (self.ends[1] - self.ends[0])
            costs = log_ticks(10**low, 10**high, share * labels)
        places = [log10(cost) for cost in costs]
        if self.zero is not None:
            return [self.zero, *places], [0.0, *costs]
        return places, costs

    @property
    def description(self) -> str:
        """One sentence for readers who cannot see the plot."""
        unit = AXES[self.axis][2]
        best = [f"{p.name} ({three(p.cost)} {unit}, {three(p.value)})" for p in self.front[:_NAMED]]
        more = len(self.front) - _NAMED
        best += [f"and {more} more"] if more > 0 else []
        gone = f"; not drawn: {', '.join(self.gone)}" if self.gone else ""
        points = count([len(self.points)], "point", "points")
        return (
            f"{self.title}, {points}, {', '.join(self._sizes)}; Pareto front (no other point is "
            f"both cheaper and better): {'; '.join(best)}{gone}."
        )


def lay_out(
    cost: pd.DataFrame, metric: str, axis: str, titles: Mapping[str, str] | None = None
) -> Plan:
    """Points of a cost plot; see ``cost_plot`` for the arguments.

    Raises:
        InputError: A column is missing, a value makes no sense, or there is nothing to draw.
    """
    label = metric_label(metric)
    if axis not in AXES:
        raise InputError(f"There is no cost {axis!r}. Known: {', '.join(AXES)}.")
    check_columns(cost, _COLUMNS, "costs")
    same = cost.duplicated(["recommender", "setting"])
    if same.any():
        first = cost[same].iloc[0]
        raise InputError(
            f"{first['recommender']} with {first['setting']} is there twice; give it once."
        )
    names = list(dict.fromkeys(cost["recommender"]))
    shapes = {name: SERIES_MARKERS[i % len(SERIES_MARKERS)] for i, name in enumerate(names)}
    every = [_point(row, axis, shapes, titles) for row in cost.to_dict("records")]
    drawn = sorted((p for p in every if p.drawable), key=lambda point: (point.cost, point.value))
    if not drawn:
        raise InputError(f"No point has both a value and a cost ({axis}), so nothing can be drawn.")
    zero, ends, positive = _axis([point.cost for point in drawn])
    placed = tuple(
        Point(
            **{
                **vars(point),
                "x": log10(point.cost) if point.cost else zero,
                "front": not any(_beats(other, point) for other in drawn),
            }
        )
        for point in drawn
    )
    gone = tuple(point.name for point in every if not point.drawable)
    return Plan(placed, gone, label, axis, zero, ends, positive)


def _point(
    row: Mapping[Any, Any],
    axis: str,
    shapes: Mapping[Any, Marker],
    titles: Mapping[str, str] | None,
) -> Point:
    reference = bool(row["reference"])
    costs = {name: number(row[name]) for name in _COSTS}
    if reference:
        # Nothing is extracted; what is left is the training.
        costs["extract_seconds"] = 0.0
        for name in ("memory_mib", "width"):
            costs[name] = costs[name] if isfinite(costs[name]) else 0.0
    for name, each in costs.items():
        if each < 0:
            raise InputError(f"The cost {name} of {row['recommender']} is {each:g}, below 0.")
    paid = costs["extract_seconds"] + costs["train_seconds"] if axis == "seconds" else costs[axis]
    return Point(
        recommender=known_as(str(row["recommender"]), titles),
        setting=clean(row["setting"]) or NOT_THERE,
        reference=reference,
        value=number(row["value"]),
        low=number(row["low"]),
        high=number(row["high"]),
        cost=paid,
        costs=costs,
        n_users=int(row["n_users"]),
        seeds=int(row["seeds"]),
        marker=shapes[row["recommender"]],
    )


def _beats(one: Point, other: Point) -> bool:
    """Whether a point is cheaper and as good, or better and as cheap, or both."""
    as_good = one.cost <= other.cost and one.value >= other.value
    return as_good and (one.cost < other.cost or one.value > other.value)


def _axis(
    costs: list[float],
) -> tuple[float | None, tuple[float, float], tuple[float, float] | None]:
    """Place of costs of 0, ends of the axis, and its part above 0; all in powers of ten."""
    powers = [log10(cost) for cost in costs if cost]
    if not powers:
        return 0.0, (-1.0, 1.0), None
    low, high = min(powers), max(powers)
    # A narrow range would have no two round numbers.
    low, high = min(low, (low + high) / 2 - 0.3), max(high, (low + high) / 2 + 0.3)
    pad = 0.06 * (high - low)
    positive = (low - pad, high + pad)
    if all(costs):
        return None, positive, positive
    zero = positive[0] - 0.16 * (high - low)
    return zero, (zero - pad, positive[1]), positive
