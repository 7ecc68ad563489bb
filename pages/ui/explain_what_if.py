"""What if: another picture, other words, one uploaded, one less, purchases forgotten."""

import numpy as np
import streamlit as st

from mmrec_core import jobs
from mmrec_core.domain import InputError
from mmrec_core.explanations.counterfactual import (
    Change,
    compared,
    given_from,
    given_vector,
    modalities_at_inference,
    taken_from,
)
from mmrec_core.explanations.history import forgotten
from mmrec_core.explanations.methods import METHODS
from mmrec_core.explanations.subject import Subject
from mmrec_core.extractors.service import make_extractor
from mmrec_core.figures.words import shorten
from mmrec_core.settings import settings
from mmrec_core.spaces.query import searched_by
from mmrec_core.store import store
from mmrec_core.studies.feature_settings import written
from pages.ui import item_lists
from pages.ui.address import choose, choose_several
from pages.ui.explain_open import Opened
from pages.ui.gallery import find_items, name_of
from pages.ui.job import job_panel
from pages.ui.new_picture import handed_over, upload_picture
from pages.ui.words import escape, number

GIVE = "give"
NOTHING, REMOVED, UPLOADED = "as it is", "removed", "uploaded"
MOST_FOUND, MOST_FORGOTTEN = 40, 20
_WHAT = {"image": "picture", "text": "words", "joint": "joint features"}


def show(own: Opened) -> None:
    """Edits, and at once the score and the rank that they give."""
    edited, said, gone = own.subject, [], None
    reason = METHODS.get("counterfactual").reason(own.subject)
    if reason:
        st.info(escape(reason))
    else:
        for modality in modalities_at_inference(own.subject):
            edited, words = _given(own, edited, modality)
            said += words
    history_reason = METHODS.get("history-left-out").reason(own.subject)
    if history_reason:
        st.caption(escape(history_reason))
    else:
        edited, words, gone = _forget(own, edited)
        said += words
    if not said:
        st.caption("Choose another picture, other words, or purchases to forget; it answers here.")
        return
    change = compared(own.subject, edited, own.user, own.item, forgotten=gone)
    _answer(own, change, said)


def _given(own: Opened, edited: Subject, modality: str) -> tuple[Subject, list[str]]:
    """The choice of one modality, and the subject under it."""
    what = _WHAT[modality]
    find, choice = st.columns([1, 1.4], gap="small", vertical_alignment="bottom")
    with find:
        words = st.text_input(
            f"The {what} of", key=f"{GIVE}-{modality}-find", icon=":material/search:",
            placeholder="Words in an item's id, title or text",
        )  # fmt: skip
    named = st.query_params.get(f"{GIVE}-{modality}", "")
    found = _found(own, words, named)
    options = [NOTHING, REMOVED]
    space = _space(own, modality)
    on_show = settings().read_only
    if modality == "image" and space and not on_show:
        options.append(UPLOADED)
    titles = {
        NOTHING: f"its own {what}, as it is",
        REMOVED: f"no {what} at all",
        UPLOADED: "a picture uploaded here",
    }
    titles |= {item: shorten(name, 60) for item, name in found.items()}
    with choice:
        chosen = choose(
            f"Score it with {'these' if what == 'words' else 'this'} {what}",
            [*options, *found],
            f"{GIVE}-{modality}",
            NOTHING,
            lambda value: titles.get(value, value),
        )
    if modality == "image" and space and on_show:
        st.caption(
            "This installation is on show: a picture of your own cannot be uploaded here, those of "
            "other items can be tried."
        )
    if chosen == NOTHING:
        return edited, []
    if chosen == REMOVED:
        return taken_from(edited, own.item, modality), [f"no {what}"]
    if chosen == UPLOADED:
        vector = _uploaded(own, space)
        if vector is None:
            return edited, []
        return given_vector(edited, own.item, modality, vector), ["the uploaded picture"]
    donor = own.explained.item(chosen)
    item_lists.tiles(own.dataset, [own.explained.rows[donor]], key=f"given-{modality}")
    return (
        given_from(edited, own.item, modality, donor),
        [f"the {what} of {escape(titles[chosen])}"],
    )


def _found(own: Opened, words: str, named: str) -> dict[str, str]:
    """Items of the split that a search finds, id -> title, with the one that the address names."""
    known = own.explained.items
    items = own.dataset.items
    found: dict[str, str] = {}
    if named in known:
        found[named] = name_of(items.iloc[own.explained.rows[known[named]]])
    if words:
        for row in find_items(own.dataset.fingerprint, own.dataset, words):
            item = str(own.dataset.item_ids[row])
            if item in known and item != own.item_id:
                found[item] = name_of(items.iloc[row])
            if len(found) >= MOST_FOUND:
                break
    return found


def _space(own: Opened, modality: str) -> str:
    """Name of the space that the run's features of a modality come from; empty: none is typed."""
    choice = own.explained.run.study.study["features"].get(modality)
    if choice is None:
        return ""
    name = written(make_extractor(choice["extractor"], choice["config"])) or ""
    if not name:
        return ""
    try:
        readable = searched_by(own.dataset, name)
    except InputError:
        return ""
    return name if modality in readable else ""


def _uploaded(own: Opened, space: str) -> np.ndarray | None:
    """The vector of a picture that is uploaded here; made by a job, like any new picture's."""
    given = upload_picture("give-picture")
    if given is None:
        st.caption("An uploaded picture is not in the address.")
        return None
    st.image(given.getvalue(), width=110, alt="the uploaded picture")
    asked = st.session_state.get("give-asked")
    if asked is None or asked[0] != (given.file_id, space):
        spec = {"dataset": own.dataset.name, "space": space, "picture": handed_over(given)}
        state = jobs.start("query", spec, "The uploaded picture")
        st.session_state["give-asked"] = asked = ((given.file_id, space), state.key)
    state = jobs.state(asked[1])
    if state is None or state.status != "done":
        job_panel(asked[1])
        return None
    made = store().find("query", str((state.result or {})["query"]))
    return None if made is None else np.asarray(made.array("vector"))


def _forget(own: Opened, edited: Subject) -> tuple[Subject, list[str], np.ndarray | None]:
    ids = own.subject.split.item_ids
    titles = own.dataset.items["title"].to_numpy(dtype=object)
    history = {
        str(ids[i]): str(titles[own.explained.rows[i]]).strip() or str(ids[i])
        for i in own.subject.history(own.user)
    }
    gone = choose_several(
        "Forget these purchases",
        list(history),
        "forget",
        (),
        lambda item: shorten(history[item], 60),
        MOST_FORGOTTEN,
        help="Scored as if the user had never taken them; what the model learned stays.",
    )
    if not gone:
        return edited, [], None
    numbers = np.array([own.explained.item(item) for item in gone])
    many = "a purchase" if len(gone) == 1 else f"{len(gone)} purchases"
    return forgotten(edited, own.user, numbers), [f"{many} forgotten"], numbers


def _delta(moved: float) -> str:
    # The widget reads the direction from a hyphen, not from a minus sign.
    return number(moved, True).replace("\N{MINUS SIGN}", "-") if moved else "no change"


def _answer(own: Opened, change: Change, said: list[str]) -> None:
    with st.container(border=True):
        first, second, third = st.columns([2, 1, 1])
        first.markdown(f"With **{', '.join(said)}**, nothing trained again:")
        up = change.rank_before - change.rank_after
        second.metric(
            "Rank", f"{change.rank_after:,}",
            delta=f"{abs(up):,} {'up' if up > 0 else 'down'}" if up else "no change",
            delta_color="off" if not up else ("normal" if up > 0 else "inverse"),
            delta_arrow="off" if not up else ("up" if up > 0 else "down"),
        )  # fmt: skip
        moved = change.after - change.before
        third.metric(
            "Score", number(change.after), delta=_delta(moved),
            delta_color="normal" if moved else "off", delta_arrow="auto" if moved else "off",
        )  # fmt: skip
        before, after = set(change.list_before.tolist()), change.list_after.tolist()
        came = [item for item in after if item not in before]
        went = len(before - set(after))
        if not came and not went:
            st.caption(f"The list of {len(after)} holds the same items.")
        else:
            st.caption(f"{len(came)} of the list of {len(after)} are new:")
            rows = own.explained.rows[np.array(came[:6], dtype=int)]
            item_lists.tiles(
                own.dataset,
                rows,
                [f"now number {after.index(i) + 1}" for i in came[:6]],
                key="came",
            )
