"""Answers of a window with their labels, read from the lake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.versions.signature import FeatureKind, InputColumn, Signature
from pipeline.watching.answers import Answers, answers, truths_of
from store.home import Home
from tests.unit.watching.log import START, files, label, line, log

KINDS: dict[str, FeatureKind] = {"distance": "numeric", "carrier": "categorical"}
INPUTS = [InputColumn(name="distance", kind="numeric"), InputColumn(name="carrier", kind="categorical")]
BINARY = Signature(inputs=INPUTS, task="binary", label="late", classes=["0", "1"])
NUMBER = Signature(inputs=INPUTS, task="regression", label="delay")
THREE = Signature(inputs=INPUTS, task="multiclass", label="kind", classes=["a", "b", "c"])


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def read(home: Home, since: float = 0, until: float = 1e5, signature: Signature = BINARY, **other: Any) -> Answers:
    second = (START + int(since * 1e6), START + int(until * 1e6))
    return answers(*files(home), 3, signature, other.pop("columns", KINDS), *second, **other)


def told(found: Answers) -> list[Any]:
    return [int(one) if known else None for one, known in zip(found.labels, found.labelled, strict=True)]


def test_rows_come_in_the_order_they_were_asked_with_the_labels_that_stand(home: Home) -> None:
    log(home, [line("b", 2, [0.2, 0.3]), line("a", 1, [0.9]), line("c", 3, [0.4])])
    label(home, [{"request": "a", "value": False}, {"request": "b", "value": [True, 0]}])
    label(home, [{"request": "a", "value": True}], second=9.1e5)
    found = read(home)
    assert found.scores.tolist() == [0.9, 0.2, 0.3, 0.4]
    assert told(found) == [1, 1, 0, None]
    assert (found.requests, found.drawn, found.unreadable) == (3, 3, 0)
    assert found.columns.column("carrier").to_pylist() == ["AA"] * 4
    assert found.at.tolist() == [START + second * 1_000_000 for second in (1, 2, 2, 3)]
    assert found.labels.dtype == np.int32


def test_a_window_begins_with_its_first_moment_and_ends_before_its_last(home: Home) -> None:
    log(home, [line(str(second), second, [second / 100]) for second in range(10)])
    assert read(home, 2, 5).scores.tolist() == [0.02, 0.03, 0.04]


def test_other_versions_shadows_failures_and_rows_without_payload_are_left_out(home: Home) -> None:
    bad = line("x", 1, [0.1])
    others = [bad._replace(version=2), bad._replace(why="shadow"), bad._replace(inputs=None)]
    log(home, [line("good", 1, [0.5]), *others, bad._replace(status=503, outputs=None)])
    assert read(home).scores.tolist() == [0.5]


def test_a_label_by_unit_is_of_the_units_last_request_before_it_whatever_version_and_window_that_has(
    home: Home,
) -> None:
    asked = [line("old", 1, [0.1], unit="ann"), line("mine", 20, [0.2], unit="ann")]
    asked += [line("hers", 30, [0.3], unit="ann", version=2), line("late", 60, [0.4], unit="ann")]
    log(home, asked)
    at = {second: f"2026-03-01T00:00:{second:02d}Z" for second in (25, 35)}
    label(home, [{"unit": "ann", "at": at[25], "value": 1}, {"unit": "ann", "at": at[35], "value": 0}])
    window = read(home, 10, 50)
    assert (window.scores.tolist(), told(window)) == ([0.2], [1])  # the other is of a request to version 2
    assert told(read(home, 0, 10)) == [None]
    assert told(read(home, 50, 99)) == [None]


def test_labels_that_do_not_fit_are_counted_and_leave_their_rows_without_one(home: Home) -> None:
    log(home, [line("a", 1, [0.9]), line("b", 2, [0.8, 0.7]), line("c", 3, [0.6])])
    label(home, [{"request": "a", "value": "perhaps"}, {"request": "b", "value": [1]}, {"request": "c", "value": 1}])
    found = read(home)
    assert (told(found), found.unreadable) == ([None, None, None, 1], 2)


def test_of_many_requests_some_are_drawn_the_same_each_time_and_evenly(home: Home) -> None:
    log(home, [line(str(number), number, [number / 2000, number / 2000]) for number in range(2000)])
    one, again = read(home, most=400), read(home, most=400)
    assert (one.requests, one.drawn, len(one.scores)) == (2000, 200, 400)
    assert one.scores.tolist() == again.scores.tolist()
    assert one.scores.mean() == pytest.approx(0.5, abs=0.07)
    assert (np.diff(one.at) >= 0).all()


def test_a_column_that_the_log_does_not_have_is_missing_and_none_may_be_wanted(home: Home) -> None:
    log(home, [line("a", 1, [0.9, 0.8])])
    assert read(home, columns={"gone": "numeric"}).columns.column("gone").to_pylist() == [None, None]
    assert len(read(home, columns={}).scores) == 2


@pytest.mark.slow
def test_numbers_and_many_classes(home: Home) -> None:
    log(home, [line("a", 1, [[0.1, 0.2, 0.7], [1.0, 0.0, 0.0]]), line("b", 2, [[0.3, 0.3, 0.4]])])
    label(home, [{"request": "a", "value": ["c", "b"]}])
    found = read(home, signature=THREE)
    assert (found.scores.shape, told(found)) == ((3, 3), [2, 1, None])
    log(home, [line("x", 50, [12.5]), line("y", 51, [3.0])])
    label(home, [{"request": "x", "value": 11.25}, {"request": "y", "value": "far"}])
    number = read(home, 50, 60, NUMBER)
    assert (number.labels[0], number.labelled.tolist(), number.unreadable) == (11.25, [True, False], 1)


def test_answers_that_are_no_number_are_left_out_and_counted(home: Home) -> None:
    log(home, [line("a", 1, [0.9, float("nan")]), line("b", 2, [[0.1, 0.2, float("inf")]], version=4)])
    label(home, [{"request": "a", "value": [1, 0]}])
    found = read(home)
    assert (found.scores.tolist(), told(found), found.broken) == ([0.9], [1], 1)
    assert found.columns.num_rows == 1


def test_an_empty_window_and_an_empty_lake_have_no_rows(home: Home) -> None:
    empty = read(home, signature=THREE)
    assert (empty.scores.shape, len(empty.labels), empty.columns.num_rows, empty.requests) == ((0, 3), 0, 0, 0)
    log(home, [line("a", 1, [0.9])])
    assert read(home, 50, 60).scores.shape == (0,)
    assert read(home, 50, 60).columns.column_names == ["distance", "carrier"]


def test_what_a_label_means() -> None:
    assert truths_of("true", 1, BINARY) == [1.0]
    assert truths_of('["b","a"]', 2, THREE) == [1.0, 0.0]
    assert truths_of('["b","z"]', 2, THREE) is None
    assert truths_of("3", 1, NUMBER) == [3.0]
    assert truths_of(None, 1, NUMBER) is None
