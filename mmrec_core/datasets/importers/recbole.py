"""Atomic files of RecBole: tables whose header gives the type of each column."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, ClassVar

from mmrec_core.datasets.archive import Files
from mmrec_core.datasets.columns import guess
from mmrec_core.datasets.importers import sidecars
from mmrec_core.datasets.importers.base import IMPORTERS, Layout
from mmrec_core.datasets.importers.delimited import delimiter_of, header_of
from mmrec_core.datasets.importers.interactions import PART_NAMES
from mmrec_core.datasets.importers.tables import Table, checked_columns, read_table, suffix_of
from mmrec_core.datasets.schema import Ledger
from mmrec_core.domain import InputError

TYPES = ("token", "token_seq", "float", "float_seq")

_OTHERS = (".user", ".kg", ".link", ".net", ".hgkg")
_SAMPLE = 200


class RecBoleImporter:
    """Atomic files of RecBole: name.inter and, where there is one, name.item.

    Benchmark files (name.train.inter, name.valid.inter, name.test.inter) are a fixed split.
    Columns are called without their type; vectors (float_seq) and .user files are left out.
    """

    title: ClassVar[str] = "RecBole atomic files"
    files: ClassVar[str] = (
        "name.inter, or name.train.inter, name.valid.inter and name.test.inter; name.item"
    )
    reference: ClassVar[str] = "https://recbole.io/docs/user_guide/data/atomic_files.html"

    def recognises(self, files: Files) -> bool:
        """Whether there is an .inter file whose header gives types, as in user_id:token."""
        return any(
            suffix_of(name) == ".inter" and _typed(Table(name, path))
            for name, path in sorted(files.paths.items())
        )

    def layout(self, files: Files, mapping: Mapping[str, Any] | None, ledger: Ledger) -> Layout:
        """As the names say.

        Raises:
            InputError: There is no .inter file, there are several, or a part of a split lacks.
        """
        names = sorted(name for name in files.paths if suffix_of(name) == ".inter")
        names = [name for name in names if _typed(Table(name, files.paths[name]))]
        tables = _interactions(names, files, mapping, ledger)
        stem = _stem(tables[0].name)[0]
        items = _items(stem, files, mapping, ledger)
        others = [name for name in sorted(files.paths) if suffix_of(name) in _OTHERS]
        if others:
            ledger.note(f"Not read: {sidecars.some(others)} (no interactions and no items).")
        return Layout(
            interactions=tables,
            items=None if items is None else items[0],
            declared=sidecars.declared(files, category_separator=items[1] if items else None),
        )


IMPORTERS.register("recbole", RecBoleImporter())


def _typed(table: Table) -> bool:
    header = header_of(table)
    return bool(header) and all(cell.strip().rpartition(":")[2] in TYPES for cell in header)


def _stem(name: str) -> tuple[str, str | None]:
    """Path and name of the dataset, and the part of a split that a file is."""
    plain = name.removesuffix(".gz").removesuffix(".inter")
    stem, dot, last = plain.rpartition(".")
    part = PART_NAMES.get(last.lower()) if dot and not last.isdigit() else None
    return (plain, None) if part is None else (stem, part)


def _interactions(
    names: list[str], files: Files, mapping: Mapping[str, Any] | None, ledger: Ledger
) -> tuple[Table, ...]:
    said = str((mapping or {}).get("interactions_file") or "")
    if said:
        if said not in files.paths:
            raise InputError(f"There is no table {said!r} for interactions_file in {files.label}.")
        return (_table(said, files, ledger),)
    if not names:
        raise InputError(
            f"There is no .inter file in {files.label} whose header gives types, as in "
            "user_id:token, item_id:token, rating:float with tabs between them."
        )
    stems = sorted({_stem(name)[0] for name in names})
    if len(stems) > 1:
        raise InputError(
            f"{files.label} holds {len(stems)} datasets ({sidecars.some(stems)}); keep one, or say "
            "which table is the interactions (interactions_file)."
        )
    parts: dict[str | None, str] = {}
    for name in names:
        part = _stem(name)[1]
        if part in parts:
            raise InputError(
                f"{parts[part]} and {name} are one part of the data; keep one of them."
            )
        parts[part] = name
    if set(parts) == {None}:
        return (_table(parts[None], files, ledger),)
    whole = parts.pop(None, None)
    if whole is not None and {"train", "test"} <= set(parts):
        ledger.note(f"{whole} is not read: the files of its split are.")
    elif whole is not None:
        raise InputError(
            f"{files.label} holds {whole} and {sidecars.some(list(parts.values()))}; keep the one, "
            "or train, valid and test."
        )
    for part in ("train", "test"):
        if part not in parts:
            raise InputError(
                f"{files.label} holds {sidecars.some(list(parts.values()))} but no {part} part; "
                f"add {PurePosixPath(stems[0]).name}.{part}.inter."
            )
    return tuple(
        _table(parts[part], files, ledger, part)
        for part in ("train", "valid", "test")
        if part in parts
    )


def _table(name: str, files: Files, ledger: Ledger, part: str | None = None) -> Table:
    """A table with columns as they are called without their types.

    Nothing is quoted in these files, and an absent value is written as Python prints it, ``nan``.

    Raises:
        InputError: Two columns differ by their types alone.
    """
    table = Table(name, files.paths[name])
    header = checked_columns(header_of(table), name)
    typed = {cell: cell.rpartition(":")[::2] for cell in header if cell.rpartition(":")[2] in TYPES}
    names = checked_columns([typed[cell][0] if cell in typed else cell for cell in header], name)
    vectors = [own for own, kind in typed.values() if kind == "float_seq"]
    if vectors:
        ledger.note(f"{name}: {sidecars.some(vectors)} hold lists of numbers and are left out.")
    return Table(
        name,
        table.path,
        part=part,
        delimiter=delimiter_of(table),
        quoted=False,
        renamed=dict(zip(header, names, strict=True)),
        nothing=("nan",),
        only=tuple(own for own in names if own not in vectors),
    )


def _items(
    stem: str, files: Files, mapping: Mapping[str, Any] | None, ledger: Ledger
) -> tuple[Table, str | None] | None:
    """The table of items, and what separates the categories of one cell."""
    said = str((mapping or {}).get("items_file") or "")
    if said and said not in files.paths:
        raise InputError(f"There is no table {said!r} for items_file in {files.label}.")
    name = said or next((n for n in (f"{stem}.item", f"{stem}.item.gz") if n in files.paths), "")
    if not name:
        return None
    table = _table(name, files, ledger)
    category = str((mapping or {}).get("category") or guess("category", table.only) or "")
    raw = next((cell for cell, own in table.renamed.items() if own == category), "")
    if not raw.endswith(":token_seq"):
        return table, None
    with Ledger(lenient=True) as aside:
        cells = next(read_table(table, aside, rows=_SAMPLE)).frame[category]
    if cells.str.contains("', '", regex=False).any():
        made = {category: sidecars.plain_list}
        return replace(table, made=made), None
    # RecBole itself splits at spaces; where something else is between the words, it is a list of
    # names that hold spaces.
    others = cells.str.contains(r"[|;]|, ", regex=True).any()
    return table, None if others else " "
