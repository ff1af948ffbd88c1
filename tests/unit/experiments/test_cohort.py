"""First exposures, matured cohorts, and outcomes that come late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.experiments.cohort import Exposed, Times, first_exposures, matured, restated, totals
from pipeline.experiments.sampled import Moments, difference
from pipeline.experiments.sequence import interval

BEGUN = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)


def times(*days: float) -> Times:
    return np.datetime64(BEGUN.replace(tzinfo=None), "us") + np.array([int(d * 86_400e6) for d in days], "m8[us]")


def test_the_first_exposure_counts_whatever_the_order_of_the_log() -> None:
    found = first_exposures(np.array(["b", "a", "b", "a"]), np.array([2, 1, 2, 1]), times(3, 2, 1, 4))
    assert found.unit.tolist() == ["a", "b"]
    assert found.arm.tolist() == [1, 2]
    assert (found.at == times(2, 1)).all()
    assert found.crossed == 0


def test_a_unit_that_met_two_arms_is_left_out_and_counted() -> None:
    found = first_exposures(np.array(["b", "a", "b", "c"]), np.array([2, 1, 1, 2]), times(1, 1, 2, 1))
    assert found.unit.tolist() == ["a", "c"]
    assert found.crossed == 1


def test_an_empty_log_has_nobody() -> None:
    nobody = first_exposures(np.array([], dtype=str), np.array([], dtype=int), times())
    assert (len(nobody.unit), nobody.crossed) == (0, 0)
    assert len(totals(nobody, np.array(["a"]), times(1), np.array([1.0]), DAY)) == 0
    assert restated(nobody, np.array(["a"]), times(1), times(2), DAY).tolist() == [False]


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(1, 2), st.integers(0, 20)), max_size=40))
def test_first_exposures_are_those_of_a_loop(log: list[tuple[int, int, int]]) -> None:
    arms: dict[int, set[int]] = {}
    first: dict[int, int] = {}
    for unit, arm, at in log:
        arms.setdefault(unit, set()).add(arm)
        first[unit] = min(at, first.get(unit, at))
    columns = np.array(log, dtype=np.int64).reshape(-1, 3)
    found = first_exposures(columns[:, 0], columns[:, 1], times(*columns[:, 2]))
    kept = sorted(unit for unit, met in arms.items() if len(met) == 1)
    assert found.unit.tolist() == kept
    assert found.arm.tolist() == [min(arms[unit]) for unit in kept]
    assert (found.at == times(*(first[unit] for unit in kept))).all()
    assert found.crossed == len(arms) - len(kept)


two = first_exposures(np.array([10, 20]), np.array([1, 2]), times(0, 1))


def test_a_unit_counts_when_its_window_has_closed() -> None:
    assert matured(two, 2 * DAY, BEGUN + 2 * DAY).tolist() == [True, False]
    assert matured(two, 2 * DAY, BEGUN + 3 * DAY).tolist() == [True, True]


def test_a_time_of_another_zone_is_the_same_time() -> None:
    from zoneinfo import ZoneInfo

    assert matured(two, 2 * DAY, (BEGUN + 2 * DAY).astimezone(ZoneInfo("Asia/Tokyo"))).tolist() == [True, False]


def test_outcomes_count_from_the_exposure_to_the_end_of_the_window() -> None:
    unit, at = np.array([10, 10, 10, 20, 20, 99]), times(0, 1.9, 2, 0.5, 1, 1)
    values = np.array([1, 2, 4, 8, 16, 32])
    assert totals(two, unit, at, values, 2 * DAY).tolist() == [3.0, 16.0]


def test_an_outcome_that_arrives_after_its_unit_was_counted_restates() -> None:
    unit, at, arrived = np.array([10, 10, 20]), times(1, 1, 1), times(1.5, 2, 9)
    assert restated(two, unit, at, arrived, 2 * DAY).tolist() == [False, True, True]


Columns = tuple[npt.NDArray[Any], Times, npt.NDArray[np.float64]]


def trial(seed: int) -> tuple[Exposed, Columns, Times]:
    """400 units of ten days, of whom some buy something up to two days later, which is known up to a day after that."""
    rng = np.random.default_rng(seed)
    count = 400
    exposed = first_exposures(np.arange(count), rng.integers(1, 3, count), times(*rng.uniform(0, 10, count)))
    buyers = np.flatnonzero(rng.random(count) < np.where(exposed.arm == 2, 0.45, 0.2))
    bought = exposed.at[buyers] + (rng.uniform(0, 2, len(buyers)) * 86_400e6).astype("m8[us]")
    arrived = bought + (rng.uniform(0, 1, len(buyers)) * 86_400e6).astype("m8[us]")
    return exposed, (buyers, bought, np.ones(len(buyers))), arrived


def decision(exposed: Exposed, outcomes: Columns, ripe: npt.NDArray[np.bool_]) -> tuple[int, bool]:
    brought = totals(exposed, *outcomes, 2 * DAY)
    treated, control = (Moments.of(brought[ripe & exposed.of_arm(arm)]).sampled() for arm in (2, 1))
    found = interval(difference(treated, control), 0.05, tightest=400)
    return treated.units + control.units, found.low > 0


@pytest.mark.slow
def test_two_hundred_replays_with_late_labels_decide_as_those_who_know_all_at_once() -> None:
    window, differing, early = 3 * DAY, 0, 0
    for seed in range(200):
        exposed, outcomes, arrived = trial(seed)
        for day in range(4, 14, 3):
            now = BEGUN + day * DAY
            known = arrived <= times(day)[0]
            seen: Columns = (outcomes[0][known], outcomes[1][known], outcomes[2][known])
            ripe = matured(exposed, window, now)
            differing += decision(exposed, seen, ripe) != decision(exposed, outcomes, ripe)
            everybody = exposed.at <= times(day)[0]
            early += decision(exposed, seen, everybody) != decision(exposed, outcomes, everybody)
    assert differing == 0
    assert early > 0  # without waiting for maturity some replays decide otherwise
