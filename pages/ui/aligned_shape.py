"""The shape of each space, and items whose vectors are nearly equal."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from mmrec_core.alignment import GEOMETRY
from mmrec_core.alignment.service import Alignment
from mmrec_core.domain import Dataset
from mmrec_core.spaces import Space
from pages.ui.aligned import all_items_of_fitted, titles
from pages.ui.export import export_menu
from pages.ui.gallery import tile, tile_style
from pages.ui.words import escape, how, number

PAIRS_SHOWN = 18


def geometry(found: Alignment, known: Mapping[str, Space]) -> None:
    """One row a number, one column a space."""
    named = titles(found, known)
    for row in found.geometry[found.geometry["note"] != ""].to_dict("records"):
        st.warning(f"{escape(named[row['space']])}: {escape(row['note'])}")
    table = found.geometry[found.geometry["note"] == ""].set_index("space")
    if table.empty:
        return
    rows = {"Columns": [f"{int(w):,}" for w in table["width"]]}
    rows["Items"] = [f"{int(n):,}" for n in table["n"]]
    rows["Different vectors"] = [f"{int(n):,}" for n in table["n_distinct"]]
    rows |= {
        facts.label: [number(float(v)) for v in table[name]] for name, facts in GEOMETRY.items()
    }
    shown = pd.DataFrame.from_dict(rows, orient="index", columns=[named[n] for n in table.index])
    shown.index.name = "Number"
    st.dataframe(shown, alt="Geometry of each space")
    with st.container(horizontal=True):
        lines = [f"**{f.label}**: {f.description} {f.reference}." for _, f in GEOMETRY.items()]
        how("How", "  \n".join(lines))
        export_menu("geometry", found.geometry)
    if table["sampled"].astype(bool).any():
        st.caption("Numbers that compare all pairs are of a seeded sample of 5,000 items.")
    all_items_of_fitted(found, known, list(table.index))


def near_duplicates(dataset: Dataset, found: Alignment, known: Mapping[str, Space]) -> None:
    """Pairs of items with equal or nearly equal vectors, as pictures."""
    table = found.duplicates
    named = titles(found, known)
    near = found.config.near
    if table.empty:
        st.success(f"In no space do two items have a centred cosine of {near:g} or more.")
        content = [n for n in found.spaces if found.is_content(n)]
        st.caption(_compared(found, named, content))
        all_items_of_fitted(found, known, content)
        return
    spaces = list(dict.fromkeys(table["space"]))
    space = st.selectbox("Space", spaces, format_func=named.__getitem__, key="twins-in")
    own = table[table["space"] == space].reset_index(drop=True)
    n_pairs = int(own["n_pairs"].iloc[0])
    pairs, equal = "pair" if n_pairs == 1 else "pairs", int(own["exact"].sum())
    st.markdown(
        f"**{n_pairs:,}** {pairs} of items with a centred cosine of {near:g} or more in "
        f"{escape(named[str(space)])}, {equal:,} of those listed exactly equal\\."
    )
    st.caption(_compared(found, named, [str(space)]))
    all_items_of_fitted(found, known, [str(space)])
    with st.container(horizontal=True):
        export_menu(f"near-duplicates-{spaces.index(space)}", lambda: _ids(dataset, own))
    if n_pairs > len(own):
        st.caption(f"The {len(own):,} nearest pairs are listed.")
    tile_style()
    pages = -(-len(own) // PAIRS_SHOWN)
    page = st.pagination(pages, key=f"twins-{space}", max_visible_pages=7) if pages > 1 else 1
    part = own.iloc[(page - 1) * PAIRS_SHOWN : page * PAIRS_SHOWN].to_dict("records")
    for start in range(0, len(part), 3):
        for column, pair in zip(st.columns(3, gap="medium"), part[start : start + 3], strict=False):
            with column:
                words = "equal" if pair["exact"] else f"cosine {pair['cosine']:.4f}"
                st.caption(words)
                with st.container(horizontal=True, gap="small"):
                    for which in ("a", "b"):
                        item = dataset.items.iloc[pair[which]]
                        tile(
                            dataset, item[["item_id", "title", "image"]].to_dict(),
                            f"twin-{space}-{pair['a']}-{pair['b']}-{which}",
                        )  # fmt: skip


def _compared(found: Alignment, named: Mapping[str, str], spaces: Sequence[str]) -> str:
    """On how many items near-duplicates stand: all that have a vector, never a sample."""
    measured = found.geometry[found.geometry["note"] == ""].set_index("space")["n"]
    of = ", ".join(
        f"{int(measured[name]):,} in {named[name]}" for name in spaces if name in measured.index
    )
    return escape(f"Every item was compared with every other, none left out by a sample: {of}.")


def _ids(dataset: Dataset, own: pd.DataFrame) -> pd.DataFrame:
    ids = dataset.item_ids
    return own.assign(item_a=ids[own["a"]], item_b=ids[own["b"]])[
        ["space", "item_a", "item_b", "cosine", "exact", "group"]
    ]
