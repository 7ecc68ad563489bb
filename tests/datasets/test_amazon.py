"""The published files of the Amazon datasets are installed as they are downloaded."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from amazon_files import (
    HOST,
    ITEMS,
    META_2023,
    REVIEWS_2023,
    UPLOADS,
    installed,
    lines,
    meta,
    packed,
    review,
)
from uploads import picture, write

from mmrec_core.datasets import catalogue
from mmrec_core.datasets.archive import opened
from mmrec_core.datasets.importers import IMPORTERS
from mmrec_core.datasets.importers.base import Layout
from mmrec_core.datasets.install import install, recognised
from mmrec_core.datasets.narrowing import Narrowing
from mmrec_core.domain import InputError


@pytest.fixture(autouse=True)
def _data(mmrec_data: Path) -> Path:
    return mmrec_data


@pytest.mark.parametrize("upload", UPLOADS)
@pytest.mark.parametrize("gz", [False, True])
def test_each_upload_is_recognised_as_what_it_is(tmp_path: Path, upload: str, gz: bool) -> None:
    format_, files = UPLOADS[upload]
    with opened(write(tmp_path / "up", packed(files) if gz else dict(files))) as found:
        claimed = [name for name, importer in IMPORTERS.items() if importer.recognises(found)]
        assert recognised(found) == format_
        assert [name for name in claimed if name not in ("tables", format_)] == []


@pytest.mark.parametrize("gz", [False, True])
def test_reviews_of_2023(tmp_path: Path, gz: bool) -> None:
    _, files = UPLOADS["reviews 2023"]
    up = write(tmp_path / "up", packed(files) if gz else dict(files))
    write(up, {f"images/{ITEMS[0]}.jpg": picture()})
    result, items, interactions = installed(up)
    assert result.report.format == "amazon-2023" and result.report.sound
    assert list(items.index) == [ITEMS[0], ITEMS[1]]  # nobody reviewed the third
    first, other = items.loc[ITEMS[0]], items.loc[ITEMS[1]]
    assert first["title"] == "Howard LC0008 Leather Conditioner & Cleaner"
    assert first["text"] == first["title"] + "\nCleans\nConditions\nA fine conditioner."
    assert first["category"] == "Beauty & Personal Care|Skin, Hair"
    assert first["image_url"] == HOST + "m.jpg" and first["image"].endswith(".jpg")
    assert first["price"] == "" and first["store"] == "Howard Products"
    assert (other["title"], other["text"], other["category"]) == ("Other", "", "All Beauty")
    assert (other["price"], other["image_url"], other["image"]) == ("17.99", "", "")
    assert not {"average_rating", "rating_number", "videos"} & set(items.columns)
    assert interactions["item_id"].tolist() == [ITEMS[0], ITEMS[1], ITEMS[0]]
    assert interactions["rating"].tolist() == [5, 2, 1]  # the last of the two
    assert interactions["timestamp"].tolist()[:1] == [1588687728923]
    info = catalogue.load_dataset("x").info
    assert info.category_separator == "|" and info.relevant_from == 4.0
    notes = " ".join(result.report.notes)
    assert "1 rows describe an item again" in notes and "1 rows of items without" in notes
    assert "web addresses; nothing is downloaded" in notes


def test_metadata_of_2023_in_parquet_holds_pictures_as_lists(tmp_path: Path) -> None:
    record = meta(0, images={
        "hi_res": [None, HOST + "hi.jpg"],
        "large": [HOST + "a.jpg", HOST + "b.jpg"],
        "thumb": [HOST + "c.jpg", HOST + "d.jpg"],
        "variant": ["PT01", "MAIN"],
    })  # fmt: skip
    up = write(tmp_path / "up", {"Baby.jsonl": REVIEWS_2023})
    pq.write_table(pa.Table.from_pylist([record, meta(1, images=None)]), up / "full-00000.parquet")
    reviews = [json.loads(line) for line in REVIEWS_2023.splitlines()]
    result, items, _ = installed(up)
    assert items.loc[ITEMS[0], "image_url"] == HOST + "hi.jpg"
    assert items.loc[ITEMS[0], "text"].endswith("A fine conditioner.")
    pq.write_table(pa.Table.from_pylist(reviews), up / "Baby.parquet")
    (up / "Baby.jsonl").unlink()
    assert installed(up)[0].key == result.key


@pytest.mark.parametrize("upload", ["split 2023", "history 2023", "no header 2023"])
def test_benchmark_files_of_2023_are_a_fixed_split(tmp_path: Path, upload: str) -> None:
    up = write(tmp_path / "up", dict(UPLOADS[upload][1]))
    result, _, interactions = installed(up)
    assert interactions["split"].tolist() == ["train", "valid", "test"]
    assert interactions["item_id"].tolist() == list(ITEMS)
    assert catalogue.load_dataset(result.name).info.split == "fixed"
    (up / "Baby.test.csv").unlink()
    with pytest.raises(InputError, match=r"Baby\.(train|valid)\.csv but no Baby\.test\.csv"):
        install(up)


@pytest.mark.parametrize("gz", [False, True])
def test_reviews_of_2014(tmp_path: Path, gz: bool) -> None:
    files = UPLOADS["reviews 2014"][1]
    result, items, interactions = installed(
        write(tmp_path / "up", packed(files) if gz else dict(files))
    )
    assert result.report.format == "amazon-2014"
    tutu = items.loc["0000031852"]
    assert tutu["title"] == 'Girls\' Ballet Tutu "Zebra"'
    assert tutu["text"] == tutu["title"] + "\nA tutu. For girls."
    assert tutu["category"] == "Sports & Outdoors|Other Sports|Dance|Toys"
    assert tutu["image_url"] == "http://ecx.images-amazon.com/images/I/51fA.jpg"
    assert (tutu["price"], tutu["brand"]) == ("3.17", "Coxlures")
    assert items.loc["B00004Z0ZZ", "title"] == "" and len(items) == 2
    assert interactions["rating"].tolist() == [5, 4, 1]


def test_reviews_of_2018(tmp_path: Path) -> None:
    up = write(tmp_path / "up", dict(UPLOADS["reviews 2018"][1]))
    result, items, interactions = installed(up)
    assert result.report.format == "amazon-2018" and len(interactions) == 2
    jumper = items.loc["5120053084"]
    assert jumper["title"] == "A jumper"  # the first of two descriptions
    assert jumper["text"] == "A jumper\nWool\nSoft & warm.\nFrom wool."
    assert jumper["category"] == "Clothing|Men" and jumper["main_cat"] == "Toys & Games"
    assert jumper["image_url"] == HOST + "31.jpg" and jumper["price"] == ""
    assert "1 rows describe an item again" in " ".join(result.report.notes)


@pytest.mark.parametrize(
    ("upload", "user", "item"),
    [
        ("ratings 2014", "A39HTATAQ9V7YF", "0205616461"),
        ("ratings 2018", "A1V6B6TNIC10QE", "0143026860"),
    ],
)
def test_ratings_without_header(tmp_path: Path, upload: str, user: str, item: str) -> None:
    files = {n: text for n, text in UPLOADS[upload][1].items() if n.endswith(".csv")}
    _, items, interactions = installed(write(tmp_path / "up", dict(files)))
    assert (interactions["user_id"].iloc[0], interactions["item_id"].iloc[0]) == (user, item)
    assert items.index[0] == item and interactions["timestamp"].notna().all()


def test_several_categories_are_not_mixed(tmp_path: Path) -> None:
    up = write(tmp_path / "up", {"Baby.jsonl": REVIEWS_2023, "Toys.jsonl": REVIEWS_2023})
    with pytest.raises(InputError, match=r"2 files of interactions: Baby.jsonl, Toys.jsonl"):
        install(up)
    assert installed(up, mapping={"interactions_file": "Toys.jsonl"})[0].report.rows_read == {
        "Toys.jsonl": 4
    }
    with pytest.raises(InputError, match="no file 'Tots.jsonl'"):
        install(up, mapping={"interactions_file": "Tots.jsonl"})
    for name in ("only metadata 2023", "only metadata 2014", "only metadata 2018"):
        alone = write(tmp_path / name, dict(UPLOADS[name][1]))
        with pytest.raises(InputError, match="holds metadata but no reviews"):
            install(alone)


@pytest.mark.parametrize("known_only", [True, False])
def test_only_the_core_is_read_and_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known_only: bool
) -> None:
    """Whether products outside of the core are left out while or after they are read."""
    importer = IMPORTERS.get("amazon-2023")
    original = type(importer).layout

    def layout(self: Any, *arguments: Any) -> Layout:
        return replace(original(self, *arguments), known_only=known_only)

    monkeypatch.setattr(type(importer), "layout", layout)
    pairs = [review(0, 0, 3.0), review(1, 0, 3.0), review(0, 1, 2.0), review(1, 1, 1.0)]
    alone = [review(0, 2) | {"user_id": "A1"}, review(0, 2) | {"user_id": "A2"}]
    up = write(tmp_path / "up", {"Baby.jsonl": lines([*alone, *pairs]), "m.jsonl": META_2023})
    narrowing = Narrowing(k_core=2, only_core=True)
    result, items, interactions = installed(up, narrowing=narrowing)
    assert list(items.index) == list(ITEMS[:2]) and len(interactions) == 4
    assert items["title"].iloc[1] == "Other"
    info = catalogue.load_dataset("x").info
    assert (info.k_core, info.relevant_from) == (2, 4.0)
    notes = " ".join(result.report.notes)
    assert ("2 interactions outside of the k-core" in notes) == known_only
    assert ("Only the 2-core is installed: 2 interactions" in notes) != known_only
    with pytest.raises(InputError, match="The 3-core is empty"):
        install(up, narrowing=Narrowing(k_core=3, only_core=True))


def test_a_review_without_product_is_rejected_with_its_line(tmp_path: Path) -> None:
    broken = review(0, 0)
    del broken["parent_asin"]
    up = write(tmp_path / "up", {"Baby.jsonl": REVIEWS_2023 + lines([broken])})
    with pytest.raises(InputError, match=r"Baby.jsonl, line 5: the cell of column 'parent_asin'"):
        install(up)
    assert installed(up, lenient=True)[0].report.n_rejected == 1
