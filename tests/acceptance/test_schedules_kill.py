"""Claims of a process that is killed at every point: exactly one run for each time of each schedule."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from sqlmodel import col, select

from store.engine import Record
from store.home import Home
from store.tables import Run, RunDependency
from store.times import SECOND, system_clock
from tests.acceptance.living import until

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]

PRELUDE = """
import os, sys, threading, time
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
record = Record.open(Home(Path(sys.argv[1])), system_clock)
wanted = [
    Definition(name=f"s{n}", job=f"train:t{n}", spec={"every_s": 0.2}, overlap="allow", catch_up="all")
    for n in range(20)
]
with record.transaction() as tx:
    now = from_us(tx.now)
    schedules.sync_schedules(tx, wanted, lambda one: first_time(one.spec, one.timezone, now))
"""

TICK_FOR_EVER = (
    PRELUDE
    + """
Scheduler(record, lambda tx: claim.claim_due(tx, JOBS), system_clock, lambda: None).start()
print("ticking", flush=True)
time.sleep(600)
"""
)

DIE_AT = (
    PRELUDE
    + """
import sqlite3
point = sys.argv[2]
time.sleep(0.3)
with record.transaction() as tx:
    if point == "before the first statement":
        os._exit(9)
    if point == "after the runs are queued":
        tx.driver.set_trace_callback(lambda sql: os._exit(9) if sql.startswith("INSERT INTO run_dependency") else None)
    if point == "while the schedules move on":
        tx.driver.set_trace_callback(lambda sql: os._exit(9) if sql.startswith("UPDATE schedule") else None)
    if point == "at the commit":
        tx.driver.set_trace_callback(lambda sql: os._exit(9) if sql.startswith("COMMIT") else None)
    claim.claim_due(tx, JOBS)
os._exit(9 if point == "after the commit" else 1)
"""
)


def _start(source: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(source), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


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


def test_a_scheduler_killed_again_and_again_runs_each_time_exactly_once(tmp_path: Path) -> None:
    home = Home(tmp_path)
    for number in range(6):
        process = _start(TICK_FOR_EVER, str(home.root))
        assert process.stdout is not None
        assert process.stdout.readline() == "ticking\n"
        time.sleep(0.15 + 0.1 * number)
        if number == 5:  # the last has made up for all others, however slow the machine is
            until(lambda: _claimed(home) >= 20 * 6, 60)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
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
def test_a_claim_killed_at_a_named_point_is_made_whole_by_the_next(tmp_path: Path, point: str) -> None:
    home = Home(tmp_path)
    process = _start(DIE_AT, str(home.root), point)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 9, error
    process = _start(TICK_FOR_EVER, str(home.root))
    assert process.stdout is not None
    assert process.stdout.readline() == "ticking\n"
    time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert _check(home) >= 20
