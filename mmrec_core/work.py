"""What each kind of job does: from plain values to artefacts, telling how far it is."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmrec_core.domain import Progress
from mmrec_core.registry import Registry
from mmrec_core.settings import settings
from mmrec_core.store import store

Tell = Callable[[float, str, dict[str, Any]], None]
"""Called by a handler with (fraction done, what is being done, further facts)."""

Handler = Callable[[dict[str, Any], Tell], dict[str, Any]]
"""Does a job; returns what a page needs to show the result."""


class Interrupted(Exception):
    """A process that the job needs was ended from outside."""


def _study(spec: dict[str, Any], tell: Tell) -> dict[str, Any]:
    from mmrec_core.studies.runner import EndedFromOutside, StudyProgress, run_study
    from mmrec_core.studies.study import make_study

    repaired: list[str] = []

    def report(progress: StudyProgress) -> None:
        repaired[:] = progress.repaired
        facts = {"done_runs": progress.done_runs, "total_runs": progress.total_runs}
        tell(progress.fraction, progress.what, _with(facts, repaired))

    try:
        artefact = run_study(make_study(spec), report)
    except EndedFromOutside as error:
        raise Interrupted(str(error)) from None
    return _with({"study": artefact.key}, repaired)


def _told(tell: Tell) -> Progress:
    """Progress of a step that counts."""
    return lambda done, total, what: tell(done / max(1, total), what, {})


def _part(progress: Progress, start: float, end: float) -> Progress:
    """Progress of a step that is the stretch from ``start`` to ``end`` of a job."""

    def told(done: int, total: int, what: str) -> None:
        share = start + (end - start) * done / max(1, total)
        progress(round(1000 * share), 1000, what)

    return told


def _with(facts: dict[str, Any], repaired: Sequence[str]) -> dict[str, Any]:
    """Facts, and what was damaged in the store if anything was."""
    return {**facts, **({"repaired": list(repaired)} if repaired else {})}


def _embed(spec: dict[str, Any], tell: Tell) -> dict[str, Any]:
    import mmrec_core.descriptions  # noqa: F401  (registers extractors)
    from mmrec_core.datasets.catalogue import load_dataset
    from mmrec_core.extractors.service import embed

    _, artefact = embed(
        load_dataset(spec["dataset"]),
        spec["extractor"],
        spec.get("config"),
        _told(tell),
    )
    return _with({"embeddings": artefact.key}, list(store().take_damage().values()))


def _describe(spec: dict[str, Any], tell: Tell) -> dict[str, Any]:
    from mmrec_core.datasets.catalogue import load_dataset
    from mmrec_core.descriptions.service import describe

    made = describe(
        load_dataset(spec["dataset"]),
        spec["config"],
        _told(tell),
    )
    return {"descriptions": made.artefact.key}


def _faithfulness(spec: dict[str, Any], tell: Tell) -> dict[str, Any]:
    from mmrec_core.datasets.catalogue import load_dataset
    from mmrec_core.descriptions.measure import measure_faithfulness
    from mmrec_core.descriptions.service import load_descriptions

    artefact = measure_faithfulness(
        load_dataset(spec["dataset"]),
        load_descriptions(spec["descriptions"]),
        _told(tell),
        truth=spec.get("truth"),
    )
    return {"faithfulness": artefact.key}


def _strategies(spec: dict[str, Any], tell: Tell) -> dict[str, Any]:
    from mmrec_core.datasets.catalogue import load_dataset
    from mmrec_core.descriptions.service import load_descriptions
    from mmrec_core.descriptions.strategies import make_comparable

    made = make_comparable(
        load_dataset(spec["dataset"]),
        spec["ask"],
        [load_descriptions(key) for key in spec["measure"]],
        _told(tell),
        truth=spec.get("truth"),
    )
    return {"descriptions": [own.artefact.key for own in made]}


def _probe(spec: dict[str, Any], tell: Tell) -> dict[str, Any]:
    from mmrec_core.datasets.catalogue import load_dataset
    from mmrec_core.descriptions.measure import probe_words
    from mmrec_core.descriptions.service import load_descriptions

    artefact = probe_words(
        load_dataset(spec["dataset"]),
        load_descriptions(spec["descriptions"]),
        spec["extractor"],
        spec.get("config"),
        _told(tell),
    )
    return {"probes": artefact.key}


def _try_prompt(spec: dict[str, Any], tell: Tell) -> dict[str, Any]:
    from mmrec_core.datasets.catalogue import load_dataset
    from mmrec_core.descriptions.service import try_prompt

    tell(0.1, "loading the model", {})
    said = try_prompt(load_dataset(spec["dataset"]), spec["config"], spec["items"])
    return {"answers": said}


def _inspect(spec: dict[str, Any], tell: Tell) -> dict[str, Any]:
    from dataclasses import asdict

    from mmrec_core.datasets.install import Refused, inspect

    try:
        report, heads = inspect(
            Path(spec["path"]),
            spec.get("mapping"),
            _told(tell),
            findings=Path(spec["findings"]),
            importer=spec.get("format"),
            codes=Path(spec["codes"]),
        )
    except Refused as error:
        heads = error.heads
        said: dict[str, Any] = {"error": str(error), "format": error.format}
    else:
        said = {"report": report.as_json(), "format": report.format}
    return {**said, "heads": {file: asdict(head) for file, head in heads.items()}}


def _install(spec: dict[str, Any], tell: Tell) -> dict[str, Any]:
    from mmrec_core.datasets.install import install
    from mmrec_core.datasets.narrowing import Narrowing

    result = install(
        Path(spec["path"]),
        name=spec.get("name"),
        mapping=spec.get("mapping"),
        lenient=bool(spec.get("lenient")),
        progress=_told(tell),
        importer=spec.get("format"),
        narrowing=Narrowing(**spec.get("narrowing") or {}),
    )
    return {"dataset": result.name, "report": result.report.as_json()}


def _import_lists(spec: dict[str, Any], tell: Tell) -> dict[str, Any]:
    import pandas as pd

    from mmrec_core.studies.imported import import_lists
    from mmrec_core.studies.list_files import read_lists

    frames = []
    for at, given in enumerate(spec["files"]):
        tell(at / (len(spec["files"]) + 1), f"reading {given['name']}", {})
        path = Path(given["path"])
        frames.append(read_lists(path, given["arm"], given["seed"], called=given["name"]))
    tell(len(frames) / (len(frames) + 1), "judging the lists", {})
    # As they would be typed, so that the command of the study makes it again.
    names = [
        f"{given['arm']}@{given['seed']}={given['name']}" if given["arm"] else given["name"]
        for given in spec["files"]
    ]
    artefact = import_lists(pd.concat(frames, ignore_index=True), spec["values"], names)
    return {"study": artefact.key}


def _perceptual(spec: dict[str, Any], tell: Tell) -> dict[str, Any]:
    from mmrec_core.studies.perceptual import measure_perception
    from mmrec_core.studies.results import load_study

    result = load_study(spec["study"])
    artefact = measure_perception(result, spec["permutations"], _told(tell))
    return {"perceptual": artefact.key}


def _map(spec: dict[str, Any], tell: Tell) -> dict[str, Any]:
    from mmrec_core.datasets.catalogue import load_dataset
    from mmrec_core.projection.plane import UmapConfig
    from mmrec_core.projection.regions import words_of
    from mmrec_core.projection.service import make_map, make_neighbour_lists, make_regions
    from mmrec_core.spaces import make_vectors

    dataset = load_dataset(spec["dataset"])
    vectors = make_vectors(dataset, spec["space"], _part(_told(tell), 0.0, 0.3))
    config = UmapConfig.model_validate(spec["config"])
    made = make_map(vectors, config, _part(_told(tell), 0.3, 0.9))
    make_neighbour_lists(vectors, progress=_part(_told(tell), 0.9, 0.95))
    tell(0.95, "regions and their words", {})
    make_regions(made, words_of(dataset))
    return _with({"map": made.artefact.key}, list(store().take_damage().values()))


def _query(spec: dict[str, Any], tell: Tell) -> dict[str, Any]:
    from mmrec_core.datasets.catalogue import load_dataset
    from mmrec_core.spaces.query import query_vector

    tell(0.1, "loading the model", {})
    picture = Path(spec["picture"]) if spec.get("picture") else None
    try:
        _, made = query_vector(
            load_dataset(spec["dataset"]), spec["space"], spec.get("text", ""), picture
        )
    finally:
        if picture is not None:
            picture.unlink(missing_ok=True)
    return {"query": made.key}


def _align(spec: dict[str, Any], tell: Tell) -> dict[str, Any]:
    from mmrec_core.alignment.service import AlignConfig, align
    from mmrec_core.datasets.catalogue import load_dataset
    from mmrec_core.spaces import aligned_space
    from mmrec_core.studies.inputs import split_or_none

    dataset = load_dataset(spec["dataset"])
    names, told = spec["spaces"], _told(tell)
    steps = np.linspace(0.0, 0.3, len(names) + 1)
    spaces = {
        name: aligned_space(dataset, name, _part(told, start, end))
        for name, start, end in zip(names, steps, steps[1:], strict=False)
    }
    config = AlignConfig.model_validate(spec["config"])
    made = align(spaces, split_or_none(dataset), config, _part(told, 0.3, 1.0))
    return _with({"alignment": made.artefact.key}, list(store().take_damage().values()))


def _bundle(spec: dict[str, Any], tell: Tell) -> dict[str, Any]:
    from mmrec_core.exports.bundle import bundle
    from mmrec_core.studies.results import load_study

    return _written("zip", bundle(load_study(spec["study"]), progress=_told(tell)), spec)


def _report(spec: dict[str, Any], tell: Tell) -> dict[str, Any]:
    from mmrec_core.exports.report import report
    from mmrec_core.studies.results import load_study

    return _written("html", report(load_study(spec["study"]), _told(tell)).encode(), spec)


def _explanation_faithfulness(spec: dict[str, Any], tell: Tell) -> dict[str, Any]:
    from mmrec_core.datasets.catalogue import load_dataset
    from mmrec_core.explanations.service import measure_faithfulness, open_run

    tell(0.0, "restoring the model", {})
    explained = open_run(load_dataset(spec["dataset"]), spec["run"])
    artefact = measure_faithfulness(explained, progress=_told(tell))
    return {"faithfulness": artefact.key}


def _written(ending: str, content: bytes, spec: dict[str, Any]) -> dict[str, Any]:
    """A file to be downloaded; one for each study and form, the newest."""
    folder = settings().store / "exports"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"study-{spec['study'][:12]}.{ending}"
    aside = path.with_suffix(f".{os.getpid()}.tmp")
    aside.write_bytes(content)
    os.replace(aside, path)
    return {"file": str(path)}


HANDLERS: Registry[Handler] = Registry("kind of job")
HANDLERS.register("study", _study)
HANDLERS.register("embed", _embed)
HANDLERS.register("describe", _describe)
HANDLERS.register("faithfulness", _faithfulness)
HANDLERS.register("strategies", _strategies)
HANDLERS.register("probe", _probe)
HANDLERS.register("try-prompt", _try_prompt)
HANDLERS.register("inspect", _inspect)
HANDLERS.register("install", _install)
HANDLERS.register("import-lists", _import_lists)
HANDLERS.register("perceptual", _perceptual)
HANDLERS.register("map", _map)
HANDLERS.register("query", _query)
HANDLERS.register("align", _align)
HANDLERS.register("explanation-faithfulness", _explanation_faithfulness)
HANDLERS.register("bundle", _bundle)
HANDLERS.register("report", _report)
