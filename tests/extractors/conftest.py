"""Tiny datasets, made on the spot."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mmrec_core.domain import Dataset, DatasetInfo

MakeDataset = Callable[..., Dataset]


def draw_picture(path: Path, colour: tuple[int, int, int], size: tuple[int, int]) -> None:
    """A gradient with a block of ``colour``."""
    width, height = size
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[..., 0] = np.linspace(0, 255, width, dtype=np.uint8)[None, :]
    pixels[height // 4 : height // 2, width // 4 : width // 2] = colour
    Image.fromarray(pixels).save(path)


@pytest.fixture
def make_dataset(tmp_path: Path) -> MakeDataset:
    """Builds a dataset of texts and pictures in ``tmp_path/NAME``."""

    def make(
        name: str = "tiny",
        texts: list[str] | None = None,
        images: list[str] | None = None,
    ) -> Dataset:
        n = len(texts if texts is not None else images if images is not None else [""] * 4)
        texts = [""] * n if texts is None else texts
        images = [""] * n if images is None else images
        folder = tmp_path / name
        (folder / "features").mkdir(parents=True, exist_ok=True)
        checksums = [
            hashlib.sha256((folder / image).read_bytes()).hexdigest()
            if image and (folder / image).is_file()
            else ""
            for image in images
        ]
        items = pd.DataFrame(
            {
                "item_id": [f"i{at}" for at in range(n)],
                "title": [f"title {at}" for at in range(n)],
                "text": texts,
                "category": [""] * n,
                "image": images,
                "image_sha256": checksums,
            },
            dtype="str",
        )
        interactions = pd.DataFrame({"user_id": ["u"], "item_id": ["i0"], "rating": [5.0]})
        return Dataset(name, items, interactions, folder, DatasetInfo(name), f"print of {name}")

    return make


@pytest.fixture
def picture_dataset(make_dataset: MakeDataset, tmp_path: Path) -> Dataset:
    """Eight items: five pictures, one missing, one damaged, one without content."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for at, size in enumerate([(300, 200), (64, 64), (500, 120), (90, 400), (224, 224)]):
        draw_picture(folder / f"{at}.jpg", (20 * at, 200, 255 - 40 * at), size)
    (folder / "bad.jpg").write_bytes((folder / "0.jpg").read_bytes()[:300])
    (folder / "empty.jpg").write_bytes(b"")
    images = ["0.jpg", "1.jpg", "", "2.jpg", "bad.jpg", "3.jpg", "empty.jpg", "4.jpg"]
    return make_dataset("pictures", images=images)
