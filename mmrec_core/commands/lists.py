"""Commands about ranked lists: splits to train elsewhere, lists out, lists in."""

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from mmrec_core.commands.actions import show
from mmrec_core.commands.studies import in_words, split_values
from mmrec_core.domain import InputError


def split(options: argparse.Namespace) -> None:
    """Writes train, validation and test of a dataset, to train elsewhere."""
    from mmrec_core.datasets.export import write_csv
    from mmrec_core.studies.inputs import resolved, split_of
    from mmrec_core.studies.list_export import split_tables
    from mmrec_core.studies.study import make_study

    study = resolved(make_study({"dataset": options.dataset, **split_values(options)}))
    made = split_of(study)
    folder = Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, table in split_tables(made).items():
        files.append(folder / f"{name}.csv")
        write_csv(table, files[-1])
    text = "\n".join([f"{made.description}.", *(f"wrote {file}" for file in files)])
    show({"split": made.description, "files": [str(f) for f in files]}, options, text)


def lists(options: argparse.Namespace) -> None:
    """Writes the lists of a study: user, item, rank, arm, seed."""
    from mmrec_core.studies.list_export import lists_table
    from mmrec_core.studies.results import load_study
    from mmrec_core.studies.stored import inputs_of, runs_of

    result = load_study(options.study)
    inputs = inputs_of(result)
    table = lists_table(runs_of(result, inputs), inputs.split)
    path = Path(options.out)
    if path.suffix not in (".csv", ".parquet"):
        raise InputError(f"{path.name} ends neither in .csv nor in .parquet.")
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        table.to_parquet(path, index=False)
    else:
        # Ids are as they are: the file is for a program, and comes back through import-lists.
        table.to_csv(path, index=False, encoding="utf-8")
    show(
        {"file": str(path), "entries": len(table)},
        options,
        f"wrote {path}: {len(table):,} entries of {table['arm'].nunique()} arms",
    )


def import_lists(options: argparse.Namespace) -> None:
    """Judges lists that were made elsewhere; prints the same table and sentences as a study."""
    from mmrec_core.studies.imported import import_lists as imported
    from mmrec_core.studies.list_files import read_ids, read_lists
    from mmrec_core.studies.results import StudyResult

    users, items = (
        read_ids(Path(path)) if path else None for path in (options.user_ids, options.item_ids)
    )
    frames = []
    for entry in options.files:
        arm, seed, path = _named(entry)
        frames.append(read_lists(path, arm, seed, users=users, items=items))
    values: dict[str, Any] = {"dataset": options.dataset, **split_values(options)}
    for name in ("metric", "delta", "mask"):
        if getattr(options, name) is not None:
            values[name] = getattr(options, name)
    result = StudyResult(imported(pd.concat(frames, ignore_index=True), values, options.files))
    about = result.document["imported"]
    lines = [in_words(result)]
    if about["silent_users"]:
        lines.append(
            f"{about['silent_users']:,} users have no list in some arm and are left out of all."
        )
    show({"key": result.key, **result.document}, options, "\n".join(lines))


def _named(entry: str) -> tuple[str, int | None, Path]:
    """Arm, seed and file of ``FILE``, ``ARM=FILE`` or ``ARM@SEED=FILE``."""
    if "=" not in entry or Path(entry).exists():
        return "", None, Path(entry)
    named, _, path = entry.rpartition("=")
    arm, at, seed = named.rpartition("@")
    if not at:
        return named, None, Path(path)
    if not seed.strip().isdigit():
        raise InputError(
            f"{entry!r}: {seed!r} is no seed; write ARM@SEED=FILE, as in vbpr@1=a.csv."
        )
    return arm, int(seed), Path(path)
