"""Every whole model of a study, the best first, beside published figures where they match."""

from typing import Any

import pandas as pd
import streamlit as st

from mmrec_core.metrics import METRICS, metric_label, split_key
from mmrec_core.studies.anchors import PublishedSet, published
from mmrec_core.studies.results import StudyResult
from pages.ui.export import export_menu
from pages.ui.studies import settings_of, titles
from pages.ui.words import escape, how, number

OTHERS = ("recall", "ndcg", "hr", "mrr")

_HOW = (
    "Mean over users and seeds of every model with its real content, and of the references "
    "without. The 95 % interval holds users and seeds as sources of chance; intervals of two "
    "models that overlap may still differ, since the same users stand in both: differences are "
    "judged in pairs, under Effects. Click a column to sort by it. A content model that does not "
    "beat ItemKNN and EASE has shown nothing about its content."
)


def leaderboard(result: StudyResult, metric: str) -> None:
    """A sortable table of whole models at a metric, and a sentence on who leads."""
    table, anchors = ranking(result, metric), _published(result)
    st.markdown(_sentence(table, metric))
    if not result.tuned and (weak := _untrained_ahead(table)):
        st.warning(weak)
    rows = table.assign(source="this study")
    if anchors is not None:
        known = [
            {"model": model, "value": values[metric], "source": "published"}
            for model, values in anchors.figures.items()
            if metric in values
        ]
        if known:
            rows = pd.concat([rows, pd.DataFrame(known)], ignore_index=True)
        else:
            anchors = None
    label = metric_label(metric)
    names = {"model": "Model", "kind": "Reads", "value": label, "low": "from", "high": "to"}
    k = split_key(metric)[1]
    others = [f"{name}@{k}" for name in OTHERS if f"{name}@{k}" in rows and f"{name}@{k}" != metric]
    names |= {own: METRICS.get(own.partition("@")[0]).label for own in others}
    names |= {f"coverage_share@{k}": "Coverage", "seconds": "Seconds", "seeds": "Seeds"}
    names |= {"source": "Source"}
    shown = rows[[name for name in names if name in rows]].rename(columns=names)
    four = st.column_config.NumberColumn(format="%.4f")
    st.dataframe(
        shown if anchors is not None else shown.drop(columns="Source"),
        hide_index=True,
        placeholder="–",
        column_config={
            **dict.fromkeys((label, "from", "to", *(names[own] for own in others)), four),
            "Coverage": st.column_config.NumberColumn(
                format="percent", help="Share of the items that stand on any list"
            ),
            "Seconds": st.column_config.NumberColumn(format="%.1f", help="To train one seed"),
        },
        alt=f"Models by {label}",
    )
    if anchors is not None:
        st.caption(
            escape(
                f"Published: {anchors.source}, {anchors.title}. {anchors.protocol}. The counts "
                "match; the split, the extractors and the settings are theirs, so compare orders "
                "of magnitude."
            )
        )
    with st.container(horizontal=True):
        how("How", _HOW, result.command, settings_of(result))
        export_menu(f"leaderboard-{result.key[:8]}", lambda: rows)


def ranking(result: StudyResult, metric: str) -> pd.DataFrame:
    """Whole models, the best first: model, kind, value, low, high, and every other column."""
    arms = result.arms
    whole = arms[arms["control"].isin(("real", "none"))].copy()
    named, modalities = titles(), " and ".join(result.study["modalities"])
    whole["model"] = [named.get(name, name) for name in whole["recommender"]]
    whole["kind"] = [modalities if c == "real" else "no content" for c in whole["control"]]
    whole["value"] = whole[metric]
    whole["low"], whole["high"] = whole[f"{metric}_low"], whole[f"{metric}_high"]
    return whole.sort_values("value", ascending=False, kind="stable")


def _sentence(table: pd.DataFrame, metric: str) -> str:
    """Who leads, with and without content, as markdown."""

    def said(rows: pd.DataFrame) -> str:
        row = rows.iloc[0]
        interval = f"\\[{number(row['low'])}, {number(row['high'])}\\]"
        return f"**{escape(row['model'])}** {number(row['value'])} {interval}"

    content, rest = table[table["control"] == "real"], table[table["control"] == "none"]
    label = escape(metric_label(metric))
    if not len(rest):
        return f"Best at {label}: {said(content)}\\."
    ahead = content["value"].iloc[0] > rest["value"].iloc[0]
    link = "ahead of" if ahead else "behind"
    return (
        f"At {label} the best model that reads content, {said(content)}, is {link} the best "
        f"without, {said(rest)}\\."
    )


AHEAD = 0.1
"""Lead of a model that is not trained by steps from which untuned defaults are in doubt."""


def _untrained_ahead(table: pd.DataFrame) -> str:
    """Doubt of the defaults where a closed-form reference is far ahead of all trained models."""
    trained = table["best_epoch"] > 0
    if not trained.any() or trained.all():
        return ""
    best, other = table[trained].iloc[0], table[~trained].iloc[0]
    lead = other["value"] / best["value"] - 1 if best["value"] > 0 else 0.0
    if lead < AHEAD:
        return ""
    return (
        f"{escape(other['model'])} is {lead:.0%} ahead of the best trained model, "
        f"{escape(best['model'])}. The defaults of trained models, their reg above all, were found "
        "on sparser data and may not fit these: before this table says anything about content, "
        "tune every arm (New study, Trials of every arm)."
    )


def _published(result: StudyResult) -> PublishedSet | None:
    document: dict[str, Any] = result.document
    if "n_interactions" not in document:
        return None
    return published(
        document["n_users"],
        document["n_items"],
        document["n_interactions"],
        (result.study["split"] or {}).get("strategy", ""),
    )
