"""What the history carries: as a sum, one left out at a time, and the smallest set."""

from typing import Any

import pandas as pd
import streamlit as st

from mmrec_core.explanations.additive import split_by_history
from mmrec_core.explanations.history import leave_one_out, smallest_set
from mmrec_core.explanations.methods import METHODS
from mmrec_core.explanations.subject import LISTED
from mmrec_core.figures.words import shorten
from pages.ui import explain_trust, item_lists
from pages.ui.explain_open import Opened
from pages.ui.gallery import name_of
from pages.ui.words import escape, number

SHOWN = 8


def show(own: Opened) -> None:
    """Carriers of the score among the history."""
    if not METHODS.get("history-split").reason(own.subject):
        table = split_by_history(own.subject, own.user, own.item)
        _carriers(own, table)
    else:
        st.info(escape(METHODS.get("history-split").reason(own.subject)))
    reason = METHODS.get("history-left-out").reason(own.subject)
    if reason:
        if METHODS.get("history-split").is_compatible(own.subject):
            st.info(escape(reason))
        return
    _one_left_out(own)


def _carriers(own: Opened, table: pd.DataFrame) -> None:
    carriers = table[table["history"] >= 0]
    rest = float(table.loc[table["history"] < 0, "value"].sum())
    top = carriers.head(SHOWN)
    n, against = len(carriers), int((carriers["value"] < 0).sum())
    items = "item of the history adds" if n == 1 else "items of the history add"
    words = f"{n:,} {items} **{number(float(carriers['value'].sum()), True)}** to the score"
    if against:
        words += f", {against:,} of them count against it"
    if rest:
        words += f"; {number(rest, True)} is no item's: the user's own embedding and biases"
    st.markdown(f"{words}\\. The values sum to the score\\.")
    rows = own.explained.rows[top["history"].to_numpy(dtype=int)]
    item_lists.tiles(
        own.dataset, rows, [number(float(v), True) for v in top["value"]], key="carrier"
    )
    explain_trust.line(own.explained, "history-split")


def _one_left_out(own: Opened) -> None:
    history = own.subject.history(own.user)
    done: dict[str, Any] = st.session_state.setdefault("left-one-out", {})
    st.markdown("**One left out**: the score had the user not taken an item, propagated anew\\.")
    if own.key not in done:
        n = len(history)
        with st.container(horizontal=True):
            go = st.button(f"Leave each of {n:,} out", key="loo", icon=":material/play_arrow:")
        if not go:
            return
        st.caption("Choosing anything else on the page stops it.")
        bar = st.progress(0.0, "Leaving one out")
        table = leave_one_out(
            own.subject, own.user, own.item,
            progress=lambda at, of, what: bar.progress(at / of, f"{at:,} of {of:,} {what}"),
        )  # fmt: skip
        smallest = smallest_set(
            own.subject, own.user, own.item, LISTED, table["history"].to_numpy()
        )
        bar.empty()
        done.clear()
        done[own.key] = (table, smallest)
    table, smallest = done[own.key]
    top = table.head(SHOWN)
    rank = own.subject.rank(own.user, own.item)
    rows = own.explained.rows[top["history"].to_numpy(dtype=int)]
    notes = [
        f"{number(float(c), True)}, rank {rank:,} → {int(r):,}"
        for c, r in zip(top["score_change"], top["rank"], strict=True)
    ]
    item_lists.tiles(own.dataset, rows, notes, key="left-out")
    explain_trust.line(own.explained, "history-left-out")
    if rank > LISTED:
        return
    if smallest is None:
        st.markdown(f"Without any history at all it would still be among the first {LISTED}\\.")
        return
    chosen, after = smallest
    titles = [
        escape(shorten(name_of(own.dataset.items.iloc[own.explained.rows[i]]), 50)) for i in chosen
    ]
    many = "item" if len(chosen) == 1 else "items"
    st.markdown(
        f"**Smallest set**: without {len(chosen)} {many} \\({', '.join(titles)}\\) it falls to "
        f"rank {after:,}\\. Found greedily: a smaller set may exist\\."
    )
