"""The demo shop on disk: written once, read in a moment."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mmrec_core.datasets.demo.attributes import (
    READABLE,
    STREAMS,
    VISIBLE,
    sample_attributes,
)
from mmrec_core.datasets.demo.drawing import draw_product
from mmrec_core.datasets.demo.texts import write_text
from mmrec_core.datasets.demo.worlds import WORLDS, DemoConfig, World, simulate
from mmrec_core.domain import (
    Dataset,
    DatasetInfo,
    InputError,
    Progress,
    no_progress,
    sha256_arrays,
    sha256_json,
    sha256_strings,
)
from mmrec_core.settings import settings

TEXT = ("title", "description")
LICENCE = "CC0 1.0 Universal: pictures, texts and interactions are generated, no rights reserved"


@dataclass(frozen=True, eq=False)
class Truth:
    """What the interactions of a world were made from.

    Attributes:
        world: One of WORLDS.
        attributes: ``item_id``, ``type`` and every exclusive attribute, one row an item, in the
            order of the dataset's items.
        visible: Names of the attributes that pictures alone show.
        readable: Names of the attributes that texts alone name.
        users: ``user_id`` and, a column ``attribute=value`` each, how much the user likes the
            value: 0, 1 (likes) or 2 (loves). A modality of strength 0 took no part.
        strengths: ``picture``, ``words``, ``collaborative``, ``popularity``: standard deviations
            in the utility.
        popularity: [n_items] the standardised popularity in the utility.
        seed: Of the world's users and choices.
    """

    world: str
    attributes: pd.DataFrame
    visible: tuple[str, ...]
    readable: tuple[str, ...]
    users: pd.DataFrame
    strengths: Mapping[str, float]
    popularity: np.ndarray
    seed: int


def write_demo(
    folder: Path, config: DemoConfig | None = None, progress: Progress = no_progress
) -> None:
    """Writes the shop and its four worlds; the same config writes the same bytes.

    Files: ``shop/`` is a dataset folder without interactions (``dataset.toml``, ``items.csv``,
    ``images/``, and ``images.csv`` with the sha256 of each picture); ``shop/attributes.csv`` is the
    truth of each item; ``worlds/<world>/`` holds ``interactions.csv``, ``users.csv`` (tastes) and
    ``truth.json`` (strengths, seeds, popularity).

    Args:
        folder: Where; files of an earlier demo are overwritten.
        config: How it is made; None: the shipped one.
        progress: Called after each picture and each world.

    Raises:
        InputError: The folder cannot be written.
    """
    config = config or DemoConfig()
    folder = Path(folder)
    total = config.n_items + len(WORLDS)
    try:
        attributes = _write_shop(folder / "shop", config, progress, total)
        for done, world in enumerate(WORLDS, config.n_items + 1):
            _write_world(folder / "worlds" / world, attributes, world, config)
            progress(done, total, f"world {world}")
    except OSError as error:
        raise InputError(
            f"The demo cannot be written to {folder}: {error.strerror or error}. "
            "Choose another folder or free some space."
        ) from error


def _write_shop(shop: Path, config: DemoConfig, progress: Progress, total: int) -> pd.DataFrame:
    attributes = sample_attributes(config.n_items, config.seed)
    images = shop / "images"
    images.mkdir(parents=True, exist_ok=True)
    for stale in images.glob("P*.webp"):
        stale.unlink()
    items, hashes = [], []
    for number, row in enumerate(attributes.to_dict("records")):
        words = {str(key): str(value) for key, value in row.items()}
        title, description = write_text(
            words, np.random.default_rng([config.seed, STREAMS["texts"], number])
        )
        picture = draw_product(
            words,
            np.random.default_rng([config.seed, STREAMS["pictures"], number]),
            size=config.image_size,
            supersample=config.supersample,
        )
        name = f"images/{words['item_id']}.webp"
        picture.save(shop / name, "WEBP", quality=config.quality, method=6)
        digest = hashlib.sha256((shop / name).read_bytes()).hexdigest()
        items.append((words["item_id"], title, description, words["type"], name))
        hashes.append((words["item_id"], name, digest))
        progress(number + 1, total, "pictures and texts")
    columns = ["item_id", "title", "description", "category", "image"]
    _write_csv(pd.DataFrame(items, columns=columns), shop / "items.csv")
    _write_csv(
        pd.DataFrame(hashes, columns=["item_id", "image", "image_sha256"]), shop / "images.csv"
    )
    _write_csv(attributes, shop / "attributes.csv")
    _write_text(
        shop / "dataset.toml",
        'name = "Demo shop"\n'
        f'licence = "{LICENCE}"\n'
        'source = "Generated by MMRec Lens: python -m mmrec_core demo '
        f'--seed {config.seed}"\n'
        'split = "random"\nk_core = 0\ntruth = true\n\n'
        '[columns]\ntext = ["title", "description"]\ncategory = "category"\n',
    )
    return attributes


def _write_world(folder: Path, attributes: pd.DataFrame, world: str, config: DemoConfig) -> None:
    made = simulate(attributes, world, config)
    folder.mkdir(parents=True, exist_ok=True)
    _write_csv(made.interactions, folder / "interactions.csv")
    _write_csv(made.users, folder / "users.csv")
    truth = {
        "world": world,
        "seed": config.seed,
        "strengths": config.strengths[world].model_dump(),
        "visible": {name: list(values) for name, values in VISIBLE.items()},
        "readable": {name: list(values) for name, values in READABLE.items()},
        "config": config.model_dump(mode="json", exclude={"strengths"}),
        "popularity": [round(float(value), 4) for value in made.popularity],
    }
    _write_text(folder / "truth.json", json.dumps(truth, sort_keys=True) + "\n")


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def load_world(world: str, folder: Path | None = None) -> Dataset:
    """Reads one world of the demo shop.

    Args:
        world: One of WORLDS.
        folder: Where the demo lies; None: the committed one.

    Returns:
        The dataset ``demo-<world>``; its folder is the shop's.

    Raises:
        InputError: There is no such world, or the demo is not there.
    """
    folder = _demo_folder(world, folder)
    return _dataset(world, folder, _read_interactions(folder, world))


def fresh_world(
    world: str,
    seed: int,
    folder: Path | None = None,
    config: DemoConfig | None = None,
) -> tuple[Dataset, Truth]:
    """New users with new tastes and choices over the shop on disk, in memory.

    Calibration needs many worlds of known truth; pictures and texts (and so their embeddings)
    stay those of the shop.

    Args:
        world: One of WORLDS.
        seed: Of users, tastes and choices.
        folder: Where the demo lies; None: the committed one.
        config: Numbers of users and interactions, and strengths; None: the shipped ones.

    Returns:
        The dataset and its truth.

    Raises:
        InputError: There is no such world, or the demo is not there.
    """
    folder = _demo_folder(world, folder)
    config = config or DemoConfig()
    attributes = _read(folder / "shop" / "attributes.csv", folder)
    made = simulate(attributes, world, config, seed)
    strengths = config.strengths[world].model_dump()
    return _dataset(world, folder, made.interactions), _truth(
        world, attributes, made, strengths, seed
    )


def load_truth(world: str, folder: Path | None = None) -> Truth:
    """Reads what one world of the demo shop was made from.

    Args:
        world: One of WORLDS.
        folder: Where the demo lies; None: the committed one.

    Raises:
        InputError: There is no such world, or the demo is not there.
    """
    folder = _demo_folder(world, folder)
    attributes = _read(folder / "shop" / "attributes.csv", folder)
    place = folder / "worlds" / world
    users = _read(place / "users.csv", folder)
    levels = {column: np.int8 for column in users.columns if column != "user_id"}
    try:
        said = json.loads((place / "truth.json").read_text(encoding="utf-8"))
        made = World(pd.DataFrame(), users.astype(levels), np.asarray(said["popularity"]))
        return _truth(world, attributes, made, said["strengths"], int(said["seed"]))
    except (OSError, ValueError, KeyError) as error:
        raise InputError(_broken(place / "truth.json", folder)) from error


def _truth(
    world: str,
    attributes: pd.DataFrame,
    made: World,
    strengths: Mapping[str, float],
    seed: int,
) -> Truth:
    return Truth(
        world=world,
        attributes=attributes,
        visible=tuple(VISIBLE),
        readable=tuple(READABLE),
        users=made.users,
        strengths=dict(strengths),
        popularity=made.popularity,
        seed=seed,
    )


def _demo_folder(world: str, folder: Path | None) -> Path:
    if world not in WORLDS:
        raise InputError(f"The demo has no world {world!r}: choose one of {', '.join(WORLDS)}.")
    folder = settings().demo if folder is None else Path(folder)
    if not (folder / "shop" / "items.csv").is_file():
        raise InputError(
            f"There is no demo shop in {folder}: make one with "
            f"`python -m mmrec_core demo --out {folder}`."
        )
    return folder


def _broken(path: Path, folder: Path) -> str:
    return (
        f"{path} is missing or damaged: make the demo anew with "
        f"`python -m mmrec_core demo --out {folder}`."
    )


def _read(path: Path, folder: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError(_broken(path, folder)) from error


def _read_interactions(folder: Path, world: str) -> pd.DataFrame:
    path = folder / "worlds" / world / "interactions.csv"
    try:
        return pd.read_csv(
            path, dtype={"user_id": str, "item_id": str, "timestamp": np.int64}, encoding="utf-8"
        )
    except (OSError, ValueError) as error:
        raise InputError(_broken(path, folder)) from error


def _dataset(world: str, folder: Path, interactions: pd.DataFrame) -> Dataset:
    shop = folder / "shop"
    items = _read(shop / "items.csv", folder)
    images = _read(shop / "images.csv", folder)
    if not images["item_id"].equals(items["item_id"]):
        raise InputError(_broken(shop / "images.csv", folder))
    items = pd.DataFrame(
        {
            "item_id": items["item_id"],
            "title": items["title"],
            "text": items["title"] + ". " + items["description"],
            "category": items["category"],
            "image": items["image"],
            "image_sha256": images["image_sha256"],
            "description": items["description"],
        }
    )
    interactions = pd.DataFrame(
        {
            "user_id": interactions["user_id"],
            "item_id": interactions["item_id"],
            "rating": np.full(len(interactions), np.nan, dtype=np.float32),
            "timestamp": interactions["timestamp"].astype("Int64"),
        }
    )
    try:
        said = tomllib.loads((shop / "dataset.toml").read_text(encoding="utf-8"))
        info = DatasetInfo(
            title=f"{said['name']}: tastes in {_WHERE[world]}",
            licence=said["licence"],
            source=said["source"],
            text=TEXT,
            category="category",
            relevant_from=None,
            k_core=int(said["k_core"]),
            split=said["split"],
            truth=True,
        )
    except (OSError, ValueError, KeyError) as error:
        raise InputError(_broken(shop / "dataset.toml", folder)) from error
    contents = ["item_id", "text", "category", "image_sha256"]
    fingerprint = sha256_json(
        [
            "demo",
            *(sha256_strings(items[column].tolist()) for column in contents),
            # Ids hold no line breaks, so one joined string stands for the column.
            *(
                sha256_strings(["\n".join(interactions[column].tolist())])
                for column in ("user_id", "item_id")
            ),
            sha256_arrays(interactions["timestamp"].to_numpy(dtype=np.int64)),
        ]
    )
    return Dataset(f"demo-{world}", items, interactions, shop, info, fingerprint)


_WHERE = {
    "picture": "the picture",
    "words": "the words",
    "both": "picture and words",
    "neither": "neither",
}
