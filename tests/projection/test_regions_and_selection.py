"""Regions with their words, and what tells a selection from the rest."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import contingency

from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.domain import Dataset, DatasetInfo
from mmrec_core.projection import regions as rooms
from mmrec_core.projection.regions import NONE, find_regions, telling_words, words_of
from mmrec_core.projection.selection import (
    Column,
    category_shares,
    column_of,
    columns_of,
    compare_with_rest,
)


def clouds(n=50):
    rng = np.random.default_rng(0)
    centres = np.array([[0, 0], [10, 0], [0, 10]])
    return (np.repeat(centres, n, axis=0) + 0.3 * rng.normal(size=(3 * n, 2))).astype(np.float32)


def test_regions_are_the_clouds_and_are_named_by_what_they_alone_say():
    words = ["a fine mug for tea", "a fine lamp for bed", "a fine clock for walls"]
    found = find_regions(clouds(), np.repeat(words, 50).tolist())
    assert len(found.table) == 3 and (found.of_item >= 0).mean() > 0.9
    for region in range(3):
        own = found.of_item[50 * region : 50 * (region + 1)]
        label = found.table.set_index("region").loc[np.bincount(own[own >= 0]).argmax()]
        assert label["words"].split(" · ")[0] in words[region]
        assert abs(label["x"] - [0, 10, 0][region]) < 0.5


def test_items_outside_of_the_map_lie_in_no_region():
    plane = clouds()
    plane[:7] = np.nan
    found = find_regions(plane, [""] * 150)
    assert (found.of_item[:7] == NONE).all() and set(found.table["words"]) == {""}


def test_large_maps_cluster_a_sample_and_the_others_join(monkeypatch):
    monkeypatch.setattr(rooms, "CLUSTERED", 90)
    found = find_regions(clouds(), ["x"] * 150)
    assert found.clustered == 90 and len(found.table) == 3
    assert (found.of_item >= 0).mean() > 0.9
    assert all(len(set(found.of_item[s : s + 50]) - {NONE}) == 1 for s in (0, 50, 100))


def test_too_few_items_are_no_region():
    found = find_regions(clouds(2), ["x"] * 6)
    assert found.table.empty and (found.of_item == NONE).all()


def test_class_based_tf_idf_by_hand():
    """tf(t, c) / words of c times log(1 + A / tf(t)), each word once an item."""
    texts = ["mug tea", "mug cup", "mug tea", "lamp tea", "lamp bed", "lamp tea"]
    groups = np.array([0, 0, 0, 1, 1, 1])
    words = telling_words(texts, groups, most=1)
    # mug: 3 of group 0 alone; tea: in both, so it tells less, though it is as frequent.
    assert words == {0: ("mug",), 1: ("lamp",)}
    assert telling_words(texts, np.full(6, NONE)) == {}


def test_a_label_does_not_say_a_word_twice():
    texts = ["tea pot teapot pots"] * 5 + ["lamp"] * 5
    words = telling_words(texts, np.repeat([0, 1], 5))
    assert words[0] in (("teapot",), ("tea", "pot"), ("pot", "tea"))


def test_words_are_text_category_and_attributes():
    dataset = load_dataset("demo-both")
    first = words_of(dataset)[0]
    item = dataset.items.iloc[0]
    assert item["text"].split()[0] in first and item["category"] in first


def shop(**columns):
    n = len(next(iter(columns.values())))
    base = {"item_id": [f"i{i}" for i in range(n)], "title": "t", "text": "", "category": "",
            "image": "", "image_sha256": ""}  # fmt: skip
    items = pd.DataFrame({**base, **columns})
    interactions = pd.DataFrame({"user_id": ["u"] * n, "item_id": items["item_id"]})
    info = DatasetInfo("shop", category_separator="|")
    return Dataset("shop", items, interactions, None, info, "print")


def test_columns_are_numbers_categories_or_neither():
    own = shop(
        category=["a|b", "b", "", "a"],
        price=["1.5", "2", "", "3"],
        brand=["x", "y", "x", "x"],
        note=["one", "one", "one", "one"],
    )
    found = {c.name: c for c in columns_of(own)}
    assert list(found) == ["category", "interactions", "price", "brand"]
    assert found["price"].numeric and np.isnan(found["price"].numbers[2])
    assert found["brand"].names == ("x", "y") and found["brand"].values.tolist() == [0, 1, 0, 0]
    category = found["category"]
    assert category.names[0] in ("a", "b") and category.values[2] == -1
    assert sorted(zip(*(part.tolist() for part in category.cells))) == sorted(
        [(0, category.names.index("a")), (0, category.names.index("b")),
         (1, category.names.index("b")), (3, category.names.index("a"))]
    )  # fmt: skip
    many = pd.Series([f"value {n}" for n in range(400)])
    assert column_of("ids", many) is None


def test_cliffs_delta_is_that_of_all_pairs():
    rng = np.random.default_rng(2)
    values = rng.integers(0, 6, 80).astype(float)
    selected = rng.random(80) < 0.3
    table = compare_with_rest([Column("n", numbers=values)], selected)
    own, rest = values[selected], values[~selected]
    pairs = np.sign(own[:, None] - rest[None])
    assert table["effect"][0] == pytest.approx(pairs.mean())
    assert sum(table["spread_in_selection"][0]) == pytest.approx(1)


def test_cramers_v_is_scipys_but_for_the_bias():
    rng = np.random.default_rng(4)
    n = 4000
    values = rng.integers(0, 3, n).astype(np.int32)
    selected = rng.random(n) < np.array([0.1, 0.4, 0.7])[values]
    column = Column("c", values=values, names=("a", "b", "c"))
    table = compare_with_rest([column], selected)
    counts = np.stack([np.bincount(values[part], minlength=3) for part in (~selected, selected)])
    assert table["effect"][0] == pytest.approx(contingency.association(counts), abs=0.01)
    # Bias-corrected: nothing is found where nothing is, however many categories there are.
    noise = Column("c", values=rng.integers(0, 200, n).astype(np.int32),
                   names=tuple(map(str, range(200))))  # fmt: skip
    assert compare_with_rest([noise], rng.random(n) < 0.5)["effect"][0] < 0.08


def test_shares_count_every_category_of_an_item():
    cells = (np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0]))
    column = Column("c", values=np.array([0, 1, 0], np.int32), names=("a", "b"), cells=cells)
    shares = category_shares(column, np.array([True, False, False])).set_index("value")
    assert shares.loc["a", "in_selection"] == 1 and shares.loc["b", "in_selection"] == 1
    assert shares.loc["a", "in_rest"] == 0.5


def test_a_selection_of_all_or_of_none_is_compared_with_nothing():
    column = Column("n", numbers=np.arange(4.0))
    for selected in (np.ones(4, bool), np.zeros(4, bool)):
        assert compare_with_rest([column], selected).empty
