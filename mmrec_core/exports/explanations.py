"""Figures of explanations, each with its numbers, its screen form and its print form."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from mmrec_core import figures
from mmrec_core.domain import InputError
from mmrec_core.explanations.additive import ScoreSplit
from mmrec_core.explanations.methods import METHODS
from mmrec_core.exports.drawings import Drawing
from mmrec_core.figures.score_split_rows import Mode

__all__ = [
    "Mode",
    "drawing_of_faithfulness",
    "drawing_of_ranks",
    "drawing_of_split",
    "method_titles",
]


def method_titles() -> dict[str, str]:
    """Name of a way to explain -> how it is shown."""
    return {name: METHODS.get(name).title for name in METHODS.names()}


def drawing_of_split(
    split: ScoreSplit,
    item: str,
    user: str,
    recommender: str,
    mode: Mode = "score",
    ranked: int | None = None,
    name: str = "score-split",
) -> Drawing:
    """One recommendation's score as a sum, or why it is above the average item's.

    Args:
        split: As ``split_score`` gives it.
        item: Title of the item.
        user: Id of the user.
        recommender: How it is shown.
        mode: ``score``: parts of the score; ``average``: of the score minus the average's.
        ranked: How many items are ranked for the user; None where that is not known.
        name: Of its files; also tells the menus of a page apart.
    """
    given: dict[str, Any] = {
        "item": item, "user": user, "recommender": recommender, "mode": mode, "ranked": ranked,
    }  # fmt: skip
    title = "Score split" if mode == "score" else "Score split against the average item"
    return Drawing(
        name if mode == "score" else f"{name}-average",
        title,
        split.table.assign(user=user, item=item, recommender=recommender),
        lambda: figures.score_split(split.table, **given),
        lambda width: figures.score_split_publication(split.table, **given, width=width),
    )


def drawing_of_ranks(
    ranks: pd.DataFrame,
    modalities: Mapping[str, str],
    item: str,
    recommender: str,
    name: str = "item-ranks",
) -> Drawing:
    """Where one item ranks over users, as a model was trained and under each control.

    Args:
        ranks: As ``explanations.audience.rank_table`` gives it.
        modalities: Setting -> modality that it replaces; ``none``: as trained.
        item: Title of the item.
        recommender: How it is shown.
        name: Of its files; also tells the menus of a page apart.
    """
    table = ranks.assign(
        modality=[modalities[setting] for setting in ranks["setting"]],
        item=item,
        recommender=recommender,
    )
    return Drawing(
        name,
        "Ranks of an item under each control",
        table,
        lambda: figures.item_ranks(table, item, recommender),
        lambda width: figures.item_ranks_publication(table, item, recommender, width),
    )


def drawing_of_faithfulness(
    methods: pd.DataFrame,
    curves: pd.DataFrame,
    recommender: str,
    method: str | None = None,
    titles: Mapping[str, str] | None = None,
    name: str = "explanation-faithfulness",
) -> Drawing:
    """Deletion and insertion curves of every way to explain that was measured, or of one.

    Args:
        methods: As ``explanations.faithfulness.measure`` gives it, as are the curves.
        curves: See there.
        recommender: How it is shown.
        method: Only this one; None for all.
        titles: Method -> how it is shown; None: as everywhere.
        name: Of its files; also tells the menus of a page apart.

    Raises:
        InputError: The method was not measured.
    """
    shown = method_titles() if titles is None else titles
    own = curves
    if method is not None:
        own = curves[curves["method"] == method].reset_index(drop=True)
        if own.empty:
            known = ", ".join(dict.fromkeys(curves["method"])) or "none"
            raise InputError(f"There are no curves of {method!r}. Measured: {known}.")
    given: dict[str, Any] = {
        "titles": shown,
        "n": {str(each): int(n) for each, n in zip(methods["method"], methods["n"], strict=True)},
        "recommender": recommender,
    }
    title = "Faithfulness of explanations"
    return Drawing(
        name if method is None else f"{name}-{method}",
        title if method is None else f"{title}: {shown.get(method, method)}",
        own,
        lambda: figures.explanation_faithfulness(own, **given),
        lambda width: figures.explanation_faithfulness_publication(own, **given, width=width),
    )
