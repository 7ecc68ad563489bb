"""Fills the demo's committed, read-only store layer: embeddings, studies, runs, calibration."""

import argparse
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from mmrec_core.commands.actions import progress_line, show
from mmrec_core.extractors.hub import BUNDLED
from mmrec_core.extractors.prompts import STRATEGIES
from mmrec_core.settings import settings
from mmrec_core.store import Artefact, Store, store

DATASETS = ("demo-both", "demo-picture", "demo-words", "demo-neither")
EXTRACTORS = ("efficientnet-lite0", "minilm", "small-lvlm")


def ship(options: argparse.Namespace) -> None:
    """Embeds the demo in half precision, carries out its default studies, copies the results.

    What the layer already holds is kept, so an interrupted call is taken up again.
    """
    from mmrec_core.studies.results import StudyResult
    from mmrec_core.studies.runner import run_study
    from mmrec_core.studies.study import make_study

    layer = Store(settings().demo_store)
    for extractor in EXTRACTORS:
        _ship_embeddings(layer, extractor)
    keys: dict[str, str] = {}
    kept: set[str] = set()
    for dataset in DATASETS:
        study = make_study({"dataset": dataset})
        artefact = run_study(study)
        _copy(artefact, layer)
        keys[dataset] = artefact.key
        runs = _real_runs(StudyResult(artefact), dataset)
        for run in runs:
            _copy(run, layer)
        kept |= {artefact.key, *(run.key for run in runs)}
    kept |= _ship_calibration(layer) | _ship_descriptions(layer) | _ship_spaces(layer)
    kept |= _ship_explanations(layer)
    _forget_others(layer, kept)
    shutil.rmtree(layer.root / "tmp", ignore_errors=True)
    show(keys, options, "\n".join(f"{name}: study {key[:12]}" for name, key in keys.items()))


def _ship_calibration(layer: Store) -> set[str]:
    """Copies the newest calibration of today's models, where there is one; returns its key."""
    from mmrec_core.studies.calibration import latest_calibration

    found = latest_calibration()
    if found is None:
        return set()
    _copy(found, layer)
    return {found.key}


def _ship_descriptions(layer: Store) -> set[str]:
    """Describes the shop with the bundled model, and ships what was said, measured and probed."""
    from mmrec_core.datasets.catalogue import load_dataset
    from mmrec_core.descriptions.measure import measure_faithfulness, probe_words
    from mmrec_core.descriptions.service import describe
    from mmrec_core.descriptions.strategies import config_under, make_comparable, measure_spoken

    dataset = load_dataset(DATASETS[0])
    made = describe(dataset, {"model": BUNDLED, "prompt": "demo"}, progress_line)
    artefacts = [
        made.artefact,
        probe_words(dataset, made, BUNDLED, None, progress_line),
    ]
    ask = [config_under(made, strategy) for strategy in STRATEGIES if strategy != "structured"]
    for own in make_comparable(dataset, ask, [made], progress_line):
        measured = measure_faithfulness(dataset, own, progress_line)
        artefacts += [own.artefact, measured, measure_spoken(dataset, own)]
    for artefact in artefacts:
        _copy(artefact, layer)
    return {artefact.key for artefact in artefacts}


def _ship_spaces(layer: Store) -> set[str]:
    """Maps of the shop's pictures and words, and the alignment of what is shipped."""
    from mmrec_core.alignment.service import align
    from mmrec_core.datasets.catalogue import load_dataset
    from mmrec_core.projection.regions import words_of
    from mmrec_core.projection.service import (
        LISTS,
        REGIONS,
        find_artefacts,
        make_map,
        make_neighbour_lists,
        make_regions,
    )
    from mmrec_core.spaces import aligned_space, list_spaces
    from mmrec_core.studies.inputs import usual_split

    dataset = load_dataset(DATASETS[0])
    known = [space for space in list_spaces(dataset) if space.name in EXTRACTORS]
    spaces = {space.name: aligned_space(dataset, space.name, progress_line) for space in known}
    artefacts = [align(spaces, usual_split(dataset), progress=progress_line).artefact]
    for space in spaces.values():
        own = make_map(space.vectors, progress=progress_line)
        make_regions(own, words_of(dataset))
        make_neighbour_lists(space.vectors)
        artefacts.append(own.artefact)
        artefacts += find_artefacts(REGIONS, map=own.artefact.key)
        artefacts += find_artefacts(LISTS, vectors=space.vectors.fingerprint)
    for artefact in artefacts:
        _copy(artefact, layer)
    return {artefact.key for artefact in artefacts}


def _ship_explanations(layer: Store) -> set[str]:
    """How faithful the explanations of the shipped runs are."""
    from mmrec_core.datasets.catalogue import load_dataset
    from mmrec_core.explanations.faithfulness import measured_methods
    from mmrec_core.explanations.service import measure_faithfulness, open_run
    from mmrec_core.studies.trained import stored_runs

    dataset, kept = load_dataset(DATASETS[0]), set()
    for run in stored_runs(dataset):
        if not run.restorable or not run.artefact.shipped:
            continue
        own = open_run(dataset, run.name)
        if measured_methods(own.subject, own.attributes, own.rows):
            artefact = measure_faithfulness(own, progress=progress_line)
            _copy(artefact, layer)
            kept.add(artefact.key)
    return kept


def _ship_embeddings(layer: Store, extractor: str) -> None:
    from mmrec_core.datasets.catalogue import load_dataset
    from mmrec_core.extractors.service import embed, save_embeddings

    embeddings, artefact = embed(load_dataset(DATASETS[0]), extractor, None, progress_line)

    # What encoding took is a fact of the machine that did it, and the cost table reads it.
    measured = ("device", "seconds", "items_encoded", "items_resumed", "peak_memory_mib")
    taken = {name: artefact.facts[name] for name in measured if name in artefact.facts}

    def write(folder: Path) -> dict[str, Any]:
        return {**save_embeddings(folder, embeddings, dtype=np.float16), **taken}

    layer.put(artefact.kind, artefact.spec, write)
    # Studies must rest on what is shipped: rounded values, found by everyone.
    store().delete(artefact.kind, artefact.key)


def _real_runs(result: Any, dataset: str) -> list[Artefact]:
    """The first seed of every arm without a control, for one world: what pages explain."""
    from mmrec_core.studies.inputs import load_inputs
    from mmrec_core.studies.runs import find_run
    from mmrec_core.studies.study import Arm, make_study

    if dataset != DATASETS[0]:
        return []
    study = make_study(result.study)
    inputs = load_inputs(study)
    arms = [Arm(name, "none", "none") for name in study.references]
    arms += [Arm(name, "none", "real") for name in study.recommenders]
    found = [find_run(study, inputs, arm, study.first_seed) for arm in arms]
    return [run for run in found if run is not None]


def _copy(artefact: Artefact, layer: Store) -> None:
    target = layer.root / artefact.kind / artefact.key[:2] / artefact.key
    if not (target / "meta.json").is_file():
        aside = layer.root / "tmp" / artefact.key
        shutil.rmtree(aside, ignore_errors=True)
        shutil.copytree(artefact.path, aside)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(target, ignore_errors=True)
        os.replace(aside, target)


def _forget_others(layer: Store, kept: set[str]) -> None:
    """Removes what today's code would not make."""
    kinds = ("study", "run", "calibration", "descriptions", "faithfulness", "probes")
    others = ("alignment", "map", "regions", "item-neighbours", "explanation-faithfulness")
    for kind in (*kinds, *others):
        for artefact in list(layer.list(kind)):
            if artefact.key not in kept:
                shutil.rmtree(artefact.path)
