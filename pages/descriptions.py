"""Descriptions: what does a model say it saw? Answers beside pictures, slot by slot."""

import streamlit as st

from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.descriptions.service import Descriptions, list_descriptions, usual_descriptions
from mmrec_core.domain import Dataset
from pages.ui import attributed, described, gallery, strategies, tell, trust
from pages.ui.address import choose
from pages.ui.dataset import pick_dataset
from pages.ui.words import in_words

ITEMS, SLOTS, TRUST, VECTOR = "Items", "Slots", "Faithfulness", "In the vector"
PROMPTS, ATTRIBUTES, ADD = "Prompts", "As attributes", "Add descriptions"


def main() -> None:
    st.title("What does a model say it saw?", anchor=False)
    dataset = load_dataset(pick_dataset())
    tell.take_up_new(dataset.name)
    tell.show_jobs(dataset.name)
    known = {own.artefact.key[:12]: own for own in list_descriptions(dataset)}
    if not known:
        st.markdown(
            "Nothing has been said of these items yet. A **vision-language model** is shown each "
            "picture and fills named slots in; its answers are parsed, kept raw beside what was "
            "read from them, and can serve as attributes."
        )
        with in_words():
            tell.add(dataset)
        return
    chosen = _chosen(dataset, known)
    st.markdown(described.sentence(chosen))
    caution = tell.caution(dataset, str(chosen.artefact.facts["model"]))
    if caution:
        st.warning(caution)
    parts = {
        ITEMS: lambda: described.items(dataset, chosen),
        SLOTS: lambda: described.slots(chosen),
        TRUST: lambda: trust.faithfulness(dataset, chosen),
        VECTOR: lambda: trust.in_the_vector(dataset, chosen),
        PROMPTS: lambda: strategies.compared(dataset, chosen),
        ATTRIBUTES: lambda: attributed.attributed(dataset, chosen),
        ADD: lambda: tell.add(dataset),
    }
    part = st.segmented_control(
        "Show",
        list(parts),
        default=ITEMS,
        required=True,
        key="said",
        label_visibility="collapsed",
        bind="query-params",
        persist_state="session",
    )
    with in_words():
        parts[str(part)]()
    with in_words():
        gallery.item_opened(dataset)


def _chosen(dataset: Dataset, known: dict[str, Descriptions]) -> Descriptions:
    labels = {key: described.label(own) for key, own in known.items()}
    usual = usual_descriptions(dataset)
    first = next(iter(known)) if usual is None else usual.artefact.key[:12]
    key = choose("Descriptions", list(known), "of", first, labels.__getitem__)
    return known[key]


main()
