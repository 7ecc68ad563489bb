"""Do items that look or read alike go to the same users, and did recommenders gain by it?"""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from mmrec_core.alignment.service import Alignment
from mmrec_core.domain import Dataset
from mmrec_core.exports.spaces import behaviour_drawing, gain_drawing
from mmrec_core.spaces import Space
from pages.ui.aligned import all_items_of_fitted, command, titles
from pages.ui.figure import shown
from pages.ui.words import escape, number

_HOW = (
    "Train interactions only. c = users in common / √(users of one · users of the other). "
    "**Overlap**: of an item's 10 nearest by content, the share among its 10 nearest by c. "
    "**Lift**: mean c of content neighbours over that of items of the same popularity; its "
    "interval resamples items. **AUC**: the chance that a pair with common users is closer in "
    "content than an equally popular pair without. **Mantel**: Spearman's correlation of the two "
    "distance matrices. Nulls permute items. Items with fewer than two users are left out. This is "
    "the graph that LATTICE and FREEDOM live on: it says what they can gain."
)
_GAIN = (
    "Gain: real content against the modality removed, relative to the model without it, with the "
    "95 % interval over users and seeds, of the newest study of each recommender and space. Lift: "
    "as above. The x axis says what could be gained, the y axis what was."
)


_NAMES = {"overlap": "Overlap", "lift": "Lift", "auc": "AUC", "mantel": "Mantel"}


def behaviour(dataset: Dataset, found: Alignment, known: Mapping[str, Space]) -> None:
    """Content against behaviour of every space, and beside it what was gained in the studies."""
    table = found.behaviour
    named = titles(found, known)
    for note, own in table[table["note"] != ""].groupby("note"):
        spaces = ", ".join(escape(named[n]) for n in own["space"])
        st.warning(f"{spaces}: {escape(note)}")
    drawing = behaviour_drawing(found, named)
    if drawing is None:
        st.info("No content space is among those chosen, or none could be measured.")
        return
    shown(drawing, _HOW, command(dataset.name, found))
    all_items_of_fitted(found, known, list(table["space"]))
    _numbers(table[table["note"] == ""], named)
    st.markdown("##### What recommenders did gain by it")
    gains = gain_drawing(dataset.name, found)
    if gains is None:
        st.info(
            "No study of this dataset compared real content of these spaces with the modality "
            "removed. The page Study carries one out."
        )
        return
    shown(gains, _GAIN)


def _numbers(measured: pd.DataFrame, named: Mapping[str, str]) -> None:
    """Every measure of every space with its null, and what it stands on."""
    each = measured.drop_duplicates("space")
    stands = [
        f"{named[row['space']]}: {int(row['n']):,} items"
        + (
            f" of {int(row['n_eligible']):,}, a seeded sample"
            if row["n"] < row["n_eligible"]
            else ""
        )
        + f", {int(row['low_degree']):,} with fewer than two train users and "
        f"{int(row['without_content']):,} without the content left out"
        for row in each.to_dict("records")
    ]
    st.caption(escape("; ".join(stands)) + "\\.")
    with st.expander("All numbers"):
        shown = pd.DataFrame(
            {
                "Space": measured["space"].map(named),
                "Measure": measured["measure"].map(_NAMES),
                "Value": measured["value"].map(number),
                "By chance": measured["chance"].map(number),
                "Null, 95 %": [
                    f"{number(a)} to {number(b)}"
                    for a, b in zip(measured["null_low"], measured["null_high"], strict=True)
                ],
                "p": measured["p"].map(number),
                "Pairs": measured["pairs"].astype(int),
            }
        )
        st.dataframe(shown, hide_index=True, alt="Content against behaviour of every space")
