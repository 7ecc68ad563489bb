"""Ranked lists as files: the layouts that people have, read into one table."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet

from mmrec_core.domain import InputError
from mmrec_core.settings import settings

NAMES: Mapping[str, tuple[str, ...]] = {
    "user": ("user", "user_id", "userid", "uid", "id"),
    "item": ("item", "item_id", "itemid", "iid", "asin"),
    "rank": ("rank", "position"),
    "score": ("score", "prediction", "rating", "pred"),
    "arm": ("arm", "model", "setting"),
    "seed": ("seed", "run"),
    "converged": ("converged",),
}
"""Role -> names of its column, whatever their case."""

COLUMNS = ["user", "item", "rank", "arm", "seed", "converged"]
_TRUTH = {
    **dict.fromkeys(("true", "1", "1.0", "yes"), True),
    **dict.fromkeys(("false", "0", "0.0", "no"), False),
}
_NOT_SAID = ("", "nan", "none", "<na>")
_MOST_ROWS = 50_000_000
_MOST_SEED = 2**31 - 1
_TOP = re.compile(r"top_?(\d+)", re.IGNORECASE)


def read_lists(
    path: Path,
    arm: str = "",
    seed: int | None = None,
    *,
    called: str = "",
    users: Mapping[str, str] | None = None,
    items: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Ranked lists of one file.

    Three layouts are known: a table with named columns (user, item, rank or score, arm, seed), as
    CSV, TSV or Parquet; three columns without a header (user, item, score), as Elliot writes them;
    and one row a user with columns top_0, top_1 ..., as MMRec writes them.

    Args:
        path: The file.
        arm: Of all its lists, where it has no column for that.
        seed: Of all its lists, where it has no column for that; None: 1.
        called: What it is called in sentences; empty: its name.
        users: Number in the file -> user id, where it holds a framework's own numbers.
        items: The same for items.

    Returns:
        user, item (str), rank (int, from 0 in each list), arm (str), seed (int), converged (true,
        false, or missing where the file does not say).

    Raises:
        InputError: It cannot be read; the sentence says what and where.
    """
    called = called or path.name
    raw = _table(path, called)
    wide = {int(m[1]): c for c in raw.columns if (m := _TOP.fullmatch(str(c)))}
    table = _from_wide(raw, wide, called) if wide else _from_long(raw, called)
    if "arm" not in table:
        if not arm:
            raise InputError(
                f"{called} has no column for the arm, so nothing says which model made its lists. "
                "Write ARM=FILE, as in 'vbpr · image · shuffle=lists.tsv'."
            )
        table["arm"] = arm
    if "seed" not in table:
        table["seed"] = 1 if seed is None else seed
    for column, ids in (("user", users), ("item", items)):
        if ids:
            known = table[column].map(ids)
            if known.isna().any():
                row = int(np.flatnonzero(known.isna())[0])
                raise InputError(
                    f"{called}: the {column} {table[column].iloc[row]!r} has no id in the file of "
                    f"{column} ids."
                )
            table[column] = known
    seeds = pd.to_numeric(table["seed"], errors="coerce")
    wrong = ~(seeds.between(0, _MOST_SEED) & (seeds == seeds.round()))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"{called}, row {row + 1}: the seed {table['seed'].iloc[row]!r} is no whole number "
            f"from 0 to {_MOST_SEED:,}."
        )
    table["seed"] = seeds.astype(np.int64)
    said = table["converged"] if "converged" in table else pd.Series("", index=table.index)
    said = said.astype(str).str.strip().str.casefold()
    unclear = ~said.isin([*_TRUTH, *_NOT_SAID])
    if unclear.any():
        row = int(np.flatnonzero(unclear)[0])
        raise InputError(
            f"{called}, row {row + 1}: converged is {said.iloc[row]!r}; write true, false, or "
            "nothing."
        )
    table["converged"] = said.map(_TRUTH).astype("boolean")
    twice = table.duplicated(["arm", "seed", "user", "item"])
    if twice.any():
        first = table[twice].iloc[0]
        raise InputError(
            f"{called}: {first['item']!r} stands twice in the list of user {first['user']!r} "
            f"({first['arm']}, seed {first['seed']}). A list holds an item once."
        )
    return table[COLUMNS].reset_index(drop=True)


def read_ids(path: Path) -> dict[str, str]:
    """Number in a framework -> id, from a table of two columns such as MMRec's i_id_mapping.csv.

    Raises:
        InputError: It cannot be read or has not two columns.
    """
    table = _table(path, path.name)
    if table.shape[1] != 2:
        raise InputError(f"{path.name} has {table.shape[1]} columns; an id and its number are two.")
    number = next((c for c in table if str(c).strip() in ("userID", "itemID", "number")), None)
    number = table.columns[1] if number is None else number
    own = next(c for c in table.columns if c != number)
    return dict(zip(table[number], table[own], strict=True))


def _table(path: Path, called: str) -> pd.DataFrame:
    """All cells as text, columns named or numbered."""
    most = settings().limits.matrix_bytes
    try:
        if path.stat().st_size > most:
            raise InputError(f"{called} is larger than {most / 2**30:g} GiB.")
        if path.suffix == ".parquet":
            rows = pyarrow.parquet.read_metadata(path).num_rows
            if rows > _MOST_ROWS:
                raise InputError(f"{called} has {rows:,} rows; {_MOST_ROWS:,} are the most.")
            return pd.read_parquet(path).astype(str)
        with path.open(encoding="utf-8-sig") as file:
            first = file.readline()
        separator = next((mark for mark in ("\t", ",", ";") if mark in first), r"\s+")
        cells = [cell.strip().strip('"').casefold() for cell in re.split(separator, first.strip())]
        known = {name for names in NAMES.values() for name in names}
        header = any(cell in known or _TOP.fullmatch(cell) for cell in cells)
        return pd.read_csv(
            path,
            sep=separator,
            header=0 if header else None,
            dtype=str,
            keep_default_na=False,
            encoding="utf-8-sig",
            index_col=False,
            engine="python" if separator == r"\s+" else "c",
        )
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except UnicodeDecodeError:
        raise InputError(f"{called} is not UTF-8; save it as UTF-8.") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError, OSError) as error:
        raise InputError(f"{called} is not a readable table: {str(error).strip()}.") from None


def _from_wide(raw: pd.DataFrame, wide: Mapping[int, str], called: str) -> pd.DataFrame:
    user = next((c for c in raw if str(c).strip().casefold() in NAMES["user"]), None)
    if user is None:
        raise InputError(f"{called} has columns top_0, top_1 ... but none for the user.")
    order = [wide[at] for at in sorted(wide)]
    columns = {"user": user} | {
        role: column
        for column in raw
        for role in ("arm", "seed", "converged")
        if str(column).strip().casefold() in NAMES[role]
    }
    table = pd.DataFrame(
        {
            **{
                role: np.repeat(raw[column].to_numpy(dtype=object), len(order))
                for role, column in columns.items()
            },
            "item": raw[order].to_numpy(dtype=object).ravel(),
            "rank": np.tile(np.arange(len(order)), len(raw)),
        }
    )
    # A list may end early.
    gone = table["item"].astype(str).str.casefold().isin(_NOT_SAID)
    return table[~gone].reset_index(drop=True)


def _from_long(raw: pd.DataFrame, called: str) -> pd.DataFrame:
    if all(isinstance(c, int) for c in raw.columns):
        if raw.shape[1] != 3:
            raise InputError(
                f"{called} has no header and {raw.shape[1]} columns. Give it a header with user, "
                "item and rank or score, or three columns: user, item, score."
            )
        raw = raw.set_axis(["user", "item", "score"], axis=1)
    by_name = {str(c).strip().casefold(): c for c in reversed(raw.columns)}
    found = {
        role: by_name[next(n for n in names if n in by_name)]
        for role, names in NAMES.items()
        if any(n in by_name for n in names)
    }
    for role in ("user", "item"):
        if role not in found:
            raise InputError(
                f"{called} has no column for the {role} ({', '.join(NAMES[role])}); it has "
                f"{', '.join(map(repr, map(str, raw.columns[:12])))}."
            )
    if "rank" not in found and "score" not in found:
        raise InputError(f"{called} has neither rank nor score, so its lists have no order.")
    table = pd.DataFrame({role: raw[column] for role, column in found.items()})
    by = "rank" if "rank" in found else "score"
    values = pd.to_numeric(table[by], errors="coerce")
    if values.isna().any():
        row = int(np.flatnonzero(values.isna())[0])
        raise InputError(f"{called}, row {row + 1}: the {by} {table[by].iloc[row]!r} is no number.")
    # Best first in each list; equal scores keep the order of the file.
    table["_order"] = values if by == "rank" else -values
    keys = [name for name in ("arm", "seed", "user") if name in table]
    table = table.sort_values("_order", kind="stable")
    table["rank"] = table.groupby(keys, sort=False).cumcount()
    return table.drop(columns=["_order", "score"], errors="ignore")
