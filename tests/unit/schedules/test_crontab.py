"""Crontab lines mean what crontab(5) says."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.crontab import wall_times
from pipeline.config.crontab import parse_crontab

ALL_DAYS = frozenset(range(1, 32))


@pytest.mark.parametrize(
    ("field", "weekdays"),
    [
        ("0", {0}),
        ("7", {0}),
        ("sun", {0}),
        ("5-7", {5, 6, 0}),
        ("sat-mon", {6, 0, 1}),
        ("fri-1", {5, 6, 0, 1}),
        ("0-7", set(range(7))),
        ("MON,wed", {1, 3}),
        ("*/2", {0, 2, 4, 6}),
    ],
)
def test_zero_and_seven_are_sunday_and_names_and_ranges_go_round(field: str, weekdays: set[int]) -> None:
    assert parse_crontab(f"0 0 * * {field}").weekdays == weekdays


@pytest.mark.parametrize(
    ("field", "hours"),
    [("22-2", {22, 23, 0, 1, 2}), ("22-2/2", {22, 0, 2}), ("20/2", {20, 22}), ("1-5/2", {1, 3, 5}), ("7,9", {7, 9})],
)
def test_hours_take_ranges_round_midnight_steps_and_lists(field: str, hours: set[int]) -> None:
    assert parse_crontab(f"0 {field} * * *").hours == hours


def test_two_restricted_day_fields_mean_either_and_a_star_in_one_means_both() -> None:
    assert parse_crontab("0 0 13 * 5").either_day
    assert not parse_crontab("0 0 13 * *").either_day
    assert not parse_crontab("0 0 */2 * 5").either_day


def test_friday_or_the_thirteenth_finds_both() -> None:
    next_wall = wall_times(parse_crontab("0 0 13 * fri"))
    found, wall = [], datetime.fromisoformat("2026-06-01")
    for _ in range(5):
        following = next_wall(wall)
        assert following is not None
        found.append(following.day)
        wall = following
    assert found == [5, 12, 13, 19, 26]


@pytest.mark.parametrize(
    ("macro", "line"),
    [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
    ],
)
def test_macros_are_their_lines(macro: str, line: str) -> None:
    assert parse_crontab(macro) == parse_crontab(line)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("@reboot", "not a time"),
        ("@fortnightly", "the macros are @hourly"),
        ("0 3 * *", "this one has 4"),
        ("0 3 * * * *", "this one has 6"),
        ("60 3 * * *", "'60' is no minute: it goes from 0 to 59"),
        ("0 24 * * *", "'24' is no hour"),
        ("0 0 0 * *", "'0' is no day of month"),
        ("0 0 * 13 *", "'13' is no month: it goes from 1 to 12 or jan to dec"),
        ("0 0 * * 8", "'8' is no day of week"),
        ("0 0 * * someday", "'someday' is no day of week: it goes from 0 to 7 or sun to sat"),
        ("*/0 * * * *", "a step is at least 1"),
        ("1- * * * *", "'1-' is no minute"),
        (", * * * *", "is no minute"),
        ("0 0 L * *", "'l' is no day of month"),
        ("0 0 30 2 *", "it would never run"),
        ("0 0 31 2,4,6 *", "it would never run"),
    ],
)
def test_a_wrong_line_is_refused_with_the_field_and_what_it_takes(line: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        parse_crontab(line)


def test_a_day_that_a_month_lacks_is_no_fault_when_a_weekday_is_named() -> None:
    assert parse_crontab("0 0 30 2 1").either_day


@pytest.mark.slow
@given(
    minutes=st.frozensets(st.integers(0, 59), min_size=1),
    hours=st.frozensets(st.integers(0, 23), min_size=1),
    days=st.frozensets(st.integers(1, 31), min_size=1),
    months=st.frozensets(st.integers(1, 12), min_size=1),
    weekdays=st.frozensets(st.integers(0, 6), min_size=1),
)
def test_every_set_of_values_is_read_back(
    minutes: frozenset[int],
    hours: frozenset[int],
    days: frozenset[int],
    months: frozenset[int],
    weekdays: frozenset[int],
) -> None:
    fields = [",".join(map(str, sorted(values))) for values in (minutes, hours, days, months, weekdays)]
    crontab = parse_crontab(" ".join(fields))
    assert (crontab.minutes, crontab.hours, crontab.days, crontab.months, crontab.weekdays) == (
        minutes,
        hours,
        days,
        months,
        weekdays,
    )
    following = wall_times(crontab)(datetime.fromisoformat("2026-01-01"))
    assert following is not None
    assert following.minute in minutes
    assert following.hour in hours
    assert following.month in months
    assert following.day in days or following.isoweekday() % 7 in weekdays
