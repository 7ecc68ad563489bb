"""Words on screen: escaped names, numbers, errors as sentences, and how a number was made."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec

import streamlit as st

from mmrec_core.domain import InputError
from mmrec_core.figures.words import NOT_THERE, percent, three

P = ParamSpec("P")

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
# What Streamlit turns into pictures and links after markdown is parsed, escapes included.
_TURNED = re.compile(r"(https?:(?=//)|www(?=\.)|:(?=[\w+/-]+:)|@)", re.IGNORECASE)
_JOINER = "\u2060"
_FIGURE_SPACE, _POINT_SPACE, _NO_BREAK = "\u2007", "\u2008", "\u00a0"


def escape(text: object) -> str:
    """Text from data for a markdown element: shown as it is written, on one line."""
    line = re.sub(r"[\s\x00-\x1f\x7f]+", " ", str(text)).strip()
    return _PUNCTUATION.sub(r"\\\1", _TURNED.sub(rf"\1{_JOINER}", line))


def number(x: float | None, sign: bool = False) -> str:
    """A number with three significant digits; – where there is none."""
    return three(None if x is None else float(x), sign)


def columns_of_numbers(texts: Sequence[str], intervals: Sequence[str]) -> list[str]:
    """Numbers over their intervals in smaller type, as markdown cells of a left-aligned column.

    Numbers are padded so that their decimal points stand under one another.
    """

    def cut(text: str) -> tuple[str, str, str]:
        whole, decimals, unit = re.fullmatch(r"(.*?\d|\D*?)(\.\d+)?( %)?", text).groups("")
        return whole, decimals, unit

    cuts = [cut(text) for text in texts]
    left = max((len(whole) for whole, _, _ in cuts), default=0)
    right = max((len(decimals) for _, decimals, _ in cuts), default=0)
    cells = []
    for (whole, decimals, unit), interval in zip(cuts, intervals, strict=True):
        before = _FIGURE_SPACE * (left - len(whole))
        point = _POINT_SPACE if right and not decimals else ""
        after = point + _FIGURE_SPACE * (right - len(decimals) - len(point))
        # The joiner keeps the padding from being trimmed.
        cell = f"{_JOINER}{before}{whole}{decimals}{after}{unit.replace(' ', _NO_BREAK)}"
        small = escape(interval).replace(" ", _NO_BREAK)
        cells.append(f"{cell}  \n:small[:gray[{small}]]" if interval else cell)
    return cells


@contextmanager
def in_words() -> Iterator[None]:
    """What goes wrong inside is said in a sentence; the rest of the page goes on."""
    try:
        yield
    except InputError as error:
        st.error(escape(error))
    except Exception as error:
        logging.getLogger("mmrec").exception("a part of a page failed")
        st.error(
            "This part of the page could not be shown. Reload the page; if it stays, "
            "the details below belong into a bug report."
        )
        with st.expander("Details"):
            st.code(f"{type(error).__name__}: {error}", language=None, wrap_lines=True)


def fragment(draw: Callable[P, None]) -> Callable[P, None]:
    """A part of a page that a click in it draws anew alone; what goes wrong in it is a sentence.

    Streamlit shows what leaves a fragment as a traceback, whatever stands around the call.
    """

    @wraps(draw)
    def in_sentences(*args: P.args, **kwargs: P.kwargs) -> None:
        with in_words():
            draw(*args, **kwargs)

    return st.fragment(in_sentences)


def how(
    title: str, text: str, command: str | None = None, config: Mapping[str, Any] | None = None
) -> None:
    """A popover that says how something was made.

    Args:
        title: On the button, such as "How".
        text: Formula and conditions, markdown; escape what comes from data.
        command: That makes it again.
        config: Settings and seeds, as plain values.
    """
    with st.popover(title, icon=":material/help:", type="tertiary"):
        st.markdown(text)
        if command:
            st.caption("The same from a terminal:")
            st.code(command, language="shell", wrap_lines=True)
        if config:
            with st.expander("All settings and seeds"):
                st.json(dict(config), expanded=1)


__all__ = [
    "NOT_THERE",
    "columns_of_numbers",
    "escape",
    "fragment",
    "how",
    "in_words",
    "number",
    "percent",
]
