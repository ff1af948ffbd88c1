"""When a schedule is due: pure functions of what it says, its zone and a moment.

Through a change of the clock:

- a line that names hours (`30 2 * * *`) is due once for each time on the wall: at the first of two equal ones, and, if
  the clock skips it, at the moment after the skip;
- a line that names no hours (`*/30 * * * *`) follows elapsed time: 46 times on the day of 23 hours, 50 on that of 25.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from daemon.crontab import NextWall, wall_times
from pipeline.config.crontab import parse_crontab
from store.times import EPOCH, from_us
from store.words import CatchUp

_DAY: Final = timedelta(days=1)
_TICK: Final = timedelta(microseconds=1)
ON_TIME: Final = timedelta(minutes=1)
"""A time found this late was not missed: the daemon was only busy, or the machine slow."""
AT_ONCE: Final = 100
"""Missed times that are caught up in one claim; the next claim goes on from there."""


def next_time(spec: Mapping[str, Any], zone: str, after: datetime) -> datetime | None:
    """The first time after `after` at which a schedule is due, in UTC; None when there is none any more.

    `spec` is one of {"cron": line}, {"every_s": seconds} (aligned to 1970 UTC) and {"at_us": µs since 1970 UTC}.
    """
    after = after.astimezone(UTC)
    if "at_us" in spec:
        at = from_us(int(spec["at_us"]))
        return at if at > after else None
    if "every_s" in spec:
        every = timedelta(seconds=float(spec["every_s"]))
        return EPOCH + ((after - EPOCH) // every + 1) * every
    next_wall, elapsed = _line(str(spec["cron"]))
    return (_next_elapsed if elapsed else _next_named)(next_wall, ZoneInfo(zone), after)


def previous_time(spec: Mapping[str, Any], zone: str, at: datetime, since: datetime) -> datetime | None:
    """The last time in (since, at], found by halving: a week of missed seconds is not walked through."""
    found = next_time(spec, zone, since)
    if found is None or found > at:
        return None
    if "every_s" in spec:
        every = timedelta(seconds=float(spec["every_s"]))
        return EPOCH + ((at - EPOCH) // every) * every
    empty_after = at
    while empty_after - found > timedelta(seconds=1):
        middle = found + (empty_after - found) / 2
        later = next_time(spec, zone, middle)
        if later is not None and later <= at:
            found = later
        else:
            empty_after = middle
    return found


@dataclass(frozen=True)
class Due:
    """What a schedule owes at a moment."""

    times: list[datetime]
    """Nominal times to run for, oldest first."""
    next_at: datetime | None
    """When to look again; not after now while there is more to catch up."""
    passed_over: tuple[datetime, datetime] | None
    """First and last of the missed times that are not caught up, if there are any."""


def due_times(
    spec: Mapping[str, Any], zone: str, next_at: datetime, now: datetime, catch_up: CatchUp, window: timedelta
) -> Due:
    """The times in [next_at, now] that shall run, by the schedule's catch-up policy; `next_at` is one of its times.

    none: only a time that is not older than `ON_TIME`. last: only the newest, if it is within `window`.
    all: each within `window`, `AT_ONCE` of them in one answer.
    """
    if next_at > now:
        return Due([], next_at, None)
    oldest = now - (ON_TIME if catch_up == "none" else max(window, ON_TIME))
    following = next_time(spec, zone, next_at)
    if following is None or following > now:  # as on nearly every day: one time is due, and no other was missed
        kept = next_at >= oldest
        return Due([next_at] if kept else [], following, None if kept else (next_at, next_at))
    if catch_up == "all":
        return _all_due(spec, zone, next_at, now, oldest)
    last = previous_time(spec, zone, now, next_at) or next_at
    kept = last >= oldest
    missed_until = previous_time(spec, zone, last - _TICK, next_at) or next_at if kept else last
    return Due([last] if kept else [], next_time(spec, zone, last), (next_at, missed_until))


def _all_due(spec: Mapping[str, Any], zone: str, next_at: datetime, now: datetime, oldest: datetime) -> Due:
    times: list[datetime] = []
    upcoming = next_at if next_at >= oldest else next_time(spec, zone, oldest - _TICK)
    while upcoming is not None and upcoming <= now and len(times) < AT_ONCE:
        times.append(upcoming)
        upcoming = next_time(spec, zone, upcoming)
    missed_until = previous_time(spec, zone, oldest - _TICK, next_at - _TICK) if next_at < oldest else None
    return Due(times, upcoming, (next_at, missed_until) if missed_until is not None else None)


# ------------------------------------------------------------------------------------- from the wall to moments


@lru_cache(maxsize=1024)
def _line(line: str) -> tuple[NextWall, bool]:
    crontab = parse_crontab(line)
    return wall_times(crontab), crontab.every_hour


def _next_named(next_wall: NextWall, zone: ZoneInfo, after: datetime) -> datetime | None:
    wall = next_wall(_digits(after, zone))
    while wall is not None:
        moment = _first_moment(wall, zone)
        if moment > after:
            return moment
        wall = next_wall(wall)  # it was due before the clock was set back
    return None


def _first_moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """When the clock shows `wall` for the first time, or, if it skips it, the moment after the skip."""
    before, after = wall.replace(tzinfo=zone), wall.replace(tzinfo=zone, fold=1)
    moment = before.astimezone(UTC)
    if _digits(moment, zone) == wall:
        return moment
    # In a skip, read with the offset after it, a wall time lies before it, and the other way round.
    return _transition(zone, after.astimezone(UTC), moment)


def _next_elapsed(next_wall: NextWall, zone: ZoneInfo, after: datetime) -> datetime | None:
    """Goes from one stretch of constant offset to the next, a day at most at a time."""
    start = after  # nothing up to here, this moment included
    while True:
        offset = _offset(start, zone)
        wall = next_wall(_digits(start, zone))
        if wall is None:
            return None
        candidate = wall.replace(tzinfo=UTC) - offset
        horizon = min(candidate, start + _DAY)
        if _offset(horizon, zone) != offset:
            change = _transition(zone, start, horizon)
            if candidate < change:
                return candidate
            found = _due_at_change(next_wall, zone, change)
            if found is not None:
                return found
            start = change
        elif horizon == candidate:
            return candidate
        else:
            # Nothing within a day: near the match the clock may be set differently, up to there nothing matches.
            start = max(horizon, wall.replace(tzinfo=UTC) - 2 * _DAY)


def _due_at_change(next_wall: NextWall, zone: ZoneInfo, change: datetime) -> datetime | None:
    wall = _digits(change, zone)
    return change if next_wall(wall - _TICK) == wall else None


def _transition(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first moment in (before, after] with another offset than `before`, to the second."""
    offset = _offset(before, zone)
    low, high = before, after
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        low, high = (middle, high) if _offset(middle, zone) == offset else (low, middle)
    return high.replace(microsecond=0)


def _digits(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None
    return offset
