"""Coverage, entropy and leakage, worked out by hand."""

import numpy as np
import pytest

from mmrec_core.descriptions.faithfulness import distinctiveness, slot_table

VALUES = [
    {"Type": "Toy", "Age": "Infant"}, {"Type": "toys", "Age": "infants"},
    {"Type": "Crib", "Age": "Infant"}, {"Type": "Bib"},
]  # fmt: skip


def test_by_hand():
    table = slot_table(VALUES, ["Type", "Age", "Use"], {"Type": "Lamp", "Age": "Infant"})
    kind, age, use = (row for _, row in table.iterrows())
    assert (kind["coverage"], kind["values"], kind["top"]) == (1.0, 3, "toy")
    # Two of four, one of four, one of four: 1.5 bits.
    assert kind["entropy"] == pytest.approx(1.5) and kind["top_share"] == 0.5
    assert kind["evenness"] == pytest.approx(1.5 / np.log2(3)) and kind["leakage"] == 0.0
    # The model says what the prompt said.
    assert (age["coverage"], age["entropy"], age["leakage"]) == (0.75, 0.0, 1.0)
    assert (use["coverage"], use["values"], use["top"]) == (0.0, 0, "") and np.isnan(use["leakage"])
    assert slot_table([], ["Type"])["coverage"].tolist() == [0.0]
    assert slot_table(VALUES, ["Type"])["leakage"].isna().all()


def test_distinctiveness():
    assert distinctiveness(VALUES) == 0.5
    assert distinctiveness([{}, {}]) == 0.0
