"""What the store holds: studies, runs and embeddings, with the settings that made them."""

import os
import platform
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from mmrec_core.settings import settings
from mmrec_core.store import Artefact, store
from mmrec_core.studies.results import StudyResult, list_studies, load_study
from pages.ui.export import export_menu
from pages.ui.words import escape, how, in_words

RUN_COLUMNS = (
    "arm", "dataset", "seed", "recall@20", "ndcg@20", "seconds", "best epoch", "converged",
    "created", "shipped", "key",
)  # fmt: skip
KINDS = {
    "dataset": "Datasets",
    "embeddings": "Embeddings",
    "run": "Runs",
    "study": "Studies",
    "descriptions": "Descriptions",
    "jobs": "Jobs: states and logs",
}


def moment(seconds: float) -> str:
    """A time of day here, to the minute."""
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")


def created(artefact: Artefact) -> str:
    """When an artefact was finished, in the time of this machine."""
    utc = datetime.fromisoformat(str(artefact.meta["created"]))
    return utc.astimezone().strftime("%Y-%m-%d %H:%M")


def sentence(active: int) -> str:
    """The answer to the page's question, from the numbers."""
    n = {kind: sum(1 for _ in store().list(kind)) for kind in ("study", "run", "embeddings")}
    work = {0: "nothing is being computed now", 1: "**one job is at work**"}.get(
        active, f"**{active} jobs are at work**"
    )
    if not any(n.values()):
        return f"Nothing has been computed here yet, and {work}."
    return (
        f"**{_many(n['study'], 'study', 'studies')}**, **{_many(n['run'], 'run')}** and "
        f"**{_many(n['embeddings'], 'matrix', 'matrices')} of embeddings** are stored, and {work}."
    )


def _many(n: int, one: str, many: str = "") -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def study_link(key: str) -> None:
    """A link that opens a study on its page."""
    st.page_link(
        "pages/study.py",
        label="Open the study",
        icon=":material/science:",
        query_params={"study": key},
    )


def studies() -> None:
    """Finished studies, one of them with the command that makes it again."""
    found = list_studies()
    if not found:
        st.info("No study is finished yet. Plan one on the Study page; it is listed here then.")
        return
    of = _chosen("Dataset", _datasets(found), "of")
    found = [study for study in found if study.facts["dataset"] in of]
    table = pd.DataFrame([_study_row(study) for study in found])
    picked = st.dataframe(
        table,
        hide_index=True,
        key="studies",
        on_select="rerun",
        selection_mode="single-row",
        column_config={"minutes": st.column_config.NumberColumn(format="%.1f")},
        alt="Finished studies, the newest first",
    )
    export_menu("studies", table)
    rows = picked["selection"]["rows"]
    study = found[rows[0] if rows and rows[0] < len(found) else 0]
    if not rows:
        st.caption("The newest study; tick a row to see another.")
    _one_study(study)


def _datasets(found: Sequence[StudyResult]) -> list[str]:
    return sorted({str(study.facts["dataset"]) for study in found})


def _chosen(label: str, options: Sequence[str], key: str) -> list[str]:
    """Several of the options; none means all."""
    picked = st.multiselect(label, options, key=key, bind="query-params", placeholder="All")
    # What is chosen may be gone since.
    return [name for name in options if name in picked] or list(options)


def _study_row(study: StudyResult) -> dict[str, Any]:
    facts = study.facts
    return {
        "dataset": facts["dataset"],
        "recommenders": ", ".join(facts["recommenders"]),
        "stage": facts["stage"],
        "seeds": facts["seeds"],
        "runs": facts["runs"],
        "minutes": facts["wall_seconds"] / 60,
        "created": created(study.artefact),
        "shipped": study.artefact.shipped,
        "key": study.key[:12],
    }


def _one_study(study: StudyResult) -> None:
    with st.container(border=True):
        st.markdown(
            f"**{escape(study.document['dataset_title'] or study.facts['dataset'])}** · "
            f"{escape(study.document['split'])}"
        )
        for verdict in study.verdicts:
            st.markdown(f"- {escape(verdict['symbol'])} {escape(verdict['sentence'])}")
        st.caption("The command that makes this study again; what is stored is not computed twice.")
        st.code(study.command, language="shell", wrap_lines=True)
        with st.container(horizontal=True, vertical_alignment="center"):
            study_link(study.key)
            with st.popover("Settings", type="tertiary", icon=":material/tune:"):
                st.json(study.study, expanded=1)
            with st.popover("Environment", type="tertiary", icon=":material/memory:"):
                st.json(study.document["environment"])
            if study.artefact.shipped:
                st.caption("Shipped with the demo; it cannot be deleted.")
            elif not settings().read_only and st.button(
                "Delete", type="tertiary", icon=":material/delete:", key=f"delete-{study.key}"
            ):
                _delete(study.key)


@st.dialog("Delete this study?")
def _delete(key: str) -> None:
    study = load_study(key)
    st.markdown(
        f"The study of **{escape(study.facts['dataset'])}** from {created(study.artefact)}: its "
        "verdicts and tables. Its runs stay, so that the same study is made again in moments."
    )
    with st.container(horizontal=True):
        if st.button("Delete", type="primary", key="delete-sure"):
            with in_words():
                store().delete("study", key)
                st.rerun()
        if st.button("Keep it"):
            st.rerun()


@st.cache_data(max_entries=4, show_spinner=False)
def run_table(keys: tuple[str, ...], _artefacts: Sequence[Artefact]) -> pd.DataFrame:
    """One row a run, the newest first; made again when a run comes or goes."""
    table = pd.DataFrame([_run_row(artefact) for artefact in _artefacts])
    if table.empty:
        return pd.DataFrame(columns=[*RUN_COLUMNS, "recommender", "control"])
    return table.sort_values("created", ascending=False, kind="stable", ignore_index=True)


def _run_row(artefact: Artefact) -> dict[str, Any]:
    facts, spec = artefact.facts, artefact.spec
    # A run that altered one modality is known by that one's control; all real is "real".
    own = {str(said["control"]) for said in spec["features"].values()} - {"real"}
    return {
        "arm": facts["arm"],
        "dataset": facts["dataset"],
        "seed": spec["seed"],
        "recall@20": facts["means"].get("recall@20"),
        "ndcg@20": facts["means"].get("ndcg@20"),
        "seconds": facts["seconds"],
        "best epoch": facts["best_epoch"],
        "converged": facts["converged"],
        "created": created(artefact),
        "shipped": artefact.shipped,
        "key": artefact.key[:12],
        "recommender": spec["recommender"],
        "control": ", ".join(sorted(own)) or ("real" if spec["features"] else "none"),
    }


def runs() -> None:
    """Every run: filters, the table, and what one was made from."""
    artefacts = list(store().list("run"))
    if not artefacts:
        st.info("No run is stored yet. A study makes them: one for each arm and seed.")
        return
    table = run_table(tuple(artefact.key for artefact in artefacts), artefacts)
    with st.container(horizontal=True):
        for label, column in (
            ("Dataset", "dataset"),
            ("Recommender", "recommender"),
            ("Control", "control"),
        ):
            known = sorted(table[column].astype(str).unique())
            table = table[table[column].isin(_chosen(label, known, f"run_{column}"))]
    shown = table[list(RUN_COLUMNS)].reset_index(drop=True)
    with st.container(horizontal=True, vertical_alignment="center"):
        unfinished = int(shown["converged"].eq(False).sum())
        note = f"; {unfinished:,} stopped before they had converged" if unfinished else ""
        st.markdown(f"**{len(shown):,}** of {_many(len(artefacts), 'run')}{note}", width="stretch")
        export_menu("runs", shown)
    picked = st.dataframe(
        shown,
        hide_index=True,
        height=480,
        key="runs",
        on_select="rerun",
        selection_mode="single-row",
        lazy=False,
        column_config={
            "recall@20": st.column_config.NumberColumn("Recall@20", format="%.4f"),
            "ndcg@20": st.column_config.NumberColumn("nDCG@20", format="%.4f"),
            "seconds": st.column_config.NumberColumn(format="%.1f"),
        },
        alt="Runs, the newest first",
    )
    rows = picked["selection"]["rows"]
    if not rows or rows[0] >= len(shown):
        st.caption("Tick a row to see what a run was made from, and all its means.")
        return
    key = shown["key"].iloc[rows[0]]
    _one_run(next(artefact for artefact in artefacts if artefact.key.startswith(key)))


def _one_run(run: Artefact) -> None:
    with st.container(border=True):
        st.markdown(f"**{escape(run.facts['arm'])}** · seed {run.spec['seed']}")
        means = pd.DataFrame([run.facts["means"], run.facts.get("qualities", {})]).T
        values = means[0].fillna(means[1]).rename("mean").rename_axis("metric").reset_index()
        st.dataframe(values, hide_index=True, height=260, alt="Means over the users of the run")
        with st.expander("What it was made from"):
            st.json(run.spec, expanded=2)
        with st.expander("Environment"):
            st.json(run.facts["environment"])


def embeddings() -> None:
    """Matrices in the store."""
    found = list(store().list("embeddings"))
    if not found:
        st.info("No embeddings are stored yet. A study makes those that it needs.")
        return
    rows = sorted(map(_embedding_row, found), key=lambda row: row["created"], reverse=True)
    table = pd.DataFrame(rows)
    st.dataframe(table, hide_index=True, alt="Embeddings in the store")
    export_menu("embeddings", table)
    how(
        "When are embeddings made again?",
        "Never, as long as extractor, its version, its options and what it reads stay the same. "
        "Two datasets with the same catalogue share theirs.",
    )


def _embedding_row(artefact: Artefact) -> dict[str, Any]:
    facts = artefact.facts
    return {
        "modality": facts.get("modality"),
        "extractor": facts.get("extractor"),
        **{
            name: facts[key]
            for name, key in (("items", "n_items"), ("width", "width"), ("missing", "n_missing"))
            if key in facts
        },
        "seconds": facts.get("seconds", artefact.meta["seconds"]),
        "created": created(artefact),
        "shipped": artefact.shipped,
        "key": artefact.key[:12],
    }


def machine() -> None:
    """What computes here, and how much room the results take."""
    chosen = settings()
    rows = {
        "Python": platform.python_version(),
        "System": f"{platform.system()} {platform.release()} ({platform.machine()})",
        "Processors": os.cpu_count(),
        "Runs side by side": chosen.workers,
        "Device": chosen.device,
        "Model hubs": "not asked (offline)" if chosen.offline else "asked (MMREC_ONLINE=1)",
        "On show only": "yes" if chosen.read_only else "no",
        "Data folder": str(chosen.data),
    }
    table = pd.DataFrame({"what": list(rows), "value": [str(value) for value in rows.values()]})
    st.dataframe(table, hide_index=True, alt="This machine")
    st.caption("Versions of all libraries, and what is missing:")
    st.code("python -m mmrec_core doctor", language="shell")
    st.subheader("Room on the disk", anchor=False)
    if st.button("Measure", icon=":material/straighten:", help="Looks at every file once."):
        with st.spinner("Measuring …", show_time=True):
            st.session_state["sizes"] = sizes()
    if "sizes" in st.session_state:
        st.dataframe(
            st.session_state["sizes"],
            hide_index=True,
            column_config={"bytes": st.column_config.NumberColumn("size", format="bytes")},
            alt="Room on the disk for each kind",
        )


def sizes() -> pd.DataFrame:
    """Bytes and files of each kind, those shipped with the demo apart."""
    rows = []
    for place, root in (("here", settings().store), ("shipped", settings().demo_store)):
        for folder in sorted(root.iterdir()) if root.is_dir() else ():
            if folder.is_dir():
                n, total = _size(folder)
                rows.append((KINDS.get(folder.name, folder.name), place, n, total))
    incoming = settings().data / "incoming"
    if incoming.is_dir():
        rows.append(("Uploads that are not installed", "here", *_size(incoming)))
    return pd.DataFrame(rows, columns=["what", "where", "files", "bytes"])


def _size(folder: Path) -> tuple[int, int]:
    """Number of files below a folder, and their bytes."""
    n = total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(where) / name).stat().st_size
                n += 1
            except FileNotFoundError:
                continue  # removed meanwhile
    return n, total
