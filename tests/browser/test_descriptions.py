"""Answers brought to the Descriptions page in a real browser."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

ANSWERS = """item,answer
P0001,"[Type] {Clock}, [Color] {Green}, [Pattern] {Dotted}, [Material] {Metal}, [Style] {Playful}"
P0002,"Type: Planter, Color: Black, Pattern: Dotted, Material: Knit, Style: Playful"
P0003,No image available
"""


def test_answers_are_brought_read_and_searched(page: "Page", tmp_path: Path) -> None:
    (tmp_path / "answers.csv").write_text(ANSWERS, "utf-8")
    page.get_by_role("link", name="Descriptions").click()
    page.get_by_role("heading", name="What does a model say it saw?").wait_for()
    # What the bundled model said is shipped; the vector's words stand beside it.
    page.get_by_text("In the vector of small-lvlm").first.wait_for()
    page.get_by_role("radio", name="Add descriptions").or_(
        page.get_by_role("button", name="Add descriptions")
    ).first.click()
    page.get_by_text("Bring answers").wait_for()
    page.locator("input[type=file]").set_input_files(str(tmp_path / "answers.csv"))
    page.get_by_role("button", name="Import answers").click()
    page.get_by_text("items were described").wait_for()
    page.get_by_text("another form").first.wait_for()
    page.get_by_role("textbox", name="Search").fill("Planter, Color")
    page.keyboard.press("Enter")
    page.get_by_text("item matches").wait_for()
    page.wait_for_url(re.compile(r"said-q=Planter"))
    page.reload()
    page.get_by_text("item matches").wait_for()
    page.get_by_role("button", name=re.compile("plant pot")).first.click()
    page.get_by_role("dialog").wait_for()


def test_prompts_stand_side_by_side_and_a_copied_link_opens_the_same(page: "Page") -> None:
    page.get_by_role("link", name="Descriptions").click()
    page.get_by_text("as asked").first.wait_for()
    # Another test may have brought answers, which are newer.
    page.get_by_label("Descriptions", exact=True).focus()
    page.keyboard.type("small-lvlm · structured")
    page.keyboard.press("Enter")
    page.get_by_text("1,200 of 1,200 items were described").wait_for()
    page.get_by_role("radio", name="Prompts").or_(
        page.get_by_role("button", name="Prompts", exact=True)
    ).first.click()
    page.get_by_text("The misaligned control scores worst").wait_for()
    page.get_by_text("A dotted green clock made of metal").wait_for()
    page.get_by_role("button", name="Page 2", exact=True).click()
    page.wait_for_url(re.compile(r"compared-page=2"))
    page.get_by_text("A dotted green clock made of metal").wait_for(state="detached")
    shown = page.locator("[class*=st-key-tile-compared]").first.inner_text()
    copied = page.context.new_page()
    copied.goto(page.url)
    copied.get_by_text("The misaligned control scores worst").wait_for()
    tile = copied.locator("[class*=st-key-tile-compared]").first
    tile.get_by_role("button").last.wait_for()
    assert tile.inner_text() == shown
    copied.close()
    # What a value is held against is chosen by keyboard, and stands in the address.
    page.get_by_role("radio", name="Items").or_(
        page.get_by_role("button", name="Items", exact=True)
    ).first.click()
    page.get_by_label("Against the truth").focus()
    page.keyboard.type("Wrong")
    page.keyboard.press("Enter")
    page.get_by_text("items match").wait_for()
    page.wait_for_url(re.compile(r"against=wrong"))
    page.get_by_text("✗").first.wait_for()
