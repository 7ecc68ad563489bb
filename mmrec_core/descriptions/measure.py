"""Faithfulness of descriptions and probes of vectors, through the store."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.descriptions.parser import parse_answer
from mmrec_core.descriptions.probes import Probe, ProbeConfig, probe
from mmrec_core.descriptions.round_trip import round_trip
from mmrec_core.descriptions.service import (
    UNSAID,
    Descriptions,
    as_texts,
    once,
    spoken,
    values_of,
)
from mmrec_core.descriptions.support import accuracy_table, agreement_table, support_table
from mmrec_core.domain import (
    Dataset,
    Embeddings,
    InputError,
    Progress,
    no_progress,
    sha256_json,
    sha256_strings,
)
from mmrec_core.extractors.minilm import sentence_vectors
from mmrec_core.extractors.prompts import Prompt
from mmrec_core.extractors.service import embed, make_extractor
from mmrec_core.extractors.vision_language import VisionLanguage
from mmrec_core.settings import device as chosen_device
from mmrec_core.settings import settings
from mmrec_core.store import Artefact, Store, store

FAITHFULNESS, PROBES = "faithfulness", "probes"
VERSION = 1
SAMPLE = 96
"""Items that are asked again: in other words, and with noise for a picture."""
DEMO_SLOTS: Mapping[str, str] = {
    "Type": "type",
    "Color": "colour",
    "Pattern": "pattern",
    "Material": "material",
    "Style": "style",
}
"""Slot of the demo's prompt -> attribute of the generator."""


def truth_of(dataset: Dataset, columns: Mapping[str, str] | None = None) -> dict[str, list[Any]]:
    """Slot -> true value of each item, as far as it is known.

    Args:
        dataset: Whose items.
        columns: Slot -> column of the items; on the demo its own truth is added.

    Raises:
        InputError: There is no such column.
    """
    known: dict[str, list[Any]] = {}
    if dataset.info.truth:
        from mmrec_core.datasets.demo import load_truth

        table = load_truth(dataset.name.removeprefix("demo-")).attributes.set_index("item_id")
        for slot, name in DEMO_SLOTS.items():
            known[slot] = list(table.loc[dataset.item_ids, name])
    for slot, column in (columns or {}).items():
        if column not in dataset.items:
            raise InputError(
                f"The items of {dataset.name!r} have no column {column!r}; they have "
                f"{', '.join(map(repr, dataset.items.columns))}."
            )
        cells = dataset.items[column].fillna("").astype(str)
        known[slot] = [cell or None for cell in cells]
    return known


def measure_faithfulness(
    dataset: Dataset,
    made: Descriptions,
    progress: Progress = no_progress,
    *,
    extractor: str = "efficientnet-lite0",
    config: Mapping[str, Any] | None = None,
    truth: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Artefact:
    """Measures how far descriptions can be trusted; once for the same inputs.

    Args:
        dataset: Whose items were described.
        made: What was said.
        progress: Told of steps done.
        extractor: Whose picture vectors serve the round trip and the support by the picture.
        config: Its options.
        truth: Slot -> column of the items that holds the truth.
        seed: Of folds and controls.

    Returns:
        The artefact; ``tables`` reads it.

    Raises:
        InputError: Nothing was said, or the pictures cannot be encoded.
    """
    spec = faithfulness_spec(dataset, made, extractor, config, truth, seed)
    found = store().sound(FAITHFULNESS, Store.key(FAITHFULNESS, spec))
    if found is not None:
        return found
    if settings().read_only:
        raise InputError("This store is on show (MMREC_READ_ONLY=1): nothing is computed.")
    if not made.asked:
        raise InputError("Nothing was said of any item, so there is nothing to measure.")
    vectors, _ = embed(dataset, extractor, config, progress)
    progress(1, 5, "asking again in other words, and with noise for a picture")
    unaskable = _askable(made)
    again, noise, rows = ([], [], np.empty(0, int)) if unaskable else _asked_again(dataset, made)
    progress(2, 5, "probing the pictures")
    probes = _probes(vectors, made, seed)
    progress(3, 5, "from words back to pictures")
    trips = _trips(dataset, made, vectors, noise, rows, seed)
    progress(4, 5, "comparing with what else is known")
    texts = _texts_of(dataset)
    known = {s: v for s, v in truth_of(dataset, truth).items() if s in made.slots}
    values, asked = values_of(dataset, made), _was_asked(dataset, made)
    known = {
        slot: [own if a else None for own, a in zip(true, asked, strict=True)]
        for slot, true in known.items()
    }
    tables = {
        "round_trip": trips,
        "accuracy": accuracy_table(values, known),
        "support": support_table(values, texts, probes, made.slots),
        "consistency": (
            agreement_table([values[row] for row in rows], _parsed(again, made), made.slots)
            if again
            else pd.DataFrame(columns=["slot", "items", "same", "kappa"])
        ),
    }
    progress(5, 5, "done")

    def write(folder: Path) -> dict[str, Any]:
        for name, table in tables.items():
            table.to_parquet(folder / f"{name}.parquet", index=False)
        return {
            "dataset": dataset.name,
            "descriptions": made.artefact.key,
            "items": spec["items"],
            "extractor": vectors.extractor,
            "asked_again": len(rows),
            "not_asked": unaskable,
            "truth": dict(truth or {}),
        }

    return store().put(FAITHFULNESS, spec, write)


def faithfulness_spec(
    dataset: Dataset,
    made: Descriptions,
    extractor: str = "efficientnet-lite0",
    config: Mapping[str, Any] | None = None,
    truth: Mapping[str, str] | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """What the measures of descriptions are made from."""
    return {
        "version": VERSION,
        "descriptions": made.artefact.key,
        "pictures": make_extractor(extractor, config).spec(dataset),
        "items": _told_fingerprint(dataset),
        "truth": truth_fingerprint(dataset, truth),
        "again": [SAMPLE, "" if _askable(made) else _again_fingerprint(made)],
        "seed": seed,
    }


def truth_fingerprint(dataset: Dataset, columns: Mapping[str, str] | None = None) -> str:
    """sha256 of what ``truth_of`` gives."""
    what = f"truth {sorted((columns or {}).items())}"
    return once(dataset, what, lambda: sha256_json(truth_of(dataset, columns)))


def _told_fingerprint(dataset: Dataset) -> str:
    """sha256 of titles, texts and categories."""
    return once(dataset, "told", lambda: sha256_strings(_texts_of(dataset) + _groups(dataset)))


def _texts_of(dataset: Dataset) -> list[str]:
    """Title, text and category of each item as one text."""
    named = ("title", "text", "category")
    columns = [dataset.items[name].fillna("").astype(str) for name in named]
    return list(columns[0] + " " + columns[1] + " " + columns[2])


def _groups(dataset: Dataset) -> list[str]:
    return list(dataset.items["category"].fillna("").astype(str))


def find_faithfulness(
    dataset: Dataset, made: Descriptions, truth: Mapping[str, str] | None = None
) -> Artefact | None:
    """The newest measures of these descriptions on these items, or None.

    Args:
        dataset: Whose items.
        made: What was said.
        truth: Slot -> column of the items that holds the truth; empty: whatever it was.
    """
    items = _told_fingerprint(dataset)
    known = truth_fingerprint(dataset, truth) if truth else None
    found = [
        artefact
        for artefact in store().list(FAITHFULNESS)
        if artefact.facts["descriptions"] == made.artefact.key
        and artefact.facts["items"] == items
        and known in (None, artefact.spec["truth"])
    ]
    return max(found, key=lambda own: own.meta["created"], default=None)


def tables(artefact: Artefact) -> dict[str, pd.DataFrame]:
    """round_trip, accuracy, support, consistency."""
    return {
        name: artefact.table(name) for name in ("round_trip", "accuracy", "support", "consistency")
    }


def probe_words(
    dataset: Dataset,
    made: Descriptions,
    extractor: str,
    config: Mapping[str, Any] | None = None,
    progress: Progress = no_progress,
) -> Artefact:
    """Decodes the described slots from vectors alone: the most probable value of each item.

    What the vector holds, beside what the model said. Every item is read by a probe that was not
    fitted on it.

    Returns:
        The artefact: table ``slots`` (slot, values, n_items, accuracy, shuffled, chance, auc) and
        table ``words`` (item_id, and for each slot ``SLOT`` and ``SLOT confidence``).

    Raises:
        InputError: No slot has two values with enough items, or the vectors cannot be made.
    """
    spec = probe_spec(dataset, made, extractor, config)
    found = store().sound(PROBES, Store.key(PROBES, spec))
    if found is not None:
        return found
    if settings().read_only:
        raise InputError("This store is on show (MMREC_READ_ONLY=1): nothing is computed.")
    vectors, _ = embed(dataset, extractor, config, progress)
    probes = _probes(vectors, made, 0, progress)
    if not probes:
        raise InputError("No slot has two values with enough items for a probe.")
    words: dict[str, Any] = {"item_id": dataset.item_ids}
    for slot, own in probes.items():
        said = own.said()
        words |= {slot: said["value"], f"{slot} confidence": said["confidence"]}

    def write(folder: Path) -> dict[str, Any]:
        pd.DataFrame([own.row() for own in probes.values()]).to_parquet(
            folder / "slots.parquet", index=False
        )
        pd.DataFrame(words).to_parquet(folder / "words.parquet", index=False)
        return {
            "dataset": dataset.name,
            "descriptions": made.artefact.key,
            "extractor": vectors.extractor,
            "slots": list(probes),
        }

    return store().put(PROBES, spec, write)


def probe_spec(
    dataset: Dataset, made: Descriptions, extractor: str, config: Mapping[str, Any] | None
) -> dict[str, Any]:
    """What probes of a described dataset are made from."""
    return {
        "version": VERSION,
        "descriptions": made.artefact.key,
        "vectors": make_extractor(extractor, config).spec(dataset),
    }


def list_probes(made: Descriptions) -> list[Artefact]:
    """Finished probes of descriptions, the newest first."""
    found = [a for a in store().list(PROBES) if a.facts["descriptions"] == made.artefact.key]
    return sorted(found, key=lambda own: own.meta["created"], reverse=True)


def _was_asked(dataset: Dataset, made: Descriptions) -> np.ndarray:
    """[n_items] bool: an item without a picture was not asked about, so it is not wrong."""
    statuses = made.artefact.table("answers").set_index("item_id")["status"]
    return (statuses.reindex(dataset.item_ids).fillna(UNSAID) != UNSAID).to_numpy(dtype=bool)


def _probes(
    vectors: Embeddings, made: Descriptions, seed: int, progress: Progress = no_progress
) -> dict[str, Probe]:
    """Slot -> probe, for the slots that have values enough."""
    said = dict(zip(made.artefact.table("answers")["item_id"], made.values, strict=True))
    found: dict[str, Probe] = {}
    for at, slot in enumerate(made.slots):
        progress(at, len(made.slots), f"{vectors.extractor}: {slot}")
        labels = [said.get(item, {}).get(slot) for item in vectors.item_ids]
        try:
            found[slot] = probe(vectors, labels, slot, ProbeConfig(seed=seed))
        except InputError:
            # Too few values: the slot is not there, and the screen says which are.
            continue
    progress(len(made.slots), len(made.slots), vectors.extractor)
    return found


def _askable(made: Descriptions) -> str:
    """Why a model cannot be asked again, in words; empty where it can."""
    if made.artefact.facts["imported"]:
        return "the answers were made elsewhere"
    try:
        ok, reason = _again(made, "own").availability()
    except InputError as error:
        return str(error).removesuffix(".")
    return "" if ok else reason


def _again(made: Descriptions, picture: str, paraphrased: bool = False) -> VisionLanguage:
    """The model that made descriptions, with its options, to be asked once more."""
    facts = made.artefact.facts
    prompt = Prompt.model_validate(facts["prompt"])
    config = {
        **made.artefact.spec["model"]["config"],
        "model": facts["model"],
        "custom": prompt.paraphrased() if paraphrased else prompt,
        "picture": picture,
    }
    model = make_extractor("vision-language", config)
    assert isinstance(model, VisionLanguage)
    return model


def _again_fingerprint(made: Descriptions) -> str:
    return Prompt.model_validate(made.artefact.facts["prompt"]).paraphrased().fingerprint


def _asked_again(dataset: Dataset, made: Descriptions) -> tuple[list[str], list[str], np.ndarray]:
    """Answers of a sample in other words, and of noise; and the places of its items."""
    observed = _again(made, "own").order(dataset)
    rows = np.sort(np.random.default_rng(SAMPLE).permutation(observed)[:SAMPLE])
    device = chosen_device()

    def ask(model: VisionLanguage) -> list[str]:
        size = model.batch_size(device)
        return model.answer_rows(dataset, rows, device, size, lambda done, note: None)[0]

    return ask(_again(made, "own", paraphrased=True)), ask(_again(made, "noise")), rows


def _trips(
    dataset: Dataset,
    made: Descriptions,
    vectors: Embeddings,
    noise: Sequence[str],
    asked: np.ndarray,
    seed: int,
) -> pd.DataFrame:
    texts = spoken(dataset, made)
    titles = dataset.items["title"].fillna("").astype(str).str.strip().tolist()
    rows = np.flatnonzero(vectors.observed & np.array([bool(text) for text in texts]))
    said = {"descriptions": _vectors([texts[row] for row in rows])}
    if any(titles[row] for row in rows):
        said["titles alone"] = _vectors([titles[row] for row in rows])
    cells = np.asarray(_groups(dataset), dtype=object)[rows]
    groups = None
    if len(set(cells) - {""}) > 1:
        groups = np.where(cells == "", -1, np.unique(cells, return_inverse=True)[1])
    probes = {}
    if len(noise):
        heard = as_texts(_parsed(noise, made), made.slots) if made.structured else list(noise)
        place = pd.Index(rows).get_indexer(pd.Index(asked))
        kept = np.flatnonzero(place >= 0)
        queries = _vectors([heard[at] or "nothing" for at in kept])
        probes["descriptions of noise"] = ("descriptions", queries, place[kept])
    return round_trip(vectors.matrix[rows], said, groups, probes, seed)


def _parsed(answers: Sequence[str], made: Descriptions) -> list[dict[str, str]]:
    return [dict(parse_answer(answer, made.slots).values) for answer in answers]


def _vectors(texts: Sequence[str]) -> np.ndarray:
    """MiniLM's vectors; equal texts are read once."""
    distinct, place = np.unique(np.asarray(texts, dtype=object), return_inverse=True)
    return sentence_vectors([str(text) for text in distinct])[place]
