"""From a space to the plane: PCA at once, UMAP with progress."""

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

MOST_NEIGHBOURS = 50
"""Columns of the one graph that every setting of UMAP takes its neighbours from."""


class UmapConfig(BaseModel):
    """Settings of UMAP (McInnes, Healy, Melville 2018); cosine is the distance always."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    n_neighbors: int = Field(
        15, ge=2, le=MOST_NEIGHBOURS, description="Small: fine structure. Large: the whole"
    )
    min_dist: float = Field(0.1, ge=0.0, le=0.99, description="How close points may lie")
    init: Literal["pca", "spectral"] = Field("pca", description="Where the points start from")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Of sampling; the same map every time")


def pca_plane(rows: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The two leading principal components of rows of length 1.

    Args:
        rows: [n, d].
        seed: Of the randomised solver for large inputs.

    Returns:
        coordinates float32 [n, 2] and the share of variance of each axis [2].
    """
    from sklearn.decomposition import PCA

    unit = unit_length(rows)
    width = min(2, *unit.shape)
    fitted = PCA(width, random_state=seed)
    plane = np.zeros((len(unit), 2), dtype=np.float32)
    plane[:, :width] = fitted.fit_transform(unit)
    share = np.zeros(2)
    share[:width] = np.nan_to_num(fitted.explained_variance_ratio_)
    return plane, share


def umap_plane(
    rows: np.ndarray,
    graph: tuple[np.ndarray, np.ndarray],
    config: UmapConfig,
    told: Callable[[int, int], None],
) -> np.ndarray:
    """UMAP of rows on a graph of neighbours that is there already, float32 [n, 2].

    Args:
        rows: [n, d], no two alike; a seed gives the same map only without duplicates.
        graph: Of ``neighbour_graph``, with at least ``n_neighbors`` columns or all there are.
        config: Settings.
        told: Called with epochs done and in all; what it raises ends the work.
    """
    from umap import UMAP

    indices, similarity = graph
    n = len(rows)
    # UMAP counts the point itself as its first neighbour.
    own = np.arange(n, dtype=np.int32)[:, None]
    near = np.concatenate([own, indices], axis=1)
    distance = np.concatenate([np.zeros((n, 1)), np.maximum(1.0 - similarity, 0.0)], axis=1)
    wanted = min(config.n_neighbors, near.shape[1])
    fitted = UMAP(
        n_neighbors=wanted,
        min_dist=config.min_dist,
        init=config.init,
        metric="cosine",
        random_state=config.seed,
        precomputed_knn=(near[:, :wanted], distance[:, :wanted].astype(np.float32), None),
        # With a seed it works on one thread, and says so unless told beforehand.
        n_jobs=1,
        verbose=True,
        tqdm_kwds={
            "file": _Epochs(told),
            "bar_format": "{n_fmt}/{total_fmt}\n",
            "mininterval": 0.5,
        },
    )
    with _silent():
        # New points are never placed on a finished map.
        warnings.filterwarnings("ignore", "precomputed_knn", UserWarning)
        plane: np.ndarray = fitted.fit_transform(unit_length(rows))
    return plane.astype(np.float32)


def unit_length(rows: np.ndarray) -> np.ndarray:
    """Rows of length 1, float32; Euclidean order among them is that of cosine."""
    length = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    return np.divide(rows, length, out=np.zeros(rows.shape), where=length > 0).astype(np.float32)


class _Epochs:
    """A file that UMAP's progress bar writes to, which is the one way to hear of its epochs."""

    def __init__(self, told: Callable[[int, int], None]) -> None:
        self.told = told

    def write(self, text: str) -> int:
        done, _, total = text.strip().partition("/")
        if done.isdigit() and total.isdigit():
            self.told(int(done), int(total))
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keeps what UMAP prints beside its progress bar out of the log."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        yield
