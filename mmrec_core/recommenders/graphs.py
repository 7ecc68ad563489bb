"""Graphs that recommenders propagate over, and the sparse product that does it."""

import warnings
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from mmrec_core.domain import Embeddings, Features
from mmrec_core.lazy import lazy_import
from mmrec_core.neighbours import edited_neighbours, nearest_neighbours, unit_rows
from mmrec_core.settings import settings
from mmrec_core.store import store, write_array

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_import("torch")

GRAPH_VERSION = 1
EDGE_BLOCK = 1 << 14
"""Edges whose two feature rows are held at a time."""


def bipartite(train: sparse.csr_matrix) -> sparse.csr_matrix:
    """Ahat = D^-1/2 A D^-1/2 of the user-item graph, CSR [(U+I), (U+I)], no self-loops."""
    n_users, n_items = train.shape
    coo = train.tocoo()
    rows = np.concatenate([coo.row, coo.col + n_users])
    columns = np.concatenate([coo.col + n_users, coo.row])
    return normalised(rows, columns, n_users + n_items)


def normalised(rows: np.ndarray, columns: np.ndarray, n: int) -> sparse.csr_matrix:
    """Symmetrically normalised CSR [n, n] of an edge list that holds both directions."""
    degree = np.bincount(rows, minlength=n).astype(np.float64)
    inverse = np.divide(1.0, np.sqrt(degree), out=np.zeros(n), where=degree > 0)
    values = (inverse[rows] * inverse[columns]).astype(np.float32)
    return sparse.coo_matrix((values, (rows, columns)), shape=(n, n)).tocsr()


def mean_aggregation(train: sparse.csr_matrix) -> sparse.csr_matrix:
    """D^-1 A of the user-item graph: every node takes the mean of its neighbours."""
    n_users, n_items = train.shape
    coo = train.tocoo()
    rows = np.concatenate([coo.row, coo.col + n_users])
    columns = np.concatenate([coo.col + n_users, coo.row])
    degree = np.bincount(rows, minlength=n_users + n_items)
    values = (1.0 / degree[rows]).astype(np.float32)
    shape = (n_users + n_items,) * 2
    return sparse.coo_matrix((values, (rows, columns)), shape=shape).tocsr()


def users_from_items(train: sparse.csr_matrix) -> sparse.csr_matrix:
    """The rows of Ahat that lead from items to users, square like it; all others are empty."""
    whole = bipartite(train).tocoo()
    own = whole.row < train.shape[0]
    values = (whole.data[own], (whole.row[own], whole.col[own]))
    return sparse.coo_matrix(values, shape=whole.shape).tocsr()


def similarity_graph(embeddings: Embeddings, k: int) -> sparse.csr_matrix:
    """D^-1/2 S D^-1/2 of the k nearest observed items, weighted by centred cosine, CSR [n, n].

    D holds the row sums of S. Negative cosines are no edges; nor is an item to itself. Where all
    observed rows are equal every pair weighs the same, so that the graph tells who has features.
    """
    if embeddings.base is not None and not len(embeddings.edits()):
        return _base_similarity_graph(embeddings.base, k)
    nearest = neighbour_lists(embeddings, k)
    rows = _directions(embeddings)
    n = len(rows)
    at, place = np.nonzero(nearest >= 0)
    columns = nearest[at, place]
    cosine = np.ones(len(at), dtype=np.float32)
    if rows.any():
        for start in range(0, len(at), EDGE_BLOCK):
            own = slice(start, start + EDGE_BLOCK)
            cosine[own] = np.einsum("ij,ij->i", rows[at[own]], rows[columns[own]])
    values = np.maximum(cosine, 0.0)
    degree = np.bincount(at, weights=values, minlength=n)
    inverse = np.divide(1.0, np.sqrt(degree), out=np.zeros(n), where=degree > 0)
    values = (values * inverse[at] * inverse[columns]).astype(np.float32)
    graph = sparse.coo_matrix((values, (at, columns)), shape=(n, n)).tocsr()
    graph.eliminate_zeros()
    return graph


@lru_cache(maxsize=4)
def _base_similarity_graph(base: Embeddings, k: int) -> sparse.csr_matrix:
    """The graph of features beside which others are edited again and again."""
    return similarity_graph(base, k)


def _directions(embeddings: Embeddings) -> np.ndarray:
    """``unit_rows``; of edited features those of the base, but for what was edited."""
    if embeddings.base is None:
        return unit_rows(embeddings.matrix, embeddings.observed)
    before, mean = _base_directions(embeddings.base)
    changed = embeddings.edits()
    if not len(changed):
        return before
    rows = before.copy()
    own = embeddings.matrix[changed], embeddings.observed[changed]
    rows[changed] = unit_rows(*own, mean=mean)
    return rows


@lru_cache(maxsize=4)
def _base_directions(base: Embeddings) -> tuple[np.ndarray, np.ndarray]:
    """``unit_rows`` of features that are edited again and again, and their mean, [d]."""
    mean = base.matrix[base.observed].astype(np.float64).mean(axis=0)
    return unit_rows(base.matrix, base.observed), mean


def similarity_graphs(embeddings: Sequence[Embeddings], k: int) -> list[sparse.csr_matrix]:
    """The similarity graph of each seed, or one alone where all seeds have the same features."""
    if len(embeddings) > 1 and len({own.fingerprint for own in embeddings}) == 1:
        embeddings = embeddings[:1]
    return [similarity_graph(own, k) for own in embeddings]


def neighbour_lists(embeddings: Embeddings, k: int) -> np.ndarray:
    """The k nearest observed items of every observed item by centred cosine, [n, k], -1 pads.

    Stored under the fingerprint of the very features it is built from: a control has another
    fingerprint, so it can never be handed the graph of the real features. Those of edited
    features are made from the base's and not stored: there is an edit for every click.
    """
    if (base := embeddings.base) is not None:
        lists, changed = neighbour_lists(base, k), embeddings.edits()
        if not len(changed):
            return lists
        if not _base_directions(base)[0].any():  # equal rows: who has features is all there is
            return nearest_neighbours(embeddings.matrix, embeddings.observed, k)
        return edited_neighbours(lists, _directions(embeddings), changed)
    spec = {"version": GRAPH_VERSION, "features": embeddings.fingerprint, "k": k}
    if settings().read_only:
        # On show nothing is written, and a model in the store can still be scored.
        found = store().get("graph", spec)
        return np.asarray(found.array("neighbours")) if found else _in_memory(embeddings, k)

    def write(folder: Any) -> None:
        write_array(
            folder / "neighbours.npy",
            nearest_neighbours(embeddings.matrix, embeddings.observed, k),
        )

    return np.asarray(store().put("graph", spec, write).array("neighbours"))


@lru_cache(maxsize=4)
def _in_memory(embeddings: Embeddings, k: int) -> np.ndarray:
    return nearest_neighbours(embeddings.matrix, embeddings.observed, k)


def row_normalised(neighbours: np.ndarray) -> sparse.csr_matrix:
    """Unweighted neighbour lists [n, k] as CSR [n, n] whose rows sum to 1, or to 0 if empty."""
    n = len(neighbours)
    present = neighbours >= 0
    rows = np.repeat(np.arange(n), present.sum(axis=1))
    count = np.maximum(present.sum(axis=1), 1)
    values = (1.0 / count)[rows].astype(np.float32)
    return sparse.coo_matrix((values, (rows, neighbours[present])), shape=(n, n)).tocsr()


def modality_weights(present: Sequence[str], image_weight: float) -> dict[str, float]:
    """Share of each present modality in the item graph; they sum to 1.

    Both image and text: ``image_weight`` and the rest. A modality on its own has weight 1: a
    configured share that outlived its partner would scale the only graph down.
    """
    if set(present) == {"image", "text"}:
        return {"image": image_weight, "text": 1.0 - image_weight}
    return {modality: 1.0 / len(present) for modality in present}


def item_graphs(features: Features, k: int, image_weight: float) -> dict[str, sparse.csr_matrix]:
    """Weighted item graph of each present modality; their sum is the frozen item graph.

    An item without a modality has no edges of it.
    """
    present = sorted(features)
    weights = modality_weights(present, image_weight) if present else {}
    return {
        modality: row_normalised(neighbour_lists(features[modality], k))
        * np.float32(weights[modality])
        for modality in present
    }


class SparseProduct:
    """A constant sparse matrix that multiplies [S, n, d], one block for each seed.

    Args:
        blocks: One CSR a seed, or one for all of ``n_seeds`` seeds.
        symmetric: True when each block equals its transpose, which then is not stored.
    """

    def __init__(
        self,
        blocks: Sequence[sparse.csr_matrix],
        n_seeds: int,
        symmetric: bool,
        device: str = "cpu",
    ) -> None:
        if len(blocks) == 1:
            blocks = list(blocks) * n_seeds
        whole = sparse.csr_matrix(sparse.block_diag(blocks))
        self.forward = _to_torch(whole, device)
        self.backward = self.forward if symmetric else _to_torch(sparse.csr_matrix(whole.T), device)

    def __call__(self, x: "torch.Tensor") -> "torch.Tensor":
        """Product for every seed, [S, n, d]."""
        flat = x.reshape(-1, x.shape[-1])
        out: torch.Tensor = _functions()[0](flat, self.forward, self.backward)
        return out.view(x.shape)

    def mean_of_powers(self, x: "torch.Tensor", layers: int) -> "torch.Tensor":
        """Mean over l = 0..layers of A^l x for every seed, [S, n, d]."""
        flat = x.reshape(-1, x.shape[-1])
        out: torch.Tensor = _functions()[1](flat, self.forward, self.backward, layers)
        return out.view(x.shape)


def _to_torch(matrix: sparse.csr_matrix, device: str) -> "torch.Tensor":
    # int32 saves a conversion in every product; more edges than that do not fit anyway.
    starts, columns = (
        torch.from_numpy(array.astype(np.int32)).to(device)
        for array in (matrix.indptr, matrix.indices)
    )
    values = torch.from_numpy(matrix.data.astype(np.float32)).to(device)
    return csr_tensor(starts, columns, values, matrix.shape[0])


def csr_tensor(
    starts: "torch.Tensor", columns: "torch.Tensor", values: "torch.Tensor", n: int
) -> "torch.Tensor":
    """A square CSR tensor [n, n] from its three arrays."""
    with warnings.catch_warnings():
        # torch announces that its CSR tensors are in beta; the products are tested here.
        warnings.simplefilter("ignore")
        return torch.sparse_csr_tensor(starts, columns, values, size=(n, n), check_invariants=False)


@cache
def _functions() -> Any:
    """Autograd functions A x and mean of A^l x; made on first use, since they need torch."""

    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, forward: Any, backward: Any) -> Any:
            ctx.transposed = backward
            return forward @ x

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            return ctx.transposed @ gradient.contiguous(), None, None

    class MeanOfPowers(torch.autograd.Function):
        # x + A (x + A (x + ...)): no layer is kept, and sums are made in the products.
        @staticmethod
        def forward(ctx: Any, x: Any, forward: Any, backward: Any, layers: int) -> Any:
            ctx.transposed, ctx.layers = backward, layers
            total = x
            for _ in range(layers):
                total = torch.addmm(x, forward, total)
            return total / (layers + 1)

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            gradient = gradient / (ctx.layers + 1)
            total = gradient
            for _ in range(ctx.layers):
                total = torch.addmm(gradient, ctx.transposed, total)
            return total, None, None, None

    return Product.apply, MeanOfPowers.apply
