"""Datasets of Hugging Face: what save_to_disk writes, and Parquet as the hub keeps it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from uploads import picture, readers, refused, write

from mmrec_core.datasets import catalogue
from mmrec_core.datasets.importers import embedded
from mmrec_core.datasets.install import inspect, install
from mmrec_core.settings import settings

ROWS = {
    "user_id": ["u1", "u1", "u2", "u2"],
    "item_id": [1, 2, 1, 3],
    "rating": [5.0, None, 3.0, 4.0],
    "timestamp": [10, 11, 12, 13],
}
ITEMS = {
    "item_id": [1, 2, 3],
    "title": ["Mug", "Lamp", "Chair"],
    "description": ["Blue.", None, "Oak."],
    "category": [1, 0, -1],
    "embedding": [[0.5, 1.0]] * 3,
}
INFO = {"license": "cc-by-4.0", "homepage": "https://shop.example", "description": "A shop."}


@pytest.fixture(autouse=True)
def _data(mmrec_data: Path) -> Path:
    return mmrec_data


def arrow(columns: dict[str, Any], classes: dict[str, list[str]] | None = None) -> bytes:
    """A stream, as datasets writes it, with its own description in the metadata."""
    table = pa.table(columns)
    features = {name: {"names": names, "_type": "ClassLabel"}
                for name, names in (classes or {}).items()}  # fmt: skip
    said = json.dumps({"info": {"features": features}}).encode()
    table = table.replace_schema_metadata({b"huggingface": said})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table, max_chunksize=2)
    return sink.getvalue().to_pybytes()


def parquet(path: Path, columns: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def cut(columns: dict[str, list[Any]], start: int, stop: int) -> dict[str, list[Any]]:
    return {name: cells[start:stop] for name, cells in columns.items()}


def saved(folder: str, shards: list[bytes]) -> dict[str, str | bytes]:
    """A folder of ``Dataset.save_to_disk``."""
    names = [f"data-{at:05d}-of-{len(shards):05d}.arrow" for at in range(len(shards))]
    state = {"_data_files": [{"filename": name} for name in names], "_split": None}
    files = {f"{folder}{name}": shard for name, shard in zip(names, shards)}
    info = {
        f"{folder}dataset_info.json": json.dumps(INFO),
        f"{folder}state.json": json.dumps(state),
    }
    return {**files, **info}


def shop(folder: Path) -> Path:
    """``DatasetDict.save_to_disk`` of interactions in two shards, and items in two."""
    classes = {"category": ["light", "kitchen"]}
    return write(
        folder,
        {
            "dataset_dict.json": '{"splits": ["interactions", "items"]}',
            **saved("interactions/", [arrow(cut(ROWS, 0, 3)), arrow(cut(ROWS, 3, 4))]),
            **saved("items/", [arrow(cut(ITEMS, 0, 2), classes), arrow(cut(ITEMS, 2, 3), classes)]),
        },
    )


def test_a_saved_dictionary(tmp_path: Path) -> None:
    up = shop(tmp_path / "shop")
    assert readers(up)[0] == "huggingface"
    result = install(up)
    dataset = catalogue.load_dataset(result.name)
    assert dataset.items["item_id"].tolist() == ["1", "2", "3"]
    assert dataset.items["text"].tolist() == ["Mug\nBlue.", "", "Chair\nOak."]
    assert dataset.items["category"].tolist() == ["kitchen", "light", ""]
    assert "embedding" not in dataset.items and result.report.n_unknown_items == 0
    assert dataset.interactions["timestamp"].tolist() == [10, 11, 12, 13]
    assert "split" not in dataset.interactions and result.report.n_interactions == 4
    assert dataset.info.licence == "cc-by-4.0" and dataset.info.source == "https://shop.example"
    said = " ".join(result.report.notes)
    assert "items: embedding hold vectors and are left out" in said and "A shop." in said


def test_a_saved_dataset_and_a_fixed_split(tmp_path: Path) -> None:
    up = write(tmp_path / "one", saved("", [arrow(ROWS)]))
    assert readers(up)[0] == "huggingface" and install(up).report.n_items == 3
    old = write(tmp_path / "old", {"dataset.arrow": arrow(ROWS), "state.json": "{}"})
    assert readers(old)[0] == "huggingface" and install(old).report.n_items == 3
    parts = {"train": (0, 2), "validation": (2, 3), "test": (3, 4)}
    files = {"dataset_dict.json": '{"splits": []}'}
    for part, (start, stop) in parts.items():
        files |= saved(f"{part}/", [arrow(cut(ROWS, start, stop))])
    dataset = catalogue.load_dataset(install(write(tmp_path / "split", files)).name)
    assert dataset.interactions["split"].tolist() == ["train", "train", "valid", "test"]


def test_parquet_of_the_hub(tmp_path: Path) -> None:
    up = tmp_path / "hub"
    for at in range(2):
        rows = cut(ROWS, 2 * at, 2 * at + 2)
        parquet(up / f"data/train-{at:05d}-of-00002-0a1b2c.parquet", rows)
    parquet(up / "items/train-00000-of-00001.parquet", ITEMS)
    write(up, {"README.md": "---\nlicense: mit\ntags:\n- x\n---\n# Shop\n"})
    assert readers(up)[0] == "huggingface"
    dataset = catalogue.load_dataset(install(up).name)
    assert len(dataset.interactions) == 4 and dataset.info.licence == "mit"
    assert dataset.items["title"].tolist() == ["Mug", "Lamp", "Chair"]
    (up / "data/train-00001-of-00002-0a1b2c.parquet").unlink()
    report, _ = inspect(up)
    assert report.rejected[0].reason == "of 2 shards of this table 1 are there"


KIND = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def inside(*raws: bytes | None) -> pa.Array:
    cells = [None if raw is None else {"bytes": raw, "path": "../a.jpg"} for raw in raws]
    return pa.array(cells, KIND)


@pytest.mark.parametrize("kind", ["arrow", "parquet"])
def test_pictures_inside_the_items(tmp_path: Path, mmrec_data: Path, kind: str) -> None:
    first, second = picture(seed=1), picture("PNG", (20, 20), 2)
    halves = [
        {**cut(ITEMS, 0, 2), "image": inside(first, None), "more": inside(first, first)},
        {**cut(ITEMS, 2, 3), "image": inside(second), "more": inside(first)},
    ]
    up = write(tmp_path / "up", saved("reviews/", [arrow(ROWS)]))
    if kind == "arrow":
        write(up, saved("items/", [arrow(half) for half in halves]))
    else:
        for at, half in enumerate(halves):
            parquet(up / f"items/all-{at:05d}-of-00002.parquet", half)
    result = install(up)
    dataset = catalogue.load_dataset(result.name)
    stored = [dataset.image_path(name) for name in dataset.items["image"]]
    assert [path and path.read_bytes() for path in stored] == [first, None, second]
    said = " ".join(result.report.notes)
    assert "more hold pictures or other bytes" in said and "another format" not in said
    assert not {"more", "file_image"} & set(dataset.items.columns)
    assert not any((mmrec_data / "store" / "tmp").iterdir())


def test_pictures_inside_that_are_none(tmp_path: Path, mmrec_data: Path) -> None:
    html = b"<html>"
    files = saved("items/", [arrow({**ITEMS, "image": inside(html, picture(), b"")})])
    up = write(tmp_path / "up", {**files, **saved("log/", [arrow(ROWS)])})
    said = refused(up, mmrec_data)
    assert "items/data-00000-of-00001.arrow, row 1: it is not a JPEG" in said
    report, _ = inspect(up)
    assert report.n_broken_images == 1 and report.n_missing_images == 2
    assert not any((mmrec_data / "store" / "tmp").iterdir())


def test_pictures_inside_take_limited_room(
    tmp_path: Path, mmrec_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = replace(settings().limits, archive_bytes=1000)
    monkeypatch.setattr(embedded, "settings", lambda: replace(settings(), limits=limits))
    files = saved("items/", [arrow({**ITEMS, "image": inside(picture(), None, None)})])
    up = write(tmp_path / "up", {**files, **saved("log/", [arrow(ROWS)])})
    assert "give them as files beside the table" in refused(up, mmrec_data)


def test_columns_with_other_names(tmp_path: Path, mmrec_data: Path) -> None:
    rows = {"who": ["a", "b"], "what": ["x", "y"]}
    up = write(tmp_path / "up", saved("", [arrow(rows)]))
    assert "name them with --map user_id=COLUMN" in refused(up, mmrec_data)
    result = install(up, mapping={"user_id": "who", "item_id": "what"})
    assert result.report.n_interactions == 2


def test_several_tables(tmp_path: Path, mmrec_data: Path) -> None:
    files = {**saved("a/", [arrow(ROWS)]), **saved("test/", [arrow(ROWS)])}
    up = write(tmp_path / "up", files)
    assert "not the parts of one split" in refused(up, mmrec_data)
    up = write(
        tmp_path / "train", {**saved("train/", [arrow(ROWS)]), **saved("dev/", [arrow(ROWS)])}
    )
    assert "but no test split" in refused(up, mmrec_data)
    both = {
        **saved("x/", [arrow(ROWS)]),
        **saved("p/", [arrow(ITEMS)]),
        **saved("q/", [arrow(ITEMS)]),
    }
    up = write(tmp_path / "both", both)
    assert "p, q may each be the table of the items" in refused(up, mmrec_data)
    assert install(up, mapping={"items_file": "q"}).report.n_items == 3


def ended(raw: bytes) -> list[int]:
    """Where the batches of a stream end: the end mark, and the batch before it."""
    whole = len(raw) - 8
    return [whole, raw.rindex(b"\xff\xff\xff\xff", 0, whole)]


@pytest.mark.parametrize("at", ["mark", "batch", "middle", "start"])
def test_cut_off_arrow(tmp_path: Path, mmrec_data: Path, at: str) -> None:
    raw = arrow(ROWS)
    mark, batch = ended(raw)
    where = {"mark": mark, "batch": batch, "middle": batch + 100, "start": 20}[at]
    up = write(tmp_path / "up", saved("", [raw[:where]]))
    said = refused(up, mmrec_data)
    assert "data-00000-of-00001.arrow" in said and ("cut off" in said or "cannot be read" in said)
    if at in ("mark", "batch"):
        report, _ = inspect(up)
        assert report.n_rejected == 1 and report.n_interactions == (4 if at == "mark" else 2)


def test_wrong_offsets_do_not_end_the_program(tmp_path: Path, mmrec_data: Path) -> None:
    offsets = pa.py_buffer(b"".join(n.to_bytes(4, "little") for n in (0, 2, 2**30, 2**30 + 1, 4)))
    users = pa.StringArray.from_buffers(4, offsets, pa.py_buffer(b"abcd"))
    batch = pa.record_batch([users, pa.array(list("wxyz"))], names=["user_id", "item_id"])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    up = write(tmp_path / "up", saved("", [sink.getvalue().to_pybytes()]))
    assert "cannot be read as Arrow" in refused(up, mmrec_data)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("interactions/dataset_info.json", "{\n'x': 1}", "dataset_info.json, line 2: this is not"),
        ("interactions/dataset_info.json", " " * (17 * 2**20), "larger than 16 MiB"),
        ("interactions/dataset_info.json", "[" * 200_000, "this is not JSON"),
        ("interactions/dataset_info.json", '\0{"license": "cc0"}', "this is not JSON"),
        ("interactions/dataset_info.json", b'{"license": "caf\xe9"}', "is not UTF-8"),
        ("interactions/dataset_info.json", "[1]", "it must be a JSON object"),
        ("interactions/state.json", "\xff{", "state.json"),
        (
            "interactions/state.json",
            '{"_data_files": [{"filename": "../../secret.arrow"}]}',
            "it names interactions/../../secret.arrow, which is not in the upload",
        ),
    ],
)
def test_documents_beside_the_data(
    tmp_path: Path, mmrec_data: Path, name: str, text: str, sentence: str
) -> None:
    up = write(shop(tmp_path / "up"), {name: text})
    assert sentence in refused(up, mmrec_data)
    report, _ = inspect(up)
    assert report.n_rejected == 1 and report.n_interactions == 4


def test_items_twice_in_two_shards(tmp_path: Path, mmrec_data: Path) -> None:
    shards = [arrow(cut(ITEMS, 0, 2)), arrow(cut(ITEMS, 1, 3))]
    up = write(tmp_path / "up", {**saved("items/", shards), **saved("log/", [arrow(ROWS)])})
    assert refused(up, mmrec_data).startswith(
        "items/data-00001-of-00002.arrow, line 1: item '2' is already on line 2 of "
        "items/data-00000-of-00002.arrow"
    )
    assert install(up, lenient=True).report.n_items == 3


def test_old_indices_are_not_guessed(tmp_path: Path, mmrec_data: Path) -> None:
    files = saved("", [arrow(ROWS)])
    files["state.json"] = '{"_indices_data_files": [{"filename": "indices.arrow"}]}'
    assert "save it again" in refused(write(tmp_path / "up", files), mmrec_data)
