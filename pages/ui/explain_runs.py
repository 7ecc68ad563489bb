"""Runs that can be explained, opened once for a server: as trained, or under a control."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.domain import Dataset, InputError, Split
from mmrec_core.explanations.audience import CONTROLS as AT_ONCE
from mmrec_core.explanations.audience import controlled, lists_of_all
from mmrec_core.explanations.service import Explained, open_run
from mmrec_core.explanations.subject import Subject
from mmrec_core.metrics.ranking import PAD
from mmrec_core.store import store
from mmrec_core.studies.trained import StoredRun, inputs_of_run, stored_runs

MOST_LISTS = 4
USUAL = ("vbpr", "freedom", "light-gcn", "item-knn")
"""Recommenders whose lists a page prefers to open with."""

VISITOR = "visitor"

_SHORT = {"image": "pictures", "text": "words", "joint": "joint features"}
_DONE = {"shuffle": "shuffled", "gaussian-matched": "made noise", "removed": "removed"}


@dataclass(frozen=True)
class ListName:
    """What a list is of, as it stands in the address: ``RUN`` or ``RUN|MODALITY|CONTROL``.

    Attributes:
        run: Key of the run, shortened.
        modality: Which a control replaces once the model is trained; empty: none.
        control: The control; empty: as trained.
    """

    run: str
    modality: str = ""
    control: str = ""

    @classmethod
    def parsed(cls, text: str) -> "ListName":
        """Of an address."""
        parts = [*text.split("|"), "", ""]
        return cls(parts[0], parts[1], parts[2])

    def __str__(self) -> str:
        return "|".join(part for part in (self.run, self.modality, self.control) if part)


@st.cache_resource(max_entries=8, show_spinner=False)
def _runs(name: str, fingerprint: str, stamp: int, _dataset: Dataset) -> dict[str, StoredRun]:
    found = sorted(stored_runs(_dataset), key=lambda run: (run.title, run.seed))
    return {run.name: run for run in found}


def runs_of(dataset: Dataset) -> dict[str, StoredRun]:
    """Runs of a dataset's studies by name; looked up anew when something was computed."""
    return _runs(dataset.name, dataset.fingerprint, store().stamp("run", "study"), dataset)


@st.cache_resource(max_entries=6, show_spinner="Opening the trained model")
def _opened(name: str, fingerprint: str, run: str) -> Explained:
    return open_run(load_dataset(name), run)


def opened(dataset: Dataset, run: str) -> Explained:
    """A run made ready to be explained; kept for all visitors of this server.

    Raises:
        InputError: Only its lists were kept, or its inputs have changed.
    """
    return _opened(dataset.name, dataset.fingerprint, run)


def split_of(run: StoredRun) -> Split:
    """The split that a run was made on."""
    with st.spinner("Reading the split"):
        return inputs_of_run(run).split


@st.cache_resource(max_entries=12, show_spinner="Scoring under the control")
def _under(name: str, fingerprint: str, listed: str) -> Subject:
    own = ListName.parsed(listed)
    explained = _opened(name, fingerprint, own.run)
    return controlled(explained.subject, explained.dataset, own.modality, own.control)


def subject_of(dataset: Dataset, name: ListName) -> Subject:
    """The recommender behind a list, under its control if it has one.

    Raises:
        InputError: Only the run's lists were kept, or the score reads no such features.
    """
    if not name.control:
        return opened(dataset, name.run).subject
    return _under(dataset.name, dataset.fingerprint, str(name))


@st.cache_resource(max_entries=12, show_spinner="Scoring every user")
def _everyone(name: str, fingerprint: str, listed: str, k: int) -> np.ndarray:
    own = ListName.parsed(listed)
    if own.control:
        return lists_of_all(_under(name, fingerprint, listed), k)
    return lists_of_all(_opened(name, fingerprint, own.run).subject, k)


def lists_of_everyone(dataset: Dataset, name: ListName, k: int) -> np.ndarray:
    """Lists of every user, [n_users, k], PAD where one ends; stored ones where there are any."""
    run = runs_of(dataset)[name.run]
    if not name.control:
        return np.asarray(run.artefact.array("lists")[:, :k])
    return _everyone(dataset.name, dataset.fingerprint, str(name), k)


def list_of_user(dataset: Dataset, name: ListName, user: str, k: int) -> np.ndarray:
    """One user's list: item numbers, [at most k].

    Raises:
        InputError: The run's split has no such user.
    """
    run = runs_of(dataset)[name.run]
    split = split_of(run)
    at = _place(split, user)
    if name.control:
        return subject_of(dataset, name).list_of(at, k)
    own = np.asarray(run.artefact.array("lists")[at, :k])
    return own[own != PAD]


def _place(split: Split, user: str) -> int:
    found = np.flatnonzero(split.user_ids == user)
    if not len(found):
        raise InputError(f"The split of this run has no user {user!r}.")
    return int(found[0])


def titles_of(runs: Mapping[str, StoredRun]) -> dict[str, str]:
    """The shortest title of each run that no other has: model, then its seed, then its settings."""
    found = {}
    for level in ("short_title", "seeded_title", "title"):
        own = {name: getattr(run, level) for name, run in runs.items() if name not in found}
        counts = Counter(own.values())
        found |= {name: title for name, title in own.items() if counts[title] == 1}
    # Runs that nothing tells apart but what they were made on.
    return {name: found.get(name, f"{run.title} [{name}]") for name, run in runs.items()}


def list_options(runs: Mapping[str, StoredRun]) -> dict[str, str]:
    """Every list that can stand on the page -> its title: runs first, then controls of them."""
    titles = titles_of(runs)
    found = {name: titles[name] for name, run in runs.items() if run.kind.name != "random"}
    for name, run in runs.items():
        if not run.restorable or not run.kind.features_at_inference:
            continue
        for modality in sorted(run.artefact.spec["features"]):
            for control in AT_ONCE:
                text = str(ListName(name, modality, control))
                found[text] = f"{titles[name]} · {under_words(modality, control)}"
    return found


def under_words(modality: str, control: str) -> str:
    """A control of a trained model in words, such as ``pictures shuffled``."""
    return f"{_SHORT[modality]} {_DONE[control]}"


def usual_lists(runs: Mapping[str, StoredRun]) -> list[str]:
    """Lists that a page opens with: two content models and two without content, as trained."""
    real = [run for run in runs.values() if run.control == "real" and run.kind.name != "random"]

    def first_of(kind: str) -> str:
        own = [run for run in real if run.kind.name == kind]
        return min(own, key=lambda run: (run.seed, len(run.title), run.name)).name

    known = {run.kind.name for run in real}
    kinds = [kind for kind in USUAL if kind in known] + sorted(known - set(USUAL))
    reads = {run.kind.name: run.kind.features_at_inference for run in real}
    content = [kind for kind in kinds if reads[kind]]
    others = [kind for kind in kinds if not reads[kind]]
    chosen = content[:2] + others[: MOST_LISTS - len(content[:2])]
    return [first_of(kind) for kind in chosen]


def explainable(runs: Mapping[str, StoredRun], names: Sequence[ListName]) -> list[ListName]:
    """Lists whose recommender can be opened."""
    return [name for name in names if runs[name.run].restorable]
