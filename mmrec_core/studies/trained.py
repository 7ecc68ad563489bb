"""Runs that the studies of a dataset left behind, and the fitted recommenders in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.domain import Dataset, InputError
from mmrec_core.recommenders import RECOMMENDERS
from mmrec_core.recommenders.base import Recommender
from mmrec_core.recommenders.trainer import Trained
from mmrec_core.store import Artefact, store
from mmrec_core.studies.inputs import Inputs
from mmrec_core.studies.results import StudyResult, list_studies, load_study
from mmrec_core.studies.runs import KIND as RUN
from mmrec_core.studies.runs import WEIGHTS
from mmrec_core.studies.stored import inputs_of

KEY = 12
"""Characters by which a run is named."""


@dataclass(frozen=True, eq=False)
class StoredRun:
    """A run, and a study whose split and features it was made on.

    Attributes:
        artefact: Lists, metrics and, for real features, weights.
        study: The newest one that it fits.
    """

    artefact: Artefact
    study: StudyResult

    @property
    def name(self) -> str:
        """What it is called in addresses and commands."""
        return self.artefact.key[:KEY]

    @property
    def kind(self) -> type[Recommender]:
        """The class of its recommender."""
        return RECOMMENDERS.get(self.artefact.spec["recommender"])

    @property
    def seed(self) -> int:
        """Of its training."""
        return int(self.artefact.spec["seed"])

    @property
    def control(self) -> str:
        """The control that stood in for a modality; ``real`` where none did."""
        found = {own["control"] for own in self.artefact.spec["features"].values()} - {"real"}
        removed = str(self.artefact.facts["arm"]).endswith("removed")
        return next(iter(found), "removed" if removed else "real")

    @property
    def restorable(self) -> bool:
        """Whether the fitted recommender can be had: features are real and weights are kept."""
        spec = self.artefact.spec
        if self.control != "real" or spec.get("trained_on"):
            return False
        if spec["recommender_version"] != self.kind.version:
            return False
        # Models that are a function of interactions and features keep no weights.
        return not issubclass(self.kind, Trained) or (self.artefact.path / WEIGHTS).is_file()

    @property
    def short_title(self) -> str:
        """Model, control, and features where they are not pictures and words."""
        arm = str(self.artefact.facts["arm"]).split(" · ")
        words = [self.kind.title, *(part for part in arm[1:] if part != "real")]
        own = sorted(self.artefact.spec["features"])
        with_ = f" with {' and '.join(own)}" if own and set(own) != {"image", "text"} else ""
        return f"{' · '.join(words)}{with_}"

    @property
    def seeded_title(self) -> str:
        """The same and the seed, where the model draws anything at random."""
        return f"{self.short_title}, seed {self.seed}" if self.kind.seeded else self.short_title

    @property
    def title(self) -> str:
        """Model, control, features, seed, and settings that are not the usual ones."""
        usual = self.kind.Config().model_dump(mode="json")
        own = sorted(self.artefact.spec["config"].items())
        changed = [f"{name}={value}" for name, value in own if usual.get(name) != value]
        title = self.seeded_title
        return f"{title} ({', '.join(changed)})" if changed else title


def stored_runs(dataset: Dataset) -> Iterator[StoredRun]:
    """Runs whose split and features are those of a study of this dataset, controls included."""
    studies = [s for s in list_studies(dataset.name) if not s.imported]
    inputs = [(s.artefact.spec["inputs"], s) for s in studies]
    for run in store().list(RUN):
        if run.spec["recommender"] not in RECOMMENDERS:
            continue
        for of_study, study in inputs:
            known = set(of_study.values())
            own = run.spec["features"].values()
            if of_study["split"] == run.spec["split"] and all(
                each["fingerprint"] in known for each in own
            ):
                yield StoredRun(run, study)
                break


def find_stored_run(dataset: Dataset, name: str) -> StoredRun:
    """The run whose key begins with ``name``, or the first one of the recommender of that name.

    Raises:
        InputError: There is none among the studies of the dataset.
    """
    found = list(stored_runs(dataset))
    for run in found:
        if name and run.artefact.key.startswith(name):
            return run
    own = [run for run in found if run.restorable and run.kind.name == name]
    if own:
        return min(own, key=lambda run: (run.seed, run.name))
    raise InputError(
        f"There is no run {name!r} among the studies of {dataset.name}. "
        "python -m mmrec_core list runs shows them."
    )


def inputs_of_run(run: StoredRun) -> Inputs:
    """What a run was made on; runs of one study share it, features included.

    Raises:
        InputError: The dataset or its embeddings have changed or gone since.
    """
    dataset = load_dataset(str(run.study.study["dataset"]))
    return _inputs(run.study.key, dataset.fingerprint)


@lru_cache(maxsize=2)
def _inputs(study: str, fingerprint: str) -> Inputs:
    return inputs_of(load_study(study))


def fitted(run: StoredRun) -> Recommender:
    """The recommender of a run as it was trained.

    Raises:
        InputError: Its weights were not kept, or its dataset or embeddings have changed or gone.
    """
    from safetensors.numpy import load_file

    if not run.restorable:
        raise InputError(
            f"{run.title}: only its lists are kept, not what it learned. Weights are kept for real "
            "features, and can be read by the version of the model that made them."
        )
    inputs, artefact = inputs_of_run(run), run.artefact
    return run.kind.restore(
        run.kind.Config.model_validate(artefact.spec["config"]),
        inputs.split,
        {m: inputs.features[m] for m in artefact.spec["features"]},
        load_file(artefact.file(WEIGHTS)) if WEIGHTS in artefact.meta["files"] else {},
        run.seed,
    )
