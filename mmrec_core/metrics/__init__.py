"""How good lists are, what they are made of, and whether two arms differ by more than chance."""

from mmrec_core.metrics.facts import METRICS, metric_label, split_key

__all__ = ["METRICS", "metric_label", "split_key"]
