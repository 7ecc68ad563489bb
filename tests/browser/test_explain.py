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


def test_an_item_is_one_in_all_lists(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/explain?dataset=demo-both&user=U0008")
    expect(page.get_by_text("4 lists for user U0008 share")).to_be_visible(timeout=SLOW)
    first = page.get_by_role("region", name="VBPR", exact=True)
    row = first.get_by_role("listitem").filter(has_text="in FREEDOM").first
    expect(row).to_be_visible(timeout=SLOW)
    title = row.get_by_role("img").get_attribute("alt")
    assert title
    other = page.get_by_role("region", name="FREEDOM", exact=True)
    twin = other.get_by_role("listitem").filter(has=page.get_by_role("img", name=title, exact=True))
    # To the other list by keyboard: what is reached shows the item wherever it stands.
    row.get_by_role("button", name="in FREEDOM").focus()
    page.keyboard.press("Enter")
    reached = twin.get_by_role("button").first
    expect(reached).to_be_focused()
    ground = "element => getComputedStyle(element).backgroundColor"
    plain = first.get_by_role("listitem").evaluate_all(f"rows => rows.map({ground})")
    assert len(set(plain)) == 2 and row.evaluate(ground) == twin.evaluate(ground) != plain[-1]
    # And opened from there, in that list.
    page.keyboard.press("Enter")
    expect(page.get_by_text("ranked by FREEDOM")).to_be_visible(timeout=SLOW)
    page.wait_for_url("**within=1**", timeout=SLOW)
    # Where it stands in the first list leads there.
    page.get_by_role("button", name="in VBPR").first.click()
    expect(page.get_by_text("ranked by VBPR")).to_be_visible(timeout=SLOW)


def test_what_a_person_took_opens_over_the_page(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/explain?dataset=demo-both&user=U0008")
    expect(page.get_by_text("User U0008 took")).to_be_visible(timeout=SLOW)
    had = page.get_by_role("listitem").filter(has=page.get_by_role("img")).first
    title = had.get_by_role("img").get_attribute("alt")
    had.get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(str(title), timeout=SLOW)
    page.wait_for_url("**item=**", timeout=SLOW)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0, timeout=SLOW)
