"""Integrated gradients: what each modality's vector adds to a score, and what they miss."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mmrec_core.domain import InputError, Progress, no_progress
from mmrec_core.explanations.subject import Subject
from mmrec_core.lazy import lazy_import
from mmrec_core.recommenders.trainer import Trained
from mmrec_core.recommenders.training import to_torch, training_device

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_import("torch")

STEPS = 12
"""Nodes of the Gauss-Legendre rule along the path: exact for polynomials of degree 23."""

WITH_GRADIENT = ("vbpr", "mmgcn", "mgcn")
"""Models whose score is a smooth function of an item's features, its item graph held fixed."""


def gradient_reason(subject: Subject) -> str:
    """Why there are no integrated gradients of a model; empty where there are."""
    model = subject.model
    if not model.uses:
        return f"{model.title} reads no content."
    if not model.features_at_inference:
        return f"{model.title} reads no features when it scores."
    if model.name == "grcn":
        return (
            "GRCN reads the direction of projected features alone, so its score jumps where they "
            "begin and has no slope on the way from nothing. Its split is exact."
        )
    if model.name not in WITH_GRADIENT:
        return (
            f"{model.title} reads features through neighbours: they change by jumps, so the score "
            "has no gradient in them. Its split by neighbour is exact."
        )
    if not any(not own.one_hot for own in model.features.values()):
        return "This run reads no features that are vectors."
    return ""


def integrated_gradients(
    subject: Subject, user: int, item: int, steps: int = STEPS, progress: Progress = no_progress
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Integrated gradients of one score over an item's own features.

    The path leads from an average item (features of zero, once centred) to the item as it is, all
    modalities at once; neighbours in item graphs stay those of the item as it is (Sundararajan,
    Taly, Yan, ICML 2017, eq. 1). Completeness: all contributions sum to the score less the
    baseline's; what they miss is the error.

    Args:
        subject: Whose score.
        user: Row number.
        item: Item number.
        steps: Nodes along the path.
        progress: Told after each.

    Returns:
        A table (modality, value) whose ``attrs`` hold score, baseline and error (the sum of the
        values less score - baseline), and modality -> contribution of each column, [d].

    Raises:
        InputError: The model has no such gradient.
    """
    reason = gradient_reason(subject)
    if reason:
        raise InputError(reason)
    model = subject.model
    assert isinstance(model, Trained)
    device = training_device()
    context = model.Context(model.config, model.split, [model.features], device, False)
    parameters = to_torch([model.state], device)
    tensors = context.tensors.tensors  # type: ignore[attr-defined]
    # One-hot ids are no vectors: their part stays on both ends of the path.
    real = {m: own[0, item].clone() for m, own in tensors.items() if own is not None}
    whole = {m: tensors[m].clone() for m in real}

    def score_at(share: float) -> tuple[float, dict[str, np.ndarray]]:
        leaves = {m: (share * row).requires_grad_() for m, row in real.items()}
        for m, leaf in leaves.items():
            changed = whole[m].clone()
            changed[0, item] = leaf
            tensors[m] = changed
        total = torch.zeros((), device=device)
        for users, items in model.factors(parameters, context).values():
            own = items[0, item]
            total = total + (own if users is None else (users[0, user] * own).sum())
        slopes = torch.autograd.grad(total, list(leaves.values()), allow_unused=True)
        found = {
            m: np.zeros(len(real[m])) if slope is None else slope.cpu().numpy().astype(np.float64)
            for m, slope in zip(leaves, slopes, strict=True)
        }
        return float(total.detach()), found

    nodes, weights = np.polynomial.legendre.leggauss(steps)
    slopes = {m: np.zeros(len(row)) for m, row in real.items()}
    for done, (node, weight) in enumerate(zip(nodes, weights, strict=True), start=1):
        _, own = score_at((node + 1) / 2)
        for m in slopes:
            slopes[m] += own[m] * weight / 2
        progress(done, steps, "integrated gradients")
    by_column = {m: slopes[m] * real[m].cpu().numpy() for m in slopes}
    score, baseline = score_at(1.0)[0], score_at(0.0)[0]
    values = [float(own.sum()) for own in by_column.values()]
    table = pd.DataFrame({"modality": list(by_column), "value": values})
    table.attrs = {
        "score": score,
        "baseline": baseline,
        "error": sum(values) - (score - baseline),
    }
    return table, by_column
