"""One recommendation explained, whole: what pages draw, commands print and files hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.descriptions.service import usual_descriptions
from mmrec_core.domain import Dataset, InputError, Progress, no_progress, sha256_json
from mmrec_core.explanations.additive import split_by_history, split_by_neighbour, split_score
from mmrec_core.explanations.concepts import attributes_of, shared_attributes
from mmrec_core.explanations.counterfactual import left_out
from mmrec_core.explanations.faithfulness import find_faithfulness, make_faithfulness
from mmrec_core.explanations.gradients import integrated_gradients
from mmrec_core.explanations.history import leave_one_out
from mmrec_core.explanations.methods import METHODS
from mmrec_core.explanations.subject import LISTED, Subject
from mmrec_core.projection.selection import Column
from mmrec_core.store import Artefact, store
from mmrec_core.studies.trained import StoredRun, find_stored_run, fitted

CASES = 50
"""Recommendations by which the faithfulness of a run's explanations is measured."""

MOST_SHOWN = 10
"""Carriers, neighbours and attributes in one explanation."""


@dataclass(frozen=True, eq=False)
class Explained:
    """A stored run made ready to be explained.

    Attributes:
        dataset: Whose items.
        run: In the store.
        subject: Its recommender, made warm.
        title: What is explained, with its control or its visitor, if it has one.
    """

    dataset: Dataset
    run: StoredRun
    subject: Subject
    title: str

    @cached_property
    def rows(self) -> np.ndarray:
        """Row in the dataset of each item of the split, [n_items]."""
        place = pd.Index(self.dataset.item_ids).get_indexer(pd.Index(self.subject.split.item_ids))
        return np.asarray(place)

    @cached_property
    def items(self) -> dict[str, int]:
        """Item id -> item number in the split."""
        return {str(item): at for at, item in enumerate(self.subject.split.item_ids)}

    @cached_property
    def users(self) -> dict[str, int]:
        """User id -> row number."""
        return {str(user): at for at, user in enumerate(self.subject.split.user_ids)}

    @property
    def attributes(self) -> list[Column]:
        """What items can share; looked up anew when something was described."""
        return _attributes(self.dataset, store().stamp("descriptions"))

    def user(self, name: str) -> int:
        """Row number of a user.

        Raises:
            InputError: The split has no such user.
        """
        if name not in self.users:
            raise InputError(f"There is no user {name!r} in this split.")
        return self.users[name]

    def item(self, name: str) -> int:
        """Number of an item.

        Raises:
            InputError: The split has no such item.
        """
        if name not in self.items:
            raise InputError(f"There is no item {name!r} in this split.")
        return self.items[name]


@lru_cache(maxsize=4)
def _attributes(dataset: Dataset, stamp: int) -> list[Column]:
    return attributes_of(dataset, usual_descriptions(dataset))


def open_run(dataset: Dataset, name: str) -> Explained:
    """Restores a run and makes it ready.

    Raises:
        InputError: There is no such run, its weights were not kept, or its inputs have changed.
    """
    run = find_stored_run(dataset, name)
    mask = str(run.artefact.spec["mask"])
    return Explained(dataset, run, Subject(fitted(run), mask), run.title)


def explain_list(explained: Explained, user: int, k: int = LISTED) -> pd.DataFrame:
    """A user's list with the parts of every score.

    Returns:
        rank, item (id), title, score, a column a part, relevant (a hit in the test part).
    """
    subject = explained.subject
    parts, scores = subject.parts(user), subject.scores(user)
    listed = subject.list_of(user, k, scores)
    relevant = set(subject.split.relevant("test")[user].indices.tolist())
    titles = explained.dataset.items["title"].to_numpy(dtype=object)[explained.rows[listed]]
    table = {
        "rank": np.arange(1, len(listed) + 1),
        "item": subject.split.item_ids[listed],
        "title": titles,
        "score": scores[listed],
        **{part: values[listed] for part, values in parts.items()},
        "relevant": [int(item) in relevant for item in listed],
    }
    return pd.DataFrame(table)


def explain(
    explained: Explained, user: int, item: int, progress: Progress = no_progress
) -> dict[str, Any]:
    """One recommendation explained in every way that its model allows, as plain values.

    Args:
        explained: The run.
        user: Row number.
        item: Item number.
        progress: Told while the history is gone through.

    Returns:
        dataset, run, recommender, user, item, title, score, rank, seen, a value for each of
        METHODS, and ``not_available``: method -> why, in a sentence.
    """
    subject, split = explained.subject, explained.subject.split
    ids = split.item_ids
    scores = subject.scores(user)
    reasons = {name: method.reason(subject) for name, method in METHODS.items()}

    def named(table: pd.DataFrame, column: str) -> list[dict[str, Any]]:
        rows = table.to_dict("records")
        for row in rows:
            number = int(row[column])
            row[column] = str(ids[number]) if number >= 0 else None
        return _plain(rows)

    found: dict[str, Any] = {}
    split_table = split_score(subject, user, item)
    found["score-split"] = _plain(split_table.table.to_dict("records"))
    if not reasons["history-split"]:
        found["history-split"] = named(split_by_history(subject, user, item), "history")
    if not reasons["neighbour-split"]:
        found["neighbour-split"] = named(split_by_neighbour(subject, user, item), "neighbour")
    if not reasons["history-left-out"]:
        found["history-left-out"] = named(
            leave_one_out(subject, user, item, progress=progress), "history"
        )
    if not reasons["modality-left-out"]:
        found["modality-left-out"] = _plain(left_out(subject, user, item).to_dict("records"))
    if not reasons["integrated-gradients"]:
        table, _ = integrated_gradients(subject, user, item)
        found["integrated-gradients"] = {"modalities": table.to_dict("records"), **table.attrs}
    history = explained.rows[subject.history(user)]
    shared = shared_attributes(explained.attributes, int(explained.rows[item]), history)
    found["shared-attributes"] = _plain(shared.to_dict("records"))
    return {
        "dataset": explained.dataset.name,
        "run": explained.run.artefact.key,
        "recommender": explained.title,
        "user": str(split.user_ids[user]),
        "item": str(ids[item]),
        "title": str(explained.dataset.items["title"].iloc[explained.rows[item]]),
        "score": float(scores[item]),
        "average_score": split_table.average,
        "rank": subject.rank(user, item, scores),
        "seen": bool(item in subject.seen[user].indices),
        **found,
        "not_available": {name: reason for name, reason in reasons.items() if reason},
    }


def _plain(rows: list[dict[Any, Any]]) -> list[dict[str, Any]]:
    """Records of plain Python values."""
    return [
        {str(k): v.item() if isinstance(v, np.generic) else v for k, v in row.items()}
        for row in rows
    ]


def attributes_fingerprint(columns: list[Column]) -> str:
    """What faithfulness measured of shared attributes rests on."""
    return sha256_json(
        [
            [c.name, list(c.names), c.values.tolist() if c.values is not None else []]
            for c in columns
        ]
    )


def faithfulness(explained: Explained, n: int = CASES, seed: int = 0) -> Artefact | None:
    """How faithful a run's explanations were found to be; None where it was not measured."""
    fingerprint = attributes_fingerprint(explained.attributes)
    return find_faithfulness(explained.run.artefact.key, fingerprint, n, seed)


def measure_faithfulness(
    explained: Explained, n: int = CASES, seed: int = 0, progress: Progress = no_progress
) -> Artefact:
    """Measures how faithful a run's explanations are, unless the store has it."""
    return make_faithfulness(
        explained.subject,
        explained.run.artefact.key,
        explained.attributes,
        explained.rows,
        attributes_fingerprint(explained.attributes),
        n,
        seed,
        progress,
    )


def sentence(document: Mapping[str, Any]) -> str:
    """What an explanation comes to, in plain words, from its numbers."""
    parts = {own["part"]: own["against_average"] for own in document["score-split"]}
    words = [
        f"{document['title']} is number {document['rank']:,} for user {document['user']} "
        f"of {document['recommender']}."
    ]
    total = document["score"] - document["average_score"]
    if "score-split" not in document["not_available"] and len(parts) > 1 and total > 0:
        part, value = max(parts.items(), key=lambda own: own[1])
        words.append(
            f"It scores {total:.3g} above the average item ranked; the largest part, {value:.3g}, "
            f"is {PART_WORDS.get(part, part)}."
        )
    elif "score-split" in document["not_available"]:
        words.append(document["not_available"]["score-split"])
    shared = document["shared-attributes"]
    if shared and shared[0]["told"]:
        first = shared[0]
        everywhere = f"{first['catalogue_share']:.0%}"
        words.append(
            f"{first['in_history']} of {first['of_history']} items of the history share "
            f"{first['attribute']}: {first['value']} (of the catalogue {everywhere})."
        )
    return " ".join(words)


PART_WORDS = {
    "collaborative": "collaborative: what similar users took",
    "image": "its picture",
    "text": "its words",
    "joint": "its joint features",
    "popularity": "popularity",
    "whole": "one whole that does not split",
    "chance": "chance",
}
"""Part of a score -> what a sentence calls it."""
