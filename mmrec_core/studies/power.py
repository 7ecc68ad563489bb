"""How many seeds or users would decide what a study left undecided."""

from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.metrics.power import (
    MOST_SEEDS,
    MOST_USERS_TIMES,
    WANTED,
    decision_power,
    needed_for_power,
)
from mmrec_core.metrics.significance import Effect
from mmrec_core.studies.evidence import Pair
from mmrec_core.studies.results import StudyResult
from mmrec_core.studies.stored import primary_effects

DECIDING = ("used", "gained", "without_content")
POWER_COLUMNS = (
    "recommender", "modality", "kind", "state", "axis", "n", "power", "now", "test", "needed",
    "smallest_delta", "metric", "delta",
)  # fmt: skip
_MOST_SHOWN = 60


def power_table(result: StudyResult) -> pd.DataFrame:
    """Chance of a decision against seeds and against users, for every comparison of a verdict.

    Args:
        result: A study with two seeds or more.

    Returns:
        POWER_COLUMNS, one row a comparison, axis (``seeds`` or ``users``) and size n. ``now`` marks
        the study's own size; ``test`` is ``difference`` where the effect is at least δ, else
        ``equality``; ``needed`` is the size at which the chance reaches 80 %, NaN where that is out
        of reach (more than 200 seeds, or 20 times the users); ``smallest_delta`` the smallest
        margin that this study could have decided. Without a second seed the table is empty.
    """
    states = {
        (row.recommender, row.modality, row.kind): row.state
        for row in result.comparisons.query("metric == @result.study['metric']").itertuples()
    }
    found = {
        pair: effect
        for pair, effect in primary_effects(result).items()
        if pair.kind in DECIDING and not effect.users_only and effect.relative is not None
    }
    sizes = {kind: sum(pair.kind == kind for pair in found) for kind in DECIDING}
    rows = [
        row | {"state": states.get((pair.recommender, pair.modality, pair.kind))}
        for pair, effect in found.items()
        for row in _rows(pair, effect, result, 0.05 / max(1, sizes[pair.kind]))
    ]
    return pd.DataFrame(rows, columns=list(POWER_COLUMNS))


def _rows(pair: Pair, effect: Effect, result: StudyResult, alpha: float) -> list[dict[str, Any]]:
    delta = float(result.study["delta"])
    n, s = effect.n_users, effect.seeds
    most = needed_for_power(effect, delta, alpha)
    # To the same end for all comparisons, so that their lines can be compared.
    seeds = np.arange(2, min(MOST_SEEDS, max(20, 4 * s)) + 1)
    shown = np.round(np.geomspace(max(10, n / 10), n * MOST_USERS_TIMES, _MOST_SHOWN)).astype(int)
    seeds = np.unique([*seeds[:: max(1, len(seeds) // _MOST_SHOWN)], s])
    users = np.unique([*shown, n])
    rows: list[dict[str, Any]] = []
    for axis, sizes, now, need, chance in (
        (
            "seeds",
            seeds,
            s,
            most.seeds,
            decision_power(effect, delta, np.full(len(seeds), n), seeds, alpha),
        ),
        (
            "users",
            users,
            n,
            most.users,
            decision_power(effect, delta, users, np.full(len(users), s), alpha),
        ),
    ):
        rows += [
            {
                "recommender": pair.recommender,
                "modality": pair.modality,
                "kind": pair.kind,
                "axis": axis,
                "n": int(size),
                "power": float(power),
                "now": bool(size == now),
                "test": ("difference" if abs(effect.relative or 0.0) >= delta else "equality"),
                "needed": np.nan if need is None else float(need),
                "smallest_delta": effect.half_width,
                "metric": result.study["metric"],
                "delta": delta,
            }
            for size, power in zip(sizes, chance, strict=True)
        ]
    return rows


def power_sentences(table: pd.DataFrame) -> list[tuple[str, str, str, str]]:
    """What would decide each undecided comparison: (recommender, modality, kind, sentence)."""
    said = []
    keys = ["recommender", "modality", "kind"]
    for key, own in table[table["state"] == "undecided"].groupby(keys, sort=False):
        now = {str(row["axis"]): row for row in own[own["now"]].to_dict("records")}
        chance, delta = now["seeds"]["power"], now["seeds"]["delta"]
        difference = now["seeds"]["test"] == "difference"
        what = "a difference of at least" if difference else "equality within ±"
        ways = [
            f"about {_about(int(row['needed'])):,} {axis} instead of {row['n']:,}"
            for axis, row in now.items()
            if np.isfinite(row["needed"])
        ]
        smallest = own["smallest_delta"].iloc[0]
        would = (
            f"{' or '.join(ways)} would with {WANTED:.0%}"
            if ways
            else f"neither {MOST_SEEDS} seeds nor {MOST_USERS_TIMES} times the users would with "
            f"{WANTED:.0%}"
        )
        text = (
            f"If the true effect is the one measured, a study of this size decides it ({what} "
            f"{100 * delta:g} %) with a chance of {chance:.0%}; {would}. The smallest margin that "
            f"it could have decided is ± {100 * smallest:.1f} %."
        )
        recommender, modality, kind = (str(part) for part in key)
        said.append((recommender, modality, kind, text))
    return said


def _about(n: int) -> int:
    """Two digits: more would pretend to know."""
    step = 10 ** max(0, len(str(n)) - 2)
    return -(-n // step) * step
