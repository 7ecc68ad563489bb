"""Canonical correlations: directions of two spaces that vary together, however weak they are.

CCA does not see the scale of a direction, so it fits noise unless there are many more items than
columns. Every space is therefore reduced by PCA to at most n / 10 columns, such that
n >= 5 (d1 + d2); what was reduced is said by ``remark``.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from mmrec_core.alignment.linear import Features, cross, squared_norm
from mmrec_core.alignment.measures import Measure
from mmrec_core.alignment.spaces import centred, isometric
from mmrec_core.domain import InputError

ITEMS_PER_COLUMN = 10
KEPT_VARIANCE = 0.99
"""Of SVCCA."""
_ROUNDING = 1e-5  # singular values below this share of the largest hold no direction
_MORCOS = "Morcos, Raghu, Bengio, Insights on representational similarity, NeurIPS 2018"


@dataclass(frozen=True, eq=False)
class _Basis:
    """Orthonormal basis of a centred space.

    Attributes:
        features: Basis [n, r].
        loadings: Basis' · centred space, [r, d].
        rank: Columns before the rule of many items cut them.
    """

    features: Features
    loadings: np.ndarray
    rank: int

    @property
    def width(self) -> int:
        return int(self.features.rows.shape[1])


def _prepare(space: np.ndarray, variance: float = 1.0) -> _Basis:
    most = len(space) // ITEMS_PER_COLUMN
    if most < 1:
        raise InputError(f"CCA needs at least {ITEMS_PER_COLUMN} items; there are {len(space)}.")
    whole = centred(space)
    rows = isometric(whole)
    values, vectors = np.linalg.eigh(rows.T @ rows)
    values, vectors = values[::-1].clip(min=0.0), vectors[:, ::-1]
    rank = int((values > _ROUNDING**2 * values[0]).sum())
    if variance < 1.0:
        share = np.cumsum(values) / values.sum()
        rank = min(rank, int(np.searchsorted(share, variance)) + 1)
    kept = min(rank, most)
    basis = rows @ vectors[:, :kept] / np.sqrt(values[:kept])
    return _Basis(Features(basis), basis.T @ whole, rank)


def _remark(basis: _Basis) -> str:
    if basis.width == basis.rank:
        return ""
    return f"PCA of {basis.rank} columns to {basis.width}"


def _correlations(x: _Basis, y: _Basis, order: np.ndarray | None) -> np.ndarray:
    from scipy.linalg import svdvals

    return np.clip(svdvals(cross(x.features, y.features, order)), 0.0, 1.0)


def _mean_squared(x: _Basis, y: _Basis, order: np.ndarray | None = None) -> float:
    # Squared singular values add up to the squared norm: no decomposition is needed.
    shared = squared_norm(cross(x.features, y.features, order))
    return min(1.0, shared / min(x.width, y.width))


def _mean(x: _Basis, y: _Basis, order: np.ndarray | None = None) -> float:
    return float(_correlations(x, y, order).mean(dtype=np.float64))


def _weighted(x: _Basis, y: _Basis, order: np.ndarray | None = None) -> float:
    left, rho, _ = np.linalg.svd(cross(x.features, y.features, order), full_matrices=False)
    weights = np.abs(left.T.astype(np.float64) @ x.loadings).sum(axis=1)
    return float(weights @ np.clip(rho, 0.0, 1.0) / weights.sum())


def mean_squared_cca(X: np.ndarray, Y: np.ndarray) -> float:
    """Mean squared canonical correlation.

    With orthonormal bases Q of the centred matrices, ||Q_x'Q_y||^2 / min(r_x, r_y). Does not
    change when a space is mapped by any invertible matrix, as long as no PCA is needed.

    Args:
        X: [n, d1], at least 10 rows; reduced by PCA to n / 10 columns where it is wider.
        Y: [n, d2], the same items.

    Returns:
        0 to 1; unrelated spaces reach about max(d1, d2) / n.

    Raises:
        InputError: They cannot be compared.
    """
    return MEAN_SQUARED_CCA(X, Y)


def svcca(X: np.ndarray, Y: np.ndarray) -> float:
    """Mean canonical correlation of the principal components that hold 99 % of the variance.

    Args:
        X: [n, d1], at least 10 rows; at most n / 10 components are kept.
        Y: [n, d2], the same items.

    Returns:
        0 to 1.

    Raises:
        InputError: They cannot be compared.
    """
    return SVCCA(X, Y)


def pwcca(X: np.ndarray, Y: np.ndarray) -> float:
    """Mean canonical correlation, weighted by how much of X each canonical variate carries.

    The weight of variate h is the sum over X's centred columns x of |h'x|. Not symmetric: it is
    weighted by the first space.

    Args:
        X: [n, d1], at least 10 rows; reduced by PCA to n / 10 columns where it is wider.
        Y: [n, d2], the same items.

    Returns:
        0 to 1.

    Raises:
        InputError: They cannot be compared.
    """
    return PWCCA(X, Y)


MEAN_SQUARED_CCA = Measure(
    "mean_squared_cca",
    "CCA (mean squared)",
    "R²_CCA",
    "similarity",
    (0.0, 1.0),
    "Hotelling, Biometrika 1936; Kornblith et al., ICML 2019, section 3",
    "How well each space's directions can be predicted from the other, weak and strong "
    "directions alike.",
    _prepare,
    _mean_squared,
    mean_squared_cca,
    remark=_remark,
)
SVCCA = Measure(
    "svcca",
    "SVCCA",
    "ρ_SV",
    "similarity",
    (0.0, 1.0),
    "Raghu et al., SVCCA, NeurIPS 2017",
    "Mean canonical correlation of the directions that hold 99 % of the variance.",
    partial(_prepare, variance=KEPT_VARIANCE),
    _mean,
    svcca,
    remark=_remark,
)
PWCCA = Measure(
    "pwcca",
    "PWCCA",
    "ρ_PW",
    "similarity",
    (0.0, 1.0),
    _MORCOS,
    "Canonical correlations, weighted by how much of the first space they carry.",
    _prepare,
    _weighted,
    pwcca,
    symmetric=False,
    remark=_remark,
)
