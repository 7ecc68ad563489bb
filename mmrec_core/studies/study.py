"""A study: which arms are compared, on what, by which protocol. Pure description, no training."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mmrec_core.datasets.split import SplitConfig
from mmrec_core.domain import InputError, sha256_json
from mmrec_core.extractors.base import EXTRACTORS
from mmrec_core.extractors.controls import CONTROLS, Control, Groups
from mmrec_core.extractors.input_controls import PICTURE, TITLE
from mmrec_core.extractors.vision_language import VisionLanguage
from mmrec_core.metrics.ranking import CUTOFFS
from mmrec_core.recommenders import RECOMMENDERS
from mmrec_core.recommenders.base import RecommenderConfig

REFERENCES = ("random", "most-pop", "item-knn", "ease", "bpr-mf", "light-gcn")
"""Trained without content beside every study: a content model must beat the tuned ones."""

RANKING_METRICS = ("recall", "ndcg", "ndcg_graded", "hr", "mrr", "map")
"""Kept for every user and run, so that a study can rest on any of them."""


class FeatureChoice(BaseModel):
    """Which extractor makes the features of a modality."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    extractor: str
    config: dict[str, Any] = Field(default_factory=dict)


class Tuning(BaseModel):
    """How the settings of every arm are searched: the same budget for each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trials: int = Field(ge=1, le=500, description="Settings that are tried for every arm")
    sampler: Literal["tpe", "grid"] = Field(
        "tpe", description="tpe learns from the trials before; grid goes through in random order"
    )
    space: Literal["own", "paper"] = Field(
        "own",
        description="own: each model's grid; paper: learning rate x factors x reg of the paper",
    )


class Study(BaseModel):
    """Everything that decides a study's numbers; the JSON of it is the study.

    The primary metric, the stage and with them the Holm families are fixed here, before anything
    is trained: what a screen shows later never changes a verdict.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    dataset: str = Field(description="Name of an installed dataset")
    recommenders: tuple[str, ...] = Field(
        ("vbpr", "freedom"), min_length=1, description="Content models whose use is judged"
    )
    references: tuple[str, ...] = Field(
        REFERENCES, description="Models without content, shown beside"
    )
    modalities: tuple[Literal["image", "text", "joint"], ...] = Field(
        ("image", "text"), min_length=1, description="Modalities that are real or replaced"
    )
    features: dict[str, FeatureChoice] = Field(
        default_factory=dict, description="Extractor of each modality; empty: the default"
    )
    controls: tuple[str, ...] = Field(
        ("shuffle", "removed", "mean"),
        description="What stands in for a modality; shuffle and removed carry the verdict",
    )
    seeds: int = Field(5, ge=1, le=200, description="Trainings of every arm; a verdict needs 5")
    first_seed: int = Field(1, ge=0, description="Seeds are first_seed, first_seed + 1, ...")
    stage: Literal["train", "inference"] = Field(
        "train", description="Retrain with the control, or train on real and score with it"
    )
    metric: str = Field("recall@20", description="Primary metric; it alone makes the verdict")
    delta: float = Field(0.05, gt=0, lt=1, description="Relative margin of equality")
    split: SplitConfig | None = Field(None, description="None: what the dataset says")
    mask: Literal["train+valid", "train"] = Field(
        "train+valid", description="What is left out of test rankings; 'train' as published code"
    )
    configs: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Recommender -> settings that differ from its defaults"
    )
    tuning: Tuning | None = Field(
        None, description="Search of every arm's settings on validation; None: defaults"
    )

    @property
    def seed_list(self) -> list[int]:
        """The seeds, in order."""
        return list(range(self.first_seed, self.first_seed + self.seeds))

    def checked(self) -> "Study":
        """This study, if every name in it is known and fits.

        Raises:
            InputError: A name is unknown or does not fit, in one sentence.
        """
        for name in (*self.recommenders, *self.references):
            RECOMMENDERS.get(name)
        for name in self.controls:
            CONTROLS.get(name)
        for name in self.references:
            if RECOMMENDERS.get(name).uses:
                raise InputError(
                    f"{RECOMMENDERS.get(name).title} uses content; references are models without."
                )
        for name in self.recommenders:
            uses = RECOMMENDERS.get(name).uses
            if not uses:
                raise InputError(
                    f"{RECOMMENDERS.get(name).title} uses no content, so there is nothing to "
                    "replace; name it under references instead."
                )
            unread = [m for m in self.modalities if m not in uses]
            if unread:
                raise InputError(f"{RECOMMENDERS.get(name).title} does not read {unread[0]}.")
            if self.stage == "inference" and not RECOMMENDERS.get(name).features_at_inference:
                raise InputError(
                    f"{RECOMMENDERS.get(name).title} reads no features when it scores, so "
                    "replacing them at inference changes nothing; use stage train."
                )
        for name in self.configs:
            own = recommender_config(name, self)
            if self.stage == "inference" and getattr(own, "trainable_features", False):
                raise InputError(
                    f"The features of {RECOMMENDERS.get(name).title} are trained, so they are "
                    "parameters of the model and cannot be replaced when it scores; use stage "
                    "train."
                )
        check_metric(self.metric)
        for modality, choice in self.features.items():
            if modality not in self.modalities:
                raise InputError(
                    f"Features are given for {modality}, but the study's modalities are "
                    f"{', '.join(self.modalities)}."
                )
            EXTRACTORS.get(choice.extractor)
        for field in ("recommenders", "references", "modalities", "controls"):
            named = getattr(self, field)
            if len(set(named)) < len(named):
                raise InputError(f"{field} names something twice: {', '.join(named)}.")
        if "joint" in self.modalities and len(self.modalities) > 1:
            raise InputError("One joint matrix is used as it is: leave image and text out.")
        return self


def check_metric(metric: str) -> int:
    """The cut-off of a metric that a study can rest on.

    Raises:
        InputError: It can rest on no such metric.
    """
    name, _, k = metric.partition("@")
    if name not in RANKING_METRICS or k not in map(str, CUTOFFS):
        raise InputError(
            f"A study cannot rest on {metric!r}. Choose one of {', '.join(RANKING_METRICS)} at "
            f"{', '.join(map(str, CUTOFFS))}, as in recall@20."
        )
    return int(k)


def make_study(values: Mapping[str, Any]) -> Study:
    """A checked study from plain values.

    Raises:
        InputError: A value is wrong; the sentence names the field.
    """
    return make_study_unchecked(values).checked()


def make_study_unchecked(values: Mapping[str, Any]) -> Study:
    """A study from plain values, whose names may be unknown here: for lists made elsewhere.

    Raises:
        InputError: A value is wrong; the sentence names the field.
    """
    try:
        return Study.model_validate(dict(values))
    except ValidationError as error:
        raise InputError(f"The study is not valid: {first_problem(error)}") from None


def first_problem(error: ValidationError) -> str:
    """The first problem of a config in words: field and reason."""
    problem = error.errors()[0]
    if not problem["loc"]:
        return f"{problem['msg'].removeprefix('Value error, ')}."
    where = ".".join(str(part) for part in problem["loc"]) or "value"
    return f"{where}: {problem['msg']} (got {problem['input']!r})."


PAPER_GRID: Mapping[str, tuple[Any, ...]] = {
    "learning_rate": (1e-4, 5e-4, 1e-3, 5e-3, 1e-2),
    "factors": (64, 128, 256),
    "reg": (0.01, 0.1),
}
"""Pomo et al., Do Recommender Systems Really Leverage Multimodal Content?, CIKM 2025 (released
configurations); models that lack one of these settings keep their own grid."""


def search_grid(study: Study, name: str) -> dict[str, tuple[Any, ...]]:
    """Setting -> values that a study's search tries; what the study sets itself is fixed."""
    kind = RECOMMENDERS.get(name)
    paper = study.tuning is not None and study.tuning.space == "paper"
    paper = paper and set(PAPER_GRID) <= set(kind.Config.model_fields)
    grid = PAPER_GRID if paper else kind.grid
    fixed = study.configs.get(name, {})

    def fits(key: str, value: Any) -> bool:
        try:
            kind.Config.model_validate({**fixed, key: value})
        except ValidationError:
            return False
        return True

    return {
        key: fitting
        for key, values in grid.items()
        if key not in fixed and (fitting := tuple(v for v in values if fits(key, v)))
    }


def recommender_config(
    name: str, study: Study, found: Mapping[str, Any] | None = None
) -> RecommenderConfig:
    """The config of a recommender in a study: its defaults and what the study changes.

    Args:
        name: Of the recommender.
        study: Whose ``configs`` count.
        found: Settings that a search found.

    Raises:
        InputError: A setting is unknown or out of range.
    """
    kind = RECOMMENDERS.get(name)
    try:
        return kind.Config.model_validate({**(found or {}), **study.configs.get(name, {})})
    except ValidationError as error:
        raise InputError(f"Settings of {kind.title}: {first_problem(error)}") from None


@dataclass(frozen=True)
class Arm:
    """One cell of a study: recommender x features x control.

    Attributes:
        recommender: Its name.
        modality: Which modality the control replaces: image, text, joint, ``all``, or ``none``;
            ``input-picture`` or ``input-title`` where a joint matrix was extracted again.
        control: ``real`` where nothing is replaced, ``none`` where no content is read.
    """

    recommender: str
    modality: str
    control: str

    @property
    def label(self) -> str:
        """Short name, such as ``vbpr · image · shuffle``; unique in a study."""
        parts = (self.recommender, self.modality, self.control)
        return " · ".join(part for part in parts if part != "none")


@dataclass(frozen=True)
class Skipped:
    """An arm that makes no sense, and why."""

    arm: Arm
    reason: str


def seeds_of(study: Study, arm: Arm) -> list[int]:
    """The seeds that an arm is trained with; 0 alone where neither model nor control draws."""
    drawn = arm.control != "none" and CONTROLS.get(arm.control).drawn
    return study.seed_list if RECOMMENDERS.get(arm.recommender).seeded or drawn else [0]


def scopes(modalities: tuple[str, ...]) -> tuple[str, ...]:
    """What a control can replace: each modality, and all at once where there are several."""
    return (*modalities, "all") if len(modalities) > 1 else modalities


def input_scopes(study: Study) -> tuple[str, ...]:
    """Inputs of the extractor that a study's controls replace: the picture, the title."""
    concerned = {CONTROLS.get(control).concerns for control in study.controls}
    return tuple(scope for scope in (PICTURE, TITLE) if scope in concerned)


def _asked(study: Study, control: Control) -> Iterator[str]:
    """The scopes that a control of a study is for."""
    yield from (control.concerns,) if control.concerns else scopes(study.modalities)


def arms_of(
    study: Study, missing: Mapping[str, bool], groups: Groups | None = None
) -> tuple[list[Arm], list[Skipped]]:
    """All arms of a study in training order, and those left out with the reason.

    Args:
        study: The study.
        missing: Modality -> whether some items lack it. The mean control tells apart who has
            features; where every item has them it has nothing to tell.
        groups: What the split's items can be grouped by; None: not looked at yet.
    """
    arms: list[Arm] = []
    skipped: list[Skipped] = []
    for name in study.references:
        arm, reason = Arm(name, "none", "none"), _too_large(name, groups)
        if reason:
            skipped.append(Skipped(arm, reason))
        else:
            arms.append(arm)
    for name in study.recommenders:
        arms.append(Arm(name, "none", "real"))
        for scope in (*scopes(study.modalities), *input_scopes(study)):
            for control in study.controls:
                if control == "real" or scope not in _asked(study, CONTROLS.get(control)):
                    continue
                arm = Arm(name, scope, control)
                reason = _why_not(study, arm, missing, groups)
                if reason:
                    skipped.append(Skipped(arm, reason))
                else:
                    arms.append(arm)
    return arms, skipped


def _too_large(name: str, groups: Groups | None) -> str:
    most = RECOMMENDERS.get(name).most_items
    n_items = 0 if groups is None else len(groups["popularity"])
    if most is None or n_items <= most:
        return ""
    return f"it holds at most {most:,} items, these are {n_items:,}"


def _why_not(study: Study, arm: Arm, missing: Mapping[str, bool], groups: Groups | None) -> str:
    kind, control = RECOMMENDERS.get(arm.recommender), CONTROLS.get(arm.control)
    if kind.family == "graph" and not control.graph_ok:
        return "a graph of one-hot ids has no edges"
    if study.stage not in control.stages:
        return f"{control.title} makes no sense at the {study.stage} stage"
    if control.concerns:
        return why_not_again(study, control)
    involved = study.modalities if arm.modality == "all" else (arm.modality,)
    if arm.control == "mean" and not any(missing[m] for m in involved):
        return "no item lacks the modality, so the mean tells nothing that removing it does not"
    if control.within and groups is None:
        return ""
    return control.why_not(study.modalities, arm.modality, groups or {})


def why_not_again(study: Study, control: Control) -> str:
    """Why a study's features cannot be extracted again under ``control``; empty: they can."""
    choice = study.features.get("joint")
    kind = EXTRACTORS.get(choice.extractor) if choice else None
    if kind is None or not issubclass(kind, VisionLanguage):
        return "only a vision-language model's matrix is extracted again with another input"
    assert choice is not None
    changed = [name for name in control.extraction if choice.config.get(name, "own") != "own"]
    if changed:
        return f"the real features were extracted with another {changed[0]} already"
    if control.concerns == TITLE:
        model = kind(kind.Config.model_validate(choice.config))
        if not model.prompt.gives_title:
            return "the prompt gives the model no title"
    return ""


def extractions(study: Study) -> dict[str, FeatureChoice]:
    """What is extracted for a resolved study: modality -> its real features, control -> again."""
    chosen: dict[str, FeatureChoice] = {str(m): study.features[m] for m in study.modalities}
    for name in study.controls:
        control = CONTROLS.get(name)
        if control.extraction and not why_not_again(study, control):
            own = study.features["joint"]
            config = {**own.config, **control.extraction}
            chosen[name] = FeatureChoice(extractor=own.extractor, config=config)
    return chosen


def feature_controls(study: Study, arm: Arm) -> Iterator[tuple[str, str, str]]:
    """(modality, control, scope) of every modality that the arm's recommender reads."""
    if not RECOMMENDERS.get(arm.recommender).uses:
        return
    for modality in study.modalities:
        replaced = arm.modality in (modality, "all", PICTURE, TITLE)
        control = arm.control if replaced else "real"
        if control != "removed":
            yield modality, control, arm.modality if replaced else modality


def study_fingerprint(study: Study, inputs: Mapping[str, Any]) -> str:
    """sha256 of the study and of the content fingerprints it was planned on."""
    return sha256_json({"study": study.model_dump(mode="json"), "inputs": dict(inputs)})
