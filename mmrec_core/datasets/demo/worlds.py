"""Four worlds over one catalogue: tastes in the picture, in the words, in both, in neither.

The utility of an item for a user is ``picture * P + words * W + collaborative * C + popularity * Q
+ Gumbel noise``, where P, W, C and Q have zero mean and unit variance over the items (P, W and C
for each user, Q once), and the user's n items of highest utility are the interactions: n draws
without replacement from a softmax (the Gumbel top-k trick; Kool, van Hoof and Welling, ICML 2019,
section 2.3).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from mmrec_core.datasets.demo.attributes import (
    READABLE,
    STREAMS,
    TASTE_WEIGHTS,
    TYPES,
    VISIBLE,
    outlines,
    taste_values,
)

WORLDS: Final = ("picture", "words", "both", "neither")
"""Names of the worlds, after where the tastes are planted."""

EPOCH: Final = 1_672_531_200
"""1 January 2023 in seconds: when the shop opened."""
YEARS: Final = 2 * 365 * 86_400
"""How long it has been open, in seconds."""


class Strengths(BaseModel):
    """What decides, in standard deviations of each part over the items; the noise has 1.28."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    picture: float = Field(default=0.0, ge=0.0, description="Taste in what only pictures show")
    words: float = Field(default=0.0, ge=0.0, description="Taste in what only texts say")
    collaborative: float = Field(default=0.6, ge=0.0, description="Taste independent of content")
    popularity: float = Field(default=0.4, ge=0.0, description="What everyone likes")


def _default_strengths() -> dict[str, Strengths]:
    return {
        "picture": Strengths(picture=2.0),
        "words": Strengths(words=2.2),
        "both": Strengths(picture=1.7, words=1.5),
        "neither": Strengths(collaborative=1.5, popularity=0.6),
    }


class DemoConfig(BaseModel):
    """How the demo shop is made; the same config makes the same bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=20261, ge=0)
    n_items: int = Field(default=1200, ge=50, le=9999)
    n_users: int = Field(default=1500, ge=1, le=9999)
    fewest: int = Field(default=8, ge=1, description="Fewest interactions of a user")
    most: int = Field(default=40, description="Most interactions of a user")
    mean: float = Field(default=11.0, description="About the mean number of interactions")
    mean_neither: float = Field(
        default=20.0,
        description="The same in the world neither, whose tastes only other people's choices show",
    )
    factors: int = Field(default=4, ge=1, description="Width of the collaborative taste")
    strengths: Mapping[str, Strengths] = Field(default_factory=_default_strengths)
    image_size: int = Field(default=192, ge=32, le=1024, description="Pixels")
    supersample: int = Field(default=3, ge=1, le=4)
    quality: int = Field(default=84, ge=1, le=100, description="Of the WebP pictures")

    @model_validator(mode="after")
    def _sensible(self) -> "DemoConfig":
        for mean in (self.mean, self.mean_neither):
            if not self.fewest <= mean <= self.most <= self.n_items:
                raise ValueError("fewest <= mean <= most <= n_items does not hold")
        if set(self.strengths) != set(WORLDS):
            raise ValueError(f"strengths must name the worlds {', '.join(WORLDS)}")
        return self


@dataclass(frozen=True, eq=False)
class World:
    """One simulated world.

    Attributes:
        interactions: ``user_id``, ``item_id``, ``timestamp`` (seconds), grouped by user and
            ordered by time.
        users: ``user_id`` and one column an attribute value, named ``attribute=value``: how much
            the user likes it (0 no more than others, 1 likes it, 2 loves it).
        popularity: [n_items] the standardised popularity that entered the utilities.
    """

    interactions: pd.DataFrame
    users: pd.DataFrame
    popularity: np.ndarray


def stream(seed: int, name: str, world: str) -> np.random.Generator:
    """The random stream ``name`` of a world; worlds share no stream."""
    return np.random.default_rng([seed, STREAMS[name], WORLDS.index(world)])


def standardised(values: np.ndarray) -> np.ndarray:
    """Zero mean and unit variance along the last axis."""
    centred = values - values.mean(axis=-1, keepdims=True)
    spread = np.maximum(centred.std(axis=-1, keepdims=True), 1e-12)
    return np.asarray(centred / spread)


def sample_tastes(n_users: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draws what users like: of each attribute they love one value and like another.

    Of attributes with more than six values (colours) they love two. Of shapes they love one
    outline of each type and like another, so that no type is liked more than the next.

    Returns:
        [n_users] rows, a column an attribute value, of 0, 1 or 2.
    """
    columns: dict[str, np.ndarray] = {}
    for name, values in taste_values().items():
        groups = len(TYPES) if name == "shape" else 1
        size = len(values) // groups
        rank = rng.random((n_users, groups, size)).argsort(axis=2).argsort(axis=2)
        loved = 2 if size > 6 else 1
        level = np.where(rank < loved, 2, np.where(rank == loved, 1, 0)).reshape(n_users, -1)
        columns.update({f"{name}={value}": level[:, k] for k, value in enumerate(values)})
    return pd.DataFrame(columns).astype(np.int8)


def taste(
    tastes: pd.DataFrame, attributes: pd.DataFrame, names: Mapping[str, tuple[str, ...]]
) -> np.ndarray:
    """How much each user likes each item for the attributes ``names``.

    Args:
        tastes: As of :func:`sample_tastes`.
        attributes: One row an item, a column an attribute.
        names: Attributes that count, each as much as TASTE_WEIGHTS says.

    Returns:
        [n_users, n_items] of zero mean and unit variance for each user.
    """
    total = np.zeros((len(tastes), len(attributes)))
    for name in names:
        values = taste_values()[name]
        shown = outlines(attributes) if name == "shape" else attributes[name].to_numpy(object)
        one_hot = (shown[:, None] == np.asarray(values, dtype=object)).astype(np.float64)
        levels = tastes[[f"{name}={value}" for value in values]].to_numpy(np.float64)
        total += TASTE_WEIGHTS.get(name, 1.0) * standardised(levels @ one_hot.T)
    return standardised(total)


def simulate(
    attributes: pd.DataFrame, world: str, config: DemoConfig, seed: int | None = None
) -> World:
    """Lets users choose in one world.

    Args:
        attributes: Items with their attributes, as of ``sample_attributes``.
        world: One of WORLDS.
        config: Numbers of users and interactions, and strengths.
        seed: Seed of users and choices; None: the config's. The catalogue does not depend on it.

    Returns:
        The world.
    """
    seed = config.seed if seed is None else seed
    strength = config.strengths[world]
    n_items = len(attributes)
    item_ids = attributes["item_id"].to_numpy(dtype=object)
    user_ids = np.array([f"U{number:04d}" for number in range(1, config.n_users + 1)], object)

    tastes = sample_tastes(config.n_users, stream(seed, "tastes", world))
    rng = stream(seed, "factors", world)
    users = rng.standard_normal((config.n_users, config.factors))
    items = rng.standard_normal((n_items, config.factors))
    popularity = standardised(stream(seed, "popularity", world).standard_normal(n_items))
    utility = (
        strength.picture * taste(tastes, attributes, VISIBLE)
        + strength.words * taste(tastes, attributes, READABLE)
        + strength.collaborative * standardised(users @ items.T)
        + strength.popularity * popularity
        + stream(seed, "choices", world).gumbel(size=(config.n_users, n_items))
    )
    mean = config.mean_neither if world == "neither" else config.mean
    counts = _counts(config, mean, stream(seed, "counts", world))
    order = np.argpartition(-utility, config.most - 1, axis=1)[:, : config.most]
    best = np.take_along_axis(utility, order, axis=1).argsort(axis=1, kind="stable")[:, ::-1]
    order = np.take_along_axis(order, best, axis=1)
    kept = np.arange(config.most) < counts[:, None]
    row, column = np.nonzero(kept)
    chosen = order[row, column]

    # Times say nothing about utility: a user's items come in random order.
    clock = stream(seed, "times", world)
    start = clock.uniform(0.0, 0.7, size=config.n_users)
    share = start[row] + (1.0 - start[row]) * clock.random(len(row))
    timestamp = (EPOCH + YEARS * share).astype(np.int64)
    by_time = np.lexsort((chosen, timestamp, row))
    row, chosen, timestamp = row[by_time], chosen[by_time], timestamp[by_time]
    first = np.r_[True, row[1:] != row[:-1]]
    place = np.arange(len(row)) - np.maximum.accumulate(np.where(first, np.arange(len(row)), 0))
    interactions = pd.DataFrame(
        {
            "user_id": user_ids[row].astype(str),
            "item_id": item_ids[chosen].astype(str),
            # One second per place keeps times strictly increasing even where two draws agree.
            "timestamp": timestamp + place,
        }
    )
    tastes.insert(0, "user_id", user_ids.astype(str))
    return World(interactions, tastes, popularity)


def _counts(config: DemoConfig, mean: float, rng: np.random.Generator) -> np.ndarray:
    """How many items each user takes: [n_users], fewest to most, with a long tail."""
    spread = mean - config.fewest
    extra = rng.gamma(shape=1.4, scale=spread / 1.4, size=config.n_users) if spread > 0 else 0.0
    drawn = np.floor(config.fewest + np.broadcast_to(extra, config.n_users) + 0.5)
    return np.clip(drawn, config.fewest, config.most).astype(np.int64)
