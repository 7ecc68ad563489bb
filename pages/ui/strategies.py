"""Prompts of one model side by side: figures from the store, and items with every answer."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from mmrec_core import jobs
from mmrec_core.descriptions.service import UNSAID, Descriptions, described_items
from mmrec_core.descriptions.strategies import (
    config_under,
    control_sentence,
    expected_minutes,
    not_asked,
    not_measured,
    prompt_of,
    prompts_of,
    strategy_of,
    strategy_table,
)
from mmrec_core.domain import Dataset
from mmrec_core.extractors.prompts import known_prompt, known_prompts
from mmrec_core.figures.words import shorten
from mmrec_core.settings import settings
from mmrec_core.studies.plan import minutes_in_words
from pages.ui import known
from pages.ui.export import export_menu
from pages.ui.gallery import tile, tile_style
from pages.ui.job import job_panel
from pages.ui.words import escape, how

PAGE_SIZE = 4
MOST = 4
"""Prompts whose answers stand side by side."""

_HOW = (
    "The same model and the same pictures under different prompts. **Structured** asks for slots, "
    "**descriptive** for a sentence, **misaligned** for something that has nothing to do with the "
    "item: a control, which should score worst. *Strict*: answers in exactly the form that was "
    "asked for. *Declined*: refused or empty. *Distinct*: share of the items whose description no "
    "other item has. *R@1, R@10, MRR*: the round trip, from the words back to the item's own "
    "picture (see Faithfulness). *Truth*: share of the true values whose lemmas stand in the "
    "answer; *by chance*: the same with the truth of another item. *Unsupported*: slot "
    "values that neither the metadata nor the picture supports, which may be "
    "hallucinations; of sentences it is not defined. Shuffled descriptions are the best of all "
    "prompts'. Two shares count as different where they are 1.96 standard errors apart."
)
_COLUMNS = {
    "strict": ("Strict", "Answers in exactly the form that was asked for"),
    "declined": ("Declined", "Refused or empty answers"),
    "distinct": ("Distinct", "Items whose description no other item has"),
    "recall@1": ("R@1", "Round trip: the own item comes first"),
    "recall@10": ("R@10", "Round trip: the own item is among the first ten"),
    "mrr": ("MRR", "Round trip: mean reciprocal rank of the own item"),
    "unsupported": ("Unsupported", "Slot values that neither metadata nor picture supports"),
    "named": ("Truth", "True values that the answer names"),
    "named_by_chance": ("by chance", "The same with the truth of another item"),
}
"""Column of the table -> heading and help."""


def compared(dataset: Dataset, made: Descriptions) -> None:
    """Figures of every prompt of the chosen model, what is missing, and items side by side."""
    prompts = prompts_of(dataset, made)
    if not prompts:
        st.info(
            "The chosen descriptions are a control of the input, not of the prompt: the model was "
            "shown another picture or title. Choose others above to compare prompts."
        )
        return
    figures = st.container()
    truth = known.choose_truth_aside(dataset, made)
    table = strategy_table(dataset, prompts, truth)
    names = titles(prompts)
    with figures:
        st.markdown(escape(control_sentence(table)))
        _figures(table, names, made)
    _missing(dataset, made, prompts, truth)
    st.markdown("##### What each prompt got")
    _answers(dataset, prompts, names)


def titles(prompts: Sequence[Descriptions]) -> dict[str, str]:
    """Key -> what a prompt is called, unlike all the others."""
    named: dict[str, str] = {}
    for own in prompts:
        name = strategy_of(own)
        detail = _detail(own)
        if detail and sum(strategy_of(other) == name for other in prompts) > 1:
            name = f"{name}, {detail}"
        twice = sum(called.partition(" #")[0] == name for called in named.values())
        named[own.artefact.key] = f"{name} #{twice + 1}" if twice else name
    return named


def _detail(made: Descriptions) -> str:
    """Which known prompt it is; its slots where it is one's own."""
    prompt = prompt_of(made)
    if prompt is None:
        return ", ".join(made.slots)
    for name in known_prompts():
        if known_prompt(name, prompt.strategy) == prompt:
            return name
    return f"own: {', '.join(prompt.slots)}"


def _figures(table: pd.DataFrame, names: Mapping[str, str], made: Descriptions) -> None:
    shown = table.rename(columns={name: heading for name, (heading, _) in _COLUMNS.items()})
    called = zip(table["descriptions"], table["strategy"], strict=True)
    shown["Prompt"] = [
        names.get(str(key)) or str(strategy).removesuffix(" descriptions")
        for key, strategy in called
    ]
    column_config: dict[str, Any] = {}
    for name, (heading, words) in _COLUMNS.items():
        # What is defined for none of them takes room and says nothing.
        if not table[name].isna().all():
            form = "%.3f" if name == "mrr" else "percent"
            column_config[heading] = st.column_config.NumberColumn(format=form, help=words)
    shown = shown[["Prompt", *column_config]]
    st.dataframe(
        shown,
        hide_index=True,
        placeholder="–",
        column_config=column_config,
        alt="Prompts of one model side by side, and what their round trips must beat",
    )
    n = table["n"].max()
    if not pd.isna(n):
        st.caption(
            f"Round trips among {int(n):,} items; shares of answers are of the items that were "
            "asked about."
        )
    with st.container(horizontal=True):
        command = f"python -m mmrec_core strategies {made.artefact.key[:12]}"
        how("How", _HOW, command, {"prompt": made.artefact.facts["prompt"]})
        export_menu(f"prompts-{made.artefact.key[:8]}", lambda: table)


def _missing(
    dataset: Dataset,
    made: Descriptions,
    prompts: Sequence[Descriptions],
    truth: Mapping[str, str],
) -> None:
    """Says what was not asked or measured yet, and offers the job that does it."""
    if made.artefact.facts["imported"]:
        st.caption(
            "These answers were made elsewhere, so their model cannot be asked here: bring its "
            "answers to the other prompts under Add descriptions, from a file of the same name."
        )
    ask = not_asked(dataset, made)
    measure = not_measured(dataset, prompts, truth)
    if not ask and not measure:
        return
    said = []
    if ask:
        said.append(f"not asked yet: **{', '.join(ask)}**")
    if measure:
        named = titles(prompts)
        said.append(f"not measured yet: **{', '.join(named[m.artefact.key] for m in measure)}**")
    text = "; ".join(said)
    st.markdown(f"{text[0].upper()}{text[1:]}\\.")
    if settings().read_only:
        st.caption("This installation is on show: nothing is computed here.")
        return
    spec: dict[str, Any] = {
        "dataset": dataset.name,
        "ask": [config_under(made, strategy) for strategy in ask],
        "measure": [own.artefact.key for own in measure],
    }
    if truth:
        spec["truth"] = dict(truth)
    state = jobs.find("strategies", spec)
    if state is not None and state.status != "done":
        job_panel(state.key)
        return
    minutes = minutes_in_words(expected_minutes(dataset, made, len(ask), len(measure)))
    label = "Ask and measure" if ask else "Measure"
    if st.button(f"{label}: about {minutes}", type="primary", icon=":material/play_arrow:"):
        jobs.start("strategies", spec, f"Prompts compared on {dataset.name}")
        st.rerun()


def _answers(dataset: Dataset, prompts: Sequence[Descriptions], names: Mapping[str, str]) -> None:
    """Items as pictures with the answer of every prompt beside."""
    pictured = np.flatnonzero((dataset.items["image"] != "").to_numpy(dtype=bool))
    if not len(pictured):
        st.caption("No item has a picture.")
        return
    if len(prompts) > MOST:
        chosen = st.multiselect(
            "Prompts",
            list(names.values()),
            default=list(names.values())[:MOST],
            max_selections=MOST,
            key="side-by-side",
            **known.KEPT,
        )
        prompts = [own for own in prompts if names[own.artefact.key] in chosen]
    n_pages = -(-len(pictured) // PAGE_SIZE)
    place = st.container()
    page = 1
    if n_pages > 1:
        with st.container(horizontal_alignment="center"):
            page = st.pagination(
                n_pages, key="compared-page", bind="query-params", max_visible_pages=9
            )
    rows = pictured[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    ids = [str(dataset.item_ids[row]) for row in rows]
    with place:
        tile_style()
        told = [described_items(dataset, own, ids) for own in prompts]
        for row, item_id in zip(rows, ids, strict=True):
            cells = st.columns([2, *[5] * len(prompts)], gap="small")
            with cells[0]:
                tile(dataset, dataset.items.iloc[row], f"compared-{item_id}")
            for cell, own, answers in zip(cells[1:], prompts, told, strict=True):
                with cell:
                    name = escape(names[own.artefact.key])
                    st.markdown(f":small[:gray[{name}]]  \n{_said(answers.loc[item_id])}")


def _said(answer: pd.Series) -> str:
    if answer["status"] == UNSAID:
        return f":small[:gray[{escape(answer['failure'] or 'not described')}]]"
    text = answer["text"] or answer["answer"]
    return escape(shorten(text, 220)) if text else ":gray[Nothing was said\\.]"
