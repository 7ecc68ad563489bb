"""What models lose when other features stand in for a modality, beside what published ones lost."""

import pandas as pd
import streamlit as st

from mmrec_core.extractors.controls import CONTROLS
from mmrec_core.figures.palette import modality_label
from mmrec_core.metrics import metric_label
from mmrec_core.recommenders import RECOMMENDERS
from mmrec_core.studies.anchors import KNOCKOUT
from mmrec_core.studies.knockout import BACKBONE, knockout_table
from mmrec_core.studies.results import StudyResult
from pages.ui.export import export_menu
from pages.ui.studies import settings_of, titles
from pages.ui.words import columns_of_numbers, escape, how, number

_HOW = (
    "The change of the metric when a control stands in for the content, relative to the same model "
    "with its real content, paired by user and seed; half of its 95 % interval below it (users and "
    "seeds crossed, unadjusted). The last rows hold everything that content could be confused "
    "with: one-hot ids give each item as many free parameters and no content; the backbone is the "
    "published model that this one extends. What the identity control gains over the backbone "
    "could be capacity; what real content gains over identity cannot. Features are frozen; "
    "`--set NAME.trainable_features=true` makes them parameters, as in much published code, and "
    "the two studies can be compared under Runs. Verdicts are made under Effects, not here."
)


def knockouts(result: StudyResult, metric: str) -> None:
    """Changes by model and stand-in, capacity in words, and a published pattern beside."""
    table = knockout_table(result.comparisons, metric)
    st.table(_cells(table, metric), border="horizontal", hide_index=True)
    for sentence in [*capacity(table), *trained_features(result.arms)]:
        st.markdown(f"- {sentence}")
    with st.container(horizontal=True):
        how("How", _HOW, result.command, settings_of(result))
        export_menu(f"knockouts-{result.key[:8]}", lambda: table)
    with st.expander("A published knock-out, on other data"):
        st.table(_published(), border="horizontal", hide_index=True)
        st.caption(
            escape(
                f"{KNOCKOUT.source}: {KNOCKOUT.metric} on {KNOCKOUT.title}, noise in place of real "
                "features. Data, extractors and settings differ from this study's: the pattern "
                "stands here to be compared, not to be reached."
            )
        )


def capacity(table: pd.DataFrame) -> list[str]:
    """What free parameters could explain of each model's lead over its backbone, as markdown."""
    whole = table[table["modality"].isin(("all", "joint"))]
    scopes = table["modality"].nunique()
    named, said = titles(), []
    for name, own in (table if scopes == 1 else whole).groupby("recommender", sort=False):
        rows = own.set_index("stand_in")
        if BACKBONE not in rows.index:
            continue
        base = rows.loc[BACKBONE, "value"]
        backbone = RECOMMENDERS.get(str(name)).backbone
        gain = rows.loc[BACKBONE, "real"] / base - 1
        text = (
            f"{named.get(str(name), str(name))} with real content stands {_apart(gain)} "
            f"{named[str(backbone)]}, the model it extends"
        )
        if "identity" in rows.index:
            free = rows.loc["identity", "value"] / base - 1
            text += f"; with one-hot ids in its place {_apart(free)} it: so much could be capacity"
        said.append(f"{escape(text)}\\.")
    return said


def trained_features(arms: pd.DataFrame) -> list[str]:
    """How far trained features have moved, real ones and those of each control, as markdown."""
    columns = [c for c in arms.columns if c.startswith("moved_")]
    named, said = titles(), []
    for name, own in arms[arms["control"] != "none"].groupby("recommender", sort=False):
        if not columns or own[columns].isna().all(axis=None):
            continue
        by = own.set_index(["modality", "control"])[columns].max(axis=1).dropna()
        words = ", ".join(
            f"{control} {number(100 * value)} %"
            for (modality, control), value in by.items()
            if modality in ("none", "all")
        )
        said.append(
            escape(
                f"{named.get(str(name), str(name))} trains its features: they move by {words} of "
                "their own size. What noise gains by that is capacity, not content."
            )
        )
    return said


def _apart(x: float) -> str:
    return f"{number(100 * abs(x))} % {'above' if x >= 0 else 'below'}"


def _cells(table: pd.DataFrame, metric: str) -> pd.DataFrame:
    """One row a model and stand-in, one column a modality; markdown."""
    named = titles()
    order = [*CONTROLS.names(), BACKBONE]
    scopes = list(dict.fromkeys(table["modality"]))
    rows: list[tuple[str, str, str]] = []
    cells: dict[str, list[pd.Series | None]] = {scope: [] for scope in scopes}
    for name, own in table.groupby("recommender", sort=False):
        for stand_in in sorted(own["stand_in"].unique(), key=order.index):
            if stand_in == BACKBONE:
                words = f"{named[str(RECOMMENDERS.get(str(name)).backbone)]} (backbone)"
            else:
                words = CONTROLS.get(stand_in).title
            found = own[own["stand_in"] == stand_in].set_index("modality")
            rows.append(
                (named.get(str(name), str(name)), number(own["real"].iloc[0]), escape(words))
            )
            for scope in scopes:
                cells[scope].append(found.loc[scope] if scope in found.index else None)
    shown = {
        "Model": [escape(row[0]) for row in rows],
        f"{metric_label(metric)}, real": [row[1] for row in rows],
        "Replaced by": [row[2] for row in rows],
    }
    for scope in scopes:
        shown[modality_label(scope)] = columns_of_numbers(
            [
                "" if x is None else f"{number(100 * x['change'], sign=True)} %"
                for x in cells[scope]
            ],
            [
                "" if x is None else f"±{number(100 * (x['high'] - x['low']) / 2)}"
                for x in cells[scope]
            ],
        )
    return pd.DataFrame(shown)


def _published() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Model": list(KNOCKOUT.changes),
            "With real content": [f"{value:.4f}" for value in KNOCKOUT.real.values()],
            **{
                words: [f"{100 * own[at]:+.1f} %" for own in KNOCKOUT.changes.values()]
                for at, words in enumerate(("Both noise", "Text noise", "Image noise"))
            },
        }
    )
