"""Arm means: how good every arm is, with intervals, beside the models that read no content."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING, Any

import pandas as pd

from mmrec_core.domain import InputError
from mmrec_core.figures.palette import (
    COLLABORATIVE,
    CONTROL,
    DASHES,
    MODALITY_COLOURS,
    OUTLINE,
    WHOLE_MODEL,
    modality_colour,
    modality_label,
)
from mmrec_core.figures.paper import (
    BODY,
    INK,
    LINE,
    PAD,
    QUIET,
    Width,
    finished,
    fit,
    inches,
    pattern,
    row_heads,
    rows_down,
    sheet,
    text_width,
)
from mmrec_core.figures.screen import BAND, legend_rows, screen
from mmrec_core.figures.words import (
    check_columns,
    clean,
    count,
    escaped,
    interval,
    known_as,
    number,
    room_around,
    shorten,
    subject,
    three,
)
from mmrec_core.metrics import metric_label

if TYPE_CHECKING:
    import plotly.graph_objects as go

REFERENCES = ("most-pop", "item-knn", "bpr-mf", "light-gcn")
"""Models without content that are drawn as lines; Random would only stretch the axis."""

_LABEL_LENGTH = 30
_HEADER = 0.9


@dataclass(frozen=True)
class _Arm:
    """One mean with its 95 % interval; ``place`` counts downwards from the top of the plot."""

    recommender: str
    label: str
    colour: str
    real: bool
    mean: float
    low: float
    high: float
    n_users: int
    seeds: int
    place: float = 0.0

    @property
    def hover(self) -> list[str]:
        ends = f"95 % interval {interval(self.low, self.high)}"
        return [
            subject((self.recommender, self.label)),
            subject((three(self.mean), ends)),
            subject((count([self.n_users], "user", "users"), count([self.seeds], "seed", "seeds"))),
        ]


@dataclass(frozen=True)
class _Plan:
    """All arms under the names of their recommenders, and the lines."""

    metric: str
    arms: tuple[_Arm, ...]
    references: tuple[_Arm, ...]
    headers: tuple[tuple[str, float], ...]
    height: float

    @property
    def title(self) -> str:
        return f"{self.metric} with real and with replaced content"

    @property
    def stands_on(self) -> str:
        every = self.arms + self.references
        return subject(
            (
                count((arm.n_users for arm in every), "user", "users"),
                count((arm.seeds for arm in every), "seed", "seeds"),
                "95 % intervals",
            )
        )

    @property
    def span(self) -> list[float] | None:
        """Ends of the x axis, with room beside the outermost interval; None without values."""
        every = self.arms + self.references
        return room_around(end for arm in every for end in (arm.low, arm.mean, arm.high))

    @property
    def x_label(self) -> str:
        return f"{self.metric}, mean over users and seeds"

    @property
    def description(self) -> str:
        real = [f"{arm.recommender} {three(arm.mean)}" for arm in self.arms if arm.real]
        lines = [f"{arm.recommender} {three(arm.mean)}" for arm in self.references]
        parts = [f"real content: {', '.join(real)}"] if real else []
        parts += [f"models without content: {', '.join(lines)}"] if lines else []
        arms = count([len(self.arms)], "arm", "arms")
        return f"{self.title}, {arms}, {self.stands_on.replace(' · ', ', ')}; {'; '.join(parts)}."


def arms_description(
    arms: pd.DataFrame,
    metric: str,
    references: Sequence[str] = REFERENCES,
    titles: Mapping[str, str] | None = None,
) -> str:
    """What the plot of the same arguments shows, in one sentence, with users and seeds."""
    return _plan(arms, metric, references, titles).description


def arms_plot(
    arms: pd.DataFrame,
    metric: str,
    references: Sequence[str] = REFERENCES,
    titles: Mapping[str, str] | None = None,
) -> "go.Figure":
    """Mean of every arm with its 95 % interval, grouped by recommender; interactive.

    Real content is coloured (by its modality, where the recommender has one only), controls are
    grey, and models without content are dashed lines.

    Args:
        arms: One row an arm: recommender, modality, control (``real``; ``none`` for models
            without content), seeds, n_users, and METRIC, METRIC_low, METRIC_high.
        metric: Which metric, such as ``recall@20``.
        references: Models without content to draw, where they are in the table.
        titles: Name of a recommender -> how it is shown.

    Raises:
        InputError: A column is missing, or there is nothing to draw.
    """
    import plotly.graph_objects as go

    plan = _plan(arms, metric, references, titles)
    labels = [shorten(arm.label, _LABEL_LENGTH) for arm in plan.arms]
    heads = [shorten(name, _LABEL_LENGTH) for name, _ in plan.headers]
    figure = screen(
        plan.title,
        plan.stands_on,
        plan.description,
        height=round(24 * plan.height) + 12,
        left=max(96, round(7.5 * max(map(len, labels + heads))) + 16),
        legend_rows=legend_rows([arm.recommender for arm in plan.references]),
    )
    for arm, dash in zip(plan.references, _dashes(len(plan.references)), strict=True):
        # A trace and not a shape: it has a hover text and can be switched off in the legend.
        figure.add_trace(
            go.Scatter(
                x=[arm.mean] * 2,
                y=[0, plan.height],
                mode="lines",
                line={"color": COLLABORATIVE, "width": 1.6, "dash": dash[0]},
                name=escaped(arm.recommender),
                hoverinfo="text",
                hovertext="<br>".join(map(escaped, arm.hover)),
            )
        )
    for colour in dict.fromkeys(arm.colour for arm in plan.arms):
        own = [arm for arm in plan.arms if arm.colour == colour]
        figure.add_trace(
            go.Scatter(
                x=[arm.mean for arm in own],
                y=[arm.place for arm in own],
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": [arm.high - arm.mean for arm in own],
                    "arrayminus": [arm.mean - arm.low for arm in own],
                    "color": OUTLINE if colour == CONTROL else colour,
                    "thickness": 1.6,
                    "width": 3,
                },
                mode="markers",
                marker={
                    "color": colour,
                    "opacity": 1,  # plotly fades markers of different sizes
                    "size": [11 if arm.real else 8 for arm in own],
                    "symbol": ["diamond" if arm.real else "circle" for arm in own],
                    "line": {"color": OUTLINE, "width": 1 if colour == CONTROL else 0},
                },
                hoverinfo="text",
                hovertext=["<br>".join(map(escaped, arm.hover)) for arm in own],
                showlegend=False,
            )
        )
    edges = [place - _HEADER / 2 for _, place in plan.headers[1:]]
    line = {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "yref": "y", "layer": "below"}
    figure.update_layout(
        shapes=[{**line, "y0": y, "y1": y, "line": {"color": BAND, "width": 1}} for y in edges]
    )
    figure.update_xaxes(title_text=escaped(plan.x_label), tickformat="~g", range=plan.span)
    figure.update_yaxes(
        range=[plan.height, 0],
        fixedrange=True,
        showgrid=False,
        tickvals=[place for _, place in plan.headers] + [arm.place for arm in plan.arms],
        ticktext=[f"<b>{escaped(name)}</b>" for name in heads] + [escaped(each) for each in labels],
    )
    return figure


def arms_plot_publication(
    arms: pd.DataFrame,
    metric: str,
    references: Sequence[str] = REFERENCES,
    titles: Mapping[str, str] | None = None,
    width: Width = "one",
) -> Any:
    """The arm means for print: a matplotlib Figure one or two columns wide.

    Args:
        arms: As for ``arms_plot``, as are all but the last argument.
        metric: See there.
        references: See there.
        titles: See there.
        width: ``one`` (3.35 in) or ``two`` columns (7.0 in).

    Raises:
        InputError: A column is missing, there is nothing to draw, or there is no such width.
    """
    from matplotlib.lines import Line2D

    plan = _plan(arms, metric, references, titles)
    most = 1.35 if width == "one" else 2.6
    labels = [fit(arm.label, most, BODY) for arm in plan.arms]
    heads = [fit(name, most, BODY, "bold") for name, _ in plan.headers]
    left = (
        PAD
        + 0.05
        + max(
            *(0.08 + text_width(label, BODY) for label in labels),
            *(text_width(name, BODY, "bold") for name in heads),
        )
    )
    dashes = _dashes(len(plan.references))
    handles = [
        Line2D([], [], color=QUIET, lw=0.9, label=arm.recommender, ls=pattern(dash))
        for arm, dash in zip(plan.references, dashes, strict=True)
    ]
    made = sheet(
        width,
        plan.title,
        plan.stands_on,
        plan.description,
        body=inches(BODY * LINE + 3.5) * plan.height,
        left=left,
        x_label=plan.x_label,
        handles=handles,
        both_ends=True,
    )
    axes = made.axes
    for arm, dash in zip(plan.references, dashes, strict=True):
        axes.axvline(arm.mean, color=QUIET, lw=0.8, ls=pattern(dash), zorder=1)
    for arm in plan.arms:
        if isfinite(arm.mean):
            _draw(axes, arm)
    axes.margins(x=0.06)
    axes.autoscale_view(scaley=False)
    rows_down(made, plan.height, [arm.place for arm in plan.arms], labels, 0.45)
    for label, arm in zip(axes.get_yticklabels(), plan.arms, strict=True):
        label.set_color(INK if arm.real else QUIET)
    edges = [y - _HEADER / 2 for _, y in plan.headers[1:]]
    row_heads(made, plan.headers, edges, made.left - 2 * PAD)
    return finished(made)


def _draw(axes: Any, arm: _Arm) -> None:
    """Point and whiskers of an arm."""
    axes.errorbar(
        arm.mean,
        arm.place,
        xerr=[[arm.mean - arm.low], [arm.high - arm.mean]],
        color=arm.colour if arm.real else COLLABORATIVE,
        elinewidth=0.9,
        capsize=1.4,
        capthick=0.7,
        marker="D" if arm.real else "o",
        markersize=4.4 if arm.real else 3.4,
        markerfacecolor=arm.colour,
        markeredgecolor=INK,
        markeredgewidth=0.35,
        zorder=3,
    )


def _plan(
    arms: pd.DataFrame,
    metric: str,
    references: Sequence[str],
    titles: Mapping[str, str] | None,
) -> _Plan:
    """Places of all arms: recommenders kept together, real content first."""
    label = metric_label(metric)
    ends = (metric, f"{metric}_low", f"{metric}_high")
    check_columns(arms, ("recommender", "modality", "control", "seeds", "n_users", *ends), "arms")
    content = arms[arms["control"] != "none"]
    if content.empty:
        raise InputError("No arm of the table reads content, so there are no arms to draw.")
    without = arms[(arms["control"] == "none") & arms["recommender"].isin(references)]
    lines = [
        arm
        for arm in (
            _arm(row, ends, modality_colour("none"), "no content", titles)
            for row in without.to_dict("records")
        )
        if isfinite(arm.mean)
    ]
    placed: list[_Arm] = []
    headers: list[tuple[str, float]] = []
    top = 0.0
    for name, own in content.groupby("recommender", sort=False):
        headers.append((known_as(str(name), titles), top + _HEADER / 2))
        top += _HEADER
        own = own.sort_values("control", key=lambda each: each != "real", kind="stable")
        replaced = set(own["modality"]) - {"none", "all"}
        colour = MODALITY_COLOURS.get(min(replaced), WHOLE_MODEL) if len(replaced) == 1 else None
        for row in own.to_dict("records"):
            real = row["control"] == "real"
            modality = str(row["modality"])
            words = subject(
                ("" if modality == "none" else modality_label(modality), clean(row["control"]))
            )
            arm = _arm(row, ends, (colour or WHOLE_MODEL) if real else CONTROL, words, titles)
            placed.append(replace(arm, real=real, place=top + 0.5))
            top += 1
    return _Plan(label, tuple(placed), tuple(lines), tuple(headers), top)


def _arm(
    row: Mapping[Any, Any],
    ends: tuple[str, str, str],
    colour: str,
    label: str,
    titles: Mapping[str, str] | None,
) -> _Arm:
    mean, low, high = (number(row[end]) for end in ends)
    return _Arm(
        recommender=known_as(str(row["recommender"]), titles),
        label=label,
        colour=colour,
        real=False,
        mean=mean,
        low=low,
        high=high,
        n_users=int(row["n_users"]),
        seeds=int(row["seeds"]),
    )


def _dashes(lines: int) -> list[tuple[str, tuple[float, ...]]]:
    """A pattern for each reference; none is solid."""
    broken = DASHES[1:]
    return [broken[index % len(broken)] for index in range(lines)]
