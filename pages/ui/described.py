"""Finished descriptions: items with what was said of them, and slots over the catalogue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from mmrec_core.descriptions.faithfulness import distinctiveness, slot_table
from mmrec_core.descriptions.service import INPUTS, Descriptions
from mmrec_core.descriptions.vocabulary import lemmas
from mmrec_core.domain import Dataset
from mmrec_core.figures.words import shorten
from pages.ui import known
from pages.ui.address import choose
from pages.ui.export import export_menu
from pages.ui.gallery import tile, tile_style
from pages.ui.studies import when
from pages.ui.trust import newest_probe
from pages.ui.words import escape, how

PAGE_SIZE = 12
STATUSES = {
    "strict": ("as asked", "green"),
    "recovered": ("another form", "blue"),
    "partial": ("incomplete", "orange"),
    "refused": ("refused", "red"),
    "empty": ("empty", "red"),
    "none": ("not asked", "gray"),
}
"""Status -> words and colour."""
FORMLESS = ("refused", "empty", "none")
"""Statuses that mean something of an answer without slots."""

_HOW = (
    "Every answer is kept as it came. It is read by the **names** of the slots: *as asked* keeps "
    "to the form of the prompt exactly; *another form* gives every slot in some other way; "
    "*incomplete* lacks slots or holds words that belong to none; *refused* says that the model "
    "would or could not answer. Where names are missing and as many keywords as slots were given, "
    "they are taken by their place, and the item says so. Nothing is filled in. **✓** agrees with "
    "what is known of the item, in lower case and as lemmas; **✗** does not, and is followed by it."
)


ALL, WRONG, RIGHT = "all", "wrong", "right"
AGAINST = {ALL: "All", WRONG: "Wrong somewhere", RIGHT: "Right wherever known"}
"""Filter by the truth -> words."""


@dataclass(frozen=True)
class _Beside:
    """What stands beside the answers.

    Attributes:
        columns: Of the items, under the answer.
        truth: Slot -> true value of each item.
        agrees: One row an item, a column a slot whose truth is known: True, False, None.
        held: What the vector alone says, by item id; None: not probed.
        vectors: Whose vector.
    """

    columns: Sequence[str]
    truth: Mapping[str, Sequence[str | None]]
    agrees: pd.DataFrame
    held: pd.DataFrame | None
    vectors: str


@st.cache_resource(max_entries=8, show_spinner=False)
def _table(key: str, _made: Descriptions) -> pd.DataFrame:
    return _made.table


@st.cache_data(max_entries=8, show_spinner="Counting what is said in every slot")
def _slots(key: str, _made: Descriptions) -> tuple[pd.DataFrame, float]:
    said, prompt = _made.asked, _made.artefact.facts["prompt"] or {}
    return slot_table(said, _made.slots, prompt.get("example")), distinctiveness(said)


def label(made: Descriptions) -> str:
    """A line in a picker."""
    facts = made.artefact.facts
    strategy = (facts["prompt"] or {}).get("strategy", "imported")
    told = f"imported, {strategy}" if facts["imported"] and facts["prompt"] else strategy
    config = made.artefact.spec.get("model", {}).get("config", {})
    replaced = [f"{what}: {config[what]}" for what in INPUTS if config.get(what, "own") != "own"]
    return " · ".join([facts["model"], told, *replaced, when(made.artefact.meta["created"])])


def sentence(made: Descriptions) -> str:
    """How much was said, and how well it keeps to the form, as markdown."""
    counts, total = made.counts, made.artefact.facts["n_items"]
    asked = total - counts.get("none", 0)
    if not asked:
        return f"None of the **{total:,}** items was described\\."
    if not made.structured:
        words = f"**{asked:,}** of {total:,} items were described in words; no slots were asked for"
        if made.control:
            words += ". The prompt asks for something else: a **control**, which should score worst"
        return f"{words}\\."
    strict = counts.get("strict", 0) / asked
    whole = strict + counts.get("recovered", 0) / asked
    text = (
        f"**{asked:,}** of {total:,} items were described; **{whole:.1%}** of the answers fill "
        f"every slot, {strict:.1%} in exactly the form that was asked for"
    )
    refused = counts.get("refused", 0) + counts.get("empty", 0)
    if refused:
        text += f", and {refused:,} say nothing"
    return f"{text}\\."


def items(dataset: Dataset, made: Descriptions) -> None:
    """Pictures with what was said of them; search and filter by status."""
    table = _table(made.artefact.key, made)
    counts = made.counts
    filters = st.container(horizontal=True, vertical_alignment="bottom")
    with st.expander("Metadata and truth", icon=":material/fact_check:"):
        beside = _beside(dataset, made)
    with filters:
        query = st.text_input(
            "Search",
            key="said-q",
            bind="query-params",
            placeholder="Words in id, title or answer",
            icon=":material/search:",
            on_change=_first_page,
        )
        # Sentences have no form to keep to.
        kinds = [kind for kind in counts if made.structured or kind in FORMLESS]
        status = choose(
            "Answers",
            ["all", *kinds],
            "status",
            "all",
            lambda s: "All items" if s == "all" else f"{STATUSES[s][0]} ({counts[s]:,})",
            width=190,
            on_change=_first_page,
        )
        against = ALL
        if len(beside.agrees.columns):
            against = choose(
                "Against the truth",
                list(AGAINST),
                "against",
                ALL,
                AGAINST.__getitem__,
                width=190,
                on_change=_first_page,
            )
    rows = _matching(dataset, table, query or "", status)
    if against != ALL:
        rows = rows[_against(beside.agrees, against)[rows]]
    with st.container(horizontal=True, vertical_alignment="center"):
        many = "items match" if len(rows) != 1 else "item matches"
        st.markdown(
            f"All {len(table):,} items" if len(rows) == len(table) else f"**{len(rows):,}** {many}",
            width="stretch",
        )
        how("How", _HOW, None, {"prompt": made.artefact.facts["prompt"]})
        export_menu(f"descriptions-{made.artefact.key[:8]}", lambda: table.iloc[rows])
    if not len(rows):
        st.info("No item matches. Use fewer words, or show all answers.")
        return
    n_pages = -(-len(rows) // PAGE_SIZE)
    place = st.container()
    with st.container(horizontal_alignment="center"):
        page = (
            st.pagination(n_pages, key="said-page", bind="query-params", max_visible_pages=9)
            if n_pages > 1
            else 1
        )
    with place:
        tile_style()
        shown = rows[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
        for start in range(0, len(shown), 2):
            for place, row in zip(
                st.columns(2, gap="large"), shown[start : start + 2], strict=False
            ):
                with place:
                    _card(dataset, table.iloc[row], made.slots, beside, made.structured)


def _beside(dataset: Dataset, made: Descriptions) -> _Beside:
    """Widgets that choose what stands beside the answers, and what they chose."""
    columns = known.choose_columns(dataset)
    truth: dict[str, list[str | None]] = {}
    agrees = pd.DataFrame(index=range(dataset.n_items))
    if made.structured:
        chosen = known.choose_truth(dataset, made)
        truth = known.truth(dataset, made, chosen)
        agrees = known.agreement(dataset, made, chosen)
    probe = newest_probe(made)
    held = None if probe is None else probe.table("words").set_index("item_id")
    vectors = "" if probe is None else str(probe.facts["extractor"])
    return _Beside(columns, truth, agrees, held, vectors)


def _against(agrees: pd.DataFrame, wanted: str) -> np.ndarray:
    """[n_items] bool: wrong in some slot, or right in every slot whose truth is known."""
    wrong = (agrees == False).any(axis=1).to_numpy(dtype=bool)  # noqa: E712  (None is neither)
    told = agrees.notna().any(axis=1).to_numpy(dtype=bool)
    return wrong if wanted == WRONG else told & ~wrong


def _first_page() -> None:
    if st.session_state.get("said-page", 1) != 1:
        st.session_state["said-page"] = 1


def _matching(dataset: Dataset, table: pd.DataFrame, query: str, status: str) -> np.ndarray:
    kept = np.ones(len(table), dtype=bool)
    read = (dataset.items["title"], table["item_id"], table["answer"])
    for word in query.split():
        found = [cells.str.contains(word, case=False, regex=False).to_numpy(bool) for cells in read]
        kept &= np.logical_or.reduce(found)
    if status != "all":
        kept &= (table["status"] == status).to_numpy(dtype=bool)
    return np.flatnonzero(kept)


def _card(
    dataset: Dataset,
    said: pd.Series,
    slots: tuple[str, ...],
    beside: _Beside,
    structured: bool,
) -> None:
    row = int(said.name)  # type: ignore[call-overload]
    item = dataset.items.iloc[row]
    picture, words = st.columns([2, 5], gap="small")
    with picture:
        tile(dataset, item, f"said-{said['item_id']}")
    with words:
        lines = _lines(said, row, slots, beside, structured)
        lines.append(known.metadata(item, beside.columns, dataset.info.category_separator))
        st.markdown("  \n".join(filter(None, lines)))
        if structured and said["status"] not in ("strict", "none") and said["answer"]:
            st.caption(f"Said: {escape(shorten(said['answer'], 300))}")


def _lines(
    said: pd.Series, row: int, slots: tuple[str, ...], beside: _Beside, structured: bool
) -> list[str]:
    """An item's answer as lines of markdown."""
    if not structured and said["status"] != "none":
        return [escape(shorten(said["answer"], 400)) or ":gray[Nothing was said\\.]"]
    text, colour = STATUSES[said["status"]]
    badge = f":{colour}-badge[{text}]"
    if said["by_place"]:
        badge += " :orange-badge[read by place]"
    if said["status"] == "none":
        return [f"{badge} :small[:gray[{escape(said['failure'])}]]"]
    values = [
        f":gray[{escape(slot)}] {escape(said[f'slot: {slot}'])}{_mark(row, slot, beside)}"
        for slot in slots
        if isinstance(said[f"slot: {slot}"], str)
    ]
    held = ""
    if beside.held is not None and said["item_id"] in beside.held.index:
        held = _held(beside.held.loc[said["item_id"]], said, slots, beside.vectors)
    return [badge, "\u00a0· ".join(values), held]


def _mark(row: int, slot: str, beside: _Beside) -> str:
    """Whether a value agrees with what is known, as markdown; the truth where it does not."""
    agrees = beside.agrees[slot].iloc[row] if slot in beside.agrees else None
    if agrees is None:
        return ""
    if agrees:
        return "\u00a0:green[✓]"
    return f"\u00a0:red[✗ {escape(shorten(str(beside.truth[slot][row]), 60))}]"


def _held(own: pd.Series, said: pd.Series, slots: tuple[str, ...], vectors: str) -> str:
    """The most probable word of each slot by the vector alone, as markdown; bold where it differs
    from what was said."""
    words = []
    for slot in slots:
        value = own.get(slot)
        if not isinstance(value, str):
            continue
        shown, told = escape(value), said[f"slot: {slot}"]
        if not isinstance(told, str) or lemmas(value) != lemmas(told):
            shown = f"**{shown}**"
        words.append(f"{shown} :gray[{own[f'{slot} confidence']:.0%}]")
    lead = f":gray[In the vector of {escape(vectors)}:]"
    return f":small[{lead} {' · '.join(words)}]" if words else ""


def slots(made: Descriptions) -> None:
    """How much is said in each slot, and how much of it the prompt said first."""
    if not made.structured:
        st.info("No slots were asked for: these descriptions are sentences.")
        return
    table, own = _slots(made.artefact.key, made)
    percent = st.column_config.NumberColumn(format="percent")
    st.dataframe(
        table.rename(
            columns={
                "slot": "Slot",
                "coverage": "Coverage",
                "values": "Values",
                "entropy": "Entropy, bits",
                "evenness": "Evenness",
                "top": "Most frequent",
                "top_share": "Its share",
                "leakage": "As in the example",
            }
        ),
        hide_index=True,
        placeholder="–",
        column_config={
            **dict.fromkeys(("Coverage", "Its share", "As in the example"), percent),
            "Entropy, bits": st.column_config.NumberColumn(
                format="%.2f", help="Of the values of this slot: 0 where all say the same"
            ),
            "Evenness": st.column_config.NumberColumn(
                format="%.2f", help="Entropy over that of as many equally frequent values"
            ),
        },
        alt="Slots of the descriptions",
    )
    leaking = table[table["leakage"] >= 0.5]
    for row in leaking.to_dict("records"):
        st.warning(
            f"{row['leakage']:.0%} of the answers in {escape(row['slot'])} only repeat the word of "
            f"the prompt's own example, {escape(row['top'])}: another example would tell whether "
            "the model sees it or copies it."
        )
    st.markdown(f"**{own:.1%}** of the descriptions are an item's own; the others are shared\\.")
    export_menu(f"slots-{made.artefact.key[:8]}", lambda: table)
