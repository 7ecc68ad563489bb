"""The field's other models: the contract, and scores and losses worked out from the formulas."""

import numpy as np
import pytest
import torch
from recommenders.cases import N_ITEMS, N_USERS, make_features, make_split
from recommenders.contracts import ContentContract, RecommenderContract
from recommenders.test_models import QUICK, dense_ahat
from scipy import sparse
from scipy.special import expit, logsumexp, softmax

from mmrec_core.domain import Embeddings, InputError, Split
from mmrec_core.recommenders.attribute_item_knn import AttributeItemKNN
from mmrec_core.recommenders.bm3 import BM3, BM3Config
from mmrec_core.recommenders.ease import EASE, EASEConfig
from mmrec_core.recommenders.edges import EdgeGraph
from mmrec_core.recommenders.graphs import similarity_graph
from mmrec_core.recommenders.grcn import GRCN, GRCNConfig
from mmrec_core.recommenders.item_knn import ItemKNN
from mmrec_core.recommenders.lattice import LATTICE, LATTICEConfig
from mmrec_core.recommenders.mgcn import MGCN, MGCNConfig
from mmrec_core.recommenders.mmgcn import MMGCN, MMGCNConfig
from mmrec_core.recommenders.similarity import AttributeConfig, ItemKNNConfig, weighted

USERS = np.arange(N_USERS)
TRIPLES = tuple(np.random.default_rng(5).integers(0, n, 40) for n in (N_USERS, N_ITEMS, N_ITEMS))


def centred(own: Embeddings) -> np.ndarray:
    rows = own.matrix.astype(np.float64)
    rows = rows - rows.mean(axis=0)
    return rows / np.sqrt((rows**2).sum(axis=1).mean())


def unit(rows: np.ndarray) -> np.ndarray:
    norm = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.divide(rows, norm, out=np.zeros_like(rows), where=norm > 0)


def act(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, 0.01 * x)


def bpr_by_hand(u, i, j):
    return -np.log(expit((u * (i - j)).sum(1))).mean()


def loss_of(fitted, triples=TRIPLES):
    """The model's loss on given triples at its best state, and the context that made it."""
    parameters = {name: torch.from_numpy(a[None]).double() for name, a in fitted.state.items()}
    parameters = {name: p.float() for name, p in parameters.items()}
    context = fitted.Context(fitted.config, fitted.split, [fitted.features], "cpu", True)
    context.new_epoch([np.random.default_rng(0)])
    given = [torch.from_numpy(rows[None]) for rows in triples]
    return float(type(fitted).loss(parameters, context, *given)[0]), context, parameters


def doubles(fitted):
    return {name: array.astype(np.float64) for name, array in fitted.state.items()}


def light(state, split, layers=2):
    ahat = dense_ahat(split)
    ego = np.vstack([state["user"], state["item"]])
    total, layer = ego, ego
    for _ in range(layers):
        layer = ahat @ layer
        total = total + layer
    return total / (layers + 1)


def knn_by_hand(own: Embeddings, k: int, rows: np.ndarray | None = None) -> np.ndarray:
    """Cosines of the k nearest, negative ones and the item itself left out."""
    cosine = unit(centred(own) if rows is None else rows)
    cosine = cosine @ cosine.T
    np.fill_diagonal(cosine, -np.inf)
    kept = np.zeros_like(cosine)
    nearest = np.argsort(-cosine, axis=1)[:, :k]
    np.put_along_axis(kept, nearest, np.take_along_axis(cosine, nearest, 1), 1)
    return np.maximum(kept, 0)


def laplacian(s: np.ndarray) -> np.ndarray:
    d = s.sum(axis=1)
    inverse = np.where(d > 0, 1 / np.sqrt(np.where(d > 0, d, 1)), 0)
    return inverse[:, None] * s * inverse[None, :]


# Neighbourhoods


class TestItemKNNSimilarities:
    train = sparse.csr_matrix(
        np.array([[1, 1, 0, 1], [1, 1, 1, 0], [0, 1, 1, 0], [1, 0, 0, 0]], dtype=np.float32)
    )

    def fitted(self, **given):
        nothing = sparse.csr_matrix(self.train.shape, dtype=np.float32)
        ids = np.array(list("abcd"), dtype=object)
        split = Split(self.train, nothing, nothing, ids, ids, None, "random", 0, "")
        return ItemKNN(ItemKNNConfig(k=3, **given)).fit(split)

    @pytest.mark.parametrize(
        ("given", "formula"),
        [
            ({"similarity": "dot"}, lambda o, a, b: o),
            ({"similarity": "cosine"}, lambda o, a, b: o / (np.sqrt(a * b) + 2)),
            ({"similarity": "jaccard"}, lambda o, a, b: o / (a + b - o + 2)),
            (
                {"similarity": "asymmetric", "alpha": 0.3},
                lambda o, a, b: o / (a**0.3 * b**0.7 + 2),
            ),
            (
                {"similarity": "tversky", "tversky_alpha": 0.4, "tversky_beta": 1.5},
                lambda o, a, b: o / (o + 0.4 * (a - o) + 1.5 * (b - o) + 2),
            ),
        ],
    )
    def test_by_hand(self, given, formula):
        r = self.train.toarray()
        overlap, size = r.T @ r, r.sum(axis=0)
        expected = formula(overlap, size[:, None], size[None, :])
        np.fill_diagonal(expected, 0)
        found = self.fitted(shrink=2.0, **given).similarity.toarray()
        np.testing.assert_allclose(found, expected, rtol=1e-6)

    def test_tversky_with_ones_is_jaccard(self):
        jaccard = self.fitted(similarity="jaccard").similarity.toarray()
        tversky = self.fitted(similarity="tversky").similarity.toarray()
        np.testing.assert_allclose(tversky, jaccard, rtol=1e-6)

    def test_weightings_by_hand(self):
        r = self.train.toarray().astype(np.float64)
        busy = r.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(
            weighted(self.train, "tf-idf").toarray(), r * np.log(4 / busy), rtol=1e-6
        )
        length = r.sum(axis=0, keepdims=True)
        idf = np.log((4 - busy + 0.5) / (busy + 0.5) + 1)
        expected = r * idf * 2.2 / (1 + 1.2 * (0.25 + 0.75 * length / length.mean()))
        np.testing.assert_allclose(weighted(self.train, "bm25").toarray(), expected, rtol=1e-6)
        np.testing.assert_array_equal(weighted(self.train, "none").toarray(), r)

    @pytest.mark.parametrize("similarity", ["jaccard", "tversky"])
    def test_sets_take_no_weights(self, similarity):
        with pytest.raises(ValueError, match="takes no weighting"):
            ItemKNNConfig(similarity=similarity, weighting="bm25")


class TestBM25ItemKNN(RecommenderContract):
    model = ItemKNN
    config = ItemKNNConfig(k=10, shrink=1, similarity="asymmetric", weighting="bm25")


class TestEASE(RecommenderContract):
    model, config = EASE, EASEConfig(reg=10)

    def test_by_hand(self, fitted, split):
        r = split.train.toarray().astype(np.float64)
        p = np.linalg.inv(r.T @ r + 10 * np.eye(N_ITEMS))
        b = np.eye(N_ITEMS) - p / np.diag(p)[None, :]
        np.fill_diagonal(b, 0)
        np.testing.assert_allclose(fitted.score(USERS), r @ b, atol=1e-5)

    def test_no_other_weights_with_a_zero_diagonal_fit_better(self, fitted, split):
        r = split.train.toarray().astype(np.float64)

        def objective(b):
            return ((r - r @ b) ** 2).sum() + 10 * (b**2).sum()

        b = fitted.item_weights.astype(np.float64)
        assert (np.diag(b) == 0).all()
        rng = np.random.default_rng(0)
        for _ in range(20):
            step = 1e-2 * rng.normal(size=b.shape)
            np.fill_diagonal(step, 0)
            assert objective(b + step) > objective(b)

    def test_history_items_carry_the_score(self, fitted):
        score = fitted.score(np.array([7]))[0]
        for item in range(N_ITEMS):
            assert fitted.history_parts(7, item)[1].sum() == pytest.approx(score[item], abs=1e-5)

    def test_too_many_items_are_refused_in_words(self, split, monkeypatch):
        monkeypatch.setattr(EASE, "most_items", 10)
        with pytest.raises(InputError, match="50 items are too many, 10 are possible"):
            EASE().fit(split)


class TestAttributeItemKNN(ContentContract):
    model, config = AttributeItemKNN, AttributeConfig(k=8, shrink=2, content_weight=1.5)
    lacking_is_nothing = False  # a part is a share of what resembles the history, item by item

    def test_by_hand(self, fitted, split, features):
        r = split.train.toarray().astype(np.float64)
        rows = np.hstack([1.5 * centred(features[m]) for m in ("image", "text")] + [r.T])
        q = (rows**2).sum(axis=1)
        s = rows @ rows.T / (np.sqrt(np.outer(q, q)) + 2)
        np.fill_diagonal(s, 0)
        floor = -np.sort(-s, axis=0)[7]
        s[(s < floor) | (s <= 0)] = 0
        np.testing.assert_allclose(fitted.score(USERS), r @ s, atol=1e-4)

    def test_without_content_it_is_item_knn(self, split):
        alone = AttributeItemKNN(self.config).fit(split, {}).score(USERS)
        knn = ItemKNN(ItemKNNConfig(k=8, shrink=2)).fit(split).score(USERS)
        np.testing.assert_allclose(alone, knn, atol=1e-6)

    def test_items_with_different_attributes_have_different_neighbours(self, split):
        """Published code gave every item the same side vector."""
        one_hot = np.eye(2)[np.arange(N_ITEMS) % 2]
        nobody = np.zeros(N_ITEMS, dtype=bool)
        own = {"text": Embeddings("text", "x", split.item_ids, one_hot, nobody)}
        config = AttributeConfig(k=5, content_weight=140, centre=False)
        s = AttributeItemKNN(config).fit(split, own).similarity.tocoo()
        assert (s.row % 2 == s.col % 2).all() and len(s.row) > 0


# Graph models


class TestLATTICE(ContentContract):
    model, config = LATTICE, LATTICEConfig(**QUICK, neighbours=4, content_factors=6)

    def adjacency(self, fitted, features):
        state = doubles(fitted)
        mix = softmax(np.concatenate([state["mix_image"], state["mix_text"]]))
        learned = sum(
            w * knn_by_hand(features[m], 4, centred(features[m]) @ state[f"project_{m}"])
            for w, m in zip(mix, ("image", "text"))
        )
        original = sum(
            w * laplacian(knn_by_hand(features[m], 4)) for w, m in zip(mix, ("image", "text"))
        )
        return 0.1 * laplacian(learned) + 0.9 * original

    def test_score_and_loss_by_hand(self, fitted, split, features):
        state = doubles(fitted)
        rows = light(state, split)
        users, items = rows[:N_USERS], rows[N_USERS:]
        items = items + unit(self.adjacency(fitted, features) @ state["item"])
        np.testing.assert_allclose(fitted.score(USERS), users @ items.T, atol=1e-4)
        u, i, j = users[TRIPLES[0]], items[TRIPLES[1]], items[TRIPLES[2]]
        expected = bpr_by_hand(u, i, j) + 1e-3 * 0.5 * sum((x**2).sum() for x in (u, i, j)) / 40
        first, context, parameters = loss_of(fitted)
        assert first == pytest.approx(expected, rel=1e-4)
        # Later triples of the epoch see the same graph as a constant.
        given = [torch.from_numpy(rows[None]) for rows in TRIPLES]
        assert float(LATTICE.loss(parameters, context, *given)[0]) == pytest.approx(first, rel=1e-5)

    def test_the_learning_rate_falls_as_published(self):
        assert LATTICE.learning_rate(self.config, 50) == pytest.approx(5e-3 * 0.96)

    def test_similarity_graph_by_hand(self, features):
        found = similarity_graph(features["text"], 4).toarray()
        np.testing.assert_allclose(found, laplacian(knn_by_hand(features["text"], 4)), atol=1e-5)


class TestBM3(ContentContract):
    model, config = BM3, BM3Config(**QUICK, dropout=0.0)

    def test_score_and_loss_by_hand(self, fitted, split, features):
        state = doubles(fitted)
        rows = light(state, split, layers=1)
        users, items = rows[:N_USERS], rows[N_USERS:] + state["item"]

        def predict(x):
            return x @ state["predict"] + state["predict_bias"]

        np.testing.assert_allclose(
            fitted.score(USERS), predict(users) @ predict(items).T, rtol=1e-4, atol=1e-5
        )

        def apart(a, b):
            return (1 - (unit(a) * unit(b)).sum(1)).mean()

        u, i = users[TRIPLES[0]], items[TRIPLES[1]]
        expected = apart(predict(u), i) + apart(predict(i), u)
        for m in features:
            f = centred(features[m]) @ state[f"project_{m}"] + state[f"project_bias_{m}"]
            f = f[TRIPLES[1]]
            expected += 2 * (apart(predict(f), i) + apart(predict(f), f))
        expected += 0.1 * (np.linalg.norm(users) + np.linalg.norm(items)) / N_ITEMS
        assert loss_of(fitted)[0] == pytest.approx(expected, rel=1e-4)

    def test_dropout_leaves_out_and_scales_up(self, fitted, split, features):
        config = self.config.model_copy(update={"dropout": 0.3})
        context = BM3.Context(config, split, [features], "cpu", True)
        context.new_epoch([np.random.default_rng(0)])
        dropped = context.dropped(torch.ones(1, 400, 50))
        assert float((dropped == 0).double().mean()) == pytest.approx(0.3, abs=0.02)
        np.testing.assert_allclose(dropped[dropped > 0], 1 / 0.7, rtol=1e-6)
        again = BM3.Context(config, split, [features], "cpu", True)
        again.new_epoch([np.random.default_rng(0)])
        assert torch.equal(again.dropped(torch.ones(1, 400, 50)), dropped)


class TestMMGCN(ContentContract):
    model, config = MMGCN, MMGCNConfig(**QUICK, content_factors=6)
    lacking_is_nothing = False  # neighbours pass the modality on

    def rows(self, fitted, split, features):
        state = doubles(fitted)
        a = dense_ahat(split) > 0
        mean = a / np.maximum(a.sum(axis=1, keepdims=True), 1)
        ids = np.vstack([state["user"], state["item"]])
        total = {}
        for m in features:
            f = centred(features[m]) @ state[f"project_{m}"] + state[f"project_bias_{m}"]
            x = unit(np.vstack([state[f"preference_{m}"], f]))
            for layer in range(3):
                p = {n: state[f"{n}_{m}_{layer}"] for n in ("convolve", "keep", "combine")}
                b = {n: state[f"{n}_bias_{m}_{layer}"] for n in ("keep", "combine")}
                h = act(mean @ (x @ p["convolve"]))
                kept = act(x @ p["keep"] + b["keep"]) + ids
                x = act(h @ p["combine"] + b["combine"] + kept)
            total[m] = x / len(features)
        return total

    def test_score_and_loss_by_hand(self, fitted, split, features):
        whole = self.rows(fitted, split, features)
        x = sum(whole.values())
        np.testing.assert_allclose(fitted.score(USERS), x[:N_USERS] @ x[N_USERS:].T, atol=1e-4)
        crossed = whole["image"][:N_USERS] @ whole["text"][N_USERS:].T
        np.testing.assert_allclose(fitted.parts(USERS)["image x text"], crossed, atol=1e-4)
        assert set(fitted.parts(USERS)) == {"image", "text", "image x text", "text x image"}
        state = doubles(fitted)
        u, i, j = x[TRIPLES[0]], x[N_USERS + TRIPLES[1]], x[N_USERS + TRIPLES[2]]
        ids = state["user"][TRIPLES[0]], state["item"][TRIPLES[1]], state["item"][TRIPLES[2]]
        reg = ((2 * ids[0] ** 2 + ids[1] ** 2 + ids[2] ** 2) / 2).mean()
        reg += sum((state[f"preference_{m}"] ** 2).mean() for m in features)
        expected = bpr_by_hand(u, i, j) + 1e-3 * reg
        assert loss_of(fitted)[0] == pytest.approx(expected, rel=1e-4)


class TestGRCN(ContentContract):
    model, config = GRCN, GRCNConfig(**QUICK, content_factors=6)
    lacking_is_nothing = False  # users pass the modality on

    def by_hand(self, fitted, split, features):
        state = doubles(fitted)
        edges = dense_ahat(split) > 0

        def attention(x, mask):
            logits = np.where(mask, x @ x.T, -np.inf)
            some = mask.any(axis=1)
            out = np.zeros_like(logits)
            out[some] = softmax(logits[some], axis=1)
            return out

        to_users = edges.copy()
        to_users[N_USERS:] = False
        rows, weight = {}, np.full(edges.shape, -np.inf)
        for m in features:
            items = unit(act(centred(features[m]) @ state[f"project_{m}"]))
            liked = unit(state[f"preference_{m}"])
            for _ in range(3):
                x = np.vstack([liked, items])
                liked = unit(liked + (attention(x, to_users) @ x)[:N_USERS])
            x = np.vstack([liked, items])
            alpha = attention(x, edges)
            rows[m] = x + act(alpha @ x)
            weight = np.maximum(weight, alpha * state[f"confidence_{m}"][None, :])
        weight = np.where(edges, np.maximum(weight, 0), 0)
        ids = unit(np.vstack([state["user"], state["item"]]))
        rows["collaborative"] = ids + weight @ ids + weight @ (weight @ ids)
        return rows

    def test_score_and_loss_by_hand(self, fitted, split, features):
        rows = self.by_hand(fitted, split, features)
        for part, own in fitted.parts(USERS).items():
            expected = rows[part][:N_USERS] @ rows[part][N_USERS:].T
            np.testing.assert_allclose(own, expected, atol=1e-4)
        x = np.hstack([rows[part] for part in ("collaborative", "image", "text")])
        state = doubles(fitted)
        ids = state["user"][TRIPLES[0]], state["item"][TRIPLES[1]], state["item"][TRIPLES[2]]
        reg = ((2 * ids[0] ** 2 + ids[1] ** 2 + ids[2] ** 2) / 2).mean()
        reg += sum((state[f"preference_{m}"] ** 2).mean() for m in features)
        ends = x[TRIPLES[0]], x[N_USERS + TRIPLES[1]], x[N_USERS + TRIPLES[2]]
        assert loss_of(fitted)[0] == pytest.approx(bpr_by_hand(*ends) + 1e-3 * reg, rel=1e-4)

    def test_gradients_over_edges_are_those_of_dense_algebra(self, split):
        graph = EdgeGraph.both_ways(split.train, "cpu")
        rng = torch.Generator().manual_seed(0)
        x = torch.randn(2, graph.n, 3, generator=rng, requires_grad=True)
        out = graph.product(graph.softmax(graph.inner(x)), x)
        (out * torch.arange(3.0)).sum().backward()
        found, x.grad = x.grad.clone(), None
        mask = torch.zeros(graph.n, graph.n, dtype=torch.bool)
        mask[graph.targets, graph.sources] = True
        dense = (x @ x.transpose(1, 2)).masked_fill(~mask, -torch.inf).softmax(2).nan_to_num()
        again = dense @ x
        torch.testing.assert_close(out, again, atol=1e-5, rtol=1e-5)
        (again * torch.arange(3.0)).sum().backward()
        torch.testing.assert_close(found, x.grad, atol=1e-4, rtol=1e-4)


class TestMGCN(ContentContract):
    model, config = MGCN, MGCNConfig(**QUICK, neighbours=4)

    def views(self, fitted, split, features):
        state = doubles(fitted)
        content = light(state, split)
        ahat = dense_ahat(split)

        def gate(x, name, m):
            return expit(x @ state[f"{name}_{m}"] + state[f"{name}_bias_{m}"])

        rows = []
        for m in features:
            f = centred(features[m]) @ state[f"project_{m}"] + state[f"project_bias_{m}"]
            items = laplacian(knn_by_hand(features[m], 4)) @ (state["item"] * gate(f, "gate", m))
            rows.append(np.vstack([ahat[:N_USERS, N_USERS:] @ items, items]))
        logits = [
            np.tanh(x @ state["query"] + state["query_bias"]) @ state["query_out"] for x in rows
        ]
        weights = softmax(np.hstack(logits), axis=1)
        common = sum(weights[:, [at]] * x for at, x in enumerate(rows))
        own = [gate(content, "prefer", m) * (x - common) for m, x in zip(features, rows)]
        return content, (sum(own) + common) / 3

    def test_score_and_loss_by_hand(self, fitted, split, features):
        content, side = self.views(fitted, split, features)
        x = content + side
        np.testing.assert_allclose(fitted.score(USERS), x[:N_USERS] @ x[N_USERS:].T, atol=1e-4)
        u, i, j = x[TRIPLES[0]], x[N_USERS + TRIPLES[1]], x[N_USERS + TRIPLES[2]]
        expected = bpr_by_hand(u, i, j) + 1e-4 * 0.5 * sum((a**2).sum() for a in (u, i, j)) / 40
        for nodes in (N_USERS + TRIPLES[1], TRIPLES[0]):
            alike = unit(side[nodes]) @ unit(content[nodes]).T / 0.2
            expected += 0.01 * (logsumexp(alike, axis=1) - np.diag(alike)).mean()
        assert loss_of(fitted)[0] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("model", [LATTICE, MGCN, GRCN, MMGCN, BM3])
def test_batches_of_epochs_differ_between_seeds_only(model):
    """Seeds that leave the batch do not change what the others see."""
    split = make_split()
    features = make_features(split)
    quick = {"factors": 4, "batch_size": 128, "max_epochs": 20, "patience": 4, "evaluate_every": 1}
    config = model.Config(**quick, learning_rate=0.02)
    together = model.fit_seeds(config, split, [features] * 3, [1, 2, 3])
    assert len({one.report.epochs for one in together}) > 1, "some stop earlier"
    for seed, one in zip((1, 2, 3), together):
        alone = model(config).fit(split, features, seed=seed)
        np.testing.assert_allclose(one.score(USERS), alone.score(USERS), atol=5e-3)
