"""The plain layout: interactions, items, images/, features/ and dataset.toml."""

from collections.abc import Mapping
from typing import Any, ClassVar

from mmrec_core.datasets.archive import Files
from mmrec_core.datasets.columns import guess, read_toml
from mmrec_core.datasets.importers.base import IMPORTERS, Layout
from mmrec_core.datasets.importers.delimited import header_of
from mmrec_core.datasets.importers.interactions import PART_NAMES, PARTS
from mmrec_core.datasets.importers.sidecars import some
from mmrec_core.datasets.importers.tables import FORMATS, Table
from mmrec_core.datasets.schema import Ledger
from mmrec_core.domain import InputError

ENDINGS = (*FORMATS, *(f"{suffix}.gz" for suffix in FORMATS if suffix != ".parquet"))


class FolderImporter:
    """A folder or zip with interactions.csv, items.csv, images/, features/ and dataset.toml.

    Tables may be csv, tsv, jsonl or parquet. Only the interactions are required; instead of one
    file there may be train, valid and test files, or a split column.
    """

    title: ClassVar[str] = "Plain layout"
    files: ClassVar[str] = (
        "interactions.csv, and as far as there are items.csv, images/, features/, dataset.toml"
    )
    reference: ClassVar[str] = "docs/bring-your-catalogue.md"

    def recognises(self, files: Files) -> bool:
        """Whether there is an interactions table, or a training one whose columns have names."""
        if find_table(files, "interactions") is not None:
            return True
        name = _find_part(files, "train")
        if name is None:
            return False
        table = Table(name, files.paths[name])
        header = header_of(table) if table.kind == "delimited" else ["user_id"]
        return guess("user_id", header) is not None

    def layout(self, files: Files, mapping: Mapping[str, Any] | None, ledger: Ledger) -> Layout:
        """As the names say.

        Raises:
            InputError: There are no interactions, or two tables of one name.
        """
        items = find_table(files, "items")
        interactions = _interactions(files)
        read = {items, *(table.name for table in interactions)}
        left = [name for name in files.top() if name.endswith(ENDINGS) and name not in read]
        if left:
            ledger.note(f"Not read: {some(left)}.")
        return Layout(
            interactions=interactions,
            items=None if items is None else Table(items, files.paths[items]),
            declared=read_toml(files.paths.get("dataset.toml")),
        )


IMPORTERS.register("folder", FolderImporter())


def find_table(files: Files, stem: str) -> str | None:
    """Name of the table called ``stem`` in whichever format, or None.

    Raises:
        InputError: There are two.
    """
    names = [stem + ending for ending in ENDINGS if stem + ending in files.paths]
    if len(names) > 1:
        raise InputError(f"{files.label} holds {names[0]} and {names[1]}; keep one of them.")
    return names[0] if names else None


def _find_part(files: Files, part: str) -> str | None:
    """Name of the table of a part of a split, which may be called ``val`` as well as ``valid``.

    Raises:
        InputError: There are two.
    """
    called = [name for name, own in PART_NAMES.items() if own == part and name.isalpha()]
    names = [name for stem in called if (name := find_table(files, stem)) is not None]
    if len(names) > 1:
        raise InputError(
            f"{files.label} holds {names[0]} and {names[1]}, which are one part of a split; keep "
            "one of them."
        )
    return names[0] if names else None


def _interactions(files: Files) -> tuple[Table, ...]:
    name = find_table(files, "interactions")
    if name is not None:
        return (Table(name, files.paths[name]),)
    parts = {part: _find_part(files, part) for part in PARTS}
    if parts["train"] is None:
        found = ", ".join(files.top()[:10]) or "nothing"
        raise InputError(
            f"There is no interactions file in {files.label} (found: {found}); it must be called "
            "interactions.csv, .tsv, .jsonl or .parquet, or be train, valid and test files."
        )
    if parts["test"] is None:
        raise InputError(f"{files.label} holds {parts['train']} but no test file; add test.csv.")
    return tuple(Table(name, files.paths[name], part=part) for part, name in parts.items() if name)
