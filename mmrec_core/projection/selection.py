"""What tells a selection of items from the rest: every column, with an effect size."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mmrec_core.datasets.statistics import item_degrees
from mmrec_core.domain import Dataset

INTERACTIONS = "interactions"
MOST_VALUES = 1000
"""Different values beyond which a column of words is no category."""

BINS = 12

_LEFT_OUT = ("item_id", "title", "text", "image", "image_sha256")


@dataclass(frozen=True, eq=False)
class Column:
    """One column of the items, ready to be counted and coloured.

    Attributes:
        name: Of the column.
        numbers: [n_items] float64, NaN where empty; None for categories.
        values: [n_items] int32 place in ``names``, -1 where empty; None for numbers. Of an item
            with several categories the first.
        names: Categories, the most frequent first.
        cells: For categories where an item may have several: sparse item-category pairs as
            (rows, values); None where each has one.
    """

    name: str
    numbers: np.ndarray | None = None
    values: np.ndarray | None = None
    names: tuple[str, ...] = ()
    cells: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def numeric(self) -> bool:
        """Whether it holds numbers."""
        return self.numbers is not None


def columns_of(dataset: Dataset) -> list[Column]:
    """The columns that the items of a dataset can be compared by.

    Its category, its popularity, and every further column that holds numbers or not too many
    different values.
    """
    items = dataset.items
    found = []
    if (items["category"] != "").any():
        found.append(_categories("category", items["category"], dataset.info.category_separator))
    found.append(Column(INTERACTIONS, numbers=item_degrees(dataset).astype(np.float64)))
    for name in items.columns:
        if name in (*_LEFT_OUT, "category", INTERACTIONS):
            continue
        cells = items[name]
        own = column_of(name, cells)
        if own is not None and not (name != "category" and cells.equals(items["category"])):
            found.append(own)
    return found


def column_of(name: str, cells: "pd.Series") -> Column | None:
    """A column as numbers or categories; None where it is neither, or says the same of all."""
    texts = cells.astype("str").str.strip().where(cells.notna(), "")
    filled = texts[texts != ""]
    if filled.nunique() < 2:
        return None
    numbers = pd.to_numeric(texts.where(texts != "", None), errors="coerce")
    if numbers[filled.index].notna().all():
        return Column(name, numbers=numbers.to_numpy(dtype=np.float64))
    if filled.nunique() > min(MOST_VALUES, max(50, len(filled) // 2)):
        return None
    return _categories(name, texts, None)


def _categories(name: str, cells: "pd.Series", separator: str | None) -> Column:
    texts = cells.astype("str").reset_index(drop=True)
    single = texts.str.split(separator, regex=False).explode() if separator else texts
    single = single.str.strip()
    single = single[single != ""]
    names = single.value_counts().index
    place = pd.Index(names).get_indexer(pd.Index(single))
    rows = single.index.to_numpy()
    values = np.full(len(texts), -1, dtype=np.int32)
    values[rows[::-1]] = place[::-1]
    several = (rows, place) if separator and len(rows) > (values >= 0).sum() else None
    return Column(name, values=values, names=tuple(map(str, names)), cells=several)


def compare_with_rest(columns: list[Column], selected: np.ndarray) -> pd.DataFrame:
    """How a selection differs from the rest in every column, the strongest difference first.

    Numbers: Cliff's delta, the chance that a selected item has the larger value less the chance
    that it has the smaller one (Cliff 1993), -1 to 1. Categories: Cramér's V of belonging to the
    selection and the category, bias-corrected (Bergsma 2013), 0 to 1; and the category whose
    share differs most.

    Args:
        columns: Of ``columns_of``.
        selected: [n_items] bool.

    Returns:
        column, kind (number, category), effect, p (Mann-Whitney or χ², of one column), value (the
        named category, or ``median``), in_selection, in_rest (medians, or shares of the named
        category), n_selected, n_rest (items with a value), and spread_in_selection and
        spread_in_rest: shares in up to BINS bins, of equal width between the 1st and 99th
        percentile, or of the most frequent categories.
    """
    rows = [_numbers(c, selected) if c.numeric else _shares(c, selected) for c in columns]
    table = pd.DataFrame([row for row in rows if row is not None])
    if table.empty:
        return table
    order = table["effect"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)


def _numbers(column: Column, selected: np.ndarray) -> dict[str, object] | None:
    assert column.numbers is not None
    there = np.isfinite(column.numbers)
    own, rest = column.numbers[there & selected], column.numbers[there & ~selected]
    if not len(own) or not len(rest):
        return None
    from scipy.stats import mannwhitneyu

    sorted_rest = np.sort(rest)
    below = np.searchsorted(sorted_rest, own, side="left")
    above = len(rest) - np.searchsorted(sorted_rest, own, side="right")
    return {
        "column": column.name,
        "kind": "number",
        "effect": float((below - above).mean() / len(rest)),
        "p": float(mannwhitneyu(own, rest, method="asymptotic").pvalue),
        "value": "median",
        "in_selection": float(np.median(own)),
        "in_rest": float(np.median(rest)),
        "n_selected": len(own),
        "n_rest": len(rest),
        **_spreads(*_binned(own, rest)),
    }


def _binned(own: np.ndarray, rest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Counts in bins that all values together decide; what lies outside counts at the ends."""
    low, high = np.percentile(np.concatenate([own, rest]), [1, 99])
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    first, second = (np.histogram(np.clip(v, edges[0], edges[-1]), edges)[0] for v in (own, rest))
    return first, second


def _spreads(own: np.ndarray, rest: np.ndarray) -> dict[str, list[float]]:
    """Counts as shares."""
    return {
        "spread_in_selection": (own / max(1, own.sum())).tolist(),
        "spread_in_rest": (rest / max(1, rest.sum())).tolist(),
    }


def _shares(column: Column, selected: np.ndarray) -> dict[str, object] | None:
    shares = category_shares(column, selected)
    n_own, n_rest = int(shares.attrs["n_selected"]), int(shares.attrs["n_rest"])
    if not n_own or not n_rest or shares.empty:
        return None
    first = shares.iloc[0]
    frequent = shares.set_index("value").loc[list(column.names[:BINS])]
    effect, p = _association(column, selected)
    return {
        "column": column.name,
        "kind": "category",
        "effect": effect,
        "p": p,
        "value": str(first["value"]),
        "in_selection": float(first["in_selection"]),
        "in_rest": float(first["in_rest"]),
        "n_selected": n_own,
        "n_rest": n_rest,
        "spread_in_selection": frequent["in_selection"].tolist(),
        "spread_in_rest": frequent["in_rest"].tolist(),
    }


def category_shares(column: Column, selected: np.ndarray) -> pd.DataFrame:
    """Share of selected and of other items in each category, the largest difference first.

    Returns:
        value, in_selection, in_rest, difference; ``attrs`` hold n_selected and n_rest.
    """
    assert column.values is not None
    rows, values = column.cells or _pairs(column.values)
    n = len(column.names)
    own = np.bincount(values[selected[rows]], minlength=n)
    rest = np.bincount(values[~selected[rows]], minlength=n)
    there = column.values >= 0
    n_own, n_rest = int((there & selected).sum()), int((there & ~selected).sum())
    table = pd.DataFrame(
        {
            "value": list(column.names),
            "in_selection": own / max(1, n_own),
            "in_rest": rest / max(1, n_rest),
        }
    )
    table["difference"] = table["in_selection"] - table["in_rest"]
    order = table["difference"].abs().sort_values(ascending=False, kind="stable").index
    table = table.loc[order].reset_index(drop=True)
    table.attrs = {"n_selected": n_own, "n_rest": n_rest}
    return table


def _pairs(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows = np.flatnonzero(values >= 0)
    return rows, values[rows]


def _association(column: Column, selected: np.ndarray) -> tuple[float, float]:
    """Cramér's V, bias-corrected, of each item's first category, and the p of χ²."""
    assert column.values is not None
    there = column.values >= 0
    n = int(there.sum())
    counts = np.zeros((2, len(column.names)))
    np.add.at(counts, (selected[there].astype(int), column.values[there]), 1)
    counts = counts[:, counts.sum(axis=0) > 0]
    if n < 2 or counts.shape[1] < 2 or (counts.sum(axis=1) == 0).any():
        return 0.0, 1.0
    from scipy.stats import chi2_contingency

    tested = chi2_contingency(counts, correction=False)
    chi2, p = float(tested.statistic), float(tested.pvalue)
    r, c = counts.shape
    phi2 = max(0.0, chi2 / n - (r - 1) * (c - 1) / (n - 1))
    r_tilde, c_tilde = r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)
    smaller = min(r_tilde, c_tilde) - 1
    return float(np.sqrt(phi2 / smaller)) if smaller > 0 else 0.0, p
