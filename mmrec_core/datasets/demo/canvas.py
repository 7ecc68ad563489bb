"""A canvas on which shaded shapes are laid over each other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from scipy import ndimage

from mmrec_core.datasets.demo.surfaces import Rgb, Surface, albedo, lit

Points = np.ndarray
"""[n, 2] positions in product units: x to the right, y down, a product is about two units high."""


def ellipse(x: float, y: float, rx: float, ry: float, n: int = 56) -> Points:
    """Outline of an ellipse."""
    t = np.linspace(0.0, 2.0 * np.pi, n, endpoint=False)
    return np.column_stack([x + rx * np.cos(t), y + ry * np.sin(t)])


def rounded(x0: float, y0: float, x1: float, y1: float, radius: float) -> Points:
    """Outline of a rectangle with round corners."""
    radius = min(radius, (x1 - x0) / 2, (y1 - y0) / 2)
    t = np.linspace(0.0, np.pi / 2, 9)
    corners = [
        (x1 - radius, y1 - radius, 0.0),
        (x0 + radius, y1 - radius, np.pi / 2),
        (x0 + radius, y0 + radius, np.pi),
        (x1 - radius, y0 + radius, 1.5 * np.pi),
    ]
    return np.concatenate(
        [
            np.column_stack([cx + radius * np.cos(t + a), cy + radius * np.sin(t + a)])
            for cx, cy, a in corners
        ]
    )


def smooth(controls: Sequence[tuple[float, float]], n: int = 40) -> Points:
    """A smooth open line through control points (Catmull-Rom)."""
    p = np.asarray(controls, dtype=float)
    p = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    at = np.linspace(0.0, len(controls) - 1 - 1e-9, n)
    k = at.astype(int)
    t = (at - k)[:, None]
    a, b, c, d = p[k], p[k + 1], p[k + 2], p[k + 3]
    curve: np.ndarray = 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - 3 * c + d - a) * t**3
    )
    return curve


@dataclass(frozen=True)
class Patch:
    """The part of the canvas that a shape covers.

    Attributes:
        rows: Slice of canvas rows.
        columns: Slice of canvas columns.
        mask: [h, w] float32, 0 to 1.
        x: [h, w] float32, product units.
        y: [h, w] float32, product units.
    """

    rows: slice
    columns: slice
    mask: np.ndarray
    x: np.ndarray
    y: np.ndarray


class Canvas:
    """An RGB picture in the making.

    Args:
        rgb: Backdrop, [n, n, 3] float32; painted on in place.
        centre: Where the product's origin lies, pixels.
        scale: Pixels a product unit.
        light: Unit vector towards the lamp.
    """

    def __init__(
        self,
        rgb: np.ndarray,
        centre: tuple[float, float],
        scale: float,
        light: tuple[float, float, float],
    ) -> None:
        self.rgb = rgb
        self.pixels = rgb.shape[0]
        self.centre = centre
        self.scale = scale
        self.light = light

    def patch(
        self,
        outlines: Sequence[Points] = (),
        holes: Sequence[Points] = (),
        lines: Sequence[tuple[Points, float]] = (),
        margin: float = 0.0,
    ) -> Patch | None:
        """The union of outlines and thick lines, less the holes; None when off the canvas."""
        every = [*outlines, *(points for points, _ in lines)]
        widest = max((width for _, width in lines), default=0.0)
        low = np.min([points.min(axis=0) for points in every], axis=0) - widest - margin
        high = np.max([points.max(axis=0) for points in every], axis=0) + widest + margin
        x0, y0 = (max(0, int(self._px(low)[i]) - 1) for i in (0, 1))
        x1, y1 = (min(self.pixels, int(self._px(high)[i]) + 2) for i in (0, 1))
        if x1 - x0 < 2 or y1 - y0 < 2:
            return None
        image = Image.new("L", (x1 - x0, y1 - y0), 0)
        draw = ImageDraw.Draw(image)

        def at(points: Points) -> list[tuple[float, float]]:
            return [(float(x), float(y)) for x, y in self._px(points) - (x0, y0)]

        for points in outlines:
            draw.polygon(at(points), fill=255)
        for points, width in lines:
            thick = max(1.0, width * self.scale)
            placed = at(points)
            draw.line(placed, fill=255, width=round(thick), joint="curve")
            for x, y in (placed[0], placed[-1]):
                r = thick / 2
                draw.ellipse((x - r, y - r, x + r, y + r), fill=255)
        for points in holes:
            draw.polygon(at(points), fill=0)
        mask = np.asarray(image, dtype=np.float32) / 255.0
        grid_x = (np.arange(x0, x1, dtype=np.float32) - self.centre[0]) / self.scale
        grid_y = (np.arange(y0, y1, dtype=np.float32) - self.centre[1]) / self.scale
        across, down = np.broadcast_arrays(grid_x[None, :], grid_y[:, None])
        return Patch(slice(y0, y1), slice(x0, x1), mask, across, down)

    def _px(self, points: Points) -> np.ndarray:
        placed: np.ndarray = np.asarray(points) * self.scale + np.asarray(self.centre)
        return placed

    def _lay(self, patch: Patch, colour: np.ndarray, opacity: float = 1.0) -> None:
        share = (patch.mask * np.float32(opacity))[..., None]
        target = self.rgb[patch.rows, patch.columns]
        target += share * (np.clip(colour, 0.0, 1.0) - target)

    def puffed(
        self,
        outlines: Sequence[Points] = (),
        *,
        surface: Surface,
        holes: Sequence[Points] = (),
        lines: Sequence[tuple[Points, float]] = (),
        soft: float = 0.15,
        depth: float = 0.8,
        shade: float = 1.0,
    ) -> None:
        """Paints a shape whose edges curve away over ``soft`` units, like a cushion or a case."""
        patch = self.patch(outlines, holes, lines)
        if patch is None:
            return
        reach = max(1, round(soft * self.scale))
        padded = np.pad(patch.mask, reach)
        height = ndimage.uniform_filter(padded, 2 * reach // 2 + 1, mode="constant")
        height = ndimage.uniform_filter(height, reach + 1, mode="constant")
        height = height[reach:-reach, reach:-reach]
        gy, gx = np.gradient(height)
        strength = np.float32(depth * reach * 1.3)
        nx, ny = -gx * strength, -gy * strength
        length = np.maximum(1.0, np.hypot(nx, ny) / 0.95)
        colour = albedo(surface, patch.x, patch.y)
        sweep = 0.42 * patch.x + 0.55 * patch.y
        self._lay(
            patch,
            shade * lit(surface, colour, (nx / length, ny / length), sweep, self.light),
        )

    def turned(
        self,
        profile: Points,
        *,
        surface: Surface,
        x: float = 0.0,
        view: float = 0.16,
        shade: float = 1.0,
        open_top: bool = True,
    ) -> None:
        """Paints a body of revolution, seen a little from above.

        Args:
            profile: [n, 2] of (height, radius), from top to bottom.
            surface: Its surface.
            x: Where its axis stands.
            view: Height of a circle seen from the side, as a share of its width.
            shade: Factor on its brightness.
            open_top: Whether the top circle is part of it.
        """
        ys, radii = profile[:, 0], profile[:, 1]
        t = np.linspace(0.0, np.pi, 24)
        under = np.column_stack([x + radii[-1] * np.cos(t), ys[-1] + view * radii[-1] * np.sin(t)])
        over = np.column_stack(
            [x - radii[0] * np.cos(t), ys[0] - view * radii[0] * np.sin(t) * open_top]
        )
        right = np.column_stack([x + radii, ys])
        left = np.column_stack([x - radii, ys])[::-1]
        patch = self.patch([np.concatenate([right, under, left, over])])
        if patch is None:
            return
        radius = np.maximum(np.interp(patch.y[:, 0], ys, radii), 1e-3).astype(np.float32)[:, None]
        across = np.clip((patch.x - x) / radius, -0.995, 0.995)
        depth = np.sqrt(1.0 - across * across)
        u = np.arcsin(across) * float(radii.max()) * 0.92 + x
        v = patch.y - view * radius * depth
        slope = np.interp(patch.y[:, 0], ys, np.gradient(radii, ys)).astype(np.float32)[:, None]
        ny = np.clip(-slope * 0.5, -0.6, 0.6) * depth
        colour = albedo(surface, u, v)
        nx = across * np.sqrt(1.0 - np.clip(ny, -0.6, 0.6) ** 2)
        self._lay(patch, shade * lit(surface, colour, (nx, ny), np.float32(0.0) * nx, self.light))

    def opening(
        self,
        y: float,
        radius: float,
        *,
        inside: Rgb,
        rim: Rgb,
        x: float = 0.0,
        view: float = 0.16,
        wall: float = 0.07,
    ) -> None:
        """Paints the mouth of a vessel: a rim and the dark inside."""
        self.flat([ellipse(x, y, radius, radius * view)], rim)
        patch = self.patch(
            [ellipse(x, y + 0.2 * wall * view, radius * (1 - wall), radius * (1 - wall) * view)]
        )
        if patch is not None:
            fall = np.clip(0.62 + 0.35 * (patch.x - x) / radius * -np.sign(self.light[0]), 0, 1)
            self._lay(patch, fall[..., None] * np.asarray(inside, np.float32))

    def flat(
        self,
        outlines: Sequence[Points] = (),
        colour: Rgb = (0.0, 0.0, 0.0),
        *,
        holes: Sequence[Points] = (),
        lines: Sequence[tuple[Points, float]] = (),
        opacity: float = 1.0,
    ) -> None:
        """Paints a shape in one colour."""
        patch = self.patch(outlines, holes, lines)
        if patch is not None:
            self._lay(patch, np.asarray(colour, np.float32), opacity)

    def shadow(
        self,
        outlines: Sequence[Points],
        blur: float,
        opacity: float,
        lines: Sequence[tuple[Points, float]] = (),
    ) -> None:
        """Darkens what lies under a shape, with soft edges ``blur`` units wide."""
        patch = self.patch(outlines, lines=lines, margin=2.5 * blur)
        if patch is None:
            return
        grey = Image.fromarray(np.uint8(patch.mask * 255))
        soft = grey.filter(ImageFilter.GaussianBlur(blur * self.scale))
        share = np.asarray(soft, dtype=np.float32)[..., None] / 255.0 * np.float32(opacity)
        target = self.rgb[patch.rows, patch.columns]
        target *= 1.0 - share * np.asarray((0.85, 0.9, 0.95), np.float32)
