"""Many spaces at once: every pair by every measure, raw and beside its null."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.alignment.calibration import PERMUTATIONS, Calibration, calibrate_states
from mmrec_core.alignment.measures import MEASURES, Measure
from mmrec_core.alignment.spaces import as_space, sample_rows
from mmrec_core.domain import InputError, Progress, no_progress

SAMPLE = 5_000
"""Items at most for measures that need n × n numbers."""
COLUMNS = (
    "space_a",
    "space_b",
    "measure",
    "n",
    "n_common",
    "sampled",
    "raw",
    "null_low",
    "null_high",
    "threshold",
    "p",
    "calibrated",
    "note",
)


def space_matrix(
    spaces: Mapping[str, np.ndarray],
    masks: Mapping[str, np.ndarray] | None = None,
    measures: Iterable[str] | None = None,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
    progress: Progress = no_progress,
    sample: int = SAMPLE,
    shared: Collection[tuple[str, str]] = (),
    captioned: Collection[tuple[str, str]] = (),
) -> pd.DataFrame:
    """Compares every two spaces by every measure, over the items that both have.

    Args:
        spaces: Name -> [n_items, d], all over the same rows.
        masks: Name -> [n_items] bool, True where the item has this space; absent: all have.
        measures: Names in MEASURES; None: all.
        permutations: Of the null; 0: raw values only.
        seed: Of permutations and samples.
        progress: Called before each pair and measure.
        sample: Items at most for quadratic measures.
        shared: Pairs of names that one model put into one space; measures for shared spaces are
            computed for these alone.
        captioned: Pairs of the pictures and the captions of one model such as CLIP, which share a
            space too; CLIPScore is computed for these alone.

    Returns:
        One row a pair and measure. ``n_common`` items have both vectors, ``n`` of them were used,
        ``sampled`` where that is fewer. ``null_low`` and ``null_high`` hold 95 % of the null.
        ``note`` says what was done to a space (PCA for CCA), which space a measure that is not
        symmetric is weighted by, or why there is no value; numbers that do not exist are NaN.

    Raises:
        InputError: Spaces or masks do not have the same rows, or a measure is not registered.
    """
    chosen = [MEASURES.get(name) for name in (MEASURES.names() if measures is None else measures)]
    observed = _observed(spaces, masks or {})
    pairs = list(combinations(spaces, 2))
    one_space = {frozenset(pair) for pair in (*shared, *captioned)}
    with_captions = {frozenset(pair) for pair in captioned}
    work = [
        (measure, a, b)
        for measure in chosen
        for a, b in pairs
        if (not measure.shared_space_only or frozenset((a, b)) in one_space)
        and (not measure.captions_only or frozenset((a, b)) in with_captions)
    ]
    rows: list[dict[str, object]] = []
    states = _States(spaces)
    for measure in chosen:
        mine = [(a, b) for of, a, b in work if of is measure]
        common = {(a, b): np.flatnonzero(observed[a] & observed[b]) for a, b in mine}
        used = {
            pair: items[sample_rows(len(items), sample, seed)] if measure.quadratic else items
            for pair, items in common.items()
        }
        states.expect(measure, used)
        for (a, b), items in used.items():
            progress(len(rows), len(work), f"{measure.label}: {a} × {b}")
            rows.append(
                {
                    "space_a": a,
                    "space_b": b,
                    "measure": measure.name,
                    "n": len(items),
                    "n_common": len(common[a, b]),
                    "sampled": len(items) < len(common[a, b]),
                    **_compared(measure, states, a, b, items, permutations, seed),
                }
            )
    progress(len(rows), len(work), "done")
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _observed(
    spaces: Mapping[str, np.ndarray], masks: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    lengths = {len(space) for space in spaces.values()} | {len(mask) for mask in masks.values()}
    if len(lengths) > 1:
        raise InputError(
            f"All spaces and masks need the same rows; they have {sorted(lengths)} of them."
        )
    unknown = set(masks) - set(spaces)
    if unknown:
        raise InputError(f"There are masks of spaces that are not given: {sorted(unknown)}.")
    return {
        name: np.asarray(masks.get(name, np.ones(len(space), dtype=bool)), dtype=bool)
        for name, space in spaces.items()
    }


class _States:
    """Prepares a space once for each set of items it is needed for; forgets it after its last use.

    Pairs whose masks leave the same items share states.
    """

    def __init__(self, spaces: Mapping[str, np.ndarray]) -> None:
        self.spaces = spaces
        self.measure: Measure | None = None
        self.left: Counter[tuple[str, bytes]] = Counter()
        self.made: dict[tuple[str, bytes], Any] = {}

    def expect(self, measure: Measure, used: Mapping[tuple[str, str], np.ndarray]) -> None:
        """Says what will be asked for."""
        self.measure = measure
        self.made.clear()
        self.left = Counter((name, used[pair].tobytes()) for pair in used for name in pair)

    def get(self, name: str, items: np.ndarray) -> Any:
        """The state of a space over some items, or the InputError that stands in its way."""
        assert self.measure is not None
        key = (name, items.tobytes())
        if key not in self.made:
            try:
                if not len(items):
                    raise InputError("No item has both vectors.")
                self.made[key] = self.measure.prepare(as_space(self.spaces[name][items]))
            except InputError as error:
                self.made[key] = error
        self.left[key] -= 1
        return self.made[key] if self.left[key] else self.made.pop(key)


def _compared(
    measure: Measure,
    states: _States,
    a: str,
    b: str,
    items: np.ndarray,
    permutations: int,
    seed: int,
) -> dict[str, object]:
    x, y = states.get(a, items), states.get(b, items)
    for name, state in ((a, x), (b, y)):
        if isinstance(state, InputError):
            return {**_NO_NULL, "raw": np.nan, "note": f"{name}: {state}"}
    notes = [
        f"{name}: {said}" for name, state in ((a, x), (b, y)) if (said := measure.remark(state))
    ]
    if not measure.symmetric:
        notes.append(f"weighted by {a}")
    try:
        if permutations and measure.paired:
            found = calibrate_states(measure, x, y, len(items), permutations, seed)
            return {**_columns(found), "note": "; ".join(notes)}
        raw = measure.value(x, y)
    except InputError as error:
        return {**_NO_NULL, "raw": np.nan, "note": str(error)}
    if not measure.paired:
        notes.append("no null: the pairing of rows plays no part")
    return {**_NO_NULL, "raw": raw, "note": "; ".join(notes)}


_NO_NULL = dict.fromkeys(("null_low", "null_high", "threshold", "p", "calibrated"), np.nan)


def _columns(found: Calibration) -> dict[str, float]:
    low, high = found["null_band"]
    return {
        "raw": found["observed"],
        "null_low": low,
        "null_high": high,
        "threshold": found["threshold"],
        "p": found["p"],
        "calibrated": found["calibrated"],
    }
