"""Nearest neighbours by cosine that maps are drawn from: found once for all settings."""

import numpy as np

from mmrec_core.domain import Progress, no_progress
from mmrec_core.neighbours import nearest_neighbours

EXACT = 60_000
"""Items up to which every pair is compared; beyond, neighbours are found by nearest-neighbour
descent (Dong, Moses, Li, WWW 2011), and maps say so."""

_BLOCK = 4096


def neighbour_graph(
    rows: np.ndarray, k: int, seed: int, progress: Progress = no_progress
) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest rows of each row by cosine, itself left out, nearest first.

    Args:
        rows: [n, d], no two alike, none of them zero.
        k: Neighbours; fewer where fewer rows exist.
        seed: Of the approximate search.
        progress: Told of rows done and in all.

    Returns:
        indices int32 [n, k] and similarities float32 [n, k].
    """
    n = len(rows)
    k = min(k, n - 1)
    progress(0, n, "neighbours")
    unit = rows / np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    unit = unit.astype(np.float32)
    if n > EXACT:
        return _descent(unit, k, seed)
    every = np.ones(n, dtype=bool)
    indices = nearest_neighbours(unit, every, k, centre=False, progress=progress)
    similarity = np.empty(indices.shape, dtype=np.float32)
    for start in range(0, n, _BLOCK):
        part = slice(start, start + _BLOCK)
        similarity[part] = np.einsum("nd,nkd->nk", unit[part], unit[indices[part]])
    return indices, similarity


def _descent(unit: np.ndarray, k: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Approximate neighbours; one thread, since only then does a seed give the same twice."""
    from pynndescent import NNDescent

    index = NNDescent(unit, metric="cosine", n_neighbors=k + 1, random_state=seed, n_jobs=1)
    indices, distances = index.neighbor_graph
    # The row itself comes first, but for ties at a distance of zero.
    own = indices == np.arange(len(unit))[:, None]
    own[:, -1] |= ~own.any(axis=1)
    kept = ~own
    shape = (len(unit), k)
    similarity = (1.0 - distances[kept]).astype(np.float32)
    return indices[kept].astype(np.int32).reshape(shape), similarity.reshape(shape)
