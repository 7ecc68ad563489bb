"""The Data page: what is on it, what the address opens, how an upload is received."""

import io
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest
from uploads import shop

from mmrec_core import jobs
from mmrec_core.datasets.archive import opened
from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.datasets.demo import load_truth
from mmrec_core.datasets.install import install
from mmrec_core.domain import Dataset, DatasetInfo, InputError
from mmrec_core.settings import settings
from pages.ui import gallery, incoming, truth

PROJECT = Path(__file__).resolve().parents[2]
EVIL = "<b>bold</b> [link](https://evil.example) :red[x] $a$ **star**"


def page(**query: str) -> AppTest:
    test = AppTest.from_file(str(PROJECT / "pages" / "data.py"), default_timeout=60)
    for name, value in query.items():
        test.query_params[name] = value
    return test.run()


def small_dataset(items: list[dict[str, str]], interactions: list[tuple[str, str]]) -> Dataset:
    table = pd.DataFrame(items).reindex(
        columns=["item_id", "title", "text", "category", "image", "image_sha256"], fill_value=""
    )
    made = pd.DataFrame(interactions, columns=["user_id", "item_id"]).astype("str")
    made["rating"] = np.float32(np.nan)
    made["timestamp"] = pd.array([pd.NA] * len(made), dtype="Int64")
    info = DatasetInfo("Small", category="category", category_separator="|")
    name = f"small-{time.monotonic_ns()}"  # its own place in the page's caches
    return Dataset("small", table.fillna("").astype("str"), made, Path("/nowhere"), info, name)


SMALL = small_dataset(
    [
        {"item_id": "a", "title": "Red Mug", "text": "for tea (hot)", "category": "Mug|Gift"},
        {"item_id": "b", "title": "blue vase", "text": "", "category": "Vase"},
        {"item_id": "c", "title": "Äpfel", "text": "red. tasty", "image": "x", "image_sha256": "s"},
        {"item_id": "d", "title": "", "text": "100% RED", "image": "y", "image_sha256": "s"},
    ],
    [("u", "a"), ("v", "a"), ("u", "c")],
)


def test_categories_are_counted_from_the_commonest() -> None:
    cells = ["Mug|Gift", "Vase", "", "Gift", "Vase| Gift", "Mug|Gift"]
    own = small_dataset(
        [{"item_id": f"i{n}", "category": cell} for n, cell in enumerate(cells)], [("u", "i0")]
    )
    counted = gallery.categories_of(own.fingerprint, own)
    assert list(counted.items()) == [("Gift", 4), ("Mug", 2), ("Vase", 2)]
    rows = gallery.find_items(own.fingerprint, own, categories=("Vase", "Mug"))
    assert rows.tolist() == [0, 1, 4, 5]


def test_the_same_content_under_two_names_has_two_titles(mmrec_data: Path, tmp_path: Path) -> None:
    # The title is no part of the content by which the page keeps its sentence.
    for name in ("one-shop", "other-shop"):
        install(shop(tmp_path / name), name=name)
        said = page(dataset=name).markdown[0].value
        assert said.startswith(f"**{name.replace('-', chr(92) + '-')}**"), said


def found(**how: object) -> list[str]:
    rows = gallery.find_items(SMALL.fingerprint, SMALL, **how)  # type: ignore[arg-type]
    return SMALL.item_ids[rows].tolist()


@pytest.mark.parametrize(
    ("how", "ids"),
    [
        ({}, ["a", "b", "c", "d"]),
        ({"query": "RED"}, ["a", "c", "d"]),
        ({"query": "red tea"}, ["a"]),
        ({"query": "red."}, ["c"]),  # a search is no regular expression
        ({"query": "(hot)"}, ["a"]),
        ({"query": "äPFEL"}, ["c"]),
        ({"query": "nothing of it"}, []),
        ({"categories": ("Gift",)}, ["a"]),
        ({"categories": ("Gift", "Vase")}, ["a", "b"]),
        ({"show": "Without picture"}, ["a", "b"]),
        ({"show": "Without text"}, ["b"]),
        ({"show": "Without interactions"}, ["b", "d"]),
        ({"show": "Sharing a picture"}, ["c", "d"]),
        ({"order": "Most interactions first"}, ["a", "c", "b", "d"]),
        ({"order": "Fewest interactions first"}, ["b", "d", "c", "a"]),
        ({"order": "Title"}, ["d", "b", "a", "c"]),
        ({"query": "red", "show": "Sharing a picture", "order": "Title"}, ["d", "c"]),
    ],
)
def test_search_filters_and_orders(how: dict[str, object], ids: list[str]) -> None:
    assert found(**how) == ids


def test_categories_of_one_cell_are_told_apart() -> None:
    known = gallery.categories_of(SMALL.fingerprint, SMALL)
    assert known.to_dict() == {"Mug": 1, "Gift": 1, "Vase": 1}


def test_problems_of_an_item_are_said() -> None:
    said = " ".join(gallery.problems(SMALL, 1))
    assert "no usable picture" in said and "no text" in said
    assert "with 1 other item" in " ".join(gallery.problems(SMALL, 2))


def test_the_page_says_what_there_is(mmrec_data: Path) -> None:
    test = page()
    assert not test.exception
    assert test.title[0].value == "What do I have?"
    data = load_dataset("demo-both")
    said = test.markdown[0].value
    assert f"{data.n_users:,} users and {data.n_items:,} items" in said
    assert f"{len(data.interactions):,} interactions" in said
    assert [tab.label for tab in test.tabs] == ["Items", "Shape", "Truth", "Add a dataset"]
    opened = [b for b in test.button if (b.key or "").startswith("open-tile-")]
    assert len(opened) == gallery.PAGE_SIZE


def test_the_address_opens_the_same_view(mmrec_data: Path) -> None:
    test = page(dataset="demo-words", q="radio", category="radio", order="Title", view="Table")
    assert test.text_input(key="q").value == "radio"
    assert test.multiselect(key="category").value == ["radio"]
    assert test.selectbox(key="order").value == "Title"
    data = load_dataset("demo-words")
    n = int((data.items["category"] == "radio").sum())
    assert any(f"**{n:,}** of" in text.value for text in test.markdown)
    assert len(test.dataframe[0].value) == n


def test_a_search_goes_back_to_the_first_page(mmrec_data: Path) -> None:
    test = page(page="3")
    assert test.session_state["page"] == 3
    test.text_input(key="q").set_value("mug").run()
    assert test.session_state["page"] == 1


def test_a_search_without_match_says_what_to_do(mmrec_data: Path) -> None:
    test = page(q="no such words anywhere")
    assert "Use fewer words" in test.info[0].value


def test_an_item_opens_from_the_address(mmrec_data: Path) -> None:
    test = page(item="P0007")
    item = load_dataset("demo-both").items.set_index("item_id").loc["P0007"]
    assert not test.exception
    shown = " ".join(text.value for text in test.markdown)
    assert "users have it**" in shown
    assert item["title"].split(":")[0].split()[0] in shown
    assert "There is no item" in page(item="nothing").warning[0].value


def test_the_shape_holds_no_surprises(mmrec_data: Path) -> None:
    test = page(tab="Shape", dataset="demo-picture", k="6")
    assert not test.exception and not test.error
    labels = [metric.label for metric in test.metric]
    assert labels == ["Sparsity", "Per user", "Per item", "Gini of items"]
    assert test.slider(key="k").value == 6
    assert any("Left at k = 6" in text.value for text in test.markdown)


@pytest.mark.parametrize("world", ["picture", "words", "both", "neither"])
def test_the_truth_is_that_of_the_world(world: str) -> None:
    """Users took what they love where it was planted, and only there."""
    data, planted = load_dataset(f"demo-{world}"), load_truth(world)
    table = truth.attribute_table(data.fingerprint, data, planted).set_index("attribute")
    assert set(table.index) == {"type", *planted.visible, *planted.readable}
    for kind, part in ((planted.visible, "picture"), (planted.readable, "words")):
        times = table.loc[list(kind), "times"]
        decides = planted.strengths[part] > 0
        assert (times > 1.1).all() if decides else times.between(0.9, 1.1).all()
        assert (table.loc[list(kind), "decides here"] == ("yes" if decides else "no")).all()


def test_loved_attributes_of_items_match_a_plain_count() -> None:
    planted = load_truth("both")
    tastes = planted.users.set_index("user_id").loc["U0003"]
    rows = np.arange(40)
    said = truth.loved_by(planted, tastes, rows)
    for row, names in zip(rows, said, strict=True):
        item = planted.attributes.iloc[row]
        assert names == [
            name
            for name in (*planted.visible, *planted.readable)
            if tastes[f"{name}={item['type'] + ', ' if name == 'shape' else ''}{item[name]}"] == 2
        ]


def test_the_truth_page_shows_a_user(mmrec_data: Path) -> None:
    test = page(tab="Truth", dataset="demo-neither", user="U0005")
    assert not test.exception and not test.error
    assert "false alarm" in " ".join(text.value for text in test.markdown)
    assert test.selectbox(key="user").value == "U0005"


# Upload


class File(io.BytesIO):
    def __init__(self, name: str, content: bytes) -> None:
        super().__init__(content)
        self.name, self.file_id, self.size = name, f"id-of-{name}", len(content)


INTERACTIONS = "user_id,item_id,rating\n" + "".join(
    f"u{u},i{(u + k) % 6},{1 + k % 5}\n" for u in range(8) for k in range(5)
)


def files_of(made: incoming.Upload) -> dict[str, bytes]:
    with opened(made.path) as files:
        return {name: path.read_bytes() for name, path in files.paths.items()}


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("/abs.csv", "abs.csv"),
        ("a\\b.csv", "b.csv"),
        ("☃.parquet", "☃.parquet"),
        ("x.zip.csv", "x.zip.csv"),
        ("Baby.jsonl.gz", "Baby.jsonl.gz"),
        ("a.<b>", "a.<b>"),
        ("con", "con"),
    ],
)
def test_no_name_of_an_upload_reaches_the_disk(mmrec_data: Path, name: str, known: str) -> None:
    made = incoming.receive([File(name, b"content")])
    assert files_of(made) == {known: b"content"}
    written = [path.relative_to(mmrec_data) for path in mmrec_data.rglob("*") if path.is_file()]
    for path in written:
        kind, stem, own = path.parts
        assert kind == "incoming" and len(stem) == 16 and int(stem, 16) >= 0
        assert re.fullmatch(r"upload\.names|00000(\.[a-z0-9]+){0,2}", own)
    incoming.remove(made.stem)
    assert list(incoming.incoming().iterdir()) == []


def test_a_zip_is_kept_as_one_file(mmrec_data: Path) -> None:
    made = incoming.receive([File("../My.ZIP", b"content")])
    assert made.path.read_bytes() == b"content" and made.label == "My.ZIP"
    assert [path for path in mmrec_data.rglob("*") if path.is_file()] == [made.path]


def test_a_folder_keeps_its_names_and_loses_its_root(mmrec_data: Path) -> None:
    given = {"shop/interactions.csv": b"a", "shop/images/x y.JPG": b"b", "shop/t.d/c.x-y": b"c"}
    made = incoming.receive([File(name, held) for name, held in given.items()])
    assert files_of(made) == {name.removeprefix("shop/"): held for name, held in given.items()}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["../items.csv", "interactions.csv"], "would leave the folder"),
        (["/etc/items.csv", "interactions.csv"], "absolute path"),
        (["shop\\items.csv", "interactions.csv"], "backslash"),
        (["a.csv\n", "b.csv"], "control characters"),
        (["a.zip", "b.csv"], "give the zip alone"),
        (["a.csv", "a.csv"], "called a.csv; remove one"),
        (["a.csv", "./a.csv"], "called a.csv; remove one"),
    ],
)
def test_other_files_are_refused_and_leave_nothing(
    mmrec_data: Path, names: list[str], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        incoming.receive([File(name, b"x") for name in names])
    assert not incoming.incoming().exists() or not list(incoming.incoming().iterdir())


@pytest.mark.parametrize(
    ("limit", "said"), [("upload_bytes=3", "GiB are taken here"), ("upload_files=1", "Zip them")]
)
def test_what_is_too_large_is_sent_to_the_terminal(
    mmrec_data: Path, monkeypatch: pytest.MonkeyPatch, limit: str, said: str
) -> None:
    monkeypatch.setenv("MMREC_LIMITS", limit)
    settings.cache_clear()
    with pytest.raises(InputError, match=said):
        incoming.receive([File("a.csv", b"xx"), File("b.csv", b"xx")])
    assert not incoming.incoming().exists()


def test_a_full_disk_is_said_and_leaves_nothing(
    mmrec_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: object, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(incoming, "_copy", full)
    for name in ("a.zip", "a.csv"):
        with pytest.raises(InputError, match="disk is full"):
            incoming.receive([File(name, b"x")])
    assert list(incoming.incoming().iterdir()) == []


@pytest.mark.parametrize(
    ("status", "age", "kept"),
    [
        (None, 60, True),  # not installed yet, a page may be open
        (None, 2 * incoming.UNUSED_SECONDS, False),
        ("running", 3 * incoming.KEPT_SECONDS, True),
        ("done", 1, False),
        ("failed", 60, True),  # can be taken up again
        ("failed", 2 * incoming.KEPT_SECONDS, False),
        ("forgotten", 1, False),
    ],
)
def test_uploads_are_swept(
    mmrec_data: Path, monkeypatch: pytest.MonkeyPatch, status: str | None, age: int, kept: bool
) -> None:
    made = incoming.receive([File("a.zip", b"x")])
    if status is not None:
        incoming.incoming().joinpath(f"{made.stem}.job").write_text('"k1"')
        state = SimpleNamespace(status=status, active=status == "running")
        monkeypatch.setattr(jobs, "state", lambda key: None if status == "forgotten" else state)
    then = time.time() - age
    for path in incoming.incoming().iterdir():
        os.utime(path, (then, then))
    incoming.sweep()
    assert made.path.exists() is kept
    assert bool(list(incoming.incoming().iterdir())) is kept


def test_read_only_hides_what_changes_things(
    mmrec_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MMREC_READ_ONLY", "1")
    settings.cache_clear()
    test = page(tab="Add a dataset")
    assert "on show" in test.info[0].value
    assert not test.button


def test_titles_are_shown_as_they_are_written(mmrec_data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "evil"
    folder.mkdir()
    (folder / "interactions.csv").write_text(INTERACTIONS)
    rows = "".join(f'i{i},"{EVIL}","{EVIL}"\n' for i in range(6))
    (folder / "items.csv").write_text("item_id,title,description\n" + rows)
    install(folder, name="evil")
    test = page(dataset="evil", item="i1")
    assert not test.exception
    label = next(b.label for b in test.button if (b.key or "").startswith("open-tile-"))
    assert "\\*\\*star" in label or "\\<b\\>" in label
    texts = " ".join(text.value for text in test.markdown)
    assert "\\[link\\]" in texts and "[link](" not in texts
    assert all(not text.allow_html for text in test.markdown)
    listed = page(dataset="evil", tab="Add a dataset")
    assert {b.key for b in listed.button} >= {"show-evil", "rename-evil", "delete-evil"}


def test_pages_load_no_heavy_library() -> None:
    script = (
        "import json, sys\n"
        "from pages.ui import gallery, records, shape, truth, upload\n"
        "heavy = ['torch', 'transformers', 'sentence_transformers', 'umap', 'sklearn']\n"
        "print(json.dumps([name for name in heavy if name in sys.modules]))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout.splitlines()[-1]) == []
