"""The Data page in a real browser: clicks, the address, and a zip from upload to delete."""

import io
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

TITLE = "<b>Mug</b> **1** [x](https://evil.example)"


def packed(folder: Path, name: str, *, rating: str = "5", extra: str = "") -> Path:
    """A zip of a small dataset; the first rating and one more member may be bad."""
    rows = [(u, (u + k) % 6) for u in range(8) for k in range(5)]
    lines = [f"u{u},i{i},{rating if n == 0 else 4}" for n, (u, i) in enumerate(rows)]
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("interactions.csv", "\n".join(["user_id,item_id,rating", *lines]))
        items = [f'i{i},"{TITLE} {i}","words {i}"' for i in range(6)]
        archive.writestr("items.csv", "\n".join(["item_id,title,description", *items]))
        if extra:
            archive.writestr(extra, "x")
    path = folder / f"{name}.zip"
    path.write_bytes(held.getvalue())
    return path


def incoming(app_data: Path) -> list[Path]:
    return [path for path in app_data.glob("incoming/*") if path.suffix != ".csv"]


def open_at(page: "Page", query: str) -> None:
    page.get_by_role("link", name="Overview").wait_for()
    page.goto(f"/data{query}")
    page.get_by_role("heading", name="What do I have?").wait_for()
    # What is clicked while the script still runs may be replaced before it is heard.
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()


def test_an_item_opens_by_a_click_on_its_picture_and_closes(page: "Page") -> None:
    open_at(page, "?q=radio+musicians")
    page.get_by_text("items match").wait_for()
    picture = page.locator("[class*=st-key-tile-tile-0] img")
    picture.wait_for()
    # Pictures that arrive move those below them, and a click meets what is there no more.
    page.wait_for_function("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    picture.click(force=True)
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("users have it").wait_for()
    assert re.search(r"[?&]item=P\d{4}", page.url)
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    page.wait_for_url(re.compile(r"/data\?q=radio\+musicians$"))


def test_pictures_have_titles_and_keep_their_proportions(page: "Page") -> None:
    open_at(page, "?page=2")
    first = page.locator("[class*=st-key-tile-tile-0] img")
    first.wait_for()
    assert first.get_attribute("alt")
    page.wait_for_function("i => i.complete && i.naturalWidth > 0", arg=first.element_handle())
    shown, own = first.evaluate(
        "i => [i.clientWidth / i.clientHeight, i.naturalWidth / i.naturalHeight]"
    )
    fitted = first.evaluate("i => getComputedStyle(i).objectFit")
    assert shown == pytest.approx(own, rel=0.03) or fitted == "contain"


def test_a_copied_link_opens_the_same_view(page: "Page") -> None:
    open_at(page, "?dataset=demo-words")
    first = page.locator("[class*=st-key-tile-tile-0] img")
    first.wait_for()
    on_page_one = first.get_attribute("alt")
    page.get_by_test_id("stPagination").get_by_text("3", exact=True).click()
    page.wait_for_url(re.compile("page=3"))
    page.locator(f'[class*=st-key-tile-tile-0] img:not([alt="{on_page_one}"])').wait_for()
    link, title = page.url, first.get_attribute("alt")
    page.goto("/")
    page.get_by_role("heading", level=1).wait_for()
    page.goto(link)
    page.locator(f'[class*=st-key-tile-tile-0] img[alt="{title}"]').wait_for()


def test_a_zip_that_leaves_its_folder_is_refused_in_words(
    page: "Page", app_data: Path, tmp_path: Path
) -> None:
    open_at(page, "?tab=Add+a+dataset")
    page.locator("input[type=file]").set_input_files(packed(tmp_path, "evil", extra="../out.txt"))
    said = page.get_by_role("alert").filter(has_text="Nothing was installed")
    said.wait_for()
    assert "evil.zip" in said.inner_text() and "would leave the folder" in said.inner_text()
    assert page.get_by_role("button", name="Install", exact=True).count() == 0
    assert not (app_data / "out.txt").exists() and not (app_data / "incoming" / "out.txt").exists()


def test_a_zip_from_upload_to_delete(page: "Page", app_data: Path, tmp_path: Path) -> None:
    open_at(page, "?tab=Add+a+dataset")
    zipped = packed(tmp_path, "My Shop", rating="splendid")
    page.locator("input[type=file]").set_input_files(zipped)
    page.get_by_text("rows rejected: 1").wait_for()
    install = page.get_by_role("button", name=re.compile("Install$"))
    assert install.is_disabled()
    page.get_by_text("Install what is sound: leave out 1 row").click()
    page.wait_for_function("b => !b.disabled", arg=install.element_handle())
    install.click()
    opens = page.get_by_role("button", name="Open it")
    opens.wait_for(timeout=120_000)
    page.get_by_text("The report", exact=True).click()
    page.get_by_text("rows rejected: 1").wait_for()
    assert page.get_by_text("could not be shown").count() == 0
    opens.click()
    page.get_by_role("button", name="<b>Mug</b> **1**").first.wait_for()
    assert "dataset=my-shop" in page.url
    assert page.get_by_role("link", name="x", exact=True).count() == 0
    assert not [path for path in incoming(app_data) if path.name.endswith(".job")]

    page.get_by_role("tab", name="Add a dataset").click()
    page.locator(".st-key-delete-my-shop button").click()
    page.locator(".st-key-delete-sure button").click()
    page.locator(".st-key-delete-my-shop").wait_for(state="detached")
    assert not (app_data / "uploads" / "my-shop.json").exists()
    assert list((app_data / "store" / "dataset").glob("*/*")) == []
