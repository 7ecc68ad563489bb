"""A job on screen: how far it is, what it does, cancel and resume."""

from collections.abc import Sequence

import streamlit as st

from mmrec_core import jobs
from pages.ui.words import escape, in_words

_STOPPED = {
    "interrupted": ("was interrupted", "warning"),
    "cancelled": ("was cancelled", "info"),
    "failed": ("failed", "error"),
}


def unfinished_jobs(kind: str, dataset: str) -> list[jobs.JobState]:
    """Jobs of a kind on a dataset that are under way or were stopped before their end."""
    return [
        state
        for state in jobs.jobs()
        if state.kind == kind
        and state.status != "done"
        and jobs.spec(state.key).get("dataset") == dataset
    ]


def job_panel(key: str) -> None:
    """Live progress of a job; when it is done, the page is drawn again.

    Args:
        key: Of the job; nothing is shown where there is none.
    """
    with in_words():
        state = jobs.state(key)
        if state is None:
            return
        if state.active:
            _live(key)
        else:
            _settled(state)


@st.fragment(run_every=1)
def _live(key: str) -> None:
    state = jobs.state(key)
    if state is None or not state.active:
        st.rerun()
    with in_words(), st.container(border=True):
        words, buttons = st.columns([5, 1], vertical_alignment="center")
        words.markdown(f"**{escape(state.title)}**")
        if buttons.button("Cancel", key=f"cancel-{key}", width="stretch"):
            jobs.cancel(key)
            st.toast("Cancelling. What is finished is kept.")
        st.progress(min(1.0, max(0.0, state.fraction)))
        st.caption(escape(_line(state)))


def _line(state: jobs.JobState) -> str:
    if state.status == "queued":
        return "Starting …"
    facts = state.facts or {}
    parts = [f"{state.fraction:.0%}"]
    if facts.get("total_runs"):
        parts.append(f"{facts['done_runs']:,} of {facts['total_runs']:,} runs done")
    if state.what:
        parts.append(state.what)
    if facts.get("repaired"):
        parts.append(f"{_damaged(facts['repaired'])} is made again")
    left = state.seconds_left
    parts.append("time left not known yet" if left is None else f"{time_in_words(left)} left")
    return " · ".join(parts)


def _damaged(repaired: Sequence[str]) -> str:
    n = len(repaired)
    return "1 damaged result" if n == 1 else f"{n:,} damaged results"


def repaired_sentence(state: jobs.JobState) -> str:
    """What a job found damaged in the store and made again; empty where nothing was."""
    repaired = (state.result or {}).get("repaired")
    if not repaired:
        return ""
    named = "; ".join([*repaired[:3], *(["…"] if len(repaired) > 3 else [])])
    return f"{_damaged(repaired)} found in the store and made again: {named}."


def time_in_words(seconds: float) -> str:
    """A stretch of time as a person says it, about as exact as it is known."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 55:
        return f"about {5 * round(seconds / 5)} seconds"
    minutes = seconds / 60
    if minutes < 1.5:
        return "about a minute"
    return f"about {minutes:.0f} minutes" if minutes < 90 else f"about {minutes / 60:.1f} hours"


def _settled(state: jobs.JobState) -> None:
    if state.status == "done":
        seconds = state.updated - state.started
        st.success(
            f"{escape(state.title)}: done in {time_in_words(seconds).removeprefix('about ')}. "
            f"{escape(repaired_sentence(state))}"
        )
        return
    verb, tone = _STOPPED[state.status]
    with st.container(border=True):
        getattr(st, tone)(
            f"**{escape(state.title)}** {verb} at {state.fraction:.0%}. {escape(state.what)}"
        )
        with st.container(horizontal=True):
            if st.button("Resume", key=f"resume-{state.key}", type="primary"):
                with in_words():
                    jobs.resume(state.key)
                    st.rerun()
            if st.button("Remove from the list", key=f"forget-{state.key}"):
                with in_words():
                    jobs.forget(state.key)
                    st.rerun()
        log = jobs.log_tail(state.key) if state.status == "failed" else ""
        if log:
            with st.expander("Details: the end of the log"):
                st.code(log, language=None, wrap_lines=True)
