"""Runs: what was computed, how, and when?"""

import streamlit as st

from mmrec_core import jobs
from mmrec_core.settings import settings
from pages.ui import records
from pages.ui.compared import compared
from pages.ui.front import through_app
from pages.ui.job import job_panel, repaired_sentence, time_in_words
from pages.ui.words import escape, in_words

JOBS, STUDIES, COMPARE, RUNS = "Jobs", "Studies", "Compare", "Runs"
EMBEDDINGS, MACHINE = "Embeddings", "Machine"
_MARKS = {
    "done": "✓ done",
    "failed": "✕ failed",
    "cancelled": "– cancelled",
    "interrupted": "! interrupted",
}


def main() -> None:
    through_app()
    st.title("What was computed, how, and when?", anchor=False)
    known = jobs.jobs()
    st.markdown(records.sentence(sum(state.active for state in known)))
    draw = {
        JOBS: lambda: _jobs(known),
        STUDIES: records.studies,
        COMPARE: compared,
        RUNS: records.runs,
        EMBEDDINGS: records.embeddings,
        MACHINE: records.machine,
    }
    tabs = st.tabs(list(draw), key="tab", bind="query-params")
    for tab, show in zip(tabs, draw.values(), strict=True):
        if tab.open:
            with tab, in_words():
                show()


def _jobs(known: list[jobs.JobState]) -> None:
    if not known:
        st.info(
            "No job has been started here. Studies start on the Study page, installations on the "
            "Data page; both are listed here while they work and afterwards."
        )
        return
    for state in known:
        if state.active or (state.status != "done" and not settings().read_only):
            job_panel(state.key)
            if state.status != "failed":
                _log(state)
        else:
            _over(state)


def _over(state: jobs.JobState) -> None:
    with st.container(border=True):
        words, buttons = st.columns([5, 1], vertical_alignment="center")
        took = time_in_words(max(0.0, state.updated - state.started)) if state.started else ""
        said = " ".join(part for part in (state.what, repaired_sentence(state)) if part)
        what = f" {escape(said)}" if said else ""
        words.markdown(
            f"**{escape(state.title)}** · {_MARKS.get(state.status, state.status)}"
            + (f" in {took.removeprefix('about ')}" if took and state.status == "done" else "")
            + f" · {records.moment(state.updated)}.{what}"
        )
        if not settings().read_only and buttons.button(
            "Remove",
            key=f"forget-{state.key}",
            type="tertiary",
            help="From this list; its results stay.",
        ):
            jobs.forget(state.key)
            st.rerun()
        study = (state.result or {}).get("study")
        if study:
            records.study_link(str(study))
    _log(state)


def _log(state: jobs.JobState) -> None:
    log = jobs.log_tail(state.key)
    if log:
        with st.expander(f"Log of {escape(state.title)}"):
            st.code(log, language=None, wrap_lines=True)


main()
