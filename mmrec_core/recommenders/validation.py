"""What early stopping looks at: the ranking of held-out items, while parameters are on a device."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from mmrec_core.domain import InputError, Split
from mmrec_core.lazy import lazy_import

if TYPE_CHECKING:
    import torch

    from mmrec_core.recommenders.base import Recommender
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

        def scores_of(s: int) -> "Callable[[torch.Tensor], torch.Tensor]":
            def scores(users: "torch.Tensor") -> "torch.Tensor":
                own = left[s][users] @ right[s].T
                return own if isinstance(bias, int) else own + bias[s]

            return scores

        return np.array([self.recall_of(scores_of(s)) for s in range(n_seeds)])

    def recall_of(self, scores_of: "Callable[[torch.Tensor], torch.Tensor]") -> float:
        """Mean over users.

        Args:
            scores_of: Row numbers of users -> their scores of every item, which may be changed.
        """
        total = 0.0
        for users, masked, wanted, counts in self.blocks:
            scores = scores_of(users)
            scores.view(-1)[masked] = -torch.inf
            if self.not_ranked is not None:
                scores[:, self.not_ranked] = -torch.inf
            top = scores.topk(self.k, dim=1, sorted=False).indices
            rows = torch.arange(len(users), device=top.device)[:, None]
            keys = rows * self.n_items + top
            at = torch.searchsorted(wanted, keys).clamp_(max=len(wanted) - 1)
            hits = (wanted[at] == keys).sum(dim=1)
            total += float((hits.double() / counts.double()).sum())
        return total / len(self.users)


def validation_recall(model: "Recommender", split: Split) -> float:
    """Recall@20 of a fitted recommender on the validation part, by the same ranking."""

    def scores(users: "torch.Tensor") -> "torch.Tensor":
        return torch.from_numpy(model.score(users.numpy()))

    return Validation(split, "cpu").recall_of(scores)
