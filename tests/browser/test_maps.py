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
