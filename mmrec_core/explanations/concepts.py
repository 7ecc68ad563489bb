"""Attributes that an item shares with a user's history: evidence, not cause."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mmrec_core.descriptions.service import Descriptions
from mmrec_core.domain import Dataset
from mmrec_core.projection.selection import Column, column_of, columns_of

ALPHA = 0.05

SHARED_COLUMNS = (
    "attribute", "value", "in_history", "of_history", "share", "catalogue_share", "idf", "overlap",
    "surprise", "told",
)  # fmt: skip


def attributes_of(dataset: Dataset, described: Descriptions | None = None) -> list[Column]:
    """What items can share: columns of categories, and the slots of their descriptions.

    Args:
        dataset: Whose items.
        described: What a model said of them.
    """
    found = [column for column in columns_of(dataset) if not column.numeric]
    if described is not None and described.structured:
        said = described.table.set_index("item_id").reindex(list(dataset.item_ids))
        for slot in described.slots:
            cells = said[f"slot: {slot}"].astype("str").where(said[f"slot: {slot}"].notna())
            column = column_of(f"{slot} (description)", cells.str.lower().reset_index(drop=True))
            if column is not None and not column.numeric:
                found.append(column)
    return found


def shared_attributes(columns: Sequence[Column], item: int, history: np.ndarray) -> pd.DataFrame:
    """Attributes that an item shares with a history, the least likely by chance first.

    The overlap is IDF-weighted: share of the history x log(n / n_value), over the items that have
    a value. By itself it would name what a fifth of any history has, or one rare coincidence; so
    the order is by surprise, -log10 of the chance that as many of the history, or more, have the
    value when items are taken from the catalogue at random (binomial). It does not look at the
    model.

    Args:
        columns: Categories of the dataset's items.
        item: Row of the item.
        history: Rows of the history.

    Returns:
        attribute, value, in_history and of_history (items of the history with the value, and with
        any), share, catalogue_share, idf, overlap, surprise, told (less likely by chance than
        ALPHA, Bonferroni over the item's attributes). Empty where the history is.
    """
    from scipy.stats import binom

    rows = []
    for column in columns:
        own, known = _has(column, item)
        with_value = int(known.sum())
        asked = history[known[history]]
        if not len(own) or not len(asked):
            continue
        for value in own:
            members = _members(column, value)
            n = int(members.sum())
            share, everywhere = float(members[asked].mean()), n / with_value
            idf, shared = float(np.log(with_value / n)), int(members[asked].sum())
            chance = float(binom.logsf(shared - 1, len(asked), everywhere)) if shared else 0.0
            rows.append(
                {
                    "attribute": column.name,
                    "value": column.names[value],
                    "in_history": shared,
                    "of_history": len(asked),
                    "share": share,
                    "catalogue_share": everywhere,
                    "idf": idf,
                    "overlap": share * idf,
                    "surprise": -chance / np.log(10) + 0.0,
                }
            )
    table = pd.DataFrame(rows, columns=list(SHARED_COLUMNS[:-1]))
    table["told"] = table["surprise"] >= -np.log10(ALPHA / max(1, len(table)))
    order = ["surprise", "overlap"]
    return table.sort_values(order, ascending=False, kind="stable").reset_index(drop=True)


def carriers_by_attribute(columns: Sequence[Column], item: int, history: np.ndarray) -> np.ndarray:
    """How much of the item's attributes each of the history has, sum of idf, float64 [h]."""
    total = np.zeros(len(history))
    for column in columns:
        own, known = _has(column, item)
        for value in own:
            members = _members(column, value)
            total += members[history] * np.log(known.sum() / members.sum())
    return total


def _has(column: Column, item: int) -> tuple[np.ndarray, np.ndarray]:
    """Values of an item, and which items have any, [n_items] bool."""
    assert column.values is not None
    known = column.values >= 0
    if column.cells is None:
        return column.values[[item]][known[[item]]], known
    rows, values = column.cells
    return values[rows == item], known


def _members(column: Column, value: int) -> np.ndarray:
    """Which items have a value, [n_items] bool."""
    assert column.values is not None
    if column.cells is None:
        return np.asarray(column.values == value)
    rows, values = column.cells
    found = np.zeros(len(column.values), dtype=bool)
    found[rows[values == value]] = True
    return found
