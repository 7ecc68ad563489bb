"""What descriptions are worth to a recommender: AttributeItemKNN's studies, with their controls."""

import pandas as pd
import streamlit as st

from mmrec_core import jobs
from mmrec_core.descriptions.service import Descriptions
from mmrec_core.domain import Dataset
from mmrec_core.extractors import make_extractor
from mmrec_core.extractors.controls import CONTROLS
from mmrec_core.extractors.hub import BUNDLED
from mmrec_core.metrics import metric_label
from mmrec_core.settings import settings
from mmrec_core.studies.attributes import (
    READERS,
    RECOMMENDER,
    attribute_study,
    readers_of,
    studies_of,
)
from mmrec_core.studies.results import StudyResult
from pages.ui.address import choose
from pages.ui.catalogue import planted
from pages.ui.export import export_menu
from pages.ui.job import job_panel
from pages.ui.records import study_link
from pages.ui.start import is_finished, plan_of, plan_text, start_button, study_jobs
from pages.ui.studies import (
    headline,
    how_effects,
    labels,
    settings_of,
    titles,
    verdict_numbers,
    verdict_table,
)
from pages.ui.words import columns_of_numbers, escape, how, number

TRIALS = {"0": "Defaults", "12": "Tuned, 12 trials", "60": "Tuned, 60 trials"}
"""Trials of every arm's search -> words."""

_ASKS = {
    "attributes": "Each value that was said becomes an attribute of the item. Used, if real "
    "attributes beat shuffled ones; gained, if they beat none.",
    "description-text": "Does taking the words apart into attributes add anything to reading them "
    "as a text?",
    "probed-attributes": "A common image extractor and a probe that learns the same labels: does "
    "it take a language model to get them?",
}
"""Reader -> what its study asks."""


def attributed(dataset: Dataset, made: Descriptions) -> None:
    """Studies whose features were made of the chosen descriptions, or the button that starts one.

    The decoded attributes come first; then what must be ruled out: the same words as a text, and
    the same labels by a probe.
    """
    found = studies_of(dataset.name, made)
    readers = readers_of(made)
    if "attributes" not in readers:
        st.info(
            "These descriptions were not asked for slots, so hold no attributes; a text encoder "
            "can still read them."
        )
    if dataset.info.truth and made.artefact.facts["model"] == BUNDLED:
        st.caption(
            "The bundled model was trained on the very attributes that carry the demo's planted "
            "tastes: what follows checks the instrument, and says nothing of other shops."
        )
    if not found:
        st.markdown(
            "Do these descriptions help a recommender? No study has asked yet. AttributeItemKNN "
            "compares items by what was said of them and by who took them. Beside it stand the "
            "same features dealt to the wrong items, noise in their place, and none at all."
        )
    for reader in readers:
        if reader in found:
            st.markdown(f"##### {READERS[reader]}")
            _results(found[reader], reader)
    _start(dataset, made, [reader for reader in readers if reader not in found], readers)


def _results(studies: list[StudyResult], reader: str) -> None:
    """One study of a reader: verdict, gains, and every arm that it is compared with."""
    known = labels(studies)
    result = studies[0]
    if len(studies) > 1:
        key = choose("Study", list(known), f"study-{reader}", next(iter(known)), known.__getitem__)
        result = next(study for study in studies if study.key.startswith(key))
    if result.verdicts:
        st.markdown(headline(result))
        st.table(
            verdict_table(result, planted(result.study["dataset"])),
            border="horizontal",
            hide_index=True,
        )
    else:
        st.info("This study compared no real with shuffled features, so it gives no verdict.")
    arms = arms_of(result)
    st.table(_cells(arms, result.study["metric"]), border="horizontal", hide_index=True)
    st.caption(escape(f"Settings: {result.settings_in_words}."))
    with st.container(horizontal=True, vertical_alignment="center"):
        how("How", how_effects(result), result.command, settings_of(result))
        export_menu(f"attributes-{result.key[:8]}", lambda: verdict_numbers(result))
        study_link(result.key[:12])


def arms_of(result: StudyResult) -> pd.DataFrame:
    """Real features, every control, and the references: arm, value, low, high, seeds."""
    metric, named = result.study["metric"], titles()
    rows = []
    # What is judged stands first, then its controls, then models without content.
    table = result.arms.sort_values("control", key=lambda own: own == "none", kind="stable")
    for row in table.to_dict("records"):
        name, control = str(row["recommender"]), str(row["control"])
        told = named.get(name, name)
        if control != "none":
            told = f"{told}: {CONTROLS.get(control).title.lower()}"
        low, high = row[f"{metric}_low"], row[f"{metric}_high"]
        rows.append(
            {"arm": told, "value": row[metric], "low": low, "high": high, "seeds": row["seeds"]}
        )
    return pd.DataFrame(rows)


def _cells(arms: pd.DataFrame, metric: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Arm": [escape(arm) for arm in arms["arm"]],
            escape(metric_label(metric)): columns_of_numbers(
                [number(x) for x in arms["value"]],
                [
                    "" if pd.isna(low) else f"[{number(low)}, {number(high)}]"
                    for low, high in zip(arms["low"], arms["high"], strict=True)
                ],
            ),
            "Seeds": [str(int(n)) for n in arms["seeds"]],
        }
    )


def _start(dataset: Dataset, made: Descriptions, missing: list[str], readers: list[str]) -> None:
    """Starts one of the studies as a job; says before what it takes."""
    st.markdown("##### Carry out a study")
    if settings().read_only:
        st.caption("This installation is on show: nothing is computed here.")
        return
    with st.container(horizontal=True):
        usual = (missing or readers)[0]
        reader = choose("Made of the answers", readers, "reader", usual, READERS.__getitem__)
        trials = choose("Settings", list(TRIALS), "trials", "0", TRIALS.__getitem__, width=200)
    st.caption(_ASKS[reader])
    values = attribute_study(dataset.name, made, reader, int(trials))
    for state in study_jobs(dataset.name):
        if jobs.spec(state.key) == values:
            job_panel(state.key)
            return
    choice = values["features"]["joint"]
    ok, reason = make_extractor(choice["extractor"], choice["config"]).availability()
    if not ok:
        st.error(f"{escape(reason[0].upper() + reason[1:])}\\.")
        return
    plan = plan_of(values)
    if is_finished(plan):
        st.caption("This very study is finished; it stands above.")
        return
    st.markdown(plan_text(plan))
    start_button(
        values,
        f"{titles()[RECOMMENDER]} on descriptions of {dataset.name}",
        "Start the study",
        "attributed-start",
        "here",
    )
