"""A small split with planted taste, and features that show it."""

import numpy as np
from scipy import sparse

from mmrec_core.domain import Embeddings, Split

N_USERS, N_ITEMS = 60, 50


def make_split(test: bool = True, seed: int = 0) -> Split:
    """60 users with 10 items each: 7 train, 1 validation, 2 test; taste in 3 dimensions."""
    rng = np.random.default_rng(seed)
    taste, quality = rng.normal(size=(N_USERS, 3)), topics()
    utility = 1.5 * taste @ quality.T + rng.gumbel(size=(N_USERS, N_ITEMS))
    chosen = np.argsort(-utility, axis=1)[:, :10]
    chosen = rng.permuted(chosen, axis=1)

    def part(columns: slice) -> sparse.csr_matrix:
        items = chosen[:, columns]
        users = np.repeat(np.arange(N_USERS), items.shape[1])
        ones = np.ones(items.size, dtype=np.float32)
        return sparse.csr_matrix((ones, (users, items.ravel())), shape=(N_USERS, N_ITEMS))

    nothing = sparse.csr_matrix((N_USERS, N_ITEMS), dtype=np.float32)
    return Split(
        part(slice(0, 7)),
        part(slice(7, 8)),
        part(slice(8, 10)) if test else nothing,
        np.array([f"u{u}" for u in range(N_USERS)], dtype=object),
        np.array([f"i{i}" for i in range(N_ITEMS)], dtype=object),
        None,
        "random",
        seed,
        "made for tests",
    )


def topics() -> np.ndarray:
    """What items are about, [N_ITEMS, 3]."""
    return np.random.default_rng(1).normal(size=(N_ITEMS, 3))


def make_features(split: Split) -> dict[str, Embeddings]:
    """Text shows the topics, the image is noise."""
    rng = np.random.default_rng(2)
    text = topics() @ rng.normal(size=(3, 12)) + 0.1 * rng.normal(size=(N_ITEMS, 12))
    image = rng.normal(size=(N_ITEMS, 20))
    nowhere = np.zeros(N_ITEMS, dtype=bool)
    return {
        "image": Embeddings("image", "noise", split.item_ids, image, nowhere),
        "text": Embeddings("text", "topics", split.item_ids, text, nowhere),
    }
