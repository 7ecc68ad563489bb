"""How much the lists of two arms agree, and for whom they differ most."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.exports.drawings import AGREEMENT_K, recommender_titles, whole_models
from mmrec_core.figures import agreement_map, agreement_map_publication
from mmrec_core.metrics import metric_label
from mmrec_core.metrics.agreement import AGREEMENT, AGREEMENT_TITLES
from mmrec_core.metrics.ranking import CUTOFFS, PAD
from mmrec_core.studies.agreement import (
    agreement_table,
    lists_of,
    most_different,
    same_arm_agreement,
)
from mmrec_core.studies.evidence import Runs
from mmrec_core.studies.inputs import Inputs
from mmrec_core.studies.results import StudyResult
from mmrec_core.studies.stored import inputs_of, kept_runs, per_user
from mmrec_core.studies.study import Arm
from pages.ui.figure import figure_with_menu
from pages.ui.gallery import item_opened, tile_style, tiles
from pages.ui.words import escape, number

MOST_ARMS = 30
MOST_KENDALL = 12
SHOWN_USERS = 50
_LISTED = 10
_HOW = (
    "For every user and seed the two lists of the same seed are compared, then averaged; intervals "
    "hold users and seeds. **Overlap**: items in both, divided by k. **Jaccard**: items in both, "
    "divided by items in either. **RBO**: rank-biased overlap, extrapolated (Webber, Moffat, Zobel "
    "2010, eq. 32), p = 0.9: the top counts most. **Kendall**: τ-b over the union, an absent item "
    "tied with the others at rank k + 1. Two trainings of the same arm do not agree fully either: "
    "what they agree is the yardstick."
)


def agreement(result: StudyResult, kept: dict[str, Any]) -> None:
    """The map of agreement, the users of greatest disagreement, and their lists."""
    inputs, runs = _read(result.key, result)
    arms = {arm.label: arm for arm in runs}
    if len(arms) < 2:
        st.info("Fewer than two arms' lists are kept here. The command makes them again:")
        st.code(result.command, language="shell", wrap_lines=True)
        return
    if len(arms) < len(result.arms):
        st.caption(
            f"The lists of {len(arms)} of {len(result.arms)} arms are kept here, with "
            f"{max(map(len, runs.values()))} of {result.study['seeds']} seeds; the study's command "
            "makes the others again."
        )
    whole = sorted(whole_models(result), key=lambda arm: arm.control != "real")
    usual = [arm.label for arm in whole if arm.recommender != "random" and arm in runs]
    first, second, third = st.columns([4, 1.4, 1])
    chosen = first.multiselect(
        "Arms",
        list(arms),
        default=usual[:MOST_ARMS],
        max_selections=MOST_ARMS,
        format_func=_words,
        key=f"agree-{result.key[:12]}",
        wrap=True,
        **kept,
    )
    measure = second.selectbox(
        "Measure", list(AGREEMENT), format_func=AGREEMENT_TITLES.__getitem__, key="agree-by", **kept
    )
    if len(chosen) < 2:
        st.info("Choose two arms or more.")
        return
    if measure == "kendall" and len(chosen) > MOST_KENDALL:
        st.info(f"Kendall compares every pair of items: choose {MOST_KENDALL} arms at most.")
        return
    longest = min(run.array("lists").shape[1] for own in runs.values() for run in own)
    ks = [k for k in CUTOFFS if k <= longest]
    usual_k = ks.index(AGREEMENT_K) if AGREEMENT_K in ks else len(ks) - 1
    k = third.selectbox("At k", ks, index=usual_k, key="agree-k", **kept)
    with st.spinner("Comparing lists"):
        table = _table(result.key, tuple(chosen), measure, k, runs)
    st.markdown(_sentence(table, runs, arms, measure, k))
    named = recommender_titles()
    figure_with_menu(
        "agreement",
        result,
        agreement_map(table, measure, named),
        lambda: table,
        lambda width: agreement_map_publication(table, measure, named, width=width),
        _HOW,
    )
    st.markdown("##### For whom two arms differ most")
    left, right = st.columns(2)
    one = left.selectbox("One arm", chosen, format_func=_words, key="agree-one", **kept)
    others = [label for label in chosen if label != one]
    other = right.selectbox("The other", others, format_func=_words, key="agree-other", **kept)
    _users(result, inputs, runs, arms[one], arms[other], measure, k)


def _words(label: str) -> str:
    """An arm's label with the recommender's name on screen."""
    name, dot, rest = label.partition(" · ")
    return f"{recommender_titles().get(name, name)}{dot}{rest}"


@st.cache_resource(max_entries=4, show_spinner=False)
def _read(key: str, _result: StudyResult) -> tuple[Inputs, Runs]:
    inputs = inputs_of(_result)
    return inputs, kept_runs(_result, inputs)


@st.cache_data(max_entries=32, show_spinner=False)
def _table(key: str, labels: tuple[str, ...], measure: str, k: int, _runs: Runs) -> pd.DataFrame:
    by_label = {arm.label: arm for arm in _runs}
    return agreement_table(_runs, [by_label[label] for label in labels], (measure,), k)


@st.cache_data(max_entries=32, show_spinner=False)
def _different(
    key: str, one: str, other: str, measure: str, k: int, _result: StudyResult, _runs: Runs
) -> pd.DataFrame:
    by_label = {arm.label: arm for arm in _runs}
    return most_different(_runs, by_label[one], by_label[other], per_user(_result), measure, k)


def _sentence(table: pd.DataFrame, runs: Runs, arms: dict[str, Arm], measure: str, k: int) -> str:
    """The pair that agrees least and most, beside what chance alone makes differ."""
    if not len(table):
        return "No user has lists of both arms\\."

    def words(label: str) -> str:
        return escape(_words(label))

    low, high = table.loc[table["value"].idxmin()], table.loc[table["value"].idxmax()]
    text = (
        f"**{words(high['arm_a'])}** and **{words(high['arm_b'])}** agree by "
        f"{number(high['value'])}\\."
        if len(table) == 1
        else f"Most alike are **{words(high['arm_a'])}** and **{words(high['arm_b'])}** "
        f"\\({number(high['value'])}\\), least **{words(low['arm_a'])}** and "
        f"**{words(low['arm_b'])}** \\({number(low['value'])}\\)\\."
    )
    own = [arms[label] for label in dict.fromkeys([*table["arm_a"], *table["arm_b"]])]
    drawn = [a for a in own if len(runs[a]) > 1 and a.recommender != "random"]
    if drawn:
        same = same_arm_agreement(runs, drawn[0], measure, k)
        text += (
            f" Two trainings of the same arm, {words(drawn[0].label)}, agree by {number(same)}: "
            "below that, difference is more than chance\\."
        )
    return text


def _users(
    result: StudyResult,
    inputs: Inputs,
    runs: Runs,
    one: Arm,
    other: Arm,
    measure: str,
    k: int,
) -> None:
    """Users, those of greatest disagreement first; the chosen one's lists below."""
    table = _different(result.key, one.label, other.label, measure, k, result, runs)
    split = inputs.split
    ids = split.user_ids[table["user"]]
    shown = pd.DataFrame(
        {
            "User": ids,
            AGREEMENT_TITLES[measure].partition(" ")[0]: table["agreement"],
            _words(one.label): table["first"],
            _words(other.label): table["second"],
            "Training items": np.diff(split.train.indptr)[table["user"]],
        }
    ).head(SHOWN_USERS)
    three = st.column_config.NumberColumn(format="%.3f")
    picked = st.dataframe(
        shown,
        hide_index=True,
        height=240,
        placeholder="–",
        key=f"agree-users-{result.key[:8]}-{one.label}-{other.label}",
        on_select="rerun",
        selection_mode="single-row",
        column_config=dict.fromkeys(shown.columns[1:4], three),
        alt="Users whose lists differ most",
    )
    rows = picked["selection"]["rows"]
    at = rows[0] if rows and rows[0] < len(shown) else 0
    st.caption(
        f"The {len(shown):,} of {len(table):,} users whose lists differ most; "
        f"{escape(metric_label(result.study['metric']))}, mean over seeds. Tick a row for another "
        "user's lists\\."
    )
    _lists(inputs, runs, one, other, int(table["user"].iloc[at]), k)


def _lists(inputs: Inputs, runs: Runs, one: Arm, other: Arm, user: int, k: int) -> None:
    dataset = load_dataset(inputs.dataset.name)
    row_of = pd.Index(dataset.item_ids).get_indexer(pd.Index(inputs.split.item_ids))
    relevant = set(inputs.split.relevant("test")[[user]].indices.tolist())
    first, second = (lists_of(runs, arm, k)[0][user] for arm in (one, other))
    seed = runs[one][0].spec["seed"]
    st.markdown(
        f"User **{escape(inputs.split.user_ids[user])}**, seed {seed}: the first {_LISTED} of each "
        f"list. :green[✓] a relevant test item; the rank in the other list stands beside."
    )
    tile_style()
    item_opened(dataset)
    for column, arm, own, their in zip(
        st.columns(2, gap="large"), (one, other), (first, second), (second, first), strict=True
    ):
        with column:
            st.markdown(f"**{escape(_words(arm.label))}**")
            items = [int(i) for i in own[:_LISTED] if i != PAD]
            if not items:
                st.caption("No list.")
                continue
            tiles(
                dataset,
                row_of[items],
                notes(items, their, relevant),
                key=f"agree-{arm.label}-{user}".replace(" · ", "-"),
            )


def notes(items: Sequence[int], their: np.ndarray, relevant: set[int]) -> list[str]:
    """Under each item: its rank, a mark where it is relevant, its rank in the other list."""
    place = {int(item): rank for rank, item in enumerate(their, 1) if item != PAD}
    return [
        f"{rank}" + (" ✓" if item in relevant else "")
        + (f" · {place[item]} there" if item in place else " · not there")
        for rank, item in enumerate(items, 1)
    ]  # fmt: skip
