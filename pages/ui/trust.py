"""How far descriptions can be trusted, and what vectors hold of them: tables, or a button."""

import shlex
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from mmrec_core import jobs
from mmrec_core.descriptions.measure import find_faithfulness, list_probes, tables
from mmrec_core.descriptions.service import Descriptions
from mmrec_core.domain import Dataset
from mmrec_core.extractors import EXTRACTORS, make_extractor
from mmrec_core.extractors.matrices import MatrixExtractor
from mmrec_core.settings import settings
from mmrec_core.store import Artefact
from pages.ui import known
from pages.ui.address import choose
from pages.ui.export import export_menu
from pages.ui.job import job_panel
from pages.ui.words import escape, how

_PERCENT = st.column_config.NumberColumn(format="percent")
_THREE = st.column_config.NumberColumn(format="%.3f")

_HOW = (
    "**Round trip.** A ridge regression from pictures to words is fitted on other items (five "
    "folds); a description is then a query, and the words that each item's picture predicts are "
    "the candidates. R@1 says how often its own item comes first; *hard* keeps to candidates of "
    "the same category. Shuffled descriptions and descriptions of noise must be at chance; titles "
    "alone stand beside, and may well do better. **Support.** The metadata support a value whose "
    "lemmas stand in the item's text; the "
    "picture supports it if a probe that has not seen the item finds it more probable there than "
    "overall. What neither supports may be a hallucination, or something no one wrote down. "
    "**Consistency.** A sample is asked again in other words; kappa is agreement beyond chance."
)


def faithfulness(dataset: Dataset, made: Descriptions) -> None:
    """Round trip, accuracy, support and consistency, once they are measured."""
    place = st.container()
    truth = known.choose_truth_aside(dataset, made) if made.structured else {}
    with place:
        _measured(dataset, made, truth)


def _measured(dataset: Dataset, made: Descriptions, truth: Mapping[str, str]) -> None:
    found = find_faithfulness(dataset, made, truth)
    if found is None:
        st.markdown(
            "Does a description find its own item again? Is it right where the truth is known, and "
            "does anything else support it? Would the model say the same if asked in other words, "
            "and what does it say of noise?"
        )
        spec: dict[str, Any] = {"dataset": dataset.name, "descriptions": made.artefact.key}
        if truth:
            spec["truth"] = dict(truth)
        _start("faithfulness", spec, "Measure", f"Faithfulness of descriptions of {dataset.name}")
        return
    own = tables(found)
    st.markdown(trip_sentence(own["round_trip"]))
    _round_trip(own["round_trip"])
    if made.structured:
        _by_slot(own, found)
    else:
        st.caption(
            "Sentences fill no slots, so nothing is right, repeated or supported slot by slot. How "
            "much of the truth they name stands under Prompts."
        )
    with st.container(horizontal=True):
        command = f"python -m mmrec_core faithfulness {made.artefact.key[:12]}"
        if truth:
            pairs = [f"{slot}={column}" for slot, column in truth.items()]
            command = f"{command} --truth {shlex.join(pairs)}"
        how("How", _HOW, command, dict(found.facts))
        export_menu(
            f"faithfulness-{made.artefact.key[:8]}",
            lambda: pd.concat([table.assign(measure=name) for name, table in own.items()]),
        )


def _by_slot(own: Mapping[str, pd.DataFrame], found: Artefact) -> None:
    """Accuracy, consistency and support of every slot."""
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Right, where the truth is known**")
        if len(own["accuracy"]):
            st.dataframe(
                own["accuracy"].rename(columns=_title),
                hide_index=True,
                column_config={"Accuracy": _PERCENT, "Chance": _PERCENT},
                alt="Accuracy of every slot",
            )
        else:
            st.caption(
                "Of no slot the truth is known. Below, a column of the items can be named that "
                "holds it."
            )
    with right:
        st.markdown("**The same in other words**")
        if len(own["consistency"]):
            st.dataframe(
                own["consistency"].rename(columns=_title),
                hide_index=True,
                placeholder="–",
                column_config={"Same": _PERCENT, "Kappa": _THREE},
                alt="Agreement of every slot between two wordings",
            )
        else:
            st.caption(f"Nothing was asked again: {escape(found.facts['not_asked'])}\\.")
    st.markdown("**What else supports a value**")
    st.dataframe(
        own["support"].rename(columns=_title),
        hide_index=True,
        placeholder="–",
        column_config=dict.fromkeys(("Metadata", "Picture", "Either", "Unsupported"), _PERCENT),
        alt="Support of every slot's values by metadata and picture",
    )


def trip_sentence(table: pd.DataFrame) -> str:
    """What the round trip says, as markdown."""
    rows = table.set_index("what")
    own, dealt = rows.loc["descriptions"], rows.loc["shuffled descriptions"]
    text = (
        f"A description finds its own item first in **{own['recall@1']:.1%}** of "
        f"{int(own['n']):,} cases and among the first ten in {own['recall@10']:.1%}; shuffled "
        f"descriptions do in {dealt['recall@10']:.1%}"
    )
    if "descriptions of noise" in rows.index:
        text += f", descriptions of noise in {rows.loc['descriptions of noise', 'recall@10']:.1%}"
    return f"{text}\\."


def _round_trip(table: pd.DataFrame) -> None:
    names = {
        "what": "Query",
        "recall@1": "R@1",
        "recall@10": "R@10",
        "mrr": "MRR",
        "chance": "by chance",
        "n": "Items",
        "hard recall@1": "R@1 hard",
        "hard mrr": "MRR hard",
        "hard chance": "hard, by chance",
    }
    shares = ("R@1", "R@10", "R@1 hard")
    rest = ("MRR", "by chance", "MRR hard", "hard, by chance")
    st.dataframe(
        table.rename(columns=names),
        hide_index=True,
        column_config={
            **dict.fromkeys(shares, _PERCENT),
            **dict.fromkeys(rest, _THREE),
            "R@1 hard": st.column_config.NumberColumn(
                format="percent", help="Among items of the same category alone"
            ),
        },
        alt="Round trips of descriptions and of their controls",
    )


def _title(name: str) -> str:
    return name[:1].upper() + name[1:]


def in_the_vector(dataset: Dataset, made: Descriptions) -> None:
    """Which slots a vector holds, and a button to look at another one."""
    found = list_probes(made)
    for artefact in found:
        st.markdown(f"**{escape(artefact.facts['extractor'])}**")
        st.dataframe(
            artefact.table("slots").rename(
                columns={
                    "slot": "Slot",
                    "values": "Values",
                    "n_items": "Items",
                    "accuracy": "Accuracy",
                    "shuffled": "Shuffled vectors",
                    "chance": "Most frequent value",
                    "auc": "AUC",
                }
            ),
            hide_index=True,
            column_config={
                **dict.fromkeys(("Accuracy", "Shuffled vectors", "Most frequent value"), _PERCENT),
                "AUC": _THREE,
            },
            alt=f"What vectors of {artefact.facts['extractor']} hold of every slot",
        )
    if not found:
        st.markdown(
            "What does a **vector** hold of the words that the model said? A probe reads each slot "
            "from the vectors of items that it has not seen. Beside every answer then stands what "
            "the vector alone would have said, and how sure it is."
        )
    # Vectors of pictures and words; what is made of descriptions would be read from themselves.
    ready = [
        name
        for name, kind in EXTRACTORS.items()
        if not issubclass(kind, MatrixExtractor)
        and name != "precomputed"
        and kind().availability().ok
        and name not in {a.facts["extractor"] for a in found}
    ]
    if settings().read_only:
        st.caption("This installation is on show: nothing is computed here.")
        return
    if not ready:
        st.caption("The vectors of every extractor that is here are read already.")
        return
    extractor = choose(
        "Vectors of",
        ready,
        "probe-of",
        _usual(made, ready),
        lambda name: EXTRACTORS.get(name).title,
        width=360,
    )
    caution = make_extractor(extractor).caution(dataset)
    if caution:
        st.warning(f"{escape(caution)}\\.")
    spec = {
        "dataset": dataset.name,
        "descriptions": made.artefact.key,
        "extractor": extractor,
        "config": {},
    }
    _start("probe", spec, "Read the vectors", f"Words in the vectors of {dataset.name}")


def _usual(made: Descriptions, ready: list[str]) -> str:
    model = made.artefact.facts["model"]
    return model if model in ready else ready[0]


def newest_probe(made: Descriptions) -> Artefact | None:
    """What is shown beside the answers: the model's own vectors, else the newest that were read."""
    found = list_probes(made)
    own = [a for a in found if a.facts["extractor"].startswith(str(made.artefact.facts["model"]))]
    return next(iter([*own, *found]), None)


def _start(kind: str, spec: dict[str, Any], label: str, title: str) -> None:
    if settings().read_only:
        st.caption("This installation is on show: nothing is computed here.")
        return
    state = jobs.find(kind, spec)
    if state is not None and state.status != "done":
        job_panel(state.key)
        return
    if st.button(label, type="primary", icon=":material/play_arrow:"):
        jobs.start(kind, spec, title)
        st.rerun()
