import numpy as np
import pandas as pd
import pytest

from mmrec_core.domain import InputError
from mmrec_core.figures import (
    long_tail,
    long_tail_description,
    long_tail_publication,
    missing_modality,
    missing_modality_description,
    missing_modality_publication,
    user_activity,
    user_activity_description,
    user_activity_publication,
)
from mmrec_core.figures.palette import CONTROL, IMAGE


def test_the_head_holds_four_fifths() -> None:
    # 8 of 10 interactions lie exactly on the first two items
    sentence = long_tail_description([1, 5, 0, 3, 1])
    assert "5 items, 10 interactions, 1 without interactions" in sentence
    assert "head: 2 items (40.0 %) hold 80 % of interactions" in sentence
    assert "head: 3 items" in long_tail_description([1, 5, 2, 2])


def test_the_staircase_keeps_its_corners_only() -> None:
    degrees = np.repeat([100, 3, 2, 1], [1, 1000, 5000, 200_000])
    line = long_tail(np.random.default_rng(1).permutation(degrees)).data[0]
    assert list(line.x) == [1, 2, 1001, 1002, 6001, 6002, 206_001]
    assert list(line.y) == [100, 3, 3, 2, 2, 1, 1]


@pytest.mark.parametrize("degrees", [[7], [2, 1], [0, 4, 4]])
def test_tiny_catalogues_can_be_drawn(degrees, clashes) -> None:
    assert len(long_tail(degrees).data[0].x)
    assert clashes(long_tail_publication(degrees)) == []


def test_bars_of_activity_hold_every_user_once() -> None:
    few = user_activity([1, 1, 2, 5]).data[0]
    assert few.y.tolist() == [2, 1, 0, 0, 1]
    assert (np.array(few.x) + 0.5).tolist() == [1, 2, 3, 4, 5]
    counts = np.random.default_rng(2).geometric(0.01, 3000) - 1
    figure = user_activity(counts)
    assert figure.layout.xaxis.type == "log"
    many = figure.data[0]
    assert np.sum(many.y * np.array(many.width)) == pytest.approx(3000)
    assert f"from {counts.min()} to {counts.max():,}" in user_activity_description(counts)
    assert "median 1.5" in user_activity_description([1, 2])


def test_shares_of_missing_modalities() -> None:
    missing = pd.DataFrame(
        {"image": [True, False, False, False], "text": [False, True, True, False]}
    )
    have, lack = missing_modality(missing).data
    assert (have.x.tolist(), lack.x.tolist()) == ([75, 50, 25], [25, 50, 75])
    assert have.marker.color[0] == IMAGE
    assert lack.marker.color == CONTROL
    assert lack.marker.pattern.shape == "/"
    sentence = missing_modality_description(missing)
    assert "of 4 items; image: 1 (25.0 %) missing; text: 2 (50.0 %) missing" in sentence
    one = missing_modality_description(pd.DataFrame({"image": [False, False]}))
    assert one == "Items that lack a modality, of 2 items; image: none missing."


@pytest.mark.parametrize("width", ["one", "two"])
def test_printed_catalogue_does_not_meet(clashes, width) -> None:
    rng = np.random.default_rng(3)
    degrees = rng.zipf(1.5, 5000).clip(max=100_000) - 1
    missing = pd.DataFrame({name: rng.random(99_999) < 0.5 for name in ("image", "text", "joint")})
    for figure in (
        long_tail_publication(degrees, width),
        user_activity_publication(degrees, width),
        user_activity_publication(degrees.clip(max=30), width),
        missing_modality_publication(missing, width),
    ):
        assert clashes(figure) == []


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(InputError, match="No item has an interaction"):
        long_tail([0, 0])
    with pytest.raises(InputError, match="interactions of the users"):
        user_activity([])
    with pytest.raises(InputError, match="no items or no modalities"):
        missing_modality(pd.DataFrame({"image": []}))
    with pytest.raises(InputError, match="no modality 'sound'"):
        missing_modality(pd.DataFrame({"sound": [True]}))
    with pytest.raises(InputError, match="True or False"):
        missing_modality(pd.DataFrame({"image": [True, None]}))
