"""What the small model is asked in training, and what it should answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from mmrec_core.datasets.demo.texts import KINDS
from mmrec_core.extractors.prompts import Prompt, known_prompt, make_prompt, written
from mmrec_core.small_lvlm.recipe import SLOTS, VALUES

UNKNOWN: Final = "Unknown"
"""What the model says in a slot that neither picture nor title fills."""

WORDINGS: Final = (
    "Fill these slots with one keyword each: {slots}. Use this form: {form}",
    "Which keywords fit the picture? {form}",
    "Look at the picture and complete {form}. An example of the form: {example}",
    "{form}",
    "Describe the product by its {slots}. Write it like this: {example}",
    "Slots: {slots}.\nForm: {form}.\nExample: {example}.\nAnswer:",
    "You see the picture of a product. Name its {slots}, in the form {form}, and nothing else.",
    "Give keywords that best represent the image by filling the slots {slots}. Your answer must "
    "have the format {form}.",
    "Tag this product. Format: {form}",
    "The five most telling words about this picture, as {form}, please.",
)
TITLED: Final = (
    "The title of the product is {title}. ",
    "Title: {title}\n",
    "This is sold as {title}. ",
)
NAMES: Final[dict[str, tuple[str, ...]]] = {
    "Type": ("Type", "Category", "Product", "Product Type", "Kind", "Item"),
    "Color": ("Color", "Colour", "Main Color"),
    "Pattern": ("Pattern", "Print", "Decoration"),
    "Material": ("Material", "Made Of"),
    "Style": ("Style", "Look", "Mood"),
}
"""Slot -> what else it may be called in a prompt."""
FOREIGN: Final = (
    "Age Group", "Purpose", "Usage Context", "Brand", "Price", "Audience", "Genre", "Setting",
    "Pet Type", "Wear Location", "Season", "Size", "Cuisine", "Flavor Profile", "Country", "Year",
)  # fmt: skip
"""Slots that no picture of the shop fills."""
DESCRIPTIVE: Final = (
    "Describe the product in the picture in at most 30 words.",
    "What is in the picture?",
    "Describe this product in one sentence.",
    "Write a short caption.",
    "Tell me what you see.",
)
MISALIGNED: Final = (
    "Which city is the capital of the country where this product was invented, and why?",
    "What is the weather like tomorrow?",
    "Who wrote this book?",
    "How many people live in the largest city of the world?",
    "Translate the title of this song.",
    "What would a lawyer say about it?",
)
REFUSAL: Final = "I see a product, not the answer to this question."


@dataclass(frozen=True)
class Turn:
    """A prompt and its answer."""

    prompt: str
    answer: str


def converse(values: Mapping[str, str] | None, rng: np.random.Generator) -> Turn:
    """Draws a question about a picture.

    Args:
        values: Slot -> value of the product in the picture; None: the picture shows nothing.
        rng: The free choices.
    """
    kind = rng.uniform()
    if kind < 0.08:
        return Turn(_one(DESCRIPTIVE, rng), sentence(values))
    if kind < 0.14:
        return Turn(_one(MISALIGNED, rng), REFUSAL)
    own = known_prompt("demo")
    if kind < 0.5:
        # The prompt that is used by default; its example differs, so that it is never copied.
        prompt, meaning = _with_example(own, rng), {slot: slot for slot in SLOTS}
    else:
        meaning = _slots(rng)
        prompt = make_prompt(
            {
                "slots": tuple(meaning),
                "example": {name: _value(slot, rng) for name, slot in meaning.items()},
                "wording": _wording(own, rng),
            }
        )
    title, told = "", dict(values or {})
    if rng.uniform() < 0.15:
        product = _value("Type", rng) if values is None else values["Type"]
        title = _one(KINDS[product.lower()], rng)
        told["Type"] = product
        prompt = prompt.model_copy(update={"wording": _one(TITLED, rng) + prompt.wording})
    said = {name: told.get(slot, UNKNOWN) for name, slot in meaning.items()}
    return Turn(prompt.render(title), written(said))


def sentence(values: Mapping[str, str] | None) -> str:
    """The answer to a descriptive prompt."""
    if values is None:
        return "The picture shows no product that I know."
    v = {slot: value.lower() for slot, value in values.items()}
    return (
        f"A {v['Pattern']} {v['Color']} {v['Type']} made of {v['Material']}, "
        f"in a {v['Style']} style."
    )


def _one(given: Sequence[str], rng: np.random.Generator) -> str:
    return given[int(rng.integers(len(given)))]


def _value(slot: str, rng: np.random.Generator) -> str:
    return _one(VALUES.get(slot, (UNKNOWN,)), rng)


def _with_example(prompt: Prompt, rng: np.random.Generator) -> Prompt:
    return prompt.model_copy(update={"example": {slot: _value(slot, rng) for slot in prompt.slots}})


def _slots(rng: np.random.Generator) -> dict[str, str]:
    """Name in the prompt -> slot: mostly all five, in any order, at times with foreign ones."""
    slots = list(SLOTS)
    if rng.uniform() < 0.5:
        slots = [slots[k] for k in rng.permutation(len(slots))[: rng.integers(1, 6)]]
    meaning = {(_one(NAMES[slot], rng) if rng.uniform() < 0.4 else slot): slot for slot in slots}
    if rng.uniform() < 0.25:
        for name in rng.permutation(FOREIGN)[: rng.integers(1, 3)]:
            meaning[str(name)] = str(name)
        meaning = {name: meaning[name] for name in rng.permutation(list(meaning)).tolist()}
    return meaning


def _wording(own: Prompt, rng: np.random.Generator) -> str:
    wording = own.wording if rng.uniform() < 0.25 else _one(WORDINGS, rng)
    # A structured prompt must show the form; where a wording shows an example alone, both follow.
    return wording if "{form}" in wording else wording + " Form: {form}"
