"""The app without a browser, over a data folder of its own."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import small_shop
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest, app_test

from mmrec_core import settings, store

PROJECT = Path(__file__).resolve().parents[2]

Open = Callable[..., AppTest]


def _forget() -> None:
    settings.settings.cache_clear()
    store.store.cache_clear()
    st.cache_data.clear()
    st.cache_resource.clear()


class _Routed(PagesManager):
    """AppTest begins every run as a fresh server would: with the older routing of pages/."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        PagesManager.uses_pages_directory = False


@pytest.fixture(autouse=True)
def _front_door(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are reached through app.py, as after the first screen of a running app."""
    monkeypatch.setattr(app_test, "PagesManager", _Routed)
    # No page uses a packaged component; looking for some in every package takes half of a test.
    monkeypatch.setattr(
        app_test.BidiComponentManager, "discover_and_register_components", lambda *a, **k: None
    )


@pytest.fixture(scope="session")
def studied_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder with the small shop and a finished study of it."""
    folder = tmp_path_factory.mktemp("studied")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMREC_DATA", str(folder))
        _forget()
        small_shop.install_shop(tmp_path_factory.mktemp("upload") / "small")
        small_shop.finished_study()
    _forget()
    return folder


@pytest.fixture
def empty(mmrec_data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing is installed but the demo's catalogue, nothing is computed, shipped or not."""
    monkeypatch.setattr(settings.Settings, "demo_store", property(lambda s: s.data / "none"))
    _forget()
    return mmrec_data


@pytest.fixture
def studied(empty: Path, studied_folder: Path) -> Path:
    """The small shop and its study, to do with as one likes."""
    mmrec_data = empty
    shutil.copytree(studied_folder, mmrec_data, dirs_exist_ok=True)
    _forget()
    return mmrec_data


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens a page through the front door, with what the address says."""
    monkeypatch.chdir(PROJECT)

    def opened(page: str, **address: str | list[str]) -> AppTest:
        app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=60)
        for name, value in address.items():
            app.query_params[name] = value
        app.switch_page(f"pages/{page}.py")
        app.run()
        assert not app.exception
        return app

    return opened


def words(app: AppTest) -> str:
    """All text of the page, one element a line."""
    kinds = (app.title, app.header, app.subheader, app.markdown, app.caption, app.info, app.error,
             app.warning, app.success)  # fmt: skip
    return "\n".join(str(element.value) for kind in kinds for element in kind)


@pytest.fixture
def text_of() -> Callable[[AppTest], str]:
    """Reads the words on a page."""
    return words


@pytest.fixture
def fitted(studied: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """The small shop with a space fitted on its pairs: names of the sides; ten are held out."""
    from mmrec_core.datasets.catalogue import load_dataset
    from mmrec_core.extractors import shared_space
    from mmrec_core.extractors.service import embed
    from mmrec_core.spaces import list_spaces

    monkeypatch.setattr(shared_space, "LEAST_PAIRS", 10)
    monkeypatch.setattr(shared_space, "LEAST_FITTED", 5)
    dataset = load_dataset(small_shop.NAME)
    parts = {m: {"extractor": "precomputed", "config": {"file": m}} for m in ("image", "text")}
    for side in parts:
        config = {"output": side, **parts, "width": 2, "max_epochs": 2}
        embed(dataset, "shared-space", config)
    found = {s.modality: s.name for s in list_spaces(dataset) if s.title.startswith("Shared")}
    return found["image"], found["text"]
