"""What was done, in words for a paper, and the references of what was used."""

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from mmrec_core.extractors import EXTRACTORS
from mmrec_core.extractors.controls import CONTROLS
from mmrec_core.metrics import metric_label
from mmrec_core.recommenders import RECOMMENDERS
from mmrec_core.studies.cost import setting_name
from mmrec_core.studies.results import StudyResult

OF_EVERY_STUDY = ("study", "satterthwaite", "holm", "tost")
OF_EXTRACTORS = {
    "minilm": ("minilm", "sbert"),
    "sbert-mpnet": ("sbert", "mpnet"),
    "clip-image": ("clip",),
    "clip-text": ("clip",),
    "siglip-image": ("siglip",),
    "siglip-text": ("siglip",),
    "small-lvlm": ("llava",),
    "shared-space": ("clip",),
}
"""Extractor -> entries of references.bib, where they are not the one of its own name."""

_STRATEGY = {"train": "retrained", "inference": "scored, without retraining,"}


def methods_paragraph(result: StudyResult) -> str:
    """How a study was made, in one paragraph of plain text, from its own JSON."""
    study, document = result.study, result.document
    metric = metric_label(study["metric"])
    seeds = f"{study['seeds']} seeds" if study["seeds"] > 1 else "one seed"
    models = _listed(_title(name) for name in study["recommenders"])
    references = _listed(_title(name) for name in study["references"])
    controls = _listed(
        f"{CONTROLS.get(name).title.lower()} ({name})"
        for name in study["controls"]
        if name in CONTROLS
    )
    sentences = [
        f"We study {document['dataset_title']} ({document['n_users']:,} users, "
        f"{document['n_items']:,} items, {document['n_train']:,} training interactions; "
        f"{document['split'].rstrip('.')})."
    ]
    if result.imported:
        sentences.append(
            f"Ranked lists of {models}"
            + (f" and, without content, of {references}" if references else "")
            + f" were made elsewhere, with {seeds} of every arm, and are evaluated here; settings "
            "and convergence are as their makers chose."
        )
    else:
        sentences.append(
            f"Items are seen through {_features(study)}; features are frozen unless a setting says "
            f"otherwise. {models} are trained with these"
            + (f", and {references} without content" if references else "")
            + f", with {seeds} of every arm."
        )
        sentences.append(_settings(result))
    if controls and result.imported:
        sentences.append(f"Besides real features there are lists of models with: {controls}.")
    elif controls:
        sentences.append(
            f"To tell content from parameters, each modality, and all at once, is replaced by a "
            f"control and the model is {_STRATEGY[study['stage']]} with it: {controls}. Controls "
            "are drawn with the training seed, so that their chance is part of every interval."
        )
    seen = "training and validation" if "+" in study["mask"] else "training"
    sentences += [
        f"The lists hold no items that the user has in {seen}; the measure is {metric}, and users "
        "without a relevant test item, or without a list in some arm, are left out."
        if result.imported
        else f"All items a user has not seen in {seen} are ranked, without sampling; ties are "
        f"broken by one seeded random order. The measure is {metric}, fixed before training; users "
        "without a relevant test item are left out.",
        "Arms are compared in pairs of the same user and seed. With D the differences of n users "
        "and S seeds and mean squares of their crossed two-way layout, SE^2 = max(MS_U + MS_S - "
        "MS_US, MS_U, MS_S) / (nS), with Satterthwaite's degrees of freedom; intervals are 95 % t "
        "intervals, conditional on the split and the hyper-parameters.",
        f"A difference counts where its Holm-adjusted p is below .05 within its family and it is "
        f"at least {100 * study['delta']:g} % of the base's mean; two arms count as equal where "
        f"the 90 % interval lies within ±{100 * study['delta']:g} % (two one-sided tests); "
        "otherwise the comparison is undecided. Content is used where real features beat "
        "shuffled ones, and it pays where they beat the model without them.",
    ]
    environment = document["environment"]
    sentences.append(
        f"Computed with MMRec Lens {environment.get('mmrec_lens', '')}"
        + (f" and torch {environment['torch']}" if "torch" in environment else "")
        + f"; study {result.key[:12]}, reproduced by: {result.command}"
    )
    return " ".join(sentences)


def _settings(result: StudyResult) -> str:
    study = result.study
    if not result.tuned:
        changed = {n: v for n, v in study["configs"].items() if v}
        said = "; ".join(
            f"{_title(n)}: {', '.join(f'{k} = {v}' for k, v in own.items())}"
            for n, own in changed.items()
        )
        return "Hyper-parameters are untuned defaults" + (f", but for {said}." if said else ".")
    tuning = study["tuning"]
    sampler = "TPE" if tuning["sampler"] == "tpe" else "a grid in random order"
    space = "the grid of Pomo et al." if tuning["space"] == "paper" else "each model's own grid"
    return (
        f"The hyper-parameters of every arm, controls included, are searched with the same budget: "
        f"{tuning['trials']} trials of {sampler} over {space}, by Recall@20 on validation."
    )


def _features(study: dict[str, Any]) -> str:
    return f"the setting {setting_name(study['features'])}" if study["features"] else "no features"


def _title(name: str) -> str:
    return RECOMMENDERS.get(name).title if name in RECOMMENDERS else name


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    return (
        every[0]
        if len(every) == 1
        else " and ".join(filter(None, (", ".join(every[:-1]), *every[-1:])))
    )


def citations(result: StudyResult) -> list[str]:
    """Keys of references.bib for what a study used, in order, each once."""
    study = result.study
    keys = [*OF_EVERY_STUDY]
    keys += [*study["recommenders"], *study["references"]]
    for choice in study["features"].values():
        keys += _of_extractor(choice)
    if study.get("tuning"):
        keys.append("optuna")
    if "removed" in study["controls"]:
        keys.append("shapley")
    known = entries()
    return [key for key in dict.fromkeys(keys) if key in known]


def _of_extractor(choice: dict[str, Any]) -> list[str]:
    parts = choice["config"].get("parts") if choice["extractor"] == "fusion" else None
    if parts:
        return [key for part in parts for key in _of_extractor({"config": {}, **part})]
    name = choice["extractor"]
    return list(OF_EXTRACTORS.get(name, (name,)))


@lru_cache(maxsize=1)
def entries() -> dict[str, str]:
    """Key -> entry of references.bib."""
    text = (Path(__file__).parent / "references.bib").read_text("utf-8")
    found = re.findall(r"^@\w+\{([^,]+),.*?^\}", text, re.MULTILINE | re.DOTALL)
    whole = re.findall(r"^@\w+\{[^,]+,.*?^\}", text, re.MULTILINE | re.DOTALL)
    return dict(zip(found, whole, strict=True))


def bibtex(result: StudyResult) -> str:
    """BibTeX of what a study used; models of a hub that have no entry are named in a comment."""
    study = result.study
    named = [
        c["config"].get("model") for c in study["features"].values() if c["config"].get("model")
    ]
    comment = "".join(f"% Also used: {_one_line(model)}; see its model card.\n" for model in named)
    return comment + "\n\n".join(entries()[key] for key in citations(result)) + "\n"


def _one_line(text: object) -> str:
    return re.sub(r"[\s\x00-\x1f]+", " ", str(text))


def unreferenced() -> list[str]:
    """Recommenders and extractors with no entry and no reason to lack one; a test wants none."""
    without = {"random", "most-pop", "attribute-item-knn", "fusion", "precomputed", "category",
               "attributes", "description-text", "probed-attributes", "hub-image", "hub-text",
               "vision-language"}  # fmt: skip
    names = [*RECOMMENDERS.names(), *EXTRACTORS.names()]
    return [
        name
        for name in names
        if name not in without
        and not all(key in entries() for key in OF_EXTRACTORS.get(name, (name,)))
    ]
