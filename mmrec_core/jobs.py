"""One entry for all long work: start, watch, cancel, resume, each job in its own process.

A job lies in ``data/store/jobs/<key>/``: ``job.json`` (kind and spec), ``state.json`` (written
whole after each step), ``log.txt``, and ``lock``, which the working process holds. Alive means
that the lock is held, never that a pid answers: a zombie answers too. Work that the store already
has is skipped, so starting a job again resumes it.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from mmrec_core.domain import InputError, sha256_json
from mmrec_core.settings import PROJECT, settings, worker_environment
from mmrec_core.store import disk_room, write_json
from mmrec_core.work import HANDLERS, Interrupted

if TYPE_CHECKING:
    import psutil

CANCELLED = "Cancelled; what was finished is kept."
RESERVE = 64 * 1024
"""Bytes that a job keeps free for its last words on a full disk."""


@dataclass(frozen=True)
class JobState:
    """Where a job stands.

    Attributes:
        key: Of the job.
        kind: Of work; one of HANDLERS.
        title: For people.
        status: queued, running, done, failed, cancelled, or interrupted (its process is gone).
        fraction: Share of the work done, 0 to 1.
        what: What is being done, or the sentence that says what went wrong.
        created: Seconds since the epoch, as started and updated.
        started: When the present process took it up.
        started_fraction: Share that was done then; time left is reckoned from there.
        updated: Last sign of life.
        facts: What else the handler told, such as runs done and in all.
        result: What the handler returned.
    """

    key: str
    kind: str
    title: str
    status: str
    fraction: float = 0.0
    what: str = ""
    created: float = 0.0
    started: float = 0.0
    started_fraction: float = 0.0
    updated: float = 0.0
    facts: Mapping[str, Any] | None = None
    result: Mapping[str, Any] | None = None

    @property
    def active(self) -> bool:
        """True while it is waiting or working."""
        return self.status in ("queued", "running")

    @property
    def seconds_left(self) -> float | None:
        """Reckoned from the pace since this process took it up; None when it cannot be said."""
        gained = self.fraction - self.started_fraction
        if self.status != "running" or gained < 0.01:
            return None
        return max(0.0, (self.updated - self.started) / gained * (1 - self.fraction))


def start(kind: str, spec: dict[str, Any], title: str) -> JobState:
    """Starts a job, or takes up an interrupted one; a job that is under way is left alone.

    Args:
        kind: One of HANDLERS.
        spec: Plain values that decide the work; equal specs are one job.
        title: For people.

    Raises:
        InputError: Unknown kind, nothing may be computed here, or the disk is full.
    """
    HANDLERS.get(kind)
    if settings().read_only:
        raise InputError("This store is on show (MMREC_READ_ONLY=1): nothing is computed.")
    key = _key(kind, spec)
    folder = _folder(key)
    with disk_room("a job", settings().jobs):
        folder.mkdir(parents=True, exist_ok=True)
        # Two pages may start the same at once: one of them finds it under way.
        with FileLock(folder / "start.lock"):
            known = state(key)
            if known is not None and known.active:
                return known
            write_json(folder / "job.json", {"kind": kind, "spec": spec, "title": title})
            queued = JobState(key, kind, title, "queued", created=time.time(), updated=time.time())
            _write_state(queued)
            with (folder / "log.txt").open("ab") as log:
                subprocess.Popen(
                    [sys.executable, "-m", "mmrec_core", "run", key],
                    cwd=PROJECT,
                    env=worker_environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            return queued


def find(kind: str, spec: dict[str, Any]) -> JobState | None:
    """The job of a kind and spec, or None."""
    return state(_key(kind, spec))


def _key(kind: str, spec: dict[str, Any]) -> str:
    return sha256_json({"kind": kind, "spec": spec})[:24]


def run(key: str) -> JobState:
    """Does a job in this process; called by ``python -m mmrec_core run KEY``.

    Raises:
        InputError: There is no such job, or another process is at it.
    """
    folder = _folder(key)
    job = _job(key)
    lock = FileLock(folder / "lock")
    try:
        # A page that looks whether the job is alive holds the lock for a moment.
        lock.acquire(timeout=2)
    except Timeout:
        raise InputError(f"Job {key} is under way in another process.") from None
    with lock:
        return _Worker(key, job).run()


class _Worker:
    """Carries a job through and keeps its state on disk."""

    def __init__(self, key: str, job: dict[str, Any]) -> None:
        self.job = job
        self.first_fraction: float | None = None
        now = time.time()
        # Seconds since the epoch as this process counts them, however the clock is put.
        self.epoch = now - time.monotonic()
        self.state = JobState(
            key, job["kind"], job["title"], "running", created=now, started=now, updated=now
        )

    def run(self) -> JobState:
        signal.signal(signal.SIGTERM, _stop)
        try:
            with disk_room("the progress of a job", settings().store):
                self._become()
                self._reserve.write_bytes(bytes(RESERVE))
                result = HANDLERS.get(self.job["kind"])(self.job["spec"], self._tell)
            self._end(status="done", fraction=1.0, what="", result=result)
        except _Stopped:
            self._end(status="cancelled", what=CANCELLED)
        except Interrupted as error:
            self._end(status="interrupted", what=str(error))
        except InputError as error:
            self._end(status="failed", what=str(error))
        except Exception as error:
            with contextlib.suppress(OSError):
                traceback.print_exc()
            self._end(status="failed", what=_in_words(error))
        return self.state

    @property
    def _reserve(self) -> Path:
        return _folder(self.state.key) / "reserve"

    def _end(self, **changes: Any) -> None:
        # Room for the last words, should the disk be full.
        self._reserve.unlink(missing_ok=True)
        self._become(**changes)

    def _tell(self, fraction: float, what: str, facts: dict[str, Any]) -> None:
        if self.first_fraction is None:
            self.first_fraction = fraction
        self._become(
            fraction=fraction, what=what, facts=facts, started_fraction=self.first_fraction
        )

    def _become(self, **changes: Any) -> None:
        self.state = JobState(
            **{**asdict(self.state), **changes, "updated": self.epoch + time.monotonic()}
        )
        _write_state(self.state)


class _Stopped(BaseException):
    """The job was asked to end."""


def _stop(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise _Stopped


def _in_words(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "This machine ran out of memory. Use fewer workers (MMREC_WORKERS=1) and resume."
    return f"{type(error).__name__}: {error}"


def state(key: str) -> JobState | None:
    """Where a job stands, or None; a dead process reads ``interrupted``."""

    def read() -> JobState:
        return JobState(**json.loads((_folder(key) / "state.json").read_text("utf-8")))

    try:
        known = read()
        # A queued process needs a moment before it holds the lock.
        # Either way: a clock that was put back must not keep a dead one waiting.
        starting = known.status == "queued" and abs(time.time() - known.updated) < 60
        if not known.active or starting or _held(key):
            return known
        # It may have finished, and let go of the lock, since the first look.
        known = read()
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        return JobState(
            key,
            "",
            "A job",
            "failed",
            what="Its record on the disk is damaged, so nothing is known of it; what it had "
            "finished is kept. Remove it from the list, and start it again on its own page.",
        )
    if not known.active:
        return known
    return replace(known, status="interrupted", what=_ended(known))


def _ended(known: JobState) -> str:
    """What is said of a job whose process is gone."""
    facts = known.facts or {}
    kept = "What was finished is kept"
    if facts.get("total_runs"):
        kept = f"{facts['done_runs']:,} of {facts['total_runs']:,} runs are finished and kept"
    return (
        "It was ended from outside: by somebody, by a restart of the machine, or by the system "
        f"because memory ran out. {kept}; resume it to go on with the rest."
    )


def spec(key: str) -> dict[str, Any]:
    """What a job was told to do; empty where there is no such job."""
    try:
        return dict(_job(key)["spec"])
    except InputError:
        return {}


def jobs() -> list[JobState]:
    """All jobs, the newest first."""
    found = [state(path.parent.name) for path in settings().jobs.glob("*/state.json")]
    return sorted((s for s in found if s is not None), key=lambda s: -s.created)


def resume(key: str) -> JobState:
    """Starts a job again from what is stored.

    Raises:
        InputError: There is no such job.
    """
    job = _job(key)
    return start(job["kind"], job["spec"], job["title"])


def cancel(key: str) -> None:
    """Asks a job's process, and those that train for it, to end; what is finished is kept."""
    for process in processes(key):
        process.terminate()
    known = state(key)
    if known is not None and known.status == "queued":
        # Its process had not taken it up yet, and so cannot say itself that it was ended.
        _write_state(replace(known, status="cancelled", what=CANCELLED, updated=time.time()))


def processes(key: str) -> list["psutil.Process"]:
    """What works at a job of this store; another store's job of equal spec has the same key."""
    import psutil

    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if command[1:] == ["-m", "mmrec_core", "run", key]:
            with contextlib.suppress(psutil.Error):  # it has ended, or is another user's
                if process.environ().get("MMREC_DATA") == str(settings().data):
                    found.append(process)
    return found


def check_unused(dataset: str) -> None:
    """Raises while a job works with a dataset: its files must stay until that has ended.

    Raises:
        InputError: One does.
    """
    for known in jobs():
        if known.active and spec(known.key).get("dataset") == dataset:
            raise InputError(
                f"{known.title} works with dataset {dataset!r} at the moment; cancel it on the "
                "Runs page, or wait until it has ended."
            )


def forget(key: str) -> None:
    """Removes a job that is not under way from the list; its results stay in the store.

    Raises:
        InputError: It is under way.
    """
    import shutil

    known = state(key)
    if known is not None and known.active:
        raise InputError(f"{known.title} is under way; cancel it first.")
    shutil.rmtree(_folder(key), ignore_errors=True)


def log_tail(key: str, characters: int = 4000) -> str:
    """The end of a job's log."""
    try:
        text = (_folder(key) / "log.txt").read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return text[-characters:]


def _folder(key: str) -> Path:
    if not key.isalnum():
        raise InputError(f"{key!r} is not the key of a job.")
    return settings().jobs / key


def _job(key: str) -> dict[str, Any]:
    """Kind, spec and title of a job.

    Raises:
        InputError: There is none, or its record is damaged.
    """
    try:
        job: dict[str, Any] = json.loads((_folder(key) / "job.json").read_text("utf-8"))
        return {name: job[name] for name in ("kind", "spec", "title")}
    except FileNotFoundError:
        raise InputError(f"There is no job {key}.") from None
    except (ValueError, KeyError, TypeError):
        raise InputError(
            f"The record of job {key} is damaged; remove it from the list and start it again on "
            "its own page."
        ) from None


def _held(key: str) -> bool:
    lock = FileLock(_folder(key) / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def _write_state(new: JobState) -> None:
    write_json(_folder(new.key) / "state.json", asdict(new))
    os.utime(_folder(new.key))
