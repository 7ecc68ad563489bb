"""python -m benchmarks.training: cost of every model: an epoch, a full ranking, peak memory.

Each model is measured in a process of its own, with one thread unless told otherwise, so that its
peak memory is its own.
Machines are shared and noisy: the ratio to BPR-MF of the same run is what can be compared. Without
arguments: the demo. ``--dataset NAME``: an installed one. ``--scale 1 2 4``: generated data of
20,000 users, 10,000 items and 300,000 interactions times 1/8, 2/8, 4/8, with a picture matrix of
1,024 columns and a text matrix of 384; what grows linearly keeps its seconds for each interaction.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from mmrec_core.domain import Embeddings, Features, Split
from mmrec_core.metrics.ranking import evaluate_lists
from mmrec_core.recommenders import RECOMMENDERS
from mmrec_core.settings import worker_environment

WHOLE = (20_000, 10_000, 300_000)
WIDTHS = {"image": 1024, "text": 384}


def generated(eighths: int) -> tuple[Split, Features]:
    """A split of a share of WHOLE, with long-tailed items and random features."""
    rng = np.random.default_rng(eighths)
    n_users, n_items, n = (int(size * eighths / 8) for size in WHOLE)
    chance = 1 / np.arange(1, n_items + 1) ** 0.7
    users = rng.integers(0, n_users, 2 * n)
    items = rng.choice(n_items, 2 * n, p=chance / chance.sum())
    pairs = pd.DataFrame({"user": users, "item": items}).drop_duplicates()[:n]
    part = rng.permutation(len(pairs)) % 10

    def matrix(chosen: np.ndarray) -> sparse.csr_matrix:
        own = pairs[chosen]
        ones = np.ones(len(own), dtype=np.float32)
        return sparse.csr_matrix((ones, (own["user"], own["item"])), shape=(n_users, n_items))

    ids = [np.array([f"{kind}{i}" for i in range(n)], dtype=object)
           for kind, n in (("u", n_users), ("i", n_items))]  # fmt: skip
    split = Split(
        matrix(part < 8), matrix(part == 8), matrix(part == 9), *ids, None, "random", 0, "generated"
    )
    nobody = np.zeros(n_items, dtype=bool)
    features = {
        m: Embeddings(m, "noise", split.item_ids, rng.standard_normal((n_items, d)), nobody)
        for m, d in WIDTHS.items()
    }
    return split, features


def installed(dataset: str) -> tuple[Split, Features]:
    """Split and features of a dataset whose embeddings are made."""
    from mmrec_core.studies.inputs import load_inputs, resolved
    from mmrec_core.studies.study import Study

    inputs = load_inputs(resolved(Study(dataset=dataset)))
    return inputs.split, inputs.features


def measure(name: str, source: str, epochs: int, seeds: int, batch: int) -> dict[str, Any]:
    """One model in this process: seconds of an epoch for one seed, of a ranking, MiB at most."""
    from mmrec_core.studies.runs import KS, ranked

    split, features = (
        generated(int(source.removeprefix("scale:")))
        if source.startswith("scale:")
        else installed(source)
    )
    kind = RECOMMENDERS.get(name)
    own = features if kind.uses else {}
    fields = kind.Config.model_fields

    def config(epochs: int) -> Any:
        wanted = {"max_epochs": epochs, "patience": epochs, "evaluate_every": epochs + 1}
        wanted["batch_size"] = batch
        return kind.Config(**{key: v for key, v in wanted.items() if key in fields})

    numbers = list(range(1, seeds + 1))
    # The first training pays for imports; what the second one pays for graphs is taken off.
    spent = []
    for count in (1, 1, 1 + epochs):
        started = time.perf_counter()
        fitted = kind.fit_seeds(config(count), split, [own] * seeds, numbers)
        spent.append(time.perf_counter() - started)
    epoch = (spent[2] - spent[1]) / epochs if "max_epochs" in fields else spent[2]
    started = time.perf_counter()
    lists = ranked(fitted[0], split, "train+valid")
    evaluate_lists(lists, split.relevant("test"), KS)
    ranking = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "epoch": epoch / seeds,
        "ranking": ranking,
        "mib": peak,
        "interactions": int(split.train.nnz),
    }


def main() -> None:
    """Prints one line a model and source."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=RECOMMENDERS.names())
    parser.add_argument("--dataset", default="demo-both")
    parser.add_argument("--scale", nargs="+", type=int, help="eighths of the generated data")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--batch", type=int, default=2048)
    parser.add_argument("--threads", type=int, default=1, help="of each model's process")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(*options.one, options.epochs, options.seeds, options.batch)))
        return
    sources = [f"scale:{n}" for n in options.scale] if options.scale else [options.dataset]
    threads = str(options.threads)
    environment = worker_environment() | {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    print(f"batch {options.batch}, {options.seeds} seed(s) side by side, threads: {threads}")
    print(f"{'source':12} {'model':20} {'s/epoch':>8} {'to bpr-mf':>9} {'µs/inter.':>9} "
          f"{'ranking s':>9} {'MiB':>6}")  # fmt: skip
    for source in sources:
        base = None
        for name in sorted(options.models, key=lambda n: n != "bpr-mf"):
            command = [sys.executable, "-m", "benchmarks.training", "--one", name, source]
            command += ["--epochs", str(options.epochs), "--seeds", str(options.seeds)]
            command += ["--batch", str(options.batch)]
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode:
                print(f"{source:12} {name:20} {done.stderr.strip().splitlines()[-1]}")
                continue
            found = json.loads(done.stdout)
            base = base or found["epoch"]
            each = 1e6 * found["epoch"] / found["interactions"]
            print(
                f"{source:12} {name:20} {found['epoch']:8.3f} {found['epoch'] / base:9.1f} "
                f"{each:9.2f} {found['ranking']:9.3f} {found['mib']:6.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
