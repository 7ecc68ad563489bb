"""Shapley values: what each modality adds to a metric, and what two of them do together."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import pandas as pd

from mmrec_core.domain import InputError
from mmrec_core.figures.blocks import Block, Placed, on_paper, on_screen, screen_headers
from mmrec_core.figures.palette import MODALITY_HATCHES, OUTLINE, modality_colour
from mmrec_core.figures.paper import (
    BODY,
    INK,
    QUIET,
    SMALL,
    Width,
    finished,
    inches,
    text_width,
)
from mmrec_core.figures.screen import CLEAR, SMALL_TYPE, screen
from mmrec_core.figures.words import (
    check_columns,
    check_once,
    count,
    escaped,
    first_few,
    interval,
    known_as,
    number,
    p_value,
    room_around,
    subject,
    three,
    without_interval,
)
from mmrec_core.metrics import metric_label

if TYPE_CHECKING:
    import plotly.graph_objects as go

PLAYERS = ("image", "text", "joint", "id")
INTERACTION = "interaction"
PARTS = ("empty", *PLAYERS, INTERACTION, "all")
_COLUMNS = ("recommender", "part", "value", "low", "high", "p", "n_users", "seeds", "metric")
_NO_VALUE = "no value"
_LABELS = 84
"""Pixels for the words left of the bars."""


@dataclass(frozen=True)
class _Bar:
    """A player's Shapley value or the interaction, in units of the metric; NaN where unknown."""

    part: str
    value: float
    low: float
    high: float
    p: float
    n_users: int
    seeds: int

    @property
    def drawable(self) -> bool:
        return isfinite(self.value)

    @property
    def filling(self) -> str:
        """Whose colour and hatch it has; none: outlined."""
        return {"id": "none", INTERACTION: ""}.get(self.part, self.part)

    @property
    def words(self) -> str:
        if not self.drawable:
            return f"{self.part}: {_NO_VALUE}"
        sign = ""
        if self.part == INTERACTION and self.value:
            sign = " (synergy)" if self.value > 0 else " (redundancy)"
        return f"{self.part} {three(self.value, True)}{sign}"


@dataclass(frozen=True)
class _Group:
    """The bars of a recommender; ``empty`` and ``all`` are values of the metric."""

    name: str
    bars: tuple[_Bar, ...]
    empty: _Bar | None
    all: _Bar | None

    @property
    def every(self) -> list[_Bar]:
        return [*self.bars, *(each for each in (self.empty, self.all) if each)]

    @property
    def note(self) -> str:
        without, whole = (three(each.value if each else None) for each in (self.empty, self.all))
        return f"{without} without, {whole} with all"

    @property
    def block(self) -> Block:
        return Block(self.name, self.note, len(self.bars))

    def hover(self, bar: _Bar) -> list[str]:
        """The numbers of a bar, a line each (plain text, still to be escaped)."""
        return [
            f"{self.name}, {bar.words}",
            f"95 % interval {interval(bar.low, bar.high)}",
            f"p {p_value(bar.p)}",
            self.note,
            subject((count([bar.n_users], "user", "users"), count([bar.seeds], "seed", "seeds"))),
        ]


@dataclass(frozen=True)
class _Plan:
    metric: str
    groups: tuple[_Group, ...]

    @property
    def bars(self) -> list[_Bar]:
        return [bar for group in self.groups for bar in group.bars]

    @property
    def title(self) -> str:
        return f"What each modality adds to {self.metric}: Shapley values"

    @property
    def stands_on(self) -> str:
        every = [each for group in self.groups for each in group.every]
        together = any(bar.part == INTERACTION for bar in self.bars)
        return subject(
            (
                count((each.n_users for each in every), "user", "users"),
                count((each.seeds for each in every), "seed", "seeds"),
                "95 % intervals",
                without_interval((bar.low, bar.high) for bar in self.bars if bar.drawable),
                "interaction: above 0 synergy, below 0 redundancy" if together else "",
            )
        )

    @property
    def x_label(self) -> str:
        return f"Shapley value, in units of {self.metric}"

    @property
    def span(self) -> list[float]:
        ends = [end for bar in self.bars for end in (bar.low, bar.value, bar.high)]
        return room_around([0.0, *ends]) or [-1.0, 1.0]

    @property
    def description(self) -> str:
        parts = [
            f"{group.name} ({group.note}): {', '.join(bar.words for bar in group.bars)}"
            for group in self.groups
        ]
        return f"{self.title}, {self.stands_on.replace(' · ', ', ')}; {first_few(parts)}."


def shapley_bars_description(
    shapley: pd.DataFrame, metric: str, titles: Mapping[str, str] | None = None
) -> str:
    """What the bars of the same arguments show, in one sentence, with users and seeds."""
    return _plan(shapley, metric, titles).description


def shapley_bars(
    shapley: pd.DataFrame, metric: str, titles: Mapping[str, str] | None = None
) -> "go.Figure":
    """A bar about 0 for each modality and for their interaction, by recommender; interactive.

    Args:
        shapley: One row a recommender, part and metric: recommender, part, value, low, high
            (95 % interval), p, n_users, seeds, metric. ``empty`` and ``all`` are the metric's
            values without and with everything; ``image``, ``text``, ``joint`` and ``id`` are
            Shapley values in units of the metric; ``interaction`` is above 0 for synergy.
        metric: Which metric, such as ``recall@20``.
        titles: Name of a recommender -> how it is shown.

    Raises:
        InputError: A column is missing, a part is unknown or there twice, or there is nothing to
            draw.
    """
    import plotly.graph_objects as go

    plan = _plan(shapley, metric, titles)
    blocks = [group.block for group in plan.groups]
    placed, height = on_screen(blocks, 22)
    figure = screen(plan.title, plan.stands_on, plan.description, height=height, left=_LABELS)
    cells = [
        (group, bar, y)
        for group, place in zip(plan.groups, placed, strict=True)
        for bar, y in zip(group.bars, place.rows, strict=True)
    ]
    for part in (*PLAYERS, INTERACTION):
        own = [cell for cell in cells if cell[1].part == part and cell[1].drawable]
        if own:
            figure.add_trace(_trace(own))
    gone = [cell for cell in cells if not cell[1].drawable]
    # There even if nothing is missing: axes without a trace are not drawn.
    figure.add_trace(
        go.Scatter(
            x=[0] * len(gone) if gone else [None],
            y=[y for *_, y in gone] if gone else [None],
            mode="text",
            text=[_NO_VALUE] * len(gone),
            textposition="middle right",
            textfont={"size": SMALL_TYPE},
            hoverinfo="text",
            hovertext=["<br>".join(map(escaped, group.hover(bar))) for group, bar, _ in gone],
        )
    )
    screen_headers(figure, blocks, placed, height, _LABELS)
    figure.update_layout(bargap=0)
    figure.update_xaxes(title_text=escaped(plan.x_label), tickformat="~g", range=plan.span)
    figure.update_yaxes(
        showticklabels=True,
        tickvals=[y for *_, y in cells],
        ticktext=[escaped(bar.part) for _, bar, _ in cells],
    )
    return figure


def _trace(own: list[tuple[_Group, _Bar, float]]) -> Any:
    """The bars of one part."""
    import plotly.graph_objects as go

    bars = [bar for _, bar, _ in own]
    filling = bars[0].filling
    # No hatch here: the screen has colours, and whiskers must be seen on the bars.
    marker = {
        "color": modality_colour(filling) if filling else CLEAR,
        "line": {"width": 0.6 if filling else 1.8, "color": OUTLINE},
    }
    return go.Bar(
        x=[bar.value for bar in bars],
        y=[y for *_, y in own],
        width=15,
        orientation="h",
        marker=marker,
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [bar.high - bar.value for bar in bars],
            "arrayminus": [bar.value - bar.low for bar in bars],
            "color": OUTLINE,
            "thickness": 1.8,
            "width": 4,
        },
        name=bars[0].part,
        hoverinfo="text",
        hovertext=["<br>".join(map(escaped, group.hover(bar))) for group, bar, _ in own],
        textposition="none",
    )


def shapley_bars_publication(
    shapley: pd.DataFrame,
    metric: str,
    titles: Mapping[str, str] | None = None,
    width: Width = "one",
) -> Any:
    """The Shapley bars for print: a matplotlib Figure; many stand in several columns.

    Args:
        shapley: As for ``shapley_bars``, as are all but the last argument.
        metric: See there.
        titles: See there.
        width: ``one`` (3.35 in) or ``two`` columns (7.0 in).

    Raises:
        InputError: As for ``shapley_bars``, or there is no such width.
    """
    plan = _plan(shapley, metric, titles)
    parts = {bar.part for bar in plan.bars}
    made, placed = on_paper(
        width,
        plan.title,
        plan.stands_on,
        plan.description,
        [group.block for group in plan.groups],
        pitch=inches(9),
        labels=max((text_width(part, BODY) for part in parts), default=0) + 0.06,
        span=plan.span,
        x_label=plan.x_label,
    )
    for axes in dict.fromkeys(place.axes for place in placed):
        own = [
            (group, place)
            for group, place in zip(plan.groups, placed, strict=True)
            if place.axes is axes
        ]
        _draw(axes, own)
    return finished(made)


def _draw(axes: Any, own: list[tuple[_Group, Placed]]) -> None:
    """Bars, whiskers and labels of one column."""
    cells = [
        (bar, y) for group, place in own for bar, y in zip(group.bars, place.rows, strict=True)
    ]
    for bar, y in cells:
        if not bar.drawable:
            axes.text(0, y, f" {_NO_VALUE}", fontsize=SMALL, va="center", color=QUIET)
            continue
        look: dict[str, Any] = {"facecolor": "none", "edgecolor": INK, "linewidth": 0.7}
        if bar.filling:
            look = {
                "facecolor": modality_colour(bar.filling),
                "edgecolor": "white",
                "hatch": MODALITY_HATCHES[bar.filling],
                "hatch_linewidth": 0.5,
                "linewidth": 0,
            }
        axes.barh(y, bar.value, height=inches(7), zorder=2, **look)
        axes.errorbar(
            bar.value, y, xerr=[[bar.value - bar.low], [bar.high - bar.value]], color=INK,
            elinewidth=0.8, capsize=1.6, capthick=0.8, zorder=3,
        )  # fmt: skip
    axes.set_yticks([y for _, y in cells])
    axes.set_yticklabels([bar.part for bar, _ in cells])
    axes.tick_params(axis="y", length=0)


def _plan(shapley: pd.DataFrame, metric: str, titles: Mapping[str, str] | None) -> _Plan:
    label = metric_label(metric)
    check_columns(shapley, _COLUMNS, "Shapley values")
    table = shapley[shapley["metric"] == metric]
    for part in table["part"].unique():
        if part not in PARTS:
            raise InputError(f"There is no part {part!r} of a value. Known: {', '.join(PARTS)}.")
    if not table["part"].isin((*PLAYERS, INTERACTION)).any():
        raise InputError(
            f"There is no Shapley value of {metric}, so there is nothing to draw; choose another "
            "metric."
        )
    check_once(table, ("recommender", "part"), "part")
    groups = []
    for name, own in table.groupby("recommender", sort=False):
        found = {str(row["part"]): _bar(row) for row in own.to_dict("records")}
        groups.append(
            _Group(
                name=known_as(str(name), titles),
                bars=tuple(found[part] for part in (*PLAYERS, INTERACTION) if part in found),
                empty=found.get("empty"),
                all=found.get("all"),
            )
        )
    return _Plan(label, tuple(groups))


def _bar(row: Mapping[Any, Any]) -> _Bar:
    return _Bar(
        part=str(row["part"]),
        value=number(row["value"]),
        low=number(row["low"]),
        high=number(row["high"]),
        p=number(row["p"]),
        n_users=int(row["n_users"]),
        seeds=int(row["seeds"]),
    )
