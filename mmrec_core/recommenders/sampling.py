"""Training triples: each train interaction once an epoch, with a uniform exact negative."""

import numpy as np
from scipy import sparse


class TripleSampler:
    """Draws (user, positive, negative) for one seed, without a loop over users.

    Args:
        train: Binary CSR [n_users, n_items].
        seed: Of order and negatives. Two arms trained with the same seed see the same triples,
            which takes that chance out of their difference.
        cold: [n_items] bool; True for items that training must not see, not even as negatives:
            each draw would push them down. None: there are none.
    """

    ROUNDS = 200
    """Redraws before a user who owns nearly every item keeps a drawn positive as negative."""

    def __init__(self, train: sparse.csr_matrix, seed: int, cold: np.ndarray | None = None) -> None:
        coo = train.tocoo()
        self.n_items = int(train.shape[1])
        self.users = coo.row.astype(np.int64)
        self.positives = coo.col.astype(np.int64)
        self.keys = np.sort(self.users * self.n_items + self.positives)
        self.rng = np.random.default_rng([seed, 1])
        self.drawn_from = None if cold is None or not cold.any() else np.flatnonzero(~cold)

    def epoch(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All train interactions in a new order: users, positives, negatives, each [n_train]."""
        order = self.rng.permutation(len(self.users))
        users, positives = self.users[order], self.positives[order]
        negatives = self._negatives(len(users))
        open_ = np.arange(len(users))
        for _ in range(self.ROUNDS):
            open_ = open_[self._owned(users[open_], negatives[open_])]
            if not len(open_):
                break
            negatives[open_] = self._negatives(len(open_))
        return users, positives, negatives

    def _negatives(self, n: int) -> np.ndarray:
        if self.drawn_from is None:
            return self.rng.integers(0, self.n_items, n)
        return np.asarray(self.drawn_from[self.rng.integers(0, len(self.drawn_from), n)])

    def _owned(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        wanted = users * self.n_items + items
        at = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        owned: np.ndarray = self.keys[at] == wanted
        return owned
