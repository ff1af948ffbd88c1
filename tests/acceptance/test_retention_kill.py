"""Retention killed at any moment: no run half there, no folder without a word, and the sum is told in the end, once."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from contextlib import closing
from pathlib import Path

import pytest

from daemon.retention import Retention
from pipeline.config.load import load_project
from store import metrics
from store.engine import Record
from store.home import Home
from store.metrics import Chunk
from store.times import system_clock
from tests.thorough import repeats
from tests.unit.record.conftest import HandClock
from tests.unit.record.old import DAY_S, end, queued

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
RUNS = 100
PROJECT = """
[project]
name = "kept"
[sources.numbers]
kind = "file"
path = "numbers.csv"
format = "csv"
[datasets.numbers]
source = "numbers"
[daemon]
keep_runs = "30d"
keep_newest = 5
"""
REMOVES = """
import sys
from pathlib import Path
from daemon.retention import Retention
from pipeline.config.load import load_project
from store.engine import Record
from store.home import Home
from store.times import system_clock

project = load_project(Path(sys.argv[1]))
record = Record.open(Home.of_project(project.root, {}), system_clock)
print("removing", flush=True)
Retention(record, lambda: project, system_clock).remove("daemon")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Runs of half a year ago, each with two folders and a curve."""
    (tmp_path / "trainshed.toml").write_text(PROJECT)
    clock = HandClock(system_clock())
    clock.forward(-180 * DAY_S)
    home = Home.of_project(tmp_path, {})
    record = Record.open(home, clock)
    for _ in range(RUNS):
        run = end(record, queued(record, "etl:numbers")[0], "failed")
        with record.transaction() as tx:
            metrics.add_points(tx, [Chunk(run, tx.now, range(1000), {"rows": [1.0] * 1000})])
        for place in (home.attempt(run, 1).root, home.checkpoints(run)):
            place.mkdir(parents=True)
            (place / "stdout.log").write_text("x" * 5000)
    record.close()
    return tmp_path


def condition(folder: Path) -> tuple[set[int], set[int]]:
    """Runs that are there, and runs that were removed; each is one of both, and what is there is whole."""
    home = Home.of_project(folder, {})
    with closing(sqlite3.connect(home.database)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        there = {run for (run,) in database.execute("SELECT id FROM run")}
        removed = {run for (run,) in database.execute("SELECT id FROM removed_run")}
        curves = dict(database.execute("SELECT run, count(*) FROM metric GROUP BY run").fetchall())
        subjects = {subject for (subject,) in database.execute("SELECT DISTINCT subject FROM event")}
        settled = {run for (run,) in database.execute("SELECT id FROM removed_run WHERE bytes IS NOT NULL")}
    assert (there | removed, there & removed) == (set(range(1, RUNS + 1)), set())
    assert {run for run in there if curves.get(run) != 1000 or f"run {run}" not in subjects} == set()
    assert all(home.attempt(run, 1).stdout.exists() and home.checkpoints(run).exists() for run in there)
    assert not {f"run {run}" for run in removed} & subjects
    assert not [run for run in settled if (home.runs / str(run)).exists() or run in curves]
    return there, removed


def wait_until_some_are_gone(folder: Path) -> None:
    with closing(sqlite3.connect(Home.of_project(folder, {}).database)) as database:
        while database.execute("SELECT count(*) FROM removed_run").fetchone() == (0,):
            time.sleep(0.001)


def test_killed_at_any_moment_what_is_there_is_whole_and_the_rest_goes_with_the_next_round(folder: Path) -> None:
    moments, cut_short = random.Random(5), 0
    for number in range(repeats(6, 30)):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(REMOVES), str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "removing\n"
        if number == 0:  # all rows are gone in 0.2 s, the folders in 0.4
            wait_until_some_are_gone(folder)
        else:
            time.sleep(moments.uniform(0.0, 0.4))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        there, removed = condition(folder)
        cut_short += bool(removed) and len(there) > 5
    assert cut_short, "at least one was killed in the middle"
    project = load_project(folder)
    record = Record.open(Home.of_project(folder, {}), system_clock)
    Retention(record, lambda: project, system_clock).remove("daemon")
    record.close()
    there, removed = condition(folder)
    assert there == set(range(RUNS - 4, RUNS + 1)), "the newest five"
    home = Home.of_project(folder, {})
    assert {path.name for path in home.runs.iterdir()} == {path.name for path in home.checkpoints_root.iterdir()}
    assert {int(path.name) for path in home.runs.iterdir()} == there, "no folder is left behind"
    with closing(sqlite3.connect(home.database)) as database:
        told = [json.loads(data) for (data,) in database.execute("SELECT data FROM event WHERE kind = 'runs.removed'")]
        (freed,) = database.execute("SELECT sum(bytes) FROM removed_run").fetchone()
    assert sum(one["runs"] for one in told) == len(removed) == RUNS - 5, "each is told of, and once"
    assert sum(one["bytes"] for one in told) == freed
