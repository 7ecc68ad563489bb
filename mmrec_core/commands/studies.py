"""Commands about studies: plan, carry out, export."""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from mmrec_core.commands.actions import pair, show, table, warn
from mmrec_core.domain import InputError


def study(options: argparse.Namespace) -> None:
    """Prints the plan, carries the study out, prints verdicts."""
    if options.settings is not None:
        _settings(options)
        return
    if options.out:
        raise InputError("--out goes with --settings; a study's tables are written by export.")
    from mmrec_core.datasets.catalogue import load_dataset
    from mmrec_core.extractors.service import make_extractor
    from mmrec_core.studies.plan import plan_study
    from mmrec_core.studies.results import StudyResult
    from mmrec_core.studies.runner import run_study
    from mmrec_core.studies.study import make_study

    chosen = make_study(_values(options))
    plan = plan_study(chosen)
    for choice in plan.study.features.values():
        model = make_extractor(choice.extractor, choice.config)
        warn(model.caution(load_dataset(chosen.dataset)))
    if not options.json:
        print(plan.in_words(), flush=True)
    if options.plan:
        if options.json:
            show(plan.to_json(), options, "")
        return

    repaired: list[str] = []
    result = StudyResult(run_study(chosen, _reporter(repaired)))
    if sys.stderr.isatty():
        print(file=sys.stderr)
    value = {"key": result.key, "plan": plan.to_json(), **result.document, "repaired": repaired}
    show(value, options, in_words(result))


def _reporter(repaired: list[str], label: str = "") -> Any:
    """Tells of a study's progress on stderr; ``repaired`` is filled with what was damaged."""
    said: list[str] = []

    def say(sentence: str) -> None:
        if sentence not in said:
            said.append(sentence)
            print(f"mmrec_core: {sentence}", file=sys.stderr, flush=True)

    def report(progress: Any) -> None:
        if progress.waiting:
            say(f"{progress.what}.")
        for damaged in progress.repaired:
            say(f"{damaged} was damaged and is made again.")
        repaired[:] = progress.repaired
        if sys.stderr.isatty():
            print(
                f"\r\x1b[K{label}{progress.fraction:4.0%} {progress.done_runs}/"
                f"{progress.total_runs} runs · {progress.what}",
                end="", file=sys.stderr, flush=True,
            )  # fmt: skip

    return report


def _settings(options: argparse.Namespace) -> None:
    """Carries a study out for every setting of the features and prints one table."""
    from mmrec_core.datasets.export import write_csv
    from mmrec_core.studies.feature_settings import DEFAULT, run_settings

    if options.plan or options.modalities or options.features:
        raise InputError("--settings cannot go with --plan, --modalities or --features.")
    base = {name: value for name, value in _values(options).items() if name != "features"}
    settings = options.settings or list(DEFAULT)
    found = run_settings(base, settings, lambda label: _reporter([], f"{label}: "))
    if sys.stderr.isatty():
        print(file=sys.stderr)
    if options.out:
        write_csv(found, Path(options.out))
    metric = base.get("metric", "recall@20")
    rows = [
        {
            "recommender": row["recommender"],
            "setting": row["setting"],
            "width": f"{row['width']} in {row['matrices']}",
            metric: f"{row[metric]:.4f} [{row['low']:.4f}, {row['high']:.4f}]",
            "used": _interval(row, "used"),
            "gained": _interval(row, "gained"),
            "over the first": _interval(row, "over"),
            "p": "-" if pd.isna(row["p"]) else f"{row['p']:.3f}",
            "verdict": row["verdict"],
        }
        for row in found.to_dict("records")
    ]
    columns = (
        "recommender", "setting", "width", metric, "used", "gained", "over the first", "p",
        "verdict",
    )  # fmt: skip
    text = table(rows, columns)
    text += "\n\nused: real over shuffled; gained: real over removed; p: Holm over all settings."
    if options.out:
        text += f"\nWritten to {options.out}."
    records = found.astype(object).where(found.notna(), None).to_dict("records")
    show({"settings": records, "out": options.out}, options, text)


def _interval(row: Any, name: str) -> str:
    if pd.isna(row[name]):
        return "-"
    return f"{row[name]:+.1%} [{row[f'{name}_low']:+.1%}, {row[f'{name}_high']:+.1%}]"


def in_words(result: Any) -> str:
    """The outcome of a study as text: arms, verdict table, sentences."""
    metric = result.study["metric"]
    arms = [
        {
            "arm": row["arm"],
            metric: f"{row[metric]:.4f} [{row[f'{metric}_low']:.4f}, {row[f'{metric}_high']:.4f}]",
            "s/run": _number(row["seconds"], 1),
            "best epoch": _number(row["best_epoch"], 0),
        }
        for row in result.arms.to_dict("records")
    ]
    facts = result.facts
    lines = [
        table(arms, ("arm", metric, "s/run", "best epoch")), "",
        *(_verdict_lines(result) or ["No verdict: no control stands in for a modality."]), "",
        *(
            f"{n:,} items keep their features in {label}, being alone in their group."
            for label, n in result.document.get("left_in_place", {}).items()
        ),
        f"{facts['runs']} runs{_cost(facts)}. {result.settings_in_words.capitalize()}. "
        f"Study {result.key[:12]}.",
    ]  # fmt: skip
    return "\n".join(lines)


def _number(value: float, decimals: int) -> str:
    return "-" if pd.isna(value) else f"{value:.{decimals}f}"


def _cost(facts: Mapping[str, Any]) -> str:
    """What a study took, where it was made here."""
    if "peak_memory_mib" not in facts:
        return ""
    minutes, memory = facts["wall_seconds"] / 60, facts["peak_memory_mib"]
    return f", {minutes:.1f} minutes, {memory} MiB at most in one process"


def _verdict_lines(result: Any) -> list[str]:
    if not result.verdicts:
        return []
    comparisons = ("used", "gained", "without_content")
    rows = [
        {
            "recommender": v["recommender"],
            "modality": v["modality"],
            "verdict": f"{v['symbol']} {v['verdict']}",
            **{kind: _relative(v[kind]) for kind in comparisons},
        }
        for v in result.verdicts
    ]
    said = [f"- {v['sentence']}" for v in result.verdicts]
    return [table(rows, ("recommender", "modality", "verdict", *comparisons)), "", *said]


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
    if options.tune is not None:
        searched = {"trials": options.tune, "sampler": options.sampler, "space": options.space}
        values["tuning"] = {name: value for name, value in searched.items() if value is not None}
    elif options.sampler or options.space:
        raise InputError("--sampler and --space say how to search; give --tune TRIALS besides.")
    values["dataset"] = options.dataset
    values["features"] = {
        modality: {"extractor": extractor}
        for modality, extractor in (
            pair(entry, "--features", "image=efficientnet-lite0") for entry in options.features
        )
    }
    for modality, config in _dotted(options.feature_option, "--feature-option", "image.file=clip"):
        if modality not in values["features"]:
            raise InputError(
                f"--feature-option names {modality}, but --features names no extractor for it."
            )
        values["features"][modality]["config"] = config
    if not options.modalities and not options.features:
        from mmrec_core.studies.plan import default_values

        values |= default_values(options.dataset)
    values["configs"] = dict(_dotted(options.set, "--set", "vbpr.reg=0.1"))
    values |= split_values(options)
    return values


def split_values(options: argparse.Namespace) -> dict[str, Any]:
    """How interactions are divided, where the options say otherwise than the dataset."""
    relevant_from = options.relevant_from
    changed = {
        "strategy": options.split,
        "seed": options.split_seed,
        "cold": options.cold,
        "k_core": options.k_core,
        "relevant_from": None if relevant_from is None else _plain(relevant_from),
    }
    changed = {name: value for name, value in changed.items() if value is not None}
    if "cold" in changed and options.split != "cold-items":
        raise InputError("--cold goes with --split cold-items only.")
    if not changed:
        return {}
    from mmrec_core.studies.plan import default_split

    return {"split": default_split(options.dataset).model_dump(mode="json") | changed}


def _dotted(entries: list[str], option: str, example: str) -> Iterable[tuple[str, dict[str, Any]]]:
    """Settings by what stands before the dot, from entries such as ``vbpr.reg=0.1``."""
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        setting, value = pair(entry, option, example)
        name, dot, field = setting.partition(".")
        if not dot:
            form = "RECOMMENDER.NAME=VALUE" if option == "--set" else "MODALITY.NAME=VALUE"
            raise InputError(f"{option} {entry!r} is not {form}, as in {example}.")
        found.setdefault(name, {})[field] = _plain(value)
    return found.items()


def _plain(value: str) -> Any:
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value
