"""Moments: `datetime` in UTC for people and wire, integer microseconds since 1970 UTC in the record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, overload

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
SECOND: Final = 1_000_000
"""Microseconds."""
Clock = Callable[[], datetime]
"""Says what time it is, in UTC. An argument everywhere, so that a decision can be replayed for any moment."""


def system_clock() -> datetime:
    """The wall clock of this machine."""
    return datetime.now(UTC)


def to_us(moment: datetime) -> int:
    """Microseconds since 1970 UTC, exactly. ValueError for a time without a zone: it would be a guess."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return (moment - EPOCH) // timedelta(microseconds=1)


@overload
def from_us(us: int) -> datetime: ...
@overload
def from_us(us: None) -> None: ...
@overload
def from_us(us: int | None) -> datetime | None: ...
def from_us(us: int | None) -> datetime | None:
    """The moment in UTC; None stays None (a time that has not come)."""
    return None if us is None else EPOCH + timedelta(microseconds=us)


def us(duration: timedelta) -> int:
    """Microseconds in a duration."""
    return duration // timedelta(microseconds=1)
