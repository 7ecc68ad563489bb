"""Known-truth calibration: how often the instrument is wrong, and what it can find.

Studies run on fresh worlds, whose users' tastes are planted by us in the pictures, the words,
both, or neither. A comparison that is *above* for a modality that was not planted is a false
alarm; a planted modality that is not found is a miss. Generator seeds 1 to 9 tuned the defaults
and are refused here: the instrument would certify itself.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from mmrec_core.datasets.demo.fresh import FreshWorld
from mmrec_core.datasets.demo.worlds import WORLDS
from mmrec_core.domain import InputError
from mmrec_core.metrics.significance import compare
from mmrec_core.recommenders import RECOMMENDERS
from mmrec_core.store import Artefact, store
from mmrec_core.studies.inputs import load_inputs, resolved
from mmrec_core.studies.results import StudyResult
from mmrec_core.studies.runner import StudyProgress, finished_study, run_study
from mmrec_core.studies.runs import find_run, per_user_metric, train_runs
from mmrec_core.studies.study import Arm, Study, arms_of, first_problem, make_study

KIND = "calibration"
VERSION = 1
CONTROLS = {"used": "shuffle", "gained": "removed"}
"""Comparison -> the control that it is made with."""

FOUND = 0.8
"""A strength counts as found where at least this share of the planted cases is."""


class Calibration(BaseModel):
    """Which worlds are made and which models are judged on them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recommenders: tuple[str, ...] = Field(("vbpr", "freedom"), min_length=1)
    worlds: tuple[str, ...] = Field(WORLDS, min_length=1)
    strengths: tuple[int, ...] = Field((50, 100), min_length=1, description="Percent of shipped")
    generator_seeds: tuple[int, ...] = Field((101, 102), min_length=1)
    seeds: int = Field(5, ge=5, le=50, description="Trainings of every arm")
    metric: str = "recall@20"
    delta: float = Field(0.05, gt=0, lt=1)

    @field_validator("worlds")
    @classmethod
    def _known(cls, worlds: tuple[str, ...]) -> tuple[str, ...]:
        for world in worlds:
            if world not in WORLDS:
                raise ValueError(f"there is no world {world!r}; choose from {', '.join(WORLDS)}")
        return worlds

    @field_validator("strengths")
    @classmethod
    def _percent(cls, strengths: tuple[int, ...]) -> tuple[int, ...]:
        if not all(1 <= s <= 999 for s in strengths):
            raise ValueError("strengths are percent, 1 to 999")
        return tuple(sorted(set(strengths)))

    @field_validator("generator_seeds")
    @classmethod
    def _not_tuned_on(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if not all(10 <= s <= 999_999 for s in seeds):
            raise ValueError(
                "generator seeds below 10 tuned the defaults and cannot certify them; use 10 to "
                "999999"
            )
        return tuple(dict.fromkeys(seeds))

    @property
    def cells(self) -> list[FreshWorld]:
        """Every world to be studied.

        One generator seed after the other: what is done of an interrupted calibration is balanced.
        """
        return [
            FreshWorld(world, seed, percent)
            for seed in self.generator_seeds
            for world in self.worlds
            for percent in (self.strengths if world != "neither" else (100,))
        ]

    def study(self, cell: FreshWorld) -> Study:
        """The study of one world."""
        return make_study(
            {
                "dataset": cell.name,
                "recommenders": self.recommenders,
                "references": (),
                "controls": tuple(CONTROLS.values()),
                "seeds": self.seeds,
                "metric": self.metric,
                "delta": self.delta,
            }
        )


def make_calibration(values: dict[str, Any]) -> Calibration:
    """A calibration from plain values.

    Raises:
        InputError: A value is wrong; the sentence names the field.
    """
    try:
        made = Calibration.model_validate(values)
    except ValidationError as error:
        raise InputError(f"The calibration is not valid: {first_problem(error)}") from None
    made.study(made.cells[0])
    return made


@dataclass(frozen=True)
class CalibrationPlan:
    """What a calibration will cost."""

    worlds: int
    done: int
    runs: int
    minutes: float


def plan_calibration(calibration: Calibration) -> CalibrationPlan:
    """Counts what is left and reckons minutes from the first world that is."""
    from mmrec_core.studies.plan import plan_study

    studies = [calibration.study(cell) for cell in calibration.cells]
    left = [study for study in studies if finished_study(study) is None]
    plans = [plan_study(study) for study in left[:1]]
    minutes = sum(plan.minutes for plan in plans) * len(left)
    runs = sum(plan.runs for plan in plans) * len(left)
    return CalibrationPlan(len(studies), len(studies) - len(left), runs, minutes)


def run_calibration(
    calibration: Calibration,
    report: Callable[[StudyProgress], None] | None = None,
    workers: int | None = None,
) -> Artefact:
    """Studies every world and stores the table; finished worlds are not studied again.

    The artefact holds the tables ``cells`` (one row a world, recommender and modality) and
    ``same_arm`` (A/A: real against real, trained anew with other seeds, on *neither* worlds).
    Runs of a world are removed once its study is stored.
    """
    report = report or (lambda progress: None)
    cells = calibration.cells
    rows: list[dict[str, Any]] = []
    same: list[dict[str, Any]] = []
    keys: list[str] = []
    for number, cell in enumerate(cells):
        study = calibration.study(cell)

        def told(progress: StudyProgress, number: int = number, cell: FreshWorld = cell) -> None:
            report(
                StudyProgress(
                    (number + progress.fraction) / len(cells),
                    number,
                    len(cells),
                    f"{cell.name}: {progress.what}",
                )
            )

        artefact = finished_study(study) or run_study(study, told, workers)
        keys.append(artefact.key)
        rows += list(_judged(calibration, cell, StudyResult(artefact)))
        if cell.world == "neither":
            same += _same_arm(calibration, cell)
        _forget_runs(study)
    spec = {"version": VERSION, "calibration": calibration.model_dump(mode="json"), "studies": keys}

    def write(folder: Any) -> dict[str, Any]:
        pd.DataFrame(rows).to_parquet(folder / "cells.parquet")
        pd.DataFrame(same, columns=_SAME).to_parquet(folder / "same_arm.parquet")
        return {
            "recommenders": list(calibration.recommenders),
            "worlds": len(cells),
            "configs": _configs(calibration.recommenders),
        }

    return store().put(KIND, spec, write)


def _judged(
    calibration: Calibration, cell: FreshWorld, result: StudyResult
) -> Iterator[dict[str, Any]]:
    for verdict in result.verdicts:
        row = {
            "world": cell.world,
            "strength": cell.percent,
            "generator_seed": cell.seed,
            "recommender": verdict["recommender"],
            "modality": verdict["modality"],
            "planted": cell.planted[verdict["modality"]],
            "verdict": verdict["verdict"],
            "study": result.key,
        }
        for kind in CONTROLS:
            part = verdict[kind] or {}
            row |= {kind: part.get("state"), f"{kind}_relative": part.get("relative")}
        yield row


_SAME = ["generator_seed", "recommender", "relative", "p", "state"]


def _same_arm(calibration: Calibration, cell: FreshWorld) -> list[dict[str, Any]]:
    """A/A: the real arm against itself with other training seeds; nothing differs but chance."""
    from mmrec_core.studies.verdict import state_of

    study = resolved(calibration.study(cell))
    spec = {"version": VERSION, "cell": cell.name, "study": study.model_dump(mode="json")}
    spec["configs"] = _configs(calibration.recommenders)

    def write(folder: Any) -> dict[str, Any]:
        inputs = load_inputs(study)
        rows = []
        for name in study.recommenders:
            arm, seeds = Arm(name, "none", "real"), study.seed_list
            others = [seed + study.seeds for seed in seeds]
            first, second = (
                np.stack(
                    [
                        per_user_metric(run, study.metric)
                        for run in train_runs(study, inputs, arm, own)
                    ],
                    axis=1,
                )
                for own in (seeds, others)
            )
            for seed in others:
                run = find_run(study, inputs, arm, seed)
                if run is not None:
                    store().delete(run.kind, run.key)
            effect = compare(first, second, study.delta)
            rows.append(
                (
                    cell.seed,
                    name,
                    effect.relative,
                    effect.p,
                    state_of(effect, effect.p, study.delta),
                )
            )
        pd.DataFrame(rows, columns=_SAME).to_parquet(folder / "same.parquet")
        return {}

    records: list[dict[str, Any]] = (
        store().put("same-arm", spec, write).table("same").to_dict("records")  # type: ignore[assignment]
    )
    return records


def _forget_runs(study: Study) -> None:
    """Removes the runs of a finished study: a calibration would leave gigabytes."""
    study = resolved(study)
    inputs = load_inputs(study)
    for arm in arms_of(study, inputs.missing)[0]:
        for seed in study.seed_list:
            run = find_run(study, inputs, arm, seed)
            if run is not None and not run.shipped:
                store().delete(run.kind, run.key)


@lru_cache(maxsize=8)
def _defaults(name: str) -> dict[str, Any]:
    values: dict[str, Any] = RECOMMENDERS.get(name).Config().model_dump(mode="json")
    return values


def _configs(names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _defaults(name) for name in names}


def latest_calibration() -> Artefact | None:
    """The newest calibration of models as they are now, or None."""
    found = [
        artefact
        for artefact in store().list(KIND)
        if artefact.facts["configs"] == _configs(tuple(artefact.facts["recommenders"]))
    ]
    return max(found, key=lambda a: (a.facts["worlds"], a.meta["created"]), default=None)


def share(k: int, n: int) -> tuple[float, float]:
    """Exact 95 % interval of a share (Clopper and Pearson, Biometrika 1934)."""
    from scipy import stats

    interval = stats.binomtest(k, n).proportion_ci(0.95, "exact")
    return float(interval.low), float(interval.high)


def summary(cells: pd.DataFrame) -> pd.DataFrame:
    """False alarms and power with exact intervals.

    Args:
        cells: Table ``cells`` of a calibration.

    Returns:
        ``recommender``, ``comparison``, ``control``, ``case`` (``not planted`` or ``planted``),
        ``strength`` (percent; 0 where nothing is planted), ``above``, ``cases``, ``share``,
        ``low``, ``high``. A false alarm is *above* where nothing was planted.
    """
    rows = []
    for name, own in cells.groupby("recommender", sort=False):
        for comparison, control in CONTROLS.items():
            above = own[comparison] == "above"
            groups = [("not planted", 0, ~own["planted"])]
            groups += [
                ("planted", int(strength), own["planted"] & (own["strength"] == strength))
                for strength in sorted(own["strength"].unique())
            ]
            for case, strength, mask in groups:
                n, k = int(mask.sum()), int((above & mask).sum())
                if n:
                    low, high = share(k, n)
                    rows.append((name, comparison, control, case, strength, k, n, k / n, low, high))
    return pd.DataFrame(
        rows,
        columns=[
            "recommender", "comparison", "control", "case", "strength", "above", "cases", "share",
            "low", "high",
        ],
    )  # fmt: skip


def smallest_found(table: pd.DataFrame) -> dict[tuple[str, str], int | None]:
    """(recommender, comparison) -> smallest strength at which at least FOUND of the cases are.

    Args:
        table: As of :func:`summary`.
    """
    planted = table[table["case"] == "planted"]
    return {
        (str(name), str(comparison)): min(
            (int(s) for s in own.loc[own["share"] >= FOUND, "strength"]), default=None
        )
        for (name, comparison), own in planted.groupby(["recommender", "comparison"], sort=False)
    }
