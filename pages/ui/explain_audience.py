"""One item over all users: who gets it, where it ranks under each control, what it is near."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st

from mmrec_core.domain import Dataset
from mmrec_core.explanations.audience import CONTROLS, item_ranks, rank_table, receivers
from mmrec_core.explanations.subject import LISTED
from mmrec_core.exports.explanations import drawing_of_ranks
from mmrec_core.figures.words import shorten
from mmrec_core.studies.trained import StoredRun
from pages.ui.address import choose
from pages.ui.explain_alike import nearest_in_every_space
from pages.ui.explain_lists import descriptions_of
from pages.ui.explain_runs import (
    ListName,
    lists_of_everyone,
    split_of,
    subject_of,
    titles_of,
    under_words,
)
from pages.ui.figure import shown
from pages.ui.gallery import NO_PICTURE, find_items, name_of, problems
from pages.ui.job import time_in_words
from pages.ui.map_spaces import known_spaces
from pages.ui.words import escape, fragment, percent

ITEM = "of-item"
MOST_FOUND = 200
SHOWN = 12
AT_ONCE, PACE = 100_000_000, 25_000_000
"""Scores that are computed without being asked for, and in a second."""
_HOW = (
    "Lists of {k} are those of the run. Under a control its learned parameters score every "
    "user over features that were shuffled, replaced by noise of the same mean and covariance, or "
    "removed; nothing is trained again. A rank is among the items that a user has not seen."
)


def show(dataset: Dataset, runs: Mapping[str, StoredRun], default: str) -> None:
    """The page's view of an item."""
    left, right = st.columns(2, gap="small", vertical_alignment="bottom")
    with right:
        real = [name for name, run in runs.items() if run.control == "real"]
        run = choose(
            "Recommender", real, "item-run", default if default in real else real[0],
            titles_of(runs).__getitem__,
        )  # fmt: skip
    split = split_of(runs[run])
    numbers = {str(item): at for at, item in enumerate(split.item_ids)}
    with left:
        item = _choose_item(dataset, numbers, lists_of_everyone(dataset, ListName(run), LISTED))
    if item is None:
        return
    row = int(np.flatnonzero(dataset.item_ids == item)[0])
    lists = lists_of_everyone(dataset, ListName(run), LISTED)
    _about(dataset, row)
    users = receivers(lists, numbers[item])
    _receivers(split.user_ids, users, lists, numbers[item], titles_of(runs)[run])
    _ranks(dataset, runs[run], run, numbers[item], titles_of(runs)[run])
    spaces = [space for space in known_spaces(dataset).values() if space.kind == "extractor"]
    nearest_in_every_space(dataset, row, spaces, np.zeros(0, dtype=int))


def _choose_item(dataset: Dataset, numbers: Mapping[str, int], lists: np.ndarray) -> str | None:
    words = st.text_input(
        "Find an item", key="of-item-find", icon=":material/search:",
        placeholder="Words in id, title, text or category",
    )  # fmt: skip
    named = st.query_params.get(ITEM, "")
    if words:
        rows = find_items(dataset.fingerprint, dataset, words)
        ids = [str(i) for i in dataset.item_ids[rows] if str(i) in numbers][:MOST_FOUND]
        if not ids:
            st.warning("No item of the split matches. Use fewer words.")
            return None
    else:
        counts = np.bincount(lists[lists >= 0].ravel(), minlength=len(numbers))
        known = list(numbers)
        ids = [known[at] for at in np.argsort(-counts, kind="stable")[:MOST_FOUND]]
    if named in numbers and named not in ids:
        ids.insert(0, named)
    shown = dataset.items[["item_id", "title"]].to_dict("records")
    titles = {str(cells["item_id"]): name_of(cells) for cells in shown}
    return choose(
        "Item" if words else "Item, those listed most often first", ids, ITEM, ids[0],
        lambda i: f"{shorten(titles[i], 70)} · {i}", hide_default=False,
    )  # fmt: skip


def _about(dataset: Dataset, row: int) -> None:
    cells = dataset.items.iloc[row]
    picture, words = st.columns([1, 5], gap="small")
    with picture:
        path = dataset.image_path(cells["image"])
        there = path is not None and path.is_file()
        st.image(str(path) if there else NO_PICTURE, width=130, alt=name_of(cells))
    with words:
        st.markdown(f"#### {escape(name_of(cells))}")
        st.caption(escape(cells["item_id"]))
        said = descriptions_of(dataset).get(str(cells["item_id"]))
        st.markdown(f"A model says: {escape(said)}" if said else "No model has described it yet\\.")
        for problem in problems(dataset, row):
            st.warning(problem, icon=":material/report:")


def _receivers(
    ids: np.ndarray, users: np.ndarray, lists: np.ndarray, item: int, title: str
) -> None:
    n = len(ids)
    st.markdown(
        f"**{len(users):,}** of {n:,} users \\({percent(len(users) / n, False)}\\) have it among "
        f"their first {LISTED} by {escape(title)}\\."
    )
    with st.container(horizontal=True, gap="small"):
        for user in users[:SHOWN]:
            rank = int(np.flatnonzero(lists[user] == item)[0]) + 1
            st.button(
                f"{escape(ids[user])} :small[:gray[number {rank}]]",
                key=f"to-user-{user}",
                type="tertiary",
                on_click=_open_user,
                args=(str(ids[user]),),
                help="Open this user",
            )
        if len(users) > SHOWN:
            st.caption(f"and {len(users) - SHOWN:,} more")


def _open_user(user: str) -> None:
    st.query_params["user"] = user
    st.query_params.pop("for", None)
    st.session_state["for"] = "User"


@fragment
def _ranks(dataset: Dataset, run: StoredRun, name: str, item: int, title: str) -> None:
    st.markdown("**Where it ranks**, over the users who have not seen it:")
    if not run.restorable:
        st.caption("Only the lists of this run are kept, so ranks beyond them are not known.")
        return
    split = split_of(run)
    if split.candidates is not None and not split.candidates[item]:
        st.info(
            "This run was made on a split of cold items: it ranks only items that nobody took in "
            "training\\. This one was taken in training, so it stands on no list and has no rank\\."
        )
        return
    settings = {"as trained": ListName(name)}
    if run.kind.features_at_inference:
        for modality in sorted(run.artefact.spec["features"]):
            for control in CONTROLS:
                words = under_words(modality, control)
                settings[words] = ListName(name, modality, control)
    elif run.kind.uses:
        st.caption(f"{run.kind.title} reads no features when it scores: no control changes a rank.")
    scores = len(settings) * split.n_users * split.n_items
    if scores > AT_ONCE and not st.toggle(
        f"Score every user, about {time_in_words(scores / PACE).removeprefix('about ')}",
        key="score-everyone",
    ):
        return
    with st.spinner("Scoring every user"):
        table = _rank_table(dataset.name, dataset.fingerprint, name, item, settings, dataset)
    if table.empty:
        st.info("Every user has taken it in training, so it has no rank\\.")
        return
    modalities = {words: own.modality or "none" for words, own in settings.items()}
    row = int(np.flatnonzero(dataset.item_ids == split.item_ids[item])[0])
    drawing = drawing_of_ranks(table, modalities, name_of(dataset.items.iloc[row]), title)
    shown(drawing, _HOW.format(k=LISTED), kept=f"{dataset.fingerprint}~{name}~{item}~{title}")
    _numbers(table)


def _numbers(table: pd.DataFrame) -> None:
    rows = pd.DataFrame(
        {
            "Setting": table["setting"],
            "Median rank": table["median"],
            "First decile": table["first_decile"],
            "Last decile": table["last_decile"],
            f"In the first {LISTED}": [percent(float(s), False) for s in table["in_top_20"]],
            "Users": table["n_users"],
        }
    )
    st.dataframe(rows, hide_index=True, alt="Ranks of the item under each control")


@st.cache_data(max_entries=64, show_spinner=False)
def _rank_table(
    dataset_name: str,
    fingerprint: str,
    run: str,
    item: int,
    settings: dict[str, ListName],
    _dataset: Dataset,
) -> pd.DataFrame:
    return rank_table(
        {words: item_ranks(subject_of(_dataset, own), item) for words, own in settings.items()}
    )
