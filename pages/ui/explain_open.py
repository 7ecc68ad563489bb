"""One recommendation that is opened: the item, for whom, and the model behind the list."""

import json
import shlex
from dataclasses import dataclass

import streamlit as st

from mmrec_core.domain import Dataset
from mmrec_core.explanations.service import Explained
from mmrec_core.explanations.subject import Subject
from mmrec_core.figures.words import shorten
from pages.ui.explain_lists import Listed, close_why, descriptions_of, open_why, visitor_subject
from pages.ui.explain_people import Person
from pages.ui.explain_runs import opened, subject_of
from pages.ui.gallery import NO_PICTURE, name_of
from pages.ui.words import escape, number


@dataclass(frozen=True, eq=False)
class Opened:
    """One item of one list, ready to be explained.

    Attributes:
        dataset: Whose item.
        explained: The run behind the list.
        subject: Its recommender; under the list's control, or with the visitor folded in.
        person: For whom.
        user: Row number.
        item: Item number.
        listed: The list that it was opened in.
    """

    dataset: Dataset
    explained: Explained
    subject: Subject
    person: Person
    user: int
    item: int
    listed: Listed

    @property
    def row(self) -> int:
        """Row of the item in the dataset."""
        return int(self.explained.rows[self.item])

    @property
    def item_id(self) -> str:
        """Id of the item."""
        return str(self.subject.split.item_ids[self.item])

    @property
    def key(self) -> str:
        """Tells this recommendation from others, for keys of widgets and caches."""
        # As JSON: a visitor who has item 2 is not user 2.
        whose = list(self.person.history) if self.person.visitor else self.person.name
        own = self.listed
        return json.dumps([self.dataset.fingerprint, str(own.name), own.title, whose, self.item_id])


def open_item(dataset: Dataset, listed: Listed, person: Person, item_id: str) -> Opened:
    """The recommendation that the address names.

    Raises:
        InputError: The item is none of the split, or only the run's lists were kept.
    """
    explained = opened(dataset, listed.name.run)
    item = explained.item(item_id)
    if person.visitor:
        subject, user = visitor_subject(dataset, listed.name, person)
    else:
        subject, user = subject_of(dataset, listed.name), explained.user(person.name)
    return Opened(dataset, explained, subject, person, user, item, listed)


def header(own: Opened, at: int) -> None:
    """Picture, title, rank and score; the item above and below in the list."""
    cells = own.dataset.items.iloc[own.row]
    picture, words, buttons = st.columns([1, 3.4, 2.3], gap="small")
    with picture:
        path = own.dataset.image_path(cells["image"])
        there = path is not None and path.is_file()
        st.image(str(path) if there else NO_PICTURE, width=110, alt=name_of(cells))
    with words:
        scores = own.subject.scores(own.user)
        rank = own.subject.rank(own.user, own.item, scores)
        ranked = int(own.subject.ranked_items(own.user).sum())
        st.markdown(f"#### {escape(shorten(name_of(cells), 90))}")
        seen = own.item in own.subject.seen[own.user].indices
        st.markdown(
            f"**Number {rank:,}** of {ranked:,} ranked by {escape(own.listed.title)}, score "
            f"{number(float(scores[own.item]))}"
            + ("\\. Already taken, so on no list" if seen else "")
            + (" :green-badge[hit]" if own.item_id in own.listed.hits else "")
        )
        said = descriptions_of(own.dataset).get(own.item_id)
        line = f"{escape(own.item_id)}"
        st.caption(f"{line} · a model says: {escape(said)}" if said else line)
    with buttons, st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        items = own.listed.items
        place = items.index(own.item_id) if own.item_id in items else -1
        for step, icon, shortcut, what in (
            (-1, ":material/expand_less:", "Up", "Item above"),
            (1, ":material/expand_more:", "Down", "Item below"),
        ):
            if items:
                other = items[(place + step) % len(items)]
                st.button(
                    "", icon=icon, key=f"item-{step}", shortcut=shortcut, on_click=open_why,
                    args=(other, at), help=f"{what} (arrow key {shortcut.lower()})",
                )  # fmt: skip
        st.button(
            "", key="why-close", icon=":material/close:", shortcut="B", on_click=close_why,
            help="Back to all lists (key B)",
        )  # fmt: skip


def command(own: Opened) -> str:
    """The command that explains the same."""
    parts = ["python", "-m", "mmrec_core", "explain", own.dataset.name, own.explained.run.name]
    if own.person.visitor:
        parts += ["--visitor", *own.person.history]
    else:
        parts += ["--user", own.person.name]
    if own.listed.name.control:
        parts += ["--control", f"{own.listed.name.modality}={own.listed.name.control}"]
    return shlex.join([*parts, "--item", own.item_id, "--json"])
