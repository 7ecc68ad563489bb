"""Ranking and list metrics against hand-worked cases, brute force and ir-measures."""

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import AP, RR, R, Success, nDCG
from scipy import sparse

from mmrec_core.domain import InputError
from mmrec_core.metrics import METRICS, metric_label, ranking, split_key
from mmrec_core.metrics.ranking import PAD, evaluate_lists, graded_gain, random_tie_rank, top_k


def brute_top_k(scores, excluded, k, tie_rank):
    """One user at a time, by sorting (score, tie rank) in Python."""
    lists = np.full((len(scores), k), PAD)
    for user, row in enumerate(scores):
        left = [i for i in range(len(row)) if not excluded[user, i]]
        left.sort(key=lambda i: (-float(row[i]), int(tie_rank[i])))
        lists[user, : len(left[:k])] = left[:k]
    return lists


class TestTopK:
    @given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 9), st.integers(1, 12))
    @settings(max_examples=150, deadline=None)
    def test_equals_a_python_sort_with_many_ties(self, seed, n_users, n_items, k):
        rng = np.random.default_rng(seed)
        values = np.array([-np.inf, -1.5, -0.0, 0.0, 1e-45, 2.0, 2.0000002, 3e38, np.inf], "f4")
        scores = rng.choice(values, (n_users, n_items))
        excluded = rng.random((n_users, n_items)) < rng.choice([0.0, 0.3, 1.0])
        tie_rank = random_tie_rank(n_items, seed)
        lists = top_k(scores, sparse.csr_matrix(excluded), k, tie_rank)
        assert lists.dtype == np.int32
        np.testing.assert_array_equal(lists, brute_top_k(scores, excluded, k, tie_rank))

    def test_blocks_of_users_change_nothing(self, monkeypatch):
        rng = np.random.default_rng(3)
        scores = rng.integers(0, 5, (23, 40)).astype(np.float32)
        excluded = sparse.random(23, 40, 0.2, format="csr", random_state=1)
        tie_rank = random_tie_rank(40, 3)
        whole = top_k(scores, excluded, 10, tie_rank)
        monkeypatch.setattr(ranking, "_BLOCK", 40 * 4)
        np.testing.assert_array_equal(top_k(scores, excluded, 10, tie_rank), whole)
        np.testing.assert_array_equal(
            whole, brute_top_k(scores, excluded.toarray() != 0, 10, tie_rank)
        )

    def test_signed_zeros_tie(self):
        scores = np.array([[0.0, -0.0, 0.0]], dtype=np.float32)
        assert top_k(scores, None, 3, np.array([2, 0, 1])).tolist() == [[1, 2, 0]]

    def test_stored_zeros_are_excluded_too(self):
        exclude = sparse.csr_matrix(([0.0], ([0], [1])), shape=(1, 3))
        assert top_k(np.array([[1, 3, 2]]), exclude, 3, np.arange(3)).tolist() == [[2, 0, PAD]]

    def test_tie_order_depends_on_the_seed_only(self):
        np.testing.assert_array_equal(random_tie_rank(50, 7), random_tie_rank(50, 7))
        assert (random_tie_rank(50, 7) != random_tie_rank(50, 8)).any()
        assert sorted(random_tie_rank(50, 7)) == list(range(50))

    def test_nan_is_refused(self):
        with pytest.raises(InputError, match="NaN"):
            top_k(np.array([[1.0, np.nan]]), None, 1, np.arange(2))

    @pytest.mark.parametrize("tie_rank", [[0, 0, 1], [0, 1], [0, 1, 3], [-1, 0, 1]])
    def test_tie_rank_must_be_a_permutation(self, tie_rank):
        with pytest.raises(ValueError, match="permutation"):
            top_k(np.zeros((1, 3)), None, 2, np.array(tie_rank))

    def test_shapes_must_agree(self):
        with pytest.raises(ValueError, match="exclusions"):
            top_k(np.zeros((2, 3)), sparse.csr_matrix((1, 3)), 2, np.arange(3))


def test_hand_worked_list():
    # Relevant: items 1 (rating 5), 3 (4), 4 (5). Found: 1 at rank 2 and 3 at rank 3.
    relevant = sparse.csr_matrix(np.array([[0, 5, 0, 4, 5, 0], [0, 0, 0, 0, 0, 0]], dtype="f4"))
    lists = np.array([[0, 1, 3], [1, 2, PAD]], dtype=np.int32)
    values = evaluate_lists(lists, relevant, ks=(1, 3))
    d = 1 / np.log2([2, 3, 4])
    expected = {
        "recall@1": 0, "recall@3": 2 / 3, "hr@1": 0, "hr@3": 1, "mrr@1": 0, "mrr@3": 1 / 2,
        "map@3": (1 / 2 + 2 / 3) / 3, "ndcg@1": 0, "ndcg@3": (d[1] + d[2]) / d.sum(),
        "ndcg_graded@3": (3 * d[1] + d[2]) / (3 * d[0] + 3 * d[1] + d[2]),
    }  # fmt: skip
    for name, value in expected.items():
        assert values[name][0] == pytest.approx(value), name
        assert np.isnan(values[name][1]), name
    assert {key.partition("@")[0] for key in values} <= set(METRICS.names())


def test_ideal_list_scores_one_and_ideal_is_cut_at_k():
    relevant = sparse.csr_matrix(np.array([[4, 5, 5, 4, 0]], dtype="f4"))
    values = evaluate_lists(np.array([[2, 1, 0, 3, 4]]), relevant, ks=(2, 5))
    for name in ("ndcg@2", "ndcg@5", "ndcg_graded@2", "ndcg_graded@5", "recall@5", "map@5"):
        assert values[name][0] == pytest.approx(1.0)
    assert values["recall@2"][0] == 0.5


def test_graded_gain():
    assert graded_gain(np.array([1, 4, 4.5, 5])).tolist() == [1, 1, 1, 3]


@pytest.mark.parametrize("seed", range(6))
def test_agrees_with_ir_measures(seed):
    rng = np.random.default_rng(seed)
    n_users, n_items, ks = 12, 30, (1, 5, 20)
    ratings = np.where(
        rng.random((n_users, n_items)) < 0.15, rng.choice([4.0, 5.0], (n_users, n_items)), 0.0
    )
    ratings[3] = 0  # a user without relevant items
    relevant = sparse.csr_matrix(ratings)
    lists = top_k(rng.random((n_users, n_items)), None, 20, random_tie_rank(n_items, seed))
    lists[5, 12:] = PAD
    values = evaluate_lists(lists, relevant, ks)

    judged = list(zip(*relevant.nonzero()))
    gains = [ir_measures.Qrel(f"{u}", f"{i}", 3 if ratings[u, i] == 5 else 1) for u, i in judged]
    binary = [ir_measures.Qrel(f"{u}", f"{i}", 1) for u, i in judged]
    run = [
        ir_measures.ScoredDoc(f"{u}", f"{i}", float(-rank))
        for u, row in enumerate(lists)
        for rank, i in enumerate(row)
        if i != PAD
    ]
    # Discount log2(rank + 1) and linear gains, so gain 3 is given as a grade of 3.
    theirs = {"recall": R, "ndcg": nDCG, "hr": Success, "mrr": RR, "map": AP}
    for name, qrels, metric in [
        *((name, binary, metric) for name, metric in theirs.items()),
        ("ndcg_graded", gains, nDCG),
    ]:
        for k in ks:
            found = {
                int(m.query_id): m.value for m in ir_measures.iter_calc([metric @ k], qrels, run)
            }
            mine = values[f"{name}@{k}"]
            assert set(np.flatnonzero(~np.isnan(mine))) == set(found)
            for user, value in found.items():
                assert mine[user] == pytest.approx(value, abs=1e-6), (name, k, user)


def test_no_user_has_relevant_items():
    values = evaluate_lists(np.array([[0, 1]]), sparse.csr_matrix((1, 4)), ks=(2,))
    assert all(np.isnan(v).all() for v in values.values())


@pytest.mark.parametrize(
    ("lists", "message"),
    [([[0, 0]], "twice"), ([[0, 9]], "outside"), ([[0, -2]], "outside"), ([[0.0, 1.0]], "float")],
)
def test_broken_lists_are_refused(lists, message):
    with pytest.raises(ValueError, match=message):
        evaluate_lists(np.array(lists), sparse.csr_matrix(np.eye(1, 4)), ks=(1,))


def test_cutoffs_beyond_the_lists_are_refused():
    with pytest.raises(ValueError, match="cut-offs"):
        evaluate_lists(np.array([[0, 1]]), sparse.csr_matrix(np.eye(1, 4)), ks=(5,))


def test_unsorted_relevant_indices_are_fine():
    messy = sparse.csr_matrix(
        (np.array([5.0, 4.0]), np.array([3, 1]), np.array([0, 2])), shape=(1, 4)
    )
    tidy = messy.copy()
    tidy.sort_indices()
    lists = np.array([[1, 0, 3]])
    a, b = evaluate_lists(lists, messy, (3,)), evaluate_lists(lists, tidy, (3,))
    assert all(a[key] == b[key] for key in a)
    assert a["ndcg_graded@3"][0] < 1


def test_facts_of_a_key():
    facts, k = split_key("ndcg_graded@20")
    assert (facts.name, k, facts.higher_is_better) == ("ndcg_graded", 20, True)
    assert metric_label("recall@20") == "Recall@20"
    with pytest.raises(InputError, match="cut-off"):
        split_key("recall")
    with pytest.raises(InputError, match="Known: recall"):
        split_key("accuracy@20")
