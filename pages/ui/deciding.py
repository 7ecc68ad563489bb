"""How many seeds or users would decide what is undecided."""

import streamlit as st

from mmrec_core.domain import InputError
from mmrec_core.exports.drawings import MAKERS
from mmrec_core.figures.palette import kind_label, modality_label
from mmrec_core.studies.power import power_sentences
from mmrec_core.studies.results import StudyResult
from pages.ui.figure import drawn
from pages.ui.studies import titles
from pages.ui.words import escape, number

_HOW = (
    "The mean squares of the study's own two-way layout (users × seeds) give the standard error at "
    "other sizes; with the measured effect θ taken for the true one, a comparison is decided when "
    "the estimate lies outside ± max(t · se, δ), at the level that Holm may ask for (.05 divided "
    "by the family's size), or inside ± (δ − t · se). An estimate, not a promise: the measured "
    "effect is itself larger or smaller than the true one by chance *(Hoenig and Heisey 2001)*. "
    "A verdict's own sentence names the size at which this very estimate would decide, which a new "
    "study reaches about every second time; the sizes here are those for 80 %. "
    "An effect that lies on the margin δ stays a toss of a coin however large the study is."
)


def deciding(result: StudyResult) -> None:
    """The power of every comparison, and what would decide the open ones."""
    try:
        drawing = next(iter(MAKERS["power"](result)))
    except InputError as reason:
        st.info(f"{escape(str(reason)[0].upper() + str(reason)[1:])}\\.")
        return
    table = drawing.table
    said = power_sentences(table)
    every = table.drop_duplicates(["recommender", "modality", "kind"])
    smallest = 100 * every["smallest_delta"]
    margins = f"± {number(smallest.min())} to {number(smallest.max())} %"
    decided = int(every["state"].isin(["above", "below", "equal"]).sum())
    void = len(every) - decided - len(said)
    lead = f"**{decided} of {len(every)} comparisons are decided, {len(said)} undecided**"
    lead += f"; {void} are void, so nothing is said of them." if void else "."
    st.markdown(
        f"{lead} The smallest margin of equality that they could have decided: {margins}\\."
    )
    named = titles()
    for recommender, modality, kind, text in said:
        st.markdown(
            f"- **{escape(named.get(recommender, recommender))}, "
            f"{escape(modality_label(modality))}, {escape(kind_label(kind).partition(':')[0])}**: "
            f"{escape(text)}"
        )
    drawn(drawing, result, _HOW)
