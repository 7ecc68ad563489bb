"""Pieces that pairwise losses are put together from; every tensor leads with the seeds S."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mmrec_core.lazy import lazy_import

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_import("torch")


def gather(table: "torch.Tensor", rows: "torch.Tensor") -> "torch.Tensor":
    """Rows of each seed's own table: [S, n, d] and [S, B] -> [S, B, d]; [S, n] -> [S, B]."""
    if table.dim() == 2:
        return table.gather(1, rows)
    n_seeds, n, width = table.shape
    offset = torch.arange(n_seeds, device=rows.device)[:, None] * n
    flat = torch.nn.functional.embedding((rows + offset).reshape(-1), table.reshape(-1, width))
    return flat.view(n_seeds, rows.shape[1], width)


def margins(
    user: "torch.Tensor",
    item: "torch.Tensor",
    users: "torch.Tensor",
    positives: "torch.Tensor",
    negatives: "torch.Tensor",
) -> "torch.Tensor":
    """Margins u . (i - j) of all triples: tables [S, n, d] and rows [S, B] -> [S, B]."""
    rows = gather(item, torch.cat([positives, negatives], dim=1))
    i, j = rows.split(positives.shape[1], dim=1)
    return (gather(user, users) * (i - j)).sum(2)


def pairwise(
    user: "torch.Tensor",
    item: "torch.Tensor",
    users: "torch.Tensor",
    positives: "torch.Tensor",
    negatives: "torch.Tensor",
) -> tuple["torch.Tensor", "torch.Tensor"]:
    """Margins [S, B] and half the squares [S] of all triples, as ``margins`` and ``squares``.

    Each row is fetched once where a batch is small beside the tables; else rows are counted.
    """
    batch = users.shape[1]
    if batch > min(user.shape[1], item.shape[1]):
        triples = user, item, users, positives, negatives
        return margins(*triples), squares((user, users), (item, positives), (item, negatives))
    u = gather(user, users)
    both = gather(item, torch.cat([positives, negatives], dim=1))
    i, j = both.split(batch, dim=1)
    sizes = u.pow(2).sum(dim=(1, 2)) + both.pow(2).sum(dim=(1, 2))
    return (u * (i - j)).sum(2), 0.5 * sizes / batch


def bpr(margin: "torch.Tensor") -> "torch.Tensor":
    """-log sigmoid(positive - negative), mean over the batch, [S] (Rendle et al., UAI 2009)."""
    return -torch.nn.functional.logsigmoid(margin).mean(dim=1)


def root_squares(*tables: "torch.Tensor") -> "torch.Tensor":
    """Sum of the norms of whole tables, divided by the rows of the last, [S]."""
    return sum(table.pow(2).sum(dim=(1, 2)).sqrt() for table in tables) / tables[-1].shape[1]


def squares(*touched: tuple["torch.Tensor", "torch.Tensor"]) -> "torch.Tensor":
    """Half the sum of squares of every row that a batch touches, divided by its size, [S].

    Where a batch is large beside a table, counting how often a row is touched costs less than
    writing each of them out.

    Args:
        touched: Table [S, n, d] or [S, n], and the rows of it [S, B] that the triples touch.
    """
    total = 0.0
    for table, rows in touched:
        if rows.shape[1] <= table.shape[1]:
            total = total + gather(table, rows).pow(2).flatten(1).sum(1)
            continue
        sizes = table.pow(2) if table.dim() == 2 else table.pow(2).sum(2)
        counts = torch.zeros_like(sizes).scatter_add_(
            1, rows, torch.ones_like(rows, dtype=sizes.dtype)
        )
        total = total + (counts * sizes).sum(1)
    return 0.5 * total / touched[0][1].shape[1]


def mean_squares(
    parameters: dict[str, "torch.Tensor"],
    branches: Sequence[str],
    users: "torch.Tensor",
    positives: "torch.Tensor",
    negatives: "torch.Tensor",
) -> "torch.Tensor":
    """Mean square of the ids of both pairs of each triple and of each branch's preferences, [S].

    As published for MMGCN and GRCN, where a pair is a user and one of the two items.
    """
    user, item = parameters["user"], parameters["item"]
    pairs = squares((user, users), (user, users), (item, positives), (item, negatives))
    liked = sum(parameters[f"preference_{m}"].pow(2).mean((1, 2)) for m in branches)
    return pairs / user.shape[2] + liked
