"""Training triples: each train interaction once an epoch, with a uniform exact negative."""

import numpy as np
from scipy import sparse


class TripleSampler:
    """Draws (user, positive, negative) for one seed, without a loop over users.

    Args:
        train: Binary CSR [n_users, n_items].
        seed: Of order and negatives. Two arms trained with the same seed see the same triples,
            which takes that chance out of their difference.
    """

    ROUNDS = 200
    """Redraws before a user who owns nearly every item keeps a drawn positive as negative."""

    def __init__(self, train: sparse.csr_matrix, seed: int) -> None:
        coo = train.tocoo()
        self.n_items = int(train.shape[1])
        self.users = coo.row.astype(np.int64)
        self.positives = coo.col.astype(np.int64)
        self.keys = np.sort(self.users * self.n_items + self.positives)
        self.rng = np.random.default_rng([seed, 1])

    def epoch(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All train interactions in a new order: users, positives, negatives, each [n_train]."""
        order = self.rng.permutation(len(self.users))
        users, positives = self.users[order], self.positives[order]
        negatives = self.rng.integers(0, self.n_items, len(users))
        open_ = np.arange(len(users))
        for _ in range(self.ROUNDS):
            open_ = open_[self._owned(users[open_], negatives[open_])]
            if not len(open_):
                break
            negatives[open_] = self.rng.integers(0, self.n_items, len(open_))
        return users, positives, negatives

    def _owned(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        wanted = users * self.n_items + items
        at = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        owned: np.ndarray = self.keys[at] == wanted
        return owned
