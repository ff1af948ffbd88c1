"""How a version ages, as numbers and sentences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from pipeline.judging.evidence import Estimate, Evidence, Gap, PartFacts
from pipeline.watching.rot import Point, life, rot_assessed, trend
from tests.evidence import least_evidence
from tests.unit.watching.log import plain

MADE = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def points(values: list[float], error: float = 0.002, step: float = 1.0) -> list[Point]:
    return [Point(at=MADE + place * step * DAY, value=value, error=error) for place, value in enumerate(values)]


def evidence() -> Evidence:
    parts = {"train": 0.91, "validate": 0.88, "test": 0.87}
    return least_evidence().model_copy(
        update={
            "objective": "auc",
            "metrics": {"auc": Estimate(value=0.87, low=0.86, high=0.88)},
            "parts": {name: PartFacts(rows=100, loss=0.4, objective=value) for name, value in parts.items()},
            "gap": Gap(train=0.36, validation=0.4, relative=Estimate(value=0.1, low=0.05, high=0.15)),
        }
    )


def test_the_trend_is_the_weighted_line_of_numpy() -> None:
    rng = np.random.default_rng(1)
    errors = rng.uniform(0.001, 0.01, 12)
    days, values = np.arange(12.0), 0.87 - 0.001 * np.arange(12) + rng.normal(0, errors)
    given = [Point(at=MADE + d * DAY, value=v, error=e) for d, v, e in zip(days, values, errors, strict=True)]
    slope, covariance = np.polyfit(days, values, 1, w=1 / errors, cov="unscaled")
    found = trend("auc", given)
    assert found is not None
    assert found.weekly == pytest.approx(-slope[0] * 7)
    assert (found.high - found.low) / 2 == pytest.approx(1.959964 * 7 * np.sqrt(covariance[0, 0]))
    assert found.lost == pytest.approx(-slope[0] * 11)


def test_the_life_of_a_version_in_sentences() -> None:
    found = life(evidence(), MADE, points([0.86, 0.85, 0.84, 0.83, 0.82]), MADE + 40 * DAY)
    assert found.sentences == (
        "auc: 0.91 on training rows, 0.88 validating, 0.87 testing, 0.84 in 5 windows of production",
        "log_loss is 10.0% less on training rows than validating",
        "auc gets worse by 0.07 a week (0.061 to 0.079), by 5 windows",
        "the version is 40 days old",
    )
    plain(found.document())


def test_a_version_of_today_is_less_than_a_day_old() -> None:
    assert life(evidence(), MADE, [], MADE + DAY / 20).sentences[-1] == "the version is less than a day old"


def test_a_fall_over_the_windows_that_matters_is_found() -> None:
    falling = life(evidence(), MADE, points([0.86, 0.85, 0.84, 0.83, 0.82]), MADE + 5 * DAY)
    told, age = rot_assessed(falling, drop=0.02, oldest=timedelta(days=30))
    assert (told.kind, told.subject, told.answer) == ("rot", "auc", "found")
    assert (
        told.reason
        == "auc gets worse by 0.07 a week (0.061 to 0.079) over 5 windows in 4 days: 0.04 lost where 0.02 counts"
    )
    assert age.answer == "clear"
    (small,) = rot_assessed(falling, drop=0.05)
    assert small.answer == "clear"
    level = life(evidence(), MADE, points([0.86, 0.864, 0.859, 0.862]), MADE + 50 * DAY)
    (holds,) = rot_assessed(level, drop=0.0)
    assert holds.answer == "clear"
    assert "auc holds" in holds.reason
    _, old = rot_assessed(level, drop=0.0, oldest=timedelta(days=30))
    assert (old.answer, old.reason) == ("found", "the version is 50 days old where 30 are allowed")
    plain([one.document() for one in (told, small, holds, old)])


def test_losses_that_grow_are_worse_and_those_in_the_labels_unit_are_shares() -> None:
    growing = least_evidence().model_copy(
        update={"task": "regression", "objective": "rmse", "metrics": {"rmse": Estimate(value=20, low=19, high=21)}}
    )
    found = life(growing, MADE, points([20, 21, 22, 23, 24], error=0.2), MADE)
    (told,) = rot_assessed(found, drop=0.1)
    assert (told.answer, told.evidence["lost"]) == ("found", pytest.approx(0.2))


def test_few_windows_and_windows_of_one_time_have_no_line() -> None:
    assert trend("auc", points([0.8, 0.7, 0.6])) is None
    assert trend("auc", points([0.8] * 5, step=0.0)) is None
    (told,) = rot_assessed(life(evidence(), MADE, [], MADE), drop=0.02)
    assert told.answer == "not yet"
    exact = trend("auc", points([0.8, 0.79, 0.78, 0.77], error=0.0))
    assert exact is not None
    assert exact.weekly == pytest.approx(0.07)
