"""Graphs whose edge weights are learned: products, inner products over edges, softmax.

Only numbers of edges are kept for the gradient, never a row for each edge. Inner products are
sampled products of two dense matrices (SDDMM), which never write the rows of an edge out either:
40 to 80 times faster than gathering both.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from mmrec_core.lazy import lazy_import
from mmrec_core.recommenders.graphs import csr_tensor

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_import("torch")


@dataclass(frozen=True, eq=False)
class EdgeGraph:
    """Directed edges among n nodes, ordered by the node they end in, then by where they start.

    Attributes:
        n: Number of nodes: users, then items.
        targets: [E] int64, where each edge ends.
        sources: [E] int64, where it begins.
        back_order: [E] int64; place in this order of each edge of the reversed graph.
        layout: Starts [n + 1] and sources [E] of the edges by the node they end in, int32.
        back_layout: The same of the reversed graph.
    """

    n: int
    targets: "torch.Tensor"
    sources: "torch.Tensor"
    back_order: "torch.Tensor"
    layout: tuple["torch.Tensor", "torch.Tensor"]
    back_layout: tuple["torch.Tensor", "torch.Tensor"]

    @classmethod
    def towards_users(cls, train: sparse.csr_matrix, device: str) -> "EdgeGraph":
        """Edges from each user's items to the user."""
        coo = train.tocoo()
        return cls._of(coo.row, coo.col + train.shape[0], sum(train.shape), device)

    @classmethod
    def both_ways(cls, train: sparse.csr_matrix, device: str) -> "EdgeGraph":
        """Edges from items to users and back."""
        coo = train.tocoo()
        users, items = coo.row, coo.col + train.shape[0]
        ends = np.concatenate([users, items]), np.concatenate([items, users])
        return cls._of(*ends, sum(train.shape), device)

    @classmethod
    def _of(cls, targets: np.ndarray, sources: np.ndarray, n: int, device: str) -> "EdgeGraph":
        order = np.lexsort((sources, targets))
        targets, sources = targets[order].astype(np.int64), sources[order].astype(np.int64)
        back = np.lexsort((targets, sources))

        def tensor(array: np.ndarray, kind: Any = np.int64) -> "torch.Tensor":
            return torch.from_numpy(array.astype(kind)).to(device)

        def layout(ends: np.ndarray, starts: np.ndarray) -> tuple["torch.Tensor", "torch.Tensor"]:
            first = np.concatenate([[0], np.cumsum(np.bincount(ends, minlength=n))])
            return tensor(first, np.int32), tensor(starts, np.int32)

        return cls(
            n,
            tensor(targets),
            tensor(sources),
            tensor(back),
            layout(targets, sources),
            layout(sources[back], targets[back]),
        )

    @property
    def n_edges(self) -> int:
        """Number of directed edges."""
        return len(self.targets)

    def product(self, weights: "torch.Tensor", x: "torch.Tensor") -> "torch.Tensor":
        """Weighted sums of the rows that edges bring: [S, E] and [S, n, d] -> [S, n, d]."""
        out: torch.Tensor = _functions()[0](weights, x, self)
        return out

    def inner(self, x: "torch.Tensor") -> "torch.Tensor":
        """Inner product of the two ends of each edge: [S, n, d] -> [S, E]."""
        out: torch.Tensor = _functions()[1](x, self)
        return out

    def softmax(self, values: "torch.Tensor") -> "torch.Tensor":
        """Softmax over the edges that end in the same node, [S, E] -> [S, E].

        Values are inner products of unit rows, so no maximum need be taken off.
        """
        out: torch.Tensor = _functions()[2](values, self)
        return out

    def totals(self, values: "torch.Tensor") -> "torch.Tensor":
        """Each edge's sum of ``values`` over the edges that end where it does, [S, E]."""
        total = torch.zeros(len(values), self.n, device=values.device, dtype=values.dtype)
        return total.index_add_(1, self.targets, values).index_select(1, self.targets)

    def multiply(self, weights: "torch.Tensor", x: "torch.Tensor") -> "torch.Tensor":
        """The product without gradient."""
        return self._multiply(self.layout, weights, x)

    def multiply_back(self, weights: "torch.Tensor", x: "torch.Tensor") -> "torch.Tensor":
        """Along the reversed edges, without gradient."""
        return self._multiply(self.back_layout, weights.index_select(1, self.back_order), x)

    def _multiply(
        self,
        layout: tuple["torch.Tensor", "torch.Tensor"],
        weights: "torch.Tensor",
        x: "torch.Tensor",
    ) -> "torch.Tensor":
        pairs = zip(weights, x, strict=True)
        return torch.stack([csr_tensor(*layout, own, self.n) @ rows for own, rows in pairs])

    def dots(self, left: "torch.Tensor", right: "torch.Tensor") -> "torch.Tensor":
        """left[target] . right[source] of each edge, [S, E], without gradient."""
        pattern = csr_tensor(*self.layout, left.new_zeros(self.n_edges), self.n)
        return torch.stack(
            [
                torch.sparse.sampled_addmm(pattern, a, b.T, beta=0.0).values()
                for a, b in zip(left, right, strict=True)
            ]
        )


@cache
def _functions() -> Any:
    """Autograd functions product, inner, softmax; made on first use, since they need torch."""

    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, weights: Any, x: Any, graph: EdgeGraph) -> Any:
            ctx.graph = graph
            ctx.save_for_backward(weights, x)
            return graph.multiply(weights, x)

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            weights, x = ctx.saved_tensors
            gradient = gradient.contiguous()
            of_weights = ctx.graph.dots(gradient, x) if ctx.needs_input_grad[0] else None
            return of_weights, ctx.graph.multiply_back(weights, gradient), None

    class Inner(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, graph: EdgeGraph) -> Any:
            ctx.graph = graph
            ctx.save_for_backward(x)
            return graph.dots(x, x)

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            (x,) = ctx.saved_tensors
            gradient = gradient.contiguous()
            graph = ctx.graph
            return graph.multiply(gradient, x) + graph.multiply_back(gradient, x), None

    class Softmax(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, values: Any, graph: EdgeGraph) -> Any:
            ctx.graph = graph
            grown = values.exp()
            shares = grown / graph.totals(grown)
            ctx.save_for_backward(shares)
            return shares

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            (shares,) = ctx.saved_tensors
            weighed = shares * gradient
            return weighed - shares * ctx.graph.totals(weighed), None

    return Product.apply, Inner.apply, Softmax.apply
