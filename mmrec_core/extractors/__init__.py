"""From pictures and words to embeddings, and the controls that stand in for them."""

from mmrec_core.extractors.base import (
    EXTRACTORS,
    Available,
    Encoded,
    Extractor,
    ExtractorConfig,
)
from mmrec_core.extractors.category import Category
from mmrec_core.extractors.context_controls import OtherModality
from mmrec_core.extractors.controls import CONTROLS, Control, apply
from mmrec_core.extractors.efficientnet_lite import EfficientNetLite
from mmrec_core.extractors.fusion import Fusion
from mmrec_core.extractors.hub_models import HubImage, HubText
from mmrec_core.extractors.input_controls import InputControl
from mmrec_core.extractors.minilm import MiniLM
from mmrec_core.extractors.missing_controls import Missing
from mmrec_core.extractors.precomputed import Precomputed
from mmrec_core.extractors.service import (
    default_extractor,
    embed,
    find_embeddings,
    load_embeddings,
    make_extractor,
    save_embeddings,
)
from mmrec_core.extractors.shared_space import SharedSpace
from mmrec_core.extractors.small_lvlm import SmallLvlm
from mmrec_core.extractors.vision_language import VisionLanguage

__all__ = [
    "CONTROLS",
    "EXTRACTORS",
    "Available",
    "Category",
    "Control",
    "EfficientNetLite",
    "Encoded",
    "Extractor",
    "ExtractorConfig",
    "Fusion",
    "HubImage",
    "HubText",
    "InputControl",
    "MiniLM",
    "Missing",
    "OtherModality",
    "Precomputed",
    "SharedSpace",
    "SmallLvlm",
    "VisionLanguage",
    "apply",
    "default_extractor",
    "embed",
    "find_embeddings",
    "load_embeddings",
    "make_extractor",
    "save_embeddings",
]
