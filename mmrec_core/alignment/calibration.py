"""What a measure says of unrelated spaces, and what is left of it above that.

Extractors differ in width and spectrum, and raw values rise with both. The rows of Y are permuted:
everything stays but *which row belongs to which*.
"""

from collections.abc import Callable
from typing import Any, TypedDict

import numpy as np

from mmrec_core.alignment.measures import MEASURES, Measure
from mmrec_core.alignment.spaces import as_pair
from mmrec_core.domain import InputError

PERMUTATIONS = 200
ALPHA = 0.05
_TIE = 1e-6  # of the largest value: nulls are computed in float32


class Calibration(TypedDict):
    """A measure beside its null distribution.

    Attributes:
        observed: Raw value.
        null_band: 2.5 % and 97.5 % quantiles of the null.
        threshold: τ; the observed value lies beyond it where p <= alpha.
        p: (1 + permutations at least as alike) / (permutations + 1).
        calibrated: 0 (not beyond τ) to 1 (the measure's bound); NaN where there is no bound.
        n: Items.
        permutations: How many.
        alpha: Of the threshold.
        null: [permutations] values of the null.
    """

    observed: float
    null_band: tuple[float, float]
    threshold: float
    p: float
    calibrated: float
    n: int
    permutations: int
    alpha: float
    null: np.ndarray


def calibrate(
    measure: str | Measure | Callable[[np.ndarray, np.ndarray], float],
    X: np.ndarray,
    Y: np.ndarray,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
    alpha: float = ALPHA,
) -> Calibration:
    """Compares a measure with its values under random pairings of rows.

    p = (1 + #{null >= observed}) / (permutations + 1); τ is the ceil((1 - alpha)(permutations +
    1))-th smallest null value, so that the observed one exceeds τ exactly where p <= alpha;
    calibrated = clip((observed - τ) / (bound - τ), 0, 1). A distance uses the lower tail in all
    three (arXiv 2602.14486).

    Args:
        measure: Name of a registered measure, a measure, its public function, or any other
            function of two matrices, which is taken for a similarity with upper bound 1.
        X: [n, d1].
        Y: [n, d2], the same items.
        permutations: At least 1 / alpha - 1.
        seed: Of the permutations.
        alpha: Level of the threshold.

    Returns:
        See ``Calibration``.

    Raises:
        InputError: The spaces cannot be compared, there are too few permutations, or the measure
            does not depend on the pairing.
    """
    chosen = as_measure(measure)
    x, y = as_pair(X, Y)
    return calibrate_states(
        chosen, chosen.prepare(x), chosen.prepare(y), len(x), permutations, seed, alpha
    )


def as_measure(measure: str | Measure | Callable[[np.ndarray, np.ndarray], float]) -> Measure:
    """The measure that a name or a function stands for; see ``calibrate``."""
    if isinstance(measure, str):
        return MEASURES.get(measure)
    if isinstance(measure, Measure):
        return measure
    for _, registered in MEASURES.items():
        if registered.function is measure:
            return registered
    function = measure

    def value(x: np.ndarray, y: np.ndarray, order: np.ndarray | None = None, /) -> float:
        return float(function(x, y if order is None else y[order]))

    name = getattr(function, "__name__", "measure")
    return Measure(
        name, name, name, "similarity", (-np.inf, 1.0), "", "", lambda space: space, value
    )


def calibrate_states(
    measure: Measure,
    x: Any,
    y: Any,
    n: int,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
    alpha: float = ALPHA,
) -> Calibration:
    """As ``calibrate``, of states that ``measure.prepare`` has made of n items."""
    if not measure.paired:
        raise InputError(
            f"{measure.label} does not depend on which row belongs to which: "
            "permuting rows tells nothing."
        )
    observed = measure.value(x, y)
    null = np.array([measure.value(x, y, order) for order in orders(n, permutations, seed)])
    return against_null(
        observed, null, n, measure.bound, alpha, distance=measure.direction == "distance"
    )


def orders(n: int, permutations: int, seed: int) -> list[np.ndarray]:
    """Random orders of n rows; the same for the same arguments."""
    rng = np.random.default_rng([seed, n])
    return [rng.permutation(n) for _ in range(permutations)]


def against_null(
    observed: float,
    null: np.ndarray,
    n: int,
    bound: float,
    alpha: float = ALPHA,
    distance: bool = False,
) -> Calibration:
    """p, band, threshold and calibrated value of an observed one beside its null values.

    Raises:
        InputError: There are too few null values for the level.
    """
    count = len(null)
    place = int(np.ceil((1 - alpha) * (count + 1) - 1e-9))
    if not 0 < alpha < 1 or place > count:
        raise InputError(
            f"{count} permutations cannot reach a level of {alpha}; "
            f"take at least {int(np.ceil(1 / alpha - 1 - 1e-9)) if 0 < alpha < 1 else 19}."
        )
    sign = -1.0 if distance else 1.0
    alike = np.sort(sign * null)
    # Or of the measure's scale: in float32 a null of 1e-9 and one of 1e-7 are the same.
    scale = abs(bound) if np.isfinite(bound) and bound else 1.0
    tie = _TIE * max(abs(observed), float(np.abs(null).max()), scale)
    # A permutation without a value counts against the observed one.
    beyond = int((~(alike < sign * observed - tie)).sum())
    tau = float(sign * alike[place - 1])
    room = bound - tau
    if not np.isfinite(bound):
        calibrated = float("nan")
    else:
        told = sign * observed > sign * tau + tie and abs(room) > tie
        calibrated = float(np.clip((observed - tau) / room, 0.0, 1.0)) if told else 0.0
    low, high = np.quantile(null, [0.025, 0.975])
    return Calibration(
        observed=float(observed),
        null_band=(float(low), float(high)),
        threshold=tau,
        p=(1 + beyond) / (count + 1) if np.isfinite(observed) else float("nan"),
        calibrated=calibrated,
        n=n,
        permutations=count,
        alpha=alpha,
        null=null,
    )
