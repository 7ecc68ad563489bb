"""python -m benchmarks.readme_pictures: takes the pictures of the README anew, from the app.

Run it in a fresh clone, where nothing but what is shipped is in the store. The picture of *Add a
dataset* needs an upload and is taken by hand.
"""

from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image

from benchmarks.pages import CHROMIUM, PATIENCE, PROJECT, server

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHART = "[data-testid=stPlotlyChart] svg.main-svg"
PICTURES = {
    "overview": ("/?dataset=demo-both", CHART, 1500),
    "maps": ("/maps?dataset=demo-both&colour=column:brand (planted)", "text=items drawn", 1010),
    "alignment": ("/alignment?dataset=demo-both", CHART, 1010),
    "descriptions": ("/descriptions?dataset=demo-both", "text=All 1,200 items", 1000),
    "explain": ("/explain?dataset=demo-both&user=U0007&within=1&why=P0787", CHART, 1010),
    "study": ("/study?dataset=demo-both&part=Slices", CHART, 1500),
}
"""Name -> address, what stands there when it is drawn, height in pixels."""
WIDTH, COLOURS = 1280, 256


def take(page: "Page", name: str) -> bytes:
    """A PNG of one page, with a palette: a quarter of the size."""
    address, drawn, height = PICTURES[name]
    page.set_viewport_size({"width": WIDTH, "height": height})
    page.goto(address)
    page.locator(drawn).first.wait_for()
    page.locator('[data-testid=stApp][data-test-script-state="notRunning"]').wait_for()
    page.wait_for_load_state("networkidle")
    picture = Image.open(BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    small = BytesIO()
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


def main() -> None:
    """Writes docs/images."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, server() as (url, _):
        # Maps are drawn by WebGL.
        drawing = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", *drawing]
        )
        page = browser.new_page(base_url=url)
        page.set_default_timeout(PATIENCE)
        for name in PICTURES:
            raw = take(page, name)
            (PROJECT / "docs" / "images" / f"{name}.png").write_bytes(raw)
            print(f"{name}: {len(raw) // 1024} KiB")
        browser.close()


if __name__ == "__main__":
    main()
