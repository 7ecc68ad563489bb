"""A figure on screen with how it was made and its files."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from mmrec_core.exports.drawings import Drawing
from mmrec_core.studies.results import StudyResult
from pages.ui.export import export_menu
from pages.ui.studies import settings_of
from pages.ui.words import how


def shown(
    drawing: Drawing, explanation: str, command: str | None = None, kept: str | None = None
) -> None:
    """A figure that stands on no study, with how it was made and its files.

    Args:
        drawing: The figure.
        explanation: How it was made.
        command: That makes the same.
        kept: Tells what it shows from all else, where it is drawn again and again; None: not kept.
    """
    figure = drawing.interactive() if kept is None else _kept(drawing.name, kept, drawing)
    _chart(drawing.name, figure)
    with st.container(horizontal=True):
        how("How", explanation, command)
        export_menu(drawing.name, drawing.table, drawing.publication, figure, lazy=kept is not None)


# Plotly takes 50 ms to check a figure, which is longer than what it shows takes to compute.
@st.cache_resource(max_entries=128, show_spinner=False)
def _kept(name: str, kept: str, _drawing: Drawing) -> Any:
    return _drawing.interactive()


def _chart(name: str, figure: Any) -> None:
    st.plotly_chart(
        figure,
        key=f"figure-{name}",
        alt=figure.layout.meta["description"],
        config={"displaylogo": False},
    )


def figure_with_menu(
    name: str,
    result: StudyResult,
    figure: Any,
    table: Callable[[], pd.DataFrame],
    publication: Callable[[Any], Any],
    explanation: str,
) -> None:
    """A figure with how it was made and its files."""
    _chart(name, figure)
    with st.container(horizontal=True):
        how("How", explanation, result.command, settings_of(result))
        export_menu(f"{name}-{result.key[:8]}", table, publication, figure)


def drawn(drawing: Drawing, result: StudyResult, explanation: str) -> None:
    """One of the study's figures."""
    figure_with_menu(
        drawing.name,
        result,
        drawing.interactive(),
        lambda: drawing.table,
        drawing.publication,
        explanation,
    )
