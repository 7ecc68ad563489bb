"""Large vision-language models: one matrix for picture and words, made under one prompt."""

import importlib.util
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import pandas as pd
from PIL import Image
from pydantic import Field

from mmrec_core.domain import Dataset, InputError, sha256_json, sha256_strings
from mmrec_core.extractors.base import EXTRACTORS, Available, ExtractorConfig
from mmrec_core.extractors.hub import BUNDLED, find_model
from mmrec_core.extractors.hub_models import MODEL, HubModel
from mmrec_core.extractors.images import GREY, SIDE, ImageExtractor, read_rgb
from mmrec_core.extractors.memory import has_gpu, too_large
from mmrec_core.extractors.permutation import derangement
from mmrec_core.extractors.prompts import Prompt, Strategy, known_prompt
from mmrec_core.extractors.readers import Reader, make_reader
from mmrec_core.lazy import lazy_import
from mmrec_core.settings import device as chosen_device

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_import("torch")

OTHERS_SEED = 20_251
"""Of the one draw that gives every item another's picture or title: extraction is dear."""

Position = Literal["prompt_end", "answer_eos", "image_mean", "all_mean"]
Given = Literal["own", "blank", "other"]
Shown = Literal["own", "blank", "other", "noise"]
Item = tuple[Image.Image, str]
"""A picture, and the prompt about it."""


class VisionLanguageConfig(ExtractorConfig):
    """Options of a vision-language model."""

    model: str = MODEL
    prompt: str = Field("general", description="Slots and example, by the name of a known prompt")
    strategy: Strategy = Field(
        "structured", description="What is asked; misaligned is a control that should serve worst"
    )
    custom: Prompt | None = Field(
        None, description="A prompt of one's own, in place of a known one"
    )
    position: Position = Field(
        "prompt_end",
        description="Whose hidden state is taken. prompt_end: the last token of the prompt, "
        "without generation. answer_eos: the end of the model's own answer, 10 to 20 times "
        "dearer. image_mean, all_mean: the mean over the picture's tokens, or over all.",
    )
    layer: int = Field(-1, description="Hidden layer; -1 is the last, 0 the input embeddings")
    answer_tokens: int = Field(64, ge=1, le=512, description="Longest answer, in tokens")
    picture: Shown = Field(
        "own",
        description="Which picture the model is shown. The others are controls: blank is one grey "
        "picture for all, other is another item's, noise is random pixels for each item.",
    )
    title: Given = Field(
        "own",
        description="Which title stands in a prompt that holds one. blank and other are controls.",
    )
    four_bit: bool = Field(
        False,
        description="Load the weights in 4 bits each, for models that do not fit otherwise; needs "
        "an NVIDIA card and the package bitsandbytes. Other vectors than in full precision.",
    )
    remote_code: bool = Field(
        False,
        description="Run the code that comes with the model. It can do anything that you can do on "
        "this machine; switch it on for models of people you trust alone.",
    )


@dataclass(frozen=True)
class Told:
    """What a model made of some items.

    Attributes:
        states: [n, width] float32.
        answers: Raw answers; empty texts where none was generated.
    """

    states: np.ndarray
    answers: tuple[str, ...]


class VisionLanguage(HubModel, ImageExtractor[Item]):
    """Asks a vision-language model about an item's picture and takes a hidden state.

    One prompt, one model, one matrix: picture and words meet inside the model, so no fusion is
    needed. Any AutoModelForImageTextToText of transformers: LLaVA, Qwen2-VL, Qwen2.5-VL, Qwen3-VL,
    SmolVLM, Idefics3 are proven. Items without a picture are missing. States of one position
    resemble each other much: centre them before any cosine.
    """

    name = "vision-language"
    title = "Any vision-language model"
    modality = "joint"
    reference = (
        "the model's own card; use after Pomo et al., Do Recommender Systems Really Leverage "
        "Multimodal Content?, CIKM 2025"
    )
    version = 1
    batch_sizes: ClassVar = {"cpu": 8, "cuda": 16, "mps": 4}
    Config = VisionLanguageConfig

    @property
    def prompt(self) -> Prompt:
        """What is asked."""
        custom: Prompt | None = self.config.custom
        return custom or known_prompt(self.config.prompt, self.config.strategy)

    def availability(self) -> Available:
        """Whether the model is here or may be fetched, fits into memory, and needs no own code."""
        try:
            _ = self.prompt
        except InputError as error:
            return Available(False, str(error).removesuffix("."))
        available = super().availability()
        folder = find_model(self.model)
        if not available.ok or folder is None:
            return available
        reason = self._own_code(folder) or self._no_four_bit()
        if not reason and not has_gpu():
            import psutil

            free = psutil.virtual_memory().available
            reason = too_large(folder, self.model, free, 4, "memory")
        return Available(not reason, reason)

    def caution(self, dataset: Dataset) -> str:
        """The bundled model is at home with the demo's products alone."""
        if self.model != BUNDLED or dataset.info.truth:
            return ""
        return (
            "The bundled small model knows the products of the demo shop and nothing else: of "
            f"{dataset.name} what it says is guesswork"
        )

    def words(self, dataset: Dataset) -> "pd.Series[str]":
        """The prompt about each item."""
        prompt, given = self.prompt, self.config.title
        if not prompt.gives_title or given == "blank":
            return pd.Series(prompt.render(), index=dataset.items.index, dtype="str")
        titles = dataset.items["title"].fillna("").astype(str)
        if given == "other":
            # Who has a title stays as it is; only whose it is changes.
            titles = self._of_others(titles, titles != "", "title")
        return titles.map(prompt.render)

    def shown(self, dataset: Dataset) -> "pd.Series[str]":
        """The item's own picture, or under the control another item's."""
        pictures = super().shown(dataset)
        if self.config.picture != "other":
            return pictures
        return self._of_others(pictures, pictures != "", "picture")

    def _of_others(
        self, values: "pd.Series[str]", present: "pd.Series[bool]", what: str
    ) -> "pd.Series[str]":
        """Each present value given to another item; one draw, the same wherever it is made."""
        groups = present.to_numpy(dtype=np.int64)
        source = derangement(groups, np.random.default_rng([OTHERS_SEED, len(what)]))
        source = np.where(groups == 1, source, np.arange(len(groups)))
        return pd.Series(values.to_numpy()[source], index=values.index, dtype="str")

    def inputs_fingerprint(self, dataset: Dataset) -> str:
        """sha256 of pictures, prompt, and titles where the prompt gives them."""
        words = sha256_strings(self.words(dataset)) if self.prompt.gives_title else ""
        return sha256_json([super().inputs_fingerprint(dataset), self.prompt.fingerprint, words])

    def read(self, path: Path, words: str) -> Item:
        """Picture and prompt; the family's reader prepares them in batches."""
        if self.config.picture == "blank":
            return Image.new("RGB", (SIDE, SIDE), (GREY, GREY, GREY)), words
        if self.config.picture == "noise":
            # Seeded by the picture's name, so that each item keeps its own.
            rng = np.random.default_rng(list(path.name.encode()))
            return Image.fromarray(rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)), words
        return read_rgb(path), words

    def forward(self, pictures: Sequence[Item], device: str) -> np.ndarray:
        """States of a batch."""
        return self.tell(pictures, device, self.config.position == "answer_eos").states

    def tell(self, items: Sequence[Item], device: str = "cpu", answer: bool = True) -> Told:
        """Answers and states of a batch; greedy, so the same items give the same answers.

        Args:
            items: Pictures and prompts.
            device: cpu, cuda or mps.
            answer: Whether to generate; without, answers are empty.

        Raises:
            InputError: The position needs an answer and none is wanted.
        """
        position: Position = self.config.position
        if position == "answer_eos" and not answer:
            raise InputError("answer_eos is the end of an answer, so one must be generated.")
        # Weights in 4 bits are where they are loaded.
        model = self._network if self.config.four_bit else self._network.to(device)
        batch = self._reader.batch([p for p, _ in items], [words for _, words in items])
        batch = {name: value.to(device) for name, value in batch.items()}
        answers: tuple[str, ...] = ("",) * len(items)
        with (
            torch.inference_mode(),
            torch.autocast(device, torch.bfloat16, enabled=device == "cuda"),
        ):
            if answer:
                tokens, spoken = self._answered(model, batch)
                tokenizer = self._reader.tokenizer
                answers = tuple(tokenizer.batch_decode(tokens, skip_special_tokens=True))
                if position == "answer_eos":
                    batch = _continued(batch, tokens, spoken)
            states = self._states(model, batch)
        return Told(self._taken(states, batch), tuple(said.strip() for said in answers))

    def answer_rows(
        self,
        dataset: Dataset,
        rows: np.ndarray,
        device: str,
        batch_size: int,
        done: Callable[[int, str], None],
    ) -> tuple[list[str], dict[int, str]]:
        """Raw answers about the items at ``rows``, "" where the picture cannot be read, and why."""

        def forward(batch: Sequence[Item]) -> tuple[str, ...]:
            return self.tell(batch, device).answers

        answers = [""] * len(rows)
        failures: dict[int, str] = {}
        for seen, good, items, failed in self.read_ahead(dataset, rows, batch_size):
            parts = self.parts(items, batch_size, forward, done, before=seen)
            for place, said in zip(good, chain.from_iterable(parts), strict=True):
                answers[place] = said
            failures.update(failed)
            done(seen + len(good) + len(failed), "")
        return answers, failures

    @cached_property
    def width(self) -> int:  # type: ignore[override]
        """Columns: the width of the text model."""
        return int(self._config.get_text_config().hidden_size)

    def _answered(self, model: Any, batch: dict[str, Any]) -> "tuple[torch.Tensor, torch.Tensor]":
        """Tokens of greedy answers, and which of them count: up to the EOS, and it."""
        tokenizer = self._reader.tokenizer
        out = model.generate(
            **batch,
            do_sample=False,
            max_new_tokens=self.config.answer_tokens,
            pad_token_id=tokenizer.pad_token_id,
        )
        # Searched after the prompt alone: the prompt may hold the same token.
        tokens = out[:, batch["input_ids"].shape[1] :]
        given = model.generation_config.eos_token_id
        given = tokenizer.eos_token_id if given is None else given
        ends = torch.tensor(given if isinstance(given, list) else [given], device=tokens.device)
        closed = torch.isin(tokens, ends)
        spoken = closed.cumsum(dim=1) - closed.long() == 0
        # An answer that ran into the limit is closed by hand; generation never feeds the EOS back.
        open_ = ~closed.any(dim=1, keepdim=True)
        tokens = torch.cat([tokens, ends[:1].expand(len(tokens), 1)], dim=1)
        spoken = torch.cat([spoken, open_], dim=1)
        return tokens.masked_fill(~spoken, tokenizer.pad_token_id), spoken

    def _states(self, model: Any, batch: dict[str, Any]) -> "torch.Tensor":
        layers = model(**batch, output_hidden_states=True, use_cache=False).hidden_states
        layer: int = self.config.layer
        if not -len(layers) <= layer < len(layers):
            raise InputError(
                f"{self.model} has hidden layers 0 to {len(layers) - 1} (or -{len(layers)} to -1); "
                f"{layer} is none."
            )
        states: torch.Tensor = layers[layer].float()
        return states

    def _taken(self, states: "torch.Tensor", batch: dict[str, Any]) -> np.ndarray:
        position: Position = self.config.position
        mask = batch["attention_mask"].bool()
        if position == "image_mean":
            mask = batch["input_ids"] == self._reader.image_token_id
        if position in ("image_mean", "all_mean"):
            weight = mask[..., None].float()
            taken = (states * weight).sum(1) / weight.sum(1).clamp_min(1)
        else:
            # The last token that counts: of a left-padded prompt, or of what was answered to it.
            place = torch.arange(mask.shape[1], device=mask.device)
            last = (mask * place).argmax(dim=1)
            taken = states[torch.arange(len(states), device=states.device), last]
        array: np.ndarray = taken.cpu().numpy()
        return array

    def _own_code(self, folder: Path) -> str:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        if "auto_map" not in config or self.config.remote_code:
            return ""
        return (
            f"{self.model} brings code of its own, which could do anything on this machine; switch "
            "on remote_code, from the command line, only if you trust its makers"
        )

    def _no_four_bit(self) -> str:
        if not self.config.four_bit:
            return ""
        if not has_gpu():
            return "4-bit weights need an NVIDIA card; switch four_bit off"
        if importlib.util.find_spec("bitsandbytes") is None:
            return (
                "4-bit weights need bitsandbytes; get it with: pip install bitsandbytes, or switch "
                "four_bit off"
            )
        return ""

    @cached_property
    def _config(self) -> Any:
        return self._loaded("AutoConfig")

    @cached_property
    def _network(self) -> Any:
        on_gpu = chosen_device() == "cuda"
        options: dict[str, Any] = {"dtype": torch.bfloat16 if on_gpu else torch.float32}
        if on_gpu:
            free, _ = torch.cuda.mem_get_info()
            bytes_each = 0.6 if self.config.four_bit else 2
            reason = too_large(self.folder, self.model, free, bytes_each, "GPU memory")
            if reason:
                raise InputError(f"{self.title} cannot run: {reason}.")
        if self.config.four_bit:
            from transformers import BitsAndBytesConfig

            options["quantization_config"] = BitsAndBytesConfig(
                load_in_4bit=True, bnb_4bit_compute_dtype=torch.bfloat16
            )
            options["device_map"] = {"": 0}
        model = self._loaded("AutoModelForImageTextToText", **options).eval()
        # Sampling settings that come with a model only bring warnings: answers are greedy.
        for name in ("temperature", "top_p", "top_k"):
            setattr(model.generation_config, name, None)
        return model

    @cached_property
    def _reader(self) -> Reader:
        return make_reader(self._loaded, self._config, self.model)


def _continued(
    batch: dict[str, Any], tokens: "torch.Tensor", spoken: "torch.Tensor"
) -> dict[str, Any]:
    """A batch whose prompts are followed by their answers."""
    more = {
        "input_ids": tokens,
        "attention_mask": spoken.to(batch["attention_mask"].dtype),
        "mm_token_type_ids": torch.zeros_like(tokens),
    }
    return {
        name: torch.cat([value, more[name]], dim=1) if name in more else value
        for name, value in batch.items()
    }


EXTRACTORS.register(VisionLanguage.name, VisionLanguage)
