"""Labels into the lake: each line once, the same label again leaves no row, another value restates."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.labels import coverage as looking
from pipeline.labels import ingest as ingesting
from pipeline.labels.box import LabelBox
from pipeline.labels.ingest import Taken, ingest
from pipeline.labels.record import Label, read_label, to_line
from pipeline.predictions.segments import Segment
from store import lake
from store.errors import StorageError
from store.home import ServingDir

ROOT = Path(__file__).parents[3]


def label(request: str, value: Any, arrived_us: int, **more: Any) -> Label:
    return read_label({"request": request, "value": value, **more}, arrived_us=arrived_us)


def wrote(folder: Path, name: str, *labels: Label) -> None:
    segment = Segment(folder, name)
    segment.append(b"".join(map(to_line, labels)))
    segment.close()


def rows_of(table: Path) -> list[tuple[str, str, bool]]:
    """(key, value, restates) in the order of arrival."""
    found = lake.dataset_at(table).to_table().to_pylist()
    found.sort(key=lambda row: (row["arrived"], row["segment"], row["offset"]))
    return [(row["key"], row["value"], row["restates"]) for row in found]


def test_the_same_label_again_changes_nothing_and_another_value_is_kept_beside_the_first(tmp_path: Path) -> None:
    folder, table = tmp_path / "s", tmp_path / "t"
    wrote(folder, "a.1", label("r", 1, 1), label("r", 1.0, 2), label("r", 2, 3), label("q", True, 4))
    assert ingest(folder, table) == Taken(new=2, restated=1, repeated=1, version=0)
    wrote(folder, "a.2", label("r", 2, 5), label("q", True, 6), label("r", 1, 7))
    assert ingest(folder, table) == Taken(new=0, restated=1, repeated=2, version=1)
    assert ingest(folder, table) == Taken()
    assert rows_of(table) == [
        ('["label","r"]', "1", False),
        ('["label","r"]', "2", True),
        ('["label","q"]', "true", False),
        ('["label","r"]', "1", True),
    ]


def test_only_repetitions_move_the_place_on_and_are_counted(tmp_path: Path) -> None:
    folder, table = tmp_path / "s", tmp_path / "t"
    wrote(folder, "a.1", label("r", 1, 1))
    ingest(folder, table)
    wrote(folder, "a.2", label("r", 1, 2), label("r", 1, 3))
    assert ingest(folder, table) == Taken(repeated=2, version=1)
    assert ingest(folder, table) == Taken()
    newest = lake.latest(table)
    assert newest is not None
    assert (newest.rows, newest.metadata[ingesting.REPEATED]) == (1, "2")


def test_damaged_lines_are_counted_and_the_others_taken(tmp_path: Path) -> None:
    segment = Segment(tmp_path / "s", "a.1")
    segment.append(b"garbage\n" + to_line(label("r", 1, 1)) + b'{"half')
    assert ingest(tmp_path / "s", tmp_path / "t") == Taken(new=1, damaged=1, version=0)
    segment.close()


def test_its_words_are_those_of_the_one_that_writes() -> None:
    assert (looking._REPEATED, looking._DAMAGED) == (ingesting.REPEATED, ingesting.DAMAGED)


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=8), min_size=1, max_size=6),
    st.integers(200, 3000),
)
def test_however_they_come_and_are_read_the_newest_stands_and_nothing_is_kept_twice_in_a_row(
    posts: list[list[tuple[int, int]]], batch: int
) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder, table = Path(place) / "s", Path(place) / "t"
        wanted: dict[str, list[int]] = {}
        clock = 0
        for number, post in enumerate(posts):
            labels = []
            for request, value in post:
                clock += 1
                labels.append(label(f"r{request}", value, clock))
                history = wanted.setdefault(f'["label","r{request}"]', [])
                if history[-1:] != [value]:
                    history.append(value)
            wrote(folder, f"w.{number:06d}", *labels)
            ingest(folder, table, batch=batch)
        while ingest(folder, table, batch=batch).version is not None:
            pass
        found: dict[str, list[int]] = {}
        for key, text, restates in rows_of(table) if wanted else []:
            assert restates == (key in found)
            found.setdefault(key, []).append(int(text))
        assert found == wanted


def test_a_box_keeps_all_of_a_post_or_says_that_it_kept_none(tmp_path: Path) -> None:
    home = ServingDir(tmp_path)
    box = LabelBox(home, most=80)
    box.put("late", [label("r", 1, 1)])
    with pytest.raises(StorageError, match="labels of late were not kept"):
        box.put("late", [label("s", 1, 2)])
    box.close()
    assert ingest(home.labels("late"), tmp_path / "t").new == 1


WRITER = """
import itertools, sys, time
from pathlib import Path
from pipeline.labels.box import LabelBox
from pipeline.labels.record import read_label
from store.home import ServingDir

box = LabelBox(ServingDir(Path(sys.argv[1])), 10**9)
for number in itertools.count():
    label = read_label({"request": f"{sys.argv[2]}/{number}", "value": number}, arrived_us=time.time_ns() // 1000)
    box.put("late", [label, label])
    print(number, flush=True)
"""
READER = """
import sys
from pathlib import Path
from pipeline.labels.ingest import ingest

print("ready", flush=True)
while True:
    ingest(Path(sys.argv[1]), Path(sys.argv[2]), batch=2_000)
"""


@pytest.mark.slow
def test_what_a_sender_was_told_is_in_the_lake_once_whoever_is_killed(tmp_path: Path) -> None:
    home, table, rng = ServingDir(tmp_path), tmp_path / "t", random.Random(3)
    told: dict[str, int] = {}
    for turn in range(3):
        writer = started(WRITER, str(tmp_path), f"w{turn}")
        reader = started(READER, str(home.labels("late")), str(table))
        assert writer.stdout is not None
        assert reader.stdout is not None
        first = [reader.stdout.readline(), writer.stdout.readline()]
        time.sleep(rng.uniform(0.2, 1.0))
        for victim in (writer, reader):
            os.kill(victim.pid, signal.SIGKILL)
        said = [first[1], *writer.stdout.read().splitlines(keepends=True)]
        told[f"w{turn}"] = max(int(one) for one in said if one.endswith("\n"))
        for victim in (writer, reader):
            victim.wait()
            assert victim.stdout is not None
            victim.stdout.close()
    while ingest(home.labels("late"), table).version is not None:
        pass
    keys = [key for key, _, restates in rows_of(table) if not restates]
    assert len(keys) == len(set(keys)) == len(rows_of(table))
    for name, last in told.items():
        assert {f'["label","{name}/{number}"]' for number in range(last + 1)} <= set(keys)


def started(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", program, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
