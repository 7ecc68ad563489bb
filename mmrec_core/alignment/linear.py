"""Centred features of a space, and the product of two spaces' features."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mmrec_core.alignment.spaces import centred, isometric


@dataclass(frozen=True, eq=False)
class Features:
    """Rows [n, r] of a space in float64.

    What is observed is computed from these. The 200 products of a null distribution are computed
    from ``single``: their error, near 1e-7 of the norms, is far below the spread of any null.
    """

    rows: np.ndarray

    @cached_property
    def single(self) -> np.ndarray:
        """The rows in float32."""
        return self.rows.astype(np.float32)


def unit_features(space: np.ndarray) -> Features:
    """Centred and scaled to Frobenius norm 1, in at most n columns."""
    rows = isometric(centred(space))
    return Features(rows / np.linalg.norm(rows))


def cross(x: Features, y: Features, order: np.ndarray | None) -> np.ndarray:
    """X'Y, or X'Y[order], [r_x, r_y]."""
    if order is None:
        return np.asarray(x.rows.T @ y.rows)
    return np.asarray(x.single.T @ y.single[order])


def squared_norm(matrix: np.ndarray) -> float:
    """Sum of squares, added up in float64."""
    return float(np.einsum("ij,ij->i", matrix, matrix).sum(dtype=np.float64))
