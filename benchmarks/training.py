"""python -m benchmarks.training: cost of training on the demo, as ratios in one run.

Machines are shared and noisy, so each figure stands beside one taken in the same minute: seconds
of a seed trained in a batch of five against the same seed trained alone, and the ranking of all
users against one epoch.
"""

import time

import numpy as np

from mmrec_core.recommenders import RECOMMENDERS
from mmrec_core.studies.inputs import load_inputs, resolved
from mmrec_core.studies.runs import ranked
from mmrec_core.studies.study import Study

EPOCHS = 10


def main() -> None:
    """Prints one line a recommender."""
    inputs = load_inputs(resolved(Study(dataset="demo-both")))
    print(
        f"{'model':10} {'s/epoch alone':>14} {'in batch of 5':>14} {'ratio':>6} {'ranking s':>10}"
    )
    for name in ("bpr-mf", "light-gcn", "vbpr", "freedom"):
        kind = RECOMMENDERS.get(name)
        config = kind.Config(max_epochs=EPOCHS, patience=EPOCHS)
        features = inputs.features if kind.uses else {}
        seconds = {}
        for count in (1, 5):
            started = time.perf_counter()
            fitted = kind.fit_seeds(
                config, inputs.split, [features] * count, list(range(1, count + 1))
            )
            seconds[count] = (time.perf_counter() - started) / count / EPOCHS
        started = time.perf_counter()
        lists = ranked(fitted[0], inputs.split, "train+valid")
        ranking = time.perf_counter() - started
        assert lists.shape[0] == inputs.split.n_users and np.isfinite(lists).all()
        ratio = seconds[5] / seconds[1]
        print(f"{name:10} {seconds[1]:14.4f} {seconds[5]:14.4f} {ratio:6.2f} {ranking:10.3f}")


if __name__ == "__main__":
    main()
