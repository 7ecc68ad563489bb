"""Answers of real models in all their forms, and strings that are no answers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmrec_core.descriptions import STATUSES, parse_answer

SLOTS = ["Category", "Age Group", "Purpose", "Material", "Usage Context"]
WHOLE = ["Baby Care", "Infant", "Healing", "Shea Butter", "Home"]


def written(form: str, joint: str, values: list[str] = WHOLE) -> str:
    return joint.join(form.format(s=s, v=v) for s, v in zip(SLOTS, values, strict=True))


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (written("[{s}] {{{v}}}", ", "), "strict"),
        (written("[{s}] {{{v}}}", ", ") + ".", "strict"),
        ("\n " + written("[{s}]{{{v}}}", ",  ") + "\n", "strict"),
        (written("{s}: {v}", ", "), "recovered"),
        (written("{s}: {v}", ", ") + ".", "recovered"),
        (written("{s}: {v}", "\n"), "recovered"),
        (written("{s}: {{{v}}}", ", ") + ".", "recovered"),
        (written("['{s}'] {{{v}}}", ", "), "recovered"),
        (written("- **{s}:** {v}", "\n"), "recovered"),
        (written("- **{s}**: {v}", "\n"), "recovered"),
        (written("{s} = {v}", "; "), "recovered"),
        (written("1. {s}: {v}", "\n"), "recovered"),
        (written("[{s}] {v}", ", "), "recovered"),
        (written("{s}: {v}", "\n").lower().replace("baby care", "Baby Care"), "recovered"),
        ("Here you are:\n" + written("{s}: {v}", "\n"), "recovered"),
        (written("{s}: {v}", "\n") + "\n\n(Note: The image shows a jar, of sorts.)", "recovered"),
        (written("{s}: {v}", "\n") + "\n\n" + written("{s}: other", "\n"), "recovered"),
        (written("[{s}] {{value}}", ", ") + "\n" + written("[{s}] {{{v}}}", ", "), "recovered"),
        (written("[{s}] {{{v}}}", ", ") + ", [Design] {Bunk Bed}", "recovered"),
        (written("{s}: {v}", ", ") + ", Design: Bunk Bed", "recovered"),
    ],
)
def test_every_form_gives_the_values_by_name(text: str, status: str) -> None:
    answer = parse_answer(text, SLOTS)
    assert answer.status == status and answer.by_place == ()
    assert [v.lower() for v in answer.values.values()] == [v.lower() for v in WHOLE]
    assert list(answer.values) == SLOTS


def test_names_count_and_not_places() -> None:
    answer = parse_answer("Material: Wood, Purpose: Play, Category: Toy", SLOTS)
    assert answer.values == {"Category": "Toy", "Purpose": "Play", "Material": "Wood"}
    assert answer.status == "partial" and answer.by_place == ()


@pytest.mark.parametrize(
    ("text", "values", "places"),
    [
        ("Bedding, Infant, Comfort, Cotton, Crib",
         ["Bedding", "Infant", "Comfort", "Cotton", "Crib"], 5),
        ("Bed {Infant}, [Purpose] {Sleep}, [Material] {Wood}, [Usage Context] {Home}",
         ["Bed", "Infant", "Sleep", "Wood", "Home"], 2),
        ("Chair, [Age Group] {Infant}, [Purpose] {Sit}, [Material] {Wood}, [Usage Context] {Home}.",
         ["Chair", "Infant", "Sit", "Wood", "Home"], 1),
    ],
)  # fmt: skip
def test_places_count_where_names_are_missing_and_the_answer_says_so(
    text: str, values: list[str], places: int
) -> None:
    answer = parse_answer(text, SLOTS)
    assert list(answer.values.values()) == values and answer.status == "recovered"
    assert answer.by_place == tuple(SLOTS[:places])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Material: Cotton, wool/silk blend, Usage Context: Home", "Cotton, wool/silk blend"),
        ("Material: N/A, Usage Context: Home", "N/A"),
        ("Material: 純棉, Usage Context: Home", "純棉"),
        ("[Material] {U.S.A. wood.}, Usage Context: Home", "U.S.A. wood."),
        ("Material: Soft & Plush (machine washable)\nUsage Context: Home",
         "Soft & Plush (machine washable)"),
        ("Material: 'Wood'.\nUsage Context: Home", "Wood"),
        ("Material: {Wood\nUsage Context: Home", "Wood"),
        ("Material: Wood}\nUsage Context: Home", "Wood"),
    ],
)  # fmt: skip
def test_values_are_kept_as_they_are_said(text: str, value: str) -> None:
    assert parse_answer(text, SLOTS).values == {"Material": value, "Usage Context": "Home"}


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", "empty"), (" \n\t", "empty"), ("[], {}", "empty"),
        ("No image available", "refused"),
        ("I'm sorry, but I can't help with that.", "refused"),
        ("As an AI I am unable to view pictures.", "refused"),
        ("Bedding", "partial"), ("Bed, Infant", "partial"),
        (written("[{s}] {{value}}", ", "), "partial"),
        ("The category of this item depends on the material used for it.", "partial"),
    ],
)  # fmt: skip
def test_what_is_no_answer_gives_no_values(text: str, status: str) -> None:
    answer = parse_answer(text, SLOTS)
    assert answer.values == {} and answer.status == status


def test_slots_may_hold_anything() -> None:
    odd = ["A (b)", "C.*", "Größe", " "]
    answer = parse_answer("[A (b)] {x}, C.*: y, GRÖSSE: no, größe: z", odd)
    assert answer.values == {"A (b)": "x", "C.*": "y", "Größe": "z"}
    assert parse_answer("anything", []).values == {}


PIECES = st.sampled_from(
    [*SLOTS, "[", "]", "{", "}", ":", ", ", "\n", "'", '"', "**", "- ", ".", "x"]
)


@settings(max_examples=400, deadline=None)
@given(st.text() | st.lists(PIECES).map("".join), st.lists(st.text(), max_size=4) | st.just(SLOTS))
def test_no_string_raises_and_nothing_is_invented(text: str, slots: list[str]) -> None:
    answer = parse_answer(text, slots)
    assert answer.status in STATUSES
    assert set(answer.values) <= set(slots) and set(answer.by_place) <= set(answer.values)
    assert all(value and value in text for value in answer.values.values())
    if answer.status in ("strict", "recovered"):
        assert set(answer.values) == set(slots)


def test_long_answers_take_no_time() -> None:
    for piece in ("[", "{", "Category: ", "[Category] {", "\n- ", "' ", "a, A: "):
        parse_answer(piece * 20_000, SLOTS)
