"""What a map shows, before it is drawn: points, their colours, and the words around them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite

import numpy as np
import pandas as pd

from mmrec_core.domain import InputError
from mmrec_core.figures.labels import Box, place_on_map
from mmrec_core.figures.palette import (
    CATEGORY_COLOURS,
    COLLABORATIVE,
    CONTROL,
    FILLED_MARKERS,
    MODALITY_LABELS,
    MODALITY_MARKERS,
    WHOLE_MODEL,
    Marker,
    modality_colour,
    modality_label,
)
from mmrec_core.figures.words import (
    NOT_THERE,
    check_columns,
    clean,
    count,
    first_few,
    subject,
    three,
)

MOST_CATEGORIES = 12
PLAIN = WHOLE_MODEL
"""Colour of points that nothing colours."""
OTHERS, NO_VALUE = -1, -2
"""Codes of points of smaller categories and of points without a value."""
_FAR = 20
"""From how many medians on the largest number makes the colours logarithmic."""
_MARGIN = 0.03
"""Empty edge of a map, as a share of its longer side."""


@dataclass(frozen=True, eq=False)
class MapData:
    """A map to be drawn.

    Attributes:
        points: One row an item: x, y, and where it is coloured a column colour (names of
            categories, or numbers; None or NaN where there is none).
        labels: Names of regions: text, x, y, weight; None for none.
        title: What is mapped, such as the name of a space.
        details: Method, its parameters, quality figures.
    """

    points: pd.DataFrame
    labels: pd.DataFrame | None = None
    title: str = ""
    details: str = ""


@dataclass(frozen=True)
class Category:
    """A category with a colour of its own (or the others, or those without a value)."""

    name: str
    n: int
    colour: str
    marker: Marker
    code: int

    @property
    def label(self) -> str:
        """Entry of the legend."""
        return f"{self.name} ({self.n:,})"


@dataclass(frozen=True, eq=False)
class Layer:
    """One map: places [n, 2], what colours each, and the names of its regions."""

    places: np.ndarray
    codes: np.ndarray
    values: np.ndarray
    texts: tuple[str, ...]
    anchors: tuple[tuple[float, float], ...]
    weights: tuple[float, ...]
    title: str
    details: str
    lost: int

    @property
    def ranges(self) -> tuple[float, float, float, float]:
        """Left, right, bottom, top, with an empty edge."""
        (left, bottom), (right, top) = self.places.min(axis=0), self.places.max(axis=0)
        edge = _MARGIN * max(right - left, top - bottom) or 0.5
        return float(left - edge), float(right + edge), float(bottom - edge), float(top + edge)

    @property
    def subtitle(self) -> str:
        """What it stands on."""
        lost = f"{self.lost:,} without a place, not drawn" if self.lost else ""
        return subject((self.details, count([len(self.places)], "item", "items"), lost))

    def window(self, width: float, height: float) -> tuple[float, float, float, float]:
        """Ranges of axes of that size on which x and y have one scale."""
        left, right, bottom, top = self.ranges
        unit = max((right - left) / width, (top - bottom) / height)
        x, y = (left + right) / 2, (bottom + top) / 2
        across, along = unit * width / 2, unit * height / 2
        return x - across, x + across, y - along, y + along

    def placed(
        self, width: float, height: float, sizes: Sequence[tuple[float, float]]
    ) -> list[Box | None]:
        """Boxes of the regions' names on axes of that size, in the same unit from lower left."""
        left, right, bottom, top = self.window(width, height)
        spots = [
            ((x - left) / (right - left) * width, (y - bottom) / (top - bottom) * height)
            for x, y in self.anchors
        ]
        return place_on_map(spots, sizes, (0, 0, width, height), self.weights)


@dataclass(frozen=True, eq=False)
class Plan:
    """One or two maps with the same colours.

    Attributes:
        categories: Largest first, then the others and those without a value; empty for numbers.
        ends: Of the colours of numbers; None for categories.
        logarithmic: Whether the colours of numbers go by powers (a few are far above the others).
        colour_label: What the colours mean.
    """

    layers: tuple[Layer, ...]
    categories: tuple[Category, ...]
    ends: tuple[float, float] | None
    colour_label: str
    title: str
    logarithmic: bool = False

    unit_note = "the axes have no unit: near means alike"

    @cached_property
    def n(self) -> int:
        """Points of all maps."""
        return sum(len(layer.places) for layer in self.layers)

    @property
    def one(self) -> bool:
        """Whether there is a single map."""
        return len(self.layers) == 1

    @property
    def colours(self) -> str:
        """What the colours of categories mean."""
        return f"colour: {self.colour_label}" if self.colour_label and self.categories else ""

    @property
    def bar_label(self) -> str:
        """What the colours of numbers mean."""
        return (self.colour_label or "value") + " (logarithmic)" * self.logarithmic

    def shares(self, values: np.ndarray) -> np.ndarray:
        """Places of numbers on the scale of colours, 0 to 1."""
        assert self.ends is not None
        low, high = (self.powers(np.array(end)) for end in self.ends)
        return np.clip((self.powers(values) - low) / (high - low or 1.0), 0, 1)

    def powers(self, values: np.ndarray) -> np.ndarray:
        """What the colours are even in: the numbers, or their powers of ten."""
        if not self.logarithmic or self.ends is None:
            return values
        return np.log10(np.maximum(values, self.ends[0]))

    def description(self, hidden: Sequence[int]) -> str:
        """One sentence for readers who cannot see it.

        Args:
            hidden: For each map, how many names of regions had no room.
        """
        parts = []
        for layer, gone in zip(self.layers, hidden, strict=True):
            words = [layer.title] if layer.title and not self.one else []
            words.append(layer.subtitle.replace(" · ", ", "))
            if layer.texts:
                shown = len(layer.texts) - gone
                words.append(
                    f"{shown} of {len(layer.texts)} region labels shown"
                    + (f", {gone} had no room" if gone else "")
                )
            parts.append(", ".join(words))
        label = self.colour_label or "colour"
        if self.ends:
            label += " (logarithmic colours)" * self.logarithmic
            colours = f"; {label} from {three(self.ends[0])} to {three(self.ends[1])}"
        elif self.categories:
            colours = f"; {label}: " + first_few([each.label for each in self.categories])
        else:
            colours = ""
        return f"{self.title}; {'; '.join(parts)}{colours}; {self.unit_note}."


def lay_out(maps: Sequence[MapData], title: str, colour_label: str) -> Plan:
    """Points, colours common to all maps, and names of regions.

    Raises:
        InputError: A table does not fit, or there is nothing to draw.
    """
    if len(maps) not in (1, 2):
        raise InputError(f"A figure holds one or two maps, not {len(maps)}.")
    kept, lost, colours = [], [], []
    for each in maps:
        check_columns(each.points, ("x", "y"), "points")
        places = each.points[["x", "y"]].to_numpy(dtype=float, na_value=np.nan)
        known = np.isfinite(places).all(axis=1)
        if not known.any():
            raise InputError("No item has a place on the map, so there is nothing to draw.")
        kept.append(places[known])
        lost.append(int((~known).sum()))
        colours.append(each.points["colour"][known] if "colour" in each.points else None)
    given = [column for column in colours if column is not None]
    numbers = [
        pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
        for column in given
    ]
    if given and len(given) != len(maps):
        raise InputError("Of two maps both are coloured, or none.")
    if any(numbers) and not all(numbers):
        raise InputError("Of two maps both are coloured by numbers, or both by categories.")
    blank = [np.full(len(places), np.nan) for places in kept]
    codes = [np.zeros(len(places), np.int64) for places in kept]
    values = blank
    ends: tuple[float, float] | None = None
    categories: tuple[Category, ...] = ()
    logarithmic = False
    if numbers and all(numbers):
        values = [column.to_numpy(dtype=float, na_value=np.nan) for column in given]
        finite = np.concatenate([each[np.isfinite(each)] for each in values])
        if not finite.size:
            raise InputError("No item has a number to be coloured by; choose another column.")
        ends = (float(finite.min()), float(finite.max()))
        above = finite[finite > 0]
        if ends[0] >= 0 and above.size and ends[1] > _FAR * float(np.median(above)):
            ends, logarithmic = (float(above.min()), ends[1]), True
        codes = [np.where(np.isfinite(each), 0, NO_VALUE) for each in values]
    elif given:
        codes, categories = _categories(given)
    layers = tuple(
        _layer(each, *parts)
        for each, *parts in zip(maps, kept, codes, values, lost, strict=True)
    )  # fmt: skip
    named = " and ".join(layer.title for layer in layers if layer.title)
    heading = f"Map{'s' * (len(layers) > 1)} of {named or 'items'}"
    return Plan(
        layers, categories, ends, clean(colour_label), clean(title) or heading, logarithmic
    )  # fmt: skip


def _layer(
    given: MapData, places: np.ndarray, codes: np.ndarray, values: np.ndarray, lost: int
) -> Layer:
    rows = []
    if given.labels is not None:
        check_columns(given.labels, ("text", "x", "y", "weight"), "labels")
        columns = (given.labels[name] for name in ("text", "x", "y", "weight"))
        rows = [
            (clean(text), float(x), float(y), float(weight))
            for text, x, y, weight in zip(*columns, strict=True)
            if clean(text) and isfinite(x) and isfinite(y)
        ]
    return Layer(
        places=places,
        codes=codes,
        values=values,
        texts=tuple(row[0] for row in rows),
        anchors=tuple((row[1], row[2]) for row in rows),
        weights=tuple(row[3] if isfinite(row[3]) else 0.0 for row in rows),
        title=clean(given.title),
        details=clean(given.details),
        lost=lost,
    )


def _categories(
    given: Sequence[pd.Series],
) -> tuple[list[np.ndarray], tuple[Category, ...]]:
    """Code of every point, and the categories by size over all maps."""
    names = [column.astype(object).where(column.notna(), None) for column in given]
    every = pd.concat([column.dropna().map(clean) for column in names])
    sizes = every.value_counts()
    # Of two as large the first by name, whatever the order of the rows.
    order = sorted(sizes.index, key=lambda name: (-sizes[name], name))
    shown, rest = order[:MOST_CATEGORIES], order[MOST_CATEGORIES:]
    by_modality = set(order) <= set(MODALITY_LABELS)
    place = {name: code for code, name in enumerate(shown)}
    codes = [
        np.array(
            [NO_VALUE if name is None else place.get(clean(name), OTHERS) for name in column],
            np.int64,
        )
        for column in names
    ]
    made = [
        Category(
            modality_label(name) if by_modality else name or NOT_THERE,
            int(sizes[name]),
            modality_colour(name) if by_modality else CATEGORY_COLOURS[code],
            MODALITY_MARKERS.get(name, FILLED_MARKERS[code])
            if by_modality
            else FILLED_MARKERS[code],
            code,
        )
        for name, code in place.items()
    ]
    circle = FILLED_MARKERS[0]
    if rest:
        words = f"{len(rest)} others" if len(rest) > 1 else "1 other"
        made.append(Category(words, int(sizes[rest].sum()), CONTROL, circle, OTHERS))
    gone = sum(int((each == NO_VALUE).sum()) for each in codes)
    if gone:
        made.append(Category("no value", gone, COLLABORATIVE, Marker("circle-open", "x"), NO_VALUE))
    return codes, tuple(made)
