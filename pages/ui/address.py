"""Choices that are in the address and outlive a change of page, which bound widgets do not."""

from collections.abc import Callable, Sequence
from typing import Literal

import streamlit as st

from mmrec_core.figures.words import shorten
from pages.ui.words import escape


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
        options: Values; what the address names and is none of them is said under the box.
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
    _not_here(key, [named] if named and named != before else [], options, value)
    if hide_default and value == default:
        st.query_params.pop(key, None)
    elif named != value:
        st.query_params[key] = value
    return value


def choose_several(
    label: str,
    options: Sequence[str],
    key: str,
    default: Sequence[str],
    format_func: Callable[[str], str] = str,
    most: int | None = None,
    help: str | None = None,
) -> list[str]:
    """A multiselect whose values, not their labels, stand in the address: ``key=a&key=b``.

    While nobody has chosen anything it follows its default, which the address leaves out. An empty
    choice stands there as ``key=``.

    Args:
        label: Of the multiselect.
        options: Values; what the address names and is none of them is said under the box.
        key: Of the widget, in the session and in the address.
        default: Some of ``options``.
        format_func: Value -> what is shown.
        most: Values that can be chosen; None: any number.
        help: A tooltip.
    """
    remembered = f"{key}-address"
    # Of the last run: what was chosen, the default then, and what the address said.
    value, usual, said = st.session_state.get(remembered, (None, None, None))
    named = st.query_params.get_all(key) if key in st.query_params else None
    shown = st.session_state.get(key)
    if named is not None and named != said:
        wanted = [name for name in named if name]
    elif shown is not None and shown != value:
        wanted = shown
    elif value is not None and value != usual:
        wanted = value
    else:
        wanted = list(default)
    known = [name for name in dict.fromkeys(wanted) if name in options][:most]
    # Names that are all unknown, as on another dataset, are no wish for nothing.
    st.session_state[key] = known if known or not wanted else list(default)
    chosen = st.multiselect(
        label, options, format_func=format_func, key=key, max_selections=most, help=help, wrap=True
    )
    if chosen == list(default):
        st.query_params.pop(key, None)
        now = None
    else:
        now = chosen or [""]
        if named != now:
            st.query_params[key] = now
    st.session_state[remembered] = (chosen, list(default), now)
    _not_here(key, named if named is not None and named != said else [], options, chosen)
    return chosen


def _not_here(key: str, named: Sequence[str], options: Sequence[str], shown: object) -> None:
    """Says what a link named and is not offered, until something else is chosen."""
    missing, instead = f"{key}-missing", st.session_state.get(f"{key}-missing")
    gone = [name for name in named if name and name not in options]
    if gone:
        instead = st.session_state[missing] = (gone, shown)
    if instead is None:
        return
    still = [name for name in instead[0] if name not in options]
    if instead[1] != shown or not still:
        del st.session_state[missing]
        return
    several = ", ".join(f"**{escape(shorten(name, 60))}**" for name in still[:3])
    several += f" and {len(still) - 3} more" if len(still) > 3 else ""
    st.caption(f":material/link_off: The link names {several}: not here, so not what is shown\\.")
