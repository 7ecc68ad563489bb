"""What a finished study keeps of every user, and the runs that it was made from."""

from collections.abc import Mapping

import numpy as np

from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.domain import InputError
from mmrec_core.metrics.significance import Effect, compare
from mmrec_core.store import Artefact, store
from mmrec_core.studies.evidence import Pair, Runs, pairs_of, side_by_side
from mmrec_core.studies.inputs import Inputs, load_inputs, resolved, split_of
from mmrec_core.studies.results import StudyResult
from mmrec_core.studies.runs import KIND as RUN
from mmrec_core.studies.runs import find_run
from mmrec_core.studies.study import Arm, Study, seeds_of


def study_of(result: StudyResult) -> Study:
    """The Study of a result; names in an imported one may be no recommender of ours."""
    return Study.model_validate(result.study)


def arms_by_label(result: StudyResult) -> dict[str, Arm]:
    """Label -> arm, in the order of training."""
    table = result.arms
    named = zip(table["recommender"], table["modality"], table["control"], strict=True)
    return {
        str(label): Arm(str(r), str(m), str(c))
        for label, (r, m, c) in zip(table["arm"], named, strict=True)
    }


def per_user(result: StudyResult) -> dict[Arm, np.ndarray]:
    """The primary metric of every user, arm -> float64 [n_users, seeds].

    An arm without chance repeats its one run; NaN where a user has no relevant test item.
    """
    table = result.artefact.table("per_user")
    seeds = int(result.study["seeds"])
    found: dict[Arm, np.ndarray] = {}
    for label, arm in arms_by_label(result).items():
        own = [c for c in table.columns if c.rpartition("|")[0] == label]
        own.sort(key=lambda column: int(column.rpartition("|")[2]))
        found[arm] = side_by_side([table[c].to_numpy(dtype=np.float64) for c in own], seeds)
    return found


def primary_effects(result: StudyResult) -> dict[Pair, Effect]:
    """Every comparison of a study at its primary metric, with its mean squares."""
    values, study = per_user(result), study_of(result)
    return {
        pair: compare(values[pair.arm], values[pair.base], study.delta)
        for pair in pairs_of(study, list(values))
    }


def inputs_of(result: StudyResult) -> Inputs:
    """Dataset, split and features of a study.

    Raises:
        InputError: The dataset or its embeddings have changed or gone since.
    """
    study = study_of(result)
    if result.imported:
        inputs = Inputs(load_dataset(study.dataset), split_of(study), {})
    else:
        study = resolved(study)
        inputs = load_inputs(study)
    if inputs.split.fingerprint != result.artefact.spec["inputs"]["split"]:
        raise InputError(
            f"The dataset {study.dataset!r} is not the one that this study was made on any more, "
            "so its lists cannot be read beside it. Carry the study out again."
        )
    return inputs


def _found(result: StudyResult, inputs: Inputs) -> dict[Arm, list[Artefact | None]]:
    """The runs of every arm in the order of its seeds, None where one is not there."""
    arms = arms_by_label(result)
    if result.imported:
        keys: Mapping[str, list[str]] = result.artefact.spec["runs"]
        return {arm: [store().find(RUN, key) for key in keys[label]] for label, arm in arms.items()}
    study = resolved(study_of(result))
    return {
        arm: [find_run(study, inputs, arm, seed) for seed in seeds_of(study, arm)]
        for arm in arms.values()
    }


def runs_of(result: StudyResult, inputs: Inputs) -> Runs:
    """The runs of a study, arm -> one a seed.

    Raises:
        InputError: They were deleted, or the models have changed since.
    """
    runs: dict[Arm, list[Artefact]] = {}
    for arm, own in _found(result, inputs).items():
        there = [run for run in own if run is not None]
        if len(there) < len(own):
            raise InputError(
                f"Runs of {arm.label} are not in the store any more, or the model has changed "
                f"since. Make them again with: {result.command}"
            )
        runs[arm] = there
    return runs


def kept_runs(result: StudyResult, inputs: Inputs) -> Runs:
    """What of a study's runs is in the store: arms with the seeds that all of them have.

    Shipped studies come with the first seed of some arms only. An arm without chance has its one
    run; arms that lack a seed that others have do without it, and arms without any are left out.
    """
    found = _found(result, inputs)
    drawn = {
        arm: [at for at, run in enumerate(own) if run is not None]
        for arm, own in found.items()
        if len(own) > 1
    }
    kept = [seeds for seeds in drawn.values() if seeds]
    common = sorted(set.intersection(*map(set, kept))) if kept else []
    runs: dict[Arm, list[Artefact]] = {}
    for arm, own in found.items():
        there = own if len(own) == 1 else [own[at] for at in common if drawn[arm]]
        chosen = [run for run in there if run is not None]
        if chosen:
            runs[arm] = chosen
    return runs
