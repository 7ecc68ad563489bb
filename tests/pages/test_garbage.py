"""What modules made stays out of the garbage collection that Streamlit does after each run."""

import gc
import sys
import types
import weakref
from collections.abc import Iterator

import pytest

from pages.ui import garbage


class Loop:
    """Garbage that reference counts do not free."""

    def __init__(self) -> None:
        self.own = self


@pytest.fixture(autouse=True)
def afresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    gc.unfreeze()
    monkeypatch.setattr(garbage, "_SEEN", garbage._Seen())
    yield
    gc.unfreeze()


def test_objects_are_left_out_once_for_each_import(monkeypatch: pytest.MonkeyPatch) -> None:
    garbage.keep_modules()
    frozen = gc.get_freeze_count()
    assert frozen > 10_000
    made = [[n] for n in range(1000)]
    garbage.keep_modules()
    assert gc.get_freeze_count() <= frozen
    monkeypatch.setitem(sys.modules, "imported_later", types.ModuleType("imported_later"))
    garbage.keep_modules()
    assert gc.get_freeze_count() >= frozen + len(made) // 2


def test_what_was_left_out_by_mistake_is_freed_later(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = Loop()
    seen = weakref.ref(loop)
    garbage.keep_modules()
    del loop
    gc.collect()
    assert seen() is not None
    monkeypatch.setattr(garbage, "EVERY", -1.0)
    garbage.keep_modules()
    assert seen() is None
