"""Extractors that read descriptions: attributes, their words, and attributes of a rival's probe.

They feed AttributeItemKNN and every other recommender. The attributes that a vision-language model
decoded stand beside what must be ruled out: the same words read by a text encoder, and attributes
that a probe reads from another extractor's vectors.
"""

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from pydantic import Field

from mmrec_core.descriptions.probes import ProbeConfig, probe
from mmrec_core.descriptions.service import (
    Descriptions,
    load_descriptions,
    spoken,
    values_of,
)
from mmrec_core.descriptions.vocabulary import VocabularyConfig, build_vocabulary
from mmrec_core.domain import Dataset, InputError, Progress, sha256_json, sha256_strings
from mmrec_core.extractors.base import EXTRACTORS, Available, ExtractorConfig
from mmrec_core.extractors.matrices import MatrixExtractor
from mmrec_core.extractors.minilm import MiniLM, sentence_vectors
from mmrec_core.extractors.service import embed, make_extractor

KEY = Field(
    "", description="Key of the descriptions, or its beginning; see: mmrec_core list descriptions"
)


class AttributesConfig(ExtractorConfig):
    """Options of attributes."""

    descriptions: str = KEY
    distance: float = Field(
        0.2, ge=0, le=2, description="Mean cosine distance up to which values of a slot merge"
    )
    most: int = Field(50, ge=1, le=500, description="Attributes of a slot; the rest are 'other'")


class _OfDescriptions(MatrixExtractor):
    """What extractors of descriptions share."""

    modality = "joint"
    version = 1

    def availability(self) -> Available:
        """Whether descriptions are named and here."""
        try:
            self._made()
        except InputError as error:
            return Available(False, str(error).removesuffix("."))
        return Available(True)

    def inputs_fingerprint(self, dataset: Dataset) -> str:
        """sha256 of item ids and descriptions."""
        return sha256_json([sha256_strings(dataset.item_ids), self._made().artefact.key])

    def spec(self, dataset: Dataset) -> dict[str, Any]:
        """However short the key was that was typed."""
        spec = super().spec(dataset)
        config = {name: value for name, value in spec["config"].items() if name != "descriptions"}
        return {**spec, "config": config}

    def _made(self) -> Descriptions:
        if not self.config.descriptions:
            raise InputError(
                "no descriptions are named; make some with python -m mmrec_core describe and give "
                "their key with the option descriptions"
            )
        return load_descriptions(self.config.descriptions)

    def _values(self, dataset: Dataset) -> list[dict[str, str]]:
        """Slot -> value of each item, in the order of ``dataset``; empty where nothing was said."""
        return values_of(dataset, self._made())


class Attributes(_OfDescriptions):
    """Attributes decoded from descriptions: one column a slot and attribute, 1 where it is said.

    Values are brought to lower case and lemmas, like ones of a slot merge by meaning, the most
    frequent become attributes. Items of which nothing was said are missing.
    """

    name = "attributes"
    title = "Attributes decoded from descriptions"
    reference = "Pomo et al., CIKM 2025 (RQ3)"
    Config = AttributesConfig

    def matrix(
        self, dataset: Dataset, device: str | None, progress: Progress
    ) -> tuple[np.ndarray, np.ndarray]:
        """One-hot attributes."""
        made, values = self._made(), self._values(dataset)
        config = VocabularyConfig(distance=self.config.distance, attributes=self.config.most)
        vocabulary = build_vocabulary(values, made.slots, config)
        matrix = vocabulary.one_hot(values)
        if not made.structured:
            raise InputError("These descriptions were not asked for slots, so hold no attributes.")
        if not matrix.size or not matrix.any():
            raise InputError("The descriptions hold no value in any slot.")
        return matrix, (matrix == 0).all(axis=1)


class DescribedConfig(ExtractorConfig):
    """Options of descriptions read as text."""

    descriptions: str = KEY


class DescriptionText(_OfDescriptions):
    """Descriptions read by MiniLM as one text: the same words, not as attributes.

    The control of decoded attributes: what does taking the words apart add?
    """

    name = "description-text"
    title = "MiniLM of the description"
    reference = MiniLM.reference
    width = MiniLM.width
    Config = DescribedConfig

    def availability(self) -> Available:
        """Whether the descriptions and MiniLM are here."""
        own = super().availability()
        return own if not own.ok else MiniLM().availability()

    def matrix(
        self, dataset: Dataset, device: str | None, progress: Progress
    ) -> tuple[np.ndarray, np.ndarray]:
        """Sentence vectors of the values in the order of the slots, or of the whole answers."""
        texts = spoken(dataset, self._made())
        known = np.array([bool(text) for text in texts])
        distinct, place = np.unique([text for text in texts if text], return_inverse=True)
        matrix = np.zeros((len(texts), MiniLM.width), dtype=np.float32)
        if len(distinct):
            matrix[known] = sentence_vectors([str(text) for text in distinct])[place]
        return matrix, ~known


class ProbedConfig(ExtractorConfig):
    """Options of attributes that a probe reads."""

    descriptions: str = Field(
        "",
        description="Key of the descriptions whose values the probe learns; empty: the truth of "
        "the demo, in its visible slots",
    )
    extractor: str = Field("efficientnet-lite0", description="Whose vectors the probe reads")
    config: dict[str, Any] = Field(default_factory=dict, description="Options of that extractor")
    seed: int = Field(0, ge=0, description="Of the folds")


class ProbedAttributes(_OfDescriptions):
    """Attributes that a probe reads from another extractor's vectors, each item out of fold.

    One column a slot and value, 1 for the most probable value. The rival of decoded attributes: a
    common extractor, and a probe that learns the same labels.
    """

    name = "probed-attributes"
    title = "Attributes by a probe"
    reference = "Alain and Bengio, Understanding intermediate layers using linear probes, 2016"
    Config = ProbedConfig
    VISIBLE: ClassVar = ("type", "colour", "pattern", "material", "style")

    def availability(self) -> Available:
        """Whether the vectors' extractor can run, and named descriptions are here."""
        if self.config.descriptions:
            own = super().availability()
            if not own.ok:
                return own
        return make_extractor(self.config.extractor, self.config.config).availability()

    def inputs_fingerprint(self, dataset: Dataset) -> str:
        """sha256 of labels and of what the vectors are made from."""
        labels = self._labels(dataset)
        vectors = make_extractor(self.config.extractor, self.config.config).spec(dataset)
        return sha256_json([sha256_strings(dataset.item_ids), labels, vectors])

    def matrix(
        self, dataset: Dataset, device: str | None, progress: Progress
    ) -> tuple[np.ndarray, np.ndarray]:
        """One-hot of each slot's most probable value."""
        vectors, _ = embed(dataset, self.config.extractor, self.config.config, progress)
        blocks = []
        for slot, labels in self._labels(dataset).items():
            try:
                found = probe(vectors, labels, slot, ProbeConfig(seed=self.config.seed))
            except InputError:
                # A slot in which everything is one value tells nothing apart.
                continue
            said = pd.Categorical(found.said()["value"], categories=list(found.classes))
            blocks.append((said.codes[:, None] == np.arange(len(found.classes))).astype(np.float32))
        if not blocks:
            raise InputError("No slot has two values with enough items for a probe.")
        return np.concatenate(blocks, axis=1), vectors.missing

    def _labels(self, dataset: Dataset) -> dict[str, list[str | None]]:
        if self.config.descriptions:
            values = self._values(dataset)
            return {slot: [own.get(slot) for own in values] for slot in self._made().slots}
        if not dataset.info.truth:
            raise InputError(
                f"Nothing is known of the values of {dataset.name!r}; name descriptions whose "
                "values the probe learns."
            )
        from mmrec_core.datasets.demo import load_truth

        truth = load_truth(dataset.name.removeprefix("demo-")).attributes.set_index("item_id")
        return {name: list(truth.loc[dataset.item_ids, name]) for name in self.VISIBLE}


for _kind in (Attributes, DescriptionText, ProbedAttributes):
    EXTRACTORS.register(_kind.name, _kind)
