"""Quantiles from cells: within a cell of the truth, whatever the values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.serving.histogram import SECONDS, Histogram, added, quantile


@pytest.mark.slow
@given(st.lists(st.floats(60e-6, 40.0), min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_quantile_is_within_one_cell_of_the_true_one(values: list[float], share: float) -> None:
    histogram = Histogram(SECONDS)
    for value in values:
        histogram.observe(value)
    found = quantile(SECONDS, histogram.counts, share)
    true = float(np.quantile(values, share, method="inverted_cdf"))
    assert found is not None
    assert abs(math.log(found / true)) <= math.log(1.5) + 1e-6
    assert histogram.sum == pytest.approx(sum(values))


def test_without_values_there_is_no_quantile() -> None:
    assert quantile(SECONDS, Histogram(SECONDS).counts, 0.5) is None


def test_what_lies_above_all_cells_counts_as_the_highest_bound() -> None:
    histogram = Histogram((1.0, 2.0))
    histogram.observe(99.0)
    assert quantile((1.0, 2.0), histogram.counts, 0.5) == 2.0


def test_counts_of_several_workers_are_added() -> None:
    assert added([1, 2], [3, 4]) == [4, 6]
