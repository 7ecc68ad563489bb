"""Carries a study out: embeddings, runs side by side in processes, evidence into the store."""

import multiprocessing
import os
import queue
import resource
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from mmrec_core.domain import Progress
from mmrec_core.metrics.ranking import CUTOFFS
from mmrec_core.settings import settings, worker_environment
from mmrec_core.store import Artefact, Store, store, write_json
from mmrec_core.studies.evidence import (
    arm_table,
    comparison_table,
    curve_table,
    effects,
    per_user_table,
    verdicts_of,
)
from mmrec_core.studies.inputs import Inputs, embed_modality, embedded, load_inputs, resolved
from mmrec_core.studies.runs import KIND as RUN
from mmrec_core.studies.runs import environment, find_run, run_spec, train_runs
from mmrec_core.studies.study import RANKING_METRICS, Arm, Study, arms_of

KIND = "study"
STUDY_VERSION = 1
SEEDS_AT_ONCE = 5
METRICS = tuple(f"{name}@{k}" for name in RANKING_METRICS for k in CUTOFFS)

Task = tuple[str, tuple[int, ...]]
"""(label of an arm, seeds), or ("embed MODALITY", ())."""


@dataclass(frozen=True)
class StudyProgress:
    """Where a running study stands; ``fraction`` of the expected work is done."""

    fraction: float
    done_runs: int
    total_runs: int
    what: str


Report = Callable[[StudyProgress], None]


def study_spec(study: Study, inputs: Inputs) -> dict[str, Any]:
    """What a study's artefact is made from."""
    arms, _ = arms_of(study, inputs.missing)
    return {
        "version": STUDY_VERSION,
        "study": study.model_dump(mode="json"),
        "inputs": inputs.fingerprints,
        # Defaults and versions that the study does not spell out decide its numbers too.
        "runs": {arm.label: Store.key(RUN, run_spec(study, inputs, arm, 0)) for arm in arms},
    }


def finished_study(study: Study) -> Artefact | None:
    """The stored result of a study, or None; looks only at what is there."""
    study = resolved(study.checked())
    if not all(embedded(study, modality) for modality in study.modalities):
        return None
    return store().get(KIND, study_spec(study, load_inputs(study)))


def run_study(study: Study, report: Report | None = None, workers: int | None = None) -> Artefact:
    """Carries out a study and returns its artefact; what the store has is not done again.

    The artefact holds ``study.json`` (study, verdicts, skipped arms, environment), and the
    tables comparisons, arms, curves and per_user.

    Args:
        study: What to do.
        report: Told of progress.
        workers: Processes side by side; 1 trains in this process. None: as settings say.

    Raises:
        InputError: The study or its dataset cannot be used.
    """
    study = resolved(study.checked())
    report = report or (lambda progress: None)
    workers = workers or settings().workers
    started = time.time()
    todo = [m for m in study.modalities if not embedded(study, m)]
    _carry_out(study, [(f"embed {m}", ()) for m in todo], workers, _Meter(report, 0, 0))
    inputs = load_inputs(study)
    spec = study_spec(study, inputs)
    found = store().get(KIND, spec)
    if found is not None:
        return found
    arms, skipped = arms_of(study, inputs.missing)
    tasks, total, done = _tasks(study, inputs, arms)
    meter = _Meter(report, total, done)
    if study.stage == "inference":
        # The others score with the weights of the real arms, so those are waited for.
        first = [task for task in tasks if " · " not in task[0] or task[0].endswith(" · real")]
        _carry_out(study, first, workers, meter)
        tasks = [task for task in tasks if task not in first]
    _carry_out(study, tasks, workers, meter)
    runs = {arm: train_runs(study, inputs, arm, study.seed_list) for arm in arms}

    def write(folder: Path) -> dict[str, Any]:
        found = effects(study, runs, list(dict.fromkeys([study.metric, *METRICS])))
        verdicts = verdicts_of(study, runs, found)
        comparison_table(study, found, verdicts).to_parquet(folder / "comparisons.parquet")
        arm_table(study, runs, METRICS).to_parquet(folder / "arms.parquet")
        curve_table(runs).to_parquet(folder / "curves.parquet")
        per_user_table(study, runs).to_parquet(folder / "per_user.parquet", compression="zstd")
        records = [
            {
                **v.to_json(),
                "sentence": v.sentence,
                "symbol": v.outcome.symbol,
                "tone": v.outcome.tone,
            }
            for v in verdicts
        ]
        write_json(
            folder / "study.json",
            {
                "study": study.model_dump(mode="json"),
                "dataset_title": inputs.dataset.info.title,
                "split": inputs.split.description,
                "n_users": inputs.split.n_users,
                "n_items": inputs.split.n_items,
                "n_train": int(inputs.split.train.nnz),
                "missing": {m: int(e.missing.sum()) for m, e in inputs.features.items()},
                "verdicts": records,
                "skipped": [{"arm": s.arm.label, "reason": s.reason} for s in skipped],
                "environment": environment(),
            },
        )
        return {
            "dataset": study.dataset,
            "recommenders": list(study.recommenders),
            "seeds": study.seeds,
            "stage": study.stage,
            "metric": study.metric,
            "runs": sum(len(own) for own in runs.values()),
            "wall_seconds": round(time.time() - started, 1),
            "training_seconds": round(
                sum(run.facts["seconds"] for own in runs.values() for run in own), 1
            ),
            "peak_memory_mib": _peak_memory_mib(),
            "workers": workers,
        }

    return store().put(KIND, spec, write)


def _tasks(study: Study, inputs: Inputs, arms: Sequence[Arm]) -> tuple[list[Task], int, int]:
    """What is left to train, the number of runs in all, and how many are done."""
    from mmrec_core.recommenders import RECOMMENDERS

    tasks: list[Task] = []
    total = done = 0
    for arm in arms:
        seeds = study.seed_list if RECOMMENDERS.get(arm.recommender).seeded else [0]
        left = [seed for seed in seeds if find_run(study, inputs, arm, seed) is None]
        total, done = total + len(seeds), done + len(seeds) - len(left)
        tasks += [
            (arm.label, tuple(left[start : start + SEEDS_AT_ONCE]))
            for start in range(0, len(left), SEEDS_AT_ONCE)
        ]
    return tasks, total, done


class _Meter:
    """Adds up what the tasks tell and passes it on."""

    def __init__(self, report: Report, total_runs: int, done_runs: int) -> None:
        self.report, self.total, self.done = report, total_runs, done_runs
        self.parts: dict[Task, tuple[float, str]] = {}

    def tell(self, task: Task, fraction: float, what: str) -> None:
        self.parts[task] = (fraction, what)
        self._pass_on(what)

    def finish(self, task: Task) -> None:
        self.parts.pop(task, None)
        self.done += len(task[1])
        self._pass_on(f"{task[0]}: done")

    def _pass_on(self, what: str) -> None:
        under_way = sum(f * max(1, len(task[1])) for task, (f, _) in self.parts.items())
        total = max(1, self.total or len(self.parts))
        self.report(
            StudyProgress(min(1.0, (self.done + under_way) / total), self.done, self.total, what)
        )


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
        pending: dict[Future[None], Task] = {
            pool.submit(_pooled, study.model_dump_json(), task): task for task in tasks
        }
        try:
            while pending:
                finished, _ = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
                for task, fraction, what in _drain(messages):
                    if task in pending.values():
                        meter.tell(task, fraction, what)
                for future in finished:
                    task = pending.pop(future)
                    future.result()
                    meter.finish(task)
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


def _pooled(study_json: str, task: Task) -> None:
    _work(
        Study.model_validate_json(study_json),
        task,
        lambda fraction, what: _MESSAGES.put((task, fraction, what)),
    )


def _work(study: Study, task: Task, tell: Callable[[float, str], None]) -> None:
    """Does one task in this process."""
    label, seeds = task
    progress = _throttled(tell)
    if label.startswith("embed "):
        embed_modality(study, label.removeprefix("embed "), progress)
        return
    _, inputs = _worker_inputs(study.model_dump_json())
    arm = next(a for a in arms_of(study, inputs.missing)[0] if a.label == label)
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


def _peak_memory_mib() -> int:
    """Largest resident set of this process and of its largest child, MiB."""
    kib = max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return int(kib / 1024)
