"""Content against behaviour: do neighbours in a space share their users?"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, log10
from typing import TYPE_CHECKING, Any

import pandas as pd

from mmrec_core.domain import InputError
from mmrec_core.figures.palette import modality_label, space_marker
from mmrec_core.figures.paper import (
    BODY,
    INK,
    LINE,
    PAD,
    QUIET,
    TICKS,
    Width,
    finished,
    inches,
    log_axis,
    mark,
    number_axis,
    page_width,
    panel,
    sheet,
    wrap,
)
from mmrec_core.figures.paper import GRID as PAPER_GRID
from mmrec_core.figures.screen import RULE, marker, screen
from mmrec_core.figures.spaces import (
    Space,
    key_in_print,
    key_in_words,
    names_beside,
    names_width,
    spaces,
)
from mmrec_core.figures.words import (
    check_columns,
    check_once,
    clean,
    count,
    escaped,
    first_few,
    interval,
    log_ticks,
    number,
    room_around,
    subject,
    three,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go

_COLUMNS = (
    "space", "modality", "overlap", "overlap_chance", "lift", "lift_low", "lift_high", "auc",
    "auc_low", "auc_high",
)  # fmt: skip
_FAR = 8
"""Ratio of the largest to the smallest lift from which on their axis goes by powers."""
_BETWEEN = 0.16


@dataclass(frozen=True)
class _Value:
    """A number of a space, with its interval and its own chance (NaN where unknown)."""

    value: float
    low: float
    high: float
    chance: float

    @property
    def words(self) -> str:
        known = isfinite(self.low) and isfinite(self.high)
        ends = f", 95 % interval {interval(self.low, self.high)}" if known else ""
        chance = f", chance {three(self.chance)}" if isfinite(self.chance) else ""
        return three(self.value) + ends + chance

    @property
    def reach(self) -> tuple[float, float]:
        known = isfinite(self.low) and isfinite(self.high)
        return (self.value - self.low, self.high - self.value) if known else (0.0, 0.0)


@dataclass(frozen=True)
class _Panel:
    """One measure: a value for each space, and what none of them would be above."""

    name: str
    label: str
    values: tuple[_Value, ...]
    reference: float | None
    logarithmic: bool = False

    @property
    def x_label(self) -> str:
        return self.label + (", logarithmic" if self.logarithmic else "")

    @property
    def ends(self) -> list[float]:
        """Of the axis, with its reference inside."""
        found = [
            x
            for each in self.values
            if isfinite(each.value)
            for x in (each.value, each.low, each.high, each.chance)
            if isfinite(x)
        ] + [0.0 if self.reference is None else self.reference]
        if self.logarithmic:
            low, high = room_around([log10(x) for x in found if x > 0]) or [0.0, 1.0]
            return [10**low, 10**high]
        return room_around(found) or [0.0, 1.0]


@dataclass(frozen=True)
class _Plan:
    """Spaces as rows, measures as panels."""

    shown: tuple[Space, ...]
    panels: tuple[_Panel, ...]
    n: tuple[int, ...]

    title = "Content against behaviour: do near items share their users?"

    @property
    def stands_on(self) -> str:
        bounds = any(isfinite(v.low) for each in self.panels for v in each.values)
        gone = sum(not isfinite(v.value) for each in self.panels for v in each.values)
        return subject(
            (
                count([len(self.shown)], "space", "spaces"),
                count(self.n, "item", "items"),
                "95 % intervals" if bounds else "no intervals",
                "dashed and |: chance",
                f"{gone} without a value" if gone else "",
            )
        )

    @property
    def description(self) -> str:
        parts = []
        for place, each in enumerate(self.shown):
            known = [(p.name, p.values[place]) for p in self.panels]
            said = ", ".join(f"{name} {v.words}" for name, v in known if isfinite(v.value))
            parts.append(f"{each.name} ({modality_label(each.modality)}): {said or 'no value'}")
        rows = first_few(parts)
        return f"{self.title} {self.stands_on.replace(' · ', ', ')}; {rows}."


def _lay_out(table: pd.DataFrame, titles: Mapping[str, str] | None, k: int | None) -> _Plan:
    check_columns(table, _COLUMNS, "content against behaviour")
    check_once(table, ("space",), "row")
    rows = table.to_dict("records")
    nan = float("nan")

    def values(name: str, chance: str = "") -> tuple[_Value, ...]:
        return tuple(
            _Value(
                number(row[name]),
                number(row.get(f"{name}_low")),
                number(row.get(f"{name}_high")),
                number(row[chance]) if chance else nan,
            )
            for row in rows
        )

    lift = values("lift")
    low = [each.value for each in lift if isfinite(each.value)]
    far = bool(low) and min(low) > 0 and max(low) / min(low) > _FAR
    far = far and not any(each.low <= 0 for each in lift)
    nearest = "k nearest" if k is None else f"{k} nearest"
    every = (
        _Panel("lift", "Lift over pairs matched by popularity (×)", lift, 1.0, far),
        _Panel("AUC", "AUC of similarity for shared users", values("auc"), 0.5),
        _Panel("overlap", f"Overlap of the {nearest} (share)", values("overlap", "overlap_chance"),
               None),
    )  # fmt: skip
    panels = tuple(p for p in every if any(isfinite(v.value) for v in p.values))
    if not panels:
        raise InputError("No space has a value, so there is nothing to draw.")
    modalities = {str(row["space"]): clean(row["modality"]) for row in rows}
    n = tuple(int(row["n"]) for row in rows if "n" in row and number(row["n"]) > 0)
    return _Plan(tuple(spaces(modalities, titles, modalities)), panels, n)


def behaviour_plot_description(
    table: pd.DataFrame, titles: Mapping[str, str] | None = None, *, k: int | None = None
) -> str:
    """What the plot of the same arguments shows, in one sentence, with spaces and items."""
    return _lay_out(table, titles, k).description


def behaviour_plot(
    table: pd.DataFrame, titles: Mapping[str, str] | None = None, *, k: int | None = None
) -> "go.Figure":
    """Lift, AUC and overlap of every space, panels with common rows; interactive.

    Args:
        table: One row a space: space, modality (``image``, ``text``, ``joint``, ``none``),
            overlap (share of the nearest by content that are nearest by behaviour),
            overlap_chance, lift (of shared users among content neighbours over pairs as
            popular), lift_low, lift_high, auc, auc_low, auc_high (95 % intervals), and, where it
            is known, n (items). NaN where there is none; a panel without a value is left out.
        titles: Key of a space -> how it is shown.
        k: How many neighbours the overlap counts.

    Raises:
        InputError: A column is missing, a space is there twice, a modality is unknown, or there
            is nothing to draw.
    """
    import plotly.graph_objects as go

    plan = _lay_out(table, titles, k)
    rows, number_of = len(plan.shown), len(plan.panels)
    figure = screen(
        plan.title, subject((plan.stands_on, key_in_words(plan.shown))), plan.description,
        height=max(90, 30 * rows), left=16,
    )  # fmt: skip
    axis = figure.layout.xaxis.to_plotly_json()
    width = (1 - 0.05 * (number_of - 1)) / number_of
    shapes = []
    for place, each in enumerate(plan.panels):
        last = "" if place == 0 else str(place + 1)
        start = place * (width + 0.05)
        low, high = each.ends
        scale: dict[str, Any] = {"range": [low, high], "tickformat": "~g", "nticks": 6}
        if each.logarithmic:
            scale = {"type": "log", "range": [log10(low), log10(high)],
                     "tickvals": log_ticks(low, high, 5)}  # fmt: skip
        figure.update_layout(
            {
                f"xaxis{last}": axis | {
                    "domain": [start, start + width], "anchor": "y",
                    "title": {"text": "<br>".join(_broken(each.x_label)), "font": {"size": 12}},
                } | scale
            }
        )  # fmt: skip
        if each.reference is not None:
            shapes.append(
                {"type": "line", "xref": f"x{last}", "yref": "paper", "x0": each.reference,
                 "x1": each.reference, "y0": 0, "y1": 1, "layer": "below",
                 "line": {"color": RULE, "width": 1.4, "dash": "dash"}}
            )  # fmt: skip
        known = [(y, v) for y, v in enumerate(each.values) if isfinite(v.value)]
        for y, v in known:
            look = marker(space_marker(plan.shown[y].modality), plan.shown[y].colour, 11)
            below, above = v.reach
            figure.add_trace(
                go.Scatter(
                    x=[v.value], y=[y], mode="markers", xaxis=f"x{last}", marker=look,
                    error_x={"type": "data", "symmetric": False, "array": [above],
                             "arrayminus": [below], "color": look["color"], "width": 3,
                             "visible": bool(above or below)},
                    hoverinfo="text",
                    hovertext=f"{escaped(plan.shown[y].name)}<br>{each.name} {v.words}",
                )
            )  # fmt: skip
        ticks = [(y, v.chance) for y, v in known if isfinite(v.chance)]
        figure.add_trace(
            go.Scatter(
                x=[x for _, x in ticks], y=[y for y, _ in ticks], mode="markers",
                xaxis=f"x{last}", hoverinfo="text",
                hovertext=[f"chance {three(x)}" for _, x in ticks],
                marker={"symbol": "line-ns-open", "size": 14, "color": RULE, "line": {"width": 2}},
            )
        )  # fmt: skip
    figure.update_layout(shapes=shapes, margin={"b": 76}, height=figure.layout.height + 20)
    figure.update_yaxes(
        range=[rows - 0.5, -0.5], tickvals=list(range(rows)), showgrid=True, fixedrange=True,
        ticktext=[each.on_screen(30) for each in plan.shown],
    )  # fmt: skip
    return figure


def _broken(text: str) -> list[str]:
    """A label on two lines, broken near its middle."""
    words = text.split(" ")
    spots = range(1, len(words))
    cut = min(spots, key=lambda i: abs(len(" ".join(words[:i])) - len(" ".join(words[i:]))))
    return [escaped(" ".join(words[:cut])), escaped(" ".join(words[cut:]))]


def behaviour_plot_publication(
    table: pd.DataFrame,
    titles: Mapping[str, str] | None = None,
    width: Width = "one",
    *,
    k: int | None = None,
) -> Any:
    """Content against behaviour for print: a matplotlib Figure.

    Args:
        table: As for ``behaviour_plot``, as are all but ``width``.
        titles: See there.
        width: ``one`` (3.35 in) or ``two`` columns (7.0 in).
        k: See there.

    Raises:
        InputError: As for ``behaviour_plot``, or there is no such width.
    """
    plan = _lay_out(table, titles, k)
    rows, number_of = len(plan.shown), len(plan.panels)
    room = names_width(plan.shown, 0.85 if width == "one" else 1.7)
    usable = page_width(width) - 2 * PAD - room - 0.1
    own = (usable - _BETWEEN * (number_of - 1)) / number_of
    labels = [wrap(each.x_label, own + _BETWEEN - 0.06, BODY) for each in plan.panels]
    under = inches(BODY * LINE) * max(map(len, labels)) + 0.03
    body = inches(13) * rows
    made = sheet(
        width,
        plan.title,
        plan.stands_on,
        plan.description,
        body=body + under,
        left=PAD,
        right=PAD,
        handles=key_in_print(plan.shown),
    )
    made.axes.remove()
    for place, each in enumerate(plan.panels):
        axes = panel(made, room + place * (own + _BETWEEN), 0, own, body)
        _draw(axes, plan, each, own)
        if place == 0:
            names_beside(axes, plan.shown, range(rows), room, own)
        axes.text(
            0.5, -TICKS / body, "\n".join(labels[place]), transform=axes.transAxes, fontsize=BODY,
            va="top", ha="center", color=INK, linespacing=LINE,
        )  # fmt: skip
    return finished(made)


def _draw(axes: Any, plan: _Plan, each: _Panel, width: float) -> None:
    """Points, intervals and chance of one panel."""
    if each.reference is not None:
        axes.axvline(each.reference, color=QUIET, lw=0.7, ls=(0, (3, 1.6)), zorder=1)
    for y, (space, v) in enumerate(zip(plan.shown, each.values, strict=True)):
        if not isfinite(v.value):
            continue
        below, above = v.reach
        axes.errorbar(
            v.value, y, xerr=[[below], [above]], color=space.colour, elinewidth=0.8,
            capsize=1.4 if above or below else 0, capthick=0.7, zorder=3,
            **mark(space_marker(space.modality), space.colour),
        )  # fmt: skip
        if isfinite(v.chance):
            axes.plot(v.chance, y, ls="none", marker="|", ms=6, mew=1.0, color=QUIET, zorder=2)
    if each.logarithmic:
        axes.set_xscale("log")
    axes.set_xlim(*each.ends)
    axes.set_ylim(len(plan.shown) - 0.5, -0.5)
    if each.logarithmic:
        log_axis(axes.xaxis, width, 0.32)
    else:
        number_axis(axes.xaxis, width, 0.34)
    axes.set_yticks(range(len(plan.shown)))
    axes.set_yticklabels([])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(color=PAPER_GRID, lw=0.4)
