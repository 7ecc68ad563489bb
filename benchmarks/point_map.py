"""python -m benchmarks.point_map: the point map beside plotly's WebGL scatter, in a browser.

One view of each. *MB* is what the server sends until the map is drawn. *Open* is from the address
to the first coloured pixels, in a browser that has been on the page before. *Lasso* is from letting
go of the button to the exact count on the page, with about half of the points inside. *Step* is
the median time from a step of a drag until its pixels can be read. Without a graphics card a
browser draws by software: steps then measure the processor.
"""

import argparse
import io
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

PROJECT = Path(__file__).resolve().parents[1]
CHROMIUM = "/usr/bin/chromium"
FLAGS = ("--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
PATIENCE = 90_000
STEPS = 9


@dataclass(frozen=True)
class Peer:
    """Who is measured: its script, where it draws, the button of its lasso (or its address)."""

    name: str
    script: str
    plot: str
    lasso: str | None


PEERS = (
    Peer("point map", "tests/browser/point_map_app.py", ".plot", "button[aria-label^=Lasso]"),
    Peer(
        "plotly",
        "benchmarks/point_map_plotly.py",
        "[data-testid=stPlotlyChart] .nsewdrag",
        None,
    ),
)


@contextmanager
def serving(script: str) -> Iterator[str]:
    """Starts Streamlit with a script and gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", script]
    command += [f"--server.port={port}", "--server.headless=true", "--server.fileWatcherType=none"]
    process = subprocess.Popen(
        command, cwd=PROJECT, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://localhost:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=2)
                break
            except OSError:
                time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait()


def coloured(page: "Page", box: dict[str, float]) -> bool:
    """Whether anything but white and grey stands in a part of the page."""
    picture = Image.open(io.BytesIO(page.screenshot(clip=box))).convert("RGB")
    return bool((np.ptp(np.asarray(picture, dtype=int), axis=2) > 40).mean() > 0.005)


def measure(context: "BrowserContext", url: str, peer: Peer, n: int) -> dict[str, float]:
    """Megabytes, and seconds or milliseconds, of one visit."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    received = [0]

    def count(frame: bytes | str) -> None:
        received[0] += len(frame)

    page.on("websocket", lambda socket: socket.on("framereceived", count))
    found: dict[str, float] = {}
    try:
        start = time.perf_counter()
        box = opened(page, f"{url}/?n={n}&views=1", peer)
        found["open"] = time.perf_counter() - start
        found["MB"] = received[0] / 1e6
        found["step"] = steps(page, box)
        if peer.lasso:
            page.locator(peer.lasso).first.click()
        else:
            opened(page, f"{url}/?n={n}&drag=lasso", peer)
        found["lasso"] = lasso(page, box)
    except Exception as error:
        print(f"  {peer.name} at {n:,}: {str(error).splitlines()[0]}", file=sys.stderr)
    finally:
        page.close()
    return found


def opened(page: "Page", address: str, peer: Peer) -> dict[str, float]:
    """Opens a page and returns, once its plot is drawn, where it stands."""
    start = time.perf_counter()
    page.goto(address)
    plot = page.locator(peer.plot).first
    plot.wait_for()
    box = plot.bounding_box()
    assert box is not None
    while not coloured(page, box):
        if time.perf_counter() - start > PATIENCE / 1000:
            raise TimeoutError("nothing was drawn")
    return box


def steps(page: "Page", box: dict[str, float]) -> float:
    """Median milliseconds from a step of a drag until its pixels can be read.

    Times between animation frames say nothing: drawing goes on in another process.
    """
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    corner = {"x": x, "y": y, "width": 40.0, "height": 40.0}
    page.mouse.move(x, y)
    page.mouse.down()
    took = []
    for step in range(1, STEPS + 1):
        start = time.perf_counter()
        page.mouse.move(x + 6 * step, y + 3 * step)
        page.screenshot(clip=corner)
        took.append(time.perf_counter() - start)
    page.mouse.up()
    return 1000 * statistics.median(took)


def lasso(page: "Page", box: dict[str, float]) -> float:
    """Seconds from letting go to the count."""
    left, right = box["x"] + 4, box["x"] + box["width"] / 2
    top, bottom = box["y"] + 4, box["y"] + box["height"] - 4
    page.mouse.move(left, top)
    page.mouse.down()
    for place in ((right, top), (right, bottom), (left, bottom), (left, top + 8)):
        page.mouse.move(*place, steps=6)
    start = time.perf_counter()
    page.mouse.up()
    page.wait_for_function(r"/(^|\n)selected \d+(\n|$)/.test(document.body.innerText)")
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, nargs="+", default=[10_000, 200_000, 1_000_000])
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    columns = ("MB", "open", "lasso", "step")
    results: dict[tuple[str, int], dict[str, float]] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for peer in PEERS:
            with serving(peer.script) as url:
                context = browser.new_context(viewport={"width": 1280, "height": 860})
                measure(context, url, peer, 1000)  # loads and compiles Streamlit's own scripts
                for n in options.points:
                    visits = [measure(context, url, peer, n) for _ in range(options.repeat)]
                    results[peer.name, n] = {
                        name: statistics.median(values)
                        for name in columns
                        if (values := [visit[name] for visit in visits if name in visit])
                    }
                    print(f"{peer.name} at {n:,}: {results[peer.name, n]}", file=sys.stderr)
                context.close()
        browser.close()
    print(f"{'points':>10}  {'':10}{'MB':>9}{'open s':>9}{'lasso s':>9}{'step ms':>9}")
    for n in options.points:
        ours, theirs = (results[peer.name, n] for peer in PEERS)
        for peer in PEERS:
            cells = (results[peer.name, n].get(name) for name in columns)
            print(f"{n:>10,}  {peer.name:10}", end="")
            print("".join(f"{'fails' if c is None else format(c, '.2f'):>9}" for c in cells))
        print(f"{'':10}  {'plotly ×':10}", end="")
        ratios = (theirs[c] / ours[c] if c in ours and c in theirs else None for c in columns)
        print("".join(f"{'–' if r is None else format(r, '.2f'):>9}" for r in ratios))


if __name__ == "__main__":
    main()
