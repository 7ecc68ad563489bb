"""Whether a model fits into memory: asked before it is loaded, from the headers of its files."""

from pathlib import Path

import numpy as np

from mmrec_core.settings import settings

GIB = 2**30
SPARE = 1.3
"""Memory for activations beside the weights, as a multiple of them."""


def has_gpu() -> bool:
    """Whether an NVIDIA card is to be used, without asking torch."""
    chosen = settings().device
    return chosen == "cuda" or (chosen == "auto" and Path("/dev/nvidia0").exists())


def too_large(folder: Path, model: str, free: int, bytes_each: float, where: str) -> str:
    """Why a model does not fit into memory, in words; empty where it does.

    Args:
        folder: Of the model.
        model: Its name.
        free: Bytes.
        bytes_each: Of a weight.
        where: The memory's name.
    """
    values = weights_in(folder)
    needed = bytes_each * values * SPARE
    if needed <= free:
        return ""
    return (
        f"{model} has {values / 1e9:.1f} billion weights and needs about {needed / GIB:.0f} GiB of "
        f"{where}; {free / GIB:.0f} GiB are free"
    )


def weights_in(folder: Path) -> int:
    """Number of weights of a model, from the headers of its files alone."""
    from safetensors import safe_open

    total = 0
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="np") as file:
            total += sum(int(np.prod(file.get_slice(key).get_shape())) for key in file.keys())  # noqa: SIM118
    return total
