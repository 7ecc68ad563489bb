"""The shape of a dataset: sparsity, long tail, what items lack, what a k-core keeps."""

import pandas as pd
import streamlit as st

from mmrec_core import figures
from mmrec_core.datasets.split import k_core_preview
from mmrec_core.datasets.statistics import (
    duplicate_images,
    item_degrees,
    long_tail,
    missing_modalities,
    overview,
    rating_counts,
    user_degrees,
)
from mmrec_core.domain import Dataset
from pages.ui import gallery
from pages.ui.export import export_menu
from pages.ui.words import how, in_words, number

KS = tuple(range(21))


@st.cache_data(max_entries=8, show_spinner="Counting …")
def tables(fingerprint: str, _dataset: Dataset) -> dict[str, pd.DataFrame]:
    """Every table of this section; counted once for a dataset."""
    return {
        "overview": overview(_dataset),
        "tail": long_tail(_dataset),
        "items": pd.DataFrame({"interactions": item_degrees(_dataset)}),
        "users": pd.DataFrame({"interactions": user_degrees(_dataset)}),
        "ratings": rating_counts(_dataset),
        "missing": missing_modalities(_dataset),
        "duplicates": duplicate_images(_dataset),
    }


@st.cache_data(max_entries=8, show_spinner="Peeling cores …")
def cores(fingerprint: str, _dataset: Dataset) -> pd.DataFrame:
    """What every k-core keeps, k from 0 to 20."""
    return k_core_preview(_dataset, KS)


def show(dataset: Dataset) -> None:
    """Figures and tables, each with what it stands on."""
    found = tables(dataset.fingerprint, dataset)
    _numbers(found["overview"].iloc[0])
    with in_words():
        _long_tail(dataset, found)
    with in_words():
        _activity(dataset, found["users"])
    if len(found["ratings"]):
        _ratings(dataset, found["ratings"])
    _missing(dataset, found["missing"])
    _duplicates(dataset, found["duplicates"])
    _cores(dataset)


def _numbers(facts: pd.Series) -> None:
    with st.container(horizontal=True):
        for label, value, help_ in (
            ("Sparsity", f"{facts['sparsity']:.2%}", "Share of user-item pairs without one"),
            (
                "Per user",
                f"{facts['median_per_user']:g}",
                f"Median; the mean is {number(facts['mean_per_user'])}",
            ),
            (
                "Per item",
                f"{facts['median_per_item']:g}",
                f"Median; the mean is {number(facts['mean_per_item'])}",
            ),
            (
                "Gini of items",
                f"{facts['gini_items']:.2f}",
                "0: all items are equally popular; 1: one item has everything",
            ),
        ):
            st.metric(label, value, help=help_, width=150)


def _long_tail(dataset: Dataset, found: dict[str, pd.DataFrame]) -> None:
    degrees = found["items"]["interactions"].to_numpy()
    st.plotly_chart(
        figures.long_tail(degrees),
        key="long-tail",
        alt=figures.long_tail_description(degrees),
    )
    with st.container(horizontal=True):
        export_menu(
            f"{dataset.name}-long-tail",
            found["tail"],
            lambda width: figures.long_tail_publication(degrees, width),
            lambda: figures.long_tail(degrees),
        )
        how(
            "How",
            "Items in order of their number of interactions, both axes logarithmic. Items that "
            "nobody has are counted below the title and have no place on a logarithmic axis.",
        )


def _activity(dataset: Dataset, users: pd.DataFrame) -> None:
    degrees = users["interactions"].to_numpy()
    st.plotly_chart(
        figures.user_activity(degrees),
        key="user-activity",
        alt=figures.user_activity_description(degrees),
    )
    with st.container(horizontal=True):
        export_menu(
            f"{dataset.name}-user-activity",
            users,
            lambda width: figures.user_activity_publication(degrees, width),
            lambda: figures.user_activity(degrees),
        )
        how("How", "How many users have how many interactions, over all parts of a split.")


def _ratings(dataset: Dataset, table: pd.DataFrame) -> None:
    st.subheader("Ratings", anchor=False)
    total = int(table["count"].sum())
    least = dataset.info.relevant_from
    words = f"{total:,} of {len(dataset.interactions):,} interactions have a rating."
    if least is not None:
        share = table.loc[table["rating"] >= least, "count"].sum() / total
        words += f" {share:.0%} are {least:g} or more: those count as relevant in a test."
    st.markdown(words)
    st.dataframe(
        table.assign(share=table["count"] / total),
        hide_index=True,
        width=420,
        column_config={
            "rating": st.column_config.NumberColumn(format="%g"),
            "count": st.column_config.NumberColumn("interactions", format="localized"),
            "share": st.column_config.ProgressColumn(
                format="percent", min_value=0.0, max_value=float(table["count"].max() / total)
            ),
        },
        alt="Number of interactions of each rating",
    )


def _missing(dataset: Dataset, table: pd.DataFrame) -> None:
    st.subheader("What items lack", anchor=False)
    lacking = table[table["n_missing"] > 0]
    if lacking.empty:
        st.markdown("Every item has a picture and a text.")
        return
    shown = pd.DataFrame(
        {
            "lacks": table["modality"].replace("image and text", "both"),
            "items": table["n_missing"],
            "share": table["share_missing"],
            "goes with popularity": table["spearman"],
        }
    )
    st.dataframe(
        shown,
        hide_index=True,
        column_config={
            "items": st.column_config.NumberColumn(format="localized"),
            "share": st.column_config.NumberColumn(format="percent"),
            "goes with popularity": st.column_config.NumberColumn(
                "having it ~ popularity (Spearman)", format="%.2f"
            ),
        },
        alt="Items without picture or text",
    )
    flags = pd.DataFrame(
        {
            modality: (dataset.items[modality] == "").to_numpy(dtype=bool)
            for modality in ("image", "text")
        }
    )
    st.plotly_chart(
        figures.missing_modality(flags),
        key="missing-modality",
        alt=figures.missing_modality_description(flags),
    )
    strongest = table["spearman"].abs().max()
    if strongest >= 0.1:
        st.markdown(
            "Items that have a picture or a text differ in popularity from those that lack it. A "
            "recommender can use *having one* in place of what it shows; the *missingness* "
            "comparison of a study tells the two apart."
        )
    with st.container(horizontal=True):
        export_menu(
            f"{dataset.name}-missing",
            table,
            lambda width: figures.missing_modality_publication(flags, width),
            lambda: figures.missing_modality(flags),
        )
        how(
            "How",
            "A modality is missing where the file has none or it cannot be read; such items get "
            "a mask, never zeros. Spearman's rank correlation is between having the modality (0 "
            "or 1) and the item's number of interactions, mean ranks for ties.",
        )


def _duplicates(dataset: Dataset, table: pd.DataFrame) -> None:
    if table.empty:
        return
    st.subheader("Pictures that several items share", anchor=False)
    items = int(table["n_items"].sum())
    st.markdown(
        f"**{len(table):,}** pictures stand for {items:,} items, byte for byte; a placeholder or a "
        "series looks like that. No recommender can tell these items apart by their picture."
    )
    top = table.head(12)
    # The first item of each picture; items of one picture lie anywhere in the catalogue.
    rows = dataset.items["image_sha256"].reset_index(drop=True).drop_duplicates()
    first = pd.Series(rows.index, index=rows.array)[top["image_sha256"]].to_numpy()
    gallery.tiles(dataset, first, [f"{n:,} items" for n in top["n_items"]], key="duplicate")


def _cores(dataset: Dataset) -> None:
    st.subheader("What a k-core keeps", anchor=False)
    table = cores(dataset.fingerprint, dataset)
    k = st.slider(
        "k: every user and item has at least so many interactions",
        0,
        max(KS),
        dataset.info.k_core,
        key="k",
        bind="query-params",
        width=420,
    )
    row = table[table["k"] == k].iloc[0]
    whole = {
        "n_users": dataset.n_users,
        "n_items": dataset.n_items,
        "n_interactions": len(dataset.interactions),
    }
    if not row["n_interactions"]:
        st.warning(f"Nothing is left of this dataset at k = {k}; choose a smaller k.")
    else:
        parts = [
            f"**{int(row[name]):,}** of {whole[name]:,} {what} ({row[name] / whole[name]:.0%})"
            for name, what in (
                ("n_users", "users"),
                ("n_items", "items"),
                ("n_interactions", "interactions"),
            )
        ]
        st.markdown(
            f"Left at k = {k}: {', '.join(parts)}; density {number(100 * row['density'])} %. "
            f"Studies of this dataset use k = {dataset.info.k_core} unless told otherwise."
        )
    export_menu(f"{dataset.name}-k-core", table)
