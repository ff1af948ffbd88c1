"""Claims of a process that is killed at every point: exactly one run for each time of each schedule."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlmodel import col, select

from store.engine import Record
from store.home import Home
from store.tables import Run, RunDependency
from store.times import SECOND, system_clock
from tests.acceptance.living import until
from tests.acceptance.nursery import Nursery
from tests.thorough import repeats

pytestmark = pytest.mark.slow

WORK = """
import os, sys, time
from pathlib import Path
from daemon import claim
from daemon.definitions import first_time
from daemon.scheduler import Scheduler
from pipeline.config.jobs import Job
from pipeline.config.schedules import JobSection
from store import schedules
from store.engine import Record
from store.home import Home
from store.schedules import Definition
from store.times import from_us, system_clock

def job(kind, name, upstream=()):
    return Job(name=f"{kind}:{name}", kind=kind, target=name, upstream=upstream, settings=JobSection())

JOBS = {j.name: j for n in range(20) for j in (job("etl", f"t{n}"), job("train", f"t{n}", (f"etl:t{n}",)))}
WANTED = [
    Definition(name=f"s{n}", job=f"train:t{n}", spec={"every_s": 0.2}, overlap="allow", catch_up="all")
    for n in range(20)
]

def work(home, point):
    record = Record.open(Home(Path(home)), system_clock)
    with record.transaction() as tx:
        now = from_us(tx.now)
        schedules.sync_schedules(tx, WANTED, lambda one: first_time(one.spec, one.timezone, now))
    if point == "none":
        tick_for_ever(record)
    else:
        die_at(record, point)

def tick_for_ever(record):
    Scheduler(record, lambda tx: claim.claim_due(tx, JOBS), system_clock, lambda: None).start()
    print("ticking", flush=True)
    time.sleep(600)

def die_at(record, point):
    time.sleep(0.3)
    with record.transaction() as tx:
        def die_when(start):
            tx.driver.set_trace_callback(lambda sql: os._exit(9) if sql.startswith(start) else None)

        if point == "before the first statement":
            os._exit(9)
        if point == "after the runs are queued":
            die_when("INSERT INTO run_dependency")
        if point == "while the schedules move on":
            die_when("UPDATE schedule")
        if point == "at the commit":
            die_when("COMMIT")
        claim.claim_due(tx, JOBS)
    os._exit(9 if point == "after the commit" else 1)
"""


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    made = Nursery(WORK)
    yield made
    made.close()


def _claimed(home: Home) -> int:
    with closing(sqlite3.connect(f"file:{home.database}?mode=ro", uri=True)) as record:
        return int(record.execute("SELECT count(*) FROM run WHERE schedule IS NOT NULL").fetchone()[0])


def _check(home: Home) -> int:
    """Each time has one run, none is left out between the first and the last, each run has its upstream."""
    record = Record.open(home, system_clock)
    with record.read() as session:
        claimed = session.exec(select(Run).where(col(Run.schedule).is_not(None))).all()
        waits_for = Counter(session.exec(select(RunDependency.run)))
    record.close()
    by_schedule: dict[str, list[int]] = {}
    for run in claimed:
        assert run.schedule is not None
        assert run.scheduled_for is not None
        assert run.created_at >= run.scheduled_for
        assert waits_for[run.id or 0] == 1
        by_schedule.setdefault(run.schedule, []).append(run.scheduled_for)
    for times in by_schedule.values():
        ordered = sorted(times)
        assert ordered == list(range(ordered[0], ordered[-1] + 1, SECOND // 5))
    return len(claimed)


def test_a_scheduler_killed_again_and_again_runs_each_time_exactly_once(tmp_path: Path, nursery: Nursery) -> None:
    home, kills = Home(tmp_path), repeats(4, 12)
    for number in range(kills):
        pid = nursery.begin(home.root, "none")
        assert nursery.line() == "ticking"
        time.sleep(0.15 + 0.1 * (number % 6))
        if number == kills - 1:  # the last has made up for all others, however slow the machine is
            until(lambda: _claimed(home) >= 20 * 6, 60)
        os.kill(pid, signal.SIGKILL)
        assert nursery.rest()[1] == -signal.SIGKILL
    assert _check(home) >= 20 * 6


@pytest.mark.parametrize(
    "point",
    [
        "before the first statement",
        "while the schedules move on",
        "after the runs are queued",
        "at the commit",
        "after the commit",
    ],
)
def test_a_claim_killed_at_a_named_point_is_made_whole_by_the_next(
    tmp_path: Path, nursery: Nursery, point: str
) -> None:
    home = Home(tmp_path)
    nursery.begin(home.root, point)
    assert nursery.rest() == ([], 9)
    pid = nursery.begin(home.root, "none")
    assert nursery.line() == "ticking"
    until(lambda: _claimed(home) >= 20, 60)
    os.kill(pid, signal.SIGKILL)
    nursery.rest()
    assert _check(home) >= 20
