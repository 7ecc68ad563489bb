"""Lists that were made elsewhere, judged like our own: the same evidence, verdicts and plots.

What nobody here can know is said and not guessed: whether training converged, how settings were
found, and what it cost.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.domain import InputError, Split, sha256_arrays, sha256_strings
from mmrec_core.extractors.controls import ALL, CONTROLS
from mmrec_core.metrics.ranking import CUTOFFS, PAD
from mmrec_core.recommenders import RECOMMENDERS
from mmrec_core.recommenders.base import FitReport
from mmrec_core.settings import settings
from mmrec_core.store import Artefact, store, write_array
from mmrec_core.studies.inputs import Inputs, split_of, with_split
from mmrec_core.studies.record import write_evidence
from mmrec_core.studies.results import KIND
from mmrec_core.studies.runs import KIND as RUN
from mmrec_core.studies.runs import RUN_VERSION, environment, seen_by, valued
from mmrec_core.studies.study import RANKING_METRICS, Arm, check_metric, make_study_unchecked

VERSION = 1
ELSEWHERE = "elsewhere"
_SEPARATORS = re.compile(r"\s*[·|]\s*|\s+/\s+")


def import_lists(
    lists: pd.DataFrame,
    values: dict[str, Any],
    files: Sequence[str] = (),
) -> Artefact:
    """Makes a study of ranked lists.

    Args:
        lists: As ``list_files.read_lists`` gives them. An arm is written ``RECOMMENDER``,
            ``RECOMMENDER · real`` or ``RECOMMENDER · MODALITY · CONTROL``.
        values: Of the study: dataset, and split, metric, delta, mask where they differ from the
            defaults. The lists must have been made on that very split (command ``split``).
        files: Where they came from, for the record.

    Returns:
        The study's artefact; the same lists make the same study.

    Raises:
        InputError: The lists do not fit the split, or the arms make no study.
    """
    if settings().read_only:
        raise InputError("This store is on show (MMREC_READ_ONLY=1): nothing is computed.")
    if not len(lists):
        raise InputError("The files hold no lists.")
    _check_ranks(lists)
    arms = {str(label): parse_arm(str(label)) for label in lists["arm"].unique()}
    arms = _told_apart(arms)
    given, seeds = _by_arm(lists, arms)
    # As long as the shortest arm's: a longer list of another would find more by its length alone.
    lengths = {key: int(own["rank"].max()) + 1 for key, own in given.items()}
    shortest = min(lengths, key=lengths.__getitem__)
    longest = min(lengths[shortest], CUTOFFS[-1])
    ks = [k for k in CUTOFFS if k <= longest]
    if not ks:
        raise InputError(
            f"The lists of {shortest[0].label} hold {longest} items at most; {CUTOFFS[0]} are "
            "needed for the smallest cut-off."
        )
    values = {"metric": f"recall@{max(k for k in ks if k <= 20)}", **values}
    if check_metric(values["metric"]) not in ks:
        raise InputError(
            f"The study's metric is {values['metric']}, but the lists of {shortest[0].label} hold "
            f"{longest} items; choose a metric at {', '.join(map(str, ks))}."
        )
    study = with_split(
        make_study_unchecked(
            {
                **values,
                **_shape(list(arms.values())),
                "seeds": len(seeds),
                # Seeds in a row keep their numbers, so that they pair with those of other studies.
                "first_seed": seeds[0] if seeds == list(range(seeds[0], seeds[-1] + 1)) else 1,
                "features": {},
            }
        )
    )
    inputs = Inputs(load_dataset(study.dataset), split_of(study), {})
    matrices = {
        (arm, seed): _matrix(own, inputs.split, study.mask, arm, longest)
        for (arm, seed), own in given.items()
    }
    silent = _silent(matrices, inputs.split)
    runs: dict[Arm, list[Artefact]] = {}
    for (arm, seed), matrix in matrices.items():
        number = study.first_seed + seeds.index(seed) if seed in seeds else 0
        runs.setdefault(arm, []).append(
            _store_run(
                inputs, arm, number, matrix, silent, study.mask, ks, _converged(given[arm, seed])
            )
        )
    about = {
        "files": list(files),
        "seeds": seeds,
        "silent_users": int(silent.sum()),
        "list_length": longest,
    }
    spec = {
        "version": VERSION,
        "study": study.model_dump(mode="json"),
        "inputs": {"split": inputs.split.fingerprint},
        "runs": {arm.label: [run.key for run in own] for arm, own in runs.items()},
        "imported": about,
    }
    metrics = [f"{name}@{k}" for name in RANKING_METRICS for k in ks]

    def write(folder: Path) -> dict[str, Any]:
        facts = write_evidence(folder, study, inputs, runs, metrics=metrics, imported=about)
        return {**facts, "wall_seconds": 0.0, "training_seconds": 0.0}

    return store().put(KIND, spec, write)


def _check_ranks(lists: pd.DataFrame) -> None:
    """Refuses two lists of one arm, seed and user, as two files under one name make them."""
    twice = lists.duplicated(["arm", "seed", "user", "rank"])
    if twice.any():
        row = lists[twice].iloc[0]
        raise InputError(
            f"There are two lists of {row['arm']!r} with seed {row['seed']} for user "
            f"{row['user']!r}. Give every file its own arm or seed, as in 'vbpr · real@2=b.csv'."
        )


def parse_arm(label: str) -> Arm:
    """An arm from how it is written; ``·``, ``|`` or ``/`` between its parts.

    Raises:
        InputError: It has no or too many parts, or names an unknown modality or control.
    """
    parts = [part for part in _SEPARATORS.split(label.strip()) if part]
    if not 1 <= len(parts) <= 3:
        raise InputError(
            f"The arm {label!r} is not RECOMMENDER, RECOMMENDER · real or RECOMMENDER · MODALITY · "
            "CONTROL."
        )
    name = _known_name(parts[0])
    if len(parts) == 1:
        return Arm(name, "none", "none")
    control = parts[-1].casefold()
    if control not in CONTROLS or CONTROLS.get(control).extraction:
        usable = [n for n in CONTROLS.names() if not CONTROLS.get(n).extraction]
        raise InputError(
            f"The arm {label!r} names no known control: {parts[-1]!r}. Known: {', '.join(usable)}."
        )
    if control == "real":
        return Arm(name, "none", "real")
    modality = parts[1].casefold() if len(parts) == 3 else ALL
    if modality not in ("image", "text", "joint", ALL):
        raise InputError(
            f"The arm {label!r} names no known modality: {parts[1]!r}. Known: image, text, joint, "
            "all."
        )
    return Arm(name, modality, control)


def _known_name(written: str) -> str:
    """The name of a recommender of ours where one is meant, else as it was written."""

    def bare(text: str) -> str:
        return re.sub(r"[^a-z0-9]", "", text.casefold())

    for name, kind in RECOMMENDERS.items():
        if bare(written) in (bare(name), bare(kind.title)):
            return name
    return " ".join(written.split())


def _told_apart(arms: dict[str, Arm]) -> dict[str, Arm]:
    """A name alone is the real arm where the same name has controls, a reference where not."""
    controlled = {arm.recommender for arm in arms.values() if arm.control != "none"}
    told = {
        label: (
            Arm(arm.recommender, "none", "real")
            if arm.control == "none" and arm.recommender in controlled
            else arm
        )
        for label, arm in arms.items()
    }
    seen: dict[Arm, str] = {}
    for label, arm in told.items():
        if arm in seen:
            raise InputError(f"{seen[arm]!r} and {label!r} are the same arm; merge their lists.")
        seen[arm] = label
    return told


def _shape(arms: Sequence[Arm]) -> dict[str, Any]:
    """Recommenders, references, modalities and controls of a study with these arms."""
    content = list(dict.fromkeys(arm.recommender for arm in arms if arm.control != "none"))
    whole = any(arm.modality == ALL for arm in arms)
    if not content:
        raise InputError(
            "No arm has content: nothing is to be judged. Name arms as in 'vbpr · real' and "
            "'vbpr · image · shuffle'."
        )
    for name in content:
        if Arm(name, "none", "real") not in arms:
            raise InputError(
                f"{name} has controls but no real arm; add lists of {name!r} or of '{name} · real'."
            )
    named = {arm.modality for arm in arms} - {"none", ALL}
    if "joint" in named and len(named) > 1:
        raise InputError("One study has joint features or image and text, not both.")
    if "joint" in named and whole:
        raise InputError(
            "With joint features there is one matrix, so write RECOMMENDER · joint · CONTROL and "
            "not all."
        )
    # The whole model is more than one modality, whether both have arms of their own or not.
    both = whole or not named
    modalities = (
        ("image", "text") if both else tuple(m for m in ("image", "text", "joint") if m in named)
    )
    used = {arm.control for arm in arms} - {"none", "real"}
    return {
        "recommenders": tuple(content),
        "references": tuple(arm.recommender for arm in arms if arm.control == "none"),
        "modalities": modalities,
        "controls": tuple(name for name in CONTROLS.names() if name in used),
    }


def _by_arm(
    lists: pd.DataFrame, arms: dict[str, Arm]
) -> tuple[dict[tuple[Arm, int], pd.DataFrame], list[int]]:
    """Lists of each arm and seed, arms in their order, and the seeds that all must have.

    An arm that draws nothing may have one list whatever its seed, as in our own studies.
    """
    found = {
        (arms[str(label)], int(seed)): own  # type: ignore[call-overload]
        for (label, seed), own in lists.groupby(["arm", "seed"], sort=True)
    }
    own_seeds = {arm: sorted(s for a, s in found if a == arm) for arm in arms.values()}
    several = {seed for seeds in own_seeds.values() if len(seeds) > 1 for seed in seeds}
    wanted = sorted(several) or [1]
    for label, arm in arms.items():
        lacking = sorted(set(wanted) - set(own_seeds[arm]))
        if lacking and not (len(own_seeds[arm]) == 1 and (_draws_nothing(arm) or not several)):
            raise InputError(
                f"{label!r} has no lists for seed {', '.join(map(str, lacking))}; every arm that "
                "is trained by chance needs the same seeds."
            )
    order = {arm: at for at, arm in enumerate(arms.values())}
    return dict(sorted(found.items(), key=lambda kv: (order[kv[0][0]], kv[0][1]))), wanted


def _draws_nothing(arm: Arm) -> bool:
    if arm.control == "none":
        return True
    known = arm.recommender in RECOMMENDERS
    seeded = RECOMMENDERS.get(arm.recommender).seeded if known else True
    return not seeded and not CONTROLS.get(arm.control).drawn


def _matrix(own: pd.DataFrame, split: Split, mask: str, arm: Arm, k: int) -> np.ndarray:
    """Lists as [n_users, k] item numbers of the split, PAD where a list ends."""
    own = own[own["rank"] < k]
    item = pd.Index(split.item_ids).get_indexer(pd.Index(own["item"]))
    if (item < 0).any():
        which = own["item"].iloc[int(np.flatnonzero(item < 0)[0])]
        raise InputError(
            f"{arm.label}: {int((item < 0).sum()):,} entries are items that the split does not "
            f"hold, such as {which!r}. Were the lists made on other data, or do they hold a "
            "framework's own numbers? Its files of ids can be given with --item-ids and --user-ids."
        )
    user = pd.Index(split.user_ids).get_indexer(pd.Index(own["user"]))
    kept = user >= 0
    if not kept.any():
        raise InputError(f"{arm.label}: no user of the lists is a user of the split.")
    user, item, rank = user[kept], item[kept], own["rank"].to_numpy()[kept]
    if split.candidates is not None and not split.candidates[item].all():
        wrong = ~split.candidates[item]
        raise InputError(
            f"{arm.label}: {int(wrong.sum()):,} of {len(wrong):,} entries are items that this "
            f"split does not rank, such as {split.item_ids[item[np.flatnonzero(wrong)[0]]]!r}; "
            "candidates.csv of the command split names those that it does."
        )
    seen = np.asarray(seen_by(split, mask)[user, item]).ravel() > 0
    if seen.any():
        at = int(np.flatnonzero(seen)[0])
        raise InputError(
            f"{arm.label}: {int(seen.sum()):,} of {len(seen):,} entries are items that the user "
            f"already has in {mask.replace('+', ' or ')}, such as {split.item_ids[item[at]]!r} for "
            f"user {split.user_ids[user[at]]!r}. The lists were made on another split"
            + (", or without leaving out validation items (--mask train)." if "+" in mask else ".")
        )
    matrix = np.full((split.n_users, k), PAD, dtype=np.int32)
    matrix[user, rank] = item
    # A list may have holes where its users' other entries were cut; close them.
    order = np.argsort(matrix == PAD, axis=1, kind="stable")
    return np.take_along_axis(matrix, order, axis=1)


def _converged(own: pd.DataFrame) -> bool | None:
    """Whether training converged, where the file says it of every entry."""
    said = own["converged"]
    if said.eq(False).any():
        return False
    return None if said.isna().any() else True


def _silent(matrices: dict[tuple[Arm, int], np.ndarray], split: Split) -> np.ndarray:
    """[n_users] users with a relevant test item but no list in some arm: left out of all."""
    wanted = np.diff(split.relevant("test").indptr) > 0
    lacking = np.any([(matrix == PAD).all(axis=1) for matrix in matrices.values()], axis=0)
    silent = np.asarray(wanted & lacking)
    if silent.sum() * 2 > wanted.sum():
        raise InputError(
            f"{int(silent.sum()):,} of {int(wanted.sum()):,} users with a test item have no list "
            "in some arm, so too few are left to compare."
        )
    return silent


def _store_run(
    inputs: Inputs,
    arm: Arm,
    seed: int,
    lists: np.ndarray,
    silent: np.ndarray,
    mask: str,
    ks: Sequence[int],
    converged: bool | None,
) -> Artefact:
    per_user, qualities = valued(lists, inputs.split, ks)
    for values in per_user.values():
        values[silent] = np.nan
    replaced = {arm.modality: arm.control} if arm.control not in ("real", "none") else {}
    spec = {
        "version": RUN_VERSION,
        "imported": sha256_arrays(lists),
        "items": sha256_strings(inputs.split.item_ids),
        "silent": sha256_arrays(silent),
        "split": inputs.split.fingerprint,
        "recommender": arm.recommender,
        "config": {},
        "features": {
            modality: {"fingerprint": ELSEWHERE, "control": control, "scope": modality}
            for modality, control in (
                replaced or ({} if arm.control == "none" else {"all": "real"})
            ).items()
        },
        "trained_on": ELSEWHERE,
        "seed": seed,
        "mask": mask,
        "ks": list(ks),
        "converged": converged,
    }

    def write(folder: Path) -> dict[str, Any]:
        write_array(folder / "metrics.npy", np.stack(list(per_user.values()), 1).astype(np.float32))
        write_array(folder / "lists.npy", lists)
        FitReport().curve.to_parquet(folder / "curve.parquet")
        return {
            "arm": arm.label,
            "dataset": inputs.dataset.name,
            "metrics": list(per_user),
            "means": {name: float(np.nanmean(values)) for name, values in per_user.items()},
            "qualities": qualities,
            "imported": True,
            "seconds": None,
            "best_epoch": None,
            "epochs": None,
            "converged": converged,
            "environment": environment(),
        }

    return store().put(RUN, spec, write)
