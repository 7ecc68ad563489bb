"""Controls that take a modality away from a share of the items: the missing-modality curve."""

import hashlib
from dataclasses import replace
from typing import ClassVar

import numpy as np

from mmrec_core.domain import Embeddings, Features
from mmrec_core.extractors.controls import ALL, CONTROLS, Context, Control

SHARES = (20, 40, 60, 80)
"""Percent of the items; 0 is the real arm and 100 the removed one."""
PREFIX = "missing-"


class Missing(Control):
    """Takes the modality away from a share of the items that have it.

    Which items is drawn with the seed, and nested: an item that lacks its picture at 20 % lacks it
    at 40 % too, so a curve of one seed loses items and never changes them. With all modalities
    at once the same items lose everything. Together with ``real`` (0 %) and ``removed`` (100 %) it
    says how fast a recommender's gain goes as a catalogue's content thins out.
    """

    drawn = True
    note = "Drawn with the seed; the items of a smaller share are among those of a larger one."
    percent: ClassVar[int]

    def rng(self, seed: int, modality: str) -> np.random.Generator:
        """The same for every share, so that shares are nested."""
        digest = hashlib.sha256(f"{PREFIX}|{modality}".encode()).digest()
        return np.random.default_rng([seed, *np.frombuffer(digest[:16], dtype="<u4").tolist()])

    def one(self, embeddings: Embeddings, context: Context) -> Embeddings:
        """The rows of the items that were not drawn."""
        self._rows(embeddings)  # refuses one-hot ids
        drawn = self._drawn(embeddings.observed, context, str(embeddings.modality))
        return self._without(embeddings, drawn)

    def together(self, features: Features, context: Context) -> Features:
        """The same items lose every modality."""
        if not features:
            return {}
        anything = np.any([each.observed for each in features.values()], axis=0)
        drawn = self._drawn(anything, context, ALL)
        return {name: self._without(each, drawn) for name, each in features.items()}

    def _drawn(self, among: np.ndarray, context: Context, scope: str) -> np.ndarray:
        """[n_items] True for the items that lose it."""
        order = self.rng(context.seed, scope).permutation(np.flatnonzero(among))
        drawn = np.zeros(len(among), dtype=bool)
        drawn[order[: round(len(order) * self.percent / 100)]] = True
        return drawn

    def _without(self, embeddings: Embeddings, drawn: np.ndarray) -> Embeddings:
        matrix = embeddings.matrix.copy()
        matrix[drawn] = 0
        return replace(
            embeddings,
            extractor=self._label(embeddings),
            matrix=matrix,
            missing=embeddings.missing | drawn,
        )


for _percent in SHARES:
    _facts = {
        "__doc__": Missing.__doc__,
        "percent": _percent,
        "name": f"{PREFIX}{_percent}",
        "title": f"Missing for {_percent} % of the items",
        "removes": f"the modality of {_percent} % of the items that have it",
    }
    CONTROLS.register(f"{PREFIX}{_percent}", type(f"Missing{_percent}", (Missing,), _facts)())


def missing_share(control: str) -> float | None:
    """Share of the items that a control takes the modality from; None for other controls."""
    share = {"real": 0.0, "removed": 1.0}
    share |= {f"{PREFIX}{percent}": percent / 100 for percent in SHARES}
    return share.get(control)
