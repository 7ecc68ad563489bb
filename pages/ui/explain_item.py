"""One recommendation opened: why, part by part."""

from collections.abc import Callable

import streamlit as st

from pages.ui import (
    explain_alike,
    explain_history,
    explain_score,
    explain_trust,
    explain_what_if,
)
from pages.ui.explain_open import Opened, header
from pages.ui.words import fragment

SCORE, HISTORY, ALIKE = "Score", "History", "Look-alikes"
ATTRIBUTES, WHAT_IF, TRUST = "Attributes", "What if", "Faithfulness"
_SHOWN = "explain-item-shown"


def show(own: Opened, at: int) -> None:
    """The header, and the part that is chosen."""
    header(own, at)
    _parts(own)


@fragment
def _parts(own: Opened) -> None:
    # A click in here draws this alone anew: lists and history stay as they are.
    _item_over_the_page()
    parts: dict[str, Callable[[], None]] = {
        SCORE: lambda: explain_score.show(own),
        HISTORY: lambda: explain_history.show(own),
        ALIKE: lambda: explain_alike.look_alikes(own),
        ATTRIBUTES: lambda: explain_alike.attributes(own),
        WHAT_IF: lambda: explain_what_if.show(own),
        TRUST: lambda: explain_trust.show(own.dataset, own.explained),
    }
    part = st.segmented_control(
        "Explain", list(parts), default=SCORE, required=True, key="explain-part",
        label_visibility="collapsed", bind="query-params", persist_state="session",
    )  # fmt: skip
    parts[str(part)]()


def _item_over_the_page() -> None:
    """A picture that is clicked in here opens over the page, which the page has to draw."""
    item = st.query_params.get("item")
    if item != st.session_state.get(_SHOWN):
        st.session_state[_SHOWN] = item
        if item is not None:
            st.rerun()
