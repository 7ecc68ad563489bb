"""Two modalities in one space: how far apart they lie, and how near an item's two vectors are."""

import numpy as np

from mmrec_core.alignment.measures import Measure
from mmrec_core.alignment.spaces import as_pair, check_shared, sample_rows, unit
from mmrec_core.domain import InputError

_LIANG = "Liang et al., Mind the gap, NeurIPS 2022"
FOLDS = 5


def _mean_direction(space: np.ndarray) -> np.ndarray:
    return np.asarray(unit(space).mean(axis=0))


def _gap(x: np.ndarray, y: np.ndarray, order: np.ndarray | None = None) -> float:
    check_shared(x[None], y[None])
    return float(np.linalg.norm(x - y))


def _alignment(x: np.ndarray, y: np.ndarray, order: np.ndarray | None = None) -> float:
    check_shared(x, y)
    difference = x - (y if order is None else y[order])
    return float(np.einsum("ij,ij->", difference, difference) / len(x))


def modality_gap(X: np.ndarray, Y: np.ndarray) -> float:
    """||mean of X's unit rows - mean of Y's unit rows||.

    Does not depend on which row belongs to which: there is no permutation null.

    Args:
        X: [n, d], one modality.
        Y: [n, d], the other modality in the same space.

    Returns:
        0 to 2.

    Raises:
        InputError: They cannot be compared.
    """
    return MODALITY_GAP(X, Y)


def alignment_loss(X: np.ndarray, Y: np.ndarray) -> float:
    """Mean squared distance of an item's two unit vectors: mean ||x^ - y^||^2.

    Args:
        X: [n, d].
        Y: [n, d], the same items in the same space.

    Returns:
        0 to 4; 2 where the two are orthogonal.

    Raises:
        InputError: They cannot be compared.
    """
    return ALIGNMENT_LOSS(X, Y)


def gap_positions(X: np.ndarray, Y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where every item's two vectors lie along the direction of the gap.

    Args:
        X: [n, d].
        Y: [n, d], in the same space.

    Returns:
        Positions [n] of X's and of Y's unit rows on the line from the mean of Y to that of X;
        0 is half-way, and the two means lie modality_gap apart.

    Raises:
        InputError: They cannot be compared, or their means are the same.
    """
    x, y = as_pair(X, Y)
    check_shared(x, y)
    x, y = unit(x), unit(y)
    first, second = x.mean(axis=0), y.mean(axis=0)
    length = float(np.linalg.norm(first - second))
    if length < 1e-12:
        raise InputError("The two modalities have the same mean: there is no gap to look along.")
    direction = (first - second) / length
    middle = (first + second) / 2
    return (x - middle) @ direction, (y - middle) @ direction


def gap_probe(X: np.ndarray, Y: np.ndarray, seed: int = 0, sample: int = 2_000) -> float:
    """Accuracy of a linear probe that tells the modality of a unit vector.

    Logistic regression, five folds; both vectors of an item are in the same fold, so that no item
    is known from its other half.

    Args:
        X: [n, d].
        Y: [n, d], in the same space.
        seed: Of the folds and the sample.
        sample: Items at most.

    Returns:
        0.5 (nothing tells them apart) to 1, up to chance.

    Raises:
        InputError: They cannot be compared, or there are fewer than 10 items.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_score

    x, y = as_pair(X, Y)
    check_shared(x, y)
    if len(x) < 2 * FOLDS:
        raise InputError(f"A probe needs at least {2 * FOLDS} items; there are {len(x)}.")
    rows = sample_rows(len(x), sample, seed)
    vectors = np.concatenate([unit(x[rows]), unit(y[rows])])
    # Unit rows of many columns hold small numbers; the penalty should not see that.
    vectors *= np.sqrt(vectors.shape[1])
    scores = cross_val_score(
        LogisticRegression(max_iter=1000),
        vectors,
        np.repeat([0, 1], len(rows)),
        groups=np.tile(np.arange(len(rows)), 2),
        cv=GroupKFold(FOLDS, shuffle=True, random_state=seed),
    )
    return float(scores.mean())


MODALITY_GAP = Measure(
    "modality_gap",
    "Modality gap",
    "Δ_gap",
    "distance",
    (0.0, 2.0),
    _LIANG,
    "Distance of the two modalities' mean directions in one space.",
    _mean_direction,
    _gap,
    modality_gap,
    shared_space_only=True,
    paired=False,
)
ALIGNMENT_LOSS = Measure(
    "alignment_loss",
    "Alignment loss",
    "ℓ_align",
    "distance",
    (0.0, 4.0),
    "Wang, Isola, Understanding contrastive representation learning, ICML 2020",
    "Mean squared distance of an item's two vectors on the unit sphere of one space.",
    unit,
    _alignment,
    alignment_loss,
    shared_space_only=True,
)
