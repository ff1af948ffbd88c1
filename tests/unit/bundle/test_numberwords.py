"""Numbers as words: what answers requests without Arrow writes what Arrow wrote into the vocabulary."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.versions.encoding import words
from pipeline.versions.numberwords import float_word, number_words


def by_arrow(values: Any) -> list[str | None]:
    found: list[str | None] = words(pa.chunked_array([pa.array(values)])).to_pylist()
    return found


@given(st.lists(st.floats(width=64), min_size=1))
def test_a_float_has_arrows_word(values: list[float]) -> None:
    assert number_words(np.array(values, np.float64)) == by_arrow(np.array(values, np.float64))


@pytest.mark.parametrize(("kind", "bits"), [(np.float64, np.uint64), (np.float32, np.uint32), (np.float16, np.uint16)])
def test_so_have_all_kinds_of_bits_and_numbers_of_every_size(kind: Any, bits: Any) -> None:
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, np.iinfo(bits).max, 5000, dtype=bits, endpoint=True).view(kind)
    sized = np.minimum(10.0 ** rng.uniform(-8, 20, 5000), np.finfo(kind).max).astype(kind)
    with np.errstate(over="ignore"):
        round_ones = np.array([0, -0.0, 1, -1, 0.1, 1e-5, 1e-6, 9.9e-7, 1e9, 9999, np.inf, -np.inf, np.nan], kind)
    for values in (drawn, sized, round_ones, np.round(rng.normal(0, 100, 2000), 2).astype(kind)):
        assert number_words(values) == by_arrow(values)


def test_whole_numbers_and_truth_values_are_words_too() -> None:
    for values in (np.array([0, -7, 2**40]), np.array([1, 255], np.uint8), np.array([True, False])):
        assert number_words(values) == by_arrow(values)


def test_at_ten_to_the_tenth_the_exponent_begins() -> None:
    told = [float_word(np.float64(value)) for value in (9999999999.0, 10000000000.0, 0.000001, 0.0000009, 7.0)]
    assert told == ["9999999999", "1e+10", "0.000001", "9e-7", "7"]
