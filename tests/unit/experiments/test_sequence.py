"""Confidence sequences against gbstats, and how often they miss."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.experiments.sampled import Difference, Moments, difference, lift
from pipeline.experiments.sequence import LEAST, interval, log_e, radius

A = Moments(3000, 300 / 3000, 869 - 300**2 / 3000).sampled()
B = Moments(3461, 407 / 3461, 1120 - 407**2 / 3461).sampled()
GBSTATS = [
    (difference(B, A, borrowed=0), 0.05, -0.02348399474378156, 0.058676135743492605),
    (difference(B, A, borrowed=0), 0.01, -0.030736905368629976, 0.06592904636834102),
    (lift(B, A, borrowed=0), 0.05, -0.2731743315902876, 0.6250957415873981),
    (lift(B, A, borrowed=0), 0.01, -0.35247158342148965, 0.7043929934186001),
    (
        Difference(0.07366666666666666, 9.971247642458327e-05, 6462, 3001),
        0.05,
        0.04332515973561629,
        0.10400817359771702,
    ),
]
"""`SequentialTwoSidedTTest.confidence_interval` in gbstats 0.8.0, in an environment of its own."""


@pytest.mark.parametrize(("found", "alpha", "low", "high"), GBSTATS)
def test_the_interval_is_that_of_gbstats(found: Difference, alpha: float, low: float, high: float) -> None:
    given = interval(found, alpha)
    assert [given.low, given.high] == pytest.approx([low, high])


def test_the_evidence_is_that_of_gbstats() -> None:
    found = Difference(0.07366666666666666, 9.971247642458327e-05, 6462, 3001)
    assert math.exp(-log_e(found, 0.05)) == pytest.approx(5.7213583868950464e-11)


@given(st.floats(-1, 1), st.floats(1e-6, 1), st.integers(2 * LEAST, 10**7), st.floats(1e-4, 0.3))
def test_the_interval_leaves_zero_out_exactly_when_the_evidence_reaches_one_over_alpha(
    value: float, variance: float, units: int, alpha: float
) -> None:
    found = Difference(value, variance, units, units // 2)
    beyond = log_e(found, alpha) + math.log(alpha)
    given = interval(found, alpha)
    if abs(beyond) > 1e-9:
        assert (given.low > 0 or given.high < 0) == (beyond > 0)


@pytest.mark.parametrize(
    "found", [Difference(0.5, 0.1, 999, LEAST - 1), Difference(0.5, 0.0, 500, 250), Difference(0.5, math.nan, 300, 0)]
)
def test_too_few_units_or_no_variance_say_nothing(found: Difference) -> None:
    given = interval(found, 0.05)
    assert (given.low, given.high) == (-math.inf, math.inf)
    assert log_e(found, 0.05) == 0.0


def test_it_is_tightest_compared_with_a_fixed_interval_about_where_it_was_asked_to_be() -> None:
    units = np.arange(100, 40_000, 100)
    wider = radius(1.0 / units, units, units, 0.05, tightest=5000) * np.sqrt(units)
    assert 3000 <= units[wider.argmin()] <= 8000
