"""Too many events in one arm: against numeric integration, savvi's interval, and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import binom

from pipeline.experiments.excess import log_e, rate_ratio, tolerated_coin
from tests.examples import examples

shares = st.floats(0.01, 0.9)


@given(st.integers(0, 60), st.integers(0, 200), shares, st.floats(1.0, 3.0))
def test_it_is_the_mean_likelihood_ratio_of_the_coins_above_what_is_tolerated(
    treated: int, control: int, share: float, tolerated: float
) -> None:
    null = tolerated_coin(share, tolerated)
    b = (1.0 - null) / null

    def ratio(depth: float) -> float:
        """At the coin θ with 1 - θ = (1 - null)·exp(-depth): the prior's pole at 1, which no integrator likes, is then
        an exponential tail."""
        hits = treated * math.log1p((1.0 - null) / null * -math.expm1(-depth))
        return b * math.exp(hits - (control + b) * depth)

    deepest = (45.0 - treated * math.log(null)) / b  # no ratio is above null**-treated: e^-45 of the whole is cut off
    steps = [float(at) for at in np.geomspace(1e-6 * deepest, deepest, 20)[:-1]]
    expected = quad(ratio, 0.0, deepest, points=steps, limit=1000)[0]
    found = float(np.exp(log_e(treated, control, share, tolerated)))
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-12)


@pytest.mark.parametrize("n", [1, 7, 60])
@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_its_expectation_is_one_at_equal_rates_and_below_for_a_better_treatment(n: int, share: float) -> None:
    events = np.arange(n + 1)
    e_values = np.exp(log_e(events, n - events, share))
    assert float(binom(n, share).pmf(events) @ e_values) == pytest.approx(1.0)
    assert float(binom(n, share / 2).pmf(events) @ e_values) < 1.0


def test_twice_the_rate_is_no_harm_where_twice_is_tolerated() -> None:
    events = np.arange(31)
    doubled = binom(30, 0.2 / 1.1).pmf(events)
    assert float(doubled @ np.exp(log_e(events, 30 - events, 0.1, tolerated=2.0))) == pytest.approx(1.0)


@given(st.integers(0, 10**6), shares)
def test_a_treatment_without_events_is_never_accused(control: int, share: float) -> None:
    assert float(log_e(0, control, share)) <= 1e-9


def test_evidence_in_its_favour_does_not_overflow_into_an_accusation() -> None:
    assert float(log_e(10, 100_000, 0.5)) <= 0.0
    assert float(log_e(100_000, 10, 0.5)) > 1000.0


def test_a_canary_with_all_of_a_few_errors_is_found() -> None:
    assert float(log_e(4, 0, 0.1)) > math.log(20)
    assert float(log_e(2, 0, 0.1)) < math.log(20)


SAVVI = [
    (30, 54, 0.1, 0.05, 0.19231648, 0.54904183),
    (230, 200, 0.5, 0.01, 0.44224940, 0.62593035),
]
"""Events, share, alpha, `Multinomial(alpha, ..., k=1/share).calculate_conf_int()` of the treatment in savvi 0.3.1."""


@pytest.mark.parametrize(("treated", "control", "share", "alpha", "low", "high"), SAVVI)
def test_the_interval_is_that_of_savvi(
    treated: int, control: int, share: float, alpha: float, low: float, high: float
) -> None:
    found = rate_ratio(treated, control, share, alpha)
    odds = share / (1 - share)
    assert found.value == pytest.approx(treated / control / odds)
    assert found.low == pytest.approx(low / (1 - low) / odds, rel=1e-5)
    assert found.high == pytest.approx(high / (1 - high) / odds, rel=1e-5)


counts = st.integers(0, 20) | st.integers(0, 10**7)


@pytest.mark.slow
@settings(max_examples=examples(500))
@given(counts, counts, st.floats(0.001, 0.999), st.floats(1e-6, 0.9))
def test_there_is_an_interval_about_the_ratio_for_any_counts(
    treated: int, control: int, share: float, alpha: float
) -> None:
    found = rate_ratio(treated, control, share, alpha)
    if treated + control == 0:
        assert (found.low, found.high) == (0.0, math.inf)
    else:
        assert 0.0 <= found.low <= found.value <= found.high


def test_an_interval_that_reaches_to_where_no_float_is_left_below_one() -> None:
    found = rate_ratio(6, 1, 0.001953125, 0.125)
    assert found.low < found.value < 1e15 < found.high < math.inf


def test_an_arm_without_events_has_a_bound_on_one_side() -> None:
    assert rate_ratio(0, 50, 0.5, 0.05).low == 0.0
    assert rate_ratio(0, 50, 0.5, 0.05).high < 1.0
    assert rate_ratio(50, 0, 0.5, 0.05).low > 1.0
    assert rate_ratio(50, 0, 0.5, 0.05).high == math.inf


@pytest.mark.slow
def test_the_interval_holds_at_all_looks_at_once() -> None:
    rng, missed = np.random.default_rng(5), 0
    for _ in range(200):
        treated = np.cumsum(rng.random(400) < 0.25)  # an arm with a quarter of the traffic and equal rates
        looks = [rate_ratio(int(treated[n]), int(n + 1 - treated[n]), 0.25, 0.1) for n in range(0, 400, 10)]
        missed += any(not one.low <= 1.0 <= one.high for one in looks)
    assert missed / 200 <= 0.1


def test_nonsense_is_refused() -> None:
    for share, tolerated in ((0.0, 1.0), (1.0, 1.0), (0.5, 0.0)):
        with pytest.raises(ValueError, match="a share lies between 0 and 1"):
            log_e(1, 1, share, tolerated)
