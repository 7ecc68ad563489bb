"""How well a text fits its picture to a model that was trained to tell which belongs to which."""

import numpy as np

from mmrec_core.alignment.measures import Measure
from mmrec_core.alignment.spaces import as_pair, check_shared, unit

PREFIX = "A photo depicts"
"""What stands before every text, a space between them: part of the definition."""
WEIGHT = 2.5
"""Stretches cosines of real pairs, which seldom pass 0.4, towards 0 … 1; part of the definition."""


def _scores(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.asarray(WEIGHT * np.einsum("ij,ij->i", x, y).clip(min=0.0))


def _mean(x: np.ndarray, y: np.ndarray, order: np.ndarray | None = None) -> float:
    check_shared(x, y)
    return float(_scores(x, y if order is None else y[order]).mean())


def clip_scores(X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """CLIPScore of every item: 2.5 max(cos(x, y), 0).

    Hessel, Holtzman, Forbes, Le Bras, Choi, CLIPScore: A Reference-free Evaluation Metric for
    Image Captioning, EMNLP 2021, equation 1. A row of zeros scores 0.

    Args:
        X: [n, d], pictures in the space of a model such as CLIP.
        Y: [n, d], the same items' texts there, each read with PREFIX before it.

    Returns:
        [n] float64, 0 to 2.5.

    Raises:
        InputError: They cannot be compared.
    """
    x, y = as_pair(X, Y)
    check_shared(x, y)
    return _scores(unit(x), unit(y))


def clip_score(X: np.ndarray, Y: np.ndarray) -> float:
    """Mean of ``clip_scores`` over the true pairs; its arguments and errors.

    Returns:
        0 to 2.5.
    """
    return CLIP_SCORE(X, Y)


CLIP_SCORE = Measure(
    "clip_score",
    "CLIPScore",
    "CLIP-S",
    "similarity",
    (0.0, WEIGHT),
    "Hessel et al., CLIPScore, EMNLP 2021",
    f"2.5 times the cosine of an item's picture and its text, read after “{PREFIX}”; no less than "
    "0; mean over items.",
    unit,
    _mean,
    clip_score,
    shared_space_only=True,
    captions_only=True,
)
