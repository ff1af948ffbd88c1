"""`[alerts]` of the project file: what it takes, and when the night is quiet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from pipeline.config.alerts import AlertsSection
from store.findings import Policy

BERLIN = ZoneInfo("Europe/Berlin")


def quiet_minutes(section: AlertsSection, begin: datetime, hours: float) -> int:
    """Minutes from `begin` on that are quiet, as somebody with a stop-watch counts them."""
    first = begin.astimezone(UTC)
    return sum(section.is_quiet(first + timedelta(minutes=minute)) for minute in range(int(hours * 60)))


def section(**fields: Any) -> AlertsSection:
    return AlertsSection.model_validate(fields)


def test_without_settings_there_are_no_channels_and_reminders_would_come_once_a_day() -> None:
    assert section().policy == Policy()
    assert section(repeat="off").policy.repeat_us is None


def test_quiet_hours_may_go_over_midnight() -> None:
    night = section(quiet="22:00-07:00", timezone="Europe/Berlin")
    at = [night.is_quiet(datetime(2026, 6, 1, hour, 0, tzinfo=BERLIN)) for hour in (21, 22, 23, 0, 6, 7, 12)]
    assert at == [False, True, True, True, True, False, False]
    noon = section(quiet="12:00-13:30", timezone="Europe/Berlin")
    assert [noon.is_quiet(datetime(2026, 6, 1, 12, minute, tzinfo=BERLIN)) for minute in (0, 59)] == [True, True]
    assert not noon.is_quiet(datetime(2026, 6, 1, 13, 30, tzinfo=BERLIN))


def test_a_night_in_which_the_clock_changes_is_an_hour_shorter_or_longer_and_ends_at_seven_all_the_same() -> None:
    night = section(quiet="22:00-07:00", timezone="Europe/Berlin")
    usual = datetime(2026, 6, 1, 12, tzinfo=BERLIN)
    spring, autumn = datetime(2026, 3, 28, 12, tzinfo=BERLIN), datetime(2026, 10, 24, 12, tzinfo=BERLIN)
    assert [quiet_minutes(night, begin, 24) for begin in (usual, spring, autumn)] == [9 * 60, 8 * 60, 10 * 60]
    for morning in (datetime(2026, 3, 29, 7, tzinfo=BERLIN), datetime(2026, 10, 25, 7, tzinfo=BERLIN)):
        assert not night.is_quiet(morning)
        assert night.is_quiet(morning.astimezone(UTC) - timedelta(minutes=1))


def test_quiet_hours_that_a_clock_skips_are_none_and_those_it_repeats_are_quiet_twice() -> None:
    night = section(quiet="02:00-03:00", timezone="Europe/Berlin")
    assert quiet_minutes(night, datetime(2026, 3, 28, 12, tzinfo=BERLIN), 24) == 0
    assert quiet_minutes(night, datetime(2026, 10, 24, 12, tzinfo=BERLIN), 24) == 120


def test_critical_passes_through_the_night_unless_told_otherwise_and_an_end_waits_for_the_morning() -> None:
    night = datetime(2026, 6, 1, 1, tzinfo=UTC)
    usual, silent = section(quiet="00:00-06:00"), section(quiet="00:00-06:00", quiet_critical=True)
    assert not usual.held_back("critical", "opened", night)
    assert usual.held_back("critical", "resolved", night)
    assert usual.held_back("warning", "opened", night)
    assert silent.held_back("critical", "opened", night)
    assert not silent.held_back("warning", "opened", night + timedelta(hours=12))


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"quiet": "22-7"}, "is not a span of a day"),
        ({"quiet": "25:00-07:00"}, "no clock shows"),
        ({"quiet": "07:00-07:00"}, "begins when it ends"),
        ({"timezone": "Europe/Berln"}, "did you mean 'Europe/Berlin'"),
        ({"repeat": "1s"}, "at least"),
        ({"channels": {"ops": {"kind": "pigeon"}}}, "pigeon"),
        ({"channels": {"ops": {"kind": "webhook"}}}, "url"),
        ({"channels": {"ops": {"kind": "webhook", "url": "http://x", "severities": ["loud"]}}}, "critical"),
        (
            {
                "channels": {
                    "post": {
                        "kind": "email",
                        "host": "h",
                        "sender": "a@b",
                        "to": ["c@d"],
                        "user": "u",
                        "password": "env:P",
                        "security": "none",
                    }
                }
            },
            "not sent over a plain connection",
        ),
        (
            {"channels": {"post": {"kind": "email", "host": "h", "sender": "a@b", "to": ["c@d"], "user": "u"}}},
            "go together",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(fields: dict[str, Any], what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        section(**fields)


def test_channels_make_the_routes() -> None:
    made = section(
        channels={
            "ops": {"kind": "webhook", "url": "env:OPS"},
            "pager": {"kind": "command", "command": ["./page"], "severities": ["critical"]},
        },
        settle="1h",
    )
    assert made.policy.channels == {"ops": ("warning", "critical"), "pager": ("critical",)}
    assert made.policy.settle_us == 3_600_000_000
