"""When schedules are due: against a search minute by minute, through every clock change of twelve zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.timetable import AT_ONCE, Due, due_times, next_time, previous_time
from pipeline.config.crontab import Crontab, parse_crontab
from store.words import CatchUp
from tests.examples import examples
from tests.thorough import THOROUGH

ZONES = [
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Santiago",  # changes at midnight
    "America/St_Johns",
    "Australia/Lord_Howe",  # by half an hour
    "Asia/Kolkata",
    "Asia/Beirut",  # midnight does not exist on one day
    "Africa/Casablanca",  # four changes in some years
    "Pacific/Auckland",
    "Pacific/Chatham",
]
WHOLE_YEARS = ZONES if THOROUGH else ["Australia/Lord_Howe"]
"""Of the others, make test looks at the days around each change alone."""
LINES = [
    "30 2 * * *",
    "0 0 * * *",
    "0,30 1-3 * * *",
    "15 */2 * * *",
    "*/30 * * * *",
    "59 23 * * 0",
    "0 3 1,15 * 1",
    "10 22-2 * * *",
    "5 * 31 3,10 *",
    "@weekly",
]
YEAR = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def _moments(first: int, last: int) -> st.SearchStrategy[datetime]:
    return st.datetimes(
        datetime.fromisoformat(f"{first}-01-01"), datetime.fromisoformat(f"{last}-01-01"), timezones=st.just(UTC)
    )


def _matches(crontab: Crontab, wall: datetime) -> bool:
    """crontab(5), word by word."""
    day, weekday = wall.day in crontab.days, wall.isoweekday() % 7 in crontab.weekdays
    return (
        wall.minute in crontab.minutes
        and wall.hour in crontab.hours
        and wall.month in crontab.months
        and ((day or weekday) if crontab.either_day else (day and weekday))
    )


Shown = list[tuple[datetime, datetime]]


def _shown(zone: str, start: datetime, days: int) -> Shown:
    """Each minute of some days with what the clock on the wall shows."""
    place = ZoneInfo(zone)
    moments = [start + MINUTE * n for n in range(days * 24 * 60)]
    return [(moment, moment.astimezone(place).replace(tzinfo=None, fold=0)) for moment in moments]


def _brute_force(line: str, shown: Shown) -> list[datetime]:
    """Due times by looking at every minute; each skipped and repeated stretch is handled where it is found."""
    crontab = parse_crontab(line)
    due: list[datetime] = []
    seen = shown[0][1] - MINUTE  # the latest time the wall has shown
    for moment, wall in shown:
        if crontab.every_hour:
            hit = _matches(crontab, wall)
        elif wall - seen == MINUTE:  # nothing was skipped and nothing is repeated
            hit, seen = _matches(crontab, wall), wall
        else:
            skipped = [seen + MINUTE * n for n in range(1, (wall - seen) // MINUTE)]
            hit = wall > seen and any(_matches(crontab, each) for each in (wall, *skipped))
            seen = max(seen, wall)
        if hit:
            due.append(moment)
    return due


def _changes(zone: str) -> list[datetime]:
    """Days of 2026 on which the zone's offset is not that of the day before."""
    place = ZoneInfo(zone)
    days = [YEAR + timedelta(days=n) for n in range(365)]
    return [day for day in days[1:] if day.astimezone(place).utcoffset() != (day - DAY).astimezone(place).utcoffset()]


def _walk(line: str, zone: str, start: datetime, end: datetime) -> list[datetime]:
    times, moment = [], next_time({"cron": line}, zone, start - timedelta(microseconds=1))
    while moment is not None and moment < end:
        times.append(moment)
        moment = next_time({"cron": line}, zone, moment)
    return times


def _agrees(zone: str, start: datetime, days: int) -> None:
    shown = _shown(zone, start, days)
    for line in LINES:
        times = _walk(line, zone, start, start + timedelta(days=days))
        assert times == _brute_force(line, shown), line
        assert all(earlier < later for earlier, later in pairwise(times)), line


@pytest.mark.parametrize("zone", ZONES)
def test_around_each_change_of_the_clock_due_times_are_what_a_search_minute_by_minute_finds(zone: str) -> None:
    for day in [*_changes(zone), YEAR + timedelta(days=59)]:
        _agrees(zone, day - 2 * DAY, 4)


@pytest.mark.slow  # half a million minutes a zone
@pytest.mark.parametrize("zone", WHOLE_YEARS)
def test_a_year_of_due_times_is_what_a_search_minute_by_minute_finds(zone: str) -> None:
    _agrees(zone, YEAR, 365)


@pytest.mark.parametrize("zone", ZONES)
def test_a_fixed_time_is_due_exactly_once_a_local_day(zone: str) -> None:
    for line in ("30 2 * * *", "0 0 * * *", "30 1 * * *", "45 23 * * *"):
        days = [moment.astimezone(ZoneInfo(zone)).date() for moment in _walk(line, zone, YEAR, YEAR + 365 * DAY)]
        assert len(days) == len(set(days)), line
        assert len(days) in (364, 365, 366), line


@pytest.mark.parametrize(
    ("zone", "day", "times"),
    [
        ("Europe/Berlin", "2026-03-29", 46),
        ("Europe/Berlin", "2026-10-25", 50),
        ("America/New_York", "2026-03-08", 46),
        ("America/New_York", "2026-11-01", 50),
        ("Europe/Berlin", "2026-07-01", 48),
    ],
)
def test_every_half_hour_follows_elapsed_time_on_days_of_23_and_25_hours(zone: str, day: str, times: int) -> None:
    midnight = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone))
    assert len(_walk("*/30 * * * *", zone, midnight, midnight + DAY)) == times


def test_a_time_the_clock_skips_is_due_right_after_the_skip() -> None:
    before = datetime(2026, 3, 29, 0, tzinfo=UTC)
    assert next_time({"cron": "30 2 * * *"}, "Europe/Berlin", before) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_of_two_equal_times_on_the_wall_the_first_is_due() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert next_time({"cron": "30 2 * * *"}, "Europe/Berlin", first - MINUTE) == first
    assert next_time({"cron": "30 2 * * *"}, "Europe/Berlin", first) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


@given(
    moment=_moments(2024, 2031),
    line=st.sampled_from(LINES),
    zone=st.sampled_from(ZONES),
)
@settings(max_examples=examples(150))
def test_the_next_time_is_later_and_nothing_lies_between(moment: datetime, line: str, zone: str) -> None:
    found = next_time({"cron": line}, zone, moment)
    assert found is not None
    assert found > moment
    # Asked again from anywhere in between, the answer is the same.
    assert next_time({"cron": line}, zone, moment + (found - moment) / 2) == found
    assert next_time({"cron": line}, zone, found - timedelta(microseconds=1)) == found


@given(
    at=_moments(2025, 2027),
    span=st.timedeltas(timedelta(minutes=1), timedelta(days=1)),
    line=st.sampled_from(LINES),
    zone=st.sampled_from(ZONES),
)
@settings(max_examples=examples(60))
def test_the_previous_time_is_the_last_of_all_that_were_due(
    at: datetime, span: timedelta, line: str, zone: str
) -> None:
    walked, moment = [], next_time({"cron": line}, zone, at - span)
    while moment is not None and moment <= at:
        walked.append(moment)
        moment = next_time({"cron": line}, zone, moment)
    assert previous_time({"cron": line}, zone, at, at - span) == (walked[-1] if walked else None)


@given(
    moment=_moments(2000, 2040),
    seconds=st.floats(0.5, 1e6),
)
def test_an_interval_is_aligned_and_never_further_away_than_itself(moment: datetime, seconds: float) -> None:
    spec = {"every_s": seconds}
    found = next_time(spec, "UTC", moment)
    assert found is not None
    assert moment < found <= moment + timedelta(seconds=seconds)
    assert next_time(spec, "UTC", found - timedelta(microseconds=1)) == found


def test_once_means_once() -> None:
    at = datetime(2026, 5, 1, 12, tzinfo=UTC)
    spec = {"at_us": int(at.timestamp() * 1_000_000)}
    assert next_time(spec, "UTC", at - MINUTE) == at
    assert next_time(spec, "UTC", at) is None


# ---------------------------------------------------------------------------------------------------- catching up

EVERY_SECOND = {"every_s": 1.0}
DAILY = {"cron": "0 3 * * *"}
NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
WEEK = timedelta(days=7)


def _due(spec: dict[str, Any], next_at: datetime, catch_up: CatchUp, window: timedelta = WEEK * 2) -> Due:
    return due_times(spec, "UTC", next_at, NOW, catch_up, window)


def test_eight_days_of_missed_seconds_are_one_run_at_once() -> None:
    due = _due(EVERY_SECOND, NOW - timedelta(days=8), "last")
    assert due.times == [NOW]
    assert due.next_at == NOW + timedelta(seconds=1)
    assert due.passed_over == (NOW - timedelta(days=8), NOW - timedelta(seconds=1))


def test_last_runs_the_newest_missed_time_and_names_the_others() -> None:
    due = _due(DAILY, datetime(2026, 6, 3, 3, tzinfo=UTC), "last")
    assert due.times == [datetime(2026, 6, 10, 3, tzinfo=UTC)]
    assert due.next_at == datetime(2026, 6, 11, 3, tzinfo=UTC)
    assert due.passed_over == (datetime(2026, 6, 3, 3, tzinfo=UTC), datetime(2026, 6, 9, 3, tzinfo=UTC))


def test_last_runs_nothing_that_is_older_than_the_window() -> None:
    due = _due(DAILY, datetime(2026, 6, 10, 3, tzinfo=UTC), "last", timedelta(hours=1))
    assert due.times == []
    assert due.next_at == datetime(2026, 6, 11, 3, tzinfo=UTC)
    assert due.passed_over == (datetime(2026, 6, 10, 3, tzinfo=UTC), datetime(2026, 6, 10, 3, tzinfo=UTC))


def test_none_runs_only_what_is_on_time() -> None:
    assert _due(DAILY, datetime(2026, 6, 10, 3, tzinfo=UTC), "none").times == []
    late = NOW - timedelta(seconds=20)
    assert _due({"at_us": int(late.timestamp() * 1_000_000)}, late, "none") == Due([late], None, None)


def test_all_runs_each_time_within_the_window_oldest_first() -> None:
    due = _due(DAILY, datetime(2026, 6, 1, 3, tzinfo=UTC), "all", timedelta(days=3))
    assert due.times == [datetime(2026, 6, day, 3, tzinfo=UTC) for day in (8, 9, 10)]
    assert due.passed_over == (datetime(2026, 6, 1, 3, tzinfo=UTC), datetime(2026, 6, 7, 3, tzinfo=UTC))


def test_all_is_caught_up_in_pieces_and_leaves_nothing_out() -> None:
    next_at: datetime | None = NOW - timedelta(seconds=249)
    caught_up: list[datetime] = []
    while next_at is not None and next_at <= NOW:
        due = _due(EVERY_SECOND, next_at, "all")
        assert len(due.times) <= AT_ONCE
        assert due.passed_over is None
        caught_up += due.times
        next_at = due.next_at
    assert caught_up == [NOW - timedelta(seconds=249 - n) for n in range(250)]


def test_nothing_is_due_before_its_time() -> None:
    later = NOW + timedelta(microseconds=1)
    assert _due(DAILY, later, "last") == Due([], later, None)
