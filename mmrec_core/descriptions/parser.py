"""What a model answered to a structured prompt, slot by slot.

Models keep to the wanted form, ``[Slot] {value}, [Slot] {value}``, more or less. Values are given
to slots by the slots' **names**; places count only where names are missing, and the answer says
so. Nothing is invented: what belongs to no slot is kept apart.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

Status = Literal["strict", "recovered", "partial", "refused", "empty"]
STATUSES: tuple[Status, ...] = ("strict", "recovered", "partial", "refused", "empty")

LONGEST = 20_000
"""Characters of an answer that are read."""

WORDIEST = 6
"""Words of a keyword that is taken by its place."""

_REFUSAL = re.compile(
    r"\b(?:no image|image (?:is )?not (?:available|found|provided)|(?:i'?m|i am) sorry|sorry,|"
    r"apologi[sz]e|(?:can ?not|can'?t|could not|couldn'?t|unable to|not able to|don'?t have the "
    r"ability to)\b.{0,40}\b(?:see|view|determine|identify|provide|describe|assist|help|answer|"
    r"access|fulfil|process|analy[sz]e)|as an ai\b)",
    re.IGNORECASE | re.DOTALL,
)
_PLACEHOLDER = re.compile(r"(?:value|slot|keyword|answer|\.{2,}|…|_+|-+)", re.IGNORECASE)
_CLOSES = dict(zip("{[(\"'`*“‘<", "}])\"'`*”’>", strict=True))
_OPENS = {close: open_ for open_, close in _CLOSES.items()}


@dataclass(frozen=True)
class Answer:
    """A parsed answer.

    Attributes:
        values: Slot -> value, for the slots that were answered, in the order of the slots.
        status: ``strict``: exactly the wanted form; ``recovered``: every slot, in another form;
            ``partial``: some slots, or words that belong to none; ``refused``: the model declined;
            ``empty``: nothing was said.
        by_place: Slots whose value is taken by its place, because its name is missing.
        unassigned: Words that belong to no slot.
    """

    values: dict[str, str]
    status: Status
    by_place: tuple[str, ...] = ()
    unassigned: tuple[str, ...] = field(default=())


def parse_answer(text: str, slots: Sequence[str]) -> Answer:
    """The values of an answer by slot; never raises, whatever the text.

    Args:
        text: The raw answer.
        slots: Names of the slots in the order of the prompt.
    """
    text = text[:LONGEST].strip()
    if not text:
        return Answer({}, "empty")
    if not slots:
        return Answer({}, "partial", (), (text,))
    forms = _forms(tuple(slots))
    match = forms.strict.fullmatch(text)
    if match is not None:
        values = {slot: value.strip() for slot, value in zip(slots, match.groups(), strict=True)}
        if all(_is_value(value) for value in values.values()):
            return Answer(values, "strict")
    named, before = _by_name(text, forms, slots)
    by_place = {}
    if named:
        by_place = _before_names(before, named, slots)
    elif _REFUSAL.search(text):
        return Answer({}, "refused", (), (text,))
    else:
        by_place = _bare(text, slots)
    values = {slot: (named | by_place)[slot] for slot in slots if slot in named or slot in by_place}
    if not values:
        # Brackets and commas around nothing say nothing.
        said = re.search(r"\w", text) is not None
        return Answer({}, "partial" if said else "empty", (), (text,) if said else ())
    whole = len(values) == len(slots)
    rest = () if by_place or not before else (before,)
    return Answer(values, "recovered" if whole else "partial", tuple(by_place), rest)


@dataclass(frozen=True)
class _Forms:
    strict: re.Pattern[str]
    label: re.Pattern[str]
    slots: dict[str, str]


@lru_cache(maxsize=64)
def _forms(slots: tuple[str, ...]) -> _Forms:
    def loose(slot: str) -> str:
        return r"[\s_-]*".join(re.escape(word) for word in slot.split())

    strict = r",\s*".join(rf"\[{re.escape(slot)}\]\s*\{{([^{{}}\[\]]*)\}}" for slot in slots)
    names = "|".join(loose(slot) for slot in sorted(slots, key=len, reverse=True) if slot.split())
    # A label stands at the start, or after something that ends a value; it is in brackets, or
    # followed by a colon, an equals sign or an opening brace.
    label = (
        r"(?:^|(?<=[\n,;|.}\])>]))[ \t]*(?:[-*•]|\d{1,2}[.)])?[ \t]*"
        rf"(?:[\[<(]\s*[\"'*]*\s*(?P<boxed>{names})\s*[\"'*]*\s*[\])>]\s*[:=]?"
        rf"|[\"'*]*(?P<plain>{names})[\"'*]*\s*(?:[:=][\"'*]*|(?=\{{)))"
    )
    return _Forms(
        re.compile(strict + r"\s*\.?"),
        re.compile(label, re.IGNORECASE),
        {_key(slot): slot for slot in reversed(slots)},
    )


def _key(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).casefold()


def _by_name(text: str, forms: _Forms, slots: Sequence[str]) -> tuple[dict[str, str], str]:
    """Values that follow a slot's name, and what stands before the first name."""
    found: dict[str, str] = {}
    labels = list(forms.label.finditer(text)) if any(slot.split() for slot in slots) else []
    for at, label in enumerate(labels):
        end = labels[at + 1].start() if at + 1 < len(labels) else len(text)
        slot = forms.slots.get(_key(label["boxed"] or label["plain"]))
        value = _value(text[label.end() : end])
        # Of several blocks the first that says something counts; an echo of the form does not.
        if slot is not None and slot not in found and _is_value(value):
            found[slot] = value
    before = text[: labels[0].start()].strip(" \t\n,;.") if labels else ""
    return found, before


def _value(text: str) -> str:
    """The value at the beginning of a text that ends where the next label begins."""
    text = text.strip()
    if text[:1] == "{":
        closed = text.find("}")
        return _bared(text[: closed + 1] if closed > 0 else text)
    # Another label, of a slot that was not asked for, ends it; so does an empty line.
    text = re.split(r"[,;\n]\s*\[[^\]\n]{1,40}\]\s*\{|\n\s*\n", text, maxsplit=1)[0]
    text = re.split(r"\n|[,;]\s*[A-Z][\w /-]{0,30}:\s", text, maxsplit=1)[0]
    return _bared(text.strip(" \t,;|"))


def _bared(text: str) -> str:
    """A value without the brackets, quotes and the full stop around it."""
    before = None
    while text and text != before:
        before = text
        text = text.strip(" \t\n,;|")
        first, last = text[:1], text[-1:]
        if len(text) > 1 and _CLOSES.get(first) == last:
            text = text[1:-1]
        elif first in _CLOSES and _CLOSES[first] not in text[1:]:
            text = text[1:]
        elif (last in _OPENS and _OPENS[last] not in text[:-1]) or text.find(".") == len(text) - 1:
            text = text[:-1]
    return text


def _is_value(value: str) -> bool:
    return bool(re.search(r"\w", value)) and not _PLACEHOLDER.fullmatch(value)


def _before_names(before: str, named: dict[str, str], slots: Sequence[str]) -> dict[str, str]:
    """Values without names that stand before the first named slot, if they fill what precedes it.

    ``Bed {Infant}, [Purpose] {Sleeping}``: two values for the two slots before Purpose.
    """
    first = min(slots.index(slot) for slot in named)
    pieces = _pieces(before)
    if not first or len(pieces) != first or not all(_is_keyword(piece) for piece in pieces):
        return {}
    return dict(zip(slots[:first], pieces, strict=True))


def _bare(text: str, slots: Sequence[str]) -> dict[str, str]:
    """As many keywords as there are slots, in order."""
    pieces = _pieces(text)
    if len(pieces) != len(slots) or not all(_is_keyword(piece) for piece in pieces):
        return {}
    return dict(zip(slots, pieces, strict=True))


def _pieces(text: str) -> list[str]:
    parts = re.split(r"[,;\n|{}\[\]]+", text)
    return [bared for part in parts if (bared := _bared(part))]


def _is_keyword(piece: str) -> bool:
    return _is_value(piece) and len(piece.split()) <= WORDIEST and ":" not in piece
