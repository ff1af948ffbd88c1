"""Profiles add up exactly, say where each value went, and survive being written down."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.versions.signature import FeatureKind
from pipeline.watching.numbers import NumberCells, NumberProfile
from pipeline.watching.profile import cells_of, fit, fitted, from_document, profile, to_document, together
from pipeline.watching.sums import UNIT_BITS, as_float, exact_sum, from_text, to_text
from pipeline.watching.words import WordCells, WordProfile

numbers = st.lists(st.floats(width=64) | st.none(), max_size=40)
words = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f", "g", "h", ""]) | st.none(), max_size=40)
summable = st.lists(st.floats(-1e300, 1e300), max_size=40)


@given(summable)
def test_a_sum_is_that_of_fractions(values: list[float]) -> None:
    found = exact_sum(np.array(values, np.float64))
    assert Fraction(found, 1 << UNIT_BITS) == sum(map(Fraction, values))
    assert from_text(to_text(found)) == found


@given(
    st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=50), st.floats(width=32)
)
def test_moments_of_singles_are_sums_to_the_last_bit(values: list[float], centre: float) -> None:
    cells = NumberCells(np.zeros(1), True, centre if math.isfinite(centre) else 0.1)
    found = NumberProfile.of(cells, pa.array(values, pa.float32()))
    away = np.array(values) - cells.centre
    assert (found.total, found.squares) == (exact_sum(away), exact_sum(away**2))


def test_a_sum_larger_than_any_float_is_infinite() -> None:
    assert as_float(exact_sum(np.full(10, 1e300)) << 40) == math.inf
    assert as_float(exact_sum(np.array([0.1] * 10))) == math.fsum([0.1] * 10)


def test_a_sum_of_many_blocks_is_that_of_its_parts() -> None:
    values = np.random.default_rng(0).lognormal(0, 8, 200_000) * np.where(np.arange(200_000) % 2, 1, -1)
    assert exact_sum(values) == sum(exact_sum(part) for part in np.array_split(values[::-1], 7))
    assert as_float(exact_sum(values)) == math.fsum(values)


@pytest.mark.parametrize("rows", [1, 2047, 2048, 2049, 65_535, 65_536, 65_537])
def test_a_sum_of_any_length_is_that_of_fractions(rows: int) -> None:
    """Numbers are added up in groups and in blocks; the largest and the least of all are told apart in them."""
    rng = np.random.default_rng(rows)
    values = rng.choice([1e300, -1e300, 2.0**996, 1.0, 5e-324, -5e-324, 0.0, -0.0, 0.1], rows)
    counted = zip(*np.unique(values, return_counts=True), strict=True)
    expected = sum(Fraction(float(value)) * int(count) for value, count in counted)
    assert Fraction(exact_sum(values), 1 << UNIT_BITS) == expected
    assert exact_sum(values, 1e300) == exact_sum(values)
    equal = np.full(rows, 2.0**100)
    assert as_float(exact_sum(equal)) == as_float(exact_sum(equal, 2.0**100)) == rows * 2.0**100


@pytest.mark.slow
@given(numbers, numbers, numbers)
def test_numbers_of_two_parts_are_those_of_the_whole(
    reference: list[float | None], one: list[float | None], two: list[float | None]
) -> None:
    cells = NumberCells.fit([value for value in reference if value is not None], most=8)
    parts = [NumberProfile.of(cells, pa.array(part, pa.float64())) for part in (one, two)]
    whole = NumberProfile.of(cells, pa.array([*two, *one], pa.float64()))
    assert parts[0].plus(parts[1]).document() == whole.document()
    assert whole.rows == len(one) + len(two)


@pytest.mark.slow
@given(numbers, st.lists(st.floats(width=32) | st.none(), max_size=40))
def test_singles_are_profiled_as_the_same_doubles_are(reference: list[float | None], given: list[float | None]) -> None:
    cells = NumberCells.fit([value for value in reference if value is not None], most=8)
    single, double = (NumberProfile.of(cells, pa.array(given, kind)) for kind in (pa.float32(), pa.float64()))
    assert single.document() == double.document()


@pytest.mark.slow
@given(words, words)
def test_words_that_come_as_a_dictionary_are_the_same_words(
    reference: list[str | None], given: list[str | None]
) -> None:
    cells = WordCells.fit(pa.array(reference, pa.string()), most=3)
    plain = pa.array(given, pa.string())
    assert WordProfile.of(cells, plain.dictionary_encode()).document() == WordProfile.of(cells, plain).document()
    later = plain.dictionary_encode().slice(len(given) // 2)
    assert WordProfile.of(cells, later).document() == WordProfile.of(cells, plain.slice(len(given) // 2)).document()
    assert WordCells.fit(plain.dictionary_encode()) == WordCells.fit(plain)


@given(words, words, words)
def test_words_of_two_parts_are_those_of_the_whole(
    reference: list[str | None], one: list[str | None], two: list[str | None]
) -> None:
    cells = WordCells.fit(pa.array(reference, pa.string()), most=3)
    parts = [WordProfile.of(cells, pa.array(part, pa.string())) for part in (one, two)]
    whole = WordProfile.of(cells, pa.array([*two, *one], pa.string()))
    assert parts[0].plus(parts[1]).document() == whole.document()
    assert whole.rows == len(one) + len(two)


def test_each_kind_of_value_has_its_cell() -> None:
    cells = NumberCells.fit([1.0, 2.0, 3.0])
    found = NumberProfile.of(cells, pa.array([1, 1, 2.5, 3, 0.5, 7, math.nan, math.inf, -math.inf, None]))
    assert found.counts.tolist() == [1, 2, 0, 2, 1, 1, 1, 1, 1]
    assert found.missing == 2
    assert (found.lowest, found.highest) == (0.5, 7.0)
    assert as_float(found.below) == pytest.approx(0.5)
    assert as_float(found.above) == 4.0


def test_an_outlier_takes_no_cell_from_the_others() -> None:
    values = np.random.default_rng(0).normal(size=10_000)
    plain, hit = NumberCells.fit(values), NumberCells.fit(np.r_[values, 1e9])
    assert np.abs(np.quantile(plain.edges, [0.1, 0.5, 0.9]) - np.quantile(hit.edges, [0.1, 0.5, 0.9])).max() < 0.01
    assert 1025 <= len(plain.edges) <= 1025 + 2 * 4


def test_a_value_that_is_very_common_has_a_cell_of_its_own() -> None:
    values = np.r_[np.zeros(5000), np.random.default_rng(0).normal(size=5000)]
    cells = NumberCells.fit(values, most=100)
    found = NumberProfile.of(cells, pa.array(values))
    assert found.counts.max() == 5000


def test_moments_are_those_of_numpy() -> None:
    values = 1e9 + np.random.default_rng(0).normal(size=1000)
    found = NumberProfile.of(NumberCells.fit(values), pa.array(values))
    assert found.mean == pytest.approx(values.mean(), rel=1e-15)
    assert found.deviation == pytest.approx(values.std(), rel=1e-9)


def test_the_largest_floats_neither_overflow_nor_break_the_sum() -> None:
    column = pa.array([1.7e308, -1.7e308, 5e-324])
    for reference in ([0.0, 1.0], [1.7e308], [-1.7e308, 0.0]):
        found = NumberProfile.of(NumberCells.fit(reference), column)
        assert found.rows == 3
        assert math.isfinite(found.deviation)


def test_a_reference_without_numbers_takes_any_window() -> None:
    cells = NumberCells.fit([math.nan])
    found = NumberProfile.of(cells, pa.array([1.0, None, math.nan]))
    assert found.counts.tolist() == [1, 0, 0, 1, 1]
    empty = NumberProfile.of(cells, pa.array([], pa.float64()))
    assert empty.rows == 0
    assert math.isnan(empty.mean)
    assert math.isnan(empty.deviation)


def test_words_met_once_count_with_those_never_met() -> None:
    cells = WordCells.fit(pa.array(["x", "x", "y", "y", "y", "once", None]))
    assert cells.words == ("y", "x")
    found = WordProfile.of(cells, pa.array(["x", "once", "new", None]))
    assert found.counts.tolist() == [0, 1, 2, 1]
    assert (found.others, found.missing, found.examples) == (2, 1, ("new", "once"))


def test_profiles_of_another_reference_do_not_add_up() -> None:
    one, two = (NumberProfile.empty(NumberCells.fit(values)) for values in ([1.0], [2.0]))
    with pytest.raises(ValueError, match="different cells"):
        one.plus(two)
    word, other = (WordProfile.empty(WordCells(given)) for given in (("a",), ("b",)))
    with pytest.raises(ValueError, match="different words"):
        word.plus(other)
    with pytest.raises(ValueError, match="numbers and one of words"):
        together(one, word)


def test_rows_that_are_kept_and_rows_that_are_read_again_give_the_same_profile() -> None:
    rng = np.random.default_rng(0)
    rows = pa.table({"x": pa.array(rng.normal(size=5000), pa.float32()), "w": pa.array(["a", "b"] * 2500)})
    drawn = np.flatnonzero(rng.random(5000) < 0.3)
    reads = []

    def batches() -> Iterator[pa.RecordBatch]:
        reads.append(1)
        return iter(rows.to_batches(700))

    kinds: dict[str, FeatureKind] = {"x": "numeric", "w": "categorical"}
    kept = fitted(kinds, batches, drawn)
    assert len(reads) == 1
    again = fitted(kinds, batches, drawn, in_hand=rows.nbytes // 2)
    assert len(reads) == 3
    apart = profile(fit(rows.take(pa.array(drawn)), kinds), rows.to_batches())
    assert to_document(kept) == to_document(again) == to_document(apart)
    assert to_document(fitted(kinds, batches, None)) == to_document(profile(fit(rows, kinds), rows.to_batches()))


def test_singles_place_the_edges_that_the_same_doubles_do() -> None:
    values = np.r_[np.random.default_rng(0).lognormal(size=9000), np.zeros(500), -np.zeros(500)].astype(np.float32)
    single, double, turned = (NumberCells.fit(given) for given in (values, values.astype(np.float64), values[::-1]))
    assert single.identity() == double.identity() == turned.identity()


def test_a_table_is_profiled_batch_by_batch_and_written_down() -> None:
    rng = np.random.default_rng(0)
    table = pa.table({"x": rng.normal(size=3000), "c": rng.choice(["a", "b"], 3000), "left": range(3000)})
    cells = fit(table, {"x": "numeric", "c": "categorical"})
    whole = profile(cells, table.to_batches())
    parts = profile(cells, table.to_batches(max_chunksize=7))
    assert to_document(whole) == to_document(parts)
    back = from_document(json.loads(json.dumps(to_document(whole), allow_nan=False)))
    assert to_document(back) == to_document(whole)
    assert cells_of(back).keys() == {"x", "c"}
    with pytest.raises(ValueError, match="format 0"):
        from_document({"format": 0})
