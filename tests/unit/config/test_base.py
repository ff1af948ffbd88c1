"""Durations and sizes as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.base import duration_text, parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("6h", 21_600),
        ("1d 12h", 129_600),
        ("1d12h", 129_600),
        ("250ms", 0.25),
        ("1.5h", 5400),
        ("2w", 1_209_600),
    ],
)
def test_a_duration_is_the_sum_of_its_parts(text: str, seconds: float) -> None:
    assert parse_duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "6", "h", "6 hours", "-1h", "1h!", "1y", None, 5])
def test_what_is_no_duration_is_refused_with_an_example(text: object) -> None:
    with pytest.raises(ValueError, match='such as "6h"'):
        parse_duration(text)


@pytest.mark.slow
@given(st.integers(min_value=0, max_value=10**12))
def test_a_written_duration_reads_back_as_itself(milliseconds: int) -> None:
    duration = timedelta(milliseconds=milliseconds)
    assert parse_duration(duration_text(duration)) == duration


@pytest.mark.parametrize(("text", "size"), [("2GB", 2 * 10**9), ("64 MB", 64 * 10**6), ("1.5kb", 1500), (17, 17)])
def test_sizes_are_decimal(text: object, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "2 gigs", "-1MB", True])
def test_what_is_no_size_is_refused_with_an_example(text: object) -> None:
    with pytest.raises(ValueError, match='such as "2GB"'):
        parse_size(text)
