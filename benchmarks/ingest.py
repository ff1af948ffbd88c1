"""Spool → record: metric points a second, durable, with the decoding of the spool's lines.

    python benchmarks/ingest.py [--points 500000] [--repeat 5]

`floor` is the same lines decoded and put into a bare table of the same shape by the driver alone, with the same
transactions: what the machine gives at best. Points a second are per CPU second and per wall second, medians.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from itertools import repeat
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import text

from daemon.ingest import Place, ingest
from daemon.spoolfile import read_lines
from pipeline.process.spool import Spool
from store import lifecycle, queue
from store.engine import Record
from store.home import AttemptDir, Home
from store.queue import NewRun
from store.times import system_clock

SHAPES = {"chunks of 100 steps, 5 metrics": (100, 5), "one step a line, 5 metrics": (1, 5)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, default=500_000)
    parser.add_argument("--repeat", type=int, default=5)
    given = parser.parse_args()
    result = {name: _shape(given.points, given.repeat, *shape) for name, shape in SHAPES.items()}
    print(json.dumps(result, indent=2))


def _shape(points: int, times: int, steps: int, names: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        rounds = [_round(Path(folder) / str(number), points, steps, names) for number in range(times)]
    ours, floor = [one[0] for one in rounds], [one[1] for one in rounds]
    cpu = statistics.median(points / one[0] for one in ours)
    return {
        "points": points,
        "per_cpu_s": round(cpu),
        "per_wall_s": round(statistics.median(points / one[1] for one in ours)),
        "floor_per_cpu_s": round(statistics.median(points / one[0] for one in floor)),
        "of_floor": round(cpu / statistics.median(points / one[0] for one in floor), 3),
    }


def _round(folder: Path, points: int, steps: int, names: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """(CPU, wall) seconds of ours and of the floor, for the same spool."""
    directory = AttemptDir(folder / "attempt")
    _write_spool(directory, points, steps, names)
    return _timed(lambda: _ingest(folder / "home", directory)), _timed(lambda: _bare(folder / "bare.db", directory))


def _write_spool(directory: AttemptDir, points: int, steps: int, names: int) -> None:
    directory.root.mkdir(parents=True)
    spool = Spool(directory.events, time.time)
    numbers = random.Random(0)
    for first in range(0, points // names, steps):
        values = {f"metric_{name}": [numbers.random() for _ in range(steps)] for name in range(names)}
        spool.metrics(range(first, first + steps), values)
    spool.close()


def _ingest(home: Path, directory: AttemptDir) -> int:
    record = Record.open(Home(home), system_clock)
    with record.transaction() as tx:
        new = NewRun(job="train:m", kind="train", target="m", trigger="manual", actor="bench")
        (run,) = queue.submit(tx, [new])
        lifecycle.start_attempt(tx, run, "nonce")
    place = Place(run=run, attempt=1, nonce="nonce", offset=0, sequence=0)
    while (after := ingest(record, directory, place)) != place:
        place = after
    with record.read() as session:
        stored = int(session.connection().execute(text("SELECT count(*) FROM metric")).scalar_one())
    record.close()
    return stored


def _bare(file: Path, directory: AttemptDir) -> int:
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE metric (run INTEGER, key INTEGER,"
            " step INTEGER, at INTEGER, value REAL, PRIMARY KEY (run, key, step)) WITHOUT ROWID"
        )
        offset = 0
        while lines := read_lines(directory.events, offset):
            database.execute("BEGIN IMMEDIATE")
            for line in lines:
                for key, values in enumerate(line.fields["values"].values()):
                    rows = zip(repeat(1), repeat(key), line.fields["steps"], repeat(line.number), values, strict=False)
                    database.executemany("INSERT INTO metric VALUES (?, ?, ?, ?, ?)", rows)
            database.execute("COMMIT")
            offset = lines[-1].end
        return int(database.execute("SELECT count(*) FROM metric").fetchone()[0])


def _timed(work: Callable[[], int]) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    stored = work()
    assert stored > 0
    return time.process_time() - cpu, time.perf_counter() - wall


if __name__ == "__main__":
    main()
