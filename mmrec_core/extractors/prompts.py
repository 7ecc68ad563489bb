"""Prompts as data: slots, wording, example; rendered without ever running what is in them."""

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mmrec_core.domain import InputError, sha256_json

Strategy = Literal["structured", "descriptive", "misaligned"]
STRATEGIES: tuple[Strategy, ...] = ("structured", "descriptive", "misaligned")

_FILE = Path(__file__).with_name("prompts.toml")
_PLACEHOLDERS = ("slots", "form", "example", "title")
_PLACE = re.compile(r"\{(" + "|".join(_PLACEHOLDERS) + r")\}")
_NO_SLOT = re.compile(r"[\[\]{}\n]")


class Prompt(BaseModel):
    """What a vision-language model is asked about a picture.

    ``structured`` asks for keywords in named slots; ``descriptive`` for a sentence; ``misaligned``
    for something that has nothing to do with the item: a control, which should serve worst.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    strategy: Strategy = "structured"
    slots: tuple[str, ...] = Field(min_length=1, max_length=12, description="In this order")
    example: dict[str, str] = Field(description="Slot -> value of the answer that is shown")
    wording: str = Field(
        min_length=1,
        max_length=4000,
        description="May hold {slots}, {form}, {example} and {title}",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if len({slot.casefold().strip() for slot in self.slots}) < len(self.slots):
            raise ValueError("a slot is named twice")
        if any(not slot.strip() or _NO_SLOT.search(slot) for slot in self.slots):
            raise ValueError("a slot needs a name without brackets, braces and line breaks")
        if set(self.example) != set(self.slots):
            raise ValueError("the example must fill every slot and no other")
        if any(not value.strip() or _NO_SLOT.search(value) for value in self.example.values()):
            raise ValueError("an example needs values without brackets, braces and line breaks")
        if self.strategy == "structured" and "{form}" not in self.wording:
            raise ValueError("a structured wording must hold {form}, the form of the answer")
        return self

    @property
    def form(self) -> str:
        """The form of the answer: ``[Type] {value}, [Color] {value}``."""
        return written(dict.fromkeys(self.slots, "value"))

    @property
    def gives_title(self) -> bool:
        """Whether the model is told the item's title besides the picture."""
        return "{title}" in self.wording

    @property
    def fingerprint(self) -> str:
        """sha256 of the prompt."""
        return sha256_json(self.model_dump(mode="json"))

    def paraphrased(self) -> "Prompt":
        """The same question in other words: slots and strategy stay, no example is shown."""
        wording: str = _data()["paraphrase"][self.strategy]
        if self.gives_title:
            wording = f"The title is: {{title}}. {wording}"
        return self.model_copy(update={"wording": wording})

    def asked_as(self, strategy: Strategy) -> "Prompt":
        """The same slots and example under another strategy, in its known wording."""
        if strategy == self.strategy:
            return self
        wording: str = _data()["wording"][strategy]
        return self.model_copy(update={"strategy": strategy, "wording": wording})

    def render(self, title: str = "") -> str:
        """The prompt as text.

        Args:
            title: Of the item; what stands in it is text, even if it looks like a placeholder.
        """
        said = {
            "slots": ", ".join(self.slots),
            "form": self.form,
            "example": written({slot: self.example[slot] for slot in self.slots}),
            "title": re.sub(r"\s+", " ", title).strip(),
        }
        return _PLACE.sub(lambda match: said[match[1]], self.wording)


def written(values: Mapping[str, str]) -> str:
    """Values in the wanted form: ``[Slot] {value}, [Slot] {value}``."""
    return ", ".join(f"[{slot}] {{{value}}}" for slot, value in values.items())


def known_prompts() -> dict[str, str]:
    """Name -> title of the prompts that come with the program."""
    return {name: entry["title"] for name, entry in _data()["prompts"].items()}


def known_prompt(name: str, strategy: Strategy = "structured") -> Prompt:
    """A prompt that comes with the program.

    Raises:
        InputError: There is none of that name or strategy.
    """
    data = _data()
    for given, known, what in (
        (name, data["prompts"], "prompt"),
        (strategy, data["wording"], "strategy"),
    ):
        if given not in known:
            raise InputError(f"There is no {what} {given!r}. Known: {', '.join(known)}.")
    entry = data["prompts"][name]
    return Prompt(
        strategy=strategy,
        slots=tuple(entry["slots"]),
        example=entry["example"],
        wording=data["wording"][strategy],
    )


def prompt_options(prompt: Prompt) -> dict[str, Any]:
    """The options of a prompt: by name where it is a known one, so that equal ones are one."""
    for name in known_prompts():
        if known_prompt(name, prompt.strategy) == prompt:
            return {"prompt": name, "strategy": prompt.strategy}
    return {"custom": prompt.model_dump(mode="json")}


def make_prompt(values: Mapping[str, Any]) -> Prompt:
    """A prompt from plain values, such as an edited one.

    Raises:
        InputError: A value is wrong; the sentence says which.
    """
    try:
        return Prompt.model_validate(dict(values))
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        said = problem["msg"].removeprefix("Value error, ")
        raise InputError(
            f"The prompt is not valid: {f'{where}: ' if where else ''}{said}."
        ) from None


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text("utf-8"))
