"""Maps in a real browser: outline items on one map, see them on both, copy the link."""

import math

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
SLOW = 90_000


def outlined(page: Page, width: float = 0.9) -> None:
    """Draws a lasso over most of the first map."""
    box = page.locator("canvas").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.keyboard.down("Shift")
    points = [
        (x + box["width"] * width / 2 * math.cos(t), y + box["height"] * width / 2 * math.sin(t))
        for t in (math.tau * n / 40 for n in range(41))
    ]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point)
    page.mouse.up()
    page.keyboard.up("Shift")


def test_the_shipped_maps_are_drawn_outlined_and_linked(page: Page, app_url: str) -> None:
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{app_url}/maps?dataset=demo-both")
    expect(page.get_by_text("What do the embeddings see?")).to_be_visible(timeout=SLOW)
    drawn = page.get_by_text("1,200 items drawn")
    expect(drawn).to_have_count(2, timeout=SLOW)
    expect(page.get_by_text("trustworthiness").first).to_be_visible(timeout=SLOW)
    outlined(page)
    expect(page.get_by_text("What tells it most is")).to_be_visible(timeout=SLOW)
    selected = page.get_by_text(" of 1,200 items, outlined on the map of").first
    expect(selected).to_be_visible(timeout=SLOW)
    words = selected.inner_text()
    page.wait_for_url("**selection=lasso**", timeout=SLOW)
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_text(words).first).to_be_visible(timeout=SLOW)
    other.close()
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.get_by_text("Nothing is selected")).to_be_visible(timeout=SLOW)
    assert said == []


def test_alignment_is_shipped_and_every_part_opens(page: Page, app_url: str) -> None:
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{app_url}/alignment?dataset=demo-both")
    expect(page.get_by_text("Pictures and words say the same")).to_be_visible(timeout=SLOW)
    for part, text in (
        ("Retrieval", "1,200 items ask, and search among the same"),
        ("Modality gap", "Fit a shared space"),
        ("Content and behaviour", "What recommenders did gain by it"),
        ("Near-duplicates", "centred cosine"),
    ):
        page.get_by_text(part, exact=True).first.click()
        expect(page.get_by_text(text).first).to_be_visible(timeout=SLOW)
    page.get_by_text("Geometry", exact=True).first.click()
    expect(page.get_by_role("region", name="Geometry of each space")).to_be_visible(timeout=SLOW)
    assert said == []


def boxed(page: Page, left: float, right: float) -> None:
    """Drags a box over a strip of the first map; tables on the page have canvases too."""
    box = page.locator("canvas.points").first.bounding_box()
    assert box is not None
    top, bottom = box["y"] + 5, box["y"] + box["height"] - 5
    page.mouse.move(box["x"] + left * box["width"], top)
    page.mouse.down()
    for n in range(1, 11):
        x = left + (right - left) * n / 10
        page.mouse.move(box["x"] + x * box["width"], top + (bottom - top) * n / 10)
    page.mouse.up()


def test_a_box_selects_a_link_keeps_its_page_and_another_box_begins_anew(
    page: Page, app_url: str
) -> None:
    page.set_viewport_size({"width": 1400, "height": 1400})
    page.goto(f"{app_url}/maps?dataset=demo-both")
    expect(page.get_by_text("1,200 items drawn")).to_have_count(2, timeout=SLOW)
    page.get_by_role("button", name="Box: select a rectangle").click()
    boxed(page, 0.5, 0.98)
    selected = page.get_by_text(" of 1,200 items, outlined on the map of").first
    expect(selected).to_be_visible(timeout=SLOW)
    first = selected.inner_text()
    pages = page.get_by_test_id("stPagination")
    pages.get_by_role("button", name="3").first.click()
    page.wait_for_url("**selected-page=3**", timeout=SLOW)
    other = page.context.new_page()
    other.goto(page.url)
    current = other.get_by_test_id("stPagination").locator("[aria-current]")
    expect(current).to_have_text("3", timeout=SLOW)
    other.close()
    page.get_by_role("button", name="Box: select a rectangle").scroll_into_view_if_needed()
    boxed(page, 0.02, 0.45)
    expect(page.get_by_text(first)).to_have_count(0, timeout=SLOW)
    expect(pages.locator("[aria-current]")).to_have_text("1", timeout=SLOW)
    assert "selected-page" not in page.url
