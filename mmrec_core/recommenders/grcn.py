"""GRCN: content refines the weights of the user-item edges before ids are propagated."""

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from mmrec_core.domain import Features, Split
from mmrec_core.lazy import lazy_import
from mmrec_core.recommenders.base import RECOMMENDERS
from mmrec_core.recommenders.content import ContentConfig, FeatureTensors
from mmrec_core.recommenders.edges import EdgeGraph
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


class GRCNConfig(ContentConfig):
    """Settings of GRCN."""

    learning_rate: float = Field(1e-3, gt=0, le=1, description="Step size of Adam")
    reg: float = Field(1e-3, ge=0, description="Weight of the mean squares of ids and preferences")
    content_factors: int = Field(64, ge=1, le=1024, description="Width of each projection")
    routing: int = Field(3, ge=1, le=6, description="Rounds in which users' preferences settle")


class GRCNContext(ModelContext):
    """Feature tensors and the edges, towards users alone and in both directions."""

    def __init__(
        self, config: Any, split: Split, features: Sequence[Features], device: str, training: bool
    ) -> None:
        super().__init__(config, split, features, device, training)
        self.tensors = FeatureTensors(features, device)
        self.to_users = self.of_split(
            "to users", lambda: EdgeGraph.towards_users(split.train, device)
        )
        self.both = self.of_split("both", lambda: EdgeGraph.both_ways(split.train, device))


class GRCN(Trained):
    """Concatenation of ids propagated over refined edges and of each modality's own rows.

    In a modality, users' preferences are routed three times towards the items they took; the
    affinity of an edge is then the softmax, over the edges that end in a node, of the inner
    product of its ends. An edge weighs its largest affinity x confidence (learned for each node
    and modality) over the modalities, negative ones pruned. Ids: x + A x + A A x of normalised
    ids. The content parts are exact; the id part still depends on content through the refined
    edges. Missing items have zero features. Without content all edges of a node weigh the same.
    """

    name, title, family = "grcn", "GRCN", "projection"
    uses = frozenset({"image", "text", "joint"})
    features_at_inference = True
    reads_history = True
    reference = (
        "Wei et al., Graph-Refined Convolutional Network for Multimedia Recommendation with "
        "Implicit Feedback, ACM MM 2020"
    )
    cold = "It has no user edge and its id is zero: its score comes from its projected features."
    projects, propagates = True, 100
    grid: ClassVar = {
        "learning_rate": (1e-4, 1e-3, 5e-3, 1e-2, 0.1),
        "reg": (0.0, 1e-5, 1e-4, 1e-3, 1e-2, 0.1),
    }
    Config = GRCNConfig
    Context = GRCNContext

    @classmethod
    def initial(cls, config: Any, split: Split, features: Features) -> dict[str, Initial]:
        """Ids; preferences, projection and confidence of each present modality."""
        n = split.n_users + split.n_items
        result = {
            "user": Initial.xavier((split.n_users, config.factors)),
            "item": Initial.xavier((split.n_items, config.factors), by_item=True),
        }
        for m, own in features.items():
            result[f"preference_{m}"] = Initial.xavier((split.n_users, config.content_factors))
            result[f"project_{m}"] = Initial.xavier(
                (own.width, config.content_factors), own.one_hot
            )
            # Starts at one: every edge is believed before anything is learned.
            result[f"confidence_{m}"] = Initial((n,), 0.0, mean=1.0)
        return result

    @classmethod
    def factors(cls, parameters: Parameters, context: GRCNContext) -> Factors:
        """Parts: collaborative (ids over refined edges), and one for each modality."""
        n_users = context.split.n_users
        rows, affinity = {}, {}
        for m in context.tensors.modalities:
            rows[m], affinity[m] = _content(parameters, context, m)
        ids = torch.cat([parameters["user"], parameters["item"]], dim=1)
        ids = torch.nn.functional.normalize(ids, dim=2)
        weight = _weights(parameters, context, affinity)
        once = context.both.product(weight, ids)
        whole = {"collaborative": ids + once + context.both.product(weight, once), **rows}
        return {part: (own[:, :n_users], own[:, n_users:]) for part, own in whole.items()}

    @classmethod
    def loss(
        cls, parameters: Parameters, context: Any, users: Any, positives: Any, negatives: Any
    ) -> Any:
        """BPR, mean squares of the triples' ids and of all preferences."""
        factors = cls.factors(parameters, context)
        user = torch.cat([own for own, _ in factors.values() if own is not None], dim=2)
        item = torch.cat([own for _, own in factors.values()], dim=2)
        margin = margins(user, item, users, positives, negatives)
        modalities = context.tensors.modalities
        penalty = mean_squares(parameters, modalities, users, positives, negatives)
        return bpr(margin) + context.config.reg * penalty


def _content(
    parameters: Parameters, context: GRCNContext, m: str
) -> tuple["torch.Tensor", "torch.Tensor"]:
    """Rows [S, U + I, c] of a modality and the affinity of every edge [S, E]."""
    normalize = torch.nn.functional.normalize
    n_users = context.split.n_users
    items = context.tensors.project(m, parameters)
    items = normalize(torch.nn.functional.leaky_relu(items), dim=2)
    liked = normalize(parameters[f"preference_{m}"], dim=2)
    for _ in range(context.config.routing):
        x = torch.cat([liked, items], dim=1)
        affinity = context.to_users.softmax(context.to_users.inner(x))
        liked = normalize(liked + context.to_users.product(affinity, x)[:, :n_users], dim=2)
    x = torch.cat([liked, items], dim=1)
    affinity = context.both.softmax(context.both.inner(x))
    return x + torch.nn.functional.leaky_relu(context.both.product(affinity, x)), affinity


def _weights(
    parameters: Parameters, context: GRCNContext, affinity: dict[str, "torch.Tensor"]
) -> "torch.Tensor":
    """Weight of every edge, [S, E]."""
    if not affinity:
        shape = (context.n_seeds, context.both.n_edges)
        return context.both.softmax(torch.zeros(shape, device=context.device))
    believed = [
        own * parameters[f"confidence_{m}"][:, context.both.sources] for m, own in affinity.items()
    ]
    return reduce(torch.maximum, believed).relu()


RECOMMENDERS.register(GRCN.name, GRCN)
