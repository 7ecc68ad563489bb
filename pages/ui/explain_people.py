"""Who is explained: a user by id, by search or by how much a list changes; or a visitor."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from mmrec_core.domain import Dataset, Split
from mmrec_core.explanations.audience import most_changed
from mmrec_core.explanations.counterfactual import modalities_at_inference
from mmrec_core.explanations.subject import LISTED
from mmrec_core.figures.words import shorten
from pages.ui import item_lists
from pages.ui.address import choose, choose_several
from pages.ui.explain_runs import (
    AT_ONCE,
    VISITOR,
    ListName,
    explainable,
    lists_of_everyone,
    opened,
    runs_of,
    split_of,
    under_words,
)
from pages.ui.gallery import find_items, name_of
from pages.ui.words import escape, fragment

IN_A_BOX = 5_000
"""Users up to which a select box holds them all."""

CHANGED, MOST_PICKED = 200, 100
BY_ID = "id"


@dataclass(frozen=True, eq=False)
class Person:
    """Whose lists are on the page.

    Attributes:
        name: Id of a user; VISITOR for somebody built here.
        history: Item ids, what was taken last first.
        visitor: Whether training did not see this person.
    """

    name: str
    history: tuple[str, ...]
    visitor: bool = False


def choose_user(dataset: Dataset, names: list[ListName]) -> Person | None:
    """Widgets over the users; next and previous by the arrow keys."""
    runs = runs_of(dataset)
    split = split_of(runs[names[0].run])
    order, who, before, after = st.columns(
        [1.6, 1.4, 0.28, 0.28], gap="small", vertical_alignment="bottom"
    )
    with order:
        users, notes = _ordered(dataset, names, split)
    with who:
        user = _chosen(dataset, names[0], users, notes, split)
    if user is None:
        return None
    place = users.index(user) if user in users else None
    for column, step, words, icon, shortcut in (
        (before, -1, "Previous user", ":material/chevron_left:", "Left"),
        (after, 1, "Next user", ":material/chevron_right:", "Right"),
    ):
        # Whoever is not in the order stands before it.
        other = users[min(step, 0) if place is None else (place + step) % len(users)]
        column.button(
            "",
            icon=icon,
            key=f"user-{step}",
            help=f"{words} (arrow key {shortcut.lower()})",
            shortcut=shortcut,
            on_click=_go_to,
            args=(other,),
        )
    return Person(user, tuple(history_of(dataset, split, user)))


def _go_to(user: str) -> None:
    st.query_params["user"] = user
    st.query_params.pop("why", None)


def _ordered(
    dataset: Dataset, names: list[ListName], split: Split
) -> tuple[list[str], dict[str, str]]:
    """Ids in the chosen order, and a word on each where the order has one."""
    ids = [str(user) for user in split.user_ids]
    options = {BY_ID: "User id"}
    runs = runs_of(dataset)
    for name in explainable(runs, names):
        run = runs[name.run]
        if name.control or not run.kind.features_at_inference:
            continue
        for modality in sorted(run.artefact.spec["features"]):
            for control in AT_ONCE:
                text = str(ListName(name.run, modality, control))
                options[text] = f"Most changed, {run.kind.title} · {under_words(modality, control)}"
    by = choose("Users by", list(options), "by", BY_ID, options.__getitem__)
    if by == BY_ID:
        return ids, {}
    listed = ListName.parsed(by)
    table = changed_users(dataset, listed)
    notes = {
        str(user): f"{round(own * LISTED)} of {LISTED} stay"
        for user, own in zip(table["user"], table["overlap"], strict=True)
    }
    return [str(user) for user in table["user"]], notes


def changed_users(dataset: Dataset, listed: ListName) -> pd.DataFrame:
    """Users whose lists change most under a control: user, row, overlap."""
    subject = opened(dataset, listed.run).subject
    assert listed.modality in modalities_at_inference(subject)
    real = lists_of_everyone(dataset, ListName(listed.run), LISTED)
    other = lists_of_everyone(dataset, listed, LISTED)
    return most_changed(subject.split.user_ids, real, other, CHANGED)


def _chosen(
    dataset: Dataset, first: ListName, users: list[str], notes: dict[str, str], split: Split
) -> str | None:
    def words(user: str) -> str:
        return f"{user} · {notes[user]}" if user in notes else user

    if len(users) <= IN_A_BOX:
        named = st.query_params.get("user", "")
        if named not in users and named in set(map(str, split.user_ids)):
            users = [named, *users]
        default = users[0] if notes else _usual_user(split.fingerprint, first.run, dataset, split)
        return choose("User", users, "user", default, words, hide_default=False)
    # What the address says goes first, so that next, previous and links move the typed id too.
    if st.query_params.get("user") != st.session_state.get("user-address"):
        st.session_state["user-typed"] = st.query_params.get("user", "")
    named = st.text_input(
        f"User id, of {len(users):,}", key="user-typed", placeholder=users[0]
    ).strip()
    user = named or _usual_user(split.fingerprint, first.run, dataset, split)
    if user not in set(users):
        close = [u for u in users if named.casefold() in u.casefold()][:5]
        st.warning(
            f"There is no user {escape(named)}\\."
            + (f" Close to it: {escape(', '.join(close))}\\." if close else "")
        )
        return None
    st.query_params["user"] = st.session_state["user-address"] = user
    return user


@st.cache_data(max_entries=64, show_spinner=False)
def _usual_user(made_on: str, run: str, _dataset: Dataset, _split: Split) -> str:
    """The first with a history to speak of and a hit on the first list, where there is one."""
    dataset, split = _dataset, _split
    lengths = np.diff(split.train.indptr)
    fit = np.flatnonzero((lengths >= 6) & (lengths <= 30))[:1000]
    if not len(fit):
        return str(split.user_ids[0])
    lists = np.asarray(lists_of_everyone(dataset, ListName(run), 5))[fit]
    relevant = split.relevant("test")[fit].astype(bool)
    hits = np.asarray(relevant[np.arange(len(fit))[:, None], np.maximum(lists, 0)].todense()) & (
        lists >= 0
    )
    right = fit[hits.any(axis=1)]
    return str(split.user_ids[right[0] if len(right) else fit[0]])


def history_of(dataset: Dataset, split: Split, user: str) -> list[str]:
    """Items that a user took in training, the last first where times are known."""
    return _history(dataset.fingerprint, split.fingerprint, user, dataset, split)


@st.cache_data(max_entries=512, show_spinner=False)
def _history(
    fingerprint: str, made_on: str, user: str, _dataset: Dataset, _split: Split
) -> list[str]:
    dataset, split = _dataset, _split
    row = int(np.flatnonzero(split.user_ids == user)[0])
    items = split.item_ids[split.train[row].indices]
    own = dataset.interactions
    own = own[(own["user_id"] == user).to_numpy(dtype=bool)]
    own = own[own["item_id"].isin(items)].drop_duplicates("item_id", keep="last")
    if own["timestamp"].notna().any():
        own = own.sort_values("timestamp", ascending=False, kind="stable")
    return [str(item) for item in own["item_id"]]


def choose_visitor(dataset: Dataset, names: list[ListName]) -> Person | None:
    """Builds somebody whom training did not see from items that are picked here."""
    split = split_of(runs_of(dataset)[names[0].run])
    known = {str(item) for item in split.item_ids}
    named = dict.fromkeys(st.query_params.get_all(VISITOR))
    picked = [item for item in named if item in known][:MOST_PICKED]
    titles = {
        str(cells["item_id"]): name_of(cells)
        for cells in dataset.items[["item_id", "title"]].to_dict("records")
    }
    words = st.text_input(
        "Pick items that the visitor has", key="visitor-find",
        placeholder="Words in id, title, text or category", icon=":material/search:",
    )  # fmt: skip
    if words:
        ids = [str(i) for i in dataset.item_ids[find_items(dataset.fingerprint, dataset, words)]]
        found = [item for item in ids if item in known and item not in picked][:12]
        if not found:
            st.caption("No item of the split matches, or all that do are picked already.")
        with st.container(horizontal=True, gap="small"):
            for item in found:
                st.button(
                    escape(shorten(titles[item], 40)), key=f"pick-{item}", icon=":material/add:",
                    on_click=_pick, args=([*picked, item],),
                )  # fmt: skip
    if not picked:
        st.info("The visitor has nothing yet. Search, and pick two items or more.")
        return None
    kept = choose_several("Picked", picked, VISITOR, (), lambda item: titles[item])
    return Person(VISITOR, tuple(kept), visitor=True) if kept else None


def _pick(items: list[str]) -> None:
    st.query_params[VISITOR] = items


STRIP, MOST_SHOWN, NARROW = 8, 60, 90


@fragment
def history_strip(dataset: Dataset, person: Person) -> None:
    """What a person has, as pictures."""
    n = len(person.history)
    whose = "The visitor has" if person.visitor else f"User {escape(person.name)} took"
    part = "" if person.visitor else " \\(train\\)"
    st.markdown(f"{whose} **{n:,}** {'item' if n == 1 else 'items'}{part}")
    rows = item_lists.rows_of(dataset)
    numbers = [rows[item] for item in person.history]
    opened = item_lists.tiles(dataset, numbers[:STRIP], key="history", width=NARROW)
    if n > STRIP:
        # The rest is not sent with every next user, but once somebody wants to see it.
        rest = st.expander(f"All {n:,}", key=f"history-all-{person.name}", on_change="rerun")
        with rest:
            if rest.open:
                opened |= item_lists.tiles(
                    dataset, numbers[STRIP:MOST_SHOWN], key="history-rest", width=NARROW
                )
                if n > MOST_SHOWN:
                    st.caption(f"and {n - MOST_SHOWN:,} more")
    if opened:
        st.rerun()
