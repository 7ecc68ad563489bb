"""Items that a split keeps out of training: how models score them, and that no other changes."""

from dataclasses import replace

import numpy as np
import pytest
from recommenders.cases import N_ITEMS, N_USERS, make_features, make_split
from scipy import sparse

from mmrec_core.domain import Embeddings, Split
from mmrec_core.recommenders import RECOMMENDERS
from mmrec_core.recommenders.base import Recommender
from mmrec_core.recommenders.graphs import item_graphs
from mmrec_core.recommenders.sampling import TripleSampler
from mmrec_core.recommenders.validation import Validation

QUICK = {"factors": 8, "batch_size": 128, "max_epochs": 10, "patience": 10, "evaluate_every": 5}
TRAINED = (
    "bpr-mf", "light-gcn", "vbpr", "freedom", "lattice", "bm3", "mmgcn", "grcn", "mgcn",
)  # fmt: skip
COLD = np.arange(N_ITEMS) % 5 == 0
USERS = np.arange(N_USERS)


def only(matrix: sparse.csr_matrix, items: np.ndarray) -> sparse.csr_matrix:
    kept = sparse.csr_matrix(matrix.multiply(items[None, :].astype(np.float32)))
    kept.eliminate_zeros()
    return kept


def cold_split() -> Split:
    """The small split with every fifth item held out: validation and test hold cold items only."""
    split = make_split()
    everything = sparse.csr_matrix(split.train + split.valid + split.test)
    valid = COLD & (np.arange(N_ITEMS) % 2 == 0)
    return replace(
        split,
        train=only(everything, ~COLD),
        valid=only(everything, valid),
        test=only(everything, COLD & ~valid),
        strategy="cold-items",
        candidates=COLD,
    )


def fitted(name: str, split: Split, features=None, **changed) -> Recommender:
    kind = RECOMMENDERS.get(name)
    config = kind.Config(**(QUICK if name in TRAINED else {}) | changed)
    own = features if features is not None else make_features(split)
    return kind(config).fit(split, own if kind.uses else {}, seed=3)


def test_negatives_are_never_cold():
    split = cold_split()
    assert np.array_equal(split.cold, COLD)
    sampler = TripleSampler(split.train, 1, split.cold)
    epochs = [sampler.epoch() for _ in range(40)]
    users, positives, negatives = (np.concatenate(x) for x in zip(*epochs, strict=True))
    assert not COLD[positives].any() and not COLD[negatives].any()
    assert (split.train.toarray()[users, negatives] == 0).all()
    # Uniform over the warm items that the user lacks: every one of them comes up.
    assert set(negatives) == set(np.flatnonzero(~COLD))


def test_splits_without_cold_items_draw_the_same_stream_as_ever():
    """Restated: the first draws of an epoch come straight from the seed's generator."""
    train = sparse.csr_matrix(np.eye(6, 500, dtype=np.float32))
    rng = np.random.default_rng([4, 1])
    order = rng.permutation(6)
    expected = rng.integers(0, 500, 6)
    assert (expected != order).all(), "no draw has to be repeated with this seed"
    for cold in (None, np.zeros(500, dtype=bool)):
        users, _, negatives = TripleSampler(train, 4, cold).epoch()
        np.testing.assert_array_equal(users, order)
        np.testing.assert_array_equal(negatives, expected)


@pytest.mark.parametrize("name", TRAINED)
def test_an_item_untrained_by_accident_is_left_as_it_was(name):
    """Only the strategy cold-items holds rows at zero; elsewhere stored results must not change."""
    split = make_split()
    split = replace(split, train=only(split.train, ~COLD))
    assert (split.train_degree[COLD] == 0).all() and not split.cold.any()
    state = fitted(name, split).weights()
    assert (np.abs(state["item"][COLD]).max(axis=1) > 0).all()
    other = fitted(name, replace(split, strategy="temporal")).weights()
    for key, array in state.items():
        assert array.tobytes() == other[key].tobytes(), key


@pytest.mark.parametrize("name", TRAINED)
def test_rows_of_cold_items_are_zero_from_beginning_to_end(name):
    split = cold_split()
    state = fitted(name, split).weights()
    assert (state["item"][COLD] == 0).all()
    assert (np.abs(state["item"][~COLD]).max(axis=1) > 0).all()
    if name == "vbpr":
        assert (state["bias"][COLD] == 0).all() and (state["bias"][~COLD] != 0).any()


@pytest.mark.parametrize("name", ["most-pop", "item-knn", "ease", "bpr-mf", "light-gcn"])
def test_models_without_content_score_cold_items_alike(name):
    score = fitted(name, cold_split()).score(USERS)
    assert (score[:, COLD] == 0).all()
    assert (score[:, ~COLD] != 0).any()


@pytest.mark.parametrize("name", ["lattice", "mmgcn", "grcn", "mgcn", "attribute-item-knn"])
def test_content_tells_cold_items_apart(name):
    split = cold_split()
    features = make_features(split)
    model = fitted(name, split, features)
    score = model.score(USERS)[:, COLD]
    assert np.isfinite(score).all() and (score.std(axis=1) > 1e-7).mean() > 0.9
    swapped = {
        m: Embeddings(m, "x", e.item_ids, e.matrix[::-1], e.missing) for m, e in features.items()
    }
    assert not np.allclose(model.with_features(swapped).score(USERS)[:, COLD], score)


def test_bm3_cannot_tell_cold_items_apart():
    score = fitted("bm3", cold_split()).score(USERS)
    assert np.ptp(score[:, COLD], axis=1).max() < 1e-6
    assert np.ptp(score[:, ~COLD], axis=1).min() > 1e-3


@pytest.mark.parametrize("name", ["lattice", "mgcn", "attribute-item-knn"])
def test_without_content_cold_items_score_nothing(name):
    assert (fitted(name, cold_split(), {}).score(USERS)[:, COLD] == 0).all()


def test_random_scores_cold_items_like_any_other():
    score = fitted("random", cold_split()).score(USERS)
    assert len(np.unique(score[:, COLD])) > 1


def test_vbpr_scores_a_cold_item_by_its_content_alone():
    model = fitted("vbpr", cold_split())
    parts, score = model.parts(USERS), model.score(USERS)
    content = parts["image"] + parts["text"]
    np.testing.assert_allclose(score[:, COLD], content[:, COLD], atol=1e-5)
    assert (parts["text"][:, COLD] != 0).all()
    assert (parts["collaborative"][:, COLD] == 0).all()
    bare = fitted("vbpr", cold_split(), {})
    assert (bare.score(USERS)[:, COLD] == 0).all()


def test_a_free_vector_for_each_item_is_zero_where_nothing_trains_it():
    split = cold_split()
    ids = Embeddings(
        "image", "ids", split.item_ids, np.zeros((N_ITEMS, 0)), np.zeros(N_ITEMS, bool), True
    )
    model = fitted("vbpr", split, {"image": ids})
    assert (model.weights()["project_image"][COLD] == 0).all()
    assert (model.score(USERS)[:, COLD] == 0).all()


def test_freedom_scores_a_cold_item_by_its_warm_content_neighbours():
    split = cold_split()
    features = make_features(split)
    model = fitted("freedom", split, features, neighbours=4)
    user, item = (model.weights()[name].astype(np.float64) for name in ("user", "item"))
    parts = model.parts(USERS)
    assert (parts["collaborative"][:, COLD] == 0).all()
    graph = sum(g.toarray() for g in item_graphs(features, 4, 0.5).values())
    assert (graph[np.ix_(COLD, COLD)] > 0).any(), "some neighbours are cold"
    graph[:, COLD] = 0
    ahat = np.zeros((N_USERS + N_ITEMS,) * 2)
    dense = split.train.toarray()
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = dense / np.sqrt(dense.sum(1, keepdims=True) * dense.sum(0, keepdims=True))
    ahat[:N_USERS, N_USERS:] = np.nan_to_num(weight)
    ahat = ahat + ahat.T
    ego = np.vstack([user, item])
    users = ((ego + ahat @ ego + ahat @ ahat @ ego) / 3)[:N_USERS]
    expected = users @ (graph @ item)[COLD].T
    np.testing.assert_allclose(model.score(USERS)[:, COLD], expected, atol=1e-5)
    assert np.abs(expected).max() > 0
    assert (fitted("freedom", split, {}).score(USERS)[:, COLD] == 0).all()


def test_early_stopping_ranks_the_candidates_only():
    import torch

    split = cold_split()
    rng = np.random.default_rng(0)
    # Warm items score highest of all: with them in the ranking no cold item would be found.
    left, right = rng.random((1, N_USERS, 3)), rng.random((1, N_ITEMS, 3))
    right[:, ~COLD] += 100
    pair = (torch.tensor(left), torch.tensor(right))
    wanted = split.valid.toarray() > 0
    score = np.where(COLD, left[0] @ right[0].T, -np.inf)
    validation = Validation(split, "cpu")
    for k in (20, 2):
        validation.k = k
        top = np.argsort(-score, axis=1)[:, :k]
        hits = np.take_along_axis(wanted, top, 1).sum(1)
        some = wanted.any(1)
        expected = (hits[some] / wanted[some].sum(1)).mean()
        assert validation.recall({"x": pair}, 1)[0] == pytest.approx(expected)
    assert 0 < expected < 1
    everything = Validation(replace(split, candidates=None), "cpu")
    assert everything.recall({"x": pair}, 1)[0] == 0
