"""Small files beside the tables of a published dataset: id maps, lists of ids, JSON documents."""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from mmrec_core.datasets.archive import Files
from mmrec_core.datasets.columns import Columns, Declared, read_toml
from mmrec_core.datasets.importers.tables import Table, read_table
from mmrec_core.datasets.schema import Ledger

MOST_BYTES = 16 * 2**20
"""Largest JSON document that is read whole."""


def declared(files: Files, **columns: Any) -> Declared:
    """What dataset.toml declares; where it says nothing of a role, the column given here.

    Raises:
        InputError: dataset.toml cannot be read.
    """
    said = read_toml(files.paths.get("dataset.toml"))
    own = {role: column for role, column in columns.items() if column is not None}
    merged = {**own, **said.columns.model_dump(exclude_unset=True)}
    return said.model_copy(update={"columns": Columns.model_validate(merged)})


def read_json(files: Files, name: str, ledger: Ledger) -> Mapping[str, Any]:
    """A JSON object of the upload; empty where there is none, or where it is unsound and left out.

    Raises:
        InputError: It is unsound and the reading is not lenient.
    """
    path = files.paths.get(name)
    if path is None:
        return {}
    if path.stat().st_size > MOST_BYTES:
        ledger.reject(
            name, None, f"it is larger than {MOST_BYTES // 2**20} MiB; this describes no data"
        )
        return {}
    try:
        # By itself json would take bytes with zeros for UTF-16.
        held = json.loads(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError:
        ledger.reject(name, None, "it is not UTF-8; save it as UTF-8")
        return {}
    except json.JSONDecodeError as error:
        ledger.reject(name, error.lineno, f"this is not JSON ({error.msg})")
        return {}
    except (ValueError, RecursionError) as error:
        ledger.reject(name, None, f"this is not JSON ({str(error)[:80]})")
        return {}
    if not isinstance(held, dict):
        ledger.reject(name, 1, "it must be a JSON object, {...}")
        return {}
    return held


def read_map(table: Table, key: str, value: str, ledger: Ledger) -> dict[str, str]:
    """What column ``value`` says of each cell of column ``key``, none of which may come again.

    Raises:
        InputError: It cannot be read, or is unsound and the reading is not lenient.
    """
    chunks = list(read_table(table, ledger))
    frame = pd.concat([chunk.frame for chunk in chunks], ignore_index=True)
    lines = pd.concat([pd.Series(chunk.lines) for chunk in chunks], ignore_index=True)
    frame = frame[[key, value]].apply(lambda cells: cells.str.strip())
    again = frame[key].duplicated().to_numpy(dtype=bool)
    first = pd.Series(lines[~again].to_numpy(), index=frame[key][~again].array)
    for row in again.nonzero()[0]:
        said = frame[key].iloc[row]
        reason = f"{key} {said!r} is already on line {first[said]}"
        ledger.reject(table.name, int(lines.iloc[row]), reason)
    kept = frame[~again]
    return dict(zip(kept[key], kept[value], strict=True))


def read_ids(table: Table, ledger: Ledger, numbers: bool = False) -> frozenset[str]:
    """The cells of the first column of a table without header, such as a list of item ids.

    Args:
        table: The list.
        ledger: Takes what is unsound.
        numbers: Ids are numbers, which may be written 7.0.

    Raises:
        InputError: It cannot be read.
    """
    found: set[str] = set()
    for chunk in read_table(table, ledger):
        cells = chunk.frame.iloc[:, 0].str.strip()
        found.update(cells.str.removesuffix(".0") if numbers else cells)
    return frozenset(found - {""})


def translated(cells: pd.Series, words: Mapping[str, str]) -> pd.Series:
    """[rows] what ``words`` says of each cell; cells that it does not know stay."""
    plain = cells.str.strip()
    return plain.map(words).fillna(plain).astype("str")


def plain_list(cells: pd.Series) -> pd.Series:
    """[rows] lists that Python wrote, as in ``['Toys', "Men's"]``, with | between their entries.

    Of a list of lists the first is taken: the metadata of Amazon give every path to a category.
    Cells that are no list stay.
    """
    plain = cells.str.strip()
    listed = plain.str.match(r"""\[|['"].*['"]$""").astype(bool)
    first = plain.str.extract(r"""^\[*\s*(['"].*?['"])\s*(?:\]|$)""")[0].fillna("")
    joined = first.str.replace(r"""['"]\s*,\s*['"]""", "|", regex=True).str.strip("'\"")
    return plain.where(~listed, joined).astype("str")


def some(names: list[str]) -> str:
    """The first of some names, for sentences."""
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")


def guess_modality(name: str) -> str:
    """image, text or joint, from the name of a feature file."""
    lower = name.lower()
    image = any(word in lower for word in ("image", "img", "visual", "vision", "resnet", "vit"))
    text = any(word in lower for word in ("text", "txt", "sbert", "bert", "minilm", "sentence"))
    return "joint" if image == text else ("image" if image else "text")
