"""What extractors of words share: who has any, the order of work, and batches."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from mmrec_core.domain import Dataset, sha256_json, sha256_strings
from mmrec_core.extractors.base import Encoded, Extractor, ExtractorConfig


class TextConfig(ExtractorConfig):
    """Options of every extractor of words."""

    column: Literal["text", "title"] = Field(
        "text", description="What is read: the whole text of an item, or its title alone."
    )


class TextExtractor(Extractor):
    """An extractor that reads one text an item."""

    modality = "text"
    Config = TextConfig

    @abstractmethod
    def forward(self, texts: Sequence[str], device: str) -> np.ndarray:
        """Vectors of a batch, [n, width]."""

    def observed(self, dataset: Dataset) -> np.ndarray:
        """True where the text holds more than white space."""
        texts: np.ndarray = (self._texts(dataset).str.strip() != "").to_numpy(dtype=bool)
        return texts

    def inputs_fingerprint(self, dataset: Dataset) -> str:
        """sha256 of item ids and texts."""
        return sha256_json([sha256_strings(dataset.item_ids), sha256_strings(self._texts(dataset))])

    def order(self, dataset: Dataset) -> np.ndarray:
        """Longest text first: batches hold texts of like length, and padding is not computed."""
        rows = np.flatnonzero(self.observed(dataset))
        length = self._texts(dataset).str.len().to_numpy(dtype=np.int64)
        return rows[np.argsort(-length[rows], kind="stable")]

    def encode_rows(
        self,
        dataset: Dataset,
        rows: np.ndarray,
        device: str,
        batch_size: int,
        done: Callable[[int, str], None],
    ) -> Encoded:
        """Encodes texts."""
        texts = self._texts(dataset).iloc[rows].tolist()

        def forward(batch: Sequence[str]) -> np.ndarray:
            return self.forward(batch, device)

        return Encoded(self.in_batches(texts, batch_size, forward, done))

    def _texts(self, dataset: Dataset) -> "pd.Series[str]":
        texts: pd.Series[str] = dataset.items[self.config.column].fillna("").astype(str)
        return texts
