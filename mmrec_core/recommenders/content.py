"""How content models see features: centred, on one scale, missing rows exactly zero."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mmrec_core.domain import Embeddings, Features
from mmrec_core.lazy import lazy_import

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_import("torch")


def prepared(embeddings: Embeddings, centre: bool = True) -> np.ndarray:
    """Features centred on the observed rows and divided by one number, float32 [n, d].

    The number is the root mean square row norm, so extractors of any scale meet the same
    learning rate and regularisation; geometry is kept. Missing rows are exactly 0, which after
    centring is what an average item has: a projection cannot tell who has features.
    """
    rows = np.zeros(embeddings.matrix.shape, dtype=np.float32)
    if embeddings.observed.any():
        seen = embeddings.matrix[embeddings.observed].astype(np.float64)
        size = np.abs(seen).max()
        if centre:
            seen -= seen.mean(axis=0)
        norm = np.sqrt((seen**2).sum(axis=1).mean())
        # Equal rows (the mean control) leave only rounding, which must not be blown up.
        rows[embeddings.observed] = seen / norm if norm > 1e-6 * size else 0.0
    return rows


class FeatureTensors:
    """Prepared features of S seeds on the device, shared where the seeds' features are equal.

    Args:
        features: One mapping a seed; all have the same modalities.
        device: Where the tensors go.
    """

    def __init__(self, features: Sequence[Features], device: str) -> None:
        self.modalities = sorted(features[0])
        self.tensors: dict[str, torch.Tensor | None] = {}
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
        self, modality: str, weights: "torch.Tensor", rows: "torch.Tensor | None" = None
    ) -> "torch.Tensor":
        """F W for every item: weights [S, d, c] -> [S, n, c]; one-hot ids return W itself.

        ``rows``: of these items alone.
        """
        tensor = self.tensors[modality]
        if tensor is None:
            return weights if rows is None else weights.index_select(1, rows)
        if rows is not None:
            tensor = tensor.index_select(1, rows)
        if len(tensor) == 1:
            # One product with all seeds' columns side by side: half as fast again as one each.
            n_seeds, width, columns = weights.shape
            side_by_side = tensor[0] @ weights.permute(1, 0, 2).reshape(width, -1)
            return side_by_side.view(-1, n_seeds, columns).permute(1, 0, 2)
        return torch.matmul(tensor, weights)


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
