"""Commands about studies: plan, carry out, export."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from mmrec_core.commands.actions import pair, show, table
from mmrec_core.domain import InputError


def study(options: argparse.Namespace) -> None:
    """Prints the plan, carries the study out, prints verdicts."""
    from mmrec_core.studies.plan import plan_study
    from mmrec_core.studies.results import StudyResult
    from mmrec_core.studies.runner import StudyProgress, run_study
    from mmrec_core.studies.study import make_study

    chosen = make_study(_values(options))
    plan = plan_study(chosen)
    if not options.json:
        print(plan.in_words(), flush=True)
    if options.plan:
        if options.json:
            show(plan.to_json(), options, "")
        return

    def report(progress: StudyProgress) -> None:
        if sys.stderr.isatty():
            print(
                f"\r\x1b[K{progress.fraction:4.0%} {progress.done_runs}/{progress.total_runs} runs "
                f"· {progress.what}",
                end="", file=sys.stderr, flush=True,
            )  # fmt: skip

    result = StudyResult(run_study(chosen, report))
    if sys.stderr.isatty():
        print(file=sys.stderr)
    show({"key": result.key, "plan": plan.to_json(), **result.document}, options, in_words(result))


def in_words(result: Any) -> str:
    """The outcome of a study as text: arms, verdict table, sentences."""
    metric = result.study["metric"]
    arms = [
        {
            "arm": row["arm"],
            metric: f"{row[metric]:.4f} [{row[f'{metric}_low']:.4f}, {row[f'{metric}_high']:.4f}]",
            "s/run": f"{row['seconds']:.1f}",
            "best epoch": f"{row['best_epoch']:.0f}",
        }
        for row in result.arms.to_dict("records")
    ]
    verdicts = [
        {
            "recommender": v["recommender"],
            "modality": v["modality"],
            "verdict": f"{v['symbol']} {v['verdict']}",
            **{kind: _relative(v[kind]) for kind in ("used", "gained", "without_content")},
        }
        for v in result.verdicts
    ]
    facts = result.facts
    lines = [
        table(arms, ("arm", metric, "s/run", "best epoch")), "",
        table(
            verdicts,
            ("recommender", "modality", "verdict", "used", "gained", "without_content"),
        ), "",
        *(f"- {v['sentence']}" for v in result.verdicts), "",
        f"{facts['runs']} runs, {facts['wall_seconds'] / 60:.1f} minutes, "
        f"{facts['peak_memory_mib']} MiB at most in one process. Untuned defaults. "
        f"Study {result.key[:12]}.",
    ]  # fmt: skip
    return "\n".join(lines)


def _relative(part: dict[str, Any] | None) -> str:
    if part is None or part["relative"] is None:
        return "-"
    return f"{part['relative']:+.1%} {part.get('state') or ''}".strip()


def _values(options: argparse.Namespace) -> dict[str, Any]:
    names = (
        "recommenders", "references", "modalities", "controls", "seeds", "first_seed", "stage",
        "metric", "delta", "mask",
    )  # fmt: skip
    values = {n: v for n in names if (v := getattr(options, n)) is not None}
    values["dataset"] = options.dataset
    values["features"] = {
        modality: {"extractor": extractor}
        for modality, extractor in (
            pair(entry, "--features", "image=efficientnet-lite0") for entry in options.features
        )
    }
    configs: dict[str, dict[str, Any]] = {}
    for entry in options.set:
        setting, value = pair(entry, "--set", "vbpr.reg=0.1")
        name, dot, field = setting.partition(".")
        if not dot:
            raise InputError(f"--set {entry!r} is not RECOMMENDER.NAME=VALUE, as in vbpr.reg=0.1.")
        configs.setdefault(name, {})[field] = _plain(value)
    values["configs"] = configs
    if options.k_core is not None or options.relevant_from is not None:
        from mmrec_core.studies.plan import default_split

        split = default_split(options.dataset).model_dump(mode="json")
        if options.k_core is not None:
            split["k_core"] = options.k_core
        if options.relevant_from is not None:
            split["relevant_from"] = _plain(options.relevant_from)
        values["split"] = split
    return values


def _plain(value: str) -> Any:
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value


def export(options: argparse.Namespace) -> None:
    """Writes effect plot, arms, learning curves, tables and study.json of a study."""
    from mmrec_core.datasets.export import write_csv
    from mmrec_core.figures.arms import arms_plot_publication
    from mmrec_core.figures.effect import effect_plot_publication
    from mmrec_core.figures.export import save
    from mmrec_core.figures.learning import learning_plot_publication
    from mmrec_core.recommenders import RECOMMENDERS
    from mmrec_core.store import write_json
    from mmrec_core.studies.results import load_study

    result = load_study(options.study)
    metric, delta = result.study["metric"], result.study["delta"]
    titles = {name: kind.title for name, kind in RECOMMENDERS.items()}
    verdicts = pd.DataFrame(result.verdicts)
    real = [arm for arm in result.arms["arm"] if arm.endswith(" · real")]
    figures = {
        "effects": effect_plot_publication(
            result.comparisons, verdicts, metric, delta, titles=titles, width=options.width
        ),
        "arms": arms_plot_publication(result.arms, metric, titles=titles, width=options.width),
        "learning": learning_plot_publication(
            result.curves, real, titles=titles, width=options.width
        ),
    }
    folder = Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, figure in figures.items():
        files.append(folder / f"{name}.{options.format}")
        files[-1].write_bytes(save(figure, options.format))
    for name in ("comparisons", "arms", "curves"):
        files.append(folder / f"{name}.csv")
        write_csv(getattr(result, name), files[-1])
    files.append(folder / "study.json")
    write_json(files[-1], {**result.document, "command": result.command})
    show([str(f) for f in files], options, "\n".join(f"wrote {f}" for f in files))
