"""Do items that look or read alike go to the same users, and did recommenders gain by it?"""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from mmrec_core import figures
from mmrec_core.alignment.service import Alignment
from mmrec_core.domain import Dataset
from mmrec_core.exports.drawings import recommender_titles
from mmrec_core.metrics import metric_label
from mmrec_core.spaces import Space
from mmrec_core.studies.gains import gain_table
from pages.ui.aligned import titles
from pages.ui.export import export_menu
from pages.ui.words import escape, how

_HOW = (
    "Train interactions only. c = users in common / √(users of one · users of the other). "
    "**Overlap**: of an item's 10 nearest by content, the share among its 10 nearest by c. "
    "**Lift**: mean c of content neighbours over that of items of the same popularity; its "
    "interval resamples items. **AUC**: the chance that a pair with common users is closer in "
    "content than an equally popular pair without. **Mantel**: Spearman's correlation of the two "
    "distance matrices. Nulls permute items. Items with fewer than two users are left out. This is "
    "the graph that LATTICE and FREEDOM live on: it says what they can gain."
)
_WIDE = {"overlap": "overlap", "lift": "lift", "auc": "auc"}


def behaviour(dataset: Dataset, found: Alignment, known: Mapping[str, Space]) -> None:
    """Content against behaviour of every space, and beside it what was gained in the studies."""
    table = found.behaviour
    named = titles(found, known)
    for note, own in table[table["note"] != ""].groupby("note"):
        spaces = ", ".join(escape(named[n]) for n in own["space"])
        st.warning(f"{spaces}: {escape(note)}")
    measured = table[table["note"] == ""]
    if measured.empty:
        st.info("No content space is among those chosen.")
        return
    wide = wide_table(measured, found.spaces)
    figure = figures.behaviour_plot(wide, named)
    st.plotly_chart(
        figure, key="behaviour", alt=figure.layout.meta["description"],
        config={"displaylogo": False},
    )  # fmt: skip
    facts = measured.iloc[0]
    with st.container(horizontal=True):
        how("How", _HOW)
        export_menu(
            "content-and-behaviour", measured,
            lambda width: figures.behaviour_plot_publication(wide, named, width=width), figure,
        )  # fmt: skip
    st.caption(
        f"{int(facts['n']):,} items; {int(facts['low_degree']):,} with fewer than two train users "
        "and items without the content are left out."
    )
    _gains(dataset, wide, named)


def wide_table(measured: pd.DataFrame, modalities: Mapping[str, str]) -> pd.DataFrame:
    """One row a space, as the figure takes it."""
    rows = []
    for space, own in measured.groupby("space", sort=False):
        by = own.set_index("measure")
        rows.append(
            {
                "space": space,
                "modality": modalities[str(space)],
                "overlap": by.loc["overlap", "value"],
                "overlap_chance": by.loc["overlap", "chance"],
                "lift": by.loc["lift", "value"],
                "lift_low": by.loc["lift", "low"],
                "lift_high": by.loc["lift", "high"],
                "auc": by.loc["auc", "value"],
                "auc_low": by.loc["auc", "low"],
                "auc_high": by.loc["auc", "high"],
                "n": int(own["n"].iloc[0]),
            }
        )
    return pd.DataFrame(rows)


def _gains(dataset: Dataset, wide: pd.DataFrame, named: Mapping[str, str]) -> None:
    st.markdown("##### What recommenders did gain by it")
    gains = gain_table(dataset.name)
    joined = gains.merge(wide[["space", "lift"]], on="space")
    if joined.empty:
        st.info(
            "No study of this dataset compared real content of these spaces with the modality "
            "removed. The page Study carries one out."
        )
        return
    metric = str(joined["metric"].iloc[0])
    joined = joined[joined["metric"] == metric]
    figure = figures.gain_plot(joined, recommender_titles(), metric=metric)
    st.plotly_chart(
        figure, key="gains", alt=figure.layout.meta["description"], config={"displaylogo": False}
    )
    with st.container(horizontal=True):
        how(
            "How",
            "Gain: real content against the modality removed, relative to the model without it, "
            f"{escape(metric_label(metric))}, with the 95 % interval over users and seeds of the "
            "newest study of each. Lift: as above. What users of the studies' models could gain "
            "stands on the x axis, what they did on the y axis.",
        )
        export_menu(
            "gain-and-lift", joined,
            lambda width: figures.gain_plot_publication(
                joined, recommender_titles(), width=width, metric=metric
            ),
            figure,
        )  # fmt: skip
