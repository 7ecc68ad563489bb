"""Lists that were made elsewhere: hand them in, name their arms, get the same evidence."""

import re
import secrets
from pathlib import Path, PurePosixPath
from typing import Any

import streamlit as st

from mmrec_core import jobs
from mmrec_core.domain import InputError
from mmrec_core.extractors.controls import CONTROLS
from mmrec_core.metrics import METRICS
from mmrec_core.metrics.ranking import CUTOFFS
from mmrec_core.settings import settings
from mmrec_core.studies.imported import parse_arm
from mmrec_core.studies.list_files import read_lists
from mmrec_core.studies.study import RANKING_METRICS
from pages.ui.incoming import incoming
from pages.ui.job import job_panel, unfinished_jobs
from pages.ui.words import escape, in_words

UNNAMED = "?"
ENDINGS = ("csv", "tsv", "txt", "parquet")
LAYOUT = """
Lists of MMRec, Elliot, RecBole or your own code pass through the same evidence, verdicts and plots
as studies made here.

- **One table** with the columns `user`, `item`, `rank` (or `score`), `arm`, `seed`; csv, tsv or
  parquet. Or one file for each arm and seed, with three columns and no header (Elliot), or one row
  a user and columns `top_0`, `top_1` … (MMRec); then its arm and seed are named below.
- An **arm** is written `RECOMMENDER` (a model without content), `RECOMMENDER · real`, or
  `RECOMMENDER · MODALITY · CONTROL` with image, text, joint or all, and a control: """
_SPLIT = (
    "The lists must have been made on the split that is used here: the command writes it. Whoever "
    "trains elsewhere reads train.csv, chooses settings on valid.csv and never opens test.csv."
)


def import_view(dataset: str) -> None:
    """Uploader, arms and seeds of every file, the protocol, and the job."""
    if settings().read_only:
        st.info("This installation is on show: nothing can be imported.")
        return
    for state in unfinished_jobs("import-lists", dataset):
        job_panel(state.key)
    _take_up(dataset)
    controls = ", ".join(f"`{name}`" for name, c in CONTROLS.items() if not c.extraction)
    st.markdown(f"{LAYOUT}{controls}\n- A verdict needs five seeds of every arm with content.")
    with st.expander("The split to train on"):
        st.markdown(_SPLIT)
        st.code(f"python -m mmrec_core split {dataset} --out split", language="shell")
    files = st.file_uploader(
        "Files", type=list(ENDINGS), accept_multiple_files=True, key=f"lists-{dataset}"
    )
    if not files:
        return
    given = []
    for at, file in enumerate(files):
        with in_words():
            entry = _one(dataset, at, file)
            if entry is not None:
                given.append(entry)
    values = _protocol(dataset)
    if len(given) < len(files):
        return
    names = ", ".join(dict.fromkeys(arm for entry in given for arm in entry["arms"]))
    st.caption(f"Arms: {escape(names)}\\.")
    if st.button("Judge these lists", type="primary", key="import-lists"):
        spec = {
            "dataset": dataset,
            "files": [{k: v for k, v in entry.items() if k != "arms"} for entry in given],
            "values": values,
        }
        state = jobs.start("import-lists", spec, f"Imported lists on {dataset}")
        st.session_state["imported-lists"] = state.key
        st.rerun()


def _take_up(dataset: str) -> None:
    """Opens the study of lists that were just judged."""
    key = st.session_state.get("imported-lists")
    state = jobs.state(key) if key else None
    if state is None or state.status != "done":
        return
    st.success("The lists are judged; they are a study of their own, marked as imported.")
    study = str((state.result or {})["study"])[:12]
    st.button("Open the results", icon=":material/science:", on_click=_open, args=(study,))


def _open(study: str) -> None:
    """Turns this page to the results of a study, at the next run."""
    st.session_state["view"] = "Results"
    st.session_state["study"] = study
    st.session_state.pop("imported-lists", None)


def _one(dataset: str, at: int, file: Any) -> dict[str, Any] | None:
    """One file: kept under a name made here, with its arm and seed where it names none."""
    path = _kept(file)
    name = re.sub(r"[\x00-\x1f]", "", PurePosixPath(file.name).name)
    seed: int | None = None
    arm = ""
    arms = _arms_in(file.file_id, str(path), name)
    if not arms:
        left, right = st.columns([4, 1])
        arm = left.text_input(
            f"Arm of {name}", placeholder="vbpr · image · shuffle", key=f"arm-{file.file_id}"
        ).strip()
        seed = int(right.number_input("Seed", 0, 2**31, 1, key=f"seed-{file.file_id}"))
        if not arm:
            st.caption(f"{escape(name)} does not say which model made its lists\\.")
            return None
        arms = [arm]
    for label in arms:
        parse_arm(label)
    return {"path": str(path), "name": name, "arm": arm, "seed": seed, "arms": arms}


@st.cache_data(max_entries=64, show_spinner="Reading the lists")
def _arms_in(file_id: str, path: str, name: str) -> list[str]:
    """The arms that a file names; none where it has no column for them. Read once an upload."""
    # A file without arms is read under a name that the caller then asks for.
    found = read_lists(Path(path), UNNAMED, called=name)["arm"]
    return [arm for arm in dict.fromkeys(found) if arm != UNNAMED]


def _kept(file: Any) -> Any:
    """The file on disk; written once for the same upload."""
    known: dict[str, Any] = st.session_state.setdefault("kept-lists", {})
    path = known.get(file.file_id)
    if path is None or not path.is_file():
        ending = PurePosixPath(file.name.lower()).suffix
        if ending.removeprefix(".") not in ENDINGS:
            raise InputError(f"{file.name} is none of {', '.join(ENDINGS)}.")
        incoming().mkdir(parents=True, exist_ok=True)
        path = incoming() / f"{secrets.token_hex(8)}{ending}"
        file.seek(0)
        path.write_bytes(file.read())
        known[file.file_id] = path
    return path


def _protocol(dataset: str) -> dict[str, Any]:
    first, second, third = st.columns(3)
    metric = first.selectbox(
        "Metric of the verdict",
        RANKING_METRICS,
        format_func=lambda name: METRICS.get(name).label,
        key="import-metric",
    )
    k = second.selectbox("At k", CUTOFFS, index=CUTOFFS.index(20), key="import-k")
    mask = third.selectbox(
        "Left out of the lists",
        ("train+valid", "train"),
        format_func={
            "train+valid": "training and validation items",
            "train": "training items only, as published code",
        }.__getitem__,
        key="import-mask",
    )
    return {"dataset": dataset, "metric": f"{metric}@{k}", "mask": mask}
