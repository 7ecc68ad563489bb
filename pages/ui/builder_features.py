"""What the items of a study are seen with: modalities, controls, extractors and their options."""

from typing import Any

import streamlit as st

from mmrec_core.datasets.catalogue import feature_modalities, load_dataset
from mmrec_core.descriptions.service import list_descriptions
from mmrec_core.domain import Dataset, InputError
from mmrec_core.extractors.base import EXTRACTORS
from mmrec_core.extractors.controls import CONTROLS
from mmrec_core.extractors.hub import BUNDLED
from mmrec_core.extractors.hub_models import HubModel
from mmrec_core.extractors.missing_controls import PREFIX, SHARES
from mmrec_core.extractors.service import default_extractor, make_extractor
from mmrec_core.studies.plan import default_modalities
from mmrec_core.studies.study import Study
from pages.ui.described import label as described_label
from pages.ui.form import config_form
from pages.ui.words import escape

KEPT: dict[str, Any] = {"bind": "query-params", "persist_state": "session"}
OF_DESCRIPTIONS = ("attributes", "description-text")
"""Extractors that are offered once for each finished description."""
CURVE = [f"{PREFIX}{percent}" for percent in SHARES]
ANY_MODEL = {"image": "hub-image", "text": "hub-text", "joint": "vision-language"}
"""Extractors whose model is named by hand."""


def default_of(field: str) -> Any:
    """Default of a field of a study."""
    return Study.model_fields[field].get_default()


def help_of(field: str) -> str:
    """What a field of a study is."""
    return Study.model_fields[field].description or ""


def features(dataset: str) -> dict[str, Any]:
    """Widgets for modalities, controls and extractors; the values of a study."""
    own = feature_modalities(dataset)
    left, right = st.columns(2)
    modalities = left.multiselect(
        "Modalities",
        ["image", "text", "joint"],
        default=_there(dataset),
        help=help_of("modalities"),
        key=f"{dataset}.modalities",
        wrap=True,
        **KEPT,
    )
    listed = [name for name in CONTROLS.names() if name != "real" and name not in CURVE]
    controls = right.multiselect(
        "Controls",
        listed,
        default=list(default_of("controls")),
        format_func=lambda name: CONTROLS.get(name).title,
        help="\n".join(
            [help_of("controls") + ".\n"]
            + [f"- **{c.title}** removes {c.removes}" for n in listed if (c := CONTROLS.get(n))]
        ),
        key="controls",
        wrap=True,
        **KEPT,
    )
    if right.checkbox(
        "Missing-modality curve",
        help=f"{len(CURVE)} arms more for each modality and for all at once: its content is taken "
        "from 20, 40, 60 and 80 % of the items. Real and removed are the curve's ends.",
        key="missing-curve",
        **KEPT,
    ):
        controls = [*controls, *CURVE]
    chosen = {}
    places = st.columns(max(2, len(modalities))) if modalities else []
    for place, modality in zip(places, modalities, strict=False):
        with place:
            chosen[modality] = _extractor(dataset, modality, own)
    return {"modalities": modalities, "controls": controls, "features": chosen}


def _extractor(dataset: str, modality: str, own: dict[str, str]) -> dict[str, Any]:
    """Which extractor makes a modality's features, as the plain values of a FeatureChoice."""
    choices: dict[str, tuple[str, dict[str, Any]]] = {}
    words: dict[str, str] = {}
    elsewhere: list[str] = []
    missing: list[str] = []
    for file, its in own.items():
        if its == modality:
            choices[file] = ("precomputed", {"file": file})
            words[file] = f"{file} (came with the dataset)"
    for name, kind in EXTRACTORS.items():
        if kind.modality != modality:
            continue
        ok, reason = kind().availability()
        if name in OF_DESCRIPTIONS or not _suits(name, load_dataset(dataset)):
            continue
        if ok or name in ANY_MODEL.values():
            choices[name] = (name, {})
            words[name] = kind.title
        elif issubclass(kind, HubModel):
            elsewhere.append(kind.title)
        else:
            missing.append(f"{kind.title}: {reason}.")
    if modality == "joint":
        for made in list_descriptions(load_dataset(dataset)):
            told = described_label(made)
            for name in ("attributes", "description-text"):
                choices[f"{name} {made.artefact.key}"] = (
                    name,
                    {"descriptions": made.artefact.key},
                )
                words[f"{name} {made.artefact.key}"] = f"{EXTRACTORS.get(name).title}: {told}"
    if elsewhere:
        missing.append(
            f"Not on this machine: {', '.join(elsewhere)}; set MMREC_ONLINE=1 where there is "
            "internet, or choose Any model and give its folder."
        )
    default = _usual(dataset, modality)
    chosen = st.selectbox(
        f"Features of {modality}",
        list(choices),
        index=list(choices).index(default) if default in choices else 0,
        format_func=words.__getitem__,
        help=" ".join(["What turns items into vectors.", *missing]),
        key=f"{dataset}.{modality}",
        **KEPT,
    )
    if chosen in ANY_MODEL.values():
        choices[chosen] = (chosen, _model(chosen, f"{dataset}.{modality}"))
    elif chosen == BUNDLED:
        choices[chosen] = (chosen, _options(chosen, f"{dataset}.{modality}"))
    extractor, config = choices[chosen]
    caution = make_extractor(extractor, config).caution(load_dataset(dataset))
    if caution:
        st.warning(f"{escape(caution)}\\.")
    return {"extractor": extractor, "config": config}


def _there(dataset: str) -> list[str]:
    """The modalities that the items have; all usual ones where they have none, to say so."""
    try:
        return list(default_modalities(dataset))
    except InputError:
        return list(default_of("modalities"))


def _suits(extractor: str, dataset: Dataset) -> bool:
    """Whether a dataset has what an extractor of metadata or truth reads."""
    if extractor == "category":
        return bool((dataset.items["category"].fillna("") != "").any())
    return extractor != "probed-attributes" or dataset.info.truth


def _usual(dataset: str, modality: str) -> str:
    """What makes a modality's features where nobody chose; joint ones a vision-language model."""
    loaded = load_dataset(dataset)
    try:
        name, config = default_extractor(modality, loaded)
    except InputError:
        return BUNDLED if loaded.info.truth else ANY_MODEL[modality]
    return str(getattr(config, "file", name))


def _model(extractor: str, key: str) -> dict[str, Any]:
    """Which model of a hub, or of a folder of the machine that runs the app, and its options."""
    model = st.text_input(
        "Model",
        placeholder="/path/to/model or organisation/model",
        help="A folder on the machine that runs this app, in the format of transformers or "
        "sentence-transformers with safetensors weights, or a hub id.",
        key=f"{key}.model",
        **KEPT,
    ).strip()
    config = {"model": model, **_options(extractor, key)}
    ok, reason = make_extractor(extractor, config).availability()
    if not ok and model:
        st.error(f"{escape(reason[0].upper() + reason[1:])}\\.")
    elif not ok:
        st.caption("Name a model to go on.")
    return config


def _options(extractor: str, key: str) -> dict[str, Any]:
    """Options of a model as a form."""
    with st.expander("Options of the model"):
        # Whoever opens the page must not be able to run a model's code on the machine. Pictures
        # and titles are replaced by controls, which are arms of the study.
        left_out = ("model", "custom", "remote_code", "picture", "title")
        kind = EXTRACTORS.get(extractor).Config
        return config_form(kind, key, columns=2, leave_out=left_out)
