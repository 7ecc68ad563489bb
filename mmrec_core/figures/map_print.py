"""Parts of a map for print: its size, its points as a picture, names of regions, keys."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mmrec_core.figures.labels import Box
from mmrec_core.figures.map_points import PLAIN, Layer, Plan
from mmrec_core.figures.palette import CONTROL, SEQUENTIAL, Marker, shade
from mmrec_core.figures.paper import (
    BODY,
    INK,
    LINE,
    PAD,
    QUIET,
    SMALL,
    Sheet,
    Width,
    fit,
    inches,
    log_axis,
    number_axis,
    page_width,
    panel,
    text_width,
    wrap,
)
from mmrec_core.figures.words import shorten

BETWEEN = 0.14
"""Inches between two maps."""
_LABEL_LENGTH = 34
_SHAPES = 5_000
"""Most points that are told apart by shape; more are too small for one."""
_SOFT = 20_000
"""Most points with soft edges."""


def map_size(plan: Plan, width: Width) -> tuple[float, float]:
    """Inches of each map."""
    usable = page_width(width) - 2 * PAD
    across = (usable - BETWEEN) / 2 if not plan.one and width == "two" else usable
    ratio = 0.6
    for layer in plan.layers:
        left, right, bottom, top = layer.ranges
        ratio = max(ratio, (top - bottom) / (right - left))
    return across, min(across * min(ratio, 1.0), 4.6)


def label_boxes(plan: Plan, width: Width) -> list[list[Box | None]]:
    """Places of the regions' names in inches."""
    across, height = map_size(plan, width)
    return [
        layer.placed(
            across,
            height,
            [
                (text_width(_short(text), SMALL) + 0.06, inches(SMALL * LINE) + 0.02)
                for text in layer.texts
            ],
        )
        for layer in plan.layers
    ]


def _short(text: str) -> str:
    return shorten(text, _LABEL_LENGTH)


def head_lines(layer: Layer, across: float) -> tuple[list[str], list[str]]:
    """Lines of a map's own title and of what it stands on."""
    return wrap(layer.title or "–", across, BODY, "bold"), wrap(layer.subtitle, across, SMALL)


def draw_head(axes: Any, head: tuple[list[str], list[str]], height: float) -> None:
    """Title and subtitle over a map."""
    names, notes = head
    common = {"transform": axes.transAxes, "va": "bottom", "ha": "left", "linespacing": LINE}
    under = inches(LINE * SMALL * len(notes))
    if notes:
        axes.text(0, 1 + 0.03 / height, "\n".join(notes), fontsize=SMALL, color=QUIET, **common)
    if names:
        axes.text(
            0, 1 + (0.03 + under) / height, "\n".join(names), fontsize=BODY, fontweight="bold",
            color=INK, **common,
        )  # fmt: skip


def draw_points(axes: Any, plan: Plan, layer: Layer, size: tuple[float, float]) -> None:
    """Points as one picture inside the file; the frame around them."""
    left, right, bottom, top = layer.window(*size)
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color(CONTROL)
    x, y = layer.places.T
    n = len(x)
    # Few points are large, many cover about a third of the map together.
    spot = float(np.clip(0.3 * size[0] * size[1] * 72**2 / n, 0.08, 9))
    # Hard edges keep the picture small; on dots of about a pixel they are not seen.
    common = {"linewidths": 0, "rasterized": True, "zorder": 2, "antialiaseds": n <= _SOFT}
    ink = _inks(plan, layer)
    quiet = layer.codes < 0
    if plan.categories and n <= _SHAPES:
        for each in sorted(plan.categories, key=lambda each: (each.code >= 0, -each.n)):
            own = layer.codes == each.code
            cross = each.marker.matplotlib == "x"
            axes.scatter(
                x[own], y[own], s=spot, c=ink[own], marker=each.marker.matplotlib,
                **(common | {"linewidths": 0.5 if cross else 0}),
            )  # fmt: skip
        return
    for own in (np.flatnonzero(quiet), _mixed(np.flatnonzero(~quiet))):
        axes.scatter(x[own], y[own], s=spot, c=ink[own], **common)


def _inks(plan: Plan, layer: Layer) -> np.ndarray:
    """Colour of every point, red, green and blue."""
    from matplotlib.colors import to_rgb

    if plan.ends:
        scale = np.array([to_rgb(shade(SEQUENTIAL, step / 255)) for step in range(256)])
        steps = np.nan_to_num(255 * plan.shares(layer.values)).round().astype(int)
        return np.where((layer.codes < 0)[:, None], to_rgb(CONTROL), scale[steps])
    inks = np.full((len(layer.codes), 3), to_rgb(PLAIN))
    for each in plan.categories:
        inks[layer.codes == each.code] = to_rgb(each.colour)
    return inks


def _mixed(rows: np.ndarray) -> np.ndarray:
    """Rows in an order drawn with a fixed seed, so that no category lies on all others."""
    return np.random.default_rng([0]).permutation(rows)


def draw_names(
    axes: Any, layer: Layer, boxes: Sequence[Box | None], size: tuple[float, float]
) -> None:
    """Names of regions, each on a pale ground."""
    for text, box in zip(layer.texts, boxes, strict=True):
        if box is not None:
            axes.text(
                (box[0] + box[2]) / 2 / size[0], (box[1] + box[3]) / 2 / size[1], _short(text),
                transform=axes.transAxes, fontsize=SMALL, va="center_baseline", ha="center",
                color=INK, zorder=4,
                bbox={"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 0.8},
            )  # fmt: skip


def handles(plan: Plan, room: float) -> list[Any]:
    """Legend entries, with names of at most so many inches; the counts are not cut."""
    from matplotlib.lines import Line2D

    def look(marker: Marker, colour: str) -> dict[str, Any]:
        cross = marker.matplotlib == "x"
        return {"marker": marker.matplotlib, "markersize": 4, "markerfacecolor": colour,
                "markeredgecolor": colour, "markeredgewidth": 0.7 if cross else 0}  # fmt: skip

    entries = []
    for each in plan.categories:
        tail = f" ({each.n:,})"
        name = fit(each.name, room - text_width(tail, SMALL), SMALL)
        entries.append(
            Line2D([], [], ls="none", label=name + tail, **look(each.marker, each.colour))
        )
    if plan.ends and any((layer.codes < 0).any() for layer in plan.layers):
        gone = sum(int((layer.codes < 0).sum()) for layer in plan.layers)
        entries.append(
            Line2D(
                [],
                [],
                ls="none",
                label=f"no value ({gone:,})",
                **look(Marker("circle", "o"), CONTROL),
            )
        )
    return entries


def draw_bar(made: Sheet, plan: Plan, top: float) -> None:
    """The colours of numbers, beneath what they mean."""
    assert plan.ends is not None
    low, high = plan.ends
    long, label = min(2.2, made.axes_width - 0.4), inches(BODY * LINE) + 0.03
    axes = panel(made, 0.2, top + label, long, 0.09)
    edges = np.linspace(low, high if high > low else low + 1, 101)
    if plan.logarithmic:
        edges = np.geomspace(low, high, 101)
        axes.set_xscale("log")
    for step in range(100):
        axes.axvspan(
            edges[step], edges[step + 1], lw=0, color=shade(SEQUENTIAL, (step + 0.5) / 100)
        )
    axes.set_xlim(edges[0], edges[-1])
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    if plan.logarithmic:
        log_axis(axes.xaxis, long)
    else:
        number_axis(axes.xaxis, long)
    axes.text(
        -0.2 / long, 1 + label / 0.09, fit(plan.bar_label, made.axes_width, BODY),
        transform=axes.transAxes, fontsize=BODY, va="top", ha="left", color=INK,
    )  # fmt: skip
