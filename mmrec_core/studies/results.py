"""Reading finished studies: cheap, without torch; what pages and exports draw from."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import pandas as pd

from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.domain import InputError
from mmrec_core.extractors import EXTRACTORS
from mmrec_core.store import Artefact, store
from mmrec_core.studies.evidence import COMPARISON_COLUMNS
from mmrec_core.studies.inputs import study_split, with_split
from mmrec_core.studies.study import Study

KIND = "study"


@dataclass(frozen=True, eq=False)
class StudyResult:
    """A finished study.

    Attributes:
        artefact: Where it lies.
    """

    artefact: Artefact

    @property
    def key(self) -> str:
        """Its key in the store."""
        return self.artefact.key

    @cached_property
    def document(self) -> dict[str, Any]:
        """study.json: study, verdicts, split, counts, skipped arms, environment."""
        document: dict[str, Any] = self.artefact.json("study")
        return document

    @property
    def study(self) -> dict[str, Any]:
        """The Study as plain values; ``make_study`` makes it again."""
        study: dict[str, Any] = self.document["study"]
        return study

    @property
    def verdicts(self) -> list[dict[str, Any]]:
        """Verdicts as JSON, with sentence, symbol and tone."""
        verdicts: list[dict[str, Any]] = self.document["verdicts"]
        return verdicts

    @cached_property
    def comparisons(self) -> pd.DataFrame:
        """One row a comparison and metric; see evidence.comparison_table."""
        table = self.artefact.table("comparisons")
        # A study without controls used to be stored without columns.
        return table if len(table.columns) else pd.DataFrame(columns=list(COMPARISON_COLUMNS))

    @cached_property
    def arms(self) -> pd.DataFrame:
        """One row an arm; see evidence.arm_table."""
        return self.artefact.table("arms")

    @cached_property
    def curves(self) -> pd.DataFrame:
        """Learning curves: arm, seed, epoch, loss, recall@20."""
        return self.artefact.table("curves")

    @cached_property
    def slices(self) -> pd.DataFrame:
        """Used and gained in parts of users and items; see slices.slice_table."""
        return self.artefact.table("slices")

    @cached_property
    def trials(self) -> pd.DataFrame:
        """Trials of every arm's search; empty for a study that was not tuned."""
        if not self.tuned:
            return pd.DataFrame()
        return self.artefact.table("trials")

    @property
    def imported(self) -> bool:
        """Whether its lists were made elsewhere."""
        return bool(self.facts.get("imported"))

    @property
    def tuned(self) -> bool:
        """Whether the settings of every arm were searched, with the same budget for each."""
        return self.study.get("tuning") is not None

    @property
    def settings_in_words(self) -> str:
        """Where the settings of the arms come from."""
        if self.imported:
            return "as the lists were made, elsewhere"
        if not self.tuned:
            return "untuned defaults"
        trials = self.study["tuning"]["trials"]
        return f"every arm tuned with {trials} trials, or its whole grid where that is smaller"

    @property
    def facts(self) -> Mapping[str, Any]:
        """Runs, seconds, memory."""
        return self.artefact.facts

    @property
    def command(self) -> str:
        """The command that reproduces this study."""
        if self.imported:
            return import_command(self.study, self.document["imported"]["files"])
        return study_command(self.study)

    def to_json(self) -> dict[str, Any]:
        """What a list shows of it."""
        return {
            "key": self.key,
            "created": self.artefact.meta["created"],
            "shipped": self.artefact.shipped,
            **self.facts,
        }


def study_command(study: Mapping[str, Any]) -> str:
    """The command line of a study; what decides its numbers is spelled out."""
    parts = ["python", "-m", "mmrec_core", "study", study["dataset"]]
    for option in ("recommenders", "references", "modalities", "controls"):
        parts += [f"--{option}", *study[option]]
    chosen = [f"{m}={c['extractor']}" for m, c in study["features"].items()]
    if chosen:
        parts += ["--features", *chosen]
    for modality, choice in study["features"].items():
        fields = EXTRACTORS.get(choice["extractor"]).Config.model_fields
        for option, value in choice["config"].items():
            if option not in fields or fields[option].get_default() != value:
                parts += ["--feature-option", f"{modality}.{option}={typed(value)}"]
    parts += ["--seeds", str(study["seeds"]), "--stage", study["stage"]]
    parts += ["--metric", study["metric"], "--delta", f"{study['delta']:g}"]
    parts += ["--first-seed", str(study["first_seed"]), "--mask", study["mask"]]
    parts += _split_parts(study)
    if study.get("tuning"):
        tuning = study["tuning"]
        parts += ["--tune", str(tuning["trials"]), "--sampler", tuning["sampler"]]
        parts += ["--space", tuning["space"]]
    for name, values in study["configs"].items():
        for field, value in values.items():
            parts += ["--set", f"{name}.{field}={typed(value)}"]
    return shlex.join(parts)


def import_command(study: Mapping[str, Any], files: Sequence[str]) -> str:
    """The command line that judges the same lists again."""
    parts = ["python", "-m", "mmrec_core", "import-lists", study["dataset"], *files]
    parts += ["--metric", study["metric"], "--delta", f"{study['delta']:g}"]
    parts += ["--mask", study["mask"], *_split_parts(study)]
    return shlex.join(parts)


def _split_parts(study: Mapping[str, Any]) -> list[str]:
    """How the interactions are divided, as options."""
    parts: list[str] = []
    split = study["split"] or {}
    if "strategy" in split:
        parts += ["--split", split["strategy"]]
    if split.get("seed"):
        parts += ["--split-seed", str(split["seed"])]
    if "cold" in split:
        parts += ["--cold", f"{split['cold']:g}"]
    if "k_core" in split:
        parts += ["--k-core", str(split["k_core"])]
    if split.get("relevant_from") is not None:
        parts += ["--relevant-from", str(split["relevant_from"])]
    return parts


def typed(value: Any) -> str:
    """A value as it is typed after ``NAME=``: JSON, but plain words without quotes."""
    if isinstance(value, str):
        try:
            json.loads(value)
        except ValueError:
            return value
    return json.dumps(value)


def list_studies(dataset: str | None = None) -> list[StudyResult]:
    """Finished studies, the newest first; of one dataset where one is named.

    A name may have belonged to another dataset before: studies of that one are left out as long
    as there is one of this name.
    """
    found = [
        StudyResult(artefact)
        for artefact in store().list(KIND)
        if dataset is None or artefact.facts["dataset"] == dataset
    ]
    if dataset is not None and found:
        found = [study for study in found if _is_of(study, dataset)]
    return sorted(found, key=lambda s: s.artefact.meta["created"], reverse=True)


def _is_of(result: StudyResult, dataset: str) -> bool:
    """Whether a study was made on what is now installed under its dataset's name."""
    if result.artefact.shipped:
        return True
    try:
        present = load_dataset(dataset).fingerprint
    except InputError:
        return True
    return result.facts.get("content") == present or _same_split(result.key, dataset, present)


@lru_cache(maxsize=1024)
def _same_split(key: str, dataset: str, fingerprint: str) -> bool:
    """The same of a study that notes no content, or of a dataset that got, say, features since."""
    artefact = store().find(KIND, key)
    if artefact is None:
        return False
    study = with_split(Study.model_validate(StudyResult(artefact).study))
    assert study.split is not None
    try:
        split = study_split(dataset, fingerprint, study.split)
    except InputError:
        return False
    return bool(split.fingerprint == artefact.spec["inputs"]["split"])


def load_study(key: str) -> StudyResult:
    """The study whose key begins with ``key``.

    Raises:
        InputError: None, or several.
    """
    found = [artefact for artefact in store().list(KIND) if artefact.key.startswith(key)]
    if len(found) != 1:
        problem = "There is no study" if not found else "Several studies begin with"
        raise InputError(f"{problem} {key!r}. python -m mmrec_core list studies shows all keys.")
    return StudyResult(found[0])
