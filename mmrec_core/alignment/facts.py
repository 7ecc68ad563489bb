"""What each number about one space is, so that axes and tables are automatic."""

from dataclasses import dataclass

from mmrec_core.registry import Registry


@dataclass(frozen=True)
class GeometryFacts:
    """What a number about one space is.

    Attributes:
        name: Key in ``geometry`` and heading of the glossary.
        label: On screen.
        value_range: Smallest and largest value.
        quadratic: Computed on a sample where the catalogue is large.
        reference: Source of the definition.
        description: One sentence for the screen.
    """

    name: str
    label: str
    value_range: tuple[float, float]
    quadratic: bool
    reference: str
    description: str


GEOMETRY: Registry[GeometryFacts] = Registry("geometry")
"""Every number about one space by its name."""

_INF = float("inf")
_RADOVANOVIC = "Radovanović, Nanopoulos, Ivanović, Hubs in space, JMLR 2010"
_ETHAYARAJH = "Ethayarajh, How contextual are contextualized word representations?, EMNLP 2019"
for _facts in (
    GeometryFacts(
        "two_nn",
        "Intrinsic dimension (TwoNN)",
        (0.0, _INF),
        True,
        "Facco et al., Scientific Reports 2017",
        "Dimensions that items spread over locally, from the distances to their two nearest.",
    ),
    GeometryFacts(
        "participation_ratio",
        "Participation ratio",
        (1.0, _INF),
        False,
        "Gao et al., A theory of multineuronal dimensionality, 2017",
        "Directions among which the variance is spread.",
    ),
    GeometryFacts(
        "effective_rank",
        "Effective rank",
        (1.0, _INF),
        False,
        "Roy, Vetterli, The effective rank, EUSIPCO 2007",
        "Directions in use, weak ones counting more than in the participation ratio.",
    ),
    GeometryFacts(
        "hubness_cosine",
        "Hubness (cosine)",
        (-_INF, _INF),
        True,
        _RADOVANOVIC,
        "Skewness of how often items are among others' 10 nearest by cosine.",
    ),
    GeometryFacts(
        "anti_hubs_cosine",
        "Anti-hubs (cosine)",
        (0.0, 1.0),
        True,
        _RADOVANOVIC,
        "Share of items that are among nobody's 10 nearest by cosine.",
    ),
    GeometryFacts(
        "hubness_euclidean",
        "Hubness (Euclidean)",
        (-_INF, _INF),
        True,
        _RADOVANOVIC,
        "Skewness of how often items are among others' 10 nearest by Euclidean distance.",
    ),
    GeometryFacts(
        "anti_hubs_euclidean",
        "Anti-hubs (Euclidean)",
        (0.0, 1.0),
        True,
        _RADOVANOVIC,
        "Share of items that are among nobody's 10 nearest by Euclidean distance.",
    ),
    GeometryFacts(
        "anisotropy",
        "Anisotropy",
        (-1.0, 1.0),
        False,
        _ETHAYARAJH,
        "Mean cosine of two different items: near 1 all vectors point one way.",
    ),
    GeometryFacts(
        "anisotropy_centred",
        "Anisotropy, centred",
        (-1.0, 1.0),
        False,
        _ETHAYARAJH,
        "Mean cosine of two different items after the mean vector is taken away.",
    ),
    GeometryFacts(
        "uniformity",
        "Uniformity",
        (-8.0, 0.0),
        True,
        "Wang, Isola, ICML 2020",
        "How evenly the directions fill the sphere; lower is more even.",
    ),
):
    GEOMETRY.register(_facts.name, _facts)
