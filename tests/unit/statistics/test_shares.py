"""Intervals of a share, against scipy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from pipeline.stats.shares import wilson


@pytest.mark.slow
@given(st.integers(1, 10_000).flatmap(lambda rows: st.tuples(st.integers(0, rows), st.just(rows))))
def test_it_is_scipys(case: tuple[int, int]) -> None:
    hits, rows = case
    theirs = binomtest(hits, rows).proportion_ci(method="wilson")
    assert wilson(hits, rows) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_of_no_rows_nothing_is_known_and_the_ends_are_exact() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 7)[0] == 0.0
    assert wilson(7, 7)[1] == 1.0
