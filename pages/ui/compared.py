"""Two studies side by side, arm by arm, paired by user and seed."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from mmrec_core.figures.words import p_value
from mmrec_core.metrics import metric_label
from mmrec_core.studies.cost import setting_name
from mmrec_core.studies.pairing import cautions, paired_table, why_not_paired
from mmrec_core.studies.results import StudyResult, list_studies
from pages.ui.address import choose
from pages.ui.export import export_menu
from pages.ui.studies import labels, titles
from pages.ui.words import columns_of_numbers, escape, how, number, percent

_HOW = (
    "Every arm that both studies have, the second minus the first, paired by the user and the "
    "training seed; 95 % intervals hold both (crossed, two-way), p is Holm over the rows, states "
    "by the first study's δ. Features, settings or versions may differ; the test items must be the "
    "same."
)


def compared() -> None:
    """Pickers, what differs between the two, and the paired table."""
    found = list_studies()
    datasets = list(dict.fromkeys(s.facts["dataset"] for s in found))
    datasets = [d for d in datasets if sum(s.facts["dataset"] == d for s in found) > 1]
    if not datasets:
        st.info(
            "There is no dataset with two finished studies yet. Carry out a second one, with other "
            "features or settings, and compare them here user by user."
        )
        return
    dataset = choose("Dataset", datasets, "compare-of", datasets[0])
    own = [study for study in found if study.facts["dataset"] == dataset]
    known = labels(own)
    by_key = {study.key[:12]: study for study in own}
    left, right = st.columns(2)
    with left:
        first = by_key[choose("First", list(known), "first", list(known)[-1], known.__getitem__)]
    others = [key for key in known if key != first.key[:12]]
    paired = [key for key in others if not why_not_paired(first, by_key[key])]
    with right:
        second = by_key[
            choose("Second", others, "second", (paired or others)[0], known.__getitem__)
        ]
    _differences(first, second)
    reason = why_not_paired(first, second)
    if reason:
        st.warning(f"These two cannot be compared user by user: {escape(reason)}\\.")
        return
    table = paired_table(first, second)
    if not len(table):
        st.info("The two studies have no arm in common.")
        return
    st.markdown(_sentence(table))
    for sentence in cautions(first, second):
        st.caption(escape(sentence))
    st.table(cells(table), border="horizontal", hide_index=True)
    with st.container(horizontal=True):
        how("How", _HOW, f"python -m mmrec_core compare {first.key[:12]} {second.key[:12]}")
        export_menu(f"compare-{first.key[:8]}-{second.key[:8]}", lambda: table)


def _differences(first: StudyResult, second: StudyResult) -> None:
    """What the two studies differ in, as lines of markdown."""
    said = []
    if not first.imported and not second.imported:
        names = [setting_name(study.study["features"]) for study in (first, second)]
        if names[0] != names[1]:
            said.append(f"features: **{escape(names[0])}** → **{escape(names[1])}**")
    for field in ("stage", "seeds", "tuning", "mask", "metric", "split"):
        a, b = first.study.get(field), second.study.get(field)
        if a != b:
            said.append(f"{field}: {escape(_short(a))} → {escape(_short(b))}")
    said += _settings(first.study["configs"], second.study["configs"])
    if first.imported != second.imported:
        said.append("one of them was made elsewhere")
    st.markdown("They differ in " + "; ".join(said) if said else "They are set up alike\\.")


def _settings(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """Each setting of a recommender that differs, as markdown."""
    said = []
    for name in dict.fromkeys([*first, *second]):
        one, other = first.get(name, {}), second.get(name, {})
        for field in dict.fromkeys([*one, *other]):
            a, b = one.get(field, "default"), other.get(field, "default")
            if a != b:
                text = f"{titles().get(name, name)} {field}: {a} → {b}"
                said.append(escape(text))
    return said


def _short(value: object) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 160 else f"{text[:159]}…"


def _sentence(table: pd.DataFrame) -> str:
    real = table[table["arm"].str.endswith(" · real")]
    shown = real if len(real) else table
    said = []
    for row in shown.to_dict("records"):
        name = str(row["arm"]).partition(" · ")[0]
        words = {"above": "better", "below": "worse", "equal": "equal", None: "not judged"}
        word = words.get(row["state"], "undecided")
        said.append(
            f"{escape(titles().get(name, name))}: **{word}** \\({percent(row['relative'])}\\)"
        )
    lead = (
        "With real content, the second against the first" if len(real) else "Second against first"
    )
    return f"{lead}: {', '.join(said)}\\."


def cells(table: pd.DataFrame) -> pd.DataFrame:
    """The paired table as markdown cells."""
    named = titles()
    metric = escape(metric_label(table["metric"].iloc[0]))

    def words(label: str) -> str:
        name, dot, rest = label.partition(" · ")
        return escape(f"{named.get(name, name)}{dot}{rest}")

    none = [""] * len(table)
    return pd.DataFrame(
        {
            "Arm": [words(str(label)) for label in table["arm"]],
            f"{metric}, first": columns_of_numbers([number(x) for x in table["first"]], none),
            "second": columns_of_numbers([number(x) for x in table["second"]], none),
            "Change": columns_of_numbers(
                [percent(x) for x in table["relative"]],
                [
                    f"[{number(100 * low)}, {number(100 * high)}]"
                    for low, high in zip(table["relative_low"], table["relative_high"], strict=True)
                ],
            ),
            "p, Holm": [p_value(p) for p in table["p_adjusted"]],
            "State": [state or "–" for state in table["state"]],
            "Users × seeds": [
                f"{n:,} × {s}" for n, s in zip(table["n_users"], table["seeds"], strict=True)
            ],
        }
    )
