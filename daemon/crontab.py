"""A crontab line as APScheduler triggers.

APScheduler's own `from_crontab` is not crontab: its 0 is Monday, 7 is refused, and it wants day *and* weekday.
The triggers work on the digits of a wall clock that has no clock changes; `daemon.timetable` turns those into moments.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import cast

from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger

from pipeline.config.crontab import Crontab

NextWall = Callable[[datetime], datetime | None]
"""Naive wall time → the first match after it."""


def wall_times(crontab: Crontab) -> NextWall:
    """Finds the matches of a line on the clock on the wall: naive times to whole minutes."""
    trigger = _trigger(crontab)

    def next_wall(after: datetime) -> datetime | None:
        # The trigger's answer is at or after the time it is given, in whole seconds.
        found = trigger.get_next_fire_time(None, after.replace(tzinfo=UTC) + timedelta(microseconds=1))
        return cast(datetime, found).replace(tzinfo=None) if found is not None else None

    return next_wall


def _trigger(crontab: Crontab) -> CronTrigger | OrTrigger:
    minute, hour = _field(crontab.minutes, 60), _field(crontab.hours, 24)
    day, month = _field(crontab.days, 31), _field(crontab.months, 12)
    # Monday is APScheduler's 0.
    weekday = _field(frozenset((number - 1) % 7 for number in crontab.weekdays), 7)

    def cron(day: str, weekday: str) -> CronTrigger:
        return CronTrigger(minute=minute, hour=hour, day=day, month=month, day_of_week=weekday, timezone=UTC)

    if crontab.either_day:
        return OrTrigger([cron(day, "*"), cron("*", weekday)])
    return cron(day, weekday)


def _field(values: frozenset[int], size: int) -> str:
    return "*" if len(values) == size else ",".join(map(str, sorted(values)))
