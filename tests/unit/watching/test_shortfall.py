"""Is a version worse than its evidence says? By an effect that matters, above chance, on enough labels."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from pipeline.judging.evidence import Estimate
from pipeline.watching.performance import Performance, performance
from pipeline.watching.shortfall import Drop, Floors, Valued, drop, shortfall, valued

BEFORE = Valued(value=0.80, error=0.004)


def found(value: float, error: float = 0.005, rows: int = 4000, labelled: int = 2000) -> Performance:
    return Performance(rows, labelled, {"auc": (value, error)})


def test_a_drop_that_matters_and_is_no_chance_is_found_with_its_numbers() -> None:
    told = shortfall("auc", BEFORE, found(0.76), 0.02)
    assert (told.kind, told.subject, told.answer) == ("performance", "auc", "found")
    assert told.reason == (
        "auc measured 0.76 of 2,000 labelled rows (50% of the window), 0.8 when the version was made: "
        "0.04 worse (0.0275 to 0.0525) where 0.02 counts"
    )
    assert told.suggestion
    assert told.evidence["drop"] == pytest.approx(0.04)
    json.dumps(told.document(), allow_nan=False)


def test_a_small_drop_and_a_large_one_that_may_be_chance_are_not() -> None:
    assert shortfall("auc", BEFORE, found(0.79), 0.02).answer == "clear"
    assert shortfall("auc", BEFORE, found(0.76, error=0.03), 0.02).answer == "clear"
    better = shortfall("auc", BEFORE, found(0.83), 0.02)
    assert better.answer == "clear"
    assert "0.03 better (0.0175 to 0.0425)" in better.reason
    assert better.suggestion == ""


def test_the_interval_is_that_of_two_samples_that_share_no_rows() -> None:
    rng = np.random.default_rng(0)
    apart = rng.normal(0.80, 0.004, 200_000) - rng.normal(0.76, 0.005, 200_000)
    one = drop("auc", BEFORE, Valued(value=0.76, error=0.005))
    assert (one.low, one.high) == pytest.approx(np.quantile(apart, [0.025, 0.975]), abs=2e-4)


def test_metrics_turn_so_that_more_is_worse_and_those_in_the_labels_unit_are_shares() -> None:
    assert drop("log_loss", Valued(value=0.5, error=0), Valued(value=0.6, error=0)).value == pytest.approx(0.1)
    assert drop("rmse", Valued(value=20, error=0), Valued(value=25, error=0)).value == pytest.approx(0.25)
    nothing = drop("mae", Valued(value=0, error=0), Valued(value=1, error=0))
    assert nothing == Drop(value=1.0, low=1.0, high=1.0)


@pytest.mark.parametrize(
    ("window", "reason"),
    [
        (Performance(0, 0, {}), "no row was answered in this window"),
        (found(0.1, labelled=499), "499 of 4,000 rows have a label, and at least 500 are needed"),
        (found(0.1, rows=100_000), "2.0% of 100,000 rows have a label, and 30% are needed"),
        (Performance(1000, 900, {}), "auc is not defined for these labels: all of one class, or all the same"),
        (found(0.1, error=math.nan), "auc is not defined for these labels: all of one class, or all the same"),
    ],
)
def test_too_little_says_not_yet_and_why(window: Performance, reason: str) -> None:
    told = shortfall("auc", BEFORE, window, 0.02)
    assert (told.answer, told.reason) == ("not yet", reason)
    json.dumps(told.document(), allow_nan=False)


def test_evidence_without_the_metric_says_so_and_floors_can_be_set() -> None:
    assert shortfall("auc", None, found(0.1), 0.02).reason == "the version's evidence has no auc"
    assert shortfall("auc", BEFORE, found(0.1, labelled=30), 0.02, Floors(rows=10, coverage=0.0)).answer == "found"


def test_the_evidences_error_is_that_of_its_interval() -> None:
    found = valued(Estimate(value=0.8, low=0.8 - 0.0196, high=0.8 + 0.0196))
    assert found is not None
    assert (found.value, found.error) == pytest.approx((0.8, 0.01), rel=1e-4)
    assert valued(Estimate(value=None, low=None, high=None)) is None


def test_a_window_of_one_row_is_a_plain_document() -> None:
    one = performance(["accuracy"], np.array([1]), np.array([0.9]), np.array([True]))
    assert one.document()["metrics"] == {"accuracy": {"value": 1.0, "error": None}}
    json.dumps(one.document(), allow_nan=False)


def test_without_a_change_a_drop_is_found_less_than_once_in_forty_windows() -> None:
    """The interval's lower end is above 0 in one of forty; that it also reaches a limit makes it rarer."""
    rng = np.random.default_rng(3)
    told = [
        shortfall("auc", Valued(value=rng.normal(0.8, 0.004), error=0.004), found(rng.normal(0.8, 0.005)), 0.0)
        for _ in range(4000)
    ]
    assert np.mean([one.answer == "found" for one in told]) == pytest.approx(0.025, abs=0.008)
