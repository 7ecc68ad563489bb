"""Numbers, names and subjects in words, and the check of the tables that come in."""

import html
import math
import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from mmrec_core.domain import InputError
from mmrec_core.figures.palette import MODALITY_LABELS, modality_label

NOT_THERE = "–"


def three(value: float | None, sign: bool = False) -> str:
    """A number with three significant digits and a true minus; ``–`` where there is none."""
    if value is None or not math.isfinite(value):
        return NOT_THERE
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    rounded = round(value, 2 - exponent)
    exponent = math.floor(math.log10(abs(rounded)))  # 9.996 has become 10.0
    if exponent < -6:
        text = f"{abs(rounded):.2e}"
    else:
        text = f"{abs(rounded):,.{max(0, 2 - exponent)}f}"
    return ("−" if value < 0 else "+" if sign else "") + text


def percent(share: float | None, sign: bool = True) -> str:
    """A share in per cent with three significant digits, such as ``+12.3 %``."""
    if share is None or not math.isfinite(share):
        return NOT_THERE
    return f"{three(100 * share, sign)} %"


def p_value(p: float | None) -> str:
    """``0.0123``, or ``< 0.001``; ``–`` where there is none."""
    if p is None or not math.isfinite(p):
        return NOT_THERE
    return "< 0.001" if p < 0.001 else three(p)


def interval(low: float | None, high: float | None, as_percent: bool = False) -> str:
    """``[0.0123, 0.0456]``; ends of a relative effect in per cent."""
    if as_percent:
        low, high = (None if end is None else 100 * end for end in (low, high))
    return f"[{three(low)}, {three(high)}]"


def count(values: Iterable[float], one: str, many: str) -> str:
    """``1,234 users``, or ``1,100–1,234 users`` where the rows differ; empty without any."""
    known = sorted({int(value) for value in values if value is not None and value == value})
    if not known:
        return ""
    text = f"{known[0]:,}" if len(known) == 1 else f"{known[0]:,}–{known[-1]:,}"
    return f"{text} {one if known == [1] else many}"


def subject(parts: Iterable[str]) -> str:
    """The parts that are there, joined as the line under a title."""
    return " · ".join(part for part in parts if part)


def first_few(parts: Sequence[str], most: int = 6) -> str:
    """The parts joined by semicolons; of many the first, and how many more there are."""
    more = [f"and {len(parts) - most} more"] if len(parts) > most else []
    return "; ".join([*parts[:most], *more])


def clean(name: object) -> str:
    """A name from data on one line, without control characters."""
    return re.sub(r"[\s\x00-\x1f\x7f]+", " ", str(name)).strip()


def shorten(name: str, length: int) -> str:
    """The name, cut with an ellipsis where it is longer than ``length`` characters."""
    return name if len(name) <= length else name[: length - 1].rstrip() + "…"


def escaped(name: object) -> str:
    """A name as text for plotly, which reads labels and hover texts as a kind of HTML."""
    return html.escape(clean(name), quote=False)


def known_as(name: str, titles: Mapping[str, str] | None) -> str:
    """Name on screen: the title of a recommender where one was given."""
    return clean((titles or {}).get(name, name))


def arm_parts(arm: str) -> tuple[str, str, str]:
    """Recommender, modality and control of an arm's label; ``none`` for what is not in it."""
    name, *rest = arm.split(" · ")
    if not rest:
        return name, "none", "none"
    return name, rest[0] if len(rest) > 1 else "none", rest[-1]


def arm_words(modality: str, control: str) -> list[str]:
    """Modality and control of an arm on screen, those that are there."""
    shown = modality_label(modality) if modality in MODALITY_LABELS else clean(modality)
    return [shown] * (modality != "none") + [clean(control)] * (control != "none")


def without_interval(ends: Iterable[tuple[float, float]]) -> str:
    """How many values have no interval, for the line under a title; empty without any."""
    gone = sum(not (math.isfinite(low) and math.isfinite(high)) for low, high in ends)
    return f"{gone} without an interval" if gone else ""


def change_of(metric: str) -> str:
    """Axis of relative effects, with its unit."""
    return f"Change of {metric} in % of the mean of the arm subtracted"


def room_around(values: Iterable[float]) -> list[float] | None:
    """Ends of an axis that holds the values, with room beside the outermost; None without any."""
    ends = [value for value in values if math.isfinite(value)]
    if not ends:
        return None
    room = 0.05 * (max(ends) - min(ends)) or 0.05 * abs(ends[0]) or 0.05
    return [min(ends) - room, max(ends) + room]


def check_columns(table: pd.DataFrame, columns: Iterable[str], what: str) -> None:
    """Refuses a table without the columns that a figure is drawn from.

    Raises:
        InputError: A column is not there.
    """
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise InputError(
            f"The table of {what} has no column {missing[0]!r}, so there is no figure to draw; "
            f"it has: {', '.join(map(str, table.columns)) or 'none'}."
        )


def number(value: object) -> float:
    """A cell as a float; NaN for None, NA and NaN."""
    return float("nan") if pd.isna(value) else float(value)  # type: ignore[call-overload, arg-type]


def check_once(table: pd.DataFrame, key: Sequence[str], what: str) -> None:
    """Refuses a table that holds something twice.

    Raises:
        InputError: Two rows have the same values in the columns ``key``.
    """
    twice = table.duplicated(list(key))
    if twice.any():
        first = table[twice].iloc[0]
        named = ", ".join(clean(first[name]) for name in key)
        raise InputError(f"The {what} of {named} is there twice; give it once.")


def log_ticks(low: float, high: float, labels: float) -> list[float]:
    """Round numbers from ``low`` to ``high`` (both above 0) for a logarithmic axis.

    Args:
        low: Lower end of the axis.
        high: Upper end.
        labels: How many labels have room side by side.
    """
    first, last = math.log10(low), math.log10(high)
    room = (last - first) / max(labels, 1)  # powers of ten that one label takes

    def inside(digits: Iterable[float], step: int = 1) -> list[float]:
        powers = range(math.floor(first), math.ceil(last) + 1)
        every = (digit * 10.0**power for power in powers if power % step == 0 for digit in digits)
        return [
            value for value in every if low <= value * (1 + 1e-9) and value <= high * (1 + 1e-9)
        ]

    # From every digit to few powers: the first where neighbours have room.
    for digits, apart in (((1, 2, 5), math.log10(2)), ((1, 3), math.log10(3)), ((1,), 1.0)):
        if room <= apart and len(found := inside(digits)) > 1:
            return found
    found = inside((1,), max(1, math.ceil(room)))
    if len(found) > 1:
        return found
    # Less than a power of ten: steps of one size, as on a plain axis.
    power = 10.0 ** (math.floor(math.log10(high - low)) - 1)
    steps = [digit * power * 10.0**more for more in range(3) for digit in (1, 2, 5)]
    step = next((s for s in steps if s < high and math.log10(high / (high - s)) >= room), steps[-1])
    return [step * i for i in range(math.ceil(low / step), math.floor(high / step) + 1)] or [high]


def whole_numbers(values: object, what: str) -> np.ndarray:
    """Counts as int64 [n].

    Raises:
        InputError: They are not one row of whole numbers from 0 up, or there is none.
    """
    array = np.asarray(values)
    if array.ndim != 1 or not array.size:
        raise InputError(f"There are no {what} to draw; give one count each.")
    if not np.issubdtype(array.dtype, np.number) or not np.isfinite(array.astype(float)).all():
        raise InputError(f"The {what} must be whole numbers from 0 up.")
    counts = array.astype(np.int64)
    if (counts < 0).any() or (counts != array).any():
        raise InputError(f"The {what} must be whole numbers from 0 up.")
    return counts
