"""What changes under a job or a page: the clock, the dataset, the version of the store."""

import json
import time
from dataclasses import asdict

import pytest
from streamlit.testing.v1 import AppTest
from studies.shop import write_shop
from test_failures import PROJECT, nothing_shipped
from uploads import shop as write_pictures

from mmrec_core import jobs, settings, store
from mmrec_core.datasets import catalogue
from mmrec_core.datasets.install import install
from mmrec_core.domain import InputError
from mmrec_core.extractors import make_extractor
from mmrec_core.jobs import JobState
from mmrec_core.store import STORE_VERSION, VERSION, Store, write_json


@pytest.fixture
def shop(tmp_path, mmrec_data, monkeypatch):
    nothing_shipped(monkeypatch)
    install(write_shop(tmp_path / "shop"), name="shop")
    return mmrec_data


def record(status, updated, spec=None):
    """The record of a job that no process works at."""
    folder = settings.settings().jobs / "abc123"
    folder.mkdir(parents=True, exist_ok=True)
    spec = {"dataset": "shop"} if spec is None else spec
    write_json(folder / "job.json", {"kind": "study", "spec": spec, "title": "A study"})
    state = JobState("abc123", "study", "A study", status, created=updated, updated=updated)
    write_json(folder / "state.json", asdict(state))
    return "abc123"


# The clock


@pytest.mark.parametrize("jump", [-7_200, 7_200])
def test_a_dead_job_is_seen_however_the_clock_was_put(mmrec_data, jump):
    key = record("queued", time.time() + jump)
    assert jobs.state(key).status == "interrupted"


def test_a_job_that_is_starting_is_left_alone(mmrec_data):
    assert jobs.state(record("queued", time.time())).status == "queued"


def test_time_left_does_not_follow_the_clock(mmrec_data, monkeypatch):
    """The clock is put back an hour in the middle of a job."""
    now = [1_000_000.0, 50.0]
    monkeypatch.setattr(jobs.time, "time", lambda: now[0])
    monkeypatch.setattr(jobs.time, "monotonic", lambda: now[1])
    seen = []

    def handler(spec, tell):
        for done in range(1, 5):
            now[0] += 10 if done != 3 else -3_600
            now[1] += 10
            tell(done / 5, "at it", {})
            seen.append(jobs.state("abc123").seconds_left)
        return {}

    monkeypatch.setattr(jobs, "_held", lambda key: True)
    key = record("queued", now[0], {})
    monkeypatch.setitem(jobs.HANDLERS._entries, "study", handler)
    assert jobs.run(key).status == "done"
    assert seen[0] is None and seen[1:] == pytest.approx([60 / 1, 45 / 1, 40 / 3], rel=0.6)
    assert jobs.state(key).updated - jobs.state(key).started == pytest.approx(40)


# The dataset


def undo_the_shop():
    from pages.ui.installed import undo, undo_refused

    undo("shop")
    undo_refused()


def test_a_dataset_in_use_is_not_deleted(shop, monkeypatch):
    """Deleting and renaming ask the same; tests/browser/test_data.py clicks them."""
    monkeypatch.setattr(jobs, "_held", lambda key: True)
    record("running", time.time())
    jobs.check_unused("another")
    with pytest.raises(InputError, match=r"^A study works with dataset 'shop' at the moment"):
        jobs.check_unused("shop")
    page = AppTest.from_function(undo_the_shop).run()
    assert not page.exception and "works with dataset" in page.error[0].value
    assert catalogue.load_dataset("shop").n_items
    # Once it has ended it can go.
    record("done", time.time())
    assert not page.run().error
    with pytest.raises(InputError, match="There is no dataset 'shop'"):
        catalogue.load_dataset("shop")


def test_a_picture_that_vanishes_is_no_item_without_picture(tmp_path, mmrec_data):
    install(write_pictures(tmp_path / "up"), name="pictures")
    dataset = catalogue.load_dataset("pictures")
    extractor = make_extractor("efficientnet-lite0")
    assert not extractor.encode(dataset, "cpu").failures
    image = next(cell for cell in dataset.items["image"] if cell)
    dataset.image_path(image).unlink()
    with pytest.raises(InputError, match="of the dataset is gone: the dataset was deleted"):
        extractor.encode(dataset, "cpu")


@pytest.mark.parametrize("version", [0, 2])
def test_a_dataset_of_another_version_is_refused_in_words(shop, monkeypatch, version):
    monkeypatch.setattr(catalogue, "FORMAT", version)
    with pytest.raises(InputError, match=rf"format 1; this one reads {version}\).*install it"):
        catalogue.load_dataset("shop")
    page = AppTest.from_file(str(PROJECT / "pages" / "data.py"), default_timeout=60)
    page.query_params["dataset"] = "shop"
    page.run()
    assert not page.exception and any("another version" in e.value for e in page.error)
    # It can be deleted there, as the sentence says, and installed again.
    assert page.button(key="delete-shop").label == "Delete"
    catalogue.delete_dataset("shop")


# The store


@pytest.mark.parametrize(
    "held,said",
    [
        ({"store": STORE_VERSION - 1}, "an older version"),
        ({"store": STORE_VERSION + 1}, "a newer version"),
        ({"store": None}, "does not say which version"),
        ([], "does not say which version"),
    ],
)
def test_a_store_of_another_version_is_refused_in_words(mmrec_data, held, said):
    root = settings.settings().store
    root.mkdir(parents=True)
    (root / VERSION).write_text(json.dumps(held))
    with pytest.raises(InputError, match=rf"{said}.*Nothing in it was touched.*MMREC_DATA"):
        store.store()
    page = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=60).run()
    assert not page.exception and any(said in error.value for error in page.error)
    assert sorted(path.name for path in root.iterdir()) == [VERSION]


def test_a_store_notes_its_version_with_the_first_artefact(mmrec_data, tmp_path):
    root = settings.settings().store
    assert not root.exists() and isinstance(store.store(), Store)
    store.store().put("run", {"x": 1}, lambda folder: None)
    assert json.loads((root / VERSION).read_text()) == {"store": STORE_VERSION}
    store.store.cache_clear()
    assert store.store().get("run", {"x": 1})
    # One of the first version, which noted none, is read as ever.
    (root / VERSION).unlink()
    store.store.cache_clear()
    assert store.store().get("run", {"x": 1})
