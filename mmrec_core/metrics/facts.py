"""What each metric is, so that arrows, axes and tables are automatic."""

import math

from mmrec_core.domain import InputError, MetricFacts
from mmrec_core.registry import Registry

METRICS: Registry[MetricFacts] = Registry("metric")
"""Every metric by its name; a value at a cut-off is keyed ``name@k``."""

_MANNING = "Manning, Raghavan, Schütze, Introduction to Information Retrieval, 2008, section 8.4"
_JARVELIN = "Järvelin, Kekäläinen, Cumulated gain-based evaluation of IR techniques, TOIS 2002"
_VARGAS = "Vargas, Castells, Rank and relevance in novelty and diversity metrics, RecSys 2011"
_ABDOLLAHPOURI = (
    "Abdollahpouri, Burke, Mobasher, Managing popularity bias in recommender systems with "
    "personalized re-ranking, FLAIRS 2019, section 4"
)
_SHANI = "Shani, Gunawardana, Evaluating recommendation systems, 2011, section 8.3.2"
_UNIT = (0.0, 1.0)
_OPEN = (0.0, math.inf)

for _name, _label, _better, _range, _per_user, _reference in (
    ("recall", "Recall", True, _UNIT, True, _MANNING),
    ("ndcg", "nDCG", True, _UNIT, True, _JARVELIN),
    ("ndcg_graded", "nDCG (graded)", True, _UNIT, True, _JARVELIN),
    ("hr", "Hit rate", True, _UNIT, True, "Deshpande, Karypis, TOIS 2004, section 5.1"),
    ("mrr", "MRR", True, _UNIT, True, "Voorhees, The TREC-8 question answering track, 1999"),
    ("map", "MAP", True, _UNIT, True, _MANNING),
    ("coverage", "Coverage (items)", None, _OPEN, False, _SHANI),
    ("coverage_share", "Coverage", None, _UNIT, False, _SHANI),
    ("gini", "Gini index (0: all items equally often)", None, _UNIT, False, _SHANI),
    ("entropy", "Shannon entropy (bits)", None, _OPEN, False, _SHANI),
    ("arp", "ARP", None, _OPEN, True, _ABDOLLAHPOURI),
    ("aplt", "APLT", None, _UNIT, True, _ABDOLLAHPOURI),
    ("epc", "EPC", True, _UNIT, True, _VARGAS),
    ("efd", "EFD (bits)", True, _OPEN, True, _VARGAS),
):
    METRICS.register(_name, MetricFacts(_name, _label, _better, _range, _per_user, _reference))


def split_key(key: str) -> tuple[MetricFacts, int]:
    """Facts and cut-off of a key such as ``recall@20``.

    Raises:
        InputError: No such metric, or the cut-off is not a positive whole number.
    """
    name, _, cutoff = key.partition("@")
    facts = METRICS.get(name)
    if not (cutoff.isascii() and cutoff.isdigit() and int(cutoff) > 0):
        raise InputError(f"Metric {key!r} has no cut-off; write it as {name}@20.")
    return facts, int(cutoff)


def metric_label(key: str) -> str:
    """Name on screen of a key: ``recall@20`` gives ``Recall@20``."""
    facts, k = split_key(key)
    return f"{facts.label}@{k}"
