"""Sums over units, ratios and differences against numpy, gbstats and the bootstrap."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pipeline.experiments.sampled import Moments, PairMoments, Sampled, difference, lift
from pipeline.stats.measured import Floats

numbers = hnp.arrays(np.float64, st.integers(0, 30), elements=st.floats(-1e3, 1e3))


@pytest.mark.slow
@given(numbers, numbers)
def test_moments_of_parts_are_those_of_the_whole(one: Floats, two: Floats) -> None:
    merged, whole = Moments.of(one).plus(Moments.of(two)), Moments.of(np.r_[one, two])
    assert merged.units == whole.units
    assert merged.mean == pytest.approx(whole.mean, abs=1e-6)
    assert merged.squares == pytest.approx(whole.squares, rel=1e-9, abs=1e-5)


@pytest.mark.slow
@given(st.data())
def test_pairs_of_parts_are_those_of_the_whole(data: st.DataObject) -> None:
    rows = data.draw(hnp.arrays(np.float64, st.tuples(st.integers(0, 30), st.just(2)), elements=st.floats(-100, 100)))
    cut = data.draw(st.integers(0, len(rows)))
    head, tail = (PairMoments.of(part[:, 0], part[:, 1]) for part in (rows[:cut], rows[cut:]))
    assert head.plus(tail).products == pytest.approx(PairMoments.of(rows[:, 0], rows[:, 1]).products, abs=1e-5)


def test_a_mean_has_the_standard_error_of_numpy() -> None:
    x = np.random.default_rng(1).normal(5, 2, 200)
    found = Moments.of(x).sampled()
    assert found.units == 200
    assert found.value == pytest.approx(x.mean())
    assert found.variance == pytest.approx(x.var(ddof=1) / 200)


def test_large_numbers_with_little_spread_keep_their_variance() -> None:
    x = 1e9 + np.array([0.0, 1.0, 2.0])
    assert Moments.of(x[:1]).plus(Moments.of(x[1:])).sampled().variance == pytest.approx(1 / 3)


def test_one_unit_has_no_variance() -> None:
    assert math.isnan(Moments.of([3.0]).sampled().variance)
    assert math.isnan(PairMoments.of([3.0], [1.0]).sampled().variance)


def pair(units: int, over: tuple[float, float], under: tuple[float, float], products: float) -> PairMoments:
    """From plain sums and sums of squares, as gbstats takes them."""
    x, y = (Moments(units, total / units, squares - total**2 / units) for total, squares in (over, under))
    return PairMoments(x, y, products - over[0] * under[0] / units)


def test_a_ratio_has_the_variance_of_gbstats() -> None:
    """`RatioStatistic.variance` / n in gbstats 0.8.0, in an environment of its own."""
    one = pair(3001, (3000, 6869), (9000, 41869), 13000).sampled()
    two = pair(3461, (4070, 11200), (10000, 45000), 15000).sampled()
    assert [one.value, two.value] == pytest.approx([1 / 3, 0.407])
    assert one.variance == pytest.approx(0.10579065646547783 / 3001)
    assert two.variance == pytest.approx(0.22309839572486997 / 3461)
    assert difference(two, one, borrowed=0).variance == pytest.approx(9.971247642458327e-05)
    assert lift(two, one, borrowed=0).value == pytest.approx(0.22099999999999997)
    assert lift(two, one, borrowed=0).variance == pytest.approx(0.0010531395535631838)


def test_a_ratio_has_about_the_variance_of_its_bootstrap() -> None:
    rng = np.random.default_rng(3)
    under = rng.poisson(4, 500) + 1.0
    over = rng.binomial(under.astype(np.int64), rng.beta(2, 5, 500)).astype(np.float64)
    drawn = rng.integers(0, 500, (4000, 500))
    replicates = over[drawn].sum(axis=1) / under[drawn].sum(axis=1)
    assert PairMoments.of(over, under).sampled().variance == pytest.approx(replicates.var(), rel=0.1)


def test_proportional_numbers_have_a_ratio_without_variance() -> None:
    y = np.array([0.1, 0.2, 0.7, 1.3])
    found = PairMoments.of(3 * y, y).sampled()
    assert found.value == pytest.approx(3.0)
    assert 0.0 <= found.variance < 1e-15


def test_a_small_arm_borrows_variance_until_it_has_its_own() -> None:
    control = Sampled(0.05, 0.0475 / 9000, 9000)
    nothing = difference(Sampled(0.0, 0.0, 100), control)  # no hit in a hundred units
    pooled = 0.0475 * 8999 / 9098
    assert nothing.variance == pytest.approx(pooled * 1000 / 1099 / 100 + 0.0475 / 9000, rel=1e-3)
    assert nothing.smaller == 100
    own = Sampled(0.0, 0.0, 1_000_000)
    assert difference(own, control).variance == pytest.approx(0.0475 / 9000, rel=0.01)


def test_an_arm_that_varies_more_keeps_its_variance() -> None:
    wild, calm = Sampled(0.0, 4.0 / 200, 200), Sampled(0.0, 1.0 / 20_000, 20_000)
    assert difference(wild, calm).variance >= 4.0 / 200 + 1.0 / 20_000


@given(st.integers(0, 3), st.integers(0, 3))
def test_arms_with_next_to_no_units_have_no_difference_or_one_without_a_fault(some: int, others: int) -> None:
    found = difference(Moments.of(np.arange(some)).sampled(), Moments.of(np.arange(others)).sampled())
    assert math.isnan(found.variance) == (some == 0 or others == 0)


def test_a_ratio_of_nothing_and_a_lift_over_nothing_do_not_exist() -> None:
    assert math.isnan(PairMoments.of([1.0, 2.0], [0.0, 0.0]).sampled().value)
    assert math.isnan(lift(Sampled(1.0, 0.1, 10), Sampled(0.0, 0.1, 10)).value)


def test_a_lift_over_a_negative_control_is_positive_when_more_is_had() -> None:
    assert lift(Sampled(-1.0, 0.1, 10), Sampled(-2.0, 0.1, 10)).value == pytest.approx(0.5)
