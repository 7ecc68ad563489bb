"""A running app and a real browser."""

import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PROJECT = Path(__file__).resolve().parents[2]
CHROMIUM = Path("/usr/bin/chromium")
START_SECONDS = 90


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here drives a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    """Debian's Chromium. Tests are skipped without it, or fail where MMREC_REQUIRE_BROWSER=1."""
    if not CHROMIUM.is_file():
        reason = f"{CHROMIUM} is not installed (Debian: apt-get install chromium)"
        if os.environ.get("MMREC_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def app_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of the running app."""
    return tmp_path_factory.mktemp("app-data")


@contextmanager
def serving(script: str, log: Path, data: Path) -> Iterator[str]:
    """Starts Streamlit with a script on a free port and gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "streamlit", "run", script]
    options = {
        "server.port": port,
        "server.address": "127.0.0.1",
        "server.headless": "true",
        "server.fileWatcherType": "none",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            command + [f"--{name}={value}" for name, value in options.items()],
            cwd=PROJECT,
            env={**os.environ, "MMREC_DATA": str(data)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_healthy(url, process, log)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture(scope="session")
def serve(chromium: "Browser") -> Callable[[str, Path, Path], AbstractContextManager[str]]:
    """``serving``, for tests that need an app on data of their own."""
    return serving


@pytest.fixture(scope="session")
def app_url(
    chromium: "Browser", app_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Address of the app, started on a free port with ``app_data``."""
    log = tmp_path_factory.mktemp("app-log") / "streamlit.log"
    with serving("app.py", log, app_data) as url:
        yield url
    shutil.copy(log, app_data / "streamlit.log")


@pytest.fixture(scope="session")
def point_map_url(
    chromium: "Browser", app_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Address of a page with nothing but a point map."""
    log = tmp_path_factory.mktemp("map-log") / "streamlit.log"
    with serving("tests/browser/point_map_app.py", log, app_data) as url:
        yield url


@pytest.fixture
def page(chromium: "Browser", app_url: str) -> Iterator["Page"]:
    """The app's first screen in a fresh browser context; fails on an uncaught script error."""
    context = chromium.new_context(
        viewport={"width": 1400, "height": 900}, base_url=app_url, accept_downloads=True
    )
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto("/")
    yield opened
    context.close()
    assert not errors, f"uncaught errors in the page: {errors}"


def _wait_until_healthy(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Returns when the server answers; fails with its log when it ends or is too slow."""
    pause = Event()
    for _ in range(START_SECONDS * 5):
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            pass
        pause.wait(0.2)
    pytest.fail(f"the app did not start:\n{log.read_text('utf-8', 'replace')[-4000:]}")
