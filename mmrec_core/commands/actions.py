"""Commands about the installation, datasets, embeddings and jobs."""

import argparse
import json
import math
import sys
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import Any

from mmrec_core.domain import InputError
from mmrec_core.settings import settings

Command = Callable[[argparse.Namespace], None]

DEPENDENCIES = (
    "streamlit", "torch", "transformers", "sentence-transformers", "plotly", "matplotlib",
    "umap-learn", "pandas", "numpy", "scipy", "scikit-learn", "pyarrow", "pillow",
)  # fmt: skip


def show(value: Any, options: argparse.Namespace, text: str) -> None:
    """Prints JSON when asked for, else ``text``."""
    if options.json:
        text = json.dumps(_finite(value), indent=1, ensure_ascii=False, allow_nan=False)
    print(text)


def _finite(value: Any) -> Any:
    """Plain JSON values: infinity has no JSON and becomes null."""
    if isinstance(value, Mapping):
        return {str(key): _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int | bool | None) else str(value)


def table(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> str:
    """Rows as text in aligned columns."""
    cells = [columns, *(tuple(str(row.get(c, "")) for c in columns) for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def warn(sentence: str) -> None:
    """Says on stderr what to keep in mind; nothing where ``sentence`` is empty."""
    if sentence:
        print(f"mmrec_core: {sentence}.", file=sys.stderr, flush=True)


def progress_line(done: int, total: int, what: str) -> None:
    """Shows progress on a terminal; says nothing where stderr is a file."""
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        print(f"\r\x1b[K{done}/{total} {what}", end=end, file=sys.stderr, flush=True)


def doctor(options: argparse.Namespace) -> None:
    """What is installed, which device, what is missing and how to get it."""
    from mmrec_core.extractors import EXTRACTORS
    from mmrec_core.extractors.service import make_extractor
    from mmrec_core.settings import device

    packages = {}
    for name in DEPENDENCIES:
        try:
            packages[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            packages[name] = ""
    extractors: dict[str, dict[str, Any]] = {}
    for name, kind in EXTRACTORS.items():
        ok, reason = make_extractor(name).availability() if name != "precomputed" else (True, "")
        extractors[name] = {"title": kind.title, "ok": ok, "reason": reason}
    missing = [name for name, version in packages.items() if not version]
    chosen = device() if packages["torch"] else ""
    value = {
        "python": sys.version.split()[0],
        "packages": packages,
        "device": chosen,
        "workers": settings().workers,
        "data": str(settings().data),
        "offline": settings().offline,
        "extractors": extractors,
        "missing": missing,
    }
    lines = [
        f"Python {value['python']} · device {chosen or 'unknown'} · "
        f"{settings().workers} workers · data in {settings().data}",
        "",
    ]
    lines += [f"{'ok ' if v else 'MISSING'}  {name} {v}" for name, v in packages.items()]
    lines.append("")
    lines += [
        f"{'ok ' if e['ok'] else 'MISSING'}  extractor {name} {e['reason']}".rstrip()
        for name, e in extractors.items()
    ]
    if missing:
        lines += ["", "Get what is missing with: pip install -r requirements.txt"]
    show(value, options, "\n".join(lines))


def list_(options: argparse.Namespace) -> None:
    """What there is of one kind."""
    rows, columns = _LISTS[options.what]()
    show(rows, options, table(rows, columns) if rows else f"There are no {options.what} yet.")


def _datasets() -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    from dataclasses import asdict

    from mmrec_core.datasets.catalogue import list_datasets

    rows = [asdict(card) for card in list_datasets()]
    return rows, ("name", "title", "n_users", "n_items", "n_interactions")


def _formats() -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    from mmrec_core.datasets.importers import IMPORTERS

    rows = [
        {"name": name, "title": kind.title, "files": kind.files, "reference": kind.reference}
        for name, kind in IMPORTERS.items()
    ]
    return rows, ("name", "title", "files")


def _extractors() -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    from mmrec_core.extractors import EXTRACTORS

    rows = [
        {"name": name, "title": kind.title, "reference": kind.reference}
        for name, kind in EXTRACTORS.items()
    ]
    return rows, ("name", "title", "reference")


def _controls() -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    from mmrec_core.extractors.controls import CONTROLS

    rows = [
        {
            "name": name,
            "title": control.title,
            "removes": control.removes,
            "stages": list(control.stages),
            "note": control.note,
        }
        for name, control in CONTROLS.items()
    ]
    return rows, ("name", "removes", "note")


def _recommenders() -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    from mmrec_core.recommenders import RECOMMENDERS

    rows = [
        {
            "name": name,
            "title": kind.title,
            "family": kind.family,
            "uses": ", ".join(sorted(kind.uses)) or "no content",
            "features_at_inference": kind.features_at_inference,
            "splits_score_exactly": kind.splits_score_exactly,
            "cold": kind.cold,
            "defaults": kind.Config().model_dump(mode="json"),
            "reference": kind.reference,
        }
        for name, kind in RECOMMENDERS.items()
    ]
    return rows, ("name", "title", "family", "uses", "reference")


def _metrics() -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    from dataclasses import asdict

    from mmrec_core.metrics import METRICS

    rows = [asdict(facts) for _, facts in METRICS.items()]
    return rows, ("name", "label", "higher_is_better", "per_user", "reference")


def _measures() -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    from mmrec_core.alignment import MEASURES

    rows = [
        {
            "name": name,
            "label": measure.label,
            "direction": measure.direction,
            "range": list(measure.value_range),
            "shared_space_only": measure.shared_space_only,
            "description": measure.description,
            "reference": measure.reference,
        }
        for name, measure in MEASURES.items()
    ]
    return rows, ("name", "label", "direction", "reference")


def _spaces() -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    from dataclasses import asdict

    from mmrec_core.datasets.catalogue import list_datasets, load_dataset
    from mmrec_core.spaces import list_spaces

    rows = [
        {"dataset": card.name, **asdict(space)}
        for card in list_datasets()
        for space in list_spaces(load_dataset(card.name))
    ]
    return rows, ("dataset", "name", "modality", "title")


def _studies() -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    from mmrec_core.studies.results import list_studies

    rows = [card.to_json() for card in list_studies()]
    return rows, ("key", "dataset", "recommenders", "seeds", "stage", "created", "shipped")


def _descriptions() -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    from mmrec_core.descriptions.service import list_descriptions

    rows = [
        {
            "key": own.artefact.key,
            "dataset": own.artefact.facts["dataset"],
            "model": own.artefact.facts["model"],
            "slots": list(own.slots),
            "statuses": own.counts,
            "created": own.artefact.meta["created"],
        }
        for own in list_descriptions()
    ]
    return rows, ("key", "dataset", "model", "slots", "statuses", "created")


def _runs() -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    from mmrec_core.datasets.catalogue import list_datasets, load_dataset
    from mmrec_core.studies.trained import stored_runs

    rows = [
        {
            "dataset": card.name,
            "name": run.name,
            "title": run.title,
            "control": run.control,
            "explainable": run.restorable,
            "study": run.study.key[:12],
        }
        for card in list_datasets()
        for run in stored_runs(load_dataset(card.name))
    ]
    return rows, ("dataset", "name", "title", "explainable", "study")


_LISTS: dict[str, Callable[[], tuple[list[dict[str, Any]], tuple[str, ...]]]] = {
    "datasets": _datasets,
    "formats": _formats,
    "extractors": _extractors,
    "controls": _controls,
    "recommenders": _recommenders,
    "metrics": _metrics,
    "measures": _measures,
    "spaces": _spaces,
    "studies": _studies,
    "descriptions": _descriptions,
    "runs": _runs,
}


def embed(options: argparse.Namespace) -> None:
    """Makes embeddings and says what they are."""
    from mmrec_core.datasets.catalogue import load_dataset
    from mmrec_core.extractors.service import embed as embed_dataset
    from mmrec_core.extractors.service import make_extractor
    from mmrec_core.store import store

    config = dict(pair(entry, "--option", "resize=pad") for entry in options.option)
    dataset = load_dataset(options.dataset)
    warn(make_extractor(options.extractor, config or None).caution(dataset))
    embeddings, artefact = embed_dataset(dataset, options.extractor, config or None, progress_line)
    value = {
        "key": artefact.key,
        "modality": embeddings.modality,
        "items": len(embeddings.item_ids),
        "width": embeddings.width,
        "missing": int(embeddings.missing.sum()),
        "failures": dict(embeddings.failures),
        "seconds": artefact.meta["seconds"],
        "repaired": list(store().take_damage().values()),
    }
    for damaged in value["repaired"]:
        print(f"mmrec_core: {damaged} was damaged and was made again.", file=sys.stderr)
    show(
        value, options,
        f"{value['items']} items, {value['width']} numbers each, {value['missing']} missing "
        f"({len(embeddings.failures)} could not be read), {value['seconds']:.0f} s.",
    )  # fmt: skip


def run(options: argparse.Namespace) -> None:
    """Does a job that a page has started."""
    from mmrec_core import jobs

    state = jobs.run(options.key)
    show({"status": state.status, "what": state.what}, options, f"{state.status} {state.what}")
    if state.status == "failed":
        raise InputError(state.what)


def pair(entry: str, option: str, example: str) -> tuple[str, str]:
    """Name and value of ``NAME=VALUE``.

    Raises:
        InputError: It has another form; the sentence shows an example.
    """
    name, equals, value = entry.partition("=")
    if not (name and equals and value):
        raise InputError(f"{option} {entry!r} is not NAME=VALUE, such as {example}.")
    return name, value
