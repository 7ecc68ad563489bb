"""What every setting costs beside what it gains: seconds, memory, width, and the metric."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.domain import Dataset
from mmrec_core.extractors.service import find_embeddings
from mmrec_core.store import store
from mmrec_core.studies.results import StudyResult
from mmrec_core.studies.study import FeatureChoice, Study

COST_COLUMNS = (
    "setting", "recommender", "value", "low", "high", "extract_seconds", "train_seconds",
    "memory_mib", "width", "n_users", "seeds", "reference", "tuned", "study", "metric",
)  # fmt: skip


def setting_name(features: dict[str, Any]) -> str:
    """How a study's features are written as a setting: ``efficientnet-lite0+minilm``."""
    named = []
    for modality in ("image", "text", "joint"):
        if modality in features:
            named.append(_written(FeatureChoice.model_validate(features[modality])))
    return "+".join(named) or "no content"


def _written(choice: FeatureChoice) -> str:
    from mmrec_core.extractors.base import EXTRACTORS

    kind = EXTRACTORS.get(choice.extractor)
    if choice.extractor == "fusion":
        parts = [_written(FeatureChoice.model_validate(p)) for p in choice.config.get("parts", ())]
        return f"{choice.config.get('how', 'concatenate')}({','.join(parts)})"
    fields = kind.Config.model_fields
    changed = [
        f"{name}={_short(value)}"
        for name, value in choice.config.items()
        if name not in fields or fields[name].get_default(call_default_factory=True) != value
    ]
    return f"{choice.extractor}({','.join(changed)})" if changed else choice.extractor


def _short(value: Any) -> str:
    """A value in a name; keys of the store by their beginning."""
    text = str(value)
    return text[:8] if len(text) == 64 else text


def comparable(result: StudyResult, others: Sequence[StudyResult]) -> list[StudyResult]:
    """Those of the studies whose figures stand on the same test items as ``result``'s."""
    return [
        own
        for own in others
        if own.artefact.spec["inputs"]["split"] == result.artefact.spec["inputs"]["split"]
        and own.study["mask"] == result.study["mask"]
        and own.study["stage"] == result.study["stage"]
    ]


def cost_table(results: Sequence[StudyResult], metric: str) -> pd.DataFrame:
    """Cost and quality of every model with real content, and of the references.

    Of several studies of the same recommender with the same features, the first study's figures
    count where it has any, and else those of the most seeds: hyper-parameters are not a setting.

    Args:
        results: Studies on the same test items, see ``comparable``.
        metric: Such as ``recall@20``.

    Returns:
        COST_COLUMNS, one row a recommender and setting. ``extract_seconds``: to encode the whole
        catalogue, of all matrices together, NaN where it was not measured (embeddings that came
        with the package or from a file); 0 for references. ``train_seconds``: of one seed.
        ``memory_mib``: at most in the process that trained, an upper bound; NaN where not kept.
        ``width``: columns of all matrices.
    """
    best: dict[tuple[str, str], dict[str, Any]] = {}
    for result in results:
        if f"{metric}_low" not in result.arms:
            continue
        for row in _rows(result, metric):
            known = best.setdefault((row["recommender"], row["setting"]), row)
            if row["seeds"] > known["seeds"] and known["study"] != results[0].key:
                best[row["recommender"], row["setting"]] = row
    table = pd.DataFrame(list(best.values()), columns=list(COST_COLUMNS))
    return table.sort_values("value", ascending=False, ignore_index=True)


def measured(table: pd.DataFrame, axis: str) -> pd.DataFrame:
    """The rows of a cost table whose cost on an axis was measured.

    Args:
        table: As of ``cost_table``.
        axis: ``seconds`` (extraction and one training) or a column.
    """
    columns = ["extract_seconds", "train_seconds"] if axis == "seconds" else [axis]
    return table[table[columns].notna().all(axis=1)].reset_index(drop=True)


def _rows(result: StudyResult, metric: str) -> list[dict[str, Any]]:
    extraction = _extraction(result)
    setting = setting_name(result.study["features"])
    rows = []
    for arm in result.arms.to_dict("records"):
        if arm["control"] not in ("real", "none"):
            continue
        reference = arm["control"] == "none"
        seconds, width = (0.0, 0) if reference else extraction
        rows.append(
            {
                "setting": "no content" if reference else setting,
                "recommender": arm["recommender"],
                "value": arm[metric],
                "low": arm[f"{metric}_low"],
                "high": arm[f"{metric}_high"],
                "extract_seconds": seconds,
                # Closed-form models were once not timed: their runs from then say 0.
                "train_seconds": arm["seconds"] or np.nan,
                "memory_mib": arm.get("peak_memory_mib", np.nan),
                "width": width,
                "n_users": arm["n_users"],
                "seeds": arm["seeds"],
                "reference": reference,
                "tuned": result.tuned,
                "study": result.key,
                "metric": metric,
            }
        )
    return rows


def _extraction(result: StudyResult) -> tuple[float, float]:
    """Seconds to encode and columns of all matrices of a study; NaN where not known."""
    study = Study.model_validate(result.study)
    if result.imported or not study.features:
        return np.nan, np.nan
    dataset = load_dataset(study.dataset)
    each = [_encoding(dataset, choice) for choice in study.features.values()]
    return sum(seconds for seconds, _ in each), sum(width for _, width in each)


def _encoding(dataset: Dataset, choice: FeatureChoice) -> tuple[float, float]:
    """Seconds and columns of one matrix, with what it was made from."""
    artefact = find_embeddings(dataset, choice.extractor, choice.config)
    if artefact is None:
        return np.nan, np.nan
    facts = artefact.facts
    # What was taken up again half-way tells of its second half only.
    seconds = np.nan if facts.get("items_resumed") else float(facts.get("seconds", np.nan))
    if choice.extractor == "fusion":
        parts = [FeatureChoice.model_validate(part) for part in choice.config.get("parts", ())]
        seconds += sum(_encoding(dataset, part)[0] for part in parts)
    described = choice.config.get("descriptions")
    if described:
        found = store().find("descriptions", described)
        seconds += np.nan if found is None else float(found.facts.get("seconds", np.nan))
    return seconds, float(facts["width"])
