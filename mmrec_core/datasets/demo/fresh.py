"""Fresh worlds by name: new users over the demo's shop, made when loaded, never installed."""

import re
from dataclasses import dataclass
from pathlib import Path

from mmrec_core.datasets.demo.shop import fresh_world
from mmrec_core.datasets.demo.worlds import WORLDS, DemoConfig
from mmrec_core.domain import Dataset

_NAME = re.compile(rf"fresh-({'|'.join(WORLDS)})-(\d{{1,6}})-at-(\d{{1,3}})")


@dataclass(frozen=True)
class FreshWorld:
    """Users, tastes and choices of a seed over the shop of the demo.

    Attributes:
        world: One of WORLDS.
        seed: Generator seed of users, tastes and choices.
        percent: Strength of the planted tastes, in percent of the shipped world's; what is not
            planted in pictures or words (collaborative taste, popularity) stays.
    """

    world: str
    seed: int
    percent: int = 100

    @property
    def name(self) -> str:
        """By which ``load_dataset`` makes it, such as ``fresh-picture-101-at-50``."""
        return f"fresh-{self.world}-{self.seed}-at-{self.percent}"

    @property
    def planted(self) -> dict[str, bool]:
        """Modality -> whether tastes are planted in it; ``all`` for the whole content."""
        strength = DemoConfig().strengths[self.world]
        image, text = (bool(s * self.percent) for s in (strength.picture, strength.words))
        return {"image": image, "text": text, "all": image or text}

    def load(self, folder: Path | None = None) -> Dataset:
        """The dataset, under its own name."""
        config = DemoConfig()
        shipped = config.strengths[self.world]
        share = self.percent / 100
        strengths = {
            **config.strengths,
            self.world: shipped.model_copy(
                update={"picture": shipped.picture * share, "words": shipped.words * share}
            ),
        }
        made, _ = fresh_world(
            self.world, self.seed, folder, config.model_copy(update={"strengths": strengths})
        )
        return Dataset(
            self.name, made.items, made.interactions, made.folder, made.info, made.fingerprint
        )


def fresh_name(name: str) -> FreshWorld | None:
    """The fresh world that a dataset name asks for, or None."""
    match = _NAME.fullmatch(name)
    return FreshWorld(match[1], int(match[2]), int(match[3])) if match else None
