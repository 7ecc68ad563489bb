"""A finished study on screen: effects, arms, curves, comparisons, slices; each with its export."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from mmrec_core.figures.arms import arms_plot, arms_plot_publication
from mmrec_core.figures.effect import effect_plot, effect_plot_publication
from mmrec_core.figures.learning import learning_plot, learning_plot_publication
from mmrec_core.figures.palette import kind_label, modality_label
from mmrec_core.metrics import METRICS, metric_label, split_key
from mmrec_core.metrics.ranking import CUTOFFS
from mmrec_core.studies.results import StudyResult
from pages.ui.agreement import agreement
from pages.ui.contribution import contribution
from pages.ui.costs import costs
from pages.ui.deciding import deciding
from pages.ui.export import export_menu
from pages.ui.figure import figure_with_menu
from pages.ui.knockouts import knockouts
from pages.ui.leaderboard import leaderboard
from pages.ui.slices import slices
from pages.ui.studies import KINDS, how_effects, settings_of, titles, verdict_frame
from pages.ui.takeaway import takeaway
from pages.ui.tuning import tuning
from pages.ui.words import columns_of_numbers, escape, how, in_words, number

METRIC_NAMES = ("recall", "ndcg", "hr", "mrr", "map")
_OF_CONTROLS = ("Effects", "Knockouts", "Comparisons")
_KEPT: dict[str, Any] = {"bind": "query-params", "persist_state": "session"}


def results(result: StudyResult) -> None:
    """All that a study has found, a part at a time; the part is in the address."""
    if result.imported:
        st.info(imported_words(result), icon=":material/input:")
    parts: dict[str, Callable[[StudyResult], None]] = {
        "Effects": _effects,
        "Contribution": contribution,
        "Slices": lambda result: slices(result, _KEPT),
        "Power": deciding,
        "Leaderboard": _leaderboard,
        "Knockouts": _knockouts,
        "Agreement": lambda result: agreement(result, _KEPT),
        "Cost": _costs,
        "Arms": _arms,
        "Learning curves": _curves,
        "Comparisons": _comparisons,
    }
    if result.tuned:
        parts["Tuning"] = tuning
    parts["Export"] = takeaway
    part = st.segmented_control(
        "Show",
        list(parts),
        default="Effects",
        required=True,
        key="part",
        label_visibility="collapsed",
        **_KEPT,
    )
    with in_words():
        if part in _OF_CONTROLS and not len(result.comparisons):
            st.info(
                "Nothing stands in for the content of this study's models, so there is nothing to "
                "compare it with. A new study with the controls shuffle and removed says what the "
                "content is worth."
            )
        else:
            parts[str(part)](result)


def imported_words(result: StudyResult) -> str:
    """Where lists made elsewhere come from, and what is not known of them, as markdown."""
    about = result.document["imported"]
    files = ", ".join(escape(name) for name in about["files"][:6])
    more = f" and {len(about['files']) - 6} more" if len(about["files"]) > 6 else ""
    text = (
        f"**Imported**: these lists were made elsewhere \\({files}{more}\\), with seeds "
        f"{escape(', '.join(map(str, about['seeds'])))}\\. How settings were found and what "
        "training cost is not known here\\."
    )
    if about["silent_users"]:
        text += (
            f" {about['silent_users']:,} users lack a list in some arm and are left out of all\\."
        )
    return text


def _metric(result: StudyResult, *places: Any) -> str:
    """The metric to look at; begins as the study's own."""
    facts, k = split_key(result.study["metric"])
    names = list(dict.fromkeys([facts.name, *METRIC_NAMES]))
    # Lists made elsewhere may be too short for some.
    ks = [at for at in CUTOFFS if f"{facts.name}@{at}" in result.arms]
    name = places[0].selectbox(
        "Metric", names, format_func=lambda n: METRICS.get(n).label, key=f"by-{facts.name}", **_KEPT
    )
    at = places[1].selectbox(
        "At k",
        ks,
        index=ks.index(k) if k in ks else 0,
        key="at-k" if tuple(ks) == CUTOFFS else f"at-k-{ks[-1]}",
        **_KEPT,
    )
    return f"{name}@{at}"


def _fixed(result: StudyResult) -> None:
    st.caption(
        f"Verdicts rest on {escape(metric_label(result.study['metric']))}, fixed before training; "
        "what is chosen here changes the picture, never a verdict."
    )


def _effects(result: StudyResult) -> None:
    first, second, third = st.columns([1, 1, 4])
    metric = _metric(result, first, second)
    table = result.comparisons
    present = list(dict.fromkeys(table["kind"]))
    kinds = third.multiselect(
        "Comparisons",
        present,
        default=[kind for kind in KINDS if kind in present] or present,
        format_func=kind_label,
        key="kinds",
        wrap=True,
        **_KEPT,
    )
    _fixed(result)
    if not kinds:
        st.info("Choose at least one comparison.")
        return
    given = (table, verdict_frame(result), metric, result.study["delta"], kinds, titles())
    figure_with_menu(
        "effects",
        result,
        effect_plot(*given),
        lambda: table[(table["metric"] == metric) & table["kind"].isin(kinds)],
        lambda width: effect_plot_publication(*given, width=width),
        how_effects(result),
    )


def _leaderboard(result: StudyResult) -> None:
    first, second, _ = st.columns([1, 1, 4])
    leaderboard(result, _metric(result, first, second))


def _costs(result: StudyResult) -> None:
    first, second, _ = st.columns([1, 1, 4])
    costs(result, _metric(result, first, second), _KEPT)


def _knockouts(result: StudyResult) -> None:
    first, second, _ = st.columns([1, 1, 4])
    knockouts(result, _metric(result, first, second))


def _arms(result: StudyResult) -> None:
    first, second, _ = st.columns([1, 1, 4])
    metric = _metric(result, first, second)
    arms, named = result.arms, titles()
    figure_with_menu(
        "arms",
        result,
        arms_plot(arms, metric, references=result.study["references"], titles=named),
        lambda: arms,
        lambda width: arms_plot_publication(
            arms, metric, references=result.study["references"], titles=named, width=width
        ),
        "Mean over users and seeds of each arm, with a 95 % interval in which users and seeds are "
        "both sources of chance (crossed, two-way). Intervals of two arms that overlap may still "
        "differ: the same users and seeds stand in both, so differences are judged in pairs, "
        "under Effects.",
    )
    k = split_key(metric)[1]
    st.markdown(f"**Every arm at k = {k}**")
    st.table(arm_cells(arms, k), border="horizontal", hide_index=True)
    st.caption(
        "Mean over users and seeds, half of its 95 % interval below. Seconds: to train one seed. "
        "An arm whose best epoch lies too near its cap has not converged, and voids its verdicts."
    )


def arm_cells(arms: pd.DataFrame, k: int) -> pd.DataFrame:
    """Every metric at k of every arm, as markdown cells aligned on the decimal point."""
    named = titles()
    cells = {
        "Arm": [
            arm_label(row.recommender, row.modality, row.control, named)
            for row in arms[["recommender", "modality", "control"]].itertuples(index=False)
        ]
    }
    for name in METRIC_NAMES:
        metric = f"{name}@{k}"
        if metric not in arms:
            continue
        half = (arms[f"{metric}_high"] - arms[f"{metric}_low"]) / 2
        cells[METRICS.get(name).label] = columns_of_numbers(
            [number(x) for x in arms[metric]], [f"±{number(x)}" for x in half]
        )
    none = [""] * len(arms)
    cells["Seconds"] = columns_of_numbers([number(x) for x in arms["seconds"]], none)
    cells["Best epoch"] = [
        (f"{epoch:.0f}" if epoch > 0 else "–")
        + (" :orange[not converged]" if converged is not None and not converged else "")
        for epoch, converged in zip(arms["best_epoch"], arms["converged"].tolist(), strict=True)
    ]
    return pd.DataFrame(cells)


def arm_label(recommender: str, modality: str, control: str, named: dict[str, str]) -> str:
    """An arm in words, as markdown."""
    name = escape(named.get(recommender, recommender))
    if control == "none":
        return name
    what = "" if modality == "none" else f"{modality_label(modality)} "
    return f"{name}, {what}{escape(control)}"


def _curves(result: StudyResult) -> None:
    curves = result.curves
    present = list(dict.fromkeys(curves["arm"]))
    if not present:
        st.info("No model of this study was trained in epochs, so there are no learning curves.")
        return
    whole = [arm for arm in present if " · " not in arm or arm.endswith(" · real")]
    chosen = st.multiselect(
        "Arms",
        present,
        default=whole or present[:6],
        key=f"arms-{result.key[:12]}",
        wrap=True,
        **_KEPT,
    )
    if not chosen:
        st.info("Choose at least one arm.")
        return
    named = titles()
    figure_with_menu(
        "curves",
        result,
        learning_plot(curves, chosen, titles=named),
        lambda: curves[curves["arm"].isin(chosen)],
        lambda width: learning_plot_publication(curves, chosen, titles=named, width=width),
        "Recall@20 on the validation part after each evaluated epoch; thin lines are seeds, thick "
        "ones their mean. Training stops when validation has not improved for `patience` epochs, "
        "and the parameters of the best epoch are kept.",
    )


def _comparisons(result: StudyResult) -> None:
    first, second, _ = st.columns([1, 1, 4])
    metric = _metric(result, first, second)
    _fixed(result)
    table = result.comparisons
    table = table[table["metric"] == metric]
    named = titles()
    shown = pd.DataFrame(
        {
            "Recommender": [named.get(n, n) for n in table["recommender"]],
            "Content": [modality_label(m) for m in table["modality"]],
            "Comparison": [kind_label(kind).partition(":")[0] for kind in table["kind"]],
            "Change": 100 * table["relative"].to_numpy(),
            "from": 100 * table["relative_low"].to_numpy(),
            "to": 100 * table["relative_high"].to_numpy(),
            "p, Holm": table["p_adjusted"].to_numpy(),
            "State": table["state"].to_numpy(),
            "Effect": table["effect"].to_numpy(),
            "p": table["p"].to_numpy(),
            "Smallest δ": 100 * table["smallest_delta"].to_numpy(),
            "Users": table["n_users"].to_numpy(),
            "Seeds": table["seeds"].to_numpy(),
        }
    )
    column = st.column_config
    percents = {
        "Change": "In % of the mean of the arm subtracted",
        "from": "Lower end of the 95 % interval",
        "to": "Upper end of the 95 % interval",
        "Smallest δ": "The smallest margin of equality this comparison could have decided",
    }
    st.dataframe(
        shown,
        hide_index=True,
        placeholder="–",
        column_config={
            **{
                name: column.NumberColumn(f"{name}, %", help=words, format="%.1f")
                for name, words in percents.items()
            },
            "Effect": column.NumberColumn("Effect", help=metric_label(metric), format="%.4f"),
            "p": column.NumberColumn("p", format="%.4f"),
            "p, Holm": column.NumberColumn(
                "p, Holm", help="Adjusted in its family; only where a verdict rests on it",
                format="%.4f",
            ),
        },
        alt=f"Comparisons of arms at {metric_label(metric)}",
    )  # fmt: skip
    with st.container(horizontal=True):
        how("How", how_effects(result), result.command, settings_of(result))
        export_menu(f"comparisons-{result.key[:8]}", lambda: table)
