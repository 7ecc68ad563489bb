"""What extractors of pictures share: who has one, and reading them ahead, one failure at a time."""

import os
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import pandas as pd
from PIL import Image, ImageOps, UnidentifiedImageError

from mmrec_core.domain import Dataset, InputError, sha256_json, sha256_strings
from mmrec_core.extractors.base import Encoded, Extractor
from mmrec_core.settings import settings

SIDE = 224
GREY = 127
"""The grey that becomes 0 under (pixel - 127) / 128, which is what convolutions pad with."""

P = TypeVar("P")


class ImageExtractor(Extractor, Generic[P]):
    """An extractor that reads one picture an item.

    ``P`` is what a picture becomes when it is read.
    """

    modality = "image"

    @abstractmethod
    def read(self, path: Path, words: str) -> P:
        """A picture as ``forward`` takes it; runs in threads.

        Args:
            path: Of the picture.
            words: What ``words`` gives of the item.

        Raises:
            OSError: It cannot be read, with the reason.
        """

    @abstractmethod
    def forward(self, pictures: Sequence[P], device: str) -> np.ndarray:
        """Vectors of a batch, [n, width]."""

    def words(self, dataset: Dataset) -> "pd.Series[str]":
        """What is read of an item beside its picture; nothing, unless an extractor says so."""
        return pd.Series("", index=dataset.items.index, dtype="str")

    def shown(self, dataset: Dataset) -> "pd.Series[str]":
        """Name of the picture that is read for each item: its own, unless an extractor says so."""
        return _column(dataset, "image")

    def observed(self, dataset: Dataset) -> np.ndarray:
        """True where the item names a picture."""
        observed: np.ndarray = (_column(dataset, "image") != "").to_numpy(dtype=bool)
        return observed

    def inputs_fingerprint(self, dataset: Dataset) -> str:
        """sha256 of item ids and of the pictures' checksums; their paths do not matter."""
        checksums = _column(dataset, "image_sha256").where(self.observed(dataset), "")
        return sha256_json([sha256_strings(dataset.item_ids), sha256_strings(checksums)])

    def encode_rows(
        self,
        dataset: Dataset,
        rows: np.ndarray,
        device: str,
        batch_size: int,
        done: Callable[[int, str], None],
    ) -> Encoded:
        """Encodes pictures; what cannot be read is listed."""

        def forward(batch: Sequence[P]) -> np.ndarray:
            return self.forward(batch, device)

        matrix = np.zeros((len(rows), self.width), dtype=np.float32)
        failures: dict[int, str] = {}
        for seen, good, pictures, failed in self.read_ahead(dataset, rows, batch_size):
            matrix[good] = self.in_batches(pictures, batch_size, forward, done, before=seen)
            failures.update(failed)
            done(seen + len(good) + len(failed), "")
        return Encoded(matrix, failures)

    def read_ahead(
        self, dataset: Dataset, rows: np.ndarray, batch_size: int
    ) -> Iterator[tuple[int, list[int], list[P], dict[int, str]]]:
        """Pictures in batches, decoded ahead in threads.

        Yields:
            Items seen before; positions within ``rows`` of what was read; that; and position ->
            why it could not be read.
        """
        images, words = self.shown(dataset).iloc[rows], self.words(dataset).iloc[rows]
        jobs = [(dataset.image_path(i), w) for i, w in zip(images, words, strict=True)]
        seen = 0
        for batch in _decoded(jobs, self.read, batch_size):
            at = list(enumerate(batch, start=seen))
            good = [place for place, read in at if not isinstance(read, str)]
            pictures = [read for read in batch if not isinstance(read, str)]
            yield seen, good, pictures, {p: read for p, read in at if isinstance(read, str)}
            seen += len(batch)


def read_picture(path: Path, resize: str = "pad", side: int = SIDE) -> np.ndarray:
    """Reads a picture as RGB bytes, upright, transparent parts on white.

    Args:
        path: Any file that Pillow reads; of animations the first frame.
        resize: ``pad``, ``crop`` or ``stretch``, as in EfficientNetLiteConfig.
        side: Pixels of the square.

    Returns:
        [side, side, 3] uint8.

    Raises:
        OSError: It cannot be read, with the reason.
    """
    # JPEG can be decoded at a fraction of its size; twice the target keeps it sharp.
    rgb = read_rgb(path, 2 * side)
    filter_ = Image.Resampling.BICUBIC
    if resize == "pad":
        square = ImageOps.pad(rgb, (side, side), method=filter_, color=(GREY, GREY, GREY))
    elif resize == "crop":
        edge = 0.875 * min(rgb.size)
        left, top = (rgb.width - edge) / 2, (rgb.height - edge) / 2
        square = rgb.resize((side, side), filter_, box=(left, top, left + edge, top + edge))
    elif resize == "stretch":
        square = rgb.resize((side, side), filter_)
    else:
        raise ValueError(f"resize is {resize!r}")
    return np.array(square, dtype=np.uint8)


def read_rgb(path: Path, enough: int | None = None) -> Image.Image:
    """Reads a picture as RGB, upright, transparent parts on white.

    Args:
        path: Any file that Pillow reads; of animations the first frame.
        enough: Pixels a side that suffice: a larger JPEG may be decoded at a fraction of its size.

    Raises:
        OSError: It cannot be read, with the reason.
    """
    with Image.open(path) as image:
        largest = settings().limits.image_pixels
        if image.width * image.height > largest:
            raise OSError(f"{image.width} x {image.height} pixels; the limit is {largest}")
        if enough is not None:
            image.draft("RGB", (enough, enough))
        return _rgb(ImageOps.exif_transpose(image))


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        # Pillow would clip 16-bit grey at 255 instead of scaling it.
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


def _try_picture(path: Path | None, words: str, read: Callable[[Path, str], P]) -> P | str:
    """The picture, or in words why it cannot be read: one bad file never ends a run."""
    if path is None:
        return "no picture"
    try:
        return read(path, words)
    except FileNotFoundError:
        # Not one without picture: what is kept would say so for ever.
        raise InputError(
            f"The picture {path.name} of the dataset is gone: the dataset was deleted, or its "
            "files were changed, while it was in use. Install it again and start again."
        ) from None
    except UnidentifiedImageError:
        return f"{path.name}: not a picture that can be read"
    except Exception as error:  # decoders raise many kinds on damaged files
        return f"{path.name}: {error or type(error).__name__}"


def _decoded(
    jobs: Sequence[tuple[Path | None, str]], read: Callable[[Path, str], P], batch_size: int
) -> Iterator[list[P | str]]:
    """Batches of pictures in order, decoded in threads a few batches ahead."""
    waiting: deque[Future[Any]] = deque()
    todo = iter(jobs)
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1), "decode") as pool:

        def refill(count: int) -> None:
            waiting.extend(
                pool.submit(_try_picture, path, words, read) for path, words in islice(todo, count)
            )

        refill(3 * batch_size)
        try:
            while waiting:
                size = min(batch_size, len(waiting))
                yield [waiting.popleft().result() for _ in range(size)]
                refill(size)
        finally:
            for future in waiting:
                future.cancel()


def _column(dataset: Dataset, name: str) -> "pd.Series[str]":
    values: pd.Series[str] = dataset.items[name].fillna("").astype(str)
    return values
