"""How far a map can be trusted: what of the space's neighbourhoods the plane keeps."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mmrec_core.projection.plane import unit_length

K = 15
SAMPLE = 3000
"""Items that quality is measured on, drawn with a seed, where there are more."""


@dataclass(frozen=True)
class Quality:
    """What a map keeps; all but ``stability`` are shares, 1 is best.

    Attributes:
        trustworthiness: Whether neighbours on the map are neighbours in the space (Venna and
            Kaski 2001); 1 when all are.
        continuity: Whether neighbours in the space are neighbours on the map (the same paper).
        kept: Share of an item's k nearest in the space that are among its k nearest on the map.
        chance: What ``kept`` would be on a random map.
        stability: 1 less the Procrustes disparity between the maps of two seeds; None: not
            measured.
        k: Neighbours that count.
        n: Items it was measured on.
        n_items: Items on the map.
    """

    trustworthiness: float
    continuity: float
    kept: float
    chance: float
    stability: float | None
    k: int
    n: int
    n_items: int

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def map_quality(
    rows: np.ndarray, plane: np.ndarray, other: np.ndarray | None = None, seed: int = 0
) -> Quality | None:
    """Measures a map.

    Args:
        rows: [n, d] what was mapped, compared by cosine.
        plane: [n, 2] the map.
        other: [n, 2] the map of another seed; None: stability is not measured.
        seed: Of the sample.

    Returns:
        None where fewer than four items are on the map.
    """
    from sklearn.manifold import trustworthiness

    n = len(rows)
    # Both measures are defined for k below half of the items.
    k = min(K, (n - 1) // 2)
    if k < 1 or n < 4:
        return None
    drawn = np.arange(n)
    if n > SAMPLE:
        drawn = np.sort(np.random.default_rng(seed).choice(n, SAMPLE, replace=False))
    unit = unit_length(rows)
    space, flat = unit[drawn], plane[drawn].astype(np.float64)
    few = min(k, (len(drawn) - 1) // 2)
    return Quality(
        trustworthiness=float(trustworthiness(space, flat, n_neighbors=few)),
        continuity=float(trustworthiness(flat, space, n_neighbors=few)),
        kept=_kept(unit, plane, drawn, k),
        chance=k / (n - 1),
        stability=None if other is None else _stability(plane, other),
        k=k,
        n=len(drawn),
        n_items=n,
    )


def _kept(unit: np.ndarray, plane: np.ndarray, drawn: np.ndarray, k: int) -> float:
    """Share of the k nearest of the drawn items, among all items, that the map keeps."""
    from scipy.spatial import cKDTree

    near = np.asarray(cKDTree(plane).query(plane[drawn], k + 1)[1])
    # Items on one spot may hide the item itself: then the last one is dropped.
    own = near == drawn[:, None]
    own[:, -1] |= ~own.any(axis=1)
    on_map = near[~own].reshape(len(drawn), k)
    hits = 0
    for start in range(0, len(drawn), 256):
        part = drawn[start : start + 256]
        similarity = unit[part] @ unit.T
        similarity[np.arange(len(part)), part] = -np.inf
        in_space = np.argpartition(-similarity, k - 1, axis=1)[:, :k]
        same = in_space[:, :, None] == on_map[start : start + 256][:, None, :]
        hits += int(same.any(axis=2).sum())
    return hits / (len(drawn) * k)


def _stability(plane: np.ndarray, other: np.ndarray) -> float:
    from scipy.spatial import procrustes

    return float(1.0 - procrustes(plane.astype(np.float64), other.astype(np.float64))[2])
