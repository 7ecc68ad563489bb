"""The selection of a map: kept while maps change, named in the address, compared with the rest."""

import base64
import io
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from mmrec_core.figures.words import p_value
from mmrec_core.projection.regions import NONE as NO_REGION
from mmrec_core.projection.selection import category_shares, compare_with_rest
from pages.ui.export import csv_bytes
from pages.ui.gallery import degrees_of, tiles
from pages.ui.map_colours import columns
from pages.ui.map_scene import PLACES, Scene
from pages.ui.point_map import Events, Lasso, chosen
from pages.ui.words import escape, percent

SHOWN = 24
_ADDRESS, _STATE, _STAMP = "selection", "map-selection", "map-stamp"
_DATASET = "map-selection-of"
_PAGE = "selected-page"
_MOST_ADDRESS = 1800
"""Characters of an outline that an address can hold; a longer one holds in this window only."""


@dataclass(frozen=True, eq=False)
class Selection:
    """Items that a person picked.

    Attributes:
        rows: [n_items] bool.
        words: How they were picked.
        address: As it stands in the address; empty: it is too long for one.
    """

    rows: np.ndarray
    words: str
    address: str = ""

    def linked(self, scene: Scene) -> bool:
        """Whether a copied link opens it: the map that it was picked on must be on screen."""
        kind, _, rest = self.address.partition("~")
        return bool(kind) and any(rest.startswith(f"{side.name}~") for side in scene.sides)


def take_up(scene: Scene, done: Events) -> Selection | None:
    """The selection that holds: drawn just now, kept from before, or named by the address."""
    name = scene.dataset.fingerprint
    kept: dict[str, Selection] = st.session_state.setdefault(_STATE, {})
    if st.session_state.setdefault(_DATASET, name) != name:
        # What the address names was picked on another catalogue.
        st.session_state[_DATASET] = name
        _first_page()
        st.query_params.pop(_ADDRESS, None)
        if name in kept and kept[name].address:
            st.query_params[_ADDRESS] = kept[name].address
    stamps: dict[str, int] = st.session_state.setdefault(_STAMP, {})
    if done.stamp > stamps.get(scene.key, 0):
        stamps[scene.key] = done.stamp
        if done.lasso is None or done.lasso.view >= len(scene.sides):
            clear(scene)
        else:
            _keep(name, _outlined(scene, done.lasso), _address_of(scene, done.lasso))
    elif name not in kept and _ADDRESS in st.query_params:
        named = _named(scene, st.query_params[_ADDRESS])
        if named is not None:
            kept[name] = Selection(named.rows, named.words, st.query_params[_ADDRESS])
    found = kept.get(name)
    return found if found is not None and len(found.rows) == scene.dataset.n_items else None


def clear(scene: Scene) -> None:
    """Nothing is selected."""
    st.session_state.setdefault(_STATE, {}).pop(scene.dataset.fingerprint, None)
    st.query_params.pop(_ADDRESS, None)
    _first_page()


def _first_page() -> None:
    """Another selection is looked at from its beginning."""
    if st.session_state.get(_PAGE, 1) != 1:
        st.session_state[_PAGE] = 1
    elif _PAGE not in st.session_state:
        # Named by a link, and not on screen yet.
        st.query_params.pop(_PAGE, None)


def select_region(scene: Scene, view: int, region: int) -> None:
    """Selects the items of a region of one of the maps."""
    found = _region(scene, view, region)
    if found is not None:
        _keep(scene.dataset.fingerprint, found, f"region~{scene.sides[view].name}~{region}")


def _keep(name: str, selection: Selection, address: str) -> None:
    if len(address) <= _MOST_ADDRESS:
        st.query_params[_ADDRESS] = address
    else:
        st.query_params.pop(_ADDRESS, None)
        address = ""
    _first_page()
    kept = Selection(selection.rows, selection.words, address)
    st.session_state.setdefault(_STATE, {})[name] = kept


def _outlined(scene: Scene, lasso: Lasso) -> Selection:
    title = scene.sides[lasso.view].space.title
    return Selection(chosen(lasso, scene.views, scene.colours), f"outlined on the map of {title}")


def _region(scene: Scene, view: int, region: int) -> Selection | None:
    found = scene.regions[view]
    if found is None or region not in set(found.table["region"]):
        return None
    at = int(np.flatnonzero(found.table["region"] == region)[0])
    words = f"region {at + 1} of the map of {scene.sides[view].space.title}"
    return Selection(found.of_item == region, words)


def _address_of(scene: Scene, lasso: Lasso) -> str:
    """An outline as it stands in the address: its map, its corners, what the legend hid."""
    corners = np.ascontiguousarray(lasso.polygon, dtype="<f4").tobytes()
    text = base64.urlsafe_b64encode(corners).decode("ascii").rstrip("=")
    hidden = ".".join(map(str, lasso.hidden))
    span = "" if lasso.range is None else "..".join(f"{end:g}" for end in lasso.range)
    title = scene.colours.title if hidden or span else ""
    return f"lasso~{scene.sides[lasso.view].name}~{text}~{title}~{hidden}~{span}"


def _named(scene: Scene, address: str) -> Selection | None:
    """The selection that an address names where its map is on screen; None: it cannot be read."""
    kind, _, rest = address.partition("~")
    for view, side in enumerate(scene.sides):
        own = rest.removeprefix(f"{side.name}~")
        if own == rest:
            continue
        if kind == "region" and own.isascii() and own.isdigit() and len(own) < 9:
            return _region(scene, view, int(own))
        if kind == "lasso":
            lasso = _lasso(own, view, scene.colours.title)
            return None if lasso is None else _outlined(scene, lasso)
    return None


def _lasso(text: str, view: int, coloured_by: str) -> Lasso | None:
    try:
        corners, title, hidden, span = text.split("~")
        raw = base64.urlsafe_b64decode(corners + "=" * (-len(corners) % 4))
        polygon = np.frombuffer(raw, dtype="<f4").reshape(-1, 2).astype(np.float64)
        codes = tuple(int(code) for code in hidden.split(".") if code)
        ends = [float(end) for end in span.split("..")] if span else []
    except ValueError:
        return None
    if len(polygon) < 3 or not np.isfinite(polygon).all():
        return None
    # Codes mean something in the legend that they were hidden in only.
    same = title in ("", coloured_by)
    limits = (ends[0], ends[1]) if same and len(ends) == 2 else None
    return Lasso(view, polygon, codes if same else (), limits)


# On screen


def show(scene: Scene, selection: Selection | None) -> None:
    """The selected items as pictures, every column against the rest, and files."""
    if selection is None:
        st.info(
            "Nothing is selected. Draw a **lasso** or a **box** around items with the buttons over "
            "a map (or hold Shift and drag), or choose a region under *Regions*; the same items "
            "light up on both maps, and are shown and compared with the rest here."
        )
        return
    n = int(selection.rows.sum())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{n:,}** of {scene.dataset.n_items:,} items, {escape(selection.words)}.",
            width="stretch",
        )
        _files(scene, selection)
        if st.button("Clear", icon=":material/close:", type="tertiary", key="clear-selection"):
            clear(scene)
            st.rerun()
    if not selection.linked(scene):
        st.caption(
            "A copied link leaves the selection out: "
            + (
                "it was picked on a map that is not on screen now."
                if selection.address
                else "its outline has too many corners for an address."
            )
        )
    if not n:
        st.info("No item lies inside, or the legend hid those that do.")
        return
    _telling(scene, selection)
    rows = np.flatnonzero(selection.rows)
    degrees = degrees_of(scene.dataset.fingerprint, scene.dataset)
    rows = rows[np.argsort(-degrees[rows], kind="stable")]
    pages = -(-len(rows) // SHOWN)
    place = st.container()
    with st.container(horizontal_alignment="center"):
        page = (
            st.pagination(
                pages, key=_PAGE, max_visible_pages=7, bind="query-params", persist_state="session"
            )
            if pages > 1
            else 1
        )
    with place:
        st.caption("The selected items, those with most interactions first.")
        tiles(scene.dataset, rows[(page - 1) * SHOWN : page * SHOWN], key="selected")


def _telling(scene: Scene, selection: Selection) -> None:
    """Every column of the selection against the rest."""
    own = list(columns(scene.dataset.fingerprint, scene.dataset).values())
    table = compare_with_rest(own, selection.rows)
    if table.empty:
        st.caption("There is no column to compare the selection by, or no item outside of it.")
        return
    told = table[table["p"] * len(table) < 0.05]
    if told.empty:
        st.markdown("No column tells the selection from the rest: what differs could be chance.")
    else:
        st.markdown(_sentence(told.iloc[0].to_dict()))
    shares = table["kind"] == "category"
    most = max(0.01, *(max(v, default=0) for v in table["spread_in_selection"]))
    most = max(most, *(max(v, default=0) for v in table["spread_in_rest"]))
    shown = pd.DataFrame(
        {
            "Column": table["column"],
            "Effect": table["effect"],
            "p": table["p"].map(p_value),
            "Measure": np.where(shares, "Cramér's V", "Cliff's δ"),
            "Most telling value": table["value"],
            "In the selection": _cells(table["in_selection"], shares),
            "In the rest": _cells(table["in_rest"], shares),
            "Spread in the selection": table["spread_in_selection"],
            "Spread in the rest": table["spread_in_rest"],
        }
    )
    bars = st.column_config.BarChartColumn(y_min=0, y_max=most)
    st.dataframe(
        shown,
        hide_index=True,
        column_config={
            "Effect": st.column_config.NumberColumn(format="%.2f"),
            "Spread in the selection": bars,
            "Spread in the rest": bars,
        },
        alt="Columns of the selection against the rest, the strongest difference first",
    )
    st.caption(
        "Effect: for numbers Cliff's δ, the chance that a selected item has the larger value less "
        "the chance that it has the smaller; for categories Cramér's V, bias-corrected. Spread: "
        "shares of the most frequent categories, or of bins of equal width. p: Mann-Whitney, or "
        "χ²; not adjusted for the number of columns, which the sentence above is."
    )
    categories = {c.name: c for c in own if not c.numeric}
    if categories:
        with st.expander("Shares of every value of a column"):
            name = st.selectbox("Column", list(categories), key="shares-of")
            values = category_shares(categories[str(name)], selection.rows)
            percents = st.column_config.NumberColumn(format="percent")
            st.dataframe(
                values,
                hide_index=True,
                column_config=dict.fromkeys(["in_selection", "in_rest", "difference"], percents),
                alt=f"Shares of every {name} in the selection and in the rest",
            )


def _cells(values: pd.Series, shares: pd.Series) -> list[str]:
    return [
        percent(float(v), False) if share else f"{v:,.4g}"
        for v, share in zip(values, shares, strict=True)
    ]


def _sentence(first: dict[str, object]) -> str:
    """What tells the selection most, in words."""
    own, rest = float(str(first["in_selection"])), float(str(first["in_rest"]))
    if first["kind"] == "category":
        return (
            f"What tells it most is **{escape(first['column'])}**: {percent(own, False)} are "
            f"**{escape(first['value'])}**, of the rest {percent(rest, False)}."
        )
    return (
        f"What tells it most is **{escape(first['column'])}**: the median is {own:,.4g}, of the "
        f"rest {rest:,.4g}."
    )


def _files(scene: Scene, selection: Selection) -> None:
    """Ids, coordinates and selection of all items, or of the selected ones, as CSV or Parquet."""
    with st.popover("Export", icon=":material/download:", type="tertiary"):
        for words, rows in (
            ("The selected items", selection.rows),
            ("All items, with a column that says which are selected", np.ones_like(selection.rows)),
        ):
            st.caption(words)
            stem = f"{scene.dataset.name}-{'selection' if rows is selection.rows else 'map'}"

            def table(rows: np.ndarray = rows) -> pd.DataFrame:
                return coordinates(scene, selection)[rows]

            with st.container(horizontal=True):
                st.download_button(
                    "CSV", lambda table=table: csv_bytes(table()), file_name=f"{stem}.csv",
                    mime="text/csv", on_click="ignore", key=f"map-{stem}-csv",
                )  # fmt: skip
                st.download_button(
                    "Parquet", lambda table=table: _parquet(table()), file_name=f"{stem}.parquet",
                    mime="application/vnd.apache.parquet", on_click="ignore",
                    key=f"map-{stem}-parquet",
                )  # fmt: skip


def coordinates(scene: Scene, selection: Selection | None) -> pd.DataFrame:
    """One row an item: id, title, category, selected, and of each map space, x, y, region."""
    items = scene.dataset.items[["item_id", "title", "category"]]
    table = items.reset_index(drop=True).copy()
    table["selected"] = np.zeros(len(table), bool) if selection is None else selection.rows
    for place, side, found in zip(PLACES, scene.sides, scene.regions, strict=False):
        table[f"{place}_space"] = side.name
        table[f"{place}_x"], table[f"{place}_y"] = side.points.T
        if found is not None:
            region = pd.Series(found.of_item, dtype="Int32")
            table[f"{place}_region"] = region.where(found.of_item != NO_REGION)
    return table


def _parquet(table: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return buffer.getvalue()
