"""What a score split shows, before it is drawn: bars that begin where the last ended, and words."""

from dataclasses import dataclass
from math import isfinite
from typing import Literal, cast

import pandas as pd

from mmrec_core.domain import InputError
from mmrec_core.figures.palette import (
    COLLABORATIVE,
    CONTROL,
    IMAGE,
    JOINT,
    TEXT,
    WHOLE_MODEL,
)
from mmrec_core.figures.words import (
    check_columns,
    check_once,
    clean,
    count,
    number,
    shorten,
    subject,
    three,
)

Mode = Literal["score", "average"]
MODES = ("score", "average")
TOTAL = "total"

_COLOURS = {
    "collaborative": COLLABORATIVE,
    "none": COLLABORATIVE,
    "image": IMAGE,
    "text": TEXT,
    "joint": JOINT,
    "chance": CONTROL,
    "whole": WHOLE_MODEL,
    TOTAL: WHOLE_MODEL,
}
_LABELS = {"none": "collaborative", "whole": "whole model"}
_MOST_IN_WORDS = 8
_SHORTEST = 12
"""Characters that are left of an item's title at least."""


@dataclass(frozen=True)
class Bar:
    """One part, or the total.

    Attributes:
        part: As in the table.
        start: Where the bars before it ended.
        value: What it adds.
        score: What it adds to the score itself.
        against_average: The same, less its mean over the items ranked for the user.
    """

    part: str
    start: float
    value: float
    score: float
    against_average: float

    @property
    def end(self) -> float:
        """Where the next bar begins."""
        return self.start + self.value

    @property
    def sides(self) -> list[str]:
        """What it is made of: one name, or two (the user's side, the item's side)."""
        return [clean(each) for each in self.part.split(" x ")][:2]

    @property
    def label(self) -> str:
        """Name on the axis."""
        return " × ".join(_LABELS.get(each, each) for each in self.sides)

    @property
    def colours(self) -> list[str]:
        """Of its sides; none for what belongs to no modality, which is drawn as an outline."""
        known = [_COLOURS[each] for each in self.sides if each in _COLOURS]
        return known if len(known) == len(self.sides) else []

    @property
    def number(self) -> str:
        """What stands at its end."""
        return three(self.value, True)


@dataclass(frozen=True)
class SplitPlan:
    """All bars, from the top down; the total is the last."""

    bars: tuple[Bar, ...]
    item: str
    user: str
    recommender: str
    mode: Mode
    ranked: int | None

    @property
    def parts(self) -> tuple[Bar, ...]:
        """Without the total."""
        return self.bars[:-1]

    @property
    def total(self) -> Bar:
        """The last bar."""
        return self.bars[-1]

    @property
    def total_label(self) -> str:
        """Name of the last bar."""
        return "score" if self.mode == "score" else "score − average"

    @property
    def labels(self) -> list[str]:
        """Names on the axis."""
        return [*(bar.label for bar in self.parts), self.total_label]

    @property
    def places(self) -> list[float]:
        """Heights of the bars, in rows from the top; the total stands a little apart."""
        return [i + 0.5 for i in range(len(self.parts))] + [len(self.parts) + 0.8]

    @property
    def rule(self) -> float:
        """Height of the line over the total."""
        return len(self.parts) + 0.15

    @property
    def height(self) -> float:
        """Of the plot, in rows."""
        return len(self.parts) + 1.3

    @property
    def title(self) -> str:
        """What the figure is about."""
        return self._title(self.item)

    def short_title(self, length: int) -> str:
        """The same, where there is little room: the item's title is cut."""
        room = length - len(self._title(""))
        return self._title(shorten(self.item, max(_SHORTEST, room)))

    def _title(self, item: str) -> str:
        if self.mode == "score":
            return f"{self.recommender}: what the score of “{item}” is made of"
        return f"{self.recommender}: “{item}” against the average item"

    @property
    def stands_on(self) -> str:
        """Whose recommendation, and that nothing is estimated."""
        ranked = count([] if self.ranked is None else [self.ranked], "ranked item", "ranked items")
        average = f"average of {ranked or 'the ranked items'}"
        return subject(
            (
                f"1 recommendation, user {shorten(self.user, 24)}",
                average if self.mode == "average" else ranked,
                f"{'not split by modality' if self._undivided else 'exact sum'}, no interval",
            )
        )

    @property
    def _undivided(self) -> bool:
        return all(bar.part == "whole" for bar in self.parts)

    @property
    def x_label(self) -> str:
        """What is measured; scores of recommenders have no unit but their own."""
        if self.mode == "score":
            return f"Score, on {self.recommender}'s own scale"
        return f"Score minus the average item's, on {self.recommender}'s own scale"

    def span(self, left: float, right: float) -> tuple[float, float]:
        """Ends of the axis, with zero.

        Args:
            left: Share of the axis that the numbers at the left of the bars may take.
            right: The same of those at the right.
        """
        ends = [0.0, *(end for bar in self.bars for end in (bar.start, bar.end))]
        low, high = min(ends), max(ends)
        if high - low < 1e-12:
            low, high = low - 1.0, high + 1.0
        # The outermost numbers decide: where none stands at an end, little room is kept there.
        rightmost = any(side > 0 and at >= high for side, at in map(self.number_at, self.bars))
        leftmost = any(side < 0 and at <= low for side, at in map(self.number_at, self.bars))
        before, after = left if leftmost else 0.02, right if rightmost else 0.02
        whole = (high - low) / (1 - left - right)
        return low - before * whole, high + after * whole

    def number_at(self, bar: Bar) -> tuple[int, float]:
        """Where the number of a bar stands: right (1) or left (-1) of a place on the axis.

        It follows the direction of the bar, unless it would come to lie on the zero line.
        """
        side = -1 if bar.value < 0 else 1
        ends = [end for each in self.bars for end in (0.0, each.start, each.end)]
        near = 0.3 * (max(ends) - min(ends))
        if bar.value and 0 < -bar.end * side < near:
            return -side, bar.start
        return side, bar.end

    @property
    def description(self) -> str:
        """One sentence for readers who cannot see the figure."""
        bars = [f"{bar.label} {bar.number}" for bar in self.parts]
        if len(bars) > _MOST_IN_WORDS:
            # Those that say most, in their order.
            sizes = sorted((abs(bar.value) for bar in self.parts), reverse=True)
            least = sizes[_MOST_IN_WORDS - 1]
            kept = [f"{b.label} {b.number}" for b in self.parts if abs(b.value) >= least]
            bars = [*kept[:_MOST_IN_WORDS], f"and {len(bars) - _MOST_IN_WORDS} smaller parts"]
        return (
            f"{self.title}, {self.stands_on.replace(' · ', ', ')}: {'; '.join(bars)}; "
            f"{self.total_label} {self.total.number}."
        )

    def hover(self, bar: Bar) -> list[str]:
        """The numbers of a bar, a line each (plain text, still to be escaped)."""
        name = self.total_label if bar is self.total else bar.label
        lines = [f"{name}: {bar.number}"]
        if len(bar.sides) == 2:
            user, item = (_LABELS.get(each, each) for each in bar.sides)
            lines.append(f"the user's {user} side times the item's {item} side")
        lines += [
            f"in the score {three(bar.score, True)}",
            f"in the average item's score {three(bar.score - bar.against_average, True)}",
            f"against the average {three(bar.against_average, True)}",
        ]
        if bar is not self.total:
            lines.append(f"the sum so far {three(bar.end, True)}")
        return [*lines, f"“{self.item}”, user {self.user}"]


def lay_out(
    split: pd.DataFrame, item: str, user: str, recommender: str, mode: str, ranked: int | None
) -> SplitPlan:
    """Bars in the order of the table.

    Raises:
        InputError: The table does not fit, or there is nothing to draw.
    """
    if mode not in MODES:
        raise InputError(f"A score is not split by {mode!r}. Known: {', '.join(MODES)}.")
    check_columns(split, ("part", "value", "against_average"), "parts of a score")
    if split.empty:
        raise InputError("The score has no parts, so there is nothing to draw.")
    check_once(split, ("part",), "part")
    bars, at, score, difference = [], 0.0, 0.0, 0.0
    for row in split.to_dict("records"):
        value, against = number(row["value"]), number(row["against_average"])
        if not (isfinite(value) and isfinite(against)):
            raise InputError(
                f"The part {clean(row['part'])} has no value, so the parts are no sum; give it one."
            )
        bar = Bar(str(row["part"]), at, value if mode == "score" else against, value, against)
        bars.append(bar)
        at, score, difference = bar.end, score + value, difference + against
    bars.append(Bar(TOTAL, 0.0, at, score, difference))
    return SplitPlan(
        tuple(bars), clean(item), clean(user), clean(recommender), cast(Mode, mode), ranked
    )
