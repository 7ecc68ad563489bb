"""A form made from the fields of a pydantic config: names, ranges and descriptions are its own."""

import math
from collections.abc import Sequence
from typing import Any, Literal, get_args, get_origin

import annotated_types
import streamlit as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo


def config_form(
    config: type[BaseModel], prefix: str, columns: int = 4, leave_out: Sequence[str] = ()
) -> dict[str, Any]:
    """Widgets for every field of a config, each kept in the address.

    Args:
        config: Class with a default for every field.
        prefix: Of the widgets' keys.
        columns: Widgets in a row.
        leave_out: Fields that have a place of their own.

    Returns:
        The values that differ from the defaults.
    """
    changed: dict[str, Any] = {}
    fields = [own for own in config.model_fields.items() if own[0] not in leave_out]
    for start in range(0, len(fields), columns):
        row = st.columns(columns)
        for place, (name, field) in zip(row, fields[start : start + columns], strict=False):
            default = field.get_default(call_default_factory=True)
            with place:
                value = _widget(name, field, default, f"{prefix}.{name}")
            if value != default:
                changed[name] = value
    return changed


def label_of(name: str) -> str:
    """A field's name for people: ``learning_rate`` gives ``learning rate``."""
    return name.replace("_", " ")


def _widget(name: str, field: FieldInfo, default: Any, key: str) -> Any:
    about: dict[str, Any] = {
        "label": label_of(name), "help": field.description, "key": key,
        "bind": "query-params", "persist_state": "session",
    }  # fmt: skip
    kind = field.annotation
    if get_origin(kind) is Literal:
        options = list(get_args(kind))
        return st.selectbox(options=options, index=options.index(default), **about)
    if kind is bool:
        return st.checkbox(value=default, **about)
    if kind is int:
        low, high = _range(field)
        return st.number_input(
            value=default,
            min_value=None if low is None else math.ceil(low),
            max_value=None if high is None else math.floor(high),
            step=1,
            **about,
        )
    if kind is float:
        low, high = _range(field)
        step = 10.0 ** math.floor(math.log10(default)) if default > 0 else 0.01
        return st.number_input(
            value=default, min_value=low, max_value=high, step=step, format="%.6g", **about
        )
    return st.text_input(value=str(default), **about)


def _range(field: FieldInfo) -> tuple[float | None, float | None]:
    """Smallest and largest value; an open end is checked with the plan, in words."""
    low = high = None
    for rule in field.metadata:
        if isinstance(rule, annotated_types.Ge):
            low = rule.ge
        elif isinstance(rule, annotated_types.Gt):
            low = rule.gt
        elif isinstance(rule, annotated_types.Le):
            high = rule.le
        elif isinstance(rule, annotated_types.Lt):
            high = rule.lt
    as_float = [None if end is None else float(end) for end in (low, high)]  # type: ignore[arg-type]
    return as_float[0], as_float[1]
