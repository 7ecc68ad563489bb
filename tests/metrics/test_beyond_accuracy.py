"""What lists are made of, against hand-worked cases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from mmrec_core.metrics import METRICS
from mmrec_core.metrics.beyond_accuracy import (
    aplt,
    arp,
    catalogue_qualities,
    coverage,
    efd,
    entropy,
    epc,
    gini,
    item_counts,
    list_qualities,
    tail_items,
)
from mmrec_core.metrics.ranking import PAD

LISTS = np.array([[0, 1], [0, 2], [0, PAD], [PAD, PAD]], dtype=np.int32)
DEGREES = np.array([8, 1, 1, 0])


def test_counts_and_coverage():
    counts = item_counts(LISTS, 5)
    assert counts.tolist() == [3, 1, 1, 0, 0]
    assert coverage(counts) == (3, 0.6)


def test_gini_golden():
    assert gini(np.array([7, 0, 1, 0, 2, 0])) == pytest.approx(0.84)
    assert gini(np.array([4, 4, 4])) == 0
    assert gini(np.array([0, 0, 9])) == pytest.approx(1.0)
    assert np.isnan(gini(np.array([0, 0])))
    assert np.isnan(gini(np.array([5])))


@given(st.lists(st.integers(0, 30), min_size=2, max_size=20).filter(any))
def test_gini_is_the_mean_absolute_difference(counts):
    c = np.array(counts, dtype=float)
    n = len(c)
    pairs = np.abs(c[:, None] - c).sum() / (n * (n - 1)) / (2 * c.mean())
    assert gini(np.array(counts)) == pytest.approx(pairs)


def test_entropy_in_bits():
    assert entropy(np.array([1, 1, 1, 1, 0])) == pytest.approx(2.0)
    assert entropy(np.array([0, 9])) == 0
    assert np.isnan(entropy(np.zeros(3, dtype=int)))


def test_tail_is_what_the_head_leaves():
    assert tail_items(np.array([1, 8, 1, 0])).tolist() == [True, False, True, True]  # 8 is 80 %
    assert tail_items(np.array([7, 1, 2])).tolist() == [False, True, False]
    assert tail_items(np.zeros(2)).tolist() == [True, True]


def test_arp_and_aplt():
    np.testing.assert_allclose(arp(LISTS, DEGREES), [4.5, 4.5, 8, np.nan])
    np.testing.assert_allclose(aplt(LISTS, DEGREES), [0.5, 0.5, 0, np.nan])


def test_epc_and_efd():
    d = 1 / np.log2([2, 3])
    np.testing.assert_allclose(
        epc(LISTS, DEGREES, 10)[[0, 2]], [(d[0] * 0.2 + d[1] * 0.9) / d.sum(), 0.2]
    )
    novelty = -np.log2(np.array([0.8, 0.1, 0.1, 0.1]))  # the unseen item counts as seen once
    np.testing.assert_allclose(
        efd(LISTS, DEGREES)[0], (d[0] * novelty[0] + d[1] * novelty[1]) / d.sum()
    )
    assert efd(np.array([[3]]), DEGREES)[0] == pytest.approx(novelty[3])
    relevant = sparse.csr_matrix(np.array([[0, 5, 0, 0], [0, 0, 0, 5], [0] * 4, [1, 0, 0, 0]]))
    np.testing.assert_allclose(
        epc(LISTS, DEGREES, 10, relevant), [d[1] * 0.9 / d.sum(), 0, np.nan, np.nan]
    )


def test_all_qualities_have_facts_and_cut_lists():
    lists = np.array([[0, 1, 2], [2, 1, 0]])
    whole = catalogue_qualities(lists, 3, ks=(1, 3))
    assert whole["coverage@1"] == 2 and whole["coverage_share@3"] == 1
    each = list_qualities(lists, np.array([4, 2, 0]), 4, ks=(1, 3))
    assert each["arp@1"].tolist() == [4, 0]
    for key in (*whole, *each):
        facts = METRICS.get(key.partition("@")[0])
        assert facts.per_user == (key in each)
    with pytest.raises(ValueError, match="cut-off"):
        list_qualities(lists, np.array([4, 2, 0]), 4, ks=(5,))
