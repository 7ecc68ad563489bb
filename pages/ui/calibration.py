"""How far the instrument can be trusted: its record on worlds whose truth is known."""

import pandas as pd
import streamlit as st

from mmrec_core.figures import calibration_plot, calibration_plot_publication
from mmrec_core.store import Artefact
from mmrec_core.studies.calibration import (
    CONTROLS,
    FOUND,
    latest_calibration,
    share,
    smallest_found,
    summary,
)
from pages.ui.export import export_menu
from pages.ui.studies import titles
from pages.ui.words import columns_of_numbers, escape, how, number

COMMAND = "python -m mmrec_core calibrate"


def calibration_line() -> None:
    """One sentence: false alarms and what was found, with where to read more."""
    artefact = latest_calibration()
    if artefact is None:
        st.caption(
            "How often these verdicts are wrong was not measured for the models as they are now: "
            f"`{COMMAND}` does it on worlds whose truth is known."
        )
        return
    st.caption(line(artefact))
    st.page_link(
        "pages/study.py",
        label="How the instrument was checked",
        icon=":material/verified:",
        query_params={"view": "Calibration"},
    )


def line(artefact: Artefact) -> str:
    """The record of a calibration in a sentence of markdown."""
    table = summary(artefact.table("cells"))
    alarms = table[table["case"] == "not planted"]
    planted = table[(table["case"] == "planted") & (table["strength"] == table["strength"].max())]
    used = planted[planted["comparison"] == "used"]
    k, n = int(alarms["above"].sum()), int(alarms["cases"].sum())
    if not n or not len(used):
        return f"Checked on {artefact.facts['worlds']} worlds whose truth is known\\."
    low, high = share(k, n)
    alarm = "false alarm" if k == 1 else "false alarms"
    return escape(
        f"Checked on {artefact.facts['worlds']} fresh worlds whose truth is known: {k} {alarm} in "
        f"{n} comparisons where nothing was planted ({number(100 * k / n)} %, 95 % interval "
        f"{number(100 * low)} to {number(100 * high)}); content planted as strongly as in the "
        f"demo was found to be used in {int(used['above'].sum())} of {int(used['cases'].sum())} "
        "cases."
    )


def calibration() -> None:
    """The whole record: false alarms, power by strength, A/A."""
    artefact = latest_calibration()
    if artefact is None:
        st.info(
            "The models as they are now were not calibrated yet. It takes about an hour on two "
            "cores, is taken up where it was stopped, and says its minutes first:"
        )
        st.code(COMMAND, language="shell")
        return
    cells, same = artefact.table("cells"), artefact.table("same_arm")
    table = summary(cells)
    st.markdown(f"**{line(artefact)}**")
    named = titles()
    figure = calibration_plot(table, named)
    st.plotly_chart(
        figure,
        key="figure-calibration",
        alt=figure.layout.meta["description"],
        config={"displaylogo": False},
    )
    st.table(_cells(table), border="horizontal", hide_index=True)
    for (name, comparison), at in smallest_found(table).items():
        found = f"at {at} % of the demo's strength" if at else "at no strength tried"
        st.markdown(
            f"- {escape(named.get(name, name))}, *{comparison}*: planted content is found "
            f"{escape(found)}."
        )
    differ = int((same["p"] < 0.05).sum())
    if len(same):
        st.markdown(
            f"The same arm trained anew with other seeds (A/A, *neither* worlds): p < 0\\.05 in "
            f"{differ} of {len(same)}, *above* or *below* in "
            f"{int(same['state'].isin(['above', 'below']).sum())}."
        )
    with st.container(horizontal=True):
        how("How", _how(artefact, cells), COMMAND, artefact.spec["calibration"])
        export_menu(
            f"calibration-{artefact.key[:8]}",
            lambda: cells,
            lambda width: calibration_plot_publication(table, named, width=width),
            figure,
        )


def _cells(table: pd.DataFrame) -> pd.DataFrame:
    """The summary as markdown cells."""
    named = titles()
    case = [
        "nothing planted" if c == "not planted" else f"planted, {s} %"
        for c, s in zip(table["case"], table["strength"], strict=True)
    ]
    right = table["case"] == "planted"
    return pd.DataFrame(
        {
            "Recommender": [escape(named.get(n, n)) for n in table["recommender"]],
            "Comparison": [
                f"{kind}  \n:small[:gray[real − {control}]]"
                for kind, control in zip(table["comparison"], table["control"], strict=True)
            ],
            "Case": [escape(c) for c in case],
            "Above": [
                f"{k} of {n}  \n:small[:gray[{'found' if r else 'false alarms'}]]"
                for k, n, r in zip(table["above"], table["cases"], right, strict=True)
            ],
            "Share": columns_of_numbers(
                [f"{100 * s:.0f} %" for s in table["share"]],
                [
                    f"[{100 * low:.0f}, {100 * high:.0f}]"
                    for low, high in zip(table["low"], table["high"], strict=True)
                ],
            ),
        }
    )


def _how(artefact: Artefact, cells: pd.DataFrame) -> str:
    seeds = ", ".join(str(s) for s in sorted(cells["generator_seed"].unique()))
    compared = " and ".join(f"*{kind}* (real − {c})" for kind, c in CONTROLS.items())
    return (
        f"{artefact.facts['worlds']} worlds over the demo's shop, each with new users, tastes and "
        f"choices (generator seeds {seeds}; the defaults were tuned on seeds below 10). Tastes are "
        "planted in the pictures, the words, both or neither, at a share of the demo's strength. "
        f"Each world gets a study of its own; {compared} are judged by the rules of every study, "
        "for each modality and for the whole content. *Above* where nothing was planted is a "
        "false alarm; planted content that is not *above* is a miss. Intervals are exact "
        "binomial (Clopper and Pearson); comparisons of one world share users and arms, so their "
        f"errors are not independent. A strength counts as found from {FOUND:.0%} of its cases on."
    )
