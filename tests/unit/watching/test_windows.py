"""Windows are a partition of time or of rows, whatever the rows; a window of parts is exactly that of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.watching.profile import Cells, fit, profile
from pipeline.watching.stored import WindowProfile, joined
from pipeline.watching.windows import HOUR_US, Window, aligned, by_rows, closed, gathered, piece_of, pieces
from store.times import from_us

DAY_US = 24 * HOUR_US
moments = st.integers(min_value=-(10**15), max_value=4 * 10**15)
spans = st.sampled_from([60_000_000, 5 * 60_000_000, HOUR_US, 6 * HOUR_US, DAY_US, 7 * DAY_US, 30 * DAY_US])


@given(moments, spans)
def test_every_moment_lies_in_one_window_and_windows_touch(at: int, span: int) -> None:
    window = aligned(at, span)
    assert window.start_us <= at < window.end_us == window.start_us + span
    assert aligned(window.end_us, span) == window.shifted(span)
    assert aligned(window.end_us - 1, span) == window


def test_hours_and_days_begin_with_those_of_utc_and_weeks_on_a_monday() -> None:
    at = int(datetime(2026, 3, 5, 14, 30, tzinfo=UTC).timestamp() * 1e6)
    starts = [from_us(aligned(at, span).start_us) for span in (HOUR_US, DAY_US, 7 * DAY_US)]
    assert starts == [
        datetime(2026, 3, 5, 14, tzinfo=UTC),
        datetime(2026, 3, 5, tzinfo=UTC),
        datetime(2026, 3, 2, tzinfo=UTC),
    ]
    assert starts[-1].weekday() == 0


@given(moments, spans)
def test_the_pieces_of_a_window_are_the_window(at: int, span: int) -> None:
    window = aligned(at, span)
    parts = pieces(window, piece_of(span))
    assert [one.start_us for one in parts[1:]] == [one.end_us for one in parts[:-1]]
    assert (parts[0].start_us, parts[-1].end_us) == (window.start_us, window.end_us)
    assert all(aligned(one.start_us, span) == window for one in parts)


@given(st.dictionaries(st.integers(0, 400), st.integers(1, 50), max_size=60), spans)
def test_no_row_is_lost_or_doubled_when_pieces_are_gathered(counts: dict[int, int], span: int) -> None:
    piece = piece_of(span)
    found = gathered({aligned(hour * piece, piece).start_us: rows for hour, rows in counts.items()}, span)
    assert sum(found.values()) == sum(counts.values())
    assert list(found) == sorted(found)


@given(st.lists(moments, max_size=30), moments, spans)
def test_a_window_is_closed_when_all_of_its_time_is_there(starts: list[int], until: int, span: int) -> None:
    windows = {aligned(at, span) for at in starts}
    full = closed(windows, until)
    assert full == sorted(one for one in windows if one.end_us <= until)


times = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), max_size=60).map(
    lambda found: sorted(dict(found).items())
)


@given(times, st.integers(1, 40), st.integers(0, 60))
def test_windows_of_rows_touch_are_large_enough_and_part_no_moment(
    rows: list[tuple[int, int]], size: int, until: int
) -> None:
    windows = list(by_rows(rows, size, 0, until))
    assert [one.start_us for one in windows[1:]] == [one.end_us for one in windows[:-1]]
    for one in windows:
        inside = [count for at, count in rows if one.start_us <= at < one.end_us]
        assert sum(inside) >= size
        assert sum(inside[:-1]) < size, "and no larger than it has to be"
        assert one.end_us <= max(until, 1)


@given(times, st.integers(1, 40), st.integers(0, 25), st.integers(26, 60))
def test_windows_of_rows_stay_when_more_rows_come(
    rows: list[tuple[int, int]], size: int, until: int, later: int
) -> None:
    early = list(by_rows(rows, size, 0, until))
    start = early[-1].end_us if early else 0
    further = list(by_rows([one for one in rows if one[0] >= start], size, start, later))
    assert [*early, *further] == list(by_rows(rows, size, 0, later))


values = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True), st.floats(-1e3, 1e3))
tables = st.lists(st.tuples(values, st.one_of(st.none(), st.sampled_from("abcdefg"))), max_size=40)


def as_table(rows: Sequence[tuple[Any, Any]]) -> pa.Table:
    numbers, words = [row[0] for row in rows], [row[1] for row in rows]
    return pa.table({"number": pa.array(numbers, pa.float64()), "word": pa.array(words, pa.string())})


def cells() -> dict[str, Cells]:
    rng = np.random.default_rng(7)
    sample = pa.table({"number": rng.normal(0, 100, 500), "word": rng.choice(list("aabbcd"), 500)})
    return fit(sample, {"number": "numeric", "word": "categorical"})


CELLS = cells()


def of(table: pa.Table) -> WindowProfile:
    named = dict.fromkeys(table.column_names, table.num_rows)
    return WindowProfile("t", table.num_rows, named, profile(CELLS, table.to_batches()))


@pytest.mark.slow
@given(st.lists(tables, min_size=1, max_size=5))
def test_hours_put_together_are_the_day_to_the_last_bit(parts: list[list[tuple[Any, Any]]]) -> None:
    whole = of(as_table([row for part in parts for row in part]))
    found = joined([of(as_table(part)) for part in parts], "t")
    assert (found.rows, found.named) == (whole.rows, whole.named)
    assert {name: one.document() for name, one in found.columns.items()} == {
        name: one.document() for name, one in whole.columns.items()
    }


def test_a_day_of_hours_is_a_span_of_24() -> None:
    window = Window(0, DAY_US)
    assert len(pieces(window, piece_of(window.span_us))) == 24
    assert piece_of(int(timedelta(minutes=90) / timedelta(microseconds=1))) == 90 * 60_000_000
