"""A canary's counts from exposures, and what one angry client does to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from pipeline.experiments.canary import step
from pipeline.experiments.counting import seen, tallied
from pipeline.experiments.stages import Plan, State
from pipeline.serving.tally import Tally, read, write

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
    assert found.requests == 0, "a failure is no answer"
    assert found.events == {"errors": (1, 1), "slow answers": (0, 2), "refusals": (0, 1)}


def test_a_canary_that_fails_all_of_its_few_units_goes_no_further(tmp_path: Path) -> None:
    """Of three units no test can tell; what failed was counted as answered, and it passed all stages."""
    tally = Tally(tmp_path, "one")
    for number in range(9000):
        unit = number % 3
        tally.saw(1, 0, 1 + unit % 2, f"u{unit}", ["errors"] if unit % 2 else [])
    write(tally.pending())
    found = tallied(read(tmp_path, 1, 0), Plan().tolerated, canary=2, control=1)
    assert (found.requests, found.events["errors"]) == (0, (1, 0))
    later = step(Plan(), State(stage=0, since=NOW), found, NOW + timedelta(days=1))
    assert (later.move, later.reason) == ("hold", "the canary has answered 0 requests at 0.01; 100 are needed")


def test_one_client_that_fails_over_and_over_does_not_take_a_canary_back() -> None:
    unit = np.array(["angry"] * 500 + [f"u-{n}" for n in range(50)])
    version = np.array([2] * 500 + [1] * 50)
    found = seen(unit, version, np.full(550, 500), np.zeros(550), canary=2, control=1, promised_us=1)
    assert step(Plan(), State(stage=1, since=NOW), found, NOW).move == "hold"


def test_many_clients_that_fail_do() -> None:
    unit, version = np.array([f"u-{n}" for n in range(100)]), np.array([2] * 50 + [1] * 50)
    found = seen(unit, version, np.full(100, 500), np.zeros(100), canary=2, control=1, promised_us=1)
    assert step(Plan(), State(stage=1, since=NOW), found, NOW).move == "roll back"
