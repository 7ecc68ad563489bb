"""What a style adds to a product: gilding and a rosette, or ears and a face, or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmrec_core.datasets.demo.canvas import Canvas, Points, ellipse, smooth
from mmrec_core.datasets.demo.surfaces import GOLD, Surface


@dataclass
class Dresser:
    """Dresses a product in its style; products say where, this says what.

    Attributes:
        canvas: Where it is painted.
        style: ``minimal`` adds nothing, ``classic`` gilds, ``playful`` gives a face and ears.
        body: Surface of the body.
        rng: The free choices of this picture.
    """

    canvas: Canvas
    style: str
    body: Surface
    rng: np.random.Generator

    @property
    def gilt(self) -> Surface:
        """The surface of gilded ornaments."""
        return Surface(base=GOLD, material="metal")

    def behind(self, x: float, y: float, width: float) -> None:
        """What rises behind the top of the body: ears for ``playful``."""
        if self.style != "playful":
            return
        plain = Surface(self.body.base, material=self.body.material, grain=self.body.grain)
        kind = self.rng.integers(4)
        if kind == 3:
            return
        for side in (-1, 1):
            cx = x + side * width * 0.62
            if kind == 0:
                ear, inner = ellipse(cx, y - 0.06, 0.19, 0.19), ellipse(cx, y - 0.05, 0.10, 0.10)
            elif kind == 1:
                ear, inner = ellipse(0, 0, 0.12, 0.30), ellipse(0, 0.02, 0.055, 0.20)
                turn = np.array([[1.0, -side * 0.22], [side * 0.22, 1.0]])
                ear, inner = ear @ turn.T + (cx, y - 0.16), inner @ turn.T + (cx, y - 0.16)
            else:
                ear = np.array([(-0.2, 0.2), (0.04 * side, -0.26), (0.2, 0.2)]) + (cx, y)
                inner = np.array([(-0.1, 0.14), (0.04 * side, -0.14), (0.1, 0.14)]) + (cx, y)
            self.canvas.puffed([ear], surface=plain, soft=0.09, depth=0.9)
            self.canvas.flat([inner], (0.96, 0.66, 0.68), opacity=0.9)

    def bands(self, profile: Points, places: Sequence[float], view: float = 0.16) -> None:
        """Gilded rings around a turned body at shares ``places`` of its height (``classic``)."""
        if self.style != "classic":
            return
        low, high = profile[0, 0], profile[-1, 0]
        for place in places:
            for shift, thick in ((0.0, 0.040), (0.075, 0.016)):
                y = low + (place + (shift if place < 0.5 else -shift)) * (high - low)
                ys = np.array([y - thick, y + thick])
                radii = np.interp(ys, profile[:, 0], profile[:, 1]) + 0.008
                ring = np.column_stack([ys, radii])
                self._ring(ring, view)

    def _ring(self, ring: Points, view: float) -> None:
        """The front half of a ring around an upright axis."""
        t = np.linspace(0.0, np.pi, 40)
        upper = np.column_stack(
            [ring[0, 1] * np.cos(t), ring[0, 0] + view * ring[0, 1] * np.sin(t)]
        )
        lower = np.column_stack(
            [ring[1, 1] * np.cos(t), ring[1, 0] + view * ring[1, 1] * np.sin(t)]
        )
        self.canvas.puffed(
            [np.concatenate([upper, lower[::-1]])], surface=self.gilt, soft=0.03, depth=0.8
        )

    def outline(self, points: Points) -> None:
        """A gilded line inside the edge of a flat body (``classic``)."""
        if self.style != "classic":
            return
        centre = (points.min(axis=0) + points.max(axis=0)) / 2
        inner = centre + (points - centre) * 0.88
        closed = np.concatenate([inner, inner[:2]])
        self.canvas.puffed(lines=[(closed, 0.045)], surface=self.gilt, soft=0.03, depth=0.8)

    def front(self, x: float, y: float, size: float) -> None:
        """The rosette of ``classic`` or the face of ``playful``, about ``size`` in radius."""
        if self.style == "classic":
            self._rosette(x, y, size)
        elif self.style == "playful":
            self._face(x, y, size)

    def _rosette(self, x: float, y: float, size: float) -> None:
        c, r = self.canvas, size * 0.72
        petals = int(self.rng.integers(3)) * 2 + 6
        # A darker medallion keeps the gold apart from every pattern.
        dark = tuple(0.32 * v + 0.02 for v in self.body.base)
        c.shadow([ellipse(x, y + 0.02, r, r)], 0.03, 0.35)
        c.puffed([ellipse(x, y, r, r)], surface=self.gilt, soft=0.05, depth=0.9)
        c.flat([ellipse(x, y, r * 0.84, r * 0.84)], (dark[0], dark[1], dark[2]))
        shapes = []
        for a in np.linspace(0, 2 * np.pi, petals, endpoint=False):
            t = np.linspace(0, 2 * np.pi, 20, endpoint=False)
            px, py = r * (0.44 + 0.28 * np.cos(t)), r * 0.155 * np.sin(t)
            shapes.append(
                np.column_stack(
                    [x + px * np.cos(a) - py * np.sin(a), y + px * np.sin(a) + py * np.cos(a)]
                )
            )
        c.puffed(shapes, surface=self.gilt, soft=0.035, depth=0.9)
        c.puffed([ellipse(x, y, r * 0.17, r * 0.17)], surface=self.gilt, soft=0.05, depth=1.2)

    def _face(self, x: float, y: float, size: float) -> None:
        c, size = self.canvas, 0.84 * size
        gap, eye = size * 0.50, size * self.rng.uniform(0.27, 0.33)
        look = self.rng.uniform(-0.25, 0.25)
        for side in (-1, 1):
            cx, cy = x + side * gap, y - size * 0.22
            c.flat([ellipse(cx, cy, eye * 1.12, eye * 1.12)], (0.14, 0.12, 0.13))
            c.flat([ellipse(cx, cy, eye, eye)], (1.0, 1.0, 1.0))
            c.flat(
                [ellipse(cx + look * eye, cy + 0.1 * eye, eye * 0.58, eye * 0.62)],
                (0.08, 0.07, 0.09),
            )
            c.flat(
                [ellipse(cx + look * eye - 0.2 * eye, cy - 0.14 * eye, eye * 0.2, eye * 0.2, 16)],
                (1, 1, 1),
            )
            c.flat(
                [ellipse(cx + side * size * 0.16, y + size * 0.38, size * 0.19, size * 0.13)],
                (1.0, 0.50, 0.54),
                opacity=0.85,
            )
        wide, drop = size * 0.30, size * self.rng.uniform(0.22, 0.34)
        lip = smooth(
            [(x - wide, y + size * 0.26), (x, y + size * 0.26 + drop), (x + wide, y + size * 0.26)]
        )
        if self.rng.uniform() < 0.5:
            c.flat([lip], (0.45, 0.10, 0.14))
            c.flat(
                [ellipse(x, y + size * 0.26 + drop * 0.72, wide * 0.42, drop * 0.26)],
                (0.95, 0.45, 0.48),
            )
        else:
            c.flat(lines=[(lip, size * 0.16)], colour=(1.0, 1.0, 1.0))
        c.flat(lines=[(lip, size * 0.09)], colour=(0.14, 0.10, 0.11))
