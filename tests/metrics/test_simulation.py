"""A fast part of the simulation of the statistics; fails where a rule no longer keeps its level."""

import pytest
from scipy import stats

from benchmarks.significance import SCENES, cell, family

DATA_SETS = 400


def _bounds(k: int) -> tuple[float, float]:
    interval = stats.binomtest(k, DATA_SETS).proportion_ci(0.99, "exact")
    return interval.low, interval.high


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_the_crossed_interval_keeps_its_level(scene: object) -> None:
    rates = cell(scene, 200, 5, DATA_SETS, seed=3)  # type: ignore[arg-type]
    assert _bounds(rates.rejected)[0] <= 0.06
    assert _bounds(rates.covered)[1] >= 0.94


def test_users_alone_would_be_wrong_where_seeds_matter() -> None:
    """The test that this rule replaces rejects equal arms many times too often."""
    scene = next(scene for scene in SCENES if scene.name == "seeds large")
    assert _bounds(cell(scene, 500, 5, DATA_SETS, seed=3).paired_t)[0] > 0.3


def test_a_family_of_comparisons_keeps_its_level() -> None:
    rates = family(6, 100, 5, DATA_SETS, seed=3)
    assert _bounds(rates.plain)[0] > 0.08
    assert _bounds(rates.adjusted)[0] <= 0.06 and rates.states <= rates.adjusted
