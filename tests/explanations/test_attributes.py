"""Shared attributes: counts by hand, and the planted tastes of the demo's worlds."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.datasets.demo import load_truth
from mmrec_core.datasets.demo.attributes import outlines
from mmrec_core.explanations.additive import split_score
from mmrec_core.explanations.concepts import (
    attributes_of,
    carriers_by_attribute,
    shared_attributes,
)
from mmrec_core.explanations.subject import Subject
from mmrec_core.projection.selection import column_of
from mmrec_core.recommenders.vbpr import VBPR
from mmrec_core.studies.inputs import load_inputs, resolved
from mmrec_core.studies.study import make_study, recommender_config


def shelf():
    colour = ["red", "red", "red", "blue", "blue", "blue", "blue", "blue", "", "green"]
    return [column_of("colour", pd.Series(colour))]


def test_by_hand():
    table = shared_attributes(shelf(), 0, np.array([1, 2, 3, 8]))
    row = table.iloc[0]
    assert (row["attribute"], row["value"]) == ("colour", "red")
    # Of four items of the history one has no colour; three of nine items are red.
    assert (row["in_history"], row["of_history"]) == (2, 3)
    assert row["share"] == pytest.approx(2 / 3) and row["catalogue_share"] == pytest.approx(3 / 9)
    assert row["idf"] == pytest.approx(np.log(9 / 3))
    assert row["overlap"] == pytest.approx(2 / 3 * np.log(3))
    assert row["surprise"] == pytest.approx(-np.log10(binom.sf(1, 3, 1 / 3)))
    carried = carriers_by_attribute(shelf(), 0, np.array([1, 3, 8]))
    np.testing.assert_allclose(carried, [np.log(3), 0, 0])


def test_an_item_or_a_history_without_values_shares_nothing():
    assert shared_attributes(shelf(), 8, np.array([0, 1])).empty
    assert shared_attributes(shelf(), 0, np.array([8])).empty
    assert shared_attributes(shelf(), 0, np.zeros(0, int)).empty
    nothing = shared_attributes(shelf(), 9, np.array([0, 1])).iloc[0]
    assert nothing["in_history"] == 0 and nothing["surprise"] == 0


def test_several_values_in_a_cell_each_count():
    dataset = load_dataset("demo-both")
    assert [c.name for c in attributes_of(dataset)] == ["category"]


def named_and_liked(world: str, n: int = 200) -> tuple[float, float, float]:
    """How often the attribute named first is one that the user was planted to like, of n.

    Returns:
        That; the same of any attribute of the item; the mean share of the picture in what lifts the
        item above the average.
    """
    study = resolved(make_study({"dataset": f"demo-{world}", "recommenders": ["vbpr"]}))
    inputs, truth = load_inputs(study), load_truth(world)
    config = recommender_config("vbpr", study).model_copy(update={"max_epochs": 60})
    model = VBPR(config).fit(inputs.split, inputs.features, seed=1)
    subject = Subject(model)
    shown = truth.attributes.assign(shape=outlines(truth.attributes))
    columns = [column_of(name, shown[name]) for name in (*truth.visible, *truth.readable)]
    tastes = truth.users.set_index("user_id")
    rng = np.random.default_rng(0)
    right, chance, share = [], [], []
    for user in rng.permutation(inputs.split.n_users)[:n]:
        item = int(rng.choice(subject.list_of(int(user), 10)))
        parts = split_score(subject, int(user), item).table.set_index("part")["against_average"]
        share.append(parts["image"] / parts.sum())
        own = tastes.loc[inputs.split.user_ids[user]]
        table = shared_attributes(columns, item, subject.history(int(user)))
        liked = [
            name in truth.visible and own[f"{name}={value}"] > 0
            for name, value in zip(table["attribute"], table["value"], strict=True)
        ]
        right.append(liked[0])
        chance.append(np.mean(liked))
    return float(np.mean(right)), float(np.mean(chance)), float(np.mean(share))


def test_where_tastes_are_in_pictures_explanations_find_them_and_nowhere_else():
    right, chance, share = named_and_liked("picture")
    assert right >= 0.8 and chance < 0.4 and share > 0.3
    right, chance, share = named_and_liked("neither")
    # No more than chance, with two standard errors of a share of 200.
    assert right <= chance + 2 * np.sqrt(chance * (1 - chance) / 200) and share < 0.05
