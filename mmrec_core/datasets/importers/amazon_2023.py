"""Amazon Reviews 2023: reviews or benchmark ratings of one category, and its metadata."""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import PurePosixPath
from typing import Any, ClassVar

from mmrec_core.datasets.archive import Files
from mmrec_core.datasets.importers import amazon
from mmrec_core.datasets.importers.base import IMPORTERS, Layout
from mmrec_core.datasets.importers.tables import Table, suffix_of
from mmrec_core.datasets.schema import Ledger
from mmrec_core.domain import InputError

RATING = ("user_id", "parent_asin", "rating", "timestamp")

_PART = re.compile(r"(?P<stem>.+)\.(?P<part>train|valid|test)\.csv(\.gz)?", re.IGNORECASE)
_MILLISECONDS = 12
"""Digits from which a time is in milliseconds; since 2001 such times have 13."""


class Amazon2023Importer:
    """One category of Amazon Reviews 2023 (Hou et al.): reviews, metadata, benchmark splits.

    Products are known by parent_asin, under which the variants of one product are reviewed
    together. Texts are title, features and description, without HTML; addresses of the main
    pictures are kept and nothing is downloaded. Products that nobody reviewed are left out.
    """

    title: ClassVar[str] = "Amazon Reviews 2023"
    files: ClassVar[str] = (
        "Baby.jsonl.gz or Baby.csv or Baby.train.csv, .valid.csv and .test.csv; with "
        "meta_Baby.jsonl.gz as far as it is there; pictures in images/, called by parent_asin"
    )
    reference: ClassVar[str] = "https://amazon-reviews-2023.github.io"

    def recognises(self, files: Files) -> bool:
        """Whether a file holds reviews or ratings by parent_asin, or all of them metadata."""
        fields = amazon.named_fields(files)
        if any(map(_reviews, fields.values())) or _ratings(files, fields):
            return True
        return bool(fields) and all(map(_metadata, fields.values()))

    def layout(self, files: Files, mapping: Mapping[str, Any] | None, ledger: Ledger) -> Layout:
        """As the first lines say.

        Raises:
            InputError: There are no interactions, or those of several categories.
        """
        fields = amazon.named_fields(files)
        said = mapping or {}
        metadata = [name for name, held in fields.items() if _metadata(held)]
        items = amazon.items_files(
            metadata, files, said.get("items_file"), ledger, called="meta_*.jsonl"
        )
        tables = tuple(Table(name, files.paths[name], reshape=_item) for name in items)
        return Layout(
            interactions=_interactions(files, fields, said),
            items=tables[0] if tables else None,
            more_items=tables[1:],
            declared=amazon.declared(files, RATING, features="features", brand="store"),
            known_only=True,
            repeats=True,
        )


IMPORTERS.register("amazon-2023", Amazon2023Importer())


def _reviews(held: frozenset[str]) -> bool:
    return {"user_id", "parent_asin", "rating"} <= held and bool({"text", "asin"} & held)


def _metadata(held: frozenset[str]) -> bool:
    return {"parent_asin", "main_category"} <= held and "user_id" not in held


def _ratings(files: Files, fields: Mapping[str, frozenset[str]]) -> dict[str, tuple[str, ...]]:
    """Benchmark file -> its columns where it does not name them; empty: it names them.

    The published files have a header, those that the published scripts write have none.
    """
    found: dict[str, tuple[str, ...]] = {}
    for name, held in fields.items():
        if suffix_of(name) != ".csv":
            continue
        if set(RATING) <= held and held <= {*RATING, "history"}:
            found[name] = ()
        elif any(len(cell) >= _MILLISECONDS and cell.isdecimal() for cell in held):
            columns = amazon.rating_columns(name, files.paths[name])
            if columns[:2] == ("user", "item"):
                found[name] = (*RATING, "history")[: len(columns)]
    return found


def _interactions(
    files: Files, fields: Mapping[str, frozenset[str]], said: Mapping[str, Any]
) -> tuple[Table, ...]:
    """One table of reviews or ratings, or the parts of a fixed split."""
    ratings = _ratings(files, fields)
    splits: dict[str, dict[str, str]] = {}
    for name in ratings:
        match = _PART.fullmatch(PurePosixPath(name).name)
        if match is not None:
            stem = str(PurePosixPath(name).parent / match["stem"])
            splits.setdefault(stem, {})[match["part"].lower()] = name
    in_parts = {name for parts in splits.values() for name in parts.values()}
    whole = [name for name, held in fields.items() if _reviews(held)]
    whole += [name for name in ratings if name not in in_parts]
    # A split stands for itself with the file to train on.
    leading = [parts.get("train") or next(iter(parts.values())) for parts in splits.values()]
    chosen = amazon.one_of(
        [*whole, *leading],
        files,
        "interactions",
        "interactions_file",
        said.get("interactions_file"),
    )
    if chosen is None:
        raise InputError(
            f"{files.label} holds metadata but no reviews; add the reviews of the category, such "
            "as Baby.jsonl.gz, or its ratings, such as Baby.train.csv, Baby.valid.csv and "
            "Baby.test.csv."
        )
    if chosen not in in_parts:
        shards = amazon.shards_of(chosen, whole) or [chosen]
        return tuple(_table(name, files, ratings) for name in shards)
    parts = next(parts for parts in splits.values() if chosen in parts.values())
    for part in ("train", "test"):
        if part not in parts:
            missing = re.sub(r"\.(train|valid|test)\.", f".{part}.", chosen)
            raise InputError(f"{files.label} holds {chosen} but no {missing}; add it.")
    return tuple(
        _table(parts[part], files, ratings, part)
        for part in ("train", "valid", "test")
        if part in parts
    )


def _table(
    name: str, files: Files, ratings: Mapping[str, tuple[str, ...]], part: str | None = None
) -> Table:
    """A table whose title, text and pictures are a reviewer's own, and are left where they are."""
    table = Table(name, files.paths[name], part=part, columns=ratings.get(name, ()), only=RATING)
    if table.kind != "records":
        return table
    return Table(name, files.paths[name], reshape=partial(amazon.only, RATING))


def _item(record: Mapping[str, Any]) -> dict[str, Any]:
    """What describes a product; its mean rating tells of reviews that are held out."""
    main = amazon.prose(record.get("main_category"))
    return {
        "parent_asin": record.get("parent_asin"),
        "title": amazon.prose(record.get("title")),
        "features": amazon.prose(record.get("features")),
        "description": amazon.prose(record.get("description")),
        "category": amazon.path_of(record.get("categories")) or main,
        "main_category": main,
        "store": amazon.prose(record.get("store")),
        "price": amazon.price_of(record.get("price")),
        "image": amazon.picture_of(record.get("images")),
    }
