"""One study over many settings of the features: two extractors, their fusion, one LVLM matrix ...

A setting is written as a person says it: ``minilm``, ``efficientnet-lite0+minilm`` (two matrices,
a branch each), ``concatenate(efficientnet-lite0,minilm)`` (one matrix), or with options,
``small-lvlm(position=image_mean)``. Each setting is a study of its own with its own controls; the
real arms are compared across settings, paired by user and seed.
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.domain import InputError
from mmrec_core.extractors.base import Extractor
from mmrec_core.extractors.service import make_extractor
from mmrec_core.metrics.significance import compare, holm
from mmrec_core.studies.evidence import metric_of
from mmrec_core.studies.inputs import load_inputs, resolved
from mmrec_core.studies.results import StudyResult, typed
from mmrec_core.studies.runner import Report, run_study
from mmrec_core.studies.runs import find_run
from mmrec_core.studies.study import Arm, FeatureChoice, Study, make_study, seeds_of

DEFAULT = (
    "efficientnet-lite0+minilm",
    "efficientnet-lite0",
    "minilm",
    "concatenate(efficientnet-lite0,minilm)",
    "small-lvlm",
    "small-lvlm(position=answer_eos)",
    "small-lvlm(position=image_mean)",
    "small-lvlm(position=all_mean)",
)
"""Two extractors first: every other setting is compared with it."""

_FUSIONS = ("concatenate", "sum", "mean", "product")
_NAMED = re.compile(r"(?P<name>[a-z0-9-]+)(?:\((?P<inside>.*)\))?", re.DOTALL)


@dataclass(frozen=True)
class Setting:
    """Which extractors make the features.

    Attributes:
        label: As it was written.
        features: Modality -> extractor and options.
    """

    label: str
    features: Mapping[str, FeatureChoice]

    @property
    def modalities(self) -> tuple[str, ...]:
        """In the order of a study."""
        return tuple(m for m in ("image", "text", "joint") if m in self.features)


def parse_setting(text: str) -> Setting:
    """Reads a setting.

    Raises:
        InputError: It cannot be read, names no extractor, or two matrices for one modality.
    """
    features: dict[str, FeatureChoice] = {}
    for part in _split(text, "+"):
        choice = _choice(part.strip(), text)
        modality = make_extractor(choice.extractor, choice.config).modality
        if modality in features:
            raise InputError(f"The setting {text!r} names two extractors of {modality}.")
        if modality not in ("image", "text", "joint"):
            raise InputError(f"{part!r} does not say of which modality it is.")
        features[modality] = choice
    if "joint" in features and len(features) > 1:
        raise InputError(f"The setting {text!r} puts a joint matrix beside another; use it alone.")
    return Setting(text, features)


def written(extractor: Extractor) -> str:
    """An extractor with its options as a setting that reads back to the same; empty: none does."""
    changed = extractor.config.model_dump(mode="json", exclude_defaults=True)
    options = ", ".join(f"{name}={typed(value)}" for name, value in sorted(changed.items()))
    for text in (f"{extractor.name}({options})" if options else extractor.name, extractor.label):
        with contextlib.suppress(InputError):
            features = parse_setting(text).features
            choice = next(iter(features.values()))
            again = make_extractor(choice.extractor, choice.config)
            if len(features) == 1 and (again.name, again.config) == (
                extractor.name,
                extractor.config,
            ):
                return text
    return ""


def _choice(part: str, whole: str) -> FeatureChoice:
    match = _NAMED.fullmatch(part)
    if match is None:
        raise InputError(
            f"The setting {whole!r} cannot be read; write minilm, efficientnet-lite0+minilm, "
            "concatenate(efficientnet-lite0,minilm) or small-lvlm(position=image_mean)."
        )
    name, inside = match["name"], match["inside"] or ""
    given = [own.strip() for own in _split(inside, ",") if own.strip()]
    if name in _FUSIONS:
        plain = [own for own in given if not re.match(r"[a-z_]+=", own)]
        parts = [_choice(own, whole).model_dump() for own in plain]
        options = dict(_option(own, whole) for own in given if own not in plain)
        return FeatureChoice(extractor="fusion", config={"how": name, "parts": parts, **options})
    return FeatureChoice(extractor=name, config=dict(_option(own, whole) for own in given))


def _option(text: str, whole: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"The setting {whole!r}: {text!r} is not NAME=VALUE.")
    # A key of the store may read as a number.
    if name.strip() == "descriptions":
        return "descriptions", value.strip()
    try:
        return name.strip(), json.loads(value)
    except json.JSONDecodeError:
        return name.strip(), value.strip()


def _split(text: str, at: str) -> Iterator[str]:
    """Parts of a text between separators that stand outside of parentheses."""
    depth, part = 0, ""
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == at and depth == 0:
            yield part
            part = ""
        else:
            part += character
    yield part


def run_settings(
    base: Mapping[str, Any],
    settings: Sequence[str],
    report: Callable[[str], Report | None] = lambda label: None,
) -> pd.DataFrame:
    """Carries out a study for each setting and puts the results side by side.

    Args:
        base: Values of a Study; its modalities and features are given by the settings.
        settings: The first is what the others are compared with.
        report: Setting -> who is told of its progress.

    Returns:
        One row a recommender and setting: recommender, setting, matrices, width, the metric with
        low and high (95 %); used, gained (relative), verdict and modality of the widest scope;
        over (relative difference from the first setting), over_low, over_high, p (Holm over the
        settings of all recommenders); seconds a run; study (key).

    Raises:
        InputError: A setting cannot be read or carried out.
    """
    if "modalities" in base or base.get("features"):
        raise InputError("Settings say which features are used; leave modalities and features out.")
    chosen = [parse_setting(text) for text in settings]
    if len({own.label for own in chosen}) < len(chosen):
        raise InputError("A setting is named twice.")
    if len(chosen) < 2:
        raise InputError("Name two settings or more: the others are compared with the first.")
    rows: list[dict[str, Any]] = []
    per_user: dict[tuple[str, str], np.ndarray] = {}
    for own in chosen:
        study = make_study({**base, "modalities": own.modalities, "features": own.features})
        result = StudyResult(run_study(study, report(own.label)))
        for name in study.recommenders:
            rows.append(_row(own, name, study, result))
            per_user[name, own.label] = _real(study, name)
    for row in rows:
        row |= _over(per_user, row, chosen[0].label, base.get("delta", 0.05))
    table = pd.DataFrame(rows)
    tested = table["p"].notna()
    table.loc[tested, "p"] = holm(table.loc[tested, "p"].to_numpy())
    order = {name: at for at, name in enumerate(dict.fromkeys(table["recommender"]))}
    return table.sort_values(
        "recommender", key=lambda names: names.map(order), kind="stable"
    ).reset_index(drop=True)


def _row(setting: Setting, name: str, study: Study, result: StudyResult) -> dict[str, Any]:
    metric = study.metric
    arm: Mapping[Any, Any] = result.arms.set_index("arm").loc[f"{name} · real"].to_dict()
    scope = "all" if len(setting.modalities) > 1 else setting.modalities[0]
    own = result.comparisons.query(
        "metric == @metric and recommender == @name and modality == @scope"
    )
    compared: Mapping[Any, Any] = own.set_index("kind").to_dict("index")
    verdict = next(
        (v for v in result.verdicts if v["recommender"] == name and v["modality"] == scope), None
    )
    row: dict[str, Any] = {
        "recommender": name,
        "setting": setting.label,
        "matrices": len(setting.modalities),
        "width": _width(study),
        metric: float(arm[metric]),
        "low": float(arm[f"{metric}_low"]),
        "high": float(arm[f"{metric}_high"]),
        "modality": scope,
        "verdict": f"{verdict['symbol']} {verdict['verdict']}" if verdict else "",
        "seconds": float(arm["seconds"]),
        "study": result.key,
    }
    for kind in ("used", "gained"):
        for column in ("relative", "relative_low", "relative_high"):
            named = kind + column.removeprefix("relative")
            row[named] = float(compared[kind][column]) if kind in compared else np.nan
    return row


def _width(study: Study) -> int:
    return sum(own.width for own in load_inputs(resolved(study)).features.values())


def _real(study: Study, name: str) -> np.ndarray:
    """The metric of the arm with real features, [n_users, seeds]."""
    study = resolved(study)
    inputs, arm = load_inputs(study), Arm(name, "none", "real")
    found = [find_run(study, inputs, arm, seed) for seed in seeds_of(study, arm)]
    return metric_of([run for run in found if run is not None], study.metric, study.seeds)


def _over(
    per_user: Mapping[tuple[str, str], np.ndarray], row: Mapping[str, Any], first: str, delta: float
) -> dict[str, Any]:
    if row["setting"] == first:
        return {"over": np.nan, "over_low": np.nan, "over_high": np.nan, "p": np.nan}
    name = row["recommender"]
    effect = compare(per_user[name, row["setting"]], per_user[name, first], delta)
    return {
        "over": effect.relative,
        "over_low": effect.as_relative(effect.low),
        "over_high": effect.as_relative(effect.high),
        "p": effect.p,
    }
