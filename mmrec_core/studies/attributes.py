"""AttributeItemKNN on descriptions: the study that asks whether they help, and those that did.

The attributes that a model decoded stand beside what must be ruled out: the same words read by a
text encoder, and the same labels read by a probe from another extractor's vectors.
"""

from collections.abc import Mapping
from typing import Any

from mmrec_core.descriptions.service import Descriptions
from mmrec_core.domain import InputError
from mmrec_core.studies.results import StudyResult, list_studies

RECOMMENDER = "attribute-item-knn"
CONTROLS = ("shuffle", "gaussian-matched", "removed")
REFERENCES = ("most-pop", "item-knn", "ease")

READERS: Mapping[str, str] = {
    "attributes": "Attributes decoded from the answers",
    "description-text": "The same words, read by MiniLM",
    "probed-attributes": "The same labels, read by a probe from EfficientNet's vectors",
}
"""Extractor of descriptions -> what it makes of them."""


def attribute_study(
    dataset: str, made: Descriptions, reader: str = "attributes", trials: int = 0
) -> dict[str, Any]:
    """The values of the study that feeds descriptions to AttributeItemKNN.

    Args:
        dataset: Its name.
        made: What was said of its items.
        reader: One of READERS.
        trials: Of the search of every arm's settings; 0: the defaults.

    Raises:
        InputError: The reader needs slots and these descriptions have none, or is unknown.
    """
    if reader not in READERS:
        raise InputError(f"There is no reader {reader!r}. Known: {', '.join(READERS)}.")
    if reader != "description-text" and not made.structured:
        raise InputError("These descriptions were not asked for slots, so hold no attributes.")
    values: dict[str, Any] = {
        "dataset": dataset,
        "recommenders": [RECOMMENDER],
        "references": list(REFERENCES),
        "modalities": ["joint"],
        "features": {"joint": {"extractor": reader, "config": {"descriptions": made.artefact.key}}},
        "controls": list(CONTROLS),
    }
    if trials:
        values["tuning"] = {"trials": trials}
    return values


def readers_of(made: Descriptions) -> list[str]:
    """What can be made of descriptions; sentences hold no attributes."""
    return list(READERS) if made.structured else ["description-text"]


def studies_of(dataset: str, made: Descriptions) -> dict[str, list[StudyResult]]:
    """Reader -> finished studies whose features were made of these descriptions, newest first."""
    found: dict[str, list[StudyResult]] = {}
    for result in list_studies(dataset):
        reader = _reader(result, made.artefact.key)
        if reader:
            found.setdefault(reader, []).append(result)
    return found


def _reader(result: StudyResult, key: str) -> str:
    """Which reader of these descriptions made a study's features; empty: none."""
    if result.imported:
        return ""
    choice = result.study["features"].get("joint") or {}
    named = choice.get("config", {}).get("descriptions", "")
    known = choice.get("extractor") in READERS
    return str(choice["extractor"]) if known and named and key.startswith(named) else ""
