"""Are explanations faithful? Deletion and insertion curves, and the weight-randomisation check.

An explanation puts elements in order: items of the history, or columns of an item's features.
Deletion takes them away from the first on: the score of a faithful explanation falls sooner than
in a random order (Samek et al., IEEE TNNLS 2017; for recommenders Tran et al., RecSys 2021).
Insertion begins with none. And an explanation must change when what was learned is replaced by
chance (Adebayo et al., NeurIPS 2018): one that does not looked at the data, not at the model.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.domain import Progress, no_progress
from mmrec_core.explanations.additive import split_by_history
from mmrec_core.explanations.concepts import carriers_by_attribute
from mmrec_core.explanations.counterfactual import modalities_at_inference
from mmrec_core.explanations.gradients import gradient_reason, integrated_gradients
from mmrec_core.explanations.history import leave_one_out
from mmrec_core.explanations.methods import METHODS
from mmrec_core.explanations.subject import Subject
from mmrec_core.projection.selection import Column
from mmrec_core.recommenders.trainer import Trained
from mmrec_core.store import Artefact, store

KIND, VERSION = "explanation-faithfulness", 1
SHARES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.85, 1.0)
"""Shares of the elements that are taken away."""
RANDOM_ORDERS = 3
LONGEST = 60
"""Items of the history that are looked at: the most, drawn at random where there are more."""
FEWEST = 4

METHOD_COLUMNS = (
    "method", "n", "deletion", "deletion_low", "deletion_high", "insertion", "insertion_low",
    "insertion_high", "randomised", "randomised_low", "randomised_high", "correlation",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Case:
    """One recommendation that is explained.

    Attributes:
        user: Row number.
        item: Item number.
        history: Items of the history that are looked at.
    """

    user: int
    item: int
    history: np.ndarray


Attribution = Callable[[Subject, Case], np.ndarray]
"""How much each element carries, the larger the more, float64 [elements]."""

Without = Callable[[Subject, Case, np.ndarray], float]
"""The score of a case without the elements of a mask, [elements] bool."""


def cases(subject: Subject, n: int, seed: int) -> list[Case]:
    """Users drawn at random with the first item of their list; those with a history to speak of."""
    rng = np.random.default_rng(seed)
    lengths = np.diff(subject.split.train.indptr)
    users = rng.permutation(np.flatnonzero(lengths >= FEWEST))[:n]
    found = []
    for user in users:
        history = subject.history(int(user))
        if len(history) > LONGEST:
            history = np.sort(rng.choice(history, LONGEST, replace=False))
        found.append(Case(int(user), int(subject.list_of(int(user), 1)[0]), history))
    return found


def randomised(subject: Subject, seed: int) -> Subject:
    """The same model with everything that it learned dealt out anew, array by array.

    Each array keeps its values and loses their places. What a model does not learn (the graph of
    interactions, the history) stays, and with it what even an untrained graph model knows.
    """
    rng = np.random.default_rng([seed, 2])
    model = copy.copy(subject.model)

    def dealt(array: np.ndarray) -> np.ndarray:
        return rng.permutation(array.ravel()).reshape(array.shape)

    if isinstance(model, Trained):
        model.state = {name: dealt(array) for name, array in model.state.items()}
    if hasattr(model, "item_weights"):
        model.item_weights = dealt(model.item_weights)
    if hasattr(model, "shares"):
        # Items change places: which is whose neighbour is what such a model learned.
        place = rng.permutation(subject.split.n_items)
        model.shares = {part: own[place][:, place] for part, own in model.shares.items()}
    return replace(subject, model=model)


def _history_score(subject: Subject, case: Case, gone: np.ndarray) -> float:
    kept = np.setdiff1d(subject.history(case.user), case.history[gone])
    return float(subject.with_history(case.user, kept).scores(case.user)[case.item])


def _feature_score(subject: Subject, case: Case, gone: np.ndarray) -> float:
    edited, start = subject, 0
    for modality in modalities_at_inference(subject):
        own = subject.model.features[modality]
        width = own.matrix.shape[1]
        # A column that is taken away has the catalogue's mean, which says nothing.
        mean = own.matrix[own.observed].mean(axis=0)
        row = np.where(gone[start : start + width], mean, own.matrix[case.item])
        if not own.missing[case.item]:
            edited = edited.edited(own.with_row(case.item, row))
        start += width
    return float(edited.scores(case.user)[case.item])


def _by_split(subject: Subject, case: Case) -> np.ndarray:
    table = split_by_history(subject, case.user, case.item).set_index("history")["value"]
    return table.loc[case.history].to_numpy(dtype=np.float64)


def _by_leaving_out(subject: Subject, case: Case) -> np.ndarray:
    table = leave_one_out(subject, case.user, case.item, case.history)
    return -table.set_index("history")["score_change"].loc[case.history].to_numpy(np.float64)


def _by_gradients(subject: Subject, case: Case) -> np.ndarray:
    _, columns = integrated_gradients(subject, case.user, case.item)
    return np.concatenate([columns[m] for m in modalities_at_inference(subject)])


def measured_methods(
    subject: Subject, columns: Sequence[Column], rows: np.ndarray
) -> dict[str, tuple[Attribution, Without]]:
    """Ways to explain that put elements in order, for a subject, with how elements go.

    Args:
        subject: Which is explained.
        columns: Attributes of the dataset's items.
        rows: Row in the dataset of each item of the split.
    """
    found: dict[str, tuple[Attribution, Without]] = {}
    if METHODS.get("history-left-out").is_compatible(subject):
        if METHODS.get("history-split").is_compatible(subject):
            found["history-split"] = (_by_split, _history_score)
        found["history-left-out"] = (_by_leaving_out, _history_score)
        if columns:
            found["shared-attributes"] = (
                lambda s, case: carriers_by_attribute(columns, rows[case.item], rows[case.history]),
                _history_score,
            )
    if not gradient_reason(subject):
        found["integrated-gradients"] = (_by_gradients, _feature_score)
    return found


def curve(
    subject: Subject, case: Case, order: np.ndarray, without: Without, insertion: bool = False
) -> np.ndarray:
    """Scores as elements go (or come) in an order, at SHARES, in units of the user's spread.

    The unit is the standard deviation of the user's scores over the items ranked for that user.
    """
    scores = subject.scores(case.user)[subject.ranked_items(case.user)]
    unit = float(scores.std()) or 1.0
    values = []
    for share in SHARES:
        first = order[: round(share * len(order))]
        gone = np.zeros(len(order), dtype=bool)
        gone[first] = True
        values.append(without(subject, case, ~gone if insertion else gone) / unit)
    return np.array(values)


def area(values: np.ndarray) -> float:
    """Mean height of a curve over the shares, by the trapezoid rule."""
    return float(np.trapezoid(values, SHARES))


def measure(
    subject: Subject,
    columns: Sequence[Column],
    rows: np.ndarray,
    n: int = 50,
    seed: int = 0,
    progress: Progress = no_progress,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Faithfulness of every way that puts elements in order.

    Args:
        subject: Which is explained.
        columns: Attributes of the dataset's items.
        rows: Row in the dataset of each item of the split.
        n: Recommendations that are explained.
        seed: Of the draws.
        progress: Told after each.

    Returns:
        METHOD_COLUMNS, one row a method: how much lower the deletion curve lies than a random
        order's, and how much higher the insertion curve (means over recommendations, in units of
        the users' spread, with 95 % intervals); the same of the deletion curve in the order that
        the randomised model's explanation gives; and the Spearman correlation of both orders. And
        the mean curves: method, kind (deletion, insertion), order (own, random, randomised),
        share, score, low, high.
    """
    methods = measured_methods(subject, columns, rows)
    drawn = cases(subject, n, seed)
    other = randomised(subject, seed)
    rng = np.random.default_rng([seed, 1])
    gains: dict[str, list[tuple[float, float, float, float]]] = {name: [] for name in methods}
    curves: dict[tuple[str, str, str], list[np.ndarray]] = {}
    done = 0
    for name, (attribution, without) in methods.items():
        for case in drawn:
            values, theirs = attribution(subject, case), attribution(other, case)
            order = np.argsort(-values, kind="stable")
            by_kind: dict[tuple[str, str], np.ndarray] = {}
            chance = [rng.permutation(len(order)) for _ in range(RANDOM_ORDERS)]
            for kind in ("deletion", "insertion"):
                came = kind == "insertion"
                by_kind[kind, "own"] = curve(subject, case, order, without, came)
                by_kind[kind, "random"] = np.mean(
                    [curve(subject, case, each, without, came) for each in chance], axis=0
                )
            wrong = np.argsort(-theirs, kind="stable")
            by_kind["deletion", "randomised"] = curve(subject, case, wrong, without)
            for key, own in by_kind.items():
                # From where the score begins: users' levels differ, falls can be compared.
                curves.setdefault((name, *key), []).append(own - by_kind[key[0], "own"][0])
            gains[name].append(
                (
                    area(by_kind["deletion", "random"]) - area(by_kind["deletion", "own"]),
                    area(by_kind["insertion", "own"]) - area(by_kind["insertion", "random"]),
                    area(by_kind["deletion", "random"]) - area(by_kind["deletion", "randomised"]),
                    _rank_correlation(values, theirs),
                )
            )
            done += 1
            progress(done, len(drawn) * len(methods), METHODS.get(name).title)
    return _table(gains), _curves(curves)


def _rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    from scipy.stats import spearmanr

    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(spearmanr(one, other).statistic)


def _interval(values: np.ndarray) -> tuple[float, float, float]:
    """Mean and 95 % interval (t) over recommendations."""
    from scipy.stats import t

    mean, n = float(values.mean()), len(values)
    half = float(t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n)) if n > 1 else np.nan
    return mean, mean - half, mean + half


def _table(gains: dict[str, list[tuple[float, float, float, float]]]) -> pd.DataFrame:
    rows = []
    for name, found in gains.items():
        values = np.array(found)
        if not len(values):
            continue
        known = values[np.isfinite(values[:, 3]), 3]
        rows.append(
            (name, len(values), *_interval(values[:, 0]), *_interval(values[:, 1]),
             *_interval(values[:, 2]), float(known.mean()) if len(known) else np.nan)
        )  # fmt: skip
    return pd.DataFrame(rows, columns=list(METHOD_COLUMNS))


def _curves(curves: dict[tuple[str, str, str], list[np.ndarray]]) -> pd.DataFrame:
    def rows() -> Iterator[tuple[Any, ...]]:
        for (name, kind, order), found in curves.items():
            for at, share in enumerate(SHARES):
                column = np.array([own[at] for own in found])
                yield (name, kind, order, share, *_interval(column))

    columns = ["method", "kind", "order", "share", "score", "low", "high"]
    return pd.DataFrame(list(rows()), columns=columns)


def _spec(run_key: str, attributes: str, n: int, seed: int) -> dict[str, Any]:
    return {
        "version": VERSION, "run": run_key, "attributes": attributes, "n": n, "seed": seed,
    }  # fmt: skip


def find_faithfulness(run_key: str, attributes: str, n: int, seed: int = 0) -> Artefact | None:
    """What was measured of a run's explanations, or None.

    Args:
        run_key: Of the run.
        attributes: Fingerprint of what items can share.
        n: Recommendations that were explained.
        seed: Of the draws.
    """
    return store().get(KIND, _spec(run_key, attributes, n, seed))


def make_faithfulness(
    subject: Subject,
    run_key: str,
    columns: Sequence[Column],
    rows: np.ndarray,
    attributes: str,
    n: int,
    seed: int = 0,
    progress: Progress = no_progress,
) -> Artefact:
    """Measures the faithfulness of a run's explanations, unless the store has it.

    Returns:
        The artefact: tables ``methods`` and ``curves`` of ``measure``.
    """

    def write(folder: Path) -> dict[str, Any]:
        table, curves = measure(subject, columns, rows, n, seed, progress)
        table.to_parquet(folder / "methods.parquet", index=False)
        curves.to_parquet(folder / "curves.parquet", index=False)
        return {"recommender": subject.model.name, "methods": list(table["method"])}

    return store().put(KIND, _spec(run_key, attributes, n, seed), write)
