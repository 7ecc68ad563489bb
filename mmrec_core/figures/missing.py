"""Which items lack a picture, a text or a joint embedding."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mmrec_core.domain import InputError
from mmrec_core.figures.palette import (
    CONTROL,
    OUTLINE,
    modality_colour,
    modality_label,
)
from mmrec_core.figures.paper import (
    BODY,
    INK,
    PAD,
    QUIET,
    SMALL,
    Width,
    finished,
    inches,
    number_axis,
    sheet,
    text_width,
)
from mmrec_core.figures.screen import SMALL_TYPE, screen
from mmrec_core.figures.words import percent

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True)
class _Missing:
    """Items with and without each modality, and with all of them."""

    names: tuple[str, ...]
    colours: tuple[str, ...]
    present: np.ndarray
    n_items: int

    title = "Items that lack a modality"
    x_label = "Share of items (%)"

    @property
    def absent(self) -> np.ndarray:
        return self.n_items - self.present

    @property
    def stands_on(self) -> str:
        return f"{self.n_items:,} items · grey, hatched: missing"

    @property
    def notes(self) -> list[str]:
        return [
            "none missing" if n == 0 else f"{n:,} ({percent(n / self.n_items, False)}) missing"
            for n in self.absent.tolist()
        ]

    @property
    def description(self) -> str:
        parts = [f"{name}: {note}" for name, note in zip(self.names, self.notes, strict=True)]
        return f"{self.title}, of {self.n_items:,} items; {'; '.join(parts)}."


def _missing(missing: pd.DataFrame) -> _Missing:
    if missing.empty:
        raise InputError("There are no items or no modalities, so nothing can be missing.")
    if missing.isna().to_numpy().any():
        raise InputError("Whether an item lacks a modality must be True or False for every item.")
    table = missing.to_numpy().astype(bool)
    names = [modality_label(str(name)) for name in missing.columns]
    colours = [modality_colour(str(name)) for name in missing.columns]
    present = (~table).sum(axis=0).tolist()
    if len(names) > 1:
        names.append("every modality")
        colours.append(modality_colour("all"))
        present.append(int((~table.any(axis=1)).sum()))
    return _Missing(tuple(names), tuple(colours), np.array(present), len(table))


def missing_modality_description(missing: pd.DataFrame) -> str:
    """What the bars of missing modalities show, in one sentence, with the number of items."""
    return _missing(missing).description


def missing_modality(missing: pd.DataFrame) -> "go.Figure":
    """A stacked bar for each modality: items that have it, and items that lack it; interactive.

    Args:
        missing: One row an item, one column a modality (``image``, ``text``, ``joint``); True
            where it is missing.

    Raises:
        InputError: There are no items, or a modality is unknown.
    """
    import plotly.graph_objects as go

    plan = _missing(missing)
    figure = screen(
        plan.title,
        plan.stands_on,
        plan.description,
        height=44 * len(plan.names),
        left=116,
        right=168,
    )
    for what, numbers, marker in (
        ("have it", plan.present, {"color": plan.colours}),
        (
            "lack it",
            plan.absent,
            {"color": CONTROL, "pattern": {"shape": "/", "fgcolor": OUTLINE, "size": 6}},
        ),
    ):
        shares = numbers / plan.n_items
        figure.add_trace(
            go.Bar(
                x=100 * shares,
                y=plan.names,
                orientation="h",
                marker={**marker, "line": {"width": 0.6, "color": OUTLINE}},
                hoverinfo="text",
                hovertext=[
                    f"{name}<br>{n:,} items ({percent(share, False)}) {what}"
                    for name, n, share in zip(plan.names, numbers, shares, strict=True)
                ],
            )
        )
    for name, note in zip(plan.names, plan.notes, strict=True):
        figure.add_annotation(
            text=note, xref="paper", x=1, xanchor="left", xshift=6, yref="y", y=name,
            showarrow=False, font={"size": SMALL_TYPE},
        )  # fmt: skip
    figure.update_layout(barmode="stack", bargap=0.35)
    figure.update_xaxes(title_text=plan.x_label, range=[0, 100], ticksuffix=" %")
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure


def missing_modality_publication(missing: pd.DataFrame, width: Width = "one") -> Any:
    """The bars of missing modalities for print: a matplotlib Figure.

    Args:
        missing: As for ``missing_modality``.
        width: ``one`` (3.35 in) or ``two`` columns (7.0 in).

    Raises:
        InputError: As for ``missing_modality``, or there is no such width.
    """
    plan = _missing(missing)
    left = PAD + max(text_width(name, BODY) for name in plan.names) + 0.07
    right = max(text_width(note, SMALL) for note in plan.notes) + 0.06 + PAD
    made = sheet(
        width,
        plan.title,
        plan.stands_on,
        plan.description,
        body=inches(15) * len(plan.names),
        left=left,
        right=right,
        x_label=plan.x_label,
    )
    axes, rows = made.axes, np.arange(len(plan.names))
    edge = {"height": 0.62, "edgecolor": QUIET, "linewidth": 0.4}
    have, lack = (100 * numbers / plan.n_items for numbers in (plan.present, plan.absent))
    axes.barh(rows, have, color=plan.colours, **edge)
    axes.barh(rows, lack, left=have, color=CONTROL, hatch="//////", hatch_linewidth=0.4, **edge)
    axes.set_xlim(0, 100)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(rows)
    axes.set_yticklabels(plan.names)
    axes.tick_params(axis="y", length=0)
    number_axis(axes.xaxis, made.axes_width)
    for row, note in zip(rows, plan.notes, strict=True):
        axes.text(100, row, f" {note}", fontsize=SMALL, va="center", color=INK, clip_on=False)
    return finished(made)
