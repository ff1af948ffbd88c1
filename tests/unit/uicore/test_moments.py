"""A time in the past, as a person writes it."""

from __future__ import annotations

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


@pytest.mark.parametrize("text", ["", "yesterday", "25:00", "14:5x", "2026-13-01"])
def test_what_is_no_time_says_how_to_write_one(text: str) -> None:
    with pytest.raises(Usage, match="is not a time"):
        read_moment(text, NOW, BERLIN)
