"""Embeddings are made once, kept apart by what they read, and resumed after a stop."""

import json
import subprocess
import sys
from typing import ClassVar

import numpy as np
import pytest

from mmrec_core.domain import InputError, sha256_strings
from mmrec_core.extractors import (
    EXTRACTORS,
    default_extractor,
    embed,
    find_embeddings,
    load_embeddings,
    save_embeddings,
)
from mmrec_core.extractors import base as base_module
from mmrec_core.extractors import service as service_module
from mmrec_core.extractors.base import Available, Encoded, Extractor
from mmrec_core.registry import Registry
from mmrec_core.store import store


class Letters(Extractor):
    """Counts letters."""

    name = "letters"
    title = "Letters"
    modality = "text"
    reference = "this test"
    version = 1
    width = 2
    batch_sizes: ClassVar = {"cpu": 8}
    calls: ClassVar[list[int]] = []
    memory = 10**9
    stop_after = 10**9
    ok = True

    def availability(self):
        return Available(self.ok, "" if self.ok else "no letters here")

    def observed(self, dataset):
        return (dataset.items["text"] != "").to_numpy(dtype=bool)

    def order(self, dataset):
        return super().order(dataset)[::-1]

    def inputs_fingerprint(self, dataset):
        return sha256_strings(dataset.items["text"])

    def encode_rows(self, dataset, rows, device, batch_size, done):
        texts = list(dataset.items["text"].iloc[rows])

        def forward(batch):
            if len(batch) > Letters.memory:
                raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
            if len(Letters.calls) >= Letters.stop_after:
                raise KeyboardInterrupt
            Letters.calls.append(len(batch))
            return np.array([[len(text), text.count("a")] for text in batch], dtype=np.float32)

        matrix = self.in_batches(texts, batch_size, forward, done)
        failures = {at: "says bad" for at, text in enumerate(texts) if "bad" in text}
        return Encoded(matrix, failures)


@pytest.fixture(autouse=True)
def letters(monkeypatch, mmrec_data):
    registry = Registry("extractor")
    for name, kind in EXTRACTORS.items():
        registry.register(name, kind)
    registry.register("letters", Letters)
    monkeypatch.setattr(service_module, "EXTRACTORS", registry)
    monkeypatch.setattr(base_module, "SHARD", 4)
    for name, value in {
        "calls": [],
        "memory": 10**9,
        "stop_after": 10**9,
        "ok": True,
        "version": 1,
    }.items():
        monkeypatch.setattr(Letters, name, value)
    return Letters


TEXTS = ["a", "aab", "", "bad a", "xyz", "aaaaaa", "b", "", "aa", "cccc", "abab", "q"]


def expected():
    matrix = np.array([[len(t), t.count("a")] for t in TEXTS], dtype=np.float32)
    matrix[3] = 0
    return matrix


def test_embed_computes_once_and_loads_the_same(make_dataset, letters):
    dataset = make_dataset(texts=TEXTS)
    assert find_embeddings(dataset, "letters") is None
    seen = []
    made, artefact = embed(dataset, "letters", progress=lambda *call: seen.append(call))
    np.testing.assert_array_equal(made.matrix, expected())
    assert made.missing.tolist() == [t == "" or "bad" in t for t in TEXTS]
    assert dict(made.failures) == {"i3": "says bad"}
    assert seen[0][:2] == (0, 10) and seen[-1][:2] == (10, 10) and "items/s" in seen[-1][2]
    assert [call[0] for call in seen] == sorted(call[0] for call in seen)
    assert artefact.facts["n_failures"] == 1 and artefact.facts["n_missing"] == 3
    assert artefact.array("matrix").dtype == np.float32
    artefact.verify()
    calls = list(letters.calls)
    again, same = embed(dataset, "letters")
    assert letters.calls == calls and same.key == artefact.key
    assert again.fingerprint == made.fingerprint and again.failures == made.failures
    found = find_embeddings(dataset, "letters")
    assert found is not None and found.key == artefact.key
    assert not list((store().root / "partial").iterdir())


def test_the_key_covers_what_is_read_and_nothing_else(make_dataset, letters, monkeypatch):
    _, artefact = embed(make_dataset("one", texts=TEXTS), "letters")
    other_world = make_dataset("two", texts=TEXTS)
    assert find_embeddings(other_world, "letters").key == artefact.key
    assert find_embeddings(make_dataset("three", texts=[*TEXTS[:-1], "!"]), "letters") is None
    monkeypatch.setattr(Letters, "version", 2)
    assert find_embeddings(other_world, "letters") is None


def test_a_stopped_run_goes_on_where_it_was(make_dataset, letters):
    dataset = make_dataset(texts=TEXTS)
    letters.stop_after = 2
    with pytest.raises(KeyboardInterrupt):
        embed(dataset, "letters")
    assert letters.calls == [4, 4]
    (folder,) = [path for path in (store().root / "partial").iterdir() if path.is_dir()]
    assert sorted(path.name for path in folder.iterdir()) == [
        "shard-0000.json",
        "shard-0000.npy",
        "shard-0001.json",
        "shard-0001.npy",
    ]
    letters.stop_after = 10**9
    notes = []
    made, artefact = embed(dataset, "letters", progress=lambda *call: notes.append(call[2]))
    assert letters.calls == [4, 4, 2]
    assert artefact.facts["items_encoded"] == 2
    np.testing.assert_array_equal(made.matrix, expected())
    assert dict(made.failures) == {"i3": "says bad"}
    assert any("taken up" in note for note in notes)
    assert not folder.exists()


@pytest.mark.parametrize("damage", ["cut", "other rows", "no notes", "other shape"])
def test_a_damaged_shard_is_made_again(make_dataset, letters, damage):
    dataset = make_dataset(texts=TEXTS)
    letters.stop_after = 2
    with pytest.raises(KeyboardInterrupt):
        embed(dataset, "letters")
    npy = next((store().root / "partial").glob("*/shard-0000.npy"))
    notes = npy.with_suffix(".json")
    if damage == "cut":
        npy.write_bytes(npy.read_bytes()[:-5])
    elif damage == "other rows":
        notes.write_text(json.dumps({**json.loads(notes.read_text()), "rows": "other"}))
    elif damage == "no notes":
        notes.unlink()
    else:
        np.save(npy, np.ones((4, 3), dtype=np.float32))
    letters.stop_after = 10**9
    made, _ = embed(dataset, "letters")
    assert letters.calls == [4, 4, 4, 2]
    np.testing.assert_array_equal(made.matrix, expected())


def test_out_of_memory_halves_the_batch_and_tells(make_dataset, letters):
    letters.memory = 1
    notes = []
    made, _ = embed(
        make_dataset(texts=TEXTS), "letters", progress=lambda *call: notes.append(call[2])
    )
    np.testing.assert_array_equal(made.matrix, expected())
    assert set(letters.calls) == {1}
    told = [note for note in notes if "out of memory" in note]
    assert [note.rsplit(" of ", 1)[1] for note in told] == [
        "2 from here on",
        "1 from here on",
    ], "the limit found is kept for later shards"


def test_one_item_too_large_is_an_input_error(make_dataset, letters):
    letters.memory = 0
    with pytest.raises(InputError, match="does not fit into the memory"):
        embed(make_dataset(texts=TEXTS), "letters")


def test_unavailable_and_read_only_are_refused(make_dataset, letters, monkeypatch):
    from mmrec_core import settings

    dataset = make_dataset(texts=TEXTS)
    letters.ok = False
    with pytest.raises(InputError, match="Letters cannot run: no letters here"):
        embed(dataset, "letters")
    letters.ok = True
    monkeypatch.setenv("MMREC_READ_ONLY", "1")
    settings.settings.cache_clear()
    with pytest.raises(InputError, match="on show"):
        embed(dataset, "letters")
    assert letters.calls == []


def test_all_items_missing(make_dataset, letters):
    made, _ = embed(make_dataset(texts=["", ""]), "letters")
    assert made.matrix.shape == (2, 2) and made.missing.all()


def test_half_precision_layers_load_as_float32(make_dataset, letters):
    made, _ = embed(make_dataset(texts=TEXTS), "letters")
    half = store().put(
        "embeddings", {"half": 1}, lambda folder: save_embeddings(folder, made, dtype=np.float16)
    )
    assert half.array("matrix").dtype == np.float16
    loaded = load_embeddings(half)
    assert loaded.matrix.dtype == np.float32
    assert loaded.fingerprint == made.fingerprint  # small whole numbers are exact in float16


def test_precomputed_goes_through_the_store(make_dataset):
    dataset = make_dataset("one", texts=["a", "b"])
    np.save(dataset.folder / "features" / "image_feat.npy", np.eye(2))
    made, artefact = embed(dataset, "precomputed", {"file": "image_feat"})
    assert made.modality == "image" and made.extractor == "precomputed:image_feat"
    np.save(dataset.folder / "features" / "image_feat.npy", 2 * np.eye(2))
    assert find_embeddings(dataset, "precomputed", {"file": "image_feat"}) is None
    changed, other = embed(dataset, "precomputed", {"file": "image_feat"})
    assert other.key != artefact.key and changed.matrix[0, 0] == 2


def test_default_extractor(make_dataset):
    dataset = make_dataset("one", texts=["a", "b"])
    assert default_extractor("image")[0] == "efficientnet-lite0"
    assert default_extractor("text", dataset)[0] == "minilm"
    np.save(dataset.folder / "features" / "text_feat.npy", np.eye(2))
    name, config = default_extractor("text", dataset)
    assert name == "precomputed" and config.file == "text_feat"
    assert default_extractor("image", dataset)[0] == "efficientnet-lite0"
    with pytest.raises(InputError, match="No joint features"):
        default_extractor("joint", dataset)
    with pytest.raises(InputError, match="no modality 'sound'"):
        default_extractor("sound")


def test_facts_of_every_extractor():
    assert {"minilm", "efficientnet-lite0", "precomputed"} <= set(EXTRACTORS.names())
    for name, kind in EXTRACTORS.items():
        assert kind.name == name and kind.title and kind.reference and kind.version >= 1
        assert kind.modality in ("image", "text", "joint", "any")
        assert (kind.__doc__ or "").strip()
        for field in kind.Config.model_fields.values():
            assert field.description


def test_looking_up_needs_no_heavy_library(tmp_path):
    code = f"""
import sys
from pathlib import Path
import pandas as pd
from mmrec_core.domain import Dataset, DatasetInfo
import mmrec_core.extractors as extractors
items = pd.DataFrame({{c: ["x"] for c in
    ("item_id", "title", "text", "category", "image", "image_sha256")}})
dataset = Dataset("d", items, items, Path({str(tmp_path)!r}), DatasetInfo("d"), "f")
for name in ("minilm", "efficientnet-lite0"):
    assert extractors.EXTRACTORS.get(name)().availability().ok
    assert extractors.find_embeddings(dataset, name) is None
heavy = {{"torch", "transformers", "sentence_transformers", "sklearn", "umap"}}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
