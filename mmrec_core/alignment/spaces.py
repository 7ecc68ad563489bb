"""What every measure asks of a space, and the small steps that several measures share."""

import numpy as np

from mmrec_core.domain import InputError

BLOCK = 1024
"""Rows compared with all others at a time."""


def as_space(matrix: np.ndarray) -> np.ndarray:
    """The matrix as float64 [n, d].

    Raises:
        InputError: It is not a table of finite numbers, or has fewer than two different rows.
    """
    space = np.asarray(matrix, dtype=np.float64)
    if space.ndim != 2 or space.shape[1] == 0:
        raise InputError(f"A space is a table of items × columns, not of shape {space.shape}.")
    if not np.isfinite(space).all():
        raise InputError("A space holds NaN or infinity; leave out the items without a vector.")
    if len(space) < 2 or (space == space[0]).all():
        raise InputError("All items of a space have the same vector: there is nothing to compare.")
    return space


def as_pair(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both matrices as spaces over the same rows.

    Raises:
        InputError: One is no space, or they have different numbers of rows.
    """
    x, y = as_space(first), as_space(second)
    if len(x) != len(y):
        raise InputError(
            f"Both spaces need the same items in the same rows; they have {len(x)} and {len(y)}."
        )
    return x, y


def check_shared(x: np.ndarray, y: np.ndarray) -> None:
    """Refuses two spaces that cannot be one space.

    Raises:
        InputError: Their widths differ.
    """
    if x.shape[1] != y.shape[1]:
        raise InputError(
            f"Vectors of {x.shape[1]} and {y.shape[1]} columns do not lie in one space; "
            "this measure is for models that put both modalities into the same one."
        )


def unit(space: np.ndarray) -> np.ndarray:
    """Rows of length 1, float64. A row of zeros stays: its cosine with any other counts as 0."""
    norm = np.linalg.norm(space, axis=1, keepdims=True)
    return np.divide(space, norm, out=np.zeros_like(space), where=norm > 0)


def centred(space: np.ndarray) -> np.ndarray:
    """Columns without their means."""
    return np.asarray(space - space.mean(axis=0))


def isometric(rows: np.ndarray) -> np.ndarray:
    """Rows with the same scalar products in at most n columns."""
    n, d = rows.shape
    return np.asarray(np.linalg.qr(rows.T, mode="r")).T if d > n else rows


def row_numbers(space: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which rows are equal, value by value.

    Returns:
        (first row of each distinct vector, [n] number of each row's vector).
    """
    rows = np.ascontiguousarray(space) + 0.0  # -0 + 0 is +0
    raw = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
    _, first, number = np.unique(raw, return_index=True, return_inverse=True)
    return first, number


def sample_rows(n: int, most: int, seed: int) -> np.ndarray:
    """All of n rows, or ``most`` of them drawn with the seed, in ascending order."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng([seed, n]).choice(n, size=most, replace=False))
