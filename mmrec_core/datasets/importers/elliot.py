"""What Ducho and Elliot leave: split files without header, and one .npy for each item."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

from mmrec_core.datasets.archive import Files
from mmrec_core.datasets.columns import guess
from mmrec_core.datasets.importers import sidecars
from mmrec_core.datasets.importers.base import IMPORTERS, FeatureSource, Layout
from mmrec_core.datasets.importers.delimited import header_of
from mmrec_core.datasets.importers.interactions import PART_NAMES
from mmrec_core.datasets.importers.matrices import FOLDER
from mmrec_core.datasets.importers.tables import Table, read_table, suffix_of
from mmrec_core.datasets.schema import Ledger
from mmrec_core.domain import InputError

COLUMNS = ("user_id", "item_id", "rating", "timestamp")
"""What the columns of the split files are, as far as there are so many."""

_MAPS = ("items_map", "item_map", "items_mapping", "item_mapping")
_ITEMS = ("meta", "items", "item_metadata")
_INDEXED = "indexed"
_LONGEST_NAME = 100


class ElliotImporter:
    """Elliot's split with Ducho's features: train, val and test.tsv, and one .npy for each item.

    The .tsv files have no header: user, item, rating and perhaps timestamp. Every folder of .npy
    below visual_... or textual_... is one set of features; a file is called by the id of its item,
    or in ..._indexed folders by the number that items_map.tsv gives. meta.tsv and images/ are read
    where there are any; what missing_visual.tsv and missing_textual.tsv list counts as missing.
    """

    title: ClassVar[str] = "Elliot and Ducho"
    files: ClassVar[str] = (
        "train.tsv, val.tsv and test.tsv, and as far as there are folders of .npy, items_map.tsv, "
        "meta.tsv, images/"
    )
    reference: ClassVar[str] = "https://github.com/sisinflab/Ducho-meets-Elliot"

    def recognises(self, files: Files) -> bool:
        """Whether there are train.tsv and test.tsv whose first line holds no names of columns."""
        for parts in _splits(files).values():
            if {"train", "test"} <= set(parts):
                first, other = (
                    header_of(Table(name, files.paths[name]))
                    for name in (parts["train"][0], parts["test"][0])
                )
                # Data differ from part to part, names of columns do not.
                return _headless(first) and (len(first) > 2 or first != other)
        return False

    def layout(self, files: Files, mapping: Mapping[str, Any] | None, ledger: Ledger) -> Layout:
        """As the names say.

        Raises:
            InputError: A part of the split lacks or is there twice, or has no such columns.
        """
        splits, folders = _splits(files), _folders(files, ledger)
        originals = _numbers(files, ledger)
        plain = any(parts.get("train") for indexed, parts in splits.items() if not indexed)
        numbered_only = bool(folders) and all(folder.indexed for folder in folders)
        # Without a map nothing ties numbered features to original ids; numbered tables fit them.
        indexed = bool(splits[True]) and (not plain or (numbered_only and not originals))
        words = originals if indexed else {}
        tables = tuple(
            _table(name, files, part, words) for part, name in _parts(splits[indexed], files)
        )
        by_number = indexed and not originals
        items = None if by_number else _items(files, ledger)
        return Layout(
            interactions=tables,
            items=items,
            declared=sidecars.declared(files, image=_web(items)),
            features=_features(folders, files, originals, by_number, ledger),
            vectors=any(folder.name == FOLDER for folder in folders),
        )


IMPORTERS.register("elliot-ducho", ElliotImporter())


@dataclass(frozen=True)
class _Folder:
    """A folder of vectors: its modality, whether files are called by numbers, stem -> file."""

    name: str
    modality: str
    indexed: bool
    vectors: Mapping[str, Path]


def _splits(files: Files) -> dict[bool, dict[str, list[str]]]:
    """Whether users and items are numbers -> part -> files that are called so."""
    found: dict[bool, dict[str, list[str]]] = {False: {}, True: {}}
    for name in sorted(files.paths):
        base = PurePosixPath(name).name.lower().removesuffix(".gz")
        stem = base.removesuffix(".tsv")
        part = PART_NAMES.get(stem.removesuffix(f"_{_INDEXED}"))
        if stem != base and part is not None and not stem.isdigit():
            found[stem.endswith(_INDEXED)].setdefault(part, []).append(name)
    return found


def _headless(cells: list[str]) -> bool:
    """Whether a first line holds data: a user, an item, and numbers."""
    if not 2 <= len(cells) <= len(COLUMNS) or guess("user_id", cells) or guess("item_id", cells):
        return False
    return all(re.fullmatch(r"\s*-?[0-9.]+(e[-+]?[0-9]+)?\s*", cell, re.I) for cell in cells[2:])


def _parts(split: Mapping[str, list[str]], files: Files) -> list[tuple[str, str]]:
    for part in ("train", "test"):
        if part not in split:
            found = sidecars.some(files.top()) or "nothing"
            raise InputError(
                f"There is no {part}.tsv in {files.label} (found: {found}); Elliot's split needs "
                "train.tsv and test.tsv, and may have val.tsv."
            )
    for names in split.values():
        if len(names) > 1:
            raise InputError(
                f"{files.label} holds {sidecars.some(names)}, which are one part of several "
                "splits; keep one split."
            )
    return [(part, split[part][0]) for part in ("train", "valid", "test") if part in split]


def _table(name: str, files: Files, part: str, words: Mapping[str, str]) -> Table:
    table = Table(name, files.paths[name], part=part, delimiter="\t")
    width = len(header_of(table))
    if width and not 2 <= width <= len(COLUMNS):
        raise InputError(
            f"{name}, line 1: {width} cells with tabs between them; a user, an item and perhaps "
            "rating and timestamp are expected, without header."
        )
    made = {"item_id": partial(sidecars.translated, words=words)} if words else {}
    columns = COLUMNS[: width or 2]
    return Table(name, table.path, part, columns, "\t", quoted=False, made=made)


def _numbers(files: Files, ledger: Ledger) -> dict[str, str]:
    """Number -> original id of each item; empty where no map tells.

    Raises:
        InputError: The map does not have two columns.
    """
    found = [name for name in files.top() if PurePosixPath(name).name.partition(".")[0] in _MAPS
             and suffix_of(name) in (".tsv", ".csv", ".txt")]  # fmt: skip
    if not found:
        return {}
    if len(found) > 1:
        raise InputError(
            f"{sidecars.some(found)} may each say which number is which item; keep one."
        )
    table = Table(found[0], files.paths[found[0]])
    header = header_of(table)
    if len(header) != 2:
        raise InputError(
            f"{found[0]}, line 1: {len(header)} cells; an original id and a number are expected."
        )
    # Without header as a rule: the second cell of the first line is a number then.
    named = not header[1].strip().isdigit() and not header[0].strip().isdigit()
    columns = tuple(cell.strip() for cell in header) if named else ("item", "number")
    described = Table(found[0], table.path, columns=() if named else columns)
    with Ledger(lenient=True) as aside:
        sample = next(read_table(described, aside, rows=5)).frame
    digits = [sample[column].str.strip().str.isdigit().all() for column in columns]
    # The original id comes first as a rule; the other way round it shows.
    number, original = (0, 1) if digits == [True, False] else (1, 0)
    return sidecars.read_map(described, columns[number], columns[original], ledger)


def _items(files: Files, ledger: Ledger) -> Table | None:
    for stem in _ITEMS:
        for suffix in (".tsv", ".csv", ".tsv.gz", ".csv.gz"):
            name = f"{stem}{suffix}"
            if name not in files.paths:
                continue
            table = Table(name, files.paths[name])
            header = [cell.strip() for cell in header_of(table)]
            if guess("item_id", header) is not None:
                return Table(name, table.path, only=tuple(header))
            ledger.note(f"{name} has no column for the item id and is not read.")
    return None


def _web(items: Table | None) -> str | None:
    return "imUrl" if items is not None and "imUrl" in items.only else None


def _folders(files: Files, ledger: Ledger) -> list[_Folder]:
    """Folders of vectors whose path says of which modality they are."""
    found: dict[str, dict[str, Path]] = defaultdict(dict)
    for name, path in files.paths.items():
        where, _, base = name.rpartition("/")
        if where and base.lower().endswith(".npy"):
            found[where][base[:-4]] = path
    folders, audio, unknown = [], [], []
    for name, vectors in sorted(found.items()):
        modality = _modality(name)
        if modality == "audio":
            audio.append(name)
        elif not modality:
            unknown.append(name)
        else:
            folders.append(_Folder(name, modality, _INDEXED in name.lower(), vectors))
    if audio:
        ledger.note(f"Not read: {sidecars.some(audio)} (audio is no modality here).")
    if unknown:
        ledger.note(
            f"Not read: {sidecars.some(unknown)}; a folder of features must be called visual_... "
            "or textual_..., or lie below one that is."
        )
    return folders


def _modality(folder: str) -> str:
    """image, text, joint or audio, by the first part of a path that tells; else empty."""
    for part in folder.lower().split("/"):
        image = re.search(r"visual|vision|image|img", part) is not None
        text = re.search(r"text|txt", part) is not None
        if re.search(r"audio|acoustic", part):
            return "audio"
        if (image and text) or re.search(r"multimodal|joint|fused", part):
            return "joint"
        if image or text:
            return "image" if image else "text"
    guessed = sidecars.guess_modality(folder)
    return "" if guessed == "joint" else guessed


def _features(
    folders: list[_Folder],
    files: Files,
    originals: Mapping[str, str],
    by_number: bool,
    ledger: Ledger,
) -> tuple[FeatureSource, ...]:
    sources: dict[str, FeatureSource] = {}
    twins = {_untwinned(folder.name) for folder in folders if folder.indexed == by_number}
    for folder in folders:
        vectors: Mapping[str, Path] = folder.vectors
        if folder.indexed != by_number:
            if _untwinned(folder.name) in twins:
                # The same vectors under the other names.
                continue
            if by_number or not originals:
                ledger.note(
                    f"{folder.name} is left out: without items_map.tsv nothing tells which number "
                    "is which item."
                )
                continue
            vectors = _by_original(folder, originals, ledger)
        name = _name(folder.name)
        if name in sources:
            name = f"{name[: _LONGEST_NAME - 9]}-{_digest(folder.name)}"
        missing = _missing(files, folder.modality, by_number, ledger)
        path = next(iter(folder.vectors.values()))
        sources[name] = FeatureSource(
            name, folder.name, path, None, folder.modality, vectors=vectors, filled=missing
        )
    return tuple(sources.values())


def _untwinned(folder: str) -> str:
    return re.sub(r"_?indexed", "", folder)


def _by_original(
    folder: _Folder, originals: Mapping[str, str], ledger: Ledger
) -> Mapping[str, Path]:
    known = {originals[number]: path for number, path in folder.vectors.items()
             if number in originals}  # fmt: skip
    if len(known) < len(folder.vectors):
        ledger.note(
            f"{folder.name}: {len(folder.vectors) - len(known):,} files are called by numbers that "
            "the map of the items does not hold, and are not used."
        )
    return known or folder.vectors


def _name(folder: str) -> str:
    """``visual_embeddings_32/torch/ResNet50/avgpool`` as ``visual_32-torch-ResNet50-avgpool``."""
    parts = [re.sub(r"_?(embeddings|features|indexed)", "", part) for part in folder.split("/")]
    joined = "-".join(part for part in parts if part)
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", joined).strip("._-") or "features"
    if len(name) <= _LONGEST_NAME:
        return name
    # It becomes the name of a file.
    return f"{name[: _LONGEST_NAME - 9]}-{_digest(folder)}"


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:8]


def _missing(files: Files, modality: str, by_number: bool, ledger: Ledger) -> frozenset[str]:
    """Items whose vectors were imputed."""
    if modality not in ("image", "text"):
        return frozenset()
    what = "visual" if modality == "image" else "textual"
    name = f"missing_{what}{f'_{_INDEXED}' if by_number else ''}.tsv"
    if name not in files.paths:
        return frozenset()
    table = Table(name, files.paths[name], columns=("item",), delimiter="\t")
    found = sidecars.read_ids(table, ledger)
    if found:
        ledger.note(f"{name} lists {len(found):,} ids: their features are missing.")
    return found
