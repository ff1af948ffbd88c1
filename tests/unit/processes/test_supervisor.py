"""The supervisor's thread: what it does to a run while it lives."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from daemon.children import Child, ShimId
from daemon.ingest import Place
from daemon.memory import Baseline
from daemon.supervisor import Supervisor, Watched
from pipeline.process.spool import Spool
from store import lifecycle, queue
from store.engine import Record
from store.home import AttemptDir, Home
from store.queue import NewRun
from store.tables import Event


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

    def watch(self, *, timeout_s: float = 3600.0, stall_s: float | None = None) -> None:
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
                stall_s=stall_s,
                memory=Baseline.now(),
            )
        )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """While another process holds the record's write lock."""
        with closing(sqlite3.connect(self.record.home.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield

    def said(self, kind: str) -> list[str]:
        with self.record.read() as session:
            return list(session.exec(select(Event.message).where(Event.kind == kind)))

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


def _until(holds: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
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


def test_a_run_can_be_ended_while_the_record_takes_nothing(bench: Bench) -> None:
    """On a full disk, or behind a lock, its spool waits; its end does not."""
    Spool(bench.directory.events, time.time).write("hello", pid=1, python="3.11", jax=None)
    with bench.locked():
        bench.watch(timeout_s=0.0)
        _until(lambda: bench.shim.poll() is not None, 4)


@pytest.mark.slow
def test_that_a_run_is_silent_is_told_as_soon_as_the_record_takes_it(bench: Bench) -> None:
    with bench.locked():
        bench.watch(stall_s=0.1)
        time.sleep(6.0)  # longer than the record waits for a lock
    _until(lambda: len(bench.said("run.stalled")) == 1)
