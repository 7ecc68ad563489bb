"""Maps: nothing yet, a preview, finished maps, selections by link, search, disagreement."""

import base64
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import small_shop
from streamlit.testing.v1 import AppTest

from mmrec_core import jobs
from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.extractors.service import embed
from mmrec_core.projection.plane import UmapConfig
from mmrec_core.projection.service import find_map, make_map, make_neighbour_lists
from mmrec_core.spaces import list_spaces, make_vectors
from mmrec_core.store import store

Open = Callable[..., AppTest]
Text = Callable[[AppTest], str]
IMAGE, WORDS = "precomputed(file=image)", "precomputed(file=text)"


@pytest.fixture
def mapped(studied: Path) -> Path:
    """The small shop with both maps."""
    dataset = load_dataset(small_shop.NAME)
    for name in (IMAGE, WORDS):
        vectors = make_vectors(dataset, name)
        make_map(vectors, UmapConfig())
        make_neighbour_lists(vectors)
    return studied


def test_where_nothing_is_embedded_it_offers_to(empty: Path, tmp_path: Path, open_page: Open,
                                                text_of: Text) -> None:  # fmt: skip
    small_shop.install_shop(tmp_path / "small")
    app = open_page("maps", dataset=small_shop.NAME)
    assert "Nothing has been embedded of this catalogue yet" in text_of(app)
    assert app.button(key="embed-image").label == "Embed the pictures with precomputed"


def test_a_preview_stands_in_until_the_maps_are_made(
    studied: Path, open_page: Open, text_of: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page("maps", dataset=small_shop.NAME)
    text = text_of(app)
    assert "are not made yet" in text and "**PCA** of rows of length 1" in text
    assert "hold the very same vectors" in text
    started = []
    monkeypatch.setattr(jobs, "start", lambda kind, spec, title: started.append((kind, spec)))
    app.button(key="make-maps").click().run()
    assert [(kind, spec["space"]) for kind, spec in started] == [("map", IMAGE), ("map", WORDS)]
    assert started[0][1]["config"] == UmapConfig().model_dump(mode="json")


def test_finished_maps_say_how_far_they_can_be_trusted(
    mapped: Path, open_page: Open, text_of: Text
) -> None:
    app = open_page("maps", dataset=small_shop.NAME)
    text = text_of(app)
    assert "**UMAP**, cosine, 15 neighbours" in text and "trustworthiness" in text
    assert "Nothing is selected" in text and "not made yet" not in text
    app.slider(key="neighbours").set_value(5).run()
    assert "not made yet" in text_of(app)


def _lasso(dataset_name: str) -> tuple[str, np.ndarray]:
    """An outline around the left half of a map as it stands in an address."""
    dataset = load_dataset(dataset_name)
    made = find_map(make_vectors(dataset, IMAGE), UmapConfig())
    x, y = made.points.T
    low, high, middle = y.min() - 1, y.max() + 1, float(np.median(x))
    corners = [(x.min() - 1, low), (middle, low), (middle, high), (x.min() - 1, high)]
    raw = base64.urlsafe_b64encode(np.array(corners, dtype="<f4").tobytes()).decode().rstrip("=")
    inside = x < np.float32(middle)
    return f"lasso~{IMAGE}~umap-15-0.1-pca-0~{raw}~~~", inside


def test_a_link_opens_the_selection_that_it_names(
    mapped: Path, open_page: Open, text_of: Text
) -> None:
    address, inside = _lasso(small_shop.NAME)
    app = open_page("maps", dataset=small_shop.NAME, selection=address)
    text = text_of(app)
    assert f"**{inside.sum()}** of 30 items, outlined on the map of" in text
    assert "No column tells the selection from the rest" in text  # the shop has none that could
    # It holds while the maps change, since it is items that are selected.
    app.segmented_control(key="projection").set_value("PCA").run()
    assert f"**{inside.sum()}** of 30 items" in text_of(app)
    app.button(key="clear-selection").click().run()
    assert "Nothing is selected" in text_of(app) and "selection" not in app.query_params


@pytest.mark.parametrize(
    "address",
    ["lasso", "lasso~x~y", f"lasso~{IMAGE}~umap-15-0.1-pca-0~!!~~~", "region~a~b~7",
     f"region~{IMAGE}~umap-15-0.1-pca-0~99", f"lasso~{IMAGE}~umap-15-0.1-pca-0~AAAA~~~"],
)  # fmt: skip
def test_a_damaged_link_selects_nothing(
    mapped: Path, open_page: Open, text_of: Text, address: str
) -> None:
    app = open_page("maps", dataset=small_shop.NAME, selection=address)
    assert "Nothing is selected" in text_of(app) and not app.error


def test_every_colour_can_be_chosen(studied: Path, open_page: Open) -> None:
    app = open_page("maps", dataset=small_shop.NAME)
    box = app.selectbox(key="colour")
    options = list(box.options)
    assert "Popularity (interactions)" in options
    assert any(option.startswith("Times in lists of 20: VBPR") for option in options)
    assert any(option.startswith("Hits in lists of 20: VBPR") for option in options)
    for option in options:
        app.selectbox(key="colour").select(option).run()
        assert not app.error and not app.exception


def test_trained_item_vectors_and_controls_are_spaces_too(
    studied: Path, open_page: Open, text_of: Text
) -> None:
    dataset = load_dataset(small_shop.NAME)
    run = next(s for s in list_spaces(dataset) if s.kind == "recommender")
    app = open_page("maps", dataset=small_shop.NAME, right=run.name)
    assert "The maps of" in text_of(app) and "item vectors" in text_of(app) and not app.error
    make_vectors(dataset, run.name)
    app = open_page("maps", dataset=small_shop.NAME, left=f"{WORDS}|shuffle", right=run.name)
    assert not app.error
    app = open_page("maps", dataset=small_shop.NAME)
    app.selectbox(key="right-under").select("shuffle").run()
    assert "no more than shuffled items would show" in text_of(app)


def test_what_two_spaces_disagree_about_and_neighbours_of_an_item(
    studied: Path, open_page: Open, text_of: Text
) -> None:
    app = open_page("maps", dataset=small_shop.NAME)
    app.selectbox(key="right-under").select("shuffle").run()
    app.segmented_control(key="map-part").set_value("Disagreement").run()
    assert "the least first" in text_of(app) and "**Near in" in text_of(app)
    app = open_page("maps", dataset=small_shop.NAME, near="i03", **{"map-part": "Neighbours"})
    text = text_of(app)
    assert "nearest by cosine" in text and r"\*Cup\* 3" in "".join(b.label for b in app.button)
    app = open_page("maps", dataset=small_shop.NAME, near="nobody", **{"map-part": "Neighbours"})
    assert "Click an item on a map" in text_of(app)


def test_finding_marks_and_searching_by_meaning_needs_a_space_that_reads(
    studied: Path, open_page: Open, text_of: Text
) -> None:
    app = open_page("maps", dataset=small_shop.NAME, find="i07")
    assert "1 item matches" in text_of(app)
    app.segmented_control(key="map-part").set_value("Search by meaning").run()
    assert "Neither space can place something new" in text_of(app)


def test_a_search_by_meaning_is_a_job(
    studied: Path, open_page: Open, text_of: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = load_dataset(small_shop.NAME)
    embed(dataset, "minilm")
    address = {"left": "minilm", "right": IMAGE, "map-part": "Search by meaning"}
    app = open_page("maps", dataset=small_shop.NAME, **address)
    started = []

    def start(kind: str, spec: dict[str, str], title: str) -> jobs.JobState:
        started.append((kind, spec))
        return jobs.JobState("abc", kind, title, "queued")

    monkeypatch.setattr(jobs, "start", start)
    app.text_input[-1].set_value("a cup")
    app.button[-1].click().run()
    assert started == [("query", {"dataset": small_shop.NAME, "space": "minilm", "text": "a cup"})]


def test_how_far_a_fitted_space_agrees_is_said_of_held_out_items(
    fitted: tuple[str, str], open_page: Open, text_of: Text
) -> None:
    image, words = fitted
    app = open_page("maps", dataset=small_shop.NAME, left=image, right=words)
    text = text_of(app)
    assert "10 held-out items" in text and "items in both" not in text
    # The maps themselves show all items, and say so.
    assert text.count("**fitted on this catalogue**: shown with the pairs") == 2
    app.segmented_control(key="map-part").set_value("Disagreement").run()
    assert "10 held-out items by the share" in text_of(app)
    # One fitted side is enough: the other one is what it was fitted to.
    app = open_page("maps", dataset=small_shop.NAME, left=image, right=WORDS)
    assert "10 held-out items" in text_of(app)
    app = open_page("maps", dataset=small_shop.NAME, left=f"{IMAGE}|shuffle", right=WORDS)
    text = text_of(app)
    assert "30 items in both" in text and "fitted" not in text


def test_a_fitted_space_whose_held_out_items_are_not_known_makes_no_claim(
    fitted: tuple[str, str], open_page: Open, text_of: Text
) -> None:
    for heads in list(store().list("shared-heads")):
        store().delete("shared-heads", heads.key)
    app = open_page("maps", dataset=small_shop.NAME, left=fitted[0], right=fitted[1])
    text = text_of(app)
    assert "are the same in" not in text and "or not known here any more" in text
    assert "on which pairs is not known here" in text
    app.segmented_control(key="map-part").set_value("Disagreement").run()
    assert "No held-out item lies in both spaces" in text_of(app) and not app.error


def test_neighbours_in_a_fitted_space_are_said_to_be_taught(
    fitted: tuple[str, str], open_page: Open, text_of: Text
) -> None:
    address = {"near": "i03", "map-part": "Neighbours"}
    app = open_page("maps", dataset=small_shop.NAME, left=fitted[0], right=WORDS, **address)
    assert "neighbours that agree there were in part taught to" in text_of(app)
    app = open_page("maps", dataset=small_shop.NAME, **address)
    assert "taught to" not in text_of(app)


def test_the_columns_of_the_tooltip_are_in_the_address(studied: Path, open_page: Open) -> None:
    app = open_page("maps", dataset=small_shop.NAME)
    box = app.multiselect(key="tooltip")
    usual, options = list(box.value), list(box.options)
    assert "interactions" in usual and "tooltip" not in app.query_params
    box.set_value([]).run()
    assert app.query_params["tooltip"] == "" and not app.multiselect(key="tooltip").value
    again = open_page("maps", dataset=small_shop.NAME, tooltip="")
    assert not again.multiselect(key="tooltip").value
    app.multiselect(key="tooltip").set_value(usual).run()
    assert "tooltip" not in app.query_params and options
    # Of another dataset, or mistyped: the usual ones.
    app = open_page("maps", dataset=small_shop.NAME, tooltip="no such column")
    assert app.multiselect(key="tooltip").value == usual and "tooltip" not in app.query_params


def test_the_spaces_of_neighbours_are_in_the_address_and_follow_the_maps_until_chosen(
    studied: Path, open_page: Open
) -> None:
    place = {"near": "i03", "map-part": "Neighbours"}
    app = open_page("maps", dataset=small_shop.NAME, **place)
    assert app.multiselect(key="near-in").value == [IMAGE, WORDS]
    app.selectbox(key="right-under").select("shuffle").run()
    assert app.multiselect(key="near-in").value == [IMAGE, f"{WORDS}|shuffle"]
    assert "near-in" not in app.query_params
    app.multiselect(key="near-in").set_value([WORDS]).run()
    assert app.query_params["near-in"] == WORDS
    app.selectbox(key="right-under").select("as it is").run()
    assert app.multiselect(key="near-in").value == [WORDS]  # chosen, so it stays
    app.segmented_control(key="map-part").set_value("Selection").run()
    app.segmented_control(key="map-part").set_value("Neighbours").run()
    assert app.multiselect(key="near-in").value == [WORDS]
    again = open_page("maps", dataset=small_shop.NAME, **place, **{"near-in": WORDS})
    assert again.multiselect(key="near-in").value == [WORDS]


def test_the_page_of_a_selection_is_in_the_address_and_another_selection_begins_anew(
    mapped: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pages.ui import map_selection

    monkeypatch.setattr(map_selection, "SHOWN", 4)
    address, inside = _lasso(small_shop.NAME)
    pages = -(-int(inside.sum()) // 4)
    assert pages > 2
    app = open_page("maps", dataset=small_shop.NAME, selection=address,
                    **{"selected-page": "3"})  # fmt: skip

    def shown() -> list[str]:
        return [b.label for b in app.button if "Cup" in b.label]

    third = shown()
    assert app.session_state["selected-page"] == 3 and 0 < len(third) <= 4
    app.button(key="clear-selection").click().run()
    assert app.session_state["selected-page"] == 1
