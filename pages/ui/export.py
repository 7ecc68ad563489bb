"""The export menu of a figure or table: paper formats, an interactive page, the numbers."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from mmrec_core.datasets.export import escape_formula
from mmrec_core.figures.export import FORMATS, html, save

if TYPE_CHECKING:
    import plotly.graph_objects as go

COLUMNS = {"one": "One column (3.35 in)", "two": "Two columns (7 in)"}


def export_menu(
    name: str,
    table: pd.DataFrame | Callable[[], pd.DataFrame],
    publication: Callable[[Any], Any] | None = None,
    interactive: "go.Figure | Callable[[], go.Figure] | None" = None,
    lazy: bool = False,
) -> None:
    """A popover with a file for each use; nothing is drawn before it is asked for.

    Args:
        name: Of the files, without ending; also tells the menus of a page apart.
        table: The figure's numbers.
        publication: Draws the matplotlib figure in width ``one`` or ``two``.
        interactive: The plotly figure.
        lazy: The menu is filled once it is opened, which draws its fragment anew; for parts that
            are drawn again and again.
    """
    menu = st.popover(
        "Export", icon=":material/download:", type="tertiary", key=f"export-{name}",
        on_change="rerun" if lazy else "ignore",
    )  # fmt: skip
    if lazy and not menu.open:
        return
    with menu:
        if publication is not None:
            for width, words in COLUMNS.items():
                st.caption(words)
                with st.container(horizontal=True):
                    for format, media in FORMATS.items():
                        st.download_button(
                            format.upper(),
                            lambda width=width, format=format: save(publication(width), format),
                            file_name=f"{name}-{width}-column.{format}",
                            mime=media,
                            on_click="ignore",
                            key=f"export-{name}-{width}-{format}",
                        )
        st.caption("Interactive page and numbers" if interactive is not None else "Numbers")
        with st.container(horizontal=True):
            if interactive is not None:
                st.download_button(
                    "HTML",
                    lambda: html(interactive() if callable(interactive) else interactive).encode(),
                    file_name=f"{name}.html",
                    mime="text/html",
                    on_click="ignore",
                    key=f"export-{name}-html",
                )
            st.download_button(
                "CSV",
                lambda: csv_bytes(table() if callable(table) else table),
                file_name=f"{name}.csv",
                mime="text/csv",
                on_click="ignore",
                key=f"export-{name}-csv",
            )


def csv_bytes(table: pd.DataFrame) -> bytes:
    """A table as UTF-8 CSV that no spreadsheet runs as formulas."""
    return escape_formula(table).to_csv(index=False).encode()
