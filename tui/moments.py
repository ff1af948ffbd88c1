"""A time in the past, as a person writes it, and the events around it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from tui.failure import Usage

if TYPE_CHECKING:
    from tui.client import Client

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


def neighbour(daemon: Client, moment: datetime, direction: int) -> datetime | None:
    """The time of the newest event before a moment, or of the oldest one after it; None if there is none."""
    if direction < 0:
        page = daemon.events(at=moment - timedelta(microseconds=1), limit=1)
        return page.items[0].at if page.items else None
    return _after(daemon, moment)


def _after(daemon: Client, moment: datetime) -> datetime | None:
    found: datetime | None = None
    token: str | None = None
    while True:
        page = daemon.events(limit=500, after=token)
        for event in page.items:
            if event.at <= moment:
                return found
            found = event.at
        token = page.next
        if token is None:
            return found
