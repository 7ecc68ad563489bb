"""A fitted recommender made warm: what explanations read again and again is computed once."""

import copy
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import sparse

from mmrec_core.domain import Embeddings, InputError, Split
from mmrec_core.metrics.ranking import random_tie_rank
from mmrec_core.recommenders.base import Recommender
from mmrec_core.recommenders.trainer import Trained
from mmrec_core.studies.runs import TIE_SEED, seen_by

LISTED = 20
"""Length of a list on screen."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A recommender that is explained.

    Attributes:
        model: Fitted.
        mask: What of a user's history is left out of rankings, as in the study.
    """

    model: Recommender
    mask: str = "train+valid"

    @property
    def split(self) -> Split:
        """What the model was trained on, or an edited history."""
        return self.model.split

    @cached_property
    def factors(self) -> dict[str, tuple[np.ndarray | None, np.ndarray]]:
        """Factors of every part of a trained model, users [U, k] and items [I, k]."""
        assert isinstance(self.model, Trained)
        return self.model.factor_arrays()

    @cached_property
    def seen(self) -> sparse.csr_matrix:
        """What is left out of each user's ranking, CSR [n_users, n_items]."""
        return seen_by(self.split, self.mask)

    @cached_property
    def tie_rank(self) -> np.ndarray:
        """The random order that ties are broken by, [n_items]."""
        return random_tie_rank(self.split.n_items, TIE_SEED)

    def parts(self, user: int) -> dict[str, np.ndarray]:
        """Additive parts of the scores of a user, part -> float64 [n_items]."""
        if not isinstance(self.model, Trained):
            own = self.model.parts(np.array([user]))
            return {part: values[0].astype(np.float64) for part, values in own.items()}
        return {
            part: (v if u is None else v @ u[user]).astype(np.float64)
            for part, (u, v) in self.factors.items()
        }

    def scores(self, user: int) -> np.ndarray:
        """Scores of every item for a user, float64 [n_items]."""
        if isinstance(self.model, Trained):
            return np.asarray(sum(self.parts(user).values()))
        return self._score(user)

    @cached_property
    def _scorer(self):  # type: ignore[no-untyped-def]
        return self.model.scorer()

    def _score(self, user: int) -> np.ndarray:
        return np.asarray(self._scorer(np.array([user]))[0], dtype=np.float64)

    def history(self, user: int) -> np.ndarray:
        """Items that a user took in training, in their order, [h]."""
        return np.asarray(self.split.train[user].indices)

    def ranked_items(self, user: int) -> np.ndarray:
        """[n_items] bool; True for items that are ranked for a user: candidates not seen."""
        allowed = np.ones(self.split.n_items, dtype=bool)
        if self.split.candidates is not None:
            allowed = self.split.candidates.copy()
        allowed[self.seen[user].indices] = False
        return allowed

    def list_of(self, user: int, k: int = LISTED, scores: np.ndarray | None = None) -> np.ndarray:
        """The k best items of a user, best first; ties by the study's fixed random order."""
        scores = self.scores(user) if scores is None else scores
        allowed = np.flatnonzero(self.ranked_items(user))
        order = np.lexsort((self.tie_rank[allowed], -scores[allowed].astype(np.float32)))
        return np.asarray(allowed[order[:k]])

    def rank(self, user: int, item: int, scores: np.ndarray | None = None) -> int:
        """Place of an item among those ranked for a user, from 1; as if it were not seen."""
        scores = self.scores(user) if scores is None else scores
        allowed = self.ranked_items(user)
        allowed[item] = True
        # In float32, as lists are ranked: what ties there ties here.
        own = scores.astype(np.float32)
        ahead = own > own[item]
        level = (own == own[item]) & (self.tie_rank < self.tie_rank[item])
        return 1 + int(np.count_nonzero((ahead | level) & allowed))

    def edited(self, features: Embeddings) -> "Subject":
        """The same learned parameters over one modality's edited features.

        Raises:
            InputError: The score does not read features, or not of this modality.
        """
        model = self.model
        if not model.features_at_inference or features.modality not in model.features:
            raise InputError(
                f"{model.title} reads no {features.modality} features when it scores, so changing "
                "them changes nothing."
            )
        # Those beside it are pinned: what is made from them is made once for all edits.
        beside = {m: own.pinned() for m, own in model.features.items()}
        return replace(self, model=model.with_features({**beside, features.modality: features}))

    def without(self, modality: str) -> "Subject":
        """The same learned parameters where every item lacks a modality.

        The modality is there and says nothing: the others keep the weight that they were trained
        with. (A control ``removed`` leaves it out, and the others take its weight over.)
        """
        return self.edited(self.model.features[modality].emptied())

    def with_history(self, user: int, items: np.ndarray) -> "Subject":
        """The same learned parameters where one user's train history is another.

        Raises:
            InputError: The model does not read histories when it scores.
        """
        if not self.model.reads_history:
            raise InputError(
                f"{self.model.title} learned one embedding for each user and does not read the "
                "history when it scores; only training again could forget an item."
            )
        train = self.split.train
        start, end = train.indptr[user], train.indptr[user + 1]
        items = np.unique(np.asarray(items, dtype=train.indices.dtype))
        indptr = train.indptr.copy()
        indptr[user + 1 :] += len(items) - (end - start)
        indices = np.concatenate([train.indices[:start], items, train.indices[end:]])
        data = np.ones(len(indices), dtype=train.data.dtype)
        changed = sparse.csr_matrix((data, indices, indptr), shape=train.shape)
        return replace(self, model=_over(self.model, replace(self.split, train=changed)))

    def with_visitor(self, items: np.ndarray) -> tuple["Subject", int]:
        """Adds somebody whom training did not see, by a history alone.

        Neighbourhood models and EASE know every user by the history alone. Graph models give the
        visitor what the items of the history bring; an embedding of its own, which training would
        have added, is zero.

        Returns:
            The subject with one user more, and that user's row number.

        Raises:
            InputError: The model learns something of each user that no history tells.
        """
        if not self.model.folds_in:
            raise InputError(
                f"{self.model.title} learns something of each user in training that a history "
                "alone does not tell, so nobody can be added afterwards."
            )
        row = sparse.csr_matrix((1, self.split.n_items), dtype=self.split.train.dtype)

        def grown(part: sparse.csr_matrix) -> sparse.csr_matrix:
            return sparse.csr_matrix(sparse.vstack([part, row.astype(part.dtype)]))

        split = replace(
            self.split,
            train=grown(self.split.train),
            valid=grown(self.split.valid),
            test=grown(self.split.test),
            user_ids=np.append(self.split.user_ids, np.array(["visitor"], dtype=object)),
        )
        model = _over(self.model, split)
        if isinstance(model, Trained):
            user = model.state["user"]
            model.state = model.state | {"user": np.vstack([user, np.zeros_like(user[:1])])}
        visitor = self.split.n_users
        return replace(self, model=model).with_history(visitor, items), visitor


def _over(model: Recommender, split: Split) -> Recommender:
    """The model with all that it learned over another split."""
    other = copy.copy(model)
    other.split = split
    return other
