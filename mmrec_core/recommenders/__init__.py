"""Recommenders: import from here to have every built-in one registered."""

# isort: off
# The order of registration is the order on screen: from the plain to the elaborate.
from mmrec_core.recommenders import baselines  # noqa: F401
from mmrec_core.recommenders import item_knn  # noqa: F401
from mmrec_core.recommenders import ease  # noqa: F401
from mmrec_core.recommenders import bpr_mf  # noqa: F401
from mmrec_core.recommenders import light_gcn  # noqa: F401
from mmrec_core.recommenders import vbpr  # noqa: F401
from mmrec_core.recommenders import freedom  # noqa: F401
from mmrec_core.recommenders import lattice  # noqa: F401
from mmrec_core.recommenders import bm3  # noqa: F401
from mmrec_core.recommenders import mmgcn  # noqa: F401
from mmrec_core.recommenders import grcn  # noqa: F401
from mmrec_core.recommenders import mgcn  # noqa: F401
from mmrec_core.recommenders import attribute_item_knn  # noqa: F401

# isort: on
from mmrec_core.recommenders.base import RECOMMENDERS, FitReport, Recommender, RecommenderConfig

__all__ = ["RECOMMENDERS", "FitReport", "Recommender", "RecommenderConfig"]
