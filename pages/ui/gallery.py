"""Items as pictures and as a table: search, filters, pages, and one item opened."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import streamlit as st

from mmrec_core.datasets.catalogue import thumbnail_path
from mmrec_core.datasets.statistics import item_degrees
from mmrec_core.domain import Dataset
from mmrec_core.figures.words import shorten
from pages.ui.export import export_menu
from pages.ui.words import escape, number

PAGE_SIZE = 36
TILE = 120
TABLE_ROWS = 12_000
"""So many rows go to the browser at once; more are sent as one scrolls, and cannot be picked."""

CELL = 200
SEARCHED = ("item_id", "title", "text", "category")
STANDARD = ("item_id", "title", "text", "category", "image", "image_sha256")

SHOW = (
    "All items",
    "Without picture",
    "Without text",
    "Without interactions",
    "Sharing a picture",
)
ORDER = ("Catalogue order", "Most interactions first", "Fewest interactions first", "Title")
VIEWS = ("Pictures", "Table")

NO_PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 136 136" width="136" height="136">'
    '<rect width="136" height="136" rx="6" fill="#808080" fill-opacity="0.12"/>'
    '<text x="68" y="72" font-family="sans-serif" font-size="13" fill="#808080" '
    'text-anchor="middle">no picture</text></svg>'
)
# The whole tile can be clicked; the title stays the button that a keyboard reaches.
_STYLE = """<style>
[class*="st-key-tile-"] { position: relative; }
[class*="st-key-tile-"] [data-testid="stElementContainer"] { position: static; }
[class*="st-key-tile-"] [data-testid="stElementToolbar"] { display: none; }
[class*="st-key-tile-"] [data-testid="stImage"] img {
  max-height: 176px; object-fit: contain; object-position: left bottom;
}
[class*="st-key-tile-"] button { min-height: 0; padding: 4px 0 0; text-align: left; }
[class*="st-key-tile-"] button > div { justify-content: flex-start; }
[class*="st-key-tile-"] button p { font-size: 0.8rem; line-height: 1.25; }
[class*="st-key-tile-"] [data-testid="stCaptionContainer"] p {
  font-size: 0.75rem; line-height: 1.25;
}
[class*="st-key-tile-"] button::after { content: ""; position: absolute; inset: 0; }
[class*="st-key-tile-"]:hover button p { text-decoration: underline; }
</style>"""


@st.cache_data(max_entries=8, show_spinner=False)
def degrees_of(fingerprint: str, _dataset: Dataset) -> np.ndarray:
    """[n_items] number of interactions of each item."""
    return item_degrees(_dataset)


@st.cache_data(max_entries=8, show_spinner=False)
def categories_of(fingerprint: str, _dataset: Dataset) -> pd.Series:
    """Category -> number of items, the largest first; several in one cell count each."""
    cells, codes = _cells(_dataset)
    each = pd.Series(np.bincount(codes, minlength=len(cells)))
    single = _single(cells, _dataset)
    counts = each[single.index].groupby(single.to_numpy(), sort=False).sum()
    counts = counts[counts.index != ""].rename_axis("category").rename("count")
    return counts.sort_values(ascending=False, kind="stable")


@st.cache_data(max_entries=64, show_spinner=False)
def find_items(
    fingerprint: str,
    _dataset: Dataset,
    query: str = "",
    categories: tuple[str, ...] = (),
    show: str = SHOW[0],
    order: str = ORDER[0],
) -> np.ndarray:
    """Rows of the items that match, in the chosen order.

    Every word of ``query`` must occur in id, title, text or category, in whatever case.
    """
    items = _dataset.items
    kept = np.ones(len(items), dtype=bool)
    for word in query.split():
        found = np.zeros(len(items), dtype=bool)
        for column in SEARCHED:
            cells = items[column].str
            found |= cells.contains(word, case=False, regex=False).to_numpy(dtype=bool)
        kept &= found
    if categories:
        cells, codes = _cells(_dataset)
        single = _single(cells, _dataset)
        kept &= np.isin(codes, single.index[single.isin(categories)])
    degrees = degrees_of(fingerprint, _dataset)
    if show == "Without picture":
        kept &= (items["image"] == "").to_numpy(dtype=bool)
    elif show == "Without text":
        kept &= (items["text"] == "").to_numpy(dtype=bool)
    elif show == "Without interactions":
        kept &= degrees == 0
    elif show == "Sharing a picture":
        kept &= _sharing(_dataset) > 1
    rows = np.flatnonzero(kept)
    if order == "Most interactions first":
        return rows[np.argsort(-degrees[rows], kind="stable")]
    if order == "Fewest interactions first":
        return rows[np.argsort(degrees[rows], kind="stable")]
    if order == "Title":
        titles = items["title"].iloc[rows].str.casefold()
        return rows[titles.argsort(kind="stable").to_numpy()]
    return rows


def _cells(dataset: Dataset) -> tuple[pd.Series, np.ndarray]:
    """What stands in the column of categories, each once, and [n_items] which of them."""
    codes, cells = pd.factorize(dataset.items["category"])
    return pd.Series(cells), codes


def _single(cells: pd.Series, dataset: Dataset) -> pd.Series:
    """Categories, one a row; the index is the position of the cell, which may hold several."""
    separator = dataset.info.category_separator
    if separator:
        cells = cells.str.split(separator).explode()
    return cells.str.strip()


def _sharing(dataset: Dataset) -> np.ndarray:
    """[n_items] how many items have the same picture, itself included; 0 without picture."""
    sha256 = dataset.items["image_sha256"]
    counts = sha256.map(sha256.value_counts())
    return counts.where(sha256 != "", 0).to_numpy(dtype=np.int64)


def name_of(item: Mapping[str, object]) -> str:
    """Title of an item, or its id where it has none."""
    return str(item["title"]).strip() or str(item["item_id"])


def browser(dataset: Dataset) -> None:
    """Search, filters, and what they leave as pictures or as a table."""
    known = categories_of(dataset.fingerprint, dataset)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        query = st.text_input(
            "Search",
            key="q",
            bind="query-params",
            placeholder="Words in id, title, text or category",
            icon=":material/search:",
            on_change=_first_page,
        )
        categories = st.multiselect(
            "Category",
            [str(name) for name in known.index],
            key="category",
            bind="query-params",
            placeholder="All" if len(known) else "None in this dataset",
            disabled=not len(known),
            on_change=_first_page,
        )
        show = _select("Show", SHOW, "show")
        order = _select("Order", ORDER, "order")
    rows = find_items(dataset.fingerprint, dataset, query or "", tuple(categories), show, order)
    with st.container(horizontal=True, vertical_alignment="center"):
        view = st.segmented_control(
            "View",
            VIEWS,
            default=VIEWS[0],
            required=True,
            key="view",
            bind="query-params",
            label_visibility="collapsed",
            width="content",
        )
        st.markdown(_found(len(rows), dataset.n_items), width="stretch")
        export_menu(f"{dataset.name}-items", lambda: table_of(dataset, rows))
    if not len(rows):
        st.info("No item matches. Use fewer words, or take a filter away.")
        return
    if view == "Table":
        _table(dataset, rows)
    else:
        _pages(dataset, rows)


def _select(label: str, options: Sequence[str], key: str) -> str:
    return st.selectbox(
        label, options, key=key, bind="query-params", on_change=_first_page, width=190
    )


def _first_page() -> None:
    if st.session_state.get("page", 1) != 1:
        st.session_state["page"] = 1


def _found(n: int, total: int) -> str:
    if n == total:
        return f"All {total:,} items"
    return f"**{n:,}** of {total:,} items match"


def _pages(dataset: Dataset, rows: np.ndarray) -> None:
    n_pages = -(-len(rows) // PAGE_SIZE)
    place = st.container()
    with st.container(horizontal_alignment="center"):
        page = (
            st.pagination(n_pages, key="page", bind="query-params", max_visible_pages=9)
            if n_pages > 1
            else 1
        )
    with place:
        tiles(dataset, rows[(page - 1) * PAGE_SIZE : page * PAGE_SIZE])


def tiles(dataset: Dataset, rows: np.ndarray, notes: Sequence[str] = (), key: str = "tile") -> None:
    """A grid of pictures; a click opens the item.

    Args:
        dataset: Whose items.
        rows: Of the items.
        notes: A line of markdown under each title; empty: none.
        key: Tells the grids of a page apart.
    """
    tile_style()
    shown = dataset.items.iloc[rows][["item_id", "title", "image"]].to_dict("records")
    with st.container(horizontal=True, gap="small"):
        for place, item in enumerate(shown):
            tile(dataset, item, f"{key}-{place}", notes[place] if notes else "")


def tile(
    dataset: Dataset, item: Mapping[str, str], key: str, note: str = "", width: int = TILE
) -> None:
    """One picture with its title; a click anywhere on it opens the item. Needs ``tile_style``.

    Args:
        dataset: Whose item.
        item: Its id, title and image.
        key: Tells the tiles of a page apart.
        note: A line of markdown under the title; empty: none.
        width: In pixels.
    """
    title = name_of(item)
    with st.container(width=width, gap=None, key=f"tile-{key}"):
        path = thumbnail_path(dataset, item["image"], 320)
        st.image(
            NO_PICTURE if path is None or not path.is_file() else str(path),
            width="stretch",
            alt=title,
        )
        st.button(
            escape(shorten(title, 48)),
            key=f"open-{key}",
            type="tertiary",
            on_click=open_item,
            args=(item["item_id"],),
        )
        if note:
            st.caption(note)


def tile_style() -> None:
    """How tiles look and where they can be clicked; once a page."""
    st.html(_STYLE)


def open_item(item_id: str) -> None:
    """Opens an item at the next run; the address tells which."""
    st.query_params["item"] = item_id


def close_item() -> None:
    """Closes the item that is open."""
    st.query_params.pop("item", None)


def table_of(dataset: Dataset, rows: np.ndarray) -> pd.DataFrame:
    """Items with their number of interactions and every column of the file."""
    items = dataset.items.iloc[rows]
    degrees = degrees_of(dataset.fingerprint, dataset)[rows]
    front = items[["item_id", "title", "category", "text"]].assign(
        interactions=degrees, has_picture=(items["image"] != "").to_numpy(dtype=bool)
    )
    others = [name for name in items.columns if name not in STANDARD]
    repeated = [name for name in others if items[name].equals(items["text"])]
    return front.join(items[others].drop(columns=repeated)).reset_index(drop=True)


def _table(dataset: Dataset, rows: np.ndarray) -> None:
    table = table_of(dataset, rows)
    texts = table.select_dtypes(include="str").columns
    table[texts] = table[texts].apply(lambda column: column.str.slice(0, CELL))
    lazy = len(table) > TABLE_ROWS
    config = {
        "item_id": st.column_config.TextColumn("id", pinned=True),
        "text": st.column_config.TextColumn("text", width="large"),
        "interactions": st.column_config.NumberColumn("interactions", format="localized"),
        "has_picture": st.column_config.CheckboxColumn("picture"),
    }
    alt = f"Items of {dataset.info.title}"
    if lazy:
        st.dataframe(table, hide_index=True, height=560, column_config=config, lazy=True, alt=alt)
        st.caption(f"Search or filter to at most {TABLE_ROWS:,} items to open one from the table.")
        return

    def picked() -> None:
        chosen = st.session_state["items"]["selection"]["rows"]
        if chosen:
            open_item(str(table["item_id"].iloc[chosen[0]]))

    st.dataframe(
        table,
        hide_index=True,
        height=560,
        column_config=config,
        key="items",
        on_select=picked,
        selection_mode="single-row",
        lazy=False,
        alt=alt,
    )
    st.caption("Tick a row to open the item. A click on a column's head sorts by it.")


def item_opened(dataset: Dataset) -> None:
    """Shows the item that the address names, over the page."""
    item_id = st.query_params.get("item")
    if item_id is None:
        return
    row = np.flatnonzero((dataset.items["item_id"] == item_id).to_numpy(dtype=bool))
    if not len(row):
        st.warning(f"There is no item {escape(item_id)} in this dataset.")
        return
    title = escape(shorten(name_of(dataset.items.iloc[row[0]]), 120))
    st.dialog(title, width="large", on_dismiss=close_item)(_item)(dataset, int(row[0]))


def _item(dataset: Dataset, row: int) -> None:
    item = dataset.items.iloc[row]
    left, right = st.columns([2, 3], gap="medium")
    with left:
        path = dataset.image_path(item["image"])
        if path is not None and path.is_file():
            st.image(str(path), width="stretch", alt=name_of(item))
        else:
            st.image(NO_PICTURE, width=TILE, alt="no picture")
    with right:
        category = item["category"].replace(dataset.info.category_separator or "\0", ", ")
        st.caption(" · ".join(escape(part) for part in (item["item_id"], category) if part))
        st.markdown(_popularity(dataset, row))
        for problem in problems(dataset, row):
            st.warning(problem, icon=":material/report:")
        for paragraph in filter(str.strip, item["text"].splitlines()):
            st.markdown(escape(paragraph))
    columns = item.drop(labels=["text"])
    cells = pd.DataFrame({"column": columns.index, "value": columns.astype(str).to_numpy()})
    with st.expander("All columns of this item"):
        st.dataframe(cells, hide_index=True, alt="All columns of this item")


def _popularity(dataset: Dataset, row: int) -> str:
    degrees = degrees_of(dataset.fingerprint, dataset)
    n = int(degrees[row])
    if not n:
        return "No user has it."
    rank = int((degrees > n).sum()) + 1
    users = "1 user has" if n == 1 else f"{n:,} users have"
    words = f"**{users} it**: rank {rank:,} of {len(degrees):,} by interactions."
    ratings = dataset.interactions["rating"][dataset.coded_items == row].dropna()
    if len(ratings):
        words += f" Mean rating {number(float(ratings.mean()))} ({len(ratings):,} ratings)."
    return words


def problems(dataset: Dataset, row: int) -> list[str]:
    """What an item lacks, one sentence each."""
    item = dataset.items.iloc[row]
    found = []
    if not item["image"]:
        found.append("It has no usable picture: recommenders get a mask, not a grey square.")
    elif not (dataset.folder / item["image"]).is_file():
        found.append("Its picture is gone from the disk; install the dataset again.")
    if not item["text"]:
        found.append("It has no text.")
    sha256 = item["image_sha256"]
    others = int((dataset.items["image_sha256"] == sha256).sum()) - 1 if sha256 else 0
    if others > 0:
        items = "1 other item" if others == 1 else f"{others:,} other items"
        found.append(f"It shares its picture, byte for byte, with {items}.")
    return found
