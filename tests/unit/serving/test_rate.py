"""The token bucket of a key: pure, and shared by processes that map one file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.serving.rate import Rates, admitted


@given(
    rate=st.floats(0.1, 1000),
    gaps=st.lists(st.floats(0, 5), min_size=1, max_size=200),
)
def test_in_no_span_are_more_admitted_than_the_bucket_holds_and_what_flows_in(rate: float, gaps: list[float]) -> None:
    now, full_at, taken = 1000.0, 0.0, []
    for gap in gaps:
        now += gap
        full_at, wait = admitted(full_at, now, rate)
        if wait == 0:
            taken.append(now)
    for first, began in enumerate(taken):
        for last in range(first, len(taken)):
            assert last - first + 1 <= max(1.0, rate) + rate * (taken[last] - began) + 1e-6


@given(rate=st.floats(0.1, 1000), full_at=st.floats(0, 3000), now=st.floats(0, 2000))
def test_who_waits_as_long_as_was_said_is_admitted(rate: float, full_at: float, now: float) -> None:
    """A token's time, or two where another process was ahead by up to one: so much is believed."""
    full_at, wait = admitted(full_at, now, rate)
    if wait > 0:
        assert wait <= 2 / rate + 1e-6
        assert admitted(full_at, now + wait, rate)[1] == pytest.approx(0, abs=1e-9)


@given(rate=st.floats(0.1, 1000), gaps=st.lists(st.floats(0, 5), min_size=1, max_size=200))
def test_by_one_clock_nobody_waits_for_longer_than_a_token_takes(rate: float, gaps: list[float]) -> None:
    now, full_at = 1000.0, 0.0
    for gap in gaps:
        now += gap
        full_at, wait = admitted(full_at, now, rate)
        assert wait <= 1 / rate + 1e-6


def test_a_full_bucket_gives_one_seconds_worth_at_once() -> None:
    full_at, given_out = 0.0, 0
    for _ in range(20):
        full_at, wait = admitted(full_at, 50.0, 5.0)
        given_out += wait == 0
    assert given_out == 5


def test_a_moment_that_no_bucket_could_have_counts_as_full() -> None:
    """The monotonic clock begins anew with the machine, and the file does not."""
    assert admitted(9e9, 5.0, 2.0) == (5.5, 0.0)


def test_two_processes_with_the_file_share_the_buckets_however_many_there_are(tmp_path: Path) -> None:
    one, other = Rates(tmp_path / "rates"), Rates(tmp_path / "rates")
    assert one.take(3, 10.0, 1.0) == 0
    assert other.take(3, 10.5, 1.0) == pytest.approx(0.5)
    assert other.take(2000, 10.5, 1.0) == 0
    assert one.take(2000, 10.5, 1.0) == pytest.approx(1.0)
    assert one.take(3, 10.9, 1.0) == pytest.approx(0.1)
    one.close()
    other.close()
