"""How a picture and a prompt become what a vision-language model reads, family by family.

transformers' own processor is used where it can be built. Some want torchvision for videos that
nobody shows them here; for those the same steps are made from image processor and tokenizer.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from PIL import Image

from mmrec_core.domain import InputError
from mmrec_core.lazy import lazy_import

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_import("torch")

Load = Callable[[str], Any]
"""Name of one of transformers' classes -> the part of the model that it loads."""


class Reader(ABC):
    """Turns pictures and prompts into a left-padded batch.

    Args:
        tokenizer: Of the model.
        config: Of the model.
    """

    def __init__(self, tokenizer: Any, config: Any) -> None:
        self.tokenizer, self.config = tokenizer, config
        tokenizer.padding_side = "left"
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token

    @property
    def image_token_id(self) -> int:
        """The token that stands where the picture is."""
        for name in ("image_token_id", "image_token_index"):
            found = getattr(self.config, name, None)
            if found is not None:
                return int(found)
        raise InputError("The model's config names no image token, so its pictures have no place.")

    @abstractmethod
    def batch(self, pictures: Sequence[Image.Image], prompts: Sequence[str]) -> dict[str, Any]:
        """Tensors of a batch, left-padded, ready for ``model(**batch)``."""

    def asked(self, prompt: str) -> str:
        """The prompt as the model's chat wants it, with one picture before it."""
        token = self.tokenizer.convert_ids_to_tokens(self.image_token_id)
        if getattr(self.tokenizer, "chat_template", None):
            content = [{"type": "image"}, {"type": "text", "text": prompt}]
            said: str = self.tokenizer.apply_chat_template(
                [{"role": "user", "content": content}], tokenize=False, add_generation_prompt=True
            )
            if said.count(token) == 1:
                return said
        return f"{token}\n{prompt}\n"


class OwnReader(Reader):
    """Through the model's own processor."""

    def __init__(self, processor: Any, config: Any) -> None:
        super().__init__(processor.tokenizer, config)
        self.processor = processor
        if getattr(processor, "chat_template", None) and not self.tokenizer.chat_template:
            self.tokenizer.chat_template = processor.chat_template

    def batch(self, pictures: Sequence[Image.Image], prompts: Sequence[str]) -> dict[str, Any]:
        """As the processor makes it."""
        return dict(
            self.processor(
                text=[self.asked(prompt) for prompt in prompts],
                images=[[picture] for picture in pictures],
                padding=True,
                return_tensors="pt",
            )
        )


class QwenReader(Reader):
    """Qwen-VL: a picture is as many tokens as its grid has merged patches."""

    def __init__(self, image_processor: Any, tokenizer: Any, config: Any) -> None:
        super().__init__(tokenizer, config)
        self.image_processor = image_processor

    def asked(self, prompt: str) -> str:
        """The picture stands between two marks."""
        said = super().asked(prompt)
        names = ("vision_start_token_id", "image_token_id", "vision_end_token_id")
        ids = [getattr(self.config, name, None) for name in names]
        if None in ids:
            return said
        start, token, end = self.tokenizer.convert_ids_to_tokens(ids)
        return said if start in said else said.replace(token, f"{start}{token}{end}", 1)

    def batch(self, pictures: Sequence[Image.Image], prompts: Sequence[str]) -> dict[str, Any]:
        """Pixels, grids, and prompts in which the picture has its length."""
        seen = self.image_processor(images=list(pictures), return_tensors="pt")
        merged = self.image_processor.merge_size**2
        token = self.tokenizer.convert_ids_to_tokens(self.image_token_id)
        lengths = (seen["image_grid_thw"].prod(dim=1) // merged).tolist()
        texts = [
            self.asked(prompt).replace(token, token * length, 1)
            for prompt, length in zip(prompts, lengths, strict=True)
        ]
        words = self.tokenizer(texts, padding=True, return_tensors="pt", add_special_tokens=False)
        ids = words["input_ids"]
        return {
            **{name: words[name] for name in ("input_ids", "attention_mask")},
            **{name: seen[name] for name in ("pixel_values", "image_grid_thw")},
            "mm_token_type_ids": (ids == self.image_token_id).to(ids.dtype),
        }


def make_reader(load: Load, config: Any, model: str) -> Reader:
    """The reader of a model.

    Args:
        load: Loads a part of the model by the name of transformers' class.
        config: Of the model.
        model: Its name, for sentences.

    Raises:
        InputError: Nothing here can prepare pictures for it.
    """
    try:
        processor = load("AutoProcessor")
        if hasattr(processor, "image_processor") and hasattr(processor, "tokenizer"):
            return OwnReader(processor, config)
        problem = "its processor reads no pictures"
    except InputError as error:
        problem = str(error)
    kind = str(getattr(config, "model_type", ""))
    if kind.startswith("qwen"):
        return QwenReader(load("AutoImageProcessor"), load("AutoTokenizer"), config)
    if kind == "smolvlm":
        from transformers import Idefics3Processor

        # The processor of the model that it grew out of lays text and picture out alike.
        vision = config.vision_config
        patches = (vision.image_size // vision.patch_size) ** 2
        processor = Idefics3Processor(
            load("AutoImageProcessor"),
            load("AutoTokenizer"),
            image_seq_len=patches // config.scale_factor**2,
        )
        return OwnReader(processor, config)
    raise InputError(f"{model} ({kind or 'unknown kind'}) is not loadable here: {problem}")
