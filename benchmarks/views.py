"""The views of the screens at a thousand and at a million runs: CPU milliseconds of each (median of 5).

    python benchmarks/views.py [--runs 1000000]

Goal: the same at a million as at a thousand, where no job has as many runs as are looked at for what it takes.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlmodel import Session

from daemon.waits import waiting
from store import changes, jobruns, runs
from store.engine import Record
from store.home import Home
from store.queue import count_waiting
from store.times import SECOND, system_clock

JOBS = [*(f"etl:d{number}" for number in range(12)), "train:late"]
SCHEDULES = [f"s{number}" for number in range(40)]
STATES = ("succeeded", "skipped", "skipped", "skipped", "failed")
BEGAN = 1_700_000_000 * SECOND
LATER = 2**62
"""A revision after which nothing has changed yet."""
COLUMNS = (
    *("id", "job", "kind", "target", "state", "reason", "trigger", "actor", "schedule", "scheduled_for", "params"),
    *("force", "priority", "pool", "slots", "attempt", "max_attempts", "retry_delay_s", "created_at", "started_at"),
    *("ended_at", "unit", "message", "fingerprint", "rev"),
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=1_000_000)
    given = parser.parse_args()
    print(json.dumps({str(number): at(number) for number in (1000, given.runs)}, indent=2))


def at(number: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        record = Record.open(Home(Path(folder)), system_clock)
        marks = ",".join("?" * len(COLUMNS))
        with record.transaction() as tx:
            tx.driver.executemany(f"INSERT INTO run ({', '.join(COLUMNS)}) VALUES ({marks})", rows(number))
        views: dict[str, Callable[[Session], Any]] = {
            "strips": lambda session: jobruns.strips(session, JOBS),
            "expected_seconds": lambda session: jobruns.expected_seconds(session, JOBS),
            "last_good_at": lambda session: jobruns.last_good_at(session, JOBS),
            "of_40_schedules": lambda session: jobruns.of_schedules(session, SCHEDULES, 10),
            "last_runs": lambda session: runs.last_runs(session, 0, JOBS),
            "queue": lambda session: waiting(session, 0, 100, None),
            "count_by_state": runs.count_by_state,
            "count_waiting": count_waiting,
            "news": lambda session: changes.changes_since(session, LATER, 0),
        }
        found = {name: milliseconds(record, view) for name, view in views.items()}
        record.close()
        return found


def milliseconds(record: Record, view: Callable[[Session], Any]) -> float:
    spent = []
    for _ in range(5):
        with record.read() as session:
            began = time.process_time()
            view(session)
            spent.append(time.process_time() - began)
    return round(1000 * statistics.median(spent), 2)


def rows(number: int) -> Iterator[tuple[object, ...]]:
    chance = random.Random(1)
    for run in range(1, number + 1):
        job = JOBS[min(run % 40, len(JOBS) - 1)]
        kind, _, target = job.partition(":")
        time_ = BEGAN + run * 10 * SECOND
        name = SCHEDULES[run % len(SCHEDULES)]
        yield (
            *(run, job, kind, target, chance.choice(STATES), "", "schedule", f"schedule {name}", name, time_, "{}"),
            *(False, 0, "default", 1, 1, 1, 10.0, time_, time_, time_ + 5 * SECOND, "", "", "f", run),
        )


if __name__ == "__main__":
    main()
