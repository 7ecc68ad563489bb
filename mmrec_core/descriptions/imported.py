"""Answers that were made elsewhere: read from a CSV, and kept like our own."""

import warnings
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.descriptions.service import KIND, VERSION, Descriptions, write_answers
from mmrec_core.domain import Dataset, InputError, sha256_arrays
from mmrec_core.extractors.prompts import Prompt
from mmrec_core.store import Store
from mmrec_core.store import store as installed_store

ITEM_COLUMNS = ("item", "item_id", "id", "asin", "image name")
ANSWER_COLUMNS = ("answer", "keywords", "description", "text")


def import_answers(
    dataset: Dataset,
    path: Path,
    slots: Sequence[str],
    columns: tuple[str, str] | None = None,
    *,
    prompt: Prompt | None = None,
    title: str = "",
    into: Store | None = None,
) -> Descriptions:
    """Answers that were made elsewhere, from a CSV of item and answer; parsed like our own.

    Args:
        dataset: Whose items; of ids that are not among them none is kept.
        path: The CSV, UTF-8.
        slots: In the order of the prompt.
        columns: Names of the columns of item and answer; None: guessed.
        prompt: Under which they were made; None: not known.
        title: What the answers are called; empty: the name of the file.
        into: The store; None: that of this installation.

    Raises:
        InputError: The file cannot be read, lacks a column, or names no item of the dataset.
    """
    called = title or path.name
    table = _read(path, called)
    item, answer = columns or (
        _column(table, ITEM_COLUMNS, "item", called),
        _column(table, ANSWER_COLUMNS, "answer", called),
    )
    for name in (item, answer):
        if name not in table:
            raise InputError(f"{called} has no column {name!r}; it has {_listed(table)}.")
    twice = table[item].duplicated()
    if twice.any():
        line = int(np.flatnonzero(twice)[0])
        raise InputError(f"{called}, row {line + 1}: {table[item].iloc[line]!r} comes twice.")
    said = table.set_index(item)[answer].reindex(dataset.item_ids)
    if said.isna().all():
        raise InputError(f"{called}: no {item} is the id of an item of {dataset.name!r}.")
    answers = ["" if pd.isna(text) else str(text) for text in said]
    silent = {at: "the file has no answer for it" for at, text in enumerate(said) if pd.isna(text)}
    unknown = int((~table[item].isin(dataset.item_ids)).sum())
    spec = {
        "version": VERSION,
        "file": sha256(path.read_bytes()).hexdigest(),
        "columns": [item, answer],
        "slots": list(slots),
        "prompt": prompt.fingerprint if prompt is not None else None,
        "items": sha256_arrays(np.asarray(dataset.item_ids, dtype=str)),
    }

    def write(folder: Path) -> dict[str, Any]:
        facts = write_answers(folder, dataset, slots, answers, silent)
        about = {"model": called, "unknown": unknown, "seconds": 0.0, "imported": True}
        return {**facts, **about, "prompt": prompt.model_dump(mode="json") if prompt else None}

    return Descriptions((into or installed_store()).put(KIND, spec, write))


def _read(path: Path, called: str) -> pd.DataFrame:
    try:
        with warnings.catch_warnings():
            # Answers hold commas: a row that is not quoted must not lose what stands behind them.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table: pd.DataFrame = pd.read_csv(
                path, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False
            )
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except UnicodeDecodeError:
        raise InputError(f"{called} is not UTF-8; save it as UTF-8.") from None
    except pd.errors.ParserWarning:
        raise InputError(
            f"{called} has rows with more cells than its header; put answers in quotes."
        ) from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        raise InputError(f"{called} is not a readable CSV: {str(error).strip()}.") from None
    return table


def _column(table: pd.DataFrame, known: Sequence[str], role: str, called: str) -> str:
    by_name = {str(name).strip().casefold(): str(name) for name in reversed(table.columns)}
    found = next((by_name[name] for name in known if name in by_name), None)
    if found is None:
        raise InputError(
            f"{called} has no column for the {role} ({', '.join(known)}); it has "
            f"{_listed(table)}. Name both columns with --columns ITEM ANSWER."
        )
    return found


def _listed(table: pd.DataFrame) -> str:
    return ", ".join(map(repr, map(str, table.columns[:12])))
