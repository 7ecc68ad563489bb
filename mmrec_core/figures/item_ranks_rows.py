"""What a plot of an item's ranks shows, before it is drawn: rows, their numbers, and words."""

from dataclasses import dataclass
from math import isfinite

import pandas as pd

from mmrec_core.domain import InputError
from mmrec_core.figures.palette import WHOLE_MODEL, modality_colour
from mmrec_core.figures.words import (
    check_columns,
    check_once,
    clean,
    count,
    first_few,
    number,
    percent,
    shorten,
    subject,
)

SPREAD = ("first_decile", "first_quartile", "median", "last_quartile", "last_decile")
_COLUMNS = ("setting", "modality", "n_users", *SPREAD, "in_top_20")
_SHORTEST = 12
"""Characters that are left of an item's title at least."""


@dataclass(frozen=True)
class Row:
    """Ranks under one setting.

    Attributes:
        setting: As it is shown.
        modality: Which is replaced; ``none``: as trained.
        n: Users.
        spread: Deciles, quartiles and median, the smallest first.
        in_top: Share of the users who have it among their first 20.
    """

    setting: str
    modality: str
    n: int
    spread: tuple[float, float, float, float, float]
    in_top: float

    @property
    def median(self) -> float:
        """Half of the users have it no further down."""
        return self.spread[2]

    @property
    def colour(self) -> str:
        """Of the modality that is replaced."""
        return WHOLE_MODEL if self.modality == "none" else modality_colour(self.modality)

    @property
    def top_words(self) -> str:
        """The share, as it stands beside the row."""
        return percent(self.in_top, False) if self.in_top else "0 %"

    @property
    def hover(self) -> list[str]:
        """Lines of the tooltip."""
        first, lower, middle, upper, last = map(rank, self.spread)
        return [
            self.setting,
            f"median rank {middle}",
            f"half of the users from {lower} to {upper}",
            f"four fifths from {first} to {last}",
            f"among the first 20 of {self.top_words} of {self.n:,} users",
        ]


@dataclass(frozen=True)
class Plan:
    """All rows, from the top down."""

    rows: tuple[Row, ...]
    item: str
    recommender: str

    x_label = "Rank among the items a user has not seen, 1 is the best (logarithmic)"
    top_label = "first 20"

    @property
    def title(self) -> str:
        """What the figure is about."""
        return self._title(self.item)

    def short_title(self, length: int) -> str:
        """The same, where there is little room: the item's title is cut."""
        return self._title(shorten(self.item, max(_SHORTEST, length - len(self._title("")))))

    def _title(self, item: str) -> str:
        under = " under each control" if len(self.rows) > 1 else ""
        return f"{self.recommender}: where “{item}” ranks{under}"

    @property
    def stands_on(self) -> str:
        """Users, and what the marks are."""
        return subject(
            (
                count([row.n for row in self.rows], "user", "users"),
                "point: median, bar: half of the users, line: four fifths",
                "nothing trained again" if len(self.rows) > 1 else "",
            )
        )

    @property
    def places(self) -> list[float]:
        """Heights of the rows, counted from the top; what is as trained stands a little apart."""
        apart = 0.35 if len(self.rows) > 1 and self.rows[0].modality == "none" else 0.0
        return [0.5 + i + (apart if i else 0) for i in range(len(self.rows))]

    @property
    def height(self) -> float:
        """Of the plot, in rows."""
        return self.places[-1] + 0.5

    @property
    def span(self) -> tuple[float, float]:
        """Ends of the axis; rank 20 is on it."""
        return 0.85, 1.2 * max(25.0, *(row.spread[-1] for row in self.rows))

    @property
    def description(self) -> str:
        """The figure in one sentence, for readers who cannot see it."""
        parts = [
            f"{row.setting}: median {rank(row.median)}, four fifths of the users from "
            f"{rank(row.spread[0])} to {rank(row.spread[-1])}, among the first 20 of "
            f"{row.top_words} of them"
            for row in self.rows
        ]
        users = count([row.n for row in self.rows], "user", "users")
        return f"{self.title}, ranks over {users}: {first_few(parts, 10)}."


def rank(value: float) -> str:
    """A rank, or what lies between two."""
    return f"{value:,.0f}" if value >= 1000 or value == int(value) else f"{value:.1f}"


def lay_out(ranks: pd.DataFrame, item: str, recommender: str) -> Plan:
    """Rows in the order of the table.

    Raises:
        InputError: A column is missing, a setting is there twice, a number makes no sense, or
            there is no row.
    """
    check_columns(ranks, _COLUMNS, "ranks")
    check_once(ranks, ("setting",), "ranks")
    if ranks.empty:
        raise InputError("There are no ranks to draw: no user could be shown the item.")
    rows = []
    for cells in ranks.to_dict("records"):
        spread = tuple(number(cells[name]) for name in SPREAD)
        first, lower, middle, upper, last = spread
        share, setting = number(cells["in_top_20"]), clean(cells["setting"])
        if not all(map(isfinite, spread)) or not 1 <= first <= lower <= middle <= upper <= last:
            raise InputError(
                f"The ranks of {setting} must be numbers from 1 up, the first decile the smallest."
            )
        if not 0 <= share <= 1:
            raise InputError(f"The share of users of {setting} must lie between 0 and 1.")
        modality = clean(cells["modality"])
        rows.append(
            Row(
                setting,
                modality,
                int(cells["n_users"]),
                (first, lower, middle, upper, last),
                share,
            )
        )
        _ = rows[-1].colour  # refuses an unknown modality
    return Plan(tuple(rows), clean(item), clean(recommender))
