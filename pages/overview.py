"""Does content matter here? The verdicts of the latest study, its effects, and the dataset."""

import streamlit as st

from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.extractors.service import find_embeddings
from mmrec_core.figures.effect import effect_plot, effect_plot_publication
from mmrec_core.studies.plan import default_values
from mmrec_core.studies.results import StudyResult, list_studies
from pages.ui.calibration import calibration_line
from pages.ui.catalogue import counts_text, pictures, planted, planted_text
from pages.ui.dataset import cards, pick_dataset
from pages.ui.export import export_menu
from pages.ui.start import (
    START,
    default_title,
    first_study,
    is_finished,
    plan_of,
    plan_text,
    show_jobs,
    start_button,
    take_up_finished,
)
from pages.ui.studies import (
    headline,
    how_effects,
    newest_judged,
    sentence,
    settings_of,
    study_label,
    titles,
    verdict_frame,
    verdict_numbers,
    verdict_table,
)
from pages.ui.words import escape, how, in_words

_WHERE = "at the top of this page"


def main() -> None:
    st.title("Does content matter here?", anchor=False)
    dataset = pick_dataset()
    take_up_finished(dataset)
    show_jobs(dataset)
    result = newest_judged(dataset)
    if result is None:
        _nothing_yet(dataset)
        return
    with in_words():
        _verdicts(dataset, result)
    with in_words():
        calibration_line()
    with in_words():
        _effects(result)
    with in_words():
        _card(dataset)
    with in_words():
        _computed(dataset)


def _nothing_yet(dataset: str) -> None:
    st.markdown(
        "No study of this dataset is finished yet, so nothing can be said. A study trains each "
        "recommender with the real pictures and words, with the same ones shuffled among the "
        "items, and without them; what changes says whether content matters."
    )
    place = st.container()
    with in_words():
        _card(dataset)
    # Last, though it stands above: the plan of a large dataset takes its moment.
    with place:
        first_study(dataset, "start-default", _WHERE)


def _verdicts(dataset: str, result: StudyResult) -> None:
    st.markdown(headline(result))
    strengths = planted(dataset)
    st.caption(f"Latest study: {escape(study_label(result))} · {result.settings_in_words}")
    st.table(verdict_table(result, strengths), border="horizontal", hide_index=True)
    if strengths is not None:
        st.caption(planted_text(strengths))
    with st.container(horizontal=True):
        how("How", how_effects(result), result.command, settings_of(result))
        export_menu(f"verdicts-{result.key[:8]}", lambda: verdict_numbers(result))
        with st.popover("In sentences", icon=":material/notes:", type="tertiary"):
            st.markdown("\n".join(f"- {sentence(v)}" for v in result.verdicts))


def _effects(result: StudyResult) -> None:
    study = result.study
    given = (result.comparisons, verdict_frame(result), study["metric"], study["delta"])
    named = titles()
    figure = effect_plot(*given, titles=named)
    st.plotly_chart(
        figure, key="effects", alt=figure.layout.meta["description"], config={"displaylogo": False}
    )
    with st.container(horizontal=True):
        how("How", how_effects(result), result.command, settings_of(result))
        export_menu(
            f"effects-{result.key[:8]}",
            lambda: result.comparisons[result.comparisons["metric"] == study["metric"]],
            lambda width: effect_plot_publication(*given, titles=named, width=width),
            figure,
        )


def _card(dataset: str) -> None:
    card = cards()[dataset]
    st.subheader(escape(card.title), anchor=False)
    st.markdown(counts_text(card))
    pictures(dataset)


def _computed(dataset: str) -> None:
    st.subheader("Computed so far", anchor=False)
    studies = list_studies(dataset)
    many = "studies" if len(studies) != 1 else "study"
    st.markdown(
        f"**{len(studies)}** finished {many}, **{int(studies[0].facts['runs']):,}** runs in the "
        "latest\\."
    )
    st.page_link("pages/study.py", label="All results of this dataset", icon=":material/science:")
    values = default_values(dataset)
    plan = plan_of(values)
    made = [
        f"{m} by {escape(c.extractor)}"
        for m, c in plan.study.features.items()
        if find_embeddings(load_dataset(dataset), c.extractor, c.config) is not None
    ]
    st.markdown(f"Embeddings: {', '.join(made) or 'none yet'}\\.")
    if is_finished(plan):
        st.markdown("The default study is finished\\.")
        return
    st.markdown(f"One click: the default study. {plan_text(plan)}")
    start_button(values, default_title(dataset), START, "start-default", _WHERE)


main()
