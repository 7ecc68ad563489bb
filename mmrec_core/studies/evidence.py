"""From finished runs to tables: comparisons, arms, curves, verdicts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.extractors.input_controls import REMOVED, SHUFFLED
from mmrec_core.metrics.significance import Effect, compare, crossed_mean
from mmrec_core.recommenders import RECOMMENDERS
from mmrec_core.store import Artefact
from mmrec_core.studies.runs import curve_of, metric_column, per_user_metric
from mmrec_core.studies.study import Arm, Study, input_scopes, scopes
from mmrec_core.studies.verdict import FAMILIES, Comparison, Verdict, decide

Runs = Mapping[Arm, Sequence[Artefact]]
"""Arm -> its runs in the order of the study's seeds; one run for models without chance."""


COMPARISON_COLUMNS = (
    "recommender", "modality", "kind", "arm", "base", "metric", "effect", "relative", "low", "high",
    "relative_low", "relative_high", "base_mean", "p", "p_adjusted", "state", "smallest_delta",
    "n_users", "seeds",
)  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """Two arms of a study that are compared: ``arm`` minus ``base``.

    Attributes:
        kind: ``used``, ``gained``, ``without_content``, ``missingness`` (see verdict.py);
            ``over_backbone``; or ``over_CONTROL`` for a control outside the verdict.
    """

    recommender: str
    modality: str
    kind: str
    arm: Arm
    base: Arm


def pairs_of(study: Study, arms: Sequence[Arm]) -> list[Pair]:
    """Every comparison that the arms of a study allow, in the order of the screen."""
    present = set(arms)
    pairs: list[Pair] = []
    for name in study.recommenders:
        real = Arm(name, "none", "real")
        for scope in (*scopes(study.modalities), *input_scopes(study)):

            def arm(control: str, name: str = name, scope: str = scope) -> Arm:
                return Arm(name, scope, control)

            shuffled, mean = arm(SHUFFLED.get(scope, "shuffle")), arm("mean")
            removed = arm(REMOVED.get(scope, "removed"))
            candidates = [
                ("used", real, shuffled),
                ("gained", real, removed),
                ("without_content", shuffled, removed),
                ("missingness", shuffled, mean),
                *(
                    (f"over_{control}", real, arm(control))
                    for control in study.controls
                    if control not in ("real", shuffled.control, removed.control)
                ),
            ]
            pairs += [
                Pair(name, scope, kind, first, base)
                for kind, first, base in candidates
                if {first, base} <= present
            ]
        # Lists made elsewhere may come from a model that is none of ours.
        backbone = RECOMMENDERS.get(name).backbone if name in RECOMMENDERS else None
        if backbone is not None and Arm(backbone, "none", "none") in present:
            pairs.append(Pair(name, "all", "over_backbone", real, Arm(backbone, "none", "none")))
    return pairs


def metric_of(runs: Sequence[Artefact], metric: str, seeds: int) -> np.ndarray:
    """One metric of an arm, [n_users, seeds]."""
    return reader_of(runs, seeds)(metric)


def reader_of(runs: Sequence[Artefact], seeds: int) -> Callable[[str], np.ndarray]:
    """``metric_of`` for many metrics: each file is opened once, and held while they are read."""
    opened = [(run.facts["metrics"], run.array("metrics")) for run in runs]

    def read(metric: str) -> np.ndarray:
        return side_by_side([metric_column(*own, metric) for own in opened], seeds)

    return read


def side_by_side(columns: Sequence[np.ndarray], seeds: int) -> np.ndarray:
    """Values of each run [n_users] as [n_users, seeds]; an arm without chance repeats its one."""
    return np.stack(list(columns) * (seeds if len(columns) == 1 else 1), axis=1)


def effects(study: Study, runs: Runs, metrics: Sequence[str]) -> dict[tuple[Pair, str], Effect]:
    """Every comparison at every metric."""
    found = {}
    pairs = pairs_of(study, list(runs))
    for pair in pairs:
        arm, base = (reader_of(runs[own], study.seeds) for own in (pair.arm, pair.base))
        for metric in metrics:
            found[pair, metric] = compare(arm(metric), base(metric), study.delta)
    return {(pair, metric): found[pair, metric] for metric in metrics for pair in pairs}


def verdicts_of(
    study: Study,
    runs: Runs,
    found: Mapping[tuple[Pair, str], Effect],
    tuned: bool | None,
) -> list[Verdict]:
    """Verdicts at the primary metric; ``tuned`` is None where nobody here knows."""
    comparisons = []
    for (pair, metric), effect in found.items():
        if metric == study.metric and pair.kind in FAMILIES:
            unconverged = any(
                run.facts["converged"] is False
                for arm in (pair.arm, pair.base)
                for run in runs[arm]
            )
            comparisons.append(
                Comparison(
                    recommender=pair.recommender,
                    modality=pair.modality,
                    kind=pair.kind,  # type: ignore[arg-type]
                    effect=effect,
                    problems=("not_converged",) if unconverged else (),
                )
            )
    return decide(
        comparisons,
        study.delta,
        metric=study.metric,
        stage=study.stage,
        tuned=tuned,
    )


def comparison_table(
    study: Study, found: Mapping[tuple[Pair, str], Effect], verdicts: Sequence[Verdict]
) -> pd.DataFrame:
    """One row a comparison and metric; adjusted p and state where the verdict rests on it."""
    judged = {
        (v.recommender, v.modality, kind): part
        for v in verdicts
        for kind, part in (
            ("used", v.used),
            ("gained", v.gained),
            ("without_content", v.without_content),
            ("missingness", v.missingness),
        )
        if part is not None
    }
    rows = []
    for (pair, metric), effect in found.items():
        own = judged.get((pair.recommender, pair.modality, pair.kind))
        own = own if metric == study.metric else None
        rows.append(
            {
                "recommender": pair.recommender,
                "modality": pair.modality,
                "kind": pair.kind,
                "arm": pair.arm.label,
                "base": pair.base.label,
                "metric": metric,
                "effect": effect.effect,
                "relative": effect.relative,
                "low": effect.low,
                "high": effect.high,
                "relative_low": effect.as_relative(effect.low),
                "relative_high": effect.as_relative(effect.high),
                "base_mean": effect.base_mean,
                "p": effect.p,
                "p_adjusted": own.p_adjusted if own else None,
                "state": own.state if own else None,
                "smallest_delta": effect.half_width,
                "n_users": effect.n_users,
                "seeds": effect.seeds,
            }
        )
    numbers = ["relative", "relative_low", "relative_high", "p_adjusted", "smallest_delta"]
    return pd.DataFrame(rows, columns=list(COMPARISON_COLUMNS)).astype(
        dict.fromkeys(numbers, float)
    )


def arm_table(study: Study, runs: Runs, metrics: Sequence[str]) -> pd.DataFrame:
    """One row an arm: every metric with its 95 % interval, list qualities, cost."""
    rows = []
    for arm, own in runs.items():
        row: dict[str, Any] = {
            "arm": arm.label,
            "recommender": arm.recommender,
            "modality": arm.modality,
            "control": arm.control,
            "seeds": len(own),
        }
        read = reader_of(own, max(1, len(own)))
        for metric in metrics:
            values = read(metric)
            values = values[~np.isnan(values).any(axis=1)]
            crossed = crossed_mean(values)
            low, high = map(float, crossed.interval())
            row |= {metric: float(crossed.mean), f"{metric}_low": low, f"{metric}_high": high}
            row["n_users"] = len(values)
        for quality in own[0].facts["qualities"]:
            row[quality] = float(np.mean([run.facts["qualities"][quality] for run in own]))
        # None where a list was made elsewhere: nobody here knows.
        row["seconds"] = _mean_of(own, "seconds")
        memory = [run.facts.get("peak_memory_mib", np.nan) for run in own]
        row["peak_memory_mib"] = float(np.max(memory))  # not known of runs from before it was kept
        for modality in own[0].facts.get("moved", {}):  # of arms whose features were trained
            by = [run.facts["moved"][modality] for run in own]
            row[f"moved_{modality}"] = float(np.mean(by))
        row["best_epoch"] = _mean_of(own, "best_epoch")
        said = [run.facts["converged"] for run in own]
        row["converged"] = None if None in said and False not in said else all(said)
        rows.append(row)
    return pd.DataFrame(rows)


def _mean_of(runs: Sequence[Artefact], fact: str) -> float:
    values = [run.facts[fact] for run in runs]
    return float(np.mean([np.nan if value is None else value for value in values]))


def curve_table(runs: Runs) -> pd.DataFrame:
    """Learning curves of all arms: arm, seed, epoch, loss, recall@20 on validation."""
    frames = [
        curve_of(run).assign(arm=arm.label, seed=int(run.spec["seed"]))
        for arm, own in runs.items()
        for run in own
    ]
    frames = [frame for frame in frames if len(frame)]
    columns = ["arm", "seed", "epoch", "loss", "recall@20"]
    return pd.concat(frames)[columns] if frames else pd.DataFrame(columns=columns)


def per_user_table(study: Study, runs: Runs) -> pd.DataFrame:
    """The primary metric of every user: one column an arm and seed (``arm|seed``)."""
    return pd.DataFrame(
        {
            f"{arm.label}|{run.spec['seed']}": per_user_metric(run, study.metric).astype(np.float32)
            for arm, own in runs.items()
            for run in own
        }
    )
