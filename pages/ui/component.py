"""Components whose browser half is a folder of the project."""

import threading
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

COMPONENTS = Path(__file__).resolve().parents[2] / "components"
_lock = threading.Lock()


def mounted(name: str, home: Path, script: str) -> Any:
    """How an instance of a component is mounted.

    Streamlit looks for components with files in installed packages. These are registered from
    their folder: nothing to install, and files are fetched once, not sent with each change.

    Args:
        name: ``project.component``.
        home: The component's folder; what the browser may fetch lies in its ``assets``.
        script: Name of the file there that exports the component.
    """
    with _lock:
        manager = get_bidi_component_manager()
        if manager.get_component_asset_root(name) is None:
            project, _, part = name.partition(".")
            config = ComponentConfig(part, asset_dir="assets")
            manager.register_from_manifest(ComponentManifest(project, "0", [config]), home)
    return _mount(name, script)


@cache
def _mount(name: str, script: str) -> Any:
    return st.components.v2.component(name, js=script)
