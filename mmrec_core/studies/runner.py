"""Carries a study out: embeddings, runs side by side in processes, evidence into the store."""

import multiprocessing
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.domain import InputError, Progress, sha256_json
from mmrec_core.settings import peak_memory_mib, settings, worker_environment
from mmrec_core.store import SOURCES, Artefact, DamagedArtefact, Store, store
from mmrec_core.studies.inputs import Inputs, embed_one, load_inputs, resolved, to_embed
from mmrec_core.studies.record import write_evidence
from mmrec_core.studies.runs import KIND as RUN
from mmrec_core.studies.runs import (
    run_spec,
    search_arm,
    searched,
    sound_run,
    train_runs,
)
from mmrec_core.studies.study import Arm, Study, arms_of, seeds_of
from mmrec_core.studies.tuning import search, trial_table, trials_of

KIND = "study"
STUDY_VERSION = 2
SEEDS_AT_ONCE = 5

Task = tuple[str, tuple[int, ...]]
"""(label of an arm, seeds), ("tune " + label, ()), or ("embed " + modality or control, ())."""


@dataclass(frozen=True)
class StudyProgress:
    """Where a running study stands; ``fraction`` of the expected work is done.

    ``repaired`` names what was damaged in the store and is made again, or was. ``waiting`` is True
    while another process carries out the very same study.
    """

    fraction: float
    done_runs: int
    total_runs: int
    what: str
    repaired: tuple[str, ...] = ()
    waiting: bool = False


class EndedFromOutside(InputError):
    """A process that trained for a study was killed; what was finished is kept."""


Report = Callable[[StudyProgress], None]


def study_spec(study: Study, inputs: Inputs) -> dict[str, Any]:
    """What a study's artefact is made from."""
    arms = _arms(study, inputs)
    return {
        "version": STUDY_VERSION,
        "study": study.model_dump(mode="json"),
        "inputs": inputs.fingerprints,
        # Defaults and versions that the study does not spell out decide its numbers too.
        "runs": {arm.label: Store.key(RUN, run_spec(study, inputs, arm, 0)) for arm in arms},
    }


def finished_study(study: Study) -> Artefact | None:
    """The stored, sound result of a study, or None; looks only at what is there."""
    study = resolved(study.checked())
    if to_embed(study):
        return None
    inputs = load_inputs(study)
    if not all(searched(study, inputs, arm) for arm in _arms(study, inputs)):
        return None
    return store().sound(KIND, Store.key(KIND, study_spec(study, inputs)))


def _arms(study: Study, inputs: Inputs) -> list[Arm]:
    return arms_of(study, inputs.missing, inputs.groups)[0]


def run_study(study: Study, report: Report | None = None, workers: int | None = None) -> Artefact:
    """Carries out a study and returns its artefact; what the store has is not done again.

    Where another process carries out the same study, that one is waited for. What is damaged in
    the store is put aside, made again, and named in the progress and in the artefact's facts. The
    artefact holds ``study.json`` (study, verdicts, skipped arms, environment), and the
    tables comparisons, arms, curves and per_user.

    Args:
        study: What to do.
        report: Told of progress.
        workers: Processes side by side; 1 trains in this process. None: as settings say.

    Raises:
        InputError: The study or its dataset cannot be used.
        EndedFromOutside: A process that trained for it was killed.
        DiskFull: There is no room for the results.
    """
    study = resolved(study.checked())
    found = finished_study(study)
    if found is not None:
        return found
    if settings().read_only:
        raise InputError("This store is on show (MMREC_READ_ONLY=1): nothing is computed.")
    meter = _Meter(report or (lambda progress: None))
    put_aside: set[str] = set()
    store().prune()
    key = sha256_json([study.model_dump(mode="json"), load_dataset(study.dataset).fingerprint])
    with store().alone(KIND, [key], meter.wait):
        while True:
            try:
                return _run_study(study, meter, workers or settings().workers)
            except DamagedArtefact as damaged:
                # Twice the same would be a disk that spoils what is written.
                if damaged.kind in SOURCES or damaged.key in put_aside:
                    raise
                put_aside.add(damaged.key)


def _run_study(study: Study, meter: "_Meter", workers: int) -> Artefact:
    started = time.perf_counter()
    meter.parts.clear()
    meter.searches, meter.trials_done = {}, 0
    _carry_out(study, [(f"embed {what}", ()) for what in to_embed(study)], workers, meter)
    inputs = load_inputs(study)
    arms, skipped = arms_of(study, inputs.missing, inputs.groups)
    wanted = {search_arm(study, arm) for arm in arms if not searched(study, inputs, arm)}
    meter.total = sum(len(seeds_of(study, arm)) for arm in arms)
    meter.searches = {
        f"tune {arm.label}": trials_of(study, arm.recommender) for arm in arms if arm in wanted
    }
    _carry_out(study, [(label, ()) for label in meter.searches], workers, meter)
    spec = study_spec(study, inputs)
    found = store().sound(KIND, Store.key(KIND, spec))
    if found is not None:
        meter.start()
        return found
    tasks, meter.total, meter.done = _tasks(study, inputs, arms)
    meter.start()
    if study.stage == "inference":
        # The others score with the weights of the real arms, so those are waited for.
        first = [task for task in tasks if " · " not in task[0] or task[0].endswith(" · real")]
        _carry_out(study, first, workers, meter)
        tasks = [task for task in tasks if task not in first]
    _carry_out(study, tasks, workers, meter)
    runs = {arm: train_runs(study, inputs, arm, study.seed_list) for arm in arms}

    def write(folder: Path) -> dict[str, Any]:
        facts = write_evidence(folder, study, inputs, runs, skipped)
        if study.tuning is not None:
            trial_table(study, inputs, arms).to_parquet(folder / "trials.parquet")
        return {
            **facts,
            "wall_seconds": round(time.perf_counter() - started, 1),
            "training_seconds": round(
                sum(run.facts["seconds"] for own in runs.values() for run in own), 1
            ),
            "peak_memory_mib": peak_memory_mib(),
            "workers": workers,
            **({"repaired": repaired} if (repaired := meter.repaired()) else {}),
        }

    artefact = store().put(KIND, spec, write)
    meter.start()
    return artefact


def _tasks(study: Study, inputs: Inputs, arms: Sequence[Arm]) -> tuple[list[Task], int, int]:
    """What is left to train, the number of runs in all, and how many are done."""
    tasks: list[Task] = []
    total = done = 0
    for arm in arms:
        seeds = seeds_of(study, arm)
        left = [seed for seed in seeds if sound_run(study, inputs, arm, seed) is None]
        total, done = total + len(seeds), done + len(seeds) - len(left)
        tasks += [
            (arm.label, tuple(left[start : start + SEEDS_AT_ONCE]))
            for start in range(0, len(left), SEEDS_AT_ONCE)
        ]
    return tasks, total, done


class _Meter:
    """Adds up what the tasks tell and passes it on."""

    def __init__(self, report: Report) -> None:
        self.report, self.total, self.done = report, 0, 0
        self.parts: dict[Task, tuple[float, str]] = {}
        self.searches: dict[str, int] = {}
        self.trials_done = 0
        self.damage: dict[str, str] = {}

    def wait(self) -> None:
        what = "another process carries out this very study; waiting for it"
        self.report(StudyProgress(0.0, 0, 0, what, waiting=True))

    def repaired(self) -> tuple[str, ...]:
        self.damage.update(store().take_damage())
        return tuple(self.damage.values())

    def start(self) -> None:
        repaired = self.repaired()
        self._pass_on(f"{repaired[-1]} was damaged and is made again" if repaired else "")

    def tell(self, task: Task, fraction: float, what: str) -> None:
        self.parts[task] = (fraction, what)
        self._pass_on(what)

    def finish(self, task: Task) -> None:
        self.parts.pop(task, None)
        self.done += len(task[1])
        self.trials_done += self.searches.get(task[0], 0)
        self._pass_on(f"{task[0]}: done")

    def _pass_on(self, what: str) -> None:
        # A trial counts as much as a run: it trains one seed.
        under_way = sum(
            f * (self.searches.get(task[0]) or max(1, len(task[1])))
            for task, (f, _) in self.parts.items()
        )
        total = max(1, self.total + sum(self.searches.values()) or len(self.parts))
        fraction = min(1.0, (self.done + self.trials_done + under_way) / total)
        self.report(StudyProgress(fraction, self.done, self.total, what, self.repaired()))


def _carry_out(study: Study, tasks: Sequence[Task], workers: int, meter: _Meter) -> None:
    if not tasks:
        return
    if workers == 1 or len(tasks) == 1:
        for task in tasks:
            _work(study, task, lambda f, what, task=task: meter.tell(task, f, what))  # type: ignore[misc]
            meter.finish(task)
        return
    os.environ.update(worker_environment())
    context = multiprocessing.get_context("spawn")
    messages: Any = context.Queue()
    with ProcessPoolExecutor(min(workers, len(tasks)), context, _start_worker, (messages,)) as pool:
        pending: dict[Future[dict[str, str]], Task] = {}
        try:
            for task in tasks:
                pending[pool.submit(_pooled, study.model_dump_json(), task)] = task
            while pending:
                finished, _ = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
                for task, fraction, what in _drain(messages):
                    if task in pending.values():
                        meter.tell(task, fraction, what)
                for future in finished:
                    task = pending.pop(future)
                    store().add_damage(future.result())
                    meter.finish(task)
        except BrokenProcessPool:
            raise EndedFromOutside(
                "A process that computed for this study was ended from outside: by somebody, or by "
                f"the system because memory ran out. {meter.done:,} of {meter.total:,} runs are "
                "finished and kept. Resume to go on with the rest; where memory is short, with "
                "MMREC_WORKERS=1."
            ) from None
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():
                child.terminate()
            raise


def _drain(messages: Any) -> Iterator[tuple[Task, float, str]]:
    while True:
        try:
            yield messages.get_nowait()
        except queue.Empty:
            return


_MESSAGES: Any = None


def _start_worker(messages: Any) -> None:
    global _MESSAGES
    _MESSAGES = messages
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Ends this process when the study's own process is killed, so that none is orphaned."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@lru_cache(maxsize=2)
def _worker_inputs(study_json: str) -> tuple[Study, Inputs]:
    study = Study.model_validate_json(study_json)
    return study, load_inputs(study)


def _pooled(study_json: str, task: Task) -> dict[str, str]:
    """Does one task; returns what it found damaged."""
    _work(
        Study.model_validate_json(study_json),
        task,
        lambda fraction, what: _MESSAGES.put((task, fraction, what)),
    )
    return store().take_damage()


def _work(study: Study, task: Task, tell: Callable[[float, str], None]) -> None:
    """Does one task in this process."""
    label, seeds = task
    progress = _throttled(tell)
    if label.startswith("embed "):
        embed_one(study, label.removeprefix("embed "), progress)
        return
    _, inputs = _worker_inputs(study.model_dump_json())
    tuned = label.removeprefix("tune ")
    arm = next(arm for arm in _arms(study, inputs) if arm.label == tuned)
    if tuned != label:
        search(study, inputs, arm, progress)
        return
    train_runs(study, inputs, arm, seeds, progress)


def _throttled(tell: Callable[[float, str], None]) -> Progress:
    """Passes progress on at most twice a second."""
    last = 0.0

    def progress(done: int, total: int, what: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last > 0.5 or done == total:
            last = now
            tell(done / max(1, total), what)

    return progress
