"""How a surface looks: colour and pattern (albedo), material (texture and reflection)."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

Rgb = tuple[float, float, float]

PALETTE: Final[dict[str, Rgb]] = {
    "red": (0.82, 0.14, 0.15),
    "orange": (0.95, 0.49, 0.09),
    "yellow": (0.97, 0.80, 0.16),
    "green": (0.20, 0.56, 0.26),
    "turquoise": (0.13, 0.70, 0.70),
    "blue": (0.13, 0.33, 0.74),
    "purple": (0.47, 0.24, 0.66),
    "pink": (0.96, 0.52, 0.68),
    "black": (0.17, 0.17, 0.19),
    "white": (0.95, 0.94, 0.92),
}
CREAM: Final[Rgb] = (0.97, 0.94, 0.87)
INKS: Final[dict[str, Rgb]] = {"white": (0.55, 0.56, 0.59), "black": (0.62, 0.62, 0.64)}
"""Colour of the pattern where a pale tint of the main colour would not do."""
GOLD: Final[Rgb] = (0.86, 0.68, 0.30)
ACCENTS: Final[dict[str, Rgb]] = {
    "wood": (0.80, 0.62, 0.40),
    "metal": (0.80, 0.82, 0.85),
    "knit": (0.90, 0.86, 0.78),
    "smooth": (0.8, 0.8, 0.8),
}
"""Colour of handles, legs and lids by material."""


@dataclass(frozen=True)
class Surface:
    """A colour, a pattern and a material, with the free choices of one picture.

    Attributes:
        base: Main colour.
        ink: Colour of the pattern.
        pattern: One of the patterns.
        material: One of the materials, or ``smooth``.
        period: Repeat of the pattern, in product units (a product is about two units high).
        angle: Direction of the stripes and checks, radians.
        offset: Where the pattern starts, in periods.
        grain: Phases of the wood grain, [4] in radians.
        upright: True where the grain runs vertically.
    """

    base: Rgb
    ink: Rgb = CREAM
    pattern: str = "plain"
    material: str = "smooth"
    period: float = 0.3
    angle: float = 0.0
    offset: float = 0.0
    grain: tuple[float, ...] = field(default=(0.0, 1.0, 2.0, 3.0))
    upright: bool = True

    @property
    def glossy(self) -> bool:
        """Whether it mirrors its surroundings."""
        return self.material == "metal"


def body_surface(colour: str, pattern: str, material: str, rng: np.random.Generator) -> Surface:
    """The surface of a product's body; repeat, direction and grain differ between pictures."""
    shift = rng.normal(0.0, 0.012, size=3)
    base = np.clip(np.asarray(PALETTE[colour]) + shift, 0.0, 1.0)
    period = {"striped": 0.30, "checked": 0.42, "dotted": 0.36}.get(pattern, 0.3)
    angle = rng.normal(0.0, 0.06)
    if pattern == "striped":
        angle += (0.0, 0.0, np.pi / 4)[rng.integers(3)]
    return Surface(
        base=(float(base[0]), float(base[1]), float(base[2])),
        ink=INKS.get(colour, _mixed(PALETTE[colour], CREAM, 0.85)),
        pattern=pattern,
        material=material,
        period=period * rng.uniform(0.88, 1.15),
        angle=float(angle),
        offset=float(rng.uniform()),
        grain=tuple(rng.uniform(0, 2 * np.pi, size=4)),
        upright=bool(rng.uniform() < 0.7),
    )


def accent_surface(body: Surface, rng: np.random.Generator) -> Surface:
    """The surface of legs, handles and lids: plain, the material's own colour in a tint."""
    return Surface(
        base=_mixed(ACCENTS[body.material], body.base, 0.5),
        material=body.material,
        grain=tuple(rng.uniform(0, 2 * np.pi, size=4)),
    )


def contrast_surface(body: Surface) -> Surface:
    """A plain surface that stands out from the body: near black on pale ones, else cream."""
    r, g, b = body.base
    pale = 0.3 * r + 0.6 * g + 0.1 * b > 0.5
    return Surface(base=(0.16, 0.15, 0.16) if pale else (0.99, 0.97, 0.92))


def _mixed(a: Rgb, b: Rgb, share: float) -> Rgb:
    """``a`` with ``share`` of ``b``."""
    r, g, blue = ((1.0 - share) * x + share * y for x, y in zip(a, b, strict=True))
    return (r, g, blue)


def _step(value: np.ndarray, width: float) -> np.ndarray:
    """A soft 0-to-1 step at zero, ``width`` wide."""
    return np.clip(value / width + 0.5, 0.0, 1.0)


def pattern_share(surface: Surface, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Share of ink at each point of the surface, 0 to 1, of the shape of ``u``."""
    if surface.pattern == "plain":
        return np.zeros_like(u)
    cos, sin = np.cos(surface.angle), np.sin(surface.angle)
    a = (u * cos + v * sin) / surface.period + surface.offset
    b = (v * cos - u * sin) / surface.period + surface.offset
    soft = 0.02 / surface.period
    if surface.pattern == "striped":
        return _step(0.21 - np.abs(b - np.floor(b) - 0.5), soft)
    if surface.pattern == "checked":
        across = _step(0.25 - np.abs(a - np.floor(a) - 0.5), soft)
        along = _step(0.25 - np.abs(b - np.floor(b) - 0.5), soft)
        return 0.45 * across + 0.45 * along
    row = np.floor(b * 1.1)
    da = a + 0.5 * (row % 2)
    da = da - np.floor(da) - 0.5
    db = b * 1.1 - row - 0.5
    return _step(0.29 - np.hypot(da, db / 1.1), soft)


def albedo(surface: Surface, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Colour of the surface before light falls on it.

    Args:
        surface: What it is made of.
        u: Position across, product units, [h, w].
        v: Position downwards, product units, [h, w].

    Returns:
        [h, w, 3] float32.
    """
    texture = np.ones_like(u)
    if surface.material == "knit":
        texture, u, v = _stitches(u, v)
    elif surface.material == "wood":
        texture = _grain(surface, u, v)
    elif surface.material == "metal":
        texture = 1.0 + 0.035 * np.sin(171.0 * v + surface.grain[0]) * np.sin(
            67.0 * v + surface.grain[1]
        )
    share = pattern_share(surface, u, v)[..., None]
    base, ink = np.asarray(surface.base, np.float32), np.asarray(surface.ink, np.float32)
    colour = base * (1.0 - share) + ink * share
    if surface.material == "wood":
        # The grain shows darker and warmer, as through a stain.
        dark = np.clip(1.0 - texture, 0.0, 1.0)[..., None]
        brown = np.asarray((0.33, 0.19, 0.09), np.float32)
        stained = colour * (1.0 - dark) + (0.6 * colour + 0.4 * brown) * dark
        return np.asarray(stained, dtype=np.float32)
    return np.asarray(colour * texture[..., None], dtype=np.float32)


def _stitches(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of V-shaped stitches; the pattern follows the stitches."""
    width, height = 0.092, 0.070
    column = np.floor(u / width)
    side = np.abs(2.0 * (u / width - column) - 1.0)
    row_at = v / height + 0.75 * side
    row = np.floor(row_at)
    along = np.sin(np.pi * (row_at - row))
    across = np.cos(np.pi * (side - 0.5))
    texture = 0.5 + 0.6 * np.sqrt(np.clip(along * across, 0.0, 1.0))
    # Half-way between one colour a stitch and a printed pattern: real, and still recognisable.
    return texture, 0.5 * (u + (column + 0.5) * width), 0.5 * (v + (row - 0.3) * height)


def _grain(surface: Surface, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Planks with wavy grain, a few rings, and dark seams between the planks; 0.2 to 1."""
    across, along = (u, v) if surface.upright else (v, u)
    p = surface.grain
    plank_at = across / 0.42 + p[0]
    plank = np.floor(plank_at)
    own = 2.4 * plank + p[1]
    ring = np.hypot(across * 3.0 - np.sin(own), (along - 0.7 * np.sin(3.1 * own)) * 0.8)
    wave = 26.0 * ring + 1.6 * np.sin(3.0 * along + own) + 0.7 * np.sin(9.0 * along + p[2])
    lines = (0.5 + 0.5 * np.sin(wave)) ** 1.7
    fine = 0.5 + 0.5 * np.sin(150.0 * across + 3.0 * np.sin(5.0 * along + p[3]))
    seam = 1.0 - _step(np.abs(plank_at - plank - 0.5) - 0.47, 0.03)
    tone = 0.06 * np.sin(5.7 * own)
    return np.clip((0.97 + tone - 0.40 * lines - 0.10 * fine) * (0.35 + 0.65 * seam), 0.2, 1.0)


def lit(
    surface: Surface,
    colour: np.ndarray,
    normal: tuple[np.ndarray, np.ndarray],
    sweep: np.ndarray,
    light: tuple[float, float, float],
) -> np.ndarray:
    """Colour of the surface under a lamp and a soft room.

    Args:
        surface: What it is made of; decides gloss and softness.
        colour: Albedo, [h, w, 3].
        normal: x and y parts of the unit normal, each [h, w].
        sweep: Position that moves reflections over flat parts, [h, w].
        light: Unit vector towards the lamp (x right, y down, z to the viewer).

    Returns:
        [h, w, 3] float32, not clipped.
    """
    nx, ny = normal
    nz = np.sqrt(np.clip(1.0 - nx * nx - ny * ny, 0.0, 1.0))
    facing = np.clip(nx * light[0] + ny * light[1] + nz * light[2], 0.0, 1.0)
    half = np.asarray((light[0], light[1], light[2] + 1.0))
    half = half / np.linalg.norm(half)
    mirror = np.clip(nx * half[0] + ny * half[1] + nz * half[2], 0.0, 1.0)
    if surface.material == "metal":
        angle = nx * np.sign(light[0]) + 0.35 * ny + sweep
        room = (
            0.58
            + 0.30 * np.sin(5.2 * angle + 0.6)
            + 0.16 * np.sin(11.0 * angle + 2.0)
            - 0.16 * nx * nx
        )
        flash = 0.5 * np.clip(np.sin(5.2 * angle + 0.6), 0, 1) ** 6 + 0.5 * mirror**60
        shaded = colour * (0.28 + 1.0 * room)[..., None] + 0.7 * flash[..., None]
        return np.asarray(shaded, dtype=np.float32)
    ambient, diffuse, gloss, sharpness = {
        "wood": (0.50, 0.60, 0.10, 18.0),
        "knit": (0.58, 0.50, 0.00, 1.0),
    }.get(surface.material, (0.52, 0.56, 0.22, 30.0))
    shaded = colour * (ambient + diffuse * facing)[..., None]
    if gloss:
        shaded = shaded + (gloss * mirror**sharpness)[..., None]
    return np.asarray(shaded, dtype=np.float32)
