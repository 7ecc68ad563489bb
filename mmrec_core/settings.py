"""Paths, device, threads and switches: the only reader of environment variables."""

import os
import resource
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from mmrec_core.domain import InputError

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Limits:
    """What an upload may be; sensible on a laptop.

    Attributes:
        upload_bytes: Largest size of all files of one upload in the app.
        upload_files: Most files of one upload in the app; more come as a zip.
        archive_bytes: Largest unpacked size of an archive.
        archive_ratio: Largest ratio of unpacked to packed size.
        archive_members: Most files in one archive.
        matrix_bytes: Largest packed matrix of features, in memory.
        features_bytes: Largest features of all items, in memory.
        image_pixels: Most pixels of one picture.
        rows: Most rows of one table.
        columns: Most columns of one table.
        cell_characters: Longest text in one cell.
    """

    upload_bytes: int = 2 * 2**30
    upload_files: int = 20_000
    archive_bytes: int = 8 * 2**30
    archive_ratio: float = 200.0
    archive_members: int = 2_000_000
    matrix_bytes: int = 2 * 2**30
    features_bytes: int = 8 * 2**30
    image_pixels: int = 64_000_000
    rows: int = 200_000_000
    columns: int = 500
    cell_characters: int = 100_000


@dataclass(frozen=True)
class Settings:
    """Everything the environment decides.

    Attributes:
        data: The data folder; holds ``demo`` (committed), ``uploads`` and ``store``.
        device: ``cpu``, ``cuda`` or ``mps``, or ``auto``.
        workers: Processes that train side by side; each uses one thread.
        offline: No model hub is asked.
        read_only: Browse and export only.
        limits: What an upload may be.
    """

    data: Path
    device: str
    workers: int
    offline: bool
    read_only: bool
    limits: Limits

    @property
    def demo(self) -> Path:
        """The committed demo shop."""
        return PROJECT / "data" / "demo"

    @property
    def models(self) -> Path:
        """Models that come with the program."""
        return PROJECT / "data" / "models"

    @property
    def demo_store(self) -> Path:
        """The committed, read-only layer of the store."""
        return self.demo / "store"

    @property
    def store(self) -> Path:
        """The writable layer of the store."""
        return self.data / "store"

    @property
    def uploads(self) -> Path:
        """Which dataset names point at which stored datasets."""
        return self.data / "uploads"

    @property
    def jobs(self) -> Path:
        """State and log of every job."""
        return self.data / "store" / "jobs"


@lru_cache(maxsize=1)
def settings() -> Settings:
    """Reads the environment once.

    ``MMREC_DATA`` (folder), ``MMREC_DEVICE``, ``MMREC_WORKERS``, ``MMREC_ONLINE``,
    ``MMREC_READ_ONLY``, ``MMREC_LIMITS`` (such as ``rows=500000000,image_pixels=100000000``).
    """
    env = os.environ
    return Settings(
        data=Path(env.get("MMREC_DATA", PROJECT / "data")).expanduser().resolve(),
        device=env.get("MMREC_DEVICE", "auto"),
        workers=_workers(env.get("MMREC_WORKERS", "")),
        offline=env.get("MMREC_ONLINE", "0") != "1",
        read_only=env.get("MMREC_READ_ONLY", "0") == "1",
        limits=_limits(env.get("MMREC_LIMITS", "")),
    )


def _workers(given: str) -> int:
    """``MMREC_WORKERS`` as a number; as many as there are cores where it is not given.

    Raises:
        InputError: It is no whole number.
    """
    if not given:
        return os.cpu_count() or 1
    try:
        return max(1, int(given))
    except ValueError:
        raise InputError(
            f"MMREC_WORKERS is {given!r}; it must be a whole number of processes, such as 2."
        ) from None


def _limits(given: str) -> Limits:
    """The limits with those of ``MMREC_LIMITS`` in place of the usual ones.

    Raises:
        InputError: One is not known, or is no number above zero.
    """
    usual = Limits()
    known = {field.name: getattr(usual, field.name) for field in fields(Limits)}
    changed: dict[str, Any] = {}
    for entry in filter(None, (part.strip() for part in given.split(","))):
        name, _, value = (part.strip() for part in entry.partition("="))
        if name not in known:
            raise InputError(f"MMREC_LIMITS names {name!r}; the limits are {', '.join(known)}.")
        try:
            number = type(known[name])(float(value))
        except (ValueError, OverflowError):
            number = 0
        if not number > 0:
            raise InputError(
                f"MMREC_LIMITS says {entry!r}; write a number above zero, such as "
                f"{name}={known[name]}."
            )
        changed[name] = number
    return Limits(**changed)


def worker_environment() -> dict[str, str]:
    """Environment of a process that computes beside others: one thread, no spinning.

    Matrices of width 64 gain nothing from a second thread, and on a busy machine waiting threads
    that spin cost many times the work itself.
    """
    env = dict(os.environ)
    env.update(
        OMP_NUM_THREADS="1",
        MKL_NUM_THREADS="1",
        OPENBLAS_NUM_THREADS="1",
        OMP_WAIT_POLICY="PASSIVE",
        TOKENIZERS_PARALLELISM="false",
        # Tensors of a training step are freed and wanted again at once. Memory that goes back to
        # the system in between is faulted in anew page by page, which can cost more than the sums.
        THP_MEM_ALLOC_ENABLE="1",
        MALLOC_MMAP_MAX_="0",
        MALLOC_TRIM_THRESHOLD_=str(8 * 2**30),
        HF_HUB_DISABLE_TELEMETRY="1",
        MMREC_DATA=str(settings().data),
    )
    if settings().offline:
        env.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1")
    return env


@lru_cache(maxsize=1)
def device() -> str:
    """The device that computes, chosen here and nowhere else: cuda, mps or cpu."""
    chosen = settings().device
    if chosen != "auto":
        return chosen
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def peak_memory_mib() -> int:
    """Largest resident set of this process so far and of its largest child, MiB.

    For a piece of work it is an upper bound: the process may have done other things before.
    """
    kib = max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return int(kib / 1024)
