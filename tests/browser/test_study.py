"""Study in a real browser: a small study is started, watched, seen in a new tab, and read."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import small_shop
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SLOW = 120_000
PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def shop(app_data: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The small shop, installed where the running app looks."""
    folder = small_shop.upload(tmp_path_factory.mktemp("browser-upload") / "small")
    subprocess.run(
        [sys.executable, "-m", "mmrec_core", "install", str(folder), "--name", small_shop.NAME],
        cwd=PROJECT,
        env={**os.environ, "MMREC_DATA": str(app_data)},
        check=True,
        capture_output=True,
    )
    return small_shop.NAME


def test_a_study_is_planned_started_watched_and_read(
    page: "Page", shop: str, chromium: "Browser", app_url: str
) -> None:
    small = "".join(
        f"&{name}.max_epochs=4&{name}.patience=1&{name}.evaluate_every=1&{name}.factors=4"
        for name in ("vbpr", "bpr-mf")
    )
    page.goto(
        f"/study?dataset={shop}&view=New+study&recommenders=VBPR&references=BPR-MF&seeds=5{small}"
    )
    expect(page.get_by_text("What this will take")).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Start this study").click()
    panel = page.get_by_role("button", name="Cancel")
    done = page.get_by_test_id("stPlotlyChart")
    expect(panel.or_(done).first).to_be_visible(timeout=SLOW)

    # The tab is closed and the page opened anew: the job is still there, or its results are.
    second = chromium.new_context(base_url=app_url).new_page()
    page.close()
    second.goto(f"/study?dataset={shop}")
    expect(second.get_by_role("button", name="Cancel").or_(
        second.get_by_test_id("stPlotlyChart")).first).to_be_visible(timeout=SLOW)  # fmt: skip
    expect(second.get_by_test_id("stPlotlyChart")).to_be_visible(timeout=4 * SLOW)
    expect(second).to_have_url(re.compile("study=[0-9a-f]{12}"))
    expect(second.get_by_test_id("stException")).to_have_count(0)

    second.get_by_role("button", name="Export").click()
    for kind, start in (("CSV", b"recommender,"), ("HTML", b"<!DOCTYPE html>")):
        with second.expect_download(timeout=SLOW) as download:
            second.get_by_role("button", name=kind, exact=True).click()
        assert Path(download.value.path()).read_bytes().startswith(start)
    with second.expect_download(timeout=SLOW) as download:
        second.get_by_role("button", name="PDF", exact=True).first.click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF")
    second.keyboard.press("Escape")

    second.get_by_text("Arms", exact=True).click()
    expect(second.get_by_test_id("stTable")).to_contain_text("not converged", timeout=SLOW)
    expect(second).to_have_url(re.compile("part=Arms"))
    second.context.close()


def test_the_study_in_depth_is_read_and_taken_away(page: "Page", tmp_path: Path) -> None:
    for part, words in (
        ("Contribution", "VBPR goes from"),
        ("Power", "comparisons are"),
        ("Agreement", "For whom two arms differ most"),
        ("Cost", "The best is"),
    ):
        page.goto(f"/study?dataset=demo-both&part={part}")
        expect(page.get_by_text(words).first).to_be_visible(timeout=SLOW)
        expect(page.get_by_test_id("stPlotlyChart").first).to_be_visible(timeout=SLOW)
        expect(page.get_by_test_id("stException")).to_have_count(0)

    page.goto("/study?dataset=demo-both&part=Export")
    page.get_by_role("button", name="Make the page").click(timeout=SLOW)
    button = page.get_by_role("button", name="Download the page")
    expect(button).to_be_visible(timeout=4 * SLOW)
    with page.expect_download(timeout=SLOW) as download:
        button.click()
    report = tmp_path / "report.html"
    download.value.save_as(report)

    # It opens without a network, draws its figures, and its policy stops nothing of its own.
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.context.set_offline(True)
    page.goto(report.as_uri())
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("heading", name="Methods")).to_be_visible()
    assert not said, said
