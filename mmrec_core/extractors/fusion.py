"""Several matrices made one, for recommenders and settings that want one."""

from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from mmrec_core.domain import Dataset, Embeddings, InputError, Progress
from mmrec_core.extractors.base import EXTRACTORS, Extractor, ExtractorConfig
from mmrec_core.extractors.matrices import OfParts
from mmrec_core.extractors.service import embed, make_extractor


class Part(BaseModel):
    """One of the matrices that are fused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    extractor: str
    config: dict[str, Any] = Field(default_factory=dict)


class FusionConfig(ExtractorConfig):
    """Options of a fusion."""

    parts: tuple[Part, ...] = Field(
        (Part(extractor="efficientnet-lite0"), Part(extractor="minilm")),
        min_length=2,
        max_length=8,
        description="Extractors whose matrices are fused",
    )
    how: Literal["concatenate", "sum", "mean", "product"] = Field(
        "concatenate",
        description="concatenate: side by side. sum, mean, product: value by value, after a PCA of "
        "each matrix to the common width.",
    )
    width: int = Field(128, ge=2, le=4096, description="Common width of sum, mean and product")
    share: float = Field(
        0.5,
        ge=0.0,
        le=1.0,
        description="Weight of the first matrix, the others share the rest; not of a product",
    )


class Fusion(OfParts):
    """Makes one matrix of several: side by side, or value by value after a PCA to one width.

    Every matrix is first scaled so that each item's row has length 1. An item that lacks one of
    them has zeros in its place (ones in a product); an item that lacks all is missing. The axes of
    two PCAs have nothing to do with each other: sum, mean and product are offered because they are
    in use, not because they are wise.
    """

    name = "fusion"
    title = "Fusion of several extractors"
    modality = "joint"
    reference = "after Zhou et al., A Comprehensive Survey on Multimodal Recommender Systems, 2023"
    version = 1
    Config = FusionConfig

    @property
    def label(self) -> str:
        """How, and of what."""
        parts = " + ".join(part.label for part in self.made_of())
        changed = self.config.model_dump(mode="json", exclude_defaults=True)
        options = [f"{k}={v}" for k, v in sorted(changed.items()) if k not in ("parts", "how")]
        return f"{self.config.how}({', '.join([parts, *options])})"

    def matrix(
        self, dataset: Dataset, device: str | None, progress: Progress
    ) -> tuple[np.ndarray, np.ndarray]:
        """The parts, fused."""
        made = [
            embed(dataset, part.extractor, part.config, progress)[0] for part in self.config.parts
        ]
        missing = np.all([each.missing for each in made], axis=0)
        n = len(made)
        weights = [self.config.share, *[(1.0 - self.config.share) / (n - 1)] * (n - 1)]
        how: str = self.config.how
        if how == "concatenate":
            # Squared, the weights are the shares of an item's squared length.
            parts = [np.sqrt(w) * _unit(each) for w, each in zip(weights, made, strict=True)]
            return np.concatenate(parts, axis=1).astype(np.float32), missing
        common = [_reduced(each, self.config.width) for each in made]
        if how == "product":
            factors = [
                np.where(e.missing[:, None], 1.0, c) for e, c in zip(made, common, strict=True)
            ]
            return np.prod(factors, axis=0).astype(np.float32) * ~missing[:, None], missing
        scale = n if how == "sum" else 1.0
        total = np.sum([w * c for w, c in zip(weights, common, strict=True)], axis=0)
        return (scale * total).astype(np.float32), missing

    def made_of(self) -> list[Extractor]:
        """The extractors whose matrices are fused."""
        return [make_extractor(part.extractor, part.config) for part in self.config.parts]


def _unit(each: Embeddings) -> np.ndarray:
    """Rows of length 1; missing rows are zero."""
    rows = np.where(each.missing[:, None], 0.0, each.matrix)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: np.ndarray = rows / np.where(length > 0, length, 1.0)
    return scaled


def _reduced(each: Embeddings, width: int) -> np.ndarray:
    """The leading principal components of the observed rows, zero elsewhere, [n_items, width]."""
    from sklearn.decomposition import PCA

    rows = _unit(each)[each.observed]
    if width > min(rows.shape):
        raise InputError(
            f"{each.extractor} has {rows.shape[0]} items and {rows.shape[1]} columns, so it cannot "
            f"be brought to a width of {width}; choose a smaller width."
        )
    reduced = np.zeros((len(each.item_ids), width))
    reduced[each.observed] = PCA(width, svd_solver="full").fit_transform(rows)
    return reduced


EXTRACTORS.register(Fusion.name, Fusion)
