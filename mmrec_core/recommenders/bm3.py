"""BM3: users and items drawn together without negatives, content only while training."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from mmrec_core.domain import Features, Split
from mmrec_core.lazy import lazy_import
from mmrec_core.recommenders.base import RECOMMENDERS
from mmrec_core.recommenders.content import ContentConfig, FeatureTensors, touched_items
from mmrec_core.recommenders.light_gcn import LightGCNContext, propagated
from mmrec_core.recommenders.losses import gather, root_squares
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


class BM3Config(ContentConfig):
    """Settings of BM3."""

    reg: float = Field(0.1, ge=0, description="Weight of the norms of all embeddings")
    layers: int = Field(1, ge=1, le=4, description="Propagation steps over the user-item graph")
    dropout: float = Field(0.3, ge=0, lt=1, description="Of the copies that are aimed at")
    alignment: float = Field(2.0, ge=0, description="Weight of the content terms")


class BM3Context(LightGCNContext):
    """User-item graph, feature tensors while training, and each seed's own dropout."""

    def __init__(
        self, config: Any, split: Split, features: Sequence[Features], device: str, training: bool
    ) -> None:
        super().__init__(config, split, features, device, training)
        self.tensors = FeatureTensors(features, device) if training else None
        self.observed = {
            m: torch.from_numpy(np.stack([own[m].observed for own in features])).to(device)
            for m in (sorted(features[0]) if training else ())
        }
        self.generators: list[Any] = []

    def new_epoch(self, rngs: Sequence[np.random.Generator]) -> None:
        """Seeds the dropout of each seed."""
        self.generators = [
            torch.Generator(self.device).manual_seed(int(rng.integers(2**62))) for rng in rngs
        ]

    def dropped(self, table: "torch.Tensor") -> "torch.Tensor":
        """A copy without gradient, with a share of its entries left out and the rest scaled up."""
        p = self.config.dropout
        kept = torch.stack(
            [
                torch.rand(table.shape[1:], generator=own, device=self.device) >= p
                for own in self.generators
            ]
        )
        return table.detach() * kept / (1 - p)


class BM3(Trained):
    """Score = P(u) . P(i): a linear predictor P over LightGCN users, and items + their ego.

    Each positive pair is drawn together by cosine, each side towards a dropped-out copy of the
    other that has no gradient; so is each projected modality towards the item and towards its own
    copy. No negatives. Content shapes the embeddings in training only: the score reads no
    features, so no part of it belongs to a modality, and replacing features at inference changes
    nothing. Items without a modality are left out of its terms.
    """

    name, title, family = "bm3", "BM3", "projection"
    uses = frozenset({"image", "text", "joint"})
    features_at_inference = False
    splits_score_exactly = False
    reads_history = True
    backbone = "light-gcn"
    reference = (
        "Zhou et al., Bootstrap Latent Representations for Multi-modal Recommendation, WWW 2023"
    )
    cold = (
        "It has no user edge and its embedding is zero, and the score reads no features: all cold "
        "items score alike."
    )
    projects, propagates = True, 8
    grid: ClassVar = {
        "learning_rate": (5e-4, 1e-3, 5e-3),
        "reg": (0.01, 0.1),
        "layers": (1, 2),
        "dropout": (0.3, 0.5),
    }
    Config = BM3Config
    Context = BM3Context

    @classmethod
    def initial(cls, config: Any, split: Split, features: Features) -> dict[str, Initial]:
        """Embeddings, the predictor, and W and bias of each present modality."""
        d = config.factors
        result = {
            "user": Initial.xavier((split.n_users, d)),
            "item": Initial.xavier((split.n_items, d), by_item=True),
            "predict": Initial.xavier((d, d)),
            # Not zero: rows of equal features project to the biases alone, and cosines divide.
            "predict_bias": Initial((d,), 0.01),
        }
        for modality, own in features.items():
            result[f"project_{modality}"] = Initial.xavier((own.width, d), own.one_hot)
            result[f"project_bias_{modality}"] = Initial((d,), 0.01)
        return result

    @classmethod
    def factors(cls, parameters: Parameters, context: BM3Context) -> Factors:
        """One part: what was learned from content cannot be told from the rest."""
        users, items = _online(parameters, context)
        return {"whole": (_predicted(parameters, users), _predicted(parameters, items))}

    @classmethod
    def loss(
        cls, parameters: Parameters, context: Any, users: Any, positives: Any, negatives: Any
    ) -> Any:
        """Cosine losses of pairs and modalities, and the norms of all embeddings."""
        all_users, all_items = _online(parameters, context)
        u, i = gather(all_users, users), gather(all_items, positives)
        u_target, i_target = context.dropped(u), context.dropped(i)
        loss = _apart(_predicted(parameters, u), i_target).mean(1)
        loss = loss + _apart(_predicted(parameters, i), u_target).mean(1)
        picked, (places,) = touched_items(context.split.n_items, positives)
        for modality in context.tensors.modalities:
            rows = context.tensors.project(modality, parameters, picked)
            rows = gather(rows, places) + parameters[f"project_bias_{modality}"][:, None]
            online, target = _predicted(parameters, rows), context.dropped(rows)
            seen = context.observed[modality].gather(1, positives).to(rows.dtype)
            terms = _apart(online, i_target) + _apart(online, target)
            mean = (terms * seen).sum(1) / seen.sum(1).clamp_min(1)
            loss = loss + context.config.alignment * mean
        return loss + context.config.reg * root_squares(all_users, all_items)


def _online(parameters: Parameters, context: Any) -> tuple["torch.Tensor", "torch.Tensor"]:
    users, items = propagated(parameters, context.graph, context.config.layers)
    return users, items + parameters["item"]


def _predicted(parameters: Parameters, rows: "torch.Tensor") -> "torch.Tensor":
    return torch.baddbmm(parameters["predict_bias"][:, None], rows, parameters["predict"])


def _apart(online: "torch.Tensor", target: "torch.Tensor") -> "torch.Tensor":
    """1 - cosine, [S, B]."""
    return 1 - torch.nn.functional.cosine_similarity(online, target, dim=2)


RECOMMENDERS.register(BM3.name, BM3)
