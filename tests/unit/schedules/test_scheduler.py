"""The thread that ticks: never early, soon enough, and it outlives locks and clock changes."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from daemon.claim import claim_due
from daemon.definitions import first_time
from daemon.scheduler import Scheduler
from pipeline.config.jobs import Job
from pipeline.config.schedules import JobSection
from store import schedules
from store.engine import Record, Transaction
from store.home import Home
from store.schedules import Definition
from store.tables import Event, Run
from store.times import from_us, system_clock, to_us

JOBS = {"train:late": Job(name="train:late", kind="train", target="late", upstream=(), settings=JobSection())}


class ShiftedClock:
    """The real clock, set by a number of seconds."""

    def __init__(self) -> None:
        self.shift = timedelta(0)

    def __call__(self) -> datetime:
        return system_clock() + self.shift


@contextmanager
def _ticking(tmp_path: Path, clock: ShiftedClock, every_s: float) -> Iterator[tuple[Record, threading.Event]]:
    record = Record.open(Home(tmp_path), clock)
    claimed = threading.Event()
    _define(record, every_s)
    scheduler = Scheduler(record, lambda tx: claim_due(tx, JOBS), clock, claimed.set)
    scheduler.start()
    yield record, claimed
    scheduler.stop()
    record.close()


def _define(record: Record, every_s: float) -> None:
    wanted = Definition(name="often", job="train:late", spec={"every_s": every_s}, overlap="allow", upstream=False)
    with record.transaction() as tx:
        first = first_time(wanted.spec, "UTC", from_us(tx.now))
        schedules.sync_schedules(tx, [wanted], lambda _: first)


def _runs(record: Record) -> list[Run]:
    with record.read() as session:
        return list(session.exec(select(Run)))


def _told(record: Record, kind: str) -> list[str]:
    with record.read() as session:
        return [event.message for event in session.exec(select(Event).where(Event.kind == kind))]


def _wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


@pytest.mark.slow
def test_runs_are_queued_when_they_are_due_and_never_before(tmp_path: Path) -> None:
    with _ticking(tmp_path, ShiftedClock(), every_s=0.2) as (record, claimed):
        assert claimed.wait(20)
        _wait_until(lambda: len(_runs(record)) >= 5)
        runs = _runs(record)
    assert all(run.scheduled_for is not None and run.created_at >= run.scheduled_for for run in runs)
    assert len({run.scheduled_for for run in runs}) == len(runs)


@pytest.mark.slow
def test_a_clock_set_forward_is_noticed_within_the_second_and_told(tmp_path: Path) -> None:
    clock = ShiftedClock()
    with _ticking(tmp_path, clock, every_s=1800) as (record, claimed):
        clock.shift = timedelta(hours=1)
        assert claimed.wait(20)
        _wait_until(lambda: len(_told(record, "clock.jumped")) == 1)
        assert "set by +3600." in _told(record, "clock.jumped")[0]
        assert len(_runs(record)) == 1


@pytest.mark.slow
def test_a_clock_set_back_does_not_stop_what_is_due_every_second(tmp_path: Path) -> None:
    clock = ShiftedClock()
    with _ticking(tmp_path, clock, every_s=1) as (record, claimed):
        assert claimed.wait(20)
        clock.shift = timedelta(hours=-1)
        _wait_until(lambda: len(_told(record, "clock.jumped")) == 1)
        before = len(_runs(record))
        _wait_until(lambda: len(_runs(record)) >= before + 2)


@pytest.mark.slow
def test_a_locked_record_neither_ends_the_thread_nor_loses_a_time(tmp_path: Path) -> None:
    with _ticking(tmp_path, ShiftedClock(), every_s=0.5) as (record, claimed):
        with record.transaction() as tx:
            tx.driver.execute("PRAGMA busy_timeout = 20")
        with closing(sqlite3.connect(record.home.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            time.sleep(1.2)
            other.execute("ROLLBACK")
        claimed.clear()
        assert claimed.wait(20)


@pytest.mark.slow
def test_a_fault_in_one_claim_does_not_end_the_thread(tmp_path: Path) -> None:
    record = Record.open(Home(tmp_path), system_clock)
    _define(record, 0.1)
    calls: list[int] = []

    def claim(tx: Transaction) -> list[int]:
        calls.append(to_us(system_clock()))
        if len(calls) == 1:
            raise KeyError("a bug")
        return claim_due(tx, JOBS)

    claimed = threading.Event()
    scheduler = Scheduler(record, claim, system_clock, claimed.set)
    scheduler.start()
    assert claimed.wait(20)
    scheduler.stop()
    record.close()
    assert len(calls) >= 2


def test_a_changed_schedule_is_looked_at_at_once(tmp_path: Path) -> None:
    record = Record.open(Home(tmp_path), system_clock)
    claimed = threading.Event()
    scheduler = Scheduler(record, lambda tx: claim_due(tx, JOBS), system_clock, claimed.set)
    assert scheduler.tick() == 1.0
    _define(record, 0.3)
    assert 0 <= scheduler.tick() <= 0.3
    record.close()
