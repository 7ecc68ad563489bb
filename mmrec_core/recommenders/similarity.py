"""Item-item similarity for neighbourhood models: weighting, similarity, the k nearest kept."""

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
from pydantic import Field, model_validator
from scipy import sparse

from mmrec_core.recommenders.base import RecommenderConfig

BLOCK = 1024
BM25_K1, BM25_B = 1.2, 0.75

Weighting = Literal["none", "tf-idf", "bm25"]


class NeighbourConfig(RecommenderConfig):
    """What every neighbourhood model can be told; how the defaults were found: docs/tuning.md."""

    k: int = Field(200, ge=1, le=5_000, description="Neighbours kept for each item")
    shrink: float = Field(30.0, ge=0, description="Added to the norms: distrusts rare pairs")
    alpha: float = Field(
        0.5, ge=0, le=1, description="asymmetric: share of the history item's norm"
    )


class ItemKNNConfig(NeighbourConfig):
    """Settings of ItemKNN."""

    similarity: Literal["cosine", "jaccard", "dot", "asymmetric", "tversky"] = Field(
        "cosine", description="How two items are compared"
    )
    tversky_alpha: float = Field(1.0, ge=0, le=2, description="tversky: weight of i without j")
    tversky_beta: float = Field(1.0, ge=0, le=2, description="tversky: weight of j without i")
    weighting: Weighting = Field(
        "none", description="Of users in an item's vector: busy ones count less"
    )

    @model_validator(mode="after")
    def _sets_have_no_weights(self) -> "ItemKNNConfig":
        if self.weighting != "none" and self.similarity in ("jaccard", "tversky"):
            raise ValueError(
                f"{self.similarity} counts users, so it takes no weighting; use weighting none, or "
                "cosine, dot or asymmetric"
            )
        return self


class AttributeConfig(NeighbourConfig):
    """Settings of AttributeItemKNN."""

    similarity: Literal["cosine", "dot", "asymmetric"] = Field(
        "cosine", description="How two items are compared"
    )
    centre: bool = Field(
        True,
        description="Centre the features; off takes one-hot attributes as they are, as published",
    )
    content_weight: float = Field(
        1.0, ge=0, le=150, description="w: size of the attributes beside the interactions"
    )
    weighting: Weighting = Field(
        "none", description="Of users in an item's vector: busy ones count less"
    )


def weighted(train: sparse.csr_matrix, weighting: Weighting) -> sparse.csc_matrix:
    """Interactions with users weighted as terms of an item, CSC [n_users, n_items].

    An item is a document, a user a term that occurs in it once. N items, n_u of them by user u:
    tf-idf multiplies by ln(N / n_u); bm25 by ln((N - n_u + .5) / (n_u + .5) + 1) and
    (k1 + 1) / (1 + k1 (1 - b + b · degree / mean degree)), k1 = 1.2, b = .75 (Robertson and
    Zaragoza, The Probabilistic Relevance Framework, 2009; the + 1 keeps it positive).
    """
    matrix = train.tocsc().astype(np.float32)
    if weighting == "none":
        return matrix
    n_items = matrix.shape[1]
    busy = np.bincount(matrix.indices, minlength=matrix.shape[0]).astype(np.float64)
    if weighting == "tf-idf":
        term = np.log(n_items / np.maximum(busy, 1))
        matrix.data = (matrix.data * term[matrix.indices]).astype(np.float32)
        return matrix
    term = np.log((n_items - busy + 0.5) / (busy + 0.5) + 1)
    degree = np.diff(matrix.indptr)
    length = 1 - BM25_B + BM25_B * degree / max(degree.mean(), 1e-12)
    saturated = (BM25_K1 + 1) / (1 + BM25_K1 * length)
    matrix.data = (term[matrix.indices] * np.repeat(saturated, degree)).astype(np.float32)
    return matrix


def denominators(
    config: ItemKNNConfig | AttributeConfig, overlap: np.ndarray, squares: np.ndarray, own: slice
) -> np.ndarray:
    """What the overlap of every item i and the items j of a block is divided by to give S_ij.

    With o_ij the inner product of two item vectors and q_i an item's with itself:
    cosine sqrt(q_i q_j) + shrink · asymmetric q_i^α q_j^(1-α) + shrink (Aiolli, RecSys 2013) ·
    dot 1 · jaccard q_i + q_j - o + shrink · tversky o + a (q_i - o) + b (q_j - o) + shrink
    (Tversky, Psychological Review 1977).

    Args:
        config: Similarity and its numbers.
        overlap: o, [n, block].
        squares: q, [n].
        own: Which items the block holds.

    Returns:
        [n, block], infinite where two items cannot be compared.
    """
    q_i, q_j = squares[:, None], squares[None, own]
    if config.similarity == "dot":
        below = np.ones_like(overlap)
    elif isinstance(config, AttributeConfig) or config.similarity in ("cosine", "asymmetric"):
        alpha = config.alpha if config.similarity == "asymmetric" else 0.5
        below = q_i**alpha * q_j ** (1 - alpha) + config.shrink
    elif config.similarity == "jaccard":
        below = q_i + q_j - overlap + config.shrink
    else:
        a, b = config.tversky_alpha, config.tversky_beta
        below = overlap + a * (q_i - overlap) + b * (q_j - overlap) + config.shrink
    return np.where(below > 0, below, np.inf).astype(np.float32)


def nearest_columns(
    n: int, k: int, parts_of: Callable[[slice], Mapping[str, np.ndarray]]
) -> dict[str, sparse.csr_matrix]:
    """Sparse similarities with a zero diagonal and the k largest positive ones of each column.

    Args:
        n: Number of items.
        k: Kept in each column; all that tie with the k-th are.
        parts_of: For a block of columns, the parts whose sum is the similarity, dense [n, block].

    Returns:
        Part -> its share of what is kept, CSR [n, n].
    """
    blocks: dict[str, list[sparse.csc_matrix]] = {}
    for start in range(0, n, BLOCK):
        block = slice(start, min(start + BLOCK, n))
        parts = parts_of(block)
        values = sum(parts.values(), np.zeros((n, block.stop - start), dtype=np.float32))
        columns = np.arange(values.shape[1])
        values[start + columns, columns] = 0.0
        kept = min(k, n - 1)
        floor = -np.partition(-values, kept - 1, axis=0)[kept - 1] if kept else np.inf
        chosen = values >= np.maximum(floor, np.finfo(np.float32).tiny)
        for name, part in parts.items():
            blocks.setdefault(name, []).append(sparse.csc_matrix(np.where(chosen, part, 0.0)))
    return {name: sparse.csr_matrix(sparse.hstack(own)) for name, own in blocks.items()}
