"""A monitor's run is killed, again and again, and so is the daemon: nothing is lost, and nothing is told twice."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from store.home import AttemptDir
from tests.acceptance.living import Living, until
from tests.thorough import repeats

pytestmark = pytest.mark.slow
HOURS = 40
BEGUN = ("starting", "running")
FLIGHTS = """
    def rows_flights():
        import numpy as np
        rng = np.random.default_rng(1)
        count = 40 * 400
        at = 1772409600_000_000 + np.arange(count) * (40 * 3_600_000_000 // count)
        shift = np.where(np.arange(count) > count * 0.8, 90.0, 0.0)
        return pa.table({
            "at": pa.array(at, pa.int64()).cast(pa.timestamp("us", "UTC")),
            "distance": rng.normal(500, 100, count) + shift,
            "carrier": pa.array(rng.choice(["AA", "UA", "DL"], count), pa.string()),
        })
"""
MONITORS = """
[monitors.watch]
dataset = "flights"
time = "at"
window = "1h"
every = "30d"
least_rows = 300
[jobs."monitor:watch"]
retries = 40
retry_delay = "100ms"
[monitors.calm]
dataset = "flights"
time = "at"
window = "1h"
every = "30d"
least_rows = 300
"""


@pytest.fixture
def living(tmp_path: Path) -> Iterator[Living]:
    one = Living(tmp_path, FLIGHTS, extra=MONITORS)
    one.start()
    one.wait(one.submit("etl:flights"), "succeeded")
    yield one
    one.close()


def told(living: Living, monitor: str) -> list[Any]:
    columns = "version, start_us, end_us, rows, measures, limits, token"
    found = living.rows(f"SELECT {columns} FROM watch_window WHERE monitor = ? ORDER BY start_us", monitor)
    return [(*row[:4], json.loads(row[4]), json.loads(row[5]), row[6]) for row in found]


def reports(living: Living, monitor: str) -> list[Any]:
    query = "SELECT state, reason, rows, windows, body, findings FROM drift_report WHERE monitor = ?"
    return [(*row[:4], json.loads(row[4]), json.loads(row[5])) for row in living.rows(query, monitor)]


def kill_the_worker(living: Living, run: int, rng: random.Random) -> bool:
    """At some moment of its newest attempt, which takes a third of a second or many: a little after it has said so many
    lines. False if the run has ended."""
    until(lambda: living.state(run) != "queued", 60)
    view = living.run(run)["run"]
    if view["state"] not in BEGUN:
        return False
    attempt, lines = living.attempt(run, view["attempt"]), rng.randrange(5)
    until(attempt.status.exists, 20)
    until(lambda: said(attempt) >= lines or json.loads(attempt.status.read_bytes())["state"] == "ended", 60)
    time.sleep(rng.uniform(0.0, 0.05))
    worker = json.loads(attempt.status.read_bytes()).get("worker")
    if worker:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    until(lambda: (now := living.run(run)["run"])["attempt"] > view["attempt"] or now["state"] not in BEGUN, 60)
    return True


def said(attempt: AttemptDir) -> int:
    return attempt.events.read_bytes().count(b"\n") if attempt.events.exists() else 0


def test_a_monitor_that_is_killed_again_and_again_tells_what_one_left_alone_tells(living: Living) -> None:
    rng = random.Random(5)
    run = living.submit("monitor:watch")
    for number in range(repeats(4, 25)):
        if not kill_the_worker(living, run, rng):
            break
        if number % 3 == 1:
            living.kill()
            living.start()
    assert living.wait(run, seconds=180)["run"]["state"] == "succeeded"
    assert living.run(run)["run"]["attempt"] > 1
    shutil.rmtree(living.home.profiles)  # so that it makes its own
    calm = living.submit("monitor:calm")
    assert living.wait(calm, seconds=120)["run"]["state"] == "succeeded"
    assert len(told(living, "watch")) == HOURS - 1
    assert told(living, "watch") == told(living, "calm")
    (mine,), (other,) = reports(living, "watch"), reports(living, "calm")
    assert mine[:5] == other[:5]
    assert mine[0] == "drifted"
    assert [one["subject"] for one in mine[5]] == ["distance"]
    opened = living.rows("SELECT source, subject, state, seen FROM alert WHERE source = 'monitor:watch'")
    assert opened == [("monitor:watch", "distance", "open", 1)]
    assert living.wait(living.submit("monitor:watch"))["run"]["state"] == "skipped"
