"""ItemKNN: items that the same users took."""

import numpy as np
from pydantic import Field
from scipy import sparse

from mmrec_core.recommenders.base import RECOMMENDERS, Closed, RecommenderConfig


class ItemKNNConfig(RecommenderConfig):
    """Settings of ItemKNN."""

    k: int = Field(50, ge=1, le=5_000, description="Neighbours kept for each item")
    shrink: float = Field(10.0, ge=0, description="Added to the norms: distrusts rare pairs")


class ItemKNN(Closed):
    """Scores an item by its cosine similarity to what the user already has: R S.

    S_ij = overlap / (norm_i norm_j + shrink), zero diagonal, the k largest of each column kept.
    """

    name, title, family = "item-knn", "ItemKNN", "collaborative"
    seeded = False
    reference = "Sarwar et al., WWW 2001; shrinkage as in Ferrari Dacrema et al., RecSys 2019"
    cold = "It resembles no item, so it scores 0 for everyone: ties, in a seeded random order."
    Config = ItemKNNConfig
    config: ItemKNNConfig

    def learn(self) -> None:
        """Builds the similarity matrix, column blocks of 1,024 items at a time."""
        train = self.split.train.tocsc().astype(np.float32)
        norm = np.sqrt(np.asarray(train.multiply(train).sum(axis=0))).ravel()
        blocks = []
        for start in range(0, train.shape[1], 1024):
            overlap = (train.T @ train[:, start : start + 1024]).toarray()
            columns = np.arange(overlap.shape[1])
            overlap[start + columns, columns] = 0.0
            denominator = norm[:, None] * norm[None, start : start + 1024] + self.config.shrink
            similarity = np.divide(
                overlap, denominator, out=np.zeros_like(overlap), where=denominator > 0
            )
            k = min(self.config.k, similarity.shape[0] - 1)
            floor = -np.partition(-similarity, k - 1, axis=0)[k - 1]
            similarity[similarity < np.maximum(floor, np.finfo(np.float32).tiny)] = 0.0
            blocks.append(sparse.csc_matrix(similarity))
        self.similarity = sparse.hstack(blocks).tocsr()

    def score(self, users: np.ndarray) -> np.ndarray:
        """R S, dense for the users asked for."""
        return np.asarray((self.split.train[users] @ self.similarity).toarray(), dtype=np.float32)

    def parts(self, users: np.ndarray) -> dict[str, np.ndarray]:
        """One part, the collaborative one; it splits further by history item."""
        return {"collaborative": self.score(users)}

    def history_parts(self, user: int, item: int) -> tuple[np.ndarray, np.ndarray]:
        """Which items of the user's history carry the score of ``item``, and how much each.

        Returns:
            History item numbers and their parts; the parts sum to the score.
        """
        history = self.split.train[user].indices
        column = self.similarity[:, [item]].toarray().ravel()
        return history, column[history]

    def weights(self) -> dict[str, np.ndarray]:
        """The sparse similarity matrix as three arrays."""
        s = self.similarity
        return {"data": s.data, "indices": s.indices, "indptr": s.indptr}

    def load_weights(self, weights: dict[str, np.ndarray]) -> None:
        """Takes over the similarity matrix."""
        n = self.split.n_items
        self.similarity = sparse.csr_matrix(
            (weights["data"], weights["indices"], weights["indptr"]), shape=(n, n)
        )


RECOMMENDERS.register(ItemKNN.name, ItemKNN)
