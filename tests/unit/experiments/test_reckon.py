"""A comparison from its logs: late labels change when it is decided by at most a window, and never what."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from pipeline.experiments.cohort import Exposed, first_exposures
from pipeline.experiments.decide import Rules
from pipeline.experiments.findings import Finding
from pipeline.experiments.reckon import Outcomes, Question, Reckoned, reckoned

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
WINDOW = timedelta(days=2)
QUESTION = Question(
    control=1,
    shares={1: 0.5, 2: 0.5},
    metric="revenue",
    better="higher",
    began=START,
    window=WINDOW,
    rules=Rules(least_units=200, least_time=timedelta(days=3), longest=timedelta(days=12)),
)


def at(hours: Any) -> Any:
    return np.datetime64(START.replace(tzinfo=None)) + (np.asarray(hours) * 3_600_000_000).astype("timedelta64[us]")


def world(seed: int, lift: float, units: int = 1200) -> tuple[Exposed, Any, Any, Any]:
    """Exposures over a week, and for each unit an outcome within its window: unit, hours, value."""
    rng = np.random.default_rng(seed)
    names = np.array([f"u{number}" for number in range(units)])
    arm, came = rng.integers(1, 3, units), rng.uniform(0, 7 * 24, units)
    happened = came + rng.uniform(0, 47.9, units)
    values = rng.normal(1.0, 1.0, units) + np.where(arm == 2, lift, 0.0)
    return first_exposures(names, arm, at(came)), names, happened, values


def look(exposed: Exposed, outcomes: Outcomes, hours: float, question: Question = QUESTION) -> Reckoned:
    (found,) = reckoned(question, exposed, outcomes, {}, START + hours * HOUR)
    return found


@pytest.mark.slow
def test_200_replays_with_random_delays_decide_as_full_data_do() -> None:
    """Goal: at each look if the labels came within their windows, and at the end however late they were."""
    seen = set()
    for seed in range(200):
        rng = np.random.default_rng(1000 + seed)
        exposed, unit, happened, values = world(seed, lift=(-0.5, 0.0, 0.5)[seed % 3])
        order = np.searchsorted(exposed.unit, unit)
        closes = (exposed.at[order] - at(0)).astype(np.int64) / 3_600_000_000 + 48
        prompt = Outcomes(unit, at(happened), values, at(happened))
        within = Outcomes(unit, at(happened), values, at(happened + rng.random(len(unit)) * (closes - happened)))
        late = Outcomes(unit, at(happened), values, at(happened + rng.exponential(60, len(unit))))
        for hours in rng.uniform(0, 14 * 24, 5):
            assert repr(look(exposed, within, hours)) == repr(look(exposed, prompt, hours))  # NaN is not NaN
        end = 60 * 24.0
        full, found = look(exposed, prompt, end), look(exposed, late, end)
        assert (found.decision, found.primary, found.means) == (full.decision, full.primary, full.means)
        assert (found.restated > 0, full.restated, found.pending) == (True, 0, 0.0)
        seen.add(found.decision.action)
    assert seen == {"promote", "roll back"}


def test_who_may_still_bring_something_is_pending_and_not_counted() -> None:
    exposed, unit, happened, values = world(1, lift=0.5)
    outcomes = Outcomes(unit, at(happened), values, at(happened))
    early = look(exposed, outcomes, 24.0)
    assert (early.pending, early.units, early.decision.action) == (1.0, {1: 0, 2: 0}, "go on")
    assert np.isnan(early.means[1])
    middle = look(exposed, outcomes, 5 * 24.0)
    assert 0.3 < middle.pending < 0.5
    assert sum(middle.units.values()) == round((1 - middle.pending) * sum(middle.exposed.values()))
    assert look(exposed, outcomes, 9.5 * 24).pending == 0.0


def test_the_interval_is_that_of_the_metric_and_less_may_be_better() -> None:
    exposed, unit, happened, values = world(2, lift=0.5)
    outcomes = Outcomes(unit, at(happened), values, at(happened))
    more = look(exposed, outcomes, 240.0)
    assert more.primary.low < 0.5 < more.primary.high
    assert more.primary.low > 0
    assert more.decision.action == "promote"
    less = look(exposed, outcomes, 240.0, replace(QUESTION, better="lower"))
    assert less.primary == more.primary
    assert less.decision.action == "roll back"


def test_arms_of_other_sizes_than_planned_are_believed_in_nothing() -> None:
    exposed, unit, happened, values = world(3, lift=0.5)
    outcomes = Outcomes(unit, at(happened), values, at(happened))
    found = look(exposed, outcomes, 240.0, replace(QUESTION, shares={1: 0.7, 2: 0.3}))
    assert found.decision.action == "invalid"


def test_a_guardrail_that_is_harmed_acts_at_once_and_on_its_treatment_alone() -> None:
    rng = np.random.default_rng(4)
    names = np.array([f"u{number}" for number in range(900)])
    exposed = first_exposures(names, rng.integers(1, 4, 900), at(rng.uniform(0, 20, 900)))
    nothing = Outcomes(names[:0], at(np.empty(0)), np.empty(0), at(np.empty(0)))
    question = replace(QUESTION, shares={1: 1 / 3, 2: 1 / 3, 3: 1 / 3})
    harm = {3: [Finding("errors", "no", "errors: too many")]}
    found = reckoned(question, exposed, nothing, harm, START + 21 * HOUR)
    assert [(one.treatment, one.decision.action) for one in found] == [(2, "go on"), (3, "roll back")]


def test_without_a_unit_it_goes_on() -> None:
    nobody = first_exposures(np.array([], dtype="U1"), np.array([], dtype=int), at(np.empty(0)))
    nothing = Outcomes(np.array([], dtype="U1"), at(np.empty(0)), np.empty(0), at(np.empty(0)))
    found = look(nobody, nothing, 1.0)
    assert (found.decision.action, found.pending, found.units) == ("go on", 1.0, {1: 0, 2: 0})
