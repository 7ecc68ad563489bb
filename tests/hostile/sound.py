"""A sound upload of every format, or several, which the corpus breaks in every way it knows.

Whoever registers a format adds one here; ``test_hostile.py`` fails until it is done.
"""

import gzip
import io
import json
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from hostile import Content

RATED = [("u1", "i1", 5), ("u1", "i2", 3), ("u1", "i3", 4), ("u2", "i1", 2), ("u2", "i2", 5)]
ITEMS = {
    "item_id": ["i1", "i2", "i3"],
    "title": ["Blue mug", "Lamp", "Zoë’s chair"],
    "description": ["With a handle.", "Bright, warm", "Oak."],
    "category": ["kitchen|cups", "light", "seats"],
}
ASINS = ("B01CUPMQZE", "B076WQZGPM", "0439893577")
READERS = ("AEIDF5SU5ZJIQYDAYKYKNJBBOOFQ", "AGGZ357AO26RQZVRLGU4D4N52DZQ")


@cache
def picture(kind: str = "JPEG", size: tuple[int, int] = (16, 12), seed: int = 0) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (*size[::-1], 3), dtype=np.uint8)
    raw = io.BytesIO()
    Image.fromarray(pixels).save(raw, kind)
    return raw.getvalue()


def npy(array: Any, **options: Any) -> bytes:
    raw = io.BytesIO()
    np.save(raw, np.asarray(array), **options)
    return raw.getvalue()


def csv_of(columns: dict[str, list[Any]], sign: str = ",", quote: str = '"') -> str:
    def written(cell: Any) -> str:
        text = str(cell)
        return f"{quote}{text}{quote}" if sign in text and quote else text

    rows = [list(columns), *zip(*columns.values(), strict=True)]
    return "".join(sign.join(map(written, row)) + "\n" for row in rows)


def lines_of(records: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def records_of(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def parquet_of(columns: Any, **options: Any) -> bytes:
    raw = io.BytesIO()
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), raw, **options)
    return raw.getvalue()


def arrow_of(columns: dict[str, Any]) -> bytes:
    table, sink = pa.table(columns), pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table, max_chunksize=2)
    raw: bytes = sink.getvalue().to_pybytes()
    return raw


INTERACTIONS: dict[str, list[Any]] = {
    "user_id": [user for user, _, _ in RATED],
    "item_id": [item for _, item, _ in RATED],
    "rating": [rating for _, _, rating in RATED],
    "timestamp": list(range(1_600_000_000, 1_600_000_000 + len(RATED))),
}


def _folder() -> dict[str, Content]:
    text = {"interactions.csv": csv_of(INTERACTIONS), "items.csv": csv_of(ITEMS)}
    features = {
        "features/clip_image.npy": npy(np.ones((3, 2), dtype=np.float32)),
        "images/i1.jpg": picture(),
    }
    parts = {
        name: "user_id,item_id\n" + "".join(f"{u},{i}\n" for u, i, _ in rows)
        for name, rows in (
            ("train.csv", RATED[:3]), ("valid.csv", RATED[3:4]), ("test.csv", RATED[4:])
        )
    }  # fmt: skip
    return {
        "csv": {**text, **features, "dataset.toml": 'name = "shop"\nlicence = "CC0"\n'},
        "jsonl": {
            "interactions.jsonl": lines_of(records_of(INTERACTIONS)),
            "items.jsonl": lines_of(records_of(ITEMS)),
        },
        "parquet": {
            "interactions.parquet": parquet_of(INTERACTIONS),
            "items.parquet": parquet_of(ITEMS),
        },
        "split": {**parts, "items.tsv": csv_of(ITEMS, "\t")},
    }


def _amazon_2023() -> dict[str, Content]:
    reviews = [
        {"rating": 5.0, "title": "Lovely", "text": "Nice.<br />", "images": [], "asin": "B0",
         "parent_asin": ASINS[item], "user_id": READERS[user], "timestamp": 1588687728923 + at}
        for at, (user, item) in enumerate([(0, 0), (0, 1), (1, 0), (1, 2)])
    ]  # fmt: skip
    meta = [
        {"main_category": "All Beauty", "title": f"Cleaner {at}", "average_rating": 4.8,
         "features": ["Cleans"], "description": ["A <b>fine</b> one.", ""], "price": None,
         "images": [{"large": "https://x.example/l.jpg", "variant": "MAIN", "hi_res": None}],
         "store": "Howard", "categories": ["Beauty", "Skin, Hair"], "parent_asin": asin}
        for at, asin in enumerate(ASINS)
    ]  # fmt: skip
    rows = [f"{READERS[u]},{ASINS[i]},4.0,158868772892{i}\n" for u, i in ((0, 0), (0, 1), (0, 2))]
    header = "user_id,parent_asin,rating,timestamp\n"
    split = {
        f"Baby.{part}.csv": header + row for part, row in zip(("train", "valid", "test"), rows)
    }
    return {
        "reviews": {"Baby.jsonl": lines_of(reviews), "meta_Baby.jsonl": lines_of(meta)},
        "split": {**split, "meta_Baby.jsonl": lines_of(meta)},
    }


def _amazon_2014() -> dict[str, Content]:
    reviews = [
        {"reviewerID": user, "asin": ASINS[item], "helpful": [2, 3], "reviewText": "Good.",
         "overall": 5.0, "summary": "Heavenly", "unixReviewTime": 1252800000}
        for user, item in (("A2SUAM1J3GNN3B", 0), ("A2SUAM1J3GNN3B", 1), ("A1KLRMWW2FWPL4", 0))
    ]  # fmt: skip
    meta = [
        {"asin": asin, "title": "Girls' tutu", "price": 3.17, "imUrl": "http://x.example/a.jpg",
         "related": {"also_bought": ["B00"]}, "salesRank": {"Toys": 211836}, "brand": "Coxlures",
         "categories": [["Sports & Outdoors", "Dance"]], "description": "A 'fine' one"}
        for asin in ASINS
    ]  # fmt: skip
    literals = "".join(f"{record!r}\n" for record in meta)
    ratings = "".join(f"A2SUAM1J3GNN3B,{asin},5.0,1252800000\n" for asin in ASINS)
    return {
        "reviews": {"reviews_Baby_5.json": lines_of(reviews), "meta_Baby.json": literals},
        "ratings": {"ratings_Baby.csv": ratings, "meta_Baby.json": literals},
    }


def _amazon_2018() -> dict[str, Content]:
    reviews = [
        {"overall": 5.0, "verified": True, "reviewTime": "09 1, 2016", "reviewerID": user,
         "asin": ASINS[item], "style": {"Size:": " 4"}, "reviewText": "Good.", "summary": "Nice",
         "unixReviewTime": 1472688000}
        for user, item in (("A3CIUOJXQ5VDQ2", 0), ("A3CIUOJXQ5VDQ2", 1), ("A3H7T87S984REU", 0))
    ]  # fmt: skip
    meta = [
        {"category": ["Beauty", "Hair"], "description": ["Fine"], "title": f"Comb {at}",
         "also_buy": [], "feature": ["Of wood"], "main_cat": "Luxury Beauty", "brand": "B",
         "asin": asin, "imageURLHighRes": ["https://x.example/c.jpg"], "price": "$30.00"}
        for at, asin in enumerate(ASINS)
    ]  # fmt: skip
    return {"reviews": {"Baby_5.json": lines_of(reviews), "meta_Baby.json": lines_of(meta)}}


def _movielens() -> dict[str, Content]:
    ratings = "userId,movieId,rating,timestamp\n1,1,4.0,964982703\n1,2,0.5,96498124\n2,1,5.0,144\n"
    movies = (
        "movieId,title,genres\n1,Toy Story (1995),Adventure|Animation\n"
        '2,"Misérables, Les (1995)",Drama\n'
    )
    tags = "userId,movieId,tag,timestamp\n2,1,Pixar,1\n3,1,fun|ny,3\n"
    flags = "|".join("01" * 9)
    return {
        "latest": {
            "ratings.csv": ratings,
            "movies.csv": movies,
            "tags.csv": tags,
            "links.csv": "movieId,imdbId,tmdbId\n1,0114709,862\n2,0113828,\n",
            "posters/0114709.jpg": picture(),
        },
        "1M": {
            "ratings.dat": "1::1193::5::978300760\n1::661::3::978302109\n2::1193::4::978298413\n",
            "movies.dat": "661::James (1996)::Animation\n1193::Misérables (75)::Drama\n".encode(
                "latin-1"
            ),
        },
        "100K": {
            "u.data": "196\t242\t3\t881250949\n186\t267\t3\t891717742\n",
            "u.item": (
                f"242|Kolya (1996)|24-Jan-1997||http://x.example|0|{flags}\n"
                f"267|Café|1-Jan-1990|||0|{flags}\n"
            ).encode("latin-1"),
        },
    }


def _mmrec() -> dict[str, Content]:
    inter = (
        "userID\titemID\trating\ttimestamp\tx_label\n"
        "0\t0\t5.0\t1328140800\t0\n0\t1\t4.0\t1330387200\t1\n0\t2\t3.0\t1330387201\t2\n"
        "1\t0\t5.0\t1328140800\t0\n1\t1\t2.0\t1330387200\t0\n"
    )
    meta = (
        "itemID,asin,title,price,imUrl,categories,description\n"
        "0,B01,\"Glock, Punch\",9.99,http://x.example/1.jpg,\"[['Sports', 'Hunting']]\",Steel.\n"
        '1,B02,Lamp,8.26,,[],"Two\nlines"\n2,B03,Band,,,,\n'
    )
    return {
        "baby": {
            "baby.inter": inter,
            "image_feat.npy": npy(np.arange(1.0, 7.0).reshape(3, 2)),
            "text_feat.npy": npy(np.ones((3, 3), dtype=np.float32)),
            "meta-baby.csv": meta,
            "i_id_mapping.csv": "asin\titemID\nB01\t0\nB02\t1\nB03\t2\n",
            "missed_img_itemIDs.csv": "1\n",
        }
    }


def _elliot() -> dict[str, Content]:
    image, text = "visual_embeddings_1/torch/ResNet50/avgpool", "textual_embeddings_1/bert/1"
    return {
        "music": {
            "train.tsv": "U1\tB01\t5.0\nU1\tB02\t4.0\nU2\tB02\t3.0\n",
            "val.tsv": "U1\tB03\t2.0\n",
            "test.tsv": "U2\tB03\t1.0\n",
            "meta.tsv": 'asin\tdescription\nB01\t"A ""fine"" disc"\nB02\tAnother\nB03\t\n',
            "items_map.tsv": "B01\t0\nB02\t1\nB03\t2\n",
            **{f"{image}/B0{k}.npy": npy([[float(k), 2.0]]) for k in (1, 2)},
            **{f"{text}/B0{k}.npy": npy([float(k), 2.0]) for k in (1, 2, 3)},
        }
    }


def _recbole() -> dict[str, Content]:
    inter = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    rows = "".join(f"{u}\t{i}\t{r}\t160000000{r}\n" for u, i, r in RATED)
    item = (
        "item_id:token\ttitle:token_seq\tclass:token_seq\tvec:float_seq\n"
        "i1\tBlue mug\tkitchen cups\t0.1 0.2\ni2\tLamp\tlight\t0.1 0.2\ni3\tZoë\tnan\t0.1 0.2\n"
    )
    pairs = {"train": RATED[:3], "valid": RATED[3:4], "test": RATED[4:]}
    parts = {
        f"ml.{name}.inter": inter + "".join(f"{u}\t{i}\t{r}\t1.0\n" for u, i, r in rows)
        for name, rows in pairs.items()
    }
    return {"atomic": {"ml.inter": inter + rows, "ml.item": item}, "split": parts}


def _huggingface() -> dict[str, Content]:
    def saved(folder: str, columns: dict[str, Any]) -> Content:
        name = "data-00000-of-00001.arrow"
        state = {"_data_files": [{"filename": name}], "_split": None}
        return {
            f"{folder}/{name}": arrow_of(columns),
            f"{folder}/state.json": json.dumps(state),
            f"{folder}/dataset_info.json": json.dumps({"license": "cc0"}),
        }

    return {
        "saved": {
            "dataset_dict.json": '{"splits": ["interactions", "items"]}',
            **saved("interactions", INTERACTIONS),
            **saved("items", ITEMS),
        },
        "hub": {
            "data/interactions-00000-of-00001.parquet": parquet_of(INTERACTIONS),
            "data/items-00000-of-00001.parquet": parquet_of(ITEMS),
        },
    }


def _tables() -> dict[str, Content]:
    return {
        "csv": {"orders.csv": csv_of(INTERACTIONS), "goods.txt.csv": csv_of(ITEMS, ";")},
        "packed": {
            "orders.tsv.gz": gzip.compress(csv_of(INTERACTIONS, "\t").encode(), mtime=0),
            "goods.ndjson": lines_of(records_of(ITEMS)),
        },
        "arrow": {"orders.arrow": arrow_of(INTERACTIONS), "goods.parquet": parquet_of(ITEMS)},
    }


SOUND = {
    "folder": _folder,
    "tables": _tables,
    "amazon-2023": _amazon_2023,
    "amazon-2014": _amazon_2014,
    "amazon-2018": _amazon_2018,
    "movielens": _movielens,
    "mmrec": _mmrec,
    "elliot-ducho": _elliot,
    "recbole": _recbole,
    "huggingface": _huggingface,
}
"""Format -> variant -> a sound upload; formats that are not registered are left alone."""


@cache
def sound(format_: str) -> dict[str, Content]:
    """Variants of sound uploads of a format, made once."""
    return SOUND[format_]()
