"""What an agreement map shows, before it is drawn: arms, cells, and the words around them."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

import pandas as pd

from mmrec_core.domain import InputError
from mmrec_core.figures.palette import DIVERGING, SEQUENTIAL, shade
from mmrec_core.figures.words import (
    arm_parts,
    arm_words,
    check_columns,
    clean,
    count,
    interval,
    known_as,
    number,
    subject,
    three,
)
from mmrec_core.metrics.agreement import AGREEMENT_TITLES

_COLUMNS = ("arm_a", "arm_b", "measure", "value", "low", "high", "k", "n_users", "seeds")


@dataclass(frozen=True)
class Cell:
    """Agreement of two arms: those at ``row`` and ``column``, counted from 0, row > column."""

    row: int
    column: int
    value: float
    low: float
    high: float
    n_users: int
    seeds: int

    @property
    def text(self) -> str:
        """Two decimals, a true minus, no minus before 0."""
        text = f"{abs(self.value):.2f}"
        return f"−{text}" if self.value < 0 and float(text) else text


@dataclass(frozen=True)
class AgreementPlan:
    """Arms by (recommender, the rest of the label), and the pairs that have a value.

    Attributes:
        gone: Row and column of pairs without a value.
    """

    measure: str
    k: int
    arms: tuple[tuple[str, str], ...]
    cells: tuple[Cell, ...]
    gone: tuple[tuple[int, int], ...]
    diverging: bool

    @property
    def names(self) -> list[str]:
        """Labels of the arms."""
        return [subject(arm) for arm in self.arms]

    @property
    def scale(self) -> tuple[str, ...]:
        """The colours, low to high."""
        return DIVERGING if self.diverging else SEQUENTIAL

    @property
    def ends(self) -> tuple[float, float]:
        """Of the colours: all that the measure can be, so that two maps can be compared."""
        return (-1.0, 1.0) if self.diverging else (0.0, 1.0)

    def colour(self, value: float) -> str:
        """Ground of a cell."""
        low, high = self.ends
        return shade(self.scale, (value - low) / (high - low))

    @property
    def title(self) -> str:
        """What the map is about."""
        return f"Agreement of the arms' top-{self.k} lists"

    @property
    def bar_label(self) -> str:
        """What the colours measure."""
        return f"{self.measure}, top {self.k}, mean over users and seeds"

    @property
    def stands_on(self) -> str:
        """Arms, users, seeds, and how wide intervals are."""
        widths = [cell.high - cell.low for cell in self.cells]
        widest = max(filter(isfinite, widths), default=float("nan"))
        return subject(
            (
                count([len(self.arms)], "arm", "arms"),
                count((cell.n_users for cell in self.cells), "user", "users"),
                count((cell.seeds for cell in self.cells), "seed", "seeds"),
                f"95 % intervals at most {three(widest)} wide" if isfinite(widest) else "",
                f"×: no value ({count([len(self.gone)], 'pair', 'pairs')})" if self.gone else "",
            )
        )

    @property
    def description(self) -> str:
        """One sentence for readers who cannot see the map."""
        ranked = sorted(self.cells, key=lambda cell: cell.value)
        said = [
            f"{word} {cell.text} ({self.names[cell.column]} and {self.names[cell.row]}, "
            f"95 % interval {interval(cell.low, cell.high)})"
            for word, cell in (("lowest", ranked[0]), ("highest", ranked[-1]))
        ]
        if len(ranked) == 1:
            said = [said[0].removeprefix("lowest ")]
        return (
            f"{self.title}: {self.measure}, {self.stands_on.replace(' · ', ', ')}; "
            f"{', '.join(said)}."
        )

    def hover(self, cell: Cell) -> list[str]:
        """The numbers of a cell, a line each (plain text, still to be escaped)."""
        return [
            self.names[cell.row],
            self.names[cell.column],
            f"{self.measure} {three(cell.value)}, 95 % interval {interval(cell.low, cell.high)}",
            subject(
                (
                    f"top {self.k}",
                    count([cell.n_users], "user", "users"),
                    count([cell.seeds], "seed", "seeds"),
                )
            ),
        ]


def lay_out(
    agreement: pd.DataFrame, measure: str, titles: Mapping[str, str] | None
) -> AgreementPlan:
    """Arms in the order of the table, a cell for every pair below the diagonal.

    Raises:
        InputError: The table or the measure does not fit, or there is nothing to draw.
    """
    if measure not in AGREEMENT_TITLES:
        raise InputError(f"There is no measure {measure!r}. Known: {', '.join(AGREEMENT_TITLES)}.")
    check_columns(agreement, _COLUMNS, "agreement")
    table = agreement[agreement["measure"] == measure]
    if table["value"].notna().sum() == 0:
        raise InputError(f"No pair of arms has a value of {measure}, so there is nothing to draw.")
    if table["k"].nunique() != 1:
        raise InputError("The lists compared differ in length; give rows of one k.")
    pairs = list(zip(table["arm_a"], table["arm_b"], strict=True))
    arms = list(dict.fromkeys(arm for pair in pairs for arm in pair))
    found: dict[tuple[int, int], Cell] = {}
    seen = set()
    for (a, b), row in zip(pairs, table.to_dict("records"), strict=True):
        column, low_row = sorted((arms.index(a), arms.index(b)))
        if a == b:
            raise InputError(f"{clean(a)} is compared with itself; give pairs of two arms.")
        if (low_row, column) in seen:
            raise InputError(f"{clean(a)} and {clean(b)} are compared twice; give each pair once.")
        seen.add((low_row, column))
        value, low, high = (number(row[name]) for name in ("value", "low", "high"))
        if isfinite(value):
            found[low_row, column] = Cell(
                low_row, column, value, low, high, int(row["n_users"]), int(row["seeds"])
            )
    every = [(row, column) for row in range(len(arms)) for column in range(row)]
    return AgreementPlan(
        measure=AGREEMENT_TITLES[measure],
        k=int(table["k"].iloc[0]),
        arms=tuple(_shown(str(arm), titles) for arm in arms),
        cells=tuple(found[place] for place in every if place in found),
        gone=tuple(place for place in every if place not in found),
        diverging=measure == "kendall",
    )


def _shown(arm: str, titles: Mapping[str, str] | None) -> tuple[str, str]:
    """Recommender, and modality and control, on screen."""
    name, modality, control = arm_parts(arm)
    return known_as(name, titles), subject(arm_words(modality, control))
