"""Image and text extractors from any model of a hub, and the ones that the field uses."""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer

from mmrec_core.domain import Dataset, InputError
from mmrec_core.extractors.base import EXTRACTORS, Available, Extractor, ExtractorConfig
from mmrec_core.extractors.hub import (
    ModelNotHereError,
    find_model,
    local_model,
    weights_fingerprint,
    why_missing,
)
from mmrec_core.extractors.images import ImageExtractor, read_rgb
from mmrec_core.extractors.texts import TextConfig, TextExtractor
from mmrec_core.settings import settings

LONGEST = 512
"""Word pieces that are read where a model names no limit of its own."""

MODEL = Field(
    "",
    max_length=400,
    description="Hub id or local folder; empty: the model that this extractor is named after",
)


class HubImageConfig(ExtractorConfig):
    """Options of an image model from a hub."""

    model: str = MODEL
    pooling: Literal["auto", "average", "cls", "embeds"] = Field(
        "auto",
        description="embeds: the projected vector of a model with two towers. cls: the first "
        "token. average: over all tokens or places. auto: embeds where there are two towers, "
        "average for convolutions, else cls.",
    )


class HubTextConfig(TextConfig):
    """Options of a text model from a hub."""

    model: str = MODEL
    pooling: Literal["auto", "average", "cls", "embeds"] = Field(
        "auto",
        description="embeds: the projected vector of a model with two towers. cls: the first "
        "token. average: over all tokens. auto: what the model itself says (sentence-transformers "
        "models and two towers), else average.",
    )
    prefix: str = Field(
        "",
        max_length=200,
        description="Words put before every text, with a space between, such as the A photo "
        "depicts of CLIPScore",
    )

    @field_validator("prefix")
    @classmethod
    def _one_space(cls, value: str) -> str:
        # The space between is always one, so that two spellings are no two matrices.
        return value.strip()

    @model_serializer(mode="wrap")
    def _as_before(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Named only where there is one, so that embeddings from before this option keep their keys.
        values: dict[str, Any] = serialise(self)
        if not values.get("prefix", ""):
            values.pop("prefix", None)
        return values


class HubModel(Extractor):
    """What image and text models of a hub share: where they are, how they are loaded, their key."""

    default_model: ClassVar[str] = ""

    @property
    def model(self) -> str:
        """Hub id or folder."""
        return self.config.model.strip() or self.default_model

    def availability(self) -> Available:
        """Whether the model is on this machine, or may be fetched."""
        here = find_model(self.model) is not None
        ok = here or (not settings().offline and bool(self.model) and "/" in self.model)
        return Available(ok, "" if ok else why_missing(self.model))

    def spec(self, dataset: Dataset) -> dict[str, Any]:
        """Keyed by the weights too, not by the name of the folder they lie in.

        Raises:
            ModelNotHereError: What the key would be is known only once the model is here.
        """
        folder = find_model(self.model)
        if folder is None:
            raise ModelNotHereError(f"{self.title} cannot run: {why_missing(self.model)}.")
        spec = super().spec(dataset)
        config = {name: value for name, value in spec["config"].items() if name != "model"}
        return {**spec, "config": config, "weights": weights_fingerprint(folder)}

    def prepare(self) -> None:
        """Fetches the model where it is not here and may be.

        Raises:
            InputError: It cannot be fetched.
        """
        local_model(self.model)

    def shared_with(self) -> str:
        """The weights of a model with two towers, whose projected vectors lie in one space."""
        folder = find_model(self.model)
        # A model that writes has one vector of both, and no pooling to choose.
        if folder is None or getattr(self.config, "pooling", "") not in ("auto", "embeds"):
            return ""
        try:
            described = json.loads((folder / "config.json").read_text("utf-8"))
        except (OSError, ValueError):
            return ""
        two = isinstance(described, dict) and {"text_config", "vision_config"} <= described.keys()
        return weights_fingerprint(folder) if two else ""

    @cached_property
    def folder(self) -> Path:
        """Where the model lies on this machine."""
        return local_model(self.model)

    @cached_property
    def _network(self) -> Any:
        return self._loaded("AutoModel").eval()

    def _loaded(self, kind: str, **options: Any) -> Any:
        """A part of the model through one of transformers' Auto classes.

        Raises:
            InputError: The folder does not hold what the class wants.
        """
        import torch
        import transformers

        if kind.startswith("AutoModel"):
            # Never a pickle; half precision is slow on a CPU.
            options = {"use_safetensors": True, "dtype": torch.float32, **options}
        try:
            return getattr(transformers, kind).from_pretrained(
                self.folder,
                local_files_only=True,
                trust_remote_code=getattr(self.config, "remote_code", False),
                **options,
            )
        except (OSError, ValueError, ImportError, KeyError) as error:
            said = str(error).strip().splitlines()[0][:200] if str(error).strip() else ""
            raise InputError(
                f"{self.model} cannot be loaded with {kind}: {said or type(error).__name__}"
            ) from error


def _array(vectors: Any) -> np.ndarray:
    array: np.ndarray = vectors.float().cpu().numpy()
    return array


def _embeds(given: Any) -> Any:
    """The projected vector; some versions wrap it."""
    return given if hasattr(given, "ndim") else given.pooler_output


class HubImage(HubModel, ImageExtractor[np.ndarray]):
    """Looks at an item's picture with any image model of a hub, or of a local folder.

    Pictures are prepared as the model's own processor says. Items without a picture are missing; a
    picture that cannot be read counts as missing and is listed. Weights are read from safetensors
    alone, and no code that comes with a model is run.
    """

    name = "hub-image"
    title = "Any image model"
    reference = "the model's own card"
    version = 1
    batch_sizes: ClassVar = {"cpu": 8, "cuda": 128, "mps": 32}
    Config = HubImageConfig

    def read(self, path: Path, words: str) -> np.ndarray:
        """Pixels as the model wants them, [channels, height, width] float32."""
        prepared = self._processor(images=read_rgb(path), return_tensors="np")
        return np.asarray(prepared["pixel_values"][0], dtype=np.float32)

    def forward(self, pictures: Sequence[np.ndarray], device: str) -> np.ndarray:
        """Vectors of a batch; bf16 on CUDA, float32 elsewhere."""
        import torch

        model = self._network.to(device)
        pixels = torch.from_numpy(np.stack(pictures)).to(device)
        pooling = self.config.pooling
        two_towers = hasattr(model, "get_image_features")
        if pooling == "embeds" and not two_towers:
            raise InputError(f"{self.model} has one tower, so no embeds; choose another pooling.")
        with (
            torch.inference_mode(),
            torch.autocast(device, torch.bfloat16, enabled=device == "cuda"),
        ):
            if two_towers and pooling in ("auto", "embeds"):
                return _array(_embeds(model.get_image_features(pixel_values=pixels)))
            tower = getattr(model, "vision_model", model)
            states = tower(pixel_values=pixels).last_hidden_state
        if states.ndim == 4:
            if pooling == "cls":
                raise InputError(f"{self.model} is a convolution without a first token.")
            return _array(states.float().mean(dim=(2, 3)))
        return _array(states.float().mean(dim=1) if pooling == "average" else states[:, 0])

    @cached_property
    def width(self) -> int:  # type: ignore[override]
        """Columns, found by looking at a grey picture."""
        from PIL import Image

        grey = self._processor(images=Image.new("RGB", (64, 64), (127,) * 3), return_tensors="np")
        return self.forward([np.asarray(grey["pixel_values"][0], np.float32)], "cpu").shape[1]

    @cached_property
    def _processor(self) -> Any:
        return self._loaded("AutoImageProcessor")


class HubText(HubModel, TextExtractor):
    """Reads an item's words with any text model of a hub, or of a local folder.

    Models in the format of sentence-transformers pool as they themselves say. Long texts are cut at
    the model's limit. Items without text are missing. Weights are read from safetensors alone, and
    no code that comes with a model is run.
    """

    name = "hub-text"
    title = "Any text model"
    reference = "the model's own card"
    version = 1
    batch_sizes: ClassVar = {"cpu": 16, "cuda": 256, "mps": 64}
    Config = HubTextConfig

    def forward(self, texts: Sequence[str], device: str) -> np.ndarray:
        """Vectors of a batch; bf16 on CUDA, float32 elsewhere."""
        import torch

        pooling = self.config.pooling
        with (
            torch.inference_mode(),
            torch.autocast(device, torch.bfloat16, enabled=device == "cuda"),
        ):
            if pooling == "auto" and (self.folder / "modules.json").is_file():
                model = self._sentences.to(device)
                options = {"convert_to_tensor": True, "show_progress_bar": False}
                return _array(model.encode(list(texts), batch_size=len(texts), **options))
            model = self._network.to(device)
            two_towers = hasattr(model, "get_text_features")
            if pooling == "embeds" and not two_towers:
                raise InputError(f"{self.model} has one tower, so no embeds; choose another.")
            # SigLIP was trained on texts padded to the full length.
            full = getattr(model.config, "model_type", "").startswith("siglip")
            tokens = self._tokenizer(
                list(texts),
                padding="max_length" if full else True,
                truncation=True,
                max_length=self._longest,
                return_tensors="pt",
            ).to(device)
            if two_towers and pooling in ("auto", "embeds"):
                return _array(_embeds(model.get_text_features(**tokens)))
            tower = getattr(model, "text_model", model)
            states = tower(**tokens).last_hidden_state.float()
        if pooling == "cls":
            return _array(states[:, 0])
        weight = tokens["attention_mask"][..., None].float()
        return _array((states * weight).sum(1) / weight.sum(1).clamp_min(1))

    def _texts(self, dataset: Dataset) -> "pd.Series[str]":
        texts, prefix = super()._texts(dataset), self.config.prefix
        # An item without words must not seem to have some.
        return texts.where(texts.str.strip() == "", f"{prefix} " + texts) if prefix else texts

    @cached_property
    def width(self) -> int:  # type: ignore[override]
        """Columns, found by reading one word."""
        return self.forward(["word"], "cpu").shape[1]

    @cached_property
    def _longest(self) -> int:
        config = getattr(self._network.config, "text_config", self._network.config)
        limits = (
            getattr(config, "max_position_embeddings", LONGEST),
            self._tokenizer.model_max_length,
            LONGEST,
        )
        return int(min(limit for limit in limits if limit and limit > 0))

    @cached_property
    def _tokenizer(self) -> Any:
        return self._loaded("AutoTokenizer")

    @cached_property
    def _sentences(self) -> Any:
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(
            str(self.folder),
            device="cpu",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )
        return model.float().eval()


class ResNet50(HubImage):
    """Looks at an item's picture with ResNet50: the last feature map averaged, 2,048 numbers."""

    name, title = "resnet50", "ResNet50 (image)"
    default_model = "microsoft/resnet-50"
    reference = "He et al., Deep Residual Learning for Image Recognition, CVPR 2016"


class ViT(HubImage):
    """Looks at an item's picture with ViT-B/16 at 224 pixels: its CLS token, 768 numbers."""

    name, title = "vit", "ViT-B/16 (image)"
    default_model = "google/vit-base-patch16-224"
    reference = "Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021"


class DINOv2(HubImage):
    """Looks at an item's picture with DINOv2-B, trained without labels: its CLS token."""

    name, title = "dinov2", "DINOv2-B (image)"
    default_model = "facebook/dinov2-base"
    reference = "Oquab et al., DINOv2, TMLR 2024"


class CLIPImage(HubImage):
    """Looks at an item's picture with CLIP ViT-L/14, in one space with its texts: 768 numbers."""

    name, title = "clip-image", "CLIP ViT-L/14 (image)"
    default_model = "openai/clip-vit-large-patch14"
    reference = "Radford et al., CLIP, ICML 2021"


class SigLIPImage(HubImage):
    """Looks at an item's picture with SigLIP-B/16, in one space with its texts: 768 numbers."""

    name, title = "siglip-image", "SigLIP-B/16 (image)"
    default_model = "google/siglip-base-patch16-224"
    reference = "Zhai et al., Sigmoid Loss for Language Image Pre-Training, ICCV 2023"


class MPNet(HubText):
    """Reads an item's words with all-mpnet-base-v2 of sentence-transformers: 768 numbers."""

    name, title = "sbert-mpnet", "SBERT all-mpnet-base-v2 (text)"
    default_model = "sentence-transformers/all-mpnet-base-v2"
    reference = "Reimers and Gurevych, EMNLP 2019; Song et al., MPNet, NeurIPS 2020"


class CLIPText(HubText):
    """Reads an item's words with CLIP ViT-L/14: 768 numbers; what lies beyond 77 pieces is cut."""

    name, title = "clip-text", "CLIP ViT-L/14 (text)"
    default_model = "openai/clip-vit-large-patch14"
    reference = "Radford et al., CLIP, ICML 2021"


class SigLIPText(HubText):
    """Reads an item's words with SigLIP-B/16: 768 numbers; what lies beyond 64 pieces is cut."""

    name, title = "siglip-text", "SigLIP-B/16 (text)"
    default_model = "google/siglip-base-patch16-224"
    reference = "Zhai et al., Sigmoid Loss for Language Image Pre-Training, ICCV 2023"


for _kind in (
    ResNet50,
    ViT,
    DINOv2,
    CLIPImage,
    SigLIPImage,
    HubImage,
    MPNet,
    CLIPText,
    SigLIPText,
    HubText,
):
    EXTRACTORS.register(_kind.name, _kind)
