"""FREEDOM: LightGCN on a thinned graph plus one step over a frozen item-item graph."""

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field, model_validator

from mmrec_core.domain import Features, Split
from mmrec_core.lazy import lazy_import
from mmrec_core.recommenders.base import RECOMMENDERS
from mmrec_core.recommenders.content import ContentConfig, FeatureTensors
from mmrec_core.recommenders.graphs import SparseProduct, item_graphs, normalised
from mmrec_core.recommenders.light_gcn import LightGCNContext, Propagating, propagated
from mmrec_core.recommenders.losses import bpr, margins, squares
from mmrec_core.recommenders.trainer import (
    Factors,
    Initial,
    Parameters,
)

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_import("torch")


class FREEDOMConfig(ContentConfig):
    """Settings of FREEDOM; how the defaults were found: docs/tuning.md."""

    learning_rate: float = Field(1e-2, gt=0, le=1, description="Step size of Adam")
    reg: float = Field(0.05, ge=0, description="L2 weight on the ego embeddings of each triple")
    layers: int = Field(2, ge=1, le=4, description="Propagation steps over the user-item graph")
    neighbours: int = Field(20, ge=1, le=100, description="Neighbours in the item graph")
    image_weight: float = Field(
        0.5, ge=0, le=1, description="Share of the picture in the item graph, beside text"
    )
    edge_dropout: float = Field(
        0.5, ge=0, lt=1, description="Share of user-item edges left out, anew in each epoch"
    )
    feature_loss: float = Field(
        0.0, ge=0, description="Weight of the ranking loss on projected features"
    )

    @model_validator(mode="after")
    def _trained_where_read(self) -> "FREEDOMConfig":
        if self.trainable_features and not self.feature_loss:
            raise ValueError(
                "features are read by the feature loss alone once the graph is built; trainable "
                "features need feature_loss above 0"
            )
        return self


class FREEDOMContext(LightGCNContext):
    """User-item graph (thinned while training), item graphs, and features where the loss wants."""

    def __init__(
        self, config: Any, split: Split, features: Sequence[Features], device: str, training: bool
    ) -> None:
        super().__init__(config, split, features, device, training)
        graphs = [item_graphs(own, config.neighbours, config.image_weight) for own in features]
        self.modalities = sorted(graphs[0])
        self.item_graphs = {
            modality: SparseProduct([own[modality] for own in graphs], self.n_seeds, False, device)
            for modality in self.modalities
        }
        if training:
            self.item_graph = (
                SparseProduct(
                    [reduce(add, own.values()) for own in graphs], self.n_seeds, False, device
                )
                if self.modalities
                else None
            )
        self.thinned = self.graph
        self.tensors = (
            FeatureTensors(features, device) if training and config.feature_loss > 0 else None
        )

    def new_epoch(self, rngs: Sequence[np.random.Generator]) -> None:
        """Keeps (1 - p) of the edges, drawn without replacement with weight 1/sqrt(d_u d_i)."""
        if self.config.edge_dropout == 0:
            return
        coo = self.split.train.tocoo()
        degree_u = np.asarray(self.split.train.sum(axis=1)).ravel()
        degree_i = np.asarray(self.split.train.sum(axis=0)).ravel()
        log_weight = -0.5 * np.log(degree_u[coo.row] * degree_i[coo.col])
        kept = max(1, round(coo.nnz * (1 - self.config.edge_dropout)))
        n_users, n_items = self.split.train.shape
        blocks = []
        for rng in rngs:
            # Gumbel noise on log weights: the largest are a weighted draw without replacement.
            keys = log_weight + rng.gumbel(size=coo.nnz)
            chosen = np.argpartition(-keys, kept - 1)[:kept]
            users, items = coo.row[chosen], coo.col[chosen] + n_users
            blocks.append(
                normalised(
                    np.concatenate([users, items]),
                    np.concatenate([items, users]),
                    n_users + n_items,
                )
            )
        self.thinned = SparseProduct(blocks, len(rngs), True, self.device)


class FREEDOM(Propagating):
    """Item = LightGCN item + its content neighbours' embeddings, h = A i.

    The item graph A is frozen: for each modality the nearest items (20 by default; the paper
    takes 10) by cosine of the centred features, unweighted, row-normalised, without the item
    itself; modalities are mixed by ``image_weight``. Without content it is LightGCN on thinned
    graphs.
    """

    name, title, family = "freedom", "FREEDOM", "graph"
    uses = frozenset({"image", "text", "joint"})
    features_at_inference = True
    backbone = "light-gcn"
    reference = (
        "Zhou and Shen, A Tale of Two Graphs: Freezing and Denoising Graph Structures for "
        "Multimodal Recommendation, ACM MM 2023"
    )
    cold = (
        "It has no user edge and its own embedding is zero: its score comes from the embeddings "
        "of its content neighbours, h = A i, in which cold neighbours count zero. Without content "
        "it scores 0."
    )
    propagates = 8
    grid: ClassVar = {
        "learning_rate": (1e-3, 2e-3, 5e-3, 1e-2),
        "reg": (1e-3, 0.01, 0.02, 0.05, 0.2),
        "edge_dropout": (0.0, 0.5, 0.8, 0.9),
        "image_weight": (0.1, 0.5, 0.9),
        "neighbours": (10, 20),
    }
    Config = FREEDOMConfig
    Context = FREEDOMContext

    @classmethod
    def initial(cls, config: Any, split: Split, features: Features) -> dict[str, Initial]:
        """Embeddings, and W of each present modality where the feature loss is on."""
        result = {
            "user": Initial((split.n_users, config.factors), 0.1),
            "item": Initial((split.n_items, config.factors), 0.1, by_item=True),
        }
        if config.feature_loss > 0:
            for modality, own in features.items():
                result[f"project_{modality}"] = Initial(
                    (own.width, config.factors), 0.05, by_item=own.one_hot
                )
        return result

    @classmethod
    def factors(cls, parameters: Parameters, context: FREEDOMContext) -> Factors:
        """Parts: collaborative, and one for each modality through its item graph."""
        users, items = propagated(parameters, context.graph, context.config.layers)
        parts: Factors = {"collaborative": (users, items)}
        for modality, graph in context.item_graphs.items():
            parts[modality] = (users, graph(parameters["item"]))
        return parts

    @classmethod
    def loss(
        cls, parameters: Parameters, context: Any, users: Any, positives: Any, negatives: Any
    ) -> Any:
        """BPR on the thinned graph, L2 on ego embeddings, BPR on projected features."""
        user, item = propagated(parameters, context.thinned, context.config.layers)
        if context.item_graph is not None:
            item = item + context.item_graph(parameters["item"])
        loss = bpr(margins(user, item, users, positives, negatives))
        loss = loss + context.config.reg * squares(
            (parameters["user"], users),
            (parameters["item"], positives),
            (parameters["item"], negatives),
        )
        if context.tensors is not None:
            for modality in context.tensors.modalities:
                rows = context.tensors.project(modality, parameters)
                margin = margins(user, rows, users, positives, negatives)
                loss = loss + context.config.feature_loss * bpr(margin)
        return loss

    def item_terms(self, item: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """What each content neighbour brings into an item's row, by modality.

        Returns:
            Modality -> item numbers [k] and terms [k, d], which sum to the item's factor of it.
        """
        config, found = self.config, {}
        assert isinstance(config, FREEDOMConfig)
        graphs = item_graphs(self.features, config.neighbours, config.image_weight)
        for modality, graph in graphs.items():
            row = graph[item]
            found[modality] = (row.indices, row.data[:, None] * self.state["item"][row.indices])
        return found


RECOMMENDERS.register(FREEDOM.name, FREEDOM)
