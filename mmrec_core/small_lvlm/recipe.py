"""The recipe of the small model: every number that decides what training gives."""

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from mmrec_core.datasets.demo.attributes import ATTRIBUTES
from mmrec_core.domain import sha256_json

SLOTS: Final[dict[str, str]] = {
    "Type": "type",
    "Color": "colour",
    "Pattern": "pattern",
    "Material": "material",
    "Style": "style",
}
"""Slot of the demo's prompt -> attribute of the generator."""

VALUES: Final[dict[str, tuple[str, ...]]] = {
    slot: tuple(value.capitalize() for value in ATTRIBUTES[name]) for slot, name in SLOTS.items()
}
"""Slot -> what the model may say in it."""
VERSION: Final = 1
"""Raised whenever drawing, questions or networks change, so that no old state is taken up."""
NOTHING_SHOWN: Final = 0.04
"""Share of pictures in the language stage that are noise or of one tone, and show nothing."""


class Recipe(BaseModel):
    """How the small model is made; the same recipe gives the same model on the same machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(1, ge=0, description="Of pictures, weights and batches")
    side: int = Field(96, description="Width and height of a picture, pixels")
    pictures: int = Field(40_000, ge=100, description="Fresh pictures with invented outlines")
    shard: int = Field(1_000, ge=10, description="Pictures in one file")
    tower_epochs: float = Field(7.0, gt=0, description="Passes of the vision tower over them")
    tower_batch: int = Field(64, ge=2)
    tower_rate: float = Field(1.5e-3, gt=0, description="Highest learning rate of the tower")
    language_steps: int = Field(1_500, ge=1, description="Steps of the language part")
    language_batch: int = Field(32, ge=2)
    language_rate: float = Field(1.5e-3, gt=0, description="Its highest learning rate")
    weight_decay: float = 0.05
    warm_up: float = Field(0.04, description="Share of the steps in which the rate rises")
    vocabulary: int = Field(1_000, ge=300, description="Entries of the tokenizer, at most")

    @property
    def fingerprint(self) -> str:
        """sha256 of the recipe and of its version."""
        return sha256_json({"version": VERSION, **self.model_dump(mode="json")})

    @property
    def shards(self) -> int:
        """Number of files of pictures."""
        return -(-self.pictures // self.shard)

    @property
    def tower_steps(self) -> int:
        """Steps of the vision tower."""
        return max(1, round(self.tower_epochs * self.pictures / self.tower_batch))


def work_folder(root: Path, recipe: Recipe) -> Path:
    """Where the training of a recipe keeps what it has done so far."""
    return root / "training" / recipe.fingerprint[:16]
