"""Worker processes as the supervisor holds them: by pidfd, so that a signal cannot hit a stranger. Stdlib only."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from pipeline.process import procfs
from pipeline.process.pages import SMALL_PAGES
from store.home import Home

_THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_ONE_THREAD: Final = "--xla_cpu_multi_thread_eigen=false"


@dataclass(frozen=True)
class Started:
    """A worker's process, ours or one that an earlier supervisor left."""

    pid: int
    created: float
    descriptor: int
    """Readable once it has ended."""
    ours: subprocess.Popen[bytes] | None

    @classmethod
    def adopt(cls, pid: int, created: float, ours: subprocess.Popen[bytes] | None = None) -> Self | None:
        """None when it has gone."""
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return None
        if procfs.start_ticks(pid) != created:
            os.close(descriptor)
            return None
        return cls(pid, created, descriptor, ours)

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def reap(self) -> str:
        """After its death; how it went, as far as that is known."""
        os.close(self.descriptor)
        if self.ours is None:
            return ""
        status = self.ours.wait()
        return f", by {signal.Signals(-status).name}" if status < 0 else f", with status {status}"

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.descriptor, number)


def start_worker(home: Home, number: int, listener: int) -> Started:
    """A worker in a session of its own, with the listening socket. Raises OSError."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "pipeline.serving.worker", str(home.root), str(number), str(listener)],
        env=computing_environment(os.environ),
        pass_fds=[listener],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
    )
    created = procfs.start_ticks(process.pid)
    assert created is not None, "a child that was not waited for keeps its pid"
    started = Started.adopt(process.pid, created, process)
    assert started is not None
    return started


def computing_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """One computing thread on the CPU: batches are small, and threads that wait for each other spin."""
    flags = environ.get("XLA_FLAGS", "")
    if "xla_cpu_multi_thread_eigen" not in flags:
        flags = f"{flags} {_ONE_THREAD}".strip()
    return {**SMALL_PAGES, **environ, **dict.fromkeys(_THREADS, "1"), "JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags}
