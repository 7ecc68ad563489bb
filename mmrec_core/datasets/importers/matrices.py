"""Precomputed features under features/, which belong to a catalogue of any format."""

from pathlib import PurePosixPath

from mmrec_core.datasets.archive import Files
from mmrec_core.datasets.arrays import SUFFIXES
from mmrec_core.datasets.columns import Declared
from mmrec_core.datasets.importers.base import FeatureSource
from mmrec_core.datasets.importers.sidecars import guess_modality
from mmrec_core.datasets.schema import Ledger
from mmrec_core.domain import MODALITIES, InputError

FOLDER = "features"


def is_matrix(name: str) -> bool:
    """Whether a file of the upload lies where matrices of features lie, and is called like one."""
    parts = PurePosixPath(name).parts
    suffix = PurePosixPath(name).suffix.lower()
    return len(parts) == 2 and parts[0] == FOLDER and suffix in SUFFIXES


def find_features(files: Files, declared: Declared, ledger: Ledger) -> tuple[FeatureSource, ...]:
    """Matrices under features/.

    Raises:
        InputError: Two have one name, or dataset.toml names one that is not there.
    """
    sources: list[FeatureSource] = []
    for name, path in files.paths.items():
        if not is_matrix(name):
            continue
        stem = PurePosixPath(name).stem
        twice = next((source.file for source in sources if source.name == stem), None)
        if twice is not None:
            raise InputError(f"{twice} and {name} are features of one name; keep one of them.")
        modality = declared.features.get(stem) or guess_modality(stem)
        if modality not in MODALITIES:
            raise InputError(
                f"dataset.toml: features.{stem} is {modality!r}, not one of "
                f"{', '.join(MODALITIES)}."
            )
        if stem not in declared.features:
            ledger.note(f"{name} is taken for {modality} features, by its name.")
        ids = files.paths.get(f"features/{stem}.ids.txt")
        sources.append(FeatureSource(stem, name, path, ids, modality))
    unknown = set(declared.features) - {source.name for source in sources}
    if unknown:
        raise InputError(
            f"dataset.toml names features {sorted(unknown)[0]!r}, but there is no "
            f"features/{sorted(unknown)[0]}.npy."
        )
    return tuple(sources)
