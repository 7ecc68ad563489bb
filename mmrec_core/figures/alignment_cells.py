"""What a matrix of alignments shows, before it is drawn: spaces, cells, words around them."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

import pandas as pd

from mmrec_core.domain import InputError
from mmrec_core.figures.palette import SEQUENTIAL, shade
from mmrec_core.figures.spaces import Space, spaces
from mmrec_core.figures.words import (
    check_columns,
    clean,
    count,
    interval,
    number,
    p_value,
    subject,
    three,
)

_COLUMNS = (
    "space_a", "space_b", "measure", "n", "raw", "null_low", "null_high", "p", "calibrated",
)  # fmt: skip
ALPHA = 0.05
CORNER = "◥"


@dataclass(frozen=True)
class Cell:
    """Two spaces, counted from 0, ``row`` > ``column``, and how alike they are."""

    row: int
    column: int
    n: int
    raw: float
    low: float
    high: float
    p: float
    calibrated: float

    @property
    def by_chance(self) -> bool:
        """Whether it is not told from spaces whose items are paired by chance."""
        return self.p > ALPHA

    @property
    def colour(self) -> str:
        """Ground of the cell."""
        return shade(SEQUENTIAL, self.calibrated)

    def lines(self, decimals: int, bare: bool) -> list[str]:
        """Calibrated value, raw value, null band; ``bare``: no 0 before the point."""

        def words(value: float, places: int) -> str:
            if not isfinite(value):
                return "–"
            text = f"{abs(value):.{places}f}"
            text = f"−{text}" if value < 0 and float(text) else text
            return text.replace("0.", ".", 1) if bare and abs(value) < 1 else text

        band = f"{words(self.low, decimals)}–{words(self.high, decimals)}"
        return [words(self.calibrated, 2), words(self.raw, decimals), band]


@dataclass(frozen=True)
class Plan:
    """All spaces and the pairs of them.

    Attributes:
        gone: Row and column of pairs without a calibrated value.
    """

    label: str
    distance: bool
    shown: tuple[Space, ...]
    cells: tuple[Cell, ...]
    gone: tuple[tuple[int, int], ...]

    @property
    def decimals(self) -> int:
        """Of raw values: three where the null band would read as 0."""
        ends = [cell.high for cell in self.cells if isfinite(cell.high)]
        return 3 if ends and max(map(abs, ends)) < 0.05 else 2

    @property
    def title(self) -> str:
        """What the matrix is about."""
        return f"Alignment of embedding spaces: {self.label}"

    @property
    def bar_label(self) -> str:
        """What the colours measure."""
        return "Calibrated value (0: as by chance, 1: the most there can be)"

    @property
    def by_chance(self) -> list[Cell]:
        """Pairs that are not told from chance."""
        return [cell for cell in self.cells if cell.by_chance]

    @property
    def sizes(self) -> tuple[str, str]:
        """Spaces and items."""
        return (
            count([len(self.shown)], "space", "spaces"),
            count((cell.n for cell in self.cells), "item", "items"),
        )

    def stands_on(self, inside: str) -> str:
        """Spaces, items, what stands in the cells, and what the marks mean."""
        pairs = count([len(self.by_chance)], "pair", "pairs")
        gone = count([len(self.gone)], "pair", "pairs")
        return subject(
            (
                *self.sizes,
                inside,
                "raw is a distance: lower is closer" if self.distance else "",
                f"{CORNER} p > {ALPHA:g}, not told from chance ({pairs})" if self.by_chance else "",
                f"×: no value ({gone})" if self.gone else "",
            )
        )

    @property
    def description(self) -> str:
        """One sentence for readers who cannot see the matrix."""
        ranked = sorted(self.cells, key=lambda cell: cell.calibrated)
        picks = [("lowest", ranked[0]), ("highest", ranked[-1])] if len(ranked) > 1 else []
        said = [
            f"{word} {three(cell.calibrated)} ({self._numbers(cell)})"
            for word, cell in picks or [("", ranked[0])]
        ]
        marked = f"{len(self.by_chance)} of {len(self.cells)} pairs not told from chance"
        gone = f"; {count([len(self.gone)], 'pair', 'pairs')} without a value" if self.gone else ""
        kind = ", a distance" if self.distance else ""
        return (
            f"{self.title}{kind}, {', '.join(self.sizes)}; calibrated value from 0 to 1: "
            f"{', '.join(each.strip() for each in said)}; {marked} (p > {ALPHA:g}){gone}."
        )

    def _numbers(self, cell: Cell) -> str:
        return (
            f"{self.shown[cell.column].name} and {self.shown[cell.row].name}, raw "
            f"{three(cell.raw)}, null band {interval(cell.low, cell.high)}, "
            f"p {p_value(cell.p)}"
        )

    def hover(self, cell: Cell) -> list[str]:
        """The numbers of a cell, a line each (plain text, still to be escaped)."""
        return [
            self.shown[cell.row].name,
            self.shown[cell.column].name,
            f"calibrated {three(cell.calibrated)}",
            f"raw {three(cell.raw)}, null band {interval(cell.low, cell.high)}",
            subject((f"p {p_value(cell.p)}", count([cell.n], "item", "items"))),
            *(["not told from chance"] if cell.by_chance else []),
        ]


def lay_out(
    table: pd.DataFrame,
    measure: str,
    titles: Mapping[str, str] | None,
    label: str,
    distance: bool,
    modalities: Mapping[str, str] | None,
) -> Plan:
    """Spaces in the order of the table; see ``alignment_matrix`` for the arguments.

    Raises:
        InputError: The table does not fit, or there is nothing to draw.
    """
    check_columns(table, _COLUMNS, "alignments")
    own = table[table["measure"] == measure]
    if own["calibrated"].notna().sum() == 0:
        raise InputError(
            f"No pair of spaces has a calibrated value of {clean(measure)!r}, so there is nothing "
            "to draw; compute it for two spaces that share items."
        )
    pairs = [(str(a), str(b)) for a, b in zip(own["space_a"], own["space_b"], strict=True)]
    keys = list(dict.fromkeys(key for pair in pairs for key in pair))
    found: dict[tuple[int, int], Cell | None] = {}
    for (a, b), row in zip(pairs, own.to_dict("records"), strict=True):
        if a == b:
            raise InputError(f"{clean(a)} is compared with itself; give pairs of two spaces.")
        column, low_row = sorted((keys.index(a), keys.index(b)))
        if (low_row, column) in found:
            raise InputError(f"{clean(a)} and {clean(b)} are compared twice; give each pair once.")
        calibrated = number(row["calibrated"])
        if not isfinite(calibrated):
            found[low_row, column] = None
            continue
        if not 0 <= calibrated <= 1:
            raise InputError(
                f"The calibrated value of {clean(a)} and {clean(b)} is {calibrated:g}; it must "
                "lie between 0 and 1."
            )
        raw, low, high, p = (number(row[name]) for name in ("raw", "null_low", "null_high", "p"))
        found[low_row, column] = Cell(
            low_row, column, int(row["n"]), raw, low, high, p, calibrated
        )  # fmt: skip
    every = [(row, column) for row in range(len(keys)) for column in range(row)]
    return Plan(
        label=clean(label or measure),
        distance=distance,
        shown=tuple(spaces(keys, titles, modalities)),
        cells=tuple(cell for place in every if (cell := found.get(place))),
        gone=tuple(place for place in every if not found.get(place)),
    )
