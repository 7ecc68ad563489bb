"""Two studies side by side: the same users, the same seeds, other features or settings."""

from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.domain import InputError
from mmrec_core.metrics.significance import compare, holm
from mmrec_core.studies.results import StudyResult
from mmrec_core.studies.stored import arms_by_label
from mmrec_core.studies.verdict import MINIMUM_SEEDS, state_of

PAIRED_COLUMNS = (
    "arm", "first", "second", "effect", "relative", "low", "high", "relative_low",
    "relative_high", "p", "p_adjusted", "state", "n_users", "seeds", "metric",
)  # fmt: skip


def why_not_paired(first: StudyResult, second: StudyResult) -> str:
    """Why users of two studies cannot be paired, as a clause; empty: they can."""
    if first.artefact.spec["inputs"]["split"] != second.artefact.spec["inputs"]["split"]:
        return "they divide the interactions differently, so their test items are not the same"
    if first.study["metric"] != second.study["metric"]:
        return (
            f"their metrics differ ({first.study['metric']}, {second.study['metric']}), and values "
            "of every user are kept for a study's own metric only"
        )
    if first.study["mask"] != second.study["mask"]:
        return "what they leave out of test rankings differs"
    if not _common_seeds(first, second):
        return "they have no seed in common"
    return ""


def cautions(first: StudyResult, second: StudyResult) -> list[str]:
    """What a reader of the comparison must know, as sentences."""
    said = []
    seeds = len(_common_seeds(first, second))
    if seeds == 1:
        said.append(
            "They have one seed in common: intervals hold users alone, and two trainings of the "
            "same arm would differ too."
        )
    elif seeds < MINIMUM_SEEDS:
        said.append(f"They have {seeds} seeds in common; {MINIMUM_SEEDS} are needed for a state.")
    if first.imported != second.imported:
        said.append(
            "One study's lists were made elsewhere: equal seeds there need not be equal draws, so "
            "pairing by seed may gain nothing."
        )
    if first.study.get("tuning") != second.study.get("tuning"):
        said.append(
            "The studies were tuned with different budgets: part of a difference may be the search."
        )
    if first.study["stage"] != second.study["stage"]:
        said.append("One study retrains with its controls, the other only scores with them.")
    if not first.imported and not second.imported:
        versions = [r.document["environment"] for r in (first, second)]
        if versions[0].get("torch") != versions[1].get("torch"):
            said.append("They were computed with different versions of torch.")
    return said


def paired_table(first: StudyResult, second: StudyResult) -> pd.DataFrame:
    """Every arm that both studies have, second minus first, paired by user and seed.

    Args:
        first: What is compared with.
        second: What is compared.

    Returns:
        PAIRED_COLUMNS, one row an arm in both: ``first`` and ``second`` are means over the users
        and seeds in common, relative changes are shares of the first's mean, p_adjusted is Holm
        over the rows, state by the first study's δ, None with fewer seeds in common than a verdict
        needs.

    Raises:
        InputError: Their users cannot be paired.
    """
    reason = why_not_paired(first, second)
    if reason:
        raise InputError(f"These two studies cannot be compared user by user: {reason}.")
    seeds = _common_seeds(first, second)
    metric, delta = first.study["metric"], float(first.study["delta"])
    one, other = (result.artefact.table("per_user") for result in (first, second))
    rows: list[dict[str, Any]] = []
    for label in arms_by_label(first):
        if label not in arms_by_label(second):
            continue
        a, b = _columns(one, label, seeds), _columns(other, label, seeds)
        effect = compare(b, a, delta)
        kept = ~np.isnan(a + b).any(axis=1)
        rows.append(
            {
                "arm": label,
                "first": float(a[kept].mean()),
                "second": float(b[kept].mean()),
                "effect": effect.effect,
                "relative": effect.relative,
                "low": effect.low,
                "high": effect.high,
                "relative_low": effect.as_relative(effect.low),
                "relative_high": effect.as_relative(effect.high),
                "p": effect.p,
                "p_adjusted": np.nan,
                "state": effect,
                "n_users": effect.n_users,
                "seeds": effect.seeds,
                "metric": metric,
            }
        )
    table = pd.DataFrame(rows, columns=list(PAIRED_COLUMNS))
    if len(table):
        table["p_adjusted"] = holm(table["p"].to_numpy(np.float64))
        table["state"] = [
            state_of(effect, p, delta) if effect.seeds >= MINIMUM_SEEDS else None
            for effect, p in zip(table["state"], table["p_adjusted"], strict=True)
        ]
    return table


def _common_seeds(first: StudyResult, second: StudyResult) -> list[int]:
    own = [
        set(range(r.study["first_seed"], r.study["first_seed"] + r.study["seeds"]))
        for r in (first, second)
    ]
    return sorted(own[0] & own[1])


def _columns(table: pd.DataFrame, label: str, seeds: list[int]) -> np.ndarray:
    """[n_users, seeds] of an arm; one without chance repeats its one run."""
    own = {c.rpartition("|")[2]: c for c in table.columns if c.rpartition("|")[0] == label}
    names = (
        [next(iter(own.values()))] * len(seeds) if len(own) == 1 else [own[str(s)] for s in seeds]
    )
    return table[names].to_numpy(dtype=np.float64)
