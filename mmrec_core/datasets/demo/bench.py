"""What a product is made with: canvas, surfaces, style, and outlines in the style's manner."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from mmrec_core.datasets.demo.canvas import Canvas, Points, smooth
from mmrec_core.datasets.demo.ornaments import Dresser
from mmrec_core.datasets.demo.outlines import Invented
from mmrec_core.datasets.demo.surfaces import Surface

SILHOUETTES: Final = 4
"""Number of silhouettes of every type."""


@dataclass
class Bench:
    """What a product is made with.

    Attributes:
        canvas: Where it is painted.
        body: Surface of the body.
        accent: Surface of legs, handles and lids.
        style: One of the styles.
        silhouette: Which of the outlines, 0 to SILHOUETTES - 1; handles and feet follow it.
        rng: The free choices of this picture.
        dress: Adds what the style asks for.
        invented: An outline that is none of the type's own, in place of ``silhouette``'s.
    """

    canvas: Canvas
    body: Surface
    accent: Surface
    style: str
    silhouette: int
    rng: np.random.Generator
    dress: Dresser
    invented: Invented | None = None

    def vary(self, value: float, share: float = 0.06) -> float:
        """``value`` changed by at most ``share`` of it."""
        return float(value * (1.0 + share * self.rng.uniform(-1.0, 1.0)))

    def profile(self, controls: Sequence[Sequence[tuple[float, float]]]) -> Points:
        """Outline of a turned body, in the manner of the style: [n, 2] of (height, radius).

        Args:
            controls: Control points of each silhouette of the type.
        """
        width = 1.0 + 0.07 * self.rng.uniform(-1.0, 1.0)
        if self.invented is None:
            points = smooth(controls[self.silhouette], 48)
        else:
            points = self.invented.profile([smooth(own, 48) for own in controls])
        t = np.linspace(0.0, 1.0, len(points))
        radius = points[:, 1] * width
        if self.style == "playful":
            radius = radius * (0.97 + 0.11 * np.sin(np.pi * t))
        elif self.style == "classic":
            radius = radius * (1.0 - 0.05 * np.sin(2.0 * np.pi * t))
            radius = radius + 0.055 * np.clip(1 - (1 - t) / 0.09, 0, 1)
        return np.column_stack([points[:, 0], np.maximum(radius, 0.02)])

    def shape(self, outlines: Sequence[Points]) -> Points:
        """Outline of a flat body, [n, 2], out of one for each silhouette of the type."""
        if self.invented is None:
            return outlines[self.silhouette]
        return self.invented.shape(outlines)

    def inside(self) -> tuple[float, float, float]:
        """Colour of the inside of a vessel."""
        r, g, b = self.body.base
        return (0.45 * r + 0.05, 0.45 * g + 0.05, 0.45 * b + 0.05)

    def rim(self) -> tuple[float, float, float]:
        """Colour of the edge of a vessel."""
        r, g, b = self.accent.base
        return (0.95 * r + 0.05, 0.95 * g + 0.05, 0.95 * b + 0.05)
