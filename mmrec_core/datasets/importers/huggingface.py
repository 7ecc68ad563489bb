"""Datasets of Hugging Face on disk: what ``save_to_disk`` writes, and Parquet from the hub."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePosixPath
from typing import Any, ClassVar

import pyarrow as pa

from mmrec_core.datasets.archive import Files
from mmrec_core.datasets.columns import Declared, guess
from mmrec_core.datasets.importers import sidecars
from mmrec_core.datasets.importers.base import IMPORTERS, Embedded, Layout
from mmrec_core.datasets.importers.columnar import holds_bytes, is_picture, is_vector, schema_of
from mmrec_core.datasets.importers.interactions import PART_NAMES, PARTS
from mmrec_core.datasets.importers.tables import Table
from mmrec_core.datasets.schema import Ledger
from mmrec_core.domain import InputError

_SHARD = re.compile(
    r"(?P<split>.+)-(?P<at>\d{5})-of-(?P<of>\d{5})(-[0-9a-f]+)?\.(?P<kind>parquet|arrow)"
)
_STATE, _INFO = "state.json", "dataset_info.json"
_ITEMS = ("items", "item", "products", "meta", "metadata", "catalogue", "catalog")
_CARD_CHARACTERS = 2**16


class HuggingFaceImporter:
    """A dataset of Hugging Face: a folder that save_to_disk wrote, or Parquet as the hub keeps it.

    The table with a user and an item column holds the interactions, one with an item column and no
    user the items. Splits called train, validation and test are a fixed split; all shards of a
    table are read. Classes are read as their names, pictures inside the items as pictures;
    vectors are left out.
    """

    title: ClassVar[str] = "Hugging Face dataset"
    files: ClassVar[str] = (
        "dataset_dict.json or state.json with data-00000-of-00001.arrow, or "
        "data/train-00000-of-00001.parquet"
    )
    reference: ClassVar[str] = "https://huggingface.co/docs/datasets"

    def recognises(self, files: Files) -> bool:
        """Whether there are shards, by their names, or the state that ``save_to_disk`` leaves."""
        for name in files.paths:
            base = PurePosixPath(name).name
            if _SHARD.fullmatch(base) or (base == _STATE and _beside(files, name, ".arrow")):
                return True
        return False

    def layout(self, files: Files, mapping: Mapping[str, Any] | None, ledger: Ledger) -> Layout:
        """As the columns say.

        Raises:
            InputError: No table, or several, can hold the interactions, or the items.
        """
        splits = _splits(files, ledger)
        interactions = _asked("interactions_file", splits, mapping, files) or [
            split
            for split in splits
            if split.plays("user_id", mapping) and split.plays("item_id", mapping)
        ]
        items = _asked("items_file", splits, mapping, files) or [
            split
            for split in splits
            if split not in interactions
            and split.plays("item_id", mapping)
            and not split.plays("user_id", None)
        ]
        if not interactions:
            raise InputError(_none(splits, files))
        tables = _in_parts(interactions, files, ledger)
        chosen = _one(items)
        pictures = None if chosen is None else chosen.pictures(mapping)
        rows = () if chosen is None else chosen.tables(ledger, inside=pictures)
        left = [s.label for s in splits if s not in interactions and s is not chosen]
        if left:
            ledger.note(f"Not read: {sidecars.some(left)}.")
        return Layout(
            interactions=tables,
            items=rows[0] if rows else None,
            more_items=rows[1:],
            embedded=None if not rows or pictures is None else Embedded(rows, pictures),
            declared=_declared(files, interactions[0], ledger),
        )


IMPORTERS.register("huggingface", HuggingFaceImporter())


@dataclass(frozen=True, eq=False)
class _Split:
    """Shards that are one table.

    Attributes:
        name: Of the split, such as train.
        label: For sentences: where it lies, and its name.
        folder: That it lies in; empty: the root.
        shards: In order.
        schema: Of the first shard.
    """

    name: str
    label: str
    folder: str
    shards: tuple[Table, ...]
    schema: pa.Schema

    def plays(self, role: str, mapping: Mapping[str, Any] | None) -> bool:
        """Whether a column plays ``role``, as said or by its name."""
        said = (mapping or {}).get(role)
        return said in self.schema.names if said else guess(role, self.schema.names) is not None

    def pictures(self, mapping: Mapping[str, Any] | None) -> str | None:
        """Column with one picture a row: as said; else the one called so before others."""
        found = [field.name for field in self.schema if is_picture(field.type)]
        said = (mapping or {}).get("image")
        if said is not None:
            return said if said in found else None
        return guess("image", found) or (found[0] if found else None)

    def tables(
        self, ledger: Ledger, part: str | None = None, inside: str | None = None
    ) -> tuple[Table, ...]:
        """Its shards without vectors and bytes, and with classes as their names.

        Args:
            ledger: Takes what is left out.
            part: Of a fixed split.
            inside: Column of pictures that are brought out later.
        """
        vectors = [field.name for field in self.schema if is_vector(field.type)]
        pictures = [f.name for f in self.schema if holds_bytes(f.type) and f.name != inside]
        if vectors:
            ledger.note(
                f"{self.label}: {sidecars.some(vectors)} hold vectors and are left out; to use "
                "them, save them as features/NAME.npy in the order of the items."
            )
        if pictures:
            ledger.note(
                f"{self.label}: {sidecars.some(pictures)} hold pictures or other bytes inside the "
                "table and are left out; to use pictures, save them as files called by item ids."
            )
        left = {*vectors, *pictures, *([] if inside is None else [inside])}
        only = tuple(n.strip() for n in self.schema.names if n not in left) if left else ()
        made = {
            column: partial(sidecars.translated, words=words)
            for column, words in _classes(self.schema).items()
        }
        return tuple(replace(shard, part=part, only=only, made=made) for shard in self.shards)


def _splits(files: Files, ledger: Ledger) -> list[_Split]:
    """Every table of the upload.

    Raises:
        InputError: A shard cannot be read, or was saved in a way that is no longer read.
    """
    shards: dict[tuple[str, str], list[str]] = {}
    for name in sorted(files.paths):
        folder, _, base = name.rpartition("/")
        found = _SHARD.fullmatch(base)
        if found is not None:
            shards.setdefault((folder, found["split"]), []).append(name)
        elif base.endswith(".arrow") and f"{folder}/{_STATE}".lstrip("/") in files.paths:
            shards.setdefault((folder, "data"), []).append(name)
    splits = []
    for (folder, split), names in shards.items():
        saved = names[0].endswith(".arrow")
        names = _as_saved(folder, names, files, ledger) if saved else names
        _complete(names, ledger)
        tables = tuple(Table(name, files.paths[name]) for name in names)
        called = PurePosixPath(folder).name if saved and split == "data" and folder else split
        label = folder if saved and folder else f"{folder}/{split}".lstrip("/")
        splits.append(_Split(called, label, folder, tables, schema_of(tables[0])))
    return splits


def _as_saved(folder: str, names: list[str], files: Files, ledger: Ledger) -> list[str]:
    """The shards that state.json names, in its order; all of them where it does not say."""
    where = f"{folder}/{_STATE}".lstrip("/")
    state = sidecars.read_json(files, where, ledger)
    if state.get("_indices_data_files") or state.get("_indices_files"):
        raise InputError(
            f"{where}: an old version of datasets saved which rows are meant apart from the rows; "
            "load it and save it again."
        )
    entries = state.get("_data_files")
    if not isinstance(entries, list):
        return names
    said = [str(entry.get("filename")) for entry in entries if isinstance(entry, dict)]
    wanted = [f"{folder}/{base}".lstrip("/") for base in said]
    for absent in sorted(set(wanted) - set(names)):
        ledger.reject(where, None, f"it names {absent}, which is not in the upload")
    return [name for name in dict.fromkeys(wanted) if name in names] or names


def _complete(names: Sequence[str], ledger: Ledger) -> None:
    """Notes shards that are not there: rows would be missing without a word."""
    found = [match for name in names if (match := _SHARD.fullmatch(PurePosixPath(name).name))]
    counts = {int(match["of"]) for match in found}
    there = {int(match["at"]) for match in found}
    if found and (len(counts) > 1 or len(there) != max(counts) or len(there) != len(found)):
        ledger.reject(
            names[0], None, f"of {max(counts):,} shards of this table {len(there):,} are there"
        )


def _asked(
    key: str, splits: list[_Split], mapping: Mapping[str, Any] | None, files: Files
) -> list[_Split]:
    said = str((mapping or {}).get(key) or "")
    found = [s for s in splits if said and said in (s.label, s.name, *(t.name for t in s.shards))]
    if said and not found:
        raise InputError(
            f"There is no table {said!r} for {key} in {files.label}; there are "
            f"{sidecars.some([split.label for split in splits])}."
        )
    return found


def _in_parts(found: list[_Split], files: Files, ledger: Ledger) -> tuple[Table, ...]:
    """The tables of interactions, each with its part where they are a fixed split."""
    if len(found) == 1:
        return found[0].tables(ledger)
    labels = sidecars.some([split.label for split in found])
    parts = [PART_NAMES.get(split.name.lower()) for split in found]
    if all(part is None for part in parts):
        ledger.note(f"{labels} are taken for one table of interactions.")
        return tuple(table for split in found for table in split.tables(ledger))
    if None in parts or len(set(parts)) < len(parts):
        raise InputError(
            f"{files.label} holds several tables of interactions ({labels}) that are not the parts "
            "of one split; keep those that belong together, or say which one it is "
            "(interactions_file)."
        )
    for part in ("train", "test"):
        if part not in parts:
            raise InputError(f"{files.label} holds {labels} but no {part} split; add it.")
    ordered = sorted(zip(parts, found, strict=True), key=lambda pair: PARTS.index(pair[0] or ""))
    return tuple(table for part, split in ordered for table in split.tables(ledger, part))


def _one(items: list[_Split]) -> _Split | None:
    if len(items) > 1:
        named = [split for split in items if split.name.lower() in _ITEMS]
        if len(named) != 1:
            labels = sidecars.some([split.label for split in items])
            raise InputError(
                f"{labels} may each be the table of the items; say which one it is (items_file)."
            )
        return named[0]
    return items[0] if items else None


def _none(splits: list[_Split], files: Files) -> str:
    if not splits:
        return (
            f"There is no table in {files.label} as datasets writes them; give what save_to_disk "
            "wrote, or Parquet files called like train-00000-of-00001.parquet."
        )
    columns = ", ".join(splits[0].schema.names[:20])
    return (
        f"No table of {files.label} has a user and an item column ({splits[0].label} has "
        f"{columns}); name them with --map user_id=COLUMN and --map item_id=COLUMN."
    )


def _classes(schema: pa.Schema) -> dict[str, dict[str, str]]:
    """Column of classes -> number as text -> name; -1 is no class."""
    raw = (schema.metadata or {}).get(b"huggingface", b"")
    if not raw or len(raw) > sidecars.MOST_BYTES:
        return {}
    try:
        features = json.loads(raw)["info"]["features"]
        held = {column: kind.get("names") for column, kind in features.items()
                if kind.get("_type") == "ClassLabel"}  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # Numbers are still there; only their names are not.
        return {}
    return {
        column: {"-1": "", **{str(at): str(name) for at, name in enumerate(names)}}
        for column, names in held.items()
        if isinstance(names, list)
    }


def _declared(files: Files, split: _Split, ledger: Ledger) -> Declared:
    """dataset.toml, completed by dataset_info.json or the card of the hub."""
    own = f"{split.folder}/{_INFO}".lstrip("/")
    info = sidecars.read_json(files, own if own in files.paths else _INFO, ledger)
    declared = sidecars.declared(files)
    licence = declared.licence or _text(info.get("license")) or _card_licence(files)
    source = declared.source or _text(info.get("homepage"))
    description = _text(info.get("description"))
    if description:
        ledger.note(f"{_INFO} says: {description}")
    return declared.model_copy(update={"licence": licence, "source": source})


def _text(value: Any) -> str:
    return " ".join(value.split())[:200] if isinstance(value, str) else ""


def _card_licence(files: Files) -> str:
    """What the card of the hub, the head of README.md, says of the licence."""
    path = files.paths.get("README.md")
    if path is None:
        return ""
    with path.open(encoding="utf-8", errors="replace") as card:
        head = card.read(_CARD_CHARACTERS)
    front = re.match(r"---\s*\n(.*?)\n---", head, re.S)
    found = re.search(r"^licen[sc]e:[ \t]*(\S.*)$", front[1], re.M) if front else None
    return _text(found[1].strip("\"' ")) if found else ""


def _beside(files: Files, name: str, suffix: str) -> bool:
    folder = name.rpartition("/")[0]
    return any(
        other.endswith(suffix) and other.rpartition("/")[0] == folder for other in files.paths
    )
