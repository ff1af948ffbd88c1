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
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import insert, text
from sqlmodel import SQLModel

from benchmarks.made.batch import Batch, History
from benchmarks.made.runs import EVERY_S, add_run
from store import events, metrics
from store.engine import Record, Transaction
from store.home import Home
from store.metrics import Chunk
from store.tables import Attempt, DatasetVersion, ModelVersion, Run
from store.times import SECOND, from_us, system_clock, to_us

BATCH: Final = 10_000
"""Runs in one transaction."""
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
            add_run(batch, history, run, queued=run > count - min(20, count // 10))
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
