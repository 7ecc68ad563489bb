"""Gradient training of factor models: all seeds of an arm as one batched computation.

Every parameter has a leading dimension of seeds. Each seed has its own initialisation, batch
order, negatives, early stopping and best state; seeds only share the arithmetic.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, cast
from weakref import WeakKeyDictionary

import numpy as np
from pydantic import Field

from mmrec_core.domain import Features, Progress, Split, no_progress
from mmrec_core.lazy import lazy_import
from mmrec_core.recommenders.base import Recommender, RecommenderConfig, Watch
from mmrec_core.recommenders.training import Training, to_torch, training_device

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_import("torch")

T = TypeVar("T")
_OF_SPLIT: WeakKeyDictionary[Split, dict[str, Any]] = WeakKeyDictionary()

Parameters = dict[str, "torch.Tensor"]
Factors = dict[str, tuple["torch.Tensor | None", "torch.Tensor"]]
"""Part name -> (users [S, n_users, k], items [S, n_items, k]), or (None, [S, n_items])."""


class TrainedConfig(RecommenderConfig):
    """What every gradient-trained recommender can be told."""

    factors: int = Field(64, ge=1, le=1024, description="Width of user and item embeddings")
    learning_rate: float = Field(5e-3, gt=0, le=1, description="Step size of Adam")
    reg: float = Field(1e-2, ge=0, description="L2 weight on the embeddings of each triple")
    batch_size: int = Field(4096, ge=1, description="Train interactions in one step")
    max_epochs: int = Field(300, ge=1, description="Cap on epochs; best epoch must lie below it")
    patience: int = Field(20, ge=1, description="Epochs without a better validation Recall@20")
    evaluate_every: int = Field(5, ge=1, description="Epochs between validations")


@dataclass(frozen=True)
class Initial:
    """How a parameter begins.

    Attributes:
        shape: Without the leading dimension of seeds.
        std: Standard deviation (normal).
        by_item: True when row i belongs to item i alone. Where a split keeps items out of
            training on purpose, their rows are zero from beginning to end: a row that nothing
            trains would send the item into a random direction.
        mean: Of the normal distribution.
    """

    shape: tuple[int, ...]
    std: float
    by_item: bool = False
    mean: float = 0.0

    @classmethod
    def xavier(cls, shape: tuple[int, int], by_item: bool = False) -> "Initial":
        """Variance 2 / (rows + columns) (Glorot and Bengio, AISTATS 2010)."""
        return cls(shape, float(np.sqrt(2 / sum(shape))), by_item)


class ModelContext:
    """What a model reads besides its parameters: feature tensors and graphs for S seeds.

    Rebuilt from split and features whenever scores are wanted, so that nothing remembered from
    training can leak into them.
    """

    def __init__(
        self,
        config: Any,
        split: Split,
        features: Sequence[Features],
        device: str,
        training: bool,
    ) -> None:
        self.config = config
        self.split = split
        self.features = features
        self.n_seeds = len(features)
        self.device = device
        self.training = training

    def of_split(self, name: str, make: Callable[[], T]) -> T:
        """What is made from the split alone, such as its graph.

        For scoring it is kept as long as the split is: explanations edit features again and again.
        """
        if self.training or self.n_seeds > 1:
            return make()
        kept = _OF_SPLIT.setdefault(self.split, {})
        key = f"{type(self).__name__} {name} {self.device}"
        if key not in kept:
            kept[key] = make()
        return cast(T, kept[key])

    def new_epoch(self, rngs: Sequence[np.random.Generator]) -> None:
        """Redraws what is random in each epoch; one generator a seed."""


class Trained(Recommender):
    """A recommender whose score is a sum of inner products, trained by pairwise ranking (BPR).

    A model gives its parameters, a context, its factors and its loss; training, early stopping,
    scoring, the additive split and storage are here.

    Class facts for plans: ``projects`` (all items from their full width in every step) and
    ``propagates`` (operations of a step for each interaction and factor).
    """

    Config: ClassVar[type[RecommenderConfig]] = TrainedConfig
    Context: ClassVar[type[ModelContext]] = ModelContext
    projects: ClassVar[bool] = False
    propagates: ClassVar[int] = 0
    config: TrainedConfig
    state: dict[str, np.ndarray]

    @classmethod
    @abstractmethod
    def initial(cls, config: Any, split: Split, features: Features) -> dict[str, Initial]:
        """Parameters by name, without the leading dimension of seeds."""

    @classmethod
    def beginnings(cls, config: Any, split: Split, features: Features) -> dict[str, Initial]:
        """All parameters: those of ``initial``, and what trained features move by, from nothing."""
        own = cls.initial(config, split, features)
        if getattr(config, "trainable_features", False):
            own |= {
                f"shift_{modality}": Initial(each.matrix.shape, 0.0, by_item=True)
                for modality, each in features.items()
                if not each.one_hot and f"project_{modality}" in own
            }
        return own

    @classmethod
    @abstractmethod
    def factors(cls, parameters: Parameters, context: Any) -> Factors:
        """Factors whose inner products, added up over parts, are the score."""

    @classmethod
    @abstractmethod
    def loss(
        cls,
        parameters: Parameters,
        context: Any,
        users: "torch.Tensor",
        positives: "torch.Tensor",
        negatives: "torch.Tensor",
    ) -> "torch.Tensor":
        """Loss of each seed [S] on its own triples, given as [S, B] row numbers."""

    @classmethod
    def learning_rate(cls, config: Any, epoch: int) -> float:
        """Step size of an epoch, counted from 1; constant unless a model says otherwise."""
        return float(config.learning_rate)

    @classmethod
    def fit_seeds(
        cls,
        config: RecommenderConfig,
        split: Split,
        features: Sequence[Features],
        seeds: Sequence[int],
        progress: Progress = no_progress,
        watch: Watch | None = None,
    ) -> list[Self]:
        """Trains all seeds as one batch; a seed that has stopped early leaves it."""
        assert isinstance(config, TrainedConfig)
        fitted = Training(cls, config, split, features, seeds).run(progress, watch)
        results = []
        for seed, own, state, report in zip(seeds, features, *fitted, strict=True):
            self = cls(config)
            self.split, self.features, self.seed = split, own, seed
            self.state, self.report = state, report
            results.append(self)
        return results

    @classmethod
    def expected_seconds(cls, config: RecommenderConfig, split: Split, width: int) -> float:
        """Steps times the work of a step, at the pace of one ordinary core."""
        assert isinstance(config, TrainedConfig)
        interactions = int(split.train.nnz)
        steps = -(-interactions // config.batch_size)
        epochs = min(config.max_epochs, 100)
        tables = (split.n_users + split.n_items) * config.factors
        projection = split.n_items * width * config.factors if cls.projects else 0
        propagation = interactions * config.factors * cls.propagates
        batch = min(config.batch_size, interactions) * config.factors
        operations = 4 * projection + 30 * tables + 3 * propagation + 60 * batch
        return epochs * steps * operations / 2e10

    def factor_arrays(self) -> dict[str, tuple[np.ndarray | None, np.ndarray]]:
        """Factors of every part as NumPy arrays, computed now from parameters and features."""
        with torch.no_grad():
            chosen = training_device()
            context = self.Context(self.config, self.split, [self.features], chosen, False)
            factors = self.factors(to_torch([self.state], chosen), context)
            return {
                part: (None if u is None else u[0].cpu().numpy(), v[0].cpu().numpy())
                for part, (u, v) in factors.items()
            }

    def score(self, users: np.ndarray) -> np.ndarray:
        """One product of the factors of all parts, side by side."""
        return self.scorer()(users)

    def scorer(self) -> Callable[[np.ndarray], np.ndarray]:
        """Scores from factors that are computed now, once for all calls."""
        arrays = self.factor_arrays()
        pairs = [(u, v) for u, v in arrays.values() if u is not None]
        left = np.concatenate([u for u, _ in pairs], axis=1)
        right = np.concatenate([v for _, v in pairs], axis=1)
        bias = sum(v for u, v in arrays.values() if u is None)

        def score(users: np.ndarray) -> np.ndarray:
            return np.asarray(left[users] @ right.T + bias, dtype=np.float32)

        return score

    def parts(self, users: np.ndarray) -> dict[str, np.ndarray]:
        """Each part's own product; they sum to the score."""
        return {
            part: np.asarray(
                np.broadcast_to(v, (len(users), len(v))) if u is None else u[users] @ v.T,
                dtype=np.float32,
            )
            for part, (u, v) in self.factor_arrays().items()
        }

    def weights(self) -> dict[str, np.ndarray]:
        """Parameters of the best epoch."""
        return self.state

    def load_weights(self, weights: dict[str, np.ndarray]) -> None:
        """Takes over parameters."""
        self.state = {name: np.asarray(array) for name, array in weights.items()}
