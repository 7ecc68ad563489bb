"""LATTICE: LightGCN plus one step over an item graph that is partly learned."""

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field
from scipy import sparse

from mmrec_core.domain import Features, Split
from mmrec_core.lazy import lazy_import
from mmrec_core.recommenders.base import RECOMMENDERS
from mmrec_core.recommenders.content import ContentConfig, FeatureTensors
from mmrec_core.recommenders.graphs import SparseProduct, similarity_graphs
from mmrec_core.recommenders.light_gcn import LightGCNContext, Propagating, propagated
from mmrec_core.recommenders.losses import bpr, gather, pairwise
from mmrec_core.recommenders.trainer import (
    Factors,
    Initial,
    Parameters,
)
from mmrec_core.recommenders.training import to_torch, training_device

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_import("torch")


class LATTICEConfig(ContentConfig):
    """Settings of LATTICE."""

    reg: float = Field(1e-3, ge=0, description="L2 weight on the propagated rows of each triple")
    layers: int = Field(2, ge=1, le=4, description="Propagation steps over the user-item graph")
    neighbours: int = Field(10, ge=1, le=100, description="Neighbours in each item graph")
    original: float = Field(
        0.9, ge=0, le=1, description="λ: share of the graph of the features as they are"
    )
    content_factors: int = Field(64, ge=1, le=1024, description="Width of each projection W f")
    decay: float = Field(0.96, gt=0, le=1, description="Learning rate falls by it in 50 epochs")


class LATTICEContext(LightGCNContext):
    """User-item graph, frozen item graphs, and what the learned graph is made from."""

    def __init__(
        self, config: Any, split: Split, features: Sequence[Features], device: str, training: bool
    ) -> None:
        super().__init__(config, split, features, device, training)
        self.tensors = FeatureTensors(features, device)
        self.frozen = {
            m: similarity_graphs([own[m] for own in features], config.neighbours)
            for m in self.tensors.modalities
        }
        self.original = {
            m: SparseProduct(blocks, self.n_seeds, False, device)
            for m, blocks in self.frozen.items()
        }
        self.observed = {
            m: torch.from_numpy(np.stack([own[m].observed for own in features])).to(device)
            for m in self.tensors.modalities
        }
        self.fixed: SparseProduct | None = None

    def new_epoch(self, rngs: Sequence[np.random.Generator]) -> None:
        """The learned graph is made anew with the first triples of an epoch."""
        self.fixed = None


class LATTICE(Propagating):
    """Item = LightGCN item + normalize(A i), A = (1 - λ) learned + λ original item graph.

    Both graphs hold each item's 10 nearest by cosine, weighted by it (negative ones dropped, the
    item itself left out), D^-1/2 S D^-1/2; the learned one compares W f and is rebuilt once in an
    epoch, when its gradient is taken, and for every scoring. Learned softmax weights mix the
    modalities. Features are centred, so W has no bias. Without content it is LightGCN.
    """

    name, title, family = "lattice", "LATTICE", "graph"
    uses = frozenset({"image", "text", "joint"})
    features_at_inference = True
    backbone = "light-gcn"
    reference = "Zhang et al., Mining Latent Structures for Multimedia Recommendation, ACM MM 2021"
    cold = (
        "It has no user edge and its own embedding is zero: its score comes from the embeddings "
        "of its content neighbours. Without content it scores 0."
    )
    propagates = 16
    grid: ClassVar = {
        "learning_rate": (1e-4, 5e-4, 1e-3, 5e-3),
        "reg": (0.0, 1e-5, 1e-4, 1e-3, 1e-2, 0.05),
        "original": (0.7, 0.9),
        "layers": (1, 2),
    }
    Config = LATTICEConfig
    Context = LATTICEContext

    @classmethod
    def initial(cls, config: Any, split: Split, features: Features) -> dict[str, Initial]:
        """Embeddings; W of each present modality and their mixing weights."""
        result = {
            "user": Initial((split.n_users, config.factors), 0.1),
            "item": Initial((split.n_items, config.factors), 0.1, by_item=True),
        }
        for modality, own in features.items():
            shape = (own.width, config.content_factors)
            result[f"project_{modality}"] = Initial.xavier(shape)
            result[f"mix_{modality}"] = Initial((1,), 0.0)
        return result

    @classmethod
    def learning_rate(cls, config: Any, epoch: int) -> float:
        """Falls as published: lr · .96^(epoch / 50)."""
        return float(config.learning_rate * config.decay ** (epoch / 50))

    @classmethod
    def factors(cls, parameters: Parameters, context: LATTICEContext) -> Factors:
        """Parts: collaborative, and one for each modality, for the fixed norm of A i."""
        users, items = propagated(parameters, context.graph, context.config.layers)
        parts: Factors = {"collaborative": (users, items)}
        steps = _steps(parameters, context, _learned(parameters, context))
        if steps:
            norm = reduce(add, steps.values()).norm(dim=2, keepdim=True).clamp_min(1e-12)
            parts |= {modality: (users, step / norm) for modality, step in steps.items()}
        return parts

    @classmethod
    def loss(
        cls, parameters: Parameters, context: Any, users: Any, positives: Any, negatives: Any
    ) -> Any:
        """BPR and L2 on the propagated rows of each triple."""
        user, item = propagated(parameters, context.graph, context.config.layers)
        if context.tensors.modalities:
            if context.fixed is None:
                learned = _learned(parameters, context)
                step = reduce(add, _steps(parameters, context, learned).values())
                context.fixed = _fixed(parameters, context, learned)
            else:
                step = context.fixed(parameters["item"])
            item = item + torch.nn.functional.normalize(step, dim=2)
        margin, touched = pairwise(user, item, users, positives, negatives)
        return bpr(margin) + context.config.reg * touched

    def item_terms(self, item: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """What each content neighbour brings into an item's row, by modality, for the fixed norm.

        Returns:
            Modality -> item numbers [k] and terms [k, d], which sum to the item's factor of it.
        """
        with torch.no_grad():
            device = training_device()
            context = LATTICEContext(self.config, self.split, [self.features], device, False)
            parameters = to_torch([self.state], device)
            learned = _learned(parameters, context)
            steps = _steps(parameters, context, learned)
            if not steps:
                return {}
            norm = float(reduce(add, steps.values())[0, item].norm().clamp_min(1e-12))
            share, found = context.config.original, {}
            mix = {m: float(w) for m, w in _mix(parameters, context).items()}
            for modality, (nearest, weights) in learned.items():
                row = context.frozen[modality][0][item]
                both = np.concatenate([nearest[0, item].cpu().numpy(), row.indices])
                weight = np.concatenate(
                    [
                        (1 - share) * weights[0, item].cpu().numpy(),
                        share * mix[modality] * row.data,
                    ]
                )
                # An item may be a neighbour in the learned graph and in the original one.
                neighbours, place = np.unique(both, return_inverse=True)
                total = np.bincount(place, weights=weight) / norm
                kept = total != 0
                rows = self.state["item"][neighbours[kept]]
                found[modality] = (neighbours[kept], (total[kept, None] * rows).astype(np.float32))
            return found


Edges = dict[str, tuple["torch.Tensor", "torch.Tensor"]]
"""Modality -> neighbours [S, n, k] and the weights of those edges, [S, n, k]."""


def _learned(parameters: Parameters, context: LATTICEContext) -> Edges:
    """The learned graph: weights mixed over modalities, then normalised by its row sums."""
    mix = _mix(parameters, context)
    edges: Edges = {}
    for modality in context.tensors.modalities:
        rows = context.tensors.project(modality, parameters)
        rows = torch.nn.functional.normalize(rows, dim=2)
        with torch.no_grad():
            nearest = _nearest(rows, context.observed[modality], context.config.neighbours)
        cosine = (rows[:, :, None] * _pick(rows, nearest)).sum(3).relu()
        usable = context.observed[modality][:, :, None] & context.observed[modality].gather(
            1, nearest.flatten(1)
        ).view_as(nearest)
        # Where fewer items are observed than neighbours wanted, an item itself may be drawn.
        own = torch.arange(nearest.shape[1], device=nearest.device)[None, :, None]
        edges[modality] = nearest, mix[modality] * cosine * (usable & (nearest != own))
    if not edges:
        return {}
    degree = reduce(add, [weights.sum(2) for _, weights in edges.values()])
    # A row without neighbours keeps a degree of one, so that no gradient is infinite.
    inverse = torch.where(degree > 0, degree, torch.ones_like(degree)).rsqrt()
    return {
        modality: (
            nearest,
            weights * inverse[:, :, None] * inverse.gather(1, nearest.flatten(1)).view_as(nearest),
        )
        for modality, (nearest, weights) in edges.items()
    }


def _mix(parameters: Parameters, context: LATTICEContext) -> dict[str, "torch.Tensor"]:
    """Share of each present modality, [S, 1, 1]; a modality on its own has all of it."""
    if not context.tensors.modalities:
        return {}
    logits = [parameters[f"mix_{m}"] for m in context.tensors.modalities]
    shares = torch.cat(logits, dim=1).softmax(dim=1)
    return {m: shares[:, at, None, None] for at, m in enumerate(context.tensors.modalities)}


def _nearest(rows: "torch.Tensor", observed: "torch.Tensor", k: int) -> "torch.Tensor":
    """Row numbers of the k nearest observed rows, [S, n, k]; a block of rows at a time."""
    n = rows.shape[1]
    found = []
    for own, seen in zip(rows, observed, strict=True):
        blocks = []
        for start in range(0, n, 1024):
            cosine = own[start : start + 1024] @ own.T
            cosine[:, ~seen] = -torch.inf
            at = torch.arange(len(cosine), device=own.device)
            cosine[at, at + start] = -torch.inf
            blocks.append(cosine.topk(min(k, n - 1), dim=1).indices)
        found.append(torch.cat(blocks))
    return torch.stack(found)


def _pick(table: "torch.Tensor", rows: "torch.Tensor") -> "torch.Tensor":
    """[S, n, d] and [S, n, k] -> [S, n, k, d]."""
    return gather(table, rows.flatten(1)).view(*rows.shape, table.shape[2])


def _steps(
    parameters: Parameters, context: LATTICEContext, learned: Edges
) -> dict[str, "torch.Tensor"]:
    """Each modality's share of A i, [S, n, d]."""
    share, items = context.config.original, parameters["item"]
    mix = _mix(parameters, context)
    return {
        modality: (1 - share) * (weights[..., None] * _pick(items, nearest)).sum(2)
        + share * mix[modality] * context.original[modality](items)
        for modality, (nearest, weights) in learned.items()
    }


def _fixed(parameters: Parameters, context: LATTICEContext, learned: Edges) -> SparseProduct:
    """A as a constant matrix, for the rest of the epoch."""
    share = context.config.original
    mix = {m: w.detach().flatten().cpu().numpy() for m, w in _mix(parameters, context).items()}
    blocks = []
    for s in range(context.n_seeds):
        whole = []
        for modality, (nearest, weights) in learned.items():
            n, k = nearest.shape[1:]
            rows = np.repeat(np.arange(n), k)
            values = (1 - share) * weights[s].detach().flatten().cpu().numpy()
            columns = nearest[s].flatten().cpu().numpy()
            whole.append(sparse.coo_matrix((values, (rows, columns)), shape=(n, n)).tocsr())
            frozen = context.frozen[modality]
            whole.append(frozen[min(s, len(frozen) - 1)] * np.float32(share * mix[modality][s]))
        blocks.append(sparse.csr_matrix(reduce(add, whole)))
    return SparseProduct(blocks, context.n_seeds, False, context.device)


RECOMMENDERS.register(LATTICE.name, LATTICE)
