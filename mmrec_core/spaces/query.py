"""A typed text or a picture as a point of a space: what a search by meaning starts from."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.domain import Dataset, InputError
from mmrec_core.extractors.base import Extractor
from mmrec_core.extractors.hub_models import HubModel
from mmrec_core.extractors.images import ImageExtractor
from mmrec_core.extractors.service import make_extractor
from mmrec_core.extractors.shared_space import SharedSpace, project
from mmrec_core.extractors.texts import TextExtractor
from mmrec_core.spaces import extractor_of
from mmrec_core.store import Artefact, store, write_array

KIND, VERSION = "query", 1
MOST_CHARACTERS = 2000


def searched_by(dataset: Dataset, name: str) -> tuple[str, ...]:
    """What a space can be searched by: ``text``, ``image``, both, or nothing.

    A shared space, fitted here or of a model with two towers (CLIP), is searched by both, whichever
    side is shown; spaces of controls and of trained
    recommenders have no place for something new.
    """
    extractor = extractor_of(dataset, name)
    if isinstance(extractor, SharedSpace):
        return ("text", "image")
    if isinstance(extractor, HubModel) and extractor.shared_with():
        return ("text", "image")
    if isinstance(extractor, TextExtractor):
        return ("text",)
    return ("image",) if isinstance(extractor, ImageExtractor) else ()


def query_vector(
    dataset: Dataset, name: str, text: str = "", picture: Path | None = None
) -> tuple[np.ndarray, Artefact]:
    """Where a text, or a picture, lies in a space, float32 [d]; made once for the same input.

    Raises:
        InputError: The space cannot be searched so, or the picture cannot be read.
    """
    side = "text" if picture is None else "image"
    if side not in searched_by(dataset, name):
        raise InputError(f"The space {name!r} cannot be searched by {side}.")
    text = text.strip()[:MOST_CHARACTERS]
    if picture is None and not text:
        raise InputError("Type a few words to search by.")
    if picture is not None and not picture.is_file():
        raise InputError("The picture is not here any more; choose it and search again.")
    extractor = extractor_of(dataset, name)
    assert extractor is not None
    heads = extractor.heads(dataset) if isinstance(extractor, SharedSpace) else None
    reader = _reader(extractor, side)
    spec = {
        "version": VERSION,
        "extractor": reader.name,
        "extractor_version": reader.version,
        "config": reader.config.model_dump(mode="json"),
        "heads": None if heads is None else heads.key,
        "side": side,
        "input": text if picture is None else hashlib.sha256(picture.read_bytes()).hexdigest(),
    }

    def write(folder: Path) -> dict[str, Any]:
        made = reader.encode(_one_item(dataset, text, picture))
        if made.missing[0]:
            reason = next(iter(made.failures.values()), "nothing in it can be read")
            raise InputError(f"It cannot be searched by: {reason}.")
        matrix = made.matrix if heads is None else project(heads, side, made.matrix)
        write_array(folder / "vector.npy", matrix[0])
        return {}

    made = store().get(KIND, spec) or store().put(KIND, spec, write)
    return np.asarray(made.array("vector")), made


def _reader(extractor: Extractor, side: str) -> Extractor:
    """What reads the input: the extractor, or that of the other side of a shared space."""
    if isinstance(extractor, SharedSpace):
        part = getattr(extractor.config, side)
        return make_extractor(part.extractor, part.config)
    if isinstance(extractor, HubModel) and extractor.modality != side:
        return make_extractor(f"hub-{side}", {"model": extractor.model, "pooling": "embeds"})
    return extractor


def _one_item(dataset: Dataset, text: str, picture: Path | None) -> Dataset:
    """A catalogue of nothing but what is searched by."""
    image = "" if picture is None else picture.name
    item = {"item_id": "query", "title": text, "text": text, "category": "", "image": image}
    items = pd.DataFrame([{**item, "image_sha256": image}], dtype="str")
    folder = dataset.folder if picture is None else picture.parent
    return Dataset("query", items, dataset.interactions.head(0), folder, dataset.info, "query")
