"""Edits of features and histories: what changes nothing, what equals a full recomputation."""

from dataclasses import replace

import numpy as np
import pytest
from explanations.conftest import NAMES, subject_of
from recommenders.cases import N_ITEMS

from mmrec_core.domain import Embeddings, InputError
from mmrec_core.explanations.additive import split_by_history
from mmrec_core.explanations.counterfactual import (
    compared,
    given_from,
    given_vector,
    left_out,
    modalities_at_inference,
    taken_from,
)
from mmrec_core.explanations.gradients import (
    WITH_GRADIENT,
    gradient_reason,
    integrated_gradients,
)
from mmrec_core.explanations.history import forgotten, leave_one_out, smallest_set
from mmrec_core.neighbours import edited_neighbours, nearest_neighbours, unit_rows

READ = [n for n in NAMES if subject_of(n).model.features_at_inference]
HISTORY = [n for n in NAMES if subject_of(n).model.reads_history]


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("modality", ["image", "text"])
def test_its_own_picture_changes_nothing(name, modality):
    subject = subject_of(name)
    for item in (0, 31):
        edited = given_from(subject, item, modality, item)
        for user in (0, 9):
            np.testing.assert_allclose(edited.scores(user), subject.scores(user), atol=1e-5)


@pytest.mark.parametrize("name", READ)
def test_another_text_changes_this_item(name):
    subject = subject_of(name)
    change = compared(subject, given_from(subject, 5, "text", 40), 2, 5)
    assert change.after != pytest.approx(change.before, abs=1e-6)
    assert 1 <= change.rank_after <= N_ITEMS
    assert change.rank_before == subject.rank(2, 5)


def test_vbpr_with_anothers_picture_has_its_content_part():
    subject = subject_of("vbpr")
    edited = given_from(subject, 5, "image", 40)
    was, now = subject.parts(3), edited.parts(3)
    assert now["image"][5] == pytest.approx(was["image"][40], abs=1e-6)
    for part in ("collaborative", "text", "popularity"):
        np.testing.assert_allclose(now[part], was[part], atol=1e-6)
    # No other item moves: what the whole catalogue gives, such as its mean, stays.
    others = np.arange(N_ITEMS) != 5
    np.testing.assert_allclose(now["image"][others], was["image"][others], atol=1e-6)


@pytest.mark.parametrize("name", READ)
def test_a_vector_taken_away_leaves_a_missing_item(name):
    subject = subject_of(name)
    edited = taken_from(subject, 7, "text")
    own = edited.model.features["text"]
    assert own.missing[7] and not own.matrix[7].any()
    assert np.isfinite(edited.scores(0)).all()
    table = left_out(subject, 0, 7)
    assert set(table["scope"]) == {"item", "all"} and set(table["modality"]) == {"image", "text"}
    item = table[(table["modality"] == "text") & (table["scope"] == "item")].iloc[0]
    change = edited.scores(0)[7] - subject.scores(0)[7]
    assert item["score_change"] == pytest.approx(change, abs=1e-6)


def test_without_the_words_of_every_item_the_others_keep_their_weight():
    subject = subject_of("freedom")
    without = subject.without("text")
    was, now = subject.parts(3), without.parts(3)
    assert not now["text"].any()
    for part in ("collaborative", "image"):
        np.testing.assert_allclose(now[part], was[part], atol=1e-6)
    table = left_out(subject, 3, 7)
    every = table[(table["modality"] == "text") & (table["scope"] == "all")].iloc[0]
    assert every["score_change"] == pytest.approx(-was["text"][7], abs=1e-6)


def test_what_is_forgotten_is_no_rival():
    subject, user = subject_of("item-knn"), 4
    item, gone = int(subject.list_of(user)[0]), subject.history(user)[:2]
    change = compared(subject, forgotten(subject, user, gone), user, item, forgotten=gone)
    assert not set(change.list_after) & set(gone)
    one = leave_one_out(subject, user, item, gone[:1]).iloc[0]
    alone = forgotten(subject, user, gone[:1])
    change = compared(subject, alone, user, item, forgotten=gone[:1])
    assert change.rank_after == one["rank"]


def test_an_item_of_the_history_does_not_explain_itself():
    subject, user = subject_of("light-gcn"), 4
    item = int(subject.history(user)[0])
    table = leave_one_out(subject, user, item)
    assert item not in set(table["history"]) and np.isfinite(table["score_change"]).all()


def test_an_item_that_a_visitor_has_twice_counts_once():
    subject = subject_of("item-knn")
    once, row = subject.with_visitor(np.array([1, 2]))
    twice, _ = subject.with_visitor(np.array([1, 2, 1]))
    np.testing.assert_array_equal(once.scores(row), twice.scores(row))


@pytest.mark.parametrize("name", [n for n in NAMES if n not in READ])
def test_models_whose_score_reads_no_features_say_so(name):
    subject = subject_of(name)
    assert modalities_at_inference(subject) == ()
    with pytest.raises(InputError, match="reads no"):
        given_from(subject, 0, "image", 1)


def test_a_vector_of_another_width_is_refused():
    with pytest.raises(InputError, match="12 finite numbers"):
        given_vector(subject_of("vbpr"), 0, "text", np.ones(5))
    with pytest.raises(InputError, match="finite"):
        given_vector(subject_of("vbpr"), 0, "text", np.full(12, np.nan))


@pytest.mark.parametrize("k", [1, 5, 12])
def test_edited_neighbours_are_those_of_a_full_comparison(k):
    rng = np.random.default_rng(k)
    matrix = rng.normal(size=(80, 6))
    observed = rng.random(80) > 0.1
    item = int(np.flatnonzero(observed)[3])
    lists = nearest_neighbours(matrix, observed, k, centre=False)
    for vector in (rng.normal(size=6), matrix[np.flatnonzero(observed)[9]] * 1.01, None):
        changed, there = matrix.copy(), observed.copy()
        there[item] = vector is not None
        changed[item] = 0 if vector is None else vector
        full = nearest_neighbours(changed, there, k, centre=False)
        rows = unit_rows(changed, there, centre=False)
        found = edited_neighbours(lists, rows, np.array([item]))
        np.testing.assert_array_equal(found, full)


def test_edited_features_keep_the_base_and_are_not_stored(mmrec_data):
    subject = subject_of("freedom")
    edited = given_from(subject, 5, "image", 40)
    edited.scores(0)
    stored = {path.name for path in (mmrec_data / "store").glob("graph/*/*")}
    twice = given_from(edited, 6, "image", 41)
    assert twice.model.features["image"].base is subject.model.features["image"]
    twice.scores(0)
    assert {path.name for path in (mmrec_data / "store").glob("graph/*/*")} == stored


@pytest.mark.parametrize("name", HISTORY)
def test_forgetting_what_is_not_there_changes_nothing(name):
    subject = subject_of(name)
    user = 4
    elsewhere = np.setdiff1d(np.arange(N_ITEMS), subject.history(user))[:3]
    edited = forgotten(subject, user, elsewhere)
    np.testing.assert_allclose(edited.scores(user), subject.scores(user), atol=1e-6)


@pytest.mark.parametrize("name", HISTORY)
def test_leave_one_out_is_a_score_without_that_edge(name):
    subject, user = subject_of(name), 4
    item = int(subject.list_of(user)[0])
    table = leave_one_out(subject, user, item)
    assert sorted(table["history"]) == sorted(subject.history(user))
    row = table.iloc[0]
    # By hand: the split without that entry, and the same weights.
    train = subject.split.train.tolil(copy=True)
    train[user, int(row["history"])] = 0
    split = replace(subject.split, train=train.tocsr())
    split.train.eliminate_zeros()
    if name in ("ease", "attribute-item-knn"):  # restoring them would learn anew from the split
        assert table["score_change"].abs().max() > 0
        return
    other = type(subject.model).restore(
        subject.model.config, split, subject.model.features, subject.model.weights(), 3
    )
    wanted = other.score(np.array([user]))[0, item] - subject.scores(user)[item]
    assert row["score_change"] == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("name", ["item-knn", "ease", "attribute-item-knn"])
def test_leaving_out_equals_the_split_where_the_history_is_a_sum(name):
    subject, user = subject_of(name), 11
    item = int(subject.list_of(user)[2])
    parts = split_by_history(subject, user, item).set_index("history")["value"]
    changes = leave_one_out(subject, user, item).set_index("history")["score_change"]
    for one in subject.history(user):
        assert changes[one] == pytest.approx(-parts[one], abs=1e-5)


@pytest.mark.parametrize("name", ["item-knn", "light-gcn", "freedom"])
def test_the_smallest_set_drops_the_item_and_nothing_of_it_is_spare(name):
    subject, k = subject_of(name), 2
    found = 0
    for user in range(12):
        item = int(subject.list_of(user, k)[0])
        answer = smallest_set(subject, user, item, k)
        if answer is None:
            continue
        found += 1
        chosen, rank = answer
        assert rank > k and set(chosen) <= set(subject.history(user))

        def rank_without(items, user=user, item=item):
            other = forgotten(subject, user, items)
            scores = other.scores(user)
            scores[items] = -np.inf
            return other.rank(user, item, scores)

        assert rank_without(chosen) == rank
        for one in chosen:
            rest = chosen[chosen != one]
            if len(rest):
                assert rank_without(rest) <= k or len(chosen) > len(subject.history(user)) // 2
    assert found


@pytest.mark.parametrize("name", [n for n in NAMES if n not in HISTORY])
def test_models_that_read_no_history_say_so(name):
    with pytest.raises(InputError, match="does not read the"):
        forgotten(subject_of(name), 0, np.array([1]))


@pytest.mark.parametrize("name", [n for n in NAMES if subject_of(n).model.folds_in])
def test_a_visitor_with_a_users_history(name):
    subject = subject_of(name)
    history = subject.history(6)
    grown, visitor = subject.with_visitor(history)
    assert visitor == subject.split.n_users and np.isfinite(grown.scores(visitor)).all()
    assert not set(grown.list_of(visitor)) & set(history)
    if name in ("item-knn", "ease", "attribute-item-knn"):
        np.testing.assert_allclose(grown.scores(visitor), subject.scores(6), atol=1e-6)
    else:
        # Near the list of the user with that history, though it has no embedding of its own.
        same = len(set(grown.list_of(visitor)) & set(subject.list_of(6)))
        assert same >= 12


@pytest.mark.parametrize("name", [n for n in NAMES if not subject_of(n).model.folds_in])
def test_models_that_learn_each_user_take_no_visitors(name):
    with pytest.raises(InputError, match="nobody can be added"):
        subject_of(name).with_visitor(np.array([1, 2]))


@pytest.mark.parametrize("name", WITH_GRADIENT)
def test_integrated_gradients_are_complete(name):
    subject = subject_of(name)
    table, columns = integrated_gradients(subject, 3, 8, steps=24)
    gap = table.attrs["score"] - table.attrs["baseline"]
    assert abs(table.attrs["error"]) <= 0.02 * max(abs(gap), 0.05)
    assert table.attrs["score"] == pytest.approx(subject.scores(3)[8], abs=1e-5)
    for modality, value in zip(table["modality"], table["value"], strict=True):
        assert columns[modality].sum() == pytest.approx(value)


def test_integrated_gradients_of_a_linear_score_are_its_split():
    subject = subject_of("vbpr")
    table, _ = integrated_gradients(subject, 3, 8)
    parts = subject.parts(3)
    for modality, value in zip(table["modality"], table["value"], strict=True):
        assert value == pytest.approx(parts[modality][8], abs=1e-5)
    assert abs(table.attrs["error"]) < 1e-6


@pytest.mark.parametrize("name", [n for n in NAMES if n not in WITH_GRADIENT])
def test_no_gradient_is_said_in_words(name):
    subject = subject_of(name)
    assert gradient_reason(subject)
    with pytest.raises(InputError):
        integrated_gradients(subject, 0, 0)


def test_one_hot_ids_are_not_exchanged():
    split = subject_of("vbpr").split
    ids = Embeddings(
        "image",
        "identity",
        split.item_ids,
        np.zeros((N_ITEMS, 0)),
        np.zeros(N_ITEMS, bool),
        one_hot=True,
    )
    with pytest.raises(ValueError, match="one-hot"):
        ids.with_row(0, None)
