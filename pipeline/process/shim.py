"""The supervisor of one attempt: a tiny process that outlives the daemon and knows how the worker ended.

Standard library only: it is started as `python -I -S shim.py ATTEMPT_DIR` (8 MB, some 50 ms), or forked
from the warm process. It holds an flock on `lock` as long as it lives, is the subreaper of everything the worker
starts, pumps the worker's output into size-capped files, and writes `status.json`:

    {"protocol": 1, "boot_id", "pid", "created", "nonce", "worker", "state": "running" | "ended", "asked" (SIGTERMs),
     "exit_code", "signal", "ended_at" (unix s), "peak_rss" (bytes), "cpu_s", "dropped": {"stdout", "stderr"} (bytes)}

SIGTERM asks the worker to end and, after `grace_s`, kills every descendant; a second SIGTERM skips the grace.
Whatever the worker leaves behind when it ends is killed too, double-forked daemons included.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable

if __name__ == "__main__":
    # Started with -I -S, so that nothing but the standard library is in the way: our own folder has to be named.
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from pipeline.process.cappedlog import CappedLog
from pipeline.process.procfs import boot_id, descendants, start_ticks

PROTOCOL = 1
RESERVED = 4096
"""Bytes of a status file: reserved at the start, so that the last word fits on a full disk."""
NONCE_VARIABLE = "TRAINSHED_NONCE"
"""Environment variable by which a worker's stray descendants are recognised."""

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PIECE = 65_536
_HELD = (signal.SIGTERM,)
_KILL_PAUSE_S = 0.02

Json = dict[str, object]


class StatusFile:
    """`status.json`, replaced as a whole; the space for the last word is reserved by the first."""

    def __init__(self, directory: str) -> None:
        self._path = os.path.join(directory, "status.json")
        self._next = os.path.join(directory, "status.next")

    def write(self, status: Json, *, reserve_another: bool) -> None:
        self._fill(self._next, status)
        os.rename(self._next, self._path)
        if reserve_another:
            self._fill(self._next, status)

    @staticmethod
    def _fill(path: str, status: Json) -> None:
        body = json.dumps(status).encode().ljust(RESERVED) + b"\n"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.pwrite(descriptor, body, 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class Shim:
    """Watches one worker to its end. Single-threaded: pipes, signals and deadlines meet in one poll loop."""

    def __init__(self, directory: str, order: Json, lock: int) -> None:
        self._directory = directory
        self._order = order
        self._lock = lock
        self._grace = float(str(order.get("grace_s", 30.0)))
        cap = int(str(order.get("log_bytes", 64_000_000)))
        self._logs = {name: CappedLog(os.path.join(directory, f"{name}.log"), cap) for name in ("stdout", "stderr")}
        self._pipes: dict[int, CappedLog] = {}
        self._poll = select.poll()
        self._status = StatusFile(directory)
        self._worker = 0
        self._wait_status: int | None = None
        self._terms = 0
        self._terms_told = 0
        """How many of them `status.json` knows of."""
        self._deadline: float | None = None
        self._peak_rss = 0
        self._cpu_s = 0.0

    def run(self, enter_worker: Callable[[str], None]) -> None:
        """Starts the worker (`enter_worker` runs in the child and does not return) and stays until all is over."""
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        wake, signalled = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(signalled, warn_on_full_buffer=False)
        signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)  # until there is a worker to pass it on to
        signal.signal(signal.SIGTERM, self._on_term)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for ignored in (signal.SIGINT, signal.SIGHUP):
            signal.signal(ignored, signal.SIG_IGN)
        self._poll.register(wake, select.POLLIN)
        self._start(enter_worker)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD)
        self._tell()
        while not self._over():
            self._wait(wake)
            if self._terms > self._terms_told:
                self._tell()
        self._drain()
        self._status.write(self._describe("ended"), reserve_another=False)

    def _tell(self) -> None:
        """Writes that it runs; a SIGTERM that comes meanwhile is told by the next."""
        self._terms_told = self._terms
        self._status.write(self._describe("running"), reserve_another=True)

    def _on_term(self, *_: object) -> None:
        self._terms += 1
        if self._terms == 1:
            self._deadline = time.monotonic() + self._grace
            self._signal(self._worker, signal.SIGTERM)
        else:
            self._deadline = time.monotonic()

    def _start(self, enter_worker: Callable[[str], None]) -> None:
        ends = {name: os.pipe2(os.O_CLOEXEC) for name in self._logs}
        shim = os.getpid()
        self._worker = os.fork()
        if self._worker == 0:
            self._become_worker(shim, ends["stdout"][1], ends["stderr"][1])
            enter_worker(self._directory)
            os._exit(127)
        for name, (reader, writer) in ends.items():
            os.close(writer)
            os.set_blocking(reader, False)
            self._pipes[reader] = self._logs[name]
            self._poll.register(reader, select.POLLIN)

    def _become_worker(self, shim: int, stdout: int, stderr: int) -> None:
        """In the child: die with the shim, hold none of its files, be the first to go when memory runs out."""
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != shim:
            os._exit(137)
        signal.set_wakeup_fd(-1)
        for used in (signal.SIGTERM, signal.SIGCHLD, signal.SIGINT, signal.SIGHUP):
            signal.signal(used, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD)
        os.close(self._lock)
        null = os.open(os.devnull, os.O_RDONLY)
        for target, descriptor in enumerate((null, stdout, stderr)):
            os.dup2(descriptor, target)
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("500")
        os.environ[NONCE_VARIABLE] = str(self._order["nonce"])
        os.chdir(str(self._order["project"]))

    def _over(self) -> bool:
        """Reaps; once the worker has ended or its grace is over, kills what is left. True when nothing is."""
        alone = self._reap()
        overdue = self._deadline is not None and time.monotonic() >= self._deadline
        if not alone and (overdue or self._wait_status is not None):
            for pid in descendants(os.getpid()):
                self._signal(pid, signal.SIGKILL)
        return alone

    def _reap(self) -> bool:
        """Collects the dead; True when no child is left."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid == 0:
                return False
            self._peak_rss = max(self._peak_rss, usage.ru_maxrss * 1024)
            self._cpu_s += usage.ru_utime + usage.ru_stime
            if pid == self._worker:
                self._wait_status = status

    def _wait(self, wake: int) -> None:
        killing = self._wait_status is not None
        timeout = _KILL_PAUSE_S if killing else None
        if self._deadline is not None and not killing:
            timeout = max(_KILL_PAUSE_S, self._deadline - time.monotonic())
        for descriptor, _ in self._poll.poll(None if timeout is None else timeout * 1000):
            if descriptor == wake:
                os.read(wake, _PIECE)
            else:
                self._pump(descriptor)

    def _pump(self, reader: int) -> bool:
        """One piece of output into its log; False when there is none now."""
        try:
            data = os.read(reader, _PIECE)
        except BlockingIOError:
            return False
        if not data:
            self._poll.unregister(reader)
            os.close(reader)
            del self._pipes[reader]
            return False
        self._pipes[reader].write(data)
        return True

    def _drain(self) -> None:
        for reader in list(self._pipes):
            while self._pump(reader):
                pass
        for log in self._logs.values():
            log.close()

    @staticmethod
    def _signal(pid: int, number: int) -> None:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            return

    def _describe(self, state: str) -> Json:
        status = self._wait_status
        ended = state == "ended" and status is not None
        return {
            "protocol": PROTOCOL,
            "boot_id": boot_id(),
            "pid": os.getpid(),
            "created": start_ticks(os.getpid()),
            "nonce": self._order["nonce"],
            "worker": self._worker,
            "state": state,
            "asked": self._terms,
            "exit_code": os.WEXITSTATUS(status) if ended and status is not None and os.WIFEXITED(status) else None,
            "signal": os.WTERMSIG(status) if ended and status is not None and os.WIFSIGNALED(status) else None,
            "ended_at": time.time() if ended else None,
            "peak_rss": self._peak_rss,
            "cpu_s": self._cpu_s,
            "dropped": {name: log.dropped for name, log in self._logs.items()},
        }


def take_lock(directory: str) -> int | None:
    """The descriptor that holds the attempt's lock; None when somebody else has it."""
    descriptor = os.open(os.path.join(directory, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def supervise(directory: str, enter_worker: Callable[[str], None]) -> int:
    """Carries out the attempt in `directory`. Exit status: 0 done, 3 somebody has it already, 4 it was called off."""
    lock = take_lock(directory)
    if lock is None:
        return 3
    try:
        with open(os.path.join(directory, "spec.json")) as file:
            order = json.load(file)
    except FileNotFoundError:
        return 4
    Shim(directory, order, lock).run(enter_worker)
    return 0


def execute_worker(directory: str) -> None:
    """In the child of a cold start: becomes the worker."""
    os.execv(sys.executable, [sys.executable, "-P", "-m", "pipeline.process.worker", directory])


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl refused")


if __name__ == "__main__":
    sys.exit(supervise(sys.argv[1], execute_worker))
