"""The builder of a study: what is compared with what, and what it will cost, before it starts."""

from typing import Any

import streamlit as st

from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.datasets.split import STRATEGIES, why_not
from mmrec_core.datasets.statistics import rating_counts
from mmrec_core.extractors.service import make_extractor
from mmrec_core.metrics import METRICS
from mmrec_core.metrics.ranking import CUTOFFS
from mmrec_core.recommenders import RECOMMENDERS
from mmrec_core.studies.plan import Plan, default_split
from mmrec_core.studies.study import REFERENCES, Tuning
from mmrec_core.studies.verdict import MINIMUM_SEEDS
from pages.ui.builder_features import KEPT, default_of, features, help_of
from pages.ui.form import config_form
from pages.ui.start import is_finished, plan_of, plan_text, show_jobs, start_button
from pages.ui.studies import titles
from pages.ui.words import escape, in_words

JUDGED = ("recall", "ndcg", "hr", "mrr", "map")


def builder(dataset: str) -> None:
    """Widgets of a new study, its live plan, and the button that starts it."""
    values = {"dataset": dataset, **_models(), **features(dataset), **_protocol(dataset)}
    values["configs"] = _configs(values["recommenders"] + values["references"])
    values |= _tuning()
    with in_words():
        _plan(values)
    show_jobs(dataset)


def _plan(values: dict[str, Any]) -> None:
    with st.container(border=True):
        st.markdown("**What this will take**")
        if not values["recommenders"] or not values["modalities"]:
            st.info("Choose at least one recommender and one modality.")
            return
        for modality, choice in values["features"].items():
            ok, _ = make_extractor(choice["extractor"], choice["config"]).availability()
            if not ok:
                st.info(f"Choose what makes the features of {modality}.")
                return
        plan = plan_of(values)
        if is_finished(plan):
            st.success("This study is finished; it is under Results.")
            return
        st.markdown(plan_text(plan))
        st.caption(f"Split: {escape(plan.split)}\\.")
        _warnings(values, plan)
        _left_out(plan)
        start_button(values, _title(values), "Start this study", "start-built", "below")


def _title(values: dict[str, Any]) -> str:
    named = titles()
    names = ", ".join(named[name] for name in values["recommenders"])
    return f"{names} on {values['dataset']}, {values['seeds']} seeds, {values['stage']} stage"


def _models() -> dict[str, Any]:
    named = titles()
    content = [name for name, kind in RECOMMENDERS.items() if kind.uses]
    without = [name for name, kind in RECOMMENDERS.items() if not kind.uses]
    left, right = st.columns(2)
    recommenders = left.multiselect(
        "Recommenders",
        content,
        default=[name for name in default_of("recommenders") if name in content],
        format_func=named.__getitem__,
        help=help_of("recommenders"),
        key="recommenders",
        wrap=True,
        **KEPT,
    )
    references = right.multiselect(
        "Beside them, without content",
        without,
        default=[name for name in REFERENCES if name in without],
        format_func=named.__getitem__,
        help=help_of("references"),
        key="references",
        wrap=True,
        **KEPT,
    )
    return {"recommenders": recommenders, "references": references}


def _protocol(dataset: str) -> dict[str, Any]:
    first = st.columns(4)
    seeds = first[0].number_input(
        "Seeds", 1, 200, default_of("seeds"), help=help_of("seeds"), key="seeds", **KEPT
    )
    metric = first[1].selectbox(
        "Metric of the verdict",
        JUDGED,
        format_func=lambda name: METRICS.get(name).label,
        help=help_of("metric"),
        key="metric",
        **KEPT,
    )
    k = first[2].selectbox(
        "At k",
        CUTOFFS,
        index=CUTOFFS.index(20),
        help="Length of the recommendation list",
        key="at",
        **KEPT,
    )
    delta = first[3].number_input(
        "Equality ±, %",
        0.5,
        50.0,
        100 * default_of("delta"),
        step=0.5,
        format="%.1f",
        help="Effects inside ± this margin count as equal; relative to the arm subtracted",
        key="delta",
        **KEPT,
    )
    second = st.columns(4)
    stage = second[0].selectbox(
        "Stage",
        ("train", "inference"),
        help="train: retrain every arm with the control. inference: train on real features once "
        "and score with the control",
        key="stage",
        **KEPT,
    )
    split = default_split(dataset)
    strategy = _strategy(dataset, split.strategy, second[1])
    k_core = second[2].number_input(
        "k-core",
        0,
        100,
        split.k_core,
        help="Users and items with fewer interactions are left out, until none is left; 0 keeps "
        "all",
        key=f"{dataset}.k-core",
        disabled=strategy == "fixed",
        **KEPT,
    )
    relevant = _relevant_from(dataset, split.relevant_from, second[3])
    st.caption(_about_split(dataset, strategy))
    changed = split.model_copy(
        update={"strategy": strategy, "k_core": k_core, "relevant_from": relevant}
    )
    values = {
        "seeds": seeds,
        "metric": f"{metric}@{k}",
        "delta": round(delta / 100, 6),
        "stage": stage,
    }
    if changed != split:
        values["split"] = changed.model_dump(mode="json")
    return values


@st.cache_data(max_entries=32, show_spinner=False)
def _impossible(dataset: str, fingerprint: str) -> dict[str, str]:
    """Strategy -> why the dataset cannot be divided so, as far as it cannot."""
    loaded = load_dataset(dataset)
    return {name: reason for name in STRATEGIES if (reason := why_not(loaded, name))}


def _strategy(dataset: str, default: str, place: Any) -> str:
    """How interactions are divided, among the ways that the dataset allows."""
    impossible = _impossible(dataset, load_dataset(dataset).fingerprint)
    possible = [name for name in STRATEGIES if name not in impossible]
    chosen: str = place.selectbox(
        "Split",
        possible,
        index=possible.index(default),
        help="\n".join(f"- **{name}**: {STRATEGIES[name]}" for name in possible),
        key=f"{dataset}.split",
        **KEPT,
    )
    return chosen


def _about_split(dataset: str, chosen: str) -> str:
    """What the chosen split is, and which ones are not possible and why, as markdown."""
    impossible = _impossible(dataset, load_dataset(dataset).fingerprint)
    said = [f"Split: {STRATEGIES[chosen]}"]
    said += [f"Not possible: {name}, since {reason}." for name, reason in impossible.items()]
    return escape(" ".join(said))


@st.cache_data(max_entries=32, show_spinner=False)
def _ratings(dataset: str, fingerprint: str) -> list[float]:
    return [float(rating) for rating in rating_counts(load_dataset(dataset))["rating"]]


def _relevant_from(dataset: str, default: Any, place: Any) -> Any:
    """From which rating a held-out interaction is relevant; ``all`` where there are no ratings."""
    ratings = _ratings(dataset, load_dataset(dataset).fingerprint)
    if not ratings:
        place.selectbox(
            "Relevant from rating",
            ["all"],
            disabled=True,
            help="This dataset has no ratings: every held-out interaction is relevant.",
            key=f"{dataset}.no-ratings",
        )
        return default
    # A rating scale with very many values is offered in a dozen steps.
    steps = ratings[:: max(1, len(ratings) // 12)]
    options: list[Any] = ["all", *sorted({*steps, *([default] if default is not None else [])})]
    return place.selectbox(
        "Relevant from rating",
        options,
        index=options.index("all" if default is None else default),
        format_func=lambda option: option if option == "all" else f"{option:g}",
        help="A held-out interaction rated lower is not relevant; training uses all interactions.",
        key=f"{dataset}.relevant-from",
        **KEPT,
    )


def _configs(names: list[str]) -> dict[str, dict[str, Any]]:
    """Settings of each recommender that has any; only what differs from its defaults."""
    configs: dict[str, dict[str, Any]] = {}
    named = titles()
    with st.expander("Settings of the recommenders"):
        open_ones = [name for name in names if RECOMMENDERS.get(name).Config.model_fields]
        if not open_ones:
            st.caption("The chosen models have no settings.")
            return configs
        for name, tab in zip(open_ones, st.tabs([named[n] for n in open_ones]), strict=True):
            kind = RECOMMENDERS.get(name)
            with tab:
                st.caption(f"{escape(' '.join((kind.__doc__ or '').split()))}  \n{kind.reference}")
                changed = config_form(kind.Config, name)
                if changed:
                    configs[name] = changed
    return configs


def _tuning() -> dict[str, Any]:
    """Whether and how the settings of every arm are searched."""
    first, second, third = st.columns([2, 1, 1])
    trials = first.slider(
        "Trials of every arm",
        0,
        60,
        0,
        help="Settings that are tried for each arm, its controls included, and judged by Recall@20 "
        "on validation; every arm has the same budget. 0 keeps the settings above: the verdict "
        "then says untuned defaults. What is changed above is not searched.",
        key="trials",
        **KEPT,
    )
    sampler = second.selectbox(
        "Search",
        ("tpe", "grid"),
        format_func={"tpe": "TPE", "grid": "grid, in random order"}.__getitem__,
        help=Tuning.model_fields["sampler"].description,
        key="sampler",
        disabled=not trials,
        **KEPT,
    )
    space = third.selectbox(
        "Space",
        ("own", "paper"),
        format_func={"own": "each model's own", "paper": "the paper's grid"}.__getitem__,
        help="The paper's: learning rate {1e-4, 5e-4, 1e-3, 5e-3, 1e-2} × factors {64, 128, 256} × "
        "reg {.01, .1} for every trained model",
        key="space",
        disabled=not trials,
        **KEPT,
    )
    if not trials:
        return {}
    return {"tuning": {"trials": trials, "sampler": sampler, "space": space}}


def _warnings(values: dict[str, Any], plan: Plan) -> None:
    missing = [name for name in ("shuffle", "removed") if name not in values["controls"]]
    if missing:
        st.warning(f"Without the controls {' and '.join(missing)} there is no verdict.")
    if values["seeds"] < MINIMUM_SEEDS:
        st.warning(f"With fewer than {MINIMUM_SEEDS} seeds, effects are shown and no verdict.")


def _left_out(plan: Plan) -> None:
    if plan.to_embed:
        st.caption("Which arms make no sense is known once the embeddings are made.")
    if not plan.skipped:
        return
    with st.expander(f"{len(plan.skipped)} arms are left out, and why"):
        st.markdown("\n".join(f"- {escape(s.arm.label)}: {escape(s.reason)}" for s in plan.skipped))
