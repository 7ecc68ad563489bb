"""Deletion and insertion curves, and what is left of them once the weights are dealt out anew."""

import numpy as np
import pandas as pd
import pytest
from explanations.conftest import subject_of
from recommenders.cases import N_ITEMS

from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.explanations.faithfulness import (
    SHARES,
    area,
    cases,
    curve,
    measure,
    measured_methods,
    randomised,
)
from mmrec_core.explanations.service import faithfulness, open_run
from mmrec_core.projection.selection import column_of

ROWS = np.arange(N_ITEMS)


def columns():
    values = np.random.default_rng(5).integers(0, 4, N_ITEMS)
    return [column_of("group", pd.Series([f"g{v}" for v in values]))]


@pytest.mark.parametrize("name", ["item-knn", "ease", "light-gcn", "vbpr"])
def test_exact_methods_beat_a_random_order_and_lose_it_without_their_weights(name):
    table, curves = measure(subject_of(name), [], ROWS, n=12)
    assert len(table)
    for row in table.to_dict("records"):
        assert row["deletion_low"] > 0, row["method"]
        assert row["insertion_low"] > 0, row["method"]
        assert row["randomised"] < 0.35 * row["deletion"], row["method"]
        assert abs(row["correlation"]) < 0.5
    own = curves[(curves["order"] == "own") & (curves["kind"] == "deletion")]
    assert (own.groupby("method")["score"].first() == 0).all()
    assert set(curves["share"]) == set(SHARES)


def test_shared_attributes_do_not_look_at_the_model():
    table, _ = measure(subject_of("item-knn"), columns(), ROWS, n=8)
    row = table.set_index("method").loc["shared-attributes"]
    assert row["correlation"] == pytest.approx(1)
    assert row["randomised"] == pytest.approx(row["deletion"])


def test_the_end_of_a_curve_does_not_depend_on_the_order():
    subject = subject_of("item-knn")
    case = cases(subject, 1, 0)[0]
    _, without = measured_methods(subject, [], ROWS)["history-split"]
    n = len(case.history)
    one, other = (
        curve(subject, case, np.random.default_rng(s).permutation(n), without) for s in (1, 2)
    )
    assert one[0] == pytest.approx(other[0]) and one[-1] == pytest.approx(other[-1])
    came = curve(subject, case, np.arange(n), without, insertion=True)
    assert came[0] == pytest.approx(one[-1]) and came[-1] == pytest.approx(one[0])


def test_area_is_the_mean_height():
    assert area(np.ones(len(SHARES))) == pytest.approx(1)
    assert area(np.array(SHARES)) == pytest.approx(0.5)


def test_randomised_keeps_the_values_and_loses_their_places():
    subject = subject_of("vbpr")
    other = randomised(subject, 0)
    for name, array in subject.model.state.items():
        dealt = other.model.state[name]
        np.testing.assert_array_equal(np.sort(dealt.ravel()), np.sort(array.ravel()))
    assert not np.allclose(other.scores(0), subject.scores(0))
    again = randomised(subject, 0)
    np.testing.assert_array_equal(other.scores(0), again.scores(0))


@pytest.mark.parametrize("name", ["bpr-mf", "most-pop", "random"])
def test_models_without_an_order_have_nothing_to_delete(name):
    assert measured_methods(subject_of(name), columns(), ROWS) == {}
    assert measure(subject_of(name), columns(), ROWS, n=5)[0].empty


def test_the_demos_figures_are_shipped(mmrec_data):
    dataset = load_dataset("demo-both")
    for name in ("light-gcn", "freedom", "vbpr", "item-knn", "ease"):
        made = faithfulness(open_run(dataset, name))
        assert made is not None and made.shipped, name
        exact = made.table("methods").set_index("method").drop("shared-attributes", errors="ignore")
        assert (exact["deletion_low"] > 0).all() and (exact["n"] == 50).all()
