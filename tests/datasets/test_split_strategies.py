"""Leave-one-out, temporal and cold-items splits: by hand, and what always holds of them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from datasets.test_split import made, named, pair_lists
from hypothesis import assume, given
from hypothesis import strategies as st

from mmrec_core.datasets.parts import cold_parts, leave_one_out_parts, temporal_parts
from mmrec_core.datasets.split import STRATEGIES, SplitConfig, make_split, why_not
from mmrec_core.domain import Dataset, InputError


def timed(pairs: list[tuple[int, int]], times: list[int | None], **more: object) -> Dataset:
    dataset = made(pairs, **more)  # type: ignore[arg-type]
    stamps = pd.array([pd.NA if t is None else t for t in times], dtype="Int64")
    return replace(dataset, interactions=dataset.interactions.assign(timestamp=stamps))


HISTORY = [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 2), (2, 1), (2, 3), (2, 4)]
TIMES = [40, 10, 30, 20, 5, 6, 99, 98, 97]


def test_leave_one_out_by_hand() -> None:
    config = SplitConfig(strategy="leave-one-out", k_core=0)
    split = make_split(timed(HISTORY, TIMES), config)
    assert named(split) == {
        "train": {("u0", "i1"), ("u0", "i3"), ("u1", "i0"), ("u1", "i2"), ("u2", "i4")},
        "valid": {("u0", "i2"), ("u2", "i3")},
        "test": {("u0", "i0"), ("u2", "i1")},
    }
    assert split.candidates is None and not split.cold.any()
    assert "last interaction is test" in split.description


def test_leave_one_out_without_timestamps_is_random_and_says_so() -> None:
    splits = [
        make_split(made(HISTORY), SplitConfig(strategy="leave-one-out", k_core=0, seed=seed))
        for seed in range(8)
    ]
    assert "there are no timestamps; seed 3" in splits[3].description
    assert len({split.fingerprint for split in splits}) > 1
    for split in splits:
        assert np.diff(split.test.indptr).tolist() == [1, 0, 1]
        assert np.diff(split.valid.indptr).tolist() == [1, 0, 1]


def test_temporal_by_hand() -> None:
    # Ten interactions at times 0..9: test from 8 on (20 %), validation from 6 on (20 %). User 2
    # comes at time 7 and has nothing to train on; user 1 is trained on and tested.
    pairs = [(0, i) for i in range(5)] + [(1, 0), (1, 1), (2, 2), (2, 3), (1, 4)]
    times = [0, 1, 2, 3, 6, 4, 5, 7, 8, 9]
    config = SplitConfig(strategy="temporal", k_core=0, valid=0.2, test=0.2)
    split = make_split(timed(pairs, times), config)
    assert named(split) == {
        "train": {(f"u{u}", f"i{i}") for u, i in [*pairs[:4], *pairs[5:7]]},
        "valid": {("u0", "i4")},
        "test": {("u1", "i4")},
    }
    assert "; 1 user without a training interaction left out" in split.description


def test_cold_items_by_hand() -> None:
    rng = np.random.default_rng(0)
    pairs = [(u, i) for u in range(10) for i in range(12) if rng.random() < 0.6]
    config = SplitConfig(strategy="cold-items", k_core=0, cold=0.34, seed=5)
    split = make_split(made(pairs), config)
    assert split.candidates is not None and split.candidates.sum() == 4
    np.testing.assert_array_equal(split.candidates, split.cold)
    tested = set(split.test.indices) | set(split.valid.indices)
    assert tested == set(np.flatnonzero(split.candidates))
    assert len(set(split.test.indices)) == len(set(split.valid.indices)) == 2
    assert not set(split.test.indices) & set(split.valid.indices)
    assert not set(split.train.indices) & tested
    assert "34% of the items cold" in split.description
    assert "only cold items are ranked" in split.description
    other = make_split(made(pairs), config.model_copy(update={"seed": 6}))
    assert other.fingerprint != split.fingerprint
    without = replace(split, candidates=None)
    assert without.fingerprint != split.fingerprint
    assert replace(without, strategy="random").fingerprint != without.fingerprint
    assert not replace(split, strategy="random").cold.any()


@given(pair_lists, st.integers(0, 99), st.data())
def test_leave_one_out_holds_out_one_of_each(
    pairs: list[tuple[int, int]], seed: int, data: st.DataObject
) -> None:
    pairs = sorted(pairs)
    user = np.unique([u for u, _ in pairs], return_inverse=True)[1]
    time = np.array(
        data.draw(st.lists(st.integers(0, 5), min_size=len(pairs), max_size=len(pairs)))
    )
    part = leave_one_out_parts(user, time, seed)
    for u in range(user.max() + 1):
        own, when = part[user == u], time[user == u]
        counts = np.bincount(own, minlength=3).tolist()
        assert counts == ([len(own) - 2, 1, 1] if len(own) >= 3 else [len(own), 0, 0])
        if len(own) >= 3:
            assert when[own == 2][0] == when.max()
            assert when[own == 1][0] >= when[own == 0].max()


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=80),
    st.floats(0, 0.45),
    st.floats(0.01, 0.45),
)
def test_time_never_flows_back(times: list[int], valid: float, test: float) -> None:
    time = np.array(times)
    part = temporal_parts(time, valid, test)
    early, middle, late = (time[part == which] for which in range(3))
    assert len(late) >= np.ceil(round(test * len(time), 9))
    if len(middle):
        assert len(middle) >= np.ceil(round(valid * len(time), 9)) or not len(early)
        assert middle.max() < late.min()
        assert not len(early) or early.max() < middle.min()
    assert not len(early) or early.max() < late.min()
    # The cut is as late as it may be: one moment later would hold out too little.
    assert (time > late.min()).sum() < np.ceil(round(test * len(time), 9))


@given(pair_lists, st.floats(0.05, 0.6), st.integers(0, 99))
def test_cold_items_are_whole_and_never_trained_on(
    pairs: list[tuple[int, int]], cold: float, seed: int
) -> None:
    item = np.array([i for _, i in pairs])
    part = cold_parts(item, cold, seed)
    for which in np.unique(item):
        assert len(set(part[item == which])) == 1, "all interactions of an item go to one part"
    n_cold = len(np.unique(item[part > 0]))
    n_items = len(np.unique(item))
    assert n_cold == min(n_items, max(2, round(cold * n_items)))
    assert len(np.unique(item[part == 2])) == -(-n_cold // 2)


@given(pair_lists, st.sampled_from(["leave-one-out", "temporal", "cold-items"]), st.data())
def test_every_interaction_is_in_one_part_or_left_out_with_its_user(
    pairs: list[tuple[int, int]], strategy: str, data: st.DataObject
) -> None:
    times = data.draw(st.lists(st.integers(0, 9), min_size=len(pairs), max_size=len(pairs)))
    config = SplitConfig(strategy=strategy, k_core=0, valid=0.2, test=0.2, cold=0.3)  # type: ignore[arg-type]
    dataset = timed(pairs, times)
    try:
        split = make_split(dataset, config)
    except InputError:
        assume(False)
    parts = named(split)
    everything = set().union(*parts.values())
    assert sum(map(len, parts.values())) == len(everything)
    whole = {(f"u{u}", f"i{i}") for u, i in pairs}
    trained = {u for u, _ in parts["train"]}
    assert set(split.user_ids) == trained
    assert everything == {(u, i) for u, i in whole if u in trained}
    if strategy == "leave-one-out":
        assert everything == whole
    else:
        left_out = len({u for u, _ in whole} - trained)
        said = f"; {left_out} user{'s' * (left_out != 1)} without a training interaction left out"
        assert (said in split.description) == (left_out > 0)
    order = np.random.default_rng(len(pairs)).permutation(len(pairs))
    turned = timed([pairs[j] for j in order], [times[j] for j in order])
    assert make_split(turned, config).fingerprint == split.fingerprint


def test_what_a_dataset_does_not_allow_is_said() -> None:
    assert set(STRATEGIES) == set(SplitConfig.model_fields["strategy"].annotation.__args__)  # type: ignore[union-attr]
    bare, partly = made(HISTORY), timed(HISTORY, [None, *TIMES[1:]])
    assert {name for name in STRATEGIES if why_not(bare, name)} == {"temporal", "fixed"}
    assert why_not(partly, "leave-one-out") == "1 of its 9 interactions have no timestamp"
    assert not why_not(partly, "random")
    for dataset, strategy, words in (
        (bare, "temporal", "no timestamps; choose strategy random"),
        (partly, "temporal", "1 of its 9 interactions"),
        (bare, "fixed", "no fixed split"),
    ):
        with pytest.raises(InputError, match=words):
            make_split(dataset, SplitConfig(strategy=strategy, k_core=0))  # type: ignore[arg-type]
    at_once = timed(HISTORY, [7] * len(HISTORY))
    with pytest.raises(InputError, match="no training interaction"):
        make_split(at_once, SplitConfig(strategy="temporal", k_core=0))


def test_keys_of_splits_without_cold_items_stay() -> None:
    """The JSON of a config is part of the key of every stored study."""
    plain = SplitConfig().model_dump(mode="json")
    assert sorted(plain) == [
        "k_core", "relevant_from", "seed", "strategy", "test", "train_from", "valid",
    ]  # fmt: skip
    cold = SplitConfig(strategy="cold-items", cold=0.2)
    assert cold.model_dump(mode="json")["cold"] == 0.2
    assert SplitConfig.model_validate(cold.model_dump(mode="json")) == cold
    # Of a split as it was made before there were cold items.
    pairs = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    split = make_split(made(pairs), SplitConfig(k_core=0))
    assert split.fingerprint == "30eeabbead5b2f8c5e24cd88545b7e6494ae1caffe7d6b38ea466518b021aa65"
