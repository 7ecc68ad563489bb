"""The alignment of many spaces through the store: made once by a job with progress."""

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.alignment import (
    CLIP_SCORE,
    duplicates,
    gap_positions,
    gap_probe,
    geometry,
    homophily,
    modality_gap,
    space_matrix,
)
from mmrec_core.alignment.clip_score import PREFIX
from mmrec_core.alignment.crossing import (
    TABLE,
    Crossing,
    cross_by_ridge,
    cross_in_shared,
    hits_table,
    recalls,
)
from mmrec_core.alignment.request import (
    USUAL,
    AlignConfig,
    AlignedSpace,
    in_one_space,
    two_sides,
    with_captions,
)
from mmrec_core.domain import InputError, Progress, Split, no_progress
from mmrec_core.store import Artefact, Store
from mmrec_core.store import store as installed_store

KIND, VERSION = "alignment", 2
_CONTENT = ("image", "text", "joint")

__all__ = [
    "KIND",
    "USUAL",
    "AlignConfig",
    "AlignedSpace",
    "Alignment",
    "align",
    "align_spec",
]


@dataclass(frozen=True, eq=False)
class Alignment:
    """A finished alignment.

    Attributes:
        artefact: Where it lies.
    """

    artefact: Artefact

    @property
    def spaces(self) -> dict[str, str]:
        """Name of each space -> its modality, in the order of the request."""
        return {name: own["modality"] for name, own in self.artefact.spec["spaces"]}

    def is_content(self, name: str) -> bool:
        """Whether a space is of pictures, words or both, not of a trained recommender."""
        return self.spaces[name] in _CONTENT

    @property
    def fitted(self) -> tuple[str, ...]:
        """Spaces that were fitted on this catalogue, in the order of the request."""
        return tuple(name for name, own in self.artefact.spec["spaces"] if own["fitted"])

    @property
    def without_prefix(self) -> tuple[tuple[str, str], ...]:
        """(pictures, words) of one model such as CLIP, but for the prefix of CLIPScore."""
        spaces = dict(self.artefact.spec["spaces"])
        images = {n: own for n, own in spaces.items() if own["modality"] == "image"}
        return tuple(
            (image, words)
            for image, own in images.items()
            for words, other in spaces.items()
            if other["modality"] == "text"
            and own["shares"]
            and own["shares"] == other["shares"]
            and not (own["fitted"] or other["fitted"])
            and other.get("prefix", "") != PREFIX
        )

    @property
    def config(self) -> AlignConfig:
        """What was computed."""
        return AlignConfig.model_validate(self.artefact.spec["config"])

    @cached_property
    def matrix(self) -> pd.DataFrame:
        """Every pair by every measure; see ``space_matrix``."""
        return self.artefact.table("matrix")

    @property
    def measured(self) -> list[str]:
        """Measures of ``matrix``, those that were asked for first."""
        there = dict.fromkeys(self.matrix["measure"])
        asked = [name for name in self.config.measures if name in there]
        return list(dict.fromkeys([*asked, *there]))

    @cached_property
    def geometry(self) -> pd.DataFrame:
        """One row a space; see ``geometry``."""
        return self.artefact.table("geometry")

    @cached_property
    def behaviour(self) -> pd.DataFrame:
        """One row a content space and measure; see ``homophily``."""
        return self.artefact.table("behaviour")

    @cached_property
    def retrieval(self) -> pd.DataFrame:
        """Recall of every two content spaces of unlike modalities, both ways, chance beside."""
        return self.artefact.table("retrieval")

    @cached_property
    def duplicates(self) -> pd.DataFrame:
        """Equal and nearly equal items of each content space: space, a, b, cosine, exact, group."""
        return self.artefact.table("duplicates")

    def hits(self, first: str, second: str) -> pd.DataFrame:
        """Every query of a pair of spaces; see ``hits_table``."""
        return self.artefact.table(f"hits-{self._place(first)}-{self._place(second)}")

    def positions(self, first: str, second: str) -> pd.DataFrame | None:
        """Where the items of two sides of one space lie on the line of the gap; None: not one."""
        name = f"gap-{self._place(first)}-{self._place(second)}"
        return self.artefact.table(name) if name in self.artefact.facts["gaps"] else None

    def gap(self, first: str, second: str) -> dict[str, float]:
        """``gap``, ``accuracy`` of the probe, ``n`` and ``fitted`` (1: here) of two sides."""
        found = self.artefact.facts["gaps"][f"gap-{self._place(first)}-{self._place(second)}"]
        return {**found, "fitted": float(first in self.fitted or second in self.fitted)}

    def _place(self, name: str) -> int:
        return list(self.spaces).index(name)


def align_spec(
    spaces: Mapping[str, AlignedSpace], split: Split | None, config: AlignConfig
) -> dict[str, Any]:
    """What the store keys an alignment by."""
    return {
        "version": VERSION,
        # A list: a mapping would lose the order.
        "spaces": [
            [
                name,
                {
                    "modality": own.modality,
                    "vectors": own.vectors.fingerprint,
                    "shares": own.shares,
                    "fitted": own.held_out is not None,
                    # Named only where there is one, as in the key of the embeddings.
                    **({"prefix": own.prefix} if own.prefix else {}),
                },
            ]
            for name, own in spaces.items()
        ],
        "split": None if split is None else split.fingerprint,
        "config": config.model_dump(mode="json"),
    }


def align(
    spaces: Mapping[str, AlignedSpace],
    split: Split | None,
    config: AlignConfig | None = None,
    progress: Progress = no_progress,
    *,
    into: Store | None = None,
) -> Alignment:
    """Compares spaces with each other, with what users do, and looks at the shape of each.

    Args:
        spaces: Name -> space, all over the same items.
        split: Whose train part tells what users do; None: that is not looked at.
        config: What is computed.
        progress: Told how far it is.
        into: The store; None: that of this installation.

    Raises:
        InputError: Fewer than two spaces, spaces of different items, or an unknown measure.
    """
    config = (config or AlignConfig()).checked()
    if len(spaces) < 2:
        raise InputError("An alignment compares two spaces or more; choose another one.")
    ids = [own.vectors.item_ids for own in spaces.values()]
    if any(len(other) != len(ids[0]) or (other != ids[0]).any() for other in ids[1:]):
        raise InputError("These spaces do not hold the same items in the same order.")
    into = into or installed_store()
    spec = align_spec(spaces, split, config)

    def write(folder: Path) -> dict[str, Any]:
        started = time.monotonic()
        gaps = _Aligning(spaces, split, config, progress, folder).run()
        return {
            "gaps": gaps,
            "n_items": len(ids[0]),
            "seconds": round(time.monotonic() - started, 3),
        }

    return Alignment(into.get(KIND, spec) or into.put(KIND, spec, write))


class _Aligning:
    """Computes the parts one after the other and writes each as a table."""

    def __init__(
        self,
        spaces: Mapping[str, AlignedSpace],
        split: Split | None,
        config: AlignConfig,
        progress: Progress,
        folder: Path,
    ) -> None:
        self.spaces, self.split, self.config = spaces, split, config
        self.progress, self.folder = progress, folder
        self.content = {n: own for n, own in spaces.items() if own.modality in _CONTENT}
        self.observed = {n: own.vectors.directed for n, own in spaces.items()}

    def run(self) -> dict[str, dict[str, float]]:
        """All parts; what the gaps are is returned."""
        self._write("matrix", self._matrix(self._part(0.0, 0.55)))
        self._write("behaviour", self._behaviour(self._part(0.55, 0.75)))
        self._write("geometry", self._geometry(self._part(0.75, 0.85)))
        self._write("retrieval", self._retrieval(self._part(0.85, 0.95)))
        gaps = self._gaps()
        self._write("duplicates", self._duplicates(self._part(0.95, 1.0)))
        return gaps

    def _part(self, start: float, end: float) -> Progress:
        def told(done: int, total: int, what: str) -> None:
            share = start + (end - start) * done / max(1, total)
            self.progress(round(1000 * share), 1000, what)

        return told

    def _write(self, name: str, table: pd.DataFrame) -> None:
        table.to_parquet(self.folder / f"{name}.parquet", index=False)

    def _matrix(self, progress: Progress) -> pd.DataFrame:
        captioned = self._pairs(with_captions)
        measures = self.config.measures
        # Where it is defined nobody should have to know that it must be asked for.
        if captioned and CLIP_SCORE.name not in measures:
            measures = (*measures, CLIP_SCORE.name)
        return space_matrix(
            {name: own.vectors.matrix for name, own in self.spaces.items()},
            {name: own.measured for name, own in self.spaces.items()},
            measures,
            self.config.permutations,
            self.config.seed,
            progress,
            shared=self._pairs(two_sides),
            captioned=captioned,
        )

    def _pairs(self, which: Callable[[AlignedSpace, AlignedSpace], bool]) -> list[tuple[str, str]]:
        both = combinations(self.spaces, 2)
        return [(a, b) for a, b in both if which(self.spaces[a], self.spaces[b])]

    def _behaviour(self, progress: Progress) -> pd.DataFrame:
        tables = []
        if self.split is None:
            note = "There are too few interactions to be divided, so users cannot be followed."
            rows = [{"space": name, "measure": "", "note": note} for name in self.content]
            return pd.DataFrame(rows)
        for done, (name, own) in enumerate(self.content.items()):
            row = pd.Index(own.vectors.item_ids).get_indexer(pd.Index(self.split.item_ids))
            progress(done, len(self.content), f"content against behaviour: {name}")
            try:
                found = homophily(
                    self.split.train,
                    own.vectors.matrix[row],
                    self.observed[name][row],
                    permutations=self.config.permutations,
                    seed=self.config.seed,
                )
            except InputError as error:
                tables.append(pd.DataFrame([{"space": name, "measure": "", "note": str(error)}]))
                continue
            facts: dict[str, Any] = {
                "n": found.n_used,
                "n_eligible": found.n_eligible,
                "low_degree": found.low_degree,
                "without_content": found.without_content,
                "k": found.k,
                "note": "",
            }
            tables.append(found.table.assign(space=name, **facts))
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()

    def _geometry(self, progress: Progress) -> pd.DataFrame:
        rows = []
        for done, (name, own) in enumerate(self.spaces.items()):
            progress(done, len(self.spaces), f"geometry: {name}")
            matrix = own.vectors.matrix[self.observed[name]]
            try:
                rows.append({"space": name, "note": "", **geometry(matrix, seed=self.config.seed)})
            except InputError as error:
                rows.append({"space": name, "note": str(error)})
        return pd.DataFrame(rows)

    def _retrieval(self, progress: Progress) -> pd.DataFrame:
        pairs = [
            (a, b)
            for a, b in combinations(self.content, 2)
            if self.content[a].modality != self.content[b].modality
        ]
        rows: list[dict[str, object]] = []
        for done, (first, second) in enumerate(pairs):
            progress(done, len(pairs), f"retrieval: {first} × {second}")
            crossings = self._crossings(first, second)
            if not crossings:
                continue
            rows += recalls(crossings, (first, second))
            places = [list(self.spaces).index(name) for name in (first, second)]
            self._write(f"hits-{places[0]}-{places[1]}", hits_table(crossings[0]))
        return pd.DataFrame(rows, columns=list(TABLE))

    def _crossings(self, first: str, second: str) -> list[Crossing]:
        """Between two content spaces; empty: too few items.

        Two sides of one space are compared in it and, on the same held-out items, by a ridge map
        of what they were made from.
        """
        a, b = self.spaces[first], self.spaces[second]
        seed = self.config.seed
        try:
            if not in_one_space(a, b):
                rows = np.flatnonzero(a.measured & b.measured)
                return [cross_by_ridge(a.vectors.matrix, b.vectors.matrix, rows, seed)]
            both = self.observed[first] & self.observed[second]
            held = np.flatnonzero(a.measured & b.measured)
            fitted = int(both.sum()) - len(held)
            found = [cross_in_shared(a.vectors.matrix, b.vectors.matrix, held, fitted)]
            if a.source is not None and b.source is not None and a.held_out is not None:
                rows = np.flatnonzero(both)
                sources = (a.source.matrix, b.source.matrix)
                with contextlib.suppress(InputError):
                    found.append(cross_by_ridge(*sources, rows, seed, a.held_out))
            return found
        except InputError:
            return []

    def _gaps(self) -> dict[str, dict[str, float]]:
        found: dict[str, dict[str, float]] = {}
        names = list(self.spaces)
        for first, second in self._pairs(two_sides):
            a, b = self.spaces[first], self.spaces[second]
            kept = a.measured & b.measured
            x, y = a.vectors.matrix[kept], b.vectors.matrix[kept]
            try:
                one, other = gap_positions(x, y)
                accuracy = gap_probe(x, y, self.config.seed)
                gap = modality_gap(x, y)
            except InputError:
                continue
            name = f"gap-{names.index(first)}-{names.index(second)}"
            positions = {
                "modality": np.repeat([a.modality, b.modality], len(x)),
                "position": np.concatenate([one, other]),
            }
            self._write(name, pd.DataFrame(positions))
            found[name] = {"gap": gap, "accuracy": accuracy, "n": float(len(x))}
        return found

    def _duplicates(self, progress: Progress) -> pd.DataFrame:
        tables = []
        for done, (name, own) in enumerate(self.content.items()):
            progress(done, len(self.content), f"near-duplicates: {name}")
            rows = np.flatnonzero(self.observed[name])
            # Centred: where all vectors point one way, every pair has a cosine near 1.
            matrix = own.vectors.matrix[rows].astype(np.float64)
            try:
                found = duplicates(matrix - matrix.mean(axis=0), self.config.near)
            except InputError:
                continue  # all vectors equal, or too few: the geometry says so
            pairs = found.pairs.assign(
                a=rows[found.pairs["a"].to_numpy(dtype=int)],
                b=rows[found.pairs["b"].to_numpy(dtype=int)],
                space=name,
                n_pairs=found.n_pairs,
            )
            tables.append(pairs)
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
