"""What the runs of a study read: dataset, split and features, loaded once in each process."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd

from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.datasets.split import SplitConfig, make_split
from mmrec_core.domain import (
    Dataset,
    Embeddings,
    Features,
    InputError,
    Progress,
    Split,
    no_progress,
)
from mmrec_core.extractors.base import EXTRACTORS, make_config
from mmrec_core.extractors.context_controls import category_groups, popularity_groups
from mmrec_core.extractors.controls import Groups
from mmrec_core.extractors.service import (
    default_extractor,
    embed,
    find_embeddings,
    load_embeddings,
)
from mmrec_core.recommenders.validation import VALIDATION_K
from mmrec_core.studies.study import FeatureChoice, Study, extractions


@dataclass(frozen=True, eq=False)
class Inputs:
    """Dataset, split, and features aligned with the split's items.

    Attributes:
        dataset: Installed.
        split: Of its interactions.
        features: Modality -> real features.
        extracted: Control -> features that were extracted again under it.
    """

    dataset: Dataset
    split: Split
    features: Features
    extracted: Features = field(default_factory=dict)

    @property
    def missing(self) -> Mapping[str, bool]:
        """Modality -> whether some items lack it."""
        return {m: bool(e.missing.any()) for m, e in self.features.items()}

    @cached_property
    def groups(self) -> Groups:
        """What controls may group the split's items by."""
        return item_groups(self.dataset, self.split)

    @property
    def fingerprints(self) -> dict[str, str]:
        """What a study's numbers rest on besides the study itself."""
        return {
            "split": self.split.fingerprint,
            **{m: e.fingerprint for m, e in sorted(self.features.items())},
            **{c: e.fingerprint for c, e in sorted(self.extracted.items())},
        }


def resolved(study: Study) -> Study:
    """The study with its split and its extractors' options spelled out."""
    dataset = load_dataset(study.dataset)
    study = with_split(study)
    features = dict(study.features)
    for modality in study.modalities:
        if modality in features:
            name = features[modality].extractor
            config = make_config(EXTRACTORS.get(name), features[modality].config)
        else:
            name, config = default_extractor(modality, dataset)
        features[modality] = FeatureChoice(extractor=name, config=config.model_dump(mode="json"))
    return study.model_copy(update={"features": {m: features[m] for m in study.modalities}})


def with_split(study: Study) -> Study:
    """The study with its split spelled out."""
    split = study.split or usual_config(load_dataset(study.dataset))
    return study.model_copy(update={"split": split})


def usual_config(dataset: Dataset) -> SplitConfig:
    """The split that a dataset asks for."""
    info = dataset.info
    return SplitConfig(strategy=info.split, k_core=info.k_core, relevant_from=info.relevant_from)


def usual_split(dataset: Dataset) -> Split:
    """A dataset divided as it asks for."""
    return study_split(dataset.name, dataset.fingerprint, usual_config(dataset))


def split_or_none(dataset: Dataset) -> Split | None:
    """A dataset divided as it asks for; None where too little is left to divide."""
    try:
        return usual_split(dataset)
    except InputError:
        return None


@lru_cache(maxsize=4)
def study_split(dataset_name: str, fingerprint: str, config: SplitConfig) -> Split:
    """The split of a study; ``fingerprint`` makes the cache forget a changed dataset."""
    return make_split(load_dataset(dataset_name), config)


def split_of(study: Study) -> Split:
    """The split of a resolved study.

    Raises:
        InputError: The dataset cannot be divided so, or too few items are ranked.
    """
    assert study.split is not None
    split = study_split(study.dataset, load_dataset(study.dataset).fingerprint, study.split)
    _enough_to_rank(study, split)
    return split


def item_groups(dataset: Dataset, split: Split) -> Groups:
    """Groups of the split's items by popularity in training and, if there are any, categories."""
    groups = {"popularity": popularity_groups(split.train_degree)}
    row = pd.Index(dataset.item_ids).get_indexer(pd.Index(split.item_ids))
    categories = dataset.items["category"].to_numpy(dtype=object)[row]
    if (categories != "").any():
        groups["category"] = category_groups(categories, dataset.info.category_separator)
    return groups


def embedded(study: Study, what: str) -> bool:
    """True when the embeddings of a modality, or of a control of the input, are in the store."""
    choice = extractions(study)[what]
    dataset = load_dataset(study.dataset)
    return find_embeddings(dataset, choice.extractor, choice.config) is not None


def to_embed(study: Study) -> list[str]:
    """What of ``extractions`` is not in the store yet."""
    return [what for what in extractions(study) if not embedded(study, what)]


def embed_one(study: Study, what: str, progress: Progress = no_progress) -> None:
    """Makes the embeddings of a modality or control, unless the store has them."""
    choice = extractions(study)[what]
    embed(load_dataset(study.dataset), choice.extractor, choice.config, progress)


def load_inputs(study: Study) -> Inputs:
    """Inputs of a resolved study whose embeddings are in the store.

    Raises:
        InputError: Embeddings are not there, or say nothing about the split's items.
    """
    dataset, split = load_dataset(study.dataset), split_of(study)
    for part in ("valid", "test"):
        if np.count_nonzero(np.diff(split.relevant(part).indptr)) < 2:
            raise InputError(
                f"Fewer than two users of {dataset.name} have a relevant {part} item "
                f"({split.description}). Lower the relevance threshold or the k-core."
            )
    features: dict[str, Embeddings] = {}
    extracted: dict[str, Embeddings] = {}
    for what, choice in extractions(study).items():
        modality = what if what in study.modalities else "joint"
        artefact = find_embeddings(dataset, choice.extractor, choice.config)
        if artefact is None:
            raise InputError(f"The {modality} embeddings of {dataset.name} are not made yet.")
        own = load_embeddings(artefact)
        if own.modality != modality:
            raise InputError(
                f"{choice.extractor} makes {own.modality} embeddings, not {modality}; "
                "choose another extractor."
            )
        aligned = own.aligned(split.item_ids)
        if np.count_nonzero(aligned.observed) < 2:
            raise InputError(
                f"Only {np.count_nonzero(aligned.observed)} of {split.n_items} items of "
                f"{dataset.name} have {modality}: leave {modality} out of the study."
            )
        (features if what in study.modalities else extracted)[what] = aligned
    return Inputs(dataset, split, features, extracted)


def _enough_to_rank(study: Study, split: Split) -> None:
    """Refuses a split whose candidates all fit into one list: every model would be perfect."""
    if split.candidates is None:
        return
    n, k = int(split.candidates.sum()), max(VALIDATION_K, int(study.metric.partition("@")[2]))
    if n <= k:
        raise InputError(
            f"Only {n} items are ranked ({split.description}), so a list of {k} holds them all "
            "whatever the model; raise the share of cold items."
        )
