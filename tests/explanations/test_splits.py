"""What sums to a score, for every recommender; and the sentences where nothing does."""

import numpy as np
import pytest
from explanations.conftest import NAMES, subject_of
from hypothesis import given
from hypothesis import strategies as st
from recommenders.cases import N_ITEMS, N_USERS

from mmrec_core.explanations.additive import (
    split_by_history,
    split_by_neighbour,
    split_score,
    splits_by_history,
    splits_by_neighbour,
)
from mmrec_core.explanations.methods import METHODS

USERS, ITEMS = st.integers(0, N_USERS - 1), st.integers(0, N_ITEMS - 1)


def near(value, wanted):
    return abs(value - wanted) <= 1e-5 * max(1, abs(wanted))


@given(st.sampled_from(NAMES), USERS, ITEMS)
def test_parts_sum_to_the_score(name, user, item):
    subject = subject_of(name)
    score = float(subject.model.score(np.array([user]))[0, item])
    found = split_score(subject, user, item)
    assert near(found.score, score) and near(found.table["value"].sum(), score)
    others = subject.model.score(np.array([user]))[0][subject.ranked_items(user)].mean()
    assert found.average == pytest.approx(others, abs=1e-4)
    assert near(found.table["against_average"].sum(), found.score - found.average)


@given(st.sampled_from(NAMES), USERS, ITEMS)
def test_the_history_sums_to_the_score(name, user, item):
    subject = subject_of(name)
    if not splits_by_history(subject):
        assert METHODS.get("history-split").reason(subject).endswith(".")
        return
    found = split_by_history(subject, user, item)
    assert near(found["value"].sum(), float(subject.model.score(np.array([user]))[0, item]))
    assert set(found["history"]) - {-1} == set(subject.history(user))


@given(st.sampled_from(["freedom", "lattice"]), USERS, ITEMS)
def test_neighbours_sum_to_their_modality(name, user, item):
    subject = subject_of(name)
    parts = split_score(subject, user, item).table.set_index("part")["value"]
    found = split_by_neighbour(subject, user, item)
    sums = found.groupby("modality")["value"].sum()
    assert set(sums.index) == {"image", "text"}
    for modality, value in sums.items():
        assert near(value, parts[modality])
    assert item not in set(found["neighbour"])


def test_who_has_neighbours():
    have = {name for name in NAMES if splits_by_neighbour(subject_of(name))}
    assert have == {"freedom", "lattice"}


def test_bm3_has_no_modality_term_and_says_so():
    reason = METHODS.get("score-split").reason(subject_of("bm3"))
    assert "no modality term" in reason and "reads no features" in reason
    assert "reads no features" in METHODS.get("counterfactual").reason(subject_of("bm3"))


@pytest.mark.parametrize("name", NAMES)
def test_every_way_says_whether_it_is_compatible(name):
    subject = subject_of(name)
    for _, method in METHODS.items():
        reason = method.reason(subject)
        assert method.is_compatible(subject) == (not reason)
        assert not reason or reason.endswith((".", "?"))


def test_ranks_and_lists_are_those_of_runs(subject):
    from mmrec_core.studies.runs import ranked

    lists = ranked(subject.model, subject.split, subject.mask, k=20)
    for user in (0, 17, 42):
        own = subject.list_of(user, 20)
        # Scores of one user and of all differ in the last bits, so near-ties may change places.
        assert len(set(own) & set(lists[user])) >= 19
        assert subject.rank(user, own[4]) == 5
    # What the user has seen is ranked as if it were not.
    assert subject.rank(0, subject.history(0)[0]) >= 1
