"""Names of embedding spaces on axes, each with the colour and shape of its modality."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmrec_core.figures.palette import (
    SPACE_MARKERS,
    SPACE_SYMBOLS,
    modality_colour,
    modality_label,
    space_marker,
)
from mmrec_core.figures.paper import INK, PAD, SMALL, fit, mark, text_width
from mmrec_core.figures.words import escaped, known_as, shorten

SYMBOL = 0.12
"""Inches that a modality's marker takes beside a name in print."""


@dataclass(frozen=True)
class Space:
    """A space of embeddings as it is shown."""

    name: str
    modality: str

    @property
    def colour(self) -> str:
        """Of its modality."""
        return modality_colour(self.modality)

    def on_screen(self, length: int) -> str:
        """Label of an axis: its modality's symbol in colour, and the name."""
        symbol = f'<span style="color:{self.colour}">{SPACE_SYMBOLS[self.modality]}</span>'
        return f"{symbol} {escaped(shorten(self.name, length))}"


def spaces(
    keys: Iterable[object],
    titles: Mapping[str, str] | None,
    modalities: Mapping[str, str] | None,
) -> list[Space]:
    """Name and modality (``none`` where it is not given) of every space.

    Raises:
        InputError: There is no such modality of a space.
    """
    made = [
        Space(known_as(str(key), titles), (modalities or {}).get(str(key), "none")) for key in keys
    ]
    for each in made:
        space_marker(each.modality)
    return made


def occurring(shown: Iterable[Space]) -> list[str]:
    """Their modalities, each once, in one order everywhere."""
    there = {each.modality for each in shown}
    return [modality for modality in SPACE_MARKERS if modality in there]


def key_in_words(shown: Iterable[Space]) -> str:
    """What the symbols mean, for the line under a title."""
    return ", ".join(f"{SPACE_SYMBOLS[each]} {modality_label(each)}" for each in occurring(shown))


def key_in_print(shown: Iterable[Space]) -> list[Any]:
    """Legend entries: what the markers beside the names mean."""
    from matplotlib.lines import Line2D

    return [
        Line2D(
            [], [], ls="none", label=modality_label(each),
            **mark(SPACE_MARKERS[each], modality_colour(each)),
        )
        for each in occurring(shown)
    ]  # fmt: skip


def names_width(shown: Sequence[Space], most: float, size: float = SMALL) -> float:
    """Inches that their names and markers take in print, with names of at most ``most`` inches."""
    return SYMBOL + 0.05 + min(most, max(text_width(each.name, size) for each in shown))


def names_beside(
    axes: Any, shown: Sequence[Space], places: Sequence[float], room: float, across: float
) -> None:
    """Markers and names left of rows.

    Args:
        axes: Whose rows they are.
        shown: From top to bottom.
        places: Heights of the rows, in data.
        room: Inches left of the axes.
        across: Width of the axes in inches.
    """
    where = axes.get_yaxis_transform()
    for each, y in zip(shown, places, strict=True):
        axes.plot(
            -(room - SYMBOL / 2) / across, y, transform=where, clip_on=False, ls="none",
            **mark(SPACE_MARKERS[each.modality], each.colour, 3.4),
        )  # fmt: skip
        axes.text(
            -(room - SYMBOL) / across, y, fit(each.name, room - SYMBOL - PAD, SMALL),
            transform=where, fontsize=SMALL, va="center", ha="left", color=INK, clip_on=False,
        )  # fmt: skip
