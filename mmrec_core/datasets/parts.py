"""Which interaction is for training, validation or test: one function a strategy.

Every function returns [n] int8, 0 train, 1 validation, 2 test, for interactions given as user and
item codes from 0, sorted by user and item.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mmrec_core.datasets.split import SplitConfig

TRAIN, VALID, TEST = 0, 1, 2


def random_parts(user: np.ndarray, config: "SplitConfig") -> np.ndarray:
    """Drawn within each user.

    With n interactions of a user, ``ceil(test n)`` go to test and ``ceil(valid n)`` to validation,
    as long as one is left to train on; with fewer than three all are for training.
    """
    degree = np.bincount(user)
    n_test = _share(degree, config.test)
    n_valid = _share(degree, config.valid)
    wanted = 1 if config.valid > 0 else 0
    n_test = np.minimum(n_test, np.maximum(degree - 1 - wanted, 0))
    n_valid = np.minimum(n_valid, np.maximum(degree - 1 - n_test, 0))
    few = degree < 3
    n_test[few] = 0
    n_valid[few] = 0
    rank = _rank_within(user, _draws(config.seed, len(user)))
    part = np.zeros(len(user), dtype=np.int8)
    part[rank < (n_test + n_valid)[user]] = VALID
    part[rank < n_test[user]] = TEST
    return part


def leave_one_out_parts(user: np.ndarray, time: np.ndarray | None, seed: int) -> np.ndarray:
    """Of each user the last interaction is test and the one before validation.

    Interactions at the same time, or all of them where ``time`` is None, are in a random order.
    With fewer than three interactions all are for training.

    Args:
        user: [n] user codes.
        time: [n] timestamps, or None.
        seed: Of the random order.
    """
    draws = _draws(seed, len(user))
    # From the last: rank 0 is test, rank 1 validation.
    rank = _rank_within(user, draws) if time is None else _rank_within(user, draws, -time)
    many = np.bincount(user)[user] >= 3
    part = np.zeros(len(user), dtype=np.int8)
    part[many & (rank == 1)] = VALID
    part[many & (rank == 0)] = TEST
    return part


def temporal_parts(time: np.ndarray, valid: float, test: float) -> np.ndarray:
    """Cut at two moments: everything from the later one on is test, the rest from the earlier one.

    The moments are the latest ones with at least ``ceil(test n)`` interactions from there on, and
    ``ceil(valid n)`` more. Interactions at the same time are never torn apart, so nothing that is
    trained on happened at or after anything that is held out.

    Args:
        time: [n] timestamps.
        valid: Share of all interactions for validation.
        test: Share of all interactions for test.
    """
    n = len(time)
    part = np.zeros(n, dtype=np.int8)
    in_order = np.sort(time)
    n_test = int(_share(np.array(n), test))
    n_valid = int(_share(np.array(n), valid))
    from_test = in_order[max(0, n - n_test)]
    before = in_order[in_order < from_test]
    if n_valid and len(before):
        part[time >= before[max(0, len(before) - n_valid)]] = VALID
    part[time >= from_test] = TEST
    return part


def cold_parts(item: np.ndarray, share: float, seed: int) -> np.ndarray:
    """All interactions of a random share of the items are held out.

    ``round(share n)`` of the n items, two at least, are cold. The larger half of them, by item, is
    for test and the other for validation, so that both consist of cold items.

    Args:
        item: [n] item codes; those that occur are drawn from.
        share: Of the items.
        seed: Of the draw.
    """
    items = np.unique(item)
    n_cold = min(len(items), max(2, round(share * len(items))))
    drawn = items[np.argsort(_draws(seed, len(items)), kind="stable")[:n_cold]]
    of_item = np.zeros(items[-1] + 1, dtype=np.int8)
    of_item[drawn] = VALID
    of_item[drawn[: -(-n_cold // 2)]] = TEST
    return np.asarray(of_item[item])


def _draws(seed: int, n: int) -> np.ndarray:
    return np.random.default_rng([seed, n]).random(n)


def _rank_within(user: np.ndarray, *keys: np.ndarray) -> np.ndarray:
    """Place of each interaction among its user's, from 0, ascending by the last key, then back."""
    degree = np.bincount(user)
    order = np.lexsort((*keys, user))
    start = np.cumsum(degree) - degree
    rank = np.empty(len(user), dtype=np.int64)
    rank[order] = np.arange(len(user)) - start[user[order]]
    return rank


def _share(degree: np.ndarray, share: float) -> np.ndarray:
    # 0.1 * 30 is 3.0000000000000004 or so: without rounding the ceiling would be one too many.
    return np.ceil(np.round(degree * share, 9)).astype(np.int64)
