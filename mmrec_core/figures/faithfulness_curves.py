"""What deletion and insertion curves show, before they are drawn: rows, panels, and the words."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

import numpy as np
import pandas as pd

from mmrec_core.domain import InputError
from mmrec_core.figures.palette import ACCENT, CONTROL, DASHES, OUTLINE, Marker
from mmrec_core.figures.words import (
    check_columns,
    check_once,
    clean,
    count,
    first_few,
    interval,
    known_as,
    number,
    percent,
    room_around,
    subject,
    three,
    without_interval,
)

KINDS = ("deletion", "insertion")
HEADS = {
    "deletion": "deletion (lower is better)",
    "insertion": "insertion (higher is better)",
}
X_LABELS = {"deletion": "Elements taken away, %", "insertion": "Elements added, %"}
Y_LABEL = "Change of the score, in SD of the user's scores"
_SAID_AT = 0.5
"""Share of the elements where the description reads the curves: at both ends all orders agree."""
_COLUMNS = ("method", "kind", "order", "share", "score", "low", "high")


@dataclass(frozen=True)
class Look:
    """How curves of one order are drawn."""

    label: str
    colour: str
    dash: tuple[str, tuple[float, ...]]
    marker: Marker
    width: float


LOOKS: Mapping[str, Look] = {
    "own": Look("the explanation's order", ACCENT, DASHES[0], Marker("circle", "o"), 2.4),
    "random": Look("random order", CONTROL, DASHES[0], Marker("square", "s"), 2.0),
    "randomised": Look(
        "order of the model with its weights shuffled", OUTLINE, DASHES[1],
        Marker("triangle-up", "^", hollow=True), 2.0,
    ),
}  # fmt: skip
"""Order of the elements -> its look, in the order of the legend."""
DRAWN_ORDER = ("random", "randomised", "own")
"""What matters most lies on top."""


@dataclass(frozen=True)
class Curve:
    """One order; ``values`` has the columns share (0 to 1), score, low, high, by share."""

    order: str
    values: np.ndarray

    @property
    def look(self) -> Look:
        """Colour, dash and shape."""
        return LOOKS[self.order]

    @property
    def band(self) -> np.ndarray:
        """Rows of ``values`` that have an interval."""
        return self.values[np.isfinite(self.values).all(axis=1)]


@dataclass(frozen=True)
class Panel:
    """Curves of one method and kind; none where there is no such table."""

    method: str
    kind: str
    curves: tuple[Curve, ...]
    n: int | None

    @property
    def span(self) -> tuple[float, float]:
        """Ends of the y axis, with 0."""
        ends = [float(end) for curve in self.curves for end in curve.values[:, 1:].ravel()]
        low, high = room_around([0.0, *ends]) or (-1.0, 1.0)
        return low, high

    @property
    def words(self) -> str:
        """Every curve halfway, for the description."""
        shares = [share for curve in self.curves for share in curve.values[:, 0].tolist()]
        if not shares:
            return f"{self.kind} was not measured"
        at = min(shares, key=lambda share: (abs(share - _SAID_AT), share))
        said = [
            f"{three(score, True)} in {curve.look.label}"
            if curve.order == "random"
            else f"{three(score, True)} in the {curve.look.label.removeprefix('the ')}"
            for curve in self.curves
            for share, score in curve.values[:, :2].tolist()
            if share == at
        ]
        done = "taken away" if self.kind == "deletion" else "added"
        return f"with {percent(at, False)} {done}, {', '.join(said)}"

    def hover(self, curve: Curve) -> list[str]:
        """The numbers at each point of a curve (plain text, still to be escaped)."""
        done = "taken away" if self.kind == "deletion" else "added"
        n = count([] if self.n is None else [self.n], "recommendation", "recommendations")
        return [
            "\n".join(
                (
                    f"{self.method}: {self.kind}",
                    curve.look.label,
                    f"{percent(share, False)} of the elements {done}",
                    f"{three(score, True)}, 95 % interval {interval(low, high)}",
                    *([n] if n else []),
                )
            )
            for share, score, low, high in curve.values.tolist()
        ]


@dataclass(frozen=True)
class FaithfulnessPlan:
    """A row of two panels, deletion and insertion, for each method."""

    rows: tuple[tuple[Panel, ...], ...]
    recommender: str

    @property
    def panels(self) -> list[Panel]:
        """Row by row."""
        return [panel for row in self.rows for panel in row]

    @property
    def orders(self) -> list[str]:
        """Those that occur, in the order of the legend."""
        there = {curve.order for panel in self.panels for curve in panel.curves}
        return [order for order in LOOKS if order in there]

    @property
    def title(self) -> str:
        """What the figure is about."""
        of = f"“{self.rows[0][0].method}”" if len(self.rows) == 1 else "explanations"
        title = f"faithfulness of {of}"
        return f"{self.recommender}: {title}" if self.recommender else title.capitalize()

    @property
    def stands_on(self) -> str:
        """Recommendations, what is drawn, and what is missing."""
        known = [panel.n for panel in self.panels if panel.n is not None]
        return subject(
            (
                count(known, "recommendation", "recommendations"),
                "lines: means, bands: 95 % intervals",
                "each panel has its own scale",
                without_interval(
                    (low, high)
                    for panel in self.panels
                    for curve in panel.curves
                    for _, score, low, high in curve.values.tolist()
                    if isfinite(score)
                ),
            )
        )

    @property
    def description(self) -> str:
        """One sentence for readers who cannot see the figure."""
        parts = [f"{row[0].method}: {'; '.join(panel.words for panel in row)}" for row in self.rows]
        return (
            f"{self.title}, {self.stands_on.replace(' · ', ', ')}; change of the score in "
            f"standard deviations of the user's scores; {first_few(parts)}."
        )


def lay_out(
    curves: pd.DataFrame,
    titles: Mapping[str, str] | None,
    n: Mapping[str, int] | int | None,
    recommender: str,
) -> FaithfulnessPlan:
    """Methods in the order of the table, shares in rising order.

    Raises:
        InputError: The table does not fit, or there is nothing to draw.
    """
    check_columns(curves, _COLUMNS, "deletion and insertion curves")
    if curves.empty:
        raise InputError(
            "No explanation that puts elements in order was measured, so there are no curves."
        )
    for column, known in (("kind", KINDS), ("order", tuple(LOOKS))):
        for name in curves[column].unique():
            if name not in known:
                raise InputError(
                    f"There is no {column} {clean(name)!r} of a curve. Known: {', '.join(known)}."
                )
    if not curves["share"].between(0, 1).all():
        raise InputError("The share of the elements must be from 0 to 1.")
    check_once(curves, ("method", "kind", "order", "share"), "point")
    rows = []
    for name, own in curves.groupby("method", sort=False):
        method = str(name)
        counted = n.get(method) if isinstance(n, Mapping) else n
        rows.append(
            tuple(
                Panel(known_as(method, titles), kind, _curves(own[own["kind"] == kind]), counted)
                for kind in KINDS
            )
        )
    return FaithfulnessPlan(tuple(rows), clean(recommender))


def _curves(own: pd.DataFrame) -> tuple[Curve, ...]:
    found = []
    for order in LOOKS:
        table = own[own["order"] == order].sort_values("share")
        if table.empty:
            continue
        values = np.array([[number(v) for v in row] for row in table[list(_COLUMNS[3:])].values])
        found.append(Curve(order, values))
    return tuple(found)
