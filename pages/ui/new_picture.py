"""A picture that no item has: uploaded here, and handed to the job that reads it."""

import secrets
from typing import TYPE_CHECKING

import streamlit as st

from mmrec_core.settings import settings

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

LARGEST_MIB = 20
_TYPES = ["png", "jpg", "jpeg", "webp", "gif", "bmp"]


def upload_picture(key: str) -> "UploadedFile | None":
    """The widget; ``key`` tells those of the app apart."""
    return st.file_uploader("Picture", type=_TYPES, key=key, max_upload_size=LARGEST_MIB)


def handed_over(given: "UploadedFile") -> str:
    """Path of the picture for the spec of a job of kind ``query``, which removes it."""
    folder = settings().data / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    # A name of its own: what a person called it is no path.
    path = folder / f"query-{secrets.token_hex(16)}"
    path.write_bytes(given.getvalue())
    return str(path)
