"""What extractors share that make their whole matrix at once, from what is known of the items."""

from abc import abstractmethod
from collections.abc import Callable

import numpy as np

from mmrec_core.domain import (
    Dataset,
    Embeddings,
    InputError,
    Progress,
    no_progress,
    sha256_json,
)
from mmrec_core.extractors.base import Available, Encoded, Extractor, Shards


class MatrixExtractor(Extractor):
    """An extractor that computes all rows together; there are no shards to keep."""

    width = 0

    @abstractmethod
    def matrix(
        self, dataset: Dataset, device: str | None, progress: Progress
    ) -> tuple[np.ndarray, np.ndarray]:
        """Vectors [n_items, width] float32, and which items lack them [n_items] bool.

        Raises:
            InputError: They cannot be made of this dataset.
        """

    def availability(self) -> Available:
        """Needs nothing but the dataset, unless an extractor says so."""
        return Available(True)

    def observed(self, dataset: Dataset) -> np.ndarray:
        """True where an item has a vector."""
        return ~self.matrix(dataset, None, no_progress)[1]

    def encode(
        self,
        dataset: Dataset,
        device: str | None = None,
        batch_size: int | None = None,
        progress: Progress = no_progress,
        shards: Shards | None = None,
    ) -> Embeddings:
        """Makes the matrix; see ``Extractor.encode``."""
        ok, reason = self.availability()
        if not ok:
            raise InputError(f"{self.title} cannot run: {reason}.")
        progress(0, dataset.n_items, self.name)
        matrix, missing = self.matrix(dataset, device, progress)
        progress(dataset.n_items, dataset.n_items, self.name)
        return Embeddings(self.modality, self.label, dataset.item_ids, matrix, missing)

    def encode_rows(
        self,
        dataset: Dataset,
        rows: np.ndarray,
        device: str,
        batch_size: int,
        done: Callable[[int, str], None],
    ) -> Encoded:
        """The given rows of the matrix."""
        return Encoded(self.matrix(dataset, device, no_progress)[0][rows])


class OfParts(MatrixExtractor):
    """An extractor that is made of what other extractors make."""

    @abstractmethod
    def made_of(self) -> list[Extractor]:
        """The other extractors with their options."""

    def availability(self) -> Available:
        """Whether every part can run here."""
        for part in self.made_of():
            ok, reason = part.availability()
            if not ok:
                return Available(False, f"{part.title}: {reason}")
        return Available(True)

    def prepare(self) -> None:
        """Gets what the parts need."""
        for part in self.made_of():
            part.prepare()

    def inputs_fingerprint(self, dataset: Dataset) -> str:
        """sha256 of what the parts are made from."""
        return sha256_json([part.spec(dataset) for part in self.made_of()])
