"""Which spaces are compared, the job that does it, the sentence on top, and the matrix."""

import shlex
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import streamlit as st

from mmrec_core import jobs
from mmrec_core.alignment import MEASURES, MUTUAL_KNN, chance_overlap
from mmrec_core.alignment.service import (
    KIND,
    USUAL,
    AlignConfig,
    AlignedSpace,
    Alignment,
    align_spec,
)
from mmrec_core.domain import Dataset
from mmrec_core.exports.spaces import matrix_drawing
from mmrec_core.settings import settings
from mmrec_core.spaces import Space, as_aligned, is_ready
from mmrec_core.store import store
from mmrec_core.studies.inputs import split_or_none
from pages.ui.address import choose as choose_one
from pages.ui.aligned_clip import why_no_clip_score
from pages.ui.figure import shown
from pages.ui.job import job_panel, time_in_words, unfinished_jobs
from pages.ui.map_spaces import vectors_of
from pages.ui.words import escape, number, percent

MOST_SPACES, AT_FIRST = 12, 6
_PAIR = {
    "debiased_cka": 22.0, "linear_cka": 51.0, "rbf_cka": 73.0, "mutual_knn": 4.0, "rsa": 63.0,
    "mean_squared_cca": 47.0, "svcca": 12.0, "pwcca": 45.0, "procrustes_distance": 21.0,
    "alignment_loss": 2.0, "modality_gap": 1.0, "clip_score": 2.0,
}  # fmt: skip
"""Seconds of a pair of 5,000 items with 200 permutations on one thread."""
_HOW = (
    "Only items that both spaces hold count. Raw values of spaces of unlike width do not compare: "
    "two matrices of noise give a CKA of .8 where they are wide enough. So each value stands "
    "beside its **null**, what the measure gives when the rows of one space are permuted, and is "
    "**calibrated**: (value − τ) / (best − τ), cut to 0 … 1, with τ the 95 % order statistic of "
    "the null (arXiv 2602.14486); distances use the lower tail. p = (1 + permutations at least as "
    "alike) / (permutations + 1). **CLIPScore** is there where one model such as CLIP reads the "
    "pictures of one space and the texts of another, its prefix before them. Measures that compare "
    "all pairs of items take a seeded sample of 5,000. Where a space was fitted on this catalogue, "
    "matrix, retrieval and gap stand on held-out items alone."
)


def choose(dataset: Dataset, known: Mapping[str, Space]) -> tuple[list[str], AlignConfig]:
    """Spaces and settings, in the address."""
    usual = _usual(dataset, known)
    named = st.query_params.get("spaces")
    asked = dict.fromkeys(named.split(";")) if named else ()
    wanted = [n for n in asked if n in known][:MOST_SPACES] or usual
    first, second = st.columns([5, 1], vertical_alignment="bottom")
    key = _key(dataset)
    if key not in st.session_state:
        st.session_state[key] = wanted
    names = first.multiselect(
        "Spaces", list(known), format_func=lambda n: known[n].title, key=key,
        max_selections=MOST_SPACES, wrap=True,
    )  # fmt: skip
    if names == _first(known):
        st.query_params.pop("spaces", None)
    else:
        st.query_params["spaces"] = ";".join(names)
    with second.popover("Settings", icon=":material/tune:", type="tertiary"):
        kept = {"bind": "query-params", "persist_state": "session"}
        measures = st.multiselect(
            "Measures", MEASURES.names(), default=list(USUAL),
            format_func=lambda n: MEASURES.get(n).label, key="measures", **kept,
        )  # fmt: skip
        permutations = st.number_input(
            "Permutations of the null", 19, 10_000, 200, key="permutations", **kept
        )
        seed = st.number_input("Seed", 0, 999_999, 0, key="align-seed", **kept)
    order = [n for n in MEASURES.names() if n in measures] or list(USUAL)
    return names, AlignConfig(measures=tuple(order), permutations=permutations, seed=seed)


def _usual(dataset: Dataset, known: Mapping[str, Space]) -> list[str]:
    """The first spaces of extractors; where others are compared and these are not, the last.

    Only comparisons at the usual settings count, and those of as many kinds of content. What is not
    the first stands in the address, so that a copied link shows the same to everybody.
    """
    first = _first(known)
    if find(dataset, known, first, AlignConfig()) is not None:
        return first
    kinds = {known[name].modality for name in first}
    at_usual = AlignConfig().model_dump(mode="json")
    for made in sorted(store().list(KIND), key=lambda a: a.meta["created"], reverse=True):
        names = [str(name) for name, _ in made.spec["spaces"]]
        if (
            made.spec["config"] == at_usual
            and len(names) <= MOST_SPACES
            and all(name in known and known[name].kind == "extractor" for name in names)
            and {known[name].modality for name in names} >= kinds
            and find(dataset, known, names, AlignConfig()) is not None
        ):
            return names
    return first


def _first(known: Mapping[str, Space]) -> list[str]:
    return [name for name, space in known.items() if space.kind == "extractor"][:AT_FIRST]


def _key(dataset: Dataset) -> str:
    return f"spaces-{dataset.name}"


def add_spaces(dataset: Dataset, names: Sequence[str]) -> None:
    """Adds spaces to those compared; for the callback of a button."""
    now = st.session_state.get(_key(dataset), [])
    st.session_state[_key(dataset)] = list(dict.fromkeys([*now, *names]))[:MOST_SPACES]


def find(
    dataset: Dataset, known: Mapping[str, Space], names: Sequence[str], config: AlignConfig
) -> Alignment | None:
    """The finished alignment of these spaces, or None."""
    if len(names) < 2:
        return None
    spaces: dict[str, AlignedSpace] = {}
    for name in names:
        vectors = vectors_of(dataset, known[name])
        if vectors is None or not is_ready(dataset, name):
            return None
        spaces[name] = _aligned(dataset.fingerprint, name, dataset, vectors)
    found = store().get(KIND, align_spec(spaces, split_or_none(dataset), config))
    return None if found is None else _alignment(found.key, found)


@st.cache_resource(max_entries=24, show_spinner=False)
def _aligned(fingerprint: str, name: str, _dataset: Dataset, _vectors: object) -> AlignedSpace:
    return as_aligned(_dataset, name, _vectors)  # type: ignore[arg-type]


@st.cache_resource(max_entries=8, show_spinner=False)
def _alignment(key: str, _artefact: object) -> Alignment:
    return Alignment(_artefact)  # type: ignore[arg-type]


def alignment_jobs(name: str) -> None:
    """Panels of comparisons and fits under way or stopped."""
    for kind in ("align", "embed"):
        for state in unfinished_jobs(kind, name):
            job_panel(state.key)


def offer(dataset: Dataset, names: Sequence[str], config: AlignConfig) -> None:
    """Says what a comparison would show, and a button that starts it."""
    if len(names) < 2:
        st.info("Choose two spaces or more.")
        return
    spec = {
        "dataset": dataset.name,
        "spaces": list(names),
        "config": config.model_dump(mode="json"),
    }
    state = jobs.find("align", spec)
    if state is not None and state.active:
        return
    pairs = len(names) * (len(names) - 1) // 2
    seconds = _seconds(pairs, len(names), dataset.n_items, config)
    st.markdown(
        f"These {len(names)} spaces were not compared yet: {pairs} "
        f"{'pair' if pairs == 1 else 'pairs'} by {len(config.measures)} measures, each beside "
        f"{config.permutations} permutations; retrieval from one to the other; whether items that "
        "are alike go to the same users; the shape of each."
    )
    if settings().read_only:
        st.info("This store is on show: nothing is computed here.")
        return
    if st.button(f"Compare them ({time_in_words(seconds)})", type="primary"):
        jobs.start("align", spec, f"Alignment of {len(names)} spaces of {dataset.info.title}")
        st.rerun()


def _seconds(pairs: int, spaces: int, n_items: int, config: AlignConfig) -> float:
    """What a comparison takes, by what pairs of 5,000 items took (docs/benchmarks.md)."""
    sampled, share = min(n_items, 5000) / 5000, config.permutations / 200
    each = 0.0
    for name in config.measures:
        quadratic = MEASURES.get(name).quadratic
        each += _PAIR.get(name, 20.0) * (sampled**2 if quadratic else n_items / 5000) * share
    return 10 + pairs * (each + 8 * n_items / 5000) + spaces * 70 * sampled**2


def title(known: Mapping[str, Space], name: str) -> str:
    """Name of a space on screen."""
    return known[name].title if name in known else name


def titles(found: Alignment, known: Mapping[str, Space]) -> dict[str, str]:
    """Space -> its name on screen."""
    return {name: title(known, name) for name in found.spaces}


def command(dataset: str, found: Alignment) -> str:
    """The command that makes an alignment again."""
    config = found.config
    parts = ["python", "-m", "mmrec_core", "align", dataset, "--spaces", *found.spaces]
    parts += ["--measures", *config.measures, "--permutations", str(config.permutations)]
    return shlex.join([*parts, "--seed", str(config.seed)])


# The sentence


def sentence(dataset: Dataset, found: Alignment, known: Mapping[str, Space]) -> str:
    """How much pictures and words share, and which of them users follow, from the numbers."""
    by_modality = {}
    for name, modality in found.spaces.items():
        by_modality.setdefault(modality, name)
    text = []
    if "image" in by_modality and "text" in by_modality:
        text.append(_agreement(found, known, by_modality["image"], by_modality["text"]))
    text.append(_behaviour(found, known))
    return " ".join(filter(None, text)) or "Spaces side by side\\."


def _agreement(found: Alignment, known: Mapping[str, Space], image: str, words: str) -> str:
    table = found.matrix
    pair = {image, words}
    own = table[[set(ab) == pair for ab in zip(table["space_a"], table["space_b"], strict=True)]]
    own = own[own["calibrated"].notna()]
    if own.empty:
        return ""
    first = own.iloc[0]
    measure = MEASURES.get(str(first["measure"]))
    share = float(first["calibrated"])
    names = f"**{escape(title(known, image))}** and **{escape(title(known, words))}**"
    on = f", on {int(first['n']):,} held-out items" if pair & set(found.fitted) else ""
    low, high = number(float(first["null_low"])), number(float(first["null_high"]))
    if first["p"] > 0.05:
        return (
            f"Pictures and words agree no more than by chance: {names} have a "
            f"{escape(measure.label)} of {number(float(first['raw']))}{on}, permuted items give "
            f"{low} to {high}\\."
        )
    degree = "a little" if share < 0.2 else "in part" if share < 0.6 else "largely"
    return (
        f"Pictures and words say the same **{degree}**: {names} have a {escape(measure.label)} of "
        f"**{number(float(first['raw']))}**{on} \\(permuted items {low} to {high}; calibrated "
        f"{number(share)} on a scale from 0 to 1\\)\\."
    )


def _behaviour(found: Alignment, known: Mapping[str, Space]) -> str:
    lifts = found.behaviour
    if "value" not in lifts:
        return ""
    lifts = lifts[(lifts["measure"] == "lift") & lifts["value"].notna()]
    if lifts.empty:
        return ""
    above = lifts[lifts["low"] > 1].sort_values("value", ascending=False)
    if above.empty:
        return (
            "For no space is it shown that items which are alike overlap in their users beyond "
            "what popularity brings\\."
        )
    best = above.iloc[0]
    name = escape(title(known, str(best["space"])))
    of = " \\(fitted on this catalogue, all its items counted\\)"
    return (
        f"Items that are alike in **{name}**{of if best['space'] in found.fitted else ''} overlap "
        "in their users "
        f"**{number(float(best['value']))} times** as much as equally popular ones: the more, the "
        "more a recommender can gain from it\\."
    )


def all_items_of_fitted(
    found: Alignment, known: Mapping[str, Space], looked_at: Sequence[str]
) -> None:
    """Says where a part of the page counts items that a space was fitted on.

    Args:
        found: The comparison.
        known: Spaces by name.
        looked_at: Spaces that the part is about.
    """
    fitted = [name for name in found.fitted if name in looked_at]
    if fitted:
        st.caption(
            "Fitted on this catalogue's own pairs of pictures and words, not on users: "
            f"{escape('; '.join(title(known, n) for n in fitted))}. This part shows all items of "
            "such a space, those that it was fitted on included, where the sides may lie closer "
            "than they would for new items. Matrix, retrieval and gap stand on held-out items."
        )


# The matrix


def matrix(dataset: Dataset, found: Alignment, known: Mapping[str, Space]) -> None:
    """Every pair of spaces: calibrated, raw, and the null."""
    there = found.measured
    if not there:
        st.info("None of the chosen measures makes sense for these spaces.")
        why_no_clip_score(dataset, found, titles(found, known))
        return
    name = choose_one("Measure", there, "measure", there[0], lambda n: MEASURES.get(n).label)
    measure = MEASURES.get(name)
    own = found.matrix[found.matrix["measure"] == name]
    st.caption(f"{measure.description} Range {_range(measure.value_range)}. {measure.reference}.")
    if name == MUTUAL_KNN.name:
        low, high = (
            percent(chance_overlap(int(n)), False) for n in (own["n"].max(), own["n"].min())
        )
        st.caption(f"By chance: k / (n − 1), {low if low == high else f'{low} to {high}'}.")
    named = titles(found, known)
    if own["raw"].notna().any():
        shown(matrix_drawing(found, name, named), _HOW, command(dataset.name, found))
    why_no_clip_score(dataset, found, named)
    with st.expander("All numbers"):
        st.dataframe(_numbers(own, named), hide_index=True, alt=f"{measure.label} of every pair")
        notes = sorted({str(note) for note in own["note"] if isinstance(note, str) and note})
        for note in notes:
            st.caption(escape(note))
        if own["sampled"].any():
            st.caption("Measured on a seeded sample of 5,000 items where more lie in both spaces.")


def _range(ends: tuple[float, float]) -> str:
    return " to ".join("∞" if np.isinf(end) else f"{end:g}".replace("-", "−") for end in ends)


def _numbers(own: pd.DataFrame, named: Mapping[str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "First": own["space_a"].map(named),
            "Second": own["space_b"].map(named),
            "Value": own["raw"].map(number),
            "Null, 95 %": [
                f"{number(a)} to {number(b)}"
                for a, b in zip(own["null_low"], own["null_high"], strict=True)
            ],
            "p": own["p"].map(number),
            "Calibrated": own["calibrated"].map(number),
            "Items": own["n"],
        }
    )
