"""What a plot of cross-modal retrieval shows, before it is drawn."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

import pandas as pd

from mmrec_core.domain import InputError
from mmrec_core.figures.palette import CATEGORY_COLOURS, FILLED_MARKERS, Marker
from mmrec_core.figures.words import (
    check_columns,
    check_once,
    clean,
    count,
    interval,
    known_as,
    number,
    percent,
    subject,
)

_COLUMNS = ("method", "direction", "k", "recall", "n")
_TINY = 0.01
"""Chance below which a plain axis would press everything to its foot."""
_SPREAD = 0.6
"""Share of a group over which its points are spread."""


@dataclass(frozen=True)
class Point:
    """Recall of a method; shares, NaN where unknown. ``x`` counts the groups from 0."""

    method: str
    direction: str
    k: int
    recall: float
    low: float
    high: float
    n: int
    x: float

    @property
    def hover(self) -> list[str]:
        """The numbers, a line each (plain text, still to be escaped)."""
        known = isfinite(self.low) and isfinite(self.high)
        ends = f"95 % interval {interval(self.low, self.high, True)}" if known else ""
        return [
            self.method,
            f"{self.direction}, recall@{self.k}",
            subject((percent(self.recall, False), ends)),
            count([self.n], "item", "items"),
        ]


@dataclass(frozen=True)
class Plan:
    """Points by direction, and the level of chance.

    Attributes:
        looks: Method -> colour and marker.
        floor: On a logarithmic axis the least that is drawn; None on a plain one.
    """

    directions: tuple[str, ...]
    ks: tuple[int, ...]
    points: tuple[Point, ...]
    chance: tuple[Point, ...]
    looks: Mapping[str, tuple[str, Marker]]
    floor: float | None
    space: str

    x_label = "k: how many nearest items are looked at"

    @property
    def y_label(self) -> str:
        """What is measured, with its unit."""
        return f"Recall@k (%{', logarithmic' if self.floor else ''})"

    @property
    def title(self) -> str:
        """What the plot is about."""
        return "Retrieval across modalities" + (f": {self.space}" if self.space else "")

    @property
    def intervals(self) -> bool:
        """Whether there are any."""
        return any(isfinite(point.low) and isfinite(point.high) for point in self.points)

    @property
    def stands_on(self) -> str:
        """Items, what is counted, and what stands at the foot."""
        below = sum(self.floor is not None and point.recall <= 0 for point in self.points)
        return subject(
            (
                count((point.n for point in self.points), "item", "items"),
                "share of items whose counterpart is among the k nearest",
                "95 % intervals" if self.intervals else "",
                f"{below} at 0, drawn at the foot" if below else "",
            )
        )

    @property
    def description(self) -> str:
        """One sentence for readers who cannot see the plot."""
        parts = []
        for direction in self.directions:
            own = [p for p in self.points if p.direction == direction]
            most = max(p.k for p in own)
            said = ", ".join(f"{p.method} {percent(p.recall, False)}" for p in own if p.k == most)
            chance = [p for p in self.chance if p.direction == direction and p.k == most]
            beside = f" (chance {percent(chance[0].recall, False)})" if chance else ""
            parts.append(f"{direction}, recall@{most}: {said}{beside}")
        return f"{self.title}, {self.stands_on.replace(' · ', ', ')}; {'; '.join(parts)}."

    @property
    def ends(self) -> tuple[float, float]:
        """Of the axis, in per cent."""
        tops = [
            100 * value
            for p in (*self.points, *self.chance)
            for value in (p.recall, p.high)
            if isfinite(value)
        ]
        if self.floor is None:
            return 0.0, min(1.12 * max(tops), 104) or 1.0
        return 100 * self.floor * 0.8, max(1.5 * max(tops), 300 * self.floor)

    def reach(self, point: Point) -> tuple[float, float]:
        """How far the interval goes below and above, in per cent; 0 where it is unknown."""
        if not (isfinite(point.low) and isfinite(point.high)):
            return 0.0, 0.0
        y = self.height(point.recall)
        return max(y - self.height(point.low), 0.0), max(100 * point.high - y, 0.0)

    def height(self, share: float) -> float:
        """Where a recall stands, in per cent; what is 0 stands at the foot of powers."""
        return 100 * (share if self.floor is None else max(share, self.floor))


def lay_out(table: pd.DataFrame, titles: Mapping[str, str] | None, chance: str, space: str) -> Plan:
    """Points of the plot; see ``retrieval_bars`` for the arguments.

    Raises:
        InputError: The table does not fit, or there is nothing to draw.
    """
    check_columns(table, _COLUMNS, "retrieval")
    check_once(table, ("method", "direction", "k"), "recall")
    values = table["recall"].to_numpy(dtype=float, na_value=float("nan"))
    if ((values < 0) | (values > 1)).any():
        raise InputError("Recall must lie between 0 and 1.")
    known = table[pd.notna(values)]
    scored = known[known["method"] != chance]
    if scored.empty:
        raise InputError("No method has a recall, so there is nothing to draw.")
    directions = tuple(dict.fromkeys(map(clean, scored["direction"])))
    ks = tuple(sorted({int(k) for k in known["k"]}))
    methods = list(dict.fromkeys(map(str, scored["method"])))
    if len(methods) > len(FILLED_MARKERS):
        raise InputError(f"Up to {len(FILLED_MARKERS)} methods can be told apart; choose fewer.")
    step = _SPREAD / len(methods)
    made = []
    for row in known.to_dict("records"):
        method = str(row["method"])
        spread = (
            (methods.index(method) + 0.5) * step - _SPREAD / 2 if method in methods else 0.0
        )  # fmt: skip
        made.append(
            Point(
                known_as(method, titles),
                clean(row["direction"]),
                int(row["k"]),
                number(row["recall"]),
                number(row.get("low")),
                number(row.get("high")),
                int(row["n"]),
                ks.index(int(row["k"])) + spread,
            )
        )
    by_chance = tuple(
        p
        for p, method in zip(made, known["method"], strict=True)
        if method == chance and p.direction in directions
    )
    points = tuple(p for p, method in zip(made, known["method"], strict=True) if method != chance)
    least = [p.recall for p in by_chance if p.recall > 0]
    floor = None
    if least and min(least) < _TINY:
        floor = min([*least, *(p.recall for p in points if p.recall > 0)])
        # What is 0 stands at the foot, under all that is not.
        floor /= 2 if any(p.recall <= 0 for p in points) else 1
    names = dict.fromkeys(point.method for point in points)
    looks = {
        name: (CATEGORY_COLOURS[i], FILLED_MARKERS[i]) for i, name in enumerate(names)
    }  # fmt: skip
    return Plan(directions, ks, points, by_chance, looks, floor, clean(space))
