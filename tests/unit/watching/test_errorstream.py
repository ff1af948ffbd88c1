"""Errors as a stream that goes on from look to look."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.watching.errorstream import StreamState, begun, errors_of, fed, stream_assessed
from pipeline.watching.labelled import Labelled
from tests.unit.watching.log import START, plain

LIMIT = 0.02


def rows(labels: Any, scores: Any, first: int = 0) -> Labelled:
    """A row a second."""
    at = START + (first + np.arange(len(labels))) * 1_000_000
    return Labelled(scores=np.asarray(scores, np.float64), labels=np.asarray(labels), at=at)


def erring(share: float, count: int, seed: int, first: int = 0) -> Labelled:
    wrong = np.random.default_rng(seed).random(count) < share
    return rows(np.ones(count, np.int32), np.where(wrong, 0.1, 0.9), first)


def until(row: int) -> int:
    return START + row * 1_000_000


def followed(*parts: tuple[float, int], limit: float = LIMIT) -> list[StreamState]:
    """The state after each of (share of errors, rows)."""
    state, first, states = begun("binary"), 0, []
    for seed, (share, count) in enumerate(parts):
        state = fed(state, erring(share, count, seed, first), until(first + count), limit)
        first += count
        states.append(state)
    return states


def test_looks_one_after_the_other_are_one_stream() -> None:
    parts = [erring(0.1, 2000, 1), erring(0.1, 1500, 2, 2000), erring(0.3, 1500, 3, 3500)]
    whole = rows(np.ones(5000, np.int32), np.concatenate([one.scores for one in parts]))
    at_once = fed(begun("binary"), whole, until(5000), LIMIT)
    state = begun("binary")
    for part, end in zip(parts, (2000, 3500, 5000), strict=True):
        state = fed(StreamState.from_document(plain(state.document())), part, until(end), LIMIT)
    assert state.document() == at_once.document()
    assert state.until_us == until(5000)
    assert state.rise is not None
    assert until(3500) < state.rise.at_us < until(4200)
    told = stream_assessed(state, LIMIT)
    assert (told.answer, told.subject) == ("found", "errors")
    assert told.reason == (
        "the share of wrong answers rose from 9.2% to 28.6%, noticed at 2026-03-01 00:59:43 UTC (row 3,584 of 5,000): "
        "0.194 more, where 0.02 counts"
    )
    plain(told.document())


def test_the_state_that_is_given_stays() -> None:
    start = begun("binary")
    fed(start, erring(0.1, 500, 1), until(500), LIMIT)
    assert (start.adwin.width, start.until_us) == (0, 0)


def test_a_state_is_small_however_long_the_stream_is() -> None:
    (state,) = followed((0.2, 50_000))
    assert len(state.adwin.buckets) < 90


def test_a_rise_is_over_when_it_is_made_good_and_not_when_a_part_of_it_is() -> None:
    risen, better, good = followed((0.1, 3000), (0.5, 2000), (0.3, 4000), (0.1, 6000))[1:]
    assert stream_assessed(risen, LIMIT).answer == "found"
    assert stream_assessed(better, LIMIT).answer == "found"
    assert risen.rise is not None
    assert better.rise is not None
    assert better.rise.before == risen.rise.before
    told = stream_assessed(good, LIMIT)
    assert (told.answer, good.rise) == ("clear", None)
    assert "; it fell from" in told.reason


def test_a_rise_that_does_not_matter_is_none_and_a_creeping_one_adds_up() -> None:
    (first, second) = followed((0.10, 30_000), (0.13, 30_000), limit=0.05)
    assert second.rise is not None
    assert stream_assessed(second, 0.05).answer == "clear"
    last = fed(second, erring(0.17, 30_000, 9, 60_000), until(90_000), 0.05)
    told = stream_assessed(last, 0.05)
    assert told.answer == "found"
    assert told.evidence["before"] == pytest.approx(0.1, abs=0.01)
    assert stream_assessed(first, 0.05).reason.startswith("no change in the share of wrong answers over 30,000")


def test_an_improvement_is_a_change_and_no_finding() -> None:
    *_, state = followed((0.5, 1500), (0.1, 1500))
    assert state.last is not None
    assert (state.rise, stream_assessed(state, LIMIT).answer) == (None, "clear")


def test_of_few_rows_nothing_is_said() -> None:
    assert stream_assessed(begun("binary"), LIMIT).reason == "0 labelled rows so far, and at least 500 are needed"
    (few,) = followed((0.1, 499))
    assert stream_assessed(few, LIMIT).answer == "not yet"


def test_errors_of_classes_are_0_and_1_and_of_numbers_shares_of_a_large_one() -> None:
    binary = rows(np.array([1, 1, 0], np.int32), [0.9, 0.1, 0.8])
    assert errors_of("binary", binary, 1.0).tolist() == [0.0, 1.0, 1.0]
    many = rows(np.array([2, 0], np.int32), [[0.1, 0.2, 0.7], [0.1, 0.8, 0.1]])
    assert errors_of("multiclass", many, 1.0).tolist() == [0.0, 1.0]
    state = begun("regression", np.linspace(-10, 0, 101))
    assert state.scale == pytest.approx(9.9)
    assert errors_of("regression", rows(np.array([1.0, 5.0]), [1.0, 105.0]), state.scale).tolist() == [0.0, 1.0]
    assert begun("regression", np.zeros(5)).scale == 1.0


def test_of_numbers_a_rise_is_a_share_of_the_error_before_and_told_in_their_unit() -> None:
    rng = np.random.default_rng(4)
    labels = np.zeros(6000)
    scores = np.concatenate([rng.normal(0, 10, 3000), rng.normal(0, 15, 3000)])
    state = fed(begun("regression", rng.normal(0, 10, 1000)), rows(labels, scores), until(6000), 0.2)
    told = stream_assessed(state, 0.2)
    assert told.answer == "found"
    assert told.evidence["before"] == pytest.approx(8.0, abs=0.5)
    assert told.evidence["excess"] == pytest.approx(0.5, abs=0.12)
    assert "more as a share, where 0.2 counts" in told.reason
    assert stream_assessed(state, 0.9).answer == "clear"


def test_a_state_of_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="a stream of format 2, not 1"):
        StreamState.from_document({**begun("binary").document(), "format": 2})
