"""What each modality contributes: exact Shapley values over coalitions of real and removed.

v(S) is the metric of the model whose modalities in S are real and whose others are removed. Where a
second study holds the same model without its item and user embeddings, ``id`` is a player too.
Shapley, A value for n-person games, 1953; Covert, Lundberg, Lee, Explaining by removing, JMLR 2021.
"""

from collections.abc import Mapping
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.domain import InputError
from mmrec_core.metrics.significance import crossed_mean, holm
from mmrec_core.studies.results import StudyResult
from mmrec_core.studies.stored import per_user
from mmrec_core.studies.study import Arm

Coalition = frozenset[str]

ID = "id"
SHAPLEY_COLUMNS = (
    "recommender", "part", "value", "low", "high", "p", "p_adjusted", "n_users", "seeds", "metric",
)  # fmt: skip


def shapley_values(v: Mapping[Coalition, np.ndarray]) -> dict[str, np.ndarray]:
    """Exact Shapley value of every player.

    φ_p = Σ over S without p of |S|! (M - |S| - 1)! / M! · (v(S + p) - v(S)).

    Args:
        v: Value of each of the 2^M coalitions, arrays of one shape.

    Returns:
        Player -> array of that shape; together they are v(all) - v(none) exactly.

    Raises:
        ValueError: A coalition is missing.
    """
    players = sorted(frozenset().union(*v))
    expected = {frozenset(c) for r in range(len(players) + 1) for c in combinations(players, r)}
    if set(v) != expected:
        raise ValueError(f"{len(expected)} coalitions are needed, {len(v)} are there")
    m = len(players)
    return {
        player: sum(
            (
                factorial(len(s))
                * factorial(m - len(s) - 1)
                / factorial(m)
                * (v[s | {player}] - v[s])
                for s in expected
                if player not in s
            ),
            start=np.zeros_like(next(iter(v.values()))),
        )
        for player in players
    }


def coalitions(
    values: Mapping[Arm, np.ndarray], recommender: str, modalities: tuple[str, ...]
) -> dict[Coalition, np.ndarray] | None:
    """Value of every coalition of a recommender's modalities; None where an arm is missing."""
    everything = frozenset(modalities)
    arms = {everything: Arm(recommender, "none", "real")}
    for modality in modalities:
        # One removed; with a single modality that is all of them.
        arms[everything - {modality}] = Arm(recommender, modality, "removed")
    if len(modalities) > 1:
        arms[frozenset()] = Arm(recommender, "all", "removed")
    if any(arm not in values for arm in arms.values()):
        return None
    return {coalition: values[arm] for coalition, arm in arms.items()}


def shapley_table(result: StudyResult, without_ids: StudyResult | None = None) -> pd.DataFrame:
    """Shapley values of the modalities of every recommender of a study, with 95 % intervals.

    Values are computed for every user and seed and then averaged, so their intervals hold users
    and seeds as the study's do.

    Args:
        result: A study with the control *removed*.
        without_ids: The same study of models without their embeddings (``use_ids=false``).

    Returns:
        SHAPLEY_COLUMNS; ``part`` is empty (v of no player), each player, interaction
        (v(it) - v(i) - v(t) + v(none), with the embeddings in place) and all. p is that of no
        contribution; p_adjusted is Holm over all players of the table. Empty where *removed* was
        not among the controls.
    """
    modalities = tuple(result.study["modalities"])
    values = per_user(result)
    others = {} if without_ids is None else per_user(without_ids)
    if without_ids is not None:
        _same_protocol(result, without_ids)
    rows: list[dict[str, Any]] = []
    for name in result.study["recommenders"]:
        own = coalitions(values, name, modalities)
        if own is None:
            continue
        game = dict(own)
        removed = without_ids is not None and _without_ids(without_ids, name)
        bare = coalitions(others, name, modalities) if removed else None
        if bare is not None:
            game = {c | {ID}: v for c, v in own.items()} | bare
        kept = ~np.any([np.isnan(v).any(axis=1) for v in game.values()], axis=0)
        game = {c: v[kept] for c, v in game.items()}
        parts = {"empty": game[frozenset()], **shapley_values(game)}
        if len(modalities) == 2:
            base = {ID} if bare is not None else set()
            one, other = modalities
            v = {s: game[frozenset({*s, *base})] for s in ((), (one,), (other,), (one, other))}
            parts["interaction"] = v[one, other] - v[one,] - v[other,] + v[()]
        parts["all"] = game[max(game, key=len)]
        rows += [
            {"recommender": name, "part": part, **_mean(v), "metric": result.study["metric"]}
            for part, v in parts.items()
        ]
    table = pd.DataFrame(rows, columns=list(SHAPLEY_COLUMNS))
    tested = ~table["part"].isin(["empty", "all"])
    table.loc[~tested, "p"] = np.nan
    table["p_adjusted"] = np.nan
    if tested.any():
        table.loc[tested, "p_adjusted"] = holm(table.loc[tested, "p"].to_numpy(np.float64))
    return table


def _without_ids(result: StudyResult, name: str) -> bool:
    return result.study["configs"].get(name, {}).get("use_ids") is False


def _mean(values: np.ndarray) -> dict[str, Any]:
    from scipy import stats

    crossed = crossed_mean(values)
    mean, se, df = float(crossed.mean), float(crossed.se), float(crossed.df)
    low, high = map(float, crossed.interval())
    p = float(2 * stats.t.sf(abs(mean) / se, df)) if se > 0 else float(mean == 0)
    return {
        "value": mean, "low": low, "high": high, "p": p,
        "n_users": values.shape[0], "seeds": values.shape[1],
    }  # fmt: skip


def _same_protocol(first: StudyResult, second: StudyResult) -> None:
    differing = [
        name
        for name in ("dataset", "modalities", "metric", "stage", "mask", "seeds", "first_seed")
        if first.study[name] != second.study[name]
    ]
    if first.artefact.spec["inputs"] != second.artefact.spec["inputs"]:
        differing.append("split or features")
    if differing:
        raise InputError(
            f"The two studies differ in {', '.join(differing)}, so their arms are no coalitions of "
            "one game."
        )
