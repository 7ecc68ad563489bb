"""Knockouts are the comparisons of a study, seen from the real arm."""

import pandas as pd
import pytest

from mmrec_core.domain import InputError
from mmrec_core.studies.anchors import KNOCKOUT
from mmrec_core.studies.knockout import knockout_table


def comparison(kind: str, base_mean: float, effect: float, control: str) -> dict:
    base = "bpr-mf" if control == "backbone" else f"vbpr · image · {control}"
    return {
        "base": base,
        "recommender": "vbpr", "modality": "image", "kind": kind, "metric": "recall@20",
        "effect": effect, "low": effect - 0.01, "high": effect + 0.03, "base_mean": base_mean,
        "n_users": 10, "seeds": 3,
    }  # fmt: skip


def test_a_change_is_relative_to_the_real_arm_with_its_interval_turned() -> None:
    rows = [
        comparison("used", 0.08, 0.02, "shuffle"),
        comparison("gained", 0.12, -0.02, "removed"),
        comparison("without_content", 0.08, -0.04, "removed"),
        comparison("over_identity", 0.05, 0.05, "identity"),
        comparison("over_backbone", 0.10, 0.0, "backbone"),
    ]
    table = knockout_table(pd.DataFrame(rows), "recall@20").set_index("stand_in")
    # What does not start from real content is no knockout.
    assert list(table.index) == ["shuffle", "removed", "identity", "backbone"]
    assert table["real"].to_list() == pytest.approx([0.1] * 4)
    assert table["change"].to_list() == pytest.approx([-0.2, 0.2, -0.5, 0.0])
    assert table.loc["shuffle", "low"] == pytest.approx(-0.5)
    assert table.loc["shuffle", "high"] == pytest.approx(-0.1)
    with pytest.raises(InputError, match="recall@7"):
        knockout_table(pd.DataFrame(rows), "recall@7")


def test_the_published_pattern_is_whole() -> None:
    assert set(KNOCKOUT.real) == set(KNOCKOUT.changes) and len(KNOCKOUT.real) == 7
    both, text, image = KNOCKOUT.changes["FREEDOM"]
    assert (both, text, image) == pytest.approx((-0.293, -0.277, -0.003))
