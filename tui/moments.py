"""A time in the past, as a person writes it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

from tui.failure import Usage

_AGO = re.compile(r"(\d+)\s*(s|m|min|h|d)(?:\s+ago)?")
_FIRST = datetime(1970, 1, 2, tzinfo=UTC)
"""Nothing was recorded before: what is said to be so long ago was mistyped."""
_UNITS = {"s": "seconds", "m": "minutes", "min": "minutes", "h": "hours", "d": "days"}


def read_moment(text: str, now: datetime, zone: tzinfo | None) -> datetime:
    """`14:05` (the last time it was that), `2026-11-23 14:05`, `20min`, `2h ago`. Raises Usage."""
    text = text.strip()
    try:
        found = _read(text, now, zone)
    except (ValueError, OverflowError):
        found = None
    if found is None or found < _FIRST:
        remedy = "write 14:05, 2026-11-23 14:05, 20min or 2h"
        raise Usage(f"{text!r} is not a time", where="at", remedy=remedy)
    return found


def _read(text: str, now: datetime, zone: tzinfo | None) -> datetime:
    """Raises ValueError and OverflowError for what is none."""
    ago = _AGO.fullmatch(text)
    if ago:
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", text):
        hour, minute, *second = (int(part) for part in text.split(":"))
        today = now.astimezone(zone).replace(tzinfo=None)
        found = today.replace(hour=hour, minute=minute, second=second[0] if second else 0, microsecond=0)
        return _in(zone, found if found <= today else found - timedelta(days=1))
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else _in(zone, found)


def _in(zone: tzinfo | None, clock: datetime) -> datetime:
    """What a clock there showed, by the offset of that day: in winter, July is still an hour further on."""
    return clock.astimezone() if zone is None else clock.replace(tzinfo=zone)
