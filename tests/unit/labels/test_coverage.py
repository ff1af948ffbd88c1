"""Who has a label: by request, by unit and time, and beside the predictions themselves."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.labels.box import LabelBox
from pipeline.labels.coverage import coverage, posted
from pipeline.labels.record import read_label
from pipeline.predictions.newest import newest
from pipeline.predictions.record import Prediction, to_line
from pipeline.predictions.segments import Segment
from pipeline.predictions.take import take
from store.home import Home

ROOT = Path(__file__).parents[3]
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = 3_600_000_000


def micros(hours: float) -> int:
    return int(START.timestamp() * 1_000_000 + hours * HOUR)


def asked(request: str, hours: float, **other: Any) -> Prediction:
    whole = Prediction(request, micros(hours), "late", 1, "assigned", "ann", 1, 250, 200, {"x": [1]}, {"score": [0.5]})
    return whole._replace(**other)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Requests at 12, 13 and 14 o'clock about ann, one about ben, one that failed, and a copy for a shadow."""
    home = Home(tmp_path)
    segment = Segment(home.serving.predictions("late"), "w.1")
    lines = [asked("a", 0), asked("b", 1), asked("c", 2), asked("d", 1, unit="ben", version=2)]
    lines += [asked("failed", 0, status=503), asked("c", 2, version=2, why="shadow")]
    segment.append(b"".join(map(to_line, lines)))
    segment.close()
    return home


def say(home: Home, *labels: dict[str, Any], hours: float = 3, post: str = "") -> None:
    box = LabelBox(home.serving, 10**9)
    box.put("late", [read_label(one, arrived_us=micros(hours), post=post) for one in labels])
    box.close()


def seen(home: Home, name: str = "label") -> dict[str, Any]:
    take(home, keep=timedelta(0), disk=10**9, now=START)
    return coverage(home.labels("late"), home.predictions("late"), name)


def truths(home: Home) -> dict[str, Any]:
    take(home, keep=timedelta(0), disk=10**9, now=START)
    items = newest(home.predictions("late"), 10, home.labels("late"))["items"]
    return {item["request"]: item["label"] for item in items if item["label"] is not None}


def at(hours: float) -> str:
    return (START + timedelta(hours=hours)).isoformat()


def test_without_labels_and_without_requests_there_is_nothing_to_cover(home: Home, tmp_path: Path) -> None:
    assert coverage(tmp_path / "no", tmp_path / "none", "label")["requests"] == 0
    found = seen(home)
    assert (found["requests"], found["labelled"], found["labels"], found["newest"]) == (4, 0, 0, None)
    assert truths(home) == {}


def test_a_label_by_request_covers_that_request_and_a_stray_nobody(home: Home) -> None:
    say(home, {"request": "a", "value": True}, {"request": "elsewhere", "value": False}, hours=2)
    say(home, {"request": "d", "value": [1, 0]}, hours=5)
    found = seen(home)
    assert (found["requests"], found["labelled"], found["labels"], found["strays"]) == (4, 2, 3, 1)
    assert found["versions"] == [
        {"version": 2, "requests": 1, "labelled": 1, "delay_s": 4 * 3600.0},
        {"version": 1, "requests": 3, "labelled": 1, "delay_s": 2 * 3600.0},
    ]
    assert found["newest"] == at(5)
    assert truths(home) == {"a": True, "d": [1, 0]}


def test_a_label_by_unit_belongs_to_the_units_last_request_before_it(home: Home) -> None:
    say(home, {"unit": "ann", "at": at(1.5), "value": "b"}, {"unit": "ann", "at": at(-1), "value": "too early"})
    say(home, {"unit": "ben", "at": at(1), "value": "at the same moment"})
    assert truths(home) == {"b": "b", "d": "at the same moment"}
    assert seen(home)["strays"] == 1


def test_where_both_speak_the_label_by_request_stands_and_of_two_by_unit_the_later_one(home: Home) -> None:
    say(home, {"unit": "ann", "at": at(3), "value": "first"}, {"unit": "ann", "at": at(4), "value": "second"})
    assert truths(home) == {"c": "second"}
    say(home, {"request": "c", "value": "by name"})
    assert truths(home) == {"c": "by name"}


def test_a_restatement_stands_and_is_counted_and_a_repetition_is_counted_too(home: Home) -> None:
    say(home, {"request": "a", "value": 1}, hours=3)
    say(home, {"request": "a", "value": 2}, hours=4)
    say(home, {"request": "a", "value": 2}, hours=5)
    found = seen(home)
    assert (found["labels"], found["restated"], found["repeated"]) == (1, 1, 1)
    assert truths(home) == {"a": 2}


@pytest.mark.slow
def test_rewards_are_counted_by_their_names_and_are_no_labels(home: Home) -> None:
    say(home, {"request": "a", "value": 12.5, "name": "revenue"}, {"request": "b", "value": True})
    assert seen(home)["names"] == {"label": 1, "revenue": 1}
    assert (seen(home)["labelled"], seen(home, "revenue")["labelled"]) == (1, 1)
    assert truths(home) == {"b": True}


def test_of_a_post_it_is_known_what_it_changed(home: Home) -> None:
    say(home, {"request": "a", "value": 1}, post="one")
    say(home, {"request": "a", "value": 2}, {"request": "b", "value": 1}, {"request": "b", "value": 1}, post="two")
    seen(home)
    assert posted(home.labels("late"), "one") == {"new": 1, "restated": 0}
    assert posted(home.labels("late"), "two") == {"new": 1, "restated": 1}
    assert posted(home.labels("none"), "two") == {"new": 0, "restated": 0}


@pytest.mark.slow
def test_the_program_answers_in_one_document(home: Home) -> None:
    say(home, {"request": "a", "value": 1}, post="one")
    seen(home)
    tables = [str(home.labels("late")), str(home.predictions("late"))]
    assert program(*tables)["labelled"] == 1
    assert program(*tables, "--post=one") == {"new": 1, "restated": 0}


def program(*arguments: str) -> Any:
    command = [sys.executable, "-P", "-m", "pipeline.labels.coverage", *arguments]
    return json.loads(subprocess.run(command, capture_output=True, check=True, cwd=ROOT).stdout)
