"""Learning curves: validation Recall@20 by epoch, a thin line per seed and a bold mean per arm."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mmrec_core.domain import InputError
from mmrec_core.figures.palette import (
    COLLABORATIVE,
    DARK_INK,
    DASHES,
    MODALITY_COLOURS,
    SERIES_MARKERS,
    WHOLE_MODEL,
    Marker,
)
from mmrec_core.figures.paper import GRID as PAPER_GRID
from mmrec_core.figures.paper import (
    INK,
    SMALL,
    Width,
    finished,
    fit,
    number_axis,
    panels,
    pattern,
    sheet,
)
from mmrec_core.figures.screen import faded, legend_rows, screen
from mmrec_core.figures.words import (
    arm_parts,
    arm_words,
    check_columns,
    count,
    escaped,
    known_as,
    shorten,
    subject,
    three,
)
from mmrec_core.metrics import metric_label

if TYPE_CHECKING:
    import plotly.graph_objects as go

METRIC = "recall@20"
"""What training looks at to choose its best epoch."""
_MARKS = 8
"""Markers along a curve, about."""
_TOGETHER = 8
"""Arms that are told apart in one set of axes in print; of more, each recommender has its own."""
_IN_PANEL = 6
_FAINT = "#C4C4C4"


@dataclass(frozen=True)
class _Curve:
    """One arm.

    Attributes:
        name: On screen.
        recommender: Its name alone.
        what: Modality and control alone; empty for models without content.
        seeds: Seed -> its epochs and values.
        epochs, mean: Mean over the seeds, for epochs that all of them reached: when a seed
            stops, the mean of the others would jump.
    """

    name: str
    recommender: str
    what: str
    colour: str
    dash: tuple[str, tuple[float, ...]]
    marker: Marker
    seeds: tuple[tuple[Hashable, np.ndarray, np.ndarray], ...]
    epochs: np.ndarray
    mean: np.ndarray

    @property
    def every(self) -> int:
        """Each which point of the mean has a marker."""
        return max(1, len(self.epochs) // _MARKS)


@dataclass(frozen=True)
class _Plan:
    curves: tuple[_Curve, ...]

    @property
    def title(self) -> str:
        return f"{metric_label(METRIC)} on validation during training"

    @property
    def stands_on(self) -> str:
        return subject(
            (
                count([len(self.curves)], "arm", "arms"),
                count((len(curve.seeds) for curve in self.curves), "seed", "seeds"),
                "thin: each seed",
                "bold: mean while all seeds train",
            )
        )

    @property
    def y_label(self) -> str:
        return f"{metric_label(METRIC)} (validation)"

    @property
    def panels(self) -> list[tuple[str, list[_Curve]]]:
        """Recommenders with their arms, a few at a time."""
        names = dict.fromkeys(curve.recommender for curve in self.curves)
        every = {n: [curve for curve in self.curves if curve.recommender == n] for n in names}
        return [
            (name, own[start : start + _IN_PANEL])
            for name, own in every.items()
            for start in range(0, len(own), _IN_PANEL)
        ]

    @property
    def description(self) -> str:
        best = [
            f"{curve.name} reaches {three(float(max(v.max() for _, _, v in curve.seeds)))}"
            for curve in self.curves[:6]
        ]
        more = [f"and {len(self.curves) - 6} more"] if len(self.curves) > 6 else []
        return f"{self.title}, {self.stands_on.replace(' · ', ', ')}; {'; '.join(best + more)}."


def learning_description(
    curves: pd.DataFrame,
    arms: Sequence[str] | None = None,
    titles: Mapping[str, str] | None = None,
) -> str:
    """What the plot of the same arguments shows, in one sentence, with arms and seeds."""
    return _plan(curves, arms, titles).description


def learning_plot(
    curves: pd.DataFrame,
    arms: Sequence[str] | None = None,
    titles: Mapping[str, str] | None = None,
) -> "go.Figure":
    """Learning curves, interactive: colour by modality, dash by control, marker by recommender.

    Args:
        curves: One row an epoch: arm (``recommender · modality · control``), seed, epoch,
            recall@20 (NaN where the epoch was not validated).
        arms: Which arms; None for all.
        titles: Name of a recommender -> how it is shown.

    Raises:
        InputError: A column is missing, an arm is unknown, or there is nothing to draw.
    """
    import plotly.graph_objects as go

    plan = _plan(curves, arms, titles)
    figure = screen(
        plan.title,
        plan.stands_on,
        plan.description,
        height=380,
        legend_rows=legend_rows([curve.name for curve in plan.curves], 800),
    )
    for curve in plan.curves:
        name = escaped(shorten(curve.name, 48))
        for seed, epochs, values in curve.seeds:
            figure.add_trace(
                go.Scatter(
                    x=epochs,
                    y=values,
                    mode="lines",
                    line={"color": faded(curve.colour, 0.45), "width": 1, "dash": curve.dash[0]},
                    hoverinfo="text",
                    hovertext=[
                        f"{escaped(curve.name)}<br>seed {escaped(seed)} · epoch {epoch}<br>"
                        f"{three(value)}"
                        for epoch, value in zip(epochs, values, strict=True)
                    ],
                    legendgroup=name,
                    showlegend=False,
                )
            )
        shape, marked = curve.marker, slice(None, None, curve.every)
        symbol = f"{shape.plotly}-open" if shape.hollow else shape.plotly
        for part, style in (
            ("lines", {"line": {"color": curve.colour, "width": 3, "dash": curve.dash[0]}}),
            ("markers", {"marker": {"color": curve.colour, "size": 9, "symbol": symbol}}),
        ):
            points = slice(None) if part == "lines" else marked
            figure.add_trace(
                go.Scatter(
                    x=curve.epochs[points],
                    y=curve.mean[points],
                    mode=part,
                    name=name,
                    legendgroup=name,
                    showlegend=False,
                    hoverinfo="text",
                    hovertext=[
                        f"{escaped(curve.name)}<br>mean of {len(curve.seeds)} seeds · "
                        f"epoch {epoch}<br>{three(value)}"
                        for epoch, value in zip(
                            curve.epochs[points], curve.mean[points], strict=True
                        )
                    ],
                    **style,
                )
            )
        figure.add_trace(
            go.Scatter(
                x=[None],
                y=[None],
                mode="lines+markers",
                line={"color": curve.colour, "width": 3, "dash": curve.dash[0]},
                marker={"color": curve.colour, "size": 9, "symbol": symbol},
                name=name,
                legendgroup=name,
            )
        )
    figure.update_xaxes(title_text="Epoch", tickformat=",d")
    figure.update_yaxes(title_text=escaped(plan.y_label), tickformat="~g")
    return figure


def learning_plot_publication(
    curves: pd.DataFrame,
    arms: Sequence[str] | None = None,
    titles: Mapping[str, str] | None = None,
    width: Width = "one",
) -> Any:
    """The learning curves for print: a matplotlib Figure one or two columns wide.

    More than eight arms have a panel for each recommender, with the others in grey behind.

    Args:
        curves: As for ``learning_plot``, as are all but the last argument.
        arms: See there.
        titles: See there.
        width: ``one`` (3.35 in) or ``two`` columns (7.0 in).

    Raises:
        InputError: As for ``learning_plot``, or there is no such width.
    """
    from matplotlib.lines import Line2D

    plan = _plan(curves, arms, titles)
    if len(plan.curves) > _TOGETHER:
        return _in_panels(plan, width)
    handles = [
        Line2D([], [], label=curve.name, **_line(curve), **_mark(curve)) for curve in plan.curves
    ]
    body = 1.9 if width == "one" else 2.6
    made = sheet(
        width,
        plan.title,
        plan.stands_on,
        plan.description,
        body=body,
        left=0.58,
        x_label="Epoch",
        y_label=plan.y_label,
        handles=handles,
    )
    axes = made.axes
    for curve in plan.curves:
        _draw(axes, curve)
    axes.margins(x=0.03, y=0.06)
    number_axis(axes.xaxis, made.axes_width, 0.5)
    number_axis(axes.yaxis, made.axes_height, 0.3)
    axes.grid(color=PAPER_GRID, lw=0.4)
    return finished(made)


def _draw(axes: Any, curve: _Curve, apart: int = 1) -> None:
    """A thin line for each seed, and the mean; its markers are ``apart`` times further apart."""
    for _, epochs, values in curve.seeds:
        axes.plot(epochs, values, **{**_line(curve), "lw": 0.4, "alpha": 0.55}, zorder=2)
    axes.plot(
        curve.epochs,
        curve.mean,
        **_line(curve),
        **_mark(curve),
        markevery=apart * curve.every,
        zorder=3,
    )


def _in_panels(plan: _Plan, width: Width) -> Any:
    """A panel for each recommender; its arms are told apart by marker as well as by dash."""
    from matplotlib.lines import Line2D

    whats = list(dict.fromkeys(curve.what for curve in plan.curves))
    shapes = {what: SERIES_MARKERS[i % len(SERIES_MARKERS)] for i, what in enumerate(whats)}
    groups = [
        (name, [replace(curve, marker=shapes[curve.what]) for curve in own])
        for name, own in plan.panels
    ]
    first = {curve.what: curve for _, own in reversed(groups) for curve in reversed(own)}
    rows = -(-len(groups) // (3 if width == "one" else 6))
    columns = -(-len(groups) // rows)
    # Few rows are higher: the y label has to fit.
    height = max(0.75, 1.4 / rows) if width == "one" else max(0.9, 1.8 / rows)
    above, below = 0.17, 0.06
    made = sheet(
        width,
        plan.title,
        subject((plan.stands_on, "grey: the other arms")),
        plan.description,
        body=rows * (height + above) + (rows - 1) * below,
        left=0.58,
        x_label="Epoch",
        y_label=plan.y_label,
        handles=[
            Line2D([], [], label=what or "no content", **_line(curve), **_mark(curve))
            for what, curve in ((what, first[what]) for what in whats)
        ],
    )
    cut = panels(made, len(groups), columns, above=above, below=below, between=0.12)
    seen = [(epochs, values) for curve in plan.curves for _, epochs, values in curve.seeds]
    last = max(float(epochs.max()) for epochs, _ in seen)
    low, high = min(float(v.min()) for _, v in seen), max(float(v.max()) for _, v in seen)
    room = 0.06 * (high - low) or 0.06 * abs(high) or 0.06
    for place, (panel, (name, own)) in enumerate(zip(cut, groups, strict=True)):
        axes = panel.axes
        for curve in plan.curves:
            axes.plot(curve.epochs, curve.mean, color=_FAINT, lw=0.35, zorder=1)
        for curve in own:
            _draw(axes, curve, 2)
        axes.set_xlim(-0.03 * last, 1.03 * last)
        axes.set_ylim(low - room, high + room)
        number_axis(axes.xaxis, panel.axes_width, 0.4)
        number_axis(axes.yaxis, panel.axes_height, 0.25)
        axes.grid(color=PAPER_GRID, lw=0.4)
        lowest = place + columns >= len(groups)
        axes.tick_params(labelbottom=lowest, labelleft=place % columns == 0)
        axes.text(
            0, 1 + 0.03 / panel.axes_height, fit(name, panel.axes_width, SMALL, "bold"),
            transform=axes.transAxes, fontsize=SMALL, fontweight="bold", color=INK, va="bottom",
        )  # fmt: skip
    return finished(made)


def _line(curve: _Curve) -> dict[str, Any]:
    return {
        "color": curve.colour,
        "lw": 1.4,
        "ls": pattern(curve.dash),
    }


def _mark(curve: _Curve) -> dict[str, Any]:
    return {
        "marker": curve.marker.matplotlib,
        "markersize": 3.4,
        "markerfacecolor": "white" if curve.marker.hollow else curve.colour,
        "markeredgecolor": curve.colour if curve.marker.hollow else DARK_INK,
        "markeredgewidth": 0.7 if curve.marker.hollow else 0.35,
    }


def _plan(
    curves: pd.DataFrame, arms: Sequence[str] | None, titles: Mapping[str, str] | None
) -> _Plan:
    check_columns(curves, ("arm", "seed", "epoch", METRIC), "learning curves")
    known = list(dict.fromkeys(curves["arm"]))
    chosen = known if arms is None else list(dict.fromkeys(arms))
    for arm in chosen:
        if arm not in known:
            raise InputError(
                f"There is no learning curve of {arm!r}. Known: {', '.join(map(str, known))}."
            )
    table = curves[curves["arm"].isin(chosen) & curves[METRIC].notna()]
    if table.empty:
        raise InputError(
            "No epoch of the chosen arms was validated, so there is no learning curve; models "
            "without training have none."
        )
    parts = {arm: arm_parts(str(arm)) for arm in chosen}
    recommenders = list(dict.fromkeys(name for name, _, _ in parts.values()))
    controls = ["real", *dict.fromkeys(each for _, _, each in parts.values() if each != "real")]
    made = []
    for arm in chosen:
        own = table[table["arm"] == arm]
        if own.empty:
            continue
        name, modality, control = parts[arm]
        wide = own.pivot_table(index="epoch", columns="seed", values=METRIC).sort_index()
        reached = wide.dropna()
        seeds = tuple(
            (seed, column.dropna().index.to_numpy(), column.dropna().to_numpy())
            for seed, column in wide.items()
        )
        made.append(
            _Curve(
                name=subject((known_as(name, titles), *arm_words(modality, control))),
                recommender=known_as(name, titles),
                what=subject(arm_words(modality, control)),
                colour=_colour(modality, control),
                dash=DASHES[controls.index(control) % len(DASHES)],
                marker=SERIES_MARKERS[recommenders.index(name) % len(SERIES_MARKERS)],
                seeds=seeds,
                epochs=reached.index.to_numpy(),
                mean=reached.mean(axis=1).to_numpy(),
            )
        )
    return _Plan(tuple(made))


def _colour(modality: str, control: str) -> str:
    if modality in MODALITY_COLOURS and modality != "none":
        return MODALITY_COLOURS[modality]
    return WHOLE_MODEL if control == "real" else COLLABORATIVE
