"""Procrustes distance: what is left between two spaces after the best rotation."""

import numpy as np

from mmrec_core.alignment.linear import Features, cross, unit_features
from mmrec_core.alignment.measures import Measure


def _value(x: Features, y: Features, order: np.ndarray | None = None) -> float:
    from scipy.linalg import svdvals

    nuclear = float(svdvals(cross(x, y, order)).sum(dtype=np.float64))
    return max(0.0, 2.0 - 2.0 * nuclear)


def procrustes_distance(X: np.ndarray, Y: np.ndarray) -> float:
    """2 - 2 ||A'B||_* of the centred matrices A and B at Frobenius norm 1.

    It is the squared distance ||A - BQ||^2 at the best rotation Q; the narrower space is padded
    with zeros. Unrelated wide spaces come close to 0 as well: read it with its null.

    Args:
        X: [n, d1].
        Y: [n, d2], the same items.

    Returns:
        0 to 2; 0 for spaces equal up to rotation, scale and shift.

    Raises:
        InputError: They cannot be compared.
    """
    return PROCRUSTES(X, Y)


PROCRUSTES = Measure(
    "procrustes_distance",
    "Procrustes distance",
    "d_P",
    "distance",
    (0.0, 2.0),
    "Schönemann, Psychometrika 1966; Ding, Denain, Steinhardt, NeurIPS 2021",
    "What is left of the difference after shift, scale and the best rotation.",
    unit_features,
    _value,
    procrustes_distance,
)
