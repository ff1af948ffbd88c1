"""A crontab line, read with crontab's own meaning. The only place that knows the grammar.

    minute hour day-of-month month day-of-week      or @hourly @daily @midnight @weekly @monthly @yearly @annually

A field is a list of `*`, numbers, names (jan, mon), ranges (`1-5`, `22-2` goes round the end) and steps (`*/15`).
0 and 7 are Sunday. When both day fields are restricted a day has to fulfil one of them; when one of them begins with
`*`, both: that is what crontab(5) does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_MACROS: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST: Final = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
"""Days of the months that have fewer than 31."""


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()


_FIELDS: Final = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 7, _WEEKDAYS),
)


@dataclass(frozen=True)
class Crontab:
    """The values that each field allows."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""
    either_day: bool
    """A day of the month or a weekday is enough; otherwise the day has to be both."""

    @property
    def every_hour(self) -> bool:
        """No hour is named: it follows elapsed time through a clock change, not the clock on the wall."""
        return len(self.hours) == 24


def parse_crontab(line: str) -> Crontab:
    """Reads a line. ValueError says which field is wrong and what it may hold."""
    fields = _expanded(line).split()
    if len(fields) != len(_FIELDS):
        names = ", ".join(field.name for field in _FIELDS)
        raise ValueError(f"a crontab line has five fields ({names}), this one has {len(fields)}")
    minutes, hours, days, months, weekdays = (
        _allowed(text, field) for text, field in zip(fields, _FIELDS, strict=True)
    )
    either_day = not fields[2].startswith("*") and not fields[4].startswith("*")
    if not either_day and min(days) > max(_LONGEST.get(month, 31) for month in months):
        raise ValueError("no year has such a day: it would never run")
    return Crontab(minutes, hours, days, months, frozenset(day % 7 for day in weekdays), either_day)


def _expanded(line: str) -> str:
    text = line.strip().lower()
    if not text.startswith("@"):
        return text
    if text == "@reboot":
        raise ValueError("@reboot is not a time: have the daemon started at boot, and use a schedule with a time")
    if text not in _MACROS:
        raise ValueError(f"there is no {line.strip()}: the macros are {', '.join(_MACROS)}")
    return _MACROS[text]


def _allowed(text: str, field: _Field) -> frozenset[int]:
    allowed: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"(?:\*|([a-z0-9]+)(?:-([a-z0-9]+))?)(?:/(\d+))?", part)
        if match is None:
            raise ValueError(
                f"{part!r} is no {field.name}: write *, a number, a range such as 1-5, a step such as */15, or a list"
            )
        first, last, step = match.groups()
        if step is not None and int(step) == 0:
            raise ValueError(f"{part!r} is no {field.name}: a step is at least 1")
        allowed.update(_range(first, last, step, field))
    return frozenset(allowed)


def _range(first: str | None, last: str | None, step: str | None, field: _Field) -> list[int]:
    if first is None:
        low, high = field.low, field.high
    else:
        low = _number(first, field)
        # `5/15` is short for "from 5 to the end, every 15".
        high = _number(last, field) if last is not None else (field.high if step is not None else low)
    span = list(range(low, high + 1))
    if low > high:
        # Round the end; of weekdays 7 is another name of 0, so it is not a value of its own there.
        top = 6 if field.high == 7 else field.high
        span = [*range(low, top + 1), *range(field.low, high + 1)]
    return span[:: int(step or 1)]


def _number(text: str, field: _Field) -> int:
    if text in field.names:
        return field.names.index(text) + field.low
    if not text.isdigit() or not field.low <= int(text) <= field.high:
        names = f" or {field.names[0]} to {field.names[-1]}" if field.names else ""
        raise ValueError(f"{text!r} is no {field.name}: it goes from {field.low} to {field.high}{names}")
    return int(text)
