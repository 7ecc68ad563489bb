"""Colours, labels and marker shapes: one for each meaning, the same on every screen and in print.

Colours are Okabe and Ito's (Color Universal Design, 2008), told apart with every kind of colour
vision; every distinction is also made by shape, dash or word, so that grey prints are readable.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mmrec_core.domain import InputError

IMAGE, TEXT, JOINT = "#E69F00", "#0072B2", "#CC79A7"
COLLABORATIVE, CONTROL = "#7F7F7F", "#BBBBBB"
WHOLE_MODEL = "#5F6672"
"""Dark on white (5.7 to 1), and still told from a dark page (3 to 1)."""
ACCENT = "#0072B2"

MODALITY_COLOURS: Mapping[str, str] = {
    "image": IMAGE,
    "text": TEXT,
    "joint": JOINT,
    "input-picture": IMAGE,
    "input-title": TEXT,
    "all": WHOLE_MODEL,
    "none": COLLABORATIVE,
}
MODALITY_LABELS: Mapping[str, str] = {
    "image": "image",
    "text": "text",
    "joint": "joint",
    "input-picture": "joint: its picture",
    "input-title": "joint: its title",
    "all": "whole model",
    "none": "collaborative",
}

KIND_LABELS: Mapping[str, str] = {
    "used": "used: real − shuffled",
    "gained": "gained: real − removed",
    "without_content": "without content: shuffled − removed",
    "missingness": "missingness: shuffled − mean",
    "over_backbone": "over backbone: real − backbone",
}

Tone = Literal["pays", "used", "without_content", "no_effect", "harm", "undecided", "void"]


@dataclass(frozen=True)
class ToneStyle:
    """How a verdict's chip looks.

    Attributes:
        fill: Colour of the chip; None for an outlined one.
        ink: Colour of the symbol on it; None where it is the colour of the text around.
        dashed: Whether the outline is dashed.
    """

    fill: str | None
    ink: str | None
    dashed: bool = False


OUTLINE = "#808080"
DARK_INK, LIGHT_INK = "#111111", "#FFFFFF"
TONES: Mapping[str, ToneStyle] = {
    "pays": ToneStyle("#009E73", DARK_INK),
    "used": ToneStyle("#56B4E9", DARK_INK),
    "without_content": ToneStyle("#F0E442", DARK_INK),
    "no_effect": ToneStyle("#999999", DARK_INK),
    "harm": ToneStyle("#D55E00", DARK_INK),
    "undecided": ToneStyle(None, None),
    "void": ToneStyle(None, None, dashed=True),
}
"""Tone of a verdict -> its chip. The verdict's word and symbol stand with it, always."""


@dataclass(frozen=True)
class Marker:
    """One shape in the two libraries' names; ``hollow`` shapes are drawn as outlines."""

    plotly: str
    matplotlib: str
    hollow: bool = False


_KIND_MARKERS: Mapping[str, Marker] = {
    "used": Marker("circle", "o"),
    "gained": Marker("square", "s"),
    "without_content": Marker("triangle-up", "^", hollow=True),
    "missingness": Marker("diamond", "D"),
    "over_backbone": Marker("cross", "P"),
    "over_gaussian-unit": Marker("triangle-down", "v"),
    "over_gaussian-matched": Marker("triangle-left", "<"),
    "over_mean": Marker("diamond", "D", hollow=True),
    "over_identity": Marker("star", "*"),
    "over_shuffle-within-category": Marker("circle", "o", hollow=True),
    "over_shuffle-within-popularity": Marker("square", "s", hollow=True),
    "over_other-modality": Marker("pentagon", "p"),
}
_OTHER_KIND = Marker("triangle-right", ">")

SERIES_MARKERS: tuple[Marker, ...] = tuple(
    Marker(plotly, matplotlib, hollow)
    for hollow in (False, True)
    for plotly, matplotlib in (
        ("circle", "o"),
        ("square", "s"),
        ("triangle-up", "^"),
        ("diamond", "D"),
        ("triangle-down", "v"),
        ("pentagon", "p"),
    )
)
"""For things without a meaning of their own, such as recommenders."""

DASHES: tuple[tuple[str, tuple[float, ...]], ...] = (
    ("solid", ()),
    ("dash", (4, 2)),
    ("dot", (1, 1.4)),
    ("dashdot", (4, 1.4, 1, 1.4)),
    ("longdash", (8, 2)),
    ("longdashdot", (8, 2, 1, 2)),
)
"""Line patterns: plotly's name, and matplotlib's on and off lengths (none: solid)."""

FILLED_MARKERS: tuple[Marker, ...] = tuple(
    Marker(plotly, matplotlib)
    for plotly, matplotlib in (
        ("circle", "o"),
        ("square", "s"),
        ("triangle-up", "^"),
        ("diamond", "D"),
        ("triangle-down", "v"),
        ("cross", "P"),
        ("star", "*"),
        ("triangle-left", "<"),
        ("x", "X"),
        ("triangle-right", ">"),
        ("pentagon", "p"),
        ("diamond-tall", "d"),
    )
)
"""For recommenders where hollow has a meaning of its own."""

MODALITY_DASHES: Mapping[str, tuple[str, tuple[float, ...]]] = dict(
    zip(("image", "text", "joint", "all", "input-picture", "input-title"), DASHES, strict=True)
) | {"none": DASHES[0]}
MODALITY_MARKERS: Mapping[str, Marker] = {
    "image": Marker("circle", "o"),
    "text": Marker("square", "s"),
    "joint": Marker("triangle-up", "^"),
    "all": Marker("diamond", "D"),
}
SPACE_MARKERS: Mapping[str, Marker] = {
    "image": MODALITY_MARKERS["image"],
    "text": MODALITY_MARKERS["text"],
    "joint": MODALITY_MARKERS["joint"],
    "none": Marker("x", "X"),
}
"""Modality of a space of embeddings -> its shape; ``none`` is learnt from behaviour alone."""
SPACE_SYMBOLS: Mapping[str, str] = {"image": "●", "text": "■", "joint": "▲", "none": "✕"}
"""The same shapes as characters, for axes on screen."""
SPACE_FILLS: Mapping[str, str] = {"image": "full", "text": "none", "joint": "left", "none": "top"}
"""Modality -> how much of a marker is filled in print where its shape says something else."""
MODALITY_HATCHES: Mapping[str, str] = {
    "image": "/////",
    "text": "\\\\\\\\\\",
    "joint": "xxxx",
    "none": ".....",
}
"""Fillings in matplotlib's words."""

CATEGORY_COLOURS = (
    "#1A85FF", "#994F00", "#DDCC77", "#5D3A9B", "#225555", "#CC6677", "#BBCC33", "#AA4499",
    "#88CCEE", "#7B4B2A", "#FFAABB", "#999933",
)  # fmt: skip
"""For categories of a catalogue: none means a modality, and every two stay at least 14 apart
(CIE 1976) with each kind of colour vision (Machado, Oliveira, Fernandes, 2009)."""

SEQUENTIAL = (
    "#00224e", "#083370", "#35456c", "#4f576c", "#666970", "#7d7c78", "#948e77", "#aea371",
    "#c8b866", "#e5cf52", "#fee838",
)  # fmt: skip
"""Cividis (Nuñez, Anderton, Renslow, 2018), even in lightness and so in grey: low to high."""
DIVERGING = (
    "#7f3b08", "#b25706", "#e08214", "#fcb761", "#fee0b6", "#f6f6f7", "#d8daeb", "#b1aad1",
    "#8073ac", "#532687", "#2d004b",
)  # fmt: skip
"""PuOr (Brewer, 2002): below 0, 0, above 0. In grey its ends are alike, so say the sign too."""


def shade(scale: tuple[str, ...], share: float) -> str:
    """Colour at ``share`` (0 to 1) of a scale of evenly spaced colours."""
    place = min(max(share, 0.0), 1.0) * (len(scale) - 1)
    below = min(int(place), len(scale) - 2)
    part = place - below
    mixed = (
        round(
            (1 - part) * int(scale[below][i : i + 2], 16)
            + part * int(scale[below + 1][i : i + 2], 16)
        )
        for i in (1, 3, 5)
    )
    return "#{:02x}{:02x}{:02x}".format(*mixed)


def ink_on(colour: str) -> str:
    """The ink, dark or light, with the higher contrast (WCAG 2) on a ``#RRGGBB`` ground."""
    ground, dark = _luminance(colour), _luminance(DARK_INK)
    return DARK_INK if (ground + 0.05) ** 2 > (dark + 0.05) * 1.05 else LIGHT_INK


def _luminance(colour: str) -> float:
    """Relative luminance of an sRGB colour, 0 to 1."""
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def modality_colour(modality: str) -> str:
    """Colour of a modality, of ``all`` (the whole model) or of ``none`` (collaborative).

    Raises:
        InputError: There is no such modality.
    """
    _known(modality, MODALITY_COLOURS, "modality")
    return MODALITY_COLOURS[modality]


def space_marker(modality: str) -> Marker:
    """Shape of a space of embeddings: ``image``, ``text``, ``joint`` or ``none`` (behaviour).

    Raises:
        InputError: There is no such modality of a space.
    """
    _known(modality, SPACE_MARKERS, "modality of a space")
    return SPACE_MARKERS[modality]


def modality_label(modality: str) -> str:
    """Name on screen of a modality, ``all`` or ``none``.

    Raises:
        InputError: There is no such modality.
    """
    _known(modality, MODALITY_LABELS, "modality")
    return MODALITY_LABELS[modality]


def kind_label(kind: str) -> str:
    """Which two arms a comparison subtracts, such as ``used: real − shuffled``.

    Raises:
        InputError: There is no such kind of comparison.
    """
    if kind.startswith("over_") and kind not in KIND_LABELS:
        return f"real − {kind.removeprefix('over_')}"
    _known(kind, KIND_LABELS, "comparison")
    return KIND_LABELS[kind]


def kind_marker(kind: str) -> Marker:
    """Shape of a comparison; kinds over a control without a shape of its own share one."""
    kind_label(kind)
    return _KIND_MARKERS.get(kind, _OTHER_KIND)


def tone_style(tone: str) -> ToneStyle:
    """Chip of a verdict's tone.

    Raises:
        InputError: There is no such tone.
    """
    _known(tone, TONES, "tone")
    return TONES[tone]


def _known(name: str, table: Mapping[str, object], what: str) -> None:
    if name not in table:
        raise InputError(f"There is no {what} {name!r}. Known: {', '.join(table)}.")
