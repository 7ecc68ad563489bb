"""Controls that shuffle within groups, and the one that borrows the other modality's features."""

import numpy as np
import pytest
from extractors.test_controls import embeddings, row_numbers
from hypothesis import given
from hypothesis import strategies as st

from mmrec_core.domain import Embeddings, InputError
from mmrec_core.extractors.context_controls import category_groups, popularity_groups
from mmrec_core.extractors.controls import CONTROLS, apply, left_in_place

WITHIN = {"category": "shuffle-within-category", "popularity": "shuffle-within-popularity"}


@given(
    st.integers(1, 40),
    st.integers(1, 8),
    st.sampled_from([0.0, 0.2, 0.6]),
    st.sampled_from([0.0, 0.3]),
    st.sampled_from(sorted(WITHIN)),
    st.integers(0, 100),
)
def test_shuffles_within_groups(n, n_groups, image_missing, text_missing, name, seed):
    groups = {name: np.random.default_rng([seed, n]).integers(0, n_groups, n)}
    features = {
        "image": embeddings(n, 3, 1, image_missing),
        "text": embeddings(n, 5, 2, text_missing, "text"),
    }
    if len(np.unique(groups[name])) == n:
        with pytest.raises(InputError, match=f"every item is alone in its {name}"):
            apply(features, "image", WITHIN[name], seed, groups)
        return
    real = features["image"]
    after = apply(features, "image", WITHIN[name], seed, groups)
    assert after["text"] is features["text"]
    observed = np.flatnonzero(real.observed)
    source = row_numbers(real, after["image"]).astype(int)
    np.testing.assert_array_equal(after["image"].missing, real.missing)
    assert sorted(source) == list(observed)
    np.testing.assert_array_equal(groups[name][source], groups[name][observed])
    sizes = np.bincount(groups[name][observed], minlength=n_groups)
    alone = sizes[groups[name][observed]] == 1
    np.testing.assert_array_equal(source == observed, alone)
    assert left_in_place(features, "image", WITHIN[name], groups) == alone.sum()

    both = apply(features, "all", WITHIN[name], seed, groups)
    source = np.arange(n)
    for modality, each in features.items():
        np.testing.assert_array_equal(both[modality].missing, each.missing)
        source[each.observed] = row_numbers(each, both[modality])
    for modality, each in features.items():
        np.testing.assert_array_equal(both[modality].matrix, each.matrix[source])
    np.testing.assert_array_equal(groups[name][source], groups[name])
    some = real.observed | features["text"].observed
    stays = int((source[some] == np.flatnonzero(some)).sum())
    assert left_in_place(features, "all", WITHIN[name], groups) == stays


def test_one_group_is_a_plain_shuffle_of_its_own_draw():
    real = {"image": embeddings(9, 2)}
    after = apply(real, "image", "shuffle-within-category", 4, {"category": np.zeros(9, int)})
    source = row_numbers(real["image"], after["image"])
    assert sorted(source) == list(range(9)) and (source != np.arange(9)).all()


def test_the_first_of_several_categories_counts():
    cells = np.array(["Toys|Baby", "Baby", " Toys ", "", "Baby|Toys", "Toys"], dtype=object)
    groups = category_groups(cells, "|")
    assert groups.tolist() == [2, 1, 2, 0, 1, 2]
    assert len(set(category_groups(cells, None).tolist())) == 5
    # A separator is text, not a pattern.
    assert category_groups(np.array(["a.b", "a.c", "b"], dtype=object), ".").tolist() == [0, 0, 1]


def test_popularity_deciles():
    degree = np.random.default_rng(0).permutation(100)
    groups = popularity_groups(degree)
    np.testing.assert_array_equal(groups, degree // 10)
    assert popularity_groups(np.array([0, 0, 0, 0, 0, 0, 5, 5, 9, 9])).tolist() == [
        0, 0, 0, 0, 0, 0, 1, 1, 2, 2,
    ]  # fmt: skip
    assert set(popularity_groups(np.full(20, 3))) == {0}


@given(st.lists(st.integers(0, 40), min_size=1, max_size=120))
def test_popularity_deciles_are_ordered_and_tear_no_equals_apart(degrees):
    degree = np.array(degrees)
    groups = popularity_groups(degree)
    order = np.lexsort((groups, degree))
    assert (np.diff(groups[order]) >= 0).all()
    for value in np.unique(degree):
        assert len(set(groups[degree == value].tolist())) == 1
    assert sorted(set(groups.tolist())) == list(range(groups.max() + 1))
    assert groups.max() < 10


@given(st.integers(0, 30), st.sampled_from([0.0, 0.4]), st.sampled_from([0.0, 0.4]))
def test_the_other_modality_stands_in_and_both_masks_are_kept(n, image_missing, text_missing):
    image = embeddings(n, 3, 1, image_missing)
    text = embeddings(n, 5, 2, text_missing, "text")
    after = apply({"image": image, "text": text}, "image", "other-modality", 0)
    assert after["text"] is text and after["image"].modality == "image"
    np.testing.assert_array_equal(after["image"].missing, image.missing | text.missing)
    seen = after["image"].observed
    np.testing.assert_array_equal(after["image"].matrix[seen], text.matrix[seen])
    assert not after["image"].matrix[~seen].any()
    other = apply({"image": image, "text": text}, "text", "other-modality", 0)
    assert other["text"].width == 3


def test_reasons():
    image, text = embeddings(4, 2), embeddings(4, 3, modality="text")
    joint = Embeddings("joint", "x", text.item_ids, text.matrix, text.missing)
    both = {"image": image, "text": text}
    for features, modality, control, words in (
        ({"image": image}, "image", "other-modality", "image alone has no other"),
        ({"joint": joint}, "joint", "other-modality", "one joint matrix"),
        (both, "all", "other-modality", "all modalities at once"),
        (both, "image", "shuffle-within-category", "does not say the category"),
    ):
        with pytest.raises(InputError, match=words):
            apply(features, modality, control, 0)
    assert CONTROLS.get("other-modality").stages == ("train",)
