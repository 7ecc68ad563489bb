"""Exact nearest neighbours by cosine, once for graphs, projection, alignment and explanations."""

import numpy as np

from mmrec_core.domain import Progress, no_progress

TIE_SEED = 20_250
"""Of the random item order that breaks ties; fixed, so that a graph is a function of features."""


def unit_rows(
    matrix: np.ndarray,
    observed: np.ndarray,
    centre: bool = True,
    mean: np.ndarray | None = None,
) -> np.ndarray:
    """L2-normalised rows, centred on the observed ones first; unobserved and null rows are 0.

    Args:
        matrix: [n, d].
        observed: [n] bool.
        centre: Subtract the mean of the observed rows: embeddings of language models point
            nearly all one way, and without centring every pair looks alike.
        mean: [d] subtracted in place of their own, for rows that belong to more.

    Returns:
        float32 [n, d].
    """
    rows = np.zeros(matrix.shape, dtype=np.float32)
    if not observed.any():
        return rows
    seen = matrix[observed].astype(np.float64)
    scale = float(np.abs(seen).max(initial=0.0))
    if centre:
        seen = seen - (seen.mean(axis=0) if mean is None else mean)
    norm = np.linalg.norm(seen, axis=1, keepdims=True)
    # What is left of equal rows after centring is rounding: it has no direction.
    real = norm > 1e-6 * (scale or 1.0)
    rows[observed] = np.divide(seen, norm, out=np.zeros_like(seen), where=real)
    return rows


def nearest_neighbours(
    matrix: np.ndarray,
    observed: np.ndarray,
    k: int,
    centre: bool = True,
    block: int = 1024,
    progress: Progress = no_progress,
) -> np.ndarray:
    """The k nearest observed items of each observed item by cosine, nearest first.

    An item is never its own neighbour; an unobserved item has and is none. Ties are broken by a
    fixed random item order, never by position. A row without direction (equal to the mean) has
    and is no neighbour either, unless all observed rows are equal: then every pair ties and
    each observed item gets random observed neighbours, so that the graph still tells who has
    features and nothing else (the ``mean`` control rests on this).

    Args:
        matrix: [n, d].
        observed: [n] bool.
        k: Neighbours wanted; fewer where fewer exist.
        centre: See ``unit_rows``.
        block: Rows compared at a time; memory is block x n.
        progress: Told of rows done and in all.

    Returns:
        int32 [n, k], -1 where there is no further neighbour.
    """
    rows = unit_rows(matrix, observed, centre)
    usable = np.asarray(rows.any(axis=1))
    result = np.full((len(matrix), k), -1, dtype=np.int32)
    if not usable.any():
        return _random_neighbours(observed, k, result)
    _fill(result, rows, np.flatnonzero(usable), usable, block, progress)
    return result


def edited_neighbours(
    lists: np.ndarray, rows: np.ndarray, changed: np.ndarray, block: int = 1024
) -> np.ndarray:
    """``nearest_neighbours`` after an edit of few rows: only lists that can change are made anew.

    Args:
        lists: [n, k] before the edit; not those of equal rows.
        rows: ``unit_rows`` after it, [n, d].
        changed: Row numbers of what was edited.
        block: Rows compared at a time.

    Returns:
        int32 [n, k], as of all items compared again; where items tie and the edit took one away or
        added one, the order among them may be another.
    """
    usable = np.asarray(rows.any(axis=1))
    last = lists[:, -1]
    # A changed item enters a list where it is at least as near as the last one there.
    near = np.round((rows @ rows[changed].T).max(axis=1, initial=-np.inf), 6)
    far = np.where(last >= 0, np.round(np.einsum("ij,ij->i", rows, rows[last]), 6), -np.inf)
    again = np.isin(lists, changed).any(axis=1) | (near >= far - 1e-6)
    again[changed] = True
    result = np.array(lists, dtype=np.int32)
    result[again] = -1
    _fill(result, rows, np.flatnonzero(again & usable), usable, block)
    return result


def _fill(
    result: np.ndarray,
    rows: np.ndarray,
    queries: np.ndarray,
    usable: np.ndarray,
    block: int,
    progress: Progress = no_progress,
) -> None:
    """Writes the lists of ``queries`` into ``result``, a block of rows at a time."""
    # Columns in random order: a stable sort by score then breaks ties by that order.
    order = np.random.default_rng(TIE_SEED).permutation(np.flatnonzero(usable))
    columns = rows[order]
    place = np.full(len(rows), -1)
    place[order] = np.arange(len(order))
    kept = min(result.shape[1], len(order) - 1)
    if kept < 1:
        return
    for start in range(0, len(queries), block):
        mine = queries[start : start + block]
        # Rounded to a grid far above float32 noise, so that equal rows tie exactly on any BLAS.
        similarity = np.round(rows[mine] @ columns.T, 6)
        similarity[np.arange(len(mine)), place[mine]] = -np.inf
        result[mine, :kept] = order[_largest(similarity, kept)]
        progress(start + len(mine), len(queries), "neighbours")


def _largest(scores: np.ndarray, k: int) -> np.ndarray:
    """Column numbers of the k largest of each row; among equals the smaller column first."""
    floor = -np.partition(-scores, k - 1, axis=1)[:, k - 1 : k]
    above = scores > floor
    level = scores == floor
    room = k - above.sum(axis=1, keepdims=True)
    chosen = above | (level & (np.cumsum(level, axis=1) <= room))
    columns = np.nonzero(chosen)[1].reshape(len(scores), k)
    values = np.take_along_axis(scores, columns, axis=1)
    by_value = np.argsort(-values, axis=1, kind="stable")
    return np.take_along_axis(columns, by_value, axis=1)


def _random_neighbours(observed: np.ndarray, k: int, result: np.ndarray) -> np.ndarray:
    """Each observed item's k neighbours drawn at random among the other observed items."""
    members = np.flatnonzero(observed)
    kept = min(k, len(members) - 1)
    if kept < 1:
        return result
    rng = np.random.default_rng(TIE_SEED)
    for start in range(0, len(members), 1024):
        mine = np.arange(start, min(start + 1024, len(members)))
        keys = rng.random((len(mine), len(members)))
        keys[np.arange(len(mine)), mine] = 2.0
        result[members[mine], :kept] = members[np.argpartition(keys, kept - 1, axis=1)[:, :kept]]
    return result
