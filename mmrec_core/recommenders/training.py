"""The loop that trains all seeds of an arm as one batched computation."""

import time
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mmrec_core.domain import Features, InputError, Progress, Split
from mmrec_core.lazy import lazy_import
from mmrec_core.recommenders.adam import Adam
from mmrec_core.recommenders.base import FitReport, Watch
from mmrec_core.recommenders.sampling import TripleSampler
from mmrec_core.recommenders.validation import Validation
from mmrec_core.settings import device

if TYPE_CHECKING:
    import torch

    from mmrec_core.recommenders.trainer import (
        ModelContext,
        Parameters,
        Trained,
        TrainedConfig,
    )
else:
    torch = lazy_import("torch")


class DivergedError(InputError):
    """The loss is no longer a number."""


class Training:
    """One training of several seeds; its attributes are what changes from epoch to epoch."""

    def __init__(
        self,
        model: "type[Trained]",
        config: "TrainedConfig",
        split: Split,
        features: Sequence[Features],
        seeds: Sequence[int],
    ) -> None:
        self.model, self.config, self.split = model, config, split
        self.features, self.seeds = list(features), list(seeds)
        self.device = training_device()
        self.active = list(range(len(seeds)))
        self.samplers = [TripleSampler(split.train, seed, split.cold) for seed in seeds]
        self.rngs = [np.random.default_rng([seed, 2]) for seed in seeds]
        self.validation = Validation(split, self.device)
        self.cold = torch.from_numpy(np.flatnonzero(split.cold)).to(self.device)
        self.held_at_zero: list[str] = []
        self.parameters = {
            name: torch.nn.Parameter(torch.from_numpy(array).to(self.device))
            for name, array in self._initial().items()
        }
        self.adam = Adam(list(self.parameters.values()))
        self.learning_rate = config.learning_rate
        self.best: list[dict[str, np.ndarray]] = [{} for _ in seeds]
        self.best_value = [-np.inf] * len(seeds)
        self.best_epoch = [0] * len(seeds)
        self.epochs = [0] * len(seeds)
        self.seconds = [0.0] * len(seeds)
        self.curves: list[list[tuple[int, float, float]]] = [[] for _ in seeds]
        self.diverged: set[int] = set()

    def run(
        self, progress: Progress, watch: Watch | None
    ) -> tuple[list[dict[str, np.ndarray]], list[FitReport]]:
        """Trains until every seed has stopped; returns best states and reports."""
        context = self._context()
        for epoch in range(1, self.config.max_epochs + 1):
            started = time.perf_counter()
            context.new_epoch([self.rngs[s] for s in self.active])
            self.learning_rate = self.model.learning_rate(self.config, epoch)
            losses = self._epoch(context)
            if not np.isfinite(losses).all():
                sound = self._without_diverged(losses, strict=watch is not None)
                if not sound:
                    break
                self._keep(sound)
                context, losses = self._context(), losses[sound]
            last = epoch == self.config.max_epochs
            evaluated = epoch % self.config.evaluate_every == 0 or last
            if evaluated:
                values = self._validate(epoch, context, losses)
                last = last or (watch is not None and watch(epoch, values))
            share = (time.perf_counter() - started) / len(self.active)
            for s in self.active:
                self.seconds[s] += share
                self.epochs[s] = epoch
            done = [
                a
                for a, s in enumerate(self.active)
                if last or (evaluated and epoch - self.best_epoch[s] >= self.config.patience)
            ]
            progress(epoch, self.config.max_epochs, f"{self.model.title}, epoch {epoch}")
            if len(done) == len(self.active):
                break
            if done:
                self._keep([a for a in range(len(self.active)) if a not in done])
                context = self._context()
        return self.best, [self._report(s) for s in range(len(self.seeds))]

    def _initial(self) -> dict[str, np.ndarray]:
        # Each parameter has a generator of its own, named after it: arms that differ in one
        # modality start from the same user and item embeddings.
        arrays: dict[str, np.ndarray] = {}
        initials = self.model.beginnings(self.config, self.split, self.features[0])
        for name, initial in initials.items():
            arrays[name] = np.stack(
                [
                    np.random.default_rng([seed, zlib.crc32(name.encode())])
                    .normal(initial.mean, initial.std, initial.shape)
                    .astype(np.float32)
                    for seed in self.seeds
                ]
            )
            if initial.by_item and len(self.cold):
                arrays[name][:, self.split.cold] = 0.0
                self.held_at_zero.append(name)
        return arrays

    def _context(self) -> "ModelContext":
        return self.model.Context(
            self.config,
            self.split,
            [self.features[s] for s in self.active],
            self.device,
            True,
        )

    def _epoch(self, context: "ModelContext") -> np.ndarray:
        """One pass over the train interactions; returns the mean loss of each active seed."""
        triples = np.stack([self.samplers[s].epoch() for s in self.active], axis=1)
        batches = torch.from_numpy(triples).to(self.device).split(self.config.batch_size, dim=2)
        total = torch.zeros(len(self.active), device=self.device)
        for users, positives, negatives in batches:
            loss = self.model.loss(self.parameters, context, users, positives, negatives)
            self.adam.forget_gradients()
            # Seeds share no parameter, so the gradient of the sum is each seed's own gradient.
            loss.sum().backward()
            for name in self.held_at_zero:
                # A graph over items reaches rows that no triple does.
                gradient = self.parameters[name].grad
                if gradient is not None:
                    gradient[:, self.cold] = 0.0
            self.adam.step(self.learning_rate)
            total += loss.detach() * users.shape[1]
        return (total / triples.shape[2]).cpu().numpy()

    def _without_diverged(self, losses: np.ndarray, strict: bool) -> list[int]:
        """Places of the active seeds whose loss is still a number.

        A seed that diverges keeps the best state that it had and does not count as converged, so
        that its verdicts are void; the others go on.

        Raises:
            DivergedError: ``strict`` (a search counts such a trial as failed), or a seed diverged
                before it was ever validated.
        """
        sound = np.flatnonzero(np.isfinite(losses)).tolist()
        lost = [s for a, s in enumerate(self.active) if a not in sound]
        if strict or any(not self.best[s] for s in lost):
            raise DivergedError(
                f"{self.model.title}: the loss is no longer a number. "
                "A smaller learning rate or a larger reg helps."
            )
        self.diverged.update(lost)
        return sound

    def _validate(self, epoch: int, context: "ModelContext", losses: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            factors = self.model.factors(self.parameters, context)
            values = self.validation.recall(factors, len(self.active))
        improved = []
        for a, s in enumerate(self.active):
            self.curves[s].append((epoch, float(losses[a]), float(values[a])))
            # A last step may spoil the parameters although the loss before it was a number.
            sound = all(bool(p[a].isfinite().all()) for p in self.parameters.values())
            if sound and values[a] > self.best_value[s]:
                self.best_value[s], self.best_epoch[s] = float(values[a]), epoch
                improved.append((a, s))
        for a, s in improved:
            self.best[s] = {
                name: p[a].detach().cpu().numpy().copy() for name, p in self.parameters.items()
            }
        return values

    def _keep(self, kept: list[int]) -> None:
        """Drops the seeds that have stopped, with the optimiser's memory of them."""
        self.parameters = {
            name: torch.nn.Parameter(p.detach()[kept].clone())
            for name, p in self.parameters.items()
        }
        self.adam = self.adam.kept(list(self.parameters.values()), kept)
        self.active = [self.active[a] for a in kept]

    def _report(self, s: int) -> FitReport:
        curve = pd.DataFrame(self.curves[s], columns=["epoch", "loss", "recall@20"])
        return FitReport(
            seconds=self.seconds[s],
            best_epoch=self.best_epoch[s],
            epochs=self.epochs[s],
            converged=s not in self.diverged
            and self.best_epoch[s] + self.config.patience <= self.config.max_epochs,
            curve=curve,
        )


def training_device() -> str:
    """Where models are trained: Apple's mps lacks sparse products and float64, so not there."""
    return "cpu" if device() == "mps" else device()


def to_torch(states: Sequence[dict[str, np.ndarray]], device: str) -> "Parameters":
    """Stacks the parameters of single seeds along a new first dimension."""
    return {
        name: torch.from_numpy(np.stack([state[name] for state in states])).to(device)
        for name in states[0]
    }
