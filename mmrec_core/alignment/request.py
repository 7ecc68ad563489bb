"""What an alignment is asked for: spaces, which of them lie in one, and what is computed."""

from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from mmrec_core.alignment.clip_score import PREFIX
from mmrec_core.alignment.measures import MEASURES
from mmrec_core.projection.vectors import Vectors

USUAL = ("debiased_cka", "mutual_knn", "rsa", "procrustes_distance")
"""Measures that are computed unless a person says otherwise."""


class AlignConfig(BaseModel):
    """What is computed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    measures: tuple[str, ...] = Field(USUAL, min_length=1, description="Measures between spaces")
    permutations: int = Field(200, ge=19, le=10_000, description="Row permutations of each null")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Of permutations, samples and halves")
    near: float = Field(
        0.99, gt=0, le=1, description="Cosine, centred, from which items are near-duplicates"
    )

    def checked(self) -> "AlignConfig":
        """This config, if every measure in it is known.

        Raises:
            InputError: One is not.
        """
        for name in self.measures:
            MEASURES.get(name)
        return self


@dataclass(frozen=True, eq=False)
class AlignedSpace:
    """A space that is compared with others.

    Attributes:
        modality: ``image``, ``text``, ``joint`` or ``none`` (trained item vectors).
        vectors: Of the dataset's items.
        shares: Names one space with two sides: spaces with the same value lie in one; empty: none.
        held_out: [n_items] bool; items that a fitted space was not fitted on; None: not fitted.
        source: What a fitted space was made from.
        prefix: What a hub model's text extractor put before every text; mostly empty.
    """

    modality: str
    vectors: Vectors
    shares: str = ""
    held_out: np.ndarray | None = None
    source: Vectors | None = None
    prefix: str = ""

    @property
    def measured(self) -> np.ndarray:
        """[n_items] bool; items that may be looked at together with another space."""
        shown = self.vectors.directed
        return shown if self.held_out is None else shown & self.held_out


def in_one_space(first: AlignedSpace, second: AlignedSpace) -> bool:
    """Whether one model put both into one space."""
    return bool(first.shares) and first.shares == second.shares


def two_sides(first: AlignedSpace, second: AlignedSpace) -> bool:
    """Whether they are two modalities in one space, so that there may be a gap between them."""
    return in_one_space(first, second) and first.modality != second.modality


def with_captions(first: AlignedSpace, second: AlignedSpace) -> bool:
    """Whether CLIPScore is defined: pictures and texts of one model, PREFIX before the texts.

    A space that was fitted on this catalogue is no judge of it: its scores belong to no model that
    others have.
    """
    sides = {own.modality: own for own in (first, second)}
    pretrained = first.held_out is None and second.held_out is None
    if sides.keys() != {"image", "text"} or not pretrained:
        return False
    return in_one_space(first, second) and sides["text"].prefix == PREFIX
