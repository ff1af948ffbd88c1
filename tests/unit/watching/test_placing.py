"""Numbers are placed among edges as a binary search of each would place them, at whatever size and precision."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stats.measured import Floats
from pipeline.watching.placing import Numbers, Placing
from tests.examples import examples

finite = st.floats(allow_nan=False, allow_infinity=False)
near = st.integers(-40, 40).map(lambda steps: float(np.float32(1e6) + np.float32(0.0625) * steps) + steps * 1e-10)
"""Between neighbouring singles too, where only double precision tells apart."""
odd = st.sampled_from([0.0, -0.0, 5e-324, -5e-324, 1e-300, -1e-300, 1.4e-45, 3.5e38, -3.5e38, 1.7e308])
values = st.lists(finite | near | odd, max_size=60)


@pytest.mark.slow
@settings(max_examples=examples(300), deadline=None)
@given(values, values)
def test_each_number_has_as_many_edges_below_it_as_a_search_says(edges: list[float], given: list[float]) -> None:
    ascending, numbers = np.unique(np.array(edges, np.float64)), np.array([*given, *edges], np.float64)
    placing = Placing(ascending)
    assert placing(numbers).tolist() == np.searchsorted(ascending, numbers, side="left").tolist()
    with np.errstate(over="ignore"):
        singles = numbers.astype(np.float32)
    singles = singles[np.isfinite(singles)]
    assert placing(singles).tolist() == np.searchsorted(ascending, singles.astype(np.float64), side="left").tolist()


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize(
    "drawn",
    [
        lambda rng, rows: rng.normal(size=rows),
        lambda rng, rows: rng.lognormal(0, 4, rows),
        lambda rng, rows: 1e6 + rng.normal(size=rows),
        lambda rng, rows: 1.7e9 + rng.integers(0, 86_400, rows),
        lambda rng, rows: rng.choice([-1.0, 0.0, 1.0], rows),
    ],
    ids=["bell", "long tail", "far from 0", "seconds of a day", "three values"],
)
def test_cells_count_what_lies_in_them(kind: Any, drawn: Any) -> None:
    rng = np.random.default_rng(0)
    edges: Floats = np.unique(drawn(rng, 1000))
    numbers = drawn(rng, 20_000).astype(kind)
    found = Placing(edges).counts(numbers, len(edges) + 1)
    outer = np.r_[-math.inf, edges, math.inf]
    wide = np.sort(numbers.astype(np.float64))
    assert found.tolist() == np.diff(np.searchsorted(wide, outer[1:], side="right"), prepend=0).tolist()


def test_edges_that_no_table_tells_apart_are_searched() -> None:
    """A thousand neighbours: all begin alike, and as singles most are the same."""
    edges = np.array([1e6 + number * 2.0**-33 for number in range(1000)], np.float64)
    doubles = np.random.default_rng(0).choice(np.array([*edges, 0.0, 1e6 - 2.0**-33, 2e6], np.float64), 5000)
    given: list[Numbers] = [doubles, doubles.astype(np.float32)]
    for numbers in given:
        expected = np.searchsorted(edges, numbers.astype(np.float64), side="left")
        assert Placing(edges)(numbers).tolist() == expected.tolist()


def test_more_edges_than_a_short_number_counts_have_their_cells() -> None:
    edges = np.arange(40_000, dtype=np.float64)
    numbers = np.array([-1.0, 0.0, 32_766.5, 32_768.0, 39_999.0, 1e9], np.float32)
    assert Placing(edges)(numbers).tolist() == [0, 0, 32_767, 32_768, 39_999, 40_000]


def test_without_an_edge_there_is_one_cell() -> None:
    assert Placing(np.zeros(0)).counts(np.array([1.0, -1e308]), 1).tolist() == [2]
