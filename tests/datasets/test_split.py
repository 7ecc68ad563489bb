"""Splits are disjoint, complete, the same every time, and cores are cores."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmrec_core.datasets.parts import random_parts
from mmrec_core.datasets.split import SplitConfig, k_core, k_core_preview, make_split
from mmrec_core.domain import Dataset, DatasetInfo, InputError, Split


def made(
    pairs: list[tuple[int, int]],
    ratings: list[float] | None = None,
    parts: list[str] | None = None,
    relevant_from: float | None = 4.0,
) -> Dataset:
    ids = [f"i{i}" for i in range(12)][::-1]
    items = pd.DataFrame({"item_id": pd.array(ids, dtype="str")})
    frame = pd.DataFrame(
        {
            "user_id": pd.array([f"u{u}" for u, _ in pairs], dtype="str"),
            "item_id": pd.array([f"i{i}" for _, i in pairs], dtype="str"),
            "rating": np.array(
                ratings if ratings is not None else [np.nan] * len(pairs), dtype=np.float32
            ),
            "timestamp": pd.array([pd.NA] * len(pairs), dtype="Int64"),
        }
    )
    if parts is not None:
        frame["split"] = parts
    info = DatasetInfo("d", relevant_from=relevant_from)
    return Dataset("d", items, frame, Path("."), info, "f")


def named(split: Split) -> dict[str, set[tuple[str, str]]]:
    out = {}
    for part in ("train", "valid", "test"):
        matrix = getattr(split, part).tocoo()
        out[part] = set(zip(split.user_ids[matrix.row], split.item_ids[matrix.col], strict=True))
        assert len(out[part]) == matrix.nnz
    return out


pair_lists = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 11)), min_size=1, max_size=90, unique=True
)


@given(pair_lists, st.integers(1, 5))
def test_core_is_the_largest_with_these_degrees(pairs: list[tuple[int, int]], k: int) -> None:
    user, item = np.array(pairs).T
    kept = k_core(user, item, k)
    # Plain restatement: drop one offender at a time until there is none.
    left = set(pairs)
    while True:
        users = pd.Series([u for u, _ in left], dtype=int).value_counts()
        items = pd.Series([i for _, i in left], dtype=int).value_counts()
        bad = [(u, i) for u, i in left if users[u] < k or items[i] < k]
        if not bad:
            break
        left.discard(min(bad))
    assert {pair for pair, keep in zip(pairs, kept, strict=True) if keep} == left
    again = k_core(user[kept], item[kept], k)
    assert again.all()


@given(pair_lists, st.integers(0, 3), st.integers(0, 2**31))
def test_random_split(pairs: list[tuple[int, int]], k: int, seed: int) -> None:
    config = SplitConfig(k_core=k, seed=seed)
    dataset = made(pairs)
    user, item = np.array(pairs).T
    kept = {pair for pair, keep in zip(pairs, k_core(user, item, k), strict=True) if keep}
    degree = pd.Series([u for u, _ in kept], dtype=int).value_counts()
    if not kept or degree.max() < 3:
        with pytest.raises(InputError):
            make_split(dataset, config)
        return
    split = make_split(dataset, config)
    parts = named(split)
    everything = parts["train"] | parts["valid"] | parts["test"]
    assert sum(map(len, parts.values())) == len(everything)
    assert everything == {(f"u{u}", f"i{i}") for u, i in kept}
    assert split.user_ids.tolist() == sorted({f"u{u}" for u, _ in kept})
    in_file_order = [i for i in dataset.item_ids if any(i == f"i{j}" for _, j in kept)]
    assert split.item_ids.tolist() == in_file_order
    for name, n in degree.items():
        counts = {p: sum(u == f"u{name}" for u, _ in pairs_) for p, pairs_ in parts.items()}
        held_out = -(-n // 10) if n >= 3 else 0
        assert counts["test"] == counts["valid"] == held_out
    assert split.relevant_from is None and (split.test.data == 1).all()
    shuffled = made([pairs[j] for j in np.random.default_rng(seed).permutation(len(pairs))])
    assert make_split(shuffled, config).fingerprint == split.fingerprint


@given(st.integers(1, 200), st.floats(0, 0.49), st.floats(0.01, 0.49))
def test_shares(n: int, valid: float, test: float) -> None:
    part = random_parts(np.zeros(n, dtype=int), SplitConfig(valid=valid, test=test))
    counts = np.bincount(part, minlength=3)
    if n < 3:
        assert counts.tolist() == [n, 0, 0]
        return
    assert counts[0] >= 1 and counts[2] >= 1
    assert (counts[1] >= 1) == (valid > 1e-9 / n) or valid < 1e-8
    if np.ceil(valid * n) + np.ceil(test * n) < n:
        assert counts[2] == np.ceil(round(test * n, 9))
        assert counts[1] == np.ceil(round(valid * n, 9))


def test_draws_are_uniform_and_seeds_differ() -> None:
    user = np.repeat(np.arange(4000), 10)
    part = random_parts(user, SplitConfig(seed=3))
    # Each place among ten is a test place for a tenth of the users; 5 standard deviations.
    at = (part.reshape(-1, 10) == 2).sum(axis=0)
    assert np.abs(at - 400).max() < 5 * np.sqrt(4000 * 0.1 * 0.9)
    other = random_parts(user, SplitConfig(seed=4))
    # Two independent draws meet in a tenth of the users, give or take 5 standard deviations.
    assert abs(((part == 2) & (other == 2)).sum() - 400) < 5 * np.sqrt(4000 * 0.1 * 0.9)


def test_relevance() -> None:
    pairs = [(0, i) for i in range(10)]
    ratings = [5.0, 1.0] * 5
    split = make_split(made(pairs, ratings), SplitConfig(k_core=0))
    assert split.relevant_from == 4.0
    assert split.relevant("test").nnz == (split.test.data >= 4).sum()
    assert set(split.test.data) <= {1.0, 5.0}
    every = make_split(made(pairs, ratings), SplitConfig(k_core=0, relevant_from="all"))
    assert every.relevant_from is None and every.relevant("test").nnz == every.test.nnz
    own = make_split(made(pairs, ratings), SplitConfig(k_core=0, relevant_from=0.5))
    assert own.relevant_from == 0.5
    unrated = made(pairs, [5.0] + [np.nan] * 9)
    split = make_split(unrated, SplitConfig(k_core=0, test=0.5))
    assert split.relevant("test").nnz + split.relevant("valid").nnz <= 1
    assert split.test.nnz == 5
    rated = make_split(made(pairs, ratings), SplitConfig(k_core=0, train_from=4))
    assert rated.train.nnz < 8 and (rated.train.data == 1).all()


def test_fixed_split() -> None:
    pairs = [(0, 0), (0, 1), (1, 1), (0, 2), (1, 2)]
    parts = ["train", "train", "train", "valid", "test"]
    split = make_split(made(pairs, None, parts), SplitConfig(strategy="fixed"))
    assert named(split) == {
        "train": {("u0", "i0"), ("u0", "i1"), ("u1", "i1")},
        "valid": {("u0", "i2")},
        "test": {("u1", "i2")},
    }
    assert split.item_ids.tolist() == ["i2", "i1", "i0"]
    with pytest.raises(InputError, match="no fixed split"):
        make_split(made(pairs), SplitConfig(strategy="fixed"))


def test_empty_core_says_what_to_do() -> None:
    square = [(u, i) for u in range(3) for i in range(2)]
    with pytest.raises(InputError, match=r"3 users, 2 items, 6 interactions.*2 or less"):
        make_split(made(square), SplitConfig(k_core=5))
    with pytest.raises(InputError, match="no test interaction"):
        make_split(made(square), SplitConfig(k_core=0))


def test_core_preview_agrees_with_splits() -> None:
    rng = np.random.default_rng(0)
    pairs = [(u, i) for u in range(10) for i in range(12) if rng.random() < 0.7]
    preview = k_core_preview(made(pairs), [5, 0, 4, 30]).set_index("k")
    assert preview.index.tolist() == [0, 4, 5, 30]
    assert preview.loc[0, "n_interactions"] == len(pairs)
    assert preview.loc[30].tolist() == [0, 0, 0, 0]
    for k in (4, 5):
        split = make_split(made(pairs), SplitConfig(k_core=k))
        assert preview.loc[k, "n_users"] == split.n_users
        assert preview.loc[k, "n_items"] == split.n_items
        total = split.train.nnz + split.valid.nnz + split.test.nnz
        assert preview.loc[k, "n_interactions"] == total


@pytest.mark.parametrize(
    "wrong",
    [{"valid": 0.6, "test": 0.5}, {"test": 0}, {"seed": -1}, {"strategy": "temporl"}, {"k": 3}],
)
def test_config_is_checked(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        SplitConfig(**wrong)  # type: ignore[arg-type]
