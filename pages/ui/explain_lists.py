"""Lists side by side: ranks, moves against the first list, hits, descriptions; a click opens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from mmrec_core.datasets.catalogue import thumbnail_path
from mmrec_core.descriptions.service import described_items, usual_descriptions
from mmrec_core.domain import Dataset, InputError
from mmrec_core.figures.words import shorten
from mmrec_core.store import store
from pages.ui.explain_people import Person
from pages.ui.explain_runs import ListName, list_of_user, opened, runs_of, split_of
from pages.ui.gallery import NO_PICTURE, name_of
from pages.ui.words import escape

WHY, WITHIN = "why", "within"
"""In the address: the item that is explained, and the place of its list."""

_STYLE = """<style>
[class*="st-key-listed-"] { flex-wrap: nowrap; }
[class*="st-key-listed-"] button { min-height: 0; padding: 0; text-align: left; }
[class*="st-key-listed-"] button > div { justify-content: flex-start; }
[class*="st-key-listed-"] button p { font-size: 0.85rem; line-height: 1.2; }
[class*="st-key-listed-"] [data-testid="stCaptionContainer"] p {
  font-size: 0.75rem; line-height: 1.2;
}
[class*="st-key-listed-"] [data-testid="stElementToolbar"] { display: none; }
[class*="st-key-listed-"] [data-testid="stImage"] img { height: 52px; object-fit: contain; }
[class*="st-key-listed-why-"] {
  background: color-mix(in srgb, currentColor 9%, transparent); border-radius: 6px;
}
</style>"""


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


def side_by_side(dataset: Dataset, lists: Sequence[Listed]) -> None:
    """All lists in columns."""
    styled()
    first = reference(lists)
    for at, (column, own) in enumerate(
        zip(st.columns(len(lists), gap="medium"), lists, strict=True)
    ):
        with column:
            one_list(dataset, own, at, first, lists)


def reference(lists: Sequence[Listed]) -> Listed:
    """The list that moves are marked against: the first that there is."""
    return next((own for own in lists if not own.reason), lists[0])


def styled() -> None:
    """How lists look; once a page."""
    st.html(_STYLE)


def one_list(
    dataset: Dataset,
    own: Listed,
    at: int,
    first: Listed,
    lists: Sequence[Listed],
) -> None:
    """One list; moves are marked against the first, which says where else its items stand."""
    st.markdown(f"**{escape(own.title)}**")
    if own.reason:
        st.info(escape(own.reason))
        return
    st.caption(_summary(own, first))
    said, opened_item = descriptions_of(dataset), st.query_params.get(WHY)
    rows = pd.Index(dataset.item_ids).get_indexer(pd.Index(own.items))
    places = {item: rank for rank, item in enumerate(first.items, start=1)}
    for rank, (item, row) in enumerate(zip(own.items, rows, strict=True), start=1):
        cells = dataset.items.iloc[int(row)]
        here = "why-" if item == opened_item else ""
        with st.container(horizontal=True, gap="small", key=f"listed-{here}{at}-{rank}"):
            path = thumbnail_path(dataset, cells["image"], 96)
            # Drawn at its own size into a narrow place: resizing would cost more than all the rest.
            with st.container(width=52):
                st.image(
                    NO_PICTURE if path is None or not path.is_file() else str(path),
                    width="stretch",
                    alt=name_of(cells),
                )
            with st.container(gap=None):
                st.button(
                    f"{rank}\\. {escape(shorten(name_of(cells), 60))}",
                    key=f"why-{at}-{rank}-{item}",
                    type="tertiary",
                    on_click=open_why,
                    args=(item, at),
                    help="Why this item?",
                )
                marks = _marks(item, rank, own, first, places, lists)
                words = said.get(item, "")
                line = " · ".join(part for part in (marks, escape(shorten(words, 70))) if part)
                if line:
                    st.caption(line)


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
    return escape(" · ".join(words)) or f"{n} items"


def _marks(
    item: str,
    rank: int,
    own: Listed,
    first: Listed,
    places: Mapping[str, int],
    lists: Sequence[Listed],
) -> str:
    marks = []
    if item in own.hits:
        marks.append(":green-badge[:material/check: hit]")
    if own is not first:
        was = places.get(item)
        if was is None:
            marks.append("new")
        elif was != rank:
            marks.append(f"{'▲' if rank < was else '▼'} {abs(was - rank)}")
        else:
            marks.append("=")
    else:
        elsewhere = [
            f"no\\. {other.items.index(item) + 1} in {escape(other.title)}"
            for other in lists
            if other is not own and item in other.items
        ]
        if elsewhere:
            marks.append(", ".join(elsewhere))
    return " ".join(marks)
