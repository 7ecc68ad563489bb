"""A choice that is in the address and outlives a change of page, which bound widgets do not."""

from collections.abc import Callable, Sequence
from typing import Literal

import streamlit as st


def choose(
    label: str,
    options: Sequence[str],
    key: str,
    default: str,
    format_func: Callable[[str], str] = str,
    hide_default: bool = True,
    width: int | Literal["stretch"] = "stretch",
    on_change: Callable[[], None] | None = None,
) -> str:
    """A select box whose value, not its label, stands in the address under ``key``.

    Args:
        label: Of the select box.
        options: Values; what the address or this session named and is none of them is forgotten.
        key: Of the widget, in the session and in the address.
        default: One of ``options``.
        format_func: Value -> what is shown.
        hide_default: Whether the address leaves the default out.
        width: Of the select box, in pixels.
        on_change: Called when somebody chooses.
    """
    remembered = f"{key}-address"
    before, named = st.session_state.get(remembered), st.query_params.get(key)
    wanted = named if named != before else st.session_state.get(key)
    candidates = (wanted, st.session_state.get(key), before, default)
    # Written even where it is the same: on another page the widget is a new one, which would
    # begin with its first option.
    st.session_state[key] = next(value for value in candidates if value in options)
    value = st.selectbox(
        label, options, format_func=format_func, key=key, width=width, on_change=on_change
    )
    assert value is not None
    st.session_state[remembered] = value
    if hide_default and value == default:
        st.query_params.pop(key, None)
    elif named != value:
        st.query_params[key] = value
    return value
