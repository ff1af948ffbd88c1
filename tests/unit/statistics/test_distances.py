"""Distances of counts against scipy, and what they are where there is little or nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, ks_2samp, wasserstein_distance

from pipeline.stats.distances import (
    Pairs,
    chi_square,
    hellinger,
    jensen_shannon,
    kolmogorov_smirnov,
    population_stability,
    psi,
    share_effect,
    wasserstein,
)
from pipeline.stats.measured import Floats

counts = st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=1, max_size=20).map(
    lambda pairs: (np.array([p for p, _ in pairs]), np.array([q for _, q in pairs]))
)
Pair = tuple["np.ndarray[tuple[int], np.dtype[np.int64]]", "np.ndarray[tuple[int], np.dtype[np.int64]]"]


MEASURES = (population_stability, jensen_shannon, hellinger, kolmogorov_smirnov)


def of(measure: Callable[[Pairs], Floats], p: Any, q: Any) -> float:
    """Of one pair alone."""
    return float(measure(Pairs.one(p, q))[0])


@pytest.mark.slow
@given(counts)
def test_distances_are_those_of_scipy(both: Pair) -> None:
    p, q = both
    if not p.sum() or not q.sum():
        assert np.isnan([of(one, p, q) for one in MEASURES]).all()
        assert np.isnan(chi_square(Pairs.one(p, q))).all()
        assert psi(p, q) == 0.0
        return
    # Where they agree scipy takes the root of a rounding error, which may be below 0.
    assert of(jensen_shannon, p, q) == pytest.approx(np.nan_to_num(jensenshannon(p, q)), abs=1e-7)
    apart = math.sqrt(max(0.0, 1 - np.sqrt(p / p.sum() * q / q.sum()).sum()))
    assert of(hellinger, p, q) == pytest.approx(apart, abs=1e-7)
    table = np.stack(both)[:, (p + q) > 0]
    if table.shape[1] > 1:
        theirs = chi2_contingency(table, correction=False)
        found = [float(one[0]) for one in chi_square(Pairs.one(p, q))]
        assert found == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-9, abs=1e-12)


@pytest.mark.slow
@given(counts)
def test_distances_stay_in_their_bounds(both: Pair) -> None:
    assert 0.0 <= psi(*both) <= 18.5
    for one, most in ((jensen_shannon, math.sqrt(math.log(2))), (hellinger, 1.0), (kolmogorov_smirnov, 1.0)):
        found = of(one, *both)
        assert math.isnan(found) or 0.0 <= found <= most + 1e-12
        assert found == of(one, both[1], both[0]) or math.isnan(found)


@pytest.mark.slow
@given(st.lists(counts, min_size=1, max_size=6))
def test_of_many_pairs_each_is_what_it_is_alone_to_the_last_bit(several: list[Pair]) -> None:
    starts = np.cumsum([0, *(len(p) for p, _ in several)])[:-1]
    side_by_side = Pairs(np.concatenate([p for p, _ in several]), np.concatenate([q for _, q in several]), starts)
    for measure in MEASURES:
        np.testing.assert_array_equal(measure(side_by_side), [of(measure, *pair) for pair in several])
    alone = [chi_square(Pairs.one(*pair)) for pair in several]
    np.testing.assert_array_equal(np.stack(chi_square(side_by_side)), np.concatenate(alone, axis=1))


values = st.lists(st.integers(-20, 20), min_size=8, max_size=30)


@settings(max_examples=40)
@given(values, values)
def test_over_a_cell_for_each_value_ks_and_wasserstein_are_those_of_scipy(one: list[int], two: list[int]) -> None:
    edges = np.unique([*one, *two]).astype(np.float64)
    p, q = (np.array([side.count(int(edge)) for edge in edges] + [0]) for side in (one, two))
    assert of(kolmogorov_smirnov, p, q) == pytest.approx(ks_2samp(one, two, method="asymp").statistic, abs=1e-12)
    widths = np.r_[0.0, np.diff(edges), 0.0]
    inner = np.array([np.mean(two) - np.mean(one)])
    (found,) = wasserstein(Pairs.one(p, q), widths, np.zeros(1), inner, np.array([True]))
    assert found == pytest.approx(wasserstein_distance(one, two), abs=1e-9)


def test_a_constant_column_is_at_no_distance_from_itself() -> None:
    p, q = np.array([100, 0]), np.array([7, 0])
    assert [of(one, p, q) for one in MEASURES] == [0.0, 0.0, 0.0, 0.0]
    assert [one.tolist() for one in chi_square(Pairs.one(p, q))] == [[0.0], [1.0]]
    assert wasserstein(Pairs.one(p, q), np.zeros(2), np.zeros(1), np.zeros(1), np.array([True])).tolist() == [0.0]


def test_chi_square_of_equal_shares_and_unequal_sizes_finds_nothing() -> None:
    """Where expected counts are not scaled to the window's size, p is 1e-34 here (whylogs issue 491)."""
    found = chi_square(Pairs.one(np.array([7000, 3000]), np.array([70, 30])))
    assert np.concatenate(found).tolist() == pytest.approx([0.0, 1.0])


@pytest.mark.parametrize(("before", "now", "effect"), [(0.0, 0.01, 0.2), (0.5, 0.6, 0.2), (1.0, 0.0, -math.pi)])
def test_shares_differ_by_cohens_h(before: float, now: float, effect: float) -> None:
    assert share_effect(before, now) == pytest.approx(effect, abs=0.002)
