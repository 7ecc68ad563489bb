"""Round trip, support and consistency: by hand, by property, and on the demo."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmrec_core.descriptions.probes import Probe
from mmrec_core.descriptions.round_trip import retrieve, round_trip
from mmrec_core.descriptions.support import accuracy_table, agreement_table, support_table
from mmrec_core.domain import InputError


def test_ranks_by_hand():
    candidates = np.eye(4)
    queries = np.array([[1, 0, 0, 0], [0.5, 0.4, 0, 0], [0, 0, 0, 1], [0, 0, 0.2, 1]])
    # Own ranks: 1; 2; beaten by one and tied with two zeros: 2, 3 or 4; 1.
    found = retrieve(queries, candidates)
    assert found.first == 0.5 and found.ten == 1.0 and found.n == 4
    assert found.mrr == pytest.approx((1 + 1 / 2 + (1 / 2 + 1 / 3 + 1 / 4) / 3 + 1) / 4)
    assert found.chance == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)


def test_hard_negatives_are_of_the_same_group_and_lonely_items_are_left_out():
    candidates = np.eye(3)
    queries = np.array([[0.4, 0.5, 0], [0.1, 1, 0.1], [0, 0, 1]])
    assert retrieve(queries, candidates).first == pytest.approx(2 / 3)
    hard = retrieve(queries, candidates, np.array([0, 1, 0]))
    assert hard.n == 2 and hard.first == 1.0 and hard.chance == pytest.approx(0.75)
    # Items of no known category have no hard negatives.
    assert retrieve(queries, candidates, np.array([-1, 1, -1])).n == 0
    # A query may be about any candidate.
    asked = retrieve(queries[[2, 0]], candidates, None, np.array([2, 1]))
    assert asked.n == 2 and asked.first == 1.0


@given(st.integers(2, 40), st.integers(0, 1000))
def test_equal_candidates_give_chance_and_no_more(n, seed):
    queries = np.random.default_rng(seed).normal(size=(n, 3))
    for kind in (np.float32, np.float64):
        found = retrieve(queries.astype(kind), np.ones((n, 3), dtype=kind))
        assert found.first == pytest.approx(1 / n)
        assert found.mrr == pytest.approx(found.chance)


def test_what_pictures_show_comes_back_and_what_they_do_not_does_not():
    rng = np.random.default_rng(0)
    shown = rng.normal(size=(200, 6))
    pictures = np.hstack([shown @ rng.normal(size=(6, 20)), rng.normal(size=(200, 5))])
    words = shown @ rng.normal(size=(6, 12))
    other = rng.normal(size=(200, 12))
    noise = np.tile(rng.normal(size=(1, 12)), (200, 1))
    table = round_trip(
        pictures, {"descriptions": words, "titles alone": other}, np.arange(200) % 4,
        {"descriptions of noise": ("descriptions", noise, np.arange(200))},
    ).set_index("what")  # fmt: skip
    assert table.loc["descriptions", "recall@1"] > 0.9
    assert table.loc["descriptions", "hard recall@1"] > 0.9
    for name in ("titles alone", "shuffled descriptions", "descriptions of noise"):
        assert table.loc[name, "mrr"] < 3 * table.loc[name, "chance"]
        assert table.loc[name, "recall@1"] < 0.05
    with pytest.raises(InputError, match="needs 20 items"):
        round_trip(pictures[:5], {"descriptions": words[:5]}, None)


def test_accuracy_counts_lemmas_and_silence():
    values = [{"Type": "Mugs"}, {"Type": "lamp"}, {}, {"Type": "x"}]
    (row,) = accuracy_table(values, {"Type": ["mug", "chair", "mug", None]}).to_dict("records")
    assert row["items"] == 3 and row["accuracy"] == pytest.approx(1 / 3)
    assert row["chance"] == pytest.approx(2 / 3)


def test_agreement_is_the_share_and_kappa_that_beyond_chance():
    first = [{"C": "red"}, {"C": "red"}, {"C": "blue"}, {"C": "blue"}, {}]
    second = [{"C": "Red"}, {"C": "blue"}, {"C": "blue"}, {"C": "BLUE"}, {"C": "red"}]
    (row,) = agreement_table(first, second, ["C"]).to_dict("records")
    assert row["items"] == 4 and row["same"] == 0.75 and row["kappa"] == pytest.approx(0.5)
    (row,) = agreement_table(first[:2], first[:2], ["C"]).to_dict("records")
    assert row["same"] == 1 and np.isnan(row["kappa"])


def test_a_value_is_supported_by_words_or_by_the_picture():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.8, 0.2]])
    probe = Probe("C", ("blue", "red"), 1, 1, 0.5, 0.5, 4, probabilities)
    values = [{"C": "blue"}, {"C": "blue"}, {"C": "red"}, {"C": "gold"}]
    texts = ["a thing", "a blue thing", "thing", "golden"]
    (row,) = support_table(values, texts, {"C": probe}, ["C"]).to_dict("records")
    assert row["metadata"] == 0.25 and row["picture"] == 0.5
    assert row["either"] == 0.75 and row["unsupported"] == 0.25
