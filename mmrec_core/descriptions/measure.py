"""Faithfulness of descriptions and probes of vectors, through the store."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.descriptions.parser import parse_answer
from mmrec_core.descriptions.probes import Probe, ProbeConfig, probe
from mmrec_core.descriptions.round_trip import round_trip
from mmrec_core.descriptions.service import Descriptions
from mmrec_core.descriptions.support import accuracy_table, agreement_table, support_table
from mmrec_core.domain import (
    Dataset,
    Embeddings,
    InputError,
    Progress,
    no_progress,
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
SLOT_COLUMNS = ("slot", "items")


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
    again, noise, rows = _asked_again(dataset, made)
    progress(2, 5, "probing the pictures")
    probes = _probes(vectors, made, seed)
    progress(3, 5, "from words back to pictures")
    trips = _trips(dataset, made, vectors, noise, seed)
    progress(4, 5, "comparing with what else is known")
    texts = _texts_of(dataset)
    known = {s: v for s, v in truth_of(dataset, truth).items() if s in made.slots}
    values = _values(dataset, made)
    tables = {
        "round_trip": trips,
        "accuracy": accuracy_table(values, known),
        "support": support_table(values, texts, probes, made.slots),
        "consistency": (
            agreement_table([values[row] for row in rows], again, made.slots)
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
            "extractor": vectors.extractor,
            "asked_again": len(rows) if again else 0,
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
        "items": sha256_strings(_texts_of(dataset) + _groups(dataset)),
        "truth": dict(truth or {}),
        "sample": SAMPLE,
        "seed": seed,
    }


def _texts_of(dataset: Dataset) -> list[str]:
    """Title, text and category of each item as one text."""
    named = ("title", "text", "category")
    columns = [dataset.items[name].fillna("").astype(str) for name in named]
    return list(columns[0] + " " + columns[1] + " " + columns[2])


def _groups(dataset: Dataset) -> list[str]:
    return list(dataset.items["category"].fillna("").astype(str))


def find_faithfulness(dataset: Dataset, made: Descriptions) -> Artefact | None:
    """The finished measures under the defaults, or None."""
    spec = faithfulness_spec(dataset, made)
    return store().sound(FAITHFULNESS, Store.key(FAITHFULNESS, spec))


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
    rows = [
        {
            "slot": slot,
            "values": len(own.classes),
            "n_items": own.n_items,
            "accuracy": own.accuracy,
            "shuffled": own.shuffled,
            "chance": own.chance,
            "auc": own.auc,
        }
        for slot, own in probes.items()
    ]

    def write(folder: Path) -> dict[str, Any]:
        pd.DataFrame(rows).to_parquet(folder / "slots.parquet", index=False)
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


def _values(dataset: Dataset, made: Descriptions) -> list[dict[str, str]]:
    said = dict(zip(made.artefact.table("answers")["item_id"], made.values, strict=True))
    return [said.get(item, {}) for item in dataset.item_ids]


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


def _asked_again(
    dataset: Dataset, made: Descriptions
) -> tuple[list[dict[str, str]], list[dict[str, str]], np.ndarray]:
    """A sample asked in other words and with noise pictures; empty where the model is not here."""
    facts = made.artefact.facts
    nothing: tuple[list[dict[str, str]], list[dict[str, str]], np.ndarray] = ([], [], np.empty(0))
    if facts["imported"] or not facts["prompt"]:
        return nothing
    prompt = Prompt.model_validate(facts["prompt"])

    def ask(asked: Prompt, picture: str) -> tuple[list[dict[str, str]], np.ndarray] | None:
        model = make_extractor(
            "vision-language", {"model": facts["model"], "custom": asked, "picture": picture}
        )
        assert isinstance(model, VisionLanguage)
        if not model.availability().ok:
            return None
        observed = model.order(dataset)
        rng = np.random.default_rng(SAMPLE)
        rows = np.sort(rng.permutation(observed)[:SAMPLE])
        device = chosen_device()
        answers, _ = model.answer_rows(
            dataset, rows, device, model.batch_size(device), lambda done, note: None
        )
        return [dict(parse_answer(a, made.slots).values) for a in answers], rows

    again = ask(prompt.paraphrased(), "own")
    noise = ask(prompt, "noise")
    if again is None or noise is None:
        return nothing
    return again[0], noise[0], again[1]


def _trips(
    dataset: Dataset,
    made: Descriptions,
    vectors: Embeddings,
    noise: Sequence[Mapping[str, str]],
    seed: int,
) -> pd.DataFrame:
    texts = _texts(_values(dataset, made), made.slots)
    titles = dataset.items["title"].fillna("").astype(str).tolist()
    rows = np.flatnonzero(vectors.observed & np.array([bool(text) for text in texts]))
    titled = all(titles[row].strip() for row in rows)
    said = {"descriptions": _vectors([texts[row] for row in rows])}
    if titled:
        said["titles alone"] = _vectors([titles[row] for row in rows])
    cells = np.asarray(_groups(dataset), dtype=object)[rows]
    groups = np.unique(cells, return_inverse=True)[1] if len(set(cells)) > 1 else None
    probes = {}
    if noise:
        # One noise picture's description an item, over and over where there are more items.
        spoken = _texts(noise, made.slots)
        queries = _vectors([spoken[at % len(spoken)] or "nothing" for at in range(len(rows))])
        probes["descriptions of noise"] = ("descriptions", queries)
    return round_trip(vectors.matrix[rows], said, groups, probes, seed)


def _texts(values: Sequence[Mapping[str, str]], slots: Sequence[str]) -> list[str]:
    return [", ".join(own[slot] for slot in slots if slot in own) for own in values]


def _vectors(texts: Sequence[str]) -> np.ndarray:
    """MiniLM's vectors; equal texts are read once."""
    distinct, place = np.unique(np.asarray(texts, dtype=object), return_inverse=True)
    return sentence_vectors([str(text) for text in distinct])[place]
