"""What missing-modality curves show, before they are drawn: panels, curves, and the words."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

import numpy as np
import pandas as pd

from mmrec_core.domain import InputError
from mmrec_core.figures.palette import MODALITY_MARKERS, modality_label
from mmrec_core.figures.words import (
    check_columns,
    check_once,
    count,
    first_few,
    known_as,
    number,
    percent,
    room_around,
    subject,
    three,
    without_interval,
)
from mmrec_core.metrics import metric_label

MODALITIES = tuple(MODALITY_MARKERS)
_COLUMNS = (
    "recommender", "modality", "share", "value", "low", "high", "n_users", "seeds", "metric",
)  # fmt: skip


@dataclass(frozen=True)
class Curve:
    """One modality; ``values`` has the columns share (0 to 1), value, low, high, in order."""

    modality: str
    values: np.ndarray
    n_users: tuple[int, ...]
    seeds: tuple[int, ...]

    @property
    def runs(self) -> list[np.ndarray]:
        """Pieces of the band without a missing value."""
        there = np.isfinite(self.values).all(axis=1)
        cuts = np.flatnonzero(np.diff(there.astype(int))) + 1
        return [run for run in np.split(self.values, cuts) if np.isfinite(run).all()]

    @property
    def gone(self) -> int:
        """How many shares have no value."""
        return int((~np.isfinite(self.values[:, 1])).sum())

    @property
    def words(self) -> str:
        """Its first and last value, for the description."""
        known = self.values[np.isfinite(self.values[:, 1])]
        label = modality_label(self.modality)
        if not len(known):
            return f"{label} without a value"
        ends = (f"{three(v)} at {percent(share, False)}" for share, v in known[[0, -1], :2])
        return f"{label} {' to '.join(dict.fromkeys(ends))}"


@dataclass(frozen=True)
class Panel:
    """The curves of one recommender."""

    name: str
    curves: tuple[Curve, ...]


@dataclass(frozen=True)
class RemovalPlan:
    """A panel for each recommender; all have the same axes."""

    metric: str
    groups: tuple[Panel, ...]

    x_label = "Items without the modality, %"

    @property
    def curves(self) -> list[Curve]:
        """Those of all panels."""
        return [curve for group in self.groups for curve in group.curves]

    @property
    def modalities(self) -> list[str]:
        """Those that occur, in the order of the legend."""
        there = {curve.modality for curve in self.curves}
        return [modality for modality in MODALITIES if modality in there]

    @property
    def title(self) -> str:
        """What the figure is about."""
        return f"{self.metric} as items lose a modality"

    @property
    def stands_on(self) -> str:
        """Users, seeds, what is drawn, and what is missing."""
        gone = sum(curve.gone for curve in self.curves)
        return subject(
            (
                count((n for curve in self.curves for n in curve.n_users), "user", "users"),
                count((n for curve in self.curves for n in curve.seeds), "seed", "seeds"),
                "lines: means, bands: 95 % intervals",
                without_interval(
                    (low, high)
                    for curve in self.curves
                    for _, value, low, high in curve.values.tolist()
                    if isfinite(value)
                ),
                f"not drawn: {count([gone], 'missing value', 'missing values')}" if gone else "",
            )
        )

    @property
    def y_label(self) -> str:
        """What is measured."""
        return self.metric

    @property
    def span(self) -> list[float]:
        """Ends of the shared y axis."""
        ends = (float(end) for curve in self.curves for end in curve.values[:, 1:].ravel())
        return room_around(ends) or [0.0, 1.0]

    @property
    def description(self) -> str:
        """One sentence for readers who cannot see the figure."""
        parts = [
            f"{group.name}: {', '.join(curve.words for curve in group.curves)}"
            for group in self.groups
        ]
        return f"{self.title}, {self.stands_on.replace(' · ', ', ')}; {first_few(parts)}."


def lay_out(curve: pd.DataFrame, metric: str, titles: Mapping[str, str] | None) -> RemovalPlan:
    """Recommenders in the order of the table, shares in rising order.

    Raises:
        InputError: The table does not fit, or there is nothing to draw.
    """
    label = metric_label(metric)
    check_columns(curve, _COLUMNS, "missing-modality curves")
    table = curve[curve["metric"] == metric]
    if table.empty:
        raise InputError(f"There is no missing-modality curve of {metric}; choose another metric.")
    for modality in table["modality"].unique():
        if modality not in MODALITIES:
            raise InputError(
                f"There is no modality {modality!r} to remove. Known: {', '.join(MODALITIES)}."
            )
    if not table["share"].between(0, 1).all():
        raise InputError("The share of items without a modality must be from 0 to 1.")
    check_once(table, ("recommender", "modality", "share"), "point")
    groups = []
    for name, own in table.groupby("recommender", sort=False):
        curves = tuple(
            _curve(modality, own[own["modality"] == modality].sort_values("share"))
            for modality in MODALITIES
            if (own["modality"] == modality).any()
        )
        groups.append(Panel(known_as(str(name), titles), curves))
    return RemovalPlan(label, tuple(groups))


def _curve(modality: str, own: pd.DataFrame) -> Curve:
    values = [
        [number(row[name]) for name in ("share", "value", "low", "high")]
        for row in own.to_dict("records")
    ]
    return Curve(
        modality,
        np.array([row if isfinite(row[1]) else [row[0]] + [np.nan] * 3 for row in values]),
        tuple(map(int, own["n_users"])),
        tuple(map(int, own["seeds"])),
    )
