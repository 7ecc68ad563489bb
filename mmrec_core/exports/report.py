"""A study as one self-contained page that opens anywhere, without a network."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mmrec_core.domain import Progress, no_progress
from mmrec_core.exports.drawings import Drawing, drawings, recommender_titles
from mmrec_core.exports.methods import bibtex, methods_paragraph
from mmrec_core.figures.palette import kind_label, modality_label
from mmrec_core.figures.words import interval, p_value, percent, three
from mmrec_core.metrics import metric_label
from mmrec_core.studies.power import power_sentences, power_table
from mmrec_core.studies.results import StudyResult

_TEMPLATE = "report.html.jinja"


def report(result: StudyResult, progress: Progress = no_progress) -> str:
    """The report as HTML: verdicts, interactive figures, tables, methods, references.

    plotly.js is inside, once; nothing is fetched. Whatever comes from data is text.

    Args:
        result: The study.
        progress: Told of figures done.
    """
    made, left_out = drawings(result)
    return page(result, made, left_out, progress)


def page(
    result: StudyResult,
    made: Sequence[Drawing],
    left_out: Mapping[str, str],
    progress: Progress = no_progress,
) -> str:
    """The report with these figures; see ``report``."""
    import jinja2
    from markupsafe import Markup

    figures = []
    for at, drawing in enumerate(made):
        progress(at, len(made), drawing.title)
        figures.append(_figure(drawing, Markup))
    study, document = result.study, result.document
    titles = recommender_titles()
    names = ", ".join(titles.get(name, name) for name in study["recommenders"])
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    written = environment.get_template(_TEMPLATE).render(
        title=f"Does content matter on {document['dataset_title']}? {names}",
        subtitle=(
            f"{document['n_users']:,} users, {document['n_items']:,} items, "
            f"{study['seeds']} seeds, {metric_label(study['metric'])}, stage {study['stage']}, "
            f"{result.settings_in_words}; study {result.key[:12]}"
        ),
        notice="These lists were made elsewhere and imported." if result.imported else "",
        verdicts=_verdicts(result, titles),
        figures=figures,
        left_out=left_out,
        tables=[_arms(result, titles), _comparisons(result, titles)],
        methods=methods_paragraph(result),
        bibtex=bibtex(result),
        document=json.dumps(
            {**document, "command": result.command}, indent=1, ensure_ascii=False, sort_keys=True
        ),
        plotly=Markup(_plotly()) if figures else "",
    )
    progress(len(made), len(made), "done")
    return written


def _plotly() -> str:
    import plotly.offline

    return str(plotly.offline.get_plotlyjs())


def _figure(drawing: Drawing, markup: Callable[[str], Any]) -> dict[str, Any]:
    import plotly.graph_objects as go
    import plotly.io

    figure = go.Figure(drawing.interactive())
    figure.update_layout(template="plotly_white", paper_bgcolor="#FFFFFF", plot_bgcolor="#FFFFFF")
    body = plotly.io.to_html(
        figure,
        full_html=False,
        include_plotlyjs=False,
        include_mathjax=False,
        div_id=f"plot-{drawing.name}",
        config={"displaylogo": False, "responsive": True},
    )
    meta = figure.layout.meta or {}
    return {
        "name": drawing.name, "body": markup(body), "description": meta.get("description", ""),
    }  # fmt: skip


def _verdicts(result: StudyResult, titles: Mapping[str, str]) -> list[dict[str, str]]:
    needed: dict[tuple[str, str], list[str]] = {}
    for name, modality, kind, sentence in power_sentences(power_table(result)):
        needed.setdefault((name, modality), []).append(
            f"{kind_label(kind).partition(':')[0]}: {sentence}"
        )
    return [
        {
            "symbol": v["symbol"],
            "verdict": v["verdict"],
            "recommender": titles.get(v["recommender"], v["recommender"]),
            "content": modality_label(v["modality"]),
            "sentence": v["sentence"],
            "needed": " ".join(needed.get((v["recommender"], v["modality"]), [])),
        }
        for v in result.verdicts
    ]


def _table(
    name: str, title: str, caption: str, columns: Mapping[str, list[str]], numbers: set[str]
) -> dict[str, Any]:
    return {
        "name": name,
        "title": title,
        "caption": caption,
        "columns": [{"title": c, "number": c in numbers} for c in columns],
        "rows": list(zip(*columns.values(), strict=True)),
    }


def _arms(result: StudyResult, titles: Mapping[str, str]) -> dict[str, Any]:
    arms, metric = result.arms, result.study["metric"]
    label = metric_label(metric)
    columns = {
        "Arm": [_arm(row, titles) for row in arms.to_dict("records")],
        label: [three(x) for x in arms[metric]],
        "95 % interval": [
            interval(a, b)
            for a, b in zip(arms[f"{metric}_low"], arms[f"{metric}_high"], strict=True)
        ],
        "Seeds": [str(n) for n in arms["seeds"]],
        "Seconds": [three(x) for x in arms["seconds"]],
        "Best epoch": [three(x) for x in arms["best_epoch"]],
        "Converged": [
            "not known" if c is None or pd.isna(c) else "yes" if c else "no"
            for c in arms["converged"]
        ],
    }
    caption = "Mean over users and seeds; seconds to train one seed."
    return _table("arms", "Arms", caption, columns, {label, "Seeds", "Seconds", "Best epoch"})


def _arm(row: Mapping[Any, Any], titles: Mapping[str, str]) -> str:
    name = titles.get(str(row["recommender"]), str(row["recommender"]))
    if row["control"] == "none":
        return name
    what = "" if row["modality"] == "none" else f"{modality_label(str(row['modality']))} "
    return f"{name}, {what}{row['control']}"


def _comparisons(result: StudyResult, titles: Mapping[str, str]) -> dict[str, Any]:
    table = result.comparisons
    table = table[table["metric"] == result.study["metric"]]
    columns = {
        "Recommender": [titles.get(n, n) for n in table["recommender"]],
        "Content": [modality_label(m) for m in table["modality"]],
        "Comparison": [kind_label(kind) for kind in table["kind"]],
        "Change": [percent(x) for x in table["relative"]],
        "95 % interval, %": [
            interval(a, b, as_percent=True)
            for a, b in zip(table["relative_low"], table["relative_high"], strict=True)
        ],
        "p, Holm": [p_value(x) for x in table["p_adjusted"]],
        "State": ["–" if pd.isna(s) else str(s) for s in table["state"]],
        "Smallest δ": [percent(x, sign=False) for x in table["smallest_delta"]],
        "Users": [f"{n:,}" for n in table["n_users"]],
    }
    caption = (
        "Changes are shares of the mean of the arm subtracted; p where a verdict rests on it; the "
        "smallest margin of equality that the comparison could have decided."
    )
    numbers = {"Change", "p, Holm", "Smallest δ", "Users"}
    return _table("comparisons", "Comparisons", caption, columns, numbers)
