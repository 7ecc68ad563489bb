"""Centred kernel alignment: do two spaces hold the same similarities of items?"""

from dataclasses import dataclass

import numpy as np

from mmrec_core.alignment.linear import Features, cross, squared_norm, unit_features
from mmrec_core.alignment.measures import Measure
from mmrec_core.alignment.pairwise import inner, squared_distances
from mmrec_core.domain import InputError

BANDWIDTH = 0.5
_KORNBLITH = "Kornblith et al., Similarity of neural network representations revisited, ICML 2019"


@dataclass(frozen=True, eq=False)
class _LinearKernel:
    """Features A with K = AA': ||A'A||, squared row norms, and the U-centred product of K and K."""

    features: Features
    norm: float
    squares: np.ndarray
    own: float


def _unbiased(product: float, a: np.ndarray, b: np.ndarray) -> float:
    """The unbiased HSIC times n (n - 3), from ||A'B||^2 and the squared row norms of A and B.

    The general form is tr(K~L~) + 1'K~1 1'L~1 / ((n-1)(n-2)) - 2/(n-2) 1'K~L~1 with the diagonals
    zeroed (Song et al. 2012, eq. 5); with centred features K 1 = 0, and three terms are left.
    """
    n = len(a)
    return product - n / (n - 2) * float(a @ b) + a.sum() * b.sum() / ((n - 1) * (n - 2))


def _prepare_linear(space: np.ndarray) -> _LinearKernel:
    features = unit_features(space)
    squares = np.einsum("ij,ij->i", features.rows, features.rows)
    product = squared_norm(cross(features, features, None))
    own = _unbiased(product, squares, squares) if len(space) > 3 else 0.0
    return _LinearKernel(features, float(np.sqrt(product)), squares, own)


def _linear(x: _LinearKernel, y: _LinearKernel, order: np.ndarray | None = None) -> float:
    return squared_norm(cross(x.features, y.features, order)) / (x.norm * y.norm)


def _prepare_debiased(space: np.ndarray) -> _LinearKernel:
    if len(space) < 4:
        raise InputError(f"Debiased CKA needs at least 4 items; there are {len(space)}.")
    kernel = _prepare_linear(space)
    if kernel.own <= 1e-12 * kernel.norm**2:
        raise InputError("All pairs of items are equally far apart: debiased CKA is not defined.")
    return kernel


def _debiased(x: _LinearKernel, y: _LinearKernel, order: np.ndarray | None = None) -> float:
    product = squared_norm(cross(x.features, y.features, order))
    squares = y.squares if order is None else y.squares[order]
    return float(_unbiased(product, x.squares, squares) / np.sqrt(x.own * y.own))


def rbf_kernel(space: np.ndarray, bandwidth: float = BANDWIDTH) -> np.ndarray:
    """exp(-d^2 / (2 t^2 median d^2)), double-centred and of Frobenius norm 1, float32 [n, n].

    Args:
        space: [n, d].
        bandwidth: t. The median is that of the whole matrix of squared distances, the zeros of the
            diagonal included.

    Raises:
        InputError: Half of the pairs or more are equal, so that the median is 0.
    """
    if not bandwidth > 0:
        raise InputError(f"The bandwidth is {bandwidth}; it must be above 0.")
    kernel = squared_distances(space)
    median = float(np.median(kernel))
    if median == 0:
        raise InputError("Most pairs of items are equal: the RBF kernel has no width.")
    kernel /= -2 * bandwidth**2 * median
    np.exp(kernel, out=kernel)
    mean = kernel.mean(axis=0)
    kernel += mean.mean() - mean[:, None]
    kernel -= mean
    kernel /= np.linalg.norm(kernel)
    return kernel.astype(np.float32)


def linear_cka(X: np.ndarray, Y: np.ndarray) -> float:
    """Linear CKA: ||A'B||^2 / (||A'A|| ||B'B||) of the centred matrices A and B.

    Biased upwards: the wider the spaces beside the number of items, the closer unrelated ones come
    to 1. O(n d1 d2).

    Args:
        X: [n, d1].
        Y: [n, d2], the same items.

    Returns:
        0 to 1; 1 for spaces equal up to rotation, scale and shift.

    Raises:
        InputError: They cannot be compared.
    """
    return LINEAR_CKA(X, Y)


def debiased_cka(X: np.ndarray, Y: np.ndarray) -> float:
    """CKA of the unbiased estimators: HSIC_u(K, L) / sqrt(HSIC_u(K, K) HSIC_u(L, L)).

    HSIC_u is a scalar product of U-centred matrices (Székely and Rizzo 2014), so the ratio lies
    between -1 and 1; unrelated spaces are near 0 whatever their width. O(n d1 d2).

    Args:
        X: [n, d1], at least 4 rows.
        Y: [n, d2], the same items.

    Returns:
        -1 to 1; 1 for spaces equal up to rotation, scale and shift.

    Raises:
        InputError: They cannot be compared.
    """
    return DEBIASED_CKA(X, Y)


def rbf_cka(X: np.ndarray, Y: np.ndarray, bandwidth: float = BANDWIDTH) -> float:
    """CKA with Gaussian kernels (see ``rbf_kernel``), biased; n × n in memory.

    Args:
        X: [n, d1].
        Y: [n, d2], the same items.
        bandwidth: Width of the kernel as a share of the root of the median squared distance: the
            smaller, the more only near items count.

    Returns:
        0 to 1; 1 for spaces equal up to rotation, scale and shift.

    Raises:
        InputError: They cannot be compared.
    """
    return _rbf_measure(bandwidth)(X, Y)


LINEAR_CKA = Measure(
    "linear_cka",
    "CKA (linear, biased)",
    "CKA",
    "similarity",
    (0.0, 1.0),
    _KORNBLITH,
    "Do the same pairs of items have large scalar products? Rises with the width of the "
    "spaces even where they have nothing in common.",
    _prepare_linear,
    _linear,
    linear_cka,
)
DEBIASED_CKA = Measure(
    "debiased_cka",
    "CKA (debiased)",
    "CKA_u",
    "similarity",
    (-1.0, 1.0),
    "Song et al., JMLR 2012, eq. 5; Murphy, Zylberberg, Fyshe, Correcting biased centered "
    "kernel alignment measures in biological and artificial neural networks, 2024",
    "Do the same pairs of items have large scalar products? Near 0 for unrelated spaces, "
    "whatever their width.",
    _prepare_debiased,
    _debiased,
    debiased_cka,
)


def _rbf_measure(bandwidth: float) -> Measure:
    return Measure(
        "rbf_cka",
        "CKA (RBF kernel)",
        "CKA_rbf",
        "similarity",
        (0.0, 1.0),
        _KORNBLITH,
        "Do the same items lie near each other? Only pairs within about half of the median "
        "distance count.",
        lambda space: rbf_kernel(space, bandwidth),
        inner,
        rbf_cka,
        quadratic=True,
    )


RBF_CKA = _rbf_measure(BANDWIDTH)
