"""Verdicts on screen: word, symbol and colour together, never colour alone."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.ui.words import escape

_BADGES: Mapping[str, str | None] = {
    "pays": "green",
    "used": "blue",
    "without_content": "yellow",
    "no_effect": "gray",
    "harm": "red",
    "undecided": None,  # no fill: nothing is known
    "void": None,
}
"""Tone -> Streamlit's colour of its chip; None: no fill."""


def chip_text(word: str, symbol: str, tone: str) -> str:
    """A chip as markdown, for a table cell or a sentence."""
    text = escape(f"{symbol} {word}")
    colour = _BADGES[tone]
    return f":{colour}-badge[{text}]" if colour else f"*{text}*"


def chip(verdict: Mapping[str, Any]) -> str:
    """The chip of a verdict's JSON as markdown."""
    return chip_text(verdict["verdict"], verdict["symbol"], verdict["tone"])


def show_chip(word: str, symbol: str, tone: str) -> None:
    """Draws a chip."""
    st.markdown(chip_text(word, symbol, tone))
