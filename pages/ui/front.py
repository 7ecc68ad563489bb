"""Sends a page that Streamlit opened by itself through the front door."""

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager


def through_app() -> None:
    """Starts the run over from app.py where a page was opened without it.

    A folder called pages/ makes a fresh server open the first linked page by Streamlit's older
    routing, without app.py; from the first ``st.navigation`` on it no longer does. Without this,
    the first copied link opened after a start would show no navigation and no wide layout.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()
