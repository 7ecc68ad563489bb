"""What an extractor is: it turns the pictures or words of items into one vector an item.

An extractor is one class in one file: facts, a pydantic config (its fields become the form on
screen, the class docstring the text beside it), and ``encode_rows``. Everything else, the order of
work, shards, progress and running out of memory, is done here, once.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from mmrec_core.domain import Dataset, Embeddings, InputError, Progress, no_progress
from mmrec_core.lazy import lazy_import
from mmrec_core.registry import Registry
from mmrec_core.settings import device as chosen_device

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_import("torch")

SHARD = 512
"""Items in one shard: what a stopped run loses at most."""

T = TypeVar("T")
R = TypeVar("R")


class Available(NamedTuple):
    """Whether an extractor can run here.

    Attributes:
        ok: True when it can.
        reason: Otherwise what is missing and how to get it, in words; empty when ``ok``.
    """

    ok: bool
    reason: str = ""


class ExtractorConfig(BaseModel):
    """Options of an extractor; fields carry a description and become a form."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Encoded:
    """Vectors of some rows of a dataset.

    Attributes:
        matrix: [n_rows, width] float32; rows that failed hold zeros.
        failures: Position within these rows -> why its input could not be read.
    """

    matrix: np.ndarray
    failures: Mapping[int, str] = field(default_factory=dict)


class Shards(Protocol):
    """Keeps finished parts of a run, so that a stopped one goes on where it was."""

    def load(self, index: int, rows: np.ndarray, width: int) -> Encoded | None:
        """What was kept for shard ``index`` with exactly these ``rows``, or None."""

    def save(self, index: int, rows: np.ndarray, encoded: Encoded) -> None:
        """Keeps shard ``index``."""


class Extractor(ABC):
    """Makes embeddings from one modality of a dataset.

    Args:
        config: Options; None for the defaults.

    Attributes:
        name: Name in code, files and the command line.
        title: Name on screen.
        modality: ``image``, ``text`` or ``joint``; ``any`` on a class whose config decides.
        reference: Where the model comes from.
        version: Raised whenever the same input would give other vectors; part of the store's key.
        width: Number of columns it makes; 0 on a class where the data decide.
        batch_sizes: Device -> items in a batch.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    modality: str
    reference: ClassVar[str]
    version: ClassVar[int]
    width: int
    batch_sizes: ClassVar[Mapping[str, int]] = {"cpu": 16, "cuda": 256, "mps": 64}
    Config: ClassVar[type[ExtractorConfig]] = ExtractorConfig

    def __init__(self, config: ExtractorConfig | None = None) -> None:
        self.config: Any = self.Config() if config is None else config
        self._largest_batch: int | None = None

    @abstractmethod
    def availability(self) -> Available:
        """Says whether it can run here with its options, without loading weights or torch."""

    @abstractmethod
    def observed(self, dataset: Dataset) -> np.ndarray:
        """[n_items] bool; True where the item has something to read."""

    @abstractmethod
    def inputs_fingerprint(self, dataset: Dataset) -> str:
        """sha256 of exactly what it reads of ``dataset``.

        Datasets that share these inputs share embeddings, whatever their interactions are.
        """

    @abstractmethod
    def encode_rows(
        self,
        dataset: Dataset,
        rows: np.ndarray,
        device: str,
        batch_size: int,
        done: Callable[[int, str], None],
    ) -> Encoded:
        """Encodes the items at ``rows``.

        Args:
            dataset: Where the items lie.
            rows: [n_rows] positions in ``dataset.items``; all observed.
            device: cpu, cuda or mps.
            batch_size: Most items at once.
            done: Called with the items done so far of these rows, and a note that is mostly empty.
        """

    def order(self, dataset: Dataset) -> np.ndarray:
        """[n_observed] positions of the observed items, in the order of work.

        It must follow from the inputs and the config alone: shards are slices of it.
        """
        return np.flatnonzero(self.observed(dataset))

    @property
    def label(self) -> str:
        """The name, with the options that are not the default ones."""
        changed = self.config.model_dump(mode="json", exclude_defaults=True)
        options = ", ".join(f"{name}={value}" for name, value in sorted(changed.items()))
        return f"{self.name}({options})" if options else self.name

    def spec(self, dataset: Dataset) -> dict[str, Any]:
        """What the store keys its embeddings of ``dataset`` by."""
        return {
            "extractor": self.name,
            "version": self.version,
            "config": self.config.model_dump(mode="json"),
            "inputs": self.inputs_fingerprint(dataset),
        }

    def caution(self, dataset: Dataset) -> str:
        """What to know before it is used on ``dataset``, a sentence without its end; mostly ""."""
        return ""

    def shared_with(self) -> str:
        """Names the space that its vectors share with another modality's; empty: none."""
        return ""

    def prepare(self) -> None:  # noqa: B027
        """Gets what has to be here before ``spec`` is known; most need nothing."""

    def batch_size(self, device: str) -> int:
        """Items in a batch on ``device`` unless told otherwise."""
        return self.batch_sizes.get(device, self.batch_sizes["cpu"])

    def encode(
        self,
        dataset: Dataset,
        device: str | None = None,
        batch_size: int | None = None,
        progress: Progress = no_progress,
        shards: Shards | None = None,
    ) -> Embeddings:
        """Encodes every item that has something to read; the others are missing.

        Args:
            dataset: Items and where their pictures lie.
            device: cpu, cuda or mps; None: the device of the settings.
            batch_size: Most items at once; None: what suits the device.
            progress: Told of items done, items in all, and items per second.
            shards: Keeps finished parts; None: nothing is kept.

        Returns:
            Embeddings of all items in the order of ``dataset.items``.

        Raises:
            InputError: The extractor cannot run here, or one item does not fit into memory.
        """
        ok, reason = self.availability()
        if not ok:
            raise InputError(f"{self.title} cannot run: {reason}.")
        device = device or chosen_device()
        batch_size = batch_size or self.batch_size(device)
        order = self.order(dataset)
        matrix = np.zeros((dataset.n_items, self.width), dtype=np.float32)
        observed = np.zeros(dataset.n_items, dtype=bool)
        failures: dict[str, str] = {}
        clock = _Clock(self.name, len(order), progress)
        for index, start in enumerate(range(0, len(order), SHARD)):
            rows = order[start : start + SHARD]
            encoded = shards.load(index, rows, self.width) if shards else None
            if encoded is None:
                encoded = self.encode_rows(dataset, rows, device, batch_size, clock.at(start))
                if shards:
                    shards.save(index, rows, encoded)
            else:
                clock.skip(start + len(rows))
            matrix[rows] = encoded.matrix
            observed[rows] = True
            failed = rows[sorted(encoded.failures)]
            observed[failed] = False
            reasons = [encoded.failures[position] for position in sorted(encoded.failures)]
            failures.update(zip(dataset.item_ids[failed], reasons, strict=True))
        return Embeddings(
            self.modality,
            self.label,
            dataset.item_ids,
            matrix,
            ~observed,
            failures=dict(failures),
        )

    def in_batches(
        self,
        items: Sequence[T],
        batch_size: int,
        forward: Callable[[Sequence[T]], np.ndarray],
        done: Callable[[int, str], None],
        before: int = 0,
    ) -> np.ndarray:
        """``forward`` over slices of ``items``, put together, [n, width] float32.

        Args and errors as of ``parts``.
        """
        parts = self.parts(items, batch_size, forward, done, before)
        if not parts:
            return np.zeros((0, self.width), dtype=np.float32)
        return np.concatenate(parts).astype(np.float32, copy=False)

    def parts(
        self,
        items: Sequence[T],
        batch_size: int,
        forward: Callable[[Sequence[T]], R],
        done: Callable[[int, str], None],
        before: int = 0,
    ) -> list[R]:
        """Runs ``forward`` over slices of ``items``; halves the batch when memory runs out.

        Args:
            items: What ``forward`` takes, one entry an item.
            batch_size: Most items at once; a smaller limit found before is kept to.
            forward: Items -> what is made of them.
            done: As in ``encode_rows``.
            before: Items done before these.

        Raises:
            InputError: A single item does not fit into memory.
        """
        parts: list[R] = []
        position = 0
        size = min(batch_size, self._largest_batch or batch_size)
        while position < len(items):
            batch = items[position : position + size]
            try:
                part = forward(batch)
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                if len(batch) == 1:
                    raise InputError(
                        f"{self.title} does not fit into the memory of this device even with one "
                        "item at a time; free memory or set MMREC_DEVICE=cpu."
                    ) from error
                size = self._largest_batch = len(batch) // 2
                note = f"out of memory: batches of {size} from here on"
                done(before + position, note)
            else:
                parts.append(part)
                position += len(batch)
                done(before + position, "")
                continue
            # Outside the except block: the traceback keeps the tensors of the failed batch alive.
            _free_memory()
        return parts


def is_out_of_memory(error: BaseException) -> bool:
    """True for the ways in which CUDA, MPS and the CPU allocator say that memory ran out."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return "out of memory" in text or "can't allocate memory" in text


def _free_memory() -> None:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def make_config(kind: type[Extractor], values: Any) -> ExtractorConfig:
    """Turns None, a mapping or a config into the config of extractor class ``kind``.

    Raises:
        InputError: An option is unknown or has an impossible value.
    """
    if isinstance(values, kind.Config):
        return values
    try:
        return kind.Config.model_validate({} if values is None else values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the config"
        raise InputError(f"Extractor {kind.name}: option {where}: {first['msg']}.") from None


class _Clock:
    """Turns items done into progress calls with a rate and the time left."""

    def __init__(self, name: str, total: int, progress: Progress) -> None:
        self.name, self.total, self.progress = name, total, progress
        self.started = time.monotonic()
        self.skipped = 0
        progress(0, total, name)

    def skip(self, done: int) -> None:
        self.skipped += min(SHARD, done)
        self.progress(done, self.total, f"{self.name}: taken up where it had stopped")

    def at(self, start: int) -> Callable[[int, str], None]:
        def done(items: int, note: str) -> None:
            now = start + items
            seconds = max(time.monotonic() - self.started, 1e-9)
            rate = (now - self.skipped) / seconds
            text = f"{self.name}: {rate:.1f} items/s"
            if rate > 0:
                text += f", {(self.total - now) / rate:.0f} s left"
            self.progress(now, self.total, f"{text}; {note}" if note else text)

        return done


EXTRACTORS: Registry[type[Extractor]] = Registry("extractor")
"""Every extractor by its name."""
