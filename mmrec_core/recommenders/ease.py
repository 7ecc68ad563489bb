"""EASE: a linear model of items on items, in closed form."""

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from mmrec_core.domain import InputError, Split
from mmrec_core.lazy import lazy_import
from mmrec_core.recommenders.base import RECOMMENDERS, Closed, RecommenderConfig
from mmrec_core.recommenders.training import training_device

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_import("torch")


class EASEConfig(RecommenderConfig):
    """Settings of EASE."""

    reg: float = Field(100.0, gt=0, le=1e5, description="λ: ridge penalty on every weight")


class EASE(Closed):
    """Scores an item by learned weights of what the user already has: R B.

    B minimises |R - R B|² + λ |B|² with a zero diagonal: B = I - P diag(1 / P_jj), P = (R'R +
    λ I)^-1. Dense in items, so for catalogues of up to 20,000.
    """

    name, title, family = "ease", "EASE", "collaborative"
    reads_history = True
    folds_in = True
    seeded = False
    most_items = 20_000  # two dense matrices of items x items, 3.2 GB, are held at once
    reference = "Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019"
    cold = "No weight leads to it, so it scores 0 for everyone: ties, in a seeded random order."
    grid: ClassVar = {"reg": (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)}
    Config = EASEConfig
    config: EASEConfig

    @classmethod
    def expected_seconds(cls, config: RecommenderConfig, split: Split, width: int) -> float:
        """Inverting an items x items matrix: n³ operations."""
        return 0.2 + split.n_items**3 / 2e10

    def learn(self) -> None:
        """Solves for B with one Cholesky factorisation, float32.

        Raises:
            InputError: The catalogue is too large.
        """
        n = self.split.n_items
        if n > self.most_items:
            raise InputError(
                f"EASE holds a weight for each pair of items: {n:,} items are too many, "
                f"{self.most_items:,} are possible. Raise the k-core or leave EASE out."
            )
        train = self.split.train.astype(np.float32)
        gram = (train.T @ train).toarray()
        gram[np.diag_indices(n)] += self.config.reg
        lower = torch.linalg.cholesky(torch.from_numpy(gram).to(training_device()))
        del gram
        inverse = torch.cholesky_inverse(lower)
        del lower
        inverse /= -inverse.diagonal().clone()
        inverse.fill_diagonal_(0.0)
        # In rows: a product with a user's few items would copy the whole matrix otherwise.
        self.item_weights = np.ascontiguousarray(inverse.cpu().numpy())

    def score(self, users: np.ndarray) -> np.ndarray:
        """R B for the users asked for."""
        return np.asarray(self.split.train[users] @ self.item_weights, dtype=np.float32)

    def parts(self, users: np.ndarray) -> dict[str, np.ndarray]:
        """One part, the collaborative one; it splits further by history item."""
        return {"collaborative": self.score(users)}

    def history_parts(self, user: int, item: int) -> tuple[np.ndarray, np.ndarray]:
        """Which items of the user's history carry the score of ``item``, and how much each.

        Returns:
            History item numbers and their parts; the parts sum to the score.
        """
        history = self.split.train[user].indices
        return history, self.item_weights[history, item]

    def weights(self) -> dict[str, np.ndarray]:
        """Nothing is kept: solving again takes about as long as reading a dense matrix."""
        return {}

    def load_weights(self, weights: dict[str, np.ndarray]) -> None:
        """Solves again."""
        self.learn()


RECOMMENDERS.register(EASE.name, EASE)
