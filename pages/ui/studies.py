"""Finished studies on screen: what they are called, what they found, by which rules."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from mmrec_core.domain import InputError
from mmrec_core.extractors.controls import CONTROLS
from mmrec_core.figures.palette import modality_label
from mmrec_core.metrics import metric_label
from mmrec_core.recommenders import RECOMMENDERS
from mmrec_core.studies.results import StudyResult, list_studies
from mmrec_core.studies.verdict import MINIMUM_SEEDS, RULES, STATES, USED_PAYS
from pages.ui.verdict import chip, chip_text
from pages.ui.words import columns_of_numbers, escape, number, percent

# Sentences are kept in plain text, where a minus is a hyphen.
_MINUS = re.compile(r"(?<![\w.])-(?=[\d.])")
KINDS = ("used", "gained", "without_content")
KIND_TITLES = {
    "used": "Used",
    "gained": "Gained",
    "without_content": "Without content",
}


def titles() -> dict[str, str]:
    """Name of a recommender -> its name on screen."""
    return {name: kind.title for name, kind in RECOMMENDERS.items()}


def when(created: str) -> str:
    """A moment as stored, for people."""
    return datetime.fromisoformat(created).strftime("%-d %b %Y, %H:%M UTC")


def study_label(result: StudyResult) -> str:
    """One line for a picker."""
    facts, named = result.facts, titles()
    names = ", ".join(named.get(name, name) for name in facts["recommenders"])
    seeds = f"{facts['seeds']} seed{'s' if facts['seeds'] != 1 else ''}"
    made = "imported" if result.imported else f"{facts['stage']} stage"
    return " · ".join(
        (names, seeds, made, when(result.artefact.meta["created"]),
         result.key[:8])
    )  # fmt: skip


def find_study(dataset: str, key: str | None = None) -> StudyResult | None:
    """A finished study of a dataset by the beginning of its key; None: the newest."""
    return next((s for s in list_studies(dataset) if s.key.startswith(key or "")), None)


def newest_judged(dataset: str) -> StudyResult | None:
    """The newest study of a dataset that gives a verdict; else the newest that has void ones.

    One without any has nothing to sum up.
    """
    judged = [study for study in list_studies(dataset) if study.verdicts]
    valid = (study for study in judged if any("void" not in v for v in study.verdicts))
    return next(valid, judged[0] if judged else None)


def verdict_frame(result: StudyResult) -> pd.DataFrame:
    """Verdicts as figures want them."""
    columns = ["recommender", "modality", "verdict", "symbol", "tone"]
    return pd.DataFrame(result.verdicts, columns=columns)


def sentence(verdict: Mapping[str, Any]) -> str:
    """A verdict's sentence with the recommender's name on screen, escaped."""
    name = verdict["recommender"]
    said = str(verdict["sentence"]).replace(name, titles().get(name, name), 1)
    said = _MINUS.sub("\N{MINUS SIGN}", said.removesuffix(" Untuned defaults."))
    return escape(said).replace(r" \%", "\u00a0\\%")


def headline(result: StudyResult) -> str:
    """What the study found about whole models, from its verdicts, as markdown."""
    whole = [v for v in result.verdicts if v["modality"] == "all"]
    whole = whole or [v for v in result.verdicts if v["modality"] == "joint"]
    whole = whole or list(result.verdicts)
    if not whole:
        raise InputError("This study has no verdicts: it compared no real with shuffled features.")
    if len(whole) == 1:
        finding, colon, numbers = sentence(whole[0]).partition(r"\: ")
        return f"**{finding}{colon.strip()}** {numbers}"
    pays = sum(v["verdict"] == USED_PAYS.name for v in whole)
    scopes = {v["modality"] for v in whole}
    kind = "recommenders" if scopes in ({"all"}, {"joint"}) else "cases"
    lead = f"Content is shown to be used, and to pay, in {pays} of {len(whole)} {kind}"
    strongest = max(range(len(whole)), key=lambda i: _size(whole[i], "used"))
    return f"**{lead}.** {sentence(whole[strongest])}"


def _size(verdict: Mapping[str, Any], kind: str) -> float:
    relative = (verdict[kind] or {}).get("relative")
    return float("-inf") if relative is None else float(relative)


def verdict_numbers(result: StudyResult) -> pd.DataFrame:
    """One row a verdict, with every number it rests on; for the table and for CSV.

    Relative effects and interval ends are shares of the base arm's mean.
    """
    table = result.comparisons
    table = table[table["metric"] == result.study["metric"]]
    cells = {(r.recommender, r.modality, r.kind): r for r in table.itertuples(index=False)}
    rows = []
    for v in result.verdicts:
        row = {
            "recommender": v["recommender"],
            "modality": v["modality"],
            "verdict": v["verdict"],
        }
        for kind in KINDS:
            cell = cells.get((v["recommender"], v["modality"], kind))
            for name in ("relative", "relative_low", "relative_high", "p_adjusted", "state"):
                row[f"{kind}_{name}"] = None if cell is None else getattr(cell, name)
        rows.append({**row, "n_users": v["n_users"], "seeds": v["seeds"], "void": v.get("void")})
    return pd.DataFrame(rows)


def verdict_table(result: StudyResult, planted: Mapping[str, float] | None) -> pd.DataFrame:
    """The verdict table as markdown cells, numbers aligned on the decimal point.

    Args:
        result: The study.
        planted: Strength of the taste planted in each modality, where it is known.
    """
    numbers, named = verdict_numbers(result), titles()
    rows = {
        "Recommender": [escape(named.get(n, n)) for n in numbers["recommender"]],
        "Content": [_content_cell(m, planted) for m in numbers["modality"]],
        "Verdict": [chip(v) for v in result.verdicts],
    }
    for kind in KINDS:
        rows[KIND_TITLES[kind]] = columns_of_numbers(
            [percent(x) for x in numbers[f"{kind}_relative"]],
            [
                "" if pd.isna(low) else f"[{number(100 * low)}, {number(100 * high)}]"
                for low, high in zip(
                    numbers[f"{kind}_relative_low"], numbers[f"{kind}_relative_high"], strict=True
                )
            ],
        )
    return pd.DataFrame(rows)


def _content_cell(modality: str, planted: Mapping[str, float] | None) -> str:
    name = modality_label(modality)
    return (
        name if planted is None else f"{name}  \n:small[:gray[{planted_word(modality, planted)}]]"
    )


def planted_word(modality: str, planted: Mapping[str, float]) -> str:
    """Whether users' tastes were planted in a modality, or in any for the whole model."""
    inputs = {"input-picture": "image", "input-title": "text"}
    if modality in ("all", "joint"):
        strengths = list(planted.values())
    else:
        strengths = [planted.get(inputs.get(modality, modality), 0.0)]
    return "planted" if any(strengths) else "not planted"


def rule_table() -> pd.DataFrame:
    """The fixed rules as markdown cells."""
    return pd.DataFrame(
        {
            "Used": [rule.used for rule in RULES],
            "Gained": [rule.gained for rule in RULES],
            "Without content": [rule.without_content for rule in RULES],
            "Verdict": [chip_text(r.outcome.name, r.outcome.symbol, r.outcome.tone) for r in RULES],
        }
    )


def as_markdown(table: pd.DataFrame) -> str:
    """A table of markdown cells as markdown."""
    lines = [list(table.columns), ["---"] * len(table.columns), *table.to_numpy().tolist()]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def how_effects(result: StudyResult) -> str:
    """How effects and verdicts were made, as markdown."""
    study, document = result.study, result.document
    metric, delta = escape(metric_label(study["metric"])), 100 * study["delta"]
    above, below, equal, undecided = STATES
    retrained = (
        "each arm is retrained with what replaces the features"
        if study["stage"] == "train"
        else "trained on real features, scored with what replaces them"
    )
    return "\n".join(
        (
            "Three comparisons for each recommender and modality, everything else real:\n",
            "- **used** = real − shuffled (the same features, dealt to the wrong items)",
            "- **gained** = real − removed (the model without that modality)",
            "- **gained without content** = shuffled − removed\n",
            *_about_inputs(study),
            f"Effects are changes of {metric} in % of the mean of the arm subtracted. *{above}* "
            f"or *{below}*: Holm-adjusted p < 0.05 and at least {delta:g} %. *{equal}*: the 90 % "
            f"interval lies inside ±{delta:g} %. Otherwise *{undecided}*. With fewer than "
            f"{MINIMUM_SEEDS} seeds, or an arm that has not converged, there is no verdict.\n",
            as_markdown(rule_table()),
            "",
            f"- {document['n_users']:,} users, {document['n_items']:,} items, "
            f"{document['n_train']:,} training interactions; every user with a relevant test "
            "item counts",
            f"- {study['seeds']} seeds from {study['first_seed']}; the same seeds in every arm",
            f"- stage {study['stage']}: {retrained}",
            f"- split: {escape(document['split'])}",
            *_left_in_place(document),
            f"- left out of test rankings: {escape(study['mask'])} items of the user",
            f"- hyper-parameters: {result.settings_in_words}, and what the settings below say",
            "- 95 % intervals hold users and seeds as sources of chance (crossed, two-way); they "
            "are conditional on this split and these hyper-parameters, and not adjusted for the "
            "number of comparisons",
            "- a filter on screen never changes a verdict: metric, stage and families were fixed "
            "before training",
        )
    )


def _about_inputs(study: Mapping[str, Any]) -> list[str]:
    """What the comparisons are where the input of a joint matrix was replaced."""
    if not any(CONTROLS.get(name).extraction for name in study["controls"]):
        return []
    return [
        "For the *picture* and the *title* of a joint matrix the model was asked again: another "
        "item's stands for shuffled, a blank one for removed. Which other item's is drawn once "
        "for all seeds, so that draw is not in the interval.\n"
    ]


def _left_in_place(document: dict[str, Any]) -> list[str]:
    """How many items a shuffle could not move, where there are any, as lines of markdown."""
    kept = document.get("left_in_place") or {}
    if not kept:
        return []
    said = ", ".join(f"{n:,} in {escape(label)}" for label, n in kept.items())
    return [f"- items that keep their features when shuffled, being alone in their group: {said}"]


def division(result: StudyResult) -> str:
    """How much of a whole model's gain is content, as a sentence of markdown.

    real − removed = (real − shuffled) + (shuffled − removed), exactly, in the metric's units.
    """
    table = result.comparisons
    table = table[(table["metric"] == result.study["metric"]) & table["kind"].isin(KINDS)]
    scope = "all" if (table["modality"] == "all").any() else result.study["modalities"][0]
    table = table[table["modality"] == scope]
    parts = []
    for name, own in table.groupby("recommender", sort=False):
        cells = own.set_index("kind")
        if not set(KINDS) <= set(cells.index):
            continue
        verdict = next(
            v for v in result.verdicts if (v["recommender"], v["modality"]) == (name, scope)
        )
        parts.append(f"{_divided(titles().get(str(name), str(name)), cells)} {chip(verdict)}")
    metric = escape(metric_label(result.study["metric"]))
    if not parts:
        return "This study lacks shuffled or removed arms, so gains cannot be divided."
    if len(parts) == 1:
        return f"In {metric}, {parts[0]}"
    return "\n".join([f"In {metric},\n", *(f"- {part}" for part in parts)])


def _divided(name: str, cells: pd.DataFrame) -> str:
    gained, used, rest = (cells.loc[kind] for kind in ("gained", "used", "without_content"))
    interval = f"\\[{number(gained.low, True)}, {number(gained.high, True)}\\]"
    return (
        f"{escape(name)} with its content differs from {escape(name)} without by "
        f"**{number(gained.effect, True)}** {interval}: **{number(used.effect, True)}** from the "
        f"content itself \\(real − shuffled\\) and **{number(rest.effect, True)}** from having "
        "a place for content \\(shuffled − removed\\)"
    )


def settings_of(result: StudyResult) -> dict[str, Any]:
    """All that decided a study's numbers, as plain values."""
    return {**result.study, "environment": result.document["environment"]}


def labels(studies: Sequence[StudyResult]) -> dict[str, str]:
    """Beginning of a key -> line in a picker."""
    return {s.key[:12]: study_label(s) for s in studies}
