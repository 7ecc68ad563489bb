"""How a recommender's quality goes as more and more items lack a modality."""

from typing import Any

import pandas as pd

from mmrec_core.extractors.missing_controls import missing_share
from mmrec_core.studies.results import StudyResult
from mmrec_core.studies.study import scopes

CURVE_COLUMNS = (
    "recommender", "modality", "share", "value", "low", "high", "n_users", "seeds", "metric",
)  # fmt: skip


def missing_curve(result: StudyResult, metric: str | None = None) -> pd.DataFrame:
    """The missing-modality curve of every recommender and modality that has one.

    Args:
        result: A study with controls ``missing-20`` and so on.
        metric: None: the primary one.

    Returns:
        CURVE_COLUMNS: share 0 is the real arm and 1 the removed one, with their own figures and
        95 % intervals. Empty where no share between them was studied.
    """
    metric = metric or result.study["metric"]
    arms = {
        (row["recommender"], row["modality"], row["control"]): row
        for row in result.arms.to_dict("records")
    }
    rows: list[dict[str, Any]] = []
    for name in result.study["recommenders"]:
        for modality in scopes(tuple(result.study["modalities"])):
            points = {0.0: arms.get((name, "none", "real"))}
            for control in result.study["controls"]:
                share = missing_share(control)
                if share:
                    points[share] = arms.get((name, modality, control))
            there = {share: arm for share, arm in points.items() if arm is not None}
            if not any(0 < share < 1 for share in there):
                continue
            rows += [
                {
                    "recommender": name,
                    "modality": modality,
                    "share": share,
                    "value": arm[metric],
                    "low": arm[f"{metric}_low"],
                    "high": arm[f"{metric}_high"],
                    "n_users": arm["n_users"],
                    "seeds": arm["seeds"],
                    "metric": metric,
                }
                for share, arm in sorted(there.items())
            ]
    return pd.DataFrame(rows, columns=list(CURVE_COLUMNS))
