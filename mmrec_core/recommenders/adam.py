"""Adam (Kingma and Ba, ICLR 2015) by PyTorch's own fused kernel, without its optimizer class.

``torch.optim`` loads the compiler of PyTorch at its first step: more than a second of every process
that trains, for something that nothing here uses. The numbers are the same to the last bit.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mmrec_core.lazy import lazy_import

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_import("torch")

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


class Adam:
    """Steps of parameters [S, ...], with moments that know the seeds apart.

    A parameter that has no gradient is left alone, and its steps are not counted.
    """

    def __init__(self, parameters: Sequence["torch.Tensor"]) -> None:
        self.parameters = list(parameters)
        self.means = [torch.zeros_like(p, requires_grad=False) for p in self.parameters]
        self.squares = [torch.zeros_like(p, requires_grad=False) for p in self.parameters]
        self.steps = [torch.zeros((), device=p.device) for p in self.parameters]

    def forget_gradients(self) -> None:
        """Before the next backward pass."""
        for parameter in self.parameters:
            parameter.grad = None

    def step(self, learning_rate: float) -> None:
        """Moves every parameter that has a gradient."""
        moved = [at for at, p in enumerate(self.parameters) if p.grad is not None]
        if not moved:
            return
        with torch.no_grad():
            for at in moved:
                self.steps[at] += 1
            torch._fused_adam_(
                [self.parameters[at] for at in moved],
                [self.parameters[at].grad for at in moved],
                [self.means[at] for at in moved],
                [self.squares[at] for at in moved],
                [],
                [self.steps[at] for at in moved],
                lr=learning_rate,
                beta1=BETA1,
                beta2=BETA2,
                weight_decay=0.0,
                eps=EPSILON,
                amsgrad=False,
                maximize=False,
            )

    def kept(self, parameters: Sequence["torch.Tensor"], seeds: list[int]) -> "Adam":
        """The memory of some seeds, over parameters that hold those only."""
        new = Adam(parameters)
        new.means = [mean[seeds].clone() for mean in self.means]
        new.squares = [square[seeds].clone() for square in self.squares]
        new.steps = self.steps
        return new
