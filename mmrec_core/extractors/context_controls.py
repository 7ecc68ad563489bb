"""Controls that look at more than the features they replace: groups of items, other modalities."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from mmrec_core.domain import Embeddings, Features
from mmrec_core.extractors.controls import ALL, CONTROLS, Context, Control, Groups, Shuffle

DECILES = 10


class ShuffleWithinCategory(Shuffle):
    """Gives every item the features of another item of the same category.

    As ``shuffle``, within categories: what stays is what a category's items have in common. An
    item of several categories counts to the first one; items without a category are a group of
    their own. An item that is alone in its category keeps its features and is counted.
    """

    name = "shuffle-within-category"
    drawn = True
    title = "Shuffled within categories"
    removes = "what the features say beyond the category"
    note = "Items alone in their category keep their features; the study says how many."
    within = "category"


class ShuffleWithinPopularity(Shuffle):
    """Gives every item the features of another item that is about as popular.

    As ``shuffle``, within deciles of the number of train interactions: what stays is what the
    features tell about popularity. Items with equally many interactions are never torn apart, so
    there are fewer groups than ten where many items are equal. An item that is alone in its group
    keeps its features and is counted.
    """

    name = "shuffle-within-popularity"
    drawn = True
    title = "Shuffled within popularity deciles"
    removes = "what the features say beyond popularity"
    note = "Items alone in their decile keep their features; the study says how many."
    within = "popularity"


class OtherModality(Control):
    """Puts the other modality's features in the place of this one's.

    What the modality says besides the other one is gone; its branch, fed with real content, stays.
    An item lacks it afterwards if it lacks either: who has a picture, say, remains as it was, and
    further items are missing where there are no words. Needs both image and text. The width
    changes, so that a trained projection cannot be scored with it.
    """

    name = "other-modality"
    title = "The other modality's features"
    removes = "the modality's own information"
    note = "Items that lack either modality are missing."
    stages = ("train",)

    def why_not(self, modalities: Sequence[str], modality: str, groups: Groups) -> str:
        """It takes two modalities, one of which is replaced."""
        if "joint" in modalities:
            return "one joint matrix has no other modality"
        if len(modalities) != 2:
            return f"{' and '.join(modalities) or 'no modality'} alone has no other modality"
        if modality == ALL:
            return "all modalities at once have no other modality"
        return ""

    def one(self, embeddings: Embeddings, context: Context) -> Embeddings:
        """The other modality's rows under this one's name."""
        (other,) = (e for m, e in context.features.items() if m != embeddings.modality)
        return replace(
            embeddings,
            extractor=f"{other.extractor}|{self.name}",
            matrix=other.matrix,
            missing=embeddings.missing | other.missing,
        )

    def together(self, features: Features, context: Context) -> Features:
        """Has no meaning; ``why_not`` says so before."""
        raise NotImplementedError


def category_groups(categories: np.ndarray, separator: str | None) -> np.ndarray:
    """Group of each item by its first category, [n_items] int64.

    Args:
        categories: [n_items] of str, empty where the category is unknown.
        separator: Between several categories in one cell, if any.
    """
    # Few cells differ; each is cut once, not once an item.
    codes, distinct = pd.factorize(categories)
    cells = pd.Series(distinct, dtype="str")
    if separator:
        cells = cells.str.split(separator, n=1, regex=False).str[0]
    groups = np.unique(cells.str.strip().astype(object), return_inverse=True)[1].astype(np.int64)
    return np.asarray(groups[codes])


def popularity_groups(degree: np.ndarray) -> np.ndarray:
    """Decile of each item by its number of train interactions, [n_items] int64 from 0.

    Decile q ends at the smallest degree that at least q tenths of the items do not exceed; equal
    degrees share a decile.
    """
    tenths = np.arange(1, DECILES) / DECILES
    ends = np.quantile(degree, tenths, method="inverted_cdf")
    decile = np.searchsorted(np.unique(ends), degree, side="left")
    return np.unique(decile, return_inverse=True)[1].astype(np.int64)


for _control in (ShuffleWithinCategory(), ShuffleWithinPopularity(), OtherModality()):
    CONTROLS.register(_control.name, _control)
