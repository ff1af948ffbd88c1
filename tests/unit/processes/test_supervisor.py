"""The supervisor's thread: what it does to a run while it lives."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from daemon.children import Child, ShimId
from daemon.ingest import Place
from daemon.memory import Baseline
from daemon.supervisor import Supervisor, Watched
from store import lifecycle, queue
from store.engine import Record
from store.home import AttemptDir, Home
from store.queue import NewRun


class Bench:
    """A run whose shim is a process that sleeps, a clock that is set by hand, and a supervisor that works."""

    def __init__(self, folder: Path) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)
        self.record = Record.open(Home(folder), lambda: self.now)
        new = NewRun(job="etl:a", kind="etl", target="a", trigger="manual", actor="ann", timeout_s=3600.0)
        with self.record.transaction() as tx:
            (self.run,) = queue.submit(tx, [new])
            lifecycle.start_attempt(tx, self.run, "n1")
        self.directory: AttemptDir = self.record.home.attempt(self.run, 1)
        self.directory.root.mkdir(parents=True)
        self.shim = subprocess.Popen(["sleep", "600"])
        self.supervisor = Supervisor(self.record, lambda: None)
        self.supervisor.start()

    def watch(self, timeout_s: float = 3600.0) -> None:
        identity = ShimId.of_pid(self.shim.pid)
        assert identity is not None
        child = Child.hold(identity)
        assert child is not None
        self.supervisor.watch(
            Watched(
                place=Place(run=self.run, attempt=1, nonce="n1", offset=0, sequence=0),
                directory=self.directory,
                child=child,
                timeout_s=timeout_s,
                stall_s=None,
                memory=Baseline.now(),
            )
        )

    def close(self) -> None:
        self.supervisor.stop()
        self.shim.kill()
        self.shim.wait()
        self.record.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_clock_that_is_set_uses_up_no_run_s_time(bench: Bench) -> None:
    """As NTP does after a start without a clock, or the waking of a laptop."""
    bench.watch()
    bench.now += timedelta(hours=9)
    time.sleep(0.5)
    assert bench.shim.poll() is None


def test_the_time_of_a_run_that_is_taken_up_began_with_its_process(bench: Bench) -> None:
    time.sleep(1.1)
    bench.watch(timeout_s=1.0)
    _until(lambda: bench.shim.poll() is not None)
