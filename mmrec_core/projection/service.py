"""Maps through the store: made once for the same vectors and settings, by a job with progress."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.domain import InputError, Progress, no_progress
from mmrec_core.projection.graph import EXACT, neighbour_graph
from mmrec_core.projection.nearby import K, neighbour_lists
from mmrec_core.projection.plane import (
    MOST_NEIGHBOURS,
    UmapConfig,
    pca_plane,
    umap_plane,
    unit_length,
)
from mmrec_core.projection.quality import Quality, map_quality
from mmrec_core.projection.regions import Regions, find_regions, words_fingerprint
from mmrec_core.projection.vectors import Vectors
from mmrec_core.store import Artefact, Store, write_array
from mmrec_core.store import store as installed_store

GRAPH, MAP, REGIONS, LISTS = "neighbours", "map", "regions", "item-neighbours"
VERSION = 1
LEAST = 4
"""Different vectors below which there is nothing to map."""

STABLE = 25_000
"""Vectors up to which a second map with another seed is made, to see how stable the first is."""


@dataclass(frozen=True, eq=False)
class ItemMap:
    """A finished map.

    Attributes:
        artefact: Where it lies.
    """

    artefact: Artefact

    @cached_property
    def points(self) -> np.ndarray:
        """[n_items, 2] float32; NaN where the item is not on the map."""
        return np.asarray(self.artefact.array("points"))

    @property
    def config(self) -> UmapConfig:
        """Settings it was made with."""
        return UmapConfig.model_validate(self.artefact.spec["config"])

    @property
    def quality(self) -> Quality | None:
        """What it keeps of the space; None where it holds too few items."""
        found = self.artefact.facts["quality"]
        return None if found is None else Quality(**found)

    @property
    def exact(self) -> bool:
        """Whether its neighbours are exact."""
        return bool(self.artefact.facts["exact"])

    @property
    def duplicates(self) -> int:
        """Items that lie on the point of another, since their vectors are equal."""
        return int(self.artefact.facts["duplicates"])


def map_spec(vectors: Vectors, config: UmapConfig) -> dict[str, Any]:
    """What the store keys a map by."""
    return {
        "version": VERSION,
        "vectors": vectors.fingerprint,
        "config": config.model_dump(mode="json"),
    }


def find_map(vectors: Vectors, config: UmapConfig) -> ItemMap | None:
    """The finished map of a space, or None."""
    found = installed_store().get(MAP, map_spec(vectors, config))
    return None if found is None else ItemMap(found)


def make_map(
    vectors: Vectors,
    config: UmapConfig | None = None,
    progress: Progress = no_progress,
    *,
    into: Store | None = None,
) -> ItemMap:
    """Maps a space with UMAP, or loads the map where it is finished.

    Items whose vectors are equal are mapped once and share a point: a seed gives the same map
    twice only where no two rows are alike. Items without a vector, or with a vector of zeros,
    which has no direction, are not on the map.

    Args:
        vectors: The space.
        config: Settings of UMAP.
        progress: Told how far it is.
        into: The store; None: that of this installation.

    Raises:
        InputError: Fewer than four different vectors, or nothing may be computed here.
    """
    config, into = config or UmapConfig(), into or installed_store()
    spec = map_spec(vectors, config)
    found = into.sound(MAP, Store.key(MAP, spec))
    if found is None:
        rows, place = vectors.distinct
        if len(rows) < LEAST:
            raise InputError(
                f"Only {len(rows)} different vectors are in this space; a map needs {LEAST}."
            )
        if np.ptp(unit_length(vectors.matrix[rows]), axis=0).max() < 1e-6:
            raise InputError("All vectors of this space point one way, so no two are nearer.")
        steps = _Steps(progress, 2 if len(rows) <= STABLE else 1)
        graph = _graph(vectors, rows, config.seed, steps, into)

        def write(folder: Path) -> dict[str, Any]:
            started = time.monotonic()
            matrix = vectors.matrix[rows]
            plane = umap_plane(matrix, graph, config, steps.epochs(0))
            other = None
            if len(rows) <= STABLE:
                again = config.model_copy(update={"seed": config.seed + 1})
                other = umap_plane(matrix, graph, again, steps.epochs(1))
            steps.at("quality", 1.0)
            quality = map_quality(matrix, plane, other, config.seed)
            points = np.full((len(place), 2), np.nan, dtype=np.float32)
            points[place >= 0] = plane[place[place >= 0]]
            write_array(folder / "points.npy", points)
            return {
                "quality": None if quality is None else quality.as_json(),
                "exact": len(rows) <= EXACT,
                "on_map": int((place >= 0).sum()),
                "duplicates": int((place >= 0).sum()) - len(rows),
                "seconds": round(time.monotonic() - started, 3),
            }

        found = into.put(MAP, spec, write)
    return ItemMap(found)


class _Steps:
    """Shares the work of a map out over one bar: neighbours, then one or two maps, then quality."""

    def __init__(self, progress: Progress, maps: int) -> None:
        self.progress, self.maps = progress, maps

    def at(self, what: str, share: float) -> None:
        self.progress(round(1000 * share), 1000, what)

    def graph(self, done: int, total: int, what: str) -> None:
        self.at(f"{what}: {done:,} of {total:,}", 0.35 * done / max(1, total))

    def epochs(self, index: int) -> Any:
        """Called with epochs done and in all of map ``index``."""
        which = "UMAP" if index == 0 else "UMAP with another seed, to see how stable the map is"
        step = 0.6 / self.maps

        def told(done: int, total: int) -> None:
            self.at(f"{which}: epoch {done} of {total}", 0.35 + step * (index + done / total))

        return told


def _graph(
    vectors: Vectors, rows: np.ndarray, seed: int, steps: _Steps, into: Store
) -> tuple[np.ndarray, np.ndarray]:
    """The one graph of a space's different vectors, from the store or made now."""
    exact = len(rows) <= EXACT
    spec = {
        "version": VERSION,
        "vectors": vectors.fingerprint,
        "k": MOST_NEIGHBOURS,
        # Only a search by chance depends on it.
        "seed": None if exact else seed,
    }

    def write(folder: Path) -> dict[str, Any]:
        made = neighbour_graph(vectors.matrix[rows], MOST_NEIGHBOURS, seed, steps.graph)
        for name, array in zip(("indices", "similarities"), made, strict=True):
            write_array(folder / f"{name}.npy", array)
        return {"exact": exact, "rows": len(rows)}

    graph = into.put(GRAPH, spec, write)
    return np.asarray(graph.array("indices")), np.asarray(graph.array("similarities"))


def _lists_spec(vectors: Vectors, k: int) -> dict[str, Any]:
    return {"version": VERSION, "vectors": vectors.fingerprint, "k": k}


def find_neighbour_lists(vectors: Vectors, k: int = K) -> np.ndarray | None:
    """The k nearest items of every item where that is known, int32 [n_items, k], else None."""
    found = installed_store().get(LISTS, _lists_spec(vectors, k))
    return None if found is None else np.asarray(found.array("lists"))


def make_neighbour_lists(
    vectors: Vectors, k: int = K, progress: Progress = no_progress, *, into: Store | None = None
) -> np.ndarray:
    """The k nearest items of every item, from the graph of its map where no two vectors are equal.

    Above EXACT items with equal vectors count as the first of them.
    """
    into = into or installed_store()

    def write(folder: Path) -> dict[str, Any]:
        rows, place = vectors.distinct
        if vectors.directed.sum() < 2:
            near = np.full((len(place), k), -1, dtype=np.int32)
        elif len(rows) == vectors.directed.sum() or len(rows) > EXACT:
            indices, _ = _graph(vectors, rows, 0, _Steps(progress, 1), into)
            near = np.full((len(place), k), -1, dtype=np.int32)
            near[place >= 0, : indices.shape[1]] = rows[indices[place[place >= 0], :k]]
        else:
            near = neighbour_lists(vectors, k, progress)
        write_array(folder / "lists.npy", near)
        return {}

    spec = _lists_spec(vectors, k)
    found = into.get(LISTS, spec) or into.put(LISTS, spec, write)
    return np.asarray(found.array("lists"))


def find_artefacts(kind: str, **spec: Any) -> list[Artefact]:
    """Finished artefacts of a kind whose spec holds these values."""
    return [
        artefact
        for artefact in installed_store().list(kind)
        if all(artefact.spec.get(name) == value for name, value in spec.items())
    ]


def make_preview(vectors: Vectors) -> tuple[np.ndarray, np.ndarray]:
    """PCA of a space, at once: points [n_items, 2] (NaN: not in it), shares of variance [2]."""
    shown = vectors.directed
    points = np.full((len(shown), 2), np.nan, dtype=np.float32)
    if not shown.any():
        return points, np.zeros(2)
    points[shown], share = pca_plane(vectors.matrix[shown])
    return points, share


def make_regions(
    own: ItemMap, texts: Sequence[str], smallest: int | None = None, *, into: Store | None = None
) -> Regions:
    """Regions of a map with their words, from the store where they are finished."""
    spec = {
        "version": VERSION,
        "map": own.artefact.key,
        "words": words_fingerprint(texts),
        "smallest": smallest,
    }

    def write(folder: Path) -> dict[str, Any]:
        made = find_regions(own.points, texts, smallest)
        write_array(folder / "of_item.npy", made.of_item)
        made.table.to_parquet(folder / "regions.parquet", index=False)
        return {"clustered": made.clustered}

    target = into or installed_store()
    found = target.get(REGIONS, spec) or target.put(REGIONS, spec, write)
    table: pd.DataFrame = found.table("regions")
    return Regions(np.asarray(found.array("of_item")), table, int(found.facts["clustered"]))
