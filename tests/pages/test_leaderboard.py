"""The leaderboard doubts untuned defaults where a closed-form reference is far ahead."""

import pandas as pd
import pytest

from pages.ui.leaderboard import _untrained_ahead


def board(**values: tuple[float, int]) -> pd.DataFrame:
    rows = [{"model": m, "value": v, "best_epoch": e} for m, (v, e) in values.items()]
    return pd.DataFrame(rows).sort_values("value", ascending=False)


@pytest.mark.parametrize(
    ("table", "doubts"),
    [
        (board(EASE=(0.32, 0), VBPR=(0.21, 40), MostPop=(0.18, 0)), True),
        (board(EASE=(0.22, 0), VBPR=(0.21, 40)), False),
        (board(VBPR=(0.32, 40), EASE=(0.21, 0)), False),
        (board(EASE=(0.32, 0), MostPop=(0.18, 0)), False),
        (board(VBPR=(0.32, 40)), False),
    ],
)
def test_defaults_are_doubted_where_they_lose_by_far(table: pd.DataFrame, doubts: bool) -> None:
    said = _untrained_ahead(table)
    assert bool(said) == doubts
    if doubts:
        assert "EASE is 52% ahead" in said and "VBPR" in said and "tune every arm" in said
