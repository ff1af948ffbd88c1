"""Errors as a stream that goes on from window to window."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.watching.answers import Answers
from pipeline.watching.errorstream import StreamState, begun, errors_of, fed, shifts_assessed
from tests.unit.watching.log import START, plain


def window(labels: Any, scores: Any, first: int = 0, labelled: Any = None) -> Answers:
    """A row a second."""
    rows = len(labels)
    return Answers(
        scores=np.asarray(scores, np.float64),
        labels=np.asarray(labels),
        labelled=np.ones(rows, np.bool_) if labelled is None else labelled,
        columns=pa.table({}),
        at=START + (first + np.arange(rows)) * 1_000_000,
        requests=rows,
        drawn=rows,
        unreadable=0,
    )


def erring(share: float, rows: int, seed: int, first: int = 0) -> Answers:
    wrong = np.random.default_rng(seed).random(rows) < share
    return window(np.ones(rows, np.int32), np.where(wrong, 0.1, 0.9), first)


def until(row: int) -> int:
    return START + row * 1_000_000


def test_windows_one_after_the_other_are_one_stream() -> None:
    parts = [erring(0.1, 2000, 1), erring(0.1, 1500, 2, 2000), erring(0.3, 1500, 3, 3500)]
    whole = window(np.ones(5000, np.int32), np.concatenate([one.scores for one in parts]))
    at_once, expected = fed(begun("binary"), whole, until(5000))
    state, shifts = begun("binary"), []
    for part, end in zip(parts, (2000, 3500, 5000), strict=True):
        state, some = fed(StreamState.from_document(plain(state.document())), part, until(end))
        shifts += some
    assert state.document() == at_once.document()
    assert shifts == expected
    assert shifts
    assert until(3500) < shifts[0].at_us < until(4200)
    told = shifts_assessed(shifts, state)
    assert (told.answer, told.subject) == ("found", "errors")
    assert "the mean error rose from 0.09" in told.reason
    assert "to 0.259, noticed at 2026-03-01T00:59:43+00:00" in told.reason
    plain(told.document())


def test_the_same_window_twice_changes_nothing_and_the_state_given_stays() -> None:
    part = erring(0.1, 500, 1)
    start = begun("binary")
    state, _ = fed(start, part, until(500))
    again, shifts = fed(state, part, until(500))
    assert (start.adwin.width, again.document(), shifts) == (0, state.document(), [])


def test_an_improvement_is_a_change_and_no_finding() -> None:
    state, shifts = fed(begun("binary"), erring(0.5, 1500, 1), until(1500))
    state, shifts = fed(state, erring(0.1, 1500, 2, 1500), until(3000))
    assert shifts
    assert shifts_assessed(shifts, state).answer == "clear"
    empty = begun("binary")
    assert shifts_assessed([], empty).answer == "not yet"


def test_errors_of_classes_are_0_and_1_and_of_numbers_shares_of_a_large_one() -> None:
    labelled = np.array([True, False, True])
    errors, at = errors_of(window(np.array([1, 1, 0], np.int32), [0.9, 0.1, 0.8], labelled=labelled), 1.0)
    assert (errors.tolist(), at.tolist()) == ([0.0, 1.0], [until(0), until(2)])
    many = window(np.array([2, 0], np.int32), [[0.1, 0.2, 0.7], [0.1, 0.8, 0.1]])
    assert errors_of(many, 1.0)[0].tolist() == [0.0, 1.0]
    held_out = np.linspace(0, 10, 101)
    state = begun("regression", held_out)
    assert state.scale == pytest.approx(9.9)
    found = errors_of(window(np.array([1.0, 5.0, np.inf]), [1.0, 105.0, 1.0]), state.scale)[0]
    assert found.tolist() == [0.0, 1.0, 1.0]
    assert begun("regression", np.zeros(5)).scale == 1.0
