"""The plain layout: interactions, items, images/, features/ and dataset.toml."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.datasets.archive import Files
from mmrec_core.datasets.arrays import SUFFIXES
from mmrec_core.datasets.columns import (
    Declared,
    Roles,
    guess_separator,
    item_roles,
    read_toml,
    with_mapping,
)
from mmrec_core.datasets.importers.base import IMPORTERS, FeatureSource, Tables
from mmrec_core.datasets.importers.interactions import PARTS, read_interactions
from mmrec_core.datasets.importers.tables import FORMATS, read_table
from mmrec_core.datasets.schema import Ledger
from mmrec_core.domain import MODALITIES, DatasetInfo, InputError, Progress

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif")
RESERVED = ("item_id", "title", "text", "category", "image", "image_sha256")


class FolderImporter:
    """A folder or zip with interactions.csv, items.csv, images/, features/ and dataset.toml.

    Tables may be csv, tsv, jsonl or parquet. Only the interactions are required; instead of one
    file there may be train, valid and test files, or a split column.
    """

    def recognises(self, files: Files) -> bool:
        """Whether there is an interactions table, or a training one."""
        return any(_table(files, stem) is not None for stem in ("interactions", "train"))

    def read(
        self,
        files: Files,
        mapping: Mapping[str, Any] | None,
        ledger: Ledger,
        progress: Progress,
    ) -> Tables:
        """Reads tables and finds pictures and features; unsound rows go to ``ledger``.

        Items that only interactions name are added behind the others with an empty title: the
        interactions are sound, and an item without content is what the missing mask is for.

        Raises:
            InputError: The upload cannot be used.
        """
        declared = with_mapping(read_toml(files.paths.get("dataset.toml")), mapping)
        if files.links:
            ledger.note(f"{len(files.links)} links are not followed, such as {files.links[0]}.")
        sources = _sources(files)
        interactions, roles, removed = read_interactions(
            sources,
            declared.columns,
            ledger,
            lambda rows: progress(rows, 0, "reading interactions"),
        )
        progress(0, 0, "reading items")
        items, roles, rows, n_rows = _read_items(files, declared, roles, interactions, ledger)
        known = len(items)
        items, rows = _with_unknown(items, rows, interactions, ledger, files)
        items, absent = _find_images(items, files, ledger)
        info = _info(declared, roles, items, interactions, ledger, files)
        return Tables(
            name=declared.name or declared.title,
            items=items,
            interactions=interactions,
            info=info,
            roles=roles,
            features=_features(files, declared, ledger),
            item_rows=rows,
            n_item_rows=n_rows,
            n_duplicates=removed,
            n_unknown_items=len(items) - known if _table(files, "items") else 0,
            n_absent_images=absent,
        )


IMPORTERS.register("folder", FolderImporter())


def _table(files: Files, stem: str) -> str | None:
    names = [stem + suffix for suffix in FORMATS if stem + suffix in files.paths]
    if len(names) > 1:
        raise InputError(f"{files.label} holds {names[0]} and {names[1]}; keep one of them.")
    return names[0] if names else None


def _sources(files: Files) -> list[tuple[str, Path, str | None]]:
    name = _table(files, "interactions")
    parts = [(_table(files, part), part) for part in PARTS]
    if name is not None:
        return [(name, files.paths[name], None)]
    if parts[0][0] is None:
        found = ", ".join(files.top()[:10]) or "nothing"
        raise InputError(
            f"There is no interactions file in {files.label} (found: {found}); it must be called "
            "interactions.csv, .tsv, .jsonl or .parquet, or be train, valid and test files."
        )
    if parts[2][0] is None:
        raise InputError(f"{files.label} holds {parts[0][0]} but no test file; add test.csv.")
    return [(name, files.paths[name], part) for name, part in parts if name is not None]


def _read_items(
    files: Files, declared: Declared, roles: Roles, interactions: pd.DataFrame, ledger: Ledger
) -> tuple[pd.DataFrame, Roles, np.ndarray, int]:
    """Items as far as the file tells, their rows in it, and its number of rows."""
    name = _table(files, "items")
    if name is None:
        ledger.note("There is no items file: items are known by their ids alone.")
        ids = interactions["item_id"].drop_duplicates().reset_index(drop=True)
        blank = pd.Series("", index=ids.index, dtype="str")
        items = pd.DataFrame(
            {"item_id": ids, "title": blank, "text": blank, "category": blank, "image": blank}
        )
        return items, roles, np.full(len(ids), -1), 0
    chunks = list(read_table(files.paths[name], name, ledger))
    frame = pd.concat([chunk.frame for chunk in chunks], ignore_index=True).fillna("")
    lines = np.concatenate([chunk.lines for chunk in chunks])
    ordinals = np.concatenate([chunk.ordinals for chunk in chunks])
    roles = item_roles(roles, list(frame.columns), declared.columns, name)
    assert roles.key is not None
    ids = frame[roles.key].str.strip()
    empty = (ids == "").to_numpy(dtype=bool)
    ledger.reject_rows(name, lines, empty, f"the cell of column {roles.key!r} is empty", ids)
    again = ids.duplicated(keep="first").to_numpy(dtype=bool) & ~empty
    if again.any():
        first = pd.Series(lines[~again], index=ids[~again].array)
        where = first[ids[again]].to_numpy()
        for row, before in zip(np.flatnonzero(again), where, strict=True):
            reason = f"item {ids.iloc[row]!r} is already on line {before}"
            ledger.reject(name, int(lines[row]), reason)
    kept = ~empty & ~again
    frame, ids = frame[kept].reset_index(drop=True), ids[kept].reset_index(drop=True)
    return _composed(frame, ids, roles, declared), roles, ordinals[kept], ledger.rows_read[name]


def _composed(
    frame: pd.DataFrame, ids: pd.Series, roles: Roles, declared: Declared
) -> pd.DataFrame:
    """The standard columns, followed by every column of the file."""
    blank = pd.Series("", index=frame.index, dtype="str")

    def column(name: str | None) -> pd.Series:
        return frame[name].str.strip() if name is not None else blank

    text = blank
    for name in roles.text:
        cell = column(name)
        gap = ((text != "") & (cell != "")).map({True: "\n", False: ""}).astype("str")
        text = text + gap + cell
    others = [name for name in roles.text if name != roles.title]
    if others and not declared.columns.title_is_text:
        said = blank
        for name in others:
            said = said + column(name)
        text = text.where(said != "", "")
    items = pd.DataFrame(
        {
            "item_id": ids,
            "title": column(roles.title),
            "text": text,
            "category": column(roles.category),
            "image": column(roles.image),
        }
    )
    standard = {"item_id": roles.key, "title": roles.title, "category": roles.category,
                "image": roles.image}  # fmt: skip
    for name in frame.columns:
        if name not in RESERVED:
            items[name] = frame[name]
        elif standard.get(name) != name:
            # The file's own column of that name plays no such role: kept beside ours.
            items[f"file_{name}"] = frame[name]
    return items


def _with_unknown(
    items: pd.DataFrame,
    rows: np.ndarray,
    interactions: pd.DataFrame,
    ledger: Ledger,
    files: Files,
) -> tuple[pd.DataFrame, np.ndarray]:
    named = interactions["item_id"].drop_duplicates()
    unknown = named[~named.isin(items["item_id"])]
    if unknown.empty:
        return items, rows
    if len(unknown) == len(named):
        raise InputError(
            f"No item of the interactions is in {_table(files, 'items')} (such as "
            f"{unknown.iloc[0]!r}; its own ids look like {_example(items)}); ids must be written "
            "alike in both files."
        )
    added = pd.DataFrame({"item_id": unknown.array})
    joined = pd.concat([items, added], ignore_index=True).fillna("")
    return joined.astype("str"), np.concatenate([rows, np.full(len(added), -1)])


def _example(items: pd.DataFrame) -> str:
    return repr(items["item_id"].iloc[0]) if len(items) else "nothing: it has no rows"


def _find_images(items: pd.DataFrame, files: Files, ledger: Ledger) -> tuple[pd.DataFrame, int]:
    """Replaces the image cell by the name of a file of the upload; no other file can be named."""
    pictures = {
        name: name
        for name in sorted(files.paths)
        if PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES or name.startswith("images/")
    }
    lower = {name.lower(): name for name in reversed(list(pictures))}
    cells = items["image"].astype(object)
    plain = cells.str.replace("\\", "/").str.removeprefix("./")
    named = (plain != "").to_numpy(dtype=bool)
    web = plain.str.contains(r"^[a-z]+://", case=False, regex=True).to_numpy(dtype=bool)
    named = named & ~web
    found = _first_found([plain, "images/" + plain], pictures, lower).where(named, None)
    stems = "images/" + items["item_id"].astype(object)
    by_id = _first_found([stems + suffix for suffix in IMAGE_SUFFIXES], pictures, lower)
    # A cell that names an absent file is not overruled by a picture of the item's id.
    found = found.where(named, by_id)
    if web.any():
        ledger.note(f"{int(web.sum()):,} pictures are web addresses; nothing is downloaded.")
    image = found.where(found.notna(), "").astype("str")
    absent = int((named & (image == "").to_numpy(dtype=bool)).sum())
    return items.assign(image=image), absent


def _first_found(
    attempts: list[pd.Series], pictures: Mapping[str, str], lower: Mapping[str, str]
) -> pd.Series:
    """The first attempt that is a picture as written; else the first where case is ignored."""
    found = attempts[0].map(pictures)
    for attempt in attempts[1:]:
        found = found.where(found.notna(), attempt.map(pictures))
    for attempt in attempts:
        found = found.where(found.notna(), attempt.str.lower().map(lower))
    return found.astype(object)


def _info(
    declared: Declared,
    roles: Roles,
    items: pd.DataFrame,
    interactions: pd.DataFrame,
    ledger: Ledger,
    files: Files,
) -> DatasetInfo:
    fixed = "split" in interactions.columns
    if declared.split == "fixed" and not fixed:
        raise InputError(
            'dataset.toml says split = "fixed", but there are neither train, valid and test '
            "files nor a split column; add them or remove the line."
        )
    separator = declared.columns.category_separator
    if separator is None and roles.category is not None:
        separator = guess_separator(items["category"])
    elif separator == "":
        separator = None
    return DatasetInfo(
        title=declared.title or declared.name,
        licence=declared.licence,
        source=declared.source,
        text=roles.text,
        category=roles.category,
        category_separator=separator,
        attributes=dict(roles.attributes),
        relevant_from=_relevant_from(declared, interactions["rating"], ledger),
        k_core=declared.thresholds.k_core,
        split=declared.split or ("fixed" if fixed else "random"),
    )


def _relevant_from(declared: Declared, ratings: pd.Series, ledger: Ledger) -> float | None:
    """Declared, or four fifths of the scale: 4 of 5 stars; None where ratings tell nothing."""
    given = ratings.dropna()
    if given.empty:
        return None
    if len(given) < len(ratings):
        ledger.note(f"{len(ratings) - len(given):,} interactions have no rating.")
    if "relevant_from" in declared.thresholds.model_fields_set:
        return declared.thresholds.relevant_from
    low, high = float(given.min()), float(given.max())
    if low == high:
        ledger.note(f"Every rating is {high:g}: all interactions count as relevant.")
        return None
    if 4 <= high <= 5:
        return 4.0
    threshold = round(0.8 * high, 4)
    ledger.note(
        f"Ratings run from {low:g} to {high:g}: {threshold:g} and more count as relevant "
        "(relevant_from under [thresholds] in dataset.toml changes it)."
    )
    return threshold


def _features(files: Files, declared: Declared, ledger: Ledger) -> tuple[FeatureSource, ...]:
    sources: list[FeatureSource] = []
    for name, path in files.paths.items():
        parts = PurePosixPath(name).parts
        if len(parts) != 2 or parts[0] != "features" or path.suffix.lower() not in SUFFIXES:
            continue
        stem = PurePosixPath(name).stem
        twice = next((source.file for source in sources if source.name == stem), None)
        if twice is not None:
            raise InputError(f"{twice} and {name} are features of one name; keep one of them.")
        modality = declared.features.get(stem) or guess_modality(stem)
        if modality not in MODALITIES:
            raise InputError(
                f"dataset.toml: features.{stem} is {modality!r}, not one of "
                f"{', '.join(MODALITIES)}."
            )
        if stem not in declared.features:
            ledger.note(f"{name} is taken for {modality} features, by its name.")
        ids = files.paths.get(f"features/{stem}.ids.txt")
        sources.append(FeatureSource(stem, name, path, ids, modality))
    unknown = set(declared.features) - {source.name for source in sources}
    if unknown:
        raise InputError(
            f"dataset.toml names features {sorted(unknown)[0]!r}, but there is no "
            f"features/{sorted(unknown)[0]}.npy."
        )
    return tuple(sources)


def guess_modality(name: str) -> str:
    """image, text or joint, from the name of a feature file."""
    lower = name.lower()
    image = any(word in lower for word in ("image", "img", "visual", "vision", "resnet", "vit"))
    text = any(word in lower for word in ("text", "txt", "sbert", "bert", "minilm", "sentence"))
    return "joint" if image == text else ("image" if image else "text")
