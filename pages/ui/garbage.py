"""Streamlit collects garbage after each run, over everything there is: 0.2 s a click with torch."""

import gc
import sys
from dataclasses import dataclass


@dataclass
class _Seen:
    modules: int = 0


_SEEN = _Seen()


def keep_modules() -> None:
    """Takes what is there for good out of later collections, whenever more was imported.

    Called at the end of a run: what is alive then is mostly what modules made. The little else
    that is frozen with it is freed all the same, by reference counts, unless it is part of a cycle.
    """
    if len(sys.modules) > _SEEN.modules:
        _SEEN.modules = len(sys.modules)
        gc.collect()
        gc.freeze()
