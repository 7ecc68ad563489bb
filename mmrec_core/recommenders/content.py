"""How content models see features: centred, on one scale, missing rows exactly zero."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from mmrec_core.domain import Embeddings, Features
from mmrec_core.lazy import lazy_import
from mmrec_core.recommenders.trainer import TrainedConfig

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_import("torch")


def prepared(embeddings: Embeddings, centre: bool = True) -> np.ndarray:
    """Features centred on the observed rows and divided by one number, float32 [n, d].

    The number is the root mean square row norm, so extractors of any scale meet the same
    learning rate and regularisation; geometry is kept. Missing rows are exactly 0, which after
    centring is what an average item has: a projection cannot tell who has features. Edited
    features keep the mean and the number of what they were edited from.
    """
    if embeddings.base is None:
        return _prepared(embeddings, centre)[0]
    rows, mean, norm = _base_prepared(embeddings.base, centre)
    changed = embeddings.edits()
    if not len(changed):
        return rows
    rows = rows.copy()
    own = embeddings.matrix[changed].astype(np.float64) - mean
    own[embeddings.missing[changed]] = 0.0
    rows[changed] = own / norm if norm > 0 else 0.0
    return rows


def _prepared(embeddings: Embeddings, centre: bool) -> tuple[np.ndarray, np.ndarray, float]:
    """Prepared rows [n, d], the mean [d] and the number; 0 where all rows are equal."""
    rows = np.zeros_like(embeddings.matrix, dtype=np.float32)
    mean, norm = np.zeros(embeddings.matrix.shape[1]), 0.0
    if embeddings.observed.any():
        seen = embeddings.matrix[embeddings.observed].astype(np.float64)
        size = np.abs(seen).max()
        if centre:
            mean = seen.mean(axis=0)
            seen -= mean
        norm = float(np.sqrt((seen**2).sum(axis=1).mean()))
        # Equal rows (the mean control) leave only rounding, which must not be blown up.
        if norm > 1e-6 * size:
            rows[embeddings.observed] = seen / norm
        else:
            norm = 0.0
    return rows, mean, norm


@lru_cache(maxsize=4)
def _base_prepared(base: Embeddings, centre: bool) -> tuple[np.ndarray, np.ndarray, float]:
    """``_prepared`` of features that are edited again and again."""
    return _prepared(base, centre)


class ContentConfig(TrainedConfig):
    """What every trained model that reads features can be told besides."""

    trainable_features: bool = Field(
        False,
        description="Features are parameters that start as they are (as in published code): extra "
        "capacity, so noise may be trained into something useful",
    )

    @model_serializer(mode="wrap")
    def _as_before(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Named only where they are on, so that runs from before these switches keep their keys.
        values: dict[str, Any] = serialise(self)
        for name in self.unnamed():
            if values.get(name) == type(self).model_fields[name].get_default():
                del values[name]
        return values

    @classmethod
    def unnamed(cls) -> tuple[str, ...]:
        """Settings that are left out of what is written down while at their default."""
        return ("trainable_features",)


def moved(weights: Mapping[str, np.ndarray], features: Features) -> dict[str, float]:
    """How far trained features have moved, modality -> |F after - F| / |F| (Frobenius)."""
    found = {}
    for modality, own in features.items():
        shift = weights.get(f"shift_{modality}")
        if shift is not None:
            size = float(np.linalg.norm(prepared(own)))
            by = float(np.linalg.norm(shift[own.observed]))
            if size:  # features that are all alike are nothing once centred
                found[modality] = by / size
    return found


class FeatureTensors:
    """Prepared features of S seeds on the device, shared where the seeds' features are equal.

    Args:
        features: One mapping a seed; all have the same modalities.
        device: Where the tensors go.
    """

    def __init__(self, features: Sequence[Features], device: str) -> None:
        self.modalities = sorted(features[0])
        self.device = device
        self.features = features
        self.tensors: dict[str, torch.Tensor | None] = {}
        self.observed: dict[str, torch.Tensor] = {}
        for modality in self.modalities:
            own = [seed[modality] for seed in features]
            if own[0].one_hot:
                self.tensors[modality] = None
            elif all(e.fingerprint == own[0].fingerprint for e in own[1:]):
                self.tensors[modality] = torch.from_numpy(prepared(own[0])[None]).to(device)
            else:
                self.tensors[modality] = torch.from_numpy(np.stack([prepared(e) for e in own])).to(
                    device
                )

    def project(
        self,
        modality: str,
        parameters: Mapping[str, "torch.Tensor"],
        rows: "torch.Tensor | None" = None,
    ) -> "torch.Tensor":
        """F W for every item: ``project_MODALITY`` [S, d, c] -> [S, n, c]; one-hot ids return W.

        Where features are trained, what they have moved by (``shift_MODALITY`` [S, n, d]) is added
        to those of the items that have any.

        Args:
            modality: Whose features.
            parameters: Of the model.
            rows: Of these items alone.
        """
        weights = parameters[f"project_{modality}"]
        tensor = self.tensors[modality]
        if tensor is None:
            return weights if rows is None else weights.index_select(1, rows)
        shift = parameters.get(f"shift_{modality}")
        if shift is not None:
            moved = shift * self._observed(modality)
            if rows is not None:
                moved = moved.index_select(1, rows)
            return self._product(tensor, weights, rows) + torch.matmul(moved, weights)
        return self._product(tensor, weights, rows)

    @staticmethod
    def _product(
        tensor: "torch.Tensor", weights: "torch.Tensor", rows: "torch.Tensor | None"
    ) -> "torch.Tensor":
        if rows is not None:
            tensor = tensor.index_select(1, rows)
        if len(tensor) == 1:
            # One product with all seeds' columns side by side: half as fast again as one each.
            n_seeds, width, columns = weights.shape
            side_by_side = tensor[0] @ weights.permute(1, 0, 2).reshape(width, -1)
            return side_by_side.view(-1, n_seeds, columns).permute(1, 0, 2)
        return torch.matmul(tensor, weights)

    def _observed(self, modality: str) -> "torch.Tensor":
        """[S, n, 1] 1 for items that have the modality: what is missing stays missing."""
        if modality not in self.observed:
            mask = np.stack([own[modality].observed for own in self.features])
            self.observed[modality] = torch.from_numpy(mask[:, :, None].astype(np.float32)).to(
                self.device
            )
        return self.observed[modality]


WORTH = 0.7
"""Share of the items up to which picking their rows costs less than projecting the rest."""


def touched_items(
    n_items: int, *batch: "torch.Tensor"
) -> tuple["torch.Tensor | None", list["torch.Tensor"]]:
    """The items that a batch holds, and the batch as places among them.

    Args:
        n_items: Of the split.
        batch: Row numbers of items, each [S, B].

    Returns:
        Their row numbers for all seeds together and the batch in places of them; or None and the
        batch as it was where it holds most items anyway.
    """
    wanted = sum(part.numel() for part in batch)
    if wanted > 4 * n_items:
        return None, list(batch)
    seen = torch.zeros(n_items, dtype=torch.bool, device=batch[0].device)
    for part in batch:
        seen[part.flatten()] = True
    rows = seen.nonzero().flatten()
    if len(rows) > WORTH * n_items:
        return None, list(batch)
    place = seen.cumsum(0) - 1
    return rows, [place[part] for part in batch]
