"""What the search of every arm's settings tried, and what it chose."""

import json

import pandas as pd
import streamlit as st

from mmrec_core.studies.results import StudyResult
from pages.ui.export import export_menu
from pages.ui.form import label_of
from pages.ui.studies import settings_of
from pages.ui.words import escape, how

_HOW = (
    "Every arm that is trained, its controls included, is searched for itself with the same number "
    "of trials, or its whole grid where that is smaller: a control that kept the settings of the "
    "real features would be handicapped. A trial trains with "
    "the study's first seed and counts its best **validation** Recall@20; the test part is never "
    "looked at. The defaults are tried first where they lie in the space. Trials below "
    "the median of earlier ones at the same epoch are cut short; five run to their end first."
)


def tuning(result: StudyResult) -> None:
    """The chosen settings of every arm, and all trials behind them."""
    trials = result.trials
    st.markdown("**Chosen for every arm**")
    spent = trials.groupby("arm", sort=False).agg(
        trials=("number", "size"),
        cut=("state", lambda states: int((states == "pruned").sum())),
        seconds=("seconds", "sum"),
    )
    best = trials[trials["chosen"]].drop_duplicates("arm").set_index("arm")
    chosen = best[["value", "settings"]].join(spent)
    shown = pd.DataFrame(
        {
            "Arm": chosen.index,
            "Validation Recall@20": chosen["value"].to_numpy(),
            "Settings": [_words(text) for text in chosen["settings"]],
            "Trials": chosen["trials"].to_numpy(),
            "Cut short": chosen["cut"].to_numpy(),
            "Seconds": chosen["seconds"].to_numpy(),
        }
    )
    four = st.column_config.NumberColumn(format="%.4f")
    st.dataframe(
        shown,
        hide_index=True,
        column_config={
            "Validation Recall@20": four,
            "Seconds": st.column_config.NumberColumn(format="%.0f"),
        },
        alt="Chosen settings of every arm",
    )
    lost = sorted(set(trials["arm"]) - set(chosen.index))
    if lost:
        st.warning(f"No trial of {escape(', '.join(lost))} ended well, so the defaults stand.")
    with st.expander("All trials"):
        st.dataframe(
            trials.assign(settings=[_words(text) for text in trials["settings"]]),
            hide_index=True,
            column_config={"value": four},
            alt="All trials",
        )
    with st.container(horizontal=True):
        how("How", _HOW, result.command, settings_of(result))
        export_menu(f"trials-{result.key[:8]}", lambda: trials)


def _words(settings: str) -> str:
    """Settings as a person reads them: ``learning rate 0.005, reg 0.1``."""
    return ", ".join(
        f"{label_of(name)} {value:g}"
        if isinstance(value, int | float)
        else f"{label_of(name)} {value}"
        for name, value in json.loads(settings).items()
    )
