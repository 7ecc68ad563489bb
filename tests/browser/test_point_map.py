"""The point map in a real browser: 200,000 points in two views, drawn by software."""

import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

SLOW = 120_000
# WebGL without a graphics card.
SOFTWARE = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader"]
SOFTWARE += ["--enable-unsafe-swiftshader", "--disable-background-networking"]


@pytest.fixture(scope="module")
def software(chromium: "Browser") -> Iterator["Browser"]:
    """A browser whose WebGL needs no graphics card."""
    kind = chromium.browser_type
    browser = kind.launch(executable_path="/usr/bin/chromium", args=SOFTWARE)
    yield browser
    browser.close()


@pytest.fixture
def opened(software: "Browser", point_map_url: str) -> Iterator["Page"]:
    """An empty page; fails at the end if its console has an error or it asked other servers."""
    context = software.new_context(
        viewport={"width": 1280, "height": 860}, base_url=point_map_url, color_scheme="light"
    )
    page = context.new_page()
    errors: list[str] = []
    asked: set[str] = set()
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: asked.add(request.url))
    yield page
    context.close()
    ours = (point_map_url, "data:", "blob:")
    assert [address for address in asked if not address.startswith(ours)] == []
    assert errors == []


def drawn(page: "Page", address: str, views: int = 2) -> list["Locator"]:
    """Opens the map and waits until each view is drawn."""
    page.goto(address)
    plots = page.locator(".plot[data-drawn]")
    expect(plots).to_have_count(views, timeout=SLOW)
    return plots.all()


def coloured(plot: "Locator") -> float:
    """Share of a view's pixels that are neither white nor grey."""
    pixels = np.asarray(Image.open(io.BytesIO(plot.screenshot())).convert("RGB"), dtype=int)
    return float((np.ptp(pixels, axis=2) > 40).mean())


def outline(page: "Page", plot: "Locator", left: float, right: float) -> None:
    """Draws around all between two shares of a view's width, with Shift held down."""
    box = plot.bounding_box()
    assert box is not None

    def at(x: float, y: float) -> tuple[float, float]:
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    page.keyboard.down("Shift")
    page.mouse.move(*at(left, 0.01))
    page.mouse.down()
    for place in ((right, 0.01), (right, 0.99), (left, 0.99), (left, 0.02)):
        page.mouse.move(*at(*place), steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")


def number_of(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def test_many_points_lasso_legend_and_keyboard(opened: "Page") -> None:
    page = opened
    first, second = drawn(page, "/?n=200000")
    foot = page.locator(".foot")
    expect(foot.nth(0)).to_have_text("200,000 items drawn")
    expect(foot.nth(1).locator(".missing")).to_have_text("2,000 not in this space")
    assert coloured(first) > 0.05
    assert coloured(second) > 0.05

    # The legend hides; the outline holds none of what is hidden; browser and server agree.
    page.get_by_role("button", name="kind 3 ").click()
    expect(foot.nth(0).locator(".drawn")).to_have_text("183,334 items drawn")
    outline(page, first, 0.01, 0.5)
    expect(foot.nth(0).locator(".selected")).to_be_visible(timeout=SLOW)
    here = number_of(foot.nth(0).locator(".selected").inner_text())
    assert 20_000 < here < 180_000
    expect(page.get_by_text(f"selected {here}", exact=True)).to_be_visible(timeout=SLOW)
    expect(foot.nth(1).locator(".selected")).to_be_visible()
    everything = page.get_by_role("button", name="show all")
    everything.click()
    expect(foot.nth(0).locator(".drawn")).to_have_text("200,000 items drawn")
    assert number_of(foot.nth(0).locator(".selected").inner_text()) == here

    # All there is: the exact count is known.
    outline(page, first, 0.001, 0.999)
    expect(page.get_by_text("selected 200000", exact=True)).to_be_visible(timeout=SLOW)
    first.press("Escape")
    expect(page.get_by_text("selected none", exact=True)).to_be_visible(timeout=SLOW)
    expect(foot.locator(".selected")).to_have_count(0)

    # Keyboard: larger, and back.
    first.press("+")
    expect(first).to_have_attribute("data-zoom", "1.250")
    expect(second).to_have_attribute("data-zoom", "1.000")
    first.press("0")
    expect(first).to_have_attribute("data-zoom", "1.000")

    # The session is alive.
    page.get_by_text("Mark five").click()
    expect(page.locator(".rings").first.locator("g:visible")).to_have_count(5, timeout=SLOW)


def test_tooltip_click_and_pictures(opened: "Page") -> None:
    page = opened
    drawn(page, "/?n=60")
    # Few points: pictures stand for the dots, but every fifth has none.
    pictures = page.locator(".panel").first.locator(".sprite")
    expect(pictures).to_have_count(48, timeout=SLOW)
    box = pictures.first.bounding_box()
    assert box is not None
    title = pictures.first.get_attribute("alt")
    assert title is not None
    assert re.fullmatch(r"Item <b>\d+</b>", title), "text from data is text"
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tooltip = page.get_by_role("tooltip")
    expect(tooltip).to_have_count(1)
    expect(tooltip).to_contain_text("Item <b>")
    expect(tooltip).to_contain_text("category")
    shown = number_of(tooltip.locator("b").inner_text())
    # Another view points at the same item.
    expect(page.locator(".rings").nth(1).locator("g:visible")).to_have_count(1)
    page.mouse.down()
    page.mouse.up()
    expect(page.get_by_text(f"clicked {shown}", exact=True)).to_be_visible(timeout=SLOW)
    runs = page.get_by_text(re.compile(r"^runs \d+$"))
    expect(runs).to_have_text("runs 2")
    page.get_by_role("button", name="Pictures instead of dots").click()
    expect(pictures).to_have_count(0)


def test_numbers_have_a_range(opened: "Page") -> None:
    page = opened
    (plot,) = drawn(page, "/?n=3000&kind=numbers&views=1", views=1)
    page.get_by_label("Lowest value shown").fill("400")
    hidden = page.locator(".foot .hidden")
    expect(hidden).to_be_visible()
    outline(page, plot, 0.001, 0.999)
    left = 3000 - number_of(hidden.inner_text())
    assert 0 < left < 3000
    expect(page.get_by_text(f"selected {left}", exact=True)).to_be_visible(timeout=SLOW)


def test_many_categories_can_be_searched(opened: "Page") -> None:
    page = opened
    drawn(page, "/?n=3000&kind=many")
    page.get_by_label("Search the legend").fill("kind 229")
    entries = page.locator(".entry")
    expect(entries).to_have_count(1)
    entries.first.click(modifiers=["Shift"])
    expect(page.locator(".foot .drawn").first).to_have_text("13 items drawn")


def test_the_map_outlives_its_graphics_context(opened: "Page") -> None:
    page = opened
    page.add_init_script(
        "const get = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...more) {"
        " const context = get.call(this, kind, ...more);"
        " if (kind === 'webgl') window.lastContext = context; return context; };"
    )
    first, _ = drawn(page, "/?n=3000")
    before = coloured(first)
    page.evaluate("window.lastContext.getExtension('WEBGL_lose_context').loseContext()")
    notice = page.locator(".notice").first
    expect(notice).to_be_visible()
    expect(notice).to_be_hidden(timeout=SLOW)
    assert coloured(first) == pytest.approx(before, rel=0.1)


def test_without_webgl_a_sentence_says_so(opened: "Page") -> None:
    page = opened
    page.add_init_script(
        "const get = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...more) {"
        " return kind.startsWith('webgl') ? null : get.call(this, kind, ...more); };"
    )
    page.goto("/?n=300")
    expect(page.locator(".notice").first).to_contain_text("no WebGL", timeout=SLOW)
