"""10,000 schedules: what looking costs when nothing is due, what a hundred cost that are due in the same second.

    python benchmarks/scheduler.py [--schedules 10000] [--due 100] [--no-daemon]

Times are CPU seconds of this process unless they say wall. With the daemon, the hundred are run to their end: real
attempts of a job that writes a small table, by warm workers, from the moment they are due.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
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
from store.times import from_us

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
    given = parser.parse_args()
    print(json.dumps(measure(given.schedules, given.due), indent=2))


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


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


if __name__ == "__main__":
    main()
