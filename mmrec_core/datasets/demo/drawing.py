"""A picture of a product: backdrop, light, shadow and the product itself."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from PIL import Image

from mmrec_core.datasets.demo.attributes import VISIBLE
from mmrec_core.datasets.demo.bench import SILHOUETTES, Bench
from mmrec_core.datasets.demo.canvas import Canvas, ellipse
from mmrec_core.datasets.demo.ornaments import Dresser
from mmrec_core.datasets.demo.outlines import Invented
from mmrec_core.datasets.demo.products import FLOOR, HANGING, MAKERS, SIZES
from mmrec_core.datasets.demo.surfaces import accent_surface, body_surface

WALLS: Final = (
    (0.93, 0.91, 0.88),
    (0.88, 0.90, 0.93),
    (0.90, 0.93, 0.90),
    (0.95, 0.90, 0.88),
    (0.91, 0.89, 0.94),
    (0.96, 0.94, 0.86),
    (0.84, 0.86, 0.87),
    (0.87, 0.92, 0.93),
)
"""Colours of the wall: pale, and drawn without regard to the product."""


def draw_product(
    attributes: Mapping[str, str],
    rng: np.random.Generator,
    *,
    size: int = 192,
    supersample: int = 3,
    silhouette: int | Invented | None = None,
) -> Image.Image:
    """Draws one product.

    Position, scale, light and backdrop are drawn from ``rng`` without regard to the attributes.

    Args:
        attributes: At least ``type``, ``colour``, ``pattern``, ``material`` and ``style``.
        rng: The free choices.
        size: Width and height, pixels.
        supersample: The picture is drawn this many times larger, then averaged.
        silhouette: Which outline of the type, 0 to SILHOUETTES - 1, or an invented one; None: what
            ``shape`` says, or drawn from ``rng`` where the attributes have none.

    Returns:
        An RGB picture.
    """
    n = size * supersample
    kind = attributes["type"]
    drawn = int(rng.integers(SILHOUETTES))
    if silhouette is None and "shape" in attributes:
        silhouette = VISIBLE["shape"].index(attributes["shape"])
    invented = silhouette if isinstance(silhouette, Invented) else None
    outline = silhouette if isinstance(silhouette, int) else drawn
    side = rng.uniform(0.35, 0.75)
    light = np.array([-side, -rng.uniform(0.45, 0.75), rng.uniform(0.65, 0.9)])
    light /= np.linalg.norm(light)
    scale = n * rng.uniform(0.435, 0.495) * SIZES.get(kind, 1.0)
    centre = (n * rng.uniform(0.465, 0.535), n * rng.uniform(0.495, 0.535))
    hanging = kind in HANGING
    horizon = centre[1] / n + rng.uniform(0.10, 0.24)
    rgb = _backdrop(n, rng, horizon, hanging)
    canvas = Canvas(rgb, centre, scale, (float(light[0]), float(light[1]), float(light[2])))
    _shadow(canvas, kind)
    body = body_surface(attributes["colour"], attributes["pattern"], attributes["material"], rng)
    accent = accent_surface(body, rng)
    style = attributes["style"]
    dress = Dresser(canvas, style, body, rng)
    MAKERS[kind](Bench(canvas, body, accent, style, outline, rng, dress, invented))
    exposure, warmth = rng.uniform(0.93, 1.05), rng.uniform(-0.025, 0.025)
    rgb = rgb * np.asarray([exposure + warmth, exposure, exposure - warmth], np.float32)
    if rng.uniform() < 0.5:
        rgb = rgb[:, ::-1]
    if supersample > 1:
        rgb = rgb.reshape(size, supersample, size, supersample, 3).mean(axis=(1, 3))
    return Image.fromarray(np.uint8(np.clip(rgb, 0.0, 1.0) * 255.0 + 0.5), "RGB")


def _backdrop(n: int, rng: np.random.Generator, horizon: float, hanging: bool) -> np.ndarray:
    """A softly lit wall, over a floor unless the product hangs; [n, n, 3] float32."""
    tones = np.asarray(WALLS, np.float32)
    wall, floor = tones[rng.integers(len(tones), size=2)]
    wall = np.clip(wall + rng.normal(0, 0.015, 3), 0, 1)
    floor = 0.5 * (wall + floor) * rng.uniform(0.90, 0.97)
    y, x = np.mgrid[0:n, 0:n].astype(np.float32) / n
    blend = 0.25 if rng.uniform() < 0.5 else 0.012
    share = np.clip((y - horizon) / blend + 0.5, 0, 1)
    share = share * share * (3 - 2 * share) * (not hanging)
    rgb = wall + share[..., None] * (floor - wall)
    spot = np.exp(-((x - rng.uniform(0.1, 0.4)) ** 2 + (y - rng.uniform(0.1, 0.4)) ** 2) / 0.35)
    rgb = rgb * (0.96 + 0.10 * spot)[..., None]
    if rng.uniform() < 0.3:
        # Light through a window, slanting over the wall.
        slant = x + y * rng.uniform(0.4, 0.8)
        at = (slant - rng.uniform(0.2, 0.6)) / 0.34
        pane = np.clip((0.5 - np.abs(at)) * 12, 0, 1) * np.clip(np.abs(at) * 25, 0, 1)
        rgb = rgb * (1 + 0.05 * pane * (1 - share))[..., None]
    return np.asarray(rgb, dtype=np.float32)


def _shadow(canvas: Canvas, kind: str) -> None:
    """The shadow of the product on the floor, or on the wall behind it."""
    if kind in HANGING:
        canvas.shadow([ellipse(0.10, 0.14, 0.78, 0.78)], 0.09, 0.36)
        return
    y, half = FLOOR[kind]
    canvas.shadow([ellipse(0.22 * half + 0.05, y + 0.01, half * 1.15, 0.15)], 0.10, 0.36)
    canvas.shadow([ellipse(0.02, y + 0.015, half * 0.94, 0.07)], 0.035, 0.55)
