"""What the points of a map are coloured by: a column, popularity, a region, what a run does."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st

from mmrec_core.datasets.catalogue import is_demo
from mmrec_core.datasets.demo import load_truth
from mmrec_core.domain import Dataset
from mmrec_core.exports.drawings import recommender_titles, whole_models
from mmrec_core.projection.regions import Regions
from mmrec_core.projection.selection import INTERACTIONS, Column, column_of, columns_of
from mmrec_core.studies.agreement import lists_of
from mmrec_core.studies.results import StudyResult, list_studies
from mmrec_core.studies.stored import arms_by_label, inputs_of, kept_runs
from pages.ui.address import choose
from pages.ui.catalogue import world_of
from pages.ui.point_map import NONE, Colours

LISTED = 20
"""Length of the lists that are counted."""

LOOKED_AT = 3
"""Newest studies whose lists can colour a map."""

_COLUMN, _REGION, _RUN, _HITS = "column:", "region:", "lists:", "hits:"


@st.cache_resource(max_entries=8, show_spinner=False)
def columns(fingerprint: str, _dataset: Dataset) -> dict[str, Column]:
    """Columns of a dataset by name; of the demo's worlds what was planted too."""
    found = {column.name: column for column in columns_of(_dataset)}
    if is_demo(_dataset.name):
        truth = load_truth(world_of(_dataset.name))
        for name in (*truth.visible, *truth.readable):
            column = column_of(f"{name} (planted)", truth.attributes[name])
            if column is not None:
                found[column.name] = column
    return found


def choose_colours(dataset: Dataset, regions: Mapping[str, Regions | None]) -> Colours:
    """A select box over everything that can colour a map.

    Args:
        dataset: Whose items.
        regions: Name of a map on screen -> its regions, where it has any.
    """
    own = columns(dataset.fingerprint, dataset)
    options = {f"{_COLUMN}{name}": _column_title(name) for name in own}
    options |= {
        f"{_REGION}{place}": f"Region of the {place} map"
        for place, found in regions.items()
        if found is not None and len(found.table)
    }
    for study, label, words in _arms(dataset.name):
        options[f"{_RUN}{study.key[:12]}|{label}"] = f"Times in lists of {LISTED}: {words}"
        options[f"{_HITS}{study.key[:12]}|{label}"] = f"Hits in lists of {LISTED}: {words}"
    default = next(iter(options))
    chosen = choose("Colour by", list(options), "colour", default, options.__getitem__)
    return _colours(dataset, chosen, options[chosen], own, regions)


def _column_title(name: str) -> str:
    return "Popularity (interactions)" if name == INTERACTIONS else name.replace("_", " ")


def _arms(name: str) -> list[tuple[StudyResult, str, str]]:
    titles = recommender_titles()
    found = []
    for study in [s for s in list_studies(name) if not s.imported][:LOOKED_AT]:
        for arm in whole_models(study):
            words = f"{titles.get(arm.recommender, arm.recommender)} (study {study.key[:8]})"
            found.append((study, arm.label, words))
    return found


def _colours(
    dataset: Dataset,
    chosen: str,
    title: str,
    own: Mapping[str, Column],
    regions: Mapping[str, Regions | None],
) -> Colours:
    if chosen.startswith(_COLUMN):
        return of_column(own[chosen.removeprefix(_COLUMN)], title)
    if chosen.startswith(_REGION):
        found = regions[chosen.removeprefix(_REGION)]
        assert found is not None
        names = [f"{i + 1} {words}" for i, words in enumerate(found.table["words"])]
        return Colours(_codes(found.of_item), names, title)
    hits = chosen.startswith(_HITS)
    key, _, label = chosen.partition(":")[2].partition("|")
    study = next(s for s in list_studies(dataset.name) if s.key.startswith(key))
    counts = _listed(study.key, label, hits, dataset.fingerprint, study, dataset)
    if counts is None:
        st.caption(
            "The lists of this arm are not kept here; the study's command on the page Runs makes "
            "them again."
        )
        counts = np.full(dataset.n_items, np.nan, dtype=np.float32)
    return Colours(counts, (), title, log=True)


def of_column(column: Column, title: str) -> Colours:
    """Colours of a column; popularity on a logarithmic scale."""
    if column.numbers is not None:
        log = column.name == INTERACTIONS
        return Colours(column.numbers.astype(np.float32), (), title, log=log)
    assert column.values is not None
    return Colours(_codes(column.values), column.names, title)


def _codes(values: np.ndarray) -> np.ndarray:
    return np.where((values < 0) | (values >= NONE), NONE, values).astype(np.uint16)


@st.cache_data(max_entries=8, show_spinner="Reading the lists of a study")
def _listed(
    key: str, label: str, hits: bool, fingerprint: str, _study: StudyResult, _dataset: Dataset
) -> np.ndarray | None:
    """How many users' lists hold each item, or hold it as a relevant test item, mean over seeds.

    NaN for items outside the split.
    """
    inputs = inputs_of(_study)
    runs = kept_runs(_study, inputs)
    arm = arms_by_label(_study)[label]
    if arm not in runs:
        return None
    lists = lists_of(runs, arm, LISTED)
    items = inputs.split.item_ids
    if hits:
        relevant = inputs.split.relevant("test").astype(bool)
        users = np.arange(len(lists[0]))[:, None]
        lists = [
            np.where(np.asarray(relevant[users, np.maximum(own, 0)].todense()), own, -1)
            for own in lists
        ]
    counts = np.mean(
        [np.bincount(own[own >= 0].ravel(), minlength=len(items)) for own in lists], axis=0
    )
    row = pd.Index(_dataset.item_ids).get_indexer(pd.Index(items))
    found = np.full(_dataset.n_items, np.nan, dtype=np.float32)
    found[row] = counts
    return found
