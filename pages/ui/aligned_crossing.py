"""From pictures to words and back: retrieval with hits and misses, and the modality gap."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st

from mmrec_core import jobs
from mmrec_core.alignment.crossing import CHANCE, FOUND, SHARED
from mmrec_core.alignment.service import Alignment
from mmrec_core.domain import Dataset
from mmrec_core.exports.spaces import gap_drawings, retrieval_drawing
from mmrec_core.extractors.service import default_extractor, make_extractor
from mmrec_core.settings import settings
from mmrec_core.spaces import Space
from pages.ui.address import choose
from pages.ui.aligned import add_spaces, command, titles
from pages.ui.figure import shown
from pages.ui.gallery import tile, tile_style, tiles
from pages.ui.job import unfinished_jobs
from pages.ui.words import escape, number, percent

SHOWN = 4
_HOW = (
    "An item's vector of one space asks; all items' vectors of the other answer, by cosine. Its "
    "rank is 1 + the number of others at least as close: ties count against it. Recall@k: the "
    "share of items whose own counterpart is among the first k. Spaces of unlike models are joined "
    "by a **ridge map**, fitted on one half of the items and measured on the other; a **shared "
    "space** is measured on the items that were held out when it was fitted, and beside it a ridge "
    "map fitted on the same items. Recall falls as items grow in number: compare with chance."
)
_HITS, _MISSES = "Hits", "Misses"


def retrieval(dataset: Dataset, found: Alignment, known: Mapping[str, Space]) -> None:
    """Recall of a pair of spaces both ways, and queries with what they found."""
    table = found.retrieval
    if table.empty:
        st.info(
            "Retrieval goes from one modality to another: choose spaces of unlike modalities that "
            "share twenty items or more."
        )
        return
    named = titles(found, known)
    pairs = list(dict.fromkeys(zip(table["space_a"], table["space_b"], strict=True)))
    shared = [p for p in pairs if _methods(table, p)[0] == SHARED]
    labels = {f"{i}": f"{named[a]} and {named[b]}" for i, (a, b) in enumerate(pairs)}
    default = str(pairs.index(shared[0])) if shared else "0"
    at = int(choose("Between", list(labels), "between", default, labels.__getitem__))
    first, second = pairs[at]
    own = table[(table["space_a"] == first) & (table["space_b"] == second)]
    st.markdown(_sentence(own, first, named))
    n = int(own["n"].iloc[0])
    st.caption(
        f"{n:,} of the catalogue's {dataset.n_items:,} items ask, and search among the same {n:,}: "
        + _why_these(found, _methods(table, (first, second))[0], (first, second))
    )
    shown(retrieval_drawing(found, (first, second), named), _HOW, command(dataset.name, found))
    _gallery(dataset, found, known, first, second)


def _methods(table: pd.DataFrame, pair: tuple[str, str]) -> list[str]:
    own = table[(table["space_a"] == pair[0]) & (table["space_b"] == pair[1])]
    return [m for m in dict.fromkeys(own["method"]) if m != CHANCE]


def _sentence(own: pd.DataFrame, first: str, named: Mapping[str, str]) -> str:
    ten = own[(own["k"] == 10) & (own["query"] == first)].set_index("method")
    chance = float(ten.loc[CHANCE, "recall"])
    words = []
    for method in ten.index:
        if method == CHANCE:
            continue
        recall = float(ten.loc[method, "recall"])
        words.append(f"{percent(recall, False)} by the {method}")
    n = int(ten["n"].iloc[0])
    return (
        f"Of {n:,} items, **{escape(named[first])}** finds the item's own counterpart among the "
        f"first 10 for {' and '.join(words)}; by chance {percent(chance, False)}\\."
    )


def _why_these(found: Alignment, method: str, pair: tuple[str, str]) -> str:
    """Which items retrieval was measured on, in words."""
    held_out = "that lie in both spaces and were held out when one was fitted on this catalogue"
    fitted = bool(set(pair) & set(found.fitted))
    if method == SHARED:
        return f"all {held_out if fitted else 'that lie in both spaces'}; no sample is taken."
    half = "the half that the map was not fitted on, of those"
    return f"{half} {held_out if fitted else 'that lie in both spaces'}."


def _gallery(
    dataset: Dataset, found: Alignment, known: Mapping[str, Space], first: str, second: str
) -> None:
    """A few queries that found their item at once, and those that found it last."""
    hits = found.hits(first, second)
    named = titles(found, known)
    ways = {"forth": f"{named[first]} asks", "back": f"{named[second]} asks"}
    left, right, _ = st.columns([3, 1.4, 1], vertical_alignment="bottom")
    with left:
        way = choose("Direction", list(ways), "way", "forth", ways.__getitem__)
    kind = right.segmented_control(
        "Show", [_HITS, _MISSES], default=_HITS, required=True, key="hits", bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    own = hits[hits["way"] == way]
    if kind == _HITS:
        own = own[own["rank"] == 1]
        own = own.sample(min(SHOWN, len(own)), random_state=0)
    else:
        own = own.sort_values("rank", ascending=False, kind="stable").head(SHOWN)
    if own.empty:
        st.info("No item is found first.")
        return
    tile_style()
    items = dataset.items
    for at, row in enumerate(own.to_dict("records")):
        query, *columns = st.columns([1.3, 5], gap="medium")
        with query:
            st.caption(f"asks · found at rank {row['rank']:,}")
            item = items.iloc[row["row"]][["item_id", "title", "image"]].to_dict()
            tile(dataset, item, f"asks-{kind}-{way}-{at}")
        with columns[0]:
            near = np.array(
                [row[f"found_{i + 1}"] for i in range(FOUND) if f"found_{i + 1}" in row]
            )
            st.caption("finds first")
            notes = ["✓ its own" if r == row["row"] else "" for r in near.tolist()]
            tiles(dataset, near, notes, key=f"finds-{kind}-{way}-{at}")


# The gap


def gap(dataset: Dataset, found: Alignment, known: Mapping[str, Space]) -> None:
    """Where pictures and words of one shared space lie on the line between their means."""
    drawn = list(gap_drawings(found, titles(found, known)))
    if not drawn:
        _offer_shared(dataset, known)
        return
    for drawing, facts in drawn:
        items = "held-out items" if facts.get("fitted") else "items"
        st.markdown(
            f"The means of pictures and words lie **{number(facts['gap'])}** apart on the unit "
            "sphere, and a linear probe tells the two apart with "
            f"**{percent(facts['accuracy'], False)}** accuracy \\(by chance 50 %\\), on "
            f"{int(facts['n']):,} {items}\\."
        )
        shown(
            drawing,
            "Liang et al., NeurIPS 2022: the distance of the mean unit vectors of the two "
            "modalities; the probe is a logistic regression on the modality, cross-validated.",
            command(dataset.name, found),
        )


def _offer_shared(dataset: Dataset, known: Mapping[str, Space]) -> None:
    st.markdown(
        "A gap is measured **within one space** that holds pictures and words, and none is among "
        "those chosen. Models such as CLIP have one; for any catalogue, one can be **fitted on its "
        "own pairs** here, offline: two heads on an image and a text extractor, trained so that an "
        "item's picture and words meet. A fifth of the items is held out, and what is said of "
        "their agreement is measured on those."
    )
    here = [
        name
        for name, space in known.items()
        if space.title.startswith("Shared space") and space.kind == "extractor"
    ]
    if here:
        st.info("A fitted shared space is here: add its two sides to *Spaces* above and compare.")
        st.button("Add its sides", on_click=add_spaces, args=(dataset, here), type="primary")
        return
    fitting = [
        state
        for state in unfinished_jobs("embed", dataset.name)
        if state.active and jobs.spec(state.key).get("extractor") == "shared-space"
    ]
    if fitting:
        st.info("It is being fitted: see above.")
        return
    if settings().read_only:
        return
    if st.button("Fit a shared space (about a minute)", type="primary"):
        parts = {}
        for side in ("image", "text"):
            name, own = default_extractor(side, dataset)
            changed = own.model_dump(mode="json", exclude_defaults=True)
            parts[side] = {"extractor": name, "config": changed}
        for side, words in (("image", "pictures"), ("text", "words")):
            config = make_extractor("shared-space", {"output": side, **parts}).config
            jobs.start(
                "embed",
                {
                    "dataset": dataset.name,
                    "extractor": "shared-space",
                    "config": config.model_dump(mode="json"),
                },
                f"Shared space of {dataset.info.title}: {words}",
            )
        st.rerun()
