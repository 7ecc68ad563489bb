"""Reading an upload of whatever format: interactions, items, pictures, and their facts."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.datasets.archive import Files
from mmrec_core.datasets.columns import Declared, Roles, guess_separator, with_mapping
from mmrec_core.datasets.importers.base import IMAGE_SUFFIXES, Importer, Layout, Tables
from mmrec_core.datasets.importers.interactions import read_interactions
from mmrec_core.datasets.importers.items import read_items, with_unknown
from mmrec_core.datasets.importers.matrices import find_features
from mmrec_core.datasets.schema import Ledger
from mmrec_core.domain import DatasetInfo, InputError, Progress

URL_COLUMN = "image_url"
"""Column of the items that keeps the web addresses of their pictures."""


def read(
    importer: Importer,
    files: Files,
    mapping: Mapping[str, Any] | None,
    ledger: Ledger,
    progress: Progress,
    kept: Callable[[pd.DataFrame, int], np.ndarray] | None = None,
) -> Tables:
    """Reads tables and finds pictures and features; unsound rows go to ``ledger``.

    Items that only interactions name are added behind the others with an empty title: the
    interactions are sound, and an item without content is what the missing mask is for.

    Args:
        importer: Of the format.
        files: The upload.
        mapping: Role -> column or columns; overrides what format and files say.
        ledger: Takes what is unsound.
        progress: Told how far it is.
        kept: Which interactions are wanted ([n] bool), of all and of the declared k-core. Where
            the item table describes a whole market the others are left out before it is read.

    Raises:
        InputError: The upload cannot be used.
    """
    layout = importer.layout(files, mapping, ledger)
    if layout.embedded is not None and (mapping or {}).get("image") == layout.embedded.column:
        # Said already: these pictures are brought out, and name no file.
        mapping = {role: said for role, said in (mapping or {}).items() if role != "image"}
    declared = with_mapping(layout.declared, mapping)
    features = layout.features
    if not layout.vectors:
        features = (*features, *find_features(files, layout.declared, ledger))
    if files.links:
        ledger.note(f"{len(files.links)} links are not followed, such as {files.links[0]}.")
    aside = [name for name in files.paths if name.endswith("/dataset.toml")]
    if aside:
        ledger.note(f"{aside[0]} is not read: it belongs beside the folders, not into one.")
    interactions, roles, removed = read_interactions(
        layout.interactions,
        declared.columns,
        ledger,
        lambda rows: progress(rows, 0, "reading interactions"),
    )
    ratings = interactions["rating"]
    if kept is not None and layout.known_only and "split" not in interactions:
        wanted = kept(interactions, declared.thresholds.k_core)
        if not wanted.all():
            left = int((~wanted).sum())
            ledger.note(f"{left:,} interactions outside of the k-core are left out.")
            interactions = interactions[wanted].reset_index(drop=True)
    found = read_items(
        layout,
        declared,
        roles,
        interactions,
        ledger,
        lambda rows: progress(rows, 0, "reading items"),
    )
    known = len(found.items)
    items, rows = with_unknown(found.items, found.rows, interactions, layout)
    items, absent = _find_images(items, files, layout, ledger)
    return Tables(
        name=declared.name or declared.title,
        items=items,
        interactions=interactions,
        info=_info(declared, found.roles, items, "split" in interactions, ratings, ledger),
        roles=found.roles,
        features=features,
        item_rows=rows,
        n_item_rows=found.n_rows,
        n_duplicates=removed,
        n_unknown_items=len(items) - known if layout.items is not None else 0,
        absent_images=absent,
        embedded=layout.embedded,
    )


def _find_images(
    items: pd.DataFrame, files: Files, layout: Layout, ledger: Ledger
) -> tuple[pd.DataFrame, np.ndarray]:
    """Replaces the image cell by the name of a file of the upload; no other file can be named.

    Returns:
        The items, and [n_items] bool, whether one names a picture that is not there.
    """
    folders = tuple(f"{folder}/" if folder else "" for folder in layout.pictures or ("",))
    pictures = {
        name: name
        for name in sorted(files.paths)
        if _is_picture(name)
        or any(folder and name.startswith(folder) for folder in folders)
        or (layout.pictures is None and "/" in name)
    }
    if layout.pictures is None:
        pictures = _wherever(pictures, ledger)
    lower = {name.lower(): own for name, own in reversed(pictures.items())}
    cells = items["image"].astype(object)
    plain = cells.str.replace("\\", "/").str.removeprefix("./")
    named = (plain != "").to_numpy(dtype=bool)
    web = plain.str.contains(r"^[a-z]+://", case=False, regex=True).to_numpy(dtype=bool)
    named = named & ~web
    places = ["", *(folder for folder in folders if folder)]
    found = _first_found(plain, [(place, "") for place in places], pictures, lower)
    found = found.where(named, None)
    ids = items["item_id"].astype(object)
    if layout.picture_ids is not None:
        ids = ids.map(layout.picture_ids).fillna("").astype(object)
    around = [(folder, suffix) for folder in folders for suffix in IMAGE_SUFFIXES]
    by_id = _first_found(ids, around, pictures, lower)
    # A cell that names an absent file is not overruled by a picture of the item's id.
    found = found.where(named, by_id)
    if web.any():
        items = _with_urls(items, cells.where(web, ""))
        ledger.note(
            f"{int(web.sum()):,} pictures are web addresses; nothing is downloaded by itself."
        )
    image = found.where(found.notna(), "").astype("str")
    absent = named & (image == "").to_numpy(dtype=bool)
    return items.assign(image=image), absent


def _is_picture(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES


def _wherever(pictures: Mapping[str, str], ledger: Ledger) -> dict[str, str]:
    """Every end of a picture's path that begins at a folder or file -> the picture.

    Where several have the same end the whole path is meant, else the first by name.
    """
    found = dict(pictures)
    called: set[str] = set()
    twice = 0
    for name in pictures:
        parts = name.split("/")
        twice += _is_picture(name) and parts[-1] in called
        called.add(parts[-1])
        for start in range(1, len(parts)):
            found.setdefault("/".join(parts[start:]), name)
    if twice:
        ledger.note(
            f"{twice:,} pictures are called as another one in another folder is; where the name "
            "alone tells, the first by folder is taken."
        )
    return found


def _with_urls(items: pd.DataFrame, addresses: pd.Series) -> pd.DataFrame:
    addresses = addresses.astype("str")
    if URL_COLUMN in items.columns:
        # What the file says there already goes first.
        said = items[URL_COLUMN].astype("str")
        addresses = said.where(said.str.strip() != "", addresses)
    return items.assign(**{URL_COLUMN: addresses})


def _first_found(
    names: pd.Series,
    around: Sequence[tuple[str, str]],
    pictures: Mapping[str, str],
    lower: Mapping[str, str],
) -> pd.Series:
    """The first of several names that is a picture as written; else the first but for case.

    Args:
        names: Of each item.
        around: What may stand before and behind; one after the other, since all together are large.
        pictures: Name -> picture.
        lower: The same in small letters.
    """
    found = pd.Series(None, index=names.index, dtype=object)
    if pictures:
        for before, behind in around:
            found = found.where(found.notna(), (before + names + behind).map(pictures))
        for before, behind in around:
            attempt = (before + names + behind).str.lower().map(lower)
            found = found.where(found.notna(), attempt)
    return found.astype(object)


def _info(
    declared: Declared,
    roles: Roles,
    items: pd.DataFrame,
    fixed: bool,
    ratings: pd.Series,
    ledger: Ledger,
) -> DatasetInfo:
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
        relevant_from=_relevant_from(declared, ratings, ledger),
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
