"""The demo on disk: what is written is what is read, and what is shipped is what is made."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageStat

from mmrec_core.datasets.demo import (
    EXCLUSIVE,
    WORLDS,
    DemoConfig,
    draw_product,
    fresh_world,
    load_truth,
    load_world,
    sample_attributes,
    simulate,
    write_demo,
    write_text,
)
from mmrec_core.datasets.demo.attributes import STREAMS
from mmrec_core.domain import InputError
from mmrec_core.settings import settings

SMALL = DemoConfig(seed=3, n_items=60, n_users=30, image_size=32, supersample=1)
SHIPPED = DemoConfig()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    write_demo(folder, SMALL)
    return folder


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_writing_twice_gives_the_same_bytes(small: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    write_demo(tmp_path, SMALL, lambda done, total, what: seen.append((done, total)))
    assert _files(tmp_path) == _files(small)
    assert seen[-1] == (64, 64)
    assert seen == sorted(seen)


def test_another_seed_gives_other_bytes(small: Path, tmp_path: Path) -> None:
    write_demo(tmp_path, SMALL.model_copy(update={"seed": 4}))
    assert _files(tmp_path)["shop/items.csv"] != _files(small)["shop/items.csv"]


def test_a_smaller_demo_leaves_no_pictures_of_a_larger_one(tmp_path: Path) -> None:
    write_demo(tmp_path, SMALL)
    write_demo(tmp_path, SMALL.model_copy(update={"n_items": 50}))
    assert len(list((tmp_path / "shop" / "images").iterdir())) == 50


@pytest.mark.parametrize("world", WORLDS)
def test_what_is_written_is_what_is_read(small: Path, world: str) -> None:
    attributes = sample_attributes(SMALL.n_items, SMALL.seed)
    made = simulate(attributes, world, SMALL)
    read, truth = load_world(world, small), load_truth(world, small)
    pd.testing.assert_frame_equal(truth.attributes, attributes, check_dtype=False)
    pd.testing.assert_frame_equal(truth.users, made.users, check_dtype=False)
    assert list(read.interactions["item_id"]) == list(made.interactions["item_id"])
    assert list(read.interactions["timestamp"]) == list(made.interactions["timestamp"])
    np.testing.assert_allclose(truth.popularity, made.popularity, atol=5e-5)
    assert truth.strengths == SMALL.strengths[world].model_dump()
    assert truth.seed == SMALL.seed


def test_a_fresh_world_of_the_same_seed_is_the_one_on_disk(small: Path) -> None:
    dataset, truth = fresh_world("both", SMALL.seed, small, SMALL)
    assert dataset.fingerprint == load_world("both", small).fingerprint
    other, _ = fresh_world("both", 99, small, SMALL)
    assert other.fingerprint != dataset.fingerprint
    assert other.items.equals(dataset.items)
    assert set(truth.visible) | set(truth.readable) == set(EXCLUSIVE)


def test_fingerprints_tell_contents_apart(small: Path, tmp_path: Path) -> None:
    prints = {load_world(world, small).fingerprint for world in WORLDS}
    assert len(prints) == len(WORLDS)
    for name, before, after in (
        ("shop/items.csv", "Care:", "Hint:"),
        ("shop/images.csv", ".webp,", ".webp,f"),
        ("worlds/both/interactions.csv", "U0001,P00", "U0001,P01"),
    ):
        write_demo(tmp_path, SMALL)
        path = tmp_path / name
        text = path.read_text(encoding="utf-8")
        head, _, rest = text.partition("\n")
        assert before in rest
        path.write_text(head + "\n" + rest.replace(before, after, 1), encoding="utf-8")
        assert load_world("both", tmp_path).fingerprint not in prints, name


def test_wrong_input_is_told_in_a_sentence(small: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no world 'moon': choose one of picture, words"):
        load_world("moon", small)
    with pytest.raises(InputError, match="no demo shop in .*python -m mmrec_core demo --out"):
        load_truth("both", tmp_path)
    write_demo(tmp_path, SMALL)
    (tmp_path / "worlds" / "both" / "interactions.csv").unlink()
    with pytest.raises(InputError, match="missing or damaged"):
        load_world("both", tmp_path)
    (tmp_path / "worlds" / "both" / "truth.json").write_text("{")
    with pytest.raises(InputError, match="missing or damaged"):
        load_truth("both", tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write_demo(tmp_path / "file", SMALL)


@pytest.mark.parametrize("world", WORLDS)
def test_the_shipped_worlds_keep_their_promises(world: str) -> None:
    data, truth = load_world(world), load_truth(world)
    assert data.name == f"demo-{world}"
    assert data.info.truth
    assert data.info.relevant_from is None
    assert data.info.k_core == 0
    assert data.n_items == SHIPPED.n_items
    assert data.n_users == SHIPPED.n_users
    assert data.items["item_id"].is_unique
    assert (data.items[["title", "text", "category", "image", "image_sha256"]] != "").all(axis=None)
    assert not set(data.items.columns) & set(EXCLUSIVE)
    counts = data.interactions.groupby("user_id").size()
    assert counts.between(8, 40).all()
    assert data.interactions["rating"].isna().all()
    assert data.interactions["rating"].dtype == np.float32
    assert set(data.interactions["item_id"]) <= set(data.items["item_id"])
    assert list(truth.attributes["item_id"]) == list(data.items["item_id"])
    assert list(truth.attributes["type"]) == list(data.items["category"])
    assert (truth.strengths["picture"] > 0) == (world in ("picture", "both"))
    assert (truth.strengths["words"] > 0) == (world in ("words", "both"))
    per_item = data.interactions["item_id"].value_counts()
    assert per_item.median() >= 5
    assert len(per_item) > 0.97 * data.n_items


def test_the_shipped_pictures_open_and_match_their_hashes() -> None:
    data = load_world("both")
    for relative, digest in zip(data.items["image"], data.items["image_sha256"], strict=True):
        path = data.image_path(relative)
        assert path is not None
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest
        with Image.open(path) as picture:
            picture.load()
            assert picture.size == (SHIPPED.image_size, SHIPPED.image_size)
            assert ImageStat.Stat(picture.convert("L")).stddev[0] > 5


def test_the_shipped_demo_is_small() -> None:
    demo = settings().demo
    files = [p for part in ("shop", "worlds") for p in (demo / part).rglob("*") if p.is_file()]
    assert sum(path.stat().st_size for path in files) < 10_000_000


def test_the_shipped_demo_is_what_the_code_makes() -> None:
    """Texts and worlds to the letter; a sample of pictures within what the codec may differ."""
    demo = settings().demo
    attributes = sample_attributes(SHIPPED.n_items, SHIPPED.seed)
    data = load_world("picture")
    pd.testing.assert_frame_equal(load_truth("picture").attributes, attributes, check_dtype=False)
    made = simulate(attributes, "picture", SHIPPED)
    assert list(data.interactions["item_id"]) == list(made.interactions["item_id"])
    for number in range(0, SHIPPED.n_items, 300):
        row = attributes.iloc[number].to_dict()
        title, description = write_text(
            row, np.random.default_rng([SHIPPED.seed, STREAMS["texts"], number])
        )
        assert data.items["text"][number] == f"{title}. {description}"
        drawn = draw_product(
            row,
            np.random.default_rng([SHIPPED.seed, STREAMS["pictures"], number]),
            size=SHIPPED.image_size,
            supersample=SHIPPED.supersample,
        )
        with Image.open(demo / "shop" / data.items["image"][number]) as picture:
            shipped = np.asarray(picture.convert("RGB"), dtype=float)
        assert np.abs(np.asarray(drawn, dtype=float) - shipped).mean() < 4.0
