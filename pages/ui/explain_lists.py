"""Lists side by side: ranks, moves against the first list, hits, descriptions; a click opens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from mmrec_core.descriptions.service import described_items, usual_descriptions
from mmrec_core.domain import Dataset, InputError
from mmrec_core.figures.words import shorten
from mmrec_core.store import store
from pages.ui import item_lists
from pages.ui.explain_people import Person
from pages.ui.explain_runs import ListName, list_of_user, opened, runs_of, split_of

WHY, WITHIN = "why", "within"
"""In the address: the item that is explained, and the place of its list."""


@dataclass(frozen=True, eq=False)
class Listed:
    """One list on the page.

    Attributes:
        name: Of what.
        title: On screen.
        items: Ids, best first.
        hits: Those of them that the person took in the test part.
        split: Of the run that it was made by.
        tested: Whether the person has a test part.
        reason: Why there is none; empty where there is.
    """

    name: ListName
    title: str
    items: tuple[str, ...]
    hits: frozenset[str]
    split: str = ""
    tested: bool = True
    reason: str = ""


def listed_for(
    dataset: Dataset, names: Sequence[ListName], titles: Mapping[str, str], person: Person, k: int
) -> list[Listed]:
    """The lists of a person; a sentence in place of one that cannot be made."""
    found = []
    for name in names:
        title = titles[str(name)]
        try:
            items, hits = _list(dataset, name, person, k)
        except InputError as error:
            found.append(Listed(name, title, (), frozenset(), reason=str(error)))
            continue
        split = str(runs_of(dataset)[name.run].artefact.spec["split"])
        found.append(Listed(name, title, items, hits, split, not person.visitor))
    return found


def _list(
    dataset: Dataset, name: ListName, person: Person, k: int
) -> tuple[tuple[str, ...], frozenset[str]]:
    split = split_of(runs_of(dataset)[name.run])
    if person.visitor:
        if name.control:
            raise InputError("A visitor is scored as the model was trained, without a control.")
        subject, row = visitor_subject(dataset, name, person)
        return tuple(str(i) for i in split.item_ids[subject.list_of(row, k)]), frozenset()
    numbers = list_of_user(dataset, name, person.name, k)
    row = int(np.flatnonzero(split.user_ids == person.name)[0])
    wanted = split.relevant("test")[row].indices
    hits = split.item_ids[np.intersect1d(numbers, wanted)]
    return tuple(map(str, split.item_ids[numbers])), frozenset(map(str, hits))


def visitor_subject(dataset: Dataset, name: ListName, person: Person):  # type: ignore[no-untyped-def]
    """The model with the visitor folded in, and the visitor's row.

    Raises:
        InputError: The model learns something of each user that no history tells.
    """
    explained = opened(dataset, name.run)
    picked = np.array([explained.items[i] for i in person.history if i in explained.items])
    return explained.subject.with_visitor(picked)


@st.cache_resource(max_entries=4, show_spinner=False)
def _said(fingerprint: str, stamp: int, _dataset: Dataset) -> dict[str, str]:
    made = usual_descriptions(_dataset)
    if made is None:
        return {}
    said = described_items(_dataset, made, [str(item) for item in _dataset.item_ids])["text"]
    return {str(item): str(text) for item, text in said.items()}


def descriptions_of(dataset: Dataset) -> dict[str, str]:
    """Item id -> what a model said of it, in a line; empty where nothing was described."""
    return _said(dataset.fingerprint, store().stamp("descriptions"), dataset)


def drawn(
    dataset: Dataset, lists: Sequence[Listed], person: Person, only: int | None = None
) -> None:
    """The lists in columns.

    Args:
        dataset: Whose items.
        lists: All that were chosen; moves are marked against the first that there is.
        person: Whose they are.
        only: Draws this one alone; None: all.
    """
    first = next((own for own in lists if not own.reason), lists[0])
    said = descriptions_of(dataset)
    opened_item = None if only is None else st.query_params.get(WHY)
    item_lists.lists(
        dataset,
        [
            _column(dataset, own, at, first, lists, said, opened_item)
            for at, own in enumerate(lists)
            if only is None or at == only
        ],
        key="lists-beside" if only is None else "list-alone",
        whose=person.name,
        on_open=open_why,
        opened=None if opened_item is None or only is None else (opened_item, only),
    )


def _column(
    dataset: Dataset,
    own: Listed,
    at: int,
    first: Listed,
    lists: Sequence[Listed],
    said: Mapping[str, str],
    opened_item: str | None,
) -> item_lists.Column:
    if own.reason:
        return item_lists.Column(at, own.title, reason=own.reason)
    numbers, titles = item_lists.rows_of(dataset), dataset.items["title"].to_numpy(dtype=object)
    rows = []
    for rank, item in enumerate(own.items, start=1):
        name = str(titles[numbers[item]]).strip() or item
        move, moved = _move(item, rank, own, first)
        rows.append(
            item_lists.Row(
                item,
                shorten(name, 60),
                name,
                item in own.hits,
                move,
                moved,
                _places(item, own, first, lists, item == opened_item),
                shorten(said.get(item, ""), 70),
            )
        )
    return item_lists.Column(at, own.title, _summary(own, first), rows)


def open_why(item: str, at: int) -> None:
    """Opens an item of a list at the next run."""
    st.query_params[WHY] = item
    st.query_params[WITHIN] = str(at)


def close_why() -> None:
    """Goes back to all lists."""
    for name in (WHY, WITHIN):
        st.query_params.pop(name, None)


def _summary(own: Listed, first: Listed) -> str:
    n, words = len(own.items), []
    if own.tested:
        words.append(f"{len(own.hits) or 'none'} of {n} taken in the test part")
    if own is not first:
        shared = len(set(own.items) & set(first.items))
        words.append(f"{shared or 'none'} also in {first.title}")
        if own.split != first.split:
            words.append("made on another split: other items were taken and are tested")
    return " · ".join(words) or f"{n} items"


def _move(item: str, rank: int, own: Listed, first: Listed) -> tuple[item_lists.Move | None, str]:
    """How an item of another list than the first stands to that one."""
    if own is first:
        return None, ""
    if item not in first.items:
        return "new", "new"
    up = first.items.index(item) + 1 - rank
    if not up:
        return "same", "="
    return ("up", f"▲ {up}") if up > 0 else ("down", f"▼ {-up}")


def _places(
    item: str, own: Listed, first: Listed, lists: Sequence[Listed], is_opened: bool
) -> tuple[item_lists.Place, ...]:
    """Where else an item stands; left unsaid where the move against the first list says enough."""
    if own is not first and item in first.items and not is_opened:
        return ()
    return tuple(
        item_lists.Place(at, f"no. {other.items.index(item) + 1} in {other.title}")
        for at, other in enumerate(lists)
        if other is not own and item in other.items
    )
