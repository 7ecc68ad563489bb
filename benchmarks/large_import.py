"""python -m benchmarks.large_import: seconds and peak memory of installing a large upload.

Writes reviews and metadata as those of Amazon Reviews 2023 are written, plain and packed, into a
temporary folder, and installs them whole and narrowed to their 5-core, each in a process of its
own. A review has a few hundred characters of text, as real ones have; nothing of it is kept.
``--reading``: only how fast the reviews are read, without checking or installing them.
"""

import argparse
import gzip
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import numpy as np

REVIEWS = 5_000_000
USERS_EACH, ITEMS_EACH = 1_500_000 / REVIEWS, 300_000 / REVIEWS
TEXTS = 20_000
ALLOWED_MIB = 2048


def texts(rng: np.random.Generator, count: int, characters: tuple[int, int]) -> list[str]:
    """Prose of random words, as JSON holds it, without the quotation marks around."""
    letters = np.array(list("etaoinshrdlcumwfgypbvk"))
    words = ["".join(rng.choice(letters, size=rng.integers(2, 10))) for _ in range(5_000)]
    drawn = rng.choice(words, size=(count, characters[1] // 5))
    lengths = rng.integers(*characters, size=count)
    return [
        " ".join(row)[:length].strip() for row, length in zip(drawn, lengths.tolist(), strict=True)
    ]


def write_reviews(file: IO[str], n: int, rng: np.random.Generator) -> None:
    """``n`` lines of reviews; some users and products have many."""
    pool = texts(rng, TEXTS, (60, 700))
    size = 100_000
    for start in range(0, n, size):
        count = min(size, n - start)
        users = (max(2, n * USERS_EACH) * rng.random(count) ** 3).astype(int).tolist()
        items = (max(2, n * ITEMS_EACH) * rng.random(count) ** 2).astype(int).tolist()
        stars = rng.integers(1, 6, count).tolist()
        times = rng.integers(1_300_000_000_000, 1_690_000_000_000, count).tolist()
        said = rng.integers(0, TEXTS, (count, 2)).tolist()
        file.writelines(
            f'{{"rating": {star}.0, "title": "{pool[title][:40]}", "text": "{pool[text]}", '
            f'"images": [], "asin": "B{item + 1:09d}", "parent_asin": "B{item:09d}", '
            f'"user_id": "AE{user * 7919:026d}", "timestamp": {at}, "helpful_vote": 0, '
            '"verified_purchase": true}\n'
            for user, item, star, at, (title, text) in zip(
                users, items, stars, times, said, strict=True
            )
        )


def write_metadata(file: IO[str], n: int, rng: np.random.Generator) -> None:
    """A line for each product that may be reviewed, and a tenth more that nobody reviews."""
    pool = texts(rng, TEXTS, (200, 1200))
    address = "https://m.media-amazon.com/images/I"
    for item in range(int(n * ITEMS_EACH * 1.1) + 2):
        title, feature, text = rng.integers(0, TEXTS, 3).tolist()
        record = {
            "main_category": "All Beauty",
            "title": pool[title][:90],
            "average_rating": 4.1,
            "rating_number": 17,
            "features": [pool[feature][:150], pool[feature][150:300]],
            "description": [pool[text]],
            "price": "17.99",
            "images": [
                {
                    "thumb": f"{address}/{item}._SS40_.jpg",
                    "large": f"{address}/{item}.jpg",
                    "variant": variant,
                    "hi_res": f"{address}/{item}._SL1500_.jpg",
                }
                for variant in ("MAIN", "PT01", "PT02")
            ],
            "videos": [],
            "store": f"Store {item % 999}",
            "categories": ["Beauty", f"Kind {item % 40}"],
            "details": {"Brand": f"Store {item % 999}", "Package Dimensions": "1 x 2 x 3 inches"},
            "parent_asin": f"B{item:09d}",
        }
        file.write(json.dumps(record) + "\n")


def write(folder: Path, n: int, packed: bool) -> None:
    """Both files, packed or not."""

    def opened(stem: str) -> IO[str]:
        path = folder / f"{stem}.jsonl"
        if packed:
            return gzip.open(f"{path}.gz", "wt", compresslevel=1, encoding="utf-8")  # type: ignore[return-value]
        return path.open("w", encoding="utf-8")

    rng = np.random.default_rng(0)
    with opened("Beauty") as file:
        write_reviews(file, n, rng)
    with opened("meta_Beauty") as file:
        write_metadata(file, n, rng)


def child(folder: Path, core: int) -> dict[str, Any]:
    """Installs and tells seconds, peak memory and what came of it."""
    from mmrec_core.datasets.install import install
    from mmrec_core.datasets.narrowing import Narrowing

    started = time.perf_counter()
    stages: dict[str, float] = {}

    def progress(done: int, total: int, what: str) -> None:
        stages[what] = time.perf_counter() - started

    narrowing = Narrowing(k_core=core, only_core=True) if core else None
    report = install(folder, name="large", progress=progress, narrowing=narrowing).report
    return {
        "seconds": time.perf_counter() - started,
        "stages": stages,
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "users": report.n_users,
        "items": report.n_items,
        "interactions": report.n_interactions,
    }


def reading(folder: Path) -> dict[str, Any]:
    """Reads the reviews as the importer describes them, and nothing more."""
    from mmrec_core.datasets.archive import opened
    from mmrec_core.datasets.importers import IMPORTERS
    from mmrec_core.datasets.importers.tables import read_table
    from mmrec_core.datasets.schema import Ledger

    with opened(folder) as files, Ledger(lenient=False) as ledger:
        table = IMPORTERS.get("amazon-2023").layout(files, None, ledger).interactions[0]
        started = time.perf_counter()
        rows = sum(len(chunk.frame) for chunk in read_table(table, ledger))
        seconds = time.perf_counter() - started
    return {"seconds": seconds, "rows": rows}


def measured(folder: Path, *arguments: str) -> dict[str, Any]:
    """What a process of its own measures, with a store of its own."""
    with TemporaryDirectory() as data:
        run = subprocess.run(
            [sys.executable, "-m", "benchmarks.large_import", "--child", str(folder), *arguments],
            env={**os.environ, "MMREC_DATA": data, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    if run.returncode:
        raise SystemExit(run.stderr)
    result: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return result


def main() -> int:
    """Prints one line a measurement; 1 where more memory was needed than is allowed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reviews", type=int, default=REVIEWS)
    parser.add_argument("--reading", action="store_true")
    parser.add_argument("--child", type=Path)
    parser.add_argument("--core", type=int, default=0)
    args = parser.parse_args()
    if args.child is not None:
        print(json.dumps(reading(args.child) if args.reading else child(args.child, args.core)))
        return 0
    most = 0.0
    for packed in (False, True):
        with TemporaryDirectory() as made:
            folder = Path(made) / "upload"
            folder.mkdir()
            write(folder, args.reviews, packed)
            size = sum(file.stat().st_size for file in folder.iterdir()) / 2**20
            label = "packed" if packed else "plain"
            print(f"{label}: {args.reviews:,} reviews and metadata, {size:,.0f} MiB", flush=True)
            if args.reading:
                told = measured(folder, "--reading")
                print(f"  {told['rows'] / told['seconds']:,.0f} reviews/s read", flush=True)
                continue
            for core in (5, 0):
                told = measured(folder, "--core", str(core))
                most = max(most, told["mib"])
                stages = ", ".join(f"{what} {at:.0f}" for what, at in told["stages"].items())
                print(
                    f"  {f'{core}-core' if core else 'whole'}: {told['seconds']:.0f} s, "
                    f"{told['mib']:,.0f} MiB; {told['users']:,} users, {told['items']:,} items, "
                    f"{told['interactions']:,} interactions (until s: {stages})",
                    flush=True,
                )
    return int(most > ALLOWED_MIB)


if __name__ == "__main__":
    sys.exit(main())
