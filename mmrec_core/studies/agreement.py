"""How much the lists of two arms agree, and for whom they differ most."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.domain import InputError
from mmrec_core.metrics.agreement import AGREEMENT
from mmrec_core.metrics.significance import crossed_mean
from mmrec_core.studies.evidence import Runs, side_by_side
from mmrec_core.studies.study import Arm

AGREEMENT_COLUMNS = ("arm_a", "arm_b", "measure", "value", "low", "high", "k", "n_users", "seeds")


def lists_of(runs: Runs, arm: Arm, k: int) -> list[np.ndarray]:
    """The first k items of every user's list, one array [n_users, k] a seed.

    Raises:
        InputError: The lists are shorter.
    """
    lists = [np.asarray(run.array("lists")) for run in runs[arm]]
    if any(own.shape[1] < k for own in lists):
        raise InputError(f"The lists of {arm.label} hold {lists[0].shape[1]} items, not {k}.")
    return [own[:, :k] for own in lists]


def user_agreement(runs: Runs, first: Arm, second: Arm, measure: str, k: int) -> np.ndarray:
    """Agreement of two arms for every user, [n_users, seeds]; the same seed in both."""
    if measure not in AGREEMENT:
        raise InputError(f"There is no measure {measure!r}. Known: {', '.join(AGREEMENT)}.")
    one, other = lists_of(runs, first, k), lists_of(runs, second, k)
    seeds = max(len(one), len(other))
    one, other = (own * seeds if len(own) == 1 else own for own in (one, other))
    return side_by_side([AGREEMENT[measure](a, b) for a, b in zip(one, other, strict=True)], seeds)


def agreement_table(
    runs: Runs, arms: Sequence[Arm], measures: Sequence[str] = ("overlap",), k: int = 20
) -> pd.DataFrame:
    """Mean agreement of every pair of arms, with 95 % intervals over users and seeds.

    Args:
        runs: Arm -> its runs.
        arms: Two or more.
        measures: Names in AGREEMENT.
        k: Length of the lists.

    Returns:
        AGREEMENT_COLUMNS, one row a pair and measure. Beside it belongs what two trainings of the
        *same* arm agree, ``same_arm_agreement``: below that, lists differ by chance alone.
    """
    rows: list[dict[str, Any]] = []
    for measure in measures:
        for first, second in combinations(arms, 2):
            values = user_agreement(runs, first, second, measure, k)
            values = values[~np.isnan(values).any(axis=1)]
            if len(values) < 2:
                continue
            crossed = crossed_mean(values)
            low, high = map(float, crossed.interval())
            rows.append(
                {
                    "arm_a": first.label, "arm_b": second.label, "measure": measure,
                    "value": float(crossed.mean), "low": low, "high": high, "k": k,
                    "n_users": len(values), "seeds": values.shape[1],
                }
            )  # fmt: skip
    return pd.DataFrame(rows, columns=list(AGREEMENT_COLUMNS))


def same_arm_agreement(runs: Runs, arm: Arm, measure: str, k: int = 20) -> float:
    """Mean agreement of two trainings of one arm with different seeds; NaN with one seed."""
    lists = lists_of(runs, arm, k)
    if len(lists) < 2:
        return float("nan")
    return float(np.mean([np.nanmean(AGREEMENT[measure](a, b)) for a, b in combinations(lists, 2)]))


def most_different(
    runs: Runs,
    first: Arm,
    second: Arm,
    metric: Mapping[Arm, np.ndarray],
    measure: str,
    k: int,
) -> pd.DataFrame:
    """All users, those whose lists differ most first.

    Args:
        runs: Arm -> its runs.
        first: An arm.
        second: Another.
        metric: The study's metric for every user, arm -> [n_users, seeds].
        measure: A name in AGREEMENT.
        k: Length of the lists.

    Returns:
        ``user`` (row of the split), ``agreement`` (mean over seeds), ``first`` and ``second``
        (the metric, mean over seeds; NaN without a relevant test item).
    """
    values = user_agreement(runs, first, second, measure, k)
    table = pd.DataFrame(
        {
            "user": np.arange(len(values)),
            "agreement": values.mean(axis=1),
            "first": metric[first].mean(axis=1),
            "second": metric[second].mean(axis=1),
        }
    )
    return table.sort_values(["agreement", "user"], kind="stable", ignore_index=True)
