"""Descriptions through the store: what a model said of every item, raw and parsed."""

import json
import os
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.descriptions.parser import STATUSES, parse_answer
from mmrec_core.domain import (
    Dataset,
    InputError,
    Progress,
    no_progress,
    sha256_arrays,
    sha256_json,
    sha256_strings,
)
from mmrec_core.extractors.service import make_extractor
from mmrec_core.extractors.vision_language import VisionLanguage
from mmrec_core.settings import device as chosen_device
from mmrec_core.settings import settings
from mmrec_core.store import Artefact, Store, write_json
from mmrec_core.store import store as installed_store

KIND, VERSION = "descriptions", 3
SHARD = 64
"""Items in one shard: what a stopped run loses at most."""

INPUTS = ("picture", "title")
"""Options that replace what the model is shown: controls of their own, not prompts."""

UNSAID = "none"
"""Status of an item that nothing was said of: no picture, or one that cannot be read."""


@dataclass(frozen=True, eq=False)
class Descriptions:
    """What was said of the items of a catalogue.

    Attributes:
        artefact: Where it lies.
    """

    artefact: Artefact

    @property
    def slots(self) -> tuple[str, ...]:
        """In the order of the prompt."""
        return tuple(self.artefact.facts["slots"])

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row an item: item_id, answer, status, failure, by_place, and a column a slot.

        Slots' columns are named ``slot: NAME`` and hold None where nothing was said.
        """
        table = self.artefact.table("answers")
        values = [json.loads(text) for text in table["values"]]
        slots = {f"slot: {slot}": [own.get(slot) for own in values] for slot in self.slots}
        return table.drop(columns="values").assign(**slots)

    @cached_property
    def values(self) -> list[dict[str, str]]:
        """Slot -> value of every item, in the order of the items."""
        return [json.loads(text) for text in self.artefact.table("answers")["values"]]

    @property
    def structured(self) -> bool:
        """Whether slots were asked for; of other prompts the whole answer is the description."""
        strategy: str = (self.artefact.facts["prompt"] or {}).get("strategy", "structured")
        return strategy == "structured"

    @property
    def control(self) -> bool:
        """Whether it serves as a control: a misaligned prompt, another picture or title."""
        prompt = self.artefact.facts["prompt"] or {}
        config = self.artefact.spec.get("model", {}).get("config", {})
        replaced = any(config.get(name, "own") != "own" for name in INPUTS)
        return prompt.get("strategy") == "misaligned" or replaced

    @property
    def asked(self) -> list[dict[str, str]]:
        """Slot -> value of every item that was asked about, whatever came of it."""
        statuses = self.artefact.table("answers")["status"]
        return [own for own, status in zip(self.values, statuses, strict=True) if status != UNSAID]

    @property
    def counts(self) -> dict[str, int]:
        """Items of each status."""
        return dict(self.artefact.facts["statuses"])


def values_of(dataset: Dataset, made: Descriptions) -> list[dict[str, str]]:
    """Slot -> value of each item of a dataset, in its order; empty where nothing was said.

    Raises:
        InputError: The descriptions are of other items.
    """
    said = dict(zip(made.artefact.table("answers")["item_id"], made.values, strict=True))
    if not said.keys() & set(dataset.item_ids):
        raise InputError(
            f"The descriptions {made.artefact.key[:12]} are of other items than those of "
            f"{dataset.name!r}."
        )
    return [said.get(item, {}) for item in dataset.item_ids]


def spoken(dataset: Dataset, made: Descriptions) -> list[str]:
    """What was said of each item as one text: its values, or the whole answer without slots."""
    values = values_of(dataset, made)
    if made.structured:
        return as_texts(values, made.slots)
    answers = made.artefact.table("answers").set_index("item_id")["answer"]
    return [str(answers.get(item, "")) for item in dataset.item_ids]


def as_texts(values: Sequence[Mapping[str, str]], slots: Sequence[str]) -> list[str]:
    """Values in the order of the slots, as one text an item."""
    return [", ".join(own[slot] for slot in slots if slot in own) for own in values]


def find_descriptions(dataset: Dataset, config: Mapping[str, Any]) -> Descriptions | None:
    """Finished descriptions of a dataset by a model, or None."""
    found = installed_store().sound(KIND, Store.key(KIND, _spec(dataset, _model(config))))
    return Descriptions(found) if found is not None else None


def describe(
    dataset: Dataset,
    config: Mapping[str, Any],
    progress: Progress = no_progress,
    *,
    into: Store | None = None,
    batch_size: int | None = None,
) -> Descriptions:
    """Asks a vision-language model about every item; finished shards are taken up again.

    Args:
        dataset: Whose items.
        config: Of the vision-language extractor: model, prompt, strategy, answer_tokens, ...
        progress: Told of items done and in all.
        into: The store; None: that of this installation.
        batch_size: Most items at once; None: what suits the device.

    Raises:
        InputError: The model is not here, does not fit, or an option is wrong.
    """
    store = into or installed_store()
    model = _model(config)
    model.prepare()
    spec = _spec(dataset, model)
    key = store.key(KIND, spec)
    with store.alone(KIND, [key], lambda: progress(0, 1, "another process describes the same")):
        found = store.sound(KIND, key)
        if found is not None:
            return Descriptions(found)
        if settings().read_only:
            raise InputError("This store is on show (MMREC_READ_ONLY=1): nothing is computed.")
        ok, reason = model.availability()
        if not ok:
            raise InputError(f"{model.title} cannot run: {reason}.")
        partial = store.root / "partial" / key

        def write(folder: Path) -> dict[str, Any]:
            started = time.monotonic()
            said = _answers(dataset, model, partial, progress, batch_size)
            facts = write_answers(folder, dataset, model.prompt.slots, *said)
            seconds = round(time.monotonic() - started, 3)
            about = {"model": model.model, "prompt": model.prompt.model_dump(mode="json")}
            return {**facts, **about, "seconds": seconds, "imported": False}

        artefact = store.put(KIND, spec, write)
    for shard in partial.glob("answers-*.json"):
        shard.unlink(missing_ok=True)
    return Descriptions(artefact)


def try_prompt(
    dataset: Dataset, config: Mapping[str, Any], item_ids: Sequence[str]
) -> list[dict[str, Any]]:
    """Asks about a few items and keeps nothing: what a prompt does before the whole catalogue.

    Args:
        dataset: Whose items.
        config: As of ``describe``.
        item_ids: Of items; ids that are not there are left out.

    Returns:
        For each item: item_id, answer, status, values (slot -> value), failure (why nothing could
        be said, else None).

    Raises:
        InputError: The model is not here, or an option is wrong.
    """
    model = _model(config)
    ok, reason = model.availability()
    if not ok:
        raise InputError(f"{model.title} cannot run: {reason}.")
    model.prepare()
    rows = np.flatnonzero(pd.Index(dataset.item_ids).isin(list(item_ids)))
    device = chosen_device()
    answers, failures = model.answer_rows(
        dataset, rows, device, model.batch_size(device), lambda done, note: None
    )
    said = []
    for at, (row, answer) in enumerate(zip(rows, answers, strict=True)):
        parsed = parse_answer(answer, model.prompt.slots)
        said.append(
            {
                "item_id": str(dataset.item_ids[row]),
                "answer": answer,
                "status": UNSAID if at in failures else parsed.status,
                "values": dict(parsed.values),
                "failure": failures.get(at),
            }
        )
    return said


def items_fingerprint(dataset: Dataset) -> str:
    """sha256 of items, pictures and titles: datasets that share them share descriptions."""

    def reckoned() -> str:
        columns = [dataset.items[name].fillna("").astype(str) for name in ("image_sha256", "title")]
        return sha256_json([sha256_strings(dataset.item_ids), *map(sha256_strings, columns)])

    return once(dataset, "items", reckoned)


_ONCE: dict[tuple[int, str], str] = {}


def once(dataset: Dataset, what: str, reckon: Callable[[], str]) -> str:
    """A fingerprint of a loaded dataset's items, reckoned once as long as they are in memory.

    Pages ask for it at every click, and reckoning it reads every item.

    Args:
        dataset: Whose items; tables of a dataset are never changed in place.
        what: Name of the fingerprint.
        reckon: Makes it.
    """
    key = (id(dataset.items), what)
    if key not in _ONCE:
        _ONCE[key] = reckon()
        weakref.finalize(dataset.items, _ONCE.pop, key, None)
    return _ONCE[key]


def list_descriptions(dataset: Dataset | None = None) -> list[Descriptions]:
    """Finished descriptions, the newest first; of the items of one dataset where it is given."""
    items = None if dataset is None else items_fingerprint(dataset)
    found = [
        Descriptions(artefact)
        for artefact in installed_store().list(KIND)
        if items is None or artefact.facts.get("items") == items
    ]
    return sorted(found, key=lambda own: own.artefact.meta["created"], reverse=True)


def usual_descriptions(dataset: Dataset) -> Descriptions | None:
    """What is shown of a dataset's items where nobody chose; None: nothing was said of them.

    The newest that fill slots, else the newest in sentences; controls (the misaligned prompt,
    another picture or title than the item's own) only where there is nothing else.
    """
    found = list_descriptions(dataset)
    return min(found, key=lambda own: (own.control, not own.structured), default=None)


def described_items(dataset: Dataset, made: Descriptions, item_ids: Sequence[str]) -> pd.DataFrame:
    """What was said of some items, in their order; cheap, without a model.

    Args:
        dataset: Whose items.
        made: Such as ``usual_descriptions(dataset)``.
        item_ids: Of items; ids that were not described come out as ``none``.

    Returns:
        One row an item, indexed by id: answer (raw), status, failure (why nothing was said, else
        None), text (the values in the order of the slots, or the whole answer), and a column
        ``slot: NAME`` for each slot, None where nothing was said.
    """
    table = made.table.set_index("item_id").reindex(list(item_ids))
    table["answer"] = table["answer"].fillna("").astype(str)
    table["status"] = table["status"].fillna(UNSAID).astype(str)
    named = [f"slot: {slot}" for slot in made.slots]
    cells = table[named].astype(object)
    table[named] = cells.where(cells.notna(), None)
    texts: list[str] = table["answer"].tolist()
    if made.structured:
        told = table[named].to_numpy(dtype=object)
        texts = [", ".join(value for value in row if value) for row in told]
    failures = table["failure"].astype(object)
    table["failure"] = failures.where(failures.notna(), None)
    return table.assign(text=texts)[["answer", "status", "failure", "text", *named]]


def load_descriptions(key: str) -> Descriptions:
    """The descriptions whose key begins with ``key``.

    Raises:
        InputError: None, or several.
    """
    found = [own for own in list_descriptions() if own.artefact.key.startswith(key)]
    if len(found) != 1:
        problem = "There are no descriptions" if not found else "Several descriptions begin with"
        raise InputError(f"{problem} {key!r}. python -m mmrec_core list descriptions shows them.")
    return found[0]


def _model(config: Mapping[str, Any]) -> VisionLanguage:
    model = make_extractor("vision-language", dict(config))
    assert isinstance(model, VisionLanguage)
    return model


def _spec(dataset: Dataset, model: VisionLanguage) -> dict[str, Any]:
    """Where a state is taken says nothing of the answer."""
    spec = model.spec(dataset)
    config = {k: v for k, v in spec["config"].items() if k not in ("position", "layer")}
    return {"version": VERSION, "model": {**spec, "config": config}}


def _answers(
    dataset: Dataset,
    model: VisionLanguage,
    partial: Path,
    progress: Progress,
    batch_size: int | None,
) -> tuple[list[str], dict[int, str]]:
    """Raw answers of all items, and item -> why nothing was said."""
    device = chosen_device()
    order = model.order(dataset)
    answers = [""] * dataset.n_items
    silent = dict.fromkeys(range(dataset.n_items), "no picture")
    started = time.monotonic()
    for index, start in enumerate(range(0, len(order), SHARD)):
        rows = order[start : start + SHARD]
        file = partial / f"answers-{index:05d}.json"
        mark = sha256_arrays(np.asarray(rows, dtype=np.int64))
        own = _kept(file, mark)
        if own is None:

            def done(items: int, note: str, start: int = start) -> None:
                rate = (start + items) / max(time.monotonic() - started, 1e-9)
                said = f"{rate:.1f} items/s, {(len(order) - start - items) / rate:.0f} s left"
                progress(start + items, len(order), f"{said}; {note}" if note else said)

            size = batch_size or model.batch_size(device)
            said, failures = model.answer_rows(dataset, rows, device, size, done)
            own = {"rows": mark, "said": said, "failures": {str(k): v for k, v in failures.items()}}
            partial.mkdir(parents=True, exist_ok=True)
            aside = file.with_suffix(f".{os.getpid()}.tmp")
            write_json(aside, own)
            os.replace(aside, file)
        for at, (row, text) in enumerate(zip(rows, own["said"], strict=True)):
            answers[row] = text
            silent.pop(int(row), None)
            if str(at) in own["failures"]:
                silent[int(row)] = own["failures"][str(at)]
    return answers, silent


def _kept(file: Path, mark: str) -> dict[str, Any] | None:
    try:
        kept: dict[str, Any] = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return kept if kept.get("rows") == mark else None


def write_answers(
    folder: Path,
    dataset: Dataset,
    slots: Sequence[str],
    answers: Sequence[str],
    silent: Mapping[int, str],
) -> dict[str, Any]:
    """Parses answers and writes them into an artefact's folder; returns facts."""
    parsed = [parse_answer(text, slots) for text in answers]
    statuses = [UNSAID if at in silent else own.status for at, own in enumerate(parsed)]
    pd.DataFrame(
        {
            "item_id": dataset.item_ids,
            "answer": list(answers),
            "status": statuses,
            "failure": pd.Series([silent.get(at) for at in range(len(answers))], dtype=object),
            "by_place": [bool(own.by_place) for own in parsed],
            "values": [json.dumps(own.values, ensure_ascii=False) for own in parsed],
        }
    ).astype({"item_id": "str", "failure": "str"}).to_parquet(
        folder / "answers.parquet", index=False
    )
    counted = {status: statuses.count(status) for status in (*STATUSES, UNSAID)}
    return {
        "dataset": dataset.name,
        "items": items_fingerprint(dataset),
        "slots": list(slots),
        "n_items": dataset.n_items,
        "statuses": {status: n for status, n in counted.items() if n},
    }
