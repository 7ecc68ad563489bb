"""Datasets by name, and the tables that describe them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from uploads import INTERACTIONS, picture, shop, write

from mmrec_core.datasets import catalogue, statistics
from mmrec_core.datasets.install import install
from mmrec_core.domain import Dataset, DatasetInfo, InputError


@pytest.fixture(autouse=True)
def _data(mmrec_data: Path) -> Path:
    return mmrec_data


def test_demo_is_always_listed_first() -> None:
    cards = catalogue.list_datasets()
    assert [card.name for card in cards] == [
        "demo-both", "demo-picture", "demo-words", "demo-neither",
    ]  # fmt: skip
    assert all(card.builtin and card.n_items > 0 for card in cards)
    dataset = catalogue.load_dataset("demo")
    assert dataset.name == "demo-both"
    assert catalogue.dataset_features("demo") == []
    image = dataset.items["image"].iloc[0]
    path = catalogue.thumbnail_path(dataset, image, 96)
    assert path is not None and path.is_file()
    assert catalogue.thumbnail_path(dataset, "", 96) is None


def test_listing_opens_no_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(shop(tmp_path / "up"), name="mine")
    catalogue.list_datasets()

    def forbidden(*args: object, **options: object) -> None:
        raise AssertionError("a table was opened")

    monkeypatch.setattr(pd, "read_parquet", forbidden)
    card = catalogue.list_datasets()[-1]
    assert (card.name, card.n_users, card.n_items, card.n_interactions) == ("mine", 2, 3, 6)
    assert card.share_image == pytest.approx(2 / 3) and card.share_text == pytest.approx(2 / 3)
    assert not card.builtin


def test_unknown_names_list_the_known_ones(tmp_path: Path) -> None:
    install(shop(tmp_path / "up"), name="mine")
    for name in ("nope", "../mine", "mine.json", "", "demo-x"):
        with pytest.raises(InputError, match="Known: demo-both, .*mine"):
            catalogue.load_dataset(name)


def test_loading_twice_reads_once(tmp_path: Path) -> None:
    install(shop(tmp_path / "up"), name="mine")
    assert catalogue.load_dataset("mine").items is catalogue.load_dataset("mine").items


def test_rename_and_delete(tmp_path: Path) -> None:
    up = shop(tmp_path / "up")
    install(up, name="one")
    (up / "interactions.csv").write_text(INTERACTIONS + "u9,b,5,1\n")
    install(up, name="two")
    with pytest.raises(InputError, match="already another dataset 'two'"):
        catalogue.rename_dataset("one", "two")
    for bad in ("../x", "A b", "", "demo-x", "x" * 61):
        with pytest.raises(InputError):
            catalogue.rename_dataset("one", bad)
    catalogue.rename_dataset("one", "three")
    assert catalogue.load_dataset("three").name == "three"
    names = [card.name for card in catalogue.list_datasets() if not card.builtin]
    assert names == ["three", "two"]
    folder = catalogue.load_dataset("three").folder
    catalogue.delete_dataset("three")
    assert not folder.exists()
    with pytest.raises(InputError, match="no dataset 'three'"):
        catalogue.delete_dataset("three")
    with pytest.raises(InputError, match="cannot be deleted"):
        catalogue.delete_dataset("demo")


def test_files_gone_from_the_store(tmp_path: Path) -> None:
    from mmrec_core.store import store

    result = install(shop(tmp_path / "up"), name="mine")
    store().delete("dataset", result.key)
    catalogue._loaded.cache_clear()
    with pytest.raises(InputError, match="gone from the store"):
        catalogue.load_dataset("mine")


def test_damaged_pointer_hides_only_itself(tmp_path: Path, mmrec_data: Path) -> None:
    install(shop(tmp_path / "up"), name="mine")
    (mmrec_data / "uploads" / "half.json").write_text('{"name": ')
    (mmrec_data / "uploads" / "other.json").write_text("[]")
    assert [c.name for c in catalogue.list_datasets() if not c.builtin] == ["mine"]


def made(pairs: list[tuple[str, str]], images: list[str], ids: list[str]) -> Dataset:
    n = len(ids)
    items = pd.DataFrame(
        {
            "item_id": ids, "title": [""] * n, "text": ["t"] * n, "category": [""] * n,
            "image": images, "image_sha256": images,
        }
    )  # fmt: skip
    frame = pd.DataFrame(pairs, columns=["user_id", "item_id"])
    frame["rating"] = np.float32(np.nan)
    frame["timestamp"] = pd.array([pd.NA] * len(pairs), dtype="Int64")
    return Dataset("d", items, frame, Path("."), DatasetInfo("d"), "f")


def test_statistics() -> None:
    pairs = [("u", "a"), ("u", "b"), ("v", "a"), ("w", "a"), ("w", "c")]
    dataset = made(pairs, ["x", "x", "", ""], ["a", "b", "c", "d"])
    degrees = statistics.item_degrees(dataset)
    assert degrees.tolist() == [3, 1, 1, 0]
    overview = statistics.overview(dataset).iloc[0]
    assert overview["sparsity"] == pytest.approx(1 - 5 / 12)
    # Mean absolute difference over twice the mean, the other definition of the same number.
    expected = np.abs(degrees[:, None] - degrees[None]).mean() / (2 * degrees.mean())
    assert overview["gini_items"] == pytest.approx(expected)
    tail = statistics.long_tail(dataset)
    assert tail["interactions"].tolist() == [3, 1, 1, 0]
    assert tail["share_interactions"].tolist() == pytest.approx([0.6, 0.8, 1, 1])
    histogram = statistics.degree_histogram(dataset)
    of_items = histogram[histogram["of"] == "item"]
    assert of_items[["low", "high", "count"]].to_numpy().tolist() == [
        [0, 0, 1], [1, 1, 2], [2, 3, 1],
    ]  # fmt: skip
    missing = statistics.missing_modalities(dataset).set_index("modality")
    expected = stats.spearmanr([1, 1, 0, 0], degrees).statistic
    assert missing.loc["image", "spearman"] == pytest.approx(expected)
    assert missing.loc["image", "n_missing"] == 2 and np.isnan(missing.loc["text", "spearman"])
    shared = statistics.duplicate_images(dataset)
    assert shared[["image_sha256", "n_items", "example"]].to_numpy().tolist() == [["x", 2, "a"]]
    assert statistics.rating_counts(dataset).empty


def test_shared_placeholder_is_found(tmp_path: Path) -> None:
    up = shop(tmp_path / "up")
    write(up, {"images/B.png": picture("JPEG")})
    dataset = catalogue.load_dataset(install(up, name="mine").name)
    assert statistics.duplicate_images(dataset)["n_items"].tolist() == [2]
    assert len(list((dataset.folder / "images").rglob("*.jpg"))) == 1
