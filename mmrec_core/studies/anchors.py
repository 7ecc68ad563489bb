"""Published figures, to stand beside ours where data set and protocol match."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PublishedSet:
    """A preprocessed data set of the literature, known by its counts.

    Attributes:
        title: Of the data set.
        counts: Users, items, interactions.
        source: Where the figures are from.
        protocol: How they were measured, in words.
        figures: Model -> metric -> value, as printed.
    """

    title: str
    counts: tuple[int, int, int]
    source: str
    protocol: str
    figures: dict[str, dict[str, float]]


def _figures(*rows: tuple[str, float, float, float, float]) -> dict[str, dict[str, float]]:
    names = ("recall@10", "recall@20", "ndcg@10", "ndcg@20")
    return {model: dict(zip(names, values, strict=True)) for model, *values in rows}


_MMREC = "MMRec toolbox, evaluation README (Zhou et al., 2023)"
_PROTOCOL = "5-core, random 8:1:1 split of each user, all items ranked, tuned by grid on validation"

PUBLISHED = (
    PublishedSet(
        "Amazon Baby",
        (19_445, 7_050, 160_792),
        _MMREC,
        _PROTOCOL,
        _figures(
            ("BPR", 0.0357, 0.0575, 0.0192, 0.0249),
            ("LightGCN", 0.0479, 0.0754, 0.0257, 0.0328),
            ("VBPR", 0.0423, 0.0663, 0.0223, 0.0284),
            ("MMGCN", 0.0378, 0.0615, 0.0200, 0.0261),
            ("GRCN", 0.0539, 0.0833, 0.0288, 0.0363),
            ("LATTICE", 0.0547, 0.0850, 0.0292, 0.0370),
            ("BM3", 0.0564, 0.0883, 0.0301, 0.0383),
            ("FREEDOM", 0.0627, 0.0992, 0.0330, 0.0424),
        ),
    ),
    PublishedSet(
        "Amazon Sports",
        (35_598, 18_357, 296_337),
        _MMREC,
        _PROTOCOL,
        _figures(
            ("BPR", 0.0432, 0.0653, 0.0241, 0.0298),
            ("LightGCN", 0.0569, 0.0864, 0.0311, 0.0387),
            ("VBPR", 0.0558, 0.0856, 0.0307, 0.0384),
            ("MMGCN", 0.0370, 0.0605, 0.0193, 0.0254),
            ("GRCN", 0.0598, 0.0915, 0.0332, 0.0414),
            ("LATTICE", 0.0620, 0.0953, 0.0335, 0.0421),
            ("BM3", 0.0656, 0.0980, 0.0355, 0.0438),
            ("FREEDOM", 0.0717, 0.1089, 0.0385, 0.0481),
        ),
    ),
)


@dataclass(frozen=True)
class PublishedKnockout:
    """What models of the literature lose when noise stands in for content.

    Attributes:
        title: Of the data set.
        metric: What was measured.
        source: Where the figures are from.
        real: Model -> value with real content.
        changes: Model -> (all, text, image replaced), relative to real.
    """

    title: str
    metric: str
    source: str
    real: dict[str, float]
    changes: dict[str, tuple[float, float, float]]


def _knockout(
    *rows: tuple[str, float, float, float, float],
) -> tuple[dict[str, float], dict[str, tuple[float, float, float]]]:
    return (
        {model: real for model, real, *_ in rows},
        {model: (both / 100, text / 100, image / 100) for model, _, both, text, image in rows},
    )


KNOCKOUT = PublishedKnockout(
    "Amazon Baby",
    "Recall@10",
    "Ye et al., ECIR 2026, arXiv 2508.07399",
    *_knockout(
        ("VBPR", 0.0402, 3.7, -0.7, 4.0),
        ("BM3", 0.0517, 3.1, -2.1, -0.2),
        ("FREEDOM", 0.0617, -29.3, -27.7, -0.3),
        ("LATTICE", 0.0537, -21.0, -15.1, 0.0),
        ("MGCN", 0.0595, -20.3, -17.5, 5.2),
        ("GRCN", 0.0533, -16.5, -11.1, 2.3),
        ("MMGCN", 0.0365, -17.8, -9.9, -4.1),
    ),
)


def published(n_users: int, n_items: int, n_interactions: int, split: str) -> PublishedSet | None:
    """The published set whose counts are exactly these, if it was divided alike; else None.

    Args:
        n_users: Of the split.
        n_items: Of the split.
        n_interactions: Of its three parts together.
        split: Its strategy.
    """
    if split not in ("random", "fixed"):
        return None
    counts = (n_users, n_items, n_interactions)
    return next((known for known in PUBLISHED if known.counts == counts), None)
