"""The programs around the lake: everything into it, and the newest out of it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.predictions import ingest as ingesting
from pipeline.predictions import newest as looking
from pipeline.predictions.newest import SHOWN_ROWS, newest
from pipeline.predictions.record import Dropped, Prediction, to_line
from pipeline.predictions.segments import Segment, segments
from pipeline.predictions.take import take
from store.commits import newest_version
from store.home import Home

ROOT = Path(__file__).parents[3]
LATER = datetime.now(UTC) + timedelta(days=1)
NEVER = timedelta(days=100)


def sample(number: int, **other: Any) -> Prediction:
    whole = Prediction(
        f"r-{number}", number, "late", 2, "no unit", None, 1, 250, 200, {"x": [number]}, {"score": [0.5]}
    )
    return whole._replace(**other)


def write(home: Home, model: str, name: str, lines: Sequence[bytes]) -> Segment:
    segment = Segment(home.serving.predictions(model), name)
    segment.append(b"".join(lines))
    return segment


def test_each_model_has_its_table_and_a_fault_of_one_does_not_stop_the_others(tmp_path: Path) -> None:
    home = Home(tmp_path)
    write(home, "late", "w.1", [to_line(sample(n)) for n in range(5)]).close()
    write(home, "rain", "w.1", [to_line(Dropped(3, 0)), b"garbage\n", to_line(sample(9, model="rain"))]).close()
    write(home, "snow", "w.1", [to_line(sample(1))]).close()
    home.predictions("late").parent.mkdir(parents=True)
    home.predictions("late").write_text("no folder")
    taken = take(home, keep=NEVER, disk=10**9, now=LATER)["predictions"]
    assert "fault" in taken.pop("late")
    assert taken == {
        "rain": {"rows": 1, "dropped": 3, "damaged": 1},
        "snow": {"rows": 1, "dropped": 0, "damaged": 0},
    }
    assert take(home, keep=NEVER, disk=10**9, now=LATER)["predictions"]["rain"] == {
        "rows": 0,
        "dropped": 0,
        "damaged": 0,
    }
    home.predictions("late").unlink()
    assert take(home, keep=NEVER, disk=10**9, now=LATER)["predictions"]["late"]["rows"] == 5


def test_it_ends_while_requests_go_on_coming(tmp_path: Path) -> None:
    """It went on for as long as each part found a line that was written during the one before."""
    home = Home(tmp_path)
    segment = write(home, "late", "w.1", [to_line(sample(0))])
    told, over = threading.Event(), threading.Event()

    def requests() -> None:
        for number in range(1, 20_000):
            segment.append(to_line(sample(number)))
            if told.wait(0.001):
                return
        over.set()

    asking = threading.Thread(target=requests)
    asking.start()
    taken = take(home, keep=NEVER, disk=10**9, now=LATER)["predictions"]["late"]
    still = not over.is_set()
    told.set()
    asking.join()
    segment.close()
    assert still
    rest = take(home, keep=NEVER, disk=10**9, now=LATER)["predictions"]["late"]
    first = taken["rows"]
    assert first >= 1
    assert rest["rows"] > 0
    assert newest_version(home.predictions("late")) == 1


def test_finished_segments_stay_for_their_time_unless_they_take_half_of_the_room(tmp_path: Path) -> None:
    home = Home(tmp_path)
    write(home, "late", "w.1", [to_line(sample(n)) for n in range(50)]).close()
    folder = home.serving.predictions("late")
    size = sum(one.stat().st_size for one in segments(folder))
    take(home, keep=NEVER, disk=2 * size, now=LATER)
    assert len(segments(folder)) == 1
    take(home, keep=NEVER, disk=2 * size - 1, now=LATER)
    assert segments(folder) == []


def test_the_newest_come_first_with_what_is_missing(tmp_path: Path) -> None:
    home = Home(tmp_path)
    rows = {"x": list(range(30)), "y": np.full(30, np.nan)}
    many = sample(7, inputs=rows, outputs={"score": [[0.25, 0.75]] * 30, "label": ["a"] * 30})
    write(home, "late", "w.1", [to_line(sample(1)), to_line(many), to_line(Dropped(4, 0)), b"x\n"]).close()
    take(home, keep=NEVER, disk=10**9, now=LATER)
    write(home, "late", "w.2", [to_line(sample(3, inputs=None, outputs=None, status=503))]).close()
    take(home, keep=NEVER, disk=10**9, now=LATER)
    found = newest(home.predictions("late"), 2)
    assert (found["total"], found["dropped"], found["damaged"]) == (3, 4, 1)
    first, second = found["items"]
    assert (first["request"], first["rows"], first["at"]) == ("r-7", 30, "1970-01-01T00:00:00.000007+00:00")
    assert first["inputs"] == {"x": list(range(SHOWN_ROWS)), "y": ["nan"] * SHOWN_ROWS}
    assert first["outputs"]["score"] == [[0.25, 0.75]] * SHOWN_ROWS
    assert (second["request"], second["rows"], second["inputs"], second["status"]) == ("r-3", None, None, 503)
    assert newest(tmp_path / "none", 5) == {"total": 0, "dropped": 0, "damaged": 0, "items": []}


def test_its_words_are_those_of_the_one_that_writes() -> None:
    assert (looking._DROPPED, looking._DAMAGED) == (ingesting.DROPPED, ingesting.DAMAGED)


@pytest.mark.slow
def test_the_programs_answer_in_one_document(tmp_path: Path) -> None:
    home = Home(tmp_path)
    write(home, "late", "w.1", [to_line(sample(n)) for n in range(5)]).close()
    assert program("take", str(tmp_path), "--keep=0", "--disk=1000000") == {
        "predictions": {"late": {"rows": 5, "dropped": 0, "damaged": 0}},
        "labels": {},
        "tidied": {"predictions": {"late": {"forgotten": 0, "joined": 0, "removed": 0}}, "labels": {}},
    }
    old = program("take", str(tmp_path), "--keep=0", "--disk=1000000", "--keep-rows=86400")
    assert old["tidied"]["predictions"]["late"]["forgotten"] == 5  # of 1970
    assert segments(home.serving.predictions("late")) == []
    assert program("newest", str(home.predictions("late")), "--last", "1")["total"] == 0


def program(name: str, *arguments: str) -> Any:
    command = [sys.executable, "-P", "-m", f"pipeline.predictions.{name}", *arguments]
    return json.loads(subprocess.run(command, capture_output=True, check=True, cwd=ROOT).stdout)
