"""The plain layout: interactions, items, images/, features/ and dataset.toml."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, ClassVar

from mmrec_core.datasets.archive import Files
from mmrec_core.datasets.arrays import SUFFIXES
from mmrec_core.datasets.columns import Declared, guess, read_toml
from mmrec_core.datasets.importers.base import IMPORTERS, FeatureSource, Layout
from mmrec_core.datasets.importers.delimited import header_of
from mmrec_core.datasets.importers.interactions import PARTS
from mmrec_core.datasets.importers.sidecars import guess_modality
from mmrec_core.datasets.importers.tables import FORMATS, Table
from mmrec_core.datasets.schema import Ledger
from mmrec_core.domain import MODALITIES, InputError

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
        name = find_table(files, "train")
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
        declared = read_toml(files.paths.get("dataset.toml"))
        items = find_table(files, "items")
        return Layout(
            interactions=_interactions(files),
            items=None if items is None else Table(items, files.paths[items]),
            declared=declared,
            features=find_features(files, declared, ledger),
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


def _interactions(files: Files) -> tuple[Table, ...]:
    name = find_table(files, "interactions")
    if name is not None:
        return (Table(name, files.paths[name]),)
    parts = {part: find_table(files, part) for part in PARTS}
    if parts["train"] is None:
        found = ", ".join(files.top()[:10]) or "nothing"
        raise InputError(
            f"There is no interactions file in {files.label} (found: {found}); it must be called "
            "interactions.csv, .tsv, .jsonl or .parquet, or be train, valid and test files."
        )
    if parts["test"] is None:
        raise InputError(f"{files.label} holds {parts['train']} but no test file; add test.csv.")
    return tuple(Table(name, files.paths[name], part=part) for part, name in parts.items() if name)


def find_features(files: Files, declared: Declared, ledger: Ledger) -> tuple[FeatureSource, ...]:
    """Matrices under features/.

    Raises:
        InputError: Two have one name, or dataset.toml names one that is not there.
    """
    sources: list[FeatureSource] = []
    for name, path in files.paths.items():
        parts = PurePosixPath(name).parts
        suffix = PurePosixPath(name).suffix.lower()
        if len(parts) != 2 or parts[0] != "features" or suffix not in SUFFIXES:
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
