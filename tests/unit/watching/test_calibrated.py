"""Calibration of a window, with intervals."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pipeline.stats.measured import Floats
from pipeline.watching.calibrated import calibrated, calibration_assessed


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def drawn(draw: np.random.Generator, rows: int, lift: float = 0.0) -> tuple[Floats, Floats]:
    """What happens, and the chances that are said of it."""
    said = draw.beta(2, 4, rows)
    return (draw.random(rows) < np.clip(said + lift, 0, 1)).astype(np.int32), said


def test_what_happens_as_often_as_it_is_said_is_calibrated() -> None:
    found = calibrated(*drawn(rng(1), 5000), rng(2))
    assert found is not None
    assert found.error < found.by_chance
    assert found.large_low < 0 < found.large_high
    assert calibration_assessed(found, before=0.01).answer == "clear"


def test_what_happens_more_often_is_found_and_said_in_shares() -> None:
    found = calibrated(*drawn(rng(1), 5000, lift=0.1), rng(2))
    assert found is not None
    assert found.large == pytest.approx(0.1, abs=0.02)
    assert found.low < found.error < found.high
    told = calibration_assessed(found, before=0.01)
    assert (told.answer, told.subject) == ("found", "calibration")
    assert "happened where 33" in told.reason
    assert told.reason.endswith("more")
    json.dumps(told.document(), allow_nan=False)


@pytest.mark.slow
def test_the_intervals_cover_what_a_thousand_windows_show() -> None:
    """The true error is 0.1 in every bin, but for what chance adds: half of a percent here."""
    draw, covered, large = rng(5), 0, 0
    for _ in range(300):
        found = calibrated(*drawn(draw, 8000, lift=0.1), draw)
        assert found is not None
        covered += found.low <= 0.1 <= found.high
        large += found.large_low <= 0.1 <= found.large_high
    assert covered >= 0.9 * 300
    assert 0.91 * 300 <= large <= 0.99 * 300


def test_too_few_rows_and_evidence_without_calibration_say_not_yet() -> None:
    few = calibrated(*drawn(rng(1), 100), rng(2))
    assert calibration_assessed(few, before=0.01).reason == "100 labelled rows, and 500 are needed"
    assert calibration_assessed(None, before=0.01).reason == "0 labelled rows, and 500 are needed"
    many = calibrated(*drawn(rng(1), 900), rng(2))
    assert calibration_assessed(many, before=None).reason == "the version's evidence has no calibration"


def test_no_rows_one_row_and_forecasts_that_are_all_the_same() -> None:
    assert calibrated(np.zeros(0), np.zeros(0), rng()) is None
    one = calibrated(np.array([1]), np.array([0.25]), rng())
    assert one is not None
    assert (one.error, one.low, one.high, one.large) == (0.75, 0.0, 1.0, 0.75)
    same = calibrated((rng(1).random(1000) < 0.3).astype(np.int32), np.full(1000, 0.3), rng())
    assert same is not None
    assert same.error == pytest.approx(abs(same.large))


def test_of_many_classes_the_likeliest_is_judged() -> None:
    draw = rng(3)
    scores = draw.dirichlet([2, 1, 1], 4000)
    labels = np.array([draw.choice(3, p=one) for one in scores], np.int32)
    found = calibrated(labels, scores, draw)
    assert found is not None
    assert found.forecast == pytest.approx(scores.max(axis=1).mean())
    assert abs(found.large) < 0.03
