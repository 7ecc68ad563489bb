"""A study to take away: everything as one zip, a report that opens offline, methods in words."""

from pathlib import Path

import streamlit as st

from mmrec_core import jobs
from mmrec_core.exports.drawings import MAKERS
from mmrec_core.exports.methods import bibtex, methods_paragraph
from mmrec_core.settings import settings
from mmrec_core.studies.results import StudyResult
from pages.ui.job import job_panel

_FORMS = {
    "bundle": (
        "Everything as one zip",
        "Every figure as PDF, SVG and PNG in one and two columns, its numbers as CSV, the report, "
        "all tables, the study's JSON, the environment, the methods, BibTeX.",
        "zip",
        "application/zip",
    ),
    "report": (
        "A report as one page",
        "Verdicts, interactive figures, tables, methods and references in one HTML file that opens "
        "without a network.",
        "html",
        "text/html",
    ),
}


_WORDS = {"zip": "zip", "html": "page"}


def takeaway(result: StudyResult) -> None:
    """What can be exported of a study, each with its command."""
    for column, kind in zip(st.columns(2, gap="large"), _FORMS, strict=True):
        with column:
            _form(result, kind)
    st.markdown("##### Methods, in words")
    st.code(methods_paragraph(result), language=None, wrap_lines=True)
    with st.expander("BibTeX of what was used"):
        st.code(bibtex(result), language="bibtex")
    with st.expander("From a terminal"):
        key = result.key[:12]
        st.code(
            f"python -m mmrec_core export {key} --out study.zip\n"
            f"python -m mmrec_core export {key} --out figures --figures {' '.join(MAKERS)} "
            "--format pdf --width one\n"
            f"python -m mmrec_core report {key} --out report.html\n"
            f"python -m mmrec_core lists {key} --out lists.parquet",
            language="shell",
            wrap_lines=True,
        )


def _form(result: StudyResult, kind: str) -> None:
    title, words, ending, media = _FORMS[kind]
    st.markdown(f"##### {title}")
    st.markdown(words)
    # The dataset too: nobody deletes it meanwhile.
    spec = {"study": result.key, "dataset": result.facts["dataset"]}
    state = jobs.find(kind, spec)
    if state is not None and state.status != "done":
        job_panel(state.key)
        return
    made = Path(str((state.result or {}).get("file", ""))) if state is not None else None
    if made is not None and made.is_file():
        st.download_button(
            f"Download the {_WORDS[ending]}",
            lambda: made.read_bytes(),
            file_name=f"mmrec-lens-{result.facts['dataset']}-{result.key[:8]}.{ending}",
            mime=media,
            on_click="ignore",
            type="primary",
            icon=":material/download:",
            key=f"download-{kind}",
        )
    if settings().read_only:
        st.caption("This installation is on show: nothing is made here.")
        return
    again = made is not None and made.is_file()
    label = "Make it anew" if again else f"Make the {_WORDS[ending]}"
    if st.button(label, key=f"make-{kind}", type="secondary" if again else "primary"):
        if state is not None:
            jobs.forget(state.key)
        jobs.start(kind, spec, f"{title}: study {result.key[:8]}")
        st.rerun()
