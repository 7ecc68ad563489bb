"""What all tests share."""

import os
import sys

# Before numpy and torch are loaded: one thread a process, and no model hub.
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["HF_HUB_OFFLINE"] = "1"

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from mmrec_core import settings, store

hypothesis.settings.register_profile("house", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("house")


TOGETHER = {
    "tests/browser/": "browser",  # one app, one Chromium
    "tests/studies/test_depth.py": "depth",  # one study
    "tests/test_failures.py": "failures",  # one study
    "tests/exports/": "exports",  # one study
    "tests/projection/test_maps.py": "maps",  # UMAP is compiled once
    "tests/commands/test_space_commands.py": "maps",
    "tests/pages/test_maps.py": "maps",
}
"""Where tests share something that is slow to make; one worker runs what has one name here.

Classes stay together too, and all else is dealt out test by test."""


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Keeps TOGETHER; xdist's own marks for it (3.8) are without effect under pytest 9.2."""
    from xdist.scheduler import LoadScopeScheduling

    class OneWorkerEach(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            for at, name in TOGETHER.items():
                if nodeid.startswith(at):
                    return name
            test = nodeid.split("[")[0]
            # What a class trains serves all of its tests.
            return test.rpartition("::")[0] if test.count("::") == 2 else nodeid

    return OneWorkerEach(config, log)


def _forget() -> None:
    settings.settings.cache_clear()
    settings.device.cache_clear()
    store.store.cache_clear()


@pytest.fixture(autouse=True)
def _main_stays() -> Iterator[None]:
    """AppTest puts a script in place of ``__main__``, which processes started later would run."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(scope="session", autouse=True)
def _nothing_into_the_project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test writes into the project's own data folder, on purpose or not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMREC_DATA", str(tmp_path_factory.mktemp("session-data")))
        patch.setenv("MMREC_DEVICE", "cpu")
        for name in ("MMREC_READ_ONLY", "MMREC_ONLINE", "MMREC_WORKERS"):
            patch.delenv(name, raising=False)
        _forget()
        yield
    _forget()


@pytest.fixture
def mmrec_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A fresh, empty data folder for one test; settings() and store() point at it."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("MMREC_DATA", str(folder))
    _forget()
    yield folder
    _forget()
