"""Every space that items of a dataset lie in: embeddings, controls of them, trained item vectors.

A space has a name that is typed, stands in addresses and keys jobs: ``minilm``,
``small-lvlm(position=image_mean)``, ``minilm|shuffle@1`` (a control with its seed), or
``run:KEY`` (the item vectors of a trained recommender). Maps and alignment take any of them.
"""

import contextlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.alignment.service import AlignedSpace
from mmrec_core.domain import Dataset, Embeddings, InputError, Progress, no_progress
from mmrec_core.extractors import controls
from mmrec_core.extractors.base import Extractor
from mmrec_core.extractors.hub import ModelNotHereError
from mmrec_core.extractors.service import KIND as EMBEDDINGS
from mmrec_core.extractors.service import embed, find_embeddings, load_embeddings, make_extractor
from mmrec_core.extractors.shared_space import SharedSpace, fitted_within, held_out_items
from mmrec_core.projection.vectors import Vectors
from mmrec_core.recommenders.trainer import Trained
from mmrec_core.store import Artefact, store, write_array
from mmrec_core.studies.feature_settings import parse_setting, written
from mmrec_core.studies.stored import study_of
from mmrec_core.studies.trained import StoredRun, find_stored_run, fitted, stored_runs

CONTROLS = ("shuffle", "gaussian-matched", "gaussian-unit")
"""Controls that a map or an alignment can be looked at under."""

ITEM_VECTORS, ITEM_VECTORS_VERSION = "item-vectors", 2
NO_MODALITY = "none"
_KEY = 12


@dataclass(frozen=True)
class Space:
    """One space of a dataset.

    Attributes:
        name: Typed, in addresses, and in keys.
        title: On screen.
        modality: ``image``, ``text``, ``joint``, or ``none`` for trained item vectors.
        kind: ``extractor``, ``control`` or ``recommender``.
    """

    name: str
    title: str
    modality: str
    kind: str


def list_spaces(dataset: Dataset) -> list[Space]:
    """Spaces whose vectors are here, or follow at once: extractors first, trained models last."""
    found = [*_extracted(dataset), *_trained(dataset)]
    titles = Counter(space.title for space in found)
    return [
        # Runs of one model on other features would read alike.
        replace(space, title=f"{space.title} [{space.name.rpartition(':')[2]}]")
        if titles[space.title] > 1
        else space
        for space in found
    ]


def find_space(dataset: Dataset, name: str) -> Space:
    """The space called ``name``, whether its vectors are here or not.

    Raises:
        InputError: There is no such space.
    """
    if name.startswith("run:"):
        return _space_of_run(_run(dataset, name))
    base, bar, control = name.partition("|")
    extractor = _extractor(dataset, base)
    space = _space_of(extractor, base)
    if not bar:
        return space
    control, seed = _control(control)
    title = f"{space.title}, {controls.CONTROLS.get(control).title.lower()}"
    if seed:
        title += f", seed {seed}"
    return Space(name, title, space.modality, "control")


def find_vectors(dataset: Dataset, name: str) -> Vectors | None:
    """The vectors of a space where they are here; None where they must be made first.

    Raises:
        InputError: There is no such space.
    """
    if name.startswith("run:"):
        made = store().get(ITEM_VECTORS, _item_spec(_run(dataset, name)))
        return None if made is None else _item_vectors(dataset, made)
    base, _, control = name.partition("|")
    extractor = _extractor(dataset, base)
    found = find_embeddings(dataset, extractor.name, extractor.config)
    return None if found is None else _controlled(load_embeddings(found), control)


def make_vectors(dataset: Dataset, name: str, progress: Progress = no_progress) -> Vectors:
    """The vectors of a space, made where they are not here yet.

    Raises:
        InputError: There is no such space, or its vectors cannot be made here.
    """
    if name.startswith("run:"):
        return _item_vectors(dataset, _make_item_vectors(_run(dataset, name)))
    base, _, control = name.partition("|")
    extractor = _extractor(dataset, base)
    return _controlled(embed(dataset, extractor.name, extractor.config, progress)[0], control)


def aligned_space(dataset: Dataset, name: str, progress: Progress = no_progress) -> AlignedSpace:
    """A space as alignment takes it, made where it is not here yet.

    Raises:
        InputError: As of ``make_vectors``.
    """
    vectors = make_vectors(dataset, name, progress)
    for shared in _fitted(dataset, name):
        shared.heads(dataset, progress)
    return as_aligned(dataset, name, vectors)


def as_aligned(dataset: Dataset, name: str, vectors: Vectors) -> AlignedSpace:
    """A space whose vectors are here, as alignment takes it."""
    modality = find_space(dataset, name).modality
    held_out, own = held_out_of(dataset, name), extractor_of(dataset, name)
    if own is None:
        return AlignedSpace(modality, vectors, held_out=held_out)
    if not isinstance(own, SharedSpace):
        prefix = getattr(own.config, "prefix", "")
        return AlignedSpace(modality, vectors, own.shared_with(), held_out, prefix=prefix)
    made_from = own.source(dataset)
    source = Vectors(made_from.item_ids, made_from.matrix, made_from.observed)
    return AlignedSpace(modality, vectors, own.heads(dataset).key, held_out, source)


def is_ready(dataset: Dataset, name: str) -> bool:
    """Whether ``as_aligned`` computes nothing: the heads of a shared space may be gone."""
    return all(shared.find_heads(dataset) is not None for shared in _fitted(dataset, name))


def held_out_of(dataset: Dataset, name: str) -> np.ndarray | None:
    """[n_items] bool, True for items that nothing in a space was fitted on; None: nothing was.

    A fusion, or a recommender trained on fitted features, has seen what each of its parts has.

    Raises:
        InputError: There is no such space.
    """
    seen = [held_out_items(shared.heads(dataset)) for shared in _fitted(dataset, name)]
    return np.logical_and.reduce(seen) if seen else None


def extractor_of(dataset: Dataset, name: str) -> Extractor | None:
    """The extractor of a space as it is; None: a control's, or a trained recommender's."""
    return None if name.startswith("run:") or "|" in name else _extractor(dataset, name)


def _fitted(dataset: Dataset, name: str) -> list[SharedSpace]:
    """What of a space was fitted on this catalogue's pairs; a control's rows belong to no item."""
    if not name.startswith("run:"):
        own = extractor_of(dataset, name)
        return [] if own is None else fitted_within(own)
    run = _run(dataset, name)
    features = study_of(run.study).features
    chosen = [features[m] for m in run.artefact.spec["features"] if m in features]
    made = [make_extractor(choice.extractor, choice.config) for choice in chosen]
    return [found for own in made for found in fitted_within(own)]


def usual_spaces(spaces: Iterable[Space]) -> tuple[str, str] | None:
    """The two spaces that a page opens with: of the pictures and of the words, where there are."""
    known = [space for space in spaces if space.kind == "extractor"]
    if not known:
        return None
    by_modality = {space.modality: space.name for space in reversed(known)}
    first = by_modality.get("image", known[0].name)
    return first, by_modality.get("text", known[-1].name)


def _controlled(embeddings: Embeddings, control: str) -> Vectors:
    if control:
        name, seed = _control(control)
        own = controls.apply({embeddings.modality: embeddings}, embeddings.modality, name, seed)
        embeddings = own[embeddings.modality]
    return Vectors(embeddings.item_ids, embeddings.matrix, embeddings.observed)


def _control(text: str) -> tuple[str, int]:
    """Name and seed of a control written ``shuffle`` or ``shuffle@1``."""
    match = re.fullmatch(r"([a-z-]+)(?:@(\d{1,9}))?", text)
    if match is None or match[1] not in CONTROLS:
        raise InputError(
            f"A space is looked at under {', '.join(CONTROLS)}, with a seed as in shuffle@1, not "
            f"under {text!r}."
        )
    return match[1], int(match[2] or 0)


# Extractors


def _extracted(dataset: Dataset) -> Iterator[Space]:
    """Every finished matrix of embeddings of this dataset's items, whatever its options."""
    seen: set[str] = set()
    known = sorted(store().list(EMBEDDINGS), key=lambda a: str(a.meta["created"]))
    for artefact in known:
        extractor = _made_by(dataset, artefact)
        if extractor is None:
            continue
        name = _name(dataset, extractor, artefact)
        if name not in seen and not _of_a_control(extractor):
            seen.add(name)
            yield _space_of(extractor, name)


def _made_by(dataset: Dataset, artefact: Artefact) -> Extractor | None:
    """The extractor that made embeddings, if it did so from this dataset as it is now."""
    spec = artefact.spec
    for make in (
        lambda: make_extractor(spec["extractor"], spec["config"]),
        # Hub models are keyed by their weights; where those lie stands in the label alone.
        lambda: _parsed(str(artefact.facts["extractor"])),
    ):
        with contextlib.suppress(InputError, ModelNotHereError, OSError):
            extractor = make()
            if extractor.spec(dataset) == spec:
                return extractor
    return None


def _of_a_control(extractor: Extractor) -> bool:
    """Whether its input was replaced: such matrices are no space of the items."""
    values = extractor.config.model_dump()
    return any(values.get(part, "own") != "own" for part in ("picture", "title"))


def _name(dataset: Dataset, extractor: Extractor, artefact: Artefact) -> str:
    """The extractor with its options where that can be typed to the same effect, else the key."""
    name = written(extractor)
    with contextlib.suppress(InputError, ModelNotHereError):
        if name and _parsed(name).spec(dataset) == artefact.spec:
            return name
    return f"embeddings:{artefact.key[:_KEY]}"


def _parsed(text: str) -> Extractor:
    features = parse_setting(text).features
    if len(features) != 1:
        raise InputError(f"{text!r} names several matrices; a space is one.")
    choice = next(iter(features.values()))
    return make_extractor(choice.extractor, choice.config)


def _extractor(dataset: Dataset, name: str) -> Extractor:
    if not name.startswith("embeddings:"):
        return _parsed(name)
    key = name.removeprefix("embeddings:")
    for artefact in store().list(EMBEDDINGS):
        if key and artefact.key.startswith(key):
            extractor = _made_by(dataset, artefact)
            if extractor is not None:
                return extractor
    raise InputError(f"There are no embeddings {key!r} of {dataset.name}.")


def _space_of(extractor: Extractor, name: str) -> Space:
    title = extractor.label if extractor.name == "fusion" else _title(extractor)
    return Space(name, title, extractor.modality, "extractor")


def _title(extractor: Extractor) -> str:
    """Name on screen with the options that are not the default ones."""
    title, options = extractor.title, extractor.label.removeprefix(extractor.name)
    if isinstance(extractor, SharedSpace):
        side = {"image": "pictures", "text": "words"}[extractor.modality]
        title = f"Shared space, {side}"
        options = extractor.details
    if options.startswith(":"):
        return f"{title}{options.replace(':', ': ', 1)}"
    return f"{title} {options}" if options else title


# Trained recommenders


def _trained(dataset: Dataset) -> Iterator[Space]:
    """Trained item vectors: one a recommender and seed of every study's real arms."""
    for run in stored_runs(dataset):
        if _has_item_vectors(run):
            yield _space_of_run(run)


def _has_item_vectors(run: StoredRun) -> bool:
    return run.restorable and issubclass(run.kind, Trained)


def _run(dataset: Dataset, name: str) -> StoredRun:
    run = find_stored_run(dataset, name.removeprefix("run:"))
    if not _has_item_vectors(run):
        raise InputError(f"No item vectors are kept of {run.title}.")
    return run


def _space_of_run(run: StoredRun) -> Space:
    title, _, rest = run.title.partition(run.kind.title)
    title = f"{title}{run.kind.title}, item vectors{rest}"
    return Space(f"run:{run.name}", title, NO_MODALITY, "recommender")


def _item_spec(run: StoredRun) -> dict[str, Any]:
    return {"version": ITEM_VECTORS_VERSION, "run": run.artefact.key}


def _make_item_vectors(run: StoredRun) -> Artefact:
    """The items' factors of a trained recommender: those whose products with users' add up."""

    def write(folder: Path) -> dict[str, Any]:
        model = fitted(run)
        assert isinstance(model, Trained)
        parts = {part: v for part, (u, v) in model.factor_arrays().items() if u is not None}
        write_array(folder / "matrix.npy", np.concatenate(list(parts.values()), axis=1))
        split = model.split
        items = pd.DataFrame({"item_id": split.item_ids, "trained": split.train_degree > 0})
        items.astype({"item_id": "str"}).to_parquet(folder / "items.parquet", index=False)
        return {"parts": {part: int(v.shape[1]) for part, v in parts.items()}}

    return store().put(ITEM_VECTORS, _item_spec(run), write)


def _item_vectors(dataset: Dataset, made: Artefact) -> Vectors:
    """For all items of the dataset; those that training did not see are not in the space."""
    items = made.table("items")
    own, trained = items["item_id"].to_numpy(dtype=object), items["trained"].to_numpy(dtype=bool)
    embeddings = Embeddings("joint", "item vectors", own, made.array("matrix"), ~trained)
    embeddings = embeddings.aligned(dataset.item_ids)
    return Vectors(dataset.item_ids, embeddings.matrix, embeddings.observed)
