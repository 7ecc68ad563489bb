"""Attributes that an item shares with a user's history: evidence, not cause."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mmrec_core.descriptions.service import Descriptions
from mmrec_core.domain import Dataset
from mmrec_core.projection.selection import Column, column_of, columns_of

SHARED_COLUMNS = (
    "attribute", "value", "in_history", "share", "catalogue_share", "idf", "weight",
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
    """Attributes of an item, weighed by how many of the history have them and how rare they are.

    The weight is (share of the history - share of the catalogue) x idf, idf = log(n / n_value)
    over the items that have a value: what half of the history has but few items do says most. The
    overlap alone (share x idf) would name an attribute that a fifth of any history has by chance.
    It does not look at the model.

    Args:
        columns: Categories of the dataset's items.
        item: Row of the item.
        history: Rows of the history.

    Returns:
        attribute, value, in_history (items of the history with it), share, catalogue_share, idf,
        weight; the strongest first. Empty where the history is.
    """
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
            idf = float(np.log(with_value / n))
            rows.append(
                {
                    "attribute": column.name,
                    "value": column.names[value],
                    "in_history": int(members[asked].sum()),
                    "share": share,
                    "catalogue_share": everywhere,
                    "idf": idf,
                    "weight": (share - everywhere) * idf,
                }
            )
    table = pd.DataFrame(rows, columns=list(SHARED_COLUMNS))
    return table.sort_values("weight", ascending=False, kind="stable").reset_index(drop=True)


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
