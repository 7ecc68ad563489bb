"""The store: whole or not at all, found by what it was made from, never silently damaged."""

import json
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmrec_core.domain import InputError, canonical_json, sha256_json
from mmrec_core.settings import settings
from mmrec_core.store import DamagedArtefact, Store, store, write_array, write_json

SPEC = {"algorithm": 1, "inputs": ["a", "b"], "config": {"k": 10, "seed": 0}}

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def backwards(value: Any) -> Any:
    """The same value with every mapping's keys inserted the other way round."""
    if isinstance(value, dict):
        return {key: backwards(value[key]) for key in reversed(value)}
    return [backwards(part) for part in value] if isinstance(value, list) else value


def write_numbers(folder: Path) -> dict[str, Any]:
    write_array(folder / "matrix.npy", np.arange(6, dtype=np.float32).reshape(2, 3))
    pd.DataFrame({"x": [1, 2], "y": ["a", "b"]}).to_parquet(folder / "table.parquet")
    write_json(folder / "notes.json", {"é": [1, None]})
    return {"rows": 2}


@pytest.fixture
def at(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", [tmp_path / "shipped"])


def leftovers(of: Store) -> list[str]:
    return os.listdir(of.root / "tmp") if (of.root / "tmp").is_dir() else []


# Canonical JSON and keys


@given(JSON)
def test_canonical_json_says_the_same_and_is_a_fixed_point(value: Any) -> None:
    text = canonical_json(value)
    assert json.loads(text) == value
    assert canonical_json(json.loads(text)) == text


@given(JSON)
def test_canonical_json_ignores_the_order_of_keys(value: Any) -> None:
    assert canonical_json(backwards(value)) == canonical_json(value)


@given(JSON, JSON)
def test_different_texts_have_different_digests(one: Any, other: Any) -> None:
    same_text = canonical_json(one) == canonical_json(other)
    assert (sha256_json(one) == sha256_json(other)) == same_text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [float("-inf")]}])
def test_canonical_json_refuses_what_json_cannot_say(value: Any) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_json(value)


def test_a_key_is_fixed() -> None:
    """Golden: a changed key would orphan everything that people have stored and we ship."""
    assert Store.key("embeddings", {"a": 1, "b": [True, None, "é"]}) == (
        "3f3f181c686268b0fcf4a5218009368ef4cb4d49d42daa83b303c25ed5045829"
    )


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_the_key_depends_on_content_not_on_order(spec: dict[str, Any]) -> None:
    assert Store.key("run", spec) == Store.key("run", backwards(spec))
    assert Store.key("run", spec) != Store.key("map", spec)
    assert Store.key("run", spec) != Store.key("run", {"spec": spec})


# Writing and reading


def test_what_is_put_can_be_read(at: Store) -> None:
    put = at.put("run", SPEC, write_numbers)
    got = at.get("run", SPEC)
    assert got is not None
    assert (got.key, got.path, got.shipped) == (put.key, put.path, False)
    assert got.path == at.root / "run" / put.key[:2] / put.key
    matrix = got.array("matrix")
    assert isinstance(matrix, np.memmap)
    np.testing.assert_array_equal(matrix, [[0, 1, 2], [3, 4, 5]])
    assert got.table("table")["y"].tolist() == ["a", "b"]
    assert got.json("notes") == {"é": [1, None]}
    assert got.spec == SPEC
    assert got.facts == {"rows": 2}
    assert set(got.meta["files"]) == {"matrix.npy", "table.parquet", "notes.json"}
    got.verify()
    assert leftovers(at) == []


def test_a_finished_artefact_is_not_written_again(at: Store) -> None:
    at.put("run", SPEC, write_numbers)
    at.put("run", SPEC, lambda folder: pytest.fail("written twice"))


def test_another_spec_is_another_artefact(at: Store) -> None:
    at.put("run", SPEC, write_numbers)
    assert at.get("run", {**SPEC, "algorithm": 2}) is None
    assert at.get("map", SPEC) is None


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_interrupted_writer_leaves_nothing(at: Store, error: type[BaseException]) -> None:
    def interrupted(folder: Path) -> None:
        write_numbers(folder)
        raise error

    with pytest.raises(error):
        at.put("run", SPEC, interrupted)
    assert at.get("run", SPEC) is None
    assert list(at.list("run")) == []
    assert leftovers(at) == []


def test_facts_that_json_cannot_say_leave_nothing(at: Store) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        at.put("run", SPEC, lambda folder: {"loss": float("nan")})
    assert at.get("run", SPEC) is None
    assert leftovers(at) == []


def test_a_folder_without_meta_is_not_there_and_is_replaced(at: Store) -> None:
    key = Store.key("run", SPEC)
    half = at.root / "run" / key[:2] / key
    half.mkdir(parents=True)
    (half / "rubbish.npy").write_bytes(b"half")
    assert at.get("run", SPEC) is None
    assert list(at.list("run")) == []
    done = at.put("run", SPEC, write_numbers)
    assert not (done.path / "rubbish.npy").exists()
    done.verify()


def test_nothing_is_visible_before_the_writer_returns(at: Store) -> None:
    seen = []

    def write(folder: Path) -> None:
        write_numbers(folder)
        seen.append(at.get("run", SPEC))

    at.put("run", SPEC, write)
    assert seen == [None]


def test_the_first_of_two_writers_wins(at: Store) -> None:
    def slow(folder: Path) -> dict[str, Any]:
        at.put("run", SPEC, lambda inner: {"writer": "fast"})
        return {"writer": "slow"}

    put = at.put("run", SPEC, slow)
    assert put.facts == {"writer": "fast"}
    put.verify()
    assert leftovers(at) == []


def test_writers_side_by_side_are_harmless(at: Store) -> None:
    n = 8
    together = threading.Barrier(n)
    results: list[Any] = []

    def write(folder: Path) -> dict[str, Any]:
        together.wait(30)  # all are inside before any finishes
        return write_numbers(folder)

    def work() -> None:
        try:
            results.append(at.put("run", SPEC, write).path)
        except BaseException as error:
            results.append(error)

    threads = [threading.Thread(target=work) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [results[0]] * n
    assert [artefact.path for artefact in at.list("run")] == [results[0]]
    next(at.list("run")).verify()
    assert leftovers(at) == []


def test_write_json_replaces_whole_documents(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    write_json(file, {"epoch": 1})
    write_json(file, {"epoch": 2})
    assert json.loads(file.read_text("utf-8")) == {"epoch": 2}
    assert os.listdir(tmp_path) == ["state.json"]


def test_write_array_refuses_objects(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="allow_pickle=False"):
        write_array(tmp_path / "objects.npy", np.array([{"a": 1}], dtype=object))


# Damage


def damage(file: Path) -> None:
    raw = bytearray(file.read_bytes())
    raw[-1] ^= 1
    file.write_bytes(bytes(raw))


@pytest.mark.parametrize("name", ["matrix.npy", "table.parquet", "notes.json"])
@pytest.mark.parametrize("harm", [damage, Path.unlink])
def test_verify_finds_a_damaged_or_missing_file(at: Store, name: str, harm: Any) -> None:
    put = at.put("run", SPEC, write_numbers)
    harm(put.path / name)
    with pytest.raises(DamagedArtefact, match=f"run {put.key[:12]}: {name}"):
        put.verify()


def test_an_array_of_objects_is_not_loaded(at: Store) -> None:
    put = at.put("run", SPEC, write_numbers)
    np.save(put.path / "matrix.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle=False|Python objects"):
        put.array("matrix")


# Layers


def shipped(at: Store, spec: dict[str, Any], facts: dict[str, Any]) -> None:
    Store(at.layers[0]).put("run", spec, lambda folder: facts)


def test_a_shipped_artefact_is_found_and_not_computed(at: Store) -> None:
    shipped(at, SPEC, {"from": "shipped"})
    found = at.put("run", SPEC, lambda folder: pytest.fail("computed although shipped"))
    assert (found.shipped, found.facts) == (True, {"from": "shipped"})
    assert not at.root.exists()


def test_the_writable_layer_comes_first(at: Store) -> None:
    Store(at.root).put("run", SPEC, lambda folder: {"from": "own"})
    shipped(at, SPEC, {"from": "shipped"})
    shipped(at, {"other": 1}, {"from": "shipped"})
    found = at.get("run", SPEC)
    assert found is not None
    assert (found.shipped, found.facts) == (False, {"from": "own"})
    assert [(one.spec, one.shipped) for one in at.list("run")] == [
        (SPEC, False),
        ({"other": 1}, True),
    ]


def test_delete_reaches_the_writable_layer_only(at: Store) -> None:
    shipped(at, SPEC, {"from": "shipped"})
    key = Store.key("run", SPEC)
    assert at.delete("run", key) is False
    Store(at.root).put("run", SPEC, lambda folder: {"from": "own"})
    assert at.delete("run", key) is True
    found = at.find("run", key)
    assert found is not None
    assert found.shipped


def test_prune_removes_old_leftovers_and_keeps_artefacts(at: Store) -> None:
    put = at.put("run", SPEC, write_numbers)
    for name, age in (("old", 200_000), ("new", 0)):
        folder = at.root / "tmp" / name
        folder.mkdir()
        born = folder.stat().st_mtime - age
        os.utime(folder, (born, born))
    assert at.prune() == 1
    assert leftovers(at) == ["new"]
    put.verify()


# This installation's store


def test_the_store_of_the_installation(mmrec_data: Path) -> None:
    put = store().put("run", {"test": "own"}, write_numbers)
    assert put.path.is_relative_to(mmrec_data / "store")
    assert store().layers == (settings().demo_store,)


def test_a_store_on_show_serves_but_does_not_compute(
    mmrec_data: Path, at: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    at.put("run", SPEC, write_numbers)
    monkeypatch.setenv("MMREC_READ_ONLY", "1")
    settings.cache_clear()
    assert at.put("run", SPEC, write_numbers).facts == {"rows": 2}
    with pytest.raises(InputError, match="MMREC_READ_ONLY=1"):
        at.put("run", {"other": 1}, write_numbers)
    assert at.get("run", {"other": 1}) is None
    assert leftovers(at) == []
