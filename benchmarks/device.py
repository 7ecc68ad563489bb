"""python -m benchmarks.device: the same work on the CPU and, where there is one, on a CUDA card.

Embeds the demo's items (pictures and texts), trains and ranks a small and a middle-sized case with
several recommenders, and prints seconds on each device, their ratio, and the largest difference of
what came out: of vectors, and of scores from the same weights. Without a card it says so and calls
nothing a GPU result. Each measurement is a process of its own, so that no device's set-up is in
another's time.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from mmrec_core.settings import worker_environment

MODELS = ("bpr-mf", "light-gcn", "vbpr", "freedom", "grcn")
EXTRACTORS = ("efficientnet-lite0", "minilm")
CASES = {"small": 1, "middle": 8}
"""Case -> eighths of 20,000 users, 10,000 items and 300,000 interactions."""
EPOCHS, USERS, ITEMS = 2, 500, 256


def embed(name: str, out: Path) -> dict[str, Any]:
    """Vectors of the demo's first items into ``out``; items a second."""
    from mmrec_core.datasets.catalogue import load_dataset
    from mmrec_core.extractors import make_extractor
    from mmrec_core.settings import device

    dataset = load_dataset("demo-both")
    extractor = make_extractor(name)
    rows = extractor.order(dataset)[:ITEMS]
    size = extractor.batch_size(device())

    def quiet(done: int, note: str) -> None:
        pass

    extractor.encode_rows(dataset, rows[:size], device(), size, quiet)
    started = time.perf_counter()
    made = extractor.encode_rows(dataset, rows, device(), size, quiet)
    seconds = time.perf_counter() - started
    np.save(out, made.matrix)
    return {"seconds": seconds}


def train(name: str, case: str, weights: Path, out: Path) -> dict[str, Any]:
    """Trains, ranks, and scores the same weights; the first device to come writes them."""
    from benchmarks.training import generated
    from mmrec_core.recommenders import RECOMMENDERS

    split, features = generated(CASES[case])
    kind = RECOMMENDERS.get(name)
    own = features if kind.uses else {}

    def config(epochs: int) -> Any:
        return kind.Config(
            max_epochs=epochs, patience=epochs, evaluate_every=epochs + 1, batch_size=2048
        )

    spent = []
    for epochs in (1, 1, 1 + EPOCHS):
        started = time.perf_counter()
        fitted = kind(config(epochs)).fit(split, own, 1)
        spent.append(time.perf_counter() - started)
    started = time.perf_counter()
    fitted.scorer()(np.arange(split.n_users))
    ranking = time.perf_counter() - started
    if not weights.exists():
        np.savez(weights, **fitted.weights())
    same = dict(np.load(weights))
    restored = kind.restore(fitted.config, split, own, same)
    np.save(out, restored.score(np.arange(USERS)))
    return {"seconds": (spent[2] - spent[1]) / EPOCHS, "ranking": ranking}


def main() -> None:
    """Prints a line a measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="*", default=list(MODELS))
    parser.add_argument("--extractors", nargs="*", default=list(EXTRACTORS))
    parser.add_argument("--cases", nargs="*", choices=list(CASES), default=list(CASES))
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        what, name, *paths = options.one
        made = (
            embed(name, Path(paths[0]))
            if what == "embed"
            else train(name, what, Path(paths[0]), Path(paths[1]))
        )
        print(json.dumps(made))
        return
    import torch

    cuda = torch.cuda.is_available()
    devices = ["cpu", "cuda"] if cuda else ["cpu"]
    print(torch.cuda.get_device_name() if cuda else "No CUDA card here: no GPU result.")
    print(f"{'what':28} {'cpu s':>8} {'cuda s':>8} {'ratio':>6} {'difference':>10}")
    with TemporaryDirectory() as folder:
        work = [("embed", name) for name in options.extractors]
        work += [(case, name) for case in options.cases for name in options.models]
        for what, name in work:
            _line(what, name, devices, Path(folder))


def _line(what: str, name: str, devices: list[str], folder: Path) -> None:
    found, outs = {}, {}
    for device in devices:
        outs[device] = folder / f"{what}-{name}-{device}.npy"
        paths = [str(outs[device])]
        if what != "embed":
            paths = [str(folder / f"{what}-{name}.npz"), *paths]
        command = [sys.executable, "-m", "benchmarks.device", "--one", what, name, *paths]
        environment = worker_environment() if device == "cpu" else dict(os.environ)
        done = subprocess.run(
            command, env={**environment, "MMREC_DEVICE": device}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if done.returncode:
            print(f"{what + ' ' + name:28} {device}: {done.stderr.strip().splitlines()[-1]}")
            return
        found[device] = json.loads(done.stdout.strip().splitlines()[-1])
    cpu, cuda = found["cpu"], found.get("cuda")
    for key in cpu:
        label = f"{what} {name}" + (" ranking" if key == "ranking" else "")
        print(f"{label:28} {cpu[key]:8.3f}", end="")
        if cuda is None:
            print(f" {'–':>8} {'–':>6} {'–':>10}", flush=True)
            continue
        apart = np.abs(np.load(outs["cpu"]) - np.load(outs["cuda"])).max()
        print(f" {cuda[key]:8.3f} {cpu[key] / cuda[key]:6.1f} {apart:10.2g}", flush=True)


if __name__ == "__main__":
    main()
