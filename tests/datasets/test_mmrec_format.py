"""MMRec's folders: the split of x_label, features by number, what is filled is missing."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from uploads import npy, picture, readers, refused, write

from mmrec_core.datasets import catalogue
from mmrec_core.datasets.install import inspect, install

INTER = (
    "userID\titemID\trating\ttimestamp\tx_label\n"
    "0\t0\t5.0\t1328140800\t0\n0\t2\t4.0\t1330387200\t1\n0\t3\t3.0\t1330387201\t2\n"
    "1\t0\t5.0\t1328140800\t0\n1\t1\t2.0\t1330387200\t0\n1\t3\t4.0\t1330387201\t2\n"
)
IDS = "asin\titemID\nB01\t0\nB02\t1\nB03\t2\nB04\t3\nB05\t4\n"
META = (
    "itemID,asin,title,price,imUrl,related,brand,categories,salesRank,description\n"
    "0,B01,\"Glock, Punch\",9.99,http://x.example/1.jpg,\"{'also_bought': ['Z']}\",Ghost,"
    "\"[['Sports & Outdoors', 'Hunting'], ['Toys']]\",,Steel tool.\n"
    '1,B02,Lamp,8.26,,,,"[[\'Sports & Outdoors\', ""Men\'s"", \'Lights\']]",,\n'
    '2,B03,Band,,,,,,,"Two\nlines"\n3,B04,,,,,,[],,\n'
)
IMAGES = np.arange(1.0, 11.0, dtype=np.float64).reshape(5, 2)


@pytest.fixture(autouse=True)
def _data(mmrec_data: Path) -> Path:
    return mmrec_data


def baby(folder: Path, **changed: str | bytes | None) -> Path:
    files: dict[str, str | bytes] = {
        "baby.inter": INTER,
        "image_feat.npy": npy(IMAGES),
        "text_feat.npy": npy(np.ones((5, 3), dtype=np.float32)),
        "meta-baby.csv": META,
        "i_id_mapping.csv": IDS,
        "u_id_mapping.csv": "user_id\tuserID\nA1\t0\nA2\t1\n",
        "missed_img_itemIDs.csv": "1\n",
        # What MMRec keeps here is a pickle; it must not even be opened.
        "user_graph_dict.npy": b"\x93NUMPY pickled",
        "images/B03.jpg": picture(),
    }
    for key, content in changed.items():
        name = {"meta": "meta-baby.csv", "inter": "baby.inter", "ids": "i_id_mapping.csv",
                "missed": "missed_img_itemIDs.csv", "image": "image_feat.npy"}[key]  # fmt: skip
        if content is None:
            del files[name]
        else:
            files[name] = content
    return write(folder, files)


def test_what_is_read(tmp_path: Path) -> None:
    up = baby(tmp_path / "baby")
    assert readers(up)[0] == "mmrec"
    result = install(up)
    dataset = catalogue.load_dataset(result.name)
    assert result.report.format == "mmrec" and dataset.info.split == "fixed"
    frame = dataset.interactions
    assert frame["split"].tolist() == ["train", "valid", "test", "train", "train", "test"]
    items = dataset.items.set_index("item_id")
    assert list(items.index) == ["0", "1", "2", "3"]
    assert items["title"].tolist() == ["Glock, Punch", "Lamp", "Band", ""]
    assert items["category"].tolist() == [
        "Sports & Outdoors|Hunting", "Sports & Outdoors|Men's|Lights", "", "",
    ]  # fmt: skip
    assert items.loc["2", "text"] == "Band\nTwo\nlines" and items.loc["1", "text"] == ""
    assert items.loc["0", "image_url"] == "http://x.example/1.jpg"
    assert items.loc["2", "image"] != "" and "related" not in items
    matrix, missing = catalogue.read_features(dataset, "image_feat")
    assert missing.tolist() == [False, True, False, False]
    np.testing.assert_array_equal(matrix[[0, 2, 3]], IMAGES[[0, 2, 3]].astype(np.float32))
    assert result.report.features == {"image_feat": "image", "text_feat": "text"}
    said = " ".join(result.report.notes)
    assert "image_feat.npy: 1 rows are of no item and are not used" in said
    assert "user_graph_dict.npy holds a pickled graph" in said
    assert "missed_img_itemIDs.csv lists 1 ids: their rows of image_feat.npy are missing" in said


def test_packed_and_without_anything_else(tmp_path: Path) -> None:
    name = {"micro/microlens.inter.gz": gzip.compress(INTER.encode())}
    up = write(tmp_path / "up", name)
    assert readers(up)[0] == "mmrec"
    dataset = catalogue.load_dataset(install(up).name)
    assert dataset.items["item_id"].tolist() == ["0", "2", "3", "1"]
    bare = write(tmp_path / "bare", {"a.inter": INTER, "image_feat.npy": npy(IMAGES)})
    report = install(bare).report
    assert any("they cannot be told from the others" in note for note in report.notes)
    free = INTER.replace("\tx_label", "").replace("\t0\n", "\n").replace("\t1\n", "\n")
    up = write(tmp_path / "free", {"a.inter": free.replace("\t2\n", "\n")})
    assert catalogue.load_dataset(install(up).name).info.split == "random"


def test_the_id_map_names_items_where_no_table_does(tmp_path: Path) -> None:
    dataset = catalogue.load_dataset(install(baby(tmp_path / "up", meta=None)).name)
    assert dataset.items["asin"].tolist() == ["B01", "B02", "B03", "B04", "B05"]
    assert dataset.items["image"].tolist()[2] != ""


def test_metadata_by_original_ids(tmp_path: Path) -> None:
    meta = "asin,title\nB03,Band\nB99,Nobody's\nB01,Punch\n"
    result = install(baby(tmp_path / "up", meta=meta))
    items = catalogue.load_dataset(result.name).items.set_index("item_id")
    assert items.loc["2", "title"] == "Band" and items.loc["0", "title"] == "Punch"
    assert sorted(items.index) == ["0", "1", "2", "3"]
    untied = install(baby(tmp_path / "two", meta=meta, ids=None), name="two").report
    assert any("nothing ties it to the items" in note for note in untied.notes)


def test_several_tables(tmp_path: Path, mmrec_data: Path) -> None:
    up = write(baby(tmp_path / "up"), {"sports.inter": INTER})
    assert "holds 2 tables of interactions" in refused(up, mmrec_data)
    result = install(up, mapping={"interactions_file": "baby.inter"})
    assert result.report.n_interactions == 6
    # Before it is divided, MMRec's preprocessing leaves the same table without split.
    raw = write(baby(tmp_path / "two"), {"raw.inter": "userID\titemID\n0\t0\n"})
    assert install(raw, name="two").report.n_interactions == 6


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"inter": INTER.replace("201\t2\n1", "201\t7\n1")}, "line 4: column 'x_label' says '7'"),
        ({"inter": INTER.replace("\t2\n", "\t1\n")}, "of no interaction that it is for test"),
        ({"inter": INTER + "1\t2\n"}, "line 8: 2 cells, and 5 columns are in the header"),
        ({"image": npy(IMAGES[:2])}, "2 rows, but item '3' is said to be on row 4"),
        ({"image": npy(np.array([[1], [None]], dtype=object))}, "holds Python objects"),
        ({"image": npy(IMAGES * [[1], [1], [np.nan], [1], [1]])}, "line 3: the row (item '2')"),
        ({"image": npy(np.ones(5))}, "has shape (5,)"),
        ({"ids": IDS.replace("B05\t4", "B05\t3")}, "line 6: itemID '3' is already on line 5"),
        ({"ids": "x\n1\n"}, "i_id_mapping.csv, line 1: it must name the columns"),
        ({"meta": META + "3,B04,again,,,,,,,\n"}, "item '3' is already on line 6"),
    ],
)
def test_unsound(
    tmp_path: Path, mmrec_data: Path, changed: dict[str, str | bytes], sentence: str
) -> None:
    up = baby(tmp_path / "up", **changed)
    assert sentence in refused(up, mmrec_data)
    if "for test" not in sentence:
        report, _ = inspect(up)
        assert report.n_rejected == 1 and report.n_interactions >= 5
