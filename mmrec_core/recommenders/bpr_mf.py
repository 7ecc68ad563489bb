"""BPR-MF: matrix factorisation for ranking, without content."""

from typing import Any, ClassVar

from pydantic import Field

from mmrec_core.domain import Features, Split
from mmrec_core.recommenders.base import RECOMMENDERS
from mmrec_core.recommenders.losses import bpr, pairwise
from mmrec_core.recommenders.trainer import (
    Factors,
    Initial,
    Parameters,
    Trained,
    TrainedConfig,
)


class BPRMFConfig(TrainedConfig):
    """Settings of BPR-MF; how the defaults were found: docs/tuning.md."""

    learning_rate: float = Field(3.5e-3, gt=0, le=1, description="Step size of Adam")
    reg: float = Field(0.15, ge=0, description="L2 weight on the embeddings of each triple")


class BPRMF(Trained):
    """A user's and an item's embedding, multiplied: u . i. The backbone of VBPR."""

    name, title, family = "bpr-mf", "BPR-MF", "collaborative"
    reference = "Rendle et al., BPR: Bayesian Personalized Ranking from Implicit Feedback, UAI 2009"
    cold = "Its embedding is zero, so it scores 0 for everyone: ties, in a seeded random order."
    grid: ClassVar = {
        "learning_rate": (1e-3, 2e-3, 3.5e-3, 5e-3, 1e-2),
        "reg": (1e-3, 0.01, 0.05, 0.1, 0.15, 0.3, 1.0),
    }
    Config = BPRMFConfig

    @classmethod
    def initial(cls, config: Any, split: Split, features: Features) -> dict[str, Initial]:
        """User and item embeddings."""
        return {
            "user": Initial((split.n_users, config.factors), 0.05),
            "item": Initial((split.n_items, config.factors), 0.05, by_item=True),
        }

    @classmethod
    def factors(cls, parameters: Parameters, context: Any) -> Factors:
        """One part, the collaborative one."""
        return {"collaborative": (parameters["user"], parameters["item"])}

    @classmethod
    def loss(
        cls, parameters: Parameters, context: Any, users: Any, positives: Any, negatives: Any
    ) -> Any:
        """BPR and L2 on the rows of each triple."""
        tables = parameters["user"], parameters["item"]
        margin, touched = pairwise(*tables, users, positives, negatives)
        return bpr(margin) + context.config.reg * touched


RECOMMENDERS.register(BPRMF.name, BPRMF)
