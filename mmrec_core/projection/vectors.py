"""Vectors of items in one space, and which of them a map can show."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mmrec_core.domain import InputError, read_only, sha256_arrays, sha256_json, sha256_strings


@dataclass(frozen=True, eq=False)
class Vectors:
    """One vector an item, from wherever: an extractor, a control, a trained recommender.

    Attributes:
        item_ids: [n_items] of object str.
        matrix: [n_items, d] float32; rows of items that are not in the space mean nothing.
        observed: [n_items] bool; True where the item is in the space.
    """

    item_ids: np.ndarray
    matrix: np.ndarray
    observed: np.ndarray

    def __post_init__(self) -> None:
        n = len(self.item_ids)
        if self.matrix.shape[:1] != (n,) or self.observed.shape != (n,):
            raise ValueError(
                f"{n} item ids, but matrix {self.matrix.shape} and mask {self.observed.shape}"
            )
        if not np.isfinite(self.matrix[self.observed]).all():
            raise InputError("A vector of an item that is in the space holds NaN or infinity.")
        matrix = np.array(self.matrix, dtype=np.float32, order="C")
        matrix[~self.observed] = 0.0
        object.__setattr__(self, "matrix", read_only(matrix))
        object.__setattr__(self, "observed", read_only(self.observed.astype(bool)))

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of ids, mask and values."""
        arrays = sha256_arrays(self.matrix, self.observed)
        return sha256_json([sha256_strings(self.item_ids), arrays])

    @cached_property
    def directed(self) -> np.ndarray:
        """[n_items] bool; True where the vector has a direction, which cosine needs."""
        return np.asarray(self.observed & (np.abs(self.matrix).max(axis=1, initial=0.0) > 0))

    @cached_property
    def distinct(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the first item of every vector with a direction, and who shares it.

        Returns:
            rows [m] ascending, and place [n_items] in ``rows``, -1 where there is no direction.
        """
        members = np.flatnonzero(self.directed)
        _, first, inverse = np.unique(
            self.matrix[members], axis=0, return_index=True, return_inverse=True
        )
        # In the order of the catalogue, so that a map does not depend on the values' order.
        order = np.argsort(first, kind="stable")
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        place = np.full(len(self.item_ids), -1)
        place[members] = rank[inverse.ravel()]
        return members[first[order]], place
