"""Figures as files: the same data give the same bytes, and nothing is fetched to show them."""

import html as entities
import io
import threading
from typing import TYPE_CHECKING, Any, Literal

from mmrec_core.domain import InputError

if TYPE_CHECKING:
    import plotly.graph_objects as go

Format = Literal["pdf", "svg", "png"]
FORMATS: dict[str, str] = {
    "pdf": "application/pdf",
    "svg": "image/svg+xml",
    "png": "image/png",
}
"""Format of a publication figure -> its media type."""

_SETTINGS = {
    "svg.fonttype": "none",  # text stays text: searchable, and editable in a drawing program
    "pdf.fonttype": 42,  # TrueType; publishers refuse Type 3
    "svg.hashsalt": "mmrec-lens",  # otherwise ids are drawn by chance
}
_PNG_DPI = 300
# Matplotlib reads these settings from one global table while it writes.
_WRITING = threading.Lock()


def save(figure: Any, format: Format) -> bytes:
    """A publication figure as a file; safe to call from several threads.

    PDF embeds TrueType fonts, SVG holds real text, PNG has 300 dots per inch. No file carries a
    date, so that the same figure gives the same bytes. The figure's description goes into the
    metadata of all three.

    Args:
        figure: matplotlib Figure from one of the ``*_publication`` functions.
        format: ``pdf``, ``svg`` or ``png``.

    Raises:
        InputError: No such format.
    """
    if format not in FORMATS:
        raise InputError(f"Figures are not saved as {format!r}; use {', '.join(FORMATS)}.")
    import matplotlib

    description = str(figure.get_label())
    metadata: dict[str, dict[str, str | None]] = {
        "pdf": {"CreationDate": None, "ModDate": None, "Subject": description},
        "svg": {"Date": None, "Description": description},
        "png": {"Software": None, "Description": description},
    }
    buffer = io.BytesIO()
    with _WRITING, matplotlib.rc_context(_SETTINGS):
        figure.savefig(buffer, format=format, dpi=_PNG_DPI, metadata=metadata[format])
    return buffer.getvalue()


def html(figure: "go.Figure") -> str:
    """An interactive figure as one self-contained page: plotly.js is inside, no address is read.

    Args:
        figure: plotly Figure from one of the interactive functions.
    """
    import plotly.graph_objects as go
    import plotly.io

    shown = go.Figure(figure)
    shown.update_layout(template="plotly_white", paper_bgcolor="#FFFFFF", plot_bgcolor="#FFFFFF")
    body = plotly.io.to_html(
        shown,
        full_html=False,
        include_plotlyjs=True,
        include_mathjax=False,
        div_id="figure",
        config={"displaylogo": False, "responsive": True},
    )
    meta = figure.layout.meta or {}
    title = entities.escape(meta.get("title", "Figure"))
    description = entities.escape(meta.get("description", ""))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<title>{title}</title>\n<meta name="description" content="{description}">\n'
        "<style>body { font-family: system-ui, sans-serif; font-size: 14px }</style>\n"
        "</head>\n<body>\n<main>\n"
        f"<figure>\n{body}\n<figcaption>{description}</figcaption>\n</figure>\n"
        "</main>\n</body>\n</html>\n"
    )
