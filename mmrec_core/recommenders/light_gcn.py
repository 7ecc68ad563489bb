"""LightGCN: embeddings smoothed over the user-item graph, without content."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from mmrec_core.domain import Features, Split
from mmrec_core.lazy import lazy_import
from mmrec_core.recommenders.base import RECOMMENDERS
from mmrec_core.recommenders.graphs import SparseProduct, bipartite
from mmrec_core.recommenders.losses import bpr, margins, squares
from mmrec_core.recommenders.trainer import (
    Factors,
    Initial,
    ModelContext,
    Parameters,
    Trained,
    TrainedConfig,
)
from mmrec_core.recommenders.training import to_torch, training_device

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_import("torch")


class LightGCNConfig(TrainedConfig):
    """Settings of LightGCN; how the defaults were found: docs/tuning.md."""

    reg: float = Field(0.03, ge=0, description="L2 weight on the ego embeddings of each triple")
    layers: int = Field(3, ge=1, le=4, description="Propagation steps over the user-item graph")


class LightGCNContext(ModelContext):
    """The normalised user-item graph."""

    def __init__(
        self, config: Any, split: Split, features: Sequence[Features], device: str, training: bool
    ) -> None:
        super().__init__(config, split, features, device, training)
        self.graph = self.of_split(
            "graph", lambda: SparseProduct([bipartite(split.train)], self.n_seeds, True, device)
        )


def propagated(
    parameters: Parameters, graph: SparseProduct, layers: int
) -> tuple["torch.Tensor", "torch.Tensor"]:
    """Mean over l = 0..layers of Ahat^l E, cut into users [S, U, d] and items [S, I, d]."""
    n_users = parameters["user"].shape[1]
    rows = torch.cat([parameters["user"], parameters["item"]], dim=1)
    mean = graph.mean_of_powers(rows, layers)
    return mean[:, :n_users], mean[:, n_users:]


class Propagating(Trained):
    """A model whose user rows are LightGCN's: sums over the user's own items, one step away."""

    reads_history = True
    folds_in = True

    def user_terms(self, user: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What each item of a user's history brings into the user's row, all others held fixed.

        The row is (E_u + sum over items h of a_uh x_h) / (L + 1), where x_h is the sum over
        l = 0 .. L - 1 of (Ahat^l E)_h.

        Returns:
            Item numbers [h]; their terms [h, d]; the user's own term [d]. They sum to the row.
        """
        layers = int(getattr(self.config, "layers"))  # noqa: B009
        history = self.split.train[user].indices
        with torch.no_grad():
            device = training_device()
            context = LightGCNContext(self.config, self.split, [self.features], device, False)
            parameters = to_torch([self.state], device)
            _, items = propagated(parameters, context.graph, layers - 1)
            rows = items[0, history].cpu().numpy() * (layers / (layers + 1))
        degree = self.split.train_degree[history] * np.float64(len(history))
        terms = rows / np.sqrt(degree)[:, None]
        own = self.state["user"][user] / (layers + 1)
        return history, terms.astype(np.float32), own.astype(np.float32)


class LightGCN(Propagating):
    """The mean of user and item embeddings over 0 to L steps on the graph of interactions."""

    name, title, family = "light-gcn", "LightGCN", "collaborative"
    reference = "He et al., LightGCN, SIGIR 2020"
    cold = (
        "It has no edge and its embedding is zero, so it scores 0 for everyone: ties, in a seeded "
        "random order."
    )
    propagates = 8
    grid: ClassVar = {
        "learning_rate": (1e-3, 2e-3, 5e-3, 1e-2),
        "reg": (1e-3, 0.01, 0.03, 0.1, 0.3),
        "layers": (1, 2, 3),
    }
    Config = LightGCNConfig
    Context = LightGCNContext

    @classmethod
    def initial(cls, config: Any, split: Split, features: Features) -> dict[str, Initial]:
        """User and item embeddings."""
        return {
            "user": Initial((split.n_users, config.factors), 0.1),
            "item": Initial((split.n_items, config.factors), 0.1, by_item=True),
        }

    @classmethod
    def factors(cls, parameters: Parameters, context: Any) -> Factors:
        """One part, the collaborative one; it splits further by history item."""
        users, items = propagated(parameters, context.graph, context.config.layers)
        return {"collaborative": (users, items)}

    @classmethod
    def loss(
        cls, parameters: Parameters, context: Any, users: Any, positives: Any, negatives: Any
    ) -> Any:
        """BPR on propagated rows, L2 on the ego embeddings of each triple."""
        user, item = propagated(parameters, context.graph, context.config.layers)
        ego = squares(
            (parameters["user"], users),
            (parameters["item"], positives),
            (parameters["item"], negatives),
        )
        return bpr(margins(user, item, users, positives, negatives)) + context.config.reg * ego


RECOMMENDERS.register(LightGCN.name, LightGCN)
