"""Measures from profiles against scipy on the rows, and what they are of odd columns."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp, wasserstein_distance

from pipeline.stats.measured import Floats
from pipeline.watching.classifier import domain_auc
from pipeline.watching.grouping import groups_of
from pipeline.watching.measures import Measures, all_measures, measures
from pipeline.watching.numbers import NumberCells, NumberProfile
from pipeline.watching.shape import of_numbers as shape_of_numbers
from pipeline.watching.verdict import Rules, decided
from pipeline.watching.words import WordCells, WordProfile
from tests.examples import examples


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def of_numbers(reference: Any, current: Any) -> Measures:
    before, now = (pa.array(one, pa.float64(), from_pandas=False) for one in (reference, current))
    cells = NumberCells.fit(before.drop_null().to_numpy(zero_copy_only=False))
    return measures(NumberProfile.of(cells, before), NumberProfile.of(cells, now))


def of_words(reference: list[Any], current: list[Any]) -> Measures:
    before, now = (pa.array(one, pa.string()) for one in (reference, current))
    cells = WordCells.fit(before)
    return measures(WordProfile.of(cells, before), WordProfile.of(cells, now))


def two_modes(seed: int, rows: int) -> Floats:
    """Narrow ones of as many rows, at -5 and 5: what leaves them comes to lie in the one wide cell between."""
    return np.asarray(np.tile([-5.0, 5.0], rows // 2) + rng(seed).normal(0, 0.1, rows))


@pytest.mark.parametrize(
    ("reference", "current"),
    [
        (rng(1).normal(size=50_000), rng(2).normal(0.3, 1, 20_000)),
        (rng(1).normal(size=50_000), rng(2).normal(0, 2, 20_000)),
        (rng(1).lognormal(size=50_000), rng(2).lognormal(0.1, 1.1, 20_000)),
        (rng(1).exponential(size=50_000), rng(2).exponential(size=20_000)),
        (rng(1).uniform(size=50_000), rng(2).beta(2, 2, 20_000)),
        (np.maximum(rng(1).normal(size=50_000), 0), np.maximum(rng(2).normal(0.2, 1, 20_000), 0)),
        (two_modes(1, 50_000), two_modes(2, 20_000) + 0.5),
        (two_modes(1, 50_000), two_modes(2, 20_000) - 0.5),
        (rng(1).lognormal(0, 1.5, size=50_000), rng(2).lognormal(0.1, 1.5, 20_000)),
    ],
    ids=["shift", "wider", "long tail", "none", "bounded", "half zeros", "modes up", "modes down", "longer tail"],
)
def test_from_profiles_ks_and_wasserstein_are_those_of_scipy_to_a_thousandth(
    reference: Floats, current: Floats
) -> None:
    found = of_numbers(reference, current)
    assert found.ks == pytest.approx(ks_2samp(reference, current, method="asymp").statistic, abs=1e-3)
    theirs = wasserstein_distance(reference, current) / reference.std()
    assert found.wasserstein == pytest.approx(theirs, abs=1e-3)


def test_of_few_values_ks_and_wasserstein_are_exact() -> None:
    reference, current = rng(1).integers(0, 900, 5000).astype(float), rng(2).integers(100, 950, 700).astype(float)
    current = np.where(np.isin(current, reference), current, reference[0])
    found = of_numbers(reference, current)
    assert found.ks == pytest.approx(ks_2samp(reference, current, method="asymp").statistic, abs=1e-12)
    assert found.wasserstein == pytest.approx(wasserstein_distance(reference, current) / reference.std(), abs=1e-9)


def test_what_lies_beyond_the_reference_counts_by_how_far() -> None:
    reference, current = np.linspace(0, 1, 500), np.r_[np.linspace(0, 1, 498), 1000.0, -500.0]
    found = of_numbers(reference, current)
    assert found.wasserstein == pytest.approx(wasserstein_distance(reference, current) / reference.std(), rel=1e-3)


def test_one_outlier_hides_no_shift() -> None:
    """Over cells of equal width between the extremes, PSI falls from 1 to 0.02 here."""
    reference, current = rng(1).normal(size=10_000), rng(2).normal(1, 1, 10_000)
    plain = of_numbers(reference, current)
    hit, seen = of_numbers(np.r_[reference, 1e4], current), of_numbers(reference, np.r_[current, 1e4])
    assert plain.psi is not None
    assert plain.psi > 0.9
    assert hit.psi == pytest.approx(plain.psi, abs=0.01)
    assert seen.psi == pytest.approx(plain.psi, abs=0.01)


def test_values_that_go_missing_are_drift_of_their_own() -> None:
    reference = rng(1).normal(size=5000)
    found = of_numbers(reference, [*rng(2).normal(size=900), *[None] * 50, *[math.nan] * 50])
    assert (found.missing, found.reference_missing) == (0.1, 0.0)
    assert found.missing_effect is not None
    assert found.missing_effect > 0.6
    assert found.ks is not None
    assert found.ks < 0.05


def test_a_window_without_any_value() -> None:
    found = of_numbers(rng(1).normal(size=500), [None] * 600)
    assert (found.ks, found.wasserstein, found.missing) == (None, None, 1.0)
    assert found.psi is not None
    assert found.psi > 5


def test_an_empty_window_is_at_no_distance_that_is_known() -> None:
    for found in (of_numbers([1.0, 2.0], []), of_words(["a", "a"], [])):
        assert found == Measures(rows=0, reference_rows=2, **_nothing(found))


def _nothing(found: Measures) -> dict[str, Any]:
    told = ("reference_new", "values", "reference_values")
    return {"reference_missing": 0.0, **{name: getattr(found, name) for name in told}}


def test_a_constant_column_that_stays_and_one_that_moves() -> None:
    stays, moves = of_numbers([3.0] * 600, [3.0] * 500), of_numbers([3.0] * 600, [4.0] * 500)
    assert (stays.psi, stays.ks, stays.wasserstein, stays.chi_square_p) == (0.0, 0.0, None, 1.0)
    assert moves.ks == 1.0
    assert moves.psi is not None
    assert moves.psi > 5


def test_one_row_has_defined_measures() -> None:
    found = of_numbers(rng(1).normal(size=500), [0.0])
    assert found.rows == 1
    assert found.ks == pytest.approx(0.5, abs=0.05)


def test_infinities_have_cells_and_enter_no_moment() -> None:
    found = of_numbers(rng(1).normal(size=500), [*rng(2).normal(size=300), *[math.inf] * 100])
    assert found.psi is not None
    assert found.psi > 1
    assert found.wasserstein is not None
    assert found.wasserstein < 0.3


def test_the_largest_and_the_smallest_floats_have_measures_and_a_picture() -> None:
    """±1.7e308 in a reference lay infinitely far from each other, and no JSON takes that: each report ended with it."""
    kinds = {
        "plain": np.random.default_rng(0).normal(size=700),
        "ends": np.r_[np.full(350, 1.7e308), np.full(350, -1.7e308)],
        "small": np.random.default_rng(1).random(700) * 1e-310,
        "none": np.zeros(0),
    }
    for before, now in product(kinds.values(), kinds.values()):
        cells = NumberCells.fit(before)
        one, other = (NumberProfile.of(cells, pa.array(values, pa.float64())) for values in (before, now))
        found = measures(one, other)
        assert all(value is None or np.isfinite(value) for value in (found.ks, found.wasserstein, found.psi))
        json.dumps(shape_of_numbers(one, other), allow_nan=False)


def test_words_that_the_reference_did_not_have_are_told() -> None:
    found = of_words(["a"] * 500 + ["b"] * 500, ["a"] * 470 + ["b"] * 470 + ["z"] * 60)
    assert (found.new, found.reference_new, found.examples) == (0.06, 0.0, ("z",))
    assert found.new_effect is not None
    assert found.new_effect > 0.2
    assert found.ks is None


def test_a_column_of_names_is_expected_to_bring_new_ones() -> None:
    names = [f"n{n}" for n in rng(1).zipf(1.5, 20_000)]
    found = of_words(names[:15_000], names[15_000:])
    assert found.new is not None
    assert found.new > 0.02
    assert found.new_effect is not None
    assert abs(found.new_effect) < 0.15  # without that expectation: 0.48


def test_rare_cells_go_together_and_common_ones_stay_alone() -> None:
    place = groups_of(np.array([50, 30, 1, 1, 1, 0, 17]), 4)
    assert place.tolist() == [1, 2, 3, 3, 3, 3, 3]


def test_a_reference_without_a_number_is_compared_with_each_row_counted_once() -> None:
    found = of_numbers([math.nan] * 300, [*[math.nan] * 100, *[1.0] * 100])
    assert found.psi == pytest.approx(
        (1 - 0.5) * math.log(2) + (0.5 - 1e-4) * math.log(0.5 / 1e-4) - (1 / 300 + 1 / 200)
    )
    assert found.hellinger == pytest.approx(math.sqrt(1 - math.sqrt(0.5)))


def test_of_many_columns_each_is_what_it_is_alone_to_the_last_bit() -> None:
    draw = rng(5)
    numbers: dict[str, tuple[Any, Any]] = {
        f"n{k}": (draw.normal(size=600 + 9 * k), draw.normal(k / 50, 1, 500)) for k in range(70)
    }
    numbers |= {"none": (np.array([math.nan] * 5), draw.normal(size=50)), "empty": (draw.normal(size=9), np.zeros(0))}
    numbers |= {"constant": (np.ones(600), np.ones(500)), "few": (draw.integers(0, 9, 600), draw.integers(0, 9, 500))}
    words = {f"w{k}": [draw.integers(0, 5**k, 3000).astype(str).tolist() for _ in range(2)] for k in range(6)}
    reference: dict[str, Any] = {}
    current: dict[str, Any] = {}
    for name, (before, now) in numbers.items():
        number = NumberCells.fit(before)
        sides = [pa.array(np.asarray(one, np.float64), from_pandas=False) for one in (before, now)]
        reference[name], current[name] = (NumberProfile.of(number, one) for one in sides)
    for name, both in words.items():
        word = WordCells.fit(pa.array(both[0]))
        reference[name], current[name] = (WordProfile.of(word, pa.array(one)) for one in both)
    together = all_measures(reference, current)
    assert list(together) == list(current)
    for name, found in together.items():
        assert found == measures(reference[name], current[name]), name
    groups = all_measures(reference, current, of_cells=False)
    assert groups == {name: replace(one, ks=None, wasserstein=None) for name, one in together.items()}


def test_words_that_the_reference_was_lucky_to_meet_are_expected_to_be_others() -> None:
    """Of 300 equally frequent words, 500 rows meet 60 % twice or more, half of them by luck."""
    draw = rng(1)
    before, now = (np.char.add("w", draw.integers(0, 300, rows).astype(str)).tolist() for rows in (500, 5000))
    found = of_words(before, now)
    assert found.new is not None
    assert found.reference_new == pytest.approx(found.new, abs=0.05)
    assert found.new > 0.4  # and 0.2 of the reference's rows are words that it has once
    assert found.psi is not None
    assert found.psi < 0.1


def test_rare_words_that_become_common_are_no_neighbours_of_common_ones() -> None:
    words = np.char.add("w", np.arange(60).astype(str))
    usual = np.linspace(2, 1, 60)
    moved = np.r_[usual[:40], 4 * usual[40:]]
    reference, current = (
        rng(seed).choice(words, rows, p=weights / weights.sum()).tolist()
        for seed, rows, weights in ((1, 50_000, usual), (2, 2000, moved))
    )
    found = of_words(reference, current)
    assert found.psi is not None
    assert found.psi > 0.3


def columns() -> st.SearchStrategy[list[float | None]]:
    value = st.one_of(st.none(), st.floats(), st.sampled_from([0.0, 1.0]))
    return st.one_of(st.lists(value, max_size=30), st.integers(0, 30).map(lambda rows: [None] * rows))


@pytest.mark.slow
@settings(max_examples=examples(150), deadline=None)
@given(columns(), columns())
def test_of_whatever_numbers_each_measure_is_none_or_in_its_range(
    reference: list[float | None], current: list[float | None]
) -> None:
    in_range(of_numbers(reference, current))


@pytest.mark.slow
@settings(max_examples=examples(150), deadline=None)
@given(*[st.lists(st.one_of(st.none(), st.text(max_size=2), st.sampled_from(["a", "b"])), max_size=30)] * 2)
def test_of_whatever_words_each_measure_is_none_or_in_its_range(
    reference: list[str | None], current: list[str | None]
) -> None:
    in_range(of_words(reference, current))


def in_range(found: Measures) -> None:
    """And the limits are numbers, whatever is missing."""
    most = {"psi": 30, "jensen_shannon": 0.8326, "hellinger": 1, "ks": 1, "wasserstein": 1e308, "chi_square_p": 1}
    most |= {"missing": 1, "new": 1, "reference_new": 1}
    for name, highest in most.items():
        value = getattr(found, name)
        assert value is None or 0 <= value <= highest * (1 + 1e-9), (name, value)
    for effect in (found.missing_effect, found.new_effect):
        assert effect is None or abs(effect) <= math.pi
    assert decided([replace(found, rows=500, reference_rows=500)], Rules(windows=1, needed=1)).answer


def test_numbers_and_words_are_not_compared() -> None:
    number, word = NumberProfile.empty(NumberCells.fit([1.0])), WordProfile.empty(WordCells(("a",)))
    with pytest.raises(ValueError, match="cannot be compared"):
        measures(number, word)


@pytest.mark.slow
def test_a_classifier_sees_what_no_column_shows() -> None:
    draw = rng(3)
    together = draw.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], 2000)
    apart, same = draw.normal(size=(2000, 2)), draw.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], 2000)
    numeric = np.array([False, False])
    told, same_told = (domain_auc(together, other, numeric, rng(4)) for other in (apart, same))
    assert told is not None
    assert told > 0.7
    assert same_told == pytest.approx(0.5, abs=0.04)
    assert told == domain_auc(together, apart, numeric, rng(4))  # seeded
    assert domain_auc(together[:5], apart, numeric, rng(4)) is None
