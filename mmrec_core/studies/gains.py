"""What recommenders gained by a modality in the studies of a dataset, by the space they read."""

import pandas as pd

from mmrec_core.extractors.service import make_extractor
from mmrec_core.studies.feature_settings import written
from mmrec_core.studies.results import list_studies

GAIN_COLUMNS = (
    "space", "modality", "recommender", "gain", "gain_low", "gain_high", "metric", "seeds", "study",
)  # fmt: skip


def gain_table(dataset: str) -> pd.DataFrame:
    """Real content against the modality removed, relative to the model without it.

    Of each space, recommender and stage the newest study counts.

    Args:
        dataset: Name.

    Returns:
        GAIN_COLUMNS; ``space`` is the extractor as it is typed, gains are shares.
    """
    rows: list[dict[str, object]] = []
    seen: set[tuple[str, ...]] = set()
    for study in list_studies(dataset):
        if study.imported or study.study["stage"] != "train":
            continue
        metric = study.study["metric"]
        found = study.comparisons
        if not len(found):
            continue
        chosen = found[(found["kind"] == "gained") & (found["metric"] == metric)]
        for own in chosen.to_dict("records"):
            choice = study.study["features"].get(own["modality"])
            if choice is None:
                continue
            extractor = make_extractor(choice["extractor"], choice["config"])
            space = written(extractor) or extractor.label
            name = (space, str(own["modality"]), str(own["recommender"]))
            if name in seen:
                continue
            seen.add(name)
            rows.append(
                {
                    "space": space,
                    "modality": own["modality"],
                    "recommender": own["recommender"],
                    "gain": own["relative"],
                    "gain_low": own["relative_low"],
                    "gain_high": own["relative_high"],
                    "metric": metric,
                    "seeds": own["seeds"],
                    "study": study.key,
                }
            )
    return pd.DataFrame(rows, columns=list(GAIN_COLUMNS))
