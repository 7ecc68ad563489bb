"""What a study will cost, said before it starts."""

from dataclasses import dataclass
from typing import Any

from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.datasets.split import SplitConfig
from mmrec_core.domain import Dataset, InputError, Split
from mmrec_core.extractors.service import default_extractor
from mmrec_core.recommenders import RECOMMENDERS
from mmrec_core.settings import settings
from mmrec_core.store import store
from mmrec_core.studies.inputs import item_groups, load_inputs, resolved, split_of, to_embed
from mmrec_core.studies.runs import KIND as RUN
from mmrec_core.studies.runs import find_run, search_arm, searched
from mmrec_core.studies.study import (
    Arm,
    Skipped,
    Study,
    arms_of,
    extractions,
    recommender_config,
    seeds_of,
)
from mmrec_core.studies.tuning import trials_of

SECONDS_PER_ITEM = {"image": 0.10, "text": 0.06, "joint": 1.0}
"""Of extraction on one CPU core, where nothing was measured here yet."""
SECONDS_BY_NAME = {
    "small-lvlm": 0.03,
    "attributes": 0.02,
    "description-text": 0.03,
    "probed-attributes": 0.1,
    "category": 0.001,
}
"""The same, of extractors that are far from their kind's usual."""


@dataclass(frozen=True)
class Plan:
    """Arms, runs and expected minutes of a study.

    Attributes:
        study: With split and extractors spelled out.
        arms: To be trained.
        skipped: Left out, with reasons.
        runs: In all.
        runs_left: Not in the store yet.
        minutes: Expected, with what is left.
        to_embed: Modalities, and controls of the input, whose embeddings are not made yet.
        split: What it runs on, in words.
        trials: Of the searches that are not finished yet.
    """

    study: Study
    arms: list[Arm]
    skipped: list[Skipped]
    runs: int
    runs_left: int
    minutes: float
    to_embed: list[str]
    split: str
    trials: int = 0

    def in_words(self) -> str:
        """The plan as text."""
        lines = [
            f"{self.study.dataset}: {self.split}",
            f"{len(self.arms)} arms, {self.runs} runs, {self.runs - self.runs_left} of them done; "
            f"about {minutes_in_words(self.minutes)} on {cores_in_words()}.",
        ]
        if self.trials:
            lines.append(f"Settings are searched first: at most {self.trials:,} trials in all.")
        if self.to_embed:
            lines.append(f"Embeddings to be made first: {', '.join(self.to_embed)}.")
        lines += [f"Left out: {s.arm.label} ({s.reason})." for s in self.skipped]
        return "\n".join(lines) + "\n"

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "arms": [arm.label for arm in self.arms],
            "skipped": {s.arm.label: s.reason for s in self.skipped},
            "runs": self.runs,
            "runs_left": self.runs_left,
            "trials": self.trials,
            "minutes": round(self.minutes, 1),
            "to_embed": self.to_embed,
        }


def cores_in_words() -> str:
    """How many cores studies use."""
    number = settings().workers
    return f"{number} core{'s' if number != 1 else ''}"


def minutes_in_words(minutes: float) -> str:
    """A duration as a person says it."""
    if minutes < 0.2:
        return "a few seconds"
    if minutes < 1:
        return "less than a minute"
    if minutes < 90:
        return f"{minutes:.0f} minute{'s' if round(minutes) != 1 else ''}"
    return f"{minutes / 60:.1f} hours"


def default_modalities(dataset: str) -> tuple[str, ...]:
    """The modalities of a study where nobody chose: those that the items have.

    A modality counts where two items have its content, or where features of it came with the
    dataset. Without pictures and words a joint matrix is taken, if there is one.

    Raises:
        InputError: The items have no content at all.
    """
    loaded = load_dataset(dataset)
    usual: tuple[str, ...] = Study.model_fields["modalities"].get_default()
    found = tuple(m for m in usual if _has(loaded, m))
    if found:
        return found
    if _has(loaded, "joint"):
        return ("joint",)
    raise InputError(
        f"The items of {dataset} have neither pictures nor texts, and no features came with them, "
        "so there is no content to study. Install it again with some, or map the columns that "
        "hold it."
    )


def default_values(dataset: str) -> dict[str, Any]:
    """The values of the default study; the modalities are named where one is lacking.

    Raises:
        InputError: The items have no content at all.
    """
    modalities = default_modalities(dataset)
    usual = Study.model_fields["modalities"].get_default()
    return {"dataset": dataset} | ({} if modalities == usual else {"modalities": list(modalities)})


def _has(dataset: Dataset, modality: str) -> bool:
    column = {"image": "image", "text": "text"}.get(modality)
    if column is not None and int((dataset.items[column] != "").sum()) >= 2:
        return True
    try:
        return default_extractor(modality, dataset)[0] == "precomputed"
    except InputError:
        return False


def default_split(dataset: str) -> SplitConfig:
    """The split that a dataset asks for."""
    split = resolved(Study(dataset=dataset)).split
    assert split is not None
    return split


def plan_study(study: Study) -> Plan:
    """Counts arms and runs and reckons minutes; trains and embeds nothing."""
    study = resolved(study.checked())
    split = split_of(study)
    left_to_embed = to_embed(study)
    if left_to_embed:
        inputs = None
        missing = dict.fromkeys(map(str, study.modalities), True)
    else:
        inputs = load_inputs(study)
        missing = dict(inputs.missing)
    dataset = load_dataset(study.dataset)
    arms, skipped = arms_of(study, missing, item_groups(dataset, split))
    items = dataset.n_items
    chosen = extractions(study)
    made = [what for what in left_to_embed if chosen[what].extractor != "precomputed"]
    seconds = items * sum(_seconds_per_item(what, chosen[what].extractor) for what in made)
    measured = _measured_seconds(split)
    runs = left = trials = 0
    for arm in arms:
        seeds = seeds_of(study, arm)
        runs += len(seeds)
        open_ = (
            len(seeds)
            if inputs is None
            else sum(find_run(study, inputs, arm, seed) is None for seed in seeds)
        )
        left += open_
        searches = arm == search_arm(study, arm)
        if searches and (inputs is None or not searched(study, inputs, arm)):
            tried = trials_of(study, arm.recommender)
            trials += tried
            seconds += tried * _seconds_per_run(study, split, arm, measured)
        if open_:
            seconds += open_ * _seconds_per_run(study, split, arm, measured)
    minutes = seconds / 60 / min(settings().workers, max(1, len(arms)))
    return Plan(study, arms, skipped, runs, left, minutes, left_to_embed, split.description, trials)


def _seconds_per_item(what: str, extractor: str) -> float:
    if extractor in SECONDS_BY_NAME:
        return SECONDS_BY_NAME[extractor]
    return SECONDS_PER_ITEM.get(what, SECONDS_PER_ITEM["joint"])


def _measured_seconds(split: Split) -> dict[str, list[float]]:
    """Recommender -> seconds of its runs on this split that were measured here."""
    measured: dict[str, list[float]] = {}
    for run in store().list(RUN):
        own = run.spec["split"] == split.fingerprint and run.spec["trained_on"] is None
        if own and not run.shipped:
            measured.setdefault(run.spec["recommender"], []).append(run.facts["seconds"])
    return measured


def _seconds_per_run(
    study: Study, split: Split, arm: Arm, measured: dict[str, list[float]]
) -> float:
    """From runs of the same recommender that were measured here, else from its own reckoning."""
    kind = RECOMMENDERS.get(arm.recommender)
    if study.stage == "inference" and arm.control not in ("real", "none"):
        return 0.5
    seconds = measured.get(arm.recommender)
    if seconds:
        return sum(seconds) / len(seconds)
    config = recommender_config(arm.recommender, study)
    return kind.expected_seconds(config, split, 2048 if kind.uses else 0)
