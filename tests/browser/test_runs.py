"""The Runs page in a real browser."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_the_open_tab_is_in_the_address(page: "Page") -> None:
    page.get_by_role("link", name="Runs").click()
    page.get_by_role("heading", name="What was computed, how, and when?").wait_for()
    page.get_by_role("tab", name="Machine").click()
    page.get_by_text("python -m mmrec_core doctor").wait_for()
    page.wait_for_url(re.compile(r"/runs\?tab=Machine$"))
    page.get_by_role("button", name="Measure").click()
    page.get_by_role("button", name="Measure").wait_for()
    page.reload()
    page.get_by_text("python -m mmrec_core doctor").wait_for()
    assert page.get_by_role("tab", name="Machine").get_attribute("aria-selected") == "true"


def test_the_tabs_are_reached_by_keyboard(page: "Page") -> None:
    page.get_by_role("link", name="Runs").click()
    page.get_by_role("tab", name="Jobs").click()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/runs\?tab=Studies$"))
