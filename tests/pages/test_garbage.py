"""What modules made stays out of the garbage collection that Streamlit does after each run."""

import gc
import sys
import types
from collections.abc import Iterator

import pytest

from pages.ui import garbage


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_objects_are_frozen_once_for_each_import(monkeypatch: pytest.MonkeyPatch) -> None:
    gc.unfreeze()
    monkeypatch.setattr(garbage, "_SEEN", garbage._Seen())
    garbage.keep_modules()
    frozen = gc.get_freeze_count()
    assert frozen > 10_000
    made = [[n] for n in range(1000)]
    garbage.keep_modules()
    assert gc.get_freeze_count() < frozen + 1000
    monkeypatch.setitem(sys.modules, "imported_later", types.ModuleType("imported_later"))
    garbage.keep_modules()
    assert gc.get_freeze_count() >= frozen + len(made)
