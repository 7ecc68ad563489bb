"""Maps where nothing may be computed, and what is kept in memory between datasets."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import small_shop
from streamlit.testing.v1 import AppTest

from mmrec_core import jobs
from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.domain import Dataset, InputError
from mmrec_core.extractors.service import embed
from mmrec_core.projection.plane import UmapConfig
from mmrec_core.projection.regions import words_of
from mmrec_core.projection.service import make_map, make_neighbour_lists, make_regions
from mmrec_core.settings import settings
from mmrec_core.spaces import find_space, make_vectors
from mmrec_core.spaces.query import query_vector
from pages.ui import map_search, map_spaces
from pages.ui.map_spaces import Side, regions_of, side_of

Open = Callable[..., AppTest]
Text = Callable[[AppTest], str]
IMAGE, WORDS = "precomputed(file=image)", "precomputed(file=text)"


@pytest.fixture
def on_show(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on nothing may be computed."""

    def put() -> None:
        monkeypatch.setenv("MMREC_READ_ONLY", "1")
        settings.cache_clear()

    return put


def mapped_side(name: str = IMAGE) -> tuple[Dataset, Side]:
    """The small shop, and one of its spaces with a finished map."""
    dataset = load_dataset(small_shop.NAME)
    vectors = make_vectors(dataset, name)
    make_map(vectors, UmapConfig())
    make_neighbour_lists(vectors)
    side = side_of(dataset, find_space(dataset, name), UmapConfig())
    assert side is not None and side.made is not None
    return dataset, side


def test_nothing_embedded_on_show_offers_nothing(
    empty: Path, tmp_path: Path, open_page: Open, text_of: Text, on_show: Callable[[], None]
) -> None:
    small_shop.install_shop(tmp_path / "small")
    on_show()
    for page in ("maps", "alignment"):
        app = open_page(page, dataset=small_shop.NAME)
        text = text_of(app)
        assert "Nothing has been embedded" in text and "nothing is computed here" in text
        assert not [b for b in app.button if "Embed" in b.label] and not app.error


def test_regions_that_are_missing_on_show_are_none_and_elsewhere_an_error(
    studied: Path, on_show: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, side = mapped_side()
    assert regions_of(dataset, dataclasses.replace(side, made=None)) is None  # a preview

    def refused(*given: object) -> None:
        raise InputError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(map_spaces, "make_regions", refused)
        with pytest.raises(InputError, match="no room"):
            regions_of(dataset, side)
    on_show()
    assert regions_of(dataset, side) is None


def test_a_finished_map_without_regions_is_shown_on_show(
    studied: Path, open_page: Open, text_of: Text, on_show: Callable[[], None]
) -> None:
    mapped_side()
    mapped_side(WORDS)
    on_show()
    app = open_page("maps", dataset=small_shop.NAME, **{"map-part": "Regions"})
    text = text_of(app)
    assert not app.error and "**UMAP**, cosine" in text
    assert "Regions are found on the finished UMAP map" not in text
    assert text.count("Its regions are not here") == 2


def test_regions_are_named_by_the_words_of_the_dataset_that_is_looked_at(studied: Path) -> None:
    """Two catalogues with equal vectors share a map, and not the names of its regions."""
    dataset, side = mapped_side()
    half = np.arange(dataset.n_items) < dataset.n_items // 2
    side = dataclasses.replace(side)
    assert side.made is not None
    # Two clear clouds, so that there are regions whatever UMAP made of the shop.
    plane = np.random.default_rng(0).normal(size=(dataset.n_items, 2)).astype(np.float32)
    plane[half] += 50.0
    side.made.__dict__["points"] = plane
    other_items = dataset.items.assign(text=np.where(half, "kettle", "spoon"))
    other = dataclasses.replace(dataset, items=other_items, fingerprint="another")
    first, second = regions_of(dataset, side), regions_of(other, side)
    assert first is not None and second is not None
    np.testing.assert_array_equal(first.of_item, second.of_item)
    assert {"kettle", "spoon"} == set(second.table["words"])
    assert not {"kettle", "spoon"} & set(first.table["words"])
    assert words_of(dataset) != words_of(other)


def test_nothing_new_is_placed_on_show(
    studied: Path, open_page: Open, text_of: Text, on_show: Callable[[], None]
) -> None:
    embed(load_dataset(small_shop.NAME), "minilm")
    address = {"left": "minilm", "right": IMAGE, "map-part": "Search by meaning"}
    app = open_page("maps", dataset=small_shop.NAME, **address)
    assert "Words" in [box.label for box in app.text_input]
    on_show()
    app = open_page("maps", dataset=small_shop.NAME, **address)
    assert "nothing new can be placed" in text_of(app)
    assert "Words" not in [box.label for box in app.text_input] and not app.error


def test_an_answer_is_shown_in_its_space_and_dataset_alone(
    studied: Path, open_page: Open, text_of: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = load_dataset(small_shop.NAME)
    embed(dataset, "minilm")
    _, made = query_vector(dataset, "minilm", "a cup, number 7")
    started: list[dict[str, str]] = []

    def start(kind: str, spec: dict[str, str], title: str) -> jobs.JobState:
        started.append(spec)
        return jobs.JobState("abc", kind, title, "queued")

    done = jobs.JobState("abc", "query", "", "done", result={"query": made.key})
    monkeypatch.setattr(jobs, "start", start)
    monkeypatch.setattr(jobs, "state", lambda key: done if key == "abc" else None)
    address = {"left": "minilm", "right": IMAGE, "map-part": "Search by meaning"}
    app = open_page("maps", dataset=small_shop.NAME, **address)
    app.text_input[-1].set_value("a cup, number 7")
    next(b for b in app.button if b.label == "Search").click().run()
    assert [spec["text"] for spec in started] == ["a cup, number 7"]
    text = text_of(app)
    assert "Nearest to **a cup\\, number 7** in" in text
    tiles = [b.label for b in app.button if "Cup" in b.label]
    assert len(tiles) == map_search.NEAREST and r"\*Cup\* 7" in tiles[0]
    # The answer belongs to its space, and to the dataset that it was asked in.
    app.selectbox(key="left").select(find_space(dataset, IMAGE).title).run()
    assert "Nearest to" not in text_of(app)
    fingerprint, *asked = app.session_state["map-query"]
    assert fingerprint == dataset.fingerprint
    app.session_state["map-query"] = ("another", *asked)
    app.selectbox(key="left").select(find_space(dataset, "minilm").title).run()
    assert "Nearest to" not in text_of(app) and not app.error


def test_regions_of_two_maps_are_kept_apart(studied: Path) -> None:
    dataset, side = mapped_side()
    vectors = make_vectors(dataset, IMAGE)
    other = make_map(vectors, UmapConfig(n_neighbors=5))
    again = dataclasses.replace(side, made=other)
    assert regions_of(dataset, side) is not None and regions_of(dataset, again) is not None
    expected = make_regions(other, words_of(dataset))
    np.testing.assert_array_equal(regions_of(dataset, again).of_item, expected.of_item)
