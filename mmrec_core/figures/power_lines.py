"""What a power plot shows, before it is drawn: lines, which of them are named, and the words."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, inf, isfinite

import numpy as np
import pandas as pd

from mmrec_core.domain import InputError
from mmrec_core.figures.palette import (
    DASHES,
    SERIES_MARKERS,
    Marker,
    kind_label,
    modality_colour,
    modality_label,
)
from mmrec_core.figures.words import check_columns, count, known_as, number, percent, subject
from mmrec_core.metrics import metric_label

ENOUGH = 0.8
"""The chance from which on a study is said to be large enough."""
NAMED = 8
"""Comparisons that can be told apart; of more, these are named and the others are grey."""
AXES = ("seeds", "users")

_COLUMNS = (
    "recommender", "modality", "kind", "axis", "n", "power", "now", "test", "needed", "metric",
    "delta",
)  # fmt: skip
_TESTS = {"difference": ("≠", "to differ"), "equality": ("=", "to be equal")}
# Filled ones only: how much of a marker is filled says the modality.
_SHAPES = tuple(shape for shape in SERIES_MARKERS if not shape.hollow) + (
    Marker("cross", "P"),
    Marker("star", "*"),
)


@dataclass(frozen=True)
class Curve:
    """Chances of one comparison along one axis.

    Attributes:
        sizes: How many seeds or users, increasing.
        chances: 0 to 1, a chance each.
        now: The study's own size.
        chance: Its chance, NaN where unknown.
        needed: Size at which the chance reaches 80 %; NaN where out of reach.
    """

    sizes: np.ndarray
    chances: np.ndarray
    now: int
    chance: float
    needed: float

    @property
    def factor(self) -> float:
        """How many times the study must grow: 1 where it need not, inf where it is no use."""
        if self.chance >= ENOUGH:
            return 1.0
        return self.needed / self.now if isfinite(self.needed) else inf


@dataclass(frozen=True)
class Line:
    """One comparison; ``curves`` holds an axis or both."""

    recommender: str
    modality: str
    kind: str
    test: str
    colour: str
    dash: tuple[str, tuple[float, ...]]
    marker: Marker
    curves: Mapping[str, Curve]
    named: bool = False

    @property
    def factor(self) -> float:
        """The smaller of the two."""
        return min(curve.factor for curve in self.curves.values())

    @property
    def chance(self) -> float:
        """With the study as it is."""
        return next((c.chance for c in self.curves.values() if isfinite(c.chance)), float("nan"))

    @property
    def needs(self) -> str:
        """Sizes at which the chance reaches 80 %, in words."""
        if self.factor <= 1:
            return "reached"
        parts = [
            count([ceil(curve.needed)], axis.removesuffix("s"), axis)
            for axis, curve in self.curves.items()
            if isfinite(curve.needed)
        ]
        return " or ".join(parts) or "out of reach"

    @property
    def tail(self) -> str:
        """The legend's words after the recommender's name."""
        kind = kind_label(self.kind).partition(":")[0]
        sign = _TESTS[self.test][0]
        return f", {modality_label(self.modality)}, {kind} {sign}: {self.needs}"

    def hover(self, axis: str, size: int, chance: float) -> list[str]:
        """The numbers of a place on the line, a line each (plain text, still to be escaped)."""
        sized = count([size], axis.removesuffix("s"), axis)
        return [
            f"{self.recommender}, {modality_label(self.modality)}",
            f"{kind_label(self.kind)} ({_TESTS[self.test][1]})",
            f"{sized}{' (now)' * (size == self.curves[axis].now)}: {percent(chance, False)}",
            f"for {100 * ENOUGH:g} %: {self.needs}",
        ]


@dataclass(frozen=True)
class Plan:
    """All comparisons.

    Attributes:
        lines: Those that can be drawn, in the order of the table.
        axes: Those that the table holds.
        now: Axis -> sizes of the study (several where comparisons differ).
        metric: Name of the metric on screen.
        delta: Relative margin of equality.
        empty: Comparisons without a single chance.
    """

    lines: tuple[Line, ...]
    axes: tuple[str, ...]
    now: Mapping[str, tuple[int, ...]]
    metric: str
    delta: float
    empty: int

    @property
    def title(self) -> str:
        """What the plot is about."""
        return f"Chance of a decision on {self.metric} by size of the study"

    @property
    def y_label(self) -> str:
        """What is measured, with its unit."""
        return "Chance of a decision (%)"

    def x_label(self, axis: str) -> str:
        """What one axis counts, and what the study has of the other."""
        word = {"seeds": "Seeds of every arm", "users": "Users (logarithmic)"}[axis]
        return ", with ".join([word, *(self.size(each) for each in self.axes if each != axis)])

    def size(self, axis: str) -> str:
        """How much of an axis the study has."""
        return count(self.now[axis], axis.removesuffix("s"), axis)

    @property
    def sizes(self) -> str:
        """How large the study is."""
        return " and ".join(map(self.size, self.axes))

    @property
    def stands_on(self) -> str:
        """Size of the study, and how signs and lines are meant."""
        tests = {line.test for line in self.lines}
        empty = f"{count([self.empty], 'comparison', 'comparisons')} without a value, not drawn"
        return subject(
            (
                f"now (markers): {self.sizes}",
                "effects as measured",
                "≠ difference" if "difference" in tests else "",
                f"= equality within ±{100 * self.delta:g} %" if "equality" in tests else "",
                f"legend: sizes for {100 * ENOUGH:g} % (line)",
                empty if self.empty else "",
            )
        )

    @property
    def named(self) -> list[Line]:
        """Lines that stand in the legend."""
        return [line for line in self.lines if line.named]

    @property
    def others(self) -> str:
        """The lines without a name, in words; empty where there are none."""
        factors = [line.factor for line in self.lines if not line.named]
        reached, never = sum(f <= 1 for f in factors), sum(f == inf for f in factors)
        later = len(factors) - reached - never
        parts = [
            f"{reached} reached" if reached else "",
            f"{later} with more" if later else "",
            f"{never} out of reach" if never else "",
        ]
        return f"{len(factors)} others: {', '.join(filter(None, parts))}" if factors else ""

    @property
    def description(self) -> str:
        """One sentence for readers who cannot see the plot."""
        lines = count([len(self.lines)], "comparison", "comparisons")
        parts = [
            f"{line.recommender}{line.tail} (now {percent(line.chance, False)})"
            for line in self.named
        ]
        parts += [self.others] if self.others else []
        empty = f"; {self.empty} without a value" if self.empty else ""
        return (
            f"{self.title}, {lines}, now {self.sizes}, if each effect is as it was measured; for a "
            f"chance of {100 * ENOUGH:g} %: {'; '.join(parts)}{empty}."
        )


def lay_out(power: pd.DataFrame, titles: Mapping[str, str] | None = None) -> Plan:
    """Lines of a power plot; see ``power_curve`` for the arguments.

    Raises:
        InputError: A column is missing, a value makes no sense, or there is nothing to draw.
    """
    _check(power)
    keys = ["recommender", "modality", "kind"]
    kinds = list(dict.fromkeys(map(str, power["kind"])))
    made, empty = [], 0
    for (name, modality, kind), own in power.groupby(keys, sort=False):
        found = {axis: _curve(own, axis) for axis in AXES if (own["axis"] == axis).any()}
        curves = {axis: curve for axis, curve in found.items() if curve.sizes.size}
        if not curves:
            empty += 1
            continue
        made.append(
            Line(
                recommender=str(name),
                modality=str(modality),
                kind=str(kind),
                test=str(own["test"].iloc[0]),
                colour=modality_colour(str(modality)),
                dash=DASHES[kinds.index(str(kind)) % len(DASHES)],
                marker=_SHAPES[0],
                curves=curves,
            )
        )
    if not made:
        raise InputError("No comparison has a chance of a decision, so there is nothing to draw.")
    axes = tuple(axis for axis in AXES if any(axis in line.curves for line in made))
    sizes = {a: {line.curves[a].now for line in made if a in line.curves} for a in axes}
    return Plan(
        lines=_told_apart(made, titles),
        axes=axes,
        now={axis: tuple(sorted(each)) for axis, each in sizes.items()},
        metric=metric_label(str(power["metric"].iloc[0])),
        delta=float(power["delta"].iloc[0]),
        empty=empty,
    )


def _check(power: pd.DataFrame) -> None:
    check_columns(power, _COLUMNS, "chances")
    if power.empty:
        raise InputError("No comparison has a chance of a decision, so there is nothing to draw.")
    for column, known in (("axis", AXES), ("test", tuple(_TESTS))):
        for value in power[column].unique():
            if value not in known:
                raise InputError(f"There is no {column} {value!r}. Known: {', '.join(known)}.")
    for column in ("metric", "delta"):
        values = list(map(str, power[column].unique()))
        if len(values) > 1:
            raise InputError(
                f"The table of chances holds more than one {column} ({', '.join(values)}); "
                "draw one at a time."
            )
    chances = power["power"].dropna().astype(float)
    if not chances.between(0, 1).all():
        raise InputError("The chances of a decision must lie between 0 and 1.")
    if not (power["n"].astype(float) > 0).all():
        raise InputError("The numbers of seeds and of users must be above 0.")


def _curve(own: pd.DataFrame, axis: str) -> Curve:
    """One axis of one comparison."""
    rows = own[own["axis"] == axis].sort_values("n", kind="stable")
    now = rows[rows["now"].astype(bool)]
    if len(now) != 1 or rows["n"].duplicated().any():
        first = rows.iloc[0]
        raise InputError(
            f"The comparison {first['kind']!r} of {first['recommender']} and {first['modality']} "
            f"must have each number of {axis} once, and one of them as the study's own; it has "
            f"{len(now)} such rows."
        )
    known = rows[rows["power"].notna()]
    return Curve(
        sizes=known["n"].to_numpy(dtype=float),
        chances=known["power"].to_numpy(dtype=float),
        now=int(now["n"].iloc[0]),
        chance=number(now["power"].iloc[0]),
        needed=number(now["needed"].iloc[0]),
    )


def _told_apart(lines: list[Line], titles: Mapping[str, str] | None) -> tuple[Line, ...]:
    """Names the lines nearest to a decision, with a marker for each of their recommenders."""

    def distance(line: Line) -> tuple[bool, float, float]:
        # What is undecided comes first, least growth first; what is decided needs no more.
        reached = line.factor <= 1
        return reached, line.factor, line.chance if reached else -line.chance

    nearest = {id(line) for line in sorted(lines, key=distance)[:NAMED]}
    names = list(dict.fromkeys(line.recommender for line in lines if id(line) in nearest))
    shapes = dict(zip(names, _SHAPES, strict=False))
    return tuple(
        Line(
            known_as(line.recommender, titles), line.modality, line.kind, line.test, line.colour,
            line.dash, shapes.get(line.recommender, _SHAPES[0]), line.curves, id(line) in nearest,
        )
        for line in lines
    )  # fmt: skip
