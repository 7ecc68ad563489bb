"""Random and MostPop: what any recommender must beat."""

import numpy as np

from mmrec_core.recommenders.base import RECOMMENDERS, Closed


class Random(Closed):
    """Scores every item at random, anew for each user: the floor."""

    name, title, family = "random", "Random", "baseline"
    reference = "-"
    cold = "Like any other item, at random."

    def learn(self) -> None:
        """Learns nothing."""

    def score(self, users: np.ndarray) -> np.ndarray:
        """Uniform scores from (seed, user), the same whenever a user is asked for."""
        # A counter-based generator gives row u directly: the stream is cut, not looped over.
        n = self.split.n_items
        rows = np.asarray(users, dtype=np.uint64)[:, None]
        start = np.uint64(self.seed * 0x9E3779B97F4A7C15 % 2**64)
        mixed = rows * np.uint64(n) + np.arange(n, dtype=np.uint64)[None, :] + start
        return (_splitmix64(mixed) >> np.uint64(40)).astype(np.float32) / np.float32(1 << 24)

    def parts(self, users: np.ndarray) -> dict[str, np.ndarray]:
        """One part: chance."""
        return {"chance": self.score(users)}

    def weights(self) -> dict[str, np.ndarray]:
        """Nothing is learned."""
        return {}

    def load_weights(self, weights: dict[str, np.ndarray]) -> None:
        """Nothing to take over."""


class MostPop(Closed):
    """Recommends what most users interacted with, the same to everyone."""

    name, title, family = "most-pop", "MostPop", "baseline"
    seeded = False
    reference = "-"
    cold = "Nobody took it in training, so it scores 0: ties, in a seeded random order."

    def learn(self) -> None:
        """Counts the train interactions of every item."""
        self.degree = np.asarray(self.split.train.sum(axis=0), dtype=np.float32).ravel()

    def score(self, users: np.ndarray) -> np.ndarray:
        """The item's number of train interactions."""
        return np.broadcast_to(self.degree, (len(users), len(self.degree))).copy()

    def parts(self, users: np.ndarray) -> dict[str, np.ndarray]:
        """One part: popularity."""
        return {"popularity": self.score(users)}

    def weights(self) -> dict[str, np.ndarray]:
        """Item degrees."""
        return {"degree": self.degree}

    def load_weights(self, weights: dict[str, np.ndarray]) -> None:
        """Takes over the degrees."""
        self.degree = weights["degree"]


def _splitmix64(x: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64 (Steele et al., OOPSLA 2014): counter -> uniform 64 bits."""
    with np.errstate(over="ignore"):
        x = x + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


RECOMMENDERS.register(Random.name, Random)
RECOMMENDERS.register(MostPop.name, MostPop)
