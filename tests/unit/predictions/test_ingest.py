"""Lines into the lake, each once, whoever dies in between; and segments that are not needed any more."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.predictions.ingest import DAMAGED, DROPPED, Ingested, forget, ingest
from pipeline.predictions.log import Limits, PredictionLog
from pipeline.predictions.record import Dropped, Prediction, to_line
from pipeline.predictions.segments import Segment, segments
from store import lake
from store.errors import Conflict
from tests.examples import examples

ROOT = Path(__file__).parents[3]
LATER = datetime.now(UTC) + timedelta(days=1)


def sample(number: int, **other: Any) -> Prediction:
    whole = Prediction(f"r-{number}", number, "late", 2, "assigned", f"u-{number % 7}", 1, 250, 200, {"x": 1}, [0.5])
    return whole._replace(**other)


def rows_of(table: Path) -> list[dict[str, Any]]:
    found = lake.dataset_at(table).to_table().to_pylist()
    return sorted(found, key=lambda row: (row["segment"], row["offset"]))


def written(folder: Path, name: str, *lines: bytes) -> Segment:
    segment = Segment(folder, name)
    segment.append(b"".join(lines))
    return segment


def test_a_row_says_what_was_asked_and_answered(tmp_path: Path) -> None:
    written(tmp_path / "p", "w.1", to_line(sample(1, unit=None, inputs=None))).close()
    assert ingest(tmp_path / "p", tmp_path / "t") == Ingested(1, 0, 0, 0)
    assert rows_of(tmp_path / "t") == [
        {
            "request": "r-1",
            "at": datetime(1970, 1, 1, microsecond=1, tzinfo=UTC),
            "model": "late",
            "version": 2,
            "why": "assigned",
            "unit": None,
            "epoch": 1,
            "latency_us": 250,
            "status": 200,
            "inputs": None,
            "outputs": "[0.5]",
            "segment": "w.1.jsonl",
            "offset": len(to_line(sample(1, unit=None, inputs=None))),
        }
    ]


def test_nothing_new_makes_no_version(tmp_path: Path) -> None:
    assert ingest(tmp_path / "p", tmp_path / "t") == Ingested()
    written(tmp_path / "p", "w.1", to_line(sample(1))).close()
    ingest(tmp_path / "p", tmp_path / "t")
    assert ingest(tmp_path / "p", tmp_path / "t") == Ingested()
    assert len(lake.history(tmp_path / "t")) == 1


def test_half_a_line_waits_until_it_is_whole(tmp_path: Path) -> None:
    line = to_line(sample(2))
    segment = written(tmp_path / "p", "w.1", to_line(sample(1)), line[:30])
    assert ingest(tmp_path / "p", tmp_path / "t").rows == 1
    assert ingest(tmp_path / "p", tmp_path / "t").rows == 0
    segment.append(line[30:])
    assert ingest(tmp_path / "p", tmp_path / "t").rows == 1
    assert [row["request"] for row in rows_of(tmp_path / "t")] == ["r-1", "r-2"]


def test_notices_and_damaged_lines_are_added_up(tmp_path: Path) -> None:
    folder, table = tmp_path / "p", tmp_path / "t"
    written(folder, "w.1", to_line(Dropped(7, 0)), b"garbage\n", to_line(sample(1))).close()
    assert ingest(folder, table) == Ingested(1, 7, 1, 0)
    written(folder, "w.2", to_line(Dropped(5, 0)), to_line(Dropped(1, 0))).close()
    assert ingest(folder, table) == Ingested(0, 6, 0, 1)
    newest = lake.latest(table)
    assert newest is not None
    assert (newest.metadata[DROPPED], newest.metadata[DAMAGED]) == ("13", "1")


def test_text_that_is_none_becomes_some(tmp_path: Path) -> None:
    written(tmp_path / "p", "w.1", to_line(sample(1, unit="\ud83d!", inputs={"x": "\ud83d"}))).close()
    ingest(tmp_path / "p", tmp_path / "t")
    assert rows_of(tmp_path / "t")[0]["unit"] == "?!"


@pytest.mark.slow
def test_two_readers_at_once_do_not_take_a_line_twice(tmp_path: Path) -> None:
    folder, table = tmp_path / "p", tmp_path / "t"
    written(folder, "w.1", *(to_line(sample(n)) for n in range(2000))).close()
    program = (
        "import sys; from pathlib import Path; from pipeline.predictions.ingest import ingest\n"
        "from store.errors import Conflict\n"
        "sys.stdin.readline()\n"
        "try: print(ingest(Path(sys.argv[1]), Path(sys.argv[2])).rows)\n"
        "except Conflict: print('refused')"
    )
    command = [sys.executable, "-c", program, str(folder), str(table)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    readers = [subprocess.Popen(command, **pipes) for _ in range(2)]
    said = sorted(one.communicate("go\n", timeout=60)[0].strip() for one in readers)
    assert said in (["2000", "refused"], ["0", "2000"])
    assert len({row["request"] for row in rows_of(table)}) == len(rows_of(table)) == 2000


@pytest.mark.slow
@settings(max_examples=examples(12))
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 10)), min_size=1, max_size=8), st.integers(1, 4000))
def test_however_writing_and_reading_alternate_each_line_is_there_once(
    steps: list[tuple[int, int]], batch: int
) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder, table, wanted = Path(place) / "p", Path(place) / "t", list[str]()
        writers = [Segment(folder, f"w{k}.1") for k in range(3)]
        for which, count in steps:
            for _ in range(count):
                wanted.append(f"r-{len(wanted)}")
                writers[which].append(to_line(sample(len(wanted) - 1)))
            ingest(folder, table, batch=batch)
        for writer in writers:
            writer.close()
        while ingest(folder, table, batch=batch).version is not None:
            pass
        found = [row["request"] for row in rows_of(table)] if wanted else []
        assert sorted(found) == sorted(wanted)


def test_segments_are_forgotten_when_they_are_finished_taken_and_old(tmp_path: Path) -> None:
    folder, table, day = tmp_path / "p", tmp_path / "t", timedelta(days=1)
    open_one = written(folder, "w.3", to_line(sample(3)))
    torn = written(folder, "w.1", to_line(sample(1)), b'{"half')
    torn.close()
    ingest(folder, table)
    written(folder, "w.2", to_line(sample(2))).close()
    assert forget(folder, table, keep=2 * day, now=LATER) == []
    assert forget(folder, table, keep=timedelta(hours=1), now=LATER) == [folder / "w.1.jsonl"]
    assert ingest(folder, table).rows == 1
    open_one.append(to_line(sample(4)))
    open_one.close()
    assert forget(folder, table, keep=timedelta(0), now=LATER) == [folder / "w.2.jsonl"]
    assert ingest(folder, table).rows == 1
    assert forget(folder, table, keep=timedelta(0), now=LATER) == [folder / "w.3.jsonl"]
    assert [row["request"] for row in rows_of(table)] == ["r-1", "r-2", "r-3", "r-4"]


def test_without_a_table_nothing_is_forgotten(tmp_path: Path) -> None:
    written(tmp_path, "w.1", to_line(sample(1))).close()
    assert forget(tmp_path, tmp_path / "t", keep=timedelta(0), now=LATER) == []


WRITER = """
import itertools, os, sys, time
from pathlib import Path
from pipeline.predictions.log import Limits, PredictionLog
from pipeline.predictions.record import Prediction

name = f"w{os.getpid()}-{time.time_ns()}"
limits = Limits(segment=200_000, gather_s=0.002)
log = PredictionLog(Path(sys.argv[1]), name, limits, now_us=lambda: time.time_ns() // 1000)
for number in itertools.count():
    log.offer(Prediction(f"{name}/{number}", 1, "late", 2, "assigned", "u", 1, 250, 200, {"x": [1.0] * 50}, [0.5]))
    if number % 50 == 0:
        time.sleep(0.002)
        print(name, log.counts.written, flush=True)
"""

READER = """
import sys
from pathlib import Path
from pipeline.predictions.ingest import ingest

print("ready", flush=True)
while True:
    ingest(Path(sys.argv[1]), Path(sys.argv[2]), batch=100_000)
"""


def started(program: str, *arguments: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_writers_and_readers_that_are_killed_lose_no_written_line_and_take_none_twice(tmp_path: Path) -> None:
    folder, table, rng = tmp_path / "p", tmp_path / "t", random.Random(5)
    promised: dict[str, int] = {}
    for _ in range(4):
        with started(READER, folder, table) as reader, started(WRITER, folder) as writer:
            assert writer.stdout is not None
            assert reader.stdout is not None
            first = [reader.stdout.readline(), *(writer.stdout.readline() for _ in range(5))]  # both are at work
            time.sleep(rng.uniform(0.1, 0.8))
            for victim in rng.sample([writer, reader], 2):
                os.kill(victim.pid, signal.SIGKILL)
                time.sleep(rng.uniform(0, 0.2))
            said = [*first[1:], *writer.stdout.read().splitlines(keepends=True)]
        promised |= {name: int(count) for name, count in (line.split() for line in said if line.endswith("\n"))}
    while ingest(folder, table).version is not None:
        pass
    found: dict[str, list[int]] = {}
    for row in rows_of(table):
        name, number = row["request"].split("/")
        found.setdefault(name, []).append(int(number))
    assert len(promised) == 4
    for name, count in promised.items():
        assert sorted(found[name]) == list(range(len(found[name])))  # no gap, none twice
        assert len(found[name]) >= count > 0  # all that the writer had said was written
    assert forget(folder, table, keep=timedelta(0), now=LATER) != []
    assert segments(folder) == []


def test_a_log_and_the_lake_agree_on_every_number(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path / "p", "w", Limits(waiting=100_000, segment=20_000, gather_s=0.001), now_us=lambda: 1)
    for number in range(3000):
        log.offer(sample(number))
    log.close()
    taken = []
    while (one := ingest(tmp_path / "p", tmp_path / "t", batch=50_000)).version is not None:
        taken.append(one)
    assert sum(one.rows for one in taken) == log.counts.written == len(rows_of(tmp_path / "t"))
    assert sum(one.dropped for one in taken) == log.counts.dropped
    assert json.loads(rows_of(tmp_path / "t")[0]["inputs"]) == {"x": 1}


def test_somebody_elses_commit_in_between_is_a_conflict_and_nothing_is_lost(tmp_path: Path) -> None:
    folder, table = tmp_path / "p", tmp_path / "t"
    written(folder, "w.1", to_line(sample(1))).close()
    ingest(folder, table)
    newest = lake.latest(table)
    assert newest is not None
    rows = lake.dataset_at(table).to_table().to_reader()
    with pytest.raises(Conflict):
        lake.commit(table, rows, mode="append", metadata=newest.metadata, expected=newest.version + 1)
    assert ingest(folder, table).rows == 0
