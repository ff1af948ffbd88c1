"""Names of time zones."""

from __future__ import annotations

import difflib
import zoneinfo


def zone_name(name: str) -> str:
    """The name itself. ValueError, with the nearest name, when there is no such zone."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        close = difflib.get_close_matches(name, zoneinfo.available_timezones(), n=1)
        hint = f", did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"there is no time zone {name!r}{hint}") from None
    return name
