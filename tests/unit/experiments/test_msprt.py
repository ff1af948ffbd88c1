"""The mixture test against numeric integration."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from pipeline.experiments.msprt import log_e


@pytest.mark.slow
@given(st.floats(-1, 1), st.integers(1, 500), st.floats(0.2, 4), st.floats(0.05, 1), st.floats(-0.5, 0.5))
def test_it_is_the_mean_likelihood_ratio_of_normally_drawn_differences(
    difference: float, units: int, variance: float, tau: float, null: float
) -> None:
    error = math.sqrt(2 * variance / units)
    mixed = norm(null, math.sqrt(error**2 + tau**2)).logpdf(difference)
    expected = mixed - norm(null, error).logpdf(difference)
    found = float(log_e(difference, units, variance, tau=tau, null=null))
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.slow
def test_the_mixture_by_quadrature() -> None:
    def weighted(true: float) -> float:
        return float(norm(0, 0.3).pdf(true) * norm(true, 0.2).pdf(0.5))

    expected = math.log(quad(weighted, -3, 3)[0] / norm(0, 0.2).pdf(0.5))
    assert float(log_e(0.5, 50, 1.0, tau=0.3)) == pytest.approx(expected, abs=1e-8)


def test_looking_after_each_pair_raises_few_false_alarms() -> None:
    rng, pairs = np.random.default_rng(2), np.arange(1, 2001)
    means = np.cumsum(rng.normal(0, math.sqrt(2), (500, 2000)), axis=1) / pairs
    alarms = (log_e(means, pairs, 1.0, tau=0.2) >= math.log(20)).any(axis=1)
    assert 0.005 <= alarms.mean() <= 0.05  # it spends some of what is allowed, and no more
