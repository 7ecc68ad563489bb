"""What every setting costs beside what it gains."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from mmrec_core.exports.drawings import recommender_titles
from mmrec_core.figures import cost_plot, cost_plot_publication
from mmrec_core.metrics import metric_label
from mmrec_core.studies.cost import comparable, cost_table, measured
from mmrec_core.studies.results import StudyResult, list_studies
from pages.ui.figure import figure_with_menu
from pages.ui.words import escape, number

AXES = {
    "train_seconds": "Seconds to train one seed",
    "seconds": "Seconds to extract and to train one seed",
    "extract_seconds": "Seconds to extract",
    "memory_mib": "Memory, MiB",
    "width": "Columns of the features",
}
_HOW = (
    "Every model with real content of all finished studies on the same test items, and the models "
    "without content; their settings differ, and some are tuned (see the table). Seconds are as "
    "they were measured on the machine that trained; machines that are shared make them rough. "
    "Extraction is that of the whole catalogue and is paid once, "
    "training for every seed. Memory is the most that the training process held, features and all. "
    "On the line: no other setting is both cheaper and better."
)


def costs(result: StudyResult, metric: str, kept: dict[str, Any]) -> None:
    """Plot and table of cost against gain over all studies on the same test items."""
    if result.imported:
        st.info("What lists cost that were made elsewhere is not known here.")
        return
    axis = st.selectbox("Cost", list(AXES), format_func=AXES.__getitem__, key="cost-axis", **kept)
    others = [own for own in list_studies(result.study["dataset"]) if not own.imported]
    found = comparable(result, [result, *others])
    table = _table(tuple(own.key for own in found), metric, found)
    st.markdown(_sentence(table, metric))
    known = measured(table, axis)
    if len(known) < len(table):
        st.caption(
            f"{len(table) - len(known)} settings are not drawn: their cost was not measured."
        )
    if len(known):
        figure_with_menu(
            "cost",
            result,
            cost_plot(known, metric, axis, recommender_titles()),
            lambda: table,
            lambda width: cost_plot_publication(
                known, metric, axis, recommender_titles(), width=width
            ),
            _HOW,
        )
    st.dataframe(
        shown(table, metric),
        hide_index=True,
        placeholder="–",
        column_config={
            "Extract, s": st.column_config.NumberColumn(format="%.1f"),
            "Train, s": st.column_config.NumberColumn(format="%.1f"),
            "Memory, MiB": st.column_config.NumberColumn(format="%.0f"),
            metric_label(metric): st.column_config.NumberColumn(format="%.4f"),
            "from": st.column_config.NumberColumn(format="%.4f"),
            "to": st.column_config.NumberColumn(format="%.4f"),
        },
        alt="Cost and quality of every setting, the best first",
    )


@st.cache_data(max_entries=32, show_spinner=False)
def _table(keys: tuple[str, ...], metric: str, _found: Sequence[StudyResult]) -> pd.DataFrame:
    """The cost table of some studies, read once: a choice of axis must not read them all again."""
    return cost_table(_found, metric)


def _sentence(table: pd.DataFrame, metric: str) -> str:
    """The best of all, and the quickest that comes near it."""
    named = recommender_titles()

    def who(row: Any) -> str:
        name = escape(named.get(row["recommender"], row["recommender"]))
        return name if row["reference"] else f"{name} with {escape(row['setting'])}"

    best = table.iloc[0]
    timed = pd.notna(best["train_seconds"])
    seconds = f", {number(best['train_seconds'])} s a training" if timed else ""
    text = f"The best is **{who(best)}** \\({escape(metric_label(metric))} {number(best['value'])}"
    text += f"{seconds}\\)"
    near = measured(table[table["value"] >= 0.98 * best["value"]], "train_seconds")
    quickest = near.sort_values("train_seconds").iloc[0] if len(near) else best
    same = (quickest["recommender"], quickest["setting"]) == (best["recommender"], best["setting"])
    if not same:
        text += f"; **{who(quickest)}** comes within 2 % of it in "
        text += f"{number(quickest['train_seconds'])} s"
    content = table[~table["reference"]]
    if best["reference"] and len(content):
        top = content.iloc[0]
        text += (
            f"; the best with content is **{who(top)}** \\({number(top['value'])}, "
            f"{number(top['train_seconds'])} s\\)"
        )
    return f"{text}\\."


def shown(table: pd.DataFrame, metric: str) -> pd.DataFrame:
    """The table as it is read on screen."""
    named = recommender_titles()
    return pd.DataFrame(
        {
            "Model": [named.get(n, n) for n in table["recommender"]],
            "Features": table["setting"],
            metric_label(metric): table["value"],
            "from": table["low"],
            "to": table["high"],
            "Extract, s": table["extract_seconds"],
            "Train, s": table["train_seconds"],
            "Memory, MiB": table["memory_mib"],
            "Columns": table["width"],
            "Seeds": table["seeds"],
            "Tuned": table["tuned"],
            "Study": [key[:8] for key in table["study"]],
        }
    )
