"""Which part of the gain is content? A study's results, and the builder of a new one."""

import streamlit as st

from mmrec_core.studies.results import list_studies
from pages.ui.address import choose
from pages.ui.builder import builder
from pages.ui.calibration import calibration
from pages.ui.dataset import pick_dataset
from pages.ui.imports import import_view
from pages.ui.results import results
from pages.ui.start import show_jobs, take_up_finished
from pages.ui.studies import division, find_study, labels
from pages.ui.words import in_words

VIEWS = ("Results", "New study", "Import lists", "Calibration")


def main() -> None:
    st.title("Which part of the gain is content?", anchor=False)
    dataset = pick_dataset()
    take_up_finished(dataset)
    view = st.segmented_control(
        "View",
        VIEWS,
        default="Results",
        required=True,
        key="view",
        label_visibility="collapsed",
        bind="query-params",
        persist_state="session",
    )
    with in_words():
        if view == "Results":
            _results(dataset)
        elif view == "New study":
            builder(dataset)
        elif view == "Import lists":
            import_view(dataset)
        else:
            calibration()


def _results(dataset: str) -> None:
    show_jobs(dataset)
    known = labels(list_studies(dataset))
    if not known:
        st.info("No study of this dataset is finished yet. Open **New study** to plan one.")
        return
    key = choose(
        "Study", list(known), "study", next(iter(known)), known.__getitem__, hide_default=False
    )
    result = find_study(dataset, key)
    if result is not None:
        st.markdown(division(result))
        results(result)


main()
