"""What spaces of embeddings have in common, how one is shaped, and whether users follow it."""

from mmrec_core.alignment.calibration import Calibration, calibrate
from mmrec_core.alignment.cca import MEAN_SQUARED_CCA, PWCCA, SVCCA, mean_squared_cca, pwcca, svcca
from mmrec_core.alignment.cka import (
    DEBIASED_CKA,
    LINEAR_CKA,
    RBF_CKA,
    debiased_cka,
    linear_cka,
    rbf_cka,
)
from mmrec_core.alignment.clip_score import CLIP_SCORE, clip_score, clip_scores
from mmrec_core.alignment.duplicates import Duplicates, duplicates
from mmrec_core.alignment.facts import GEOMETRY, GeometryFacts
from mmrec_core.alignment.gap import (
    ALIGNMENT_LOSS,
    MODALITY_GAP,
    alignment_loss,
    gap_positions,
    gap_probe,
    modality_gap,
)
from mmrec_core.alignment.geometry import (
    Geometry,
    anisotropy,
    anti_hubs,
    effective_rank,
    geometry,
    hub_counts,
    hubness,
    participation_ratio,
    two_nn,
    uniformity,
)
from mmrec_core.alignment.homophily import Homophily, homophily
from mmrec_core.alignment.matrix import space_matrix
from mmrec_core.alignment.measures import MEASURES, Measure
from mmrec_core.alignment.neighbourhood import MUTUAL_KNN, chance_overlap, mutual_knn
from mmrec_core.alignment.procrustes import PROCRUSTES, procrustes_distance
from mmrec_core.alignment.retrieval import (
    Retrieval,
    RidgeMap,
    RidgeRetrieval,
    retrieval,
    retrieval_ranks,
    retrieved,
    ridge_map,
    ridge_retrieval,
)
from mmrec_core.alignment.rsa import RSA, rsa

# In the order in which tables and menus show them; the first is the default.
for _measure in (
    DEBIASED_CKA,
    LINEAR_CKA,
    RBF_CKA,
    MUTUAL_KNN,
    RSA,
    MEAN_SQUARED_CCA,
    SVCCA,
    PWCCA,
    PROCRUSTES,
    ALIGNMENT_LOSS,
    MODALITY_GAP,
    CLIP_SCORE,
):
    MEASURES.register(_measure.name, _measure)

__all__ = [
    # Between two spaces
    "MEASURES",
    "Measure",
    "linear_cka",
    "debiased_cka",
    "rbf_cka",
    "MUTUAL_KNN",
    "mutual_knn",
    "chance_overlap",
    "mean_squared_cca",
    "svcca",
    "pwcca",
    "procrustes_distance",
    "rsa",
    "calibrate",
    "Calibration",
    "space_matrix",
    # Two modalities in one space
    "modality_gap",
    "gap_positions",
    "gap_probe",
    "alignment_loss",
    "CLIP_SCORE",
    "clip_score",
    "clip_scores",
    "retrieval",
    "retrieval_ranks",
    "retrieved",
    "ridge_map",
    "ridge_retrieval",
    "Retrieval",
    "RidgeMap",
    "RidgeRetrieval",
    # One space
    "GEOMETRY",
    "Geometry",
    "GeometryFacts",
    "geometry",
    "uniformity",
    "two_nn",
    "participation_ratio",
    "effective_rank",
    "hub_counts",
    "hubness",
    "anti_hubs",
    "anisotropy",
    "duplicates",
    "Duplicates",
    # Content against behaviour
    "homophily",
    "Homophily",
]
