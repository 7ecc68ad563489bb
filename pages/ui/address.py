"""A choice that is in the address and outlives a change of page, which bound widgets do not."""

from collections.abc import Callable, Sequence

import streamlit as st


def choose(
    label: str,
    options: Sequence[str],
    key: str,
    default: str,
    format_func: Callable[[str], str] = str,
    hide_default: bool = True,
) -> str:
    """A select box whose value, not its label, stands in the address under ``key``.

    Args:
        label: Of the select box.
        options: Values; what the address or this session named and is none of them is forgotten.
        key: Of the widget, in the session and in the address.
        default: One of ``options``.
        format_func: Value -> what is shown.
        hide_default: Whether the address leaves the default out.
    """
    remembered = f"{key}-address"
    before, named = st.session_state.get(remembered), st.query_params.get(key)
    wanted = named if named != before else st.session_state.get(key)
    candidates = (wanted, st.session_state.get(key), before, default)
    # Written even where it is the same: on another page the widget is a new one, which would
    # begin with its first option.
    st.session_state[key] = next(value for value in candidates if value in options)
    value = st.selectbox(label, options, format_func=format_func, key=key)
    assert value is not None
    st.session_state[remembered] = value
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
    most: int,
    format_func: Callable[[str], str] = str,
    help: str | None = None,
) -> list[str]:
    """A multiselect whose values, not their labels, stand in the address under ``key``.

    Args:
        label: Of the multiselect.
        options: Values, without commas; others that the address named are forgotten.
        key: Of the widget, in the session and in the address.
        default: Some of ``options``; the address leaves them out.
        most: So many can be chosen.
        format_func: Value -> what is shown.
        help: A tooltip.
    """
    remembered = f"{key}-address"
    before, named = st.session_state.get(remembered), st.query_params.get(key)
    if named is not None and named != before:
        wanted = named.split(",")
    else:
        wanted = st.session_state.get(key) or (before.split(",") if before else list(default))
    st.session_state[key] = [value for value in wanted if value in options][:most]
    values = st.multiselect(
        label, options, format_func=format_func, key=key, max_selections=most, help=help, wrap=True
    )
    text = ",".join(values)
    st.session_state[remembered] = text
    if values == list(default) or not values:
        st.query_params.pop(key, None)
    elif named != text:
        st.query_params[key] = text
    return values
