"""What an effect plot shows, before it is drawn: rows, their places, and the words around them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import pandas as pd

from mmrec_core.domain import InputError
from mmrec_core.figures.palette import kind_label, modality_label, tone_style
from mmrec_core.figures.words import (
    change_of,
    check_columns,
    clean,
    count,
    interval,
    known_as,
    number,
    p_value,
    percent,
    subject,
)
from mmrec_core.metrics import metric_label

KINDS = ("used", "gained", "without_content")
"""The comparisons that a verdict rests on."""

_COLUMNS = (
    "recommender", "modality", "kind", "metric", "relative", "relative_low", "relative_high",
    "p_adjusted", "state", "n_users", "seeds",
)  # fmt: skip
_VERDICT_COLUMNS = ("recommender", "modality", "verdict", "symbol", "tone")
SPREAD = 0.72
"""Share of a row over which its points are spread."""
_NAMED = 6
"""Rows that a description still names one by one."""


@dataclass(frozen=True)
class Point:
    """One comparison; ``relative``, ``low``, ``high`` are shares, NaN where the base's mean is 0.

    ``place`` is the height on the plot, counted downwards from its top.
    """

    kind: str
    relative: float
    low: float
    high: float
    p_adjusted: float
    state: str
    n_users: int
    seeds: int
    place: float

    @property
    def drawable(self) -> bool:
        """Whether there is a relative effect."""
        return isfinite(self.relative)


@dataclass(frozen=True)
class Row:
    """A recommender and modality with its comparisons and, where there is one, its verdict."""

    recommender: str
    modality: str
    points: tuple[Point, ...]
    place: float
    verdict: str = ""
    symbol: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Layout:
    """All rows under the names of their recommenders.

    Attributes:
        rows: In the order of the table, recommenders kept together.
        headers: Recommender's name and its place.
        height: Of the plot, in rows.
        kinds: The kinds that occur, in the order asked for.
        metric: Name of the metric on screen.
        delta: Relative margin of equality.
        has_verdicts: Whether verdicts stand at the right.
    """

    rows: tuple[Row, ...]
    headers: tuple[tuple[str, float], ...]
    height: float
    kinds: tuple[str, ...]
    metric: str
    delta: float
    has_verdicts: bool

    @property
    def title(self) -> str:
        """What the plot is about."""
        return f"Effect of item content on {self.metric}"

    @property
    def stands_on(self) -> str:
        """Users, seeds, interval and margin."""
        points = [point for row in self.rows for point in row.points]
        return subject(
            (
                count((point.n_users for point in points), "user", "users"),
                count((point.seeds for point in points), "seed", "seeds"),
                "95 % intervals",
                f"grey band: within ±{100 * self.delta:g} %",
            )
        )

    @property
    def x_label(self) -> str:
        """What is measured, with its unit."""
        return change_of(self.metric)

    @property
    def description(self) -> str:
        """One sentence for readers who cannot see the plot."""
        if len(self.rows) <= _NAMED:
            parts = [
                f"{row.recommender}, {modality_label(row.modality)}"
                + (f": {row.verdict}" if row.verdict else "")
                for row in self.rows
            ]
        else:
            words = Counter(row.verdict or "without a verdict" for row in self.rows)
            parts = [f"{number_of} {word}" for word, number_of in words.most_common()]
        kinds = ", ".join(kind_label(kind) for kind in self.kinds)
        rows = count([len(self.rows)], "row", "rows")
        return (
            f"{self.title} with {self.stands_on.replace(' · ', ', ')}; comparisons {kinds}; "
            f"{rows}: {'; '.join(parts)}."
        )


def lay_out(
    comparisons: pd.DataFrame,
    verdicts: pd.DataFrame | None,
    metric: str,
    delta: float,
    kinds: Sequence[str] = KINDS,
    titles: Mapping[str, str] | None = None,
) -> Layout:
    """Rows of an effect plot; see ``effect_plot`` for the arguments.

    Raises:
        InputError: A column, the metric, or every comparison asked for is missing, or the margin
            makes no sense.
    """
    if not 0 < delta < 1:
        raise InputError(f"The margin delta is {delta}; it must lie between 0 and 1, such as 0.05.")
    check_columns(comparisons, _COLUMNS, "comparisons")
    label = metric_label(metric)
    order = {kind: place for place, kind in enumerate(kinds)}
    for kind in kinds:
        kind_label(kind)
    table = comparisons[(comparisons["metric"] == metric) & comparisons["kind"].isin(order)]
    if table.empty:
        raise InputError(
            f"No comparison of {metric} is of the kinds {', '.join(kinds)}, so there is no effect "
            "to draw; choose another metric or other kinds."
        )
    judged = _judged(verdicts)

    present = tuple(kind for kind in order if (table["kind"] == kind).any())
    # A recommender's name needs less room beside rows that are high with many points.
    header = min(0.72, max(0.4, 2 / len(present)))
    rows: list[Row] = []
    headers: list[tuple[str, float]] = []
    top = 0.0
    for recommender, own in table.groupby("recommender", sort=False):
        name = known_as(str(recommender), titles)
        headers.append((name, top + header / 2))
        top += header
        for modality, cells in own.groupby("modality", sort=False):
            modality_label(str(modality))
            word, symbol, tone = judged.get((recommender, modality), ("", "", ""))
            points = _points(cells, order, top)
            rows.append(Row(name, str(modality), points, top + 0.5, word, symbol, tone))
            top += 1
    return Layout(tuple(rows), tuple(headers), top, present, label, delta, bool(judged))


def _judged(verdicts: pd.DataFrame | None) -> dict[tuple[object, object], tuple[str, str, str]]:
    """Recommender and modality -> verdict, symbol, tone."""
    if verdicts is None or verdicts.empty:
        return {}
    check_columns(verdicts, _VERDICT_COLUMNS, "verdicts")
    for tone in verdicts["tone"].unique():
        tone_style(tone)
    return {
        (row.recommender, row.modality): (clean(row.verdict), clean(row.symbol), str(row.tone))
        for row in verdicts.itertuples(index=False)
    }


def _points(cells: pd.DataFrame, order: Mapping[str, int], top: float) -> tuple[Point, ...]:
    """The comparisons of one row, spread over its height in the order of the kinds."""
    if cells["kind"].duplicated().any():
        first = cells[cells["kind"].duplicated()].iloc[0]
        raise InputError(
            f"The comparison {first['kind']!r} of {first['recommender']} and {first['modality']} "
            "is there twice; give it once."
        )
    cells = cells.sort_values("kind", key=lambda kind: kind.map(order), kind="stable")
    step = SPREAD / len(cells)
    first_place = top + 0.5 - SPREAD / 2 + step / 2
    return tuple(
        Point(
            kind=str(cell["kind"]),
            relative=number(cell["relative"]),
            low=number(cell["relative_low"]),
            high=number(cell["relative_high"]),
            p_adjusted=number(cell["p_adjusted"]),
            state="" if pd.isna(cell["state"]) else str(cell["state"]),
            n_users=int(cell["n_users"]),
            seeds=int(cell["seeds"]),
            place=first_place + index * step,
        )
        for index, cell in enumerate(cells.to_dict("records"))
    )


def hover(row: Row, point: Point) -> list[str]:
    """The numbers of a point, a line each (plain text, still to be escaped)."""
    if point.drawable:
        effect = f"{percent(point.relative)}, 95 % interval {interval(point.low, point.high, True)}"
    else:
        effect = "no relative effect: the mean of the arm subtracted is 0"
    adjusted = "not adjusted (outside the verdict)"
    if isfinite(point.p_adjusted):
        adjusted = f"adjusted p {p_value(point.p_adjusted)}"
    return [
        f"{row.recommender}, {modality_label(row.modality)}",
        kind_label(point.kind),
        effect,
        subject((adjusted, point.state)),
        subject((count([point.n_users], "user", "users"), count([point.seeds], "seed", "seeds"))),
        *([f"verdict: {row.verdict}"] if row.verdict else []),
    ]
