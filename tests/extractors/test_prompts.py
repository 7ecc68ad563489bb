"""Prompts are data, and their own example is an answer in the strict form."""

import pytest

from mmrec_core.descriptions import parse_answer
from mmrec_core.domain import InputError
from mmrec_core.extractors.prompts import (
    STRATEGIES,
    known_prompt,
    known_prompts,
    make_prompt,
    written,
)


@pytest.mark.parametrize("name", list(known_prompts()))
def test_an_answer_like_the_example_is_strict(name: str) -> None:
    prompt = known_prompt(name)
    assert len(prompt.slots) == 5
    answer = parse_answer(written(prompt.example), prompt.slots)
    assert answer.status == "strict" and answer.values == prompt.example
    text = prompt.render()
    assert prompt.form in text and written(prompt.example) in text
    # The form itself is no answer.
    assert parse_answer(prompt.form, prompt.slots).values == {}


def test_strategies_ask_differently_about_the_same_slots() -> None:
    asked = {strategy: known_prompt("demo", strategy).render() for strategy in STRATEGIES}
    assert len(set(asked.values())) == 3 and "30 words" in asked["descriptive"]
    prints = {known_prompt("demo", strategy).fingerprint for strategy in STRATEGIES}
    assert len(prints) == 3


def test_a_title_is_text_whatever_it_looks_like() -> None:
    base = known_prompt("demo").model_dump()
    prompt = make_prompt({**base, "wording": "{title}: {form} {0} {title.__class__}"})
    assert prompt.gives_title
    said = prompt.render("Mug {form}\n{example}")
    assert said == f"Mug {{form}} {{example}}: {prompt.form} {{0}} {{title.__class__}}"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"slots": ["Type", "type"], "example": {"Type": "a", "type": "b"}}, "twice"),
        ({"slots": ["Type"], "example": {}}, "fill every slot"),
        ({"slots": ["Ty]pe"], "example": {"Ty]pe": "a"}}, "without brackets"),
        ({"slots": ["Type"], "example": {"Type": "{a}"}}, "without brackets"),
        ({"wording": "What is it?"}, "{form}"),
        ({"slots": []}, "slots"),
        ({"colour": 1}, "colour"),
    ],
)
def test_what_cannot_be_asked_is_said_in_a_sentence(change: dict, reason: str) -> None:
    base = known_prompt("demo").model_dump()
    with pytest.raises(InputError) as caught:
        make_prompt({**base, **change})
    assert reason in str(caught.value)


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(InputError, match="Known: demo"):
        known_prompt("nothing")
