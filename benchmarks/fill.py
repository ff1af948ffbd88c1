"""Fills a project with a long history, through the store: the record as the daemon would have written it over months.

    python benchmarks/fill.py [DIR] [--runs 100000] [--long 0]

Makes DIR/trainshed.toml and DIR/.trainshed (without DIR: in a temporary folder, for the time it takes): runs of twelve
jobs in every state but those that need a process, with their events, attempts, metrics, versions of datasets and of
models. The newest 50 trainings have curves of 10,000 points; with `--long N` the newest one has a curve of N. Prints
what there is and what it took, as JSON. The same call makes the same history but for its times: it reaches to now.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import insert, text
from sqlmodel import SQLModel

from store import events, metrics
from store.engine import Record, Transaction
from store.events import Line
from store.home import Home
from store.metrics import Chunk
from store.tables import Attempt, DatasetVersion, ModelVersion, Run
from store.times import SECOND, from_us, system_clock, to_us

BATCH: Final = 10_000
"""Runs in one transaction."""
EVERY_S: Final = 25
"""Seconds from one run to the next."""
DATASETS: Final = ("airports", "weather", "flights_raw", "flights", "carriers", "bookings")
VIEWS: Final = ("habits", "delays")
MODELS: Final = ("late", "demand", "price")
JOBS: Final = (
    *(("etl", name) for name in DATASETS),
    *(("features", name) for name in VIEWS),
    *(("train", name) for name in MODELS),
    ("backup", "home"),
)
OUTCOMES: Final = {"succeeded": 78, "skipped": 10, "failed": 6, "cancelled": 2, "upstream_failed": 3, "lost": 1}
ACTORS: Final = {"daemon": 85, "ann": 9, "bob": 5, "charlotte": 1}
FAULTS: Final = (
    "the source does not answer: connection refused by 10.0.{}.7",
    "loss is not a number at step {}",
    "{} rows have a carrier that is not in carriers",
    "the disk is full: {} MB are needed",
)
CURVES: Final = 50
CURVE_POINTS: Final = 10_000
PROJECT: Final = """\
[project]
name = "filled"
[sources.numbers]
kind = "file"
path = "numbers.csv"
format = "csv"
[datasets.numbers]
source = "numbers"
"""


@dataclass
class Batch:
    """Rows of one transaction."""

    runs: list[dict[str, Any]] = field(default_factory=list)
    attempts: list[dict[str, Any]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    datasets: list[dict[str, Any]] = field(default_factory=list)
    models: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class History:
    """What was given out so far."""

    numbers: random.Random
    begins: int
    """Microseconds since 1970 UTC."""
    versions: dict[str, int] = field(default_factory=dict)

    def next_version(self, name: str, first: int) -> int:
        self.versions[name] = self.versions.get(name, first - 1) + 1
        return self.versions[name]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--long", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as elsewhere:
        print(json.dumps(fill(given.folder or Path(elsewhere), given.runs, given.long)))


def fill(folder: Path, count: int, long: int = 0) -> dict[str, float]:
    """Seconds that it took, and what there is now."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trainshed.toml").write_text(PROJECT)
    (folder / "numbers.csv").write_text("n\n1\n")
    began, cpu = time.perf_counter(), time.process_time()
    end = to_us(system_clock())
    history = History(random.Random(7), end - count * EVERY_S * SECOND)
    moment = [history.begins]
    record = Record.open(Home.of_project(folder, {}), lambda: from_us(moment[0]))
    trainings: list[int] = []
    for first in range(1, count + 1, BATCH):
        batch = Batch()
        for run in range(first, min(first + BATCH, count + 1)):
            _run(batch, history, run, queued=run > count - min(20, count // 10))
        moment[0] = history.begins + first * EVERY_S * SECOND
        with record.transaction() as tx:
            _store(tx, batch)
        trainings = [*trainings, *(chunk.run for chunk in batch.chunks)][-CURVES:]
    for run in trainings:
        _curve(record, run, CURVE_POINTS, history.numbers)
    if long and trainings:
        _curve(record, trainings[-1], long, history.numbers)
    made = _counted(record)
    record.close()
    size = Home.of_project(folder, {}).database.stat().st_size
    took = {"seconds": round(time.perf_counter() - began, 1), "cpu_s": round(time.process_time() - cpu, 1)}
    return {**took, "database_mb": round(size / 1e6), **made}


def _store(tx: Transaction, batch: Batch) -> None:
    rev = tx.rev
    tables: list[tuple[type[SQLModel], list[dict[str, Any]]]] = [
        (Run, [{**row, "rev": rev} for row in batch.runs]),
        (Attempt, batch.attempts),
        (DatasetVersion, [{**row, "rev": rev} for row in batch.datasets]),
        (ModelVersion, [{**row, "rev": rev} for row in batch.models]),
    ]
    for table, rows in tables:
        if rows:
            tx.connection.execute(insert(table), rows)
    events.append_all(tx, batch.lines)
    metrics.add_points(tx, batch.chunks)


def _run(batch: Batch, history: History, run: int, *, queued: bool) -> None:
    numbers = history.numbers
    kind, target = JOBS[numbers.choices(range(len(JOBS)), [8] * len(DATASETS) + [7] * 2 + [10] * 3 + [1])[0]]
    job = "backup" if kind == "backup" else f"{kind}:{target}"
    state = "queued" if queued else numbers.choices(list(OUTCOMES), list(OUTCOMES.values()))[0]
    actor = numbers.choices(list(ACTORS), list(ACTORS.values()))[0]
    created = history.begins + run * EVERY_S * SECOND + numbers.randrange(SECOND)
    started = None if state in ("queued", "upstream_failed") else created + int(numbers.expovariate(0.5) * SECOND)
    took = int(numbers.lognormvariate(math.log(300 if kind == "train" else 8), 1.0) * SECOND)
    ended = None if state == "queued" else (started or created) + took
    made = _made(batch, history, run, kind, target, ended or created) if state == "succeeded" else ""
    reason = _reason(numbers, state, actor, run)
    batch.runs.append(
        {
            "id": run,
            "job": job,
            "kind": kind,
            "target": target,
            "state": state,
            "reason": reason,
            "fault": {"code": "TrainingError", "what": reason} if state == "failed" else None,
            "trigger": "manual" if actor != "daemon" else "schedule",
            "actor": actor,
            "schedule": "nightly_" + target if actor == "daemon" else None,
            "scheduled_for": created if actor == "daemon" else None,
            "group": None,
            "params": {"seed": run % 7} if kind == "train" else {},
            "force": False,
            "priority": numbers.choice((0, 0, 0, 0, 0, 0, 0, 5, 10, -5)),
            "pool": "gpu" if kind == "train" else "default",
            "slots": 1,
            "attempt": 0 if started is None else 1,
            "max_attempts": 3,
            "retry_delay_s": 10.0,
            "created_at": created,
            "not_before": created + 10**15 if queued else None,
            "started_at": started,
            "ended_at": ended,
            "last_event_at": ended,
            "done": 100.0 if state == "succeeded" else None,
            "total": 100.0 if state == "succeeded" else None,
            "unit": "steps" if kind == "train" else "rows",
            "message": made,
            "fingerprint": f"{run:064x}" if state in ("succeeded", "skipped") else "",
        }
    )
    if started is not None and ended is not None:
        batch.attempts.append(_attempt(run, state, reason, started, ended))
    batch.lines += _told(run, job, state, actor, reason)


def _made(batch: Batch, history: History, run: int, kind: str, target: str, at: int) -> str:
    """What a good run left behind, in the record and as its message."""
    if kind in ("etl", "features"):
        version = history.next_version(target, 0)
        batch.datasets.append(_dataset(run, target, version, at, "dataset" if kind == "etl" else "feature view"))
        return f"{target}@{version}"
    if kind == "train":
        auc = _metrics(batch, history.numbers, run, at)
        number = history.next_version(target, 1)
        batch.models.append(_model(run, target, number, at, auc))
        return f"{target} {number}"
    return "backups/nightly"


def _metrics(batch: Batch, numbers: random.Random, run: int, at: int) -> float:
    auc = round(numbers.gauss(0.74, 0.02), 6)
    steps = [100, 200, 400, 800]
    curve = [0.9 / (1 + step / 100) + numbers.random() * 0.05 for step in steps]
    values = {
        "train/loss": curve,
        "train/learning_rate": [0.001] * 4,
        "validation/loss": [value * 1.1 for value in curve],
        "validation/auc": [auc - 0.05, auc - 0.01, auc + 0.002, auc],
        "goodput": [0.9] * 4,
    }
    batch.chunks.append(Chunk(run, at, steps, values))
    return auc


def _reason(numbers: random.Random, state: str, actor: str, run: int) -> str:
    if state in ("succeeded", "queued"):
        return ""
    said = {
        "skipped": "up to date: no input has changed",
        "cancelled": f"cancelled by {actor}",
        "upstream_failed": f"run {run - 1} failed",
        "lost": "the machine was started anew",
    }
    return said.get(state) or numbers.choice(FAULTS).format(numbers.randrange(1000))


def _attempt(run: int, state: str, reason: str, started: int, ended: int) -> dict[str, Any]:
    return {
        "run": run,
        "number": 1,
        "nonce": f"{run:032x}",
        "state": state,
        "reason": reason,
        "boot_id": "5c1b",
        "exit_code": 0 if state in ("succeeded", "skipped") else 70,
        "started_at": started,
        "ended_at": ended,
        "spool_offset": 4000,
        "spool_seq": 30,
        "peak_rss": 300_000_000,
        "cpu_s": 12.5,
    }


def _told(run: int, job: str, state: str, actor: str, reason: str) -> Iterable[Line]:
    subject, data = f"run {run}", {"job": job}
    yield Line(actor=actor, kind="run.queued", subject=subject, message=f"{job} is queued as run {run}", data=data)
    if state == "queued":
        return
    yield Line(actor="daemon", kind="run.running", subject=subject, message=f"attempt 1 of {job} is running", data=data)
    message = f"{job} {state}" + (f": {reason}" if reason else "")
    yield Line(actor="daemon", kind=f"run.{state}", subject=subject, message=message, data=data)


def _dataset(run: int, name: str, version: int, at: int, kind: str) -> dict[str, Any]:
    return {
        "dataset": name,
        "version": version,
        "kind": kind,
        "run": run,
        "rows": 1000 * (version + 1),
        "added": 1000,
        "bytes": 50_000 * (version + 1),
        "columns": [{"name": "id", "type": "int64"}],
        "schema_changes": [],
        "inputs": {},
        "sample": [],
        "fingerprint": f"{run:064x}",
        "created_at": at,
    }


def _model(run: int, name: str, number: int, at: int, auc: float) -> dict[str, Any]:
    return {
        "model": name,
        "number": number,
        "run": run,
        "digest": f"{run:064x}",
        "path": f"versions/{run:064x}",
        "task": "binary",
        "objective": "auc",
        "metrics": {"auc": {"value": auc, "low": auc - 0.01, "high": auc + 0.01, "level": 0.95}},
        "baseline": {"auc": auc - 0.01},
        "evidence": {},
        "signature": {},
        "lineage": {},
        "training_set": f"{run:064x}",
        "fingerprint": f"{run:064x}",
        "created_at": at,
    }


def _curve(record: Record, run: int, points: int, numbers: random.Random) -> None:
    """A loss of so many steps, and an evaluation every hundredth."""
    for first in range(1, points + 1, 200_000):
        steps = range(first, min(first + 200_000, points + 1))
        loss = [1.0 / math.log(step + 2) + numbers.random() * 0.01 for step in steps]
        looks = steps[::100]
        with record.transaction() as tx:
            auc = [0.5 + 0.25 * (1 - 1 / math.log(step + 2)) for step in looks]
            metrics.add_points(tx, [Chunk(run, tx.now, steps, {"train/loss": loss})])
            metrics.add_points(tx, [Chunk(run, tx.now, looks, {"validation/auc": auc})])


def _counted(record: Record) -> dict[str, float]:
    tables = ("run", "attempt", "event", "metric", "metric_latest", "dataset_version", "model_version")
    with record.read() as session:
        connection = session.connection()
        return {table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in tables}


if __name__ == "__main__":
    main()
