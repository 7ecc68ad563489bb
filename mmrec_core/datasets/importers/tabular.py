"""Tables of any name: which is which is told by their columns, or said by a person."""

from collections.abc import Mapping
from typing import Any, ClassVar

from mmrec_core.datasets.archive import Files
from mmrec_core.datasets.columns import FILE_KEYS, guess, read_toml
from mmrec_core.datasets.importers.base import IMPORTERS, Layout
from mmrec_core.datasets.importers.matrices import is_matrix
from mmrec_core.datasets.importers.tables import Table, is_table, read_table, suffix_of
from mmrec_core.datasets.schema import Ledger
from mmrec_core.domain import InputError


class TablesImporter:
    """One table of interactions and, if there is one, one of items, called anything.

    The table with a user and an item column holds the interactions, one with an item column and
    no user the items; where that is not so, say which file is which.
    """

    title: ClassVar[str] = "CSV or Parquet tables"
    files: ClassVar[str] = (
        "a table of interactions, and one of items if there is one; pictures in any folder"
    )
    reference: ClassVar[str] = "docs/bring-your-catalogue.md"

    def recognises(self, files: Files) -> bool:
        """Whether there is a table at all."""
        return bool(_tables(files))

    def layout(self, files: Files, mapping: Mapping[str, Any] | None, ledger: Ledger) -> Layout:
        """As the columns say.

        Raises:
            InputError: No table, or several, can hold the interactions, or the items.
        """
        names = _tables(files)
        if not names:
            found = ", ".join(files.top()[:10]) or "nothing"
            raise InputError(
                f"There is no table in {files.label} (found: {found}); give csv, tsv, jsonl or "
                "parquet, with or without .gz."
            )
        said = {key: str((mapping or {}).get(key) or "") for key in FILE_KEYS}
        for key, name in said.items():
            if name and name not in names:
                raise InputError(f"There is no table {name!r} for {key}; there are {_some(names)}.")
        known = said["interactions_file"], said["items_file"]
        unread: list[InputError] = []
        columns = {
            name: _columns(Table(name, files.paths[name]), ledger, unread)
            for name in names
            if len(names) > 1 and name not in known
        }
        interactions = said["interactions_file"] or _interactions(columns, names, mapping, unread)
        items = said["items_file"] or _items(columns, interactions, mapping)
        if items is not None:
            ledger.note(f"{interactions} is taken for the interactions, {items} for the items.")
        left = [name for name in names if name not in (interactions, items)]
        if left:
            ledger.note(f"Not read: {_some(left)}.")
        return Layout(
            interactions=(Table(interactions, files.paths[interactions]),),
            items=None if items is None else Table(items, files.paths[items]),
            declared=read_toml(files.paths.get("dataset.toml")),
            pictures=None,
        )


IMPORTERS.register("tables", TablesImporter())


def _tables(files: Files) -> list[str]:
    """Files that are tables; a text file is one only where there is no other."""
    names = sorted(name for name in files.paths if is_table(name) and not is_matrix(name))
    return [name for name in names if suffix_of(name) != ".txt"] or names


def _columns(table: Table, ledger: Ledger, unread: list[InputError]) -> list[str]:
    """Columns of a table as far as it can be read; why it cannot goes to ``unread``."""
    try:
        with Ledger(lenient=True) as aside:
            frame = next(read_table(table, aside, rows=10)).frame
    except InputError as error:
        unread.append(error)
        return []
    ledger.saw(table.name, frame)
    return list(frame.columns)


def _interactions(
    columns: Mapping[str, list[str]],
    names: list[str],
    mapping: Mapping[str, Any] | None,
    unread: list[InputError],
) -> str:
    if len(names) == 1:
        return names[0]
    found = [
        name
        for name, held in columns.items()
        if _plays("user_id", held, mapping) and _plays("item_id", held, mapping)
    ]
    if not found and unread:
        # More likely the table that cannot be read than one without the columns.
        raise unread[0]
    if len(found) != 1:
        what = "None has" if not found else f"{_some(found)} each have"
        raise InputError(
            f"Which of {_some(names)} holds the interactions? {what} a user and an item column. "
            "Say which columns are user_id and item_id, or which table it is (interactions_file)."
        )
    return found[0]


def _items(
    columns: Mapping[str, list[str]], interactions: str, mapping: Mapping[str, Any] | None
) -> str | None:
    found = [
        name
        for name, held in columns.items()
        if name != interactions and _plays("item_id", held, mapping) and not guess("user_id", held)
    ]
    if len(found) > 1:
        raise InputError(
            f"{_some(found)} may each be the table of the items; say which one it is (items_file)."
        )
    return found[0] if found else None


def _plays(role: str, held: list[str], mapping: Mapping[str, Any] | None) -> bool:
    said = (mapping or {}).get(role)
    return said in held if said else guess(role, held) is not None


def _some(names: list[str]) -> str:
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
