"""Rows as their labels become known: spans that follow each other part them, whatever labels come again or late."""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.labels.box import LabelBox
from pipeline.labels.record import read_label
from pipeline.predictions.take import take
from pipeline.watching.labelled import Labelled, labelled_rows, whole_minute
from store.home import Home
from store.times import from_us
from tests.unit.serving.bench import SIGNATURE
from tests.unit.watching.log import NOW, START, files, line, log

MINUTE = 60_000_000
HOURS = 4 * 60


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def said(home: Home, *labels: tuple[int, dict[str, Any]]) -> None:
    """(minute of its arrival, label)."""
    box = LabelBox(home.serving, 10**9)
    for minute, one in labels:
        box.put("late", [read_label(one, arrived_us=START + minute * MINUTE)])
    box.close()
    take(home, keep=timedelta(0), disk=10**9, now=NOW)


def of_request(request: str, value: bool) -> dict[str, Any]:
    return {"request": request, "value": value}


def of_unit(unit: str, minute: int, value: bool) -> dict[str, Any]:
    return {"unit": unit, "at": from_us(START + minute * MINUTE).isoformat(), "value": value}


def known(home: Home, since: int = 0, until: int = HOURS, **other: Any) -> Labelled:
    span = {"since_us": START + since * MINUTE, "until_us": START + until * MINUTE}
    return labelled_rows(*files(home), 3, SIGNATURE, **{"asked_us": START, **span, **other})


def minutes(found: Labelled) -> list[float]:
    """When they were asked."""
    return [(at - START) / MINUTE for at in found.at.tolist()]


def test_a_row_is_known_when_its_first_label_has_come_and_keeps_that_label(home: Home) -> None:
    log(home, [line("a", 0, [0.9]), line("b", 60, [0.2])])
    said(home, (10, of_request("a", True)), (20, of_request("a", False)), (15, of_request("b", True)))
    assert minutes(known(home)) == [0.0, 1.0]
    assert known(home).labels.tolist() == [1, 1]
    assert minutes(known(home, 0, 10)) == []
    assert minutes(known(home, 10, 15)) == [0.0]
    assert minutes(known(home, 15, 240)) == [1.0]


def test_labels_of_one_minute_are_in_the_order_of_their_requests_and_minutes_in_theirs(home: Home) -> None:
    log(home, [line(str(number), 60 * number, [0.9]) for number in range(4)])
    said(home, (10, of_request("3", True)), (10, of_request("1", True)), (9, of_request("2", True)))
    assert minutes(known(home)) == [2.0, 1.0, 3.0]
    assert minutes(known(home).asked_within(START + MINUTE, START + 3 * MINUTE)) == [1.0, 2.0]


def test_a_label_by_unit_is_of_its_last_request_whatever_version_that_asked(home: Home) -> None:
    log(home, [line("a", 0, [0.9], unit="u"), line("b", 60, [0.8], unit="u", version=2)])
    log(home, [line("c", 300, [0.7], unit="u")])
    said(home, (9, of_unit("u", 2, True)), (3, of_unit("u", 20, True)))
    found = known(home)
    assert minutes(found) == [5.0]
    assert minutes(known(home, 20, 21)) == [5.0]  # it counts from its own time on


def test_a_row_that_its_unit_had_labelled_is_not_new_when_a_label_by_its_request_comes(home: Home) -> None:
    log(home, [line("a", 0, [0.9], unit="u")])
    said(home, (5, of_unit("u", 1, True)), (30, of_request("a", False)))
    assert minutes(known(home, 0, 10)) == [0.0]
    assert minutes(known(home, 10, 240)) == []


def test_what_does_not_fit_is_left_out(home: Home) -> None:
    log(home, [line("a", 0, [0.9, 0.1]), line("b", 1, [0.5]), line("c", 2, [None]), line("d", 3, [0.5], why="shadow")])
    said(home, *((5, of_request(one, True)) for one in "abcd"))
    assert minutes(known(home)) == [1 / 60]


def test_without_labels_or_requests_there_are_none(home: Home) -> None:
    assert len(known(home).at) == 0
    log(home, [line("a", 0, [0.9])])
    assert len(known(home).at) == 0


@pytest.mark.slow
def test_of_too_many_some_are_drawn_the_same_ones_each_time(home: Home) -> None:
    log(home, [line(str(number), number, [0.9]) for number in range(200)])
    said(home, *((5, of_request(str(number), True)) for number in range(200)))
    found = known(home, most=50)
    assert len(found.at) == 50
    assert np.array_equal(known(home, most=50).at, found.at)


def test_a_minute_that_is_not_over_waits() -> None:
    assert whole_minute(START + 59_999_999) == START


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_spans_part_the_rows_whatever_comes_in_whatever_order(home: Home, seed: int) -> None:
    draw = random.Random(seed)
    requests = [
        line(
            f"r{number}",
            draw.randrange(3600),
            [draw.random()],
            unit=f"u{draw.randrange(8)}",
            version=draw.choice((2, 3)),
        )
        for number in range(60)
    ]
    log(home, requests)
    labels = []
    for _ in range(150):
        minute = draw.randrange(60, HOURS)
        by_request = of_request(f"r{draw.randrange(60)}", draw.random() < 0.5)
        labels.append(
            (minute, draw.choice((by_request, of_unit(f"u{draw.randrange(8)}", draw.randrange(HOURS), True))))
        )
    said(home, *labels)
    whole = known(home)
    cuts = sorted({0, HOURS, *(draw.randrange(HOURS) for _ in range(5))})
    parts = [known(home, *span) for span in pairwise(cuts)]
    assert len(whole.at) > 10
    assert np.concatenate([one.at for one in parts]).tolist() == whole.at.tolist()
    assert np.concatenate([one.labels for one in parts]).tolist() == whole.labels.tolist()
    assert np.concatenate([one.scores for one in parts]).tolist() == whole.scores.tolist()
