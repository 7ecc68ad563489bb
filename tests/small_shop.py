"""A small shop with precomputed features, and a real study of it: what pages are tested on."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from mmrec_core.datasets.install import install
from mmrec_core.store import Artefact
from mmrec_core.studies.runner import run_study
from mmrec_core.studies.study import make_study

NAME = "small"
N_USERS, N_ITEMS = 40, 30
TITLE = "Cups & [more](https://example.org) :red[!]"
"""Holds markdown: it must be shown as it is written."""

STUDY = {
    "dataset": NAME,
    "recommenders": ["vbpr"],
    "references": ["most-pop", "bpr-mf"],
    "modalities": ["image", "text"],
    "controls": ["shuffle", "removed"],
    "seeds": 5,
    "configs": {
        name: {"max_epochs": 4, "patience": 1, "evaluate_every": 1, "factors": 4}
        for name in ("vbpr", "bpr-mf")
    },
}


def upload(folder: Path) -> Path:
    """Files of a shop whose users like items that are alike."""
    rng = np.random.default_rng([7])
    taste, features = rng.normal(size=(N_USERS, 3)), rng.normal(size=(N_ITEMS, 3))
    liked = np.argsort(-(taste @ features.T + rng.gumbel(size=(N_USERS, N_ITEMS))), axis=1)[:, :10]
    ids = [f"i{n:02}" for n in range(N_ITEMS)]
    (folder / "images").mkdir(parents=True)
    (folder / "features").mkdir()
    for n, name in enumerate(ids):
        Image.new("RGB", (24, 24), (8 * n, 90, 200)).save(folder / "images" / f"{name}.png")
    pd.DataFrame(
        {
            "item_id": ids,
            "title": [f"*Cup* {n}" for n in range(N_ITEMS)],
            "description": [f"A cup, number {n}." for n in range(N_ITEMS)],
            "image": [f"{name}.png" for name in ids],
        }
    ).to_csv(folder / "items.csv", index=False)
    pd.DataFrame(
        {
            "user_id": np.repeat([f"u{n:02}" for n in range(N_USERS)], liked.shape[1]),
            "item_id": np.array(ids)[liked.ravel()],
        }
    ).to_csv(folder / "interactions.csv", index=False)
    for modality in ("image", "text"):
        np.save(folder / "features" / f"{modality}.npy", features.astype(np.float32))
    (folder / "dataset.toml").write_text(f"title = '{TITLE}'\n", "utf-8")
    return folder


def install_shop(folder: Path) -> None:
    """Installs the shop under NAME into the present store."""
    install(upload(folder), name=NAME)


def finished_study() -> Artefact:
    """Trains the study of the installed shop; a second or two."""
    return run_study(make_study(STUDY), workers=1)
