"""Perceptual score: what a trained model loses when its input is permuted, without retraining.

Gat, Schwartz, Schwing, Perceptual Score: What data modalities does your model perceive?, NeurIPS
2021. It asks what the model as it is reads; the study asks what is lost when it is trained without.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.domain import InputError, Progress, no_progress
from mmrec_core.extractors import controls
from mmrec_core.metrics import split_key
from mmrec_core.metrics.ranking import evaluate_lists
from mmrec_core.metrics.significance import compare, holm
from mmrec_core.recommenders import RECOMMENDERS
from mmrec_core.settings import settings
from mmrec_core.store import Artefact, store
from mmrec_core.studies.evidence import metric_of
from mmrec_core.studies.inputs import Inputs, resolved
from mmrec_core.studies.results import StudyResult
from mmrec_core.studies.runs import WEIGHTS, ranked, restored
from mmrec_core.studies.stored import inputs_of, runs_of, study_of
from mmrec_core.studies.study import Arm, Study, scopes

KIND, VERSION = "perceptual", 1
PERMUTATIONS = 5
COLUMNS = (
    "recommender", "modality", "real", "permuted", "effect", "relative", "relative_low",
    "relative_high", "p", "p_adjusted", "n_users", "seeds", "permutations", "metric",
)  # fmt: skip
_APART = 10_000
"""Draws of permutations are so far from those of the study's own shuffles."""


def perceptual_spec(result: StudyResult, permutations: int = PERMUTATIONS) -> dict[str, Any]:
    """What the scores of a study are made from."""
    return {"version": VERSION, "study": result.key, "permutations": permutations}


def find_perception(result: StudyResult, permutations: int = PERMUTATIONS) -> pd.DataFrame | None:
    """The scores of a study where they were measured."""
    found = store().get(KIND, perceptual_spec(result, permutations))
    return None if found is None else found.table("scores")


def readers(result: StudyResult) -> tuple[list[str], list[str]]:
    """Recommenders of a study whose score reads features, and those whose does not.

    Trained features are parameters: permuting what they started from would leave out what they have
    learned, so such models are among the second.
    """
    names = [name for name in result.study["recommenders"] if name in RECOMMENDERS]
    configs = result.study["configs"]
    read = [
        name
        for name in names
        if RECOMMENDERS.get(name).features_at_inference
        and not configs.get(name, {}).get("trainable_features")
    ]
    return read, [name for name in names if name not in read]


def measure_perception(
    result: StudyResult, permutations: int = PERMUTATIONS, progress: Progress = no_progress
) -> Artefact:
    """Measures what permuting each modality costs the trained models of a study.

    Every seed's model is scored with several permutations of the modality's features (those of
    the control *shuffle*), and the metric is averaged over them for every user.

    Args:
        result: A study of ours, whose runs with real content are in the store.
        permutations: For each seed and modality.
        progress: Told of permutations done.

    Returns:
        An artefact with the table ``scores``: COLUMNS, where effect is real minus permuted,
        ``relative`` a share of the real mean (the model-normalised perceptual score), and
        p_adjusted Holm over the table.

    Raises:
        InputError: No model reads features when it scores, or weights are not there.
    """
    spec = perceptual_spec(result, permutations)
    if (found := store().get(KIND, spec)) is not None:
        return found
    if settings().read_only:
        raise InputError("This store is on show (MMREC_READ_ONLY=1): nothing is computed.")
    if result.imported:
        raise InputError("Lists made elsewhere come without their model, so nothing can be scored.")
    names, _ = readers(result)
    if not names:
        raise InputError(
            "No recommender of this study reads features when it scores that are not trained."
        )
    inputs, study = inputs_of(result), resolved(study_of(result))
    runs = runs_of(result, inputs)
    cells = [(name, scope) for name in names for scope in scopes(study.modalities)]
    seeds = len(study.seed_list)
    rows = []
    for at, (name, scope) in enumerate(cells):
        real = Arm(name, "none", "real")
        own = list(runs[real])
        if any(WEIGHTS not in run.meta["files"] for run in own):
            raise InputError(
                f"The weights of {real.label} are not kept here. Make them again with: "
                f"{result.command}"
            )
        permuted = []
        for number, run in enumerate(own):
            progress(
                (at * seeds + number) * permutations,
                len(cells) * seeds * permutations,
                f"{real.label}: {scope} permuted",
            )
            permuted.append(_permuted(study, inputs, real, run, scope, permutations))
        rows.append(_row(study, name, scope, metric_of(own, study.metric, seeds), permuted))
    table = pd.DataFrame(rows)
    table["p_adjusted"] = holm(table["p"].to_numpy(np.float64))
    table["permutations"] = permutations

    def write(folder: Path) -> dict[str, Any]:
        table[list(COLUMNS)].to_parquet(folder / "scores.parquet")
        return {"study": result.key, "dataset": study.dataset}

    return store().put(KIND, spec, write)


def _permuted(
    study: Study, inputs: Inputs, real: Arm, run: Artefact, scope: str, permutations: int
) -> np.ndarray:
    """The metric of one trained model for every user, mean over permutations, [n_users]."""
    model = restored(study, inputs, real, run)
    k = split_key(study.metric)[1]
    relevant = inputs.split.relevant("test")
    total = np.zeros(inputs.split.n_users)
    for number in range(1, permutations + 1):
        drawn = controls.apply(
            inputs.features, scope, "shuffle", number * _APART + int(run.spec["seed"])
        )
        lists = ranked(model.with_features(drawn), inputs.split, study.mask, k)
        total += evaluate_lists(lists, relevant, (k,))[study.metric]
    return total / permutations


def _row(
    study: Study, name: str, scope: str, real: np.ndarray, permuted: list[np.ndarray]
) -> dict[str, Any]:
    changed = np.stack(permuted * (study.seeds if len(permuted) == 1 else 1), axis=1)
    # As a share of the real mean: turned round, so that a loss is positive.
    effect = compare(changed, real, study.delta)
    return {
        "recommender": name,
        "modality": scope,
        "real": effect.base_mean,
        "permuted": effect.base_mean + effect.effect,
        "effect": -effect.effect,
        "relative": None if effect.relative is None else -effect.relative,
        "relative_low": _turned(effect.as_relative(effect.high)),
        "relative_high": _turned(effect.as_relative(effect.low)),
        "p": effect.p,
        "n_users": effect.n_users,
        "seeds": effect.seeds,
        "metric": study.metric,
    }


def _turned(value: float | None) -> float | None:
    return None if value is None else -value
