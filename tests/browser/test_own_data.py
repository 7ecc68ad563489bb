"""One's own data in a real browser: from files of any name, a folder, or a zip to a verdict."""

import random
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

PROJECT = Path(__file__).resolve().parents[2]
MOVIES = PROJECT.parent / "shared" / "datasets" / "movielens-posters"
ADD = "/data?tab=Add+a+dataset"
MINUTE = 60_000


def open_add(page: "Page") -> None:
    page.get_by_role("link", name="Overview").wait_for()
    page.goto(ADD)
    page.get_by_text("What do you have?").wait_for()
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()


def settled(page: "Page") -> None:
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()


def choose(page: "Page", label: str, value: str) -> None:
    page.get_by_role("combobox", name=label).first.click()
    page.get_by_role("option", name=value, exact=True).click()
    settled(page)


def install(page: "Page", name: str, timeout: int = MINUTE) -> None:
    page.get_by_role("textbox", name="Name").fill(name)
    page.get_by_role("textbox", name="Name").press("Enter")
    settled(page)
    page.get_by_role("button", name=re.compile("Install$")).click()
    page.get_by_role("button", name="Open it").wait_for(timeout=timeout)


def undo(page: "Page", data: Path, name: str) -> None:
    assert (data / "uploads" / f"{name}.json").is_file()
    page.get_by_role("button", name="Undo").click()
    page.locator(f".st-key-show-{name}").wait_for(state="detached")
    page.get_by_text("What do you have?").wait_for()
    assert not (data / "uploads" / f"{name}.json").exists()


def orders(folder: Path) -> list[Path]:
    """Two tables with names and columns that nobody can guess."""
    rows = [f"K{u};A{(u * 3 + k) % 12};{1 + (u + k) % 5}" for u in range(30) for k in range(7)]
    items = [f'A{i};Artikel {i};"Aus Holz, {i} cm";Möbel' for i in range(12)]
    folder.mkdir()
    (folder / "orders 2026.csv").write_text("\n".join(["kunde;artikel;sterne", *rows]), "utf-8")
    (folder / "artikel.csv").write_text("\n".join(["artikel;name;text;gruppe", *items]), "utf-8")
    return sorted(folder.iterdir())


@pytest.mark.slow
def test_tables_of_any_name_are_mapped_installed_and_studied(
    page: "Page", app_data: Path, tmp_path: Path
) -> None:
    open_add(page)
    page.locator("input[type=file]").set_input_files(orders(tmp_path / "up"))
    page.get_by_text("Nothing was installed").wait_for(timeout=MINUTE)
    for label, column in (("User id", "kunde"), ("Item id", "artikel"), ("Rating", "sterne")):
        choose(page, label, column)
    page.get_by_role("button", name="Read again").click()
    page.get_by_text("Thresholds").wait_for(timeout=MINUTE)
    remain = page.get_by_text("interactions remain").first
    before = remain.inner_text()
    assert before.startswith("30 users, 12 items, 210 interactions")
    slider = page.get_by_role("slider", name="k-core")
    for _ in range(3):
        slider.press("ArrowRight")
    settled(page)
    page.get_by_text("Nothing would be left to study").wait_for()
    for _ in range(8):
        slider.press("ArrowLeft")
    remain.wait_for()
    install(page, "Mein Laden")
    page.get_by_text("Embed it and run the first study").wait_for()
    assert page.get_by_text(re.compile("minute|second")).count()
    page.get_by_role("button", name="Start the default study").click()
    page.get_by_role("button", name="Cancel").first.wait_for(timeout=MINUTE)
    # Its dataset is in use now, and so neither undone nor deleted.
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("works with dataset 'mein-laden' at the moment").first.wait_for()
    page.locator(".st-key-delete-mein-laden button").click()
    page.locator(".st-key-delete-sure button").click()
    said = page.get_by_role("dialog").get_by_text("works with dataset 'mein-laden'")
    said.wait_for()
    page.get_by_role("button", name="Keep it").click()
    page.get_by_role("link", name="See what the first study says").click(timeout=5 * MINUTE)
    page.wait_for_url(re.compile("dataset=mein-laden"))
    page.get_by_text("VBPR").first.wait_for()


def test_a_folder_is_uploaded_as_it_is_and_undone(
    page: "Page", app_data: Path, tmp_path: Path
) -> None:
    from uploads import picture, shop, write

    folder = shop(tmp_path / "Laden")
    write(folder, {"images/c.jpg": picture(seed=3)})
    open_add(page)
    page.get_by_text("A folder", exact=False).first.click()
    settled(page)
    page.locator("input[type=file][webkitdirectory]").set_input_files(folder)
    page.get_by_text("Plain layout").first.wait_for(timeout=MINUTE)
    install(page, "from-folder")
    undo(page, app_data, "from-folder")


@pytest.mark.external
@pytest.mark.skipif(not MOVIES.is_dir(), reason=f"{MOVIES} is not on this machine")
def test_movies_and_posters_from_zip_to_verdict(
    page: "Page", app_data: Path, tmp_path: Path
) -> None:
    """Whole, narrowed to its 20-core and studied; and with pictures deleted and broken."""
    pictures = sorted((MOVIES / "images").iterdir())
    chance = random.Random(0)
    gone = set(chance.sample(pictures, len(pictures) * 3 // 10))
    broken = set(chance.sample(sorted(set(pictures) - gone), len(pictures) // 100))
    for name in ("whole", "harmed"):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            for path in sorted(MOVIES.rglob("*")):
                if not path.is_file() or (name == "harmed" and path in gone):
                    continue
                raw = path.read_bytes()
                if name == "harmed" and path in broken:
                    raw = raw[: len(raw) // 3]
                archive.writestr(str(path.relative_to(MOVIES)), raw)

    open_add(page)
    page.locator("input[type=file]").set_input_files(tmp_path / "harmed.zip")
    page.get_by_text(f"broken pictures: {len(broken)}").wait_for(timeout=5 * MINUTE)
    button = page.get_by_role("button", name=re.compile("Install$"))
    assert button.is_disabled()
    page.get_by_text(re.compile("Install what is sound: leave out")).click()
    page.wait_for_function("b => !b.disabled", arg=button.element_handle())
    install(page, "harmed", 5 * MINUTE)
    page.get_by_role("button", name="Add another").click()

    page.get_by_text("What do you have?").wait_for()
    settled(page)
    page.locator("input[type=file]").set_input_files(tmp_path / "whole.zip")
    page.get_by_text("Thresholds").wait_for(timeout=5 * MINUTE)
    slider = page.get_by_role("slider", name="k-core")
    slider.press("End")
    settled(page)
    while int(slider.get_attribute("aria-valuenow") or 0) > 20:
        slider.press("ArrowLeft")
    settled(page)
    page.get_by_text(re.compile("Install only these:")).click()
    settled(page)
    install(page, "movies", 5 * MINUTE)
    page.get_by_role("button", name="Start the default study").click()
    page.get_by_role("link", name="See what the first study says").click(timeout=40 * MINUTE)
    page.wait_for_url(re.compile("dataset=movies"))
    page.get_by_text("VBPR").first.wait_for()
