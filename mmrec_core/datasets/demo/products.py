"""The products themselves: each type in four silhouettes or an invented one, dressed by style."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from mmrec_core.datasets.demo.bench import Bench
from mmrec_core.datasets.demo.canvas import Points, ellipse, rounded, smooth
from mmrec_core.datasets.demo.surfaces import Surface, contrast_surface

LEAVES: Final = ((0.27, 0.47, 0.27), (0.36, 0.56, 0.33), (0.20, 0.39, 0.25))
DRIED: Final = ((0.80, 0.72, 0.56), (0.72, 0.62, 0.45), (0.87, 0.81, 0.68))


def mug(b: Bench) -> None:
    """A mug with a handle."""
    controls = [
        [(-0.60, 0.56), (0.0, 0.56), (0.62, 0.55)],
        [(-0.58, 0.64), (0.0, 0.58), (0.62, 0.42)],
        [(-0.58, 0.50), (0.0, 0.66), (0.60, 0.48)],
        [(-0.52, 0.66), (0.1, 0.60), (0.42, 0.40), (0.58, 0.36)],
    ]
    p = b.profile(controls)
    side = float(np.interp(-0.05, p[:, 0], p[:, 1]))
    b.dress.behind(0.0, -0.60, 0.50)
    low = float(np.interp(0.30, p[:, 0], p[:, 1]))
    if b.silhouette == 1:
        handle = smooth([(side, -0.36), (side + 0.36, -0.36), (side + 0.30, 0.1), (low, 0.34)])
    else:
        handle = smooth(
            [(side - 0.03, -0.32), (side + 0.30, -0.30), (side + 0.32, 0.20), (low - 0.04, 0.32)]
        )
    b.canvas.puffed(lines=[(handle, b.vary(0.13))], surface=b.accent, soft=0.07, depth=1.0)
    b.canvas.turned(p, surface=b.body)
    b.canvas.opening(p[0, 0], p[0, 1], inside=b.inside(), rim=b.rim())
    if b.rng.uniform() < 0.5:
        r = p[0, 1]
        drink = ((0.33, 0.20, 0.12), (0.62, 0.42, 0.20))[b.rng.integers(2)]
        b.canvas.flat([ellipse(0, p[0, 0] + 0.05 * r, 0.86 * r, 0.10 * r)], drink)
    b.dress.bands(p, (0.07, 0.90))
    b.dress.front(0.0, 0.12, 0.34)


def teapot(b: Bench) -> None:
    """A teapot with spout, handle and lid."""
    controls = [
        [(-0.42, 0.34), (-0.25, 0.60), (0.12, 0.72), (0.42, 0.58), (0.58, 0.38)],
        [(-0.46, 0.40), (0.0, 0.54), (0.54, 0.66)],
        [(-0.40, 0.52), (0.0, 0.66), (0.40, 0.62), (0.52, 0.54)],
        [(-0.56, 0.34), (-0.2, 0.54), (0.2, 0.62), (0.6, 0.44)],
    ]
    p = b.profile(controls)
    mid = float(np.interp(0.1, p[:, 0], p[:, 1]))
    b.dress.behind(0.0, -0.62, 0.42)
    spout = smooth(
        [(-mid + 0.06, 0.26), (-mid - 0.2, 0.10), (-mid - 0.26, -0.25), (-mid - 0.42, -0.40)]
    )
    b.canvas.puffed(lines=[(spout, b.vary(0.18))], surface=b.body, soft=0.1, depth=0.9)
    if b.silhouette in (0, 3):
        handle = smooth(
            [(mid - 0.12, -0.26), (mid + 0.3, -0.36), (mid + 0.36, 0.16), (mid - 0.06, 0.34)]
        )
    else:
        top = p[0, 1]
        handle = smooth([(-top, -0.34), (-0.8 * top, -0.86), (0.8 * top, -0.86), (top, -0.34)])
    b.canvas.puffed(lines=[(handle, b.vary(0.11))], surface=b.accent, soft=0.06, depth=1.0)
    b.canvas.turned(p, surface=b.body)
    top, r = p[0, 0], p[0, 1]
    lid = np.column_stack(
        [np.linspace(top - 0.20, top, 20), r * np.sqrt(np.linspace(0.05, 1.0, 20))]
    )
    b.canvas.turned(lid, surface=b.accent, view=0.12)
    knob = b.vary(0.085, 0.2)
    b.canvas.puffed([ellipse(0, top - 0.27, knob, knob)], surface=b.accent, soft=0.08, depth=1.4)
    b.dress.bands(p, (0.04, 0.88))
    b.dress.front(0.0, 0.12, 0.36)


def bottle(b: Bench) -> None:
    """A drinking bottle with a cap."""
    controls = [
        [(-0.66, 0.17), (-0.48, 0.19), (-0.26, 0.40), (0.1, 0.42), (0.86, 0.40)],
        [(-0.60, 0.36), (-0.2, 0.40), (0.4, 0.40), (0.86, 0.36)],
        [(-0.70, 0.15), (-0.42, 0.15), (-0.05, 0.34), (0.35, 0.47), (0.84, 0.40)],
        [(-0.62, 0.24), (-0.46, 0.40), (0.0, 0.34), (0.45, 0.42), (0.86, 0.34)],
    ]
    p = b.profile(controls)
    b.dress.behind(0.0, -0.56, 0.40)
    b.canvas.turned(p, surface=b.body)
    top, r = p[0, 0], p[0, 1] * 1.08
    height = b.vary(0.24, 0.2)
    cap = np.column_stack([[top - height, top - height / 2, top + 0.03], [r * 0.94, r, r]])
    b.canvas.turned(cap, surface=b.accent)
    if b.silhouette in (1, 3):
        loop = smooth([(-r * 0.7, top - height), (0, top - height - 0.22), (r * 0.7, top - height)])
        b.canvas.puffed(lines=[(loop, 0.07)], surface=b.accent, soft=0.04, depth=1.0)
    b.dress.bands(p, (0.42, 0.92))
    b.dress.front(0.0, 0.30, 0.32)


def vase(b: Bench) -> None:
    """A vase, with dried grasses or leaves in most pictures."""
    controls = [
        [(-0.42, 0.22), (-0.28, 0.20), (0.15, 0.56), (0.5, 0.50), (0.84, 0.30)],
        [(-0.46, 0.42), (0.2, 0.40), (0.84, 0.40)],
        [(-0.44, 0.44), (-0.1, 0.24), (0.3, 0.44), (0.84, 0.36)],
        [(-0.40, 0.26), (-0.2, 0.52), (0.15, 0.58), (0.6, 0.34), (0.84, 0.28)],
    ]
    p = b.profile(controls)
    top, r = p[0, 0], p[0, 1]
    if b.rng.uniform() < 0.5:
        tones = DRIED if b.rng.uniform() < 0.6 else LEAVES
        _stems(b, top, r, tones, int(b.rng.integers(3, 6)))
    b.dress.behind(0.0, top + 0.1, 0.30)
    if b.style == "classic" and b.silhouette in (0, 3):
        for side in (-1, 1):
            ear = smooth(
                [(side * r, top + 0.05), (side * (r + 0.3), top + 0.12), (side * 0.44, top + 0.42)]
            )
            b.canvas.puffed(lines=[(ear, 0.07)], surface=b.accent, soft=0.05, depth=1.0)
    b.canvas.turned(p, surface=b.body)
    b.canvas.opening(top, r, inside=b.inside(), rim=b.rim())
    b.dress.bands(p, (0.06, 0.92))
    b.dress.front(0.0, 0.28, 0.33)


def _stems(
    b: Bench, top: float, r: float, tones: Sequence[tuple[float, float, float]], count: int
) -> None:
    """Stems with long leaves that rise out of an opening."""
    for angle in np.linspace(-0.75, 0.75, count) + b.rng.normal(0, 0.08, count):
        tone = tones[int(b.rng.integers(len(tones)))]
        length = b.rng.uniform(0.36, 0.55)
        tip = (1.0 * np.sin(angle) * length + 0.2 * r * angle, top - np.cos(angle) * length)
        stem = smooth([(0.3 * r * angle, top), (0.5 * tip[0], (top + tip[1]) / 2), tip])
        b.canvas.flat(colour=tone, lines=[(stem, 0.022)])
        surface = Surface(base=tone)
        for at in (0.55, 0.75, 0.98):
            x, y = stem[int(at * (len(stem) - 1))]
            for side in (-1, 1):
                turn = angle + side * 0.75
                long, wide = b.rng.uniform(0.10, 0.15), 0.036
                t = np.linspace(0, 1, 12)
                half = wide * np.sin(np.pi * t) ** 0.8
                xs = np.concatenate([t * long, (t * long)[::-1]])
                ys = np.concatenate([half, -half[::-1]])
                c, s = np.sin(turn), -np.cos(turn)
                leaf = np.column_stack([x + xs * c - ys * s, y + xs * s + ys * c])
                b.canvas.puffed([leaf], surface=surface, soft=0.03, depth=0.8)


def lamp(b: Bench) -> None:
    """A table lamp with a large shade."""
    controls = [
        [(-0.84, 0.36), (0.12, 0.64)],
        [(-0.76, 0.56), (0.10, 0.56)],
        [(-0.80, 0.12), (-0.66, 0.42), (-0.30, 0.62), (0.08, 0.68)],
        [(-0.78, 0.30), (-0.4, 0.60), (-0.2, 0.62), (0.10, 0.40)],
    ]
    shade = b.profile(controls)
    base = b.vary(0.36, 0.15)
    foot = np.column_stack([[0.70, 0.76, 0.84], [base * 0.8, base, base]])
    b.canvas.turned(foot, surface=b.accent)
    stem = {
        "minimal": smooth([(0.05, 0.045), (0.74, 0.045)], 12),
        "classic": smooth(
            [(0.05, 0.06), (0.16, 0.05), (0.32, 0.17), (0.46, 0.06), (0.56, 0.12), (0.74, 0.14)]
        ),
        "playful": smooth([(0.05, 0.09), (0.25, 0.17), (0.50, 0.17), (0.74, 0.10)]),
    }[b.style]
    b.canvas.turned(stem, surface=b.accent)
    b.dress.behind(0.0, shade[0, 0] + 0.12, shade[0, 1] + 0.16)
    b.canvas.turned(shade, surface=b.body, view=0.12)
    b.canvas.flat(
        [ellipse(0, shade[0, 0], shade[0, 1] * 0.96, shade[0, 1] * 0.11)], (1.0, 0.95, 0.80)
    )
    b.dress.bands(shade, (0.05, 0.93), view=0.12)
    b.dress.front(0.0, -0.20, 0.33)


def _arch(rx: float, y: float, ry: float, foot: float, low: float) -> Points:
    """Half an ellipse over a straight foot."""
    top = ellipse(0.0, y, rx, ry, 80)[40:80]
    return np.concatenate([top, [(foot, low), (-foot, low)]])


def chair(b: Bench) -> None:
    """An easy chair on legs."""
    c = b.canvas
    lean = b.vary(0.62, 0.06)
    for side in (-1, 1):
        for x, y, shade in ((0.40, 0.78, 0.72), (0.50, 0.90, 1.0)):
            leg = np.array([(side * (x - 0.06), 0.36), (side * x, y)])
            width = 0.11 if b.style == "playful" else 0.075
            c.puffed(lines=[(leg, width)], surface=b.accent, soft=0.05, depth=1.0, shade=shade)
    b.dress.behind(0.0, -0.72, 0.72)
    back = b.shape(
        [
            rounded(-lean * 0.86, -0.86, lean * 0.86, 0.36, 0.14),
            ellipse(0.0, -0.25, lean * 0.92, 0.66),
            _arch(lean * 0.95, -0.2, 0.70, 0.52, 0.36),
            rounded(-lean * 0.70, -0.92, lean * 0.70, 0.36, 0.38),
        ]
    )
    c.puffed([back], surface=b.body, soft=0.16, depth=0.75)
    b.dress.outline(back)
    b.dress.front(0.0, -0.36, 0.38)
    if b.silhouette in (0, 3):
        for side in (-1, 1):
            arm = rounded(-0.11, -0.04, 0.11, 0.52, 0.11) + (side * lean * 1.02, 0.0)
            c.puffed([arm], surface=b.body, soft=0.12, depth=0.9)
    c.shadow([rounded(-lean * 0.8, 0.08, lean * 0.8, 0.34, 0.1)], 0.05, 0.35)
    seat = rounded(-lean * 0.92, 0.16, lean * 0.92, 0.52, 0.16 if b.silhouette else 0.09)
    c.puffed([seat], surface=b.body, soft=0.14, depth=0.9)


def clock(b: Bench) -> None:
    """A wall clock."""
    c = b.canvas
    marks = contrast_surface(b.body)
    size = b.vary(0.80, 0.05)
    t = np.linspace(0, 2 * np.pi, 9)[:-1] + np.pi / 8
    outline = b.shape(
        [
            ellipse(0, 0, size, size, 90),
            rounded(-size * 0.9, -size * 0.9, size * 0.9, size * 0.9, 0.22),
            np.column_stack([size * 1.04 * np.cos(t), size * 1.04 * np.sin(t)]),
            np.array([(-0.70, 0.76), (-0.70, -0.28), (0, -0.90), (0.70, -0.28), (0.70, 0.76)])
            * (size / 0.8),
        ]
    )
    b.dress.behind(0.0, -size * 0.72, 0.86)
    c.puffed([outline], surface=b.body, soft=0.10, depth=0.9)
    b.dress.outline(outline)
    radius = size * 0.62
    y = 0.10 if b.silhouette == 3 else 0.0
    b.dress.front(0.0, y + 0.02, radius * 0.78)
    for hour in range(12):
        a = hour * np.pi / 6
        long = 0.10 if hour % 3 == 0 else 0.045
        ends = [(radius * k * np.sin(a), y - radius * k * np.cos(a)) for k in (1.0, 1.0 - long)]
        c.puffed(lines=[(np.array(ends), 0.05)], surface=marks, soft=0.02, depth=0.8)
    hour, minute = b.rng.uniform(0, 2 * np.pi, size=2)
    hands = [
        (np.array([(0, y), (k * radius * np.sin(a), y - k * radius * np.cos(a))]), width)
        for a, k, width in ((hour, 0.52, 0.07), (minute, 0.82, 0.05))
    ]
    c.shadow([], 0.02, 0.4, lines=[(points + (0.03, 0.04), w) for points, w in hands])
    c.puffed(lines=hands, surface=marks, soft=0.03, depth=0.8)
    c.puffed([ellipse(0, y, 0.065, 0.065)], surface=marks, soft=0.05, depth=1.2)


def planter(b: Bench) -> None:
    """A pot with a green plant."""
    controls = [
        [(-0.20, 0.60), (0.3, 0.52), (0.80, 0.42)],
        [(-0.16, 0.50), (0.25, 0.66), (0.80, 0.44)],
        [(-0.20, 0.54), (0.80, 0.54)],
        [(-0.18, 0.66), (0.2, 0.62), (0.55, 0.40), (0.80, 0.46)],
    ]
    p = b.profile(controls)
    top, r = p[0, 0], p[0, 1]
    b.dress.behind(0.0, top + 0.08, 0.62)
    b.canvas.turned(p, surface=b.body)
    b.canvas.opening(top, r, inside=(0.25, 0.18, 0.13), rim=b.rim())
    count = int(b.rng.integers(6, 10))
    for angle in b.rng.permutation(np.linspace(-1.15, 1.15, count)) + b.rng.normal(0, 0.06, count):
        tone = LEAVES[b.rng.integers(len(LEAVES))]
        long, wide = b.rng.uniform(0.55, 0.78) * (1 - 0.2 * abs(angle)), b.rng.uniform(0.07, 0.12)
        t = np.linspace(0, 1, 16)
        bend = angle * (0.55 + 0.6 * t)
        xs, ys = 0.35 * r * angle / 1.15 + t * long * np.sin(bend), top - t * long * np.cos(bend)
        half = wide * np.sin(np.pi * t**0.8)
        left = np.column_stack([xs - half * np.cos(bend), ys - half * np.sin(bend)])
        right = np.column_stack([xs + half * np.cos(bend), ys + half * np.sin(bend)])[::-1]
        b.canvas.puffed(
            [np.concatenate([left, right])], surface=Surface(base=tone), soft=0.07, depth=0.9
        )
    b.dress.bands(p, (0.07, 0.92))
    b.dress.front(0.0, 0.36, 0.34)


def suitcase(b: Bench) -> None:
    """A suitcase."""
    c = b.canvas
    boxes = [
        (0.56, -0.56, 0.78, 0.16),
        (0.82, -0.33, 0.80, 0.14),
        (0.60, -0.58, 0.78, 0.34),
        (0.74, -0.43, 0.80, 0.05),
    ]
    wide, top, low, corner = b.invented.sizes(boxes) if b.invented else boxes[b.silhouette]
    wide = b.vary(wide, 0.05)
    outline = rounded(-wide, top, wide, low, corner)
    b.dress.behind(0.0, top + 0.14, wide * 1.5)
    if b.silhouette in (0, 2):
        bar = np.array(
            [(-0.24, top + 0.1), (-0.24, top - 0.34), (0.24, top - 0.34), (0.24, top + 0.1)]
        )
        for x in (-wide * 0.62, wide * 0.62):
            c.puffed(
                [ellipse(x, low + 0.06, 0.10, 0.10)], surface=Surface((0.2, 0.2, 0.22)), soft=0.06
            )
    else:
        bar = smooth(
            [(-0.26, top + 0.06), (-0.22, top - 0.18), (0.22, top - 0.18), (0.26, top + 0.06)]
        )
    c.puffed(lines=[(bar, b.vary(0.085))], surface=b.accent, soft=0.05, depth=1.0)
    c.puffed([outline], surface=b.body, soft=0.13, depth=0.8)
    if b.silhouette in (1, 3):
        for x in (-wide * 0.6, wide * 0.6):
            clasp = rounded(x - 0.07, top + 0.08, x + 0.07, top + 0.26, 0.03)
            c.shadow([clasp + (0.01, 0.02)], 0.02, 0.5)
            c.puffed([clasp], surface=b.accent, soft=0.03, depth=0.9)
    else:
        for x in (-wide * 0.93, wide * 0.93):
            for y in (top + 0.1, low - 0.1):
                c.puffed([ellipse(x, y, 0.09, 0.11)], surface=b.accent, soft=0.06, depth=0.9)
    b.dress.outline(outline)
    b.dress.front(0.0, (top + low) / 2 + 0.06, 0.38)


def radio(b: Bench) -> None:
    """A table radio."""
    c = b.canvas
    wide = b.vary(0.88, 0.04)
    outline = b.shape(
        [
            rounded(-wide, -0.52, wide, 0.62, 0.18),
            rounded(-wide, -0.44, wide, 0.62, 0.52),
            _arch(wide * 0.94, 0.05, 0.78, wide * 0.94, 0.62),
            np.array([(-wide * 0.86, -0.54), (wide * 0.86, -0.54), (wide, 0.62), (-wide, 0.62)]),
        ]
    )
    b.dress.behind(0.0, -0.46, 1.0)
    if b.silhouette in (0, 3):
        mast = np.array([(wide * 0.6, -0.45), (wide * 0.86, -1.0)])
        c.puffed(lines=[(mast, 0.04)], surface=b.accent, soft=0.02, depth=1.0)
    else:
        grip = smooth([(-0.40, -0.40), (-0.34, -0.78), (0.34, -0.78), (0.40, -0.40)])
        c.puffed(lines=[(grip, 0.08)], surface=b.accent, soft=0.05, depth=1.0)
    for x in (-wide * 0.62, wide * 0.62):
        c.puffed([rounded(x - 0.1, 0.56, x + 0.1, 0.72, 0.04)], surface=b.accent, soft=0.05)
    c.puffed([outline], surface=b.body, soft=0.13, depth=0.8)
    b.dress.outline(outline)
    # The loudspeaker on one side, two knobs and a scale on the other.
    c.puffed([ellipse(-0.42, 0.12, 0.33, 0.33)], surface=b.accent, soft=0.06, depth=0.9)
    c.flat([ellipse(-0.42, 0.12, 0.27, 0.27)], (0.16, 0.15, 0.15))
    dots = [
        ellipse(-0.42 + rad * np.cos(a), 0.12 + rad * np.sin(a), 0.022, 0.022, 8)
        for rad, n in ((0.0, 1), (0.09, 6), (0.18, 12))
        for a in np.linspace(0, 2 * np.pi, n, endpoint=False)
    ]
    c.flat(dots, (0.62, 0.60, 0.56))
    c.puffed([ellipse(0.22, 0.44, 0.08, 0.08)], surface=b.accent, soft=0.06, depth=1.2)
    c.puffed([ellipse(0.54, 0.44, 0.08, 0.08)], surface=b.accent, soft=0.06, depth=1.2)
    b.dress.front(0.38, 0.0, 0.32)


MAKERS: Final[dict[str, Callable[[Bench], None]]] = {
    "mug": mug,
    "teapot": teapot,
    "bottle": bottle,
    "vase": vase,
    "lamp": lamp,
    "chair": chair,
    "clock": clock,
    "planter": planter,
    "suitcase": suitcase,
    "radio": radio,
}
"""Type -> how it is made."""

SIZES: Final[dict[str, float]] = {"teapot": 0.86, "bottle": 0.93, "chair": 0.96, "clock": 1.02}
"""Factor on the size of types that reach far out, or little."""

HANGING: Final = frozenset({"clock"})
"""Types that hang on a wall instead of standing on a floor."""

FLOOR: Final[dict[str, tuple[float, float]]] = {
    "mug": (0.64, 0.60),
    "teapot": (0.60, 0.66),
    "bottle": (0.88, 0.44),
    "vase": (0.86, 0.42),
    "lamp": (0.86, 0.42),
    "chair": (0.90, 0.62),
    "planter": (0.82, 0.52),
    "suitcase": (0.80, 0.70),
    "radio": (0.70, 0.86),
}
"""Where a standing type touches the floor, and half the width of its shadow."""
