"""Jobs: a process of their own, liveness by lock, cancel, resume."""

import json
import threading
import time

import pytest
from filelock import FileLock
from studies.shop import QUICK, write_shop

from mmrec_core import jobs
from mmrec_core.datasets.install import install
from mmrec_core.domain import InputError
from mmrec_core.settings import settings
from mmrec_core.studies.results import list_studies


def wait_for(condition, seconds=300):
    """Waits until ``condition`` holds; fails when it never does.

    The limit is for a machine that is busy with other things: it costs nothing where all is well.
    """
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not (value := condition()):
        assert time.monotonic() < deadline, "it never happened"
        pause.wait(0.05)
    return value


def spec_of(tmp_path, **values):
    install(write_shop(tmp_path / "shop"), name="shop")
    return {
        "dataset": "shop",
        "recommenders": ["vbpr"],
        "references": [],
        "controls": ["shuffle"],
        "modalities": ["text"],
        "seeds": 2,
        "configs": QUICK,
        **values,
    }


def test_a_study_runs_in_its_own_process(tmp_path, mmrec_data):
    spec = spec_of(tmp_path)
    started = jobs.start("study", spec, "Tiny study")
    assert started.active
    done = wait_for(lambda: (s := jobs.state(started.key)) and not s.active and s)
    assert done.status == "done", jobs.log_tail(started.key)
    assert done.result["study"] == list_studies("shop")[0].key
    assert [job.key for job in jobs.jobs()] == [started.key]
    jobs.forget(started.key)
    assert jobs.jobs() == []


def test_cancel_then_resume(tmp_path, mmrec_data):
    slow = {"vbpr": QUICK["vbpr"] | {"max_epochs": 100_000, "patience": 100_000}}
    spec = spec_of(tmp_path, configs=slow)
    key = jobs.start("study", spec, "Slow study").key
    running = wait_for(lambda: (s := jobs.state(key)) and s.status == "running" and s)
    # The same study started again is the same job, and is left alone.
    assert jobs.start("study", spec, "Slow study").key == key
    with pytest.raises(InputError, match="under way"):
        jobs.run(key)
    with pytest.raises(InputError, match="cancel it first"):
        jobs.forget(key)
    jobs.cancel(key)
    stopped = wait_for(lambda: (s := jobs.state(key)) and not s.active and s)
    assert stopped.status == "cancelled"
    assert stopped.key == running.key
    again = jobs.resume(key)
    assert again.key == key and again.active
    wait_for(lambda: jobs.state(key).status == "running")
    jobs.cancel(key)
    wait_for(lambda: not jobs.state(key).active)


def test_a_killed_job_reads_interrupted(tmp_path, mmrec_data):
    slow = {"vbpr": QUICK["vbpr"] | {"max_epochs": 100_000, "patience": 100_000}}
    key = jobs.start("study", spec_of(tmp_path, configs=slow), "Slow study").key
    wait_for(lambda: (s := jobs.state(key)) and s.status == "running" and s)
    for process in jobs.processes(key):
        process.kill()
    wait_for(lambda: jobs.state(key).status == "interrupted")


def test_cancelled_before_it_was_taken_up(tmp_path, mmrec_data):
    key = jobs.start("study", spec_of(tmp_path), "Tiny study").key
    jobs.cancel(key)
    assert wait_for(lambda: (s := jobs.state(key)) and not s.active and s).status == "cancelled"
    wait_for(lambda: not jobs.processes(key))
    assert jobs.state(key).status == "cancelled"


def test_the_same_job_of_another_store_is_left_alone(tmp_path, mmrec_data, monkeypatch):
    slow = {"vbpr": QUICK["vbpr"] | {"max_epochs": 100_000, "patience": 100_000}}
    key = jobs.start("study", spec_of(tmp_path, configs=slow), "Slow study").key
    wait_for(lambda: (s := jobs.state(key)) and s.status == "running" and s)
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("MMREC_DATA", str(tmp_path / "elsewhere"))
        settings.cache_clear()
        assert jobs.processes(key) == []
        jobs.cancel(key)
    settings.cache_clear()
    assert jobs.state(key).status == "running" and jobs.processes(key)
    jobs.cancel(key)
    assert wait_for(lambda: (s := jobs.state(key)) and not s.active and s).status == "cancelled"


def test_a_wrong_study_fails_in_words(mmrec_data):
    key = jobs.start("study", {"dataset": "nowhere"}, "Wrong").key
    failed = wait_for(lambda: (s := jobs.state(key)) and not s.active and s)
    assert failed.status == "failed" and "nowhere" in failed.what
    assert "Traceback" not in failed.what


def test_liveness_is_the_lock(mmrec_data):
    folder = settings().jobs / "abc123"
    folder.mkdir(parents=True)
    state = jobs.JobState("abc123", "study", "x", "running", updated=time.time())
    (folder / "state.json").write_text(json.dumps(state.__dict__))
    assert jobs.state("abc123").status == "interrupted"
    with FileLock(folder / "lock"):
        assert jobs.state("abc123").status == "running"


def test_unknown_jobs_and_kinds_are_named(mmrec_data):
    assert jobs.state("nothing") is None
    with pytest.raises(InputError, match="no job"):
        jobs.run("nothing")
    with pytest.raises(InputError, match="kind of job"):
        jobs.start("dance", {}, "x")
    with pytest.raises(InputError, match="not the key"):
        jobs.state("../../etc")


def test_nothing_is_computed_on_show(mmrec_data, monkeypatch):
    monkeypatch.setenv("MMREC_READ_ONLY", "1")
    settings.cache_clear()
    with pytest.raises(InputError, match="on show"):
        jobs.start("study", {"dataset": "demo-both"}, "x")
