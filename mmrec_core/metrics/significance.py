"""Is a difference of two arms more than chance, when users and training seeds are both chance?

Per-user tests on one trained pair treat that pair as the truth, and two trainings of the same arm
then differ "significantly". Here every interval holds both sources: the per-user differences
D [n_users, S] of two arms trained with the same S seeds are a crossed two-way layout.
Intervals are conditional on the split and on the hyper-parameters.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit  # what scipy.stats.t asks; that takes a second to load

from mmrec_core.domain import InputError

DELTA = 0.05
"""Default margin: a smaller relative effect is as good as none."""


@dataclass(frozen=True)
class CrossedMean:
    """Mean of a crossed users × seeds layout, for each of several layouts at once.

    Attributes:
        mean: Grand mean.
        se: Its standard error.
        df: Satterthwaite degrees of freedom of ``se``.
        ms_users: Mean square of users, ``ms_seeds`` of seeds, ``ms_both`` of their interaction.
    """

    mean: np.ndarray
    se: np.ndarray
    df: np.ndarray
    ms_users: np.ndarray
    ms_seeds: np.ndarray
    ms_both: np.ndarray

    def interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper end of the t interval around the mean."""
        half = stdtrit(self.df, (1 + level) / 2) * self.se
        return self.mean - half, self.mean + half


def crossed_mean(differences: np.ndarray) -> CrossedMean:
    """Mean and standard error over users and seeds, both random.

    SE^2 = max(MS_U + MS_S - MS_US, MS_U, MS_S) / (nS), with Satterthwaite's degrees of freedom on
    the mean squares used: (sum MS)^2 / sum(MS^2 / df). With one seed only users count:
    SE^2 = MS_U / n.

    Args:
        differences: [..., n_users, S], at least two users, no NaN.

    Returns:
        Arrays of shape [...].
    """
    d = np.asarray(differences, dtype=np.float64)
    n, s = d.shape[-2:]
    mean = d.mean(axis=(-2, -1))
    by_user = d.mean(axis=-1) - mean[..., None]
    ms_users = s * (by_user**2).sum(axis=-1) / (n - 1)
    if s == 1:
        zero = np.zeros_like(ms_users)
        df = np.full_like(ms_users, n - 1)
        return CrossedMean(mean, np.sqrt(ms_users / n), df, ms_users, zero, zero)
    by_seed = d.mean(axis=-2) - mean[..., None]
    ms_seeds = n * (by_seed**2).sum(axis=-1) / (s - 1)
    rest = d - mean[..., None, None] - by_user[..., :, None] - by_seed[..., None, :]
    ms_both = (rest**2).sum(axis=(-2, -1)) / ((n - 1) * (s - 1))
    se, df = standard_error(ms_users, ms_seeds, ms_both, n, s)
    return CrossedMean(mean, se, df, ms_users, ms_seeds, ms_both)


def standard_error(
    ms_users: np.ndarray,
    ms_seeds: np.ndarray,
    ms_both: np.ndarray,
    n: np.ndarray | int,
    s: np.ndarray | int,
) -> tuple[np.ndarray, np.ndarray]:
    """Standard error of the mean of n users × s seeds, and its degrees of freedom.

    Args:
        ms_users: Mean square of users; as all arguments, a number or an array.
        ms_seeds: Mean square of seeds.
        ms_both: Mean square of their interaction.
        n: Users.
        s: Seeds, at least 2.
    """
    both = ms_users + ms_seeds - ms_both
    variance = np.maximum(both, np.maximum(ms_users, ms_seeds))
    combined = (both >= ms_users) & (both >= ms_seeds)
    spread = ms_users**2 / (n - 1) + ms_seeds**2 / (s - 1) + ms_both**2 / ((n - 1) * (s - 1))
    satterthwaite = both**2 / np.where(spread > 0, spread, np.inf)
    one = np.where(ms_users >= ms_seeds, n - 1, s - 1)
    df = np.where(combined & (spread > 0), satterthwaite, one)
    return np.sqrt(variance / (n * s)), np.maximum(df, 1.0)


@dataclass(frozen=True)
class Effect:
    """Difference of two arms (first minus base) with its uncertainty over users and seeds.

    Attributes:
        effect: Mean difference, in units of the metric.
        relative: ``effect`` / the base's mean; None where that mean is 0. The base's mean is
            taken as known.
        base_mean: Mean of the base arm over the same users and seeds.
        se: Standard error of ``effect``.
        df: Its degrees of freedom.
        low: Lower end of the 95 % interval of ``effect``; ``high`` the upper end.
        low90: Lower end of the 90 % interval (two one-sided 5 % tests); ``high90`` the upper end.
        p: Two-sided p of no difference, not adjusted.
        delta: Relative margin of equality.
        tost_equal: True when the 90 % interval lies inside ± delta · |base mean|.
        smallest_delta: Relative margin above which equality could have been claimed; None where
            the base's mean is 0.
        half_width: Half of the 90 % interval, relative: the smallest margin that a study of this
            size could have decided had the effect been exactly 0; None as above.
        n_users: Users in the comparison.
        seeds: Trainings of each arm.
        users_only: True with one seed: the chance of training is then **not** in the interval.
        ms_users: Mean square of users, ``ms_seeds`` of seeds, ``ms_both`` of their interaction.
    """

    effect: float
    relative: float | None
    base_mean: float
    se: float
    df: float
    low: float
    high: float
    low90: float
    high90: float
    p: float
    delta: float
    tost_equal: bool
    smallest_delta: float | None
    half_width: float | None
    n_users: int
    seeds: int
    users_only: bool
    ms_users: float
    ms_seeds: float
    ms_both: float

    def equal_within(self, delta: float) -> bool:
        """True when the 90 % interval lies inside ± ``delta`` · |base mean|."""
        return self.smallest_delta is not None and self.smallest_delta < delta

    def as_relative(self, value: float) -> float | None:
        """``value``, in units of the metric, divided by the base's mean."""
        return value / abs(self.base_mean) if self.base_mean else None


def paired_effect(differences: np.ndarray, base_mean: float, delta: float = DELTA) -> Effect:
    """Effect of one arm over another from per-user, per-seed differences.

    Args:
        differences: [n_users, S] (or [n_users] for one seed): first arm minus base, the same
            training seed in both. Users with NaN at any seed are left out.
        base_mean: Mean of the base arm over the users that stay.
        delta: Relative margin of equality.

    Raises:
        InputError: Fewer than two users stay.
    """
    d = np.asarray(differences, dtype=np.float64)
    d = d[:, None] if d.ndim == 1 else d
    if d.ndim != 2 or not d.shape[1]:
        raise ValueError(f"differences must be [n_users, seeds], not of shape {d.shape}")
    d = d[~np.isnan(d).any(axis=1)]
    if not (np.isfinite(d).all() and np.isfinite(base_mean)):
        raise ValueError("differences and the base's mean must be finite")
    n, s = d.shape
    if n < 2:
        raise InputError(
            f"Two arms cannot be compared over {n} users; choose a split in which at least two "
            "users have relevant test items."
        )
    crossed = crossed_mean(d)
    effect, se, df = float(crossed.mean), float(crossed.se), float(crossed.df)
    wide, narrow = (float(stdtrit(df, level)) * se for level in (0.975, 0.95))
    if se > 0:
        p = float(2 * stdtr(df, -abs(effect) / se))
    else:
        p = 1.0 if effect == 0 else 0.0
    low90, high90 = effect - narrow, effect + narrow
    scale = abs(float(base_mean))
    smallest = max(abs(low90), abs(high90)) / scale if scale else None
    return Effect(
        effect=effect,
        relative=effect / scale if scale else None,
        base_mean=float(base_mean),
        se=se,
        df=df,
        low=effect - wide,
        high=effect + wide,
        low90=low90,
        high90=high90,
        p=p,
        delta=delta,
        tost_equal=smallest is not None and smallest < delta,
        smallest_delta=smallest,
        half_width=narrow / scale if scale else None,
        n_users=n,
        seeds=s,
        users_only=s == 1,
        ms_users=float(crossed.ms_users),
        ms_seeds=float(crossed.ms_seeds),
        ms_both=float(crossed.ms_both),
    )


def compare(arm: np.ndarray, base: np.ndarray, delta: float = DELTA) -> Effect:
    """Effect of ``arm`` over ``base``, both [n_users, S] per-user metrics of the same seeds.

    Users with NaN in either arm at any seed are left out of both.
    """
    arm, base = (np.asarray(a, dtype=np.float64) for a in (arm, base))
    if arm.shape != base.shape:
        raise ValueError(f"the arms differ in users or seeds: {arm.shape} and {base.shape}")
    difference = arm - base
    kept = ~np.isnan(difference if difference.ndim == 1 else difference.max(axis=1))
    return paired_effect(difference, float(base[kept].mean()) if kept.any() else 0.0, delta)


def holm(p: np.ndarray, size: int | None = None) -> np.ndarray:
    """Holm's step-down adjusted p values, in the order of ``p``.

    With p(1) <= ... <= p(m): adjusted(i) = max_{j <= i} min(1, (m - j + 1) p(j)) (Holm 1979).

    Args:
        p: [m'] p values.
        size: Number of comparisons of the family where some are not in ``p`` yet; those count as
            p = 1. None: all are there.
    """
    p = np.asarray(p, dtype=np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError("p values must be a list of numbers from 0 to 1")
    m = len(p) if size is None else size
    if m < len(p):
        raise ValueError(f"a family of {m} cannot hold {len(p)} comparisons")
    order = np.argsort(p, kind="stable")
    stepped = np.minimum(1.0, (m - np.arange(len(p))) * p[order])
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(stepped)
    return adjusted


@dataclass(frozen=True)
class TrainedPair:
    """Tests over users alone: they say something about one trained pair, not about two arms.

    Attributes:
        mean: Mean difference.
        low: Lower end of the 95 % percentile bootstrap interval over users; ``high`` the upper.
        p_t: p of the paired t test.
        p_wilcoxon: p of Wilcoxon's signed-rank test, which asks for symmetry about 0 and so
            rejects equal means when the differences are skewed.
        n_users: Users with a difference.
    """

    mean: float
    low: float
    high: float
    p_t: float
    p_wilcoxon: float
    n_users: int


def this_trained_pair(differences: np.ndarray, seed: int = 0, resamples: int = 2000) -> TrainedPair:
    """User-only bootstrap, paired t and Wilcoxon of one trained pair, [n_users] differences."""
    from scipy import stats

    d = np.asarray(differences, dtype=np.float64)
    if d.ndim != 1:
        raise ValueError(f"differences of one trained pair are [n_users], not {d.shape}")
    d = d[~np.isnan(d)]
    if len(d) < 2:
        raise InputError(f"A trained pair cannot be compared over {len(d)} users; two are needed.")
    mean = float(d.mean())
    if np.ptp(d) == 0:  # no spread: both tests are undefined
        p = 1.0 if mean == 0 else 0.0
        p_wilcoxon = 1.0 if mean == 0 else float(stats.wilcoxon(d).pvalue)
        return TrainedPair(mean, mean, mean, p, p_wilcoxon, len(d))
    interval = stats.bootstrap(
        (d,),
        np.mean,
        n_resamples=resamples,
        method="percentile",
        vectorized=True,
        batch=max(1, 2_000_000 // len(d)),
        rng=np.random.default_rng([seed, len(d)]),
    ).confidence_interval
    return TrainedPair(
        mean=mean,
        low=float(interval.low),
        high=float(interval.high),
        p_t=float(stats.ttest_1samp(d, 0.0).pvalue),
        p_wilcoxon=float(stats.wilcoxon(d).pvalue),
        n_users=len(d),
    )
