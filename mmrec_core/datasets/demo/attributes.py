"""What the demo shop sells: the values of every attribute, and which products there are."""

from typing import Final

import numpy as np
import pandas as pd

TYPES: Final = (
    "mug",
    "teapot",
    "bottle",
    "vase",
    "lamp",
    "chair",
    "clock",
    "planter",
    "suitcase",
    "radio",
)
"""Product types; both pictures and texts show them."""

VISIBLE: Final[dict[str, tuple[str, ...]]] = {
    "colour": (
        "red",
        "orange",
        "yellow",
        "green",
        "turquoise",
        "blue",
        "purple",
        "pink",
        "black",
        "white",
    ),
    "pattern": ("plain", "striped", "checked", "dotted"),
    "material": ("wood", "metal", "knit"),
    "style": ("minimal", "classic", "playful"),
    "shape": ("outline 1", "outline 2", "outline 3", "outline 4"),
}
"""Attributes that only pictures show; each type has four outlines of its own."""

READABLE: Final[dict[str, tuple[str, ...]]] = {
    "brand": ("Nordhem", "Casa Marisol", "Kumo Studio", "Rocket & Sons", "Prairie Post"),
    "audience": ("children", "students", "grandparents", "musicians", "dog owners"),
    "purpose": ("camping", "home office", "wedding gift", "better sleep", "birthday party"),
    "care": ("beeswax polish", "soapy water", "dry brush", "repair by post"),
}
"""Attributes that only texts name."""

EXCLUSIVE: Final[dict[str, tuple[str, ...]]] = {**VISIBLE, **READABLE}
"""Attributes that one modality alone shows; tastes are planted in these."""

ATTRIBUTES: Final[dict[str, tuple[str, ...]]] = {"type": TYPES, **EXCLUSIVE}
"""Every attribute of a product and its values."""

TASTE_WEIGHTS: Final[dict[str, float]] = {"shape": 2.0, "colour": 0.5, "pattern": 0.5}
"""How much an attribute counts in a taste, beside 1 for the others. Shapes count most: a taste in
forty outlines is hard to learn from who bought what, and image extractors see outlines well."""

STREAMS: Final = {
    "attributes": 1,
    "texts": 2,
    "pictures": 3,
    "counts": 10,
    "tastes": 11,
    "factors": 12,
    "popularity": 13,
    "choices": 14,
    "times": 15,
}
"""Number of each random stream, so that a change of one part leaves the others as they are."""


def outlines(attributes: pd.DataFrame) -> np.ndarray:
    """What a taste in shape is about: ``type, outline``, [n_items] of object str."""
    return (attributes["type"] + ", " + attributes["shape"]).to_numpy(dtype=object)


def taste_values() -> dict[str, tuple[str, ...]]:
    """Exclusive attribute -> what a user can like of it; shapes are liked type by type."""
    forty = tuple(f"{kind}, {shape}" for kind in TYPES for shape in VISIBLE["shape"])
    return {name: forty if name == "shape" else values for name, values in EXCLUSIVE.items()}


def sample_attributes(n_items: int, seed: int) -> pd.DataFrame:
    """Draws products whose attributes are independent of each other, each value equally likely.

    Args:
        n_items: Number of products.
        seed: Seed of the catalogue.

    Returns:
        One row a product: ``item_id`` and one column an attribute.
    """
    columns: dict[str, object] = {"item_id": [f"P{number:04d}" for number in range(1, n_items + 1)]}
    for number, (name, values) in enumerate(ATTRIBUTES.items()):
        rng = np.random.default_rng([seed, STREAMS["attributes"], number])
        columns[name] = np.asarray(values, dtype=object)[rng.integers(len(values), size=n_items)]
    return pd.DataFrame(columns).astype(str)
