"""What stands on the Maps page at one time: two maps, their regions, and the colours."""

from dataclasses import dataclass
from functools import cached_property

from mmrec_core.domain import Dataset
from mmrec_core.projection.regions import Regions
from pages.ui.map_spaces import Side
from pages.ui.point_map import Colours, View

PLACES = ("left", "right")


@dataclass(frozen=True, eq=False)
class Scene:
    """Two maps of the same items.

    Attributes:
        dataset: Whose items.
        sides: One or two maps.
        regions: Of each map; None where it has none.
        colours: Of the points in both.
    """

    dataset: Dataset
    sides: tuple[Side, ...]
    regions: tuple[Regions | None, ...]
    colours: Colours

    @cached_property
    def views(self) -> list[View]:
        """As the map component takes them."""
        return [
            View(side.space.title, side.points, labels_of(found))
            for side, found in zip(self.sides, self.regions, strict=True)
        ]

    @property
    def key(self) -> str:
        """Names the maps and their items for the component."""
        return f"map-{self.dataset.fingerprint[:12]}"


def labels_of(regions: Regions | None) -> list[tuple[str, float, float, float]]:
    """Words of regions with their places; larger regions weigh more."""
    if regions is None:
        return []
    rows = regions.table[["words", "x", "y", "n"]].itertuples(index=False)
    # Two words: three leave room for few labels.
    return [
        (" · ".join(words.split(" · ")[:2]), float(x), float(y), float(n))
        for words, x, y, n in rows
        if words
    ]
