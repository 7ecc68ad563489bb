"""Files as the Amazon datasets are published, of a few rows each."""

import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd

from mmrec_core.datasets import catalogue
from mmrec_core.datasets.install import InstallResult, install

USERS = ("AEIDF5SU5ZJIQYDAYKYKNJBBOOFQ", "AGGZ357AO26RQZVRLGU4D4N52DZQ")
ITEMS = ("B01CUPMQZE", "B076WQZGPM", "0439893577")
HOST = "https://m.media-amazon.com/images/I/"


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
