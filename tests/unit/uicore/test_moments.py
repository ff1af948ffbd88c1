"""A time in the past, as a person writes it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tui.failure import Usage
from tui.moments import read_moment

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 26, 14, 30, tzinfo=UTC)
"""15:30 in Berlin."""


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("14:05", datetime(2026, 11, 26, 14, 5, tzinfo=BERLIN)),
        ("15:29:59", datetime(2026, 11, 26, 15, 29, 59, tzinfo=BERLIN)),
        ("16:00", datetime(2026, 11, 25, 16, 0, tzinfo=BERLIN)),
        ("2026-11-23 14:05", datetime(2026, 11, 23, 14, 5, tzinfo=BERLIN)),
        ("2026-11-23T14:05:00+00:00", datetime(2026, 11, 23, 14, 5, tzinfo=UTC)),
        ("20min", NOW - timedelta(minutes=20)),
        ("2h ago", NOW - timedelta(hours=2)),
        ("3d", NOW - timedelta(days=3)),
    ],
)
def test_a_time_is_read_in_the_zone_that_is_shown(text: str, moment: datetime) -> None:
    assert read_moment(text, NOW, BERLIN) == moment


@pytest.mark.parametrize(
    "text", ["", "yesterday", "25:00", "14:5x", "2026-13-01", "99999999d", "9" * 30 + "d", "0001-01-01"]
)
def test_what_is_no_time_says_how_to_write_one(text: str) -> None:
    with pytest.raises(Usage, match="is not a time"):
        read_moment(text, NOW, BERLIN)


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's own zone."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_berlin")
@pytest.mark.parametrize("zone", [None, BERLIN])
def test_a_time_of_summer_that_is_written_in_winter_is_one_of_summer(zone: ZoneInfo | None) -> None:
    """By the offset of today it would be an hour off, and the shed be shown as it was before a promotion, not after."""
    assert read_moment("2026-07-01 14:05", NOW, zone) == datetime(2026, 7, 1, 12, 5, tzinfo=UTC)


@pytest.mark.usefixtures("in_berlin")
def test_the_last_time_that_it_was_a_time_is_one_of_the_day_before_though_its_clocks_were_changed() -> None:
    after = datetime(2026, 10, 25, 9, 0, tzinfo=UTC)  # a Sunday on which the clocks went back: 10:00
    assert read_moment("11:00", after, None) == datetime(2026, 10, 24, 9, 0, tzinfo=UTC)
