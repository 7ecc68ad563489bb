"""The layout of MMRec: numbered items, features whose row is the number of the item."""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

from mmrec_core.datasets.archive import Files
from mmrec_core.datasets.columns import guess
from mmrec_core.datasets.importers import sidecars
from mmrec_core.datasets.importers.base import IMPORTERS, FeatureSource, Layout
from mmrec_core.datasets.importers.delimited import header_of
from mmrec_core.datasets.importers.tables import Table, suffix_of
from mmrec_core.datasets.schema import Ledger
from mmrec_core.domain import InputError

LABEL = "x_label"
"""Column that says 0 for train, 1 for validation, 2 for test."""

_MODALITIES = {
    **dict.fromkeys(("image", "img", "visual", "vision", "v"), "image"),
    **dict.fromkeys(("text", "txt", "textual", "t"), "text"),
}
_FILLED = "missed_img_itemIDs.csv"
_GRAPH = "user_graph_dict.npy"


class MMRecImporter:
    """A folder of MMRec: name.inter with numbered users and items, and .npy features.

    x_label is the split. Row 7 of image_feat.npy and text_feat.npy is that of item 7. Titles and
    words come from meta-name.csv, original ids from i_id_mapping.csv, where there are any; items
    that missed_img_itemIDs.csv lists have an average for a picture and count as missing.
    """

    title: ClassVar[str] = "MMRec"
    files: ClassVar[str] = (
        "name.inter, and as far as there are image_feat.npy, text_feat.npy, meta-name.csv, "
        "i_id_mapping.csv, missed_img_itemIDs.csv"
    )
    reference: ClassVar[str] = "https://github.com/enoche/MMRec"

    def recognises(self, files: Files) -> bool:
        """Whether there is an .inter file whose columns have no types (those are RecBole's)."""
        return bool(_inters(files))

    def layout(self, files: Files, mapping: Mapping[str, Any] | None, ledger: Ledger) -> Layout:
        """As the names say.

        Raises:
            InputError: There is no .inter file, or there are several.
        """
        name = _chosen(_inters(files), files, str((mapping or {}).get("interactions_file") or ""))
        interactions = Table(name, files.paths[name])
        header = header_of(interactions)
        folder = PurePosixPath(name).parent
        beside = {
            PurePosixPath(other).name: other
            for other in sorted(files.paths)
            if PurePosixPath(other).parent == folder
        }
        if LABEL not in header:
            ledger.note(f"{name} has no column {LABEL}: its interactions are divided here.")
        number = guess("item_id", header) or ""
        originals = _originals(beside, files, number, ledger)
        items, known_only = _items(beside, files, number, originals, ledger)
        images = "images" if folder == PurePosixPath() else f"{folder}/images"
        return Layout(
            interactions=(interactions,),
            items=items,
            known_only=known_only,
            declared=sidecars.declared(files, image=_web(items)),
            features=_features(beside, files, ledger),
            pictures=(images,),
            picture_ids=originals if _pictures_by(originals, images, files) else None,
        )


IMPORTERS.register("mmrec", MMRecImporter())


def _inters(files: Files) -> list[str]:
    """Tables of interactions whose columns have no types, those with a split column first."""
    found = []
    for name in sorted(files.paths):
        if suffix_of(name) != ".inter":
            continue
        header = header_of(Table(name, files.paths[name]))
        known = guess("user_id", header) is not None and guess("item_id", header) is not None
        if known and not any(":" in cell for cell in header):
            found.append((LABEL not in header, name))
    best = min((rank for rank, _ in found), default=True)
    return [name for rank, name in found if rank == best]


def _chosen(names: list[str], files: Files, said: str) -> str:
    if said:
        if said not in files.paths:
            raise InputError(f"There is no table {said!r} for interactions_file in {files.label}.")
        return said
    if not names:
        raise InputError(
            f"There is no .inter file in {files.label} that names its columns, as in userID, "
            f"itemID, rating, timestamp, {LABEL} with tabs between them."
        )
    if len(names) > 1:
        raise InputError(
            f"{files.label} holds {len(names)} tables of interactions ({sidecars.some(names)}); "
            "keep one, or say which one it is (interactions_file)."
        )
    return names[0]


def _originals(
    beside: Mapping[str, str], files: Files, number: str, ledger: Ledger
) -> dict[str, str]:
    """Number -> original id of each item; empty where no map tells."""
    name = beside.get("i_id_mapping.csv")
    if name is None:
        return {}
    table = Table(name, files.paths[name])
    header = [cell.strip() for cell in header_of(table)]
    key = number if number in header else next((c for c in header if c.lower() == "itemid"), "")
    others = [cell for cell in header if cell != key]
    if not key or not others:
        ledger.reject(name, 1, f"it must name the columns asin and {number or 'itemID'}")
        return {}
    return sidecars.read_map(table, key, others[0], ledger)


def _items(
    beside: Mapping[str, str],
    files: Files,
    number: str,
    originals: Mapping[str, str],
    ledger: Ledger,
) -> tuple[Table | None, bool]:
    """The table of items, and whether it describes more than those of the interactions."""
    names = [own for base, own in beside.items() if re.fullmatch(r"meta[-_].*\.csv(\.gz)?", base)]
    if len(names) > 1:
        raise InputError(f"{sidecars.some(names)} may each be the table of the items; keep one.")
    for name in names:
        table = Table(name, files.paths[name])
        header = [cell.strip() for cell in header_of(table)]
        made = {"categories": sidecars.plain_list}
        # Lists of other products: pages of text that nothing here reads.
        only = tuple(cell for cell in header if cell != "related")
        if number in header:
            return Table(name, table.path, made=made, only=only), False
        key = guess("item_id", header)
        if key is not None and originals:
            numbers = {original: own for own, original in originals.items()}
            made[key] = partial(sidecars.translated, words=numbers)
            return Table(name, table.path, made=made, only=only), True
        ledger.note(f"{name} has no column {number} and is not read: nothing ties it to the items.")
    if originals:
        name = beside["i_id_mapping.csv"]
        return Table(name, files.paths[name]), False
    return None, False


def _web(items: Table | None) -> str | None:
    return "imUrl" if items is not None and "imUrl" in items.only else None


def _features(beside: Mapping[str, str], files: Files, ledger: Ledger) -> tuple[FeatureSource, ...]:
    sources: list[FeatureSource] = []
    unread: list[str] = []
    for base, name in beside.items():
        if PurePosixPath(base).suffix.lower() != ".npy":
            continue
        kind = _MODALITIES.get(base.partition("_")[0].lower())
        if base == _GRAPH:
            ledger.note(f"{name} holds a pickled graph of users for DualGNN; pickles are not read.")
        elif not base.endswith("_feat.npy") or kind is None:
            unread.append(name)
        else:
            sources.append(_source(base, name, kind, beside, files, ledger))
    if unread:
        ledger.note(f"Not read: {sidecars.some(unread)} (neither image nor text features).")
    return tuple(sources)


def _source(
    base: str, name: str, kind: str, beside: Mapping[str, str], files: Files, ledger: Ledger
) -> FeatureSource:
    path: Path = files.paths[name]
    filled: frozenset[str] = frozenset()
    if kind == "image":
        listed = beside.get(_FILLED)
        if listed is None:
            ledger.note(
                f"{name}: MMRec's preprocessing gives items without picture the average of all; "
                f"without {_FILLED} they cannot be told from the others."
            )
        else:
            filled = sidecars.read_ids(
                Table(listed, files.paths[listed], columns=("itemID",)), ledger, numbers=True
            )
            ledger.note(f"{listed} lists {len(filled):,} ids: their rows of {name} are missing.")
    stem = base.removesuffix(".npy")
    return FeatureSource(stem, name, path, None, kind, numbered=True, filled=filled)


def _pictures_by(originals: Mapping[str, str], folder: str, files: Files) -> bool:
    """Whether pictures are called by original ids."""
    called = {PurePosixPath(n).stem for n in files.paths if n.startswith(f"{folder}/")}
    return bool(originals) and not called.isdisjoint(originals.values())
