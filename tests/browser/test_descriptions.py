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
