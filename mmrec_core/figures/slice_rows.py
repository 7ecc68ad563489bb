"""What a plot of slices shows, before it is drawn: slices, points, and the words around them."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import pandas as pd

from mmrec_core.domain import InputError
from mmrec_core.figures.blocks import Block
from mmrec_core.figures.palette import (
    FILLED_MARKERS,
    MODALITY_DASHES,
    Marker,
    kind_label,
    modality_label,
)
from mmrec_core.figures.words import (
    change_of,
    check_columns,
    check_once,
    clean,
    count,
    interval,
    known_as,
    number,
    p_value,
    percent,
    room_around,
    subject,
    without_interval,
)
from mmrec_core.metrics import metric_label

SLICINGS: Mapping[str, str] = {
    "activity": "activity of the user",
    "popularity": "popularity of the item",
    "category": "category of the item",
    "cold": "whether the item is in train",
    "image": "whether the item has an image",
    "text": "whether the item has a text",
    "joint": "whether the item has a joint embedding",
}
"""What divides the users or items -> how a title says it."""
SIGNIFICANT = 0.05
"""Below this adjusted p a marker is filled."""
_COLUMNS = (
    "slicing", "slice", "recommender", "modality", "kind", "metric", "relative", "relative_low",
    "relative_high", "p_adjusted", "n_users", "n_items", "seeds",
)  # fmt: skip


@dataclass(frozen=True)
class SlicePoint:
    """One comparison in one slice; relative effect and its ends are shares."""

    part: str
    recommender: str
    modality: str
    shape: Marker
    relative: float
    low: float
    high: float
    p_adjusted: float
    n_users: int
    n_items: int
    seeds: int

    @property
    def significant(self) -> bool:
        """Whether its marker is filled."""
        return self.p_adjusted < SIGNIFICANT

    @property
    def drawn_as(self) -> Marker:
        """Shape of its recommender, filled or hollow."""
        return Marker(self.shape.plotly, self.shape.matplotlib, hollow=not self.significant)

    @property
    def hover(self) -> list[str]:
        """Its numbers, a line each (plain text, still to be escaped)."""
        return [
            f"{self.recommender}, {modality_label(self.modality)}",
            self.part,
            f"{percent(self.relative)}, 95 % interval {interval(self.low, self.high, True)}",
            f"adjusted p {p_value(self.p_adjusted)}",
            subject(
                (
                    count([self.n_users], "user", "users"),
                    count([self.n_items], "item", "items"),
                    count([self.seeds], "seed", "seeds"),
                )
            ),
        ]


@dataclass(frozen=True)
class Slice:
    """The comparisons of one slice; those without a relative effect are only counted."""

    name: str
    all_points: tuple[SlicePoint, ...]

    @property
    def points(self) -> tuple[SlicePoint, ...]:
        """Those with a relative effect, from top to bottom."""
        return tuple(point for point in self.all_points if isfinite(point.relative))

    @property
    def note(self) -> str:
        """Users, items, and how many comparisons have no relative effect."""
        every = self.all_points
        gone = len(every) - len(self.points)
        parts = (
            count((point.n_users for point in every), "user", "users"),
            count((point.n_items for point in every), "item", "items"),
            f"base is 0 in {gone} of {len(every)}" if gone else "",
        )
        return ", ".join(part for part in parts if part)

    @property
    def block(self) -> Block:
        """Its header and number of rows."""
        return Block(self.name, self.note, len(self.points))

    @property
    def found(self) -> str:
        """What it shows, for the description."""
        told = sum(point.significant for point in self.points)
        said = f"{self.name} ({self.note}): {told} of {len(self.points)} with adjusted p < 0.05"
        if not self.points:
            return f"{self.name} ({self.note})"
        ends = sorted(point.relative for point in self.points)
        if len(ends) == 1:
            return f"{said}, {percent(ends[0])}"
        return f"{said}, {percent(ends[0])} to {percent(ends[-1])}"


@dataclass(frozen=True)
class SlicePlan:
    """All slices, and what the legend explains."""

    metric: str
    slicing: str
    kind: str
    slices: tuple[Slice, ...]
    recommenders: tuple[tuple[str, Marker], ...]
    modalities: tuple[str, ...]

    @property
    def points(self) -> list[SlicePoint]:
        """Those of all slices."""
        return [point for each in self.slices for point in each.points]

    @property
    def title(self) -> str:
        """What the plot is about."""
        return f"Effect of item content on {self.metric} by {self.slicing}"

    @property
    def stands_on(self) -> str:
        """Comparison, users, seeds, interval and adjustment."""
        every = [point for each in self.slices for point in each.all_points]
        return subject(
            (
                self.kind,
                "exploratory, Holm within this slicing",  # early: a narrow screen cuts the end
                count((point.n_users for point in every), "user", "users"),
                count((point.seeds for point in every), "seed", "seeds"),
                "95 % intervals",
                without_interval((point.low, point.high) for point in self.points),
                # Shapes come again then, and only their order tells them apart.
                "in each slice in the legend's order"
                if len(self.recommenders) > len(FILLED_MARKERS)
                else "",
            )
        )

    @property
    def x_label(self) -> str:
        """What is measured, with its unit."""
        return change_of(self.metric)

    @property
    def span(self) -> list[float]:
        """Ends of the x axis in per cent; 0 is inside."""
        ends = [100 * end for p in self.points for end in (p.low, p.relative, p.high)]
        return room_around([0.0, *ends]) or [-1.0, 1.0]

    @property
    def description(self) -> str:
        """One sentence for readers who cannot see the plot."""
        return (
            f"{self.title}, {self.stands_on.replace(' · ', ', ')}; "
            f"{'; '.join(each.found for each in self.slices)}."
        )


def lay_out(
    slices: pd.DataFrame,
    slicing: str,
    kind: str,
    metric: str,
    titles: Mapping[str, str] | None,
) -> SlicePlan:
    """Slices in the order of the table; in each, recommenders in one order.

    Raises:
        InputError: The table or a word does not fit, or there is nothing to draw.
    """
    label, what = metric_label(metric), kind_label(kind)
    if slicing not in SLICINGS:
        raise InputError(f"There is no slicing {slicing!r}. Known: {', '.join(SLICINGS)}.")
    check_columns(slices, _COLUMNS, "slices")
    table = slices[
        (slices["slicing"] == slicing) & (slices["kind"] == kind) & (slices["metric"] == metric)
    ]
    if table.empty:
        raise InputError(
            f"No slice of {slicing} compares {metric} by {kind}, so there is nothing to draw; "
            "choose another slicing, kind or metric."
        )
    check_once(table, ("slice", "recommender", "modality"), f"comparison {kind}")
    order = list(dict.fromkeys(table["recommender"]))
    shapes = {name: FILLED_MARKERS[place % len(FILLED_MARKERS)] for place, name in enumerate(order)}
    modalities = list(dict.fromkeys(map(str, table["modality"])))
    found = []
    for part, own in table.groupby("slice", sort=False):
        own = own.sort_values("recommender", key=lambda column: column.map(order.index))
        found.append(
            Slice(
                clean(part),
                tuple(
                    _point(row, titles, shapes[row["recommender"]])
                    for row in own.to_dict("records")
                ),
            )
        )
    return SlicePlan(
        metric=label,
        slicing=SLICINGS[slicing],
        kind=what,
        slices=tuple(found),
        recommenders=tuple((known_as(str(name), titles), shapes[name]) for name in order),
        modalities=tuple(sorted(modalities, key=list(MODALITY_DASHES).index)),
    )


def _point(row: Mapping[Any, Any], titles: Mapping[str, str] | None, shape: Marker) -> SlicePoint:
    modality_label(str(row["modality"]))
    return SlicePoint(
        part=clean(row["slice"]),
        recommender=known_as(str(row["recommender"]), titles),
        modality=str(row["modality"]),
        shape=shape,
        relative=number(row["relative"]),
        low=number(row["relative_low"]),
        high=number(row["relative_high"]),
        p_adjusted=number(row["p_adjusted"]),
        n_users=int(row["n_users"]),
        n_items=int(row["n_items"]),
        seeds=int(row["seeds"]),
    )
