"""A dataset at a glance: counts, what was planted, a dozen pictures."""

import numpy as np
import streamlit as st

from mmrec_core.datasets.catalogue import DatasetCard, is_demo, load_dataset, thumbnail_path
from mmrec_core.datasets.demo import load_truth
from pages.ui.words import escape, percent

PICTURES = 12
_PARTS = {"image": "picture", "text": "words"}


@st.cache_data(max_entries=64, show_spinner=False)
def _truth(world: str) -> dict[str, float]:
    strengths = load_truth(world).strengths
    return {modality: float(strengths[part]) for modality, part in _PARTS.items()}


def planted(dataset: str) -> dict[str, float] | None:
    """Modality -> strength of the tastes planted in it; None where no truth is known."""
    if not is_demo(dataset):
        return None
    return _truth(world_of(dataset))


def world_of(demo: str) -> str:
    """The world of one of the demo's datasets."""
    return "both" if demo == "demo" else demo.removeprefix("demo-")


def planted_text(strengths: dict[str, float]) -> str:
    """What was planted, in a sentence of markdown."""
    where = [f"the {_PARTS[m]} ({s:g})" for m, s in strengths.items() if s]
    if not where:
        return (
            "Generated data, so the truth is known: users' tastes follow neither picture nor words."
        )
    return (
        "Generated data, so the truth is known: users' tastes were planted in "
        f"{' and '.join(where)}; in brackets the strength in standard deviations of utility."
    )


@st.cache_data(max_entries=32, show_spinner=False)
def _sample(name: str, fingerprint: str, n: int) -> list[tuple[str, str]]:
    """(picture, title) of n items spread over the catalogue."""
    dataset = load_dataset(name)
    items = dataset.items[["image", "title", "item_id"]]
    items = items[items["image"] != ""]
    rows = np.unique(np.linspace(0, len(items) - 1, n).astype(int)) if len(items) else []
    chosen = items.iloc[rows]
    named = chosen["title"].where(chosen["title"] != "", chosen["item_id"])
    return list(zip(chosen["image"].astype(str), named.astype(str), strict=True))


def pictures(name: str, n: int = PICTURES) -> None:
    """Thumbnails of items spread over the catalogue, their titles as alternative text."""
    dataset = load_dataset(name)
    paths, alts = [], []
    for image, title in _sample(name, dataset.fingerprint, n):
        path = thumbnail_path(dataset, image, 96)
        if path is not None and path.is_file():
            paths.append(str(path))
            alts.append(title)
    if paths:
        with st.container(horizontal=True, gap="xsmall"):
            for path, alt in zip(paths, alts, strict=True):
                st.image(path, width=58, alt=alt)
    else:
        st.caption("No item of this dataset has a picture.")


def counts_text(card: DatasetCard) -> str:
    """Counts of a dataset as markdown."""
    density = card.n_interactions / max(1, card.n_users * card.n_items)
    return " · ".join(
        (
            f"**{card.n_users:,}** users",
            f"**{card.n_items:,}** items",
            f"**{card.n_interactions:,}** interactions",
            f"{percent(density, False)} of all pairs",
            f"{percent(card.share_image, False)} of items with a picture",
            f"{percent(card.share_text, False)} with words",
            escape(card.licence or "licence not stated"),
        )
    )
