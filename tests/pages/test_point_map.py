"""The point map's server side: which points an outline holds, bytes, what comes back."""

import base64
import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.ui import point_map
from pages.ui.point_map import NONE, Colours, Events, Lasso, View, chosen, inside

PROJECT = Path(__file__).resolve().parents[2]


def one_by_one(points: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """The same question asked of each point and edge in turn."""
    found = []
    for x, y in points.astype(np.float64):
        odd = False
        for (x1, y1), (x2, y2) in zip(np.roll(polygon, 1, axis=0), polygon):
            if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
                odd = not odd
        found.append(odd)
    return np.array(found)


# Inside


def test_inside_a_square() -> None:
    square = np.array([[0, 0], [2, 0], [2, 2], [0, 2]])
    points = np.array([[1, 1], [3, 1], [-1, 1], [1, 3], [np.nan, np.nan], [1, np.nan]])
    assert inside(points, square).tolist() == [True, False, False, False, False, False]


@pytest.mark.parametrize("corners", [3, 4, 17, 120])
def test_inside_agrees_with_one_by_one_also_where_outlines_cross_themselves(corners: int) -> None:
    rng = np.random.default_rng(corners)
    # On a coarse lattice points fall on corners and edges.
    polygon = np.round(rng.normal(0, 1, (corners, 2)), 1)
    points = np.round(rng.normal(0, 1, (600, 2)), 1).astype(np.float32)
    found = inside(points, polygon)
    assert found.tolist() == one_by_one(points, polygon).tolist()
    assert 0 < found.sum() < 600


def test_fewer_than_three_corners_hold_nothing() -> None:
    points = np.zeros((4, 2), dtype=np.float32)
    assert not inside(points, np.zeros((2, 2))).any()
    assert not inside(points, np.empty((0, 2))).any()
    assert len(inside(np.empty((0, 2), dtype=np.float32), np.eye(3)[:, :2])) == 0


def test_hidden_items_are_not_chosen() -> None:
    points = np.array([[0, 0], [0, 0], [0, 0], [9, 9]], dtype=np.float32)
    views = [View("a", points)]
    square = np.array([[-1.0, -1], [1, -1], [1, 1], [-1, 1]])
    kinds = Colours(np.array([0, 1, NONE, 0], dtype=np.uint16), ["x", "y"], "kind")
    assert chosen(Lasso(0, square), views, kinds).tolist() == [True, True, True, False]
    assert chosen(Lasso(0, square, (1, NONE)), views, kinds).tolist() == [True] + 3 * [False]
    numbers = Colours(np.array([1, 2, np.nan, 1], dtype=np.float32), (), "number")
    held = chosen(Lasso(0, square, (), (1.5, 3.0)), views, numbers)
    assert held.tolist() == [False, True, False, False]
    assert not chosen(Lasso(1, square), views, kinds).any()


# Bytes


def unpacked(packed: bytes) -> tuple[dict, bytes]:
    assert len(packed) % 4 == 0
    length = int.from_bytes(packed[:4], "little")
    assert length % 4 == 0
    return json.loads(packed[4 : 4 + length]), packed[4 + length :]


def test_points_are_packed_as_they_are() -> None:
    points = np.array([[np.nan, np.nan], [-2, 0.1]], dtype=np.float64)
    header, payload = unpacked(point_map.pack_points("k", 1, points))
    assert (header["map"], header["part"], header["n"]) == ("k", "points-1", 2)
    back = np.frombuffer(payload, "<f4").reshape(2, 2)
    np.testing.assert_array_equal(back, points.astype(np.float32))


def test_colours_are_codes_or_numbers_and_padded() -> None:
    kinds = Colours(np.array([0, 1, NONE]), ["a", "b"], "kind")
    header, payload = unpacked(point_map.pack_colours("k", kinds))
    assert header["form"] == "categories"
    assert np.frombuffer(payload[:6], "<u2").tolist() == [0, 1, NONE]
    assert payload[6:] == b"\0\0"
    header, payload = unpacked(point_map.pack_colours("k", Colours(np.arange(3), (), "number")))
    assert header["form"] == "numbers"
    assert np.frombuffer(payload, "<f4").tolist() == [0, 1, 2]


def test_what_is_not_finite_is_not_there() -> None:
    points = np.array([[np.inf, 1], [2, 3], [2, np.nan]])
    _, payload = unpacked(point_map.pack_points("k", 0, points))
    assert np.isnan(np.frombuffer(payload, "<f4")).tolist() == [True] * 2 + [False] * 2 + [True] * 2
    _, payload = unpacked(point_map.pack_colours("k", Colours(np.array([np.inf, 1]), (), "x")))
    assert np.isnan(np.frombuffer(payload, "<f4")).tolist() == [True, False]
    assert point_map._labels([("a", 1, 2, 3), ("b", np.nan, 2, 3)]) == [["a", 1.0, 2.0, 3.0]]


def test_a_code_without_a_name_is_an_error() -> None:
    with pytest.raises(ValueError, match="without a name"):
        point_map.pack_colours("k", Colours(np.array([0, 2]), ["a", "b"], "kind"))


def test_selections_are_rows_or_bits_whatever_is_shorter() -> None:
    few = np.zeros(1000, dtype=bool)
    few[[3, 999]] = True
    header, payload = unpacked(point_map.pack_selection("k", few))
    assert (header["form"], header["count"]) == ("rows", 2)
    assert np.frombuffer(payload, "<u4").tolist() == [3, 999]
    many = np.arange(1000) % 3 == 0
    header, payload = unpacked(point_map.pack_selection("k", many))
    assert header["form"] == "bits"
    bits = np.unpackbits(np.frombuffer(payload, np.uint8), bitorder="little")[:1000]
    np.testing.assert_array_equal(bits.astype(bool), many)


def test_each_content_has_a_version_of_its_own() -> None:
    nothing, empty = (point_map.pack_selection("k", s) for s in (None, np.zeros(9, dtype=bool)))
    same = point_map.pack_selection("k", np.zeros(9, dtype=bool))
    assert point_map.version_of(empty) == point_map.version_of(same)
    assert point_map.version_of(empty) != point_map.version_of(nothing)


def test_pictures_are_data_uris_of_what_browsers_show(tmp_path: Path) -> None:
    png = b"\x89PNG\r\n\x1a\n..."
    uri = "data:image/png;base64," + base64.b64encode(png).decode()
    file = tmp_path / "a.png"
    file.write_bytes(png)
    assert point_map.picture_uri(png) == point_map.picture_uri(file) == uri
    assert point_map.picture_uri(tmp_path / "gone.png") is None
    assert point_map.picture_uri(b"<svg onload=...>") is None
    assert point_map.picture_uri(None) is None


# What comes back


def test_an_outline_comes_back() -> None:
    lasso = {"view": 1, "polygon": [[0, 0], [1, 0], [0, 1]], "hidden": [2], "range": None}
    events = point_map._events({"selection": {"stamp": 7, "lasso": lasso}, "clicked": 5})
    assert (events.stamp, events.clicked) == (7, 5)
    assert events.lasso is not None
    assert (events.lasso.view, events.lasso.hidden, events.lasso.range) == (1, (2,), None)
    assert events.lasso.polygon.shape == (3, 2)


@pytest.mark.parametrize(
    "broken",
    [
        {"polygon": [[0, 0], [1, 0]]},
        {"polygon": [[0, 0, 0]] * 3},
        {"polygon": [[0, 0], [1, 0], [0, float("nan")]]},
        {"polygon": "text"},
        {"hidden": None},
        {"hidden": ["a"]},
        {"range": [1]},
        {"view": None},
    ],
)
def test_nonsense_from_the_browser_is_no_outline(broken: dict) -> None:
    lasso = {"view": 0, "polygon": [[0, 0], [1, 0], [0, 1]], "hidden": [], "range": None} | broken
    events = point_map._events({"selection": {"stamp": 7, "lasso": lasso}})
    assert events.lasso is None


def test_nothing_came_back_yet() -> None:
    assert point_map._events(None) == point_map._events({}) == Events()


# The component


def test_a_page_with_a_map_runs() -> None:
    app = AppTest.from_file(str(PROJECT / "tests" / "browser" / "point_map_app.py"))
    app.query_params["n"] = "500"
    app.run(timeout=60)
    assert not app.exception
    assert [text.value for text in app.text] == ["selected none", "clicked none", "runs 1"]
    app.checkbox[0].check().run(timeout=60)
    assert not app.exception


def test_as_many_points_as_colours() -> None:
    colours = Colours(np.zeros(3), (), "number")
    with pytest.raises(ValueError, match="3 points"):
        point_map.point_map([View("a", np.zeros((4, 2)))], colours, key="k", details=list)
    with pytest.raises(ValueError, match="one or two"):
        point_map.point_map([], colours, key="k", details=list)


def test_the_committed_bundle_is_what_the_sources_give() -> None:
    """As build.js counts them. Build again: npm ci && npm run build in components/point_map."""
    sources = sorted(
        ["build.js", "package-lock.json", "package.json"]
        + [f"src/{file.name}" for file in (point_map.HOME / "src").iterdir()]
    )
    digest = hashlib.sha256()
    for name in sources:
        content = (point_map.HOME / name).read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    assert [file.name for file in (point_map.HOME / "assets").iterdir()] == [
        f"index-{digest.hexdigest()[:12]}.js"
    ]
    assert digest.hexdigest() in point_map.bundle().read_text("utf-8")[:400]


def test_the_bundle_fetches_nothing_and_sets_no_markup() -> None:
    text = point_map.bundle().read_text("utf-8")
    # A namespace, and what regl says in messages of its errors.
    assert set(re.findall(r"https?://[^\"'`]*", text)) == {
        "http://www.w3.org/2000/svg",
        "http://get.webgl.org",
        "https://www.npmjs.com/package/glsl-read-float",
    }
    for word in ("innerHTML", "insertAdjacentHTML", "document.write", "fetch(", "eval(", "import("):
        assert word not in text


def test_the_licences_of_what_is_bundled_go_along() -> None:
    """build.js names the packages in the bundle's second line, and fails where one has none."""
    banner = re.search(r"THIRD_PARTY_LICENSES.txt: (.*) \*/", point_map.bundle().read_text("utf-8"))
    assert banner is not None
    packages = banner[1].split(", ")
    assert {"kdbush", "regl", "regl-scatterplot"} <= {name.split()[0] for name in packages}
    texts = (point_map.HOME / "THIRD_PARTY_LICENSES.txt").read_text("utf-8")
    parts = re.split(r"^(\S+ \d\S*) \(.+\)\n-{72}\n", texts, flags=re.MULTILINE)
    licences = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert list(licences) == packages
    for name, licence in licences.items():
        assert "Permission" in licence, name
        assert len(licence) > 500, name


def test_the_bundle_is_small() -> None:
    assert point_map.bundle().stat().st_size < 400_000
