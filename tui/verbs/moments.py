"""Times as they are written on the command line."""

from __future__ import annotations

from datetime import UTC, datetime

from tui.failure import Usage


def moment(words: str) -> datetime:
    """ISO 8601; without a zone, UTC. Raises Usage."""
    try:
        read = datetime.fromisoformat(words)
    except ValueError:
        raise Usage(f"{words!r} is not a time", remedy="write 2026-03-01T14:05, with +01:00 or Z if you like") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
