"""Places for labels beside points, so that none meets another, a marker or a line."""

from collections.abc import Iterable, Iterator, Sequence
from math import cos, hypot, pi, sin

Box = tuple[float, float, float, float]
"""Left, bottom, right, top; all in inches."""
Lead = tuple[float, float, float, float] | None

# Right of the point first, then above and below it, then left.
_ANGLES = tuple(pi * part / 8 for part in (0, 1, -1, 2, -2, 8, 3, -3, 7, -7, 4, -4, 6, -6, 5, -5))
_ORDERS = 40
"""How often the labels are placed anew, with the one that failed placed first."""
_STEP = 0.06
_BESIDE = 0.04
"""Inches between marker and label from which on a line joins them."""


def meet(one: Box, other: Box) -> bool:
    """Whether two boxes share an area."""
    return (
        one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
    )  # fmt: skip


def around(x: float, y: float, half: float) -> Box:
    """The square around a point."""
    return (x - half, y - half, x + half, y + half)


def place_labels(
    points: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    area: Box,
    gap: float,
    half: float,
    taken: Sequence[Box],
    rings: int,
    leads_free: bool = False,
) -> list[Box] | None:
    """A box for the label of each point; None where some label finds none.

    Args:
        points: Centres of the markers.
        sizes: Width and height of each label.
        area: What the labels must not leave.
        gap: From a marker's centre to its label.
        half: From a marker's centre to its edge.
        taken: What no label may cover besides the markers, such as lines.
        rings: How many distances are tried, each a little further away; the line from a label
            that stands away to its point meets no other label and no other marker.
        leads_free: Whether such lines may meet labels and markers after all.
    """
    markers = [around(x, y, half) for x, y in points]
    fixed = []
    for index, (point, size) in enumerate(zip(points, sizes, strict=True)):
        # A marker on the same spot is no obstacle to the line that starts there.
        others = [box for box in markers if not leads_free and not meet(box, markers[index])]
        fixed.append(
            [
                (box, lead)
                for box in _candidates(point, size, gap, rings)
                if _within(box, area)
                and not any(meet(box, other) for other in (*markers, *taken))
                and not _crossed(lead := leader(box, *point, gap), others)
            ]
        )
    if not all(fixed):
        return None
    order = sorted(range(len(points)), key=lambda index: len(fixed[index]))
    for _ in range(_ORDERS):
        placed: dict[int, tuple[Box, Lead]] = {}
        for index in order:
            free = (
                (box, lead)
                for box, lead in fixed[index]
                if not any(meet(box, other) for other, _ in placed.values())
                and (leads_free or not _tangled(box, lead, placed.values()))
            )
            found = next(free, None)
            if found is None:
                order.remove(index)
                order.insert(0, index)
                break
            placed[index] = found
        else:
            return [placed[index][0] for index in range(len(points))]
    return None


def place_on_map(
    points: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    area: Box,
    weights: Sequence[float],
    taken: Sequence[Box] = (),
    gap: float | None = None,
    rings: int = 4,
) -> list[Box | None]:
    """A box for each label that has room, None for the others; heavier labels choose first.

    Args:
        points: What the labels name.
        sizes: Width and height of each label.
        area: What the labels must not leave.
        weights: Of the labels; of two as heavy the first chooses first.
        taken: What no label may cover.
        gap: From a point to its label; None where a label may lie on its point, as a name on a
            region does.
        rings: How many distances are tried, each a little further away.
    """
    found: list[Box | None] = [None] * len(points)
    placed = list(taken)
    for index in sorted(range(len(points)), key=lambda index: (-weights[index], index)):
        (x, y), (width, height) = points[index], sizes[index]
        tried = [] if gap is not None else [_inside(x, y, width, height, area)]
        for box in (*tried, *_candidates((x, y), (width, height), gap or 0.02, rings)):
            if _within(box, area) and not any(meet(box, other) for other in placed):
                found[index] = box
                placed.append(box)
                break
    return found


def _inside(x: float, y: float, width: float, height: float, area: Box) -> Box:
    """The box centred on a point, moved into the area where it would leave it."""
    left = max(area[0], min(x - width / 2, area[2] - width))
    bottom = max(area[1], min(y - height / 2, area[3] - height))
    return (left, bottom, left + width, bottom + height)


def _tangled(box: Box, lead: Lead, placed: Iterable[tuple[Box, Lead]]) -> bool:
    """Whether a label lies on the line of another one."""
    return any(_crossed(lead, [other]) or _crossed(line, [box]) for other, line in placed)


def leader(box: Box, x: float, y: float, gap: float) -> Lead:
    """Ends of the line from a point to its label; None where the label stands beside it."""
    near = min(max(x, box[0]), box[2]), min(max(y, box[1]), box[3])
    return (x, y, *near) if hypot(near[0] - x, near[1] - y) > gap + _BESIDE else None


def _crossed(lead: Lead, boxes: Sequence[Box]) -> bool:
    """Whether the line meets a box (looked at in places closer than any box is wide)."""
    if lead is None or not boxes:
        return False
    x0, y0, x1, y1 = lead
    return any(
        meet(around(x0 + (x1 - x0) * part / 24, y0 + (y1 - y0) * part / 24, 0.005), box)
        for part in range(25)
        for box in boxes
    )


def _candidates(
    point: tuple[float, float], size: tuple[float, float], gap: float, rings: int
) -> Iterator[Box]:
    """Boxes around a point, nearest first."""
    (x, y), (width, height) = point, size
    for ring in range(rings):
        away = gap + ring * _STEP
        for angle in _ANGLES:
            left = x + cos(angle) * (away + width / 2) - width / 2
            bottom = y + sin(angle) * (away + height / 2) - height / 2
            yield (left, bottom, left + width, bottom + height)


def _within(box: Box, area: Box) -> bool:
    return (
        area[0] <= box[0] and area[1] <= box[1] and box[2] <= area[2] and box[3] <= area[3]
    )  # fmt: skip
