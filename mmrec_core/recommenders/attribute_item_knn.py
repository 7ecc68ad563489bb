"""AttributeItemKNN: ItemKNN on item vectors that hold attributes beside interactions."""

from typing import ClassVar

import numpy as np

from mmrec_core.domain import Embeddings, Split
from mmrec_core.recommenders.base import RECOMMENDERS, RecommenderConfig
from mmrec_core.recommenders.content import prepared
from mmrec_core.recommenders.item_knn import Neighbourhood
from mmrec_core.recommenders.similarity import (
    AttributeConfig,
    denominators,
    nearest_columns,
    weighted,
)


class AttributeItemKNN(Neighbourhood):
    """ItemKNN on [w · attributes | R']: items are alike by what they are and by who took them.

    The attributes of an item are its features, whatever made them: one-hot attributes, or any
    embeddings, centred and on one scale, so that w means the same for all; several modalities
    stand side by side. A missing row is zero. Without content it is ItemKNN.
    """

    name, title, family = "attribute-item-knn", "AttributeItemKNN", "graph"
    uses = frozenset({"image", "text", "joint"})
    features_at_inference = True
    seeded = False
    backbone = "item-knn"
    reference = (
        "Ferrari Dacrema et al., A Troubling Analysis of Reproducibility and Progress in "
        "Recommender Systems Research, TOIS 2021 (ItemKNN-CFCBF)"
    )
    cold = "Nobody took it, so it resembles items by its attributes alone. Without content, 0."
    grid: ClassVar = {
        "k": (20, 50, 100, 200, 500, 1000),
        "shrink": (0.0, 10.0, 30.0, 100.0, 300.0, 1000.0),
        "content_weight": (0.01, 0.05, 0.2, 1.0, 4.0, 20.0, 100.0),
    }
    Config = AttributeConfig
    config: AttributeConfig

    @classmethod
    def expected_seconds(cls, config: RecommenderConfig, split: Split, width: int) -> float:
        """Every pair of items over the features' full width."""
        return 0.2 + split.n_items**2 * (width + 40) / 1e10

    def learn(self) -> None:
        """Builds the similarity matrix, a block of columns at a time."""
        items = weighted(self.split.train, self.config.weighting)
        rows = {m: self._attributes(own) for m, own in sorted(self.features.items())}
        squares = np.asarray(items.multiply(items).sum(axis=0), dtype=np.float32).ravel()
        squares = squares + sum((f**2).sum(axis=1) for f in rows.values())

        def parts(block: slice) -> dict[str, np.ndarray]:
            overlaps = {"collaborative": np.asarray((items.T @ items[:, block]).toarray())}
            overlaps |= {m: f @ f[block].T for m, f in rows.items()}
            whole = np.asarray(sum(overlaps.values()), dtype=np.float32)
            below = denominators(self.config, whole, squares, block)
            # Only the numerator is a sum over attributes and users, and it splits exactly.
            return {part: overlap / below for part, overlap in overlaps.items()}

        self.shares = nearest_columns(self.split.n_items, self.config.k, parts)

    def _attributes(self, features: Embeddings) -> np.ndarray:
        rows = prepared(features, centre=self.config.centre)
        return np.asarray(self.config.content_weight * rows, dtype=np.float32)

    def weights(self) -> dict[str, np.ndarray]:
        """Nothing is kept: the similarities are a function of interactions and features."""
        return {}

    def load_weights(self, weights: dict[str, np.ndarray]) -> None:
        """Compares the items again."""
        self.learn()


RECOMMENDERS.register(AttributeItemKNN.name, AttributeItemKNN)
