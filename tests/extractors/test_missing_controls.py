"""Controls that thin out a modality."""

import numpy as np
import pytest
from extractors.test_controls import embeddings
from hypothesis import given
from hypothesis import strategies as st

from mmrec_core.domain import InputError
from mmrec_core.extractors.controls import CONTROLS, apply
from mmrec_core.extractors.missing_controls import SHARES, missing_share


@given(st.integers(1, 60), st.sampled_from([0.0, 0.3]), st.integers(0, 50))
def test_shares_are_exact_and_nested(n, lacking, seed):
    features = {"image": embeddings(n, 3, 1, lacking), "text": embeddings(n, 4, 2, 0.2, "text")}
    real = features["image"]
    before = real.missing
    for percent in SHARES:
        after = apply(features, "image", f"missing-{percent}", seed)
        assert after["text"] is features["text"]
        own = after["image"]
        lost = own.missing & ~real.missing
        assert lost.sum() == round(real.observed.sum() * percent / 100)
        assert (own.missing >= before).all(), "an item came back at a larger share"
        np.testing.assert_array_equal(own.matrix[own.observed], real.matrix[own.observed])
        assert not own.matrix[own.missing].any()
        before = own.missing


@given(st.integers(2, 60), st.integers(0, 50))
def test_together_the_same_items_lose_everything(n, seed):
    features = {"image": embeddings(n, 3, 1, 0.3), "text": embeddings(n, 4, 2, 0.2, "text")}
    after = apply(features, "all", "missing-60", seed)
    anything = features["image"].observed | features["text"].observed
    nothing_left = after["image"].missing & after["text"].missing
    assert (nothing_left & anything).sum() == round(anything.sum() * 0.6)
    for name, each in after.items():
        kept = features[name].observed & ~nothing_left
        np.testing.assert_array_equal(each.observed, kept)


def test_another_seed_draws_other_items():
    features = {"image": embeddings(50, 3, 1)}
    one, other, again = (
        apply(features, "image", "missing-40", seed)["image"] for seed in (1, 2, 1)
    )
    assert (one.missing != other.missing).any()
    np.testing.assert_array_equal(one.missing, again.missing)


def test_ends_of_the_curve():
    assert [missing_share(name) for name in ("real", "missing-20", "removed")] == [0.0, 0.2, 1.0]
    assert missing_share("shuffle") is None
    assert CONTROLS.get("missing-80").title == "Missing for 80 % of the items"


def test_one_hot_ids_are_refused():
    features = apply({"image": embeddings(5, 3, 1)}, "image", "identity")
    with pytest.raises(InputError, match="one-hot"):
        apply(features, "image", "missing-20")
