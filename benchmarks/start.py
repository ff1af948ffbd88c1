"""How soon work begins: from due to the worker's first line, and from the command to the first optimiser step.

A real daemon on a real project; every time stands in the record or in the spools. One JSON object:

    warm, cold    {"p50_ms", "p90_ms", "runs"}: from the nominal time of a schedule to the worker's first line;
                  `never_early` says that no line is older than its time. Goal: warm p50 ≤ 150 ms
    first_step_s  from the command to the first chunk of optimiser steps in the spool, warm process and XLA cache
                  filled (median of 3). It includes the making of the training set. Goal: ≤ 4 s
    load          runnable processes (1 min average) when it ended: on a busy box times are upper bounds

    python benchmarks/start.py
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from daemon.core import Daemon
from pipeline.config import load_project
from store import runs
from store.home import Home
from store.times import system_clock, to_us
from store.wire import RunRequest, RunView
from store.words import ENDED

TICKS = 16
FUNCTIONS = """
import numpy as np
import pyarrow as pa

def tick(cursor=None):
    yield pa.table({"a": [1]})

def rows(cursor=None):
    rng = np.random.default_rng(7)
    x = rng.normal(size=(20_000, 8))
    at = np.datetime64("2026-01-01", "us") + np.arange(20_000) * np.timedelta64(60, "s")
    columns = {f"x{i}": x[:, i] for i in range(8)}
    columns["place"] = np.array(["JFK", "LGA", "EWR"])[rng.integers(0, 3, 20_000)]
    label = (x[:, 0] - x[:, 1] * x[:, 2] + rng.normal(size=20_000) > 0).astype("int64")
    yield pa.table({"id": np.arange(20_000), "at": pa.array(at, pa.timestamp("us", "UTC")), "label": label, **columns})
"""
TICKING = """
[project]
name = "start"
[daemon]
warm_workers = {warm}
[sources.tick]
kind = "python"
function = "work.py:tick"
[datasets.tick]
source = "tick"
[schedules.tick]
job = "etl:tick"
every = "{every}s"
upstream = false
catch_up = "none"
"""
LEARNING = """
[project]
name = "start"
[sources.rows]
kind = "python"
function = "work.py:rows"
[datasets.rows]
source = "rows"
time = "at"
[models.m]
task = "binary"
dataset = "rows"
label = "label"
key = ["id"]
time = "at"
numeric = ["x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7"]
categorical = ["place"]
baseline = "none"
[models.m.training]
epochs = 2
"""


def main() -> None:
    report = {
        "warm": first_lines(warm=True, every=2),
        "cold": first_lines(warm=False, every=4),
        "first_step_s": first_step(),
        "load": os.getloadavg()[0],
    }
    print(json.dumps(report))


@contextmanager
def shed(project: str) -> Iterator[Daemon]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "trainshed.toml").write_text(project)
        (Path(folder) / "work.py").write_text(FUNCTIONS)
        daemon = Daemon(Home.of_project(Path(folder)), load_project(Path(folder)), system_clock)
        daemon.start()
        try:
            yield daemon
        finally:
            daemon.stop(True)


def first_lines(*, warm: bool, every: int) -> dict[str, Any]:
    """Milliseconds from due to the first line, the first two runs left out: they warm what they can."""
    with shed(TICKING.format(warm=str(warm).lower(), every=every)) as daemon:
        ended: list[RunView] = []
        while len(ended) < TICKS + 2:
            time.sleep(0.5)
            ended = [view for view in all_runs(daemon) if view.state in ENDED]
        late = [lateness(daemon, view) for view in sorted(ended, key=lambda view: view.id)[2:]]
    cuts = statistics.quantiles(late, n=10)
    return {
        "p50_ms": round(statistics.median(late)),
        "p90_ms": round(cuts[8]),
        "runs": len(late),
        "never_early": min(late) >= 0,
    }


def lateness(daemon: Daemon, view: RunView) -> float:
    assert view.scheduled_for is not None
    hello = next(spool_lines(daemon, view.id))
    return 1000 * (float(hello["t"]) - view.scheduled_for.timestamp())


def first_step() -> float:
    with shed(LEARNING) as daemon:
        run_to_end(daemon, "etl:rows")
        run_to_end(daemon, "train:m")
        seconds = [_seconds_to_step(daemon) for _ in range(3)]
    return round(statistics.median(seconds), 2)


def _seconds_to_step(daemon: Daemon) -> float:
    view = run_to_end(daemon, "train:m")
    metrics = next(line for line in spool_lines(daemon, view.id) if line["e"] == "metrics")
    return float(metrics["t"]) - view.created_at.timestamp()


def run_to_end(daemon: Daemon, job: str) -> RunView:
    run = daemon.submit(RunRequest(job=job, force=True), "benchmark").id
    while True:
        with daemon.record.read() as session:
            view = runs.view(session, run, to_us(daemon.clock()))
        if view.state in ENDED:
            assert view.state == "succeeded", view.reason
            return view
        time.sleep(0.02)


def all_runs(daemon: Daemon) -> list[RunView]:
    with daemon.record.read() as session:
        return runs.list_runs(session, to_us(daemon.clock()), limit=200).items


def spool_lines(daemon: Daemon, run: int) -> Iterator[dict[str, Any]]:
    with daemon.home.attempt(run, 1).events.open() as file:
        for line in file:
            yield json.loads(line)


if __name__ == "__main__":
    main()
