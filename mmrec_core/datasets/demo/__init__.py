"""The demo shop: pictures and texts that show different things, and users of known taste."""

from mmrec_core.datasets.demo.attributes import (
    ATTRIBUTES,
    EXCLUSIVE,
    READABLE,
    TYPES,
    VISIBLE,
    sample_attributes,
)
from mmrec_core.datasets.demo.bench import SILHOUETTES
from mmrec_core.datasets.demo.drawing import draw_product
from mmrec_core.datasets.demo.shop import Truth, fresh_world, load_truth, load_world, write_demo
from mmrec_core.datasets.demo.texts import write_text
from mmrec_core.datasets.demo.worlds import (
    WORLDS,
    DemoConfig,
    Strengths,
    World,
    sample_tastes,
    simulate,
    taste,
)

__all__ = [
    "ATTRIBUTES",
    "EXCLUSIVE",
    "READABLE",
    "SILHOUETTES",
    "TYPES",
    "VISIBLE",
    "WORLDS",
    "DemoConfig",
    "Strengths",
    "Truth",
    "World",
    "draw_product",
    "fresh_world",
    "load_truth",
    "load_world",
    "sample_attributes",
    "sample_tastes",
    "simulate",
    "taste",
    "write_demo",
    "write_text",
]
