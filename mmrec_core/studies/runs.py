"""Runs: one arm trained with one seed, scored on the test part, and kept in the store."""

import platform
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from mmrec_core.domain import Features, InputError, Progress, Split, no_progress, sha256_arrays
from mmrec_core.extractors import controls
from mmrec_core.metrics.beyond_accuracy import catalogue_qualities, list_qualities
from mmrec_core.metrics.ranking import CUTOFFS, PAD, evaluate_lists, random_tie_rank, top_k
from mmrec_core.recommenders import RECOMMENDERS
from mmrec_core.recommenders.base import Recommender, RecommenderConfig
from mmrec_core.recommenders.content import moved
from mmrec_core.settings import peak_memory_mib
from mmrec_core.store import Artefact, store, write_array
from mmrec_core.studies.inputs import Inputs
from mmrec_core.studies.study import (
    Arm,
    Study,
    feature_controls,
    recommender_config,
    search_grid,
    seeds_of,
)

KIND = "run"
WEIGHTS = "weights.safetensors"
RUN_VERSION = 1
SEARCH, SEARCH_VERSION = "search", 1
KS = CUTOFFS
TIE_SEED = 0
SCORE_BLOCK = 4096


def run_spec(
    study: Study, inputs: Inputs, arm: Arm, seed: int, config: RecommenderConfig | None = None
) -> dict[str, Any]:
    """What a run is made from; two studies that share an arm share its runs.

    Args:
        study: Which holds the arm.
        inputs: Split and features.
        arm: The arm.
        seed: Of the training.
        config: Settings; None: what the arm has in the study.
    """
    kind = RECOMMENDERS.get(arm.recommender)
    config = config or arm_config(study, inputs, arm)
    used = list(feature_controls(study, arm))
    # At inference the control comes after training, so it must be told apart from retraining;
    # a real arm is the same at both stages.
    at_inference = study.stage == "inference" and arm.control not in ("real", "none")
    within = {controls.CONTROLS.get(control).within for _, control, _ in used} - {""}
    return {
        "version": RUN_VERSION,
        "split": inputs.split.fingerprint,
        "recommender": arm.recommender,
        "recommender_version": kind.version,
        "config": config.model_dump(mode="json"),
        "features": {
            modality: {
                "fingerprint": inputs.extracted.get(control, inputs.features[modality]).fingerprint,
                "control": control,
                "scope": "-" if control == "real" else scope,
            }
            for modality, control, scope in used
        },
        "trained_on": (
            {m: e.fingerprint for m, e in sorted(inputs.features.items())} if at_inference else None
        ),
        "seed": seed if seeds_of(study, arm) != [0] else 0,
        "mask": study.mask,
        "ks": list(KS),
        # Named only where a control reads them, so that other runs keep their keys.
        **{f"{name}_groups": sha256_arrays(inputs.groups[name]) for name in sorted(within)},
    }


def search_arm(study: Study, arm: Arm) -> Arm:
    """The arm whose search an arm's settings come from: at inference, the trained one."""
    if study.stage == "inference" and arm.control not in ("real", "none"):
        return Arm(arm.recommender, "none", "real")
    return arm


def search_spec(study: Study, inputs: Inputs, arm: Arm) -> dict[str, Any]:
    """What the search of an arm's settings is made from."""
    assert study.tuning is not None
    arm = search_arm(study, arm)
    fixed = recommender_config(arm.recommender, study)
    own = run_spec(study, inputs, arm, study.first_seed, fixed)
    grid = {name: list(values) for name, values in search_grid(study, arm.recommender).items()}
    return {
        "version": SEARCH_VERSION,
        "run": own,
        "seed": study.first_seed,
        "tuning": study.tuning.model_dump(mode="json"),
        "grid": grid,
    }


def arm_config(study: Study, inputs: Inputs, arm: Arm) -> RecommenderConfig:
    """An arm's settings: as the study says, or the best of its search.

    Raises:
        InputError: The search is not finished.
    """
    if study.tuning is None or not search_grid(study, arm.recommender):
        return recommender_config(arm.recommender, study)
    found = store().get(SEARCH, search_spec(study, inputs, arm))
    if found is None:
        raise InputError(f"The settings of {arm.label} are not searched yet.")
    return recommender_config(arm.recommender, study, found.facts["best"])


def searched(study: Study, inputs: Inputs, arm: Arm) -> bool:
    """Whether an arm's settings are known."""
    if study.tuning is None or not search_grid(study, arm.recommender):
        return True
    return store().get(SEARCH, search_spec(study, inputs, arm)) is not None


def find_run(study: Study, inputs: Inputs, arm: Arm, seed: int) -> Artefact | None:
    """The finished run, or None; its files are checked when they are read."""
    if not searched(study, inputs, arm):
        return None
    return store().get(KIND, run_spec(study, inputs, arm, seed))


def sound_run(study: Study, inputs: Inputs, arm: Arm, seed: int) -> Artefact | None:
    """The finished run with every file checked, or None; a damaged one is put aside."""
    return store().sound(KIND, store().key(KIND, run_spec(study, inputs, arm, seed)))


def arm_features(study: Study, inputs: Inputs, arm: Arm, seed: int) -> Features:
    """The features that an arm's recommender reads with a seed, control applied.

    The control is drawn with the training seed, so that its chance is part of the spread over
    seeds, and with it of every interval; but for controls of the extractor's input, which are
    drawn once.
    """
    if not RECOMMENDERS.get(arm.recommender).uses:
        return {}
    if arm.control in ("real", "none"):
        return inputs.features
    if arm.control in inputs.extracted:
        return controls.apply(
            inputs.features, controls.ALL, arm.control, seed, extracted=inputs.extracted
        )
    return controls.apply(inputs.features, arm.modality, arm.control, seed, inputs.groups)


def left_in_place(inputs: Inputs, arm: Arm) -> int:
    """How many items keep their features in a shuffled arm, being alone in their group."""
    if arm.control in ("real", "none") or arm.control in inputs.extracted:
        return 0
    return controls.left_in_place(inputs.features, arm.modality, arm.control, inputs.groups)


def train_runs(
    study: Study,
    inputs: Inputs,
    arm: Arm,
    seeds: Sequence[int],
    progress: Progress = no_progress,
) -> list[Artefact]:
    """Trains and evaluates an arm with several seeds as one batch; finished runs are kept.

    Runs that another process is at are waited for, not trained twice.

    Returns:
        One run a seed, in the order of ``seeds``.
    """
    if seeds_of(study, arm) == [0]:
        seeds = [0]

    def missing() -> list[int]:
        return [seed for seed in seeds if sound_run(study, inputs, arm, seed) is None]

    if wanted := missing():
        keys = [store().key(KIND, run_spec(study, inputs, arm, seed)) for seed in wanted]

        def waiting() -> None:
            progress(0, len(wanted), f"{arm.label}: another study trains the same; waiting for it")

        with store().alone(KIND, keys, waiting):
            if wanted := missing():
                features = [arm_features(study, inputs, arm, seed) for seed in wanted]
                for fitted in _fitted(study, inputs, arm, wanted, features, progress):
                    _store_run(study, inputs, arm, fitted)
    return [
        artefact for seed in seeds if (artefact := find_run(study, inputs, arm, seed)) is not None
    ]


def _fitted(
    study: Study,
    inputs: Inputs,
    arm: Arm,
    seeds: Sequence[int],
    features: Sequence[Features],
    progress: Progress,
) -> list[Recommender]:
    kind = RECOMMENDERS.get(arm.recommender)
    config = arm_config(study, inputs, arm)
    if study.stage == "train" or arm.control in ("real", "none"):
        return kind.fit_seeds(config, inputs.split, features, seeds, progress)
    real = Arm(arm.recommender, "none", "real")
    trained = train_runs(study, inputs, real, seeds, progress)
    if len(trained) == 1:  # a model that draws nothing, under controls that do
        trained = trained * len(seeds)
    models = []
    for seed, run, own in zip(seeds, trained, features, strict=True):
        model = restored(study, inputs, real, run).with_features(own)
        model.seed = seed
        models.append(model)
    return models


def restored(study: Study, inputs: Inputs, arm: Arm, run: Artefact) -> Recommender:
    """The recommender of a run whose weights were kept (all features real)."""
    from safetensors.numpy import load_file

    kind = RECOMMENDERS.get(arm.recommender)
    seed = int(run.spec["seed"])
    model = kind.restore(
        arm_config(study, inputs, arm),
        inputs.split,
        arm_features(study, inputs, arm, seed),
        # A model that is a function of interactions and features keeps none.
        load_file(run.file(WEIGHTS)) if WEIGHTS in run.meta["files"] else {},
        seed,
    )
    model.report = type(model.report)(
        seconds=0.0,
        best_epoch=int(run.facts["best_epoch"]),
        epochs=int(run.facts["epochs"]),
        converged=bool(run.facts["converged"]),
    )
    return model


def ranked(model: Recommender, split: Split, mask: str, k: int = KS[-1]) -> np.ndarray:
    """Top-k lists of all users over the candidates they have not seen, int32 [n_users, k].

    Candidates are all items unless the split names some.
    """
    seen = seen_by(split, mask)
    tie_rank = random_tie_rank(split.n_items, TIE_SEED)
    chosen = None if split.candidates is None else np.flatnonzero(split.candidates)
    if chosen is not None:
        seen, tie_rank = seen[:, chosen], np.argsort(np.argsort(tie_rank[chosen]))
    blocks = []
    scores_of = model.scorer()
    for start in range(0, split.n_users, SCORE_BLOCK):
        users = np.arange(start, min(start + SCORE_BLOCK, split.n_users))
        scores = scores_of(users)
        if chosen is not None:
            scores = scores[:, chosen]
        blocks.append(top_k(scores, seen[users], k, tie_rank))
    lists = np.concatenate(blocks)
    if chosen is None:
        return lists
    return np.where(lists == PAD, PAD, chosen[lists]).astype(np.int32)


def seen_by(split: Split, mask: str) -> sparse.csr_matrix:
    """What is left out of each user's ranking, CSR [n_users, n_items]."""
    seen = _entries(split.train)
    if mask == "train+valid":
        seen = (seen + _entries(split.valid)).tocsr()
    return seen


def valued(
    lists: np.ndarray, split: Split, ks: Sequence[int] = KS
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Every metric of every user, and the qualities of all lists together.

    Args:
        lists: [n_users, k] item numbers, PAD where a list has ended.
        split: Its test part is what they are measured by.
        ks: Cut-offs.
    """
    relevant = split.relevant("test")
    per_user = evaluate_lists(lists, relevant, ks)
    degrees = np.asarray(split.train.sum(axis=0)).ravel()
    qualities = {
        name: float(np.nanmean(values))
        for name, values in list_qualities(lists, degrees, split.n_users, relevant, ks).items()
    }
    qualities.update(_over_candidates(lists, split, ks))
    return per_user, qualities


def _over_candidates(lists: np.ndarray, split: Split, ks: Sequence[int]) -> dict[str, float]:
    """Qualities of all lists together, over the items that can be on them at all."""
    if split.candidates is None:
        return catalogue_qualities(lists, split.n_items, ks)
    place = np.cumsum(split.candidates) - 1
    numbered = np.where(lists == PAD, PAD, place[lists])
    return catalogue_qualities(numbered, int(split.candidates.sum()), ks)


def _entries(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """The same entries, all 1: a rating of 0 is an interaction too, and must stay masked."""
    ones = matrix.copy()
    ones.data = np.ones_like(ones.data)
    return ones


def _store_run(study: Study, inputs: Inputs, arm: Arm, model: Recommender) -> Artefact:
    split = inputs.split
    lists = ranked(model, split, study.mask)
    per_user, qualities = valued(lists, split)

    def write(folder: Path) -> dict[str, Any]:
        from safetensors.numpy import save_file

        write_array(folder / "metrics.npy", np.stack(list(per_user.values()), 1).astype(np.float32))
        write_array(folder / "lists.npy", lists)
        model.report.curve.to_parquet(folder / "curve.parquet")
        weights = model.weights()
        if arm.control in ("real", "none") and weights:
            save_file(
                {name: np.ascontiguousarray(array) for name, array in weights.items()},
                folder / WEIGHTS,
            )
        report = model.report
        return {
            "arm": arm.label,
            "dataset": inputs.dataset.name,
            "metrics": list(per_user),
            "means": {name: float(np.nanmean(values)) for name, values in per_user.items()},
            "qualities": qualities,
            "seconds": round(report.seconds, 3),
            "peak_memory_mib": peak_memory_mib(),
            **({"moved": by} if (by := moved(weights, model.features)) else {}),
            "best_epoch": report.best_epoch,
            "epochs": report.epochs,
            "converged": report.converged,
            "environment": environment(),
        }

    return store().put(KIND, run_spec(study, inputs, arm, model.seed), write)


def per_user_metric(run: Artefact, metric: str) -> np.ndarray:
    """One metric of a run for every user, float64 [n_users]; NaN where it is not defined."""
    return metric_column(run.facts["metrics"], run.array("metrics"), metric)


def metric_column(names: Sequence[str], matrix: np.ndarray, metric: str) -> np.ndarray:
    """One metric of a run's matrix [n_users, metrics], float64 [n_users]."""
    return np.asarray(matrix[:, names.index(metric)], dtype=np.float64)


def curve_of(run: Artefact) -> pd.DataFrame:
    """Learning curve of a run: epoch, loss, recall@20 on validation."""
    return run.table("curve")


@lru_cache(maxsize=1)
def environment() -> dict[str, str]:
    """What computed: Python, libraries, machine."""
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "numpy", "scipy", "pandas")},
        "machine": platform.machine(),
        "system": platform.system(),
        "mmrec_lens": _own_version(),
    }


def _own_version() -> str:
    from mmrec_core import __version__

    return __version__
