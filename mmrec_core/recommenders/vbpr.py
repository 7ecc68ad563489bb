"""VBPR: matrix factorisation plus a learned projection of each item's features."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from mmrec_core.domain import Features, Split
from mmrec_core.lazy import lazy_import
from mmrec_core.recommenders.base import RECOMMENDERS
from mmrec_core.recommenders.content import ContentConfig, FeatureTensors, touched_items
from mmrec_core.recommenders.losses import bpr, gather, pairwise, squares
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


class VBPRConfig(ContentConfig):
    """Settings of VBPR."""

    reg: float = Field(0.1, ge=0, description="L2 weight on every row that a triple touches")
    content_factors: int = Field(64, ge=1, le=1024, description="Width of each projection")
    normalise: bool = Field(
        False, description="L2-normalise the projected features (published versions differ)"
    )
    use_ids: bool = Field(
        True, description="Embeddings of users and items; without them content and bias are all"
    )

    @classmethod
    def unnamed(cls) -> tuple[str, ...]:
        """As those of every content model, and ``use_ids``."""
        return (*super().unnamed(), "use_ids")


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
        result = {"bias": Initial((split.n_items,), 0.0, by_item=True)}
        if config.use_ids:
            result["user"] = Initial((split.n_users, config.factors), 0.05)
            result["item"] = Initial((split.n_items, config.factors), 0.05, by_item=True)
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
        return cls._parts(parameters, context, None)

    @classmethod
    def loss(
        cls, parameters: Parameters, context: Any, users: Any, positives: Any, negatives: Any
    ) -> Any:
        """BPR and L2 on every row that the triples touch."""
        rows, (positives, negatives) = touched_items(context.split.n_items, positives, negatives)
        parts = cls._parts(parameters, context, rows)
        _, bias = parts.pop("popularity")
        pairs = [pairwise(u, i, users, positives, negatives) for u, i in parts.values()]
        margin = sum(own for own, _ in pairs) + gather(bias, positives) - gather(bias, negatives)
        touched = sum(own for _, own in pairs) + squares((bias, positives), (bias, negatives))
        return bpr(margin) + context.config.reg * touched

    @staticmethod
    def _parts(
        parameters: Parameters, context: VBPRContext, rows: "torch.Tensor | None"
    ) -> Factors:
        """The parts for all items, or for the rows wanted."""

        def of_items(table: "torch.Tensor") -> "torch.Tensor":
            return table if rows is None else table.index_select(1, rows)

        parts: Factors = {}
        if context.config.use_ids:
            parts["collaborative"] = (parameters["user"], of_items(parameters["item"]))
        elif not context.tensors.modalities:
            # The bias is all there is; the product of two zero columns stands beside it.
            seeds, split = len(parameters["bias"]), context.split
            none = parameters["bias"].new_zeros
            parts["collaborative"] = (
                none(seeds, split.n_users, 1),
                of_items(none(seeds, split.n_items, 1)),
            )
        for modality in context.tensors.modalities:
            seen = context.tensors.project(modality, parameters, rows)
            if context.config.normalise:
                seen = torch.nn.functional.normalize(seen, dim=2)
            parts[modality] = (parameters[f"theta_{modality}"], seen)
        parts["popularity"] = (None, of_items(parameters["bias"]))
        return parts


RECOMMENDERS.register(VBPR.name, VBPR)
