"""MMGCN: one graph network for each modality, averaged."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from mmrec_core.domain import Features, Split
from mmrec_core.lazy import lazy_import
from mmrec_core.recommenders.base import RECOMMENDERS
from mmrec_core.recommenders.content import ContentConfig, FeatureTensors
from mmrec_core.recommenders.graphs import SparseProduct, mean_aggregation
from mmrec_core.recommenders.losses import bpr, margins, mean_squares
from mmrec_core.recommenders.trainer import (
    Factors,
    Initial,
    ModelContext,
    Parameters,
    Trained,
)

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_import("torch")

LAYERS = 3


class MMGCNConfig(ContentConfig):
    """Settings of MMGCN."""

    learning_rate: float = Field(1e-3, gt=0, le=1, description="Step size of Adam")
    reg: float = Field(1e-3, ge=0, description="Weight of the mean squares of ids and preferences")
    content_factors: int = Field(64, ge=1, le=1024, description="Width of each projection")


class MMGCNContext(ModelContext):
    """Feature tensors, and the graph along which every node takes the mean of its neighbours."""

    def __init__(
        self, config: Any, split: Split, features: Sequence[Features], device: str, training: bool
    ) -> None:
        super().__init__(config, split, features, device, training)
        self.graph = self.of_split(
            "graph",
            lambda: SparseProduct([mean_aggregation(split.train)], self.n_seeds, False, device),
        )
        self.tensors = FeatureTensors(features, device)
        self.branches = self.tensors.modalities or ["none"]


class MMGCN(Trained):
    """Mean over modalities of three graph layers from user preferences and projected features.

    In a modality, x = normalize([preference; W f + b]); three times: h = act(mean of neighbours'
    x W1), x = act(h W2 + b2 + act(x W3 + b3) + id), act a leaky ReLU. The score is the inner
    product of the means, so it splits into user modality x item modality. Ids and preferences
    train (published code left them constant). An item without a modality enters it with b alone.
    Trained without content there is one such network whose items start at zero; scored without
    any, once trained with some, it has no branch left and scores 0.
    """

    name, title, family = "mmgcn", "MMGCN", "projection"
    uses = frozenset({"image", "text", "joint"})
    features_at_inference = True
    reads_history = True
    reference = (
        "Wei et al., MMGCN: Multi-modal Graph Convolution Network for Personalized Recommendation "
        "of Micro-video, ACM MM 2019"
    )
    cold = "It has no user edge and its id is zero: its score comes from its projected features."
    projects, propagates = True, 40
    grid: ClassVar = {
        "learning_rate": (1e-4, 5e-4, 1e-3, 5e-3, 1e-2),
        "reg": (0.0, 1e-5, 1e-4, 1e-3, 1e-2, 0.1),
    }
    Config = MMGCNConfig
    Context = MMGCNContext

    @classmethod
    def initial(cls, config: Any, split: Split, features: Features) -> dict[str, Initial]:
        """Ids, and preferences and layers of each branch."""
        d, c = config.factors, config.content_factors
        result = {
            "user": Initial.xavier((split.n_users, d)),
            "item": Initial.xavier((split.n_items, d), by_item=True),
        }
        for m in sorted(features) or ["none"]:
            result[f"preference_{m}"] = Initial.xavier((split.n_users, c))
            if m in features:
                own = features[m]
                result[f"project_{m}"] = Initial.xavier((own.width, c), own.one_hot)
                # Not zero: a row without features is this bias alone, and is normalised.
                result[f"project_bias_{m}"] = Initial((c,), 0.1)
            for layer in range(LAYERS):
                width = c if layer == 0 else d
                result[f"convolve_{m}_{layer}"] = Initial.xavier((width, d))
                result[f"keep_{m}_{layer}"] = Initial.xavier((width, d))
                result[f"keep_bias_{m}_{layer}"] = Initial((d,), 0.0)
                result[f"combine_{m}_{layer}"] = Initial.xavier((d, d))
                result[f"combine_bias_{m}_{layer}"] = Initial((d,), 0.0)
        return result

    @classmethod
    def factors(cls, parameters: Parameters, context: MMGCNContext) -> Factors:
        """Parts: each modality with itself, and user modality x item modality for the others."""
        n_users = context.split.n_users
        # Trained with content and scored without any: there is no branch left to score with.
        present = [m for m in context.branches if f"preference_{m}" in parameters]
        if not present:
            nothing = torch.zeros_like(parameters["item"][:, :, :1])
            return {"collaborative": (torch.zeros_like(parameters["user"][:, :, :1]), nothing)}
        whole = {m: _branch(parameters, context, m) / len(present) for m in present}
        parts: Factors = {}
        for m, rows in whole.items():
            own = "collaborative" if m == "none" else m
            parts[own] = (rows[:, :n_users], rows[:, n_users:])
        for m, rows in whole.items():
            for other, theirs in whole.items():
                if other != m:
                    parts[f"{m} x {other}"] = (rows[:, :n_users], theirs[:, n_users:])
        return parts

    @classmethod
    def loss(
        cls, parameters: Parameters, context: Any, users: Any, positives: Any, negatives: Any
    ) -> Any:
        """BPR, mean squares of the triples' ids and of all preferences."""
        n_users = context.split.n_users
        rows = sum(_branch(parameters, context, m) for m in context.branches)
        rows = rows / len(context.branches)
        margin = margins(rows, rows, users, positives + n_users, negatives + n_users)
        penalty = mean_squares(parameters, context.branches, users, positives, negatives)
        return bpr(margin) + context.config.reg * penalty


def _branch(parameters: Parameters, context: MMGCNContext, m: str) -> "torch.Tensor":
    """Users and items of one modality, [S, U + I, d]."""
    act = torch.nn.functional.leaky_relu
    preference = parameters[f"preference_{m}"]
    if m == "none":
        shape = (preference.shape[0], context.split.n_items, preference.shape[2])
        items = torch.zeros(shape, device=preference.device)
    else:
        items = context.tensors.project(m, parameters)
        items = items + parameters[f"project_bias_{m}"][:, None]
    x = torch.nn.functional.normalize(torch.cat([preference, items], dim=1), dim=2)
    ids = torch.cat([parameters["user"], parameters["item"]], dim=1)
    for layer in range(LAYERS):

        def linear(x: "torch.Tensor", name: str, layer: int = layer) -> "torch.Tensor":
            bias = parameters[f"{name}_bias_{m}_{layer}"][:, None]
            return torch.baddbmm(bias, x, parameters[f"{name}_{m}_{layer}"])

        h = act(context.graph(torch.bmm(x, parameters[f"convolve_{m}_{layer}"])))
        x = act(linear(h, "combine") + act(linear(x, "keep")) + ids)
    return x


RECOMMENDERS.register(MMGCN.name, MMGCN)
