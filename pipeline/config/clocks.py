"""Whether a crontab line and a zone's name mean something: judged when the project file is read.

The daemon's own reading of crontab lines makes triggers of them; here only their grammar counts.
"""

from __future__ import annotations

import difflib
import re
import zoneinfo
from typing import Final

from pipeline.config.references import nearest

_MONTHS: Final = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS: Final = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_FIELDS: Final[list[tuple[str, int, int, list[str]]]] = [
    ("minute", 0, 59, []),
    ("hour", 0, 23, []),
    ("day of month", 1, 31, []),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 7, _DAYS),
]
_WORDS: Final = ["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"]
_LONGEST: Final = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
"""Days of the months that have fewer than 31."""


def crontab_line(line: str) -> str:
    """The line itself. ValueError says which field is wrong and what it may hold."""
    if line.startswith("@"):
        if line not in _WORDS:
            raise ValueError(f"there is no {line!r}{nearest(line, _WORDS)}")
        return line
    fields = line.split()
    if len(fields) != 5:
        raise ValueError(f"a crontab line has five fields ({', '.join(f[0] for f in _FIELDS)}), this one {len(fields)}")
    values = [_values(text, *field) for text, field in zip(fields, _FIELDS, strict=True)]
    _refuse_never(fields, values)
    return line


def zone_name(name: str) -> str:
    """The name itself. ValueError when there is no such zone."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        close = difflib.get_close_matches(name, zoneinfo.available_timezones(), n=1)
        hint = f", did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"there is no time zone {name!r}{hint}") from None
    return name


def _values(text: str, name: str, low: int, high: int, names: list[str]) -> set[int]:
    """What a field allows: lists of `*`, numbers, ranges, each with an optional step."""
    allowed: set[int] = set()
    for part in text.lower().split(","):
        match = re.fullmatch(r"(\*|(\w+)(?:-(\w+))?)(?:/(\d+))?", part)
        if match is None:
            raise ValueError(f"{part!r} is no {name}: write *, a number, a range 1-5 or a step */15, or a list of them")
        step = int(match[4] or 1)
        first = low if match[1] == "*" else _number(match[2], name, low, high, names)
        last = high if match[1] == "*" else first if match[3] is None else _number(match[3], name, low, high, names)
        if match[4] is not None and match[1] != "*" and match[3] is None:
            last = high
        if last < first:
            raise ValueError(f"{part!r} is no {name}: the range runs backwards")
        if step < 1:
            raise ValueError(f"{part!r} is no {name}: the step has to be 1 or more")
        allowed |= set(range(first, last + 1, step))
    return allowed


def _number(text: str, name: str, low: int, high: int, names: list[str]) -> int:
    if text in names:
        return names.index(text) + (1 if names is _MONTHS else 0)
    if not text.isdigit() or not low <= int(text) <= high:
        raise ValueError(f"{text!r} is no {name}: it goes from {low} to {high}")
    return int(text)


def _refuse_never(fields: list[str], values: list[set[int]]) -> None:
    """A date that no year has, such as 31 February, unless a weekday is named too."""
    days, months = values[2], values[3]
    if fields[4] == "*" and min(days) > max(_LONGEST.get(month, 31) for month in months):
        raise ValueError("no year has such a day: it would never run")
