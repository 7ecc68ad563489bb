"""Which prompt a model is asked with: a known one, a saved one, or one written here; and a try."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from mmrec_core import jobs
from mmrec_core.descriptions.saved_prompts import forget_prompt, save_prompt, saved_prompts
from mmrec_core.domain import Dataset, InputError
from mmrec_core.extractors.prompts import (
    STRATEGIES,
    Prompt,
    known_prompt,
    known_prompts,
    make_prompt,
)
from mmrec_core.figures.words import shorten
from pages.ui.address import choose
from pages.ui.gallery import tile, tile_style
from pages.ui.job import job_panel
from pages.ui.words import escape

TRIED = 5
_OWN = "own: "
_DRAW = "tried"


def choose_prompt(dataset: Dataset) -> Prompt | None:
    """The prompt that is chosen or written; None while what is written is not valid."""
    key = f"{dataset.name}.describe"
    titles, saved = known_prompts(), saved_prompts(dataset.name)
    usual = "demo" if dataset.info.truth else "general"
    options = [*(_OWN + name for name in saved), *titles]

    def named(option: str) -> str:
        if option.startswith(_OWN):
            return f"{option.removeprefix(_OWN)} (saved)"
        return f"{titles[option]}: {', '.join(known_prompt(option).slots)}"

    first, second = st.columns([3, 2])
    with first:
        start = choose("Prompt", options, f"{key}.prompt", usual, named)
    own = start.startswith(_OWN)
    strategy = second.selectbox(
        "Strategy",
        STRATEGIES,
        disabled=own,
        help="structured fills slots; descriptive is a sentence; misaligned asks for something "
        "else, as a control. A saved prompt keeps its own.",
        key=f"{key}.strategy",
        bind="query-params",
        persist_state="session",
    )
    base = saved[start.removeprefix(_OWN)] if own else known_prompt(start, strategy)
    with st.expander("The prompt", icon=":material/edit_note:"):
        return _edited(dataset, base, f"{key}.{start}.{strategy}", start.removeprefix(_OWN), own)


def _edited(dataset: Dataset, base: Prompt, key: str, name: str, saved: bool) -> Prompt | None:
    slots = st.text_input("Slots, with commas between", ", ".join(base.slots), key=f"{key}.slots")
    named = [slot.strip() for slot in slots.split(",") if slot.strip()]
    wording = st.text_area(
        "Wording",
        base.wording,
        height="content",
        help="{slots} lists the slots, {form} shows the form of the answer, {example} an answer, "
        "{title} the item's title.",
        key=f"{key}.wording",
    )
    example = {}
    for place, slot in zip(st.columns(max(1, len(named))), named, strict=False):
        example[slot] = place.text_input(
            f"Example: {escape(slot)}", base.example.get(slot, ""), key=f"{key}.example.{slot}"
        )
    try:
        prompt = make_prompt(
            {"strategy": base.strategy, "slots": named, "example": example, "wording": wording}
        )
    except InputError as error:
        st.error(escape(error))
        return None
    st.caption("What the model is asked:")
    st.text(prompt.render("the title of the item"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        called = st.text_input(
            "Save as", name if saved else "", key=f"{key}.name", placeholder="A name", width=220
        )
        if st.button("Save", key=f"{key}.save", disabled=not called.strip()):
            save_prompt(dataset.name, called, prompt)
            st.toast(f"Saved for {escape(dataset.name)}.")
            st.rerun()
        if saved and st.button("Forget it", key=f"{key}.forget"):
            forget_prompt(dataset.name, name)
            st.rerun()
    return prompt


def try_out(dataset: Dataset, config: Mapping[str, Any]) -> None:
    """Five items described with the prompt as it stands; nothing is kept in the store."""
    pictured = np.flatnonzero((dataset.items["image"] != "").to_numpy())
    if not len(pictured):
        st.caption("No item has a picture, so there is nothing to describe.")
        return
    draw = _draw()
    rows = np.random.default_rng(draw).permutation(pictured)[:TRIED]
    items = [str(dataset.item_ids[row]) for row in np.sort(rows)]
    spec = {"dataset": dataset.name, "config": dict(config), "items": items}
    state = jobs.find("try-prompt", spec)
    with st.container(horizontal=True):
        if st.button(
            f"Try it on {len(items)} items",
            icon=":material/experiment:",
            disabled=state is not None and state.active,
        ):
            jobs.start("try-prompt", spec, f"Trying a prompt on {dataset.name}")
            st.rerun()
        if st.button("Other items", icon=":material/casino:"):
            st.query_params[_DRAW] = str(draw + 1)
            st.rerun()
    if state is None:
        return
    if state.status != "done":
        job_panel(state.key)
        return
    tile_style()
    for own in (state.result or {})["answers"]:
        _tried(dataset, own)


def _draw() -> int:
    """Which draw of items the address names."""
    named = st.query_params.get(_DRAW, "0")
    return int(named) if named.isdecimal() and len(named) < 10 else 0


def _tried(dataset: Dataset, own: Mapping[str, Any]) -> None:
    from pages.ui.described import STATUSES

    picture, words = st.columns([1, 4], gap="small")
    row = int(np.flatnonzero(dataset.item_ids == own["item_id"])[0])
    with picture:
        tile(dataset, dataset.items.iloc[row], f"tried-{own['item_id']}")
    text, colour = STATUSES[own["status"]]
    lines = [f":{colour}-badge[{text}]"]
    if own["failure"]:
        lines.append(f":small[:gray[{escape(own['failure'])}]]")
    lines += [f":gray[{escape(slot)}] {escape(value)}" for slot, value in own["values"].items()]
    words.markdown("  \n".join(lines))
    words.caption(f"Said: {escape(shorten(own['answer'], 400))}")
