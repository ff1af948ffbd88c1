"""How the values of columns are spread."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.dataset as pads
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.tables.describe import describe
from pipeline.tables.profile import BINS, MOST_DISTINCT, TOP
from store.facts import ColumnFacts


def spread(values: list[object], kind: pa.DataType | None = None) -> ColumnFacts:
    """Of one column, in several batches."""
    table = pa.table({"x": pa.array(values, kind)})
    parts = [table.slice(start, 7) for start in range(0, len(values), 7)] or [table]
    return describe(pads.dataset(pa.concat_tables(parts))).columns[0]


@pytest.mark.slow
@given(st.lists(st.floats(-1e9, 1e9) | st.none() | st.just(math.nan) | st.just(math.inf), max_size=60))
def test_a_histogram_holds_every_finite_value_where_numpy_would_put_it(values: list[float | None]) -> None:
    found = spread(list(values), pa.float64()).histogram
    finite = [value for value in values if value is not None and math.isfinite(value)]
    if not finite:
        assert found is None
        return
    assert found is not None
    assert (found.low, found.high) == (min(finite), max(finite))
    assert sum(found.counts) == len(finite)
    assert len(found.counts) == (BINS if found.high > found.low else 1)


def test_cells_are_equal_and_the_highest_value_closes_the_last_one() -> None:
    values = [float(value) for value in range(1001)]
    found = spread(list(values)).histogram
    assert found is not None
    assert found.counts == np.histogram(values, BINS)[0].tolist()


def test_a_few_whole_numbers_have_a_cell_each() -> None:
    found = spread([1, 1, 2, 4, 4, 4, None]).histogram
    assert found is not None
    assert (found.low, found.high, found.counts) == (0.5, 4.5, [2, 1, 0, 3])


def test_times_are_binned_in_seconds_and_days_too() -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    moments = [noon + timedelta(seconds=second) for second in range(100)]
    found = spread(list(moments), pa.timestamp("us", tz="UTC")).histogram
    assert found is not None
    assert (found.low, found.high) == (noon.timestamp(), noon.timestamp() + 99)
    assert sum(found.counts) == 100
    days = spread([date(2026, 1, 1), date(2026, 1, 3)]).histogram
    assert days is not None
    assert days.high - days.low == 2 * 86_400


def test_decimals_are_numbers() -> None:
    found = spread([Decimal("1.5"), Decimal("2.5")]).histogram
    assert found is not None
    assert (found.low, found.high, sum(found.counts)) == (1.5, 2.5, 2)


def test_the_commonest_texts_are_counted_most_frequent_first() -> None:
    found = spread(["b", "a", "b", None, *(f"rare {n}" for n in range(20))])
    assert found.histogram is None
    assert [(top.value, top.count) for top in found.top[:2]] == [("b", 2), ("a", 1)]
    assert len(found.top) == TOP
    assert [(top.value, top.count) for top in spread([True, True, False]).top] == [("true", 2), ("false", 1)]


def test_names_and_keys_have_no_commonest_values() -> None:
    assert spread([f"key {n}" for n in range(2 * MOST_DISTINCT)]).top == []


def test_columns_of_nothing_and_of_lists_have_no_spread() -> None:
    empty = spread([], pa.int64())
    nested = spread([[1], [2]])
    assert (empty.histogram, empty.top, nested.histogram, nested.top) == (None, [], None, [])
