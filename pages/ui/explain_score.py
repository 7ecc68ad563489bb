"""One score as a sum of parts, what it loses without a modality, and the whole as a file."""

import json

import pandas as pd
import streamlit as st

from mmrec_core.explanations.additive import split_score
from mmrec_core.explanations.counterfactual import left_out
from mmrec_core.explanations.gradients import integrated_gradients
from mmrec_core.explanations.methods import METHODS
from mmrec_core.explanations.service import PART_WORDS, Explained, explain
from mmrec_core.exports.explanations import drawing_of_split
from mmrec_core.figures.palette import modality_label
from pages.ui.explain_open import Opened, command
from pages.ui.figure import shown
from pages.ui.gallery import name_of
from pages.ui.words import escape, how, number

_HOW = (
    "Each part of the model is scored by itself on the stored run; parts sum to the score "
    "within 10⁻⁵. **Against the average** subtracts each part's mean over the items ranked for "
    "this user: what lifts this item above others, and not what lifts them all."
)


def show(own: Opened) -> None:
    """The split where there is one; else what the model allows."""
    reason = METHODS.get("score-split").reason(own.subject)
    if reason:
        st.info(escape(reason))
    else:
        _split(own)
    if not METHODS.get("modality-left-out").reason(own.subject):
        _left_out(own)
    if reason and METHODS.get("integrated-gradients").is_compatible(own.subject):
        _gradients(own)
    _take_away(own)


def _split(own: Opened) -> None:
    found = split_score(own.subject, own.user, own.item)
    mode = st.segmented_control(
        "Bars", ["against the average item", "the whole score"], required=True,
        default="against the average item", key="explain-mode", label_visibility="collapsed",
        bind="query-params",
    )  # fmt: skip
    against = mode != "the whole score"
    st.markdown(_split_sentence(found.table, against))
    drawing = drawing_of_split(
        found,
        item=name_of(own.dataset.items.iloc[own.row]),
        user=own.person.name,
        recommender=own.listed.title,
        mode="average" if against else "score",
        ranked=int(own.subject.ranked_items(own.user).sum()),
    )
    shown(drawing, _HOW, command(own), kept=own.key)


def _split_sentence(table: pd.DataFrame, against: bool) -> str:
    values = table.set_index("part")["against_average" if against else "value"]
    total = float(values.sum())
    what = "above the average item ranked" if against else "in all"
    words = f"It scores **{number(total)}** {what}"
    if len(values) > 1 and values.max() > 0:
        part = str(values.idxmax())
        words += f"; the largest part, **{number(float(values.max()))}**, is {escape(_part(part))}"
        low = str(values.idxmin())
        if values.min() < 0:
            words += (
                f", and {escape(_part(low))} counts against it \\({number(float(values.min()))}\\)"
            )
    return f"{words}\\."


def _part(part: str) -> str:
    if " x " in part:
        first, second = part.split(" x ")
        return f"{first} of the user with {second} of the item"
    return PART_WORDS.get(part, part)


def _left_out(own: Opened) -> None:
    table = _without(own.key, own)
    if table.empty:
        return
    rank = own.subject.rank(own.user, own.item)
    rows = [
        {
            "Without": f"{_WITHOUT[str(r['modality'])]} {_SCOPES[str(r['scope'])]}",
            "Score": number(float(r["score_change"]), True),
            "Rank": f"{rank:,} → {int(r['rank']):,}",
        }
        for r in table.to_dict("records")
    ]
    st.markdown("**A modality less**, scored again, nothing trained again:")
    st.table(pd.DataFrame(rows).set_index("Without"))


_WITHOUT = {"image": "the picture", "text": "the words", "joint": "the joint features"}
_SCOPES = {"item": "of this item", "all": "of every item"}


def _gradients(own: Opened) -> None:
    table = _gradient_table(own.key, own)
    gap = table.attrs["score"] - table.attrs["baseline"]
    rows = [
        {"Modality": modality_label(str(m)), "Adds": number(float(v), True)}
        for m, v in zip(table["modality"], table["value"], strict=True)
    ]
    st.markdown("**Integrated gradients**, from an average item to this one:")
    st.table(pd.DataFrame(rows).set_index("Modality"))
    st.caption(
        f"They sum to {number(gap + table.attrs['error'], True)}, the score rises by "
        f"{number(gap, True)}: completeness error {number(table.attrs['error'])}. The item graph "
        "is held fixed: what the features do by choosing the item's neighbours, often the most of "
        "it, is not in these figures but in the table above."
    )


# Kept, since every click draws anew and graph models take up to a second for each.


@st.cache_data(max_entries=256, show_spinner="Scoring without each modality")
def _without(key: str, _own: Opened) -> pd.DataFrame:
    return left_out(_own.subject, _own.user, _own.item)


@st.cache_data(max_entries=256, show_spinner="Integrated gradients, some seconds")
def _gradient_table(key: str, _own: Opened) -> pd.DataFrame:
    return integrated_gradients(_own.subject, _own.user, _own.item)[0]


def _take_away(own: Opened) -> None:
    """One explanation as JSON."""

    def document() -> bytes:
        found = explain(_with_subject(own), own.user, own.item)
        return json.dumps(found, indent=2, allow_nan=False, default=str).encode()

    with st.container(horizontal=True):
        st.download_button(
            "All of it as JSON", document, file_name=f"why-{own.item_id}.json",
            mime="application/json", on_click="ignore", key="why-json",
            icon=":material/data_object:", type="tertiary",
        )  # fmt: skip
        how(
            "How",
            "Everything here is computed on the stored run; nothing is trained again. PNG, PDF and "
            "SVG of the bars are under **Export**.",
            command(own),
        )


def _with_subject(own: Opened) -> Explained:
    whom = f"{own.listed.title}, a visitor" if own.person.visitor else own.listed.title
    return Explained(own.explained.dataset, own.explained.run, own.subject, whom)
