"""Graphs whose edge weights are learned: products, inner products over edges, softmax.

Only numbers of edges are kept for the gradient, never a row for each edge.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from mmrec_core.lazy import lazy_import

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_import("torch")

BLOCK = 1 << 16
"""Edges whose two rows are held at a time."""


@dataclass(frozen=True, eq=False)
class EdgeGraph:
    """Directed edges among n nodes, ordered by the node they end in, then by where they start.

    Attributes:
        n: Number of nodes: users, then items.
        starts: [n + 1] int64; edges starts[t] .. starts[t + 1] end in node t.
        targets: [E] int64, where each edge ends.
        sources: [E] int64, where it begins.
        back_starts, back_targets: The same of the reversed graph.
        back_order: [E]; place in this order of each edge of the reversed graph.
    """

    n: int
    starts: "torch.Tensor"
    targets: "torch.Tensor"
    sources: "torch.Tensor"
    back_starts: "torch.Tensor"
    back_targets: "torch.Tensor"
    back_order: "torch.Tensor"

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

        def starts(nodes: np.ndarray) -> np.ndarray:
            return np.concatenate([[0], np.cumsum(np.bincount(nodes, minlength=n))])

        arrays = (
            starts(targets), targets, sources, starts(sources), targets[back], back,
        )  # fmt: skip
        return cls(n, *(torch.from_numpy(a.astype(np.int64)).to(device) for a in arrays))

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
        grown = values.exp()
        total = torch.zeros(len(values), self.n, device=values.device, dtype=values.dtype)
        total = total.index_add(1, self.targets, grown)
        return grown / total[:, self.targets]

    def multiply(self, weights: "torch.Tensor", x: "torch.Tensor") -> "torch.Tensor":
        """The product without gradient."""
        return _csr_product(self.starts, self.sources, weights, x)

    def multiply_back(self, weights: "torch.Tensor", x: "torch.Tensor") -> "torch.Tensor":
        """Along the reversed edges, without gradient."""
        return _csr_product(
            self.back_starts, self.back_targets, weights[:, self.back_order].contiguous(), x
        )

    def dots(self, left: "torch.Tensor", right: "torch.Tensor") -> "torch.Tensor":
        """left[target] . right[source] of each edge, [S, E], without gradient."""
        blocks = [
            (left[:, self.targets[at : at + BLOCK]] * right[:, self.sources[at : at + BLOCK]]).sum(
                2
            )
            for at in range(0, self.n_edges, BLOCK)
        ]
        return torch.cat(blocks, dim=1)


def _csr_product(
    starts: "torch.Tensor", columns: "torch.Tensor", weights: "torch.Tensor", x: "torch.Tensor"
) -> "torch.Tensor":
    import warnings

    n = x.shape[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.stack(
            [
                torch.sparse_csr_tensor(starts, columns, own, size=(n, n), check_invariants=False)
                @ rows
                for own, rows in zip(weights, x, strict=True)
            ]
        )


_FUNCTIONS: Any = None


def _functions() -> Any:
    """Autograd functions of product and inner; made on first use, since they need torch."""
    global _FUNCTIONS
    if _FUNCTIONS is None:

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

        _FUNCTIONS = Product.apply, Inner.apply
    return _FUNCTIONS
