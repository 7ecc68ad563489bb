"""One generic test case for every recommender: a new model inherits it in a few lines."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from recommenders.cases import make_features, make_split

from mmrec_core.domain import Embeddings
from mmrec_core.recommenders.base import Recommender, RecommenderConfig


class RecommenderContract:
    """What every recommender promises; subclasses name the model and a quick config."""

    model: ClassVar[type[Recommender]]
    config: ClassVar[RecommenderConfig]

    @pytest.fixture(scope="class")
    @classmethod
    def split(cls):
        return make_split()

    @pytest.fixture(scope="class")
    @classmethod
    def features(cls, split):
        return make_features(split) if cls.model.uses else {}

    @pytest.fixture(scope="class")
    @classmethod
    def fitted(cls, split, features):
        return cls.model(cls.config).fit(split, features, seed=3)

    def test_facts_are_complete(self):
        assert self.model.name and self.model.title and self.model.reference
        assert self.model.family in ("baseline", "collaborative", "projection", "graph")
        assert self.model.__doc__ and self.model.cold.endswith(".")

    def test_scores_every_item_for_every_user(self, fitted, split):
        scores = fitted.score(np.arange(split.n_users))
        assert scores.shape == (split.n_users, split.n_items)
        assert scores.dtype == np.float32
        assert np.isfinite(scores).all()

    def test_scores_do_not_depend_on_who_else_is_asked_for(self, fitted, split):
        every = fitted.score(np.arange(split.n_users))
        np.testing.assert_allclose(fitted.score(np.array([5, 2])), every[[5, 2]], atol=1e-5)

    def test_parts_sum_to_the_score(self, fitted, split):
        users = np.arange(split.n_users)
        score = fitted.score(users)
        total = sum(part.astype(np.float64) for part in fitted.parts(users).values())
        if self.model.splits_score_exactly:
            assert (np.abs(total - score) <= 1e-5 * np.maximum(1, np.abs(score))).all()

    def test_same_seed_same_numbers(self, fitted, split, features):
        again = self.model(self.config).fit(split, features, seed=3)
        users = np.arange(split.n_users)
        np.testing.assert_array_equal(again.score(users), fitted.score(users))

    def test_another_seed_another_model(self, fitted, split, features):
        other = self.model(self.config).fit(split, features, seed=4)
        users = np.arange(split.n_users)
        assert np.array_equal(other.score(users), fitted.score(users)) != self.model.seeded

    def test_weights_restore_the_model(self, fitted, split, features):
        again = self.model.restore(self.config, split, features, fitted.weights(), seed=3)
        users = np.arange(split.n_users)
        np.testing.assert_allclose(again.score(users), fitted.score(users), atol=1e-6)

    def test_test_part_is_never_read(self, fitted, split, features):
        blind = make_split(test=False)
        again = self.model(self.config).fit(blind, features, seed=3)
        users = np.arange(split.n_users)
        np.testing.assert_array_equal(again.score(users), fitted.score(users))

    def test_seeds_together_equal_seeds_alone(self, fitted, split, features):
        together = self.model.fit_seeds(self.config, split, [features] * 3, [2, 3, 4])
        users = np.arange(split.n_users)
        # Batched products add in another order; training amplifies the last bits.
        np.testing.assert_allclose(together[1].score(users), fitted.score(users), atol=2e-3)


class ContentContract(RecommenderContract):
    """What models that read features promise besides.

    A model whose items pass something on from a modality that they lack (their neighbours have it)
    says so with ``lacking_is_nothing = False``.
    """

    lacking_is_nothing: ClassVar[bool] = True

    @pytest.mark.parametrize("present", [(), ("image",), ("text",), ("image", "text")])
    def test_runs_with_any_subset_of_modalities(self, present, split, features):
        own = {modality: features[modality] for modality in present}
        model = self.model(self.config).fit(split, own, seed=1)
        users = np.arange(4)
        score = model.score(users)
        assert np.isfinite(score).all()
        if self.model.splits_score_exactly:
            assert set(present) <= set(model.parts(users))
        total = sum(part.astype(np.float64) for part in model.parts(users).values())
        np.testing.assert_allclose(total, score, atol=1e-5)

    def test_runs_with_one_joint_matrix(self, split, features):
        text = features["text"]
        joint = Embeddings("joint", "x", text.item_ids, text.matrix, text.missing)
        parts = self.model(self.config).fit(split, {"joint": joint}).parts(np.arange(2))
        assert "joint" in parts or not self.model.splits_score_exactly

    def test_score_follows_the_features_exactly_if_it_says_so(self, fitted, split, features):
        text = features["text"]
        other = Embeddings("text", "x", text.item_ids, -text.matrix[::-1], text.missing)
        users = np.arange(split.n_users)
        changed = fitted.with_features({**features, "text": other}).score(users)
        assert np.array_equal(changed, fitted.score(users)) != self.model.features_at_inference

    def test_permuting_items_permutes_scores(self, fitted, split, features):
        order = np.random.default_rng(0).permutation(split.n_items)
        moved = {
            m: Embeddings(m, "x", e.item_ids[order], e.matrix[order], e.missing[order])
            for m, e in features.items()
        }
        other_split = replace(
            split,
            **{part: getattr(split, part)[:, order] for part in ("train", "valid", "test")},
            item_ids=split.item_ids[order],
        )
        weights = {
            name: array[order] if len(array) == split.n_items else array
            for name, array in fitted.weights().items()
        }
        for name, array in weights.items():
            if len(array) == split.n_users + split.n_items:
                users, items = np.split(array, [split.n_users])
                weights[name] = np.concatenate([users, items[order]])
        users = np.arange(split.n_users)
        other = self.model.restore(self.config, other_split, moved, weights, seed=3)
        np.testing.assert_allclose(
            other.score(users), fitted.score(users)[:, order], rtol=1e-4, atol=1e-4
        )

    def test_zero_and_constant_rows_are_harmless(self, split, features):
        text = features["text"]
        matrix = text.matrix.copy()
        matrix[:5] = 0
        some = Embeddings("text", "x", text.item_ids, matrix, text.missing)
        flat = Embeddings("text", "x", text.item_ids, np.ones_like(matrix), text.missing)
        for own in (some, flat):
            model = self.model(self.config).fit(split, {"text": own}, seed=1)
            assert np.isfinite(model.score(np.arange(split.n_users))).all()

    def test_missing_items_get_nothing_from_the_modality(self, split, features):
        text = features["text"]
        missing = np.zeros(split.n_items, dtype=bool)
        missing[::3] = True
        own = Embeddings("text", "x", text.item_ids, text.matrix, missing)
        model = self.model(self.config).fit(split, {"text": own}, seed=1)
        users = np.arange(split.n_users)
        assert np.isfinite(model.score(users)).all()
        # What stands in the rows of missing items is never read.
        filled = text.matrix.copy()
        filled[missing] = 99.0
        other = Embeddings("text", "x", text.item_ids, filled, missing)
        np.testing.assert_array_equal(
            model.with_features({"text": other}).score(users), model.score(users)
        )
        if self.model.splits_score_exactly and self.lacking_is_nothing:
            part = model.parts(users)["text"]
            assert (part[:, missing] == 0).all()
            assert (part[:, ~missing] != 0).any()

    @pytest.mark.parametrize("left", [(), ("image",), ("text",)])
    def test_scores_with_less_than_it_was_trained_on(self, left, fitted, split, features):
        users = np.arange(split.n_users)
        less = fitted.with_features({modality: features[modality] for modality in left})
        score = less.score(users)
        assert score.shape == (split.n_users, split.n_items) and np.isfinite(score).all()
        total = sum(part.astype(np.float64) for part in less.parts(users).values())
        np.testing.assert_allclose(total, score, atol=1e-5)

    def test_parameters_train_where_items_lack_the_modality(self, split, features):
        if "max_epochs" not in type(self.config).model_fields:
            return
        text = features["text"]
        missing = np.arange(split.n_items) % 2 == 0
        own = {**features, "text": Embeddings("text", "x", text.item_ids, text.matrix, missing)}
        states = []
        for epochs in (10, 20):
            config = self.config.model_copy(update={"max_epochs": epochs, "patience": 50})
            config = config.model_copy(update={"evaluate_every": epochs})
            states.append(self.model(config).fit(split, own, seed=3).state)
        for name, array in states[1].items():
            assert np.abs(array - states[0][name]).max() > 1e-6, f"{name} stopped moving"

    def test_every_parameter_trains(self, fitted, split, features):
        if not hasattr(fitted, "state"):
            return
        quick = self.config.model_copy(update={"max_epochs": 1, "learning_rate": 1e-9})
        start = self.model(quick).fit(split, features, seed=3).state
        for name, array in fitted.state.items():
            assert np.abs(array - start[name]).max() > 1e-5, name

    def test_beats_random_by_far(self, split, features):
        text = {"text": features["text"]}
        wanted = split.relevant("test").toarray() > 0
        seen = (split.train + split.valid).toarray() > 0
        config = self.config
        if "max_epochs" in type(config).model_fields:
            config = config.model_copy(
                update={"max_epochs": 100, "patience": 100, "learning_rate": 0.01}
            )
        score = self.model(config).fit(split, text, seed=1).score(np.arange(split.n_users))
        top = np.argsort(-np.where(seen, -np.inf, score), axis=1)[:, :10]
        found = np.take_along_axis(wanted, top, 1).sum() / wanted.sum()
        assert found > 1.5 * 10 / (split.n_items - 8)
