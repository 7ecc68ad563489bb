"""The demo's worlds: who chooses what, and why."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from scipy import stats

from mmrec_core.datasets.demo import (
    EXCLUSIVE,
    READABLE,
    TYPES,
    VISIBLE,
    WORLDS,
    DemoConfig,
    Strengths,
    World,
    sample_attributes,
    sample_tastes,
    simulate,
    taste,
)
from mmrec_core.datasets.demo.attributes import taste_values

CONFIG = DemoConfig(n_items=300, n_users=400)
ATTRIBUTES = sample_attributes(CONFIG.n_items, 5)


def _chosen(world: World) -> np.ndarray:
    """[n_users, n_items] bool."""
    table = pd.crosstab(world.interactions["user_id"], world.interactions["item_id"])
    return table.reindex(columns=ATTRIBUTES["item_id"], fill_value=0).to_numpy() > 0


def _lift(world: World, names: dict[str, tuple[str, ...]]) -> tuple[float, float]:
    """Mean taste for chosen items, and its t statistic over users (0 expected without taste)."""
    chosen = _chosen(world)
    liked = taste(world.users, ATTRIBUTES, names)
    per_user = (liked * chosen).sum(axis=1) / chosen.sum(axis=1)
    return float(per_user.mean()), float(stats.ttest_1samp(per_user, 0.0).statistic)


@pytest.mark.parametrize("name", WORLDS)
def test_tastes_act_where_they_are_planted_and_nowhere_else(name: str) -> None:
    world = simulate(ATTRIBUTES, name, CONFIG, seed=5)
    for planted, names in ((("picture", "both"), VISIBLE), (("words", "both"), READABLE)):
        lift, t = _lift(world, names)
        if name in planted:
            assert lift > 0.4
            assert t > 20
        else:
            assert abs(t) < 4


@pytest.mark.parametrize("name", WORLDS)
def test_type_is_nobodys_taste(name: str) -> None:
    """Users do not concentrate on types more than chance would have them."""
    world = simulate(ATTRIBUTES, name, CONFIG.model_copy(update={"strengths": _only(name)}), 5)
    chosen = _chosen(world).astype(float)
    one_hot = pd.get_dummies(ATTRIBUTES["type"]).to_numpy(float)
    seen = chosen @ one_hot
    expected = chosen.sum(axis=1, keepdims=True) * one_hot.mean(axis=0)
    chi2 = ((seen - expected) ** 2 / expected).sum()
    freedom = chosen.shape[0] * (one_hot.shape[1] - 1)
    assert 0.7 < chi2 / freedom < 1.3


def _only(name: str) -> dict[str, Strengths]:
    planted = DemoConfig().strengths[name]
    alone = Strengths(
        picture=planted.picture, words=planted.words, collaborative=0.0, popularity=0.0
    )
    return dict.fromkeys(WORLDS, alone)


@pytest.mark.parametrize("name", WORLDS)
def test_popularity_is_independent_of_attributes(name: str) -> None:
    attributes = sample_attributes(1200, 20261)
    popularity = simulate(attributes, name, DemoConfig(n_users=10)).popularity
    p_values = [
        stats.f_oneway(*(popularity[attributes[a] == value] for value in values)).pvalue
        for a, values in EXCLUSIVE.items()
    ]
    assert min(p_values) * len(p_values) > 0.01


def test_counts_items_and_times_are_in_order() -> None:
    world = simulate(ATTRIBUTES, "both", CONFIG, seed=6)
    table = world.interactions
    counts = table.groupby("user_id").size()
    assert len(counts) == CONFIG.n_users
    assert counts.min() >= 8
    assert counts.max() <= 40
    assert abs(counts.mean() - CONFIG.mean) < 1.5
    assert not table.duplicated(["user_id", "item_id"]).any()
    gaps = table.groupby("user_id")["timestamp"].diff().dropna()
    assert (gaps > 0).all()


def test_order_in_time_says_nothing_about_taste() -> None:
    world = simulate(ATTRIBUTES, "picture", CONFIG, seed=6)
    liked = taste(world.users, ATTRIBUTES, VISIBLE)
    table = world.interactions
    user = table["user_id"].astype("category").cat.codes.to_numpy()
    item = pd.Index(ATTRIBUTES["item_id"]).get_indexer(table["item_id"])
    place = table.groupby("user_id").cumcount() / table.groupby("user_id")["item_id"].transform(
        "size"
    )
    assert abs(stats.spearmanr(place, liked[user, item]).statistic) < 0.06


def test_a_seed_decides_everything_and_worlds_share_nothing() -> None:
    first, again = (simulate(ATTRIBUTES, "both", CONFIG, seed=7) for _ in range(2))
    assert first.interactions.equals(again.interactions)
    assert first.users.equals(again.users)
    other = simulate(ATTRIBUTES, "both", CONFIG, seed=8)
    assert not first.interactions.equals(other.interactions)
    elsewhere = simulate(ATTRIBUTES, "neither", CONFIG, seed=7)
    assert not first.users.equals(elsewhere.users)


def test_strengths_leave_tastes_and_noise_alone() -> None:
    strong = CONFIG.model_copy(update={"strengths": dict.fromkeys(WORLDS, Strengths(picture=3.0))})
    weak, strong_world = (simulate(ATTRIBUTES, "picture", c, 7) for c in (CONFIG, strong))
    assert weak.users.equals(strong_world.users)
    assert _lift(strong_world, VISIBLE)[0] > _lift(weak, VISIBLE)[0]


def test_choices_follow_the_softmax() -> None:
    """With popularity alone, an item's share of first choices is its softmax probability."""
    strengths = dict.fromkeys(WORLDS, Strengths(collaborative=0.0, popularity=1.0))
    config = DemoConfig(
        n_items=50, n_users=9999, fewest=1, mean=1, mean_neither=1, most=1, strengths=strengths
    )
    attributes = sample_attributes(50, 1)
    world = simulate(attributes, "neither", config, 1)
    seen = world.interactions["item_id"].value_counts().reindex(attributes["item_id"], fill_value=0)
    weight = np.exp(world.popularity)
    expected = config.n_users * weight / weight.sum()
    assert stats.chisquare(seen.to_numpy(), expected).pvalue > 0.001


def test_tastes_love_some_values_and_are_standardised() -> None:
    tastes = sample_tastes(200, np.random.default_rng(1))
    for name, values in taste_values().items():
        groups = len(TYPES) if name == "shape" else 1
        level = tastes[[f"{name}={value}" for value in values]].to_numpy()
        level = level.reshape(len(tastes), groups, -1)
        assert ((level == 2).sum(axis=2) == (2 if level.shape[2] > 6 else 1)).all()
        assert ((level == 1).sum(axis=2) == 1).all()
    liked = taste(tastes, ATTRIBUTES, VISIBLE)
    np.testing.assert_allclose(liked.mean(axis=1), 0.0, atol=1e-12)
    np.testing.assert_allclose(liked.std(axis=1), 1.0, rtol=1e-9)


def test_taste_of_a_hand_made_user() -> None:
    items = pd.DataFrame({"style": ["minimal", "classic", "playful", "minimal"]})
    tastes = pd.DataFrame([[2, 1, 0]], columns=[f"style={v}" for v in VISIBLE["style"]])
    raw = np.array([2.0, 1.0, 0.0, 2.0])
    expected = (raw - raw.mean()) / raw.std()
    np.testing.assert_allclose(
        taste(tastes, items, {"style": VISIBLE["style"]})[0], expected, rtol=1e-12
    )


def test_senseless_configs_are_refused() -> None:
    with pytest.raises(ValidationError, match="fewest <= mean"):
        DemoConfig(fewest=20, mean=10)
    with pytest.raises(ValidationError, match="worlds"):
        DemoConfig(strengths={"picture": Strengths()})
