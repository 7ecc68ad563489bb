"""Twenty people at once, each on a dataset of their own, while a study runs."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import small_shop
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

PROJECT = Path(__file__).resolve().parents[2]
SLOW = 120_000
DEMO = "demo-words"
TITLES = {
    "red-shop": "The Red Shop",
    "green-shop": "The Green Shop",
    "blue-shop": "The Blue Shop",
    DEMO: "Demo shop: tastes in the words",
}
WORDS = {name: title.split()[1] for name, title in TITLES.items() if name != DEMO}
"""What every item of a dataset is called by."""

STUDIED = "red-shop"
SESSIONS = 20
STEPS = 2
FIRST, LAST = ("overview", "data", "study"), ("explain", "runs")
"""Everybody opens one of the first, and then goes to one of the last."""

HEADINGS = {
    "overview": "Does content matter here?",
    "data": "What do I have?",
    "study": "Which part of the gain is content?",
    "explain": "Why this item for this user?",
    "runs": "What was computed, how, and when?",
}
EXPLAINED = ".st-key-lists-beside, .st-key-list-alone"


@dataclass
class Session:
    """A person: a tab, which is a session of its own to the server, on one dataset."""

    page: "Page"
    dataset: str
    nth: int

    def at(self, step: int) -> str:
        pages = FIRST if step < STEPS - 1 else LAST
        return pages[(self.nth + step) % len(pages)]


def install(data: Path, folder: Path, name: str, title: str, seed: int) -> None:
    """A small shop whose title and items name their dataset, installed by another process."""
    rng = np.random.default_rng([seed])
    word = title.split()[1]
    small_shop.upload(folder)
    items = pd.read_csv(folder / "items.csv")
    items["title"] = [f"{word} cup {n}" for n in range(len(items))]
    items["description"] = [f"A {word} cup, number {n}." for n in range(len(items))]
    items.to_csv(folder / "items.csv", index=False)
    pairs = pd.read_csv(folder / "interactions.csv")
    # Another number of interactions each: the sentences differ in their numbers too.
    pairs.drop(rng.choice(len(pairs), 10 * seed, replace=False)).to_csv(
        folder / "interactions.csv", index=False
    )
    (folder / "dataset.toml").write_text(f'title = "{title}"\n', "utf-8")
    python(
        data,
        "from pathlib import Path; from mmrec_core.datasets.install import install; "
        f"install(Path({str(folder)!r}), name={name!r})",
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with three small shops beside the demo."""
    folder = tmp_path_factory.mktemp("many-data")
    for seed, name in enumerate(WORDS):
        install(folder, tmp_path_factory.mktemp("many-up") / name, name, TITLES[name], seed)
    return folder


@pytest.fixture(scope="module")
def url(
    serve: Callable[[str, Path, Path], AbstractContextManager[str]],
    data: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """Address of an app on that folder."""
    log = tmp_path_factory.mktemp("many-log") / "streamlit.log"
    with serve("app.py", log, data) as address:
        yield address


def main_part(page: "Page") -> "Locator":
    return page.get_by_test_id("stMain")


def opened(session: Session, place: str) -> None:
    """The page stands there whole, and everything on it is of the session's own dataset."""
    page, name, main = session.page, session.dataset, main_part(session.page)
    expect(main.get_by_role("heading", name=HEADINGS[place])).to_be_visible(timeout=SLOW)
    if place == "runs":
        expect(main.get_by_role("tab", name="Studies")).to_be_visible(timeout=SLOW)
    else:
        expect(page.get_by_test_id("stSidebar")).to_contain_text(TITLES[name], timeout=SLOW)
        expect(page).to_have_url(re.compile(f"dataset={name}(&|$)"), timeout=SLOW)
        expect(shows(session, place).first).to_be_visible(timeout=SLOW)
    expect(page.get_by_test_id("stApp")).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=SLOW
    )
    fine(session, place)


def shows(session: Session, place: str) -> "Locator":
    """What a page is about."""
    name, main = session.dataset, main_part(session.page)
    chart, nothing = main.get_by_test_id("stPlotlyChart"), main.get_by_text("No study of this")
    if place == "overview":
        return main.get_by_role("heading", name=TITLES[name])
    if place == "data":
        word = WORDS.get(name)
        pictures = main.locator("[class*=st-key-tile-tile-] img")
        return pictures.and_(main.get_by_alt_text(f"{word} cup")) if word else pictures
    if place == "study":
        if name == DEMO:
            return chart
        under_way = main.get_by_role("button", name="Cancel")
        return under_way.or_(chart).or_(nothing) if name == STUDIED else nothing
    none = main.get_by_text("No recommender has been trained on this catalogue")
    return main.locator(EXPLAINED).or_(none) if name == STUDIED else none


def fine(session: Session, place: str) -> None:
    """Nothing failed, and nothing of anybody else's is there."""
    page, main = session.page, main_part(session.page)
    said = f"{session.dataset} on {place}"
    assert page.get_by_test_id("stException").count() == 0, said
    assert main.get_by_text("could not be shown").count() == 0, said
    assert main.get_by_test_id("stAlertContentError").count() == 0, said
    if place == "runs":
        return
    text = page.get_by_test_id("stApp").inner_text()
    alts = main.locator("img").evaluate_all("all => all.map(i => i.alt)")
    for other, title in TITLES.items():
        if other == session.dataset:
            continue
        assert title not in text, f"{said}: {title}"
        if other in WORDS:
            cup = f"{WORDS[other]} cup"
            assert cup not in text and not [alt for alt in alts if cup in alt], f"{said}: {cup}"
    if place == "data" and session.dataset in WORDS:
        assert [alt for alt in alts if alt.startswith(f"{WORDS[session.dataset]} cup")], said


def python(data: Path, code: str) -> None:
    """Runs code in another process, over the same data folder."""
    subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        # One worker: a study leaves a core to those who browse.
        env={**os.environ, "MMREC_DATA": str(data), "MMREC_WORKERS": "1"},
        check=True,
        capture_output=True,
    )


def start_study(data: Path) -> None:
    """A study that takes about as long as the walk, as a job with one worker."""
    config = {"max_epochs": 40, "patience": 40, "factors": 8}
    values = {
        "dataset": STUDIED,
        "recommenders": ["vbpr"],
        "references": ["bpr-mf"],
        "controls": ["shuffle", "removed"],
        "seeds": 10,
        "configs": {"vbpr": config, "bpr-mf": config},
    }
    python(data, f"from mmrec_core import jobs; jobs.start('study', {values!r}, 'A study')")


@pytest.mark.slow
def test_twenty_people_see_their_own_datasets_while_a_study_runs(
    chromium: "Browser", url: str, data: Path, tmp_path: Path
) -> None:
    errors: list[str] = []
    # The tabs of one browser share its cache of Streamlit's scripts, which are large.
    browsers = {
        name: chromium.new_context(base_url=url, viewport={"width": 1280, "height": 720})
        for name in TITLES
    }
    sessions = []
    for n in range(SESSIONS):
        # Two look at the demo, whose plots are slow to draw; neighbours are on different datasets.
        dataset = DEMO if n % 10 == 9 else list(WORDS)[n % len(WORDS)]
        page = browsers[dataset].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        sessions.append(Session(page, dataset, n // len(WORDS)))
    try:
        for session in sessions:
            place = session.at(0)
            path = "" if place == "overview" else place
            session.page.goto(f"/{path}?dataset={session.dataset}", wait_until="commit")
        for session in sessions:
            opened(session, session.at(0))
        start_study(data)
        sessions[0].page.reload()
        under_way = main_part(sessions[0].page).get_by_role("button", name="Cancel")
        expect(under_way).to_be_visible(timeout=SLOW)
        for step in range(1, STEPS):
            # All click before anybody's answer is waited for.
            for session in sessions:
                link = session.page.get_by_test_id("stSidebarNav").get_by_role(
                    "link", name=session.at(step).capitalize()
                )
                link.click()
            for session in sessions:
                opened(session, session.at(step))

        studied = next(s for s in sessions if s.dataset == STUDIED)
        studied.page.goto(f"/study?dataset={STUDIED}")
        expect(studied.page.get_by_test_id("stPlotlyChart").first).to_be_visible(timeout=4 * SLOW)
        fine(studied, "study")

        replaced_under_its_name(sessions, data, tmp_path)
    finally:
        for browser in browsers.values():
            browser.close()
    assert not errors, f"uncaught errors in the pages: {errors}"


def replaced_under_its_name(sessions: list[Session], data: Path, tmp_path: Path) -> None:
    """Another process deletes a dataset that people look at and gives its name to another."""
    own = [session for session in sessions if session.dataset == "blue-shop"]
    python(data, "from mmrec_core.datasets.catalogue import delete_dataset as d; d('blue-shop')")
    install(data, tmp_path / "violet", "blue-shop", "The Violet Shop", 5)
    for session in own:
        session.page.goto(f"/data?dataset={session.dataset}", wait_until="commit")
    for session in own:
        main = main_part(session.page)
        expect(main.get_by_text("The Violet Shop")).to_be_visible(timeout=SLOW)
        expect(main.get_by_alt_text("Violet cup").first).to_be_visible(timeout=SLOW)
        assert "Blue" not in session.page.get_by_test_id("stApp").inner_text()
