"""Fresh pictures of products that the shop does not sell, in outlines that it does not have."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np
from PIL import Image

from mmrec_core.datasets.demo.attributes import ATTRIBUTES
from mmrec_core.datasets.demo.bench import SILHOUETTES
from mmrec_core.datasets.demo.drawing import draw_product
from mmrec_core.datasets.demo.outlines import Invented
from mmrec_core.small_lvlm.recipe import SLOTS, Recipe

DETAIL = 2
"""Pictures are drawn this many times larger and made small as the model makes the shop's small."""


def drawn(recipe: Recipe, shard: int) -> tuple[np.ndarray, np.ndarray]:
    """One shard of pictures.

    Args:
        recipe: Gives seed and sizes.
        shard: Its number; every shard has random numbers of its own.

    Returns:
        Pictures, [n, side, side, 3] uint8, and for each slot the number of its value, [n, 5] int64.
    """
    rng = np.random.default_rng([recipe.seed, 96_000 + shard])
    side = recipe.side
    pictures = np.empty((recipe.shard, side, side, 3), np.uint8)
    counts = [len(ATTRIBUTES[name]) for name in SLOTS.values()]
    values = np.column_stack([rng.integers(n, size=recipe.shard) for n in counts])
    for at, row in enumerate(values):
        attributes = {
            name: ATTRIBUTES[name][value] for name, value in zip(SLOTS.values(), row, strict=True)
        }
        outline = Invented.draw(SILHOUETTES, rng)
        large = draw_product(attributes, rng, size=DETAIL * side, supersample=1, silhouette=outline)
        pictures[at] = np.asarray(large.resize((side, side), Image.Resampling.BICUBIC))
    return pictures, values


def draw_shards(recipe: Recipe, folder: Path, workers: int) -> Iterator[int]:
    """Draws the shards that a folder lacks, side by side; yields how many are there."""
    folder.mkdir(parents=True, exist_ok=True)
    todo = [k for k in range(recipe.shards) if not _path(folder, k).exists()]
    here = recipe.shards - len(todo)
    yield here
    with ProcessPoolExecutor(max(1, workers)) as pool:
        try:
            waiting = [pool.submit(_draw_one, recipe, folder, k) for k in todo]
            for future in as_completed(waiting):
                future.result()
                here += 1
                yield here
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def load_shards(recipe: Recipe, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """All pictures and their values, as ``drawn`` gives them."""
    parts = []
    for shard in range(recipe.shards):
        with np.load(_path(folder, shard), allow_pickle=False) as file:
            parts.append((file["pictures"], file["values"]))
    pictures = np.concatenate([own for own, _ in parts])
    return pictures, np.concatenate([own for _, own in parts])


def _draw_one(recipe: Recipe, folder: Path, shard: int) -> None:
    pictures, values = drawn(recipe, shard)
    aside = folder / f".{shard}.{os.getpid()}.npz"
    np.savez(aside, pictures=pictures, values=values)
    os.replace(aside, _path(folder, shard))


def _path(folder: Path, shard: int) -> Path:
    return folder / f"pictures-{shard:04d}.npz"
