"""Streamlit collects garbage after each run, over everything there is: 0.2 s a click with torch."""

import gc
import sys
import time
from dataclasses import dataclass

EVERY = 600.0
"""Seconds after which what was left out is looked through again."""


@dataclass
class _Seen:
    modules: int = 0
    at: float = 0.0


_SEEN = _Seen()


def keep_modules() -> None:
    """Takes what is there for good out of later collections.

    Called at the end of a run, and does something where more was imported: what is alive then is
    mostly what modules made. Now and then it starts over, so that what sessions left behind since,
    in cycles that reference counts do not free, is freed too.
    """
    now = time.monotonic()
    if len(sys.modules) > _SEEN.modules or now - _SEEN.at > EVERY:
        _SEEN.modules, _SEEN.at = len(sys.modules), now
        gc.unfreeze()
        gc.collect()
        gc.freeze()
