"""From values to attributes: forms, clusters within a slot, the rest as other."""

import numpy as np
import pytest

from mmrec_core.descriptions.vocabulary import (
    OTHER,
    VocabularyConfig,
    build_vocabulary,
    lemmas,
)

MEANINGS = {"stroller": 0, "pram": 10, "toy": 90, "toy car": 80, "crib": 180, "wood": 0, "pine": 5}


def by_angle(texts):
    """Vectors on a circle: how far two meanings are apart is known."""
    angles = np.radians([MEANINGS[text] for text in texts])
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


ANSWERS = [
    {"Category": "Strollers", "Material": "Wood"},
    {"Category": "stroller", "Material": "Pine"},
    {"Category": "Pram", "Material": "Wood"},
    {"Category": "Toys", "Material": "Wood"},
    {"Category": "Toy Car"},
    {"Category": "Crib"},
    {},
]


def vocabulary(**changed):
    config = VocabularyConfig(**{"distance": 0.1, **changed})
    return build_vocabulary(ANSWERS, ["Category", "Material"], config, by_angle)


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("Strollers", "stroller"), ("  Toys  and Games. ", "toy and game"), ("BABIES", "baby"),
        ("N/A", "n/a"), ("3-5 Years", "3-5 year"), ("(8+ Months)", "(8+ month)"), ("純棉", "純棉"),
        ("...", ""),
    ],
)  # fmt: skip
def test_forms(value: str, form: str) -> None:
    assert lemmas(value) == form


def test_values_of_like_meaning_merge_within_their_slot() -> None:
    made = vocabulary()
    table = made.merged.set_index(["slot", "value"])
    # The most frequent form names the cluster.
    assert table.loc[("Category", "Pram"), "attribute"] == "stroller"
    assert table.loc[("Category", "Strollers"), "form"] == "stroller"
    assert table.loc[("Material", "Pine"), "attribute"] == "wood"
    # Wood and stroller mean the same here, but stand in two slots.
    assert made.attribute("Category", "Wood") == OTHER
    assert made.columns == [
        ("Category", "stroller"), ("Category", "toy"), ("Category", "crib"), ("Material", "wood"),
    ]  # fmt: skip


def test_the_rest_is_other_and_comes_last() -> None:
    made = vocabulary(attributes=1)
    assert made.columns == [("Category", "stroller"), ("Category", OTHER), ("Material", "wood")]
    assert made.attribute("Category", "Crib") == OTHER
    few = vocabulary(most_values=2)
    assert (
        few.attribute("Category", "Crib") == "crib" and few.attribute("Category", "Pram") == OTHER
    )
    assert few.merged["count"].sum() == sum(len(answer) for answer in ANSWERS)


def test_two_items_with_different_attributes_differ() -> None:
    rows = vocabulary().one_hot(ANSWERS)
    assert rows.shape == (7, 4) and set(np.unique(rows)) == {0.0, 1.0}
    np.testing.assert_array_equal(rows[0], rows[1])
    assert not np.array_equal(rows[0], rows[3])
    np.testing.assert_array_equal(rows.sum(axis=1), [2, 2, 2, 2, 1, 1, 0])


def test_the_order_of_items_does_not_matter() -> None:
    config = VocabularyConfig(distance=0.1)
    turned = build_vocabulary(ANSWERS[::-1], ["Category", "Material"], config, by_angle)
    assert turned.merged.equals(vocabulary().merged)


def test_no_answers_make_an_empty_vocabulary() -> None:
    made = build_vocabulary([{}, {}], ["Category"], None, by_angle)
    assert made.columns == [] and made.one_hot([{}, {}]).shape == (2, 0)


def test_minilm_tells_meanings_apart() -> None:
    answers = [
        {"Use": value} for value in ("bathroom", "bath room", "travel", "travelling", "car seat")
    ]
    made = build_vocabulary(answers, ["Use"], VocabularyConfig(distance=0.45))
    assert made.attribute("Use", "bathroom") == made.attribute("Use", "bath room")
    assert made.attribute("Use", "travel") == made.attribute("Use", "travelling")
    assert made.attribute("Use", "car seat") not in (made.attribute("Use", "travel"), OTHER)


def test_by_default_values_that_exclude_each_other_stay_apart() -> None:
    colours = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "black", "white")
    materials = ("plastic", "metal", "wood", "cotton", "leather", "silicone")
    made = build_vocabulary([{"C": c} for c in colours] + [{"M": m} for m in materials], ["C", "M"])
    assert len(made.columns) == len(colours) + len(materials)
