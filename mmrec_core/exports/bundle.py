"""Everything of a study in one archive."""

import io
import json
import zipfile

import pandas as pd

from mmrec_core.datasets.export import escape_formula
from mmrec_core.domain import Progress, no_progress
from mmrec_core.exports.drawings import drawings
from mmrec_core.exports.methods import bibtex, methods_paragraph
from mmrec_core.exports.report import page
from mmrec_core.figures.export import FORMATS, Format
from mmrec_core.figures.paper import Width
from mmrec_core.studies.results import StudyResult

WIDTHS: tuple[Width, ...] = ("one", "two")
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""Date of every member: the same study gives the same bytes."""


def bundle(
    result: StudyResult,
    formats: tuple[Format, ...] = tuple(FORMATS),  # type: ignore[arg-type]
    progress: Progress = no_progress,
) -> bytes:
    """One zip: figures in both widths, their numbers, tables, study.json, methods, references.

    Args:
        result: The study.
        formats: Of the figures in print.
        progress: Told of figures done.
    """
    made, left_out = drawings(result)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:

        def put(name: str, content: str | bytes) -> None:
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)

        for at, drawing in enumerate(made):
            progress(at, len(made), drawing.title)
            for width in WIDTHS:
                for format in formats:
                    name = f"figures/{drawing.name}-{width}-column.{format}"
                    put(name, drawing.file(format, width))
            put(f"numbers/{drawing.name}.csv", csv(drawing.table))
        for name, table in study_tables(result).items():
            put(f"tables/{name}.csv", csv(table))
        document = {**result.document, "command": result.command}
        put("report.html", page(result, made, left_out))
        put("study.json", json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True))
        put("environment.json", json.dumps(result.document["environment"], indent=1))
        put("methods.txt", methods_paragraph(result) + "\n")
        put("references.bib", bibtex(result))
        put("README.txt", _readme(result, [d.name for d in made], left_out))
    progress(len(made), len(made), "done")
    return buffer.getvalue()


def study_tables(result: StudyResult) -> dict[str, pd.DataFrame]:
    """The tables of a study by name."""
    tables = {
        name: getattr(result, name)
        for name in ("comparisons", "arms", "curves", "slices", "trials")
    }
    tables["per_user"] = result.artefact.table("per_user")
    return {name: table for name, table in tables.items() if len(table)}


def csv(table: pd.DataFrame) -> str:
    """A table as CSV that no spreadsheet runs as formulas."""
    return str(escape_formula(table).to_csv(index=False))


def _readme(result: StudyResult, names: list[str], left_out: dict[str, str]) -> str:
    lines = [
        f"Study {result.key}",
        "",
        result.command,
        "",
        "report.html  all of it on one page, figures interactive; opens without a network",
        "figures/     each figure in print, for one column (3.35 in) and two (7 in)",
        "numbers/     what each figure is drawn from",
        "tables/      all of the study; per_user.csv holds its metric, one column an arm and seed",
        "study.json   the study, its verdicts, what was left out and why",
        "methods.txt  how it was made, for a paper; references.bib what it used",
        "",
        f"Figures: {', '.join(names)}.",
    ]
    lines += [f"Not drawn: {name}, since {reason}." for name, reason in left_out.items()]
    return "\n".join(lines) + "\n"
