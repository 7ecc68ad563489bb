"""Jobs that survive: killed processes, two at once, a full disk, damaged files; all of it real."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest
from studies.shop import write_shop
from test_jobs import wait_for

from mmrec_core import jobs, settings, store
from mmrec_core.__main__ import main
from mmrec_core.datasets.install import install
from mmrec_core.domain import InputError
from mmrec_core.studies import runs as runs_module
from mmrec_core.studies.results import list_studies
from mmrec_core.studies.runner import EndedFromOutside, run_study
from mmrec_core.studies.study import make_study

PROJECT = Path(__file__).resolve().parents[1]
BRIEF = {"factors": 4, "batch_size": 512, "max_epochs": 4, "patience": 2, "evaluate_every": 2}
STUDY = {
    "dataset": "shop",
    "recommenders": ["vbpr"],
    "references": ["most-pop", "bpr-mf"],
    "modalities": ["text"],
    "controls": ["shuffle"],
    "seeds": 2,
    "configs": {"vbpr": BRIEF, "bpr-mf": BRIEF},
}
"""Three seeded arms of two runs each, and one run of most-pop: seven runs."""


def nothing_shipped(patch):
    patch.setattr(settings.Settings, "demo_store", property(lambda s: s.data / "none"))
    store.store.cache_clear()


@pytest.fixture
def shop(tmp_path, mmrec_data, monkeypatch):
    """The data folder with the shop installed; what is shipped is out of sight here."""
    nothing_shipped(monkeypatch)
    install(write_shop(tmp_path / "shop"), name="shop")
    return mmrec_data


def runs():
    return {
        run.key: (run.path / "meta.json").stat().st_mtime_ns for run in store.store().list("run")
    }


def numbers(of=None):
    """What a study found, as text."""
    study = of or list_studies("shop")[0]
    return study.comparisons.to_csv() + json.dumps(study.verdicts)


def flip(file):
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 16
    file.write_bytes(bytes(raw))


def cut(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def leftovers():
    """Files aside, half-written, or locked."""
    root = settings.settings().store
    left = [*root.glob("tmp/*"), *root.glob("locks/*"), *root.glob("damaged/*")]
    return [*left, *root.rglob("*.tmp")]


@pytest.fixture
def trained(monkeypatch):
    """Labels and seeds of every run that is trained in this process."""
    done = []
    real = runs_module._store_run

    def counted(study, inputs, arm, model):
        done.append((arm.label, model.seed))
        return real(study, inputs, arm, model)

    monkeypatch.setattr(runs_module, "_store_run", counted)
    return done


# Killed from outside


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["main", "worker"])
def test_a_killed_study_goes_on_where_it_was(shop, monkeypatch, victim):
    monkeypatch.setenv("MMREC_WORKERS", "2")
    settings.settings.cache_clear()
    slow = BRIEF | {"max_epochs": 400, "patience": 400, "evaluate_every": 100}
    spec = STUDY | {"controls": ["shuffle", "removed"], "configs": {"bpr-mf": BRIEF, "vbpr": slow}}
    key = jobs.start("study", spec, "Slow study").key

    def half_way():
        # most-pop and bpr-mf are done, vbpr is not.
        state = jobs.state(key)
        assert state.active, state.what
        return len(runs()) >= 3 and state.facts and state.facts.get("done_runs", 0) >= 1

    wait_for(half_way)
    (job,) = jobs.processes(key)
    workers = [p for p in job.children(recursive=True) if "spawn_main" in " ".join(p.cmdline())]
    assert len(workers) == 2
    before = runs()
    (job if victim == "main" else workers[0]).send_signal(signal.SIGKILL)
    wait_for(lambda: not any(p.is_running() and p.status() != "zombie" for p in (job, *workers)))
    stopped = jobs.state(key)
    assert stopped.status == "interrupted"
    assert "ended from outside" in stopped.what and "memory" in stopped.what
    assert "of 9 runs are finished and kept" in stopped.what
    assert "resume" in stopped.what.lower() and "Traceback" not in stopped.what
    # The Runs page says it in words and offers to go on.
    page = AppTest.from_file(str(PROJECT / "pages" / "runs.py"), default_timeout=60).run()
    assert not page.exception and not page.error
    assert "ended from outside" in page.warning[0].value
    assert page.button(key=f"resume-{key}").label == "Resume"
    kept = runs()
    assert before.items() <= kept.items() and len(kept) < 9
    jobs.resume(key)
    done = wait_for(lambda: (s := jobs.state(key)) and not s.active and s)
    assert done.status == "done", jobs.log_tail(key)
    assert kept.items() <= runs().items() and len(runs()) == 9
    assert list_studies("shop")[0].key == done.result["study"]


def test_a_killed_worker_is_a_sentence_for_whoever_calls(shop, monkeypatch):
    class Broken:
        def submit(self, *given):
            from concurrent.futures.process import BrokenProcessPool

            raise BrokenProcessPool("A process in the process pool was terminated abruptly")

        def __enter__(self):
            return self

        def __exit__(self, *given):
            return False

    monkeypatch.setattr("mmrec_core.studies.runner.ProcessPoolExecutor", lambda *given: Broken())
    with pytest.raises(EndedFromOutside, match="0 of 7 runs are finished and kept") as told:
        run_study(make_study(STUDY), workers=2)
    assert "MMREC_WORKERS=1" in str(told.value)


# At once

COUNTING = """
import os, sys
from pathlib import Path
from mmrec_core.__main__ import main
from mmrec_core.store import Store
from mmrec_core.studies import runs

folder, gate = Path(sys.argv[1]), Path(sys.argv[2])

def note(name, line):
    with open(folder / name, "a") as log:
        log.write(f"{line}\\n")

def counted(study, inputs, arm, model, real=runs._store_run):
    if gate.exists() and arm.label == "bpr-mf":
        note("at the gate", os.getpid())
        gate.read_text()  # until somebody writes into it
        gate.unlink()
    note("trained", f"{arm.label} {model.seed}")
    return real(study, inputs, arm, model)

def alone(self, kind, keys, waiting=None, real=Store.alone):
    return real(self, kind, keys, lambda: (note("waiting", kind), waiting()))

runs._store_run, Store.alone = counted, alone
sys.exit(main(sys.argv[3:]))
"""
"""Types a study. The first to hold the runs of bpr-mf stops at the gate, a pipe, until it opens."""


def command(spec):
    """A study as it is typed."""
    typed = ["study", spec["dataset"], "--json", "--seeds", str(spec["seeds"])]
    for name in ("recommenders", "references", "modalities", "controls"):
        typed += [f"--{name}", *spec[name]]
    for name, values in spec["configs"].items():
        for field, value in values.items():
            typed += ["--set", f"{name}.{field}={value}"]
    return typed


@pytest.mark.slow
def test_the_same_study_twice_and_another_at_once(shop, tmp_path, monkeypatch):
    """Both kinds finish with the numbers that they have alone; nothing is trained twice."""
    one, other = STUDY, STUDY | {"references": ["bpr-mf"], "controls": ["removed"]}
    script, notes, gate = tmp_path / "counting.py", tmp_path / "notes", tmp_path / "gate"
    script.write_text(COUNTING, "utf-8")
    notes.mkdir()
    os.mkfifo(gate)
    given = dict(os.environ, MMREC_WORKERS="1", PYTHONPATH=str(PROJECT))

    def begun(spec):
        return subprocess.Popen(
            [sys.executable, str(script), str(notes), str(gate), *command(spec)],
            env=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def noted(name):
        return (notes / name).read_text("utf-8").splitlines() if (notes / name).exists() else []

    began = [begun(one)]
    try:
        wait_for(lambda: noted("at the gate"))
        # The first is at work; what comes now meets it there: the same study, and the same runs.
        began += [begun(one), begun(other)]
        wait_for(lambda: set(noted("waiting")) == {"study", "run"})
        gate.write_text("open")
        said = [process.communicate(timeout=300) for process in began]
    finally:
        for process in began:
            process.kill()
    first, second, third = began
    assert [p.returncode for p in (first, second, third)] == [0, 0, 0], said
    results = [json.loads(out) for out, _ in said]
    assert results[0]["key"] == results[1]["key"] != results[2]["key"]
    assert results[0]["verdicts"] == results[1]["verdicts"]
    waiting = "another process carries out this very study; waiting for it"
    assert [waiting in err for _, err in said] == [False, True, False]
    twice = Counter(noted("trained"))
    # vbpr · real and bpr-mf belong to both studies.
    assert set(twice.values()) == {1} and len(twice) == 9
    assert leftovers() == []
    together = {study.key: numbers(study) for study in list_studies("shop")}
    # Alone, in a store of its own.
    for spec in (one, other):
        monkeypatch.setenv("MMREC_DATA", str(tmp_path / f"alone-{spec['controls'][0]}"))
        settings.settings.cache_clear()
        store.store.cache_clear()
        install(tmp_path / "shop", name="shop")
        alone = run_study(make_study(spec), workers=1)
        assert together[alone.key] == numbers()


def test_two_starts_at_the_same_moment_are_one_job(shop, monkeypatch):
    """Two pages, or a page and a terminal."""
    begun = []
    monkeypatch.setattr(jobs.subprocess, "Popen", lambda *given, **named: begun.append(given))
    first, second = jobs.start("study", STUDY, "Once"), jobs.start("study", STUDY, "Once")
    assert first.key == second.key and second.active and len(begun) == 1


# A full disk


def full(*given, **named):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


TINY_DISK = """
import json, os, shutil, subprocess, sys
from pathlib import Path
os.environ["MMREC_DATA"] = sys.argv[2]
from studies.shop import write_shop
from test_failures import STUDY
from mmrec_core import jobs
from mmrec_core.datasets.install import install
from mmrec_core.domain import sha256_json
from mmrec_core.store import store, write_json

def tree():
    return {str(p): p.stat().st_mtime_ns for p in store().root.glob("run/*/*/meta.json")}

disk = Path(sys.argv[2])
install(write_shop(Path(sys.argv[1]) / "upload"), name="shop")
job = {"kind": "study", "spec": STUDY, "title": "Study on a tiny disk"}
folder = store().root / "jobs" / "abc"
folder.mkdir(parents=True)
write_json(folder / "job.json", job)
# Room for some of the runs, and no more.
ballast = disk / "ballast"
left = shutil.disk_usage(disk).free - 200_000
ballast.write_bytes(bytes(left))
failed = jobs.run("abc")
told = {
    "status": failed.status, "what": failed.what, "on disk": jobs.state("abc").what,
    "free": shutil.disk_usage(disk).free,
    "half": [str(p) for p in (*disk.rglob("store/tmp/*"), *disk.rglob("*.tmp"),
                              *disk.rglob("store/locks/*"))],
    "kept": len(tree()),
}
for run in store().list("run"):
    run.verify()
before = tree()
ballast.unlink()
done = jobs.run("abc")
told |= {"then": done.status, "why": done.what, "same": before.items() <= tree().items(),
         "all": len(tree())}
print(json.dumps(told))
"""


@pytest.mark.slow
def test_a_disk_that_is_really_full(tmp_path):
    """A file system of 2 MB, mounted where only this process sees it."""
    (tmp_path / "disk").mkdir()
    mount = ["unshare", "--mount", "sh", "-c"]
    mounted = f"mount -t tmpfs -o size=2m tmpfs '{tmp_path}/disk'"
    if not shutil.which("unshare") or subprocess.run([*mount, mounted], check=False).returncode:
        pytest.skip("this system does not let us mount a small file system")
    (tmp_path / "tiny.py").write_text(TINY_DISK, "utf-8")
    path = f"{PROJECT}{os.pathsep}{PROJECT / 'tests'}"
    done = subprocess.run(
        [*mount, f"{mounted} && exec '{sys.executable}' '{tmp_path}/tiny.py' '{tmp_path}' "
         f"'{tmp_path}/disk'"],
        env=dict(os.environ, MMREC_WORKERS="1", PYTHONPATH=path),
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["status"] == "failed", told
    assert told["what"] == told["on disk"]
    for words in ("The disk is full: ", "could not be written to", "are free", "free some space"):
        assert words in told["what"]
    assert told["half"] == []
    assert 0 < told["kept"] < 7
    assert (told["then"], told["same"], told["all"]) == ("done", True, 7), told


@pytest.mark.parametrize("where", ["np.save", "to_parquet", "save_file", "os.replace"])
def test_a_study_on_a_full_disk_says_so_and_goes_on_later(shop, monkeypatch, capsys, where):
    targets = {
        "np.save": (np, "save"),
        "to_parquet": (pd.DataFrame, "to_parquet"),
        "save_file": ("safetensors.numpy", "save_file"),
        "os.replace": (os, "replace"),
    }
    with monkeypatch.context() as patch:
        of, name = targets[where]
        if isinstance(of, str):
            patch.setattr(f"{of}.{name}", full)
        else:
            patch.setattr(of, name, full)
        monkeypatch.setenv("MMREC_WORKERS", "1")
        settings.settings.cache_clear()
        assert main(command(STUDY)) == 2
    (sentence,) = capsys.readouterr().err.strip().splitlines()
    assert sentence.startswith("mmrec_core: The disk is full: ")
    assert str(shop / "store") in sentence and "are free" in sentence
    assert leftovers() == []
    assert main(command(STUDY)) == 0
    assert len(runs()) == 7


def test_the_last_words_find_room_on_a_full_disk(mmrec_data, monkeypatch):
    """Even state.json cannot be written until the job gives up what it had set aside."""
    folder = settings.settings().jobs / "abc"
    folder.mkdir(parents=True)
    (folder / "job.json").write_text(json.dumps({"kind": "study", "spec": {}, "title": "x"}))
    real = jobs.write_json

    def write_json(path, value):
        if filled and (folder / "reserve").exists():
            full()
        real(path, value)

    filled = []

    def handler(spec, tell):
        filled.append(True)
        tell(0.5, "half", {})
        pytest.fail("the disk was full")

    monkeypatch.setattr(jobs, "write_json", write_json)
    monkeypatch.setattr(jobs.HANDLERS, "get", lambda kind: handler)
    before = signal.getsignal(signal.SIGTERM)
    try:
        ended = jobs.run("abc")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert ended.status == "failed" and ended.what.startswith("The disk is full: ")
    assert jobs.state("abc").what == ended.what
    assert sorted(os.listdir(folder)) == ["job.json", "lock", "state.json"]


def test_a_job_that_cannot_even_start_is_a_sentence(mmrec_data, monkeypatch):
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InputError, match="The disk is full: a job could not be written"):
        jobs.start("study", STUDY, "x")


# Damaged files


@pytest.fixture(scope="module")
def studied(tmp_path_factory):
    """A data folder with the shop and its finished study; what damages it works on a copy."""
    folder = tmp_path_factory.mktemp("studied")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMREC_DATA", str(folder / "data"))
        settings.settings.cache_clear()
        nothing_shipped(patch)
        install(write_shop(folder / "shop"), name="shop")
        run_study(make_study(STUDY), workers=1)
    settings.settings.cache_clear()
    store.store.cache_clear()
    return folder / "data"


@pytest.fixture
def finished(studied, mmrec_data, monkeypatch):
    """A finished study of the shop, to do with as one likes."""
    nothing_shipped(monkeypatch)
    shutil.copytree(studied, mmrec_data, dirs_exist_ok=True)
    return run_study(make_study(STUDY), workers=1)


def file_of(kind, name, arm="vbpr · real"):
    for artefact in store.store().list(kind):
        if kind != "run" or artefact.facts["arm"] == arm:
            return artefact.path / name
    raise AssertionError((kind, arm))


HARM = [
    ("run", "metrics.npy", flip),
    ("run", "metrics.npy", cut),
    ("run", "lists.npy", Path.unlink),
    ("run", "curve.parquet", cut),
    ("run", "weights.safetensors", flip),
    ("run", "meta.json", cut),
    ("run", "meta.json", flip),
]


@pytest.mark.parametrize(("kind", "name", "harm"), HARM)
def test_a_damaged_run_is_trained_again_and_named(finished, trained, kind, name, harm):
    damaged = file_of(kind, name)
    seed = json.loads((damaged.parent / "meta.json").read_text("utf-8"))["spec"]["seed"]
    before, kept = list_studies("shop")[0].comparisons, runs()
    harm(damaged)
    store.store().delete("study", finished.key)
    told = []
    again = run_study(make_study(STUDY), told.append, workers=1)
    assert trained == [("vbpr · real", seed)]
    own = damaged.parent.name
    assert {k: v for k, v in runs().items() if k != own} == {
        k: v for k, v in kept.items() if k != own
    }
    sentence = f"{name} of run vbpr · real, seed {seed}"
    assert again.facts["repaired"] == [sentence]
    assert told[-1].repaired == (sentence,)
    assert any("was damaged and is made again" in progress.what for progress in told)
    assert leftovers() == []
    # A seed trained alone and one in a batch agree but for the last bits.
    effect = list_studies("shop")[0].comparisons["effect"]
    np.testing.assert_allclose(effect, before["effect"], atol=0.02)
    store.store().find("run", own).verify()


def test_damaged_embeddings_are_made_again_and_named(finished, trained, capsys):
    flip(file_of("embeddings", "matrix.npy"))
    assert main(command(STUDY)) == 0
    printed = capsys.readouterr()
    assert trained == []
    assert json.loads(printed.out)["repaired"] == [
        "matrix.npy of the text embeddings by precomputed:text"
    ]
    assert "was damaged and is made again" in printed.err
    assert numbers() and leftovers() == []


@pytest.mark.parametrize("name", ["study.json", "comparisons.parquet", "meta.json"])
def test_a_damaged_study_is_put_together_again(finished, trained, name):
    before = numbers()
    cut(finished.path / name)
    again = run_study(make_study(STUDY), workers=1)
    assert trained == [] and again.key == finished.key
    assert again.facts["repaired"] == [f"{name} of study {again.key[:12]}"]
    assert numbers() == before


def test_damage_found_by_a_page_is_named_by_the_job(finished, monkeypatch):
    """The page puts it aside, another process makes it again: the note goes from one to another."""
    cut(finished.path / "arms.parquet")
    with pytest.raises(InputError, match=r"arms\.parquet is gone or no longer .* start the study"):
        list_studies("shop")[0].arms  # noqa: B018
    assert list_studies("shop") == []
    store.store().take_damage()
    folder = settings.settings().jobs / "abc"
    folder.mkdir(parents=True)
    store.write_json(folder / "job.json", {"kind": "study", "spec": STUDY, "title": "Again"})
    before = signal.getsignal(signal.SIGTERM)
    try:
        done = jobs.run("abc")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert done.status == "done"
    assert done.result["repaired"] == [f"arms.parquet of study {finished.key[:12]}"]
    # Links between pages exist behind the front door only.
    monkeypatch.setattr("pages.ui.records.study_link", lambda key: None)
    page = AppTest.from_file(str(PROJECT / "pages" / "runs.py"), default_timeout=60).run()
    assert not page.exception and not page.error
    said = "\n".join(text.value for text in page.markdown)
    assert r"1 damaged result found in the store and made again\: arms\.parquet" in said


def test_the_shipped_layer_is_checked_too(finished, mmrec_data, trained, monkeypatch):
    shipped = mmrec_data / "shipped"
    shipped.mkdir()
    for kind in ("run", "study", "embeddings"):
        shutil.move(mmrec_data / "store" / kind, shipped / kind)
    monkeypatch.setattr(settings.Settings, "demo_store", property(lambda s: shipped))
    store.store.cache_clear()
    assert run_study(make_study(STUDY), workers=1).shipped and trained == []
    harmed = [file_of("run", "metrics.npy"), file_of("embeddings", "matrix.npy")]
    harmed.append(file_of("study", "comparisons.parquet"))
    for file in harmed:
        flip(file)
    content = [file.read_bytes() for file in harmed]
    again = run_study(make_study(STUDY), workers=1)
    assert len(trained) == 1 and len(again.facts["repaired"]) == 3
    assert not again.shipped and again.path.is_relative_to(mmrec_data / "store")
    assert len(list((mmrec_data / "store" / "run").glob("*/*"))) == 1
    assert [file.read_bytes() for file in harmed] == content


@pytest.mark.parametrize("name", ["items.parquet", "interactions.parquet", "features/text.npy"])
@pytest.mark.parametrize("harm", [flip, cut, Path.unlink])
def test_a_damaged_dataset_must_be_installed_again(shop, tmp_path, name, harm, capsys):
    """It is never taken for other features, nor for a dataset without them."""
    from mmrec_core.datasets import catalogue

    catalogue._loaded.cache_clear()
    (folder,) = (shop / "store" / "dataset").glob("*/*")
    harm(folder / name)
    assert main(command(STUDY)) == 2
    (sentence,) = capsys.readouterr().err.strip().splitlines()
    assert Path(name).name in sentence and "install the dataset again" in sentence
    assert runs() == {} and not list(store.store().list("embeddings"))
    assert main(["install", str(tmp_path / "shop"), "--name", "shop"]) == 0
    store.store().find("dataset", folder.name).verify()


def test_the_damaged_record_of_a_job_is_a_sentence(mmrec_data):
    for key, content in {"cut": "{", "other": '{"x": 1}'}.items():
        folder = settings.settings().jobs / key
        folder.mkdir(parents=True)
        for name in ("state.json", "job.json"):
            (folder / name).write_text(content)
    page = AppTest.from_file(str(PROJECT / "pages" / "runs.py"), default_timeout=60).run()
    assert not page.exception
    assert [("record on the disk is damaged" in e.value) for e in page.error] == [True, True]
    page.button(key="resume-cut").click().run()
    assert any("start it again on its own page" in e.value for e in page.error)
    page.button(key="forget-cut").click().run()
    assert [state.key for state in jobs.jobs()] == ["other"]


def test_a_study_in_pieces_is_a_sentence_on_its_page(finished):
    cut(finished.path / "study.json")
    page = AppTest.from_file(str(PROJECT / "pages" / "runs.py"), default_timeout=60)
    page.query_params["tab"] = "Studies"
    page.run()
    assert not page.exception
    assert r"study\.json is gone or no longer what was written" in page.error[0].value
    assert "start the study again" in page.error[0].value
    # It is out of the way from then on.
    assert not page.run().error and "No study is finished yet" in page.info[0].value
