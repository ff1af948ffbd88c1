"""A canary's counts from exposures, and what one angry client does to them."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from pipeline.experiments.canary import step
from pipeline.experiments.counting import seen
from pipeline.experiments.stages import Plan, State

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def test_units_are_counted_once_and_requests_as_often_as_they_came() -> None:
    found = seen(
        np.array(["a", "a", "b", "c", "d"]),
        np.array([2, 2, 1, 1, 1]),
        np.array([500, 503, 500, 404, 200]),
        np.array([10, 900, 900, 1000, 1001]),
        canary=2,
        control=1,
        promised_us=900,
    )
    assert found.requests == 2
    assert found.events == {"errors": (1, 1), "slow answers": (0, 2)}


def test_one_client_that_fails_over_and_over_does_not_take_a_canary_back() -> None:
    unit = np.array(["angry"] * 500 + [f"u-{n}" for n in range(50)])
    version = np.array([2] * 500 + [1] * 50)
    found = seen(unit, version, np.full(550, 500), np.zeros(550), canary=2, control=1, promised_us=1)
    assert step(Plan(), State(stage=1, since=NOW), found, NOW).move == "hold"


def test_many_clients_that_fail_do() -> None:
    unit, version = np.array([f"u-{n}" for n in range(100)]), np.array([2] * 50 + [1] * 50)
    found = seen(unit, version, np.full(100, 500), np.zeros(100), canary=2, control=1, promised_us=1)
    assert step(Plan(), State(stage=1, since=NOW), found, NOW).move == "roll back"
