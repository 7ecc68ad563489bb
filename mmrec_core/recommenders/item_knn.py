"""ItemKNN: items that the same users took."""

from collections.abc import Callable
from functools import reduce
from operator import add
from typing import ClassVar

import numpy as np
from scipy import sparse

from mmrec_core.recommenders.base import RECOMMENDERS, Closed
from mmrec_core.recommenders.similarity import (
    ItemKNNConfig,
    denominators,
    nearest_columns,
    weighted,
)


class Neighbourhood(Closed):
    """A model whose score is R S with a sparse item-item matrix S, the sum of its shares."""

    reads_history = True
    folds_in = True
    shares: dict[str, sparse.csr_matrix]

    @property
    def similarity(self) -> sparse.csr_matrix:
        """S, CSR [n_items, n_items]."""
        return sparse.csr_matrix(reduce(add, self.shares.values()))

    def score(self, users: np.ndarray) -> np.ndarray:
        """R S, dense for the users asked for."""
        return self.scorer()(users)

    def scorer(self) -> Callable[[np.ndarray], np.ndarray]:
        """Scores with S put together once for all calls."""
        similarity, train = self.similarity, self.split.train

        def score(users: np.ndarray) -> np.ndarray:
            return np.asarray((train[users] @ similarity).toarray(), dtype=np.float32)

        return score

    def parts(self, users: np.ndarray) -> dict[str, np.ndarray]:
        """R times each share of S; the collaborative one splits further by history item."""
        train = self.split.train[users]
        return {
            part: np.asarray((train @ share).toarray(), dtype=np.float32)
            for part, share in self.shares.items()
        }

    def history_parts(self, user: int, item: int) -> tuple[np.ndarray, np.ndarray]:
        """Which items of the user's history carry the score of ``item``, and how much each.

        Returns:
            History item numbers and their parts; the parts sum to the score.
        """
        history = self.split.train[user].indices
        column = self.similarity[:, [item]].toarray().ravel()
        return history, column[history]


class ItemKNN(Neighbourhood):
    """Scores an item by its similarity to what the user already has: R S.

    S_ij = overlap / (norms + shrink), zero diagonal, the k largest of each column kept. The
    overlap counts common users; a weighting makes busy users count less in S, never in R.
    """

    name, title, family = "item-knn", "ItemKNN", "collaborative"
    seeded = False
    reference = "Sarwar et al., WWW 2001; shrinkage as in Ferrari Dacrema et al., RecSys 2019"
    cold = "It resembles no item, so it scores 0 for everyone: ties, in a seeded random order."
    grid: ClassVar = {
        "k": (20, 50, 100, 200, 500, 1000),
        "shrink": (0.0, 10.0, 30.0, 100.0, 300.0, 1000.0),
        "similarity": ("cosine", "jaccard", "asymmetric", "tversky", "dot"),
    }
    Config = ItemKNNConfig
    config: ItemKNNConfig

    def learn(self) -> None:
        """Builds the similarity matrix, a block of columns at a time."""
        items = weighted(self.split.train, self.config.weighting)
        squares = np.asarray(items.multiply(items).sum(axis=0), dtype=np.float32).ravel()

        def parts(block: slice) -> dict[str, np.ndarray]:
            overlap = np.asarray((items.T @ items[:, block]).toarray())
            return {"collaborative": overlap / denominators(self.config, overlap, squares, block)}

        self.shares = nearest_columns(self.split.n_items, self.config.k, parts)

    def weights(self) -> dict[str, np.ndarray]:
        """The sparse similarity matrix as three arrays."""
        s = self.similarity
        return {"data": s.data, "indices": s.indices, "indptr": s.indptr}

    def load_weights(self, weights: dict[str, np.ndarray]) -> None:
        """Takes over the similarity matrix."""
        n = self.split.n_items
        arrays = (weights["data"], weights["indices"], weights["indptr"])
        self.shares = {"collaborative": sparse.csr_matrix(arrays, shape=(n, n))}


RECOMMENDERS.register(ItemKNN.name, ItemKNN)
