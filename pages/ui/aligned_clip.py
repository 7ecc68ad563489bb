"""Why CLIPScore is not shown, and how it can be: texts embedded after its prefix."""

import shlex
from collections.abc import Mapping

import streamlit as st

from mmrec_core import jobs
from mmrec_core.alignment import CLIP_SCORE
from mmrec_core.alignment.clip_score import PREFIX
from mmrec_core.alignment.service import Alignment
from mmrec_core.domain import Dataset
from mmrec_core.extractors.base import Extractor
from mmrec_core.extractors.service import find_embeddings, make_extractor
from mmrec_core.settings import settings
from mmrec_core.spaces import extractor_of
from mmrec_core.studies.results import typed
from pages.ui.words import escape


def why_no_clip_score(dataset: Dataset, found: Alignment, named: Mapping[str, str]) -> None:
    """Says of which spaces CLIPScore could be measured, or why of none; mostly nothing."""
    table = found.matrix
    own = table[table["measure"] == CLIP_SCORE.name]
    scored = {*own["space_a"], *own["space_b"]}
    lacking = [(image, words) for image, words in found.without_prefix if image not in scored]
    for image, words in lacking:
        _offer(dataset, image, words, named)
    if CLIP_SCORE.name in found.config.measures and own.empty and not lacking:
        st.info(
            "CLIPScore is not shown: it is defined between the pictures and the texts of **one** "
            "model that was trained on pairs of them, such as CLIP\\. Unlike models have no cosine "
            "in common, and a space that was fitted on this catalogue would mark its own work\\."
        )


def _offer(dataset: Dataset, image: str, words: str, named: Mapping[str, str]) -> None:
    extractor = extractor_of(dataset, words)
    assert extractor is not None  # spaces of controls share none
    changed = extractor.config.model_dump(mode="json", exclude_defaults=True)
    prefixed = make_extractor(extractor.name, {**changed, "prefix": PREFIX})
    with st.container(border=True):
        st.markdown(
            f"**CLIPScore** of {escape(named[image])} and {escape(named[words])} is not shown: it "
            f"reads every text after “{PREFIX}”, and these texts were embedded without\\."
        )
        if find_embeddings(dataset, prefixed.name, prefixed.config) is not None:
            st.markdown(
                f"The space with *prefix={PREFIX}* is here: add it to *Spaces* above and compare\\."
            )
            return
        _embed(dataset, prefixed)


def _embed(dataset: Dataset, prefixed: Extractor) -> None:
    st.caption(
        "Embed them with it, then add that space to *Spaces* above. It is a space of its own: the "
        "one without the prefix stays as it is. From a terminal:"
    )
    st.code(_command(dataset.name, prefixed), language="shell", wrap_lines=True)
    if settings().read_only:
        return
    ok, reason = prefixed.availability()
    if not ok:
        st.caption(escape(f"It cannot run here: {reason}."))
        return
    if st.button(f"Embed the words after “{PREFIX}”", key=f"prefix-{prefixed.label}"):
        spec = {
            "dataset": dataset.name,
            "extractor": prefixed.name,
            "config": prefixed.config.model_dump(mode="json"),
        }
        jobs.start("embed", spec, f"Words of {dataset.info.title} after “{PREFIX}”")
        st.rerun()


def _command(dataset: str, prefixed: Extractor) -> str:
    parts = ["python", "-m", "mmrec_core", "embed", dataset, "--extractor", prefixed.name]
    changed = prefixed.config.model_dump(mode="json", exclude_defaults=True)
    for name, value in sorted(changed.items()):
        parts += ["--option", f"{name}={typed(value)}"]
    return shlex.join(parts)
