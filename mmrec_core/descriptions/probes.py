"""What a vector holds: probes from embeddings to the values of each slot, and a shuffled control.

A probe that reads a slot from real vectors and not from shuffled ones shows that the vectors hold
it (Alain and Bengio, Understanding intermediate layers using linear classifier probes, 2016).
Every figure is of items that the probe was not fitted on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from mmrec_core.domain import Embeddings, InputError, Progress, no_progress


class ProbeConfig(BaseModel):
    """How probes are fitted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folds: int = Field(5, ge=2, le=20, description="Parts that each are predicted from the others")
    strength: float = Field(
        10.0, gt=0, description="Inverse weight of the L2 penalty of the logistic regression"
    )
    fewest: int = Field(10, ge=2, description="Items that a value needs; rarer ones are left out")
    seed: int = Field(0, ge=0, description="Of the folds and of the shuffled control")


@dataclass(frozen=True, eq=False)
class Probe:
    """What one embedding says of one slot.

    Attributes:
        slot: Its name.
        classes: Values that are told apart, by name.
        accuracy: Share of items whose most probable value is right, out of fold.
        auc: Mean over values of the area under the ROC curve, one against the rest, out of fold.
        chance: Share of the most frequent value.
        shuffled: Accuracy of the same probe when vectors are dealt out among the items anew.
        n_items: Items with a vector and a value.
        probabilities: [n_items of the embeddings, classes]; out of fold where the value is known,
            from a probe of all items elsewhere; NaN where there is no vector.
    """

    slot: str
    classes: tuple[str, ...]
    accuracy: float
    auc: float
    chance: float
    shuffled: float
    n_items: int
    probabilities: np.ndarray

    def row(self) -> dict[str, Any]:
        """Its figures: slot, values, n_items, accuracy, shuffled, chance, auc."""
        return {
            "slot": self.slot,
            "values": len(self.classes),
            "n_items": self.n_items,
            "accuracy": self.accuracy,
            "shuffled": self.shuffled,
            "chance": self.chance,
            "auc": self.auc,
        }

    def said(self) -> pd.DataFrame:
        """The most probable value of each item and its probability: value, confidence."""
        known = ~np.isnan(self.probabilities).any(axis=1)
        best = np.where(known, np.nan_to_num(self.probabilities).argmax(axis=1), -1)
        return pd.DataFrame(
            {
                "value": [self.classes[at] if at >= 0 else None for at in best],
                "confidence": np.where(
                    known, np.nan_to_num(self.probabilities).max(axis=1), np.nan
                ),
            }
        )


def probe(
    embeddings: Embeddings,
    values: Sequence[str | None],
    slot: str = "",
    config: ProbeConfig | None = None,
) -> Probe:
    """Fits probes from vectors to the values of one slot.

    Args:
        embeddings: Of all items.
        values: Of the slot, for each item; None where unknown.
        slot: Its name.
        config: None: the defaults.

    Raises:
        InputError: Fewer than two values have enough items.
    """
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold

    config = config or ProbeConfig()
    labels = pd.Series(list(values), dtype=object)
    usable = labels.notna().to_numpy() & embeddings.observed
    counts = labels[usable].value_counts()
    kept = sorted(counts.index[counts >= max(config.fewest, config.folds)])
    if len(kept) < 2:
        raise InputError(
            f"{slot or 'The slot'} has {len(kept)} values with at least {config.fewest} items; a "
            "probe needs two."
        )
    rows = np.flatnonzero(usable & labels.isin(kept).to_numpy())
    x, y = embeddings.matrix[rows], pd.Categorical(labels.iloc[rows], categories=kept).codes
    folds = list(StratifiedKFold(config.folds, shuffle=True, random_state=config.seed).split(x, y))
    own = _out_of_fold(x, y, len(kept), folds, config)
    dealt = np.random.default_rng([config.seed, 1]).permutation(len(x))
    control = _out_of_fold(x[dealt], y, len(kept), folds, config)
    probabilities = np.full((len(embeddings.item_ids), len(kept)), np.nan)
    elsewhere = np.setdiff1d(np.flatnonzero(embeddings.observed), rows)
    if len(elsewhere):
        probabilities[elsewhere] = _fitted(x, y, config).predict_proba(embeddings.matrix[elsewhere])
    probabilities[rows] = own
    areas = [roc_auc_score(y == code, own[:, code]) for code in range(len(kept))]
    return Probe(
        slot=slot,
        classes=tuple(map(str, kept)),
        accuracy=float((own.argmax(axis=1) == y).mean()),
        auc=float(np.mean(areas)),
        chance=float(np.bincount(y).max() / len(y)),
        shuffled=float((control.argmax(axis=1) == y).mean()),
        n_items=len(rows),
        probabilities=probabilities,
    )


def probe_table(
    embeddings: Embeddings,
    slots: Mapping[str, Sequence[str | None]],
    config: ProbeConfig | None = None,
    progress: Progress = no_progress,
) -> pd.DataFrame:
    """Probes of every slot: slot, values, n_items, accuracy, shuffled, chance, auc."""
    rows = []
    for at, (slot, values) in enumerate(slots.items()):
        progress(at, len(slots), f"{embeddings.extractor}: {slot}")
        rows.append(probe(embeddings, values, slot, config).row())
    progress(len(slots), len(slots), embeddings.extractor)
    return pd.DataFrame(rows)


def _out_of_fold(
    x: np.ndarray,
    y: np.ndarray,
    n_classes: int,
    folds: Sequence[tuple[np.ndarray, np.ndarray]],
    config: ProbeConfig,
) -> np.ndarray:
    """Probabilities of every item from a probe that has not seen it, [n, classes]."""
    found = np.zeros((len(x), n_classes))
    for fitted, held in folds:
        found[held] = _fitted(x[fitted], y[fitted], config).predict_proba(x[held])
    return found


def _fitted(x: np.ndarray, y: np.ndarray, config: ProbeConfig):  # type: ignore[no-untyped-def]
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = LogisticRegression(C=config.strength / x.shape[1], max_iter=500)
    # Centred: states of one position resemble each other much.
    return make_pipeline(StandardScaler(), model).fit(x, y)
