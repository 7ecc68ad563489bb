"""Random permutations that leave nothing in its place."""

import numpy as np


def derangement(groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random permutation within groups that leaves no member in its place.

    Uniform over all such permutations: groups with a fixed point are drawn again (a draw succeeds
    with probability about 1/e, so this ends after a few rounds).

    Args:
        groups: [n] group of each position; non-negative integers.
        rng: Source of chance.

    Returns:
        [n] position that each position takes its content from; itself only in a group of one.
    """
    source = np.arange(len(groups))
    if len(groups) == 0:
        return source
    todo = np.flatnonzero(np.bincount(groups)[groups] > 1)
    todo = todo[np.argsort(groups[todo], kind="stable")]
    while len(todo):
        drawn = todo[np.lexsort((rng.random(len(todo)), groups[todo]))]
        source[todo] = drawn
        again = np.unique(groups[todo[drawn == todo]])
        todo = todo[np.isin(groups[todo], again)]
    return source
