"""Embeddings through the store: made once for the same inputs, resumed after a stop."""

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout

from mmrec_core.domain import (
    MODALITIES,
    Dataset,
    Embeddings,
    InputError,
    Progress,
    no_progress,
    sha256_arrays,
)
from mmrec_core.extractors.base import (
    EXTRACTORS,
    Encoded,
    Extractor,
    ExtractorConfig,
    make_config,
)
from mmrec_core.extractors.hub import ModelNotHereError
from mmrec_core.extractors.precomputed import feature_files, guess_modality
from mmrec_core.settings import device as chosen_device
from mmrec_core.settings import peak_memory_mib, settings
from mmrec_core.store import Artefact, Store, write_array, write_json
from mmrec_core.store import store as installed_store

KIND = "embeddings"

Options = ExtractorConfig | Mapping[str, Any] | None
"""A config, its fields as a mapping, or None for the defaults."""


def make_extractor(name: str, config: Options = None) -> Extractor:
    """The extractor called ``name`` with its options; loads no weights.

    Raises:
        InputError: Unknown extractor or option.
    """
    kind = EXTRACTORS.get(name)
    return kind(make_config(kind, config))


def default_extractor(modality: str, dataset: Dataset | None = None) -> tuple[str, ExtractorConfig]:
    """Name and options of the extractor for ``modality`` where nobody chose one.

    Features that come with ``dataset`` go first; then EfficientNet-Lite0 for pictures and MiniLM
    for words, which run offline on any CPU.

    Raises:
        InputError: Nothing suits (no joint features come with the dataset).
    """
    if modality not in MODALITIES:
        raise InputError(f"There is no modality {modality!r}. Known: {', '.join(MODALITIES)}.")
    for name, installed in _sources(dataset, "features") if dataset is not None else ():
        # A lost file must not pass for a dataset that came without features.
        if not (installed.path / name).is_file():
            installed.file(name)
    for path in feature_files(dataset) if dataset is not None else ():
        guess = guess_modality(path.stem)
        if guess == modality:
            return "precomputed", make_config(EXTRACTORS.get("precomputed"), {"file": path.stem})
        if guess is None and dataset is not None and _installed_as(dataset, path.stem) == modality:
            said = {"file": path.stem, "modality": modality}
            return "precomputed", make_config(EXTRACTORS.get("precomputed"), said)
    if modality == "joint":
        raise InputError(
            "No joint features come with this dataset; choose a vision-language model as the "
            "extractor."
        )
    name = {"image": "efficientnet-lite0", "text": "minilm"}[modality]
    return name, make_config(EXTRACTORS.get(name), None)


def _installed_as(dataset: Dataset, feature: str) -> str | None:
    """Modality that features were installed under, where their name does not tell it."""
    held = dataset.folder / "dataset.json"
    if not held.is_file():
        return None
    known: dict[str, str] = json.loads(held.read_text("utf-8"))["features"]
    return known.get(feature)


def find_embeddings(
    dataset: Dataset, extractor: str, config: Options = None, *, into: Store | None = None
) -> Artefact | None:
    """The finished and sound embeddings, or None; needs neither weights nor torch."""
    chosen = make_extractor(extractor, config)
    try:
        spec = chosen.spec(dataset)
    except ModelNotHereError:
        return None
    return (into or installed_store()).sound(KIND, Store.key(KIND, spec))


def embed(
    dataset: Dataset,
    extractor: str,
    config: Options = None,
    progress: Progress = no_progress,
    *,
    into: Store | None = None,
    batch_size: int | None = None,
) -> tuple[Embeddings, Artefact]:
    """Makes the embeddings of a dataset, or loads them where they are finished.

    The key covers extractor, version, options and what the extractor reads, so datasets that
    share their catalogue share embeddings. Finished shards lie under ``partial/KEY`` and are
    taken up again after a stop.

    Args:
        dataset: What to encode.
        extractor: A name in EXTRACTORS.
        config: Its options.
        progress: Told of items done and in all.
        into: The store; None: that of this installation.
        batch_size: Most items at once; None: what suits the device.

    Raises:
        InputError: Unknown extractor or option, unusable input, missing weights, no memory, a
            full disk, or damaged files of the dataset.
    """
    store = into or installed_store()
    chosen = make_extractor(extractor, config)
    chosen.prepare()
    spec = chosen.spec(dataset)
    found = store.sound(KIND, store.key(KIND, spec))
    if found is None:
        if settings().read_only:
            raise InputError("This store is on show (MMREC_READ_ONLY=1): nothing is computed.")
        ok, reason = chosen.availability()
        if not ok:
            raise InputError(f"{chosen.title} cannot run: {reason}.")
        _check_sources(dataset, chosen)
        found = _compute(store, chosen, spec, dataset, progress, batch_size)
    return load_embeddings(found), found


def load_embeddings(artefact: Artefact) -> Embeddings:
    """Embeddings of a finished artefact; the shipped layer's half precision becomes float32."""
    facts = artefact.facts
    table = artefact.table("items")
    item_ids = table["item_id"].to_numpy(dtype=object)
    failed = table["failure"].notna().to_numpy()
    reasons = table["failure"].to_numpy(dtype=object)
    return Embeddings(
        facts["modality"],
        facts["extractor"],
        item_ids,
        artefact.array("matrix"),
        table["missing"].to_numpy(dtype=bool),
        failures=dict(zip(item_ids[failed], reasons[failed], strict=True)),
    )


def save_embeddings(
    folder: Path, embeddings: Embeddings, *, dtype: type[np.floating] = np.float32
) -> dict[str, Any]:
    """Writes embeddings into an artefact's folder and returns its facts.

    Args:
        folder: Where ``matrix.npy`` and ``items.parquet`` go.
        embeddings: What to write.
        dtype: float32, or float16 for the shipped layer.

    Raises:
        ValueError: One-hot ids, which have no matrix, or values beyond ``dtype``.
    """
    if embeddings.one_hot:
        raise ValueError("one-hot item ids are not stored")
    with np.errstate(over="ignore"):
        matrix = embeddings.matrix.astype(dtype)
    if not np.isfinite(matrix).all():
        raise ValueError(f"{embeddings.extractor}: a value does not fit {np.dtype(dtype)}")
    write_array(folder / "matrix.npy", matrix)
    pd.DataFrame(
        {
            "item_id": embeddings.item_ids,
            "missing": embeddings.missing,
            "failure": pd.Series(
                [embeddings.failures.get(item) for item in embeddings.item_ids], dtype=object
            ),
        }
    ).astype({"item_id": "str", "failure": "str"}).to_parquet(folder / "items.parquet", index=False)
    return {
        "modality": embeddings.modality,
        "extractor": embeddings.extractor,
        "n_items": len(embeddings.item_ids),
        "n_missing": int(embeddings.missing.sum()),
        "n_failures": len(embeddings.failures),
        "width": embeddings.width,
    }


def _check_sources(dataset: Dataset, extractor: Extractor) -> None:
    """Refuses to encode pictures or features that are no longer what was installed.

    Their own fingerprints would only tell that they are others.

    Raises:
        DamagedArtefact: A file of the dataset is gone or damaged.
    """
    read = "features" if extractor.name == "precomputed" else "images"
    for name, installed in _sources(dataset, read):
        installed.file(name)


def _sources(dataset: Dataset, folder: str) -> Iterator[tuple[str, Artefact]]:
    """Files in one folder of an installed dataset; none of the demo, which is not installed."""
    if (dataset.folder / "meta.json").is_file():
        installed = Artefact("dataset", dataset.folder.name, dataset.folder)
        # Not a Path each: a shop of 100,000 pictures has 300,000 files, and pages ask often.
        files = installed.meta["files"]
        yield from ((n, installed) for n in files if n.partition("/")[0] == folder)


def _compute(
    store: Store,
    extractor: Extractor,
    spec: dict[str, Any],
    dataset: Dataset,
    progress: Progress,
    batch_size: int | None,
) -> Artefact:
    key = store.key(KIND, spec)
    partial = store.root / "partial"
    partial.mkdir(parents=True, exist_ok=True)
    lock = FileLock(partial / f"{key}.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        progress(0, dataset.n_items, f"{extractor.name}: another process is making the same")
        lock.acquire()
    try:
        device = chosen_device()
        shards = FolderShards(partial / key)

        def write(folder: Path) -> dict[str, Any]:
            started = time.monotonic()
            embeddings = extractor.encode(dataset, device, batch_size, progress, shards)
            return {
                **save_embeddings(folder, embeddings),
                "device": device,
                "seconds": round(time.monotonic() - started, 3),
                "items_encoded": shards.saved_rows,
                "items_resumed": shards.loaded_rows,
                "peak_memory_mib": peak_memory_mib(),
            }

        artefact = store.put(KIND, spec, write)
        shutil.rmtree(partial / key, ignore_errors=True)
        # Harmless while others wait: whoever gets a lock next finds the artefact finished.
        Path(lock.lock_file).unlink(missing_ok=True)
    finally:
        lock.release()
    return artefact


class FolderShards:
    """Finished shards of one key in a folder: ``shard-0000.npy`` and what failed beside it.

    The matrix is moved into place last and marks the shard as finished. The rows' checksum is
    kept with it, so that shards cut another way are never mixed.

    Args:
        folder: Made at the first shard.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.saved_rows = self.loaded_rows = 0

    def load(self, index: int, rows: np.ndarray, width: int) -> Encoded | None:
        """A finished shard of exactly ``rows``, or None where it is not there or is damaged."""
        try:
            matrix = np.load(self._path(index, "npy"), allow_pickle=False)
            notes = json.loads(self._path(index, "json").read_text("utf-8"))
            same = notes["rows"] == sha256_arrays(np.asarray(rows, dtype=np.int64))
            failures = {int(position): why for position, why in notes["failures"].items()}
        except (OSError, ValueError, EOFError, KeyError):
            return None
        fits = matrix.shape == (len(rows), width) and matrix.dtype == np.float32
        if not (same and fits):
            return None
        self.loaded_rows += len(rows)
        return Encoded(matrix, failures)

    def save(self, index: int, rows: np.ndarray, encoded: Encoded) -> None:
        """Writes a shard whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        target = self._path(index, "npy")
        target.unlink(missing_ok=True)
        write_json(
            self._path(index, "json"),
            {
                "rows": sha256_arrays(np.asarray(rows, dtype=np.int64)),
                "failures": {str(at): why for at, why in encoded.failures.items()},
            },
        )
        aside = target.with_name(f"{target.name}.{os.getpid()}.tmp")
        try:
            with aside.open("wb") as file:
                np.save(file, encoded.matrix, allow_pickle=False)
                file.flush()
                os.fsync(file.fileno())
            os.replace(aside, target)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
        self.saved_rows += len(rows)

    def _path(self, index: int, ending: str) -> Path:
        return self.folder / f"shard-{index:04d}.{ending}"
