"""What a study leaves behind: study.json and its tables, from finished runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmrec_core.metrics.ranking import CUTOFFS
from mmrec_core.store import write_json
from mmrec_core.studies.evidence import (
    Runs,
    arm_table,
    comparison_table,
    curve_table,
    effects,
    per_user_table,
    verdicts_of,
)
from mmrec_core.studies.inputs import Inputs
from mmrec_core.studies.runs import environment, left_in_place
from mmrec_core.studies.slices import slice_table
from mmrec_core.studies.study import RANKING_METRICS, Skipped, Study

METRICS = tuple(f"{name}@{k}" for name in RANKING_METRICS for k in CUTOFFS)


def write_evidence(
    folder: Path,
    study: Study,
    inputs: Inputs,
    runs: Runs,
    skipped: Sequence[Skipped] = (),
    *,
    metrics: Sequence[str] = METRICS,
    imported: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Writes study.json and the tables comparisons, arms, curves, slices and per_user.

    Args:
        folder: Of the artefact.
        study: Resolved.
        inputs: What its runs were made on.
        runs: All of them.
        skipped: Arms that were left out.
        metrics: That every run holds.
        imported: Where the lists came from, if they were made elsewhere.

    Returns:
        Facts for the artefact.
    """
    found = effects(study, runs, list(dict.fromkeys([study.metric, *metrics])))
    tuned = None if imported else study.tuning is not None
    verdicts = verdicts_of(study, runs, found, tuned)
    comparison_table(study, found, verdicts).to_parquet(folder / "comparisons.parquet")
    arm_table(study, runs, metrics).to_parquet(folder / "arms.parquet")
    curve_table(runs).to_parquet(folder / "curves.parquet")
    slice_table(study, inputs, runs).to_parquet(folder / "slices.parquet")
    per_user_table(study, runs).to_parquet(folder / "per_user.parquet", compression="zstd")
    split = inputs.split
    records = [
        {**v.to_json(), "sentence": v.sentence, "symbol": v.outcome.symbol, "tone": v.outcome.tone}
        for v in verdicts
    ]
    document: dict[str, Any] = {
        "study": study.model_dump(mode="json"),
        "dataset_title": inputs.dataset.info.title,
        "split": split.description,
        "n_users": split.n_users,
        "n_items": split.n_items,
        "n_train": int(split.train.nnz),
        "n_interactions": sum(int(part.nnz) for part in (split.train, split.valid, split.test)),
        "missing": {m: int(e.missing.sum()) for m, e in inputs.features.items()},
        "verdicts": records,
        "left_in_place": (
            {} if imported else {a.label: n for a in runs if (n := left_in_place(inputs, a))}
        ),
        "skipped": [{"arm": s.arm.label, "reason": s.reason} for s in skipped],
        "environment": environment(),
    }
    if imported:
        document["imported"] = dict(imported)
    write_json(folder / "study.json", document)
    return {
        "dataset": study.dataset,
        "content": inputs.dataset.fingerprint,
        "recommenders": list(study.recommenders),
        "seeds": study.seeds,
        "stage": study.stage,
        "metric": study.metric,
        "runs": sum(len(own) for own in runs.values()),
        **({"imported": True} if imported else {}),
    }
