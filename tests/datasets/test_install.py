"""An upload is installed whole, found again, and read in place as it was given."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from uploads import INTERACTIONS, ITEMS, picture, shop, write

from mmrec_core.datasets import catalogue
from mmrec_core.datasets.importers import interactions as reading
from mmrec_core.datasets.install import inspect, install, slug
from mmrec_core.domain import InputError
from mmrec_core.settings import settings
from mmrec_core.store import store


@pytest.fixture(autouse=True)
def _data(mmrec_data: Path) -> Path:
    return mmrec_data


def installed(up: Path, **options: object):
    return catalogue.load_dataset(install(up, **options).name)  # type: ignore[arg-type]


def test_what_is_installed(tmp_path: Path) -> None:
    up = shop(tmp_path / "My Shop")
    result = install(up)
    dataset = catalogue.load_dataset(result.name)
    assert result.name == "my-shop" == dataset.name and dataset.info.title == "My Shop"
    items = dataset.items.set_index("item_id")
    assert list(items.index) == ["007", "b", "c"]
    assert items.loc["007", "title"] == "<b>Mug</b>"
    assert items.loc["007", "text"] == '<b>Mug</b>\nA "blue" mug,\nwith handle'
    assert items.loc["b", "text"] == "" and items.loc["b", "title"] == "Lamp"
    assert items.loc["007", "price"] == "=1+1"
    assert items.loc["007", "category"] == "kitchen|cups"
    assert dataset.info.category_separator == "|" and dataset.info.relevant_from == 4.0
    assert (items["image"] != "").tolist() == [True, True, False]
    original = dataset.image_path(items.loc["007", "image"])
    assert original is not None
    assert original.read_bytes() == (up / "images/pics/one.jpg").read_bytes()
    assert original.stem == items.loc["007", "image_sha256"]
    for size, shape in ((96, (96, 72)), (320, (320, 240))):
        path = catalogue.thumbnail_path(dataset, items.loc["007", "image"], size)
        assert path is not None and path.suffix == ".webp"
        with Image.open(path) as thumb:
            assert thumb.size == shape
    frame = dataset.interactions
    assert frame["rating"].dtype == np.float32 and np.isnan(frame["rating"].iloc[5])
    assert frame["timestamp"].tolist() == [10, 11, 12, 13, 14, 15]
    assert "split" not in frame.columns
    assert result.report.n_missing_texts == 1 and result.report.n_missing_images == 1
    assert "1 interactions have no rating." in result.report.notes
    store().find("dataset", result.key).verify()  # type: ignore[union-attr]
    json.dumps(catalogue.report_of(result.name), allow_nan=False)


def test_same_upload_twice_is_one_artefact(tmp_path: Path) -> None:
    up = shop(tmp_path / "up")
    first, second = install(up, name="a"), install(up, name="a")
    assert first.key == second.key
    assert len(list(store().list("dataset"))) == 1
    (up / "interactions.csv").write_text(INTERACTIONS + "u3,b,1,20\n")
    with pytest.raises(InputError, match="already another dataset 'a'"):
        install(up, name="a")
    third = install(up, name="a", replace_existing=True)
    assert [artefact.key for artefact in store().list("dataset")] == [third.key]


def test_the_name_is_not_content(tmp_path: Path) -> None:
    up = shop(tmp_path / "up")
    one, two = install(up, name="one"), install(up, name="Number Two")
    assert one.key == two.key
    assert catalogue.load_dataset("number-two").info.title == "Number Two"
    catalogue.rename_dataset("number-two", "two")
    catalogue.delete_dataset("one")
    assert catalogue.load_dataset("two").n_items == 3
    catalogue.delete_dataset("two")
    assert list(store().list("dataset")) == []


def test_no_items_file_and_pictures_by_id(tmp_path: Path) -> None:
    up = shop(tmp_path / "up", items=None)
    dataset = installed(up)
    assert dataset.items["item_id"].tolist() == ["007", "b", "c"]
    assert (dataset.items["image"] != "").tolist() == [False, True, False]
    assert (dataset.items["title"] == "").all()


def test_single_table(tmp_path: Path) -> None:
    path = write(tmp_path, {"Ratings.csv": INTERACTIONS}) / "Ratings.csv"
    assert catalogue.load_dataset(install(path).name).n_items == 3


def test_unknown_items_get_a_row(tmp_path: Path) -> None:
    up = shop(tmp_path / "up", interactions=INTERACTIONS + "u3,ghost,5,20\nu4,b,5,20\n")
    result = install(up)
    dataset = catalogue.load_dataset(result.name)
    assert dataset.items["item_id"].tolist() == ["007", "b", "c", "ghost"]
    assert dataset.items.iloc[3][["title", "text", "image", "price"]].tolist() == [""] * 4
    assert result.report.n_unknown_items == 1
    none = shop(tmp_path / "none", interactions="user_id,item_id\nu,1.0\nu,2.0\n")
    with pytest.raises(InputError, match=r"No item of the interactions is in items\.csv"):
        install(none)


def test_last_of_repeated_pairs_is_kept(tmp_path: Path) -> None:
    text = "user_id,item_id,rating,timestamp\nu,b,1,30\nu,b,2,10\nu,b,3,\nu,c,1,5\nu,c,2,5\n"
    result = install(shop(tmp_path / "up", interactions=text))
    frame = catalogue.load_dataset(result.name).interactions
    assert frame[["item_id", "rating"]].to_numpy().tolist() == [["b", 1.0], ["c", 2.0]]
    assert result.report.n_duplicate_interactions == 3


def test_fixed_split_files(tmp_path: Path) -> None:
    up = write(
        shop(tmp_path / "up", interactions=None),
        {
            "train.csv": "user_id,item_id\nu,007\nu,b\nv,b\n",
            "valid.tsv": "user_id\titem_id\nu\tc\n",
            "test.jsonl": '{"user_id": "v", "item_id": "c"}\n{"user_id": "u", "item_id": "b"}\n',
        },
    )
    dataset = installed(up)
    frame = dataset.interactions
    assert frame["split"].tolist() == ["train", "train", "train", "valid", "test"]
    assert dataset.info.split == "fixed" and dataset.info.relevant_from is None
    del up
    column = "user_id,item_id,x_label\nu,007,0\nu,b,1\nu,c,2\n"
    frame = installed(shop(tmp_path / "two", interactions=column)).interactions
    assert frame["split"].tolist() == ["train", "valid", "test"]
    wrong = column.replace("c,2", "c,maybe")
    with pytest.raises(InputError, match="line 4: column 'x_label' says 'maybe'"):
        install(shop(tmp_path / "three", interactions=wrong))


def test_timestamps(tmp_path: Path) -> None:
    text = (
        "user_id,item_id,date\nu,007,2020-01-01\nu,b,2020-01-01T00:00:01Z\nu,c,1577836802.9\nv,b,\n"
    )
    frame = installed(shop(tmp_path / "up", interactions=text)).interactions
    assert frame["timestamp"].fillna(-1).tolist() == [1577836800, 1577836801, 1577836802, -1]
    with pytest.raises(InputError, match="line 2: the timestamp 'soon'"):
        install(shop(tmp_path / "two", interactions="user,item,time\nu,b,soon\n"))


@pytest.mark.parametrize(
    ("ratings", "threshold"),
    [([1, 3, 5], 4.0), ([2, 4.5], 4.0), ([1, 10], 8.0), ([1, 1], None), ([0, 1], 0.8)],
)
def test_relevance_threshold_follows_the_scale(
    tmp_path: Path, ratings: list[float], threshold: float | None
) -> None:
    rows = "".join(f"u{i},b,{rating}\n" for i, rating in enumerate(ratings))
    up = shop(tmp_path / "up", interactions="user_id,item_id,rating\n" + rows)
    assert installed(up).info.relevant_from == threshold
    write(up, {"dataset.toml": "[thresholds]\nrelevant_from = 2.5\nk_core = 3\n"})
    info = installed(up, name="declared").info
    assert (info.relevant_from, info.k_core) == (2.5, 3)


def test_declared_columns(tmp_path: Path) -> None:
    toml = """
        name = "Declared"
        title = "Declared shop"
        license = "CC0"
        source = "here"
        [columns]
        text = ["description"]
        category = "price"
        tags = "category"
        attributes = { price = "cost" }
        """
    dataset = installed(write(shop(tmp_path / "up"), {"dataset.toml": toml}))
    assert dataset.name == "declared" and dataset.info.licence == "CC0"
    assert dataset.info.attributes == {"price": "cost", "category": "tags"}
    assert dataset.items["text"].tolist()[1:] == ["", "Oak."]
    assert dataset.items["category"].tolist() == ["=1+1", "12", "3"]
    assert dataset.items["file_category"].tolist() == ["kitchen|cups", "light", "seats"]
    mapped = installed(tmp_path / "up", name="m", mapping={"text": "title,description"})
    assert mapped.items["text"].tolist()[1:] == ["", "Chair\nOak."]
    kept = {"text": ["title", "description"], "title_is_text": True}
    assert installed(tmp_path / "up", name="k", mapping=kept).items["text"].iloc[1] == "Lamp"


def test_picture_cells_never_leave_the_upload(tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(picture())
    items = (
        "item_id,title,image\n007,a,../secret.jpg\n"
        f"b,b,{tmp_path / 'secret.jpg'}\nc,c,https://example.org/c.jpg\n"
    )
    result = install(shop(tmp_path / "up", items=items))
    assert (catalogue.load_dataset(result.name).items["image"] == "").all()
    assert result.report.n_absent_images == 2
    assert any("web addresses" in note for note in result.report.notes)


def test_ids_that_look_like_paths(tmp_path: Path) -> None:
    up = shop(
        tmp_path / "up",
        interactions="user_id,item_id\n../u,../../x\n../u,/etc/passwd\n",
        items="item_id,title\n../../x,a\n/etc/passwd,b\n",
    )
    assert installed(up).items["item_id"].tolist() == ["../../x", "/etc/passwd"]


def test_pictures_that_lie_about_their_type(tmp_path: Path) -> None:
    up = write(shop(tmp_path / "up"), {"images/pics/one.jpg": picture("PNG")})
    result = install(up)
    image = catalogue.load_dataset(result.name).items["image"].iloc[0]
    assert image.endswith(".png")
    assert any("another format" in note for note in result.report.notes)


def test_transparent_animated_and_grey_pictures(tmp_path: Path) -> None:
    import io

    def raw(image: Image.Image, kind: str, **options: object) -> bytes:
        file = io.BytesIO()
        image.save(file, kind, **options)
        return file.getvalue()

    frames = [Image.new("P", (50, 40), i) for i in range(3)]
    up = write(
        shop(tmp_path / "up", items=None),
        {
            "images/007.gif": raw(frames[0], "GIF", save_all=True, append_images=frames[1:]),
            "images/B.png": raw(Image.new("RGBA", (50, 40), (1, 2, 3, 0)), "PNG"),
            "images/c.png": raw(Image.new("I;16", (50, 40)), "PNG"),
        },
    )
    dataset = installed(up)
    for image in dataset.items["image"]:
        path = catalogue.thumbnail_path(dataset, image, 96)
        assert path is not None and path.suffix == ".webp"


def test_features_follow_the_items(tmp_path: Path) -> None:
    up = shop(tmp_path / "up", interactions=INTERACTIONS + "u3,ghost,5,20\n")
    (up / "features").mkdir()
    np.save(up / "features/clip_image.npy", np.array([[1.0, 2], [0, 0], [5, 6]], dtype=np.float64))
    np.save(up / "features/own.npy", np.array([[9], [8]], dtype=np.int16))
    write(up, {"features/own.ids.txt": "c\n007\n", "dataset.toml": '[features]\nown = "text"\n'})
    result = install(up)
    dataset = catalogue.load_dataset(result.name)
    assert catalogue.dataset_features(result.name) == ["clip_image", "own"]
    assert catalogue.feature_modalities(result.name) == {"clip_image": "image", "own": "text"}
    matrix, missing = catalogue.read_features(dataset, "clip_image")
    assert matrix.dtype == np.float32 and matrix.shape == (4, 2)
    assert missing.tolist() == [False, True, False, True]
    matrix, missing = catalogue.read_features(dataset, "own")
    assert matrix[:, 0].tolist() == [8, 0, 9, 0] and missing.tolist() == [False, True, False, True]
    with pytest.raises(InputError, match="Known: clip_image, own"):
        catalogue.read_features(dataset, "x")


def test_features_come_in_every_format_that_people_keep_them_in(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    up = shop(tmp_path / "up")
    folder = up / "features"
    folder.mkdir()
    matrix = np.arange(1.0, 7.0, dtype=np.float32).reshape(3, 2)
    np.savez_compressed(folder / "a_image.npz", any_name=matrix)
    save_file({"matrix": matrix}, folder / "b_text.safetensors")
    pd.DataFrame({"x": matrix[:, 0], "y": matrix[:, 1]}).to_parquet(folder / "c_image.parquet")
    # Rows in an order of their own, named by the file itself; one list a row.
    lists = pd.DataFrame({"item_id": ["c", "007", "b"], "v": list(matrix[[2, 0, 1]])})
    lists.to_parquet(folder / "d_text.parquet")
    lists.set_index("item_id").to_parquet(folder / "e_text.parquet")
    dataset = installed(up)
    for name in ("a_image", "b_text", "c_image", "d_text", "e_text"):
        np.testing.assert_array_equal(catalogue.read_features(dataset, name)[0], matrix)


def test_rejected_item_rows_do_not_shift_features(tmp_path: Path) -> None:
    items = ITEMS.replace("b,Lamp,,light,12,\n", "b,Lamp\nb,Lamp,,light,12,\n")
    up = shop(tmp_path / "up", items=items)
    (up / "features").mkdir()
    np.save(up / "features/f.npy", np.arange(1.0, 5.0)[:, None])
    dataset = installed(up, lenient=True)
    assert catalogue.read_features(dataset, "f")[0][:, 0].tolist() == [1, 3, 4]


def test_cancelled_installation_leaves_nothing(tmp_path: Path, mmrec_data: Path) -> None:
    class Stop(Exception):
        pass

    def stop_at(what: str):
        def progress(done: int, total: int, said: str) -> None:
            if said.startswith(what):
                raise Stop

        return progress

    up = shop(tmp_path / "up")
    for what in ("reading interactions", "checking pictures", "writing"):
        with pytest.raises(Stop):
            install(up, progress=stop_at(what))
        assert not any(path.is_file() for path in mmrec_data.rglob("*"))
        assert not any((mmrec_data / "store" / "tmp").iterdir())


def test_full_disk(tmp_path: Path, mmrec_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    def full(self: pd.DataFrame, *args: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", full)
    with pytest.raises(InputError, match="The disk is full"):
        install(shop(tmp_path / "up"))
    assert catalogue._pointer("up") is None
    assert not any((mmrec_data / "store" / "tmp").iterdir())


def test_inspection_installs_nothing(tmp_path: Path, mmrec_data: Path) -> None:
    report, _ = inspect(shop(tmp_path / "up"))
    assert report.sound and report.n_items == 3
    assert not any(path.is_file() for path in mmrec_data.rglob("*"))
    assert report.columns["text"] == ("title", "description")
    assert "text" in report.guessed and "image" in report.guessed


def test_names(tmp_path: Path) -> None:
    assert slug("  Amazon Bébé 2023! ") == "amazon-bebe-2023"
    for name in ("../..", "商品", ""):
        with pytest.raises(InputError, match="no Latin letter"):
            slug(name)
    up = shop(tmp_path / "up")
    for name in ("demo", "Demo both", "demo-x"):
        with pytest.raises(InputError, match="belongs to the demo"):
            install(up, name=name)


def test_long_tables_are_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    n = 1000
    rows = "".join(f"u{i % 90},i{i // 7},{i % 5 + 1}\n" for i in range(n))
    up = shop(tmp_path / "up", items=None, interactions="user_id,item_id,rating\n" + rows)
    whole = install(up, name="whole").key
    sizes: list[int] = []
    original = reading.read_table

    def small(table: object, ledger: object):
        for chunk in original(table, ledger, rows=64):  # type: ignore[arg-type]
            sizes.append(len(chunk.frame))
            yield chunk

    monkeypatch.setattr(reading, "read_table", small)
    pieces = install(up, name="pieces").key
    assert max(sizes) == 64 and sum(sizes) == n
    one, two = (store().find("dataset", key) for key in (whole, pieces))
    assert one is not None and two is not None
    assert one.spec["fingerprint"] == two.spec["fingerprint"]


def test_read_only_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMREC_READ_ONLY", "1")
    settings.cache_clear()
    with pytest.raises(InputError, match="on show"):
        install(shop(tmp_path / "up"))
