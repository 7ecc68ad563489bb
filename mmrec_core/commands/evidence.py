"""Commands about finished studies: parts of the evidence, two studies side by side, files."""

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from mmrec_core.commands.actions import progress_line, show, table
from mmrec_core.domain import InputError

PARTS = ("shapley", "missing-modality", "power", "slices", "cost", "agreement")


def show_part(options: argparse.Namespace) -> None:
    """Prints a table of the evidence, and what it says in sentences where it says any."""
    from mmrec_core.exports.drawings import drawings
    from mmrec_core.studies.power import power_sentences
    from mmrec_core.studies.results import load_study

    made, left_out = drawings(load_study(options.study), (options.what,))
    if options.what in left_out:
        raise InputError(f"There is nothing to show: {left_out[options.what]}.")
    found = pd.concat(
        [d.table for d in made] if options.what in ("slices", "agreement") else [made[0].table]
    )
    said: list[str] = []
    if options.what == "power":
        said = [f"- {r}, {m}, {k}: {text}" for r, m, k, text in power_sentences(found)]
        states = found.drop_duplicates(["recommender", "modality", "kind"])["state"]
        decided = int(states.isin(["above", "below", "equal"]).sum())
        void = int(states.isna().sum())
        said.append(f"{decided} of {len(states)} comparisons are decided, {void} void.")
        shown = found[found["now"]].drop(columns=["now"])
    else:
        shown = found
    _print(found, shown, options, said)


def perceptual(options: argparse.Namespace) -> None:
    """Measures and prints what permuting each modality costs the trained models of a study."""
    from mmrec_core.studies.perceptual import measure_perception
    from mmrec_core.studies.results import load_study

    artefact = measure_perception(load_study(options.study), options.permutations, progress_line)
    found = artefact.table("scores")
    _print(found, found, options, ["relative: the share of the metric that is lost."])


def compare(options: argparse.Namespace) -> None:
    """Prints what the second study differs by from the first, for every arm of both."""
    from mmrec_core.studies.pairing import cautions, paired_table
    from mmrec_core.studies.results import load_study

    first, second = (load_study(key) for key in options.study)
    found = paired_table(first, second)
    said = [f"- {sentence}" for sentence in cautions(first, second)]
    said.append("Changes are those of the second study, in % of the first's mean.")
    _print(found, found, options, said)


def _print(
    found: pd.DataFrame, shown: pd.DataFrame, options: argparse.Namespace, said: list[str]
) -> None:
    from mmrec_core.datasets.export import write_csv

    if options.out:
        write_csv(found, Path(options.out))
        said = [*said, f"Written to {options.out}."]
    columns = tuple(c for c in shown.columns if c != "metric")
    rows: list[dict[str, Any]] = [
        {str(c): _cell(c, value) for c, value in row.items()} for row in shown.to_dict("records")
    ]
    records = found.astype(object).where(found.notna(), None).to_dict("records")
    show(
        {"rows": records, "out": options.out}, options, "\n".join([table(rows, columns), "", *said])
    )


def _cell(column: Any, value: Any) -> str:
    if value is None or (isinstance(value, float) and value != value):
        return "-"
    if isinstance(value, float):
        return f"{value:+.1%}" if str(column).startswith("relative") else f"{value:.4g}"
    return str(value)


def export(options: argparse.Namespace) -> None:
    """Writes figures, tables, study.json, methods and references; all in one where asked."""
    from mmrec_core.datasets.export import write_csv
    from mmrec_core.exports.bundle import bundle, study_tables
    from mmrec_core.exports.drawings import MAKERS, drawings
    from mmrec_core.exports.methods import bibtex, methods_paragraph
    from mmrec_core.store import write_json
    from mmrec_core.studies.results import load_study

    result = load_study(options.study)
    target = Path(options.out)
    if target.suffix == ".zip":
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(bundle(result, progress=progress_line))
        show({"files": [str(target)]}, options, f"wrote {target}")
        return
    every = {"all": tuple(MAKERS), "none": ()}
    wanted = every.get(options.figures[0]) if len(options.figures) == 1 else None
    made, left_out = drawings(result, tuple(options.figures) if wanted is None else wanted)
    target.mkdir(parents=True, exist_ok=True)
    files = []
    for drawing in made:
        files.append(target / f"{drawing.name}.{options.format}")
        files[-1].write_bytes(drawing.file(options.format, options.width))
    for name, own in study_tables(result).items():
        files.append(target / f"{name}.csv")
        write_csv(own, files[-1])
    files.append(target / "study.json")
    write_json(files[-1], {**result.document, "command": result.command})
    for name, text in (
        ("methods.txt", methods_paragraph(result) + "\n"),
        ("references.bib", bibtex(result)),
    ):
        files.append(target / name)
        files[-1].write_text(text, "utf-8")
    lines = [f"wrote {file}" for file in files]
    lines += [f"not drawn: {name}, since {reason}" for name, reason in left_out.items()]
    show({"files": [str(f) for f in files], "left_out": left_out}, options, "\n".join(lines))


def report(options: argparse.Namespace) -> None:
    """Writes the report of a study."""
    from mmrec_core.exports.report import report as made
    from mmrec_core.studies.results import load_study

    result = load_study(options.study)
    path = Path(options.out or f"report-{result.key[:12]}.html")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(made(result, progress_line), "utf-8")
    show({"file": str(path)}, options, f"wrote {path}")
