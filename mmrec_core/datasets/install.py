"""From an upload to an installed dataset: all of it or nothing."""

import errno
import re
import shutil
import tempfile
import time
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.datasets import catalogue
from mmrec_core.datasets.archive import Files, opened
from mmrec_core.datasets.features import FeatureMatrix, read_features
from mmrec_core.datasets.importers import IMPORTERS, Tables, read
from mmrec_core.datasets.importers.embedded import brought_out
from mmrec_core.datasets.importers.folder import find_table
from mmrec_core.datasets.narrowing import Narrowing, narrowed, write_codes
from mmrec_core.datasets.pictures import process
from mmrec_core.datasets.schema import Head, Ledger, Report
from mmrec_core.domain import (
    DatasetInfo,
    InputError,
    Progress,
    no_progress,
    sha256_arrays,
    sha256_json,
    sha256_strings,
)
from mmrec_core.settings import settings
from mmrec_core.store import store, write_array, write_json


@dataclass(frozen=True)
class InstallResult:
    """What an installation left behind.

    Attributes:
        name: Under which the dataset is installed.
        report: What was found in the upload.
        key: Of the artefact in the store.
    """

    name: str
    report: Report
    key: str


@dataclass(frozen=True, eq=False)
class _Checked:
    tables: Tables
    features: tuple[FeatureMatrix, ...]
    report: Report


class Refused(InputError):
    """An upload that cannot be used at all.

    Attributes:
        format: That it was read as.
        heads: The beginnings of the tables that were read so far.
    """

    def __init__(self, sentence: str, format_: str, heads: Mapping[str, Head]) -> None:
        super().__init__(sentence)
        self.format = format_
        self.heads = heads


def inspect(
    path: Path,
    mapping: Mapping[str, Any] | None = None,
    progress: Progress = no_progress,
    findings: Path | None = None,
    importer: str | None = None,
    codes: Path | None = None,
) -> tuple[Report, Mapping[str, Head]]:
    """Reads an upload leniently and reports; nothing is installed.

    Args:
        path: Folder, zip archive, list of files or single table.
        mapping: Role -> column or columns; overrides dataset.toml and guesses.
        progress: Told how far it is.
        findings: CSV file that gets every finding.
        importer: Name of the format; None: recognised.
        codes: .npz file that gets the interactions as numbers, to try thresholds on.

    Returns:
        What was found, and the beginning of every table.

    Raises:
        Refused: The upload cannot be used at all.
    """
    with Ledger(lenient=True, csv_path=findings) as ledger:
        format_ = importer or "folder"
        try:
            with opened(path, progress) as files:
                format_ = importer or recognised(files)
                checked = _checked(files, mapping, ledger, None, progress, format_, None)
        except InputError as error:
            raise Refused(str(error), format_, ledger.heads) from error
        if codes is not None:
            write_codes(codes, checked.tables)
        return checked.report, ledger.heads


def install(
    path: Path,
    name: str | None = None,
    mapping: Mapping[str, Any] | None = None,
    lenient: bool = False,
    progress: Progress = no_progress,
    replace_existing: bool = False,
    importer: str | None = None,
    narrowing: Narrowing | None = None,
) -> InstallResult:
    """Installs an upload; whatever goes wrong, nothing is left behind.

    The same upload twice has the same key. An exception raised by ``progress`` cancels.

    Args:
        path: Folder, zip archive or single table.
        name: Name to install under; None: what dataset.toml says, or the name of the upload.
        mapping: Role -> column or columns; overrides dataset.toml and guesses.
        lenient: Leave out unsound rows, pictures and features instead of refusing the upload.
        progress: Told how far it is.
        replace_existing: Point an existing name at this upload.
        importer: Name of the format; None: recognised.
        narrowing: Thresholds of studies, and whether only what they leave is installed.

    Raises:
        InputError: The upload is unsound, or the name is taken.
    """
    path = Path(path)
    if settings().read_only:
        raise InputError("This installation is on show (MMREC_READ_ONLY=1): nothing is installed.")
    if name is not None:
        catalogue.check_free(slug(name), None, replace_existing=True)
    aside = settings().store / "tmp"
    with _disk_errors(), Ledger(lenient) as ledger, opened(path, progress) as files:
        aside.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix="dataset-", dir=aside))
        try:
            format_ = importer or recognised(files)
            checked = _checked(files, mapping, ledger, staging, progress, format_, narrowing)
            chosen = name or checked.tables.name or _stem(path) or path.resolve().name
            progress(0, 0, "writing")
            return _stored(checked, chosen, staging, replace_existing)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def slug(name: str) -> str:
    """``name`` in small Latin letters, digits and hyphens.

    Raises:
        InputError: Nothing is left of it.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    short = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:60].strip("-")
    if not short:
        raise InputError(f"{name!r} holds no Latin letter or digit; give another --name.")
    return short


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise InputError(
                "The disk is full and nothing was installed; free some space and try again."
            ) from error
        if isinstance(error, PermissionError):
            raise InputError(
                f"{error.filename} cannot be read or written ({error.strerror}); nothing was "
                "installed."
            ) from error
        raise


def _stem(path: Path) -> str:
    """The name without what says how it is written: ``Baby.jsonl.gz`` is Baby."""
    return path.name.partition(".")[0] or path.name


def _checked(
    files: Files,
    mapping: Mapping[str, Any] | None,
    ledger: Ledger,
    staging: Path | None,
    progress: Progress,
    importer: str,
    narrowing: Narrowing | None,
) -> _Checked:
    said = narrowing or Narrowing()
    kept = said.kept if said.only_core else None
    tables = narrowed(read(IMPORTERS.get(importer), files, mapping, ledger, progress, kept), said,
                      ledger)  # fmt: skip
    features = tuple(
        matrix
        for source in tables.features
        if (matrix := read_features(source, tables, ledger)) is not None
    )
    with brought_out(tables, ledger) as (tables, inside):
        paths = {**files.paths, **inside}
        tables = _with_pictures(tables, paths, ledger, staging, progress)
    return _Checked(tables, features, _report(tables, features, ledger, importer))


def recognised(files: Files) -> str:
    """Name of the format of an upload; where none is recognised, that of the plain layout.

    Who calls a table ``interactions`` means the plain layout, whatever lies in folders beside it.
    """
    if find_table(files, "interactions") is not None:
        return "folder"
    known = (name for name, importer in IMPORTERS.items() if importer.recognises(files))
    # The plain layout explains best what is missing.
    return next(known, "folder")


def _with_pictures(
    tables: Tables,
    paths: Mapping[str, Path],
    ledger: Ledger,
    staging: Path | None,
    progress: Progress,
) -> Tables:
    """Replaces names in the upload by names in the store; broken pictures become missing."""
    named = tables.items["image"]
    distinct = sorted(set(named[named != ""]))
    total = len(distinct)
    pictures = process(
        [paths[name] for name in distinct],
        staging,
        lambda done: progress(done, total, "checking pictures"),
    )
    sha256, relative = {"": ""}, {"": ""}
    mislabelled = []
    # Closed at once when a picture refuses the upload: no thread writes behind the clean-up.
    with closing(pictures):
        for name, picture in zip(distinct, pictures, strict=True):
            if picture.broken:
                ledger.broken_image(name, picture.broken)
            elif picture.mislabelled:
                mislabelled.append(name)
            sha256[name], relative[name] = picture.sha256, picture.relative
    if mislabelled:
        ledger.note(
            f"{len(mislabelled):,} pictures are of another format than their names say, such as "
            f"{mislabelled[0]}; they are read as what they are."
        )
    items = tables.items.assign(
        image=named.map(relative).astype("str"), image_sha256=named.map(sha256).astype("str")
    )
    front = ["item_id", "title", "text", "category", "image", "image_sha256"]
    return replace(tables, items=items[front + [c for c in items.columns if c not in front]])


def _report(
    tables: Tables, features: tuple[FeatureMatrix, ...], ledger: Ledger, format_: str
) -> Report:
    items, interactions = tables.items, tables.interactions
    n_users, n = int(interactions["user_id"].nunique()), len(interactions)
    return Report(
        n_users=n_users,
        n_items=len(items),
        n_interactions=n,
        rows_read=dict(ledger.rows_read),
        n_rejected=ledger.n_rejected,
        rejected=tuple(ledger.rejected),
        n_duplicate_interactions=tables.n_duplicates,
        n_items_without_interactions=int(
            # Plain objects: isin on Arrow strings takes seconds for a million interactions.
            (~items["item_id"].astype(object).isin(interactions["item_id"].unique().tolist())).sum()
        ),
        n_unknown_items=tables.n_unknown_items,
        n_missing_images=int((items["image"] == "").sum()),
        n_missing_texts=int((items["text"] == "").sum()),
        n_broken_images=ledger.n_broken,
        broken_images=tuple(ledger.broken),
        n_absent_images=int(tables.absent_images.sum()),
        features={matrix.name: matrix.modality for matrix in features},
        sparsity=1.0 - n / (n_users * len(items)),
        columns=tables.roles.as_columns(),
        guessed=tables.roles.guessed,
        notes=tuple(ledger.notes),
        format=format_,
        k_core=tables.info.k_core,
        relevant_from=tables.info.relevant_from,
        split=tables.info.split,
    )


def fingerprint(
    items: pd.DataFrame,
    interactions: pd.DataFrame,
    info: DatasetInfo,
    features: tuple[FeatureMatrix, ...] = (),
) -> str:
    """sha256 of a dataset's content; title, licence and source are not part of it."""
    told = asdict(replace(info, title="", licence="", source=""))
    users, user_ids = pd.factorize(interactions["user_id"])
    rows, item_ids = pd.factorize(interactions["item_id"])
    times = interactions["timestamp"].fillna(np.iinfo(np.int64).min).to_numpy(dtype=np.int64)
    return sha256_json(
        [
            told,
            [[name, sha256_strings(items[name].astype(str))] for name in items.columns],
            sha256_strings(user_ids),
            sha256_strings(item_ids),
            sha256_arrays(users, rows, interactions["rating"].to_numpy(dtype=np.float32), times),
            sha256_strings(interactions["split"]) if "split" in interactions else None,
            [[f.name, f.modality, sha256_arrays(f.matrix, f.missing)] for f in features],
        ]
    )


def _stored(checked: _Checked, name: str, staging: Path, replace_existing: bool) -> InstallResult:
    name, title = slug(name), checked.tables.info.title or name
    tables, report = checked.tables, checked.report
    info = asdict(tables.info)
    content = fingerprint(tables.items, tables.interactions, tables.info, checked.features)
    spec = {"format": catalogue.FORMAT, "fingerprint": content, "info": info}
    catalogue.check_free(name, store().key("dataset", spec), replace_existing)
    counts = {
        "n_users": report.n_users,
        "n_items": report.n_items,
        "n_interactions": report.n_interactions,
        "share_image": 1 - report.n_missing_images / report.n_items,
        "share_text": 1 - report.n_missing_texts / report.n_items,
    }

    def write(folder: Path) -> dict[str, Any]:
        for part in list(staging.iterdir()):
            part.rename(folder / part.name)
        tables.items.to_parquet(folder / "items.parquet", index=False)
        tables.interactions.to_parquet(folder / "interactions.parquet", index=False)
        for feature in checked.features:
            (folder / "features").mkdir(exist_ok=True)
            write_array(folder / "features" / f"{feature.name}.npy", feature.matrix)
        write_json(
            folder / "dataset.json",
            {
                "fingerprint": content,
                "info": info,
                "counts": counts,
                "features": dict(report.features),
                "report": report.as_json(),
            },
        )
        return counts

    artefact = store().put("dataset", spec, write)
    pointer = {
        "name": name,
        "key": artefact.key,
        "title": title,
        "licence": tables.info.licence,
        "source": tables.info.source,
        "installed": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **counts,
    }
    catalogue.write_pointer(name, pointer, replace_existing)
    return InstallResult(name, report, artefact.key)
