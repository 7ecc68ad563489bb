"""Recommenders: import from here to have every built-in one registered."""

from mmrec_core.recommenders import (  # noqa: F401  (registration order is the order on screen)
    attribute_item_knn,
    baselines,
    bm3,
    bpr_mf,
    ease,
    freedom,
    grcn,
    item_knn,
    lattice,
    light_gcn,
    mgcn,
    mmgcn,
    vbpr,
)
from mmrec_core.recommenders.base import RECOMMENDERS, FitReport, Recommender, RecommenderConfig

__all__ = ["RECOMMENDERS", "FitReport", "Recommender", "RecommenderConfig"]
