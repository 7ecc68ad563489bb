"""What the Amazon datasets of the McAuley Lab have in common, whichever year they are of.

An upload is one category: its reviews or ratings, and the metadata of its products. Which file is
what is told by what stands in its first lines; names differ between mirrors.
"""

import ast
import html
import json
import re
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mmrec_core.datasets.archive import Files
from mmrec_core.datasets.columns import Declared
from mmrec_core.datasets.importers import sidecars
from mmrec_core.datasets.importers.delimited import header_of
from mmrec_core.datasets.importers.lines import Lines
from mmrec_core.datasets.importers.records import json_line
from mmrec_core.datasets.importers.tables import LIST_SEPARATOR, Table, is_table, suffix_of
from mmrec_core.datasets.schema import Ledger
from mmrec_core.domain import InputError

SEEN_ROWS = 20
"""So many rows of a file without a header tell which column is which."""

LONGEST_LITERAL = 2**20
"""Characters of a Python literal; the longest line of the published files has a tenth of it."""

_PLAIN = ("interactions", "items", "train", "valid", "test")
_SHARD = re.compile(r"-\d{5}-of-\d{5}(?=\.)")
_ASIN = re.compile(r"[0-9B][0-9A-Z]{9}")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_PRICE = re.compile(r"(from )?\$?[\d.,]+( ?- ?\$?[\d.,]+)?")


def named_fields(files: Files) -> dict[str, frozenset[str]]:
    """File -> names of its columns, or of the fields of its first record.

    Tables only, and none that is called as the plain layout calls its own.
    """
    return {
        name: frozenset(_fields(Table(name, path)))
        for name, path in files.paths.items()
        if is_table(name) and suffix_of(name) != ".txt" and base(name).lower() not in _PLAIN
    }


def _fields(table: Table) -> Sequence[str]:
    try:
        if table.kind == "records":
            record = loose_line(next(iter(Lines(table)), ""))
            return list(record) if isinstance(record, dict) else ()
        if table.kind == "parquet":
            return list(pq.read_schema(table.path).names)
        return header_of(table) if table.kind == "delimited" else ()
    except (InputError, ValueError, OSError, RecursionError, pa.ArrowException):
        # It is of no format that is known here; whoever reads it says what is wrong.
        return ()


def rating_columns(name: str, path: Path) -> tuple[str, ...]:
    """user, item, rating and time in the order in which a file without header holds them.

    ASINs have ten characters, users of Amazon more, so that the order is seen. Empty where the
    first rows are not all such ratings.
    """
    table = Table(name, path)
    if suffix_of(name) != ".csv":
        return ()
    try:
        rows = [line.strip().split(",") for line in islice(Lines(table), SEEN_ROWS)]
    except InputError:
        return ()
    if not rows or any(len(row) not in (4, 5) for row in rows):
        return ()
    if not all(re.fullmatch(r"[0-5](\.0)?", row[2]) and row[3].isdecimal() for row in rows):
        return ()
    first, second = ([bool(_ASIN.fullmatch(row[at])) for row in rows] for at in (0, 1))
    rest = ("rating", "timestamp", "history")[: len(rows[0]) - 2]
    if all(first) and not any(second):
        return ("item", "user", *rest)
    if all(second) and not any(first):
        return ("user", "item", *rest)
    return ()


def shards_of(name: str | None, found: Sequence[str]) -> list[str]:
    """All files of a table that the hub keeps in several, ``full-00000-of-00002.parquet``."""
    whole = None if name is None else _SHARD.sub("", name)
    return sorted(other for other in found if _SHARD.sub("", other) == whole)


def one_of(found: Sequence[str], files: Files, what: str, key: str, said: Any) -> str | None:
    """The only file found, or the one that is said; of a table in several files the first.

    Args:
        found: Files that may be it.
        files: The upload.
        what: What the file holds, for the sentence.
        key: Key of a mapping that says which one it is.
        said: What the mapping says; None: nothing.

    Raises:
        InputError: There are several, or what is said is none of them.
    """
    if said:
        if str(said) not in files.paths:
            raise InputError(f"There is no file {str(said)!r} in {files.label}; correct {key}.")
        return str(said)
    found = [name for name in found if name == shards_of(name, found)[0]]
    if len(found) > 1:
        shown = ", ".join(found[:4]) + (", ..." if len(found) > 4 else "")
        raise InputError(
            f"{files.label} holds {len(found)} files of {what}: {shown}. Give those of one "
            f"category, or say which is to be read ({key})."
        )
    return found[0] if found else None


def items_files(
    found: Sequence[str], files: Files, said: Any, ledger: Ledger, called: str
) -> list[str]:
    """The only table of metadata, or the one that is said; none, and a note, if there is none.

    Args:
        found: Files that hold metadata.
        files: The upload.
        said: What a mapping says of ``items_file``; None: nothing.
        ledger: Takes the note.
        called: What such files are called.

    Raises:
        InputError: As for ``one_of``.
    """
    name = one_of(found, files, "metadata", "items_file", said)
    if name is None:
        ledger.note(f"There is no metadata file ({called}): items are ids without content.")
        return []
    return shards_of(name, found) or [name]


def declared(files: Files, rating: Sequence[str], features: str, brand: str) -> Declared:
    """What the columns mean, as far as the years agree, and what the upload itself says of them.

    Args:
        files: The upload.
        rating: Columns of user, item, rating and time.
        features: Column of the list beside a product's picture.
        brand: Column of who makes it.
    """
    user_id, item_id, stars, timestamp = rating
    return sidecars.declared(
        files,
        user_id=user_id,
        item_id=item_id,
        rating=stars,
        timestamp=timestamp,
        title="title",
        text=("title", features, "description"),
        category="category",
        category_separator=LIST_SEPARATOR,
        image="image",
        attributes={brand: "brand"},
    )


def base(name: str) -> str:
    """The name of a file without folders and without what says how it is written."""
    return PurePosixPath(name).name.partition(".")[0]


# Lines


def loose_line(line: str) -> Any:
    """A line of JSON, or a Python literal, as the metadata of 2014 are written.

    Nothing is evaluated; the parser of Python bounds nesting and says so.

    Raises:
        ValueError: It is neither.
    """
    try:
        return json_line(line)
    except ValueError as error:
        if not line.lstrip().startswith("{'"):
            raise
        if len(line) > LONGEST_LITERAL:
            raise ValueError(f"longer than {LONGEST_LITERAL:,} characters") from error
    try:
        return ast.literal_eval(line.strip())
    except (SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError(f"nor a Python literal: {error}") from error


# Fields


def only(names: Sequence[str], record: Mapping[str, Any]) -> dict[str, Any]:
    """Who rated what, and when; title, text and pictures of a review are the reviewer's own."""
    return {name: record.get(name) for name in names}


def prose(value: Any) -> str:
    """Text as a person reads it: without the entities and tags of the page it was taken from.

    The entries of a list become lines.
    """
    if isinstance(value, list | tuple):
        return "\n".join(filter(None, map(prose, value)))
    if not isinstance(value, str):
        return "" if value is None or isinstance(value, dict) else str(value)
    if "&" in value:
        value = html.unescape(value)
    if "<" in value:
        value = _TAG.sub(" ", value)
    return " ".join(value.split())


def path_of(value: Any) -> str:
    """A path of categories, or several, as one cell of distinct names from general to special."""
    found: dict[str, None] = {}
    entries = value if isinstance(value, list | tuple) else [value]
    for entry in entries:
        for name in entry if isinstance(entry, list | tuple) else [entry]:
            if isinstance(name, str) and name.lstrip().startswith("<"):
                # Of the files of 2018: from here on they are remains of the page, not categories.
                break
            found.setdefault(prose(name).replace(LIST_SEPARATOR, "/"))
        else:
            continue
        break
    found.pop("", None)
    return LIST_SEPARATOR.join(found)


def price_of(value: Any) -> str:
    """A price as written, without what is none ("None", remains of the page)."""
    text = "" if value is None else str(value).strip()
    return text if _PRICE.fullmatch(text) else ""


def first_text(value: Any) -> str:
    """A text, or the first of a list that is not empty."""
    if isinstance(value, str):
        return value.strip()
    texts = value if isinstance(value, list | tuple) else []
    return next((text.strip() for text in texts if isinstance(text, str) and text.strip()), "")


def picture_of(images: Any) -> str:
    """Web address of the main picture, large where there is one; empty where there is none.

    Args:
        images: A list of objects (thumb, large, variant, hi_res), or an object of such lists, as
            the Parquet files have it.
    """
    if isinstance(images, str) and images[:1] in ("[", "{"):
        try:
            images = json.loads(images)
        except (ValueError, RecursionError):
            return ""
    if isinstance(images, Mapping):
        lists = {key: part for key, part in images.items() if isinstance(part, list)}
        most = max(map(len, lists.values()), default=0)
        images = [
            {key: part[at] for key, part in lists.items() if at < len(part)} for at in range(most)
        ]
    listed = images if isinstance(images, list | tuple) else ()
    shown = [image for image in listed if isinstance(image, Mapping)]
    # Where no picture is called the main one, the first on the page is.
    shown.sort(key=lambda image: image.get("variant") != "MAIN")
    for image in shown:
        for size in ("hi_res", "large", "thumb"):
            address = image.get(size)
            if isinstance(address, str) and address.startswith("http"):
                return address
    return ""
