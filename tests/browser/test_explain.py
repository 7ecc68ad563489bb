"""Explain in a real browser: user, list, item, another picture, new rank, the link in a new tab."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
SLOW = 90_000


def part(page: Page, name: str) -> None:
    """Opens a part of the explanation; again where the page was drawn anew under the mouse."""
    radio = page.get_by_role("radio", name=name)
    for _ in range(3):
        radio.click()
        try:
            expect(radio).to_be_checked(timeout=15_000)
        except AssertionError:
            continue
        return
    pytest.fail(f"{name} cannot be opened")


def test_from_a_user_to_a_new_rank_and_back_by_the_link(page: Page, app_url: str) -> None:
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{app_url}/explain?dataset=demo-both&user=U0008")
    expect(page.get_by_text("4 lists for user U0008 share")).to_be_visible(timeout=SLOW)
    first = page.get_by_role("region", name="VBPR", exact=True)
    first.get_by_role("button", name="1. ").click()
    expect(page.get_by_text("Number 1 of")).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("above the average item ranked")).to_be_visible(timeout=SLOW)
    page.keyboard.press("ArrowDown")
    expect(page.get_by_text("Number 2 of")).to_be_visible(timeout=SLOW)
    # The page is drawn to its end: what is clicked meanwhile may be replaced under the mouse.
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=SLOW)
    part(page, "What if")
    find = page.get_by_role("textbox", name="The picture of")
    expect(find).to_be_visible(timeout=SLOW)
    find.fill("P0001")
    page.keyboard.press("Enter")
    given = page.get_by_role("combobox", name="Score it with this picture")
    given.click()
    page.get_by_role("option").nth(3).click()
    rank = page.get_by_test_id("stMetricValue").first
    expect(rank).to_be_visible(timeout=SLOW)
    page.wait_for_url("**give-image=P0001**", timeout=SLOW)
    expect(page.get_by_text("nothing trained again:")).to_be_visible(timeout=SLOW)
    value = rank.inner_text()
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_text("Number 2 of")).to_be_visible(timeout=SLOW)
    expect(other.get_by_test_id("stMetricValue").first).to_have_text(value, timeout=SLOW)
    other.close()
    page.get_by_role("heading", name="Why this item").click()  # keys go to the page again
    page.keyboard.press("b")
    expect(page.get_by_text("User U0008 took")).to_be_visible(timeout=SLOW)
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("User U0009 took")).to_be_visible(timeout=SLOW)
    assert said == []
