from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection

from mmrec_core.domain import InputError
from mmrec_core.figures import (
    FORMATS,
    MapData,
    save,
    space_map,
    space_map_description,
    space_map_publication,
)
from mmrec_core.figures.labels import meet, place_on_map
from mmrec_core.figures.palette import CONTROL, modality_colour

DETAILS = "UMAP, cosine, 15 neighbours, min_dist 0.1, seed 0 · trustworthiness 0.93"
EVIL = "<b>$x^2$</b> & $\\frac{ a name that somebody made too long"


def data(n: int, kinds: int = 20, colour: str = "categories", title: str = "DINOv2") -> MapData:
    """Clouds around a place each, named and coloured; every tenth point has no value."""
    rng = np.random.default_rng([n, kinds])
    places = rng.normal(0, 5, (kinds, 2))
    share = np.arange(kinds, 0, -1) / (kinds * (kinds + 1) / 2)
    own = rng.choice(kinds, n, p=share)
    own[: min(n, kinds)] = np.arange(min(n, kinds))
    names = np.array([EVIL, *(f"category {i}" for i in range(1, kinds))], object)
    points = pd.DataFrame(places[own] + rng.normal(0, 0.5, (n, 2)), columns=["x", "y"])
    if colour == "categories":
        points["colour"] = np.where(np.arange(n) % 10 == 9, None, names[own])
    elif colour == "numbers":
        points["colour"] = np.where(np.arange(n) % 10 == 9, np.nan, rng.normal(0, 1, n))
    labels = pd.DataFrame(places, columns=["x", "y"]).assign(text=names, weight=share)
    return MapData(points, labels, title, DETAILS)


def drawn(figure) -> int:
    scatters = [c for axes in figure.axes for c in axes.collections]
    return sum(len(c.get_offsets()) for c in scatters if isinstance(c, PathCollection))


@pytest.mark.parametrize("width", ["one", "two"])
@pytest.mark.parametrize("colour", ["categories", "numbers", "nothing"])
@pytest.mark.parametrize("n", [2, 300])
def test_no_text_meets_another(clashes, n, colour, width) -> None:
    for maps in (data(n, colour=colour), [data(n, colour=colour), data(n, 30, colour, EVIL)]):
        figure = space_map_publication(maps, "category", width=width)
        assert clashes(figure) == []
        assert figure.get_figheight() <= 11


@pytest.mark.parametrize("width", ["one", "two"])
def test_two_hundred_categories_and_labels(clashes, width) -> None:
    figure = space_map_publication(data(6000, 200), "category", width=width)
    assert clashes(figure) == []
    assert drawn(figure) == 6000
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert len(legend) == 14
    assert legend[-2].startswith("188 others (")
    assert legend[-1] == "no value (600)"


def test_labels_do_not_meet_and_lighter_ones_give_way() -> None:
    rng = np.random.default_rng(3)
    points = [(float(x), float(y)) for x, y in rng.uniform(0, 3, (60, 2))]
    weights = rng.permutation(60).astype(float).tolist()
    area = (0.0, 0.0, 3.0, 3.0)
    boxes = place_on_map(points, [(0.8, 0.12)] * 60, area, weights)
    there = [box for box in boxes if box is not None]
    assert 10 < len(there) < 60
    assert not any(meet(a, b) for a, b in combinations(there, 2))
    assert all(b[0] >= 0 and b[1] >= 0 and b[2] <= 3 + 1e-9 and b[3] <= 3 + 1e-9 for b in there)
    assert boxes[int(np.argmax(weights))] is not None
    shown = np.array([box is not None for box in boxes])
    assert np.mean(np.array(weights)[shown]) > np.mean(np.array(weights)[~shown])
    # One spot, room for one: the heavier.
    same = place_on_map([(0.5, 0.1)] * 2, [(0.9, 0.15)] * 2, (0, 0, 1, 0.2), [1.0, 2.0])
    assert same[0] is None
    assert same[1] is not None
    assert place_on_map([(0.5, 0.1)], [(2.0, 0.1)], (0, 0, 1, 1), [1.0]) == [None]


def test_names_without_room_are_counted() -> None:
    maps = data(300, 100)
    figure = space_map_publication(maps, "category")
    names = {text.get_text() for text in figure.axes[0].texts}
    hidden = 100 - len(names)
    assert hidden > 0
    sentence = space_map_description(maps, "category", width="one")
    assert f"{100 - hidden} of 100 region labels shown, {hidden} had no room" in sentence
    assert figure.get_label() == sentence
    subtitle = " ".join(text.get_text().replace("\n", " ") for text in figure.texts)
    assert f"{hidden} of 100 region labels had no room" in subtitle
    screen = space_map(maps, "category")
    notes = len(screen.layout.annotations)
    assert f"{notes} of 100 region labels shown" in space_map_description(maps, "category")
    assert screen.layout.meta["description"] == space_map_description(maps, "category")


def test_all_points_are_drawn_where_they_are() -> None:
    maps = data(300)
    figure = space_map(maps, "category")
    found = np.concatenate(
        [np.stack([t.x, t.y], axis=1) for t in figure.data if t.type == "scattergl"]
    )
    wanted = maps.points[["x", "y"]].to_numpy()
    assert sorted(map(tuple, found)) == sorted(map(tuple, wanted))
    printed = space_map_publication(maps, "category")
    found = np.concatenate([c.get_offsets() for c in printed.axes[0].collections])
    assert sorted(map(tuple, np.asarray(found))) == sorted(map(tuple, wanted))
    assert all(c.get_rasterized() for c in printed.axes[0].collections)
    axes = printed.axes[0]
    box = axes.get_window_extent()
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    assert (right - left) / box.width == pytest.approx((high - low) / box.height)
    assert figure.layout.yaxis.scaleanchor == "x"
    assert not figure.layout.xaxis.showticklabels
    assert len(axes.get_xticks()) == 0


def test_twelve_largest_categories_have_a_colour() -> None:
    figure = space_map(data(400), "category")
    legend = [trace.name for trace in figure.data if trace.type == "scatter"]
    assert len(legend) == 14
    assert legend[12].startswith("8 others (")
    assert legend[13] == "no value (40)"
    counts = data(400).points["colour"].value_counts()
    assert legend[1].endswith(f"({counts.iloc[1]:,})")
    colours = {t.marker.color for t in figure.data if t.type == "scatter"}
    assert len(colours) == 14
    assert CONTROL in colours
    symbols = {t.marker.symbol for t in figure.data if t.type == "scatter"}
    assert len(symbols) == 13
    one = space_map(data(400, 12), "category")
    assert not any("other" in trace.name for trace in one.data if trace.name)


def test_modalities_keep_their_colours() -> None:
    points = pd.DataFrame({"x": [0, 1, 2.0], "y": [0, 1, 0.5], "colour": ["image", "text", "text"]})
    figure = space_map(MapData(points))
    assert [t.name for t in figure.data if t.type == "scatter"] == ["text (2)", "image (1)"]
    assert figure.data[0].marker.color == modality_colour("text")


def test_two_maps_share_their_colours() -> None:
    first, second = data(200), data(200, title="MiniLM")
    second.points["colour"] = "category 3"
    figure = space_map([first, second], "category")
    of = {}
    for trace in figure.data:
        if trace.type == "scattergl" and trace.hovertext == "category 3" and len(trace.x):
            of[trace.xaxis] = trace.marker.color
    assert set(of) == {"x", "x2"}
    assert len(set(of.values())) == 1
    assert figure.layout.meta["title"] == "Maps of DINOv2 and MiniLM"
    printed = space_map_publication([first, second], "category", width="two")
    boxes = [axes.get_position() for axes in printed.axes]
    assert len(boxes) == 2
    assert boxes[0].y0 == boxes[1].y0
    stacked = space_map_publication([first, second], "category", width="one")
    boxes = [axes.get_position() for axes in stacked.axes]
    assert boxes[0].x0 == boxes[1].x0


def test_numbers_have_a_bar_that_is_logarithmic_where_few_are_far_above() -> None:
    even = space_map(data(300, colour="numbers"), "age (years)")
    marker = next(t.marker for t in even.data if t.marker.showscale)
    values = data(300, colour="numbers").points["colour"]
    assert (marker.cmin, marker.cmax) == (values.min(), values.max())
    assert marker.colorbar.title.text == "age (years)"
    far = data(300)
    far.points["colour"] = np.r_[0.0, 1.0, 1000.0, np.full(297, 2.0)]
    figure = space_map(far, "ratings")
    marker = next(t.marker for t in figure.data if t.marker.showscale)
    assert (marker.cmin, marker.cmax) == (0, 3)
    assert marker.colorbar.title.text == "ratings (logarithmic)"
    assert marker.colorbar.ticktext[-1] == "1,000"
    assert "ratings (logarithmic colours) from 1.00 to 1,000" in space_map_description(
        far, "ratings"
    )
    same = data(30)
    same.points["colour"] = 5.0
    assert len(save(space_map_publication(same, "five"), "png")) > 1000


def test_what_the_map_stands_on_is_said() -> None:
    maps = data(300)
    maps.points.loc[:4, "x"] = np.nan
    figure = space_map(maps, "category")
    assert figure.layout.title.subtitle.text == (
        f"{DETAILS} · 295 items · 5 without a place, not drawn"
    )
    assert figure.layout.xaxis.title.text == "the axes have no unit: near means alike"
    sentence = space_map_description(maps, "category")
    assert "trustworthiness 0.93, 295 items, 5 without a place" in sentence
    assert sentence.endswith("the axes have no unit: near means alike.")


def test_many_points_are_for_print_and_a_small_file() -> None:
    many = data(200_000, 50)
    with pytest.raises(InputError, match=r"up to 20,000 points .* are 200,000. Use the print form"):
        space_map(many, "category")
    figure = space_map_publication(many, "category", width="two")
    assert drawn(figure) == 200_000
    made = save(figure, "svg")  # holds the picture of the points in base64, so PDF is smaller
    assert len(made) < 600_000
    assert b">category 1</text>" in made
    with pytest.raises(InputError, match="are 20,001"):
        space_map([data(20_000), data(1)], "category")


def test_names_from_data_are_text(clashes) -> None:
    maps = data(50, 3, title=EVIL)
    figure = space_map([maps, maps], EVIL, EVIL)
    shown = [note.text for note in figure.layout.annotations]
    shown += [t.name for t in figure.data if t.name]
    shown += [figure.layout.title.text, figure.layout.legend.title.text]
    shown += [str(t.hovertext) for t in figure.data]
    assert not any("<b>$" in text for text in shown)
    assert clashes(space_map_publication([maps, maps], EVIL, EVIL)) == []


def test_what_cannot_be_drawn_is_refused() -> None:
    maps = data(30)
    for draw in (space_map, space_map_publication, space_map_description):
        with pytest.raises(InputError, match="one or two maps, not 3"):
            draw([maps] * 3)
        with pytest.raises(InputError, match="No item has a place"):
            draw(MapData(maps.points.assign(x=np.nan)))
    with pytest.raises(InputError, match="no column 'y'"):
        space_map(MapData(maps.points.drop(columns="y")))
    with pytest.raises(InputError, match="labels has no column 'weight'"):
        space_map(MapData(maps.points, maps.labels.drop(columns="weight")))
    with pytest.raises(InputError, match="both by categories"):
        space_map([maps, data(30, colour="numbers")])
    with pytest.raises(InputError, match="both are coloured, or none"):
        space_map([maps, data(30, colour="nothing")])
    with pytest.raises(InputError, match="No item has a number"):
        space_map(MapData(maps.points.assign(colour=np.nan)))
    with pytest.raises(InputError, match="no width 'three'"):
        space_map_publication(maps, width="three")


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_data_give_the_same_bytes(format) -> None:
    first, second = (save(space_map_publication(data(300), "c"), format) for _ in "ab")
    assert first == second
