"""python -m benchmarks.peers: our recommenders beside those of Cornac, implicit and RecBole.

Same split, same width (64 factors), one thread each, one run. For every system six settings are
trained for a while and the best on validation goes on: trained anew for 5, 10, 20, ... epochs,
the seconds of training alone are taken and validation Recall@20 is looked at outside the clock.
A pair is compared by the seconds in which each reaches the same validation Recall@20, 98 % of the
best that the weaker of the two reaches; test figures are those of each one's best number of
epochs. Libraries that lie in an environment of their own: --python PATH of its interpreter.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from scipy import sparse

from benchmarks.peer_systems import GRIDS, SYSTEMS
from mmrec_core.domain import Embeddings, Split
from mmrec_core.metrics.ranking import evaluate_lists, random_tie_rank, top_k
from mmrec_core.settings import worker_environment

PAIRS = (
    ("cornac-bpr", "bpr-mf"),
    ("implicit-bpr", "bpr-mf"),
    ("recbole-bpr", "bpr-mf"),
    ("recbole-light-gcn", "light-gcn"),
    ("cornac-vbpr", "vbpr"),
    ("implicit-item-knn", "item-knn"),
)
CLOSED = {"implicit-item-knn", "item-knn"}
SEARCHED_EPOCHS = 20
LONGEST_EPOCHS = 640
NEAR = 0.98


def save(split: Split, image: Embeddings, folder: Path) -> None:
    """What a system reads, as plain arrays."""
    for part in ("train", "valid", "test"):
        sparse.save_npz(folder / f"{part}.npz", getattr(split, part))
    np.savez(folder / "image.npz", matrix=image.matrix, missing=image.missing)
    (folder / "split.json").write_text(json.dumps({"relevant_from": split.relevant_from}))


def load(folder: Path) -> tuple[Split, Embeddings]:
    """The split and picture features of ``save``."""
    parts = [sparse.load_npz(folder / f"{part}.npz") for part in ("train", "valid", "test")]
    ids = [np.array([str(i) for i in range(n)], dtype=object) for n in parts[0].shape]
    about = json.loads((folder / "split.json").read_text())
    split = Split(*parts, *ids, about["relevant_from"], "fixed", 0, "as given")
    arrays = np.load(folder / "image.npz")
    return split, Embeddings("image", "given", ids[1], arrays["matrix"], arrays["missing"])


def quality(scores: np.ndarray, split: Split, part: str) -> dict[str, float]:
    """Mean Recall@20 and nDCG@20 on a part; what the user took before is left out."""
    seen = split.train if part == "valid" else split.train + split.valid
    seen = seen.astype(bool).astype(np.float32).tocsr()
    lists = top_k(scores, seen, 20, random_tie_rank(split.n_items, 0))
    found = evaluate_lists(lists, split.relevant(part), (20,))
    return {name: float(np.nanmean(found[name])) for name in ("recall@20", "ndcg@20")}


def measure(name: str, folder: Path, patience: float) -> dict[str, Any]:
    """One system in this process: settings, learning curve by seconds, test figures."""
    split, image = load(folder)
    train = SYSTEMS[name]

    def tried(epochs: int, values: dict[str, Any]) -> dict[str, Any]:
        seconds, scores = train(split, image, epochs, values)
        valid = quality(scores, split, "valid")["recall@20"]
        return {
            "epochs": epochs,
            "seconds": seconds,
            "valid": valid,
            **quality(scores, split, "test"),
        }

    train(split, image, 1, GRIDS[name][0])  # pays for imports
    searched = [tried(SEARCHED_EPOCHS, values)["valid"] for values in GRIDS[name]]
    values = GRIDS[name][int(np.argmax(searched))]
    curve: list[dict[str, Any]] = []
    epochs = 1 if name in CLOSED else 5
    while epochs <= LONGEST_EPOCHS:
        curve.append(tried(epochs, values))
        best = max(curve, key=lambda point: point["valid"])
        worse = [point for point in curve if point["epochs"] > best["epochs"]]
        if name in CLOSED or len(worse) >= 2 or curve[-1]["seconds"] > patience:
            break
        epochs *= 2
    return {"settings": values, "curve": curve, "best": max(curve, key=lambda p: p["valid"])}


def reached(curve: list[dict[str, Any]], wanted: float) -> float | None:
    """Seconds at which a curve first reaches a value, straight between its points."""
    before = {"seconds": 0.0, "valid": 0.0}
    for point in curve:
        if point["valid"] >= wanted:
            share = (wanted - before["valid"]) / (point["valid"] - before["valid"])
            return float(before["seconds"] + share * (point["seconds"] - before["seconds"]))
        before = point
    return None


def main() -> None:
    """Prints a line a pair, and a line a system."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="demo-both")
    parser.add_argument("--python", default=sys.executable, help="interpreter that has the peers")
    parser.add_argument("--pairs", nargs="+", choices=[theirs for theirs, _ in PAIRS])
    parser.add_argument("--patience", type=float, default=120.0, help="longest training, seconds")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        name, folder = options.one
        # RecBole reads the command line of whoever calls it.
        sys.argv = sys.argv[:1]
        print(json.dumps(measure(name, Path(folder), options.patience)))
        return
    from benchmarks.training import installed

    split, features = installed(options.dataset)
    pairs = [pair for pair in PAIRS if not options.pairs or pair[0] in options.pairs]
    with TemporaryDirectory() as folder:
        save(split, features["image"], Path(folder))
        found: dict[str, Any] = {}
        for name in dict.fromkeys(name for pair in pairs for name in pair):
            theirs = any(name == pair[0] for pair in PAIRS)
            command = [options.python if theirs else sys.executable, "-m", "benchmarks.peers"]
            command += ["--one", name, folder, "--patience", str(options.patience)]
            done = subprocess.run(
                command, env=worker_environment(), capture_output=True, text=True, check=False
            )
            if done.returncode:
                print(f"{name} does not run: {done.stderr.strip().splitlines()[-1]}", flush=True)
                continue
            found[name] = own = json.loads(done.stdout.strip().splitlines()[-1])
            best = own["best"]
            said = ", ".join(f"{key} {value}" for key, value in own["settings"].items())
            print(
                f"{name:18} valid R@20 {best['valid']:.4f} test R@20 {best['recall@20']:.4f} "
                f"nDCG@20 {best['ndcg@20']:.4f} {best['epochs']:4} epochs "
                f"{best['seconds']:7.2f} s | {said}",
                flush=True,
            )
        print(f"\n{'peer':18} {'ours':10} {'reach':>6} {'peer s':>8} {'ours s':>8} {'ratio':>6}")
        for pair in pairs:
            if any(name not in found for name in pair):
                continue
            wanted = NEAR * min(found[name]["best"]["valid"] for name in pair)
            theirs, own = (reached(found[name]["curve"], wanted) or np.nan for name in pair)
            print(
                f"{pair[0]:18} {pair[1]:10} {wanted:6.4f} {theirs:8.2f} {own:8.2f} "
                f"{theirs / own:6.2f}"
            )


if __name__ == "__main__":
    main()
