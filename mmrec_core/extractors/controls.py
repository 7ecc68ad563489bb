"""What can stand in for a modality's features, to ask what those features contribute.

Every control keeps dtype, shape and the mask of missing items unless its facts say otherwise, and
the same (features, modality, control, seed) gives the same bytes. Random draws are derived from
seed, control and modality, so that two modalities under one seed get independent draws.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from mmrec_core.domain import Embeddings, Features, InputError
from mmrec_core.extractors.permutation import derangement
from mmrec_core.registry import Registry

ALL = "all"
"""Stands for all modalities at once."""

Groups = Mapping[str, np.ndarray]
"""What items can be grouped by -> [n_items] group numbers from 0, in the order of the features."""

_BLOCK = 8192


@dataclass(frozen=True, eq=False)
class Context:
    """What a control may look at besides the features that it replaces.

    Attributes:
        seed: Of every random draw.
        features: All features before anything is replaced.
        groups: Such as ``category``, where the dataset has one, and ``popularity``.
        extracted: Control -> the matrix that was made under it, for controls of the input.
    """

    seed: int
    features: Features
    groups: Groups = field(default_factory=dict)
    extracted: Features = field(default_factory=dict)


class Control(ABC):
    """Replaces the features of one modality, or of all at once.

    Attributes:
        name: Name in code and files.
        title: Name on screen.
        removes: What is gone from the features.
        note: What to know when reading its result; may be empty.
        stages: ``train`` (retrain with it) and ``inference`` (score with it) where it makes sense.
        graph_ok: True when an item-item graph can be built from its features.
        content: True when the features are still the items' own.
        within: Name of the groups that it reads; empty: none.
        drawn: True when it is drawn at random, so that each seed gives another.
        extraction: Options of the extractor under which the matrix is made again; empty: the
            control works on the matrix that is there.
        concerns: What of the extractor's input it replaces, such as ``input-picture``; empty for
            controls that work on the matrix.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    removes: ClassVar[str]
    note: ClassVar[str] = ""
    stages: ClassVar[tuple[str, ...]] = ("train", "inference")
    graph_ok: ClassVar[bool] = True
    content: ClassVar[bool] = False
    within: ClassVar[str] = ""
    drawn: ClassVar[bool] = False
    extraction: ClassVar[Mapping[str, Any]] = {}
    concerns: ClassVar[str] = ""

    @abstractmethod
    def one(self, embeddings: Embeddings, context: Context) -> Embeddings | None:
        """Stands in for one modality; None where the modality is absent afterwards."""

    def together(self, features: Features, context: Context) -> Features:
        """Stands in for all modalities at once; each by itself unless overridden."""
        replaced = {name: self.one(each, context) for name, each in features.items()}
        return {name: each for name, each in replaced.items() if each is not None}

    def why_not(self, modalities: Sequence[str], modality: str, groups: Groups) -> str:
        """Why it cannot replace ``modality`` among ``modalities``, as a clause; empty: it can."""
        if not self.within:
            return ""
        if self.within not in groups:
            return f"the dataset does not say the {self.within} of its items"
        if len(np.unique(groups[self.within])) == len(groups[self.within]):
            return f"every item is alone in its {self.within}"
        return ""

    def rng(self, seed: int, modality: str) -> np.random.Generator:
        """Generator of seed, this control and ``modality``."""
        digest = hashlib.sha256(f"{self.name}|{modality}".encode()).digest()
        return np.random.default_rng([seed, *np.frombuffer(digest[:16], dtype="<u4").tolist()])

    def _filled(self, embeddings: Embeddings, rows: np.ndarray) -> Embeddings:
        """``embeddings`` with new rows [n_observed, d] for its observed items."""
        matrix = np.zeros_like(embeddings.matrix)
        matrix[embeddings.observed] = rows
        return replace(embeddings, extractor=self._label(embeddings), matrix=matrix)

    def _label(self, embeddings: Embeddings) -> str:
        return f"{embeddings.extractor}|{self.name}"

    def _rows(self, embeddings: Embeddings) -> np.ndarray:
        """[n_observed, d] float32 rows of the observed items."""
        if embeddings.one_hot:
            raise InputError(
                f"Control {self.name!r} needs features, but {embeddings.extractor!r} holds "
                "one-hot item ids, which have none; apply it to real features."
            )
        rows: np.ndarray = embeddings.matrix[embeddings.observed]
        return rows


class Real(Control):
    """The features as they are."""

    name = "real"
    title = "Real features"
    removes = "nothing"
    content = True

    def one(self, embeddings: Embeddings, context: Context) -> Embeddings:
        """The same embeddings."""
        return embeddings


class Shuffle(Control):
    """Gives every item the features of another item.

    A random permutation without fixed points among the items that have features, each such
    permutation being equally likely. Geometry, spectrum and the mask of missing items stay exactly
    as they were; only which item has which features is lost. With all modalities at once there is
    one permutation for all, so the vectors of one item stay together; it runs within groups of
    items that lack the same modalities, so that every mask stays. A group of one item cannot be
    permuted: that item keeps its features (``left_in_place`` counts such items).
    """

    name = "shuffle"
    drawn = True
    title = "Shuffled over items"
    removes = "which item has which features, and nothing else"
    note = "The reference null: geometry, spectrum and missing items stay exactly."

    def one(self, embeddings: Embeddings, context: Context) -> Embeddings:
        """Permutes the observed rows."""
        rows = self._rows(embeddings)
        groups = self._groups({embeddings.modality: embeddings}, context.groups)
        rng = self.rng(context.seed, embeddings.modality)
        return self._filled(embeddings, rows[derangement(groups[embeddings.observed], rng)])

    def together(self, features: Features, context: Context) -> Features:
        """One permutation for all modalities, within items that lack the same ones."""
        if not features:
            return {}
        groups = self._groups(features, context.groups)
        source = derangement(groups, self.rng(context.seed, ALL))
        return {
            name: self._filled(each, self._full(each)[source][each.observed])
            for name, each in features.items()
        }

    def left_in_place(self, features: Features, groups: Groups) -> int:
        """How many items with features it cannot move when it replaces all of ``features``."""
        if not features:
            return 0
        group = self._groups(features, groups)
        alone = np.bincount(group)[group] == 1
        anything = np.any([each.observed for each in features.values()], axis=0)
        return int((alone & anything).sum())

    def _groups(self, features: Features, groups: Groups) -> np.ndarray:
        """[n_items] number of what items must share to swap: the modalities they lack, and more."""
        shared = [features[name].missing.astype(np.int64) for name in sorted(features)]
        if self.within:
            shared.append(groups[self.within].astype(np.int64))
        _, group = np.unique(np.stack(shared, axis=1), axis=0, return_inverse=True)
        return np.asarray(group.reshape(-1))

    def _full(self, embeddings: Embeddings) -> np.ndarray:
        self._rows(embeddings)
        return embeddings.matrix


class GaussianUnit(Control):
    """Draws every value from a standard normal distribution, independently.

    Removes all that the features say, and also their scale and spectrum: a worse result than with
    real features may come from that alone. Used in the literature as the noise condition.
    """

    name = "gaussian-unit"
    drawn = True
    title = "Gaussian noise, unit variance"
    removes = "everything, scale and spectrum included"
    note = "A difference may come from the change of scale and spectrum; compare with shuffle."

    def one(self, embeddings: Embeddings, context: Context) -> Embeddings:
        """N(0, 1) in every observed row."""
        shape = self._rows(embeddings).shape
        noise = self.rng(context.seed, embeddings.modality).standard_normal(shape, dtype=np.float32)
        return self._filled(embeddings, noise)


class GaussianMatched(Control):
    """Draws every row from a normal distribution with the mean and covariance of the real rows.

    With fewer items than columns the covariance is shrunk towards a multiple of the identity
    (Ledoit and Wolf 2004). The covariance matrix is never formed: with R the triangular factor of
    the centred rows, Z R / sqrt(n - 1) has the sample covariance for standard normal Z; shrinkage
    a adds independent noise of variance a times the mean eigenvalue. Time n d^2, memory d^2.
    """

    name = "gaussian-matched"
    drawn = True
    title = "Gaussian noise, matched mean and covariance"
    removes = "everything but first and second moments"
    note = "Shrunk covariance where there are fewer items than columns."

    def one(self, embeddings: Embeddings, context: Context) -> Embeddings:
        """N(mean, covariance) in every observed row."""
        rows = self._rows(embeddings)
        n, d = rows.shape
        if n == 0:
            return self._filled(embeddings, rows)
        mean = rows.mean(axis=0, dtype=np.float64)
        rng = self.rng(context.seed, embeddings.modality)
        shrinkage, mean_eigenvalue, divisor = 0.0, 0.0, max(1, n - 1)
        if 1 < n < d:
            from sklearn.covariance import ledoit_wolf_shrinkage

            centred = rows - mean
            divisor = n
            mean_eigenvalue = float((centred**2).sum() / (n * d))
            if mean_eigenvalue > 0:
                shrinkage = float(ledoit_wolf_shrinkage(centred, assume_centered=True))
        factor = _triangular_factor(rows, mean) * np.sqrt((1 - shrinkage) / divisor)
        noise = np.empty_like(rows)
        for start in range(0, n, _BLOCK):
            block = slice(start, min(start + _BLOCK, n))
            height = block.stop - start
            drawn = rng.standard_normal((height, len(factor))) @ factor
            if shrinkage:
                drawn += np.sqrt(shrinkage * mean_eigenvalue) * rng.standard_normal((height, d))
            noise[block] = mean + drawn
        return self._filled(embeddings, noise)


class Mean(Control):
    """Gives every item that has features the mean of all of them.

    What remains is who has features at all. That alone can tell popularity: popular items more
    often have a picture.
    """

    name = "mean"
    title = "Mean of all items"
    removes = "everything but who has features at all"
    note = "The missingness control. An item graph built from it consists of ties."

    def one(self, embeddings: Embeddings, context: Context) -> Embeddings:
        """The mean of the observed rows in each of them."""
        rows = self._rows(embeddings)
        if len(rows) == 0:
            return self._filled(embeddings, rows)
        mean = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
        return self._filled(embeddings, np.broadcast_to(mean, rows.shape))


class Removed(Control):
    """Takes the modality away.

    It is absent from the features: projection models add exactly 0 for it, graph models build no
    edges of it and renormalise the weights of the others. Rows of zeros would not do: their cosine
    is 0/0.
    """

    name = "removed"
    title = "Removed"
    removes = "the modality"
    note = "The modality is absent, not zero."

    def one(self, embeddings: Embeddings, context: Context) -> None:
        """Nothing."""
        return None


class Identity(Control):
    """Gives every item its own one-hot vector, so that the projection is a free table.

    The capacity reference: no content, but free parameters for each item. No item is missing. The
    matrix is not materialised. It cannot be used at inference, since its width differs from the
    trained one, nor to build a graph, since all items are equally far apart.
    """

    name = "identity"
    title = "One-hot item id"
    removes = "content; adds free parameters for each item"
    note = "The capacity reference; shape and mask are not kept."
    stages = ("train",)
    graph_ok = False

    def one(self, embeddings: Embeddings, context: Context) -> Embeddings:
        """One-hot item ids."""
        n = len(embeddings.item_ids)
        return Embeddings(
            embeddings.modality,
            self._label(embeddings),
            embeddings.item_ids,
            np.zeros((n, 0), dtype=np.float32),
            np.zeros(n, dtype=bool),
            one_hot=True,
        )


CONTROLS: Registry[Control] = Registry("control")
"""Every control by its name."""

for _control in (
    Real(),
    Shuffle(),
    GaussianUnit(),
    GaussianMatched(),
    Mean(),
    Removed(),
    Identity(),
):
    CONTROLS.register(_control.name, _control)


def apply(
    features: Features,
    modality: str,
    control: str,
    seed: int = 0,
    groups: Groups | None = None,
    extracted: Features | None = None,
) -> Features:
    """Replaces one modality, or all, by a control.

    Args:
        features: Modality -> embeddings of the same items in the same order.
        modality: A key of ``features``, or ``all``.
        control: A name in CONTROLS.
        seed: Not negative; of every random draw.
        groups: What the items can be grouped by, for controls that read it.
        extracted: Control -> the matrix made under it, for controls of the extractor's input.

    Returns:
        New features; modalities that were not named are the very same objects.

    Raises:
        InputError: Unknown control or modality, or a control that cannot be applied here.
    """
    chosen = CONTROLS.get(control)
    if seed < 0:
        raise InputError(f"The seed of a control is {seed}; give 0 or more.")
    _check_same_items(features)
    if modality not in (ALL, *features):
        known = ", ".join(features) or "none"
        raise InputError(f"There are no features of modality {modality!r}. Present: {known}.")
    reason = chosen.why_not(list(features), modality, groups or {})
    if reason:
        raise InputError(f"Control {control!r} cannot be applied to {modality}: {reason}.")
    if chosen.extraction and control not in (extracted or {}):
        raise InputError(f"{chosen.title}: the matrix was not extracted under this control.")
    context = Context(seed, features, groups or {}, extracted or {})
    if modality == ALL:
        return chosen.together(features, context)
    stand_in = chosen.one(features[modality], context)
    result = {name: stand_in if name == modality else each for name, each in features.items()}
    return {name: each for name, each in result.items() if each is not None}


def left_in_place(
    features: Features, modality: str, control: str = "shuffle", groups: Groups | None = None
) -> int:
    """How many items with features keep them, being alone in their group; 0 unless shuffled.

    Args:
        features: As in ``apply``.
        modality: As in ``apply``.
        control: As in ``apply``.
        groups: As in ``apply``.
    """
    chosen = CONTROLS.get(control)
    if not isinstance(chosen, Shuffle):
        return 0
    replaced = features if modality == ALL else {modality: features[modality]}
    _check_same_items(replaced)
    return chosen.left_in_place(replaced, groups or {})


def _check_same_items(features: Features) -> None:
    each = list(features.values())
    for other in each[1:]:
        if not np.array_equal(each[0].item_ids, other.item_ids):
            raise InputError(
                f"{each[0].extractor!r} and {other.extractor!r} hold different items or another "
                "order; align them with the items of the split first."
            )


def _triangular_factor(rows: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """R [min(n, d), d] float64 with R'R = (rows - mean)'(rows - mean), block by block."""
    factor: np.ndarray = np.zeros((0, rows.shape[1]))
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK] - mean
        factor = np.asarray(np.linalg.qr(np.concatenate([factor, block]), mode="r"))
    return factor
