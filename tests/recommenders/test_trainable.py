"""Trained features and models without embeddings: the switches, and what they must not change."""

import numpy as np
import pytest
import torch
from recommenders.cases import make_features, make_split

from mmrec_core.domain import Embeddings, InputError
from mmrec_core.recommenders import RECOMMENDERS
from mmrec_core.recommenders.content import ContentConfig, FeatureTensors, moved, prepared
from mmrec_core.studies.study import make_study

QUICK = {"factors": 4, "batch_size": 256, "max_epochs": 4, "evaluate_every": 2}
NEEDED = {"freedom": {"feature_loss": 0.1}}
TRAINED = [n for n, kind in RECOMMENDERS.items() if issubclass(kind.Config, ContentConfig)]


@pytest.fixture(scope="module")
def split():
    return make_split()


def features_of(split) -> dict[str, Embeddings]:
    """The usual features, with some pictures missing."""
    features = make_features(split)
    own = features["image"]
    missing = np.arange(len(own.item_ids)) % 5 == 0
    matrix = np.where(missing[:, None], 0, own.matrix).astype(np.float32)
    features["image"] = Embeddings("image", "noise", own.item_ids, matrix, missing)
    return features


def test_all_content_models_have_the_switch():
    assert set(TRAINED) == {"vbpr", "freedom", "lattice", "bm3", "mmgcn", "grcn", "mgcn"}


@pytest.mark.parametrize("name", TRAINED)
def test_switches_at_their_default_are_not_written_down(name):
    kind = RECOMMENDERS.get(name)
    written = kind.Config().model_dump(mode="json")
    assert not {"trainable_features", "use_ids"} & set(written)
    on = kind.Config(**NEEDED.get(name, {}), trainable_features=True)
    assert on.model_dump(mode="json")["trainable_features"] is True
    assert kind.Config.model_validate(on.model_dump(mode="json")) == on
    assert kind.Config.model_validate(written) == kind.Config()


def test_a_shift_is_a_projection_of_shifted_features(split):
    features = features_of(split)
    tensors = FeatureTensors([features, features], "cpu")
    rng = np.random.default_rng(0)
    shift = rng.normal(size=(2, *features["image"].matrix.shape)).astype(np.float32)
    weights = rng.normal(size=(2, features["image"].width, 3)).astype(np.float32)
    rows = torch.tensor([0, 3, 7, 10])
    parameters = {
        "project_image": torch.from_numpy(weights), "shift_image": torch.from_numpy(shift),
    }  # fmt: skip
    observed = features["image"].observed[None, :, None]
    by_hand = (prepared(features["image"])[None] + shift * observed) @ weights
    got = tensors.project("image", parameters)
    np.testing.assert_allclose(got.numpy(), by_hand, rtol=1e-4, atol=1e-4)
    some = tensors.project("image", parameters, rows)
    np.testing.assert_allclose(some.numpy(), by_hand[:, rows.numpy()], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", TRAINED)
def test_features_move_where_they_are_trained_and_there_are_any(name, split):
    kind, features = RECOMMENDERS.get(name), features_of(split)
    frozen = kind.Config(**QUICK, **NEEDED.get(name, {}))
    trained = kind.Config(**QUICK, **NEEDED.get(name, {}), trainable_features=True)
    model = kind.fit_seeds(trained, split, [features, features], [1, 2])
    alone = kind(trained).fit(split, features, seed=2)
    users = np.arange(5)
    np.testing.assert_allclose(model[1].score(users), alone.score(users), atol=2e-4)
    by = moved(model[0].weights(), features)
    assert set(by) == {"image", "text"} and min(by.values()) > 0
    shift = model[0].weights()["shift_image"]
    assert not shift[features["image"].missing].any()
    assert np.abs(shift[features["image"].observed]).max() > 0
    other = kind(frozen).fit(split, features, seed=1)
    assert not moved(other.weights(), features)
    assert np.abs(other.score(users) - model[0].score(users)).max() > 0
    back = kind.restore(trained, split, features, model[0].weights(), 1)
    np.testing.assert_array_equal(back.score(users), model[0].score(users))


def test_features_that_are_all_alike_have_not_moved_by_a_number(split):
    own = make_features(split)["image"]
    alike = np.broadcast_to(own.matrix[:1], own.matrix.shape).copy()
    same = {"image": Embeddings("image", "alike", own.item_ids, alike, own.missing)}
    assert moved({"shift_image": np.ones_like(alike)}, same) == {}


def test_vbpr_without_embeddings(split):
    kind, features, users = RECOMMENDERS.get("vbpr"), make_features(split), np.arange(6)
    config = kind.Config(**QUICK, use_ids=False)
    model = kind(config).fit(split, features, seed=1)
    parts = model.parts(users)
    assert set(parts) == {"image", "text", "popularity"}
    np.testing.assert_allclose(sum(parts.values()), model.score(users), atol=1e-5)
    assert not {"user", "item"} & set(model.weights())
    # Without content too, everyone gets the same list.
    bare = kind(config).fit(split, {}, seed=1)
    scores = bare.score(users)
    assert not bare.parts(users)["collaborative"].any()
    assert scores.shape == (6, split.n_items) and (scores == scores[0]).all()
    assert np.ptp(scores[0]) > 0


def test_freedom_says_what_it_needs():
    with pytest.raises(InputError, match="need feature_loss above 0"):
        make_study(
            {
                "dataset": "demo-both",
                "recommenders": ["freedom"],
                "configs": {"freedom": {"trainable_features": True}},
            }
        )


def test_trained_features_are_not_replaced_at_inference():
    values = {
        "dataset": "demo-both",
        "recommenders": ["vbpr"],
        "stage": "inference",
        "configs": {"vbpr": {"trainable_features": True}},
    }
    with pytest.raises(InputError, match="cannot be replaced when it scores"):
        make_study(values)
    make_study(values | {"stage": "train"})
