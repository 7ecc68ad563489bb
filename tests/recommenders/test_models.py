"""Every recommender: the contract, and a hand computation of its score and loss."""

import numpy as np
import pytest
from recommenders.cases import N_ITEMS, N_USERS, make_features, make_split
from recommenders.contracts import ContentContract, RecommenderContract
from scipy import sparse

from mmrec_core.domain import Embeddings, Split
from mmrec_core.recommenders import RECOMMENDERS
from mmrec_core.recommenders.baselines import MostPop, Random
from mmrec_core.recommenders.bpr_mf import BPRMF, BPRMFConfig
from mmrec_core.recommenders.freedom import FREEDOM, FREEDOMConfig
from mmrec_core.recommenders.graphs import bipartite, item_graphs, modality_weights
from mmrec_core.recommenders.item_knn import ItemKNN, ItemKNNConfig
from mmrec_core.recommenders.light_gcn import LightGCN, LightGCNConfig
from mmrec_core.recommenders.vbpr import VBPR, VBPRConfig

QUICK = {"factors": 8, "batch_size": 128, "max_epochs": 10, "patience": 10, "evaluate_every": 5}


class TestRandom(RecommenderContract):
    model, config = Random, Random.Config()


class TestMostPop(RecommenderContract):
    model, config = MostPop, MostPop.Config()


class TestItemKNN(RecommenderContract):
    model, config = ItemKNN, ItemKNNConfig(k=10, shrink=1)

    def test_by_hand(self):
        train = sparse.csr_matrix(np.array([[1, 1, 0], [1, 1, 0], [0, 1, 1]], dtype=np.float32))
        nothing = sparse.csr_matrix((3, 3), dtype=np.float32)
        ids = np.array(["a", "b", "c"], dtype=object)
        split = Split(train, nothing, nothing, ids, ids, None, "random", 0, "")
        knn = ItemKNN(ItemKNNConfig(k=2, shrink=2.0)).fit(split)
        norm = np.sqrt([2, 3, 1])
        expected = np.array(
            [
                [0, 2 / (norm[0] * norm[1] + 2), 0],
                [2 / (norm[0] * norm[1] + 2), 0, 1 / (norm[1] * norm[2] + 2)],
                [0, 1 / (norm[1] * norm[2] + 2), 0],
            ]
        )
        np.testing.assert_allclose(knn.similarity.toarray(), expected, rtol=1e-6)
        np.testing.assert_allclose(knn.score(np.arange(3)), train.toarray() @ expected, rtol=1e-6)

    def test_an_item_is_not_its_own_neighbour(self, fitted):
        assert (fitted.similarity.diagonal() == 0).all()

    def test_history_items_carry_the_score(self, fitted):
        score = fitted.score(np.array([7]))[0]
        for item in range(N_ITEMS):
            assert fitted.history_parts(7, item)[1].sum() == pytest.approx(score[item], abs=1e-5)

    def test_keeps_k_neighbours(self, fitted):
        column = np.diff(fitted.similarity.tocsc().indptr)
        assert column.max() <= N_ITEMS - 1 and (column >= 1).all()


class TestBPRMF(RecommenderContract):
    model, config = BPRMF, BPRMFConfig(**QUICK)


class TestLightGCN(RecommenderContract):
    model, config = LightGCN, LightGCNConfig(**QUICK, layers=2)

    def test_score_by_hand(self, fitted, split):
        ahat = dense_ahat(split)
        ego = np.vstack([fitted.state["user"], fitted.state["item"]]).astype(np.float64)
        mean = (ego + ahat @ ego + ahat @ ahat @ ego) / 3
        expected = mean[:N_USERS] @ mean[N_USERS:].T
        np.testing.assert_allclose(fitted.score(np.arange(N_USERS)), expected, atol=1e-5)


class TestVBPR(ContentContract):
    model, config = VBPR, VBPRConfig(**QUICK, content_factors=6)

    def test_score_by_hand(self, fitted, features):
        state = {name: array.astype(np.float64) for name, array in fitted.state.items()}
        expected = state["user"] @ state["item"].T + state["bias"]
        for modality, own in features.items():
            centred = own.matrix - own.matrix.mean(axis=0)
            scaled = centred / np.sqrt((centred**2).sum(axis=1).mean())
            theta, projection = state[f"theta_{modality}"], state[f"project_{modality}"]
            expected = expected + theta @ (scaled @ projection).T
        np.testing.assert_allclose(fitted.score(np.arange(N_USERS)), expected, atol=1e-5)

    def test_permuted_features_permute_content_parts(self, fitted, split, features):
        order = np.random.default_rng(0).permutation(split.n_items)
        moved = {
            m: Embeddings(m, "x", e.item_ids, e.matrix[order], e.missing[order])
            for m, e in features.items()
        }
        users = np.arange(split.n_users)
        real, other = fitted.parts(users), fitted.with_features(moved).parts(users)
        for modality in features:
            np.testing.assert_allclose(other[modality], real[modality][:, order], atol=1e-4)

    def test_items_with_equal_features_have_equal_content_parts(self, split, features):
        text = features["text"]
        matrix = text.matrix.copy()
        matrix[7] = matrix[3]
        own = Embeddings("text", "x", text.item_ids, matrix, text.missing)
        part = VBPR(self.config).fit(split, {"text": own}).parts(np.arange(N_USERS))["text"]
        np.testing.assert_allclose(part[:, 7], part[:, 3], atol=1e-6)

    def test_the_mean_control_is_removal(self, split, features):
        # Features are centred: rows that are all alike say nothing about anyone.
        flat = Embeddings(
            "text", "x", split.item_ids, np.ones((N_ITEMS, 5)), np.arange(N_ITEMS) % 3 == 0
        )
        part = VBPR(self.config).fit(split, {"text": flat}).parts(np.arange(N_USERS))["text"]
        assert (part == 0).all()

    def test_normalised_projection_is_exact_too(self, split, features):
        config = self.config.model_copy(update={"normalise": True})
        model = VBPR(config).fit(split, features)
        users = np.arange(N_USERS)
        total = sum(p.astype(np.float64) for p in model.parts(users).values())
        np.testing.assert_allclose(total, model.score(users), atol=1e-5)

    def test_one_hot_ids_become_a_free_table(self, split):
        one_hot = Embeddings(
            "image", "ids", split.item_ids, np.zeros((N_ITEMS, 0)), np.zeros(N_ITEMS, bool), True
        )
        model = VBPR(self.config).fit(split, {"image": one_hot})
        assert model.state["project_image"].shape == (N_ITEMS, 6)
        np.testing.assert_allclose(
            model.parts(np.arange(3))["image"],
            model.state["theta_image"][:3] @ model.state["project_image"].T,
            atol=1e-6,
        )


class TestFREEDOM(ContentContract):
    model, config = FREEDOM, FREEDOMConfig(**QUICK, neighbours=4, feature_loss=0.1)

    def test_score_by_hand(self, fitted, split, features):
        ahat = dense_ahat(split)
        user, item = (fitted.state[name].astype(np.float64) for name in ("user", "item"))
        ego = np.vstack([user, item])
        mean = (ego + ahat @ ego + ahat @ ahat @ ego) / 3
        graph = np.zeros((N_ITEMS, N_ITEMS))
        for own in features.values():
            centred = own.matrix - own.matrix.mean(axis=0)
            unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
            cosine = unit @ unit.T
            np.fill_diagonal(cosine, -np.inf)
            nearest = np.argsort(-cosine, axis=1)[:, :4]
            np.put_along_axis(graph, nearest, np.take_along_axis(graph, nearest, 1) + 0.5 / 4, 1)
        expected = mean[:N_USERS] @ (mean[N_USERS:] + graph @ item).T
        np.testing.assert_allclose(fitted.score(np.arange(N_USERS)), expected, atol=1e-5)

    def test_swapping_features_changes_the_item_graph(self, features):
        real = item_graphs(features, 4, 0.5)
        text = features["text"]
        swapped = Embeddings("text", "topics", text.item_ids, text.matrix[::-1], text.missing)
        other = item_graphs({**features, "text": swapped}, 4, 0.5)
        assert (real["text"] != other["text"]).nnz > 0
        assert (real["image"] != other["image"]).nnz == 0
        again = item_graphs(features, 4, 0.5)
        assert (real["text"] != again["text"]).nnz == 0

    def test_a_modality_on_its_own_has_weight_one(self, features):
        assert modality_weights(["image"], 0.1) == {"image": 1.0}
        assert modality_weights(["image", "text"], 0.1) == {"image": 0.1, "text": 0.9}
        alone = item_graphs({"image": features["image"]}, 4, 0.1)["image"]
        np.testing.assert_allclose(np.asarray(alone.sum(axis=1)).ravel(), 1.0, rtol=1e-6)

    def test_equal_rows_make_a_graph_among_who_has_features(self, features):
        missing = np.arange(N_ITEMS) % 2 == 0
        flat = Embeddings("text", "x", features["text"].item_ids, np.ones((N_ITEMS, 3)), missing)
        graph = item_graphs({"text": flat}, 4, 0.5)["text"].toarray()
        assert (graph[missing] == 0).all() and (graph[:, missing] == 0).all()
        np.testing.assert_allclose(graph[~missing].sum(axis=1), 1.0, rtol=1e-6)
        assert (np.diag(graph) == 0).all()


def dense_ahat(split: Split) -> np.ndarray:
    """Normalised user-item adjacency from the formula."""
    r = split.train.toarray().astype(np.float64)
    a = np.block([[np.zeros((N_USERS, N_USERS)), r], [r.T, np.zeros((N_ITEMS, N_ITEMS))]])
    d = a.sum(axis=1)
    inverse = np.where(d > 0, 1 / np.sqrt(np.maximum(d, 1)), 0)
    return inverse[:, None] * a * inverse[None, :]


def test_ahat_by_hand():
    split = make_split()
    np.testing.assert_allclose(bipartite(split.train).toarray(), dense_ahat(split), atol=1e-6)


def test_content_models_find_the_planted_content():
    split = make_split()
    features = make_features(split)
    wanted = split.relevant("test").toarray() > 0
    seen = (split.train + split.valid).toarray() > 0

    def recall(name, own):
        kind = RECOMMENDERS.get(name)
        config = kind.Config(**(QUICK | {"max_epochs": 60, "patience": 60, "reg": 0.1}))
        models = kind.fit_seeds(config, split, [own] * 3, [1, 2, 3])
        found = []
        for model in models:
            score = np.where(seen, -np.inf, model.score(np.arange(N_USERS)))
            top = np.argsort(-score, axis=1)[:, :10]
            found.append(np.take_along_axis(wanted, top, 1).sum() / wanted.sum())
        return np.mean(found)

    assert recall("vbpr", {"text": features["text"]}) > recall("vbpr", {}) + 0.03
    assert recall("freedom", {"text": features["text"]}) > recall(
        "freedom", {"text": features["image"].__class__(
            "text", "noise", split.item_ids, features["image"].matrix, features["image"].missing
        )}
    )  # fmt: skip
