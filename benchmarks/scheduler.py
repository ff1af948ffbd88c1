"""10,000 schedules: what looking costs when nothing is due, what a hundred cost that are due in the same second.

    python benchmarks/scheduler.py [--schedules 10000] [--due 100] [--no-daemon]

Ticks and claims are measured in this process. Then a real daemon runs the hundred to their end: each is an attempt
with shim and (warm) worker that writes a version of a small table; `late_s` is from due to the worker's first line,
`done_s` from due to the last end.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from daemon.claim import claim_due
from daemon.definitions import first_time
from daemon.scheduler import Scheduler
from pipeline.config.jobs import Job
from pipeline.config.schedules import JobSection
from store import schedules
from store.engine import Record
from store.home import Home
from store.schedules import Definition
from store.times import SECOND, from_us, to_us

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class HandClock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        """A monotonic clock that goes with it: no jumps are seen."""
        return self.now.timestamp()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--schedules", type=int, default=10_000)
    parser.add_argument("--due", type=int, default=100)
    parser.add_argument("--no-daemon", action="store_false", dest="daemon")
    given = parser.parse_args()
    result = measure(given.schedules, given.due)
    if given.daemon:
        with tempfile.TemporaryDirectory() as folder:
            result["daemon"] = _with_daemon(Path(folder), given.due)
    print(json.dumps(result, indent=2))


def measure(count: int, due: int) -> dict[str, object]:
    """`due` of `count` schedules fall on the full hours of the afternoon, the others on other minutes of the day."""
    clock = HandClock()
    names = [f"t{n}" for n in range(count)]
    jobs = {
        f"etl:{name}": Job(name=f"etl:{name}", kind="etl", target=name, upstream=(), settings=JobSection())
        for name in names
    }
    wanted = [
        Definition(
            name=name,
            job=f"etl:{name}",
            spec={"cron": "0 13-17 * * *" if n < due else f"{n % 59 + 1} {n % 24} * * *"},
            timezone="Europe/Berlin" if n >= due and n % 2 else "UTC",
            overlap="allow",
        )
        for n, name in enumerate(names)
    ]
    with tempfile.TemporaryDirectory() as folder:
        record = Record.open(Home(Path(folder)), clock)
        define, _ = _timed(lambda: _define(record, wanted))
        scheduler = Scheduler(record, lambda tx: claim_due(tx, jobs), clock, lambda: None, monotonic=clock.seconds)
        claims = []
        for hour in range(13, 18):
            clock.now = NOON.replace(hour=hour) - timedelta(seconds=1)
            scheduler.tick()  # what fell into the hour
            idle = [_timed(scheduler.tick)[0] for _ in range(100)]
            clock.now = NOON.replace(hour=hour)
            claims.append(_claim(record, jobs, due))
        restart, _ = _timed(lambda: _define(record, wanted))
        record.close()
    return {
        "schedules": count,
        "define_s": round(define, 3),
        "sync_unchanged_s": round(restart, 3),
        "idle_tick_ms": round(statistics.median(idle) * 1000, 4),
        "due": due,
        "claim_cpu_ms": round(statistics.median(cpu for cpu, _ in claims) * 1000, 2),
        "claim_wall_ms": round(statistics.median(wall for _, wall in claims) * 1000, 2),
    }


def _define(record: Record, wanted: list[Definition]) -> None:
    with record.transaction() as tx:
        now = from_us(tx.now)
        schedules.sync_schedules(tx, wanted, lambda one: first_time(one.spec, one.timezone, now))


def _claim(record: Record, jobs: dict[str, Job], due: int) -> tuple[float, float]:
    def claim() -> None:
        with record.transaction() as tx:
            claimed = claim_due(tx, jobs)
        assert len(claimed) == due, f"{len(claimed)} of {due} were claimed"

    return _timed(claim)


def _with_daemon(folder: Path, due: int) -> dict[str, object]:
    """Runs a project of `due` little tables, all of them due at the same moment."""
    (folder / "work.py").write_text("import pyarrow as pa\n\ndef rows():\n    return pa.table({'n': [1, 2, 3]})\n")
    moment = datetime.now(UTC) + timedelta(seconds=40)
    _write_project(folder, due, moment)
    home = Home(folder / ".trainshed")
    command = [sys.executable, "-P", "-m", "daemon.main", "--project", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
    daemon = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        # The first run, ahead of the others, makes the warm process.
        counted = _wait(home, due + 1, moment + timedelta(seconds=300))
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(60)
    firsts = [_first_line(home, run) - to_us(moment) / SECOND for run in counted.runs]
    return {
        "runs": len(counted.runs),
        "states": counted.states,
        "early": sum(first < 0 for first in firsts),
        "late_s": {"p50": round(statistics.median(firsts), 3), "max": round(max(firsts), 3)},
        "run_cpu_s": {"p50": round(statistics.median(counted.cpu), 3), "all": round(sum(counted.cpu), 1)},
        "done_s": round(max(counted.ends) / SECOND - to_us(moment) / SECOND, 3),
    }


def _write_project(folder: Path, due: int, moment: datetime) -> None:
    lines = ['[project]\nname = "bench"\n[daemon]\nmin_free = "1MB"\npools = {default = 4}']
    for name in ["first", *(f"t{number}" for number in range(due))]:
        at = (moment - timedelta(seconds=30) if name == "first" else moment).isoformat()
        lines.append(f'[sources.{name}]\nkind = "python"\nfunction = "work.py:rows"')
        lines.append(f'[datasets.{name}]\nsource = "{name}"')
        lines.append(f'[schedules.{name}]\njob = "etl:{name}"\nat = {at}')
    (folder / "trainshed.toml").write_text("\n".join(lines))


@dataclass(frozen=True)
class Ended:
    runs: list[int]
    states: dict[str, int]
    ends: list[int]
    cpu: list[float]


def _wait(home: Home, count: int, deadline: datetime) -> Ended:
    """Until `count` runs have ended; those of the measured schedules."""
    while datetime.now(UTC) < deadline:
        time.sleep(0.5)
        if not home.database.exists():
            continue
        with closing(sqlite3.connect(f"file:{home.database}?mode=ro", uri=True)) as database:
            query = (
                "SELECT r.id, r.state, r.ended_at, r.schedule, a.cpu_s FROM run r "
                "LEFT JOIN attempt a ON a.run = r.id AND a.number = r.attempt WHERE r.ended_at IS NOT NULL"
            )
            rows = database.execute(query).fetchall()
        if len(rows) == count:
            measured = [row for row in rows if row[3] != "first"]
            states = Counter(row[1] for row in measured)
            cpu = [row[4] for row in measured if row[4] is not None]
            return Ended([row[0] for row in measured], dict(states), [row[2] for row in measured], cpu)
    raise SystemExit(f"only {len(rows)} of {count} runs ended in time")


def _first_line(home: Home, run: int) -> float:
    """Unix seconds of the worker's first word."""
    line = home.attempt(run, 1).events.read_bytes().split(b"\n")[0]
    return float(json.loads(line)["t"])


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


if __name__ == "__main__":
    main()
