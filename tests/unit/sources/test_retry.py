"""When a server is asked again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.retry import LONGEST_ASKED_S, LONGEST_DELAY_S, GiveUp, Wait, next_try, retry_after

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_without_chance_the_delay_doubles_from_a_quarter_of_a_second() -> None:
    waits = [next_try(n, 10, asked_s=None, chance=0.0) for n in range(1, 5)]
    assert waits == [Wait(0.25), Wait(0.5), Wait(1.0), Wait(2.0)]


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_no_delay_is_longer_than_a_minute_or_negative(failed: int, chance: float) -> None:
    decision = next_try(failed, 10_000, asked_s=None, chance=chance)
    assert isinstance(decision, Wait)
    assert 0 < decision.seconds <= LONGEST_DELAY_S


def test_the_servers_own_wish_goes_before_our_delay() -> None:
    assert next_try(3, 6, asked_s=17.0, chance=0.9) == Wait(17.0)


def test_too_long_a_wish_is_left_to_the_jobs_own_retry() -> None:
    decision = next_try(1, 6, asked_s=LONGEST_ASKED_S + 1, chance=0.0)
    assert decision == GiveUp("the server asks for a pause of 601 s")


def test_after_the_last_retry_it_gives_up_and_counts_the_tries() -> None:
    assert next_try(2, 2, asked_s=None, chance=0.0) == Wait(0.5)
    assert next_try(3, 2, asked_s=None, chance=0.0) == GiveUp("3 tries")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
        ("Thu, 01 Jan 2026 12:00:30 -0000", 30.0),
        ("soon", None),
        ("-5", None),
        (None, None),
    ],
)
def test_retry_after_may_be_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds
