"""MGCN: features purified by behaviour, item graphs by modality, attention that shares them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from mmrec_core.domain import Features, Split
from mmrec_core.lazy import lazy_import
from mmrec_core.recommenders.base import RECOMMENDERS
from mmrec_core.recommenders.content import ContentConfig, FeatureTensors
from mmrec_core.recommenders.graphs import (
    SparseProduct,
    similarity_graphs,
    users_from_items,
)
from mmrec_core.recommenders.light_gcn import LightGCNContext, propagated
from mmrec_core.recommenders.losses import bpr, pairwise
from mmrec_core.recommenders.trainer import (
    Factors,
    Initial,
    Parameters,
    Trained,
)

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_import("torch")


class MGCNConfig(ContentConfig):
    """Settings of MGCN."""

    learning_rate: float = Field(5e-3, gt=0, le=1, description="Step size of Adam")
    reg: float = Field(1e-4, ge=0, description="L2 weight on the rows of each triple")
    layers: int = Field(2, ge=1, le=4, description="Propagation steps over the user-item graph")
    neighbours: int = Field(10, ge=1, le=100, description="Neighbours in each item graph")
    contrast: float = Field(0.01, ge=0, description="Weight of InfoNCE between the two views")
    temperature: float = Field(0.2, gt=0, le=10, description="Of InfoNCE")


class MGCNContext(LightGCNContext):
    """User-item graph, item graphs by modality, feature tensors."""

    def __init__(
        self, config: Any, split: Split, features: Sequence[Features], device: str, training: bool
    ) -> None:
        super().__init__(config, split, features, device, training)
        self.tensors = FeatureTensors(features, device)
        self.item_graphs = {
            m: SparseProduct(
                similarity_graphs([own[m] for own in features], config.neighbours),
                self.n_seeds,
                False,
                device,
            )
            for m in self.tensors.modalities
        }
        self.to_users = self.of_split(
            "to users",
            lambda: SparseProduct([users_from_items(split.train)], self.n_seeds, False, device),
        )


class MGCN(Trained):
    """LightGCN rows + side rows, both from ids; content decides what of an id passes and where.

    Side rows: an item's id, gated by sigmoid((W f + b) G + c), is averaged over the item graph of
    the modality and then over each user's items; attention mixes what modalities share, gates by
    LightGCN's rows weigh what each adds, and their mean is added. InfoNCE holds the two views of
    an item and a user together. Everything is multiplied with everything, so no part of a score
    belongs to a modality. An item without a modality has no edges of it. Without content it is
    LightGCN.
    """

    name, title, family = "mgcn", "MGCN", "graph"
    uses = frozenset({"image", "text", "joint"})
    features_at_inference = True
    splits_score_exactly = False
    reads_history = True
    backbone = "light-gcn"
    reference = (
        "Yu et al., Multi-View Graph Convolutional Network for Multimedia Recommendation, "
        "ACM MM 2023"
    )
    cold = (
        "It has no user edge and its own embedding is zero: its score comes from the gated "
        "embeddings of its content neighbours. Without content it scores 0."
    )
    projects, propagates = True, 40
    grid: ClassVar = {
        "learning_rate": (5e-4, 1e-3, 5e-3),
        "reg": (1e-5, 1e-4, 1e-3, 1e-2, 0.05),
        "contrast": (0.001, 0.01, 0.1),
    }
    Config = MGCNConfig
    Context = MGCNContext

    @classmethod
    def initial(cls, config: Any, split: Split, features: Features) -> dict[str, Initial]:
        """Ids; projection and gates of each present modality; the attention's query."""
        d = config.factors
        result = {
            "user": Initial.xavier((split.n_users, d)),
            "item": Initial.xavier((split.n_items, d), by_item=True),
        }
        for m, own in features.items():
            result[f"project_{m}"] = Initial.xavier((own.width, d), own.one_hot)
            result[f"project_bias_{m}"] = Initial((d,), 0.0)
            for gate in ("gate", "prefer"):
                result[f"{gate}_{m}"] = Initial.xavier((d, d))
                result[f"{gate}_bias_{m}"] = Initial((d,), 0.0)
        if features:
            result["query"] = Initial.xavier((d, d))
            result["query_bias"] = Initial((d,), 0.0)
            result["query_out"] = Initial.xavier((d, 1))
        return result

    @classmethod
    def factors(cls, parameters: Parameters, context: MGCNContext) -> Factors:
        """One part: user and item rows are sums whose products cross."""
        n_users = context.split.n_users
        content, side = _views(parameters, context)
        rows = content if side is None else content + side
        return {"whole": (rows[:, :n_users], rows[:, n_users:])}

    @classmethod
    def loss(
        cls, parameters: Parameters, context: Any, users: Any, positives: Any, negatives: Any
    ) -> Any:
        """BPR, L2 on the rows of each triple, InfoNCE between the views."""
        config, n_users = context.config, context.split.n_users
        content, side = _views(parameters, context)
        rows = content if side is None else content + side
        ends = users, positives + n_users, negatives + n_users
        margin, touched = pairwise(rows, rows, *ends)
        loss = bpr(margin) + config.reg * touched
        if side is not None and config.contrast > 0:
            for nodes in (positives + n_users, users):
                apart = info_nce(side, content, nodes, config.temperature)
                loss = loss + config.contrast * apart
        return loss


def _views(
    parameters: Parameters, context: MGCNContext
) -> tuple["torch.Tensor", "torch.Tensor | None"]:
    """LightGCN's rows and the side rows, each [S, U + I, d]."""
    content = torch.cat(propagated(parameters, context.graph, context.config.layers), dim=1)
    modalities = context.tensors.modalities
    if not modalities:
        return content, None

    def gate(x: "torch.Tensor", name: str, m: str) -> "torch.Tensor":
        bias = parameters[f"{name}_bias_{m}"][:, None]
        return torch.sigmoid(torch.baddbmm(bias, x, parameters[f"{name}_{m}"]))

    rows = []
    for m in modalities:
        f = context.tensors.project(m, parameters)
        f = f + parameters[f"project_bias_{m}"][:, None]
        items = context.item_graphs[m](parameters["item"] * gate(f, "gate", m))
        rows.append(_over_both(context, items))
    attention = [
        torch.bmm(
            torch.tanh(torch.baddbmm(parameters["query_bias"][:, None], x, parameters["query"])),
            parameters["query_out"],
        )
        for x in rows
    ]
    weights = torch.cat(attention, dim=2).softmax(dim=2)
    common = sum(weights[:, :, at, None] * x for at, x in enumerate(rows))
    side = common + sum(
        gate(content, "prefer", m) * (x - common) for m, x in zip(modalities, rows, strict=True)
    )
    return content, side / (len(modalities) + 1)


def _over_both(context: MGCNContext, items: "torch.Tensor") -> "torch.Tensor":
    """Item rows with what users get of them on top: [S, I, d] -> [S, U + I, d]."""
    n_users = context.split.n_users
    nobody = torch.zeros(len(items), n_users, items.shape[2], device=items.device)
    whole = torch.cat([nobody, items], dim=1)
    return whole + context.to_users(whole)


def info_nce(
    left: "torch.Tensor", right: "torch.Tensor", nodes: "torch.Tensor", temperature: float
) -> "torch.Tensor":
    """InfoNCE of two views of a batch (Oord et al., 2018), [S, n, d] twice and [S, B] -> [S].

    A node that a batch holds several times is computed once and counted; the sum is the same.
    """
    losses = []
    for own, other, batch in zip(left, right, nodes, strict=True):
        rows, count = batch.unique(return_counts=True)
        own, other = (torch.nn.functional.normalize(x[rows], dim=1) for x in (own, other))
        times = count.to(own.dtype)
        spread = torch.addmm(times.log(), own, other.T, alpha=1 / temperature).logsumexp(1)
        alike = (own * other).sum(1) / temperature
        losses.append((times * (spread - alike)).sum() / batch.shape[0])
    return torch.stack(losses)


RECOMMENDERS.register(MGCN.name, MGCN)
