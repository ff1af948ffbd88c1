"""Sample-ratio mismatch against savvi, scipy, and the definition of an e-value."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, dirichlet_multinomial, multinomial

from pipeline.experiments.mismatch import chi_square, log_e

SAVVI = [
    (100, [0.5, 0.5], [520, 480], -0.4731252336700891),
    (100, [0.5, 0.5], [10400, 9600], 13.271256716378048),
    (1000, [0.9, 0.1], [54, 30], 2.1425471356340893),
    (10000, [0.5, 0.3, 0.2], [5100, 2950, 1950], 0.333378939270915),
    (100, [0.25, 0.25, 0.5], [0, 0, 7], 0.1973006089834123),
]
"""Concentration, shares, counts, log of `Multinomial(...).odds` in savvi 0.3.1, in an environment of its own."""


@pytest.mark.parametrize(("concentration", "shares", "counts", "expected"), SAVVI)
def test_the_e_process_is_that_of_savvi(
    concentration: float, shares: list[float], counts: list[int], expected: float
) -> None:
    assert float(log_e(counts, shares, concentration)) == pytest.approx(expected, abs=1e-9)


three = st.lists(st.integers(0, 400), min_size=3, max_size=3)


@given(three, st.floats(0.5, 1e5))
def test_the_e_process_is_a_ratio_of_two_of_scipys_likelihoods(counts: list[int], concentration: float) -> None:
    shares, n = np.array([0.5, 0.3, 0.2]), sum(counts)
    over = dirichlet_multinomial(concentration * shares, n).logpmf(counts)
    expected = over - multinomial(n, shares).logpmf(counts)
    assert float(log_e(counts, shares, concentration)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("n", [1, 5, 12])
def test_its_expectation_under_the_planned_shares_is_one(n: int) -> None:
    shares = [0.2, 0.3, 0.5]
    outcomes = np.array([one for one in product(range(n + 1), repeat=3) if sum(one) == n])
    chances = multinomial(n, shares).pmf(outcomes)
    assert float(chances @ np.exp(log_e(outcomes, shares, 20.0))) == pytest.approx(1.0)


@pytest.mark.slow
@given(st.lists(st.integers(0, 10_000), min_size=2, max_size=5).filter(any))
def test_the_fixed_look_is_pearsons(counts: list[int]) -> None:
    shares = np.full(len(counts), 1 / len(counts))
    expected = sum(counts) * shares
    statistic = float(np.sum((np.array(counts) - expected) ** 2 / expected))
    assert chi_square(counts, shares) == pytest.approx(float(chi2.sf(statistic, len(counts) - 1)), abs=1e-12)


def test_without_units_nothing_is_said() -> None:
    assert chi_square([0, 0], [0.5, 0.5]) == 1.0
    assert float(log_e([0, 0], [0.5, 0.5])) == 0.0


def test_shares_that_are_none_are_refused() -> None:
    for shares in ([1.0, 0.0], [0.5, 0.6], [1.5, -0.5]):
        with pytest.raises(ValueError, match="are positive and add up to 1"):
            log_e([1, 2], shares)


def test_many_looks_are_computed_at_once() -> None:
    counts = np.cumsum(np.random.default_rng(1).multinomial(1, [0.9, 0.1], 300), axis=0)
    each = [float(log_e(row, [0.9, 0.1])) for row in counts]
    assert log_e(counts, [0.9, 0.1]) == pytest.approx(each)
