"""python -m benchmarks.pages: start of the server, first paint and clicks of every page.

A real Chromium opens each page of a freshly started server, as a person would. *New browser* is a
first visit with nothing cached: it loads and compiles Streamlit's own scripts. The others are the
median and the worst of later visits in the same browser. *Paint* is when anything stands there,
*title* when the page's question does, *all* when what the page is about is drawn. A click counts
until its answer is drawn.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

PROJECT = Path(__file__).resolve().parents[1]
CHROMIUM = "/usr/bin/chromium"
PATIENCE = 60_000


@dataclass(frozen=True)
class Look:
    """A page: its address, what is waited for, and clicks with what each must bring."""

    name: str
    path: str
    drawn: str
    clicks: tuple[tuple[str, Callable[["Page"], None], str], ...]


def _tab(name: str) -> Callable[["Page"], None]:
    return lambda page: page.get_by_role("tab", name=name).click()


def _text(words: str) -> Callable[["Page"], None]:
    return lambda page: page.get_by_text(words, exact=True).first.click()


def _button(words: str) -> Callable[["Page"], None]:
    return lambda page: page.get_by_role("button", name=words).first.click()


def looks(dataset: str) -> list[Look]:
    """Every page, on a dataset."""
    query = f"?dataset={dataset}"
    chart = "[data-testid=stPlotlyChart] svg.main-svg"
    return [
        Look(
            "Overview",
            f"/{query}",
            chart,
            (("sentences", _button("In sentences"), "[data-testid=stPopoverBody] li"),),
        ),
        Look(
            "Data",
            f"/data{query}",
            "[class*=st-key-tile-tile-0] img",
            (("Shape", _tab("Shape"), chart),),
        ),
        Look(
            "Maps",
            f"/maps{query}",
            "text=items drawn",
            (
                ("Disagreement", _text("Disagreement"), "text=the least first"),
                ("Regions", _text("Regions"), "text=lie in a region"),
            ),
        ),
        Look(
            "Alignment",
            f"/alignment{query}",
            chart,
            (
                ("Retrieval", _text("Retrieval"), "text=search among the same"),
                ("Geometry", _text("Geometry"), "[data-testid=stDataFrame]"),
                ("Near-duplicates", _text("Near-duplicates"), "text=compared with every other"),
            ),
        ),
        Look(
            "Explain",
            f"/explain{query}",
            "li.row",
            (
                ("Why this item", _button("1. "), "text=ranked by"),
                ("What if", _text("What if"), "text=The picture of"),
                ("Attributes", _text("Attributes"), "text=Evidence, not cause"),
            ),
        ),
        Look(
            "Study",
            f"/study{query}",
            chart,
            (
                ("Arms", _text("Arms"), "[data-testid=stTable]"),
                ("Comparisons", _text("Comparisons"), "[data-testid=stDataFrame]"),
                ("New study", _text("New study"), "text=What this will take"),
            ),
        ),
        Look(
            "Runs",
            "/runs",
            "[role=tab]",
            (("Studies", _tab("Studies"), "[data-testid=stDataFrame]"),),
        ),
    ]


@contextmanager
def server() -> Iterator[tuple[str, float]]:
    """A running app: its address, and the seconds until it answered."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}"]
    command += ["--server.address=127.0.0.1", "--server.headless=true"]
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=PROJECT,
        env=dict(os.environ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )
    try:
        while True:
            try:
                with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5):
                    break
            except OSError:
                if process.poll() is not None:
                    raise SystemExit("The app did not start.") from None
                time.sleep(0.05)
        yield url, time.perf_counter() - started
    finally:
        process.terminate()
        process.wait()


PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN"


def visit(context: "BrowserContext", look: Look) -> dict[str, float]:
    """Seconds of one visit in a tab of its own."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    found: dict[str, float] = {}
    started = time.perf_counter()
    page.goto(look.path, wait_until="commit")
    page.get_by_role("heading", level=1).wait_for()
    found["title"] = time.perf_counter() - started
    page.locator(look.drawn).first.wait_for()
    found["all"] = time.perf_counter() - started
    found["paint"] = page.evaluate(PAINT) / 1000
    for name, click, answer in look.clicks:
        page.get_by_test_id("stStatusWidget").wait_for(state="detached")
        started = time.perf_counter()
        click(page)
        page.locator(answer).first.wait_for()
        found[f"click: {name}"] = time.perf_counter() - started
    page.close()
    return found


def main() -> None:
    """Prints one line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="demo-both")
    parser.add_argument("--visits", type=int, default=7)
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, server() as (url, start):
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        load = os.getloadavg()[0]
        print(f"{options.dataset}; server answers after {start:.1f} s; load {load:.1f}")
        print(f"{'page':10} {'what':20} {'new browser':>11} {'median':>7} {'worst':>6}  seconds")
        for look in looks(options.dataset):
            context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 720})
            first = visit(context, look)
            later = [visit(context, look) for _ in range(options.visits)]
            context.close()
            for what in sorted(first, key=lambda w: (w.startswith("click"), first[w])):
                seconds = [one[what] for one in later]
                print(
                    f"{look.name:10} {what:20} {first[what]:11.2f} "
                    f"{statistics.median(seconds):7.2f} {max(seconds):6.2f}"
                )
        browser.close()


if __name__ == "__main__":
    main()
