"""What a recommender is: facts, config, fit, score, additive parts."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from mmrec_core.domain import Features, Progress, Split, no_progress
from mmrec_core.registry import Registry

Watch = Callable[[int, np.ndarray], bool]
"""Called with an epoch and the validation Recall@20 of every seed still trained, [S]."""


class RecommenderConfig(BaseModel):
    """Base of every recommender's config; the fields become the form on the Study page."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True)
class FitReport:
    """What happened in training.

    Attributes:
        seconds: Wall-clock time of this seed's share of the training.
        best_epoch: Epoch whose parameters were kept; 0 for closed-form models.
        epochs: Epochs trained.
        converged: False when the best epoch lies within ``patience`` of the cap, or when the loss
            ceased to be a number; then the best state before that is kept.
        curve: One row an evaluated epoch: epoch, loss, recall@20 on validation.
    """

    seconds: float = 0.0
    best_epoch: int = 0
    epochs: int = 0
    converged: bool = True
    curve: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(
            {"epoch": np.zeros(0, int), "loss": np.zeros(0), "recall@20": np.zeros(0)}
        )
    )


class Recommender(ABC):
    """Learns from a split, and from item features where it uses them; scores every item.

    Class facts (pages rely on them):
        name, title: In code and on screen.
        family: ``baseline``, ``collaborative``, ``projection`` or ``graph``.
        uses: Modalities it can read; empty for models without content.
        features_at_inference: True when the score changes with the features after training.
        splits_score_exactly: True when ``parts`` sum to the score, each with a meaning of its own.
        reads_history: True when the score reads the user's train interactions at call time, so
            that one can be forgotten without training again.
        folds_in: True when somebody whom training did not see can be scored by a history alone.
        seeded: False when training draws nothing at random.
        backbone: Name of the published model without content it extends, if any.
        reference: Paper.
        cold: How it scores an item that a split keeps out of training, in words.
        version: Raised whenever the same inputs would give other numbers, rounding aside.
        most_items: Items it can hold; None: no limit of its own.
        grid: Setting -> values that a search tries.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    family: ClassVar[str]
    uses: ClassVar[frozenset[str]] = frozenset()
    features_at_inference: ClassVar[bool] = False
    splits_score_exactly: ClassVar[bool] = True
    reads_history: ClassVar[bool] = False
    folds_in: ClassVar[bool] = False
    seeded: ClassVar[bool] = True
    backbone: ClassVar[str | None] = None
    reference: ClassVar[str]
    cold: ClassVar[str]
    version: ClassVar[int] = 1
    most_items: ClassVar[int | None] = None
    grid: ClassVar[Mapping[str, tuple[Any, ...]]] = {}
    Config: ClassVar[type[RecommenderConfig]] = RecommenderConfig

    config: RecommenderConfig
    split: Split
    features: Features
    seed: int
    report: FitReport

    def __init__(self, config: RecommenderConfig | None = None) -> None:
        self.config = config if config is not None else self.Config()
        self.report = FitReport()

    @classmethod
    @abstractmethod
    def fit_seeds(
        cls,
        config: RecommenderConfig,
        split: Split,
        features: Sequence[Features],
        seeds: Sequence[int],
        progress: Progress = no_progress,
        watch: Watch | None = None,
    ) -> list[Self]:
        """Trains one recommender for each seed, side by side where the model allows.

        Args:
            config: Of this class's ``Config``.
            split: Train for learning, validation for early stopping; test is never read.
            features: One mapping a seed, aligned with ``split.item_ids``.
            seeds: Of initialisation, batch order and negatives.
            progress: Told after each epoch.
            watch: Told each validation; True from it ends the training where it stands.

        Returns:
            Fitted recommenders in the order of ``seeds``.
        """

    @classmethod
    def expected_seconds(cls, config: RecommenderConfig, split: Split, width: int) -> float:
        """Rough seconds of one seed on one CPU core, for plans.

        Args:
            config: Of this class's ``Config``.
            split: What is trained on.
            width: Columns of all features together.
        """
        return 0.2

    def fit(
        self,
        split: Split,
        features: Features | None = None,
        seed: int = 0,
        progress: Progress = no_progress,
    ) -> Self:
        """Trains this recommender with one seed and returns it."""
        fitted = self.fit_seeds(self.config, split, [features or {}], [seed], progress)[0]
        self.__dict__.update(fitted.__dict__)
        return self

    @abstractmethod
    def score(self, users: np.ndarray) -> np.ndarray:
        """Scores of every item, float32 [len(users), n_items], from parameters and features.

        Args:
            users: Row numbers of the split.
        """

    def scorer(self) -> Callable[[np.ndarray], np.ndarray]:
        """``score`` for many calls in a row: what does not depend on the users is made once."""
        return self.score

    @abstractmethod
    def parts(self, users: np.ndarray) -> dict[str, np.ndarray]:
        """Additive parts of the score, part name -> float32 [len(users), n_items]."""

    @abstractmethod
    def weights(self) -> dict[str, np.ndarray]:
        """Learned parameters by name; with config, split and features they are the model."""

    @classmethod
    def restore(
        cls,
        config: RecommenderConfig,
        split: Split,
        features: Features,
        weights: dict[str, np.ndarray],
        seed: int = 0,
    ) -> Self:
        """The fitted recommender that ``weights`` came from."""
        self = cls(config)
        self.split, self.features, self.seed = split, features, seed
        self.load_weights(weights)
        return self

    @abstractmethod
    def load_weights(self, weights: dict[str, np.ndarray]) -> None:
        """Takes over learned parameters."""

    def with_features(self, features: Features) -> Self:
        """The same learned parameters over other features: the inference stage of a control."""
        other = self.restore(self.config, self.split, features, self.weights(), self.seed)
        other.report = self.report
        return other


RECOMMENDERS: Registry[type[Recommender]] = Registry("recommender")


class Closed(Recommender):
    """A recommender without gradient training: each seed is fitted on its own."""

    @abstractmethod
    def learn(self) -> None:
        """Learns from ``self.split`` and ``self.seed``."""

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
        """Fits the seeds one after the other."""
        fitted = []
        for done, (seed, own) in enumerate(zip(seeds, features, strict=True), start=1):
            self = cls(config)
            self.split, self.features, self.seed = split, own, seed
            started = time.perf_counter()
            self.learn()
            self.report = FitReport(seconds=time.perf_counter() - started)
            fitted.append(self)
            progress(done, len(seeds), cls.title)
        return fitted
