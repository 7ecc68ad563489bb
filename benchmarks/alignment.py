"""python -m benchmarks.alignment: what the measures cost at the sizes of a real catalogue.

Seconds on the clock, and of processors in brackets, which other processes do not lengthen. Prints
debiased CKA of 20,000 items, then each measure's preparation and 200 permutations for one
pair, then what looks at one space or at behaviour. Asserts nothing.
"""

import argparse
import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from mmrec_core.alignment import (
    GEOMETRY,
    MEASURES,
    debiased_cka,
    duplicates,
    geometry,
    homophily,
    retrieval,
    ridge_retrieval,
)
from mmrec_core.alignment.calibration import calibrate_states


def pair(n: int, widths: tuple[int, int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two float32 spaces with 32 directions in common and falling spectra, as extractors give."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((n, 32))
    spaces = []
    for width in widths:
        own = rng.standard_normal((n, width)) / np.arange(1, width + 1) ** 0.5
        space = 0.5 * common @ rng.standard_normal((32, width)) / 32**0.5 + own
        spaces.append((space + 1.0).astype(np.float32))
    return spaces[0], spaces[1]


def interactions(content: np.ndarray, n_users: int, seed: int) -> sparse.csr_matrix:
    """Users who take ten items each near a taste of their own."""
    rng = np.random.default_rng(seed)
    centred = content - content.mean(axis=0)
    tastes = centred[rng.integers(0, len(content), n_users)]
    scores = tastes @ centred.T / np.linalg.norm(tastes, axis=1, keepdims=True)
    scores += scores.std() * rng.gumbel(size=scores.shape).astype(np.float32)
    items = np.argpartition(-scores, 10, axis=1)[:, :10]
    users = np.repeat(np.arange(n_users), 10)
    shape = (n_users, len(content))
    return sparse.csr_matrix((np.ones(len(users)), (users, items.ravel())), shape=shape)


def seconds(function: Callable[[], Any]) -> tuple[str, Any]:
    """Seconds on the clock and, in brackets, of processors; and what a call returns."""
    clock, spent = time.perf_counter(), time.process_time()
    result = function()
    clock, spent = time.perf_counter() - clock, time.process_time() - spent
    return f"{clock:.1f} ({spent:.1f})", result


def row(what: str, *numbers: str) -> None:
    """One line of a table."""
    print(f"| {what} | " + " | ".join(numbers) + " |", flush=True)


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=5_000)
    parser.add_argument("--many", type=int, default=20_000)
    parser.add_argument("--permutations", type=int, default=200)
    options = parser.parse_args()

    x, y = pair(options.many, (1280, 384), 0)
    row("once, all items", "items", "seconds (of processors)")
    row("---", "---", "---")
    for name, function in (
        ("debiased CKA", lambda: debiased_cka(x, y)),
        ("retrieval, both ways (384 × 384)", lambda: retrieval(y, y + 0.1 * x[:, :384])),
        ("ridge retrieval", lambda: ridge_retrieval(x, y)),
        ("geometry of 1,280 columns", lambda: geometry(x, options.items)),
        ("duplicates of 1,280 columns", lambda: duplicates(x)),
    ):
        row(name, f"{options.many:,}", seconds(function)[0])

    x, y = pair(options.items, (1280, 384), 1)
    print()
    row(
        "measure",
        "prepare both, s",
        f"{options.permutations} permutations",
        "raw",
        "calibrated",
        "p",
    )
    row(*["---"] * 6)
    for name, measure in MEASURES.items():
        a, b = (y, x[:, :384]) if measure.shared_space_only else (x, y)
        ready, states = seconds(
            lambda m=measure, a=a, b=b: [m.prepare(s.astype(np.float64)) for s in (a, b)]
        )
        if not measure.paired:
            row(name, ready, "–", f"{measure.value(*states):.4f}", "–", "–")
            continue
        spent, found = seconds(
            lambda m=measure, s=states: calibrate_states(
                m, *s, n=options.items, permutations=options.permutations
            )
        )
        numbers = (f"{found[key]:.4f}" for key in ("observed", "calibrated", "p"))
        row(name, ready, spent, *numbers)

    print()
    train = interactions(y, 10_000, 2)
    spent, found = seconds(lambda: homophily(train, y, permutations=options.permutations))
    print(f"homophily of {found.n_used:,} items: {spent} s")
    print(found.table.to_string(index=False))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"\n{len(GEOMETRY)} numbers of geometry; peak memory {peak:.1f} GiB")


if __name__ == "__main__":
    main()
