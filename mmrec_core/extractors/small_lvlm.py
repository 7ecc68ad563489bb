"""The small vision-language model that comes with the program."""

from typing import ClassVar

from pydantic import Field

from mmrec_core.extractors.base import EXTRACTORS
from mmrec_core.extractors.hub import BUNDLED
from mmrec_core.extractors.vision_language import VisionLanguage, VisionLanguageConfig


class SmallLvlmConfig(VisionLanguageConfig):
    """Options of the bundled model; its prompt is that of the demo shop."""

    prompt: str = Field("demo", description="Slots and example, by the name of a known prompt")


class SmallLvlm(VisionLanguage):
    """A small vision-language model that comes with the program and runs offline, in seconds.

    It was trained from scratch on pictures from the demo shop's generator and knows type, color,
    pattern, material and style of such products: nothing else. On the demo it was trained on the
    very attributes that carry the planted tastes, so that there it checks the instrument. Of other
    catalogues what it says is guesswork.
    """

    name = "small-lvlm"
    title = "Small vision-language model (bundled)"
    reference = "data/models/small-lvlm/README.md; LLaVA architecture after Liu et al., 2023"
    version = 1
    batch_sizes: ClassVar = {"cpu": 32, "cuda": 256, "mps": 64}
    default_model = BUNDLED
    Config = SmallLvlmConfig


EXTRACTORS.register(SmallLvlm.name, SmallLvlm)
