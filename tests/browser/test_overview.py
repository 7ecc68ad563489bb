"""Overview in a real browser: first screen, navigation, address, export, no request leaves."""

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

SLOW = 120_000
"""Milliseconds a busy machine may take."""


def test_first_screen_asks_its_question_and_shows_the_dataset(page: "Page") -> None:
    expect(page.get_by_role("heading", name="Does content matter here?")).to_be_visible(
        timeout=SLOW
    )
    pictures = page.get_by_test_id("stImage").locator("img")
    expect(pictures).to_have_count(12, timeout=SLOW)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert all(picture.get_attribute("alt") for picture in pictures.all())


def test_the_dataset_is_in_the_address_and_kept_across_pages(page: "Page") -> None:
    page.goto("/?dataset=demo-words")
    picker = page.get_by_role("combobox", name=re.compile("Dataset"))
    expect(page.get_by_text("Demo shop: tastes in the words").first).to_be_visible(timeout=SLOW)
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Study").click()
    expect(page.get_by_role("heading", name="Which part of the gain is content?")).to_be_visible(
        timeout=SLOW
    )
    expect(page).to_have_url(re.compile("dataset=demo-words"), timeout=SLOW)
    expect(picker).to_be_visible()


def test_no_request_leaves_this_computer(page: "Page", app_url: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/")
    expect(page.get_by_test_id("stImage").locator("img")).to_have_count(12, timeout=SLOW)
    outside = [url for url in asked if not url.startswith((app_url, "data:", "blob:", "ws:"))]
    assert outside == []
