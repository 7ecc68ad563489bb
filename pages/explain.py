"""Explain: why this item for this user? Lists side by side, and one item opened."""

from collections.abc import Sequence

import streamlit as st

from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.domain import Dataset, InputError
from mmrec_core.lazy import import_ahead
from pages.ui import explain_audience, explain_item, explain_lists
from pages.ui.address import choose_several
from pages.ui.dataset import pick_dataset
from pages.ui.explain_lists import WHY, WITHIN, Listed
from pages.ui.explain_open import open_item
from pages.ui.explain_people import Person, choose_user, choose_visitor, history_strip
from pages.ui.explain_runs import MOST_LISTS, ListName, list_options, runs_of, usual_lists
from pages.ui.gallery import item_opened
from pages.ui.words import escape, fragment, in_words

USER, VISITOR, ITEM = "User", "Visitor", "Item"
LENGTHS = (10, 20)


def main() -> None:
    st.title("Why this item for this user?", anchor=False)
    dataset = load_dataset(pick_dataset())
    runs = runs_of(dataset)
    if not runs:
        st.markdown(
            "No recommender has been trained on this catalogue yet. A **study** trains some and "
            "keeps what they learned; then every item of every list can be explained here."
        )
        st.page_link("pages/study.py", label="Plan a study", icon=":material/science:")
        return
    options, usual = list_options(runs), usual_lists(runs)
    top = st.container()
    view = st.segmented_control(
        "Explain for", [USER, VISITOR, ITEM], default=USER, required=True, key="for",
        label_visibility="collapsed", bind="query-params", persist_state="session",
    )  # fmt: skip
    if view == ITEM:
        with top:
            st.markdown("Who gets an item, and where it ranks when its content is replaced\\.")
        with in_words():
            explain_audience.show(dataset, runs, usual[0])
    else:
        with in_words():
            _person(dataset, options, usual, view == VISITOR, top)
    with in_words():
        item_opened(dataset)


def _person(
    dataset: Dataset,
    options: dict[str, str],
    usual: Sequence[str],
    visitor: bool,
    top: "st.delta_generator.DeltaGenerator",
) -> None:
    shown, length = st.columns([5, 1], gap="small", vertical_alignment="bottom")
    with shown:
        chosen = choose_several(
            f"Lists, up to {MOST_LISTS}", list(options), "lists", usual,
            options.__getitem__, MOST_LISTS,
            help="Recommenders as they were trained, control arms of studies, and controls of a "
            "trained model at inference. Moves are marked against the first.",
        )  # fmt: skip
    with length:
        k = st.segmented_control(
            "Length", LENGTHS, default=LENGTHS[0], required=True, key="length", bind="query-params",
            persist_state="session",
        )  # fmt: skip
    if not chosen:
        st.info("Choose a list to begin with.")
        return
    names = [ListName.parsed(text) for text in chosen]
    person = (choose_visitor if visitor else choose_user)(dataset, names)
    if person is None:
        return
    lists = explain_lists.listed_for(dataset, names, options, person, int(k or LENGTHS[0]))
    with top:
        st.markdown(_sentence(person, lists))
    if st.query_params.get(WHY) is None:
        history_strip(dataset, person)
        explain_lists.drawn(dataset, lists, person)
        import_ahead("torch")  # for the item that is opened next
        return
    _master_and_detail(dataset, lists, person)


@fragment
def _master_and_detail(dataset: Dataset, lists: Sequence[Listed], person: Person) -> None:
    """The list that an item was opened in, and the item beside it; the next item draws these."""
    item, within = st.query_params.get(WHY), st.query_params.get(WITHIN, "0")
    if item is None:
        # Closed in here: the page goes back to all lists.
        st.rerun()
    at = {str(place): place for place in range(len(lists))}.get(within, 0)
    left, right = st.columns([1, 2.7], gap="medium")
    with left:
        explain_lists.drawn(dataset, lists, person, only=at)
    with right, in_words():
        try:
            own = open_item(dataset, lists[at], person, item)
        except InputError as error:
            # Such as a link to an item of another dataset, or a run of which lists alone are kept.
            st.warning(escape(error))
            st.button("Back to all lists", key="why-back", on_click=explain_lists.close_why)
            return
        explain_item.show(own, at)


def _sentence(person: Person, lists: Sequence[Listed]) -> str:
    """What the lists have in common, and which of them were right."""
    there = [own for own in lists if not own.reason]
    if not there:
        return "None of the chosen recommenders can make a list for this person\\."
    whose = "this visitor" if person.visitor else f"user **{escape(person.name)}**"
    if len(there) == 1:
        words = f"One list for {whose}"
    else:
        shared = set.intersection(*(set(own.items) for own in there))
        n = min(len(own.items) for own in there)
        words = f"{len(there)} lists for {whose} share **{len(shared)}** of {n} items"
    if person.visitor:
        return f"{words}; a visitor has no test part to be right about\\."
    hits = {own.title: len(own.hits) for own in there}
    best = max(hits.values())
    if not best:
        return f"{words}; none holds an item of the test part\\."
    named = [escape(title) for title, n in hits.items() if n == best]
    many = "hit" if best == 1 else "hits"
    who = "each by " if len(named) > 1 else "by "
    return f"{words}; **{best}** {many} of the test part, {who}{' and '.join(named)}\\."


main()
