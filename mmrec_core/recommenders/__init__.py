"""Recommenders: import from here to have every built-in one registered."""

from mmrec_core.recommenders import (  # noqa: F401  (registration order is the order on screen)
    baselines,
    bpr_mf,
    freedom,
    item_knn,
    light_gcn,
    vbpr,
)
from mmrec_core.recommenders.base import RECOMMENDERS, FitReport, Recommender, RecommenderConfig

__all__ = ["RECOMMENDERS", "FitReport", "Recommender", "RecommenderConfig"]
