"""Elliot's split files without header, and Ducho's folders with one vector for each item."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from uploads import npy, picture, readers, refused, write

from mmrec_core.datasets import catalogue
from mmrec_core.datasets.install import inspect, install

IMAGE = "visual_embeddings_1/torch/ResNet50/avgpool"
TEXT = "textual_embeddings_1/sentence_transformers/sentence-transformers/all-mpnet-base-v2/1"
TRAIN = "U1\tB01\t5.0\nU1\tB02\t4.0\nU2\tB02\t3.0\n"
MAP = "B01\t0\nB02\t1\nB03\t2\n"


@pytest.fixture(autouse=True)
def _data(mmrec_data: Path) -> Path:
    return mmrec_data


def vector(*numbers: float) -> bytes:
    # Ducho's extractors leave a dimension for the batch.
    return npy(np.array([numbers], dtype=np.float32))


def music(folder: Path, **changed: str | bytes) -> Path:
    files: dict[str, str | bytes] = {
        "train.tsv": TRAIN,
        "val.tsv": "U1\tB03\t2.0\n",
        "test.tsv": "U2\tB03\t1.0\n",
        "meta.tsv": 'asin\tdescription\timUrl\nB01\t"A ""fine"" disc"\thttp://x.example/1.jpg\n'
        "B02\tAnother\t\nB03\t\t\n",
        "images/B01.jpg": picture(),
        f"{IMAGE}/B01.npy": vector(1, 2),
        f"{IMAGE}/B02.npy": vector(3, 4),
        f"{IMAGE}/B99.npy": vector(3, 4),
        f"{TEXT}/B01.npy": npy(np.ones(3, dtype=np.float32)),
        f"{TEXT}/B02.npy": npy(np.full(3, 2.0)),
        f"{TEXT}/B03.npy": npy(np.full(3, 3.0)),
        "audio_embeddings/torchaudio/VGGISH/6/B01.npy": vector(1),
    }
    names = {"train": "train.tsv", "b01": f"{IMAGE}/B01.npy", "b02": f"{IMAGE}/B02.npy"}
    files.update({names[key]: content for key, content in changed.items()})
    return write(folder, files)


def test_what_is_read(tmp_path: Path) -> None:
    up = music(tmp_path / "music")
    assert readers(up)[0] == "elliot-ducho"
    result = install(up)
    dataset = catalogue.load_dataset(result.name)
    assert dataset.interactions["split"].tolist() == ["train"] * 3 + ["valid", "test"]
    assert dataset.interactions["rating"].tolist() == [5, 4, 3, 2, 1]
    assert dataset.items["text"].tolist() == ['A "fine" disc', "Another", ""]
    assert dataset.items["image_url"].iloc[0] == "http://x.example/1.jpg"
    assert dataset.items["image"].iloc[0] != ""
    name = "visual_1-torch-ResNet50-avgpool"
    assert result.report.features == {
        "textual_1-sentence_transformers-sentence-transformers-all-mpnet-base-v2-1": "text",
        name: "image",
    }
    matrix, missing = catalogue.read_features(dataset, name)
    assert missing.tolist() == [False, False, True]
    assert matrix.tolist() == [[1, 2], [3, 4], [0, 0]]
    said = " ".join(result.report.notes)
    assert "1 vectors are of no item" in said and "audio is no modality here" in said


def test_packed_splits_with_times(tmp_path: Path) -> None:
    rows = gzip.compress(b"1\t10\t5\t881250949\n1\t11\t4\t881250950\n")
    test = gzip.compress(b"1\t12\t5\t881250951\n")
    up = write(tmp_path / "up", {"0/train.tsv.gz": rows, "0/test.tsv.gz": test})
    assert readers(up)[0] == "elliot-ducho"
    report, _ = inspect(up)
    assert report.columns["timestamp"] == ("timestamp",) and report.n_interactions == 3


def test_plain_layout_is_not_taken(tmp_path: Path) -> None:
    for suffix, sign in (("csv", ","), ("tsv", "\t")):
        row = sign.join(("u", "b", "3"))
        text = f"{sign.join(('user_id', 'item_id', 'rating'))}\n{row}\n"
        files = {f"{part}.{suffix}": text for part in ("train", "valid", "test")}
        assert readers(write(tmp_path / suffix, files))[0] == "folder"
    strange = {f"{part}.tsv": "who\twhat\tstars\nu\tb\t3\n" for part in ("train", "test")}
    assert readers(write(tmp_path / "strange", strange))[0] == "tables"


def indexed(folder: Path, map_: str | None = MAP, plain: bool = True) -> Path:
    files: dict[str, str | bytes] = {
        "train_indexed.tsv": "0\t0\t5.0\n0\t1\t4.0\n1\t1\t3.0\n",
        "val_indexed.tsv": "0\t2\t2.0\n",
        "test_indexed.tsv": "1\t2\t1.0\n",
        "meta.tsv": "asin\tdescription\nB01\tOne\nB02\tTwo\nB03\tThree\n",
    }
    if plain:
        files |= {
            "train.tsv": TRAIN, "val.tsv": "U1\tB03\t2.0\n", "test.tsv": "U2\tB03\t1.0\n",
        }  # fmt: skip
    if map_ is not None:
        files["items_map.tsv"] = map_
    where = IMAGE.replace("_1/", "_indexed_1/")
    files |= {f"{where}/{at}.npy": vector(at + 1, 5) for at in range(3)}
    return write(folder, files)


@pytest.mark.parametrize(
    ("map_", "plain", "ids", "text"),
    [
        (MAP, True, ["B01", "B02", "B03"], "One"),
        (MAP, False, ["B01", "B02", "B03"], "One"),
        ("asin\tid\n" + MAP, True, ["B01", "B02", "B03"], "One"),
        ("0\tB01\n1\tB02\n2\tB03\n", True, ["B01", "B02", "B03"], "One"),
        ("internal_id\toriginal_id\n0\tB01\n1\tB02\n2\tB03\n", False, ["B01", "B02", "B03"], "One"),
        # Without a map numbers fit numbers alone, and the words cannot be tied to them.
        (None, True, ["0", "1", "2"], ""),
        (None, False, ["0", "1", "2"], ""),
    ],
)
def test_numbered_items(
    tmp_path: Path, map_: str | None, plain: bool, ids: list[str], text: str
) -> None:
    up = indexed(tmp_path / "up", map_, plain)
    assert readers(up)[0] == "elliot-ducho"
    dataset = catalogue.load_dataset(install(up).name)
    assert dataset.items["item_id"].tolist() == ids and dataset.items["text"].iloc[0] == text
    matrix, _ = catalogue.read_features(dataset, "visual_1-torch-ResNet50-avgpool")
    assert matrix[:, 0].tolist() == [1, 2, 3]


def test_the_same_vectors_under_both_names(tmp_path: Path) -> None:
    up = write(indexed(tmp_path / "up"), {f"{IMAGE}/B0{n}.npy": vector(n, 5) for n in (1, 2, 3)})
    result = install(up)
    assert list(result.report.features) == ["visual_1-torch-ResNet50-avgpool"]
    mixed = write(indexed(tmp_path / "two", None), {f"{TEXT}/B01.npy": vector(1, 2)})
    report = install(mixed, name="two").report
    assert list(report.features.values()) == ["text"]
    assert any("nothing tells which number is which item" in note for note in report.notes)


def test_imputed_vectors_are_missing(tmp_path: Path) -> None:
    up = write(music(tmp_path / "up"), {"missing_visual.tsv": "B02\n", "missing_textual.tsv": "\n"})
    dataset = catalogue.load_dataset(install(up).name)
    _, missing = catalogue.read_features(dataset, "visual_1-torch-ResNet50-avgpool")
    assert missing.tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"train": TRAIN + "U3\tB01\n"}, "train.tsv, line 4: 2 cells, and 3 columns are expected"),
        ({"train": TRAIN + "U3\tB01\tgood\n"}, "train.tsv, line 4: the rating 'good'"),
        ({"b02": vector(1, 2, 3)}, "the vector of item 'B02' has 3 numbers, and 2 those before"),
        ({"b01": npy(np.array([None]))}, "the vector of item 'B01' cannot be used: the array"),
        ({"b01": vector(1, np.nan)}, "holds NaN or infinity"),
        ({"b01": b"\x93NUMPY"}, "the vector of item 'B01' cannot be used: this is not a readable"),
        ({"b01": npy(np.ones((2, 2)))}, "it has shape (2, 2); one vector an item is needed"),
    ],
)
def test_unsound(
    tmp_path: Path, mmrec_data: Path, changed: dict[str, str | bytes], sentence: str
) -> None:
    up = music(tmp_path / "up", **changed)
    assert sentence in refused(up, mmrec_data)
    report, _ = inspect(up)
    assert report.n_rejected == 1 and "visual_1-torch-ResNet50-avgpool" in report.features


def test_unsound_maps_and_splits(tmp_path: Path, mmrec_data: Path) -> None:
    up = indexed(tmp_path / "up", MAP + "B04\t2\n")
    assert "items_map.tsv, line 4: number '2' is already on line 3" in refused(up, mmrec_data)
    up = indexed(tmp_path / "two", "B01\n")
    assert "items_map.tsv, line 1: 1 cells" in refused(up, mmrec_data)
    up = write(music(tmp_path / "three"), {"1/train.tsv": TRAIN})
    assert "one part of several splits" in refused(up, mmrec_data)
    up = music(tmp_path / "four")
    (up / "test.tsv").unlink()
    assert "There is no test.tsv" in refused(up, mmrec_data, importer="elliot-ducho")
    up = music(tmp_path / "five", train="U1,B01,5\n")
    assert "line 1: 1 cells with tabs" in refused(up, mmrec_data, importer="elliot-ducho")
