"""The pair of matrices that the golden numbers of the specification belong to."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def golden() -> tuple[np.ndarray, np.ndarray]:
    draws = np.random.RandomState(1337)
    x = draws.randn(100, 10)
    return x, draws.randn(100, 10) + x
