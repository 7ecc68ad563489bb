"""Known-truth calibration: shares of false alarms and of planted content found."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import pandas as pd

from mmrec_core.domain import InputError
from mmrec_core.figures.palette import COLLABORATIVE, DARK_INK, Marker, kind_label
from mmrec_core.figures.palette import TEXT as FOUND_COLOUR
from mmrec_core.figures.paper import (
    BODY,
    INK,
    LINE,
    PAD,
    QUIET,
    SMALL,
    Width,
    finished,
    fit,
    inches,
    row_heads,
    rows_down,
    sheet,
    text_width,
)
from mmrec_core.figures.screen import BAND, RULE, SMALL_TYPE, legend_rows, screen
from mmrec_core.figures.words import (
    check_columns,
    clean,
    count,
    escaped,
    interval,
    known_as,
    number,
    percent,
    shorten,
    subject,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go

LEVEL = 0.05
"""Share of false alarms that a test at the 5 % level is expected to give at most."""

_COLUMNS = (
    "recommender", "comparison", "control", "case", "strength", "above", "cases", "share", "low",
    "high",
)  # fmt: skip
_CASES = ("not planted", "planted")
_HEADER = 0.9
_BETWEEN = 0.35
"""Rows left free between two comparisons of a recommender."""
_NAME_LENGTH = 30
_NAMED = 6
"""Rows that a description still names one by one."""
_LEVEL_LABEL = f"{100 * LEVEL:g} %, for false alarms"


@dataclass(frozen=True)
class _Look:
    """How the rows of a case are drawn and named."""

    label: str
    colour: str
    marker: Marker


_LOOKS = {
    False: _Look("nothing planted: false alarms", COLLABORATIVE, Marker("circle", "o", True)),
    True: _Look("planted: found", FOUND_COLOUR, Marker("diamond", "D")),
}


@dataclass(frozen=True)
class _Row:
    """One share with its exact interval; ``place`` counts downwards from the top of the plot."""

    recommender: str
    comparison: str
    control: str
    planted: bool
    strength: int
    above: int
    cases: int
    share: float
    low: float
    high: float
    place: float

    @property
    def drawable(self) -> bool:
        return isfinite(self.share)

    @property
    def case(self) -> str:
        return f"planted, {self.strength} %" if self.planted else "nothing planted"

    @property
    def label(self) -> str:
        return f"{self.comparison}: {self.case}"

    @property
    def note(self) -> str:
        return f"{self.above:,} of {self.cases:,}" if self.drawable else "no cases"

    @property
    def hover(self) -> list[str]:
        ends = f"exact 95 % interval {interval(self.low, self.high, True)}"
        what = "found" if self.planted else "false alarms"
        return [
            f"{self.recommender}, {kind_label(self.comparison)}",
            subject((self.case, f"control {self.control}")),
            subject((f"{what}: {self.note} ({percent(self.share, False)})", ends)),
        ]


@dataclass(frozen=True)
class _Plan:
    rows: tuple[_Row, ...]
    headers: tuple[tuple[str, float], ...]
    height: float

    title = "Calibration on worlds whose truth is planted"
    x_label = "Share of cases judged above (%)"

    @property
    def looks(self) -> list[bool]:
        """The cases that occur: nothing planted, planted."""
        return [case for case in _LOOKS if any(row.planted == case for row in self.rows)]

    @property
    def edges(self) -> list[float]:
        """Places of the lines between recommenders."""
        return [place - _HEADER / 2 for _, place in self.headers[1:]]

    @property
    def stands_on(self) -> str:
        parts = []
        for planted, words in ((False, "nothing planted"), (True, "planted (% as shipped)")):
            own = [row.cases for row in self.rows if row.planted == planted and row.drawable]
            parts.append(f"{count(own, 'case', 'cases')} a row, {words}" if own else "")
        return subject((*parts, "exact binomial 95 % intervals"))

    @property
    def description(self) -> str:
        if len(self.rows) <= _NAMED:
            parts = [
                f"{row.recommender}, {row.label}, {row.note}"
                + (f" {interval(row.low, row.high, True)} %" if row.drawable else "")
                for row in self.rows
            ]
        else:
            parts = []
            for planted in self.looks:
                own = [row for row in self.rows if row.planted == planted and row.drawable]
                if own:
                    k, n = sum(row.above for row in own), sum(row.cases for row in own)
                    shares, rows = [row.share for row in own], count([len(own)], "row", "rows")
                    parts.append(
                        f"{_LOOKS[planted].label} {k:,} of {n:,} in {rows}"
                        f", {percent(min(shares), False)} to {percent(max(shares), False)}"
                    )
            gone = sum(not row.drawable for row in self.rows)
            parts += [f"{count([gone], 'row', 'rows')} without cases"] if gone else []
        names = count([len(self.headers)], "recommender", "recommenders")
        return f"{self.title}, {names}, {self.stands_on.replace(' · ', ', ')}; {'; '.join(parts)}."


def calibration_plot_description(
    summary: pd.DataFrame, titles: Mapping[str, str] | None = None
) -> str:
    """What the plot of the same arguments shows, in one sentence, with the number of cases."""
    return _plan(summary, titles).description


def calibration_plot(summary: pd.DataFrame, titles: Mapping[str, str] | None = None) -> "go.Figure":
    """Shares of false alarms and of planted content found, by recommender; interactive.

    Args:
        summary: One row a recommender, comparison, case and strength: recommender, comparison
            (``used``, ``gained``), control, case (``not planted`` or ``planted``), strength
            (per cent of what is shipped; 0 where nothing is planted), above (how many cases were
            judged above), cases (of how many), share, low, high (share and its exact 95 %
            interval, 0 to 1; NaN where there are no cases).
        titles: Name of a recommender -> how it is shown.

    Raises:
        InputError: A column is missing, a value makes no sense, or there is nothing to draw.
    """
    import plotly.graph_objects as go

    plan = _plan(summary, titles)
    labels = [row.label for row in plan.rows]
    heads = [shorten(name, _NAME_LENGTH) for name, _ in plan.headers]
    keys = [_LOOKS[case].label for case in plan.looks] + [_LEVEL_LABEL]
    figure = screen(
        plan.title,
        plan.stands_on,
        plan.description,
        height=round(24 * plan.height) + 12,
        left=max(96, round(7.5 * max(map(len, labels + heads))) + 16),
        right=20 + 7 * max(len(row.note) for row in plan.rows),
        legend_rows=legend_rows(keys),
    )
    for planted in plan.looks:
        look = _LOOKS[planted]
        own = [row for row in plan.rows if row.planted == planted and row.drawable]
        figure.add_trace(
            go.Scatter(
                x=[100 * row.share for row in own],
                y=[row.place for row in own],
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": [100 * (row.high - row.share) for row in own],
                    "arrayminus": [100 * (row.share - row.low) for row in own],
                    "color": look.colour,
                    "thickness": 1.6,
                    "width": 3,
                },
                mode="markers",
                marker={
                    "color": look.colour,
                    "size": 9,
                    "symbol": look.marker.plotly + "-open" * look.marker.hollow,
                    "line": {"width": 1.8 if look.marker.hollow else 0},
                },
                name=look.label,
                hoverinfo="text",
                hovertext=["<br>".join(map(escaped, row.hover)) for row in own],
            )
        )
    figure.add_trace(
        go.Scatter(
            x=[100 * LEVEL] * 2, y=[0, plan.height], mode="lines", name=_LEVEL_LABEL,
            line={"color": RULE, "width": 1.4, "dash": "dash"}, hoverinfo="skip",
        )
    )  # fmt: skip
    line = {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "yref": "y", "layer": "below"}
    figure.update_layout(
        shapes=[
            {**line, "y0": y, "y1": y, "line": {"color": BAND, "width": 1}} for y in plan.edges
        ],
        annotations=[
            {
                "text": escaped(row.note), "xref": "paper", "x": 1, "xanchor": "left", "xshift": 8,
                "yref": "y", "y": row.place, "showarrow": False, "font": {"size": SMALL_TYPE},
            }
            for row in plan.rows
        ],
    )  # fmt: skip
    figure.update_xaxes(title_text=plan.x_label, range=[-2, 102], ticksuffix=" %")
    figure.update_yaxes(
        range=[plan.height, 0],
        fixedrange=True,
        showgrid=False,
        tickvals=[place for _, place in plan.headers] + [row.place for row in plan.rows],
        ticktext=[f"<b>{escaped(name)}</b>" for name in heads] + [escaped(each) for each in labels],
    )
    return figure


def calibration_plot_publication(
    summary: pd.DataFrame, titles: Mapping[str, str] | None = None, width: Width = "one"
) -> Any:
    """The shares for print: a matplotlib Figure one or two columns wide.

    Args:
        summary: As for ``calibration_plot``.
        titles: See there.
        width: ``one`` (3.35 in) or ``two`` columns (7.0 in).

    Raises:
        InputError: As for ``calibration_plot``, or there is no such width.
    """
    from matplotlib.lines import Line2D

    plan = _plan(summary, titles)
    labels = [fit(row.label, 1.6, BODY) for row in plan.rows]
    left = PAD + 0.08 + max(text_width(label, BODY) for label in labels) + 0.05
    right = 0.08 + max(text_width(row.note, SMALL) for row in plan.rows) + PAD
    handles = [
        Line2D([], [], lw=0.9, color=look.colour, label=look.label, **_shape(look))
        for look in (_LOOKS[case] for case in plan.looks)
    ]
    level: dict[str, Any] = {"color": QUIET, "lw": 0.8, "ls": (0, (4, 2))}
    made = sheet(
        width,
        plan.title,
        plan.stands_on,
        plan.description,
        body=inches(BODY * LINE + 3.5) * plan.height,
        left=left,
        right=right,
        x_label=plan.x_label,
        handles=[*handles, Line2D([], [], label=_LEVEL_LABEL, **level)],
        both_ends=True,
    )
    axes = made.axes
    axes.axvline(100 * LEVEL, zorder=1, **level)
    for planted in plan.looks:
        own = [row for row in plan.rows if row.planted == planted and row.drawable]
        if own:
            axes.errorbar(
                [100 * row.share for row in own],
                [row.place for row in own],
                xerr=[
                    [100 * (row.share - row.low) for row in own],
                    [100 * (row.high - row.share) for row in own],
                ],
                color=_LOOKS[planted].colour,
                linestyle="none",
                elinewidth=0.9,
                capsize=1.4,
                capthick=0.7,
                zorder=3,
                clip_on=False,
                **_shape(_LOOKS[planted]),
            )
    axes.set_xlim(-2, 102)
    rows_down(made, plan.height, [row.place for row in plan.rows], labels, 0.3)
    row_heads(made, plan.headers, plan.edges, made.left + made.axes_width - PAD)
    for row in plan.rows:
        axes.text(
            1 + 0.08 / made.axes_width, row.place, row.note, fontsize=SMALL, va="center", ha="left",
            transform=axes.get_yaxis_transform(), color=INK, clip_on=False,
        )  # fmt: skip
    return finished(made)


def _shape(look: _Look) -> dict[str, Any]:
    """A case's marker in matplotlib's words."""
    hollow = look.marker.hollow
    return {
        "marker": look.marker.matplotlib,
        "markersize": 3.8,
        "markerfacecolor": "white" if hollow else look.colour,
        "markeredgecolor": look.colour if hollow else DARK_INK,
        "markeredgewidth": 1.0 if hollow else 0.35,
    }


def _plan(summary: pd.DataFrame, titles: Mapping[str, str] | None) -> _Plan:
    """Places of all rows: recommenders kept together, then comparisons, nothing planted first."""
    check_columns(summary, _COLUMNS, "calibrated shares")
    if summary.empty or not (summary["cases"] > 0).any():
        raise InputError("No world was judged, so there are no shares to draw.")
    for case in summary["case"].unique():
        if case not in _CASES:
            raise InputError(f"There is no case {case!r}. Known: {', '.join(_CASES)}.")
    same = summary.duplicated(["recommender", "comparison", "control", "case", "strength"])
    if same.any():
        first = summary[same].iloc[0]
        raise InputError(
            f"The share of {first['recommender']}, {first['comparison']}, {first['case']}, "
            f"{first['strength']} % is there twice; give it once."
        )
    ends = summary[["share", "low", "high"]].astype(float)
    if ((ends < 0) | (ends > 1)).to_numpy().any():
        raise InputError("Shares and the ends of their intervals must lie between 0 and 1.")
    rows: list[_Row] = []
    headers: list[tuple[str, float]] = []
    top = 0.0
    for name, own in summary.groupby("recommender", sort=False):
        headers.append((known_as(str(name), titles), top + _HEADER / 2))
        top += _HEADER
        for place, (comparison, cells) in enumerate(own.groupby("comparison", sort=False)):
            kind_label(str(comparison))
            top += _BETWEEN if place else 0
            for cell in cells.sort_values(["case", "strength"], kind="stable").to_dict("records"):
                rows.append(_row(cell, headers[-1][0], top + 0.5))
                top += 1
    return _Plan(tuple(rows), tuple(headers), top)


def _row(cell: Mapping[Any, Any], name: str, place: float) -> _Row:
    known = cell["cases"] > 0
    share, low, high = (
        number(cell[e]) if known else float("nan") for e in ("share", "low", "high")
    )
    return _Row(
        recommender=name,
        comparison=str(cell["comparison"]),
        control=clean(cell["control"]),
        planted=cell["case"] == "planted",
        strength=int(cell["strength"]),
        above=int(cell["above"]),
        cases=int(cell["cases"]),
        share=share,
        low=low,
        high=high,
        place=place,
    )
