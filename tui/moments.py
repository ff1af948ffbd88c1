"""A time in the past, as a person writes it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo

from tui.failure import Usage

_AGO = re.compile(r"(\d+)\s*(s|m|min|h|d)(?:\s+ago)?")
_UNITS = {"s": "seconds", "m": "minutes", "min": "minutes", "h": "hours", "d": "days"}


def read_moment(text: str, now: datetime, zone: tzinfo | None) -> datetime:
    """`14:05` (the last time it was that), `2026-11-23 14:05`, `20min`, `2h ago`. Raises Usage."""
    text = text.strip()
    ago = _AGO.fullmatch(text)
    if ago:
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    here = now.astimezone(zone)
    try:
        if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", text):
            hour, minute, *second = (int(part) for part in text.split(":"))
            found = here.replace(hour=hour, minute=minute, second=second[0] if second else 0, microsecond=0)
            return found if found <= here else found - timedelta(days=1)
        found = datetime.fromisoformat(text)
    except ValueError:
        remedy = "write 14:05, 2026-11-23 14:05, 20min or 2h"
        raise Usage(f"{text!r} is not a time", where="at", remedy=remedy) from None
    return found if found.tzinfo else found.replace(tzinfo=here.tzinfo)
