"""The published files of the Amazon datasets are installed as they are downloaded."""

import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from uploads import picture, write

from mmrec_core.datasets import catalogue
from mmrec_core.datasets.archive import opened
from mmrec_core.datasets.importers import IMPORTERS
from mmrec_core.datasets.importers.amazon import (
    LONGEST_LITERAL,
    loose_line,
    path_of,
    picture_of,
    price_of,
    prose,
)
from mmrec_core.datasets.install import InstallResult, install, recognised
from mmrec_core.domain import InputError

USERS = ("AEIDF5SU5ZJIQYDAYKYKNJBBOOFQ", "AGGZ357AO26RQZVRLGU4D4N52DZQ")
ITEMS = ("B01CUPMQZE", "B076WQZGPM", "0439893577")
HOST = "https://m.media-amazon.com/images/I/"


@pytest.fixture(autouse=True)
def _data(mmrec_data: Path) -> Path:
    return mmrec_data


def lines(records: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def review(user: int, item: int, rating: float = 5.0) -> dict[str, Any]:
    return {
        "rating": rating,
        "title": "Such a lovely scent",
        "text": "This spray is really nice.<br />It smells great.",
        "images": [{"small_image_url": HOST + "own.jpg", "attachment_type": "IMAGE"}],
        "asin": "B000VARIANT",
        "parent_asin": ITEMS[item],
        "user_id": USERS[user],
        "timestamp": 1588687728923 + user,
        "helpful_vote": 0,
        "verified_purchase": True,
    }


def meta(item: int, **changed: Any) -> dict[str, Any]:
    return {
        "main_category": "All Beauty",
        "title": "Howard LC0008 Leather Conditioner &amp; Cleaner",
        "average_rating": 4.8,
        "rating_number": 10,
        "features": ["Cleans", "Conditions"],
        "description": ["A <b>fine</b> conditioner.", ""],
        "price": None,
        "images": [
            {"thumb": HOST + "t.jpg", "large": HOST + "l.jpg", "variant": "PT01", "hi_res": None},
            {"thumb": HOST + "t.jpg", "large": HOST + "m.jpg", "variant": "MAIN", "hi_res": None},
        ],
        "videos": [{"title": "Not the product's", "url": "x"}],
        "store": "Howard Products",
        "categories": ["Beauty & Personal Care", "Skin, Hair"],
        "details": {"Package Dimensions": "7 x 2"},
        "parent_asin": ITEMS[item],
        "bought_together": None,
    } | changed


REVIEWS_2023 = lines([review(0, 0), review(0, 1, 2.0), review(1, 0), review(1, 0, 1.0)])
META_2023 = lines(
    [
        meta(0),
        meta(2),
        meta(
            1, title="Other", features=[], description=[], categories=[], price="17.99", images=[]
        ),
        meta(1, title="Again"),
    ]
)
HEADER = "user_id,parent_asin,rating,timestamp"
SPLIT_2023 = {
    f"Baby.{part}.csv": f"{HEADER}\n{USERS[user]},{ITEMS[item]},4.0,158868772892{item}\n"
    for part, user, item in (("train", 0, 0), ("valid", 0, 1), ("test", 0, 2))
}
HISTORY_2023 = {
    name: "\n".join(
        row + tail for row, tail in zip(text.splitlines(), (",history", ",B1 B2"), strict=True)
    )
    for name, text in SPLIT_2023.items()
}
WITHOUT_HEADER_2023 = {name: text.partition("\n")[2] for name, text in SPLIT_2023.items()}

REVIEWS_2014 = lines(
    [
        {
            "reviewerID": user,
            "asin": item,
            "reviewerName": "J. McDonald",
            "helpful": [2, 3],
            "reviewText": "I bought this for my husband.",
            "overall": overall,
            "summary": "Heavenly",
            "unixReviewTime": 1252800000,
            "reviewTime": "09 13, 2009",
        }
        for user, item, overall in (
            ("A2SUAM1J3GNN3B", "0000031852", 5.0),
            ("A2SUAM1J3GNN3B", "B00004Z0ZZ", 4.0),
            ("A1KLRMWW2FWPL4", "0000031852", 1.0),
        )
    ]
)
META_2014 = (
    "{'asin': '0000031852', 'related': {'also_bought': ['B00JHONN1S']}, 'title': \"Girls' Ballet "
    "Tutu &quot;Zebra&quot;\", 'price': 3.17, 'salesRank': {'Toys & Games': 211836}, "
    "'imUrl': 'http://ecx.images-amazon.com/images/I/51fA.jpg', 'brand': 'Coxlures', "
    "'categories': [['Sports & Outdoors', 'Other Sports', 'Dance'], ['Toys', 'Dance']], "
    "'description': 'A tutu.\\nFor girls.'}\n"
    "{'asin': 'B00004Z0ZZ', 'categories': [['Toys']]}\n"
    "{'asin': 'B0000000ZZ', 'title': 'Reviewed by nobody', 'categories': [['Toys']]}\n"
)
RATINGS_2014 = (
    "A39HTATAQ9V7YF,0205616461,5.0,1369699200\nA3JM6GV9MNOF9X,0558925278,3.0,1355443200\n"
)

REVIEWS_2018 = lines(
    [
        {
            "overall": 5.0,
            "vote": "2",
            "verified": verified,
            "reviewTime": "01 1, 2018",
            "reviewerID": user,
            "asin": "5120053084",
            "style": {"Size:": "Large"},
            "reviewerName": "Abbey",
            "reviewText": "Great",
            "summary": "Comfy",
            "unixReviewTime": 1514764800,
            "image": ["https://images-na.ssl-images-amazon.com/images/I/review.jpg"],
        }
        for user, verified in (("AUI6WTTT0QZYS", True), ("A1V6B6TNIC10QE", False))
    ]
)
META_2018 = lines(
    [
        {
            "category": ["Clothing", "Men", "</span></span></span>", "Imported"],
            "tech1": "",
            "description": ["Soft &amp; warm.", "From wool."],
            "title": title,
            "also_buy": ["B00"],
            "image": [],
            "feature": ["Wool"],
            "rank": "1 in Clothing",
            "brand": "Fidelity",
            "main_cat": "Toys &amp; Games",
            "price": ".a-box-inner{background-color:#fff}",
            "asin": "5120053084",
            "imageURL": [HOST + "31._SS40_.jpg"],
            "imageURLHighRes": [HOST + "31.jpg", HOST + "32.jpg"],
        }
        for title in ("A jumper", "A jumper again")
    ]
)
RATINGS_2018 = (
    "0143026860,A1V6B6TNIC10QE,1.0,1424304000\n014789302X,A3GQGTE0SEKBUS,5.0,1425600000\n"
)

UPLOADS: dict[str, tuple[str, dict[str, str]]] = {
    "reviews 2023": ("amazon-2023", {"Baby.jsonl": REVIEWS_2023, "meta_Baby.jsonl": META_2023}),
    "folders 2023": (
        "amazon-2023",
        {
            "raw/review_categories/Baby.jsonl": REVIEWS_2023,
            "raw/meta_categories/m.jsonl": META_2023,
        },
    ),
    "only reviews 2023": ("amazon-2023", {"Baby.jsonl": REVIEWS_2023}),
    "only metadata 2023": ("amazon-2023", {"meta_Baby.jsonl": META_2023}),
    "split 2023": ("amazon-2023", {**SPLIT_2023, "meta_Baby.jsonl": META_2023}),
    "history 2023": ("amazon-2023", HISTORY_2023),
    "no header 2023": ("amazon-2023", WITHOUT_HEADER_2023),
    "ratings 2023": ("amazon-2023", {"Baby.csv": SPLIT_2023["Baby.train.csv"]}),
    "reviews 2014": (
        "amazon-2014",
        {"reviews_Toys_5.json": REVIEWS_2014, "meta_Toys.json": META_2014},
    ),
    "only metadata 2014": ("amazon-2014", {"meta_Toys.json": META_2014}),
    "ratings 2014": ("amazon-2014", {"ratings_Toys.csv": RATINGS_2014, "meta_T.json": META_2014}),
    "reviews 2018": ("amazon-2018", {"Toys_5.json": REVIEWS_2018, "meta_Toys.json": META_2018}),
    "only metadata 2018": ("amazon-2018", {"meta_Toys.json": META_2018}),
    "ratings 2018": ("amazon-2018", {"Toys.csv": RATINGS_2018}),
}


def packed(files: dict[str, str]) -> dict[str, str | bytes]:
    return {f"{name}.gz": gzip.compress(text.encode()) for name, text in files.items()}


def installed(up: Path, **options: Any) -> tuple[InstallResult, pd.DataFrame, pd.DataFrame]:
    result = install(up, name="x", replace_existing=True, **options)
    dataset = catalogue.load_dataset(result.name)
    return result, dataset.items.set_index("item_id"), dataset.interactions


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
    assert "1 rows describe an item again" in notes and "1 items that nobody" in notes
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


def test_a_review_without_product_is_rejected_with_its_line(tmp_path: Path) -> None:
    broken = review(0, 0)
    del broken["parent_asin"]
    up = write(tmp_path / "up", {"Baby.jsonl": REVIEWS_2023 + lines([broken])})
    with pytest.raises(InputError, match=r"Baby.jsonl, line 5: the cell of column 'parent_asin'"):
        install(up)
    assert installed(up, lenient=True)[0].report.n_rejected == 1


HOSTILE = {
    "code": "{'asin': __import__('os').getcwd()}",
    "deep": "{'asin': " + "[" * 5000,
    "signs": "{'asin': " + "-" * 100_000 + "1}",
    "sum": "{'asin': " + "+".join(["1"] * 100_000) + "}",
    "digits": "{'asin': " + "9" * 10_000 + "}",
    "unhashable": "{'asin': {[1]: 2}}",
    "zero byte": "{'asin': '\0'}",
    "long": "{'asin': '" + "x" * LONGEST_LITERAL + "'}",
    "open": "{'asin': 'x",
    "list": "['asin']",
    "set": "{'asin', 'title'}",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_line_of_metadata_is_a_rejected_row(tmp_path: Path, what: str) -> None:
    up = write(tmp_path / "up", {"reviews_T.json": REVIEWS_2014})
    write(up, {"meta_T.json": META_2014 + HOSTILE[what] + "\n" + META_2014})
    with pytest.raises(InputError, match=r"^meta_T.json, line 4: "):
        install(up)
    result, items, _ = installed(up, lenient=True)
    assert result.report.n_rejected == 1 and len(items) == 2


def test_odd_values_are_no_crash(tmp_path: Path) -> None:
    odd = [
        "{'asin': '0000031852', 'title': {1, 2}, 'categories': 'Toys', 'imUrl': 5, 'price': []}",
        "{'asin': 'B00004Z0ZZ', 'title': b'x', 'categories': [[None, 3]], ('a', 1): '\\ud83d'}",
    ]
    up = write(tmp_path / "up", {"reviews_T.json": REVIEWS_2014, "meta_T.json": "\n".join(odd)})
    _, items, _ = installed(up)
    assert items["category"].tolist() == ["Toys", "3"]
    up = write(tmp_path / "new", {"Baby.jsonl": REVIEWS_2023})
    values: list[Any] = [3, "text", [None], [[1]], {"large": "x"}, [{"large": 5, "variant": []}]]
    for value in values:
        changed = dict.fromkeys(("title", "features", "images", "categories", "price"), value)
        write(up, {"meta_Baby.jsonl": lines([meta(0, **changed)])})
        installed(up)


def test_prose() -> None:
    assert prose("Pr45&quot; <br/>Wht &amp; 1 < 2 > 0") == 'Pr45" Wht & 1 < 2 > 0'
    assert prose(["a", "", None, ["b\n c"]]) == "a\nb c"
    assert prose(None) == prose({"a": 1}) == "" and prose(3.5) == "3.5"


def test_small_fields() -> None:
    assert price_of("$1,299.50 - $2,000") == "$1,299.50 - $2,000" and price_of("from 14.99")
    assert price_of("None") == price_of(None) == ""
    assert path_of([["a", "b"], ["a", "c|d"]]) == "a|b|c/d" and path_of(None) == ""
    assert picture_of('[{"large": "http://x/l.jpg"}]') == "http://x/l.jpg"
    assert picture_of([{"large": "javascript:x", "variant": "MAIN"}]) == picture_of("[{") == ""
    with pytest.raises(ValueError, match="Expecting"):
        loose_line("[1, 'a']")
