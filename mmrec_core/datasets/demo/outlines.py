"""Outlines that no product of the shop has: between two of a type's own, or beyond one.

A model that was trained on these and meets the shop sees silhouettes that it was never shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

_ANGLES = np.linspace(0.0, 2.0 * np.pi, 96, endpoint=False)
_NEAREST = 0.2
"""Least share of either outline in a mixture; nearer, it would be one of the shop's own."""
_BEYOND = 0.35
"""How far a mixture may lie beyond one of its outlines."""


@dataclass(frozen=True)
class Invented:
    """A mixture of two outlines, and a soft ripple.

    Attributes:
        first: Number of the outline that it starts from.
        second: Number of the other.
        share: Of the second; below 0 or above 1, the mixture exaggerates what sets them apart.
        ripple: Two heights and two phases of waves along the outline, [4].
    """

    first: int
    second: int
    share: float
    ripple: tuple[float, float, float, float]

    @classmethod
    def draw(cls, count: int, rng: np.random.Generator) -> Self:
        """An outline at random, out of ``count`` of a type's own."""
        first, second = rng.permutation(count)[:2]
        kind = rng.uniform()
        share = rng.uniform(_NEAREST, 1.0 - _NEAREST)
        if kind < 0.2:
            share = -rng.uniform(_NEAREST, _BEYOND)
        elif kind < 0.4:
            share = 1.0 + rng.uniform(_NEAREST, _BEYOND)
        low, high = rng.normal(0.0, 0.03, size=2)
        one, two = rng.uniform(0.0, 2.0 * np.pi, size=2)
        ripple = (float(low), float(high), float(one), float(two))
        return cls(int(first), int(second), float(share), ripple)

    def sizes(self, own: Sequence[Sequence[float]]) -> tuple[float, ...]:
        """Mixed measures of a body; a size never falls below a tenth of its first outline's."""
        first, second = (np.asarray(own[k]) for k in (self.first, self.second))
        mixed = self._mixed(first, second)
        mixed = np.where(first > 0, np.maximum(mixed, first / 10), mixed)
        return tuple(float(value) for value in mixed)

    def profile(self, own: Sequence[np.ndarray]) -> np.ndarray:
        """Mixed (height, radius) of a turned body, [n, 2], out of profiles of equal n."""
        mixed = self._mixed(own[self.first], own[self.second])
        t = np.linspace(0.0, 1.0, len(mixed))
        # Heights rise, as a body's must, whatever lies beyond the outlines.
        heights = np.maximum.accumulate(mixed[:, 0]) + 1e-6 * t
        radii = np.maximum(mixed[:, 1], 0.08) * self._waves(np.pi * t)
        return np.column_stack([heights, radii])

    def shape(self, own: Sequence[np.ndarray]) -> np.ndarray:
        """Mixed outline of a flat body, [96, 2], out of polygons that see all of their edge."""
        first, second = own[self.first], own[self.second]
        centres = [(points.min(axis=0) + points.max(axis=0)) / 2 for points in (first, second)]
        far = [_radii(p - c) for p, c in zip((first, second), centres, strict=True)]
        radii = np.maximum(self._mixed(*far), 0.2) * self._waves(_ANGLES)
        around = np.column_stack([np.cos(_ANGLES), np.sin(_ANGLES)])
        outline: np.ndarray = self._mixed(*centres) + radii[:, None] * around
        return outline

    def _mixed(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return (1.0 - self.share) * first + self.share * second

    def _waves(self, at: np.ndarray) -> np.ndarray:
        low, high, one, two = self.ripple
        return 1.0 + low * np.cos(2.0 * at + one) + high * np.cos(3.0 * at + two)


def _radii(points: np.ndarray) -> np.ndarray:
    """Distance from the origin to a polygon's edge at every angle, [96]."""
    corners = np.concatenate([points, points[:1]])
    # Walked in short steps, so that long straight edges keep their straightness.
    walk = np.linspace(0.0, 1.0, 24, endpoint=False)[:, None, None]
    edge = (corners[:-1] + walk * np.diff(corners, axis=0)).transpose(1, 0, 2).reshape(-1, 2)
    angle = np.mod(np.arctan2(edge[:, 1], edge[:, 0]), 2.0 * np.pi)
    order = np.argsort(angle)
    return np.asarray(
        np.interp(_ANGLES, angle[order], np.hypot(*edge[order].T), period=2.0 * np.pi)
    )
