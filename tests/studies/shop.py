"""A tiny dataset in the upload layout, with features that come along, for whole-path tests."""

from pathlib import Path

import numpy as np
import pandas as pd

N_USERS, N_ITEMS = 80, 60

QUICK = {
    name: {
        "factors": 8,
        "batch_size": 1024,
        "learning_rate": 0.02,
        "reg": 0.1,
        "max_epochs": 300,
        "patience": 15,
        "evaluate_every": 5,
    }
    for name in ("vbpr", "freedom", "bpr-mf", "light-gcn")
}
"""Settings that train in a moment: one large step an epoch."""


def write_shop(folder: Path, missing_images: int = 0, more: bool = False) -> Path:
    """80 users with 10 of 60 items each; text features show the taste, image features are noise.

    Args:
        folder: Where to.
        missing_images: So many items have no picture.
        more: Items have categories, interactions have timestamps.
    """
    rng = np.random.default_rng(0)
    topics, tastes = rng.normal(size=(N_ITEMS, 3)), rng.normal(size=(N_USERS, 3))
    utility = 2.0 * tastes @ topics.T + rng.gumbel(size=(N_USERS, N_ITEMS))
    chosen = np.argsort(-utility, axis=1)[:, :10]
    folder.mkdir(parents=True)
    pd.DataFrame(
        {
            "user_id": np.repeat([f"u{u}" for u in range(N_USERS)], 10),
            "item_id": np.array([f"i{i}" for i in range(N_ITEMS)])[chosen.ravel()],
        }
    ).to_csv(folder / "interactions.csv", index=False)
    pd.DataFrame(
        {
            "item_id": [f"i{i}" for i in range(N_ITEMS)],
            "title": [f"Thing {i}" for i in range(N_ITEMS)],
        }
    ).to_csv(folder / "items.csv", index=False)
    if more:
        add_columns(folder)
    (folder / "features").mkdir()
    image = rng.normal(size=(N_ITEMS, 16)).astype(np.float32)
    image[:missing_images] = 0.0
    text = topics @ rng.normal(size=(3, 12)) + 0.1 * rng.normal(size=(N_ITEMS, 12))
    np.save(folder / "features" / "image.npy", image)
    np.save(folder / "features" / "text.npy", text.astype(np.float32))
    return folder


def add_columns(folder: Path) -> None:
    """Categories of 15 items each, one of a single item, one item in two; a time of each event."""
    items = pd.read_csv(folder / "items.csv")
    names = [f"kind {n % 4}" for n in range(N_ITEMS)]
    names[7], names[8] = "only one", "kind 1|kind 0"
    items.assign(category=names).to_csv(folder / "items.csv", index=False)
    (folder / "dataset.toml").write_text(
        '[columns]\ncategory = "category"\ncategory_separator = "|"\n', "utf-8"
    )
    interactions = pd.read_csv(folder / "interactions.csv")
    times = np.random.default_rng(3).permutation(len(interactions))
    interactions.assign(timestamp=1_600_000_000 + times).to_csv(
        folder / "interactions.csv", index=False
    )


def add_pictures(folder: Path) -> None:
    """A picture of one tone for every item but the last."""
    from PIL import Image

    (folder / "images").mkdir()
    tones = np.random.default_rng(5).integers(0, 255, size=(N_ITEMS - 1, 3))
    for number, tone in enumerate(tones):
        Image.new("RGB", (32, 32), tuple(map(int, tone))).save(folder / "images" / f"i{number}.png")
