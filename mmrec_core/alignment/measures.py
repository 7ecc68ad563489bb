"""What a measure between two spaces is, and the registry of all.

A measure looks at each space alone first (``prepare``) and then at two of these states
(``value``), so that a table of many spaces prepares each once, and so that a null distribution
deals out the rows of a prepared state anew instead of preparing 200 matrices.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from mmrec_core.alignment.spaces import as_pair
from mmrec_core.registry import Registry

MEASURES: Registry["Measure"] = Registry("measure")
"""Every measure between two spaces by its name; filled where the package is imported."""


class Value(Protocol):
    """Compares two prepared states; with ``order`` the rows of the second are taken in it."""

    def __call__(self, x: Any, y: Any, order: np.ndarray | None = None, /) -> float:
        """The measure of X and Y, or of X and Y[order]."""


@dataclass(frozen=True)
class Measure:
    """A measure between two spaces over the same items.

    Attributes:
        name: In code, files and the glossary.
        label: On screen.
        symbol: In figures and formulas.
        direction: ``similarity``: higher is more alike; ``distance``: lower is.
        value_range: Smallest and largest value; the end that equal spaces reach is the bound of
            calibration.
        reference: Source of the definition.
        description: One sentence for the screen.
        prepare: Space [n, d] float64 -> state.
        value: See ``Value``.
        function: The public function of the same definition.
        quadratic: Needs n × n numbers or time: large catalogues are sampled.
        shared_space_only: Means something only where both spaces are one.
        captions_only: Means something only between the pictures and the captions of a model that
            was trained on pairs of them, such as CLIP.
        paired: Depends on which row of X belongs to which row of Y; without it there is no null.
        symmetric: value(x, y) is value(y, x).
        remark: What ``prepare`` did to a space beyond the definition, in words; mostly empty.
    """

    name: str
    label: str
    symbol: str
    direction: Literal["similarity", "distance"]
    value_range: tuple[float, float]
    reference: str
    description: str
    prepare: Callable[[np.ndarray], Any]
    value: Value
    function: Callable[..., float] | None = None
    quadratic: bool = False
    shared_space_only: bool = False
    captions_only: bool = False
    paired: bool = True
    symmetric: bool = True
    remark: Callable[[Any], str] = lambda state: ""

    @property
    def bound(self) -> float:
        """Value of a space with itself: the best possible one."""
        return self.value_range[1 if self.direction == "similarity" else 0]

    def __call__(self, X: np.ndarray, Y: np.ndarray) -> float:
        """The measure of two matrices over the same rows.

        Raises:
            InputError: They cannot be compared; the message says why.
        """
        x, y = as_pair(X, Y)
        return self.value(self.prepare(x), self.prepare(y))
