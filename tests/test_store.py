"""The store: whole or not at all, found by what it was made from, never silently damaged."""

import copy
import errno
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
from mmrec_core.store import DamagedArtefact, DiskFull, Store, store, write_array, write_json
from mmrec_core.store import artefact as artefact_module

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


def test_what_was_put_last_is_newest_within_a_second_too(at: Store) -> None:
    created = [at.put("run", {"n": n}, lambda folder: {}).meta["created"] for n in range(5)]
    assert created == sorted(set(created))


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
    def write(folder: Path) -> None:
        np.save(folder / "matrix.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)

    with pytest.raises(ValueError, match="allow_pickle=False|Python objects"):
        at.put("run", SPEC, write).array("matrix")


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-3])


READ = {
    "matrix.npy": lambda found: found.array("matrix"),
    "table.parquet": lambda found: found.table("table"),
    "notes.json": lambda found: found.json("notes"),
}


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("harm", [damage, cut, Path.unlink])
def test_a_damaged_file_is_noticed_when_it_is_read(at: Store, name: str, harm: Any) -> None:
    put = at.put("run", SPEC, write_numbers)
    harm(put.path / name)
    found = at.get("run", SPEC)
    assert found is not None
    with pytest.raises(DamagedArtefact, match=f"{name} is gone or no longer what was written"):
        READ[name](found)
    assert not put.path.exists() and leftovers(at) == []
    assert at.get("run", SPEC) is None and list(at.list("run")) == []
    at.take_damage()
    again = at.put("run", SPEC, write_numbers)
    again.verify()
    assert list(at.take_damage().values()) == [f"{name} of run {put.key[:12]}"]
    assert at.take_damage() == {} and list((at.root / "damaged").iterdir()) == []


def flip_digit(file: Path) -> None:
    """The document stays valid JSON; a fact of it is another."""
    text = file.read_text("utf-8")
    assert '"rows": 2' in text
    file.write_text(text.replace('"rows": 2', '"rows": 3'), "utf-8")


@pytest.mark.parametrize("harm", [damage, cut, flip_digit])
def test_a_damaged_meta_is_as_good_as_none(at: Store, harm: Any) -> None:
    put = at.put("run", SPEC, write_numbers)
    harm(put.path / "meta.json")
    assert list(at.list("run")) == []
    assert at.get("run", SPEC) is None
    assert at.put("run", SPEC, write_numbers).facts == {"rows": 2}


def test_a_meta_without_a_seal_must_give_its_key(at: Store) -> None:
    put = at.put("run", SPEC, write_numbers)
    meta = {k: v for k, v in put.meta.items() if k not in ("sha256", "bytes")}
    write_json(put.path / "meta.json", meta)
    found = at.sound("run", put.key)
    assert found is not None and found.facts == {"rows": 2}
    write_json(put.path / "meta.json", {**meta, "spec": {**SPEC, "algorithm": 2}})
    assert at.sound("run", put.key) is None


def test_a_file_is_read_through_once(at: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put = at.put("run", SPEC, write_numbers)
    read: list[str] = []
    real = artefact_module.sha256_file
    monkeypatch.setattr(
        artefact_module, "sha256_file", lambda file: read.append(file.name) or real(file)
    )
    artefact_module._CHECKED.clear()
    for _ in range(3):
        found = at.sound("run", put.key)
        assert found is not None
        found.array("matrix")
    assert sorted(read) == ["matrix.npy", "notes.json", "table.parquet"]


def test_a_file_of_another_length_is_not_read_at_all(
    at: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = at.put("run", SPEC, write_numbers)
    cut(put.path / "matrix.npy")
    monkeypatch.setattr(artefact_module, "sha256_file", lambda file: pytest.fail("was read"))
    with pytest.raises(DamagedArtefact):
        put.array("matrix")


def test_putting_again_replaces_what_is_damaged(at: Store) -> None:
    put = at.put("run", SPEC, write_numbers)
    damage(put.path / "table.parquet")
    at.put("run", SPEC, write_numbers).verify()


def test_a_damaged_source_is_refused_and_left_alone(at: Store) -> None:
    put = at.put("dataset", SPEC, write_numbers)
    damage(put.path / "matrix.npy")
    with pytest.raises(InputError, match="install the dataset again") as told:
        put.array("matrix")
    assert "matrix.npy" in str(told.value)
    assert (put.path / "matrix.npy").exists() and at.find("dataset", put.key) is not None
    at.put("dataset", SPEC, write_numbers).verify()


def test_a_damaged_shipped_artefact_is_overlooked_and_made_here(at: Store) -> None:
    put = Store(at.layers[0]).put("run", SPEC, write_numbers)
    damage(put.path / "matrix.npy")
    before = (put.path / "matrix.npy").read_bytes()
    assert at.sound("run", put.key) is None and list(at.list("run")) == []
    made = at.put("run", SPEC, write_numbers)
    assert made.path.is_relative_to(at.root) and not made.shipped
    made.verify()
    assert (put.path / "matrix.npy").read_bytes() == before


def test_a_damaged_artefact_survives_the_way_between_processes() -> None:
    error = copy.copy(DamagedArtefact("A sentence.", "run", "abc"))  # by the same method
    assert (str(error), error.kind, error.key) == ("A sentence.", "run", "abc")


# A full disk


def full(*given: Any, **named: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


SAYINGS = [
    OSError(errno.ENOSPC, "No space left on device"),
    OSError(errno.EDQUOT, "Disk quota exceeded"),
    OSError("1000000 requested and 131056 written"),  # NumPy
    RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"),
]


@pytest.mark.parametrize("error", SAYINGS)
def test_a_full_disk_is_one_sentence_and_leaves_nothing(at: Store, error: Exception) -> None:
    def write(folder: Path) -> None:
        write_numbers(folder)
        raise error

    with pytest.raises(DiskFull) as told:
        at.put("run", SPEC, write)
    for words in ("disk is full", "a run", str(at.root), "are free", "free some space"):
        assert words in str(told.value)
    assert at.get("run", SPEC) is None and leftovers(at) == []
    at.put("run", SPEC, write_numbers).verify()


@pytest.mark.parametrize(
    ("module", "name"), [(os, "replace"), (np, "save"), (os, "fsync"), (Path, "open")]
)
def test_wherever_the_disk_is_full(
    at: Store, monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module, name, full)
        with pytest.raises(DiskFull, match="disk is full"):
            at.put("run", SPEC, write_numbers)
    assert [path for path in at.root.rglob("*") if path.is_file()] == []
    at.put("run", SPEC, write_numbers).verify()


def test_another_error_is_not_taken_for_a_full_disk(at: Store) -> None:
    def write(folder: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        at.put("run", SPEC, write)


def test_write_json_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_json(tmp_path / "state.json", {"epoch": 1})
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError):
        write_json(tmp_path / "state.json", {"epoch": 2})
    assert os.listdir(tmp_path) == ["state.json"]
    assert json.loads((tmp_path / "state.json").read_text("utf-8")) == {"epoch": 1}


# Alone


def test_only_one_makes_the_same(at: Store) -> None:
    waited, order = threading.Event(), []

    def second() -> None:
        with at.alone("run", ["b", "a"], waited.set):
            order.append("second")

    other = threading.Thread(target=second)
    with at.alone("run", ["a", "c"]):
        other.start()
        assert waited.wait(30)
        order.append("first")
    other.join(30)
    assert order == ["first", "second"]
    assert list((at.root / "locks").iterdir()) == []


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


def test_the_stamp_of_a_kind_changes_when_an_artefact_comes_or_goes(tmp_path: Path) -> None:
    own = Store(tmp_path / "own", [tmp_path / "shipped"])
    before = own.stamp("thing")
    made = own.put("thing", {"n": 1}, lambda folder: None)
    with_one = own.stamp("thing")
    own.put("other", {"n": 1}, lambda folder: None)
    assert before != with_one == own.stamp("thing")
    own.delete("thing", made.key)
    assert own.stamp("thing") != with_one
