"""What was planted in the demo shop, shown beside what its users then chose."""

import numpy as np
import pandas as pd
import streamlit as st

from mmrec_core.datasets.demo import Truth, load_truth
from mmrec_core.datasets.demo.attributes import TASTE_WEIGHTS, outlines
from mmrec_core.domain import Dataset
from pages.ui import gallery
from pages.ui.catalogue import world_of
from pages.ui.words import escape

GUMBEL_SD = float(np.pi / np.sqrt(6))
"""Standard deviation of the noise in the utilities."""

PARTS = {
    "picture": "Taste in what only the picture shows",
    "words": "Taste in what only the words say",
    "collaborative": "Taste that no content tells; only other users' choices do",
    "popularity": "What everybody likes more, whatever it is",
}
SHOWN_BY = {"visible": "the picture only", "readable": "the words only"}
LOVES, LIKES = 2, 1
COLUMNS = (
    "attribute", "shown by", "decides here", "weight", "loved", "chance", "times", "values",
)  # fmt: skip


@st.cache_resource(max_entries=4, show_spinner=False)
def _truth(world: str) -> Truth:
    return load_truth(world)


def show(dataset: Dataset) -> None:
    """The planted strengths, the attributes, and one user's tastes beside their items."""
    world = world_of(dataset.name)
    truth = _truth(world)
    st.markdown(_sentence(truth))
    st.subheader("What decided", anchor=False)
    st.markdown(
        "Each user gave every item a utility and took the items of highest utility. The utility "
        "is a sum of parts; a part's strength is its standard deviation over the items."
    )
    st.dataframe(
        strengths_table(truth),
        hide_index=True,
        column_config={
            "strength": st.column_config.ProgressColumn(
                "strength", format="%.2f", min_value=0.0, max_value=2.0, width="medium"
            ),
        },
        alt="Strength of each part of the utility",
    )
    st.subheader("What each attribute tells, and whether users followed it", anchor=False)
    st.dataframe(
        attribute_table(dataset.fingerprint, dataset, truth),
        hide_index=True,
        column_config={
            "loved": st.column_config.NumberColumn("loved", format="%.3g"),
            "chance": st.column_config.NumberColumn("by chance", format="%.3g"),
            "times": st.column_config.NumberColumn("times", format="%.2f"),
            "values": st.column_config.TextColumn("values", width="large"),
        },
        alt="Attributes, where they show, and how often users took what they love",
    )
    st.caption(
        "Loved: share of interactions whose item carries a value that the user loves. By chance: "
        "the same had users picked items blindly. 1.00 times says that the attribute decided "
        "nothing. Weight: how much the attribute counts in its part of the utility. Tastes are "
        "drawn for every attribute; those of a part of strength 0 decide nothing here."
    )
    _one_user(dataset, truth)


def _sentence(truth: Truth) -> str:
    content = [part for part in ("picture", "words") if truth.strengths[part] > 0]
    if not content:
        return (
            "In this world **neither picture nor words decided anything**: an instrument that "
            "finds an effect of content here raises a false alarm."
        )
    return (
        f"In this world the **{' and the '.join(content)}** decided what users chose: an "
        "instrument that finds no effect of "
        f"{'either' if len(content) == 2 else 'it'} here misses what was planted."
    )


def strengths_table(truth: Truth) -> pd.DataFrame:
    """Part, strength and meaning, the noise last."""
    rows = [(part, truth.strengths[part], meaning) for part, meaning in PARTS.items()]
    rows.append(("noise", GUMBEL_SD, "Chance; drawn anew for each user and item"))
    return pd.DataFrame(rows, columns=["part", "strength", "meaning"])


@st.cache_data(max_entries=8, show_spinner=False)
def attribute_table(fingerprint: str, _dataset: Dataset, _truth: Truth) -> pd.DataFrame:
    """One row an attribute: where it shows, and how often users chose a value they love."""
    users, items = codes(_dataset, _truth)
    rows = []
    for name in _truth.attributes.columns.drop("item_id"):
        values = values_of(_truth, name)
        shown = next((SHOWN_BY[kind] for kind in SHOWN_BY if name in getattr(_truth, kind)), "both")
        row = {"attribute": name, "shown by": shown, "decides here": "no", "weight": np.nan}
        columns = [f"{name}={value}" for value in values]
        if set(columns) <= set(_truth.users.columns):
            loves = _truth.users[columns].to_numpy() == LOVES
            value = pd.Categorical(about(_truth, name), categories=values).codes
            share = np.bincount(value, minlength=len(values)) / len(value)
            loved = float(loves[users, value[items]].mean())
            chance = float((loves @ share)[users].mean())
            part = "picture" if name in _truth.visible else "words"
            row |= {
                "weight": TASTE_WEIGHTS.get(name, 1.0),
                "decides here": "yes" if _truth.strengths[part] > 0 else "no",
                "loved": loved,
                "chance": chance,
                "times": loved / chance,
            }
        known = sorted(_truth.attributes[name].unique()) if name == "shape" else values
        rows.append(row | {"values": ", ".join(known)})
    order = [
        "attribute",
        "shown by",
        "decides here",
        "weight",
        "loved",
        "chance",
        "times",
        "values",
    ]
    return pd.DataFrame(rows, columns=order)


def values_of(truth: Truth, name: str) -> list[str]:
    """What an attribute can be; in the order of the tastes, or by name where there are none."""
    liked = [column for column in truth.users.columns if column.startswith(f"{name}=")]
    if liked:
        return [column.removeprefix(f"{name}=") for column in liked]
    return sorted(truth.attributes[name].unique())


def about(truth: Truth, name: str) -> np.ndarray:
    """[n_items] what a taste in an attribute is about; an outline says little without its type."""
    if name == "shape":
        return outlines(truth.attributes)
    return truth.attributes[name].to_numpy(dtype=object)


def codes(dataset: Dataset, truth: Truth) -> tuple[np.ndarray, np.ndarray]:
    """Row in ``truth.users`` and in ``truth.attributes`` of each interaction."""
    users = pd.Index(truth.users["user_id"]).get_indexer(dataset.interactions["user_id"])
    items = pd.Index(truth.attributes["item_id"]).get_indexer(dataset.interactions["item_id"])
    return users, items


def _one_user(dataset: Dataset, truth: Truth) -> None:
    st.subheader("One user: tastes beside items", anchor=False)
    user_id = st.selectbox(
        "User", truth.users["user_id"].tolist(), key="user", bind="query-params", width=220
    )
    tastes = truth.users.set_index("user_id").loc[user_id]
    for kind, part in (("visible", "picture"), ("readable", "words")):
        lines = [_taste(truth, tastes, name) for name in getattr(truth, kind)]
        took = "" if truth.strengths[part] > 0 else " (took no part in this world)"
        st.markdown(f"**Shown by {SHOWN_BY[kind]}{took}.** " + "; ".join(lines) + ".")
    mine = dataset.interactions.loc[dataset.interactions["user_id"] == user_id, "item_id"]
    rows = pd.Index(dataset.item_ids).get_indexer(mine)
    matches = loved_by(truth, tastes, rows)
    order = np.argsort([-len(names) for names in matches], kind="stable")
    gallery.tiles(
        dataset,
        rows[order],
        [f"loves {', '.join(matches[i])}" if matches[i] else "loves none of it" for i in order],
        key="user",
    )


def _taste(truth: Truth, tastes: pd.Series, name: str) -> str:
    def of(level: int) -> str:
        liked = [v for v in values_of(truth, name) if tastes[f"{name}={v}"] == level]
        return ", ".join(escape(value.replace(", ", " ")) for value in liked)

    return f"{name}: loves {of(LOVES)}, likes {of(LIKES)}"


def loved_by(truth: Truth, tastes: pd.Series, rows: np.ndarray) -> list[list[str]]:
    """For each item, the attributes whose value the user loves and that took part."""
    names = [
        *(truth.visible if truth.strengths["picture"] > 0 else ()),
        *(truth.readable if truth.strengths["words"] > 0 else ()),
    ]
    loved = {
        name: np.isin(
            about(truth, name)[rows].astype(str),
            [value for value in values_of(truth, name) if tastes[f"{name}={value}"] == LOVES],
        )
        for name in names
    }
    table = pd.DataFrame(loved, index=range(len(rows)))
    return [[name for name in names if hit[name]] for hit in table.to_dict("records")]
