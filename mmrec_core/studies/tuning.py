"""The search of an arm's settings on the validation part, with the same budget for every arm.

Each arm of a comparison is tuned for itself, on its own features and controls: a control that kept
the settings of the real features would be handicapped. The test part is never looked at.
"""

import time
import warnings
from collections.abc import Sequence
from itertools import product
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mmrec_core.domain import Progress, canonical_json, no_progress
from mmrec_core.recommenders import RECOMMENDERS
from mmrec_core.recommenders.training import DivergedError
from mmrec_core.recommenders.validation import validation_recall
from mmrec_core.store import Artefact, store, write_array
from mmrec_core.studies.inputs import Inputs
from mmrec_core.studies.runs import SEARCH, arm_features, search_arm, search_spec
from mmrec_core.studies.study import Arm, Study, recommender_config, search_grid

if TYPE_CHECKING:
    import optuna

TRIAL = "trial"
PATIENT_TRIALS = 5
"""Trials that run to their end before the median of them cuts others short."""


def trials_of(study: Study, name: str) -> int:
    """Trials of one arm of a recommender: the budget, or its whole grid where that is smaller."""
    grid = search_grid(study, name)
    if study.tuning is None or not grid:
        return 0
    return min(study.tuning.trials, prod(len(values) for values in grid.values()))


def search(study: Study, inputs: Inputs, arm: Arm, progress: Progress = no_progress) -> Artefact:
    """The best settings of an arm; trials that the store holds are not run again.

    A trial trains with the study's first seed and counts its best validation Recall@20, of which
    nothing is rounded. Trials below the median of earlier ones at the same epoch are cut short
    (Optuna's MedianPruner). The sequence is a function of the spec alone.

    Returns:
        Facts ``best`` (settings), ``value``, ``trials``, ``seconds``; table ``trials``: number,
        state (complete, pruned, diverged), value, seconds, and one column a setting.
    """
    arm = search_arm(study, arm)
    spec = search_spec(study, inputs, arm)
    key = store().key(SEARCH, spec)

    def waiting() -> None:
        progress(0, 1, f"{arm.label}: another study searches the same; waiting for it")

    with store().alone(SEARCH, [key], waiting):
        found = store().sound(SEARCH, key)
        return found or _search(study, inputs, arm, spec, progress)


def _search(
    study: Study, inputs: Inputs, arm: Arm, spec: dict[str, Any], progress: Progress
) -> Artefact:
    trials = trials_of(study, arm.recommender)
    grid = search_grid(study, arm.recommender)
    sequence = _sequence(study, arm, grid)
    features = arm_features(study, inputs, arm, study.first_seed)
    rows: list[dict[str, Any]] = []
    best: dict[str, Any] | None = None
    for number in range(trials):
        said = f"{arm.label}: trial {number + 1} of {trials}"
        said += f", best Recall@20 on validation {best['value']:.4f}" if best else ""
        progress(number, trials, said)
        trial = sequence.ask()
        values = {name: trial.suggest_categorical(name, list(own)) for name, own in grid.items()}
        config = recommender_config(arm.recommender, study, values)

        def train(folder: Path, trial: Any = trial, config: Any = config) -> dict[str, Any]:
            return _train(study, inputs, arm, features, config, trial, folder)

        own_spec = {"search": spec, "number": number, "settings": values}
        done = store().sound(TRIAL, store().key(TRIAL, own_spec))
        if done is None:
            done = store().put(TRIAL, own_spec, train)
        else:
            # What the pruner has seen is told to it again, so that the sequence goes on as it was.
            for epoch, value in done.array("curve"):
                trial.report(float(value), int(epoch))
        state = str(done.facts["state"])
        row = {"number": number, "state": state, "value": done.facts["value"]}
        rows.append({**row, "seconds": done.facts["seconds"], **values})
        _tell(sequence, trial, state, float(done.facts["value"]))
        if state == "complete" and (best is None or rows[-1]["value"] > best["value"]):
            best = {"value": rows[-1]["value"], "settings": values}
    progress(trials, trials, f"{arm.label}: searched")
    # Where every trial diverged the defaults stand, and their runs will say so.
    chosen = best["settings"] if best else {}

    def write(folder: Path) -> dict[str, Any]:
        pd.DataFrame(rows).to_parquet(folder / "trials.parquet")
        return {
            "arm": arm.label,
            "best": chosen,
            "value": best["value"] if best else None,
            "trials": trials,
            "seconds": round(sum(row["seconds"] for row in rows), 2),
        }

    return store().put(SEARCH, spec, write)


def trial_table(study: Study, inputs: Inputs, arms: Sequence[Arm]) -> pd.DataFrame:
    """The trials of every arm: arm, number, state, value, seconds, chosen, settings (JSON)."""
    frames = []
    for arm in arms:
        if arm != search_arm(study, arm) or not trials_of(study, arm.recommender):
            continue
        found = search(study, inputs, arm)
        table = found.table("trials")
        names = list(search_grid(study, arm.recommender))
        settings = table[names].to_dict("records")
        frames.append(
            table[["number", "state", "value", "seconds"]].assign(
                arm=arm.label,
                chosen=[own == found.facts["best"] for own in settings],
                settings=[canonical_json(own) for own in settings],
            )
        )
    columns = ["arm", "number", "state", "value", "seconds", "chosen", "settings"]
    return pd.concat(frames)[columns] if frames else pd.DataFrame(columns=columns)


def _sequence(study: Study, arm: Arm, grid: dict[str, tuple[Any, ...]]) -> "optuna.Study":
    import optuna

    assert study.tuning is not None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    seed = study.first_seed
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=PATIENT_TRIALS)
    sequence = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
    # The defaults are tried first, so that a search can only improve on them in validation.
    config = recommender_config(arm.recommender, study)
    default = {name: getattr(config, name) for name in grid}
    if all(default[name] in own for name, own in grid.items()):
        sequence.enqueue_trial(default)
    size = prod(len(values) for values in grid.values())
    if study.tuning.sampler == "grid" or study.tuning.trials >= size:
        points = [dict(zip(grid, point, strict=True)) for point in product(*grid.values())]
        for at in np.random.default_rng(seed).permutation(size):
            if points[at] != default:
                sequence.enqueue_trial(points[at])
    return sequence


def _train(
    study: Study,
    inputs: Inputs,
    arm: Arm,
    features: Any,
    config: Any,
    trial: Any,
    folder: Path,
) -> dict[str, Any]:
    """One trial: its curve into ``folder``, its state and value as facts."""
    kind = RECOMMENDERS.get(arm.recommender)
    curve: list[tuple[int, float]] = []

    def watch(epoch: int, values: np.ndarray) -> bool:
        curve.append((epoch, float(values[0])))
        trial.report(curve[-1][1], epoch)
        return bool(trial.should_prune())

    started = time.perf_counter()
    state = "complete"
    value = 0.0
    try:
        (model,) = kind.fit_seeds(config, inputs.split, [features], [study.first_seed], watch=watch)
        # A trained model's best epoch is known; others are ranked once, by the same rule.
        best = max((v for _, v in curve), default=None)
        value = validation_recall(model, inputs.split) if best is None else best
        if curve and trial.should_prune():
            state = "pruned"
    except DivergedError:
        state = "diverged"
    write_array(folder / "curve.npy", np.asarray(curve, dtype=np.float64).reshape(-1, 2))
    return {"state": state, "value": value, "seconds": round(time.perf_counter() - started, 3)}


def _tell(sequence: "optuna.Study", trial: Any, state: str, value: float) -> None:
    import optuna

    if state == "complete":
        sequence.tell(trial, value)
    elif state == "pruned":
        sequence.tell(trial, state=optuna.trial.TrialState.PRUNED)
    else:
        sequence.tell(trial, state=optuna.trial.TrialState.FAIL)
