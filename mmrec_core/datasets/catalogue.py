"""What is installed: the demo shop and every upload, by name.

A name is a small JSON file that points at an artefact of the store. Everything a list shows is in
that file, so that listing opens no table.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import filelock
import numpy as np

from mmrec_core.datasets.pictures import thumbnail
from mmrec_core.domain import Dataset, DatasetInfo, InputError
from mmrec_core.settings import settings
from mmrec_core.store import Artefact, store, write_json

FORMAT = 1
"""Changes whenever an installed dataset is laid out anew; one of another is refused in words."""

DEMO = "demo"
"""Another name of the demo's world that the first screen opens on."""

DEMO_OPENS_ON = "both"

FRESH = "fresh-"
"""Begins the names of fresh worlds (see ``FreshWorld``); calibration studies those."""


@dataclass(frozen=True)
class DatasetCard:
    """One line of the list of datasets.

    Attributes:
        name: To load it by.
        title: Name for people.
        n_users: Users with at least one interaction.
        n_items: Items.
        n_interactions: Interactions.
        share_image: Share of items with a picture, 0 to 1.
        share_text: Share of items with text, 0 to 1.
        source: Where the data come from.
        licence: Licence in words.
        builtin: True for the demo, which cannot be deleted.
    """

    name: str
    title: str
    n_users: int
    n_items: int
    n_interactions: int
    share_image: float
    share_text: float
    source: str
    licence: str
    builtin: bool


def list_datasets() -> list[DatasetCard]:
    """All datasets, the demo first, uploads by name. Opens no table of an upload."""
    cards = []
    for name in _demo_names():
        try:
            cards.append(_demo_card(name, settings().demo))
        except InputError:
            # Without the demo's files the uploads are still there; loading it says what is wrong.
            continue
    for path in sorted(settings().uploads.glob("*.json")):
        pointer = _pointer(path.stem)
        if pointer is not None:
            cards.append(
                DatasetCard(
                    **{
                        field: pointer[field]
                        for field in DatasetCard.__dataclass_fields__
                        if field != "builtin"
                    },
                    builtin=False,
                )
            )
    return cards


def load_dataset(name: str) -> Dataset:
    """The dataset installed under ``name``; loaded once in a process.

    Raises:
        InputError: There is no such dataset, or its files are gone.
    """
    if name.startswith(FRESH):
        return _fresh(name, settings().demo)
    if is_demo(name):
        return _demo(_world(name), settings().demo)
    pointer = _known_pointer(name)
    return _named(name, pointer["title"], str(_artefact(name, pointer).path))


def delete_dataset(name: str) -> None:
    """Removes an upload; its files too, unless another name points at them.

    Raises:
        InputError: There is no such upload, or it is the demo.
    """
    _refuse_demo(name, "deleted")
    with _lock():
        key = _known_pointer(name)["key"]
        _path(name).unlink()
        if not _names_of(key):
            store().delete("dataset", key)
    _named.cache_clear()
    _loaded.cache_clear()


def rename_dataset(old: str, new: str) -> None:
    """Gives an upload another name.

    Raises:
        InputError: There is no such upload, it is the demo, or ``new`` is taken or no name.
    """
    _refuse_demo(old, "renamed")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", new) or len(new) > 60:
        raise InputError(
            f"{new!r} is no name for a dataset: use up to 60 small letters, digits and hyphens."
        )
    pointer = _known_pointer(old)
    if old == new:
        return
    check_free(new, None, replace_existing=False)
    write_pointer(new, {**pointer, "name": new}, replace_existing=False)
    with _lock():
        _path(old).unlink(missing_ok=True)


def dataset_features(name: str) -> list[str]:
    """Names of the precomputed features that came with a dataset."""
    return list(feature_modalities(name))


def feature_modalities(name: str) -> dict[str, str]:
    """Precomputed features of a dataset: name -> image, text or joint."""
    if is_demo(name):
        load_dataset(name)
        return {}
    modalities: dict[str, str] = _artefact(name).json("dataset")["features"]
    return modalities


def read_features(dataset: Dataset, feature: str) -> tuple[np.ndarray, np.ndarray]:
    """Matrix [n_items, d] float32 (mapped) and mask [n_items] of precomputed features.

    Items without features have a row of zeros; that is the mask.

    Raises:
        InputError: The dataset has no such features.
    """
    known = dataset_features(dataset.name)
    if feature not in known:
        raise InputError(
            f"Dataset {dataset.name!r} came without features {feature!r}. "
            f"Known: {', '.join(known) or 'none'}."
        )
    matrix = np.load(
        dataset.folder / "features" / f"{feature}.npy", mmap_mode="r", allow_pickle=False
    )
    return matrix, ~matrix.any(axis=1)


def report_of(name: str) -> dict[str, Any]:
    """The report of the installation of an upload, in JSON types."""
    report: dict[str, Any] = _artefact(name).json("dataset")["report"]
    return report


def thumbnail_path(dataset: Dataset, image: str, size: int = 96) -> Path | None:
    """The thumbnail of a picture, or the picture where there is none; None without picture.

    Args:
        dataset: Whose picture.
        image: Cell of the ``image`` column.
        size: Longest side in pixels, 96 or 320.
    """
    if not image:
        return None
    small = dataset.folder / thumbnail(image, size)
    return small if small.is_file() else dataset.image_path(image)


def check_free(name: str, key: str | None, replace_existing: bool) -> None:
    """Raises where ``name`` cannot be given to the artefact ``key``.

    Raises:
        InputError: It is the demo's, or another dataset has it.
    """
    if name == DEMO or name.startswith((f"{DEMO}-", FRESH)):
        raise InputError(f"The name {name!r} belongs to the demo; give another --name.")
    pointer = _pointer(name)
    if pointer is not None and pointer["key"] != key and not replace_existing:
        raise InputError(
            f"There is already another dataset {name!r}; give another --name or delete that one."
        )


def write_pointer(name: str, pointer: dict[str, Any], replace_existing: bool) -> None:
    """Gives ``name`` to an artefact; the last step of an installation."""
    settings().uploads.mkdir(parents=True, exist_ok=True)
    with _lock():
        check_free(name, pointer["key"], replace_existing)
        before = _pointer(name)
        write_json(_path(name), pointer)
        if before is not None and not _names_of(before["key"]):
            store().delete("dataset", before["key"])


def is_demo(name: str) -> bool:
    """Whether ``name`` is one of the demo's, a fresh world over its shop included."""
    return name == DEMO or name in _demo_names() or name.startswith(FRESH)


def _demo_names() -> list[str]:
    from mmrec_core.datasets.demo import WORLDS

    worlds = sorted(WORLDS, key=lambda world: world != DEMO_OPENS_ON)
    return [f"{DEMO}-{world}" for world in worlds]


def _world(name: str) -> str:
    return DEMO_OPENS_ON if name == DEMO else name.removeprefix(f"{DEMO}-")


@lru_cache(maxsize=8)
def _demo(world: str, folder: Path) -> Dataset:
    from mmrec_core.datasets.demo import load_world

    return load_world(world, folder)


@lru_cache(maxsize=2)
def _fresh(name: str, folder: Path) -> Dataset:
    from mmrec_core.datasets.demo.fresh import fresh_name

    world = fresh_name(name)
    if world is None:
        raise InputError(
            f"There is no fresh world {name!r}: names are like fresh-picture-101-at-50 (world, "
            "generator seed, strength in percent)."
        )
    return world.load(folder)


@lru_cache(maxsize=8)
def _demo_card(name: str, folder: Path) -> DatasetCard:
    dataset = _demo(_world(name), folder)
    return DatasetCard(
        name=name,
        title=dataset.info.title,
        n_users=dataset.n_users,
        n_items=dataset.n_items,
        n_interactions=len(dataset.interactions),
        share_image=float((dataset.items["image"] != "").mean()),
        share_text=float((dataset.items["text"] != "").mean()),
        source=dataset.info.source,
        licence=dataset.info.licence,
        builtin=True,
    )


def _refuse_demo(name: str, what: str) -> None:
    if is_demo(name):
        raise InputError(f"{name!r} belongs to the demo and cannot be {what}.")


def _path(name: str) -> Path:
    return settings().uploads / f"{name}.json"


def _lock() -> filelock.BaseFileLock:
    settings().uploads.mkdir(parents=True, exist_ok=True)
    return filelock.FileLock(settings().uploads / ".lock", timeout=30)


def _pointer(name: str) -> dict[str, Any] | None:
    """What is noted under ``name``; None where nothing is, or it cannot be read."""
    if not re.fullmatch(r"[a-z0-9-]+", name):
        return None
    try:
        pointer = json.loads(_path(name).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    needed = {"key", *DatasetCard.__dataclass_fields__} - {"builtin"}
    return pointer if isinstance(pointer, dict) and needed <= pointer.keys() else None


def _names_of(key: str) -> list[str]:
    names = (path.stem for path in settings().uploads.glob("*.json"))
    return [name for name in names if (_pointer(name) or {}).get("key") == key]


def _known_pointer(name: str) -> dict[str, Any]:
    pointer = _pointer(name)
    if pointer is None:
        uploads = [path.stem for path in sorted(settings().uploads.glob("*.json"))]
        known = ", ".join([*_demo_names(), *uploads])
        raise InputError(f"There is no dataset {name!r}. Known: {known}.")
    return pointer


def _artefact(name: str, pointer: Mapping[str, Any] | None = None) -> Artefact:
    artefact = store().find("dataset", (pointer or _known_pointer(name))["key"])
    if artefact is None:
        raise InputError(
            f"The files of dataset {name!r} are gone from the store; delete it and install it "
            "again."
        )
    if artefact.spec.get("format") != FORMAT:
        raise InputError(
            f"Dataset {name!r} was installed by another version of MMRec Lens (format "
            f"{artefact.spec.get('format')}; this one reads {FORMAT}). Delete it and install it "
            "again from where you have it."
        )
    return artefact


# One object as long as name and content stay: what is reckoned from it is reckoned once.
@lru_cache(maxsize=8)
def _named(name: str, title: str, folder: str) -> Dataset:
    dataset = _loaded(folder)
    # An upload that gives itself no title has that of its name, which is no part of the artefact.
    return replace(dataset, name=name, info=replace(dataset.info, title=title))


@lru_cache(maxsize=8)
def _loaded(folder: str) -> Dataset:
    path = Path(folder)
    artefact = Artefact("dataset", path.name, path)
    told = artefact.json("dataset")
    info = DatasetInfo(**{**told["info"], "text": tuple(told["info"]["text"])})
    return Dataset(
        name="",
        items=artefact.table("items"),
        interactions=artefact.table("interactions"),
        folder=path,
        info=info,
        fingerprint=told["fingerprint"],
    )
