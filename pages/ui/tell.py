"""Adding descriptions: a model is asked as a job, or answers made elsewhere are imported."""

import secrets
from typing import Any

import streamlit as st

from mmrec_core import jobs
from mmrec_core.descriptions.imported import import_answers
from mmrec_core.descriptions.service import find_descriptions
from mmrec_core.domain import Dataset
from mmrec_core.extractors import make_extractor
from mmrec_core.extractors.hub import BUNDLED
from mmrec_core.extractors.prompts import STRATEGIES, known_prompt, known_prompts, prompt_options
from mmrec_core.settings import settings
from pages.ui.job import job_panel, unfinished_jobs
from pages.ui.prompting import choose_prompt, try_out
from pages.ui.words import escape

LARGEST_MIB = 200
"""Of a CSV of answers."""

_WATCHED = "watched-descriptions"


def describe_jobs(dataset: str) -> list[jobs.JobState]:
    """Descriptions of a dataset that are under way or were stopped before their end."""
    return unfinished_jobs("describe", dataset)


def show_jobs(dataset: str) -> None:
    """Panels of a dataset's unfinished descriptions."""
    for state in describe_jobs(dataset):
        if state.active:
            st.session_state.setdefault(_WATCHED, set()).add(state.key)
        job_panel(state.key)


def take_up_new(dataset: str) -> None:
    """Opens descriptions that were made or imported on this screen; before any widget."""
    imported = st.session_state.pop("new-descriptions", None)
    if imported is not None:
        _open(imported)
    watched: set[str] = st.session_state.setdefault(_WATCHED, set())
    for key in sorted(watched):
        state = jobs.state(key)
        if state is not None and state.status != "done":
            continue
        watched.discard(key)
        if state is not None and jobs.spec(key).get("dataset") == dataset:
            st.toast(f"{escape(state.title)}: done.", icon=":material/check:")
            _open(str((state.result or {})["descriptions"]))


def _open(key: str) -> None:
    st.session_state["of"] = key[:12]
    st.session_state["said"] = "Items"


def add(dataset: Dataset) -> None:
    """Two ways to descriptions: ask a model, or bring answers."""
    if settings().read_only:
        st.caption("This installation is on show: nothing is computed or imported here.")
        return
    asked, brought = st.columns([3, 2], gap="large")
    with asked:
        st.subheader("Ask a model", anchor=False)
        _ask(dataset)
    with brought:
        st.subheader("Bring answers", anchor=False)
        _bring(dataset)


def _prompt(key: str) -> str:
    titles = known_prompts()
    usual = "demo" if key.startswith("demo-") else "general"
    return st.selectbox(
        "Slots",
        list(titles),
        index=list(titles).index(usual),
        format_func=lambda name: f"{titles[name]}: {', '.join(known_prompt(name).slots)}",
        key=f"{key}.slots",
    )


def caution(dataset: Dataset, model: str) -> str:
    """What to know of a model on this dataset, as markdown; mostly empty."""
    said = make_extractor("vision-language", {"model": model}).caution(dataset)
    return f"{escape(said)}\\." if said else ""


def _ask(dataset: Dataset) -> None:
    model = st.text_input(
        "Model",
        BUNDLED if dataset.info.truth else "",
        placeholder="/path/to/model or organisation/model",
        help="A folder on the machine that runs this app, with a vision-language model in the "
        f"format of transformers and safetensors weights, or a hub id; {BUNDLED} is the one that "
        "comes with the program.",
        key=f"{dataset.name}.describe.model",
        bind="query-params",
        persist_state="session",
    ).strip()
    prompt = choose_prompt(dataset)
    if not model:
        st.caption(f"Name a model to go on; {BUNDLED} comes with the program.")
        return
    if prompt is None:
        return
    config: dict[str, Any] = {"model": model, **prompt_options(prompt)}
    ok, reason = make_extractor("vision-language", config).availability()
    if not ok:
        st.error(f"{escape(reason[0].upper() + reason[1:])}\\.")
        return
    warned = caution(dataset, model)
    if warned:
        st.warning(warned)
    try_out(dataset, config)
    st.space("small")
    if find_descriptions(dataset, config) is not None:
        st.success("This is described already; choose it above.")
        return
    spec = {"dataset": dataset.name, "config": config}
    if any(state.active and jobs.spec(state.key) == spec for state in describe_jobs(dataset.name)):
        st.caption("This is under way; its progress is at the top of this page.")
        return
    pictures = int((dataset.items["image"] != "").sum())
    if st.button(f"Describe {pictures:,} items", type="primary", icon=":material/play_arrow:"):
        jobs.start("describe", spec, f"Descriptions of {dataset.name} by {model}")
        st.toast("Started. Progress is at the top; you may leave the page.")
        st.rerun()


def _bring(dataset: Dataset) -> None:
    st.markdown(
        "A CSV with a column for the item's id (`item`) and one for the raw answer (`answer`)."
    )
    prompt = _prompt(f"{dataset.name}.import")
    strategy = st.selectbox(
        "Strategy",
        STRATEGIES,
        help="structured fills slots; descriptive is a sentence; misaligned asks for something "
        "else, as a control. Files of one name are compared under Prompts.",
        key=f"{dataset.name}.import.strategy",
    )
    file = st.file_uploader(
        "Answers", type="csv", key=f"{dataset.name}.answers", max_upload_size=LARGEST_MIB
    )
    if file is None:
        return
    if not st.button("Import answers", type="primary"):
        return
    place = settings().data / "incoming"
    place.mkdir(parents=True, exist_ok=True)
    # A name made here: what the browser calls the file never becomes a path.
    path = place / f"answers-{secrets.token_hex(8)}.csv"
    try:
        path.write_bytes(file.getvalue())
        asked = known_prompt(prompt, strategy)
        made = import_answers(dataset, path, asked.slots, prompt=asked, title=file.name)
    finally:
        path.unlink(missing_ok=True)
    st.session_state["new-descriptions"] = made.artefact.key
    st.rerun()
