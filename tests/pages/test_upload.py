"""Uploads on the Data page: thresholds that nobody touches, and what lies beside uploads."""

import os
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from uploads import write

from mmrec_core.datasets.install import inspect
from mmrec_core.settings import settings
from pages.ui import incoming


def form() -> None:
    import json
    from pathlib import Path

    import streamlit as st

    from mmrec_core.settings import settings
    from pages.ui.incoming import Upload
    from pages.ui.upload_thresholds import thresholds

    folder = settings().data / "incoming"
    report = json.loads((folder / "report.json").read_text())
    upload = Upload(("f",), Path(folder / f"{'0' * 16}.zip"), "up.zip")
    st.json(thresholds(upload, report), expanded=True)


def shown(folder: Path, ratings: list[float], toml: str = "", split: str = "") -> AppTest:
    """The form over an upload with these ratings."""
    rows = [
        f"u{n % 7},i{n % 5 + n // 7},{rating:g}" + (",train" if split else "")
        for n, rating in enumerate(ratings)
    ]
    head = "user_id,item_id,rating" + (",split" if split else "")
    up = write(folder / "up", {"interactions.csv": "\n".join([head, *rows])})
    if toml:
        write(up, {"dataset.toml": toml})
    held = settings().data / "incoming"
    held.mkdir(parents=True)
    report, _ = inspect(up, codes=held / f"{'0' * 16}.codes.npz")
    import json

    (held / "report.json").write_text(json.dumps(report.as_json()))
    page = AppTest.from_function(form, default_timeout=60).run()
    assert not page.exception
    return page


@pytest.mark.parametrize(
    ("ratings", "toml"),
    [
        ([0, 1] * 10, ""),
        ([1, 3, 5] * 7, ""),
        ([1, 2, 3, 4, 5] * 4, "[thresholds]\nrelevant_from = 3.5\n"),
        ([4.3, 4.1, 5.0] * 7, "[thresholds]\nrelevant_from = 4.3\n"),
        ([85 + n / 3 for n in range(40)], ""),
        ([4.1 + n / 100 for n in range(40)], "[thresholds]\nrelevant_from = 7\n"),
        ([1, 2, 3] * 7, "[thresholds]\nk_core = 30\n"),
    ],
)
def test_untouched_thresholds_are_those_of_the_report(
    mmrec_data: Path, tmp_path: Path, ratings: list[float], toml: str
) -> None:
    page = shown(tmp_path, ratings, toml)
    assert page.json[0].value == "{}"


def test_a_threshold_that_is_chosen_is_said(mmrec_data: Path, tmp_path: Path) -> None:
    page = shown(tmp_path, [0, 1] * 10)
    assert page.selectbox[0].options == ["every interaction", "0", "0.8", "1"]
    page.selectbox[0].select_index(0).run()
    page.slider[0].set_value(2).run()
    assert page.json[0].value == '{"k_core": 2, "relevant_from": "all"}'


@pytest.fixture
def folder(mmrec_data: Path) -> Path:
    held = settings().data / "incoming"
    held.mkdir(parents=True)
    return held


def aged(path: Path, seconds: float) -> Path:
    path.touch()
    os.utime(path, (time.time() - seconds,) * 2)
    return path


@pytest.mark.parametrize("name", [".DS_Store", ".nfs0001", "README.txt"])
def test_what_others_keep_beside_uploads_harms_none(folder: Path, name: str) -> None:
    young = aged(folder / f"{'a' * 16}.zip", 100)
    aged(folder / name, 10 * incoming.KEPT_SECONDS)
    incoming.sweep()
    assert young.exists() and (folder / name).exists()


@pytest.mark.parametrize("content", [b"", b'"', b'"../x"', b"\xff", b"[]", b'"nobody"'])
def test_a_damaged_note_of_a_job_closes_no_page(folder: Path, content: bytes) -> None:
    stem = "b" * 16
    (folder / f"{stem}.job").write_bytes(content)
    aged(folder / f"{stem}.zip", 10)
    incoming.sweep()
    for path in folder.iterdir():
        aged(path, 2 * incoming.KEPT_SECONDS)
    incoming.sweep()
    assert not list(folder.iterdir())
