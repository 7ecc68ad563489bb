"""python -m benchmarks.large_catalogue: a big generated shop from CSV to drawn pages.

Makes a dataset of 1,000,000 interactions and 100,000 items (other sizes by options; seeded), reads
and installs it in processes of their own (seconds, peak memory of the process), times the functions
behind the pages in a fresh process, *first* and *again*, and opens the pages in a real Chromium:
*first* is the first visit of a new browser to a server that has just started, *again* and *worst*
are the median and the worst of later ones.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.pages import CHROMIUM, Look, server, visit

if TYPE_CHECKING:
    from playwright.sync_api import Page

NAME = "large"
NOUNS = ("lamp", "kettle", "chair", "scarf", "camera", "drill", "puzzle", "tent", "mug", "radio")
WORDS = """
quiet light robust woven painted folding classic northern narrow wide hand made for small rooms long
journeys cold mornings with care of oak steel cotton glass paper and two spare parts that last in
any weather at home or away kept dry
""".split()  # noqa: SIM905
MISSING = 0.05
PAGE_SIZE = 36
DESCRIPTION = 34
"""Words of a description: about 200 characters."""


@dataclass(frozen=True)
class Size:
    """Of the catalogue that is made."""

    interactions: int = 1_000_000
    items: int = 100_000
    users: int = 60_000
    pictures: int = 2_000


def generate(folder: Path, size: Size, seed: int = 0) -> Path:
    """Writes the CSV files, and the pictures, of a shop whose popularity is Zipf-like."""
    from PIL import Image

    rng = np.random.default_rng([seed, size.items])
    (folder / "images").mkdir(parents=True)
    for n in range(size.pictures):
        colour = tuple(int(c) for c in rng.integers(0, 256, 3))
        Image.new("RGB", (48, 40), colour).save(folder / "images" / f"p{n:06}.jpg")
    words = np.array(WORDS)
    with (folder / "items.csv").open("w", encoding="utf-8") as file:
        file.write("item_id,title,description,category,price,image\n")
        said = words[rng.integers(len(words), size=(size.items, DESCRIPTION))]
        nouns = np.array(NOUNS)[rng.integers(len(NOUNS), size=size.items)]
        prices = np.round(rng.lognormal(3, 1, size.items), 2)
        silent = rng.random(size.items) < MISSING
        for n in range(size.items):
            text = "" if silent[n] else f"{' '.join(said[n])}."
            image = f"p{n:06}.jpg" if n < size.pictures else ""
            file.write(f'B{n:08},"{said[n, 0]} {nouns[n]}, no. {n}","{text}",')
            file.write(f"{nouns[n]}s|{said[n, 1]},{prices[n]},{image}\n")
    _interactions(rng, size, folder / "interactions.csv")
    (folder / "dataset.toml").write_text(
        'title = "A large shop"\nlicence = "generated"\n[columns]\ncategory = "category"\n'
        'category_separator = "|"\n',
        "utf-8",
    )
    return folder


def _interactions(rng: np.random.Generator, size: Size, path: Path) -> None:
    """Distinct pairs in random order; users' activity and items' popularity are long-tailed."""
    import pandas as pd

    weight = 1 / np.arange(10, size.items + 10) ** 0.8
    place = rng.permutation(size.items)
    active = rng.lognormal(0, 0.8, size.users)
    pairs = np.empty(0, dtype=np.int64)
    while len(pairs) < size.interactions:
        more = size.interactions - len(pairs)
        user = rng.choice(size.users, int(1.2 * more) + 10, p=active / active.sum())
        item = place[rng.choice(size.items, len(user), p=weight / weight.sum())]
        pairs = np.unique(np.concatenate([pairs, user * size.items + item]))
    pairs = rng.permutation(pairs)[: size.interactions]
    user, item = pairs // size.items, pairs % size.items
    pd.DataFrame(
        {
            "user_id": np.char.mod("A%07d", user),
            "item_id": np.char.mod("B%08d", item),
            "rating": rng.integers(1, 6, len(pairs)),
            "timestamp": 1_500_000_000 + rng.integers(0, 10**8, len(pairs)),
        }
    ).to_csv(path, index=False)


def inspect_it(folder: Path) -> dict[str, float]:
    """Seconds and peak memory of an inspection, as the app does it before it installs."""
    from mmrec_core.datasets.install import inspect

    return _measured(lambda: inspect(folder, codes=folder.parent / "codes.npz"))


def install_it(folder: Path) -> dict[str, float]:
    """The same of the installation."""
    from mmrec_core.datasets.install import install

    return _measured(lambda: install(folder, name=NAME, replace_existing=True))


def _measured(action: Callable[[], object]) -> dict[str, float]:
    before = _peak()
    started = time.perf_counter()
    action()
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "peak MiB": _peak(), "of it before": before}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def functions() -> dict[str, float]:
    """Seconds of what the pages call, in the order in which they call it."""
    from mmrec_core.datasets import catalogue, split, statistics
    from mmrec_core.studies.plan import default_values, plan_study
    from mmrec_core.studies.results import list_studies
    from mmrec_core.studies.study import make_study
    from pages.ui import gallery

    found: dict[str, float] = {}

    def timed(name: str, action: Callable[[], Any]) -> Any:
        for when in ("first", "again"):
            started = time.perf_counter()
            answer = action()
            found[f"{name}, {when}"] = time.perf_counter() - started
        return answer

    timed("list_datasets", catalogue.list_datasets)
    own = timed("load_dataset", lambda: catalogue.load_dataset(NAME))
    timed("n_users", lambda: catalogue.load_dataset(NAME).n_users)
    timed("item_ids", lambda: catalogue.load_dataset(NAME).item_ids)
    for name in ("overview", "long_tail", "degree_histogram", "missing_modalities"):
        timed(name, lambda name=name: getattr(statistics, name)(own))
    timed("duplicate_images", lambda: statistics.duplicate_images(own))
    timed("k_core_preview", lambda: split.k_core_preview(own, range(21)))
    # What the cache of the app keeps is made anew here, so that "again" is not the cache's time.
    degrees, categories, find = (
        getattr(f, "__wrapped__", f)
        for f in (gallery.degrees_of, gallery.categories_of, gallery.find_items)
    )
    timed("degrees_of", lambda: degrees("", own))
    timed("categories_of", lambda: categories("", own))
    timed("search one word", lambda: find("a", own, "kettle"))
    timed("search three words", lambda: find("a", own, "quiet kettle 77"))
    timed("search and order", lambda: find("a", own, "kettle", order="Title"))
    timed("order by title", lambda: find("a", own, order="Title"))
    timed("category filter", lambda: find("a", own, categories=("kettles",)))
    timed("sharing a picture", lambda: find("a", own, show="Sharing a picture"))
    timed("table of all", lambda: gallery.table_of(own, np.arange(own.n_items)))
    timed("popularity of one", lambda: gallery._popularity(own, 3))
    timed("problems of one", lambda: gallery.problems(own, 3))
    timed("list_studies", lambda: list_studies(NAME))
    values = timed("default_values", lambda: default_values(NAME))
    timed("plan of the default study", lambda: plan_study(make_study(values)))
    found["peak MiB"] = _peak()
    return found


def looks() -> list[Look]:
    """Pages and tabs, each with what it is about and what is clicked there."""
    query, first = f"?dataset={NAME}", "[class*=st-key-tile-tile-0]"
    items = (
        ("next page", _turn_page, f'{first} img[alt$="no. {PAGE_SIZE}"]'),
        ("search", _search("kettle"), "text=items match"),
        ("three words", _search("quiet kettle 77"), r"text=/^(\d,)?\d{1,3} of .* items match/"),
        ("open an item", _open_item, "[role=dialog] >> text=by interactions"),
    )
    return [
        Look("Overview", f"/{query}", "text=Start the default study", ()),
        Look("Items", f"/data{query}", f"{first} img", items),
        Look("Shape", f"/data{query}&tab=Shape", "text=Left at k", ()),
        Look("Add", f"/data{query}&tab=Add+a+dataset", "[data-testid=stFileUploader]", ()),
        Look("Study", f"/study{query}", "text=No study of this dataset", ()),
        Look("New study", f"/study{query}&view=New+study", "text=arms,", ()),
        Look("Explain", f"/explain{query}", "text=No recommender has been trained", ()),
        Look("Runs", "/runs", "[role=tab]", ()),
    ]


def _turn_page(page: "Page") -> None:
    page.get_by_test_id("stPagination").get_by_text("2", exact=True).click()


def _search(words: str) -> Callable[["Page"], None]:
    def act(page: "Page") -> None:
        box = page.get_by_placeholder("Words in id, title, text or category")
        box.fill(words)
        box.press("Enter")

    return act


def _open_item(page: "Page") -> None:
    page.locator("[class*=st-key-open-tile-0] button").first.click()


def pages(visits: int) -> None:
    """Prints what every page and click takes: with a fresh server and browser, and later."""
    from playwright.sync_api import sync_playwright

    print(f"{'page':10} {'what':20} {'first':>7} {'again':>7} {'worst':>7}  seconds", flush=True)
    with sync_playwright() as playwright:
        for look in looks():
            with server() as (url, _):
                browser = playwright.chromium.launch(
                    executable_path=CHROMIUM,
                    args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
                )
                context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 720})
                first = visit(context, look)
                later = [visit(context, look) for _ in range(visits)]
                browser.close()
            for what in first:
                seconds = [one[what] for one in later]
                middle, worst = statistics.median(seconds), max(seconds)
                print(
                    f"{look.name:10} {what:20} {first[what]:7.2f} {middle:7.2f} {worst:7.2f}",
                    flush=True,
                )


def main() -> None:
    """Makes the shop and measures; every step is a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    usual = Size()
    for name in ("interactions", "items", "users", "pictures"):
        parser.add_argument(f"--{name}", type=int, default=getattr(usual, name))
    parser.add_argument("--visits", type=int, default=5)
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        print(json.dumps(STEPS[options.step](options.folder)))
        return
    size = Size(options.interactions, options.items, options.users, options.pictures)
    with tempfile.TemporaryDirectory(prefix="large-catalogue-") as held:
        folder, data = Path(held) / "shop", Path(held) / "data"
        # The servers that are started below look there, too.
        os.environ |= {"MMREC_DATA": str(data), "STREAMLIT_SERVER_FILE_WATCHER_TYPE": "none"}
        started = time.perf_counter()
        generate(folder, size)
        print(f"{size}; load {os.getloadavg()[0]:.1f}")
        print(f"made in {time.perf_counter() - started:.0f} s: {_mib(folder):.0f} MiB of files")
        for step in STEPS:
            command = [sys.executable, "-m", __spec__.name, "--step", step, "--folder", str(folder)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            print(f"\n{step}")
            for name, value in json.loads(done.stdout.splitlines()[-1]).items():
                print(f"  {name:34} {value:9.3f}")
            if step == "install":
                print(f"  {'MiB in the store':34} {_mib(data / 'store'):9.0f}")
        print()
        pages(options.visits)


def _mib(folder: Path) -> float:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 2**20


STEPS: dict[str, Callable[[Path], dict[str, float]]] = {
    "inspect": inspect_it,
    "install": install_it,
    "functions": lambda folder: functions(),
}

if __name__ == "__main__":
    main()
