"""What each modality contributes: Shapley values, missing-modality curve, perceptual score."""

import pandas as pd
import streamlit as st

from mmrec_core import jobs
from mmrec_core.domain import InputError
from mmrec_core.exports.drawings import MAKERS, Drawing
from mmrec_core.figures.palette import modality_label
from mmrec_core.figures.words import p_value
from mmrec_core.metrics import metric_label
from mmrec_core.settings import settings
from mmrec_core.studies.perceptual import PERMUTATIONS, find_perception, readers
from mmrec_core.studies.results import StudyResult
from pages.ui.export import export_menu
from pages.ui.figure import drawn
from pages.ui.job import job_panel
from pages.ui.studies import settings_of, titles
from pages.ui.words import columns_of_numbers, escape, how, number, percent

_HOW_SHAPLEY = (
    "v(S) is the metric of the model trained with the modalities in S real and the others removed. "
    "The Shapley value of a modality is its mean contribution over all orders in which modalities "
    "can join: φ = Σ |S|! (M − |S| − 1)! / M! · (v(S + m) − v(S)). It is exact, not sampled, and "
    "the values add up to v(all) − v(none). They are computed for every user and seed and then "
    "averaged, so intervals hold both. **Interaction** is v(image, text) − v(image) − v(text) + "
    "v(none): above zero the modalities need each other, below they say the same. *(Shapley 1953)*"
)
_PLAYERS = {"id": "embeddings of users and items"}
_HOW_CURVE = (
    "The modality is taken from 20, 40, 60 and 80 % of the items that have it, drawn with the "
    "seed; an item that is lost at 20 % is lost at 40 % too. Each point is an arm of its own, "
    "trained on what is left. The ends are the real and the removed arm."
)
_HOW_PERCEPTION = (
    "The trained models are scored again with the features of a modality permuted among the items, "
    "several permutations for each seed; nothing is retrained. The score is the share of the "
    "metric that is lost. It says what the model as it is reads; whether it could do without "
    "is what *gained* says. *(Gat, Schwartz, Schwing, NeurIPS 2021)*"
)


def contribution(result: StudyResult) -> None:
    """The three measures, each with how it is made, or with what is needed for it."""
    st.markdown("##### Shapley values")
    _shapley(result)
    st.markdown("##### When items lack content")
    try:
        for drawing in MAKERS["missing-modality"](result):
            drawn(drawing, result, _HOW_CURVE)
    except InputError:
        st.info(
            "This study has no missing-modality curve. Tick **Missing-modality curve** beside the "
            "controls of a new study, or add `--controls missing-20 missing-40 missing-60 "
            "missing-80` to the command: the arms that are there are not trained again."
        )
    st.markdown("##### Perceptual score: permuted without retraining")
    _perception(result)


def _shapley(result: StudyResult) -> None:
    try:
        drawing = next(iter(MAKERS["shapley"](result)))
    except InputError as reason:
        st.info(f"{escape(str(reason)[0].upper() + str(reason)[1:])}\\.")
        return
    for sentence in shapley_sentences(drawing, result.study["metric"]):
        st.markdown(f"- {sentence}")
    drawn(drawing, result, _HOW_SHAPLEY)
    players = set(drawing.table["part"])
    own = result.study["configs"].get("vbpr", {}).get("use_ids", True)
    offered = "vbpr" in result.study["recommenders"] and own and "id" not in players
    if offered and not result.imported:
        st.caption(
            "The embeddings of users and items become a player too once the same study is made "
            "without them: `--set vbpr.use_ids=false`."
        )


def shapley_sentences(drawing: Drawing, metric: str) -> list[str]:
    """What the values add up to, a sentence of markdown for each recommender."""
    named, said = titles(), []
    for name, own in drawing.table.groupby("recommender", sort=False):
        value = own.set_index("part")["value"]
        players = [p for p in value.index if p not in ("empty", "all", "interaction")]
        parts = ", ".join(
            f"{_PLAYERS.get(p) or escape(modality_label(p))} **{number(value[p], sign=True)}**"
            for p in players
        )
        gain = value["all"] - value["empty"]
        said.append(
            f"{escape(named.get(str(name), str(name)))} goes from {number(value['empty'])} to "
            f"{number(value['all'])} in {escape(metric_label(metric))} "
            f"\\({number(gain, sign=True)}\\): {parts}\\."
        )
    return said


def _perception(result: StudyResult) -> None:
    if result.imported:
        st.info("Lists made elsewhere come without their model, so nothing can be scored again.")
        return
    read, blind = readers(result)
    if blind:
        named = ", ".join(escape(titles().get(name, name)) for name in blind)
        st.caption(
            f"Not measured for {named}: the score reads no features, or they are parameters "
            "\\(trainable features\\)\\."
        )
    if not read:
        return
    table = find_perception(result)
    if table is None:
        _measure(result)
        return
    st.table(perception_cells(table), border="horizontal", hide_index=True)
    st.caption(
        f"Loss of {escape(metric_label(result.study['metric']))} in % of the real mean, 95 % "
        f"interval below \\(users and seeds\\); {PERMUTATIONS} permutations for each seed\\. p is "
        "Holm over the table\\."
    )
    with st.container(horizontal=True):
        how("How", _HOW_PERCEPTION, f"python -m mmrec_core perceptual {result.key[:12]}",
            settings_of(result))  # fmt: skip
        export_menu(f"perceptual-{result.key[:8]}", lambda: table)


def perception_cells(table: pd.DataFrame) -> pd.DataFrame:
    """One row a recommender, one column a modality; markdown."""
    named = titles()
    names = list(dict.fromkeys(table["recommender"]))
    cells = {"Recommender": [escape(named.get(n, n)) for n in names]}
    for modality, own in table.groupby("modality", sort=False):
        rows = own.set_index("recommender").loc[names]
        cells[modality_label(str(modality))] = columns_of_numbers(
            [percent(x) for x in rows["relative"]],
            [
                f"[{number(100 * low)}, {number(100 * high)}], p {p_value(p)}"
                for low, high, p in zip(
                    rows["relative_low"], rows["relative_high"], rows["p_adjusted"], strict=True
                )
            ],
        )
    return pd.DataFrame(cells)


def _measure(result: StudyResult) -> None:
    spec = {
        "study": result.key,
        "dataset": result.facts["dataset"],
        "permutations": PERMUTATIONS,
    }
    st.markdown(
        "How much does each trained model lose when its input is permuted, as it stands? Nothing "
        "is retrained; it takes a minute or a few."
    )
    state = jobs.find("perceptual", spec)
    if state is not None:
        job_panel(state.key)
    if settings().read_only:
        st.caption("This installation is on show: nothing is computed here.")
    elif (state is None or state.status == "done") and st.button("Measure", key="perceptual"):
        jobs.start("perceptual", spec, f"Perceptual scores on {result.facts['dataset']}")
        st.rerun()
