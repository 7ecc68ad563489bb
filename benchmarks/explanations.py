"""python -m benchmarks.explanations: from asking why to the answer, on stored runs.

Medians of 50 recommendations for each trained model of a dataset, in milliseconds, one process: a
list, the split of a score, another item's picture and words, a purchase forgotten. *Open* is the
first restoring of a run, seconds. What the browser adds: python -m benchmarks.pages.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np

from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.explanations.additive import split_score
from mmrec_core.explanations.counterfactual import (
    compared,
    given_from,
    modalities_at_inference,
)
from mmrec_core.explanations.history import forgotten
from mmrec_core.explanations.service import open_run
from mmrec_core.explanations.subject import Subject
from mmrec_core.studies.trained import StoredRun, stored_runs

REPEATS = 50
LEFT_OUT = ("random", "most-pop")


def median_ms(action: Callable[[int, int], object], subject: Subject, seed: int = 0) -> float:
    """Median milliseconds of an action on random users and one of the items they are shown."""
    rng = np.random.default_rng(seed)
    taken = []
    for _ in range(REPEATS):
        user = int(rng.integers(subject.split.n_users))
        item = int(rng.choice(subject.list_of(user)))
        started = time.perf_counter()
        action(user, item)
        taken.append(time.perf_counter() - started)
    return 1000 * float(np.median(taken))


def measured(dataset_name: str, run: StoredRun) -> dict[str, float]:
    """What one run takes: open in seconds, the others in milliseconds."""
    started = time.perf_counter()
    subject = open_run(load_dataset(dataset_name), run.name).subject
    subject.scores(0)
    found = {"open": time.perf_counter() - started}
    found["list"] = median_ms(lambda user, _: subject.list_of(user), subject)
    found["split"] = median_ms(lambda user, item: split_score(subject, user, item), subject)
    rng = np.random.default_rng(1)
    for modality in modalities_at_inference(subject):

        def given(user: int, item: int, modality: str = modality) -> object:
            donor = int(rng.integers(subject.split.n_items))
            return compared(subject, given_from(subject, item, modality, donor), user, item)

        found[modality] = median_ms(given, subject)
    if subject.model.reads_history:

        def forget(user: int, item: int) -> object:
            edited = forgotten(subject, user, subject.history(user)[:1])
            return compared(subject, edited, user, item)

        found["forget"] = median_ms(forget, subject)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", nargs="+", default=["demo-both"])
    options = parser.parse_args()
    print(f"{'dataset':<12}{'run':<44}{'open s':>8}", *(f"{n:>8}" for n in COLUMNS))
    for name in options.datasets:
        seen = set()
        for run in stored_runs(load_dataset(name)):
            if not run.restorable or run.kind.name in (*LEFT_OUT, *seen):
                continue
            seen.add(run.kind.name)
            found = measured(name, run)
            cells = (f"{found[c]:8.0f}" if c in found else f"{'-':>8}" for c in COLUMNS)
            print(f"{name:<12}{run.title[:42]:<44}{found['open']:8.2f}", *cells, flush=True)


COLUMNS = ("list", "split", "image", "text", "forget")

if __name__ == "__main__":
    main()
