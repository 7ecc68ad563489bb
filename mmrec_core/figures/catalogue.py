"""What a dataset looks like: the long tail of its items and the activity of its users."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mmrec_core.domain import InputError
from mmrec_core.figures.palette import (
    ACCENT,
    LIGHT_INK,
)
from mmrec_core.figures.paper import GRID as PAPER_GRID
from mmrec_core.figures.paper import (
    INK,
    QUIET,
    Sheet,
    Width,
    finished,
    log_axis,
    number_axis,
    sheet,
)
from mmrec_core.figures.screen import BAND, RULE, SMALL_TYPE, screen
from mmrec_core.figures.words import escaped, percent, subject, whole_numbers

if TYPE_CHECKING:
    import plotly.graph_objects as go

HEAD_SHARE = 0.8
"""The head are the most popular items that together hold this share of all interactions."""
_UNIT_BINS = 50
"""Up to this span a histogram has one bar for each number of interactions."""
_BINS = 30


@dataclass(frozen=True)
class _Tail:
    """Interactions by popularity rank, with only the corners of the staircase kept.

    Attributes:
        ranks, degrees: Corners; ranks count from 1. Items without interactions have no place on a
            logarithmic axis and are counted in ``unseen``.
        head: Number of items in the head.
    """

    ranks: np.ndarray
    degrees: np.ndarray
    n_items: int
    unseen: int
    interactions: int
    head: int

    title = "Long tail: interactions by item popularity"
    x_label = "Item rank by popularity (logarithmic)"
    y_label = "Interactions (logarithmic)"

    @property
    def stands_on(self) -> str:
        unseen = f"{self.unseen:,} without interactions, not drawn" if self.unseen else ""
        return subject((f"{self.n_items:,} items", f"{self.interactions:,} interactions", unseen))

    @property
    def note(self) -> str:
        share = percent(self.head / self.n_items, sign=False)
        return f"head: {self.head:,} items ({share}) hold {100 * HEAD_SHARE:g} % of interactions"

    @property
    def description(self) -> str:
        return (
            f"{self.title} over {self.stands_on.replace(' · ', ', ')}; {self.note}; the most "
            f"popular item has {self.degrees[0]:,}."
        )


def _tail(degrees: object) -> _Tail:
    counts = np.sort(whole_numbers(degrees, "interactions of the items"))[::-1]
    seen = counts[counts > 0]
    if not seen.size:
        raise InputError("No item has an interaction, so there is no long tail to draw.")
    total = int(seen.sum())
    # Integers, so that 80 % is not missed by a rounding error.
    head = int(np.searchsorted(np.cumsum(seen) * 10, round(HEAD_SHARE * 10) * total)) + 1
    edge = np.ones(len(seen), dtype=bool)
    edge[1:-1] = (seen[1:-1] != seen[:-2]) | (seen[1:-1] != seen[2:])
    ranks = np.flatnonzero(edge) + 1
    return _Tail(ranks, seen[edge], len(counts), len(counts) - len(seen), total, head)


def long_tail_description(degrees: object) -> str:
    """What the long-tail plot shows, in one sentence, with items and interactions."""
    return _tail(degrees).description


def long_tail(degrees: object) -> "go.Figure":
    """Interactions by item rank, both logarithmic, with the head marked; interactive.

    Args:
        degrees: Interactions of each item [n_items], whole numbers, in any order.

    Raises:
        InputError: They are not whole numbers from 0 up, or no item has any.
    """
    import plotly.graph_objects as go

    plan = _tail(degrees)
    figure = screen(plan.title, plan.stands_on, plan.description, height=300)
    figure.add_trace(
        go.Scatter(
            x=plan.ranks,
            y=plan.degrees,
            mode="lines+markers" if len(plan.ranks) < 3 else "lines",
            line={"color": ACCENT, "width": 2.4},
            hovertemplate="rank %{x:,}<br>%{y:,} interactions<extra></extra>",
        )
    )
    edge = np.log10(plan.head + 0.5)
    figure.add_vrect(
        x0=10 ** min(0, edge), x1=10**edge, fillcolor=BAND, line={"width": 0}, layer="below"
    )
    figure.add_vline(x=10**edge, line={"color": RULE, "width": 1.2, "dash": "dash"})
    figure.add_annotation(
        text=escaped(plan.note), xref="paper", x=0, yref="paper", y=0, xanchor="left",
        yanchor="bottom", xshift=6, yshift=4, showarrow=False, font={"size": SMALL_TYPE},
    )  # fmt: skip
    figure.update_xaxes(type="log", title_text=plan.x_label, dtick=1, tickformat=",d")
    figure.update_yaxes(type="log", title_text=plan.y_label, dtick=1, tickformat=",d")
    return figure


def long_tail_publication(degrees: object, width: Width = "one") -> Any:
    """The long tail for print: a matplotlib Figure one or two columns wide.

    Args:
        degrees: As for ``long_tail``.
        width: ``one`` (3.35 in) or ``two`` columns (7.0 in).

    Raises:
        InputError: As for ``long_tail``, or there is no such width.
    """
    plan = _tail(degrees)
    note = f"grey {plan.note}"
    made = _two_axes(width, plan.title, subject((plan.stands_on, note)), plan)
    axes = made.axes
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.plot(plan.ranks, plan.degrees, color=ACCENT, lw=1.3, marker="o",
              ms=3 if len(plan.ranks) < 3 else 0)  # fmt: skip
    axes.set_xlim(0.9, max(plan.n_items - plan.unseen, 2) * 1.1)
    axes.set_ylim(0.8, max(plan.degrees[0], 2) * 1.3)
    axes.axvspan(0.9, plan.head + 0.5, color="#E4E6E9", lw=0, zorder=0)
    axes.axvline(plan.head + 0.5, color=QUIET, lw=0.8, ls=(0, (4, 2)))
    log_axis(axes.xaxis, made.axes_width)
    log_axis(axes.yaxis, made.axes_height, 0.28)
    return finished(made)


@dataclass(frozen=True)
class _Histogram:
    """Users by number of interactions; bar i holds edges[i] <= number < edges[i + 1]."""

    edges: np.ndarray
    users: np.ndarray
    n_users: int
    median: float
    logarithmic: bool

    title = "Activity: interactions per user"

    @property
    def x_label(self) -> str:
        return f"Interactions of a user{' (logarithmic)' if self.logarithmic else ''}"

    @property
    def y_label(self) -> str:
        return "Users per number of interactions" if self.logarithmic else "Users"

    @property
    def stands_on(self) -> str:
        return subject((f"{self.n_users:,} users", f"median {self.median:,g} (dashed)"))

    @property
    def heights(self) -> np.ndarray:
        """Users by number of interactions: a bar of two numbers is not twice as high."""
        return self.users / np.diff(self.edges)

    @property
    def drawn_edges(self) -> np.ndarray:
        """Edges halfway between whole numbers, so that bars stand over theirs."""
        return self.edges - 0.5

    @property
    def names(self) -> list[str]:
        return [
            f"{low:,}" if high == low + 1 else f"{low:,}–{high - 1:,}"
            for low, high in zip(self.edges[:-1], self.edges[1:], strict=True)
        ]

    @property
    def description(self) -> str:
        return (
            f"{self.title} of {self.n_users:,} users, from {self.edges[0]:,} to "
            f"{self.edges[-1] - 1:,}, median {self.median:,g}."
        )


def _histogram(degrees: object) -> _Histogram:
    counts = whole_numbers(degrees, "interactions of the users")
    low, high = int(counts.min()), int(counts.max())
    logarithmic = high - low >= _UNIT_BINS
    if logarithmic:
        inner = np.round(np.geomspace(max(low, 1), high + 1, _BINS + 1)).astype(np.int64)
        edges = np.unique(np.append(inner, low))
        edges[-1] = high + 1
    else:
        edges = np.arange(low, high + 2)
    users = np.histogram(counts, edges)[0]
    return _Histogram(edges, users, len(counts), float(np.median(counts)), logarithmic)


def user_activity_description(degrees: object) -> str:
    """What the histogram shows, in one sentence, with the number of users."""
    return _histogram(degrees).description


def user_activity(degrees: object) -> "go.Figure":
    """Histogram of interactions per user; interactive. Bars widen where the span is large.

    Args:
        degrees: Interactions of each user [n_users], whole numbers.

    Raises:
        InputError: They are not whole numbers from 0 up, or there are no users.
    """
    import plotly.graph_objects as go

    plan = _histogram(degrees)
    figure = screen(plan.title, plan.stands_on, plan.description, height=280)
    edges = plan.drawn_edges
    figure.add_trace(
        go.Bar(
            # On a logarithmic axis plotly wants the bar's offset from a base, in the data's units.
            x=edges[:-1],
            width=np.diff(edges),
            offset=0,
            y=plan.heights,
            marker={"color": ACCENT, "line": {"width": 0.5, "color": LIGHT_INK}},
            hoverinfo="text",
            hovertext=[
                f"{name} interactions<br>{users:,} users"
                for name, users in zip(plan.names, plan.users, strict=True)
            ],
        )
    )
    figure.add_vline(x=plan.median, line={"color": RULE, "width": 1.6, "dash": "dash"})
    if plan.logarithmic:
        ends = np.log10([max(edges[0], 0.5), edges[-1]])
        figure.update_xaxes(type="log", range=ends.tolist(), dtick=1)
    figure.update_xaxes(title_text=plan.x_label, tickformat=",d")
    figure.update_yaxes(title_text=plan.y_label, tickformat=",d")
    return figure


def user_activity_publication(degrees: object, width: Width = "one") -> Any:
    """The histogram for print: a matplotlib Figure one or two columns wide.

    Args:
        degrees: As for ``user_activity``.
        width: ``one`` (3.35 in) or ``two`` columns (7.0 in).

    Raises:
        InputError: As for ``user_activity``, or there is no such width.
    """
    plan = _histogram(degrees)
    made = _two_axes(width, plan.title, plan.stands_on, plan)
    axes, edges = made.axes, plan.drawn_edges
    if plan.logarithmic:
        axes.set_xscale("log")
        edges = np.maximum(edges, 0.5)
        axes.set_xlim(edges[0], edges[-1])
    axes.bar(edges[:-1], plan.heights, np.diff(edges), align="edge", color=ACCENT,
             edgecolor="white", linewidth=0.3)  # fmt: skip
    axes.axvline(plan.median, color="white", lw=2)  # an edge: bars are as dark in grey
    axes.axvline(plan.median, color=INK, lw=0.9, ls=(0, (4, 2)))
    if plan.logarithmic:
        log_axis(axes.xaxis, made.axes_width)
    else:
        number_axis(axes.xaxis, made.axes_width, whole=True)
    number_axis(axes.yaxis, made.axes_height, 0.3, whole=not plan.logarithmic)
    return finished(made)


def _two_axes(width: Width, title: str, subtitle: str, plan: _Tail | _Histogram) -> Sheet:
    """A sheet with a labelled y axis and a grid."""
    made = sheet(
        width,
        title,
        subtitle,
        plan.description,
        body=1.7 if width == "one" else 2.4,
        left=0.68,
        x_label=plan.x_label,
        y_label=plan.y_label,
    )
    made.axes.grid(color=PAPER_GRID, lw=0.4)
    return made
