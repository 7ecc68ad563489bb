"""Representational similarity analysis: are the same pairs of items far apart?"""

import numpy as np

from mmrec_core.alignment.measures import Measure
from mmrec_core.alignment.pairwise import distances, inner, rank_matrix
from mmrec_core.domain import InputError

DISTANCE = "correlation"


def rsa(X: np.ndarray, Y: np.ndarray, distance: str = DISTANCE) -> float:
    """Spearman's correlation of two spaces' distances over all pairs of items.

    Pairs are not independent of each other, so the p of a rank correlation does not hold;
    ``calibrate`` permutes items instead. n × n in memory.

    Args:
        X: [n, d1], at least 3 rows.
        Y: [n, d2], the same items.
        distance: ``correlation`` (of the two items' columns; a row of equal values has correlation
            0 with every other), ``cosine`` or ``euclidean``.

    Returns:
        -1 to 1.

    Raises:
        InputError: They cannot be compared.
    """
    return _measure(distance)(X, Y)


def _measure(distance: str) -> Measure:
    def prepare(space: np.ndarray) -> np.ndarray:
        if len(space) < 3:
            raise InputError(f"RSA needs at least 3 items; there are {len(space)}.")
        return rank_matrix(distances(space, distance))

    return Measure(
        "rsa",
        "RSA",
        "ρ_RSA",
        "similarity",
        (-1.0, 1.0),
        "Kriegeskorte, Mur, Bandettini, Frontiers in Systems Neuroscience 2008",
        "Rank correlation of the two spaces' distances, over all pairs of items.",
        prepare,
        inner,
        rsa,
        quadratic=True,
    )


RSA = _measure(DISTANCE)
