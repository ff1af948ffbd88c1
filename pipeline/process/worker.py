"""The child that does the work of one attempt: `python -P -m pipeline.process.worker ATTEMPT_DIR`, started by the shim.

Reads `spec.json`, does the step, reports by the spool, and says by its exit status how it went:
0 done, 75 preempted (asked to stop, work saved), else the `exit_code` of the error in the spool's last line.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import importlib.metadata
import os
import platform
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NoReturn

from pipeline.config import load_project
from pipeline.process.context import Preempted, RunContext
from pipeline.process.pages import SMALL_PAGES, keep_freed_memory
from pipeline.process.spec import RunSpec
from pipeline.process.spool import Spool
from pipeline.serving.cores import available, left_for_runs, pin
from pipeline.serving.settings import ServingSettings
from store.disk import is_full
from store.errors import DiskFull, StorageError, TrainshedError
from store.home import AttemptDir, Home
from store.words import JobKind

PREEMPTED: Final = 75
HEARTBEAT_S: Final = 15.0
RUN_NICENESS: Final = 10
NICENESS: Final[dict[JobKind, int]] = {"monitor": 5}
"""While endpoints answer, of kinds of runs that go before the others: `RUN_NICENESS`. A look takes seconds of CPU, and
beside trainings at the same niceness, or at 0 for they began before an endpoint did, it would take many times that."""
STEPS: Final[dict[JobKind, tuple[str, str]]] = {
    "etl": ("pipeline.etl.run", "run_etl"),
    "features": ("pipeline.features.run", "run_features"),
    "train": ("pipeline.training.learn", "run_train"),
    "evaluate": ("pipeline.judging.judge", "run_evaluate"),
    "batch-predict": ("pipeline.predicting.run", "run_batch_predict"),
    "monitor": ("pipeline.watching.run", "run_monitor"),
    "backup": ("pipeline.backup", "run_backup"),
}
"""Imported when needed: a copy of the database needs no jax."""


def library_settings(environment: dict[str, str], cores: int) -> dict[str, str]:
    """For libraries that would each take the whole box; to be set before they are loaded.

    OpenMP (gradient-boosted trees) may use all cores; BLAS gets one thread: its calls here are short, and its idle
    threads would make a fork of the warm process unsound. What the operator set stays.
    """
    wanted = {"OMP_NUM_THREADS": str(cores), "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", **SMALL_PAGES}
    return {name: environment.get(name, value) for name, value in wanted.items()}


def settle_libraries() -> None:
    """Of this process, before it loads any that computes."""
    os.environ.update(library_settings(dict(os.environ), len(os.sched_getaffinity(0))))
    keep_freed_memory(os.environ)


def work(directory: AttemptDir) -> int:
    """Does the attempt and returns the process's exit status."""
    spec = RunSpec.model_validate_json(directory.spec.read_text(encoding="utf-8"))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    spool = Spool(directory.events, time.time)
    spool.write("hello", pid=os.getpid(), python=platform.python_version(), jax=_version("jax"))
    give_way(Home(spec.home), spec.kind)
    quiet = _start_heartbeat(spool)
    try:
        return _step(spec, spool, stop)
    finally:
        quiet.set()


def give_way(home: Home, kind: JobKind) -> None:
    """While endpoints answer, requests go before runs: of the processor, a run gets what they leave over, and looks of
    monitors go before other runs.

    Where the kernel groups processes by their session (sched_autogroup), niceness counts within a session only, and
    that of the group decides between them: of the session that is the run's own, its shim's. Cores that serving has to
    itself are left to it.
    """
    if not home.serving.control.exists():
        return
    with contextlib.suppress(OSError, ValueError, TypeError):  # no settings, or those of a later release
        if reserved := ServingSettings.read(home.serving.settings).cores:
            pin(left_for_runs(reserved, available()))
    niceness = NICENESS.get(kind, RUN_NICENESS)
    os.nice(niceness)
    if os.getsid(0) in (os.getpid(), os.getppid()):
        with contextlib.suppress(OSError):  # a kernel without such groups
            Path("/proc/self/autogroup").write_text(str(niceness), encoding="ascii")


def _step(spec: RunSpec, spool: Spool, stop: threading.Event) -> int:
    try:
        context = RunContext(
            spec=spec,
            project=load_project(spec.project),
            home=Home(spec.home),
            spool=spool,
            now=lambda: datetime.now(UTC),
            stop=stop,
        )
        module, function = STEPS[spec.kind]
        step: Callable[[RunContext], None] = getattr(importlib.import_module(module), function)
        step(context)
    except Preempted:
        return PREEMPTED
    except TrainshedError as error:
        return _give_up(spool, error)
    except MemoryError as error:
        traceback.print_exc()
        return _give_up(spool, OutOfMemory(str(error) or "there was no memory left", remedy=OutOfMemory.remedy_text))
    except Exception as error:  # the last line of defence: the record has to say what happened, whatever it was
        traceback.print_exc()
        return _give_up(spool, _storage(error, spec) or Bug.found(error, spec.run))
    spool.write("done", message="")
    return 0


class Bug(TrainshedError):
    """A step stopped with an error nobody foresaw; its traceback is in the run's stderr."""

    @classmethod
    def found(cls, error: Exception, run: int) -> Bug:
        """In the words of the error, with the innermost place."""
        frames = traceback.extract_tb(error.__traceback__)
        place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
        what = f"{type(error).__name__}: {error}".strip()
        return cls(what[:2000], where=place, remedy=f"read the traceback: `trainshed runs logs {run} --stderr`")


class OutOfMemory(TrainshedError):
    """A step asked for more memory than there is."""

    exit_code = 71
    remedy_text = "use smaller batches (batch_rows, training.batch_size), or a machine with more memory"


def _give_up(spool: Spool, error: TrainshedError) -> int:
    print(error, file=sys.stderr)
    try:
        spool.fault(error)
    except OSError:
        traceback.print_exc()  # even for this there is no room: the exit status has to say it
        return StorageError.exit_code
    return error.exit_code


def _storage(error: Exception, spec: RunSpec) -> StorageError | None:
    """What a disk that takes nothing more did to a step; None if it is not that."""
    again = f"`trainshed runs retry {spec.run}`: it goes on from what is saved"
    if is_full(error):
        where = str(getattr(error, "filename", None) or spec.home)
        return DiskFull("the disk is full", where=where, remedy=f"free space there, then {again}")
    if isinstance(error, OSError) and error.errno == errno.EROFS:
        where = str(error.filename or spec.home)
        return StorageError("the disk is read-only", where=where, remedy=f"look at `dmesg` why, then {again}")
    return None


def _start_heartbeat(spool: Spool) -> threading.Event:
    """Says `heartbeat` from a thread of its own until the event it returns is set."""
    quiet = threading.Event()

    def beat() -> None:
        while not quiet.wait(HEARTBEAT_S):
            with contextlib.suppress(OSError):  # a full disk is for the step to find; the next beat may fit again
                spool.write("heartbeat")

    threading.Thread(target=beat, name="heartbeat", daemon=True).start()
    return quiet


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def enter(directory: str) -> NoReturn:
    """Works and ends the process, without the exit handlers of libraries that might change its status."""
    code = 1
    try:
        code = work(AttemptDir(Path(directory)))
    except BaseException as error:
        traceback.print_exc()
        code = StorageError.exit_code if is_full(error) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    settle_libraries()
    enter(sys.argv[1])
