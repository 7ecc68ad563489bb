"""python -m benchmarks.significance: is the crossed interval as good as it says?

Simulates crossed users-by-seeds differences whose true mean is known, for a grid of sizes and
variances, and counts how often each rule is wrong. Writes docs/simulation.md.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from mmrec_core.metrics.significance import crossed_mean, holm

BASE = 0.10
"""Mean of the base arm, in units of Recall: what relative margins are taken of."""
SIZES = ((100, 5), (500, 5), (1500, 5), (100, 10), (500, 10), (1500, 10))
DELTAS = (0.02, 0.05, 0.10)


@dataclass(frozen=True)
class Scene:
    """Where the chance of a difference of two arms comes from.

    Attributes:
        name: In words.
        user: Standard deviation over users of what is the same at every seed.
        seed: Over seeds of what is the same for every user.
        both: Of the rest.
        steps: True: differences of two recalls of two test items, 0, a half or 1 each; ``user``
            and ``seed`` then move the logit of a hit.
    """

    name: str
    user: float
    seed: float
    both: float
    steps: bool = False


SCENES = (
    Scene("typical study", 0.10, 0.005, 0.15),
    Scene("users alone", 0.15, 0.0, 0.0),
    Scene("residual alone", 0.0, 0.0, 0.15),
    Scene("seeds small", 0.10, 0.002, 0.15),
    Scene("seeds large", 0.05, 0.02, 0.10),
    Scene("seeds alone", 0.0, 0.01, 0.0),
    Scene("recall in steps", 1.0, 0.05, 0.0, steps=True),
    Scene("recall in steps, seeds large", 0.5, 0.30, 0.0, steps=True),
)


def differences(
    scene: Scene, n: int, s: int, data_sets: int, rng: np.random.Generator, effect: float = 0.0
) -> np.ndarray:
    """[data_sets, n, s] differences whose expectation is ``effect`` (for steps: about that)."""
    if not scene.steps:
        d = scene.both * rng.standard_normal((data_sets, n, s))
        d += scene.user * rng.standard_normal((data_sets, n, 1))
        d += scene.seed * rng.standard_normal((data_sets, 1, s))
        return d + effect
    # Users differ in how easy they are, and each arm of each user and seed draws two test items.
    easy = np.log(BASE / (1 - BASE)) + scene.user * rng.standard_normal((data_sets, n, 1))
    arms = []
    for shift in (effect / (BASE * (1 - BASE)), 0.0):
        logit = (
            easy
            + shift
            + 0.5 * scene.user * rng.standard_normal((data_sets, n, 1))
            + scene.seed * rng.standard_normal((data_sets, 1, s))
        )
        arms.append(rng.binomial(2, 1 / (1 + np.exp(-logit))) / 2)
    return np.asarray(arms[0] - arms[1])


def true_mean(scene: Scene, effect: float) -> float:
    """Expectation of a difference; for steps by a large simulation of users and seeds."""
    if not scene.steps:
        return effect
    rng = np.random.default_rng([11, round(1e6 * effect)])
    size = 4_000_000
    logit = np.log(BASE / (1 - BASE)) + rng.standard_normal(size) * np.sqrt(
        1.25 * scene.user**2 + scene.seed**2
    )
    shift = effect / (BASE * (1 - BASE))
    return float((1 / (1 + np.exp(-logit - shift)) - 1 / (1 + np.exp(-logit))).mean())


@dataclass(frozen=True)
class Rates:
    """Counts out of ``data_sets`` of one cell.

    Attributes:
        rejected: p < .05 under no difference, by the crossed interval.
        paired_t: The same by a paired t test over users of the mean over seeds.
        one_seed: The same by a paired t test over users of one trained pair.
        added: The same with SE^2 = s_seed^2 / S + s_user^2 / n, which counts the interaction twice.
        covered: The 95 % interval holds the true difference, which is not zero.
        equal: Margin -> the 90 % interval lies inside it under no difference.
    """

    data_sets: int
    rejected: int
    paired_t: int
    one_seed: int
    added: int
    covered: int
    equal: dict[float, int]


def cell(scene: Scene, n: int, s: int, data_sets: int, seed: int) -> Rates:
    """Simulates one scene at one size, in blocks that fit into memory."""
    rng = np.random.default_rng([seed, n, s, *scene.name.encode()])
    effect = 0.02
    truth = true_mean(scene, effect)
    counts = np.zeros(5, dtype=int)
    equal = dict.fromkeys(DELTAS, 0)
    block = max(1, 4_000_000 // (n * s))
    for start in range(0, data_sets, block):
        size = min(block, data_sets - start)
        null = differences(scene, n, s, size, rng)
        found = crossed_mean(null)
        se = np.where(found.se > 0, found.se, np.inf)
        p = 2 * stats.t.sf(np.abs(found.mean) / se, found.df)
        by_user, by_seed = null.mean(axis=2), null.mean(axis=1)
        added = by_seed.var(axis=1, ddof=1) / s + by_user.var(axis=1, ddof=1) / n
        p_added = 2 * stats.t.sf(np.abs(found.mean) / np.sqrt(np.maximum(added, 1e-30)), s - 1)
        moved = differences(scene, n, s, size, rng, effect)
        other = crossed_mean(moved)
        half = stats.t.ppf(0.975, other.df) * other.se
        counts += [
            int((p < 0.05).sum()),
            _paired(by_user),
            _paired(null[:, :, 0]),
            int((p_added < 0.05).sum()),
            int((np.abs(other.mean - truth) <= half).sum()),
        ]
        widest = np.abs(found.mean) + stats.t.ppf(0.95, found.df) * found.se
        for delta in DELTAS:
            equal[delta] += int((widest < delta * BASE).sum())
    return Rates(data_sets, *map(int, counts), equal=equal)


def _paired(d: np.ndarray) -> int:
    """Rejections of a t test over users, [data_sets, n]."""
    spread = d.std(axis=1, ddof=1)
    t = np.abs(d.mean(axis=1)) / np.where(spread > 0, spread / np.sqrt(d.shape[1]), np.inf)
    return int((2 * stats.t.sf(t, d.shape[1] - 1) < 0.05).sum())


@dataclass(frozen=True)
class FamilyRates:
    """Data sets in which anything of a family is wrongly found, under no difference at all."""

    data_sets: int
    plain: int
    adjusted: int
    states: int


def family(
    size: int, n: int, s: int, data_sets: int, seed: int, delta: float = 0.05
) -> FamilyRates:
    """Comparisons of one real arm with ``size`` others, three a recommender, as in a study.

    Arms of a recommender share users and the real arm, so their differences correlate by a half.
    """
    rng = np.random.default_rng([seed, size, n, s])
    scene = SCENES[0]
    plain = adjusted = states = 0
    block = max(1, 1_500_000 // (n * s))
    for start in range(0, data_sets, block):
        rows = min(block, data_sets - start)
        p = np.empty((rows, size))
        large = np.empty((rows, size), dtype=bool)
        for first in range(0, size, 3):
            real = differences(scene, n, s, rows, rng) / np.sqrt(2)
            for k in range(first, min(first + 3, size)):
                other = differences(scene, n, s, rows, rng) / np.sqrt(2)
                found = crossed_mean(real - other)
                p[:, k] = 2 * stats.t.sf(np.abs(found.mean) / found.se, found.df)
                large[:, k] = np.abs(found.mean) >= delta * BASE
        corrected = np.array([holm(row) for row in p])
        plain += int((p < 0.05).any(axis=1).sum())
        adjusted += int((corrected < 0.05).any(axis=1).sum())
        states += int(((corrected < 0.05) & large).any(axis=1).sum())
    return FamilyRates(data_sets, plain, adjusted, states)


def rate(k: int, n: int) -> str:
    """A share in percent with its exact binomial interval."""
    interval = stats.binomtest(k, n).proportion_ci(0.95, "exact")
    return f"{100 * k / n:.1f} [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


def main() -> None:
    """Runs the grid and writes the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-sets", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("docs/simulation.md"))
    options = parser.parse_args()
    started = time.time()
    work = sum(n * s for n, s in SIZES) * len(SCENES) * options.data_sets
    print(f"About {work / 6e6 / 60:.0f} minutes.", flush=True)
    lines = [
        "| scene | users | seeds | no difference: p < .05 | true difference covered | equal at 2 % "
        "| at 5 % | at 10 % | users only, mean of seeds | users only, one seed | chance added |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for scene in SCENES:
        for n, s in SIZES:
            r = cell(scene, n, s, options.data_sets, options.seed)
            values = [rate(k, r.data_sets) for k in (r.rejected, r.covered, *r.equal.values())]
            values += [f"{100 * k / r.data_sets:.1f}" for k in (r.paired_t, r.one_seed, r.added)]
            lines.append(f"| {scene.name} | {n:,} | {s} | " + " | ".join(values) + " |")
            print(lines[-1], flush=True)
    families = [
        "| comparisons | users | seeds | unadjusted | Holm | Holm and 5 % |",
        "|" + "---|" * 6,
    ]
    for size in (3, 6, 18):
        for n, s in ((100, 5), (500, 5), (500, 10)):
            f = family(size, n, s, options.data_sets, options.seed)
            values = [rate(k, f.data_sets) for k in (f.plain, f.adjusted, f.states)]
            families.append(f"| {size} | {n} | {s} | " + " | ".join(values) + " |")
            print(families[-1], flush=True)
    text = options.out.read_text("utf-8") if options.out.is_file() else "\n<!-- tables -->\n"
    head = text.partition("<!-- tables -->")[0]
    minutes = (time.time() - started) / 60
    body = "\n".join(
        [
            f"{options.data_sets:,} data sets a cell, seed {options.seed}, {minutes:.1f} minutes "
            "on one core. Percent, with exact 95 % binomial intervals.",
            "",
            "## One comparison",
            "",
            *lines,
            "",
            "## Any false finding in a family, where nothing differs",
            "",
            *families,
            "",
        ]
    )
    options.out.write_text(f"{head}<!-- tables -->\n\n{body}", "utf-8")


if __name__ == "__main__":
    main()
