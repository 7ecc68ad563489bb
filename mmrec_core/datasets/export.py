"""Tables that leave the house as CSV."""

from pathlib import Path

import pandas as pd

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
"""A spreadsheet may run a cell that starts with one of these (OWASP, "CSV Injection")."""


def escape_cell(text: str) -> str:
    """``text`` with an apostrophe in front where a spreadsheet would take it for a formula.

    Full-width forms of the signs, and signs behind blanks, are taken for formulas as well.
    """
    bare = text.lstrip(" \u00a0\ufeff")
    dangerous = text.startswith(FORMULA_STARTS) or bare.startswith(
        (*FORMULA_STARTS, "＝", "＋", "－", "＠")
    )
    return f"'{text}" if dangerous else text


def escape_formula(frame: pd.DataFrame) -> pd.DataFrame:
    """A copy of ``frame`` whose text cells and column names no spreadsheet runs as formulas.

    Numbers are left alone, negative ones too.
    """
    escaped = frame.copy()
    for position, dtype in enumerate(frame.dtypes):
        if pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_datetime64_any_dtype(dtype):
            continue
        column = frame.iloc[:, position]
        cells = column.astype(object).map(
            lambda cell: escape_cell(cell) if isinstance(cell, str) else cell
        )
        escaped.isetitem(position, cells.array)
    escaped.columns = pd.Index(
        [escape_cell(name) if isinstance(name, str) else name for name in frame.columns]
    )
    return escaped


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Writes ``frame`` as UTF-8 CSV that is safe to open in a spreadsheet."""
    escape_formula(frame).to_csv(path, index=False, encoding="utf-8")
