"""Thresholds before an installation: what studies would keep, counted while a slider moves."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from mmrec_core.datasets.narrowing import read_codes
from mmrec_core.datasets.split import core_sizes
from pages.ui.incoming import Upload
from pages.ui.words import number

LARGEST_CORE = 20
_FEW = 25
"""So many distinct ratings are offered one by one."""


def thresholds(upload: Upload, report: dict[str, Any]) -> dict[str, Any]:
    """K-core and relevance with live counts; what differs from the upload's own, for the job.

    Args:
        upload: That was read.
        report: Of the check.
    """
    if not upload.codes.is_file():
        return {}
    stamp = upload.codes.stat().st_mtime_ns
    with st.expander("Thresholds: what studies will keep", expanded=True):
        said: dict[str, Any] = {}
        if report["split"] == "fixed":
            st.caption("The data are divided already: studies take them whole, without a k-core.")
        else:
            said |= _core(upload, report, stamp)
        return said | _relevance(upload, report, stamp)


def _core(upload: Upload, report: dict[str, Any], stamp: int) -> dict[str, Any]:
    largest = max(LARGEST_CORE, int(report["k_core"]))
    sizes = _sizes(str(upload.codes), stamp, largest)
    left, right = st.columns([2, 3], vertical_alignment="center")
    k = left.slider(
        "k-core",
        0,
        largest,
        int(report["k_core"]),
        key=f"k-core-{upload.stem}",
        help="Users and items with fewer interactions than this are left out of studies, until "
        "every one has as many (Seidman 1983). A study can choose another.",
    )
    row = sizes.iloc[k]
    users, items, rows = int(row["n_users"]), int(row["n_items"]), int(row["n_interactions"])
    if not rows:
        most = int(sizes.loc[sizes["n_interactions"] > 0, "k"].max())
        right.warning(f"Nothing would be left to study. The largest k-core here is {most}\\.")
    else:
        right.markdown(
            f"**{users:,}** users, **{items:,}** items, **{rows:,}** interactions remain: "
            f"{_share(users, report['n_users'])} of the users, "
            f"{_share(items, report['n_items'])} of the items, "
            f"{_share(rows, report['n_interactions'])} of the interactions; "
            f"{number(100 * float(row['density']))} % of all pairs are filled."
        )
    said: dict[str, Any] = {} if k == report["k_core"] else {"k_core": k}
    spare = report["n_items"] - items
    # Interactions that are divided already are installed whole, whatever the split of studies.
    divided = "split" in report["columns"]
    if rows and spare and not divided and st.checkbox(
        f"Install only these: {spare:,} items are left out, with their pictures and embeddings",
        key=f"only-core-{upload.stem}",
        help="What no study would see costs nothing then. Another k-core needs another upload.",
    ):  # fmt: skip
        said |= {"k_core": k, "only_core": True}
    return said


def _relevance(upload: Upload, report: dict[str, Any], stamp: int) -> dict[str, Any]:
    values, counts = _ratings(str(upload.codes), stamp)
    if not len(values):
        st.caption("There are no ratings: every held-out interaction is relevant.")
        return {}
    now = report["relevant_from"]
    left, right = st.columns([2, 3], vertical_alignment="center")
    about: dict[str, Any] = {
        "label": "Relevant from rating", "key": f"relevant-{upload.stem}",
        "help": "Of the held-out interactions, those rated lower do not count as a hit. All "
        "interactions are trained on.",
    }  # fmt: skip
    if len(values) <= _FEW:
        # The threshold need not be a rating that anybody gave.
        steps = {float(value) for value in values} | ({now} if now is not None else set())
        options: list[float | None] = [None, *sorted(steps)]
        chosen = left.selectbox(
            options=options,
            index=options.index(now),
            format_func=lambda value: "every interaction" if value is None else f"{value:g}",
            **about,
        )
    else:
        start = float(values[0] if now is None else now)
        chosen = left.number_input(
            value=start,
            min_value=min(float(values[0]), start),
            max_value=max(float(values[-1]), start),
            **about,
        )
    total = report["n_interactions"]
    above = total if chosen is None else int(counts[values >= chosen].sum())
    right.markdown(f"**{above:,}** interactions ({_share(above, total)}) are rated so.")
    if chosen == now:
        return {}
    return {"relevant_from": "all" if chosen is None else float(chosen)}


def _share(part: int, whole: int) -> str:
    return f"{number(100 * part / max(1, whole))} %"


@st.cache_data(max_entries=8, show_spinner="Counting what every k-core keeps")
def _sizes(path: str, stamp: int, largest: int) -> pd.DataFrame:
    held = read_codes(Path(path))
    return core_sizes(held["user"], held["item"], range(largest + 1))


@st.cache_data(max_entries=8, show_spinner=False)
def _ratings(path: str, stamp: int) -> tuple[np.ndarray, np.ndarray]:
    rating = read_codes(Path(path))["rating"]
    return np.unique(rating[~np.isnan(rating)], return_counts=True)
