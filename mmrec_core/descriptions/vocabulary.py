"""From what models say to attributes: like values of a slot become one, rare ones become other.

A vocabulary is made in three steps, each of which can be looked at: values are brought to one form
(lower case, lemmas), the forms of a slot are clustered by meaning, and the most frequent clusters
become attributes.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from mmrec_core.extractors.minilm import sentence_vectors

OTHER = "other"
Encode = Callable[[Sequence[str]], np.ndarray]
"""Texts -> vectors of length 1, [n, d]."""


class VocabularyConfig(BaseModel):
    """How values become attributes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: str = Field("en", description="Of the lemmas; see simplemma's list")
    distance: float = Field(
        0.2, ge=0, le=2, description="Mean cosine distance up to which two groups of values merge"
    )
    attributes: int = Field(50, ge=1, description="Kept in each slot; the rest are 'other'")
    most_values: int = Field(
        2000, ge=1, description="Values of a slot that are clustered, the most frequent first"
    )


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Which value stands for which attribute.

    Attributes:
        slots: In the order of the prompt.
        merged: One row a slot and value: slot, value (as said), form (lower case, lemmas), count,
            cluster (its most frequent form), attribute (that, or ``other``).
    """

    slots: tuple[str, ...]
    merged: pd.DataFrame

    @property
    def columns(self) -> list[tuple[str, str]]:
        """(slot, attribute) of every one-hot column; ``other`` comes last in its slot."""
        named = []
        for slot in self.slots:
            own = self.merged[self.merged["slot"] == slot]
            counts = own.groupby("attribute", sort=True)["count"].sum()
            order = sorted(counts.index, key=lambda a: (a == OTHER, -counts[a], a))
            named += [(slot, attribute) for attribute in order]
        return named

    def attribute(self, slot: str, value: str) -> str:
        """The attribute that a value stands for; a value that was never seen is ``other``."""
        return self._known.get((slot, value), OTHER)

    def one_hot(self, answers: Sequence[Mapping[str, str]]) -> np.ndarray:
        """Attributes of each answer, float32 [n, columns]; a slot without a value is all zero.

        Args:
            answers: Slot -> value, such as ``parse_answer(...).values``.
        """
        place = {column: at for at, column in enumerate(self.columns)}
        rows = np.zeros((len(answers), len(place)), dtype=np.float32)
        for row, values in zip(rows, answers, strict=True):
            for slot, value in values.items():
                at = place.get((slot, self.attribute(slot, value)))
                if at is not None:
                    row[at] = 1.0
        return rows

    @cached_property
    def _known(self) -> dict[tuple[str, str], str]:
        table = self.merged
        pairs = zip(table["slot"], table["value"], strict=True)
        return dict(zip(pairs, table["attribute"], strict=True))


def build_vocabulary(
    answers: Sequence[Mapping[str, str]],
    slots: Sequence[str],
    config: VocabularyConfig | None = None,
    encode: Encode = sentence_vectors,
) -> Vocabulary:
    """The vocabulary of a catalogue's answers.

    Args:
        answers: Slot -> value of every item.
        slots: In the order of the prompt.
        config: None: the defaults.
        encode: What the meaning of a value is taken from; MiniLM by default.
    """
    config = config or VocabularyConfig()
    tables = [
        _slot(slot, [a[slot] for a in answers if slot in a], config, encode) for slot in slots
    ]
    columns = ["slot", "value", "form", "count", "cluster", "attribute"]
    frames = [pd.DataFrame(table, columns=columns) for table in tables if table]
    merged = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)
    return Vocabulary(tuple(slots), merged)


def lemmas(value: str, language: str = "en") -> str:
    """A value in lower case, its words as their lemmas, white space and outer marks dropped."""
    from simplemma import lemmatize

    words = re.split(r"(\W+)", value.casefold().strip())
    lemmatised = [lemmatize(word, lang=language) if word.isalpha() else word for word in words]
    form = re.sub(r"\s+", " ", "".join(lemmatised)).casefold()
    return form.strip(" .,;:!?'\"*_-")


def _slot(
    slot: str, values: Sequence[str], config: VocabularyConfig, encode: Encode
) -> list[tuple[str, str, str, int, str, str]]:
    said = Counter(values)
    form = {value: lemmas(value, config.language) or value for value in said}
    counts: Counter[str] = Counter()
    for value, count in said.items():
        counts[form[value]] += count
    # The most frequent first, and equals by name, so that the result hangs on the answers alone.
    ordered = sorted(counts, key=lambda f: (-counts[f], f))
    clustered = ordered[: config.most_values]
    cluster = dict(zip(clustered, _clusters(clustered, config.distance, encode), strict=True))
    size: Counter[str] = Counter()
    for own, head in cluster.items():
        size[head] += counts[own]
    kept = set(sorted(size, key=lambda head: (-size[head], head))[: config.attributes])
    rows = []
    for value, count in sorted(said.items(), key=lambda pair: (-pair[1], pair[0])):
        head = cluster.get(form[value], OTHER)
        rows.append((slot, value, form[value], count, head, head if head in kept else OTHER))
    return rows


def _clusters(forms: Sequence[str], distance: float, encode: Encode) -> list[str]:
    """The first, so most frequent, member of each form's cluster."""
    from sklearn.cluster import AgglomerativeClustering

    if len(forms) < 2:
        return list(forms)
    labels = AgglomerativeClustering(
        n_clusters=None, metric="cosine", linkage="average", distance_threshold=distance
    ).fit_predict(encode(forms))
    head: dict[int, str] = {}
    for form, label in zip(forms, labels, strict=True):
        head.setdefault(int(label), form)
    return [head[int(label)] for label in labels]
