"""Heavy libraries, loaded when first used.

Pages read the facts of extractors and recommenders (names, configs, what they use) without
running them, and must not pay the seconds that importing torch costs (docs/decisions/0001).
"""

import contextlib
import importlib
import sys
import threading
from types import ModuleType
from typing import Any


class LazyModule(ModuleType):
    """Stands for a module and imports it at the first access to one of its attributes."""

    def __getattr__(self, name: str) -> Any:
        # Looked up once: a step of training asks some twenty times and takes milliseconds.
        loaded = self.__dict__.get("_loaded")
        if loaded is None:
            loaded = self.__dict__["_loaded"] = importlib.import_module(self.__name__)
        return getattr(loaded, name)


def lazy_import(name: str) -> Any:
    """Returns a stand-in for module ``name`` that is imported at first use."""
    return LazyModule(name)


def import_ahead(name: str) -> None:
    """Imports a module beside what runs now, so that its first use does not wait for it."""
    if name not in sys.modules:
        # A daemon: nobody waits for it, neither here nor at the end of the process.
        threading.Thread(target=_imported, args=(name,), daemon=True).start()


def _imported(name: str) -> None:
    # Whoever needs it meets the reason again, where it can be said.
    with contextlib.suppress(Exception):
        importlib.import_module(name)
