"""Uploads as people have them: other spellings, many folders, raw copies, odd columns."""

import json
import subprocess
import sys
from pathlib import Path

import amazon_files
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from uploads import npy, picture, readers, refused, shop, write

from mmrec_core.datasets import catalogue
from mmrec_core.datasets.arrays import read_array
from mmrec_core.datasets.importers.columnar import _values_in
from mmrec_core.datasets.importers.lines import Lines
from mmrec_core.datasets.importers.tables import Table, read_table
from mmrec_core.datasets.install import Refused, inspect, install, recognised
from mmrec_core.datasets.narrowing import Narrowing
from mmrec_core.datasets.schema import Ledger
from mmrec_core.domain import Dataset, InputError

USERS = "user_id,item_id\n"
RATINGS = "userId,movieId,rating,timestamp\n1,1,5,10\n1,2,4,11\n2,1,3,12\n"
MOVIES = "movieId,title,genres\n1,One (1999),Drama\n2,Two (2000),War\n"


@pytest.fixture(autouse=True)
def _data(mmrec_data: Path) -> Path:
    return mmrec_data


def installed(up: Path, **options: object) -> tuple[Dataset, str]:
    """The dataset, and what the report notes."""
    result = install(up, **options)  # type: ignore[arg-type]
    return catalogue.load_dataset(result.name), " ".join(result.report.notes)


# Splits


@pytest.mark.parametrize("called", ["val", "validation", "dev", "valid"])
def test_the_middle_part_of_a_split_by_any_of_its_names(tmp_path: Path, called: str) -> None:
    up = write(
        tmp_path / "up",
        {
            "train.csv": f"{USERS}a,1\na,2\nb,1\n",
            f"{called}.csv": f"{USERS}a,9\n",
            "test.csv": f"{USERS}b,2\n",
        },
    )
    dataset, _ = installed(up)
    assert sorted(dataset.interactions["split"]) == ["test", "train", "train", "train", "valid"]
    assert "9" in set(dataset.items["item_id"])


def test_two_files_of_one_part(tmp_path: Path) -> None:
    parts = dict.fromkeys(("train.csv", "test.csv", "val.csv", "dev.csv"), f"{USERS}a,1\n")
    with pytest.raises(Refused, match="one part of a split"):
        inspect(write(tmp_path / "up", parts))


def test_what_the_plain_layout_does_not_read_is_named(tmp_path: Path) -> None:
    up = write(shop(tmp_path / "up"), {"holdout.csv": f"{USERS}u1,b\n"})
    assert "Not read: holdout.csv" in installed(up)[1]


@pytest.mark.parametrize("same", [True, False])
def test_a_header_of_two_names_is_no_interaction_of_elliot(tmp_path: Path, same: bool) -> None:
    head = "viewer\tclip\n" if same else ""
    up = write(tmp_path / "up", {"train.tsv": f"{head}a\t1\nb\t2\n", "test.tsv": f"{head}b\t1\n"})
    assert ("elliot-ducho" in readers(up)) is not same


# Ids


def test_numbers_with_gaps_are_written_as_they_were_meant(tmp_path: Path) -> None:
    ids = [12345678901.0, 1e10, 7.0, float(2**52), None, -3.0, 0.5, 1234567.0, float("nan")]
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"item_id": ids, "small": pa.array([7] * 9, pa.float32())}), path)
    with Ledger(lenient=True) as ledger:
        frame = next(read_table(Table("t.parquet", path), ledger)).frame
    assert frame["item_id"].tolist() == [
        "12345678901", "10000000000", "7", str(2**52), "", "-3", "0.5", "1234567", "",
    ]  # fmt: skip
    assert set(frame["small"]) == {"7"}


def test_the_id_of_a_review_is_not_taken_for_the_items(tmp_path: Path) -> None:
    up = write(tmp_path / "up", {"reviews.csv": "id,user_id,listing\n1,a,x\n2,a,y\n3,b,x\n"})
    with pytest.raises(Refused, match="no column for the items is found among id, user_id"):
        inspect(up)
    dataset, _ = installed(up, mapping={"item_id": "listing"})
    assert sorted(dataset.items["item_id"]) == ["x", "y"]
    # Where nothing is left unexplained it is the item.
    up = write(tmp_path / "plain", {"reviews.csv": "id,user_id\n1,a\n2,a\n1,b\n"})
    assert sorted(installed(up)[0].items["item_id"]) == ["1", "2"]


def test_only_numbers_are_freed_of_their_fraction(tmp_path: Path) -> None:
    up = write(
        tmp_path / "up",
        {
            "train.tsv": "u1\tv1\t5\nu1\tv1.0\t4\n",
            "test.tsv": "u2\tv1\t3\n",
            "visual_embeddings/v1.npy": npy(np.ones(3)),
            "visual_embeddings/v1.0.npy": npy(np.full(3, 2.0)),
            "missing_visual.tsv": "v1.0\n",
        },
    )
    dataset, _ = installed(up)
    missing = dict(
        zip(dataset.items["item_id"], catalogue.read_features(dataset, "visual")[1], strict=True)
    )
    assert missing == {"v1": False, "v1.0": True}


# Features


FORMATS = {
    "movielens": {"ratings.csv": RATINGS, "movies.csv": MOVIES},
    "recbole": {
        "ml.inter": "user_id:token\titem_id:token\n1\t1\n1\t2\n2\t1\n",
        "ml.item": "item_id:token\ttitle:token_seq\n1\tOne\n2\tTwo\n",
    },
    "mmrec": {"baby.inter": "userID\titemID\tx_label\n0\t0\t0\n0\t1\t2\n1\t0\t0\n"},
    "elliot-ducho": {"train.tsv": "u\t1\t5\nv\t2\t4\n", "test.tsv": "u\t2\t3\n"},
    "tables": {"orders.csv": f"{USERS}u,1\nu,2\n", "goods.csv": "item_id,title\n1,One\n2,Two\n"},
}


@pytest.mark.parametrize("format_", FORMATS)
def test_matrices_under_features_are_read_whatever_the_format(tmp_path: Path, format_: str) -> None:
    up = write(
        tmp_path / "up",
        {
            **FORMATS[format_],
            "features/clip-image.npy": npy([[1.0, 2.0], [3.0, 4.0]]),
            "features/clip-image.ids.txt": "\n".join(
                ["0", "1"] if format_ == "mmrec" else ["1", "2"]
            ),
        },
    )
    assert recognised_in(up) == format_
    dataset, said = installed(up)
    assert "clip-image.npy is taken for image features" in said
    matrix, missing = catalogue.read_features(dataset, "clip-image")
    assert matrix.tolist() == [[1, 2], [3, 4]] and not missing.any()


def recognised_in(up: Path) -> str:
    from mmrec_core.datasets.archive import scan

    return recognised(scan(up, up.name))


def test_a_matrix_in_parquet_is_no_table(tmp_path: Path) -> None:
    up = write(tmp_path / "up", FORMATS["tables"])
    (up / "features").mkdir()
    frame = pd.DataFrame({"item_id": ["1", "2"], "f0": [1.0, 2.0], "f1": [0.5, 0.25]})
    frame.to_parquet(up / "features" / "clip.parquet")
    dataset, _ = installed(up)
    assert catalogue.read_features(dataset, "clip")[0].tolist() == [[1, 0.5], [2, 0.25]]
    assert "f0" not in dataset.items


def test_a_row_that_claims_to_be_wide_fills_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mmrec_data: Path
) -> None:
    from mmrec_core import settings

    monkeypatch.setenv("MMREC_LIMITS", "features_bytes=1000")
    settings.settings.cache_clear()
    up = write(
        shop(tmp_path / "up"),
        {"features/wide.npy": npy(np.ones((1, 500))), "features/wide.ids.txt": "b"},
    )
    said = refused(up, mmrec_data)
    assert "features/wide.npy" in said and "3 items by 500 numbers" in said


def test_long_paths_of_vectors_make_short_names(tmp_path: Path) -> None:
    deep = "/".join(["visual_embeddings", *["a-rather-long-name-of-a-model"] * 9])
    other = deep + "x"
    up = write(
        tmp_path / "up",
        {
            **FORMATS["elliot-ducho"],
            **{f"{where}/{n}.npy": npy([1.0, n]) for where in (deep, other) for n in (1, 2)},
        },
    )
    dataset, _ = installed(up)
    names = catalogue.dataset_features(dataset.name)
    assert len(names) == 2 and max(map(len, names)) <= 100


# Which files are meant


@pytest.mark.parametrize("format_", ["movielens", "elliot-ducho", "recbole", "mmrec"])
def test_a_raw_copy_in_a_folder_is_not_read_instead(tmp_path: Path, format_: str) -> None:
    raw = {f"raw/{name}": content for name, content in FORMATS[format_].items()}
    up = write(shop(tmp_path / "up"), raw)
    dataset, _ = installed(up)
    assert set(dataset.items["item_id"]) == {"007", "b", "c"}


def test_a_catalogue_in_a_folder_beside_a_readme(tmp_path: Path) -> None:
    toml = 'title = "Deep"\nlicence = "ours"\n[thresholds]\nk_core = 2\n'
    up = shop(tmp_path / "up" / "shop")
    write(up, {"dataset.toml": toml, "features/x-text.npy": npy(np.ones((3, 2)))})
    write(tmp_path / "up", {"README.md": "# Our shop"})
    dataset, _ = installed(tmp_path / "up")
    assert dataset.info.licence == "ours" and dataset.info.k_core == 2
    assert catalogue.dataset_features(dataset.name) == ["x-text"]


def test_settings_that_lie_in_a_folder_are_named(tmp_path: Path) -> None:
    up = write(shop(tmp_path / "up"), {"old/dataset.toml": 'title = "Old"'})
    assert "old/dataset.toml is not read" in installed(up)[1]


@pytest.mark.parametrize("name", ["._ml.inter", "._train-00000-of-00001.parquet", "a/._x.csv"])
def test_what_macos_leaves_is_not_looked_at(tmp_path: Path, name: str) -> None:
    up = write(tmp_path / "up", {**FORMATS["recbole"], name: b"\0\5\x16\7" * 20})
    assert len(installed(up)[0].items) == 2


# Pictures


def test_pictures_in_a_hundred_folders(tmp_path: Path) -> None:
    ids = [f"{n:03}77" for n in range(100)]
    rows = "".join(f"u{n % 3},{item}\n" for n, item in enumerate(ids))
    files: dict[str, str | bytes] = {"orders.csv": USERS + rows}
    files |= {f"photos/{item[:3]}/{item}.jpg": picture(seed=int(item)) for item in ids}
    files["aside/00077.jpg"] = picture(seed=5)
    dataset, said = installed(write(tmp_path / "up", files))
    assert (dataset.items["image"] != "").all()
    assert "1 pictures are called as another one in another folder is" in said


def test_a_whole_path_goes_before_the_end_of_another(tmp_path: Path) -> None:
    up = write(
        tmp_path / "up",
        {
            "orders.csv": f"{USERS}u,1\nu,2\n",
            "goods.csv": "item_id,image\n1,photos/x.jpg\n2,x.jpg\n",
            "a/photos/x.jpg": picture(seed=1),
            "photos/x.jpg": picture(seed=2),
        },
    )
    dataset, _ = installed(up)
    alone = write(tmp_path / "alone", {"orders.csv": f"{USERS}u,1\n", "1.jpg": picture(seed=2)})
    wanted = installed(alone, name="alone")[0].items["image"].iloc[0]
    found = dict(zip(dataset.items["item_id"], dataset.items["image"], strict=True))
    assert found["1"] == wanted != found["2"]


def test_which_of_two_columns_of_pictures(tmp_path: Path) -> None:
    pictures = [{"bytes": picture(seed=n), "path": None} for n in range(4)]
    up = tmp_path / "up"
    up.mkdir()
    rows = {"user_id": ["a", "b"], "item_id": ["1", "2"]}
    pq.write_table(pa.table(rows), up / "train-00000-of-00001.parquet")
    items = {"item_id": ["1", "2"], "front": pictures[:2], "back": pictures[2:]}
    pq.write_table(pa.table(items), up / "items-00000-of-00001.parquet")
    seen = {}
    for said in (None, "front", "back", ""):
        mapping = None if said is None else {"image": said}
        dataset, _ = installed(up, name=f"of-{said}", mapping=mapping)
        seen[said] = tuple(dataset.items["image"])
    assert seen[None] == seen["front"] != seen["back"]
    assert seen[""] == ("", "") and "" not in seen["back"]


def test_pictures_that_lack_are_counted_among_what_is_installed(tmp_path: Path) -> None:
    rows = "".join(f"u{u},i{i}\n" for u in range(3) for i in range(3))
    up = write(
        tmp_path / "up",
        {
            "interactions.csv": f"{USERS}{rows}u0,rare\n",
            "items.csv": "item_id,image\ni0,\ni1,\ni2,\nrare,gone.jpg\n",
        },
    )
    assert install(up, name="all").report.n_absent_images == 1
    core = install(up, name="core", narrowing=Narrowing(k_core=3, only_core=True))
    assert core.report.n_absent_images == 0


# Published files as mirrors and tools leave them


def test_metadata_of_amazon_in_several_files(tmp_path: Path) -> None:
    up = write(tmp_path / "up", {"Baby.jsonl": amazon_files.REVIEWS_2023})
    for at in (0, 1):
        frame = pd.DataFrame([amazon_files.meta(at, title=f"No. {at}", images=None)])
        frame = frame.drop(columns=["details", "videos", "images"])
        frame.to_parquet(up / f"full-{at:05}-of-00002.parquet")
    dataset, _ = installed(up)
    assert sorted(dataset.items["title"]) == ["No. 0", "No. 1"]


@pytest.mark.parametrize("images", [True, 7, 1.5, "no list", {"hi_res": 3}, [None, 4]])
def test_pictures_of_amazon_that_are_none(tmp_path: Path, images: object) -> None:
    record = json.dumps(amazon_files.meta(0, images=images))
    up = write(
        tmp_path / "up",
        {"Baby.jsonl": amazon_files.REVIEWS_2023, "meta_Baby.jsonl": record},
    )
    assert (installed(up)[0].items["image"] == "").all()


def test_a_column_of_maps_is_left_out(tmp_path: Path) -> None:
    maps = pa.array([[("a", 1)], [], [("b", 2)]], pa.map_(pa.string(), pa.int64()))
    up = tmp_path / "up"
    up.mkdir()
    rows = {"user_id": ["a", "a", "b"], "item_id": ["1", "2", "1"], "tags": maps}
    pq.write_table(pa.table(rows), up / "interactions.parquet")
    dataset, said = installed(up)
    assert len(dataset.interactions) == 3 and "column 'tags' holds maps and is left out" in said


def test_tags_of_the_10m_release(tmp_path: Path) -> None:
    up = write(
        tmp_path / "up",
        {
            "ratings.dat": "1::1::5::10\n2::2::4::11\n",
            "movies.dat": "1::One (1999)::Drama\n2::Two (2000)::War\n",
            "tags.dat": "1::1::Slow::12\n2::1::slow::13\n",
        },
    )
    dataset, _ = installed(up)
    assert dict(zip(dataset.items["item_id"], dataset.items["tags"], strict=True))["1"] == "slow"


# Memory


def peak_of_reading(path: Path) -> tuple[str, int]:
    """What is said of a Parquet table read in a process of its own, and its peak, MiB."""
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from mmrec_core.datasets.importers.tables import Table, read_table\n"
        "from mmrec_core.datasets.schema import Ledger\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n"
        "    with Ledger(lenient=True) as ledger:\n"
        "        n = sum(len(c.frame) for c in "
        "read_table(Table('t.parquet', Path(sys.argv[1])), ledger))\n"
        "    print(n, 'rows')\n"
        "except Exception as error: print(type(error).__name__, error)\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)\n"
    )
    made = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    said, peak = made.stdout.strip().splitlines()
    return said, int(peak)


@pytest.mark.parametrize("kind", ["list", "deep"])
def test_one_long_text_meant_by_every_row_fills_no_memory(tmp_path: Path, kind: str) -> None:
    text = "x" * 10**6
    cells = {"list": [text], "deep": [{"said": [text]}]}
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"item_id": ["a"] * 800, "said": [cells[kind]] * 800}), path)
    assert path.stat().st_size < 100_000
    said, peak = peak_of_reading(path)
    assert said == "0 rows"
    assert peak < 600


def test_a_row_of_endless_lists_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"said": [["x" * 10**6] * 1000, ["y"]]}), path)
    said, peak = peak_of_reading(path)
    assert said.startswith("InputError") and "a cell of 'said' may be" in said
    assert peak < 900


def test_lists_of_words_are_no_features(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"item_id": ["a", "b"], "v": [["x"], ["y"]]}), path)
    with pytest.raises(InputError, match="'v' holds no numbers"):
        read_array(path)


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_lines_that_are_no_text_are_not_kept(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b'{"a": "caf\xe9"}\n' * 50 + b'{"a": "tea"}\n')
    kept = []

    class Watched(Lines):
        def __init__(self, table: Table) -> None:
            super().__init__(table)
            kept.append(self)

    from mmrec_core.datasets.importers import delimited, records

    room = delimited if name.endswith("csv") else records
    with pytest.MonkeyPatch.context() as patched, Ledger(lenient=True) as ledger:
        patched.setattr(room, "Lines", Watched)
        list(read_table(Table(name, path, columns=("a",) * (room is delimited)), ledger))
        assert ledger.n_rejected == 50 and "not UTF-8" in ledger.rejected[0].reason
    assert kept[-1].bad == {}


def test_lists_in_lists_are_counted_row_by_row() -> None:
    cells = [[["a", "b"], ["c"]], None, [], [None, ["d"]]]
    column = pa.array(cells, pa.list_(pa.list_(pa.string())))
    assert _values_in(column).tolist() == [3, 0, 0, 1]
    structs = pa.array([[{"k": ["a", "b"]}], [{"k": None}, {"k": ["c"]}], None])
    assert _values_in(structs).tolist() == [2, 1, 0]
    assert _values_in(pa.array(["a", None])).tolist() == [1, 1]
