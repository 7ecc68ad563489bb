"""What is counted with numbers in place of strings is what strings would give."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from uploads import INTERACTIONS, shop

from mmrec_core.datasets import catalogue, statistics
from mmrec_core.datasets.install import install
from mmrec_core.datasets.split import core_sizes, k_core
from mmrec_core.domain import HASHED_AT_ONCE, Dataset, DatasetInfo, sha256_strings
from mmrec_core.extractors.context_controls import category_groups


def by_definition(strings: list[str]) -> str:
    digest = hashlib.sha256()
    for text in strings:
        raw = text.encode("utf-8", "surrogatepass")
        digest.update(f"{len(raw)}:".encode() + raw)
    return digest.hexdigest()


@given(st.lists(st.text(st.characters(), max_size=4), max_size=20))
def test_strings_are_hashed_by_their_length_in_bytes(strings: list[str]) -> None:
    wanted = by_definition(strings)
    assert sha256_strings(strings) == wanted
    assert sha256_strings(iter(strings)) == wanted
    assert sha256_strings(np.array(strings, dtype=object)) == wanted


@pytest.mark.parametrize("n", [0, 1, HASHED_AT_ONCE, HASHED_AT_ONCE + 1, 2 * HASHED_AT_ONCE + 7])
def test_batches_leave_no_trace_in_a_hash(n: int) -> None:
    plain = [f"item {i}" for i in range(n)]
    mixed = [f"{text} é" if i % 5000 == 4999 else text for i, text in enumerate(plain)]
    for strings in (plain, mixed):
        assert sha256_strings(pd.Series(strings, dtype="str")) == by_definition(strings)


def dataset(seed: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    ids = [f"i{n}" for n in range(30)]
    pairs = pd.DataFrame(
        {
            "user_id": [f"u{n}" for n in rng.integers(0, 12, 200)],
            # The last item has nobody, and one that is named here is no item.
            "item_id": [f"i{n}" for n in rng.integers(0, 29, 199)] + ["gone"],
        }
    ).astype("str")
    items = pd.DataFrame({"item_id": ids}).astype("str")
    return Dataset("made", items, pairs, Path(), DatasetInfo("Made"), "made")


def test_degrees_are_those_of_the_strings() -> None:
    own = dataset()
    counted = own.interactions["item_id"].value_counts()
    assert statistics.item_degrees(own).tolist() == [counted.get(i, 0) for i in own.item_ids]
    users = own.interactions["user_id"].value_counts()
    assert statistics.user_degrees(own).tolist() == users.tolist()
    assert own.n_users == own.interactions["user_id"].nunique()
    codes, ids = own.coded_users
    assert ids[codes].tolist() == own.interactions["user_id"].tolist()
    assert ids.tolist() == own.interactions["user_id"].unique().tolist()
    named = own.coded_items >= 0
    assert own.item_ids[own.coded_items[named]].tolist() == (
        own.interactions["item_id"][named].tolist()
    )
    assert own.interactions["item_id"][~named].tolist() == ["gone"]
    with pytest.raises(ValueError, match="read-only"):
        codes[0] = 1


def test_cores_count_who_is_left() -> None:
    rng = np.random.default_rng(1)
    user, item = np.unique(rng.integers(0, 40, (500, 2)), axis=0).T
    table = core_sizes(user, item, range(9))
    for row in table.itertuples():
        kept = k_core(user, item, row.k)
        assert row.n_users == len(np.unique(user[kept]))
        assert row.n_items == len(np.unique(item[kept]))
        assert row.n_interactions == kept.sum()


def test_first_categories_are_grouped_by_name() -> None:
    cells = np.array(["b|x", " a", "b", "", "a |c", "b|y"], dtype=object)
    assert category_groups(cells, "|").tolist() == [2, 1, 2, 0, 1, 2]
    whole = np.unique([cell.strip() for cell in cells], return_inverse=True)[1]
    assert category_groups(cells, None).tolist() == whole.tolist()


def test_a_dataset_is_one_object_until_its_name_or_content_changes(
    mmrec_data: Path, tmp_path: Path
) -> None:
    up = shop(tmp_path / "up")
    install(up, name="mine")
    before = catalogue.load_dataset("mine")
    assert catalogue.load_dataset("mine") is before
    catalogue.rename_dataset("mine", "yours")
    assert catalogue.load_dataset("yours").name == "yours"

    (up / "interactions.csv").write_text(INTERACTIONS + "u9,b,5,1\n")
    install(up, name="mine")
    after = catalogue.load_dataset("mine")
    assert (before.n_users, after.n_users) == (2, 3)
    catalogue.delete_dataset("mine")
    install(shop(tmp_path / "again"), name="mine")
    assert catalogue.load_dataset("mine").n_users == 2
