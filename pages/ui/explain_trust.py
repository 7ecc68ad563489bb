"""How faithful explanations of a run are: deletion, insertion, weight randomisation."""

import pandas as pd
import streamlit as st

from mmrec_core import jobs
from mmrec_core.domain import Dataset
from mmrec_core.explanations.faithfulness import measured_methods
from mmrec_core.explanations.methods import METHODS
from mmrec_core.explanations.service import CASES, Explained, faithfulness
from mmrec_core.exports.explanations import drawing_of_faithfulness
from mmrec_core.settings import settings
from pages.ui.figure import shown
from pages.ui.job import job_panel
from pages.ui.words import escape, number

_HOW = (
    "An explanation puts elements in order: items of the history, or columns of the item's "
    "features. **Deletion** takes them away from the first on, each time scored anew: the score of "
    "a faithful explanation falls sooner than in a random order (Samek et al. 2017). "
    "**Insertion** begins with none. Gains are mean heights between the curves, in standard "
    "deviations of a user's scores, with 95 % intervals over recommendations. **Randomised**: the "
    "order that the same model gives once all that it learned is dealt out anew (Adebayo et al. "
    "2018). It should be no better than chance; what a graph model keeps of it is in the graph, "
    "which is not learned. The weights are dealt out once; the intervals leave that chance out. Of "
    "shared attributes, items of the history are put in order by the idf of what they share with "
    "the item; they never look at the model, so nothing changes for them. *One left out* is judged "
    "by the operation that defines it, carried further."
)


def show(dataset: Dataset, explained: Explained) -> None:
    """What was measured, or the job that measures it."""
    subject = explained.subject
    methods = measured_methods(subject, explained.attributes, explained.rows)
    if not methods:
        st.info(
            f"No explanation of {escape(subject.model.title)} puts elements in order, so there is "
            "nothing to take away. Its split is checked another way: parts sum to the score."
        )
        return
    made = faithfulness(explained)
    if made is None:
        _offer(dataset, explained, len(methods))
        return
    table, curves = made.table("methods"), made.table("curves")
    st.markdown(_sentence(table))
    rows = pd.DataFrame(
        {
            "Explanation": [METHODS.get(name).title for name in table["method"]],
            "Deletion": [_interval(r, "deletion") for r in table.to_dict("records")],
            "Insertion": [_interval(r, "insertion") for r in table.to_dict("records")],
            "Randomised": [_interval(r, "randomised") for r in table.to_dict("records")],
            "Rank correlation": [f"{c:+.2f}" for c in table["correlation"]],
        }
    )
    st.table(rows.set_index("Explanation"))
    drawing = drawing_of_faithfulness(table, curves, explained.run.title)
    command = f"python -m mmrec_core faithfulness {dataset.name} {explained.run.name}"
    shown(drawing, _HOW, command)


def line(explained: Explained, method: str) -> None:
    """In a caption what was measured of one way to explain, beside the explanation itself."""
    made = faithfulness(explained)
    table = None if made is None else made.table("methods").set_index("method")
    if table is None or method not in table.index:
        return
    own = table.loc[method].to_dict()
    low, high = number(float(own["deletion_low"])), number(float(own["deletion_high"]))
    st.caption(
        f"Measured on {int(own['n'])} recommendations of this run: taking away what it names "
        f"first lowers the score by {number(float(own['deletion']))} "
        f"\\[{low}, {high}\\] standard "
        f"deviations more than a random order; with the weights dealt out anew "
        f"{number(float(own['randomised']))}\\. See Faithfulness\\."
    )


def _offer(dataset: Dataset, explained: Explained, methods: int) -> None:
    spec = {"dataset": dataset.name, "run": explained.run.artefact.key}
    state = jobs.find("explanation-faithfulness", spec)
    st.markdown(
        f"Not measured yet for {escape(explained.run.title)}: {methods} ways to explain, on "
        f"{CASES} recommendations each, against random orders and against the model with "
        "randomised weights\\."
    )
    if state is not None and state.status != "done":
        job_panel(state.key)
        if state.active:
            return
    if settings().read_only:
        st.caption("This store is on show: nothing is computed here.")
        return
    if st.button("Measure how faithful they are", icon=":material/play_arrow:", type="primary"):
        title = f"Faithfulness of explanations, {explained.run.title}"
        jobs.start("explanation-faithfulness", spec, title)
        st.rerun()


def _sentence(table: pd.DataFrame) -> str:
    """What the deletion curves say, from the numbers."""
    better = table[table["deletion_low"] > 0]
    level = table[(table["deletion_low"] <= 0) & (table["deletion_high"] >= 0)]
    worse = table[table["deletion_high"] < 0]
    titles = {name: METHODS.get(name).title.lower() for name in table["method"]}
    words = []
    if len(better):
        best = better.loc[better["deletion"].idxmax()]
        named = ", ".join(titles[name] for name in better["method"])
        words.append(
            f"Taking away what is named first lowers the score sooner than a random order: "
            f"**{escape(named)}** \\(at best by {number(float(best['deletion']))} standard "
            f"deviations\\)"
        )
    for found, verdict in ((level, "not told from a random order"), (worse, "worse than one")):
        if len(found):
            named = ", ".join(titles[name] for name in found["method"])
            words.append(f"{verdict}: **{escape(named)}**")
    return "; ".join(words) + "\\."


def _interval(own: dict[object, object], name: str) -> str:
    low, high = float(str(own[f"{name}_low"])), float(str(own[f"{name}_high"]))
    return f"{number(float(str(own[name])), True)}  :small[:gray[{number(low)} … {number(high)}]]"
