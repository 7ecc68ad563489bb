"""Before and while a study is carried out: its plan, its start, and its job on every page."""

import json
from typing import Any

import streamlit as st

from mmrec_core import jobs
from mmrec_core.domain import InputError
from mmrec_core.settings import settings
from mmrec_core.studies.plan import (
    Plan,
    cores_in_words,
    default_values,
    minutes_in_words,
    plan_study,
)
from mmrec_core.studies.results import list_studies
from mmrec_core.studies.study import make_study
from pages.ui.job import job_panel, unfinished_jobs
from pages.ui.studies import titles
from pages.ui.words import escape, in_words

START = "Start the default study"
_WATCHED = "watched-jobs"


def plan_of(values: dict[str, Any]) -> Plan:
    """The plan of a study, reckoned once for the same study and store.

    Raises:
        InputError: The study or its dataset cannot be used.
    """
    plan, problem = _plan(json.dumps(values, sort_keys=True), _stamp())
    if plan is None:
        raise InputError(problem)
    return plan


# Resource, not data: a plan is frozen, and copying it costs more than making it.
@st.cache_resource(max_entries=64, show_spinner=False)
def _plan(values: str, stamp: tuple[int, ...]) -> tuple[Plan | None, str]:
    try:
        return plan_study(make_study(json.loads(values))), ""
    except InputError as error:
        return None, str(error)


def _stamp() -> tuple[int, ...]:
    """Changes whenever a run, embeddings or a dataset comes or goes."""
    kinds = [settings().store / kind for kind in ("run", "embeddings", "dataset", "search")]
    pointers = [p.stat().st_mtime_ns for p in sorted(settings().uploads.glob("*.json"))]
    return (*(sum(1 for _ in kind.glob("*/*")) for kind in kinds), *pointers)


def plan_text(plan: Plan) -> str:
    """Runs, minutes and what is made first, as markdown."""
    left = plan.runs_left
    if not left:
        text = f"**All {plan.runs:,} runs are done**; only the evidence is put together."
    else:
        done = f", {plan.runs - left:,} of them done" if plan.runs > left else ""
        text = (
            f"**{len(plan.arms)} arms, {plan.runs:,} runs**{done}; about "
            f"**{minutes_in_words(plan.minutes)}** on {cores_in_words()}\\."
        )
    if plan.trials:
        text += f" Settings are searched first, in at most **{plan.trials:,} trials**\\."
    if plan.to_embed:
        text += f" Embeddings of {escape(' and '.join(plan.to_embed))} are made first\\."
    return text


def is_finished(plan: Plan) -> bool:
    """Whether the very study is finished, its runs kept or not (shipped studies come alone)."""
    wanted = plan.study.model_dump(mode="json")
    return any(study.study == wanted for study in list_studies(plan.study.dataset))


def start_button(values: dict[str, Any], title: str, label: str, key: str, where: str) -> None:
    """Starts a study as a job when it is clicked.

    Args:
        values: Of the study.
        title: Of the job.
        label: On the button.
        key: Of the button.
        where: Says where the job's progress is shown, such as "at the top of this page".
    """
    if settings().read_only:
        st.caption("This installation is on show: nothing is computed here.")
        return
    if any(s.active and jobs.spec(s.key) == values for s in study_jobs(values["dataset"])):
        st.caption(f"This study is under way; its progress is {where}.")
        return
    if st.button(label, type="primary", key=key, icon=":material/play_arrow:"):
        jobs.start("study", values, title)
        st.toast(f"Started. Progress is {where}; you may leave the page.")
        st.rerun()


def first_study(dataset: str, key: str, where: str) -> None:
    """The default study of a dataset: what it does, how long it takes, and one button.

    Args:
        dataset: Without any study so far.
        key: Of the button.
        where: Says where the job's progress is shown.
    """
    with st.container(border=True), in_words():
        st.markdown("**Embed it and run the first study**")
        values = default_values(dataset)
        plan = plan_of(values)
        st.markdown(plan_text(plan))
        names = titles()
        st.caption(
            f"{', '.join(names[n] for n in plan.study.recommenders)} on "
            f"{' and '.join(plan.study.modalities)}, beside "
            f"{', '.join(names[n] for n in plan.study.references)}; controls "
            f"{', '.join(plan.study.controls)}; {plan.study.seeds} seeds. "
            f"Split: {escape(plan.split)}."
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            start_button(values, default_title(dataset), START, key, where)
            st.page_link(
                "pages/study.py",
                label="Choose otherwise",
                icon=":material/tune:",
                query_params={"dataset": dataset},
            )


def default_title(dataset: str) -> str:
    """What the job of the default study is called."""
    return f"Default study of {dataset}"


def study_jobs(dataset: str) -> list[jobs.JobState]:
    """Studies of a dataset that are under way or were stopped before their end."""
    return unfinished_jobs("study", dataset)


def take_up_finished(dataset: str) -> None:
    """Opens the results of a study that was under way on this screen; before any widget."""
    watched: set[str] = st.session_state.setdefault(_WATCHED, set())
    for key in sorted(watched):
        state = jobs.state(key)
        if state is not None and state.status != "done":
            continue
        watched.discard(key)
        if state is not None and jobs.spec(key).get("dataset") == dataset:
            st.toast(f"{escape(state.title)}: done.", icon=":material/check:")
            st.session_state["study"] = str((state.result or {})["study"])[:12]
            st.session_state["view"] = "Results"


def show_jobs(dataset: str) -> None:
    """Panels of a dataset's unfinished studies."""
    for state in study_jobs(dataset):
        if state.active:
            st.session_state.setdefault(_WATCHED, set()).add(state.key)
        job_panel(state.key)
