"""Sampling, losses and early stopping."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from recommenders.cases import make_features, make_split
from scipy import sparse

from mmrec_core.extractors import controls
from mmrec_core.neighbours import nearest_neighbours
from mmrec_core.recommenders import RECOMMENDERS
from mmrec_core.recommenders.bpr_mf import BPRMF, BPRMFConfig
from mmrec_core.recommenders.content import touched_items
from mmrec_core.recommenders.freedom import FREEDOMConfig, FREEDOMContext
from mmrec_core.recommenders.graphs import SparseProduct
from mmrec_core.recommenders.losses import gather
from mmrec_core.recommenders.sampling import TripleSampler
from mmrec_core.recommenders.training import DivergedError
from mmrec_core.recommenders.vbpr import VBPR, VBPRConfig


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(3, 15))
def test_an_epoch_is_each_interaction_once_with_true_negatives(seed, n_users, n_items):
    rng = np.random.default_rng(seed)
    dense = (rng.random((n_users, n_items)) < 0.4).astype(np.float32)
    dense[:, 0], dense[:, -1] = 1, 0
    train = sparse.csr_matrix(dense)
    users, positives, negatives = TripleSampler(train, seed).epoch()
    assert sorted(zip(users, positives, strict=True)) == list(zip(*train.nonzero(), strict=True))
    assert (dense[users, negatives] == 0).all()


def test_negatives_are_uniform_over_what_the_user_lacks():
    train = sparse.csr_matrix(np.array([[1, 1, 0, 0, 0, 0]], dtype=np.float32))
    sampler = TripleSampler(train, 0)
    drawn = np.concatenate([sampler.epoch()[2] for _ in range(4000)])
    assert set(drawn) == {2, 3, 4, 5}
    np.testing.assert_allclose(np.bincount(drawn, minlength=6)[2:] / len(drawn), 0.25, atol=0.02)


def test_a_user_who_owns_everything_does_not_hang():
    train = sparse.csr_matrix(np.ones((1, 3), dtype=np.float32))
    assert len(TripleSampler(train, 0).epoch()[0]) == 3


def test_bpr_loss_by_hand():
    rng = np.random.default_rng(0)
    user, item = rng.normal(size=(1, 4, 3)), rng.normal(size=(1, 5, 3))
    users, pos, neg = (np.array([[0, 2]]), np.array([[1, 4]]), np.array([[3, 0]]))
    config = BPRMFConfig(reg=0.3)
    context = BPRMF.Context(config, make_split(), [{}], "cpu", True)
    loss = BPRMF.loss(
        {"user": torch.tensor(user), "item": torch.tensor(item)},
        context,
        *(torch.tensor(x) for x in (users, pos, neg)),
    )
    u, i, j = user[0][users[0]], item[0][pos[0]], item[0][neg[0]]
    margin = (u * i).sum(1) - (u * j).sum(1)
    expected = (
        np.log1p(np.exp(-margin)).mean()
        + 0.3 * 0.5 * ((u**2).sum() + (i**2).sum() + (j**2).sum()) / 2
    )
    assert float(loss[0]) == pytest.approx(expected, rel=1e-6)


def test_vbpr_loss_by_hand():
    split = make_split()
    features = {"text": make_features(split)["text"]}
    config = VBPRConfig(reg=0.2, factors=3, content_factors=2)
    rng = np.random.default_rng(0)
    state = {
        name: rng.normal(size=initial.shape)
        for name, initial in VBPR.initial(config, split, features).items()
    }
    context = VBPR.Context(config, split, [features], "cpu", True)
    triples = (np.array([[0, 2]]), np.array([[1, 4]]), np.array([[3, 0]]))
    loss = VBPR.loss(
        {name: torch.tensor(array[None], dtype=torch.float32) for name, array in state.items()},
        context,
        *(torch.tensor(x) for x in triples),
    )
    f = features["text"].matrix.astype(np.float64)
    f = f - f.mean(axis=0)
    f = f / np.sqrt((f**2).sum(axis=1).mean())
    user = np.hstack([state["user"], state["theta_text"]])
    item = np.hstack([state["item"], f @ state["project_text"]])
    u, i, j = (t[x[0]] for t, x in zip((user, item, item), triples, strict=True))
    bi, bj = state["bias"][triples[1][0]], state["bias"][triples[2][0]]
    margin = (u * i).sum(1) + bi - (u * j).sum(1) - bj
    squares = sum((x**2).sum() for x in (u, i, j, bi, bj))
    expected = np.log1p(np.exp(-margin)).mean() + 0.2 * 0.5 * squares / 2
    assert float(loss[0]) == pytest.approx(expected, rel=1e-5)


def test_freedom_thins_its_graph_anew_and_only_in_training():
    split = make_split()
    config = FREEDOMConfig(edge_dropout=0.8)
    context = FREEDOMContext(config, split, [{}, {}], "cpu", True)
    x = torch.ones(2, split.n_users + split.n_items, 1)
    full = context.thinned(x)
    rngs = [np.random.default_rng([s, 2]) for s in (1, 2)]
    context.new_epoch(rngs)
    first = context.thinned.forward
    assert first._nnz() == 2 * 2 * round(split.train.nnz * 0.2)
    context.new_epoch(rngs)
    assert not torch.equal(first.col_indices(), context.thinned.forward.col_indices())
    assert not torch.equal(context.thinned(x)[0], context.thinned(x)[1])
    torch.testing.assert_close(context.graph(x), full)


def test_sparse_product_has_the_right_gradient():
    rng = np.random.default_rng(0)
    blocks = [sparse.random(5, 5, 0.4, format="csr", rng=rng, dtype=np.float32) for _ in range(3)]
    product = SparseProduct(blocks, 3, symmetric=False)
    x = torch.randn(3, 5, 2, requires_grad=True)
    weight = torch.randn(3, 5, 2)
    (product(x) * weight).sum().backward()
    for s, block in enumerate(blocks):
        dense = torch.tensor(block.toarray())
        torch.testing.assert_close(product(x)[s], dense @ x[s])
        torch.testing.assert_close(x.grad[s], dense.T @ weight[s])


def test_gather_takes_each_seeds_own_rows():
    table, rows = torch.randn(2, 4, 3), torch.tensor([[0, 3], [2, 2]])
    torch.testing.assert_close(
        gather(table, rows), torch.stack([table[0, [0, 3]], table[1, [2, 2]]])
    )


def test_the_best_state_is_restored_and_convergence_told():
    split = make_split()
    config = BPRMFConfig(
        factors=8, batch_size=64, max_epochs=200, patience=20, evaluate_every=2, reg=0.0
    )
    model = BPRMF(config).fit(split, seed=1)
    curve = model.report.curve
    best = curve.loc[curve["recall@20"].idxmax()]
    assert model.report.best_epoch == best["epoch"]
    assert model.report.converged == (model.report.best_epoch + 20 <= 200)
    wanted = split.valid.toarray() > 0
    score = np.where(split.train.toarray() > 0, -np.inf, model.score(np.arange(split.n_users)))
    top = np.argsort(-score, axis=1)[:, :20]
    recall = (np.take_along_axis(wanted, top, 1).sum(1) / wanted.sum(1)).mean()
    assert recall == pytest.approx(best["recall@20"], abs=1e-6)
    short = BPRMF(config.model_copy(update={"max_epochs": 4})).fit(split, seed=1)
    assert not short.report.converged


def test_stopping_one_seed_leaves_the_others_alone():
    split = make_split()
    config = BPRMFConfig(factors=4, batch_size=64, max_epochs=60, patience=6, evaluate_every=2)
    together = BPRMF.fit_seeds(config, split, [{}] * 4, [1, 2, 3, 4])
    assert len({model.report.epochs for model in together}) > 1
    for seed, model in zip([1, 2, 3, 4], together, strict=True):
        alone = BPRMF(config).fit(split, seed=seed)
        np.testing.assert_allclose(model.score(np.arange(5)), alone.score(np.arange(5)), atol=2e-3)


def test_divergence_is_said_in_words():
    config = BPRMFConfig(learning_rate=1.0, reg=3e38, max_epochs=5)
    with pytest.raises(DivergedError, match="smaller learning rate"):
        BPRMF(config).fit(make_split())


def test_a_seed_that_diverges_keeps_its_best_state_and_leaves_the_others(monkeypatch):
    split, loss = make_split(), BPRMF.loss
    config = BPRMFConfig(factors=4, batch_size=10**6, max_epochs=20, patience=20, evaluate_every=2)
    alone = BPRMF(config).fit(split, seed=1)
    steps = []

    def diverging(parameters, context, *batch):
        steps.append(context.n_seeds)
        lost = torch.zeros(context.n_seeds)
        if context.n_seeds == 2 and len(steps) > 5:
            lost[1] = float("nan")
        return loss(parameters, context, *batch) + lost

    monkeypatch.setattr(BPRMF, "loss", diverging)
    first, second = BPRMF.fit_seeds(config, split, [{}, {}], [1, 2])
    assert steps == [2] * 6 + [1] * 14
    assert not second.report.converged and second.report.epochs == 5
    assert 2 <= second.report.best_epoch <= 4 and np.isfinite(second.score(np.arange(3))).all()
    np.testing.assert_allclose(first.score(np.arange(5)), alone.score(np.arange(5)), atol=2e-3)
    assert first.report.best_epoch == alone.report.best_epoch
    steps.clear()
    # A search counts such a trial as failed.
    with pytest.raises(DivergedError):
        BPRMF.fit_seeds(config, split, [{}, {}], [1, 2], watch=lambda epoch, values: False)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 30), st.integers(1, 6))
def test_neighbours_equal_brute_force(seed, n, k):
    rng = np.random.default_rng(seed)
    matrix, observed = rng.normal(size=(n, 5)), rng.random(n) < 0.8
    found = nearest_neighbours(matrix, observed, k, block=7)
    assert (found[~observed] == -1).all()
    if observed.sum() < 3:
        return
    centred = matrix - matrix[observed].mean(axis=0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    for item in np.flatnonzero(observed):
        cosine = unit @ unit[item]
        candidates = [j for j in np.flatnonzero(observed) if j != item]
        expected = sorted(candidates, key=lambda j: -cosine[j])[:k]
        assert list(found[item][: len(expected)]) == expected
        assert (found[item][len(expected) :] == -1).all()


def loss_and_gradients(name, triples, features, split):
    kind = RECOMMENDERS.get(name)
    config = kind.Config(factors=4, **({"dropout": 0.0} if name == "bm3" else {}))
    seeds = [features, features] if kind.uses else [{}, {}]
    rng = np.random.default_rng(0)
    parameters = {
        key: torch.tensor(rng.normal(size=(2, *own.shape)), dtype=torch.float32).requires_grad_()
        for key, own in sorted(kind.initial(config, split, seeds[0]).items())
    }
    context = kind.Context(config, split, seeds, "cpu", True)
    context.new_epoch([np.random.default_rng(seed) for seed in (1, 2)])
    loss = kind.loss(parameters, context, *triples)
    loss.sum().backward()
    return loss.detach(), {key: p.grad for key, p in parameters.items()}, config


@pytest.mark.parametrize(
    "name", ["bpr-mf", "light-gcn", "vbpr", "freedom", "lattice", "bm3", "mmgcn", "grcn", "mgcn"]
)
@pytest.mark.parametrize("one_hot", [False, True])
def test_a_batch_told_fifteen_times_is_the_same_batch(name, one_hot):
    """Small batches pick the rows they touch, large ones count them over whole tables."""
    split = make_split()
    features = make_features(split)
    if one_hot:
        if RECOMMENDERS.get(name).family == "graph" or not RECOMMENDERS.get(name).uses:
            pytest.skip("reads no one-hot ids")
        features = controls.apply(features, "image", "identity", 0)
    rng = np.random.default_rng(3)
    triples = [
        torch.from_numpy(rng.integers(0, n, (2, 8)))
        for n in (split.n_users, split.n_items, split.n_items)
    ]
    once, of_once, config = loss_and_gradients(name, triples, features, split)
    many, of_many, _ = loss_and_gradients(name, [t.repeat(1, 15) for t in triples], features, split)
    # InfoNCE has more to tell apart, by a constant: two views times log 15.
    more = 2 * config.contrast * np.log(15) if name == "mgcn" else 0.0
    torch.testing.assert_close(many, once + more, atol=1e-5, rtol=1e-5)
    assert any(gradient.abs().sum() > 0 for gradient in of_once.values())
    for key, gradient in of_once.items():
        torch.testing.assert_close(of_many[key], gradient, atol=1e-5, rtol=1e-4)


def test_only_items_of_the_batch_are_projected_where_they_are_few():
    few = torch.tensor([[3, 7, 3], [1, 7, 1]]), torch.tensor([[9, 9, 9], [2, 2, 2]])
    rows, places = touched_items(30, *few)
    assert rows.tolist() == [1, 2, 3, 7, 9]
    for part, place in zip(few, places, strict=True):
        assert torch.equal(rows[place], part)
    rows, places = touched_items(6, torch.arange(6)[None])
    assert rows is None
    assert places[0].tolist() == [[0, 1, 2, 3, 4, 5]]


def test_mean_of_powers_and_its_gradient_are_those_of_dense_algebra():
    rng = np.random.default_rng(0)
    blocks = [sparse.random(5, 5, 0.4, format="csr", rng=rng, dtype=np.float32) for _ in range(2)]
    product = SparseProduct(blocks, 2, symmetric=False)
    x = torch.randn(2, 5, 3, requires_grad=True)
    weight = torch.randn(2, 5, 3)
    mean = product.mean_of_powers(x, 3)
    (mean * weight).sum().backward()
    for s, block in enumerate(blocks):
        a = torch.tensor(block.toarray())
        whole = (torch.eye(5) + a + a @ a + a @ a @ a) / 4
        torch.testing.assert_close(mean[s], whole @ x[s])
        torch.testing.assert_close(x.grad[s], whole.T @ weight[s])
