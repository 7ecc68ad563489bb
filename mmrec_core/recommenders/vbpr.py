"""VBPR: matrix factorisation plus a learned projection of each item's features."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from mmrec_core.domain import Features, Split
from mmrec_core.lazy import lazy_import
from mmrec_core.recommenders.base import RECOMMENDERS
from mmrec_core.recommenders.content import FeatureTensors
from mmrec_core.recommenders.losses import bpr, gather, margins, squares
from mmrec_core.recommenders.trainer import (
    Factors,
    Initial,
    ModelContext,
    Parameters,
    Trained,
    TrainedConfig,
)

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_import("torch")


class VBPRConfig(TrainedConfig):
    """Settings of VBPR."""

    reg: float = Field(0.1, ge=0, description="L2 weight on every row that a triple touches")
    content_factors: int = Field(64, ge=1, le=1024, description="Width of each projection")
    normalise: bool = Field(
        False, description="L2-normalise the projected features (published versions differ)"
    )


class VBPRContext(ModelContext):
    """Feature tensors of the present modalities."""

    def __init__(
        self, config: Any, split: Split, features: Sequence[Features], device: str, training: bool
    ) -> None:
        super().__init__(config, split, features, device, training)
        self.tensors = FeatureTensors(features, device)


class VBPR(Trained):
    """u . i + sum over modalities of theta_u . (W f_i) + item bias, features frozen.

    Each modality has its own user factors theta and its own projection W, regularised like the
    rest through the rows of each triple. Without content it is BPR-MF with an item bias.
    """

    name, title, family = "vbpr", "VBPR", "projection"
    uses = frozenset({"image", "text", "joint"})
    features_at_inference = True
    backbone = "bpr-mf"
    reference = "He and McAuley, VBPR: Visual Bayesian Personalized Ranking, AAAI 2016"
    cold = (
        "Its embedding and bias are zero: the score is its content alone. Without content it "
        "scores 0."
    )
    projects = True
    grid: ClassVar = {
        "learning_rate": (5e-4, 1e-3, 2e-3, 5e-3),
        "reg": (0.01, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0),
        "content_factors": (16, 32, 64),
    }
    Config = VBPRConfig
    Context = VBPRContext

    @classmethod
    def initial(cls, config: Any, split: Split, features: Features) -> dict[str, Initial]:
        """Embeddings, bias, and theta and W of each present modality."""
        result = {
            "user": Initial((split.n_users, config.factors), 0.05),
            "item": Initial((split.n_items, config.factors), 0.05, by_item=True),
            "bias": Initial((split.n_items,), 0.0, by_item=True),
        }
        for modality, own in features.items():
            result[f"theta_{modality}"] = Initial((split.n_users, config.content_factors), 0.05)
            # Over one-hot ids the projection is a free vector for each item.
            result[f"project_{modality}"] = Initial(
                (own.width, config.content_factors), 0.05, by_item=own.one_hot
            )
        return result

    @classmethod
    def factors(cls, parameters: Parameters, context: VBPRContext) -> Factors:
        """Parts: collaborative, one for each modality, popularity (the item bias)."""
        parts: Factors = {"collaborative": (parameters["user"], parameters["item"])}
        for modality in context.tensors.modalities:
            parts[modality] = (
                parameters[f"theta_{modality}"],
                cls._projected(parameters, context, modality),
            )
        parts["popularity"] = (None, parameters["bias"])
        return parts

    @classmethod
    def loss(
        cls, parameters: Parameters, context: Any, users: Any, positives: Any, negatives: Any
    ) -> Any:
        """BPR and L2 on every row that the triples touch."""
        factors = cls.factors(parameters, context)
        pairs = [pair for pair in factors.values() if pair[0] is not None]
        user = torch.cat([left for left, _ in pairs if left is not None], dim=2)
        item, bias = torch.cat([right for _, right in pairs], dim=2), parameters["bias"]
        margin = margins(user, item, users, positives, negatives)
        ranking = bpr(margin + gather(bias, positives) - gather(bias, negatives))
        touched = [(user, users)]
        touched += [(table, rows) for table in (item, bias) for rows in (positives, negatives)]
        return ranking + context.config.reg * squares(*touched)

    @staticmethod
    def _projected(parameters: Parameters, context: VBPRContext, modality: str) -> "torch.Tensor":
        rows = context.tensors.project(modality, parameters[f"project_{modality}"])
        if context.config.normalise:
            return torch.nn.functional.normalize(rows, dim=2)
        return rows


RECOMMENDERS.register(VBPR.name, VBPR)
