"""python -m benchmarks.explain_clicks: from a click on the Explain page to its answer.

A real Chromium on a server that has just started, as a person would: the next user (four lists),
the next item of an opened list (its score split), and another picture or other words for an item
(its new score and rank). A click counts until its answer is drawn and the page is at rest.
Seconds: the first, the median and the worst of the others. What of it is computing:
python -m benchmarks.explanations.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from benchmarks.pages import CHROMIUM, PATIENCE, server

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

CLICKS = 50
ITEMS = 9
"""Steps down a list of ten before going up again."""
AT_REST = """([before, pattern]) => {
    const app = document.querySelector('[data-testid=stApp]');
    const said = [...document.querySelectorAll('[data-testid=stMarkdownContainer]')]
        .find(one => one.innerText.match(pattern));
    return app.dataset.testScriptState === 'notRunning' && said && said.innerText !== before;
}"""
SAID = """pattern => [...document.querySelectorAll('[data-testid=stMarkdownContainer]')]
    .find(one => one.innerText.match(pattern))?.innerText ?? ''"""


def answered(page: "Page", pattern: str, act: Callable[[], object]) -> float:
    """Seconds from an act until what matches the pattern reads otherwise, and all is drawn."""
    before = page.evaluate(SAID, pattern)
    started = time.perf_counter()
    act()
    page.wait_for_function(AT_REST, arg=[before, pattern])
    return time.perf_counter() - started


def opened(page: "Page", box: "Locator") -> None:
    """Opens a list to choose from; again where the page was still moving under the mouse."""
    from playwright.sync_api import TimeoutError as Late

    for _ in range(5):
        box.click()
        try:
            page.get_by_role("option").first.wait_for(timeout=2000)
        except Late:
            continue
        return


def at_rest(page: "Page") -> None:
    page.wait_for_function(
        "() => document.querySelector('[data-testid=stApp]').dataset.testScriptState"
        " === 'notRunning'"
    )


def clicks(page: "Page", dataset: str, n: int) -> dict[str, list[float]]:
    """Seconds of each click, by what was asked for."""
    found: dict[str, list[float]] = {}
    page.goto(f"/explain?dataset={dataset}")
    page.get_by_text("lists for user").wait_for()
    page.get_by_role("listitem").nth(12).wait_for()
    at_rest(page)
    found["next user, four lists"] = [
        answered(page, "^User .* took", lambda: page.keyboard.press("ArrowRight")) for _ in range(n)
    ]
    page.get_by_role("button", name="1. ").first.click()
    page.get_by_text("Number 1 of").wait_for()
    at_rest(page)
    found["next item, its score split"] = [
        answered(
            page,
            "^Number ",
            lambda down=i % (2 * ITEMS) < ITEMS: page.keyboard.press(
                "ArrowDown" if down else "ArrowUp"
            ),
        )
        for i in range(n)
    ]
    page.get_by_role("radio", name="What if").click()
    page.get_by_role("textbox", name="The picture of").wait_for()
    at_rest(page)
    for what, which in (("picture", "this"), ("words", "these")):
        find = page.get_by_role("textbox", name=f"The {what} of")
        find.fill("a")
        find.press("Enter")
        box = page.get_by_role("combobox", name=f"Score it with {which} {what}")
        seconds = []
        for i in range(n):
            at_rest(page)
            opened(page, box)
            for _ in range(0 if i else 4):
                page.keyboard.press("ArrowDown")
            page.keyboard.press("ArrowDown" if i < n / 2 else "ArrowUp")
            pattern = f"the {what} of .*nothing trained again"
            seconds.append(answered(page, pattern, lambda: page.keyboard.press("Enter")))
        found[f"other {what}, score and rank"] = seconds
        opened(page, box)
        page.get_by_role("option", name="as it is").click()
        page.get_by_text("nothing trained again:").wait_for(state="detached")
        at_rest(page)
    return found


def main() -> None:
    """Prints one line for each kind of click."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("datasets", nargs="*", default=["demo-both"])
    parser.add_argument("--clicks", type=int, default=CLICKS)
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, server() as (url, _):
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        print(f"load {os.getloadavg()[0]:.1f}")
        for dataset in options.datasets:
            page = browser.new_page(base_url=url, viewport={"width": 1280, "height": 900})
            page.set_default_timeout(PATIENCE)
            for what, seconds in clicks(page, dataset, options.clicks).items():
                first, *later = seconds
                print(
                    f"{dataset:14} {what:28} first {first:5.2f}  "
                    f"median {statistics.median(later):5.2f}  worst {max(later):5.2f}",
                    flush=True,
                )
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
