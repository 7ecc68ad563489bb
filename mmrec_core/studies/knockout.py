"""What each model loses when a modality is knocked out: its comparisons, seen from the real arm."""

import pandas as pd

from mmrec_core.domain import InputError

BACKBONE = "backbone"
_KINDS = ("used", "gained")
_OVER = "over_"


def knockout_table(comparisons: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Change of a metric when content is replaced, relative to the model with real content.

    A change is paired by user and seed like the comparison it is taken from; its interval is that
    of the difference, divided by the mean of the real arm.

    Args:
        comparisons: Of a study, see ``evidence.comparison_table``.
        metric: Such as ``recall@20``.

    Returns:
        One row a recommender, modality and stand-in: recommender, modality, stand_in (a control,
        or ``backbone``: the published model without content), real, value, change, low, high,
        n_users, seeds.

    Raises:
        InputError: The study does not hold the metric.
    """
    own = comparisons[comparisons["metric"] == metric]
    if not len(own):
        raise InputError(f"The study holds no comparison at {metric!r}.")
    kinds = own["kind"]
    own = own[kinds.isin(_KINDS) | kinds.str.startswith(_OVER)]
    stand_in = [
        BACKBONE if kind == _OVER + BACKBONE else base.rsplit(" · ", 1)[-1]
        for kind, base in zip(own["kind"], own["base"], strict=True)
    ]
    real = own["base_mean"] + own["effect"]
    return pd.DataFrame(
        {
            "recommender": own["recommender"],
            "modality": own["modality"],
            "stand_in": stand_in,
            "real": real,
            "value": own["base_mean"],
            "change": -own["effect"] / real,
            "low": -own["high"] / real,
            "high": -own["low"] / real,
            "n_users": own["n_users"],
            "seeds": own["seeds"],
        }
    ).reset_index(drop=True)
