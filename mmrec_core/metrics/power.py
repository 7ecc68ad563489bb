"""How many seeds or users would decide a comparison, from the mean squares that were observed.

An estimate, not a promise: it takes the measured effect for the true one, which chance has made
larger or smaller (Hoenig and Heisey, The abuse of power, The American Statistician 2001).
"""

from dataclasses import dataclass

import numpy as np

from mmrec_core.metrics.significance import Effect, standard_error

WANTED = 0.8
"""Chance of a decision that counts as enough."""
MOST_SEEDS = 200
"""More seeds than this are not within reach."""
MOST_USERS_TIMES = 20
"""More users than this many times those at hand are not within reach."""


@dataclass(frozen=True)
class Needed:
    """About how many seeds, or how many users, would decide a comparison.

    Attributes:
        seeds: Seeds needed with the users at hand; None: not within reach.
        users: Users needed with the seeds at hand; None: not within reach.
    """

    seeds: int | None
    users: int | None


def expected_error(
    effect: Effect, n_users: np.ndarray, n_seeds: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Standard error and degrees of freedom of an effect at other sizes, from its components.

    Args:
        effect: Measured with at least two seeds.
        n_users: [m] users.
        n_seeds: [m] seeds, at least 2.
    """
    both = effect.ms_both
    users = max(effect.ms_users - both, 0.0) / effect.seeds
    seeds = max(effect.ms_seeds - both, 0.0) / effect.n_users
    shape = np.broadcast_shapes(np.shape(n_users), np.shape(n_seeds))
    return standard_error(
        both + n_seeds * users,
        both + n_users * seeds,
        np.full(shape, both),
        n_users,
        n_seeds,
    )


def candidates(effect: Effect) -> tuple[np.ndarray, np.ndarray]:
    """Seeds, and users, beyond those at hand that are within reach.

    Users rise in steps of about one per cent: "about" how many is all that can be said.
    """
    n, s = effect.n_users, effect.seeds
    more_seeds = np.arange(s + 1, max(MOST_SEEDS, s + 1) + 1)
    more_users = np.unique(np.ceil(n * np.geomspace(1 + 1 / n, MOST_USERS_TIMES, 400)).astype(int))
    return more_seeds, more_users


def needed(effect: Effect, delta: float, alpha: float = 0.05) -> Needed:
    """Seeds or users with which a comparison would be decided, were its estimate exactly this.

    A relative effect of at least ``delta`` needs p < ``alpha`` (give alpha / family size to allow
    for Holm); a smaller one needs a 90 % interval inside ± ``delta``. The standard error at other
    sizes follows from the variance components of the two-way layout.
    """
    from scipy import stats

    if effect.relative is None or effect.users_only:
        return Needed(None, None)

    def first(sizes: np.ndarray, n_users: np.ndarray, n_seeds: np.ndarray) -> int | None:
        se, df = expected_error(effect, n_users, n_seeds)
        if abs(effect.relative or 0.0) >= delta:
            decided = stats.t.ppf(1 - alpha / 2, df) * se < abs(effect.effect)
        else:
            room = delta * abs(effect.base_mean) - abs(effect.effect)
            decided = stats.t.ppf(0.95, df) * se < room
        return int(sizes[decided.argmax()]) if decided.any() else None

    more_seeds, more_users = candidates(effect)
    return Needed(
        first(more_seeds, np.full(len(more_seeds), effect.n_users), more_seeds),
        first(more_users, more_users, np.full(len(more_users), effect.seeds)),
    )


def decision_power(
    effect: Effect,
    delta: float,
    n_users: np.ndarray,
    n_seeds: np.ndarray,
    alpha: float = 0.05,
) -> np.ndarray:
    """Chance of a state other than *undecided*, if the true effect is the one measured.

    With θ the effect, b the base's mean, se and df those expected at n users and s seeds, and T
    Student's t with df: the estimate θ + se T decides when it lies outside ± max(t(1 - α/2) se,
    δ b), or inside ± (δ b - t(.95) se).

    Args:
        effect: Measured with at least two seeds; its relative effect is known.
        delta: Relative margin of equality.
        n_users: [m] users.
        n_seeds: [m] seeds, at least 2.
        alpha: Level of a difference; give alpha / family size to allow for Holm.

    Returns:
        [m] float64 from 0 to 1.
    """
    from scipy import stats

    if effect.relative is None or effect.users_only:
        raise ValueError("power needs two seeds or more and a base that is not 0")
    se, df = expected_error(effect, np.asarray(n_users), np.asarray(n_seeds))
    margin, theta = delta * abs(effect.base_mean), effect.effect
    # Without any spread an estimate is the effect itself: a tiny one keeps the division whole.
    se = np.maximum(se, 1e-12 * max(margin, abs(theta), 1e-300))
    far = np.maximum(stats.t.ppf(1 - alpha / 2, df) * se, margin)
    near = margin - stats.t.ppf(0.95, df) * se

    def inside(half: np.ndarray) -> np.ndarray:
        upper, lower = (half - theta) / se, (-half - theta) / se
        return np.where(half > 0, stats.t.cdf(upper, df) - stats.t.cdf(lower, df), 0.0)

    return np.asarray(np.clip(1 - inside(far) + inside(near), 0.0, 1.0))


def needed_for_power(
    effect: Effect, delta: float, alpha: float = 0.05, wanted: float = WANTED
) -> Needed:
    """The fewest seeds, and the fewest users, with a chance of ``wanted`` to decide."""
    if effect.relative is None or effect.users_only:
        return Needed(None, None)

    def first(sizes: np.ndarray, n_users: np.ndarray, n_seeds: np.ndarray) -> int | None:
        reached = decision_power(effect, delta, n_users, n_seeds, alpha) >= wanted
        return int(sizes[reached.argmax()]) if reached.any() else None

    seeds, users = candidates(effect)
    seeds = np.concatenate([[effect.seeds], seeds])
    users = np.concatenate([[effect.n_users], users])
    return Needed(
        first(seeds, np.full(len(seeds), effect.n_users), seeds),
        first(users, users, np.full(len(users), effect.seeds)),
    )
