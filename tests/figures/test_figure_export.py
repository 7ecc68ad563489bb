import io
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from mmrec_core.domain import InputError
from mmrec_core.figures import (
    FORMATS,
    arms_plot_publication,
    effect_plot,
    effect_plot_publication,
    html,
    learning_plot_publication,
    long_tail_publication,
    missing_modality_publication,
    save,
    user_activity_publication,
)


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_data_give_the_same_bytes(effects, format) -> None:
    files = [save(effect_plot_publication(*effects(4), "recall@20", 0.05), format) for _ in "ab"]
    assert files[0] == files[1]
    assert b"CreationDate" not in files[0]
    assert b"<dc:date>" not in files[0]


def test_files_written_in_threads_are_the_same(effects) -> None:
    def write(_: int) -> bytes:
        return save(effect_plot_publication(*effects(3), "recall@20", 0.05), "svg")

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(write, range(4)))) == 1


def test_svg_holds_real_text_and_the_description(effects) -> None:
    figure = effect_plot_publication(*effects(3), "recall@20", 0.05, width="two")
    svg = save(figure, "svg").decode()
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    assert {"VBPR", "image", "whole model", "content used, and it pays", "●"} <= set(texts)
    assert any("Effect of item content on Recall@20" in text for text in texts)
    assert "12,345 users, 10 seeds" in svg.split("</metadata>")[0]


def test_pdf_embeds_truetype(effects) -> None:
    pdf = save(effect_plot_publication(*effects(3), "recall@20", 0.05), "pdf")
    assert pdf.startswith(b"%PDF")
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf
    assert re.search(rb"/MediaBox \[ ?0 0 241.2 ", pdf)  # 3.35 inches


def test_png_has_300_dots_per_inch(effects) -> None:
    figure = effect_plot_publication(*effects(3), "recall@20", 0.05, width="two")
    with Image.open(io.BytesIO(save(figure, "png"))) as picture:
        assert picture.width == 2100
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert "12,345 users" in picture.info["Description"]


def test_every_publication_figure_can_be_saved(arms, curves) -> None:
    import pandas as pd

    missing = pd.DataFrame({"image": [True, False], "text": [False, False]})
    for figure in (
        arms_plot_publication(arms, "recall@20"),
        learning_plot_publication(curves),
        long_tail_publication([3, 2, 1]),
        user_activity_publication([1, 200]),
        missing_modality_publication(missing),
    ):
        for format in FORMATS:
            assert len(save(figure, format)) > 1000


def test_unknown_formats_are_refused(effects) -> None:
    with pytest.raises(InputError, match="use pdf, svg, png"):
        save(effect_plot_publication(*effects(2), "recall@20", 0.05), "gif")


def test_the_interactive_page_stands_alone(effects) -> None:
    comparisons, verdicts = effects(2)
    comparisons["recommender"] = verdicts["recommender"] = "</script><script>alert(1)</script>"
    figure = effect_plot(comparisons, verdicts, "recall@20", 0.05)
    page = html(figure)
    assert page == html(figure)
    assert len(page) > 1_000_000  # plotly.js is inside
    assert not re.search(r"<(script|link|img|iframe)[^>]*(src|href)=", page.split("<script")[0])
    assert '<script src="' not in page
    assert "cdn.plot.ly/plotly" not in page
    assert "alert(1)</script><" not in page
    assert "<script>alert(1)" not in page
    assert "<figcaption>Effect of item content on Recall@20 with 12,345 users" in page
    assert figure.layout.paper_bgcolor == "rgba(0,0,0,0)"


def test_importing_figures_loads_neither_library() -> None:
    code = (
        "import sys, mmrec_core.figures; "
        "print([m for m in ('plotly', 'matplotlib', 'torch', 'sklearn') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
