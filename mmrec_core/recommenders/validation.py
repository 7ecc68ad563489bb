"""What early stopping looks at: the ranking of held-out items, while parameters are on a device."""

from typing import TYPE_CHECKING

import numpy as np

from mmrec_core.domain import InputError, Split
from mmrec_core.lazy import lazy_import

if TYPE_CHECKING:
    import torch

    from mmrec_core.recommenders.trainer import Factors
else:
    torch = lazy_import("torch")

VALIDATION_K = 20


class Validation:
    """Recall@20 on the validation part, on the device, in blocks of users, without rounding.

    Ranked are the split's candidates that a user has not seen in training.
    """

    BLOCK = 4096

    def __init__(self, split: Split, device: str) -> None:
        relevant = split.relevant("valid").tocsr()
        self.n_items = split.n_items
        counts = np.diff(relevant.indptr)
        self.users = np.flatnonzero(counts)
        self.k = min(VALIDATION_K, split.n_items)
        self.not_ranked = (
            None
            if split.candidates is None
            else torch.from_numpy(np.flatnonzero(~split.candidates)).to(device)
        )
        if not len(self.users):
            raise InputError(
                "No user has a relevant validation item: training cannot be stopped early. "
                "Lower the relevance threshold or the k-core."
            )
        self.blocks = []
        for start in range(0, len(self.users), self.BLOCK):
            rows = self.users[start : start + self.BLOCK]
            mask = split.train[rows].tocoo()
            wanted = relevant[rows].tocoo()
            self.blocks.append(
                (
                    torch.from_numpy(rows).to(device),
                    torch.from_numpy(mask.row.astype(np.int64) * self.n_items + mask.col).to(
                        device
                    ),
                    torch.from_numpy(
                        np.sort(wanted.row.astype(np.int64) * self.n_items + wanted.col)
                    ).to(device),
                    torch.from_numpy(counts[rows].astype(np.float32)).to(device),
                )
            )

    def recall(self, factors: "Factors", n_seeds: int) -> np.ndarray:
        """Mean over users for each seed, float64 [S]."""
        left = torch.cat([u for u, _ in factors.values() if u is not None], dim=2)
        right = torch.cat([v for u, v in factors.values() if u is not None], dim=2)
        bias = sum(v for u, v in factors.values() if u is None)
        result = np.zeros(n_seeds)
        for s in range(n_seeds):
            for users, masked, wanted, counts in self.blocks:
                scores = left[s][users] @ right[s].T
                if not isinstance(bias, int):
                    scores += bias[s]
                scores.view(-1)[masked] = -torch.inf
                if self.not_ranked is not None:
                    scores[:, self.not_ranked] = -torch.inf
                top = scores.topk(self.k, dim=1, sorted=False).indices
                rows = torch.arange(len(users), device=top.device)[:, None]
                keys = rows * self.n_items + top
                at = torch.searchsorted(wanted, keys).clamp_(max=len(wanted) - 1)
                hits = (wanted[at] == keys).sum(dim=1)
                result[s] += float((hits.double() / counts.double()).sum())
        return result / len(self.users)
